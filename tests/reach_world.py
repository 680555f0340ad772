"""A made-up land with roads and rivers, and the true travel times over it. Nothing in it is real.

Roads wiggle between towns (Gabriel graph, dead-end tracks), rivers cross the land, the cover is a
random field cut into five classes. The truth is one Dijkstra over road vertices every 25 m and a
50 m lattice with 32 directions, sampled along the line; lattice points that a river touches are
barred, roads cross. Slow and plain on purpose; kilometres on a plane around one place.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, KDTree

from pocgeo.analyses.reach.graph import TravelGraph, sites_of, travel_graph
from pocgeo.analyses.reach.graph import field as field_of
from pocgeo.analyses.reach.places import Origins, reach_at
from pocgeo.analyses.reach.seeds import departures
from pocgeo.cells.barriers import Crossed
from pocgeo.cells.grid import cells_of, centres, cover, positions
from pocgeo.cells.lattice import Lattice, lattice
from pocgeo.cells.roads import EDGE_M, connectors, no_roads

CENTRE = (29.3, 7.85)
SPEED_KMH = np.array([[2.0, 0.6], [4.0, 3.0], [8.0, 5.0], [12.0, 7.0], [10.0, 5.0]])
"""Off the road in wetland, forest, shrub, grass, fields; dry and wet season."""

SHARES = (0.08, 0.20, 0.45, 0.85)
ROAD_KMH = {"primary": (60.0, 40.0), "secondary": (40.0, 20.0), "track": (22.0, 7.0)}


@dataclass
class World:
    side_km: float
    towns_n: int
    rivers_n: int
    seed: int = 0
    roads: list[tuple[str, np.ndarray]] = field(default_factory=list)
    rivers: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        half, waves = self.side_km / 2, 160
        length = np.exp(rng.uniform(np.log(3.0), np.log(80.0), waves))
        turn = rng.uniform(0, 2 * np.pi, waves)
        self.wave = 2 * np.pi / length * np.stack([np.cos(turn), np.sin(turn)])
        self.phase, self.height = rng.uniform(0, 2 * np.pi, waves), np.sqrt(length)
        self.levels = np.quantile(self.field_at(*rng.uniform(-400, 400, (2, 20_000))), SHARES)
        self.towns = spaced(rng, self.towns_n, half, 0.45 * self.side_km / np.sqrt(self.towns_n))
        big = max(1, self.towns_n // 6)
        for a, b in gabriel(self.towns):
            luck = rng.random()
            if (a < big and b < big) or luck < 0.12:
                kind = "primary"
            elif ((a < big or b < big) and luck < 0.75) or luck < 0.35:
                kind = "secondary"
            else:
                kind = "track"
            self.roads.append((kind, wiggled(self.towns[a], self.towns[b], rng, 0.12, 0.3)))
        for _ in range(self.towns_n * 2):
            start = self.towns[rng.integers(self.towns_n)]
            turn, far = rng.uniform(0, 2 * np.pi), rng.uniform(5, 25)
            end = start + far * np.array([np.cos(turn), np.sin(turn)])
            if np.abs(end).max() < half:
                self.roads.append(("track", wiggled(start, end, rng, 0.12, 0.3)))
        for _ in range(self.rivers_n):
            ends = np.array([[rng.uniform(-half, half), -half - 5], [0, half + 5]])
            ends[1, 0] = rng.uniform(-half, half)
            if rng.random() < 0.5:
                ends = ends[:, ::-1]
            self.rivers.append(wiggled(ends[0], ends[1], rng, 0.10, 0.4))

    @cached_property
    def to_degrees(self) -> Transformer:
        lon, lat = CENTRE
        plane = f"+proj=laea +lon_0={lon} +lat_0={lat} +units=km +datum=WGS84"
        return Transformer.from_crs(plane, 4326, always_xy=True)

    def lon_lat(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.to_degrees.transform(x, y)

    def x_y(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.to_degrees.transform(lon, lat, direction="INVERSE")

    def field_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.zeros(np.shape(x), dtype=np.float32)
        wave = self.wave.astype(np.float32)
        east, north = np.asarray(x, np.float32), np.asarray(y, np.float32)
        for k in range(len(self.phase)):
            out += np.float32(self.height[k]) * np.cos(
                wave[0, k] * east + wave[1, k] * north + np.float32(self.phase[k])
            )
        return out

    def min_per_km(self, x: np.ndarray, y: np.ndarray, wet: int = 0) -> np.ndarray:
        kind = np.searchsorted(self.levels, self.field_at(x, y))
        return (60 / SPEED_KMH[kind, wet]).astype(np.float32)

    def line(self, points: np.ndarray) -> shapely.LineString:
        return shapely.LineString(np.column_stack(self.lon_lat(points[:, 0], points[:, 1])))

    def roads_table(self) -> gpd.GeoDataFrame:
        kinds, lines = zip(*self.roads, strict=True)
        return gpd.GeoDataFrame(
            {"class": kinds}, geometry=[self.line(points) for points in lines], crs=4326
        )

    def rivers_table(self) -> gpd.GeoDataFrame:
        lines = [self.line(points) for points in self.rivers]
        return gpd.GeoDataFrame(
            {"kind": "river"}, geometry=lines, crs=4326, index=range(len(lines))
        )

    def road_pace(self, rows: np.ndarray, wet: int = 0) -> np.ndarray:
        return np.array([60 / ROAD_KMH[kind][wet] for kind, _ in self.roads])[rows]

    def people(self, count: int, seed: int, rim_km: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
        """Places of people: three fifths about a kilometre from a road, the others anywhere."""
        rng = np.random.default_rng(seed)
        half = self.side_km / 2 - rim_km
        points = np.concatenate([refined(line, 0.1) for _, line in self.roads])
        near = points[rng.integers(len(points), size=count)] + rng.laplace(0, 1, (count, 2))
        anywhere = rng.random(count) < 0.4
        near[anywhere] = rng.uniform(-half, half, (int(anywhere.sum()), 2))
        near = near[np.abs(near).max(axis=1) < half]
        return near[:, 0], near[:, 1]


def spaced(rng: np.random.Generator, count: int, half: float, apart: float) -> np.ndarray:
    towns: list[np.ndarray] = []
    while len(towns) < count:
        place = rng.uniform(-half, half, 2)
        if all(np.hypot(*(place - town)) > apart for town in towns):
            towns.append(place)
    return np.array(towns)


def gabriel(towns: np.ndarray) -> list[tuple[int, int]]:
    """Pairs with nobody in the circle between them."""
    sides = Delaunay(towns).simplices[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2)
    pairs = np.unique(np.sort(sides, axis=1), axis=0)
    tree = KDTree(towns)
    middle = (towns[pairs[:, 0]] + towns[pairs[:, 1]]) / 2
    radius = np.linalg.norm(towns[pairs[:, 0]] - towns[pairs[:, 1]], axis=1) / 2
    alone = [not tree.query_ball_point(at, r * 0.999) for at, r in zip(middle, radius, strict=True)]
    return [(int(a), int(b)) for a, b in pairs[alone]]


def wiggled(
    start: np.ndarray, end: np.ndarray, rng: np.random.Generator, rough: float, step: float
) -> np.ndarray:
    """Line between two places, its middle moved aside again and again."""
    line = np.array([start, end])
    while np.hypot(*(line[1] - line[0])) > step:
        run = np.diff(line, axis=0)
        aside = rough * rng.normal(size=(len(run), 1)) * np.column_stack([-run[:, 1], run[:, 0]])
        middle = (line[1:] + line[:-1]) / 2 + aside
        both = np.empty((len(line) + len(middle), 2))
        both[::2], both[1::2] = line, middle
        line = both
    return line


def refined(line: np.ndarray, step: float) -> np.ndarray:
    """Give a line vertices at most `step` apart."""
    return shapely.get_coordinates(shapely.segmentize(shapely.LineString(line), step))


@dataclass
class Truth:
    """Minutes at the points of a lattice."""

    minutes: np.ndarray
    side_km: float
    step_km: float

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        half, count = self.side_km / 2, len(self.minutes)
        column = np.clip(((x + half) / self.step_km).astype(int), 0, count - 1)
        row = np.clip(((y + half) / self.step_km).astype(int), 0, count - 1)
        return self.minutes[row, column]


MOVES = np.array(
    [(a, b) for a in range(-3, 4) for b in range(-3, 4) if np.gcd(a, b) == 1], dtype=int
)
"""The 32 directions."""


def truth(
    world: World, town: int = 0, wet: int = 0, step_km: float = 0.05, road_km: float = 0.025
) -> Truth:
    """Minutes from a town's road vertex to every lattice point."""
    count = round(world.side_km / step_km)
    axis = -world.side_km / 2 + (np.arange(count) + 0.5) * step_km
    pace = np.stack([world.min_per_km(axis, np.full(count, y), wet) for y in axis])
    barred = touched(world.rivers, world.side_km, step_km)
    vertices, edges, edge_min = fine_roads(world, wet, road_km)
    indptr, columns, minutes = lattice_arcs(pace, barred, step_km)
    joins = road_joins(world, vertices, pace, barred, step_km)
    origin = int(np.argmin(np.linalg.norm(vertices - world.towns[town], axis=1)))
    nodes = count * count
    extra = with_roads(nodes, len(vertices), edges, edge_min, joins)
    indptr = np.append(indptr, np.full(len(vertices), indptr[-1]))
    matrix = csr_array((minutes, columns, indptr), shape=(nodes + len(vertices),) * 2)
    del minutes, columns
    total = matrix + extra
    del matrix
    found = dijkstra(total, indices=nodes + origin)
    return Truth(found[:nodes].reshape(count, count), world.side_km, step_km)


