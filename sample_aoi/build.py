"""Build the sample area of interest from its seed: `python sample_aoi/build.py [OUT]`.

Everything it writes is invented. OUT is the folder that receives the data files; without it,
they go to `data/` beside this script.
"""

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
import scipy
import shapely
from generator.borders import Borders, make_borders
from generator.frame import STEP
from generator.incident_files import write_incidents
from generator.incidents import make_events
from generator.land import RIVER_KM2, Land, make_land
from generator.mission import Base, make_alerts, make_bases, make_sites, make_water
from generator.patrols import make_boat_trip, make_patrols, make_routes
from generator.people import FINE, NODATA, make_landcover, make_people
from generator.reports import make_reports
from generator.roads import SURFACES, Road, make_roads
from generator.settlements import Settlement, make_settlements
from generator.writing import write_csv, write_geojson, write_gpx, write_raster

HERE = Path(__file__).resolve().parent
TRIPS = (
    ("2025-08-19", 8.0, "walk"), ("2025-11-04", 9.5, "boat"), ("2026-01-27", 7.5, "walk"),
    ("2026-03-11", 19.0, "walk"), ("2026-05-12", 8.5, "boat"), ("2026-06-23", 10.0, "walk"),
)  # fmt: skip


def build(out: Path) -> None:
    """Write every data file of the sample into a folder."""
    for folder in (out, out / "truth", out / "gpx"):
        folder.mkdir(parents=True, exist_ok=True)
    land = make_land()
    settlements = make_settlements(land)
    borders = make_borders(land, settlements)
    roads = make_roads(land, settlements)
    write_land(out, land)
    write_borders(out, borders)
    write_roads(out, roads)
    people = make_people(land, settlements, roads)
    write_grids(out, land, people)
    write_settlements(out, settlements)
    bases = make_bases(settlements)
    write_bases(out, bases)
    sites = make_sites(settlements, bases)
    write_sites(out, sites)
    write_csv(
        out / "alerts.csv",
        ("network_id", "network_name", "longitude", "latitude", "radius_m", "members"),
        make_alerts(settlements),
    )
    write_csv(
        out / "water_points.csv",
        ("wp_id", "longitude", "latitude", "kind", "functional", "people_served"),
        make_water(land, settlements),
    )
    events = make_events(land, settlements, bases, sites)
    write_incidents(out, make_reports(events, borders, settlements))
    write_patrols(out, land, bases, settlements, roads)
    write_csv(out / "built_with.csv", ("library", "version"), built_with())


def built_with() -> list[tuple[str, str]]:
    """List what the bytes depend on: with other versions they may differ in the last place."""
    return [
        ("numpy", np.__version__), ("scipy", scipy.__version__), ("shapely", shapely.__version__),
        ("GEOS", shapely.geos_version_string), ("rasterio", rasterio.__version__),
        ("GDAL", rasterio.__gdal_version__),
    ]  # fmt: skip


def write_land(out: Path, land: Land) -> None:
    """Coast, rivers and the wet-season flood plain."""
    write_geojson(out / "coast.geojson", [(land.outline, {"name": "Ilhara (fictional)"})])
    rivers = []
    for number, (line, drained) in enumerate(land.rivers, start=1):
        large = drained >= RIVER_KM2
        rivers.append((line, {
            "waterway_id": f"W{number:02d}", "name": f"River {number}" if large else None,
            "waterway": "river" if large else "stream", "drains_km2": round(drained),
            "ford": None if large else "dry season",
        }))  # fmt: skip
    write_geojson(out / "rivers.geojson", rivers)
    floods = [
        (part, {"flood_id": f"F{number:02d}", "name": f"Flood plain {number}", "season": "wet"})
        for number, part in enumerate(land.flooded.geoms, start=1)
    ]
    write_geojson(out / "floodplain.geojson", floods)


def write_borders(out: Path, borders: Borders) -> None:
    """Admin areas, one file for each level, and AORs."""
    for level in (1, 2):
        rows = []
        for area in borders.areas:
            if area.level == level:
                names = {f"adm{level}_pcode": area.area_id, f"adm{level}_en": area.name}
                rows.append((area.shape, names | {"level": level, "parent": area.parent_id}))
        write_geojson(out / f"admin{level}.geojson", rows)
    write_geojson(
        out / "aors.geojson",
        [
            (shape, {"aor_id": aor_id, "aor_name": name, "responsible_unit": unit})
            for aor_id, name, unit, shape in borders.aors
        ],
    )


