"""Roads: cheapest paths over the ground, which join each other, smoothed, with bridges."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from shapely import STRtree
from shapely.geometry import LineString, Point
from shapely.ops import substring

from generator.frame import LAT_KM, STEP, km_between, lon_km, noise, to_lonlat
from generator.land import RIVER_KM2, Land, chaikin
from generator.settlements import Settlement

__all__ = ["Network", "Road", "make_roads"]

CLASSES = ("primary", "secondary", "tertiary", "track")
SURFACES = {"primary": "asphalt", "secondary": "gravel", "tertiary": "dirt", "track": "earth"}
EXTRA_LINKS = (("Port Veral", "Lumbry"), ("Immarit", "Quessat"), ("Orseth", "Immarit"))
REUSE = 0.3
"""An existing road costs this much of open ground, so that roads merge."""
BRIDGE_KM = 0.18


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One stretch between two junctions, or a bridge on it."""

    line: LineString
    kind: str
    bridge: bool


class Network:
    """The grid that roads are laid on: which steps are taken, and by what class."""

    def __init__(self, land: Land) -> None:
        rows, cols = land.dry.shape[0] // 2, land.dry.shape[1] // 2
        self.shape = (rows, cols)
        dry = (land.coast_km > 0.6).reshape(rows, 2, cols, 2).all(axis=(1, 3))
        self.height = land.height_m.reshape(rows, 2, cols, 2).mean(axis=(1, 3))
        wet = land.flood_mask.reshape(rows, 2, cols, 2).any(axis=(1, 3))
        river = land.river_km.reshape(rows, 2, cols, 2).min(axis=(1, 3)) < 0.3
        rough = noise("roads", (5, 2)).reshape(rows, 2, cols, 2).mean(axis=(1, 3))
        self.cost = np.exp(0.35 * rough) * (1 + 0.8 * wet + 5.0 * river)
        self.nodes = np.flatnonzero(dry.ravel())
        self.back = np.full(rows * cols, -1)
        self.back[self.nodes] = np.arange(len(self.nodes))
        self.steps = self._steps(dry.ravel())
        self.taken: dict[tuple[int, int], int] = {}

    def _steps(self, dry: Any) -> tuple[Any, Any, Any]:
        rows, cols = self.shape
        cell = np.arange(rows * cols).reshape(rows, cols)
        start, end, km = [], [], []
        for up, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            a = cell[: rows - up, max(0, -right) : cols - max(0, right)].ravel()
            b = a + up * cols + right
            keep = dry[a] & dry[b]
            start.append(a[keep])
            end.append(b[keep])
            length = 2 * STEP * np.hypot(up * LAT_KM, right * lon_km())
            km.append(np.full(keep.sum(), length))
        a, b, length = np.concatenate(start), np.concatenate(end), np.concatenate(km)
        climb = np.abs(self.height.ravel()[a] - self.height.ravel()[b]) / (1_000 * length)
        ground = (self.cost.ravel()[a] + self.cost.ravel()[b]) / 2
        return a, b, length * ground * (1 + 22 * climb)

    def graph(self) -> csr_matrix:
        """Build the cost matrix as it stands, roads laid so far included."""
        a, b, cost = self.steps
        cost = cost.copy()
        if self.taken:
            size = self.shape[0] * self.shape[1]
            taken = np.array(sorted(self.taken))
            cost[np.isin(a * size + b, taken[:, 0] * size + taken[:, 1])] *= REUSE
        count = len(self.nodes)
        return coo_matrix((cost, (self.back[a], self.back[b])), shape=(count, count)).tocsr()

    def node(self, lon: float, lat: float) -> int:
        """Return the dry grid node nearest to a point."""
        x, y = to_lonlat(*np.divmod(self.nodes, self.shape[1]), 2)
        return int(km_between(lon, lat, x, y).argmin())

    def lay(self, start: int, goals: list[int], kind: int, limit: float = np.inf) -> float:
        """Lay a road to the cheapest of the goals; returns its cost, infinite if none."""
        cost, before = dijkstra(
            self.graph(), directed=False, indices=start, return_predecessors=True, limit=limit
        )
        goal = goals[int(np.argmin(cost[goals]))]
        if not np.isfinite(cost[goal]):
            return float("inf")
        total = float(cost[goal])
        while goal != start:
            following = int(before[goal])
            a, b = sorted((int(self.nodes[goal]), int(self.nodes[following])))
            self.taken[a, b] = min(kind, self.taken.get((a, b), kind))
            goal = following
        return total

    def reached(self) -> list[int]:
        """List the nodes that lie on a road."""
        return [int(self.back[n]) for n in sorted({n for step in self.taken for n in step})]


