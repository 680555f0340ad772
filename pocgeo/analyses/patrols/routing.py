"""Routes of several patrols that collect the most value within a time: team orienteering.

Which stops, by which patrol, in which order (Chao, Golden, Wasil 1996). PyVRP searches, a stated
number of iterations from a stated seed, so that the same task gives the same routes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from pocgeo.ground.errors import BadInput
from pocgeo.ground.extras import optional

__all__ = ["HOUSE_SEARCH", "RouteSearch", "Routes", "RoutingTask", "ladder", "searched"]

Floats = NDArray[np.float64]
Route = tuple[int, ...]

STEPS_PER_MIN = 1_000
"""The solver counts in whole steps: ways are rounded up, the time allowed down."""

PRIZE_SHIFTS = 3
"""A stop of mean value is worth this many whole shifts of time: stops count before minutes."""

HISTORY = 50
"""Solutions that late acceptance looks back on: 50 finds more than PyVRP's own 300 in few steps."""

SEARCHES = (20, 1.0), (40, 0.5)
"""Two searches, the better is kept: stops that an exchange looks at around each (PyVRP's own is
50), and the share of the iterations. Few neighbours and many steps suit some tasks, the other way
round suits others."""

SHAKES = 1, 50
"""Fewest and most stops shaken at a step: PyVRP's own 25 leaves some tasks in one valley."""

PATIENCE = 0.4
"""A search that has found nothing better for this share of its iterations has ended (house
default): where every stop is visited early, the rest would only shorten ways."""

MOST_ITERATIONS = 1_000_000
"""House limit: hours of search; what they would still find is less than the data are worth."""

EPSILON = 1e-9
NO_TIME = 1e-12
"""Minutes between two stops in one place: 0 would be read as no way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSearch:
    """How long the search goes on, and from where: never a limit on the clock."""

    iterations: int = 6_000
    """Iterations of the narrow search at most, for each number of patrols and each length of
    shift; the wide one makes half as many. Either ends sooner when it gains nothing any more."""

    seed: int = 1
    """Of the solver's random numbers."""

    def __post_init__(self) -> None:
        if not 1 <= self.iterations <= MOST_ITERATIONS:
            raise BadInput(
                f"iterations must be from 1 to {MOST_ITERATIONS:,}, got {self.iterations}."
            )
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"seed must be from 0 to {2**32 - 1}, got {self.seed}.")


HOUSE_SEARCH = RouteSearch()


