"""Roads as vertices joined by edges of their exact length, and the ways from them to cells.

A road painted on cells is as straight, and as near its neighbour, as the cells are wide; a vertex
keeps bends, junctions and gaps. Lines meet where they share a vertex, cross, or end on another,
unless it is a bridge: most road layers of missions were drawn line by line, without junctions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pocgeo.cells.grid import Cells, cells_of, centres, positions, resolution_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import distance_m, earth_centred_m

__all__ = ["Connectors", "RoadNetwork", "connectors", "road_network"]

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

EDGE_M = 250.0
"""Longest edge, metres: a quarter of a cell of resolution 8 (350 m errs 0.04 min more)."""

SAME_DEG = 1e-7
"""Vertices that agree to this are one place: 1 cm."""

SNAP_DEG = 9e-5
"""A line that ends this near another one ends on it: 10 m, what drawing is good for."""

FARTHEST_CELLS = 2.5
"""Connectors longer than this many cell widths are left out: the road has left the cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadNetwork:
    """Vertices, and edges both ways."""

    lon: Floats
    lat: Floats
    u: Ints
    v: Ints
    length_m: NDArray[np.float32]
    """Along the road."""

    row: Ints
    """Row of the roads table that the edge belongs to."""

    component: Ints
    """Number of the connected piece of road that each vertex belongs to; 0 the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectors:
    """Ways from road vertices to cell centres nearby, over open ground."""

    vertex: Ints
    cell: Ints
    """Position in the cells."""

    length_m: NDArray[np.float32]

    home: Ints
    """For each vertex of the network: position of the cell it lies in; -1 outside the cells."""


def road_network(roads: Any, max_edge_m: float = EDGE_M) -> RoadNetwork:
    """Cut roads into edges of at most `max_edge_m` whose lengths add up to those of the roads.

    Parameters
    ----------
    roads : GeoDataFrame, n rows
        Lines in EPSG:4326, of the roads that exist (open or closed).
    max_edge_m : float
        Metres. Vertices closer together than this are merged into one edge unless roads meet.

    Returns
    -------
    RoadNetwork
        `row` counts rows of `roads` from 0.

    Raises
    ------
    MissingColumns
        No geometry.
    BadInput
        A geometry is no line, or `max_edge_m` is not more than 0.

    Notes
    -----
    Lengths are geodesic along every vertex of the source, also where these are merged.
    """
    require_columns(roads, "roads", ["geometry"])
    if not 0 < max_edge_m < np.inf:
        raise BadInput(f"max_edge_m must be more than 0 metres, got {max_edge_m:g}.")
    lines, owner = lines_of(roads["geometry"].to_numpy())
    points, line = shapely.get_coordinates(lines, return_index=True)
    if len(points) == 0:
        return no_roads()
    points, line = with_meetings(points, line, bridges(roads)[owner])
    joined = line[1:] == line[:-1]
    east, north = points[:, 0], points[:, 1]
    step = np.zeros(len(points))
    step[1:][joined] = distance_m(
        east[:-1][joined], north[:-1][joined], east[1:][joined], north[1:][joined]
    )
    along = np.cumsum(step)
    fixed, place = junctions(points, line)
    stops = np.flatnonzero(fixed)
    same = line[stops[1:]] == line[stops[:-1]]
    first, last = stops[:-1][same], stops[1:][same]
    length = along[last] - along[first]
    first, last, length = first[length > 0], last[length > 0], length[length > 0]
    return chained(points, along, (first, last, length), (place, owner[line]), max_edge_m)


def lines_of(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Single lines of at least two vertices, and the row of each."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    kind = shapely.get_type_id(parts)
    strange = (kind != 1) & (kind != 2) & ~shapely.is_empty(parts)
    if strange.any():
        row = int(owner[np.argmax(strange)])
        raise BadInput(
            f"roads: row {row} holds a {parts[strange][0].geom_type}, not a line. Keep lines only."
        )
    return parts, owner


def bridges(roads: Any) -> NDArray[np.bool_]:
    """Tell rows that are bridges; unknown is none."""
    if "bridge" not in roads:
        return np.zeros(len(roads), dtype=bool)
    flags: NDArray[np.bool_] = roads["bridge"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return flags


def with_meetings(
    points: Floats, line: NDArray[np.int64], bridge: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64]]:
    """Add a vertex to both lines wherever they cross, and to a line where another one ends."""
    start = np.flatnonzero((line[1:] == line[:-1]) & ~bridge[line[1:]])
    start = start[np.abs(points[start + 1, 0] - points[start, 0]) < 180]
    segments: Any = shapely.linestrings(np.stack([points[start], points[start + 1]], axis=1))
    tree = shapely.STRtree(segments)
    parts = [crossings(points, start, tree), endings(points, line, start, tree)]
    after, share, place = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((share, after))
    after, place = after[order], place[order]
    return np.insert(points, after, place, axis=0), np.insert(line, after, line[after - 1])


def crossings(
    points: Floats, start: NDArray[np.int64], tree: Any
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Where segments cross: the point to insert before, share of the segment, place."""
    origin, run = points[start], points[start + 1] - points[start]
    a, b = tree.query(tree.geometries, predicate="crosses")
    a, b = a[b > a], b[b > a]
    turn = run[a, 0] * run[b, 1] - run[a, 1] * run[b, 0]
    a, b, turn = a[turn != 0], b[turn != 0], turn[turn != 0]
    gap = origin[b] - origin[a]
    on_a = np.clip((gap[:, 0] * run[b, 1] - gap[:, 1] * run[b, 0]) / turn, 0, 1)
    on_b = np.clip((gap[:, 0] * run[a, 1] - gap[:, 1] * run[a, 0]) / turn, 0, 1)
    place = origin[a] + on_a[:, None] * run[a]
    after = np.append(start[a], start[b]) + 1
    return after, np.append(on_a, on_b), np.concatenate([place, place])


