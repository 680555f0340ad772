"""What the fictional mission has on the ground: bases, sites, networks, routes, water points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from generator.frame import LAT_KM, lon_km, stream
from generator.land import Land
from generator.settlements import Settlement

__all__ = [
    "Base", "Site", "make_alerts", "make_bases", "make_sites", "make_water", "neglected", "offset",
]  # fmt: skip

NEGLECTED = ((3.1, 1.88, 3.40, 2.46), (3.40, 2.33, 4.20, 2.62), (4.55, 2.34, 4.80, 2.60))
"""West coast, north shore, north-east: boxes (west, south, east, north) no patrol is sent into
in the recorded year, except by Camp Immarit until it closed."""


def neglected(place: Settlement) -> bool:
    """Whether a place lies where no patrol is sent."""
    return any(w < place.lon < e and s < place.lat < n for w, s, e, n in NEGLECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One base; a point where no perimeter is known."""

    base_id: str
    name: str
    kind: str
    unit: str
    town: str
    lon: float
    lat: float
    shape: BaseGeometry
    opened: str
    closed: str | None
    notice_min: int
    mobility: str
    range_km: int
    night: str
    strength: int
    caveats: str | None
    error_m: int | None


ROLL = (
    # id, name, kind, unit, town, km east, km north, radius m, opened, closed, notice, mobility,
    # range, night, strength, caveats, error
    ("B01", "Camp Lantern", "HQ", "K1", "Port Veral", 2.6, 2.3, 430, "2021-03-01", None, 15,
     "wheeled", 80, "yes", 620, None, None),
    ("B02", "Camp Doruna", "COB", "K2", "Doruna", 0.9, 2.1, 260, "2021-06-15", None, 20,
     "wheeled", 60, "yes", 180, None, None),
    ("B03", "Camp Talvo", "COB", "K3", "Talvo", -1.6, 1.2, 250, "2021-09-01", None, 20,
     "wheeled", 60, "yes", 170, "No move beyond 45 km without a second platoon", None),
    ("B04", "Camp Kessam", "COB", "K4", "Kessam", -1.9, 0.6, 240, "2022-01-10", None, 25,
     "wheeled", 60, "no", 150, "No night moves outside town limits", None),
    ("B05", "Camp Immarit", "COB", "K5", "Immarit", 1.1, -1.4, 250, "2022-02-01", "2025-11-30", 20,
     "wheeled", 55, "yes", 165, None, None),
    ("B06", "Ulmaque Post", "TOB", "K6", "Ulmaque", 0.4, -0.3, 0, "2024-05-20", None, 45,
     "foot", 12, "no", 42, "Foot only above the last bridge", 1500),
    ("B07", "Sarnou Post", "TOB", "K7", "Sarnou", -1.2, -0.9, 110, "2025-02-10", None, 30,
     "wheeled", 40, "yes", 60, None, None),
    ("B08", "Quessat Post", "TOB", "K8", "Quessat", 0.8, -1.5, 120, "2023-11-05", None, 30,
     "wheeled", 35, "no", 55, "No moves in the wet season on unpaved road", None),
    ("B09", "Orseth Post", "TOB", "K9", "Orseth", -0.7, 1.3, 115, "2023-08-20", None, 40,
     "wheeled", 35, "yes", 50, None, None),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One displacement site, counted by sex and age."""

    site_id: str
    name: str
    kind: str
    shape: BaseGeometry
    people: int
    counted: str


def offset(lon: float, lat: float, east_km: float, north_km: float) -> tuple[float, float]:
    """Return the point so many kilometres east and north."""
    return round(lon + east_km / lon_km(), 5), round(lat + north_km / LAT_KM, 5)


def compound(lon: float, lat: float, radius_m: float, name: str) -> Polygon:
    """Draw a crooked perimeter around a point."""
    random = stream(f"compound {name}")
    turns = np.arange(6) * np.pi / 3 + random.uniform(-0.3, 0.3, 6)
    reach = radius_m / 1_000 * random.uniform(0.75, 1.25, 6)
    ring = [
        offset(lon, lat, r * np.cos(a), r * np.sin(a)) for r, a in zip(reach, turns, strict=True)
    ]
    return Polygon(ring).normalize()


def make_bases(settlements: list[Settlement]) -> list[Base]:
    """Put the bases beside their towns."""
    at = {s.name: s for s in settlements}
    bases = []
    for (base_id, name, kind, unit, town, east, north, radius, opened, closed, notice, mobility,
         reach, night, strength, caveats, error) in ROLL:  # fmt: skip
        lon, lat = offset(at[town].lon, at[town].lat, east, north)
        shape = compound(lon, lat, radius, base_id) if radius else Point(lon, lat)
        bases.append(
            Base(
                base_id=base_id, name=name, kind=kind, unit=unit, town=town, lon=lon, lat=lat,
                shape=shape, opened=opened, closed=closed, notice_min=notice, mobility=mobility,
                range_km=reach, night=night, strength=strength, caveats=caveats, error_m=error,
            )
        )  # fmt: skip
    return bases


def make_sites(settlements: list[Settlement], bases: list[Base]) -> list[Site]:
    """Three sites: one at the gate of Camp Doruna, one near the closed camp, one far off."""
    at = {s.name: s for s in settlements}
    doruna = next(b for b in bases if b.base_id == "B02")
    rows = (
        ("D1", "Harvest Field", "planned site", (doruna.lon, doruna.lat), 0.62, 0.35, 230, 8_412),
        ("D2", "Old Fairground", "collective shelter", (at["Immarit"].lon, at["Immarit"].lat),
         -1.9, -0.8, 190, 5_230),
        ("D3", "Kelmora School", "self-settled", (at["Kelmora"].lon, at["Kelmora"].lat),
         0.5, 0.2, 0, 2_874),
    )  # fmt: skip
    counted = ("2026-05-31", "2026-04-30", "2026-02-28")
    sites = []
    for (site_id, name, kind, near, east, north, radius, people), day in zip(
        rows, counted, strict=True
    ):
        lon, lat = offset(*near, east, north)
        shape = compound(lon, lat, radius, site_id) if radius else Point(lon, lat)
        sites.append(
            Site(site_id=site_id, name=name, kind=kind, shape=shape, people=people, counted=day)
        )
    return sites


def make_alerts(settlements: list[Settlement]) -> list[tuple[str, str, float, float, int, int]]:
    """Alert networks in 20 settlements: (id, name, lon, lat, radius m, members)."""
    random = stream("alerts")
    able = [s for s in settlements if not neglected(s) and not s.islet]
    picks = sorted(random.choice(len(able[1:36]), size=20, replace=False).tolist())
    out = []
    for number, pick in enumerate(picks, start=1):
        place = able[1:36][pick]
        radius = int(random.integers(6, 15)) * 500
        members = int(place.people * random.uniform(0.5, 0.95))
        out.append(
            (f"CAN{number:02d}", f"{place.name} network", place.lon, place.lat, radius, members)
        )
    return out


def make_water(
    land: Land, settlements: Sequence[Settlement]
) -> list[tuple[str, float, float, str, str, int | None]]:
    """Water points around settlements: (id, lon, lat, kind, works, people served)."""
    random = stream("water points")
    out = []
    kinds = ("borehole", "hand pump", "spring", "tap stand")
    for place in settlements:
        for _ in range(1 + int(random.poisson(np.log10(place.people) - 2.1))):
            spread = 0.6 + 0.25 * np.sqrt(place.people / 1_000)
            lon, lat = offset(place.lon, place.lat, *random.normal(0, spread, 2))
            if not land.outline.contains(Point(lon, lat)):
                lon, lat = place.lon, place.lat
            works = str(random.choice(["yes", "no", ""], p=[0.66, 0.26, 0.08]))
            served = int(random.integers(6, 90)) * 10 if random.random() < 0.88 else None
            kind = str(random.choice(kinds))
            out.append((f"WP{len(out) + 1:03d}", lon, lat, kind, works, served))
    return out