def write_roads(out: Path, roads: list[Road]) -> None:
    """Roads; the longest stretch of gravel is reported closed, a track was for a while."""
    shut = {
        next(n for n, r in enumerate(roads) if r.kind == "secondary"): ("2026-05-18", "2026-09-30"),
        next(n for n, r in enumerate(roads) if r.kind == "tertiary"): ("2025-08-02", "2025-10-20"),
    }
    rows = []
    for number, road in enumerate(roads):
        since, until = shut.get(number, (None, None))
        rows.append((road.line, {
            "road_id": f"H{number + 1:03d}", "highway": road.kind,
            "surface": "concrete" if road.bridge else SURFACES[road.kind],
            "bridge": "yes" if road.bridge else "no", "closed_from": since, "closed_until": until,
        }))  # fmt: skip
    write_geojson(out / "roads.geojson", rows)


def write_grids(out: Path, land: Land, people: np.ndarray) -> None:
    """Write population at 3 arc-seconds, elevation and land cover at 9."""
    bands = ("people", "women and girls", "children under 18")
    write_raster(out / "population.tif", people, STEP / FINE, nodata=NODATA, names=bands)
    height = np.where(land.dry, np.round(land.height_m), -32_768).astype(np.int16)
    write_raster(out / "elevation.tif", height[None], STEP, nodata=-32_768, names=("metres",))
    cover = make_landcover(land, people)
    write_raster(out / "landcover.tif", cover[None], STEP, nodata=0, names=("class",))


def write_settlements(out: Path, settlements: list[Settlement]) -> None:
    """Named places."""
    write_csv(
        out / "settlements.csv",
        ("settlement_id", "name", "place", "longitude", "latitude", "population"),
        [(s.settlement_id, s.name, s.kind, s.lon, s.lat, s.people) for s in settlements],
    )


def write_bases(out: Path, bases: list[Base]) -> None:
    """Bases as perimeters, one as a bare point."""
    rows = []
    for b in bases:
        rows.append((b.shape, {
            "base_id": b.base_id, "base_name": b.name, "base_type": b.kind, "unit": b.unit,
            "opened": b.opened, "closed": b.closed, "qrf_notice_min": b.notice_min,
            "mobility": b.mobility, "max_range_km": b.range_km, "night_moves": b.night,
            "strength": b.strength, "caveats": b.caveats, "location_error_m": b.error_m,
        }))  # fmt: skip
    write_geojson(out / "bases.geojson", rows)


def write_sites(out: Path, sites: list) -> None:
    """Displacement sites with counts by sex and age."""
    rows = []
    for s in sites:
        girls, boys = round(s.people * 0.272), round(s.people * 0.265)
        women = round(s.people * 0.268)
        rows.append((s.shape, {
            "site_id": s.site_id, "site_name": s.name, "site_type": s.kind,
            "individuals": s.people, "female": girls + women,
            "male": s.people - girls - women, "girls_under_18": girls, "boys_under_18": boys,
            "children": girls + boys, "count_date": s.counted,
        }))  # fmt: skip
    write_geojson(out / "sites.geojson", rows)


def write_patrols(
    out: Path, land: Land, bases: list[Base], settlements: list[Settlement], roads: list[Road]
) -> None:
    """Telemetry as CSV, six trips of the police unit as GPX, planned routes."""
    write_csv(
        out / "patrols.csv",
        ("unit", "patrol", "time", "lat", "lon"),
        [
            (f.unit, f.patrol, f.at.isoformat(), f"{f.lat:.5f}", f"{f.lon:.5f}")
            for f in make_patrols(land, bases, settlements, roads)
        ],
    )
    write_geojson(out / "planned_routes.geojson", make_routes(bases, settlements, roads))
    at = {s.name: (s.lon, s.lat) for s in settlements}
    home = at["Port Veral"]
    for number, (day, hour, how) in enumerate(TRIPS, start=1):
        name = f"P1-{number:03d}"
        if how == "boat":
            ports, speed = [home, at["East Islet Cove"], home], 26.0
        else:
            ring = [(0.012, 0.004), (0.02, -0.012), (-0.006, -0.014), (-0.014, 0.006)]
            ports = [home, *[(home[0] + x, home[1] + y) for x, y in ring], home]
            speed = 5.0
        trip = make_boat_trip(name, date.fromisoformat(day), hour, ports, speed)
        write_gpx(out / "gpx" / f"P1_{day}.gpx", name, [(f.utc, f.lon, f.lat) for f in trip])


if __name__ == "__main__":
    begun = time.perf_counter()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "data"
    build(target)
    total = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{target}: {total / 1e6:.1f} MB in {time.perf_counter() - begun:.0f} s")
