"""Minutes over the ground: a mesh of cells and road vertices, and the quickest ways over it.

Off the road people move from cell centre to cell centre in 12 directions, at the pace of the
ground under the line; on a road from vertex to vertex, at the road's pace and exact length. Water
cuts what crosses it off the road, or costs the minutes of a crossing; a road crosses it free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from pocgeo.cells.barriers import Crossed
from pocgeo.cells.lattice import Lattice
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import earth_centred_m

__all__ = [
    "RESCALE",
    "Field",
    "Sites",
    "TravelGraph",
    "farthest_m",
    "field",
    "sites_of",
    "tobler",
    "travel_graph",
]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int32]
Slope = Callable[[Floats], Floats]

RESCALE = 0.98
"""Ways in 12 directions are 0 to 4.1 % longer than the crow flies (up to 4.7 % where H3 is skewed
most); scaled, they err by as much either way."""

NO_TIME = 1e-6
"""Least minutes of an arc: two nodes in one place."""


SHORT_M = 10.0
"""Arcs shorter than this say nothing of the top speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelGraph:
    """Minutes from node to node for one mobility in one season; compressed by row (outbound)."""

    indptr: Ints
    indices: Ints
    minutes: Singles
    cells_n: int
    """The first nodes are the cells in order; road vertices follow."""

    lon: Floats
    """Of every node, degrees, EPSG:4326."""

    lat: Floats
    pace: Singles
    """Minutes a kilometre off the road, of each cell; inf: impassable."""


class Sites(NamedTuple):
    """Where each site's people set out from, site after site."""

    indptr: NDArray[np.int64]
    """Seeds of site i: from `indptr[i]` to before `indptr[i + 1]`."""

    node: Ints
    minutes: Singles
    """When they leave that node: readiness, and the way to it."""


class Field(NamedTuple):
    """One answer per node (cells first, then road vertices)."""

    minutes: Singles
    """inf where nobody comes within the limit."""

    site: Ints
    """-1 where nobody comes."""


def sites_of(seeds: Sequence[Sequence[tuple[int, float]]]) -> Sites:
    """Pack a list of (node, minutes) per site."""
    flat = [pair for site in seeds for pair in site]
    return Sites(
        np.append(0, np.cumsum([len(site) for site in seeds])).astype(np.int64),
        np.array([node for node, _ in flat], dtype=np.int32),
        np.array([minutes for _, minutes in flat], dtype=np.float32),
    )


def tobler(slope: Floats) -> Floats:
    """Minutes on foot over minutes on the flat, for a rise over run (outbound, down negative).

    Tobler (1993), NCGIA technical report 93-1: 6 exp(-3.5 |slope + 0.05|) km/h.
    """
    factor: Floats = np.exp(3.5 * (np.abs(slope + 0.05) - 0.05))
    return factor


def travel_graph(
    ground: Lattice,
    pace: NDArray[np.floating],
    road_pace: NDArray[np.floating],
    *,
    crossing_min: NDArray[np.floating] | None = None,
    elevation_m: NDArray[np.floating] | None = None,
    slope: Slope = tobler,
    slope_on_roads: bool = True,
) -> TravelGraph:
    """Put minutes on a mesh.

    Parameters
    ----------
    ground : Lattice
    pace, road_pace : arrays, one per cell, and one per edge of `ground.network`
        Minutes a kilometre off the road and on it; inf where impassable or closed.
    crossing_min : array, one per row of the waterways, optional
        Minutes to cross each; inf: not at all. Without it no water is crossed.
    elevation_m : array, one per cell (or per node), optional
        Minutes then differ by direction. Road vertices take the mean of the centres near them.
    slope : function
        Minutes on a rise over run (outbound; down negative) over minutes on the flat; on roads
        too if `slope_on_roads`.

    Raises
    ------
    BadInput
        An array of the wrong length, or a pace that is not more than 0.
    """
    cells_n, edges_n = len(ground.cells), len(ground.network.u)
    per_cell = checked(pace, cells_n, "pace", "cell")
    per_edge = checked(road_pace, edges_n, "road_pace", "road edge")
    water = no_water(ground) if crossing_min is None else np.asarray(crossing_min, np.float32)
    u, v, there = ways(ground, per_cell, per_edge, water)
    back = there
    if elevation_m is not None:
        rise = steepness(ground, np.asarray(elevation_m, dtype="float64"), u, v)
        rise[(u >= cells_n) & (v >= cells_n) & (not slope_on_roads)] = 0.0
        there, back = ((there * slope(way)).astype(np.float32) for way in (rise, -rise))
    indptr, indices, both = by_row(u, v, there, back, len(ground.lon))
    return TravelGraph(
        indptr=indptr,
        indices=indices,
        minutes=both,
        cells_n=cells_n,
        lon=ground.lon,
        lat=ground.lat,
        pace=per_cell,
    )


