"""Admin areas on two levels and the four AORs, without a gap or an overlap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay
from shapely import STRtree, set_precision, union_all, voronoi_polygons
from shapely.geometry import MultiPoint, MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry

from generator.frame import EAST, NORTH, SOUTH, WEST, km_between, stream, to_rowcol
from generator.land import Land
from generator.settlements import Settlement

__all__ = ["Area", "Borders", "make_borders"]

FIRST_LEVEL = {
    # capital of the admin area: its name, its AOR
    "Port Veral": ("Veral", "Sector South"),
    "Doruna": ("Lower Plain", "Sector South"),
    "Orseth": ("Westmark", "Sector West"),
    "Talvo": ("Upper Plain", "Sector West"),
    "Kessam": ("Rivermouth", "Sector East"),
    "Sarnou": ("Eastern Horn", "Sector East"),
    "Immarit": ("Northern Shore", "Sector North"),
}
SECOND_LEVEL = 4
"""Areas of level 2 in each of level 1."""
PATCHES = 2_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One admin area."""

    area_id: str
    name: str
    level: int
    parent_id: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """Admin areas of both levels, and AORs as (id, name, unit, shape)."""

    areas: tuple[Area, ...]
    aors: tuple[tuple[str, str, str, BaseGeometry], ...]

    def at(self, lon: float, lat: float, level: int) -> Area:
        """Return the area of a level that holds a point, or else the nearest."""
        point = Point(lon, lat)
        return min(
            (a for a in self.areas if a.level == level), key=lambda a: a.shape.distance(point)
        )


def make_borders(land: Land, settlements: list[Settlement]) -> Borders:
    """Grow areas outwards from their capitals over a crumpled mosaic of small patches."""
    patches, graph, points = _mosaic(land)
    places = [s for s in settlements if not s.islet]
    nearest = [int(km_between(s.lon, s.lat, *points.T).argmin()) for s in places]
    of = dict(zip([s.name for s in places], nearest, strict=True))
    first = _grow(graph, [of[name] for name in FIRST_LEVEL])
    outline = land.outline
    areas: list[Area] = []
    by_aor: dict[str, list[BaseGeometry]] = {}
    for number, (capital, (name, aor)) in enumerate(FIRST_LEVEL.items(), start=1):
        members = np.flatnonzero(first == number - 1)
        area_id = f"IL{number:02d}"
        inside = [s for s, patch in zip(places, nearest, strict=True) if first[patch] == number - 1]
        inside.sort(key=lambda s: (s.name != capital, -s.people))
        seeds = _apart(inside)
        at = [int(np.searchsorted(members, of[s.name])) for s in seeds]
        part = _grow(graph[members][:, members], at)
        whole = _clip(patches[members], outline)
        areas.append(Area(area_id=area_id, name=name, level=1, parent_id="IL", shape=whole))
        by_aor.setdefault(aor, []).append(union_all(patches[members], grid_size=1e-5))
        for child, seat in enumerate(seeds):
            shape = _clip(patches[members[part == child]], outline)
            areas.append(
                Area(
                    area_id=f"{area_id}{child + 1:02d}", name=f"{seat.name} District", level=2,
                    parent_id=area_id, shape=shape,
                )
            )  # fmt: skip
    aors = tuple(
        (f"AOR-{name.split()[1][0]}", name, f"{name} HQ", _clip(np.array(parts), outline))
        for name, parts in by_aor.items()
    )
    return Borders(areas=tuple(sorted(areas, key=lambda a: (a.level, a.area_id))), aors=aors)


def _apart(places: list[Settlement]) -> list[Settlement]:
    """Pick the seats of level 2: the capital, then whatever lies farthest from those chosen."""
    seats = places[:1]
    while len(seats) < SECOND_LEVEL:
        far = [min(km_between(s.lon, s.lat, t.lon, t.lat) for t in seats) for s in places]
        weight = [d * (1 + 0.3 * np.log10(s.people)) for d, s in zip(far, places, strict=True)]
        seats.append(places[int(np.argmax(weight))])
    return seats


def _mosaic(land: Land) -> tuple[Any, csr_matrix, Any]:
    """Voronoi patches of random points over the sheet; neighbours cost distance and climb."""
    random = stream("borders")
    points = np.column_stack(
        [random.uniform(WEST, EAST, PATCHES), random.uniform(SOUTH, NORTH, PATCHES)]
    )
    points = np.round(points, 4)
    frame = box(WEST, SOUTH, EAST, NORTH)
    raw = voronoi_polygons(MultiPoint(points), extend_to=frame)
    cells = np.array([set_precision(part.intersection(frame), 1e-5) for part in raw.geoms])
    found = STRtree(cells).query([Point(p) for p in points], predicate="within")
    order = np.empty(PATCHES, dtype=int)
    order[found[0]] = found[1]
    edges = np.vstack([Delaunay(points).simplices[:, pair] for pair in ([0, 1], [1, 2], [0, 2])])
    start, end = edges.T
    row, col = to_rowcol(*np.clip(points, [WEST, SOUTH], [EAST - 1e-6, NORTH]).T)
    height = land.height_m[np.clip(row, 0, land.dry.shape[0] - 1), col]
    cost = km_between(*points[start].T, *points[end].T)
    cost = cost * random.uniform(0.8, 1.25, len(cost)) + np.maximum(height[start], height[end]) / 28
    graph = coo_matrix((cost, (start, end)), shape=(PATCHES, PATCHES)).tocsr()
    return cells[order], graph.maximum(graph.T), points


def _grow(graph: csr_matrix, seeds: list[int]) -> Any:
    """Index of the seed each patch is nearest to; every area is connected by construction."""
    return dijkstra(graph, directed=False, indices=seeds).argmin(axis=0)


def _clip(parts: Any, outline: BaseGeometry) -> BaseGeometry:
    shape = union_all(parts, grid_size=1e-5).intersection(outline, grid_size=1e-5)
    kept = [p for p in getattr(shape, "geoms", [shape]) if p.geom_type == "Polygon"]
    kept.sort(key=lambda p: -p.area)
    return kept[0].normalize() if len(kept) == 1 else MultiPolygon(kept).normalize()