def endings(
    points: Floats, line: NDArray[np.int64], start: NDArray[np.int64], tree: Any
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Where lines end on a segment of another: as `crossings`, the place being the end itself."""
    change = line[1:] != line[:-1]
    end = np.flatnonzero(np.append(True, change) | np.append(change, True))
    which, segment = tree.query(shapely.points(points[end]), predicate="dwithin", distance=SNAP_DEG)
    end, low = end[which], start[segment]
    away = [np.abs(points[end] - points[low + side]).max(axis=1) for side in (0, 1)]
    kept = (line[end] != line[low]) & (np.minimum(*away) >= SAME_DEG)
    end, low = end[kept], low[kept]
    run = points[low + 1] - points[low]
    square = np.maximum((run**2).sum(axis=1), 1e-30)
    share = ((points[end] - points[low]) * run).sum(axis=1) / square
    return low + 1, np.clip(share, 0, 1), points[end]


def junctions(
    points: Floats, line: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Tell which points must stay vertices (ends, meetings), and number the places."""
    grid = np.rint(points / SAME_DEG).astype(np.int64)
    key = grid[:, 0] * 4_000_000_000 + grid[:, 1]
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    change = line[1:] != line[:-1]
    ends = np.append(True, change) | np.append(change, True)
    return ends | (count[place] > 1), place


def chained(
    points: Floats,
    along: Floats,
    runs: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    names: tuple[NDArray[np.int64], NDArray[np.int64]],
    max_edge_m: float,
) -> RoadNetwork:
    """Cut every run between two fixed points into equal edges, and number the vertices."""
    first, last, length = runs
    place, owner = names
    pieces = np.ceil(length / max_edge_m).astype(np.int64)
    ends = np.unique(place[np.concatenate([first, last])], return_index=False)
    run = np.repeat(np.arange(len(first)), pieces - 1)
    rank = np.arange(len(run)) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    target = along[first][run] + length[run] * rank / pieces[run]
    after = np.clip(np.searchsorted(along, target, side="left"), first[run] + 1, last[run])
    gap = along[after] - along[after - 1]
    share = np.clip((target - along[after - 1]) / np.where(gap > 0, gap, 1), 0, 1)[:, None]
    middle = points[after - 1] * (1 - share) + points[after] * share
    where = np.empty((int(place.max()) + 1, 2))
    where[place] = points
    start, end = np.searchsorted(ends, place[first]), np.searchsorted(ends, place[last])
    edge_run = np.repeat(np.arange(len(first)), pieces)
    edge_rank = np.arange(len(edge_run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inner = len(ends) + (np.cumsum(pieces - 1) - (pieces - 1))[edge_run] + edge_rank
    u = np.where(edge_rank == 0, start[edge_run], inner - 1)
    v = np.where(edge_rank == pieces[edge_run] - 1, end[edge_run], inner)
    vertices = np.concatenate([where[ends], middle])
    edge_m = (length / pieces)[edge_run]
    return RoadNetwork(
        lon=vertices[:, 0].copy(),
        lat=vertices[:, 1].copy(),
        u=u.astype(np.int32),
        v=v.astype(np.int32),
        length_m=edge_m.astype(np.float32),
        row=owner[first][edge_run].astype(np.int32),
        component=by_length(u, v, edge_m, len(vertices)),
    )


def by_length(u: NDArray[np.int64], v: NDArray[np.int64], length_m: Floats, count: int) -> Ints:
    """Tell which connected piece of road each vertex is on, counted from the longest."""
    joined = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), (count, count))
    label = connected_components(joined, directed=False)[1]
    total = np.bincount(label[u], length_m)
    rank = np.empty(len(total), dtype=np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    numbered: Ints = rank[label]
    return numbered


def no_roads() -> RoadNetwork:
    """Make a network without roads."""
    none, flat = np.zeros(0, dtype=np.int32), np.zeros(0)
    return RoadNetwork(
        lon=flat, lat=flat, u=none, v=none, length_m=flat.astype(np.float32), row=none,
        component=none,
    )  # fmt: skip


def connectors(
    network: RoadNetwork,
    cells: Cells,
    k: int = 7,
    *,
    lon: Floats | None = None,
    lat: Floats | None = None,
) -> Connectors:
    """Ways from each road vertex to the `k` nearest cell centres.

    Parameters
    ----------
    network : RoadNetwork
    cells : int64 array, sorted
    k : int
        One connector makes people detour to a centre; seven (a cell and its ring) hardly.
    lon, lat : float arrays, degrees, optional
        Centres of the cells, where they are known already.

    Returns
    -------
    Connectors
        Sorted by vertex; fewer than `k` where the road has left the cells.
    """
    none = np.zeros(0, dtype=np.int32)
    if len(network.lon) == 0 or len(cells) == 0:
        home = np.full(len(network.lon), -1, dtype=np.int32)
        return Connectors(vertex=none, cell=none, length_m=none.astype(np.float32), home=home)
    east, north = (lon, lat) if lon is not None and lat is not None else centres(cells)
    tree = KDTree(earth_centred_m(east, north), balanced_tree=False, compact_nodes=False)
    spots = earth_centred_m(network.lon, network.lat)
    many = min(k, len(cells))
    wide = spacing_m(tree, many)
    answer: Any = tree.query(spots, k=[*range(1, many + 1)], distance_upper_bound=wide)
    near_m, near = answer
    vertex, rank = np.nonzero(np.isfinite(near_m))
    at = cells_of(network.lon, network.lat, resolution_of(cells))
    return Connectors(
        vertex=vertex.astype(np.int32),
        cell=near[vertex, rank].astype(np.int32),
        length_m=near_m[vertex, rank].astype(np.float32),
        home=positions(cells, at).astype(np.int32),
    )


def spacing_m(tree: Any, many: int) -> float:
    """Give the greatest length of a connector: some widths of a cell."""
    if many < 2:
        return float("inf")
    sample = tree.data[:: max(1, tree.n // 1000)]
    return FARTHEST_CELLS * float(np.median(tree.query(sample, k=2)[0][:, 1]))