@dataclass(frozen=True, kw_only=True)
class RoutingTask:
    """Places, minutes between them, and what each is worth."""

    minutes: Floats
    """n x n, from row to column; inf where there is no way. May differ by direction."""

    value: Floats
    """n; what a visit is worth, 0 or more. Start and end are worth nothing."""

    stay_min: Floats
    """n; minutes spent at each stop."""

    limit_min: float
    """Minutes from departure to return."""

    patrols: int = 1
    """How many go out at once."""

    start: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        n = len(self.value)
        if self.minutes.shape != (n, n) or self.stay_min.shape != (n,):
            raise BadInput(
                f"minutes and stay_min must be for the same {n} places as value; got shapes "
                f"{self.minutes.shape} and {self.stay_min.shape}."
            )
        if self.patrols < 1:
            raise BadInput(f"patrols must be 1 or more, got {self.patrols}.")
        if not 0 < self.limit_min < np.inf:
            raise BadInput(f"limit_min must be more than 0 minutes, got {self.limit_min:g}.")
        for name in ("minutes", "value", "stay_min"):
            known = getattr(self, name)
            if not (known >= 0).all():
                raise BadInput(f"{name} must be 0 or more everywhere; some are not or unknown.")

    @cached_property
    def feasible(self) -> NDArray[np.int64]:
        """Stops of some value from which one is back in time, by whatever other places."""
        quickest = shortest_path(np.where(self.minutes > 0, self.minutes, NO_TIME), method="FW")
        alone = quickest[self.start] + self.stay_min + quickest[:, self.end]
        kept = (self.value > 0) & (alone <= self.limit_min + EPSILON)
        kept[[self.start, self.end]] = False
        return np.flatnonzero(kept)

    def took_min(self, route: Sequence[int]) -> float:
        """Minutes of a route from start to end, stays included."""
        stops = np.array([self.start, *route, self.end])
        way = self.minutes[stops[:-1], stops[1:]].sum() + self.stay_min[list(route)].sum()
        return float(way)

    def worth(self, routes: Sequence[Sequence[int]]) -> float:
        """Value that routes collect; each stop counts once."""
        seen = sorted({stop for route in routes for stop in route})
        return float(self.value[seen].sum())

    def of(self, *, patrols: int, limit_min: float) -> "RoutingTask":
        """Give the same places to other patrols."""
        return RoutingTask(
            minutes=self.minutes, value=self.value, stay_min=self.stay_min, start=self.start,
            end=self.end, patrols=patrols, limit_min=limit_min,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What patrols of a number and a length collect."""

    patrols: int
    limit_min: float
    routes: tuple[Route, ...]
    """Stops in order, the most worthy route first; patrols that find nothing have none."""

    value: float

    def better(self, other: "Routes | None", task: RoutingTask) -> bool:
        """Whether it collects more, or as much in less time."""
        if other is None or abs(self.value - other.value) > EPSILON * max(1.0, self.value):
            return other is None or self.value > other.value
        mine, theirs = (sum(map(task.took_min, found.routes)) for found in (self, other))
        return mine < theirs - EPSILON


def searched(task: RoutingTask, search: RouteSearch, warm: Sequence[Route] = ()) -> Routes:
    """RouteSearch routes for a task.

    Parameters
    ----------
    task : RoutingTask
    search : RouteSearch
    warm : routes, optional
        Routes of fewer patrols or shorter shifts to set out from; nothing worse is returned.

    Returns
    -------
    Routes
        Every one within the limit.

    Raises
    ------
    MissingExtra
        PyVRP is not installed.
    """
    if not len(task.feasible):
        return packed(task, ())
    made: list[Sequence[Sequence[int]]] = [warm] if warm else []
    made += [solved(task, search, warm, around, share) for around, share in SEARCHES]
    best, *others = [packed(task, filled(task, routes)) for routes in made]
    for found in others:
        if found.better(best, task):
            best = found
    return best


def ladder(
    task: RoutingTask, search: RouteSearch, shifts_min: Sequence[float] = ()
) -> list[Routes]:
    """Routes for 1 to m patrols, and for shorter shifts, none worse than what it contains.

    Parameters
    ----------
    task : RoutingTask
        What is asked: the last rung.
    search : RouteSearch
        Each rung is searched this long.
    shifts_min : sequence of float, optional
        Shorter shifts, minutes; those not shorter are left out.

    Returns
    -------
    list of Routes
        By shift, then patrols. A rung starts from the better of the two below it (one patrol
        less, the next shorter shift) and never collects less than either.
    """
    limits = [*sorted({limit for limit in shifts_min if 0 < limit < task.limit_min})]
    limits.append(task.limit_min)
    rungs: dict[tuple[int, int], Routes] = {}
    for level, limit in enumerate(limits):
        for patrols in range(1, task.patrols + 1):
            rung = task.of(patrols=patrols, limit_min=limit)
            below = [rungs.get((level, patrols - 1)), rungs.get((level - 1, patrols))]
            warm: Routes | None = None
            for held in below:
                if held is not None and held.better(warm, rung):
                    warm = held
            rungs[level, patrols] = searched(rung, search, warm.routes if warm else ())
    return list(rungs.values())


def packed(task: RoutingTask, routes: Sequence[Sequence[int]]) -> Routes:
    """Put routes in order: the most worthy first, no empty ones."""
    kept = [tuple(int(stop) for stop in route) for route in routes if len(route)]
    kept.sort(key=lambda route: (-task.worth([route]), route))
    return Routes(
        patrols=task.patrols,
        limit_min=task.limit_min,
        routes=tuple(kept),
        value=task.worth(kept),
    )


def solved(
    task: RoutingTask, search: RouteSearch, warm: Sequence[Route], neighbours: int, share: float
) -> Sequence[Sequence[int]]:
    """Let PyVRP search; stops by their numbers in the task."""
    solver: Any = optional("pyvrp", "patrols")
    stop: Any = optional("pyvrp.stop", "patrols")
    data = data_of(task, solver)
    number = {int(place): row for row, place in enumerate(task.feasible)}
    first = None
    if warm:
        first = solver.Solution(data, [[number[place] for place in route] for route in warm])
    around: Any = optional("pyvrp.search", "patrols")
    how = solver.SolveParams(
        ils=solver.IteratedLocalSearchParams(history_length=HISTORY),
        neighbourhood=around.NeighbourhoodParams(num_neighbours=neighbours),
        perturbation=around.PerturbationParams(*SHAKES),
    )
    most = max(1, round(search.iterations * share))
    ends = [stop.MaxIterations(most), stop.NoImprovement(max(1, round(most * PATIENCE)))]
    best = solver.solve(
        data,
        stop.MultipleCriteria(ends),
        seed=search.seed,
        collect_stats=False,
        params=how,
        initial_solution=first,
    ).best
    if not best.is_feasible():
        return warm
    return [
        [int(task.feasible[visit.idx]) for visit in route if visit.is_client()]
        for route in best.routes()
    ]


def data_of(task: RoutingTask, solver: Any) -> Any:
    """Write the task in whole steps, as PyVRP takes it."""
    places = np.concatenate([[task.start, task.end], task.feasible])
    way = task.minutes[np.ix_(places, places)]
    limit = int(np.floor(task.limit_min * STEPS_PER_MIN + EPSILON))
    beyond = limit + 1  # a way longer than the shift is as good as none
    steps = np.ceil(np.minimum(way * STEPS_PER_MIN, beyond) - EPSILON).astype(np.int64)
    np.fill_diagonal(steps, 0)
    stays = np.ceil(task.stay_min[task.feasible] * STEPS_PER_MIN - EPSILON).astype(np.int64)
    value = task.value[task.feasible]
    prizes = np.maximum(np.rint(value / value.mean() * PRIZE_SHIFTS * limit), 1).astype(np.int64)
    clients = [
        solver.Client(location=row, service_duration=int(stay), prize=int(prize), required=False)
        for row, (stay, prize) in enumerate(zip(stays, prizes, strict=True), 2)
    ]
    fleet = solver.VehicleType(
        num_available=task.patrols, start_depot=0, end_depot=1, shift_duration=limit,
        unit_distance_cost=0, unit_duration_cost=1,
    )  # fmt: skip
    locations = [solver.Location(0, 0) for _ in places]
    depots = [solver.Depot(location=0), solver.Depot(location=1)]
    return solver.ProblemData(locations, clients, depots, [fleet], [np.zeros_like(steps)], [steps])


def filled(task: RoutingTask, routes: Sequence[Sequence[int]]) -> list[list[int]]:
    """Add every stop that still fits, the most worthy first, where it costs least."""
    made = [list(route) for route in routes][: task.patrols]
    made += [[] for _ in range(task.patrols - len(made))]
    seen = {stop for route in made for stop in route}
    rest = [int(stop) for stop in task.feasible if int(stop) not in seen]
    for stop in sorted(rest, key=lambda stop: (-task.value[stop], stop)):
        best: tuple[float, int, int] | None = None
        for number, route in enumerate(made):
            took = task.took_min(route) if route else 0.0
            for place in range(len(route) + 1):
                then = task.took_min([*route[:place], stop, *route[place:]])
                fits = then <= task.limit_min + EPSILON
                if fits and (best is None or then - took < best[0]):
                    best = then - took, number, place
        if best is not None:
            made[best[1]].insert(best[2], stop)
    return made
