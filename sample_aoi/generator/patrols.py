"""Twelve months of patrols: drives along roads with halts, walks near the base, GPS faults."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString

from generator.frame import LAT_KM, km_between, lon_km, stream, to_rowcol
from generator.land import Land
from generator.mission import Base, neglected, offset
from generator.roads import Road
from generator.settlements import Settlement

__all__ = ["FIRST_DAY", "Fix", "RoadMap", "make_boat_trip", "make_patrols", "make_routes"]

FIRST_DAY, LAST_DAY = date(2025, 7, 1), date(2026, 6, 30)
ZONE = timezone(timedelta(hours=1))
"""The clock of the fictional island: Africa/Lagos."""
EVERY_DAYS = 4.6
RANGE_KM, BIAS_KM = 42.0, 13.0
"""Farthest and typical distance of a place a patrol drives to: most stay near the base."""
LONGEST_KM = 75.0
"""By road, one way: a place that is near as the crow flies may lie behind the mountains."""
NIGHT_SHARE, WALK_SHARE = 0.14, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One position."""

    unit: str
    patrol: str
    at: datetime
    lon: float
    lat: float

    @property
    def utc(self) -> str:
        """Time in UTC, as GPX wants it."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RoadMap:
    """Road vertices as a graph, to drive along."""

    def __init__(self, roads: list[Road]) -> None:
        number: dict[tuple[float, float], int] = {}
        start, end = [], []
        for road in roads:
            nodes = [number.setdefault(tuple(p), len(number)) for p in road.line.coords]
            start += nodes[:-1]
            end += nodes[1:]
        self.points = np.array(list(number))
        km = km_between(*self.points[start].T, *self.points[end].T) + 1e-9
        count = len(number)
        self.graph: csr_matrix = coo_matrix((km, (start, end)), shape=(count, count)).tocsr()

    def node(self, lon: float, lat: float) -> int:
        """Return the road vertex nearest to a point."""
        return int(km_between(lon, lat, *self.points.T).argmin())

    def drive(self, start: tuple[float, float], end: tuple[float, float]) -> Any:
        """Shortest way by road as (n, 2) points; none where there is no road."""
        a, b = self.node(*start), self.node(*end)
        _, before = dijkstra(self.graph, directed=False, indices=a, return_predecessors=True)
        path = [b]
        while path[-1] != a:
            previous = int(before[path[-1]])
            if previous < 0:
                return None
            path.append(previous)
        return np.vstack([start, self.points[path[::-1]], end])


def make_patrols(
    land: Land, bases: list[Base], settlements: list[Settlement], roads: list[Road]
) -> list[Fix]:
    """All recorded patrols of the nine units, with their faults, in order of unit and time."""
    chart = RoadMap(roads)
    random = stream("patrols")
    fixes: list[Fix] = []
    for base in bases:
        last = min(LAST_DAY, date.fromisoformat(base.closed or "2099-01-01"))
        near = _destinations(base, settlements)
        day, number = float(random.uniform(0, EVERY_DAYS)), 0
        while FIRST_DAY + timedelta(days=int(day)) <= last:
            number += 1
            name = f"{base.unit}-{number:03d}"
            start = _start(FIRST_DAY + timedelta(days=int(day)), base, random)
            if base.mobility == "foot" or random.random() < WALK_SHARE or not near:
                fixes += _walk(land, base, name, start, random)
            else:
                drive = _drive(base, name, start, near, chart, random)
                fixes += drive or _walk(land, base, name, start, random)
            day += float(random.exponential(EVERY_DAYS - 1.5)) + 1.5
    return _spoil(fixes, random)


def _start(day: date, base: Base, random: np.random.Generator) -> datetime:
    night = base.night == "yes" and random.random() < NIGHT_SHARE / 0.6
    hour = float(random.uniform(18.5, 22)) if night else float(random.uniform(6.5, 12.5))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return midnight + timedelta(seconds=int(hour * 3_600))


def _destinations(base: Base, settlements: list[Settlement]) -> list[tuple[Settlement, float]]:
    """Places in range with their pull: near and large ones."""
    out = []
    for place in settlements:
        away = float(km_between(base.lon, base.lat, place.lon, place.lat))
        sent = base.base_id == "B05" or not neglected(place)
        if away < min(RANGE_KM, base.range_km) and sent and not place.islet:
            out.append((place, float(np.exp(-away / BIAS_KM) * place.people**0.25)))
    return out


def _drive(
    base: Base,
    name: str,
    start: datetime,
    near: list[tuple[Settlement, float]],
    chart: RoadMap,
    random: np.random.Generator,
) -> list[Fix]:
    pull = np.array([p for _, p in near])
    count = min(len(near), 1 + int(random.random() < 0.35))
    picks = random.choice(len(near), size=count, replace=False, p=pull / pull.sum())
    home = (base.lon, base.lat)
    stops = [(near[int(p)][0].lon, near[int(p)][0].lat) for p in picks]
    speed = float(random.uniform(18, 30))
    track: list[tuple[float, float, float]] = []
    clock, here = 0.0, home
    for stop in [*stops, home]:
        way = chart.drive(here, stop)
        if way is None or stop == here:
            continue
        km = np.concatenate([[0], np.cumsum(km_between(*way[:-1].T, *way[1:].T))])
        if km[-1] > LONGEST_KM and stop != home:
            continue
        times = clock + km / speed * 60
        track += [(float(t), float(x), float(y)) for t, (x, y) in zip(times, way, strict=True)]
        halt = float(random.uniform(15, 45)) if stop != home else 0.0
        clock, here = float(times[-1]) + halt, stop
        track.append((clock, *stop))
    if not track:
        return []
    return _sample(base.unit, name, start, track, random)


def _walk(
    land: Land, base: Base, name: str, start: datetime, random: np.random.Generator
) -> list[Fix]:
    """Walk a loop, out and back by another side, with two halts."""
    corners: list[tuple[float, float]] = []
    while not corners or not _on_land(land, corners):
        reach = float(random.uniform(1.2, 3.4))
        bearing = float(random.uniform(0, 2 * np.pi))
        side = float(random.choice([-1, 1])) * 0.7
        loop = ((0.0, 0.0), (0.6, 0.4 * side), (1.0, 0.0), (0.6, -side), (0.0, 0.0))
        corners = [
            offset(
                base.lon, base.lat,
                reach * away * np.cos(bearing + turn), reach * away * np.sin(bearing + turn),
            )
            for away, turn in loop
        ]  # fmt: skip
    track: list[tuple[float, float, float]] = []
    clock, last = 0.0, (base.lon, base.lat)
    for number, here in enumerate(corners):
        clock += float(km_between(*last, *here)) / 3.8 * 60
        track.append((clock, *here))
        if number in {1, 2}:
            clock += float(random.uniform(8, 22))
            track.append((clock, *here))
        last = here
    return _sample(base.unit, name, start, track, random)


def _on_land(land: Land, corners: list[tuple[float, float]]) -> bool:
    """Whether a loop stays on land, seen every tenth of each side."""
    points = np.array(corners)
    sides = np.linspace(points[:-1], points[1:], 11).reshape(-1, 2)
    return bool(land.dry[to_rowcol(*sides.T)].all())


def _sample(
    unit: str,
    name: str,
    start: datetime,
    track: list[tuple[float, float, float]],
    random: np.random.Generator,
) -> list[Fix]:
    """Take a fix every three and a half to five minutes, with receiver noise of about 8 m."""
    minutes = np.array([t for t, _, _ in track])
    clock = np.cumsum(random.uniform(3.5, 5.0, int(minutes[-1] / 3.5) + 2))
    clock = np.concatenate([[0.0], clock[clock < minutes[-1]]])
    lon = np.interp(clock, minutes, [x for _, x, _ in track])
    lat = np.interp(clock, minutes, [y for _, _, y in track])
    lon = lon + random.normal(0, 0.008, len(clock)) / lon_km()
    lat = lat + random.normal(0, 0.008, len(clock)) / LAT_KM
    return [
        Fix(unit=unit, patrol=name, at=start + timedelta(seconds=int(t * 60)),
            lon=round(float(x), 5), lat=round(float(y), 5))
        for t, x, y in zip(clock, lon, lat, strict=True)
    ]  # fmt: skip


def _spoil(fixes: list[Fix], random: np.random.Generator) -> list[Fix]:
    """Plant 12 jumps, 2 fixes at 0 N 0 E and 150 exact duplicates."""
    picks = random.choice(len(fixes), size=164, replace=False).tolist()
    changed, twice = set(picks[:14]), set(picks[14:])
    out = []
    for number, fix in enumerate(fixes):
        if number in changed:
            far = random.uniform(60, 140)
            lon, lat = offset(fix.lon, fix.lat, *(far * random.choice([-1, 1], 2) / 1.4))
            if number in picks[12:14]:
                lon, lat = 0.0, 0.0
            out.append(Fix(unit=fix.unit, patrol=fix.patrol, at=fix.at, lon=lon, lat=lat))
        else:
            out += [fix, fix] if number in twice else [fix]
    return out


def make_boat_trip(
    name: str, day: date, hour: float, ports: list[tuple[float, float]], speed_kmh: float
) -> list[Fix]:
    """Take unit P1 from port to port, half an hour in each, straight between them."""
    random = stream(f"trip {name}")
    track: list[tuple[float, float, float]] = []
    clock, last = 0.0, ports[0]
    for port in ports:
        clock += float(km_between(*last, *port)) / speed_kmh * 60
        track += [(clock, *port), (clock + 30, *port)]
        clock, last = clock + 30, port
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return _sample("P1", name, midnight + timedelta(minutes=int(hour * 60)), track, random)


def make_routes(
    bases: list[Base], settlements: list[Settlement], roads: list[Road]
) -> list[tuple[LineString, dict[str, Any]]]:
    """Planned routes: each standing motor base to its best-loved places, a night loop at the HQ."""
    chart = RoadMap(roads)
    out: list[tuple[LineString, dict[str, Any]]] = []
    for base in bases:
        if base.closed or base.mobility == "foot":
            continue
        near = sorted(_destinations(base, settlements), key=lambda pair: -pair[1])
        names = [p for p, _ in near if p.name != base.town][:2]
        for place, weekly, night in zip(
            names, (3.0, 1.0), (False, base.kind == "HQ"), strict=False
        ):
            way = chart.drive((base.lon, base.lat), (place.lon, place.lat))
            if way is None:
                continue
            line = LineString(np.round(way, 5)).simplify(0.0005)
            out.append((line, {
                "route_id": f"R{len(out) + 1:02d}", "route_name": f"{base.name} to {place.name}",
                "unit": base.unit, "base_id": base.base_id, "times_per_week": weekly,
                "night": "yes" if night else "no",
            }))  # fmt: skip
    return out
