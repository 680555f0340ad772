"""Patrol routes: brute force, an independent judge of feasibility, laws, Chao's instances."""

import itertools
from functools import cache

import numpy as np
import pytest

from pocgeo.analyses.patrols.order import PatrolOrder, clock
from pocgeo.analyses.patrols.routing import RouteSearch, RoutingTask, ladder, searched
from pocgeo.ground.errors import BadInput, UnknownName
from tests.real import SHARED, needs_shared

QUICK = RouteSearch(iterations=80)


def task_of(seed: int, stops: int = 7, patrols: int = 2) -> RoutingTask:
    """Invent places on a plane; minutes differ by direction and keep the triangle roughly."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n = stops + 1
    place = rng.uniform(0, 100, (n, 2))
    minutes = np.hypot(*(place[:, None] - place).transpose(2, 0, 1)) * rng.uniform(1, 1.2, (n, n))
    minutes[rng.random((n, n)) < 0.05] = np.inf
    np.fill_diagonal(minutes, 0.0)
    value = rng.integers(1, 100, n).astype(float)
    stay = rng.uniform(5, 20, n)
    value[0] = stay[0] = 0.0
    limit = float(rng.uniform(120, 350))
    return RoutingTask(
        minutes=minutes, value=value, stay_min=stay, limit_min=limit, patrols=patrols
    )


def best_by_hand(task: RoutingTask) -> float:
    """The greatest value of all: every order of every set, every split among patrols."""
    stops = [stop for stop in range(len(task.value)) if stop not in (task.start, task.end)]

    def quickest(some: tuple[int, ...]) -> float:
        legs = (
            [(task.start, way[0]), *itertools.pairwise(way), (way[-1], task.end)]
            for way in itertools.permutations(some)
        )
        stays = sum(task.stay_min[stop] for stop in some)
        return min(sum(task.minutes[leg] for leg in way) for way in legs) + stays

    fits = [
        frozenset(some)
        for size in range(1, len(stops) + 1)
        for some in itertools.combinations(stops, size)
        if quickest(some) <= task.limit_min
    ]

    @cache
    def most(left: int, used: frozenset[int]) -> float:
        if left == 0:
            return 0.0
        free = (some for some in fits if not some & used)
        worth = (sum(task.value[list(some)]) + most(left - 1, used | some) for some in free)
        return max(worth, default=0.0)

    return most(task.patrols, frozenset())


def judged(task: RoutingTask, routes: tuple[tuple[int, ...], ...]) -> float:
    """Walk every route with a clock; refuse what cannot be walked; give what it collects."""
    assert len(routes) <= task.patrols
    seen: set[int] = set()
    worth = 0.0
    for route in routes:
        now, at = 0.0, task.start
        for stop in route:
            now += task.minutes[at][stop]
            now += task.stay_min[stop]
            assert stop not in seen
            assert stop not in (task.start, task.end)
            seen.add(stop)
            worth += task.value[stop]
            at = stop
        now += task.minutes[at][task.end]
        assert now <= task.limit_min + 1e-6
    return worth


@pytest.mark.parametrize("seed", range(24))
def test_small_tasks_are_solved_exactly(seed: int) -> None:
    task = task_of(seed, stops=4 + seed % 3, patrols=1 + seed % 3)
    found = ladder(task, QUICK)[-1]
    assert judged(task, found.routes) == pytest.approx(found.value)
    assert found.value == pytest.approx(best_by_hand(task))


@pytest.mark.parametrize("seed", range(6))
def test_more_patrols_or_hours_never_collect_less(seed: int) -> None:
    task = task_of(100 + seed, stops=25, patrols=3)
    shifts = [task.limit_min * part for part in (0.4, 0.7)]
    rungs = ladder(task, QUICK, shifts)
    value = np.array([rung.value for rung in rungs]).reshape(3, 3)  # shifts x patrols
    assert (np.diff(value, axis=0) >= -1e-9).all()
    assert (np.diff(value, axis=1) >= -1e-9).all()
    for rung in rungs:
        judge = task.of(patrols=rung.patrols, limit_min=rung.limit_min)
        assert judged(judge, rung.routes) == pytest.approx(rung.value)


def test_asking_for_fewer_patrols_gives_the_rung_of_more() -> None:
    task = task_of(7, stops=25, patrols=3)
    rungs = ladder(task, QUICK)
    for patrols in (1, 2):
        alone = ladder(task.of(patrols=patrols, limit_min=task.limit_min), QUICK)
        assert alone[-1] == rungs[patrols - 1]


def test_the_same_seed_gives_the_same_routes() -> None:
    task = task_of(3, stops=40)
    first, again = (searched(task, RouteSearch(iterations=150, seed=5)) for _ in range(2))
    assert first == again


def test_a_stop_that_is_worth_nothing_or_too_far_changes_nothing() -> None:
    task = task_of(11)
    n = len(task.value)
    minutes = np.full((n + 2, n + 2), 1.0)
    minutes[:n, :n] = task.minutes
    minutes[:, n + 1] = minutes[n + 1] = task.limit_min
    more = RoutingTask(
        minutes=minutes, value=np.append(task.value, [0.0, 1e6]),
        stay_min=np.append(task.stay_min, [0.0, 0.0]), limit_min=task.limit_min, patrols=2,
    )  # fmt: skip
    assert searched(more, QUICK) == searched(task, QUICK)


def test_nothing_in_reach_is_an_empty_plan() -> None:
    task = task_of(1).of(patrols=2, limit_min=0.5)
    found = searched(task, QUICK)
    assert found.routes == ()
    assert found.value == 0


@needs_shared
@pytest.mark.real
@pytest.mark.parametrize(("name", "best"), [("p5.2.m", 860), ("p7.4.s", 1022)])
def test_chaos_instances_come_near_the_best_known(name: str, best: float) -> None:
    """Best known scores of the public results page (see the README beside them)."""
    lines = (SHARED / "team_orienteering" / f"{name}.txt").read_text().split("\n")
    n, patrols = (int(lines[row].split(";")[1]) for row in (0, 1))
    limit = float(lines[2].split(";")[1])
    rows = np.array([[float(each) for each in line.split(";")] for line in lines[3 : 3 + n]])
    east, north, score = rows.T
    task = RoutingTask(
        minutes=np.hypot(east[:, None] - east, north[:, None] - north), value=score,
        stay_min=np.zeros(n), limit_min=limit, patrols=patrols, end=n - 1,
    )  # fmt: skip
    found = searched(task, RouteSearch(iterations=1_000))
    assert judged(task, found.routes) == pytest.approx(found.value)
    assert 0.98 * best <= found.value <= best


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"patrols": 0}, "patrols must be 1 or more"),
        ({"limit_min": 0.0}, "limit_min must be more than 0"),
        ({"value": np.array([0.0, np.nan])}, "value must be 0 or more everywhere"),
        ({"stay_min": np.zeros(3)}, "same 2 places"),
    ],
)
def test_a_task_refuses_nonsense(changed: dict[str, object], says: str) -> None:
    whole: dict[str, object] = {
        "minutes": np.zeros((2, 2)), "value": np.zeros(2), "stay_min": np.zeros(2),
        "limit_min": 60.0,
    }  # fmt: skip
    with pytest.raises(BadInput, match=says):
        RoutingTask(**{**whole, **changed})  # type: ignore[arg-type]


def test_a_base_that_may_not_move_by_night_is_back_by_nightfall() -> None:
    order = PatrolOrder(hours=10, depart_h=12, reserve_min=15)
    shift = order.shift(night_moves=True)  # the order itself is for daylight
    assert (shift.depart_min, shift.limit_min) == (720, 345)
    assert "18:00" in shift.words
    both = PatrolOrder(hours=10, depart_h=20, reserve_min=0, night=True)
    assert both.shift(night_moves=True).limit_min == 600
    for says in (False, None):  # unknown is taken as no
        with pytest.raises(BadInput, match=r"20:00 is in the night.*may not move by night"):
            both.shift(night_moves=says)
    with pytest.raises(BadInput, match="no time is left"):
        PatrolOrder(hours=1, depart_h=17.75, reserve_min=20).shift(night_moves=True)


def test_an_order_refuses_nonsense() -> None:
    for wrong in ({"hours": 25}, {"patrols": 0}, {"stay_min": -1}, {"depart_h": 24.5}):
        with pytest.raises(BadInput):
            PatrolOrder(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Did you mean avoid"):
        PatrolOrder(repeat="avoided")
    with pytest.raises(BadInput, match="iterations must be from 1 to 1,000,000"):
        RouteSearch(iterations=0)


def test_the_clock_says_the_day_after() -> None:
    assert [clock(minutes) for minutes in (425.9, 1439, 1450)] == ["07:05", "23:59", "00:10 (+1)"]