def ways(
    ground: Lattice, pace: Singles, road_pace: Singles, water: Singles
) -> tuple[Ints, Ints, Singles]:
    """All ways on the flat that can be gone, each once."""
    parts = [
        off_road(ground, pace, water),
        on_road(ground, road_pace),
        between(ground, pace, water),
    ]
    u, v, minutes = (np.concatenate(part) for part in zip(*parts, strict=True))
    passable = np.isfinite(minutes)
    return u[passable], v[passable], np.maximum(minutes[passable], NO_TIME)


def by_row(
    u: Ints, v: Ints, there: Singles, back: Singles, count: int
) -> tuple[Ints, Ints, Singles]:
    """Sort arcs both ways by their start; a slope may have closed some one way."""
    heads, tails = np.concatenate([u, v]), np.concatenate([v, u])
    minutes = np.concatenate([there, back])
    if not np.isfinite(minutes).all():
        kept = np.isfinite(minutes)
        heads, tails, minutes = heads[kept], tails[kept], minutes[kept]
    matrix = coo_array((minutes, (heads, tails)), (count, count)).tocsr()
    pointers, columns = (
        part.astype(np.int32, copy=False) for part in (matrix.indptr, matrix.indices)
    )
    return pointers, columns, matrix.data


def checked(pace: NDArray[np.floating], count: int, name: str, per: str) -> Singles:
    """Refuse paces of the wrong number, unknown, negative or nought."""
    given = np.asarray(pace, dtype=np.float32)
    if given.shape != (count,):
        raise BadInput(f"{name} needs one number per {per}: {count}, got {given.shape}.")
    if not (given > 0).all():
        row = int(np.argmin(given > 0))
        raise BadInput(f"{name} of {per} {row} must be more than 0 min/km, got {given[row]:g}.")
    return given


def no_water(ground: Lattice) -> Singles:
    """Let no water be crossed."""
    count = 0 if ground.waterways is None else len(ground.waterways)
    return np.full(count, np.inf, dtype=np.float32)


def off_road(ground: Lattice, pace: Singles, water: Singles) -> tuple[Ints, Ints, Singles]:
    """Arcs between cells; a knight runs a third in each end and a sixth in each cell it passes."""
    arcs = ground.arcs
    half, third, sixth = (np.float32(RESCALE / 1000 / part) for part in (2, 3, 6))
    ends = pace[arcs.u] + pace[arcs.v]
    knight = arcs.kind == 2
    sampled = np.where(knight, third, half) * ends
    sampled[knight] += sixth * (pace[arcs.via_a[knight]] + pace[arcs.via_b[knight]])
    minutes = arcs.length_m * sampled
    return arcs.u, arcs.v, waded(minutes, ground.arcs_crossed, water)


def on_road(ground: Lattice, pace: Singles) -> tuple[Ints, Ints, Singles]:
    """Edges of roads, the quickest where several join the same two vertices."""
    roads = ground.network
    minutes = roads.length_m * pace / np.float32(1000)
    low, high = np.minimum(roads.u, roads.v), np.maximum(roads.u, roads.v)
    order = np.lexsort((minutes, high, low))
    low, high, minutes = low[order], high[order], minutes[order]
    first = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))[: len(low)]
    kept = first & (low != high)
    offset = np.int32(len(ground.cells))
    return low[kept] + offset, high[kept] + offset, minutes[kept]


def between(ground: Lattice, pace: Singles, water: Singles) -> tuple[Ints, Ints, Singles]:
    """Ways from road vertices to centres, half at the pace of the cell where the vertex lies."""
    joins = ground.connectors
    home = joins.home[joins.vertex]
    own = np.where(home >= 0, pace[home], pace[joins.cell]) if len(pace) else pace
    minutes = (
        np.maximum(joins.length_m, 1e-3) * (own + pace[joins.cell]) * np.float32(RESCALE / 2000)
    )
    offset = np.int32(len(ground.cells))
    return joins.vertex + offset, joins.cell, waded(minutes, ground.connectors_crossed, water)