def make_roads(land: Land, settlements: list[Settlement]) -> list[Road]:
    """Join towns first, then villages, then hamlets (not all of them)."""
    network = Network(land)
    on_main = [s for s in settlements if not s.islet]
    node = {s.name: network.node(s.lon, s.lat) for s in on_main}
    towns = [s for s in on_main if s.kind in {"city", "town"}]
    lon, lat = np.array([(s.lon, s.lat) for s in towns]).T
    tree = minimum_spanning_tree(km_between(lon[:, None], lat[:, None], lon, lat)).tocoo()
    for a, b in sorted(zip(tree.row.tolist(), tree.col.tolist(), strict=True)):
        network.lay(node[towns[a].name], [node[towns[b].name]], 0)
    for a, b in EXTRA_LINKS:
        network.lay(node[a], [node[b]], 1)
    villages = [s for s in on_main if s.kind == "village"]
    hamlets = [s for s in on_main if s.kind == "hamlet"]
    for number, place in enumerate(villages):
        network.lay(node[place.name], network.reached(), 1 if number < 9 else 2)
    for place in hamlets:
        network.lay(node[place.name], network.reached(), 3, limit=26.0)
    roads = _stretches(network, set(node.values()))
    return _with_bridges(roads, land)


def _stretches(network: Network, stops: set[int]) -> list[Road]:
    """Cut the steps into chains between junctions, stops and changes of class, and smooth them."""
    meets: dict[int, list[int]] = {}
    for a, b in sorted(network.taken):
        meets.setdefault(a, []).append(b)
        meets.setdefault(b, []).append(a)
    kind = network.taken
    held = {int(network.nodes[s]) for s in stops}

    def ends_here(n: int) -> bool:
        if len(meets[n]) != 2 or n in held:
            return True
        return len({kind[min(n, m), max(n, m)] for m in meets[n]}) > 1

    done: set[tuple[int, int]] = set()
    roads = []
    for start in sorted(meets):
        if not ends_here(start):
            continue
        for following in meets[start]:
            if (min(start, following), max(start, following)) in done:
                continue
            path = [start, following]
            while not ends_here(path[-1]):
                path.append(next(m for m in meets[path[-1]] if m != path[-2]))
            done.update((min(a, b), max(a, b)) for a, b in pairwise(path))
            cells = np.divmod(np.array(path), network.shape[1])
            smooth = chaikin(np.column_stack(to_lonlat(*cells, 2)), 2)
            line = LineString(np.round(LineString(smooth).simplify(STEP / 5).coords, 5))
            name = CLASSES[kind[min(start, following), max(start, following)]]
            roads.append(Road(line=line, kind=name, bridge=False))
    return roads


def _with_bridges(roads: list[Road], land: Land) -> list[Road]:
    """Split roads where they cross a river; tracks ford it, better roads have a bridge."""
    rivers = [line for line, drained in land.rivers if drained >= RIVER_KM2]
    tree = STRtree(rivers)
    out = []
    half = BRIDGE_KM / 2 / LAT_KM
    for road in roads:
        crossings = []
        if road.kind != "track":
            for index in tree.query(road.line, predicate="crosses"):
                met = road.line.intersection(rivers[index])
                points = [p for p in getattr(met, "geoms", [met]) if isinstance(p, Point)]
                crossings += [road.line.project(p) for p in points]
        last = 0.0
        for at in sorted(crossings):
            if at - half > last + half and at + half < road.line.length - half:
                out.append(replace(road, line=_piece(road.line, last, at - half)))
                out.append(replace(road, line=_piece(road.line, at - half, at + half), bridge=True))
                last = at + half
        out.append(replace(road, line=_piece(road.line, last, road.line.length)))
    return sorted(out, key=lambda r: (CLASSES.index(r.kind), -r.line.length, r.line.coords[0]))


def _piece(line: LineString, start: float, end: float) -> LineString:
    return LineString(np.round(substring(line, start, end).coords, 5))