def touched(lines: list[np.ndarray], side_km: float, step_km: float) -> np.ndarray:
    """Squares that a line touches, from points along it every hundredth of a square."""
    count = round(side_km / step_km)
    hit = np.zeros((count, count), dtype=bool)
    for line in lines:
        points = (refined(line, step_km / 100) + side_km / 2) / step_km
        at = np.floor(points).astype(int)
        corners = np.column_stack(
            [at[1:, 0], at[:-1, 1]]
        )  # or a move could slip through diagonally
        at = np.concatenate([at, corners])
        at = at[((at >= 0) & (at < count)).all(axis=1)]
        hit[at[:, 1], at[:, 0]] = True
    return hit


def lattice_arcs(
    pace: np.ndarray, barred: np.ndarray, step_km: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arcs of the lattice in compressed rows, the pace sampled eight times a step."""
    count = len(pace)
    rim = 3
    wide = np.full((count + 2 * rim,) * 2, np.inf, dtype=np.float32)
    wide[rim:-rim, rim:-rim] = np.where(barred, np.inf, pace)
    number = np.arange(count * count, dtype=np.int32).reshape(count, count)
    counts, columns, minutes = [], [], []
    for low in range(0, count, 200):
        high = min(low + 200, count)
        costs = np.empty((high - low, count, len(MOVES)), dtype=np.float32)
        for m, (down, right) in enumerate(MOVES):
            samples = int(np.ceil(np.hypot(down, right) * 8))
            share = (np.arange(samples) + 0.5) / samples
            rows, at = np.floor(down * share + 0.5), np.floor(right * share + 0.5)
            steps, often = np.unique(np.stack([rows, at]), axis=1, return_counts=True)
            cost = np.zeros((high - low, count), dtype=np.float32)
            for (r, c), times in zip(
                [*steps.T.astype(int), (down, right)], [*often, 0], strict=True
            ):
                part = wide[rim + low + r : rim + high + r, rim + c : rim + count + c]
                cost += part * np.float32(max(times, 1e-9))
            costs[:, :, m] = cost * np.float32(np.hypot(down, right) * step_km / samples)
        costs[barred[low:high]] = np.inf
        target = number[low:high, :, None] + (MOVES[:, 0] * count + MOVES[:, 1])
        fine = np.isfinite(costs)
        counts.append(fine.sum(axis=2).ravel())
        columns.append(target[fine].astype(np.int32))
        minutes.append(costs[fine])
    indptr = np.append(0, np.cumsum(np.concatenate(counts)))
    return indptr, np.concatenate(columns), np.concatenate(minutes)


def fine_roads(world: World, wet: int, road_km: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices along the roads, edges between them, and their minutes; towns are shared."""
    points, edges, minutes, number = [], [], [], {}
    count = 0
    for kind, line in world.roads:
        fine = refined(line, road_km)
        ids = np.arange(count, count + len(fine))
        for end in (0, -1):
            ids[end] = number.setdefault(tuple(np.round(fine[end], 6)), ids[end])
        points.append(fine)
        count += len(fine)
        edges.append(np.stack([ids[:-1], ids[1:]]))
        length = np.linalg.norm(np.diff(fine, axis=0), axis=1)
        minutes.append(length * 60 / ROAD_KMH[kind][wet])
    return np.concatenate(points), np.concatenate(edges, axis=1), np.concatenate(minutes)


def road_joins(
    world: World, vertices: np.ndarray, pace: np.ndarray, barred: np.ndarray, step_km: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Road vertex, lattice point and minutes to the four points around each vertex."""
    count = len(pace)
    place = (vertices + world.side_km / 2) / step_km - 0.5
    corner = np.floor(place).astype(int)
    parts = []
    for right, up in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = corner[:, 0] + right, corner[:, 1] + up
        some = np.flatnonzero((column >= 0) & (row >= 0) & (column < count) & (row < count))
        some = some[~barred[row[some], column[some]]]
        length = np.hypot(place[some, 0] - column[some], place[some, 1] - row[some]) * step_km
        at = row[some], column[some]
        parts.append((some, at[0] * count + at[1], length * pace[at]))
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def with_roads(
    nodes: int,
    vertices_n: int,
    edges: np.ndarray,
    edge_min: np.ndarray,
    joins: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> csr_array:
    """Matrix of the arcs that touch a road vertex."""
    vertex, point, minutes = joins
    u = np.concatenate([edges[0] + nodes, vertex + nodes])
    v = np.concatenate([edges[1] + nodes, point])
    cost = np.maximum(np.concatenate([edge_min, minutes]), 1e-6)
    size = nodes + vertices_n
    order = np.lexsort((cost, v, u))
    first = np.unique(u[order] * size + v[order], return_index=True)[1]
    kept = order[first]
    heads, tails = np.append(u[kept], v[kept]), np.append(v[kept], u[kept])
    return csr_array(
        (np.tile(cost[kept], 2).astype(np.float32), (heads, tails)), shape=(size, size)
    )


# --- the same land as pocgeo sees it


@dataclass
class Seen:
    """What pocgeo knows of a world: cells with a pace, roads and rivers."""

    world: World
    wet: int = 0
    max_edge_m: float = EDGE_M

    def __post_init__(self) -> None:
        half = self.world.side_km / 2
        east, north = np.array([-half, half, half, -half]), np.array([-half, -half, half, half])
        box = shapely.segmentize(shapely.Polygon(np.column_stack([east, north])), 5)
        outline = shapely.transform(box, lambda xy: np.column_stack(self.world.lon_lat(*xy.T)))
        self.cells = cover(outline, 8)
        lon, lat = centres(self.cells)
        table = pd.DataFrame({"cell": self.cells, "lon": lon, "lat": lat})
        roads, rivers = self.world.roads_table(), self.world.rivers_table()
        self.ground = lattice(table, roads, rivers, self.max_edge_m)
        self.pace = self.mean_pace(0.1)
        self.road_pace = self.world.road_pace(self.ground.network.row, self.wet)

    def mean_pace(self, step_km: float) -> np.ndarray:
        """Geometric mean of the pace in each cell: people go round slow patches, but not far."""
        half = self.world.side_km / 2
        axis = np.arange(-half + step_km / 2, half, step_km)
        x, y = (part.ravel() for part in np.meshgrid(axis, axis))
        row = positions(self.cells, cells_of(*self.world.lon_lat(x, y), 8))
        told = np.log(self.world.min_per_km(x, y, self.wet))
        total, count = np.bincount(row, told, len(self.cells)), np.bincount(row)
        count = np.pad(count, (0, len(self.cells) - len(count)))
        centre = self.world.x_y(
            *(part[: len(self.cells)] for part in (self.ground.lon, self.ground.lat))
        )
        alone = self.world.min_per_km(*centre, self.wet)
        return np.where(count > 0, np.exp(total / np.maximum(count, 1)), alone)

    def graph(self) -> TravelGraph:
        return travel_graph(self.ground, self.pace, self.road_pace)

    def painted(self) -> tuple[Lattice, TravelGraph]:
        """The common shortcut: the best road's speed on every cell it touches, no vertices."""
        net, home = self.ground.network, self.ground.connectors.home
        best = self.pace.copy()
        for end in (net.u, net.v):
            on = home[end] >= 0
            np.minimum.at(best, home[end][on], self.road_pace[on])
        road = np.isin(np.arange(len(self.cells)), home)
        arcs, wet = self.ground.arcs, self.ground.arcs_crossed
        bridged = road[arcs.u] & road[arcs.v] & (arcs.kind == 1)
        kept = ~bridged[wet.edge]
        count = len(self.cells)
        bare = replace(
            self.ground,
            lon=self.ground.lon[:count],
            lat=self.ground.lat[:count],
            network=no_roads(),
            connectors=connectors(no_roads(), self.cells),
            arcs_crossed=Crossed(wet.edge[kept], wet.row[kept]),
            connectors_crossed=Crossed(wet.edge[:0], wet.row[:0]),
        )
        return bare, travel_graph(bare, best, np.zeros(0))


def errors(
    world: World, told: Truth, people_n: int = 20_000, wet: int = 0
) -> dict[str, np.ndarray]:
    """Minutes wrong at people's places truly within 150 minutes, by way of asking."""
    seen = Seen(world, wet)
    graph, town = seen.graph(), world.lon_lat(*world.towns[:1].T)
    base = shapely.Point(float(town[0][0]), float(town[1][0]))
    answer = field_of(graph, departures(seen.ground, graph, [base]))
    x, y = world.people(people_n, seed=3)
    true = told.at(x, y)
    some = true < 150
    x, y, true = x[some], y[some], true[some]
    lon, lat = world.lon_lat(x, y)
    row = positions(seen.cells, cells_of(lon, lat, 8))
    places = pd.DataFrame({"lon": lon, "lat": lat})
    exact = Origins(np.array([base.x]), np.array([base.y]), np.zeros(1), np.zeros(1, np.int32))
    at_place = reach_at(seen.ground, graph, answer, places, origins=exact)["reach_min"].to_numpy()
    bare, coarse = seen.painted()
    start = int(positions(seen.cells, cells_of([base.x], [base.y], 8))[0])
    painted = field_of(coarse, sites_of([[(start, 0.0)]]))
    assert len(bare.lon) == len(seen.cells)
    mean = np.bincount(row, true, len(seen.cells)) / np.maximum(
        np.bincount(row, minlength=len(seen.cells)), 1
    )
    return {
        "cells": answer.minutes[row] - true,
        "places": at_place - true,
        "painted": painted.minutes[row] - true,
        "floor": mean[row] - true,
    }


def mean_error_min(error: np.ndarray) -> float:
    """Mean absolute error over places that are reached, minutes."""
    return float(np.abs(error[np.isfinite(error)]).mean())