def waded(minutes: Singles, wet: Crossed, water: Singles) -> Singles:
    """Add the minutes of every crossing on the way."""
    if len(wet.edge):
        np.add.at(minutes, wet.edge, water[wet.row])
    return minutes


def steepness(ground: Lattice, elevation_m: Floats, u: Ints, v: Ints) -> Floats:
    """Rise over run from u to v."""
    cells_n, vertices_n = len(ground.cells), len(ground.network.lon)
    if len(elevation_m) == cells_n:
        joins = ground.connectors
        weight = 1 / np.maximum(joins.length_m.astype("float64"), 1.0)
        known = np.isfinite(elevation_m[joins.cell])
        weight = np.where(known, weight, 0.0)
        height = np.where(known, elevation_m[joins.cell], 0.0)
        total = np.bincount(joins.vertex, weight, vertices_n)
        mean = np.bincount(joins.vertex, weight * height, vertices_n) / np.where(total, total, 1)
        elevation_m = np.append(elevation_m, np.where(total > 0, mean, np.nan))
    if len(elevation_m) != cells_n + vertices_n:
        raise BadInput(f"elevation_m needs one number per cell or node, got {len(elevation_m)}.")
    places = earth_centred_m(ground.lon, ground.lat)
    run = np.linalg.norm(places[v] - places[u], axis=1)
    rise = (elevation_m[v] - elevation_m[u]) / np.maximum(run, 1.0)
    return np.where(np.isfinite(rise), rise, 0.0)


def farthest_m(graph: TravelGraph, limit_min: float) -> float:
    """Metres in a straight line that nobody exceeds within a limit.

    Top speed is that of arcs longer than `SHORT_M`; where shorter ones, whose ends may be rounded
    by centimetres, seem faster, all they could add together is added.
    """
    if len(graph.minutes) == 0:
        return 0.0
    places = earth_centred_m(graph.lon, graph.lat)
    head = np.repeat(np.arange(len(graph.indptr) - 1, dtype=np.int32), np.diff(graph.indptr))
    square = np.zeros(len(head), dtype=np.float32)
    for axis in range(3):
        along = np.ascontiguousarray(places[:, axis])
        square += ((along[head] - along[graph.indices]) ** 2).astype(np.float32)
    chord = np.sqrt(square, out=square)
    long = chord > SHORT_M
    speed = float((chord[long] / graph.minutes[long]).max(initial=0.0)) * 1.0001
    excess = chord[~long] - speed * graph.minutes[~long]
    return speed * limit_min + float(excess[excess > 0].sum(dtype=np.float64))


def field(graph: TravelGraph, sites: Sites, limit_min: float = np.inf) -> Field:
    """Minutes from the quickest site to every node.

    Parameters
    ----------
    graph : TravelGraph
    sites : Sites
        Departures per site.
    limit_min : float
        Nodes farther than this stay at inf.
    """
    count, sites_n = len(graph.lon), len(sites.indptr) - 1
    minutes = np.full(count, np.inf, dtype=np.float32)
    owner = np.full(count, -1, dtype=np.int32)
    if sites_n == 0 or len(sites.node) == 0:
        return Field(minutes, owner)
    matrix = with_sites(graph.indptr, graph.indices, graph.minutes, sites)
    found, _, source = dijkstra(
        matrix,
        indices=np.arange(count, count + sites_n),
        limit=limit_min,
        min_only=True,
        return_predecessors=True,
    )
    minutes[:] = found[:count]
    reached = np.isfinite(minutes)
    owner[reached] = source[:count][reached] - count
    return Field(minutes, owner)


def with_sites(indptr: Ints, indices: Ints, minutes: Singles, sites: Sites) -> csr_array:
    """Make the matrix of a graph with a node more for each site, from which its seeds depart."""
    size = len(indptr) - 1 + len(sites.indptr) - 1
    data = np.concatenate([minutes, np.maximum(sites.minutes, NO_TIME)], dtype=np.float64)
    columns = np.concatenate([indices, sites.node])
    starts = np.concatenate([indptr, indptr[-1] + sites.indptr[1:]]).astype(np.int32)
    return csr_array((data, columns, starts), shape=(size, size))
