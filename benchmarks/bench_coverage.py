"""Gap areas and who is covered, against geopandas polygons and scipy's graph of an R-tree.

Run: python benchmarks/bench_coverage.py [--full]

From a picture of n cells to ranked gap areas and the coverage table. The peers find the gap areas
and their people only (no table by area, no names, reasons or references): `dissolve` melts
hexagons by admin area and AOR, `touching` joins hexagons that touch by an R-tree. `areas only` is
the same short answer by us. All must agree on the people of the largest ten areas.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from contest import Contestant, contest, sizes_asked
from scipy import sparse
from scipy.sparse import csgraph

from pocgeo.analyses.coverage import CoverageStandard, coverage, judged
from pocgeo.analyses.gaps import gap_areas, with_gap_areas, with_reasons
from pocgeo.cells import grid

SMALL, FULL = (30_000, 170_000), (30_000, 170_000, 900_000)
STANDARD = CoverageStandard()


def picture(size):
    """Cells round a point, their measures smooth with noise, as in the field."""
    rng = np.random.default_rng(size)
    rings = int(np.ceil((np.sqrt(12 * size - 3) - 3) / 6))
    cells = grid.disk(grid.cells_of([24.0], [6.0], 8), rings)[:size]
    lon, lat = grid.centres(cells)
    table = pd.DataFrame({"cell": cells, "lon": lon, "lat": lat, "area_km2": 0.74})
    people = rng.gamma(0.3, 200, size)
    table["people_persons"] = np.where(rng.random(size) < 0.6, 0.0, people)
    table["women_persons"] = table["people_persons"] * 0.5
    wave = np.sin(40 * lon) * np.cos(40 * lat)
    table["reach_min"] = 60 + 50 * wave + rng.normal(0, 10, size)
    table["reach_method"], table["base_id"], table["base"] = "straight line", "B01", "Camp"
    days = np.where(rng.random(size) < 0.8, np.nan, rng.integers(0, 60, size))
    table["days_since_presence"] = days
    seen = pd.Series(pd.to_timedelta(np.nan_to_num(days).astype(int), unit="D"))
    table["last_presence_on"] = (pd.Timestamp("2026-06-30") - seen).where(~np.isnan(days))
    table["last_unit"] = "U1"
    table["risk"] = rng.random(size)
    table["risk_persons"] = table["risk"] * table["people_persons"]
    block = np.floor(lon * 2).astype(int) * 100 + np.floor(lat * 2).astype(int)
    table["admin1_id"] = table["admin1"] = "A" + pd.Series(block // 10).astype(str)
    table["admin2_id"] = table["admin2"] = "B" + pd.Series(block).astype(str)
    table["aor_id"] = table["aor"] = np.where(lon > 24, "East", "West")
    table["settlement"], table["settlement_m"] = "Alma", 5_200.0
    return table


def answer(people):
    """People of the largest ten areas: how many there are, polygons cannot say to the last one."""
    return np.sort(np.asarray(people, float))[::-1][:10].tolist()


def ours(table):
    cells = with_reasons(with_gap_areas(judged(table, STANDARD)), STANDARD)
    areas = gap_areas(cells, STANDARD)
    coverage(cells, STANDARD)
    return answer(areas["gap_persons"])


def areas_only(table):
    cells = with_gap_areas(judged(table, STANDARD))
    return answer(cells.groupby("gap_area_id")["gap_persons"].sum())


def hexagons(table):
    """Gap cells as a user of geopandas would hold them."""
    covered = (table["reach_min"] <= 60) | (table["days_since_presence"] <= 14)
    gap = table[~covered & (table["people_persons"] > 0)]
    shapes = grid.boundaries(gap["cell"].to_numpy())
    return gpd.GeoDataFrame(
        gap[["admin2_id", "aor_id", "people_persons"]].reset_index(drop=True),
        geometry=shapes,
        crs="EPSG:4326",
    )


def dissolve(table):
    frame = hexagons(table)
    parts = frame.dissolve(["admin2_id", "aor_id"])[["geometry"]].explode().reset_index()
    parts["part"] = np.arange(len(parts))
    inside = frame.set_geometry(shapely.point_on_surface(frame.geometry))
    joined = inside[["people_persons", "geometry"]].sjoin(parts[["part", "geometry"]])
    return answer(joined.groupby("part")["people_persons"].sum())


def touching(table):
    frame = hexagons(table)
    left, right = frame.sindex.query(frame.geometry, predicate="intersects")
    label = frame.groupby(["admin2_id", "aor_id"]).ngroup().to_numpy()
    same = label[left] == label[right]
    ones = np.ones(same.sum())
    graph = sparse.coo_array((ones, (left[same], right[same])), shape=(len(frame),) * 2)
    part = csgraph.connected_components(graph, directed=False)[1]
    return answer(frame.groupby(part)["people_persons"].sum())


def main():
    contest(
        "Gap areas and coverage, cells",
        sizes_asked(SMALL, FULL, __doc__),
        picture,
        (
            Contestant(name="ours", work=ours),
            Contestant(name="areas only", work=areas_only),
            Contestant(name="dissolve", work=dissolve, repeats=1),
            Contestant(name="touching", work=touching, repeats=1),
        ),
    )


if __name__ == "__main__":
    main()
