"""Where people settle: towns near hand-picked anchors, villages and hamlets where it suits."""

from dataclasses import dataclass

import numpy as np

from generator.frame import centres, km_between, noise, stream
from generator.land import ISLETS, Land
from generator.names import ANCHORED_VILLAGES, HAMLETS, TOWNS, VILLAGES

__all__ = ["Settlement", "make_settlements"]

ROOM_KM = {"village": 15.0, "hamlet": 10.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A named populated place."""

    settlement_id: str
    name: str
    kind: str
    lon: float
    lat: float
    people: int
    islet: bool


def make_settlements(land: Land) -> list[Settlement]:
    """About 60 places, largest first."""
    lon, lat = centres()
    ease = np.exp(-land.height_m / 260) * np.exp(-land.coast_km / 60)
    ease = ease * (0.35 + np.exp(-land.river_km / 3) + 0.6 * np.exp(-land.coast_km / 3))
    ease = ease * np.exp(0.9 * noise("settle", (14, 7)))
    ease = np.where(land.dry & (land.coast_km > 1.2) & ~land.flood_mask, ease, 0)
    placed: list[tuple[str, str, float, float, int, bool]] = []
    for name, kind, x, y, people in TOWNS:
        near = ease * (km_between(x, y, lon, lat) < 7)
        best = np.unravel_index(near.argmax(), near.shape)
        placed.append((name, kind, float(lon[best]), float(lat[best]), people, False))
    for name, x, y in ANCHORED_VILLAGES:
        near = ease * (km_between(x, y, lon, lat) < 5)
        best = np.unravel_index(near.argmax(), near.shape)
        people = _size("village", stream(name))
        placed.append((name, "village", float(lon[best]), float(lat[best]), people, False))
    for name, (x, y, _) in zip(HAMLETS[:3], ISLETS, strict=True):
        near = np.where(land.dry, 1.0, 0) * np.exp(-((land.coast_km - 1) ** 2))
        near = near * (km_between(x, y, lon, lat) < 9)
        best = np.unravel_index(near.argmax(), near.shape)
        people = int(stream(name).integers(400, 2_400))
        placed.append((name, "hamlet", float(lon[best]), float(lat[best]), people, True))
    ease = np.where(_main_island(land), ease, 0)
    random = stream("settlements")
    near = np.min([km_between(p[2], p[3], lon, lat) for p in placed], axis=0)
    rest = [(n, "village") for n in VILLAGES] + [(n, "hamlet") for n in HAMLETS[3:]]
    for name, kind in rest:
        chance = (np.where(near > ROOM_KM[kind], ease, 0) ** 0.8).ravel()
        pick = int(random.choice(chance.size, p=chance / chance.sum()))
        people = _size(kind, random)
        x, y = float(lon.flat[pick]), float(lat.flat[pick])
        placed.append((name, kind, x, y, people, False))
        near = np.minimum(near, km_between(x, y, lon, lat))
    placed.sort(key=lambda p: -p[4])
    return [
        Settlement(
            settlement_id=f"S{number:03d}", name=name, kind=kind,
            lon=round(x, 5), lat=round(y, 5), people=people, islet=islet,
        )
        for number, (name, kind, x, y, people, islet) in enumerate(placed, start=1)
    ]  # fmt: skip


def _size(kind: str, random: np.random.Generator) -> int:
    median, spread = (4_300, 0.55) if kind == "village" else (820, 0.5)
    return int(round(float(random.lognormal(np.log(median), spread)), -1))


def _main_island(land: Land) -> np.ndarray:
    lon, lat = centres()
    main = land.dry.copy()
    for x, y, radius in ISLETS:
        main &= np.hypot(lon - x, lat - y) > 2 * radius
    return main
