"""Minutes and ways between a base and the stops of a patrol, there and back, over the ground.

Only ground from which one is back in time counts: what cannot be left and returned from within the
shift, or lies beyond the base's range, is cut away first, without changing an answer.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from pocgeo.analyses.reach.graph import NO_TIME, Sites, TravelGraph
from pocgeo.analyses.reach.seeds import departures
from pocgeo.analyses.reach.table import within
from pocgeo.cells.lattice import Lattice
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m

__all__ = ["Travel", "Way", "patrol_travel"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH = 24
"""Places asked at once."""


class Way(NamedTuple):
    """The way from one place to another."""

    lon: Floats
    """Of every point on it, both ends included, degrees."""

    lat: Floats
    minutes: float
    length_m: float
    road_m: float
    """Of that, along roads."""

    worn_m: float
    """Of that, over ground used lately."""


@dataclass(frozen=True, kw_only=True)
class Travel:
    """Minutes between places (0 is the base), and the mesh to find the ways on."""

    minutes: Floats
    """k x k, from row to column along the way that is taken; inf: no way within the limit."""

    limit_min: float
    lon: Floats
    """Of every node: ground first, then the places, degrees."""

    lat: Floats
    road: NDArray[np.bool_]
    """Which nodes are road vertices."""

    worn: NDArray[np.bool_]
    """Which nodes are ground used lately."""

    real: csr_array
    """Minutes from node to node."""

    felt: csr_array
    """The same, worn ground made longer: what ways are chosen by."""

    told: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    """Predecessors from places already asked for ways."""

    @property
    def places_n(self) -> int:
        """Base and stops."""
        return len(self.minutes)

    def way(self, start: int, end: int) -> Way:
        """Find the way from one place to another.

        Raises
        ------
        BadInput
            There is none within the limit.
        """
        if not np.isfinite(self.minutes[start, end]):
            raise BadInput(f"There is no way from place {start} to place {end} within the limit.")
        offset = len(self.lon) - self.places_n
        if start not in self.told:
            _, before = dijkstra(self.felt, indices=[offset + start], return_predecessors=True)
            self.told[start] = before[0]
        nodes = [offset + end]
        while nodes[-1] != offset + start and start != end:
            nodes.append(int(self.told[start][nodes[-1]]))
        at = np.array(nodes[::-1])
        east, north = self.lon[at], self.lat[at]
        step = distance_m(east[:-1], north[:-1], east[1:], north[1:])
        paved = self.road[at[:-1]] & self.road[at[1:]]
        worn = self.worn[at[:-1]] & self.worn[at[1:]]
        return Way(
            east, north, float(self.minutes[start, end]), float(step.sum()),
            float(step[paved].sum()), float(step[worn].sum()),
        )  # fmt: skip


def patrol_travel(
    ground: Lattice,
    graph: TravelGraph,
    places: ArrayLike,
    limit_min: float,
    *,
    crossing_min: NDArray[np.floating] | None = None,
    range_m: float = np.inf,
    worn: tuple[NDArray[np.bool_], float] | None = None,
) -> Travel:
    """Minutes from every place to every other over ground from which one is back in time.

    Parameters
    ----------
    ground, graph : Lattice, TravelGraph
    places : float array, k x 2
        lon, lat, degrees, EPSG:4326; the base first.
    limit_min : float
        Minutes from departure to return.
    crossing_min : array, one per row of the waterways, optional
        As in `travel_graph`.
    range_m : float
        Nobody goes farther from the base than this, in a straight line.
    worn : (bool array, one per node of the graph; float), optional
        Ground used lately, and how much longer it is made when ways are chosen: 0.5 is half as
        long again. The minutes told stay those of the clock.

    Returns
    -------
    Travel
    """
    spots = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    if not 0 < limit_min < np.inf:
        raise BadInput(f"limit_min must be more than 0 and finite, got {limit_min:g}.")
    points: Any = shapely.points(spots)
    sites = departures(ground, graph, points, 0.0, crossing_min=crossing_min)
    used, penalty = (np.zeros(len(graph.lon), dtype=bool), 0.0) if worn is None else worn
    nodes = ground_in_time(graph, sites, limit_min, (spots[0], range_m))
    real = joined(graph, sites, nodes)
    at_place = np.zeros(len(spots), dtype=bool)
    marked = np.append(used[nodes], at_place)
    felt = longer(real, marked, penalty)
    minutes = between_places(real, felt, len(nodes), limit_min * (1 + penalty))
    minutes[minutes > limit_min] = np.inf
    return Travel(
        minutes=minutes, limit_min=limit_min, lon=np.append(graph.lon[nodes], spots[:, 0]),
        lat=np.append(graph.lat[nodes], spots[:, 1]),
        road=np.append(nodes >= graph.cells_n, at_place), worn=marked, real=real, felt=felt,
    )  # fmt: skip


def ground_in_time(
    graph: TravelGraph, sites: Sites, limit_min: float, around: tuple[Floats, float]
) -> Ints:
    """Nodes from which one is back at the base within the limit, and within its range; sorted."""
    count = len(graph.lon)
    size = int(sites.indptr[1])
    home = Sites(sites.indptr[:2], sites.node[:size], sites.minutes[:size])
    matrix = csr_array((graph.minutes, graph.indices, graph.indptr), shape=(count, count))
    out, back = (times(each, home, limit_min) for each in (matrix, matrix.T.tocsr()))
    nodes = np.flatnonzero(out + back <= limit_min)
    (lon, lat), range_m = around
    if np.isfinite(range_m):
        far = distance_m(np.full(len(nodes), lon), lat, graph.lon[nodes], graph.lat[nodes])
        nodes = nodes[far <= range_m]
    return nodes


def times(matrix: csr_array, home: Sites, limit_min: float) -> Floats:
    """Minutes from the base to every node of a matrix."""
    count = matrix.shape[0]
    data = np.append(matrix.data.astype(np.float64), np.maximum(home.minutes, NO_TIME))
    columns = np.append(matrix.indices, home.node)
    starts = np.append(matrix.indptr, len(columns))
    with_base = csr_array((data, columns, starts), shape=(count + 1, count + 1))
    found: Floats = dijkstra(with_base, indices=[count], limit=limit_min)[0, :count]
    return found


def joined(graph: TravelGraph, sites: Sites, nodes: Ints) -> csr_array:
    """Make the matrix of some nodes and, after them, the places, joined to them both ways."""
    indptr, indices, minutes = within(graph, nodes)
    count, places_n = len(nodes), len(sites.indptr) - 1
    number = np.full(len(graph.lon), -1, dtype=np.int64)
    number[nodes] = np.arange(count)
    place = np.repeat(np.arange(places_n), np.diff(sites.indptr)) + count
    seed, way = number[sites.node], np.maximum(sites.minutes, NO_TIME).astype(np.float64)
    kept = seed >= 0
    place, seed, way = place[kept], seed[kept], way[kept]
    head = np.repeat(np.arange(count), np.diff(indptr))
    rows = np.concatenate([head, place, seed])
    columns = np.concatenate([indices, seed, place])
    data = np.concatenate([minutes.astype(np.float64), way, way])
    size = count + places_n
    return coo_array((data, (rows, columns)), shape=(size, size)).tocsr()


def longer(real: csr_array, worn: NDArray[np.bool_], penalty: float) -> csr_array:
    """Make worn ground longer: an arc by the share of its ends that are worn."""
    if penalty == 0 or not worn.any():
        return real
    head = np.repeat(np.arange(real.shape[0]), np.diff(real.indptr))
    share = (worn[head].astype(np.float64) + worn[real.indices]) / 2
    data = real.data * (1 + penalty * share)
    return csr_array((data, real.indices, real.indptr), shape=real.shape)


def between_places(real: csr_array, felt: csr_array, count: int, limit_min: float) -> Floats:
    """Minutes of the clock between places, along the ways that are felt to be shortest."""
    places = np.arange(count, felt.shape[0])
    found = np.full((len(places), len(places)), np.inf)
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        if felt is real:
            found[start : start + BATCH] = dijkstra(real, indices=some, limit=limit_min)[:, count:]
            continue
        told, before = dijkstra(felt, indices=some, limit=limit_min, return_predecessors=True)
        for row, origin in enumerate(some):
            reached = np.isfinite(told[row, count:])
            clock = clock_minutes(real, before[row], origin, places[reached])
            found[start + row, reached] = clock
    np.fill_diagonal(found, 0.0)
    return found


def clock_minutes(real: csr_array, before: NDArray[np.int32], origin: int, ends: Ints) -> Floats:
    """Add up the clock's minutes along the ways to some nodes, all at once."""
    size = np.int64(real.shape[0])
    head = np.repeat(np.arange(size), np.diff(real.indptr))
    key = head * size + real.indices
    total, at = np.zeros(len(ends)), ends.astype(np.int64)
    going = np.flatnonzero(at != origin)
    while len(going):
        last = before[at[going]].astype(np.int64)
        total[going] += real.data[np.searchsorted(key, last * size + at[going])]
        at[going] = last
        going = going[last != origin]
    return total
