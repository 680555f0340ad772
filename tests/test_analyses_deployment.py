"""Deployment plans: equal to brute force and spopt, lawful, reproducible, honest."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from pocgeo.analyses.deployment import (
    DeploymentQuestion,
    DeploymentStandard,
    Requirement,
    Scenario,
    Siting,
    best_plan,
    solving,
)
from pocgeo.analyses.deployment.bounds import bound_of
from pocgeo.analyses.deployment.conflicts import Conflict
from pocgeo.analyses.deployment.demand import collapsed, cover_of, reached
from pocgeo.analyses.deployment.options import alternatives, at_speed, ladder, robustness
from pocgeo.analyses.deployment.orders import orders_of
from pocgeo.analyses.deployment.solving import worth_of
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.ground.errors import BadInput

EXACT = DeploymentStandard(gap=0.0, move_limit_km=None)
ONE_HOUR = DeploymentStandard(steps_min=(60.0,), step_weights=(1.0,), speed_change=0.0)


def table_of(minutes: np.ndarray, limit: float = 180.0) -> ReachTable:
    """Make a reach table of a matrix of sites x cells."""
    site, cell = np.nonzero(minutes <= limit)
    count = np.bincount(site, minlength=len(minutes))
    return ReachTable(
        indptr=np.append(0, np.cumsum(count)), cell=cell.astype(np.int32),
        minutes=minutes[site, cell].astype(np.float32), cells_n=minutes.shape[1], limit_min=limit,
    )  # fmt: skip


def siting_of(
    minutes: np.ndarray, demand: np.ndarray, bases: int, places: np.ndarray | None = None, **more
) -> Siting:
    """The first `bases` sites are bases, the others candidates."""
    count = len(minutes)
    given_ = {
        "site_id": tuple(f"S{number}" for number in range(count)),
        "existing": np.arange(count) < bases,
        "scenarios": (Scenario(name="dry", table=table_of(minutes), demand=demand),),
        "fixed": np.zeros(count, bool),
        "barred": np.zeros(count, bool),
        "distance_km": None if places is None else cdist(places, places),
    }
    return Siting(**(given_ | more))


def world(rng: np.random.Generator, cells: int = 40, bases: int = 3, candidates: int = 5, **more):
    """Sites and people on a plane of 150 x 150 minutes."""
    people, places = rng.random((cells, 2)) * 150, rng.random((bases + candidates, 2)) * 150
    minutes = cdist(places, people) + rng.random((bases + candidates, cells)) * 5
    return siting_of(minutes, rng.lognormal(0, 1, cells), bases, places, **more)


def brute(siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard) -> float:
    """Try every set of sites; -1 where none is allowed."""
    cover, best = cover_of(siting, standard), -1.0
    for chosen in itertools.product([False, True], repeat=siting.sites_n):
        mask = np.array(chosen)
        if not siting.allows(mask, question):
            continue
        if not paired(mask, siting, question, standard.move_limit_km):
            continue
        best = max(best, float(worth_of(mask, siting, standard, cover)[0]))
    return best


def paired(
    chosen: np.ndarray, siting: Siting, question: DeploymentQuestion, limit_km: float | None
) -> bool:
    """Try every way to name who closes and who moves where: limits and ways both hold."""
    left = np.flatnonzero(siting.existing & ~chosen).tolist()
    taken = np.flatnonzero(chosen & ~siting.existing).tolist()
    km, moves = siting.distance_km, len(left) - question.closures
    for movers in itertools.permutations(left, moves):
        for places in itertools.combinations(taken, moves):
            pairs = list(zip(movers, places, strict=True))
            near = limit_km is None or all(km[pair] <= limit_km for pair in pairs)
            if near and (siting.passable is None or all(siting.passable[pair] for pair in pairs)):
                return True
    return False


def test_two_hundred_plans_equal_brute_force() -> None:
    rng = np.random.default_rng(0)
    impossible = 0
    for number in range(200):
        needs = ()
        if number % 3 == 0:
            sites = tuple(rng.choice(7, 2, replace=False).tolist())
            needs = (Requirement(kind="obligation", name="camp", sites=sites),)
        fixed = (rng.random(7) < 0.2) & (np.arange(7) < 3)
        siting = world(rng, 25, 3, 4, requirements=needs, fixed=fixed)
        asked = DeploymentQuestion(
            new=int(rng.integers(3)), moves=int(rng.integers(3)), closures=int(rng.integers(2))
        )
        standard = replace(
            EXACT, backup_weight=0.2 * (number % 2), move_limit_km=60.0 if number % 4 == 1 else None
        )
        if number % 5 < 2:  # ways to some places only, with a limit and without
            siting = replace(siting, passable=rng.random((7, 7)) < 0.4)
        best = brute(siting, asked, standard)
        if best < 0:
            impossible += 1
            with pytest.raises(Conflict):
                best_plan(siting, asked, standard)
            continue
        found = best_plan(siting, asked, standard)
        assert found.worth == pytest.approx(best, rel=1e-6), number
        assert found.bound >= best * (1 - 1e-9)
        assert found.gap <= 1e-5
        assert siting.allows(found.chosen, asked)
    assert impossible < 100


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # spopt on a newer PuLP
def test_the_optimum_is_that_of_spopt() -> None:
    pulp = pytest.importorskip("pulp")
    locate = pytest.importorskip("spopt.locate")
    rng = np.random.default_rng(1)
    people, places = rng.random((800, 2)), rng.random((60, 2))
    apart, demand = cdist(people, places), rng.lognormal(0, 1.2, 800)
    model = locate.MCLP.from_cost_matrix(apart, demand, 0.12, 8)
    model = model.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0.0), results=False)
    minutes = np.where(apart.T <= 0.12, 30.0, 999.0)
    found = best_plan(siting_of(minutes, demand, 0), DeploymentQuestion(new=8), ONE_HOUR)
    ours = found.worth * demand.sum()
    assert ours == pytest.approx(pulp.value(model.problem.objective), rel=1e-6)


def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every program too large to be solved."""
    monkeypatch.setattr(solving, "PROGRAM_NONZEROS", 0)
    monkeypatch.setattr(solving, "ROUNDS", 100)


def test_search_holds_its_bound_and_comes_close(monkeypatch: pytest.MonkeyPatch) -> None:
    dense(monkeypatch)
    rng = np.random.default_rng(2)
    for number in range(10):
        siting = world(rng, 300, 4, 20)
        asked = DeploymentQuestion(new=number % 4, moves=number % 3, closures=number % 2)
        found = best_plan(siting, asked, ONE_HOUR, exact=0)
        best = best_plan(siting, asked, replace(ONE_HOUR, gap=0.0))
        assert siting.allows(found.chosen, asked)
        assert found.bound >= best.worth * (1 - 1e-9)
        assert found.worth >= best.worth * 0.98
        again = best_plan(siting, asked, ONE_HOUR, exact=0)
        assert (again.chosen == found.chosen).all()


def test_the_bound_never_lies_below_a_plan() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        siting = world(rng, 60, 3, 8)
        standard = replace(EXACT, backup_weight=0.2)
        asked = DeploymentQuestion(new=int(rng.integers(3)), moves=int(rng.integers(3)))
        cover = cover_of(siting, standard)
        best = best_plan(siting, asked, standard, cover=cover)
        worth = best.worth * float(cover.total[0])
        bound = bound_of(siting, cover.stacked, asked, worth=worth, wanted=worth)
        assert bound.worth >= worth * (1 - 1e-9)
        assert not bound.useless[best.chosen].any()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2), st.integers(0, 2))
def test_more_bases_and_moves_never_lower_the_worth(seed: int, new: int, moves: int) -> None:
    siting = world(np.random.default_rng(seed), 30)
    less = best_plan(siting, DeploymentQuestion(new=new, moves=moves), EXACT).worth
    assert best_plan(siting, DeploymentQuestion(new=new + 1, moves=moves), EXACT).worth >= less
    assert best_plan(siting, DeploymentQuestion(new=new, moves=moves + 1), EXACT).worth >= less


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_an_unused_candidate_changes_nothing(seed: int) -> None:
    siting = world(np.random.default_rng(seed), 30)
    asked = DeploymentQuestion(new=1, moves=1)
    found = best_plan(siting, asked, EXACT)
    unused = np.flatnonzero(~found.chosen & ~siting.existing)
    fewer = best_plan(siting.without(unused[:1]), asked, EXACT)
    assert (fewer.chosen == found.chosen).all()
    assert fewer.worth == found.worth


def test_no_base_moves_for_nothing() -> None:
    minutes = np.array([[10.0, 10.0], [10.0, 10.0], [10.0, 10.0]])
    found = best_plan(siting_of(minutes, np.ones(2), 1), DeploymentQuestion(new=2, moves=1), EXACT)
    assert found.chosen.tolist() == [True, False, False]


def test_collapsing_loses_nothing_and_keeps_areas_apart() -> None:
    rng = np.random.default_rng(4)
    siting = world(rng, 400, 0, 4)
    matrix, weight, cells = reached(siting.scenarios[0], 60.0)
    merged, _ = collapsed(matrix, weight)
    patterns = {tuple(row) for row in matrix.toarray()}
    assert merged.matrix.shape[0] == len(patterns)
    assert merged.weight.sum() == pytest.approx(weight.sum())
    area = rng.integers(0, 3, 400)
    kept, of = collapsed(matrix, weight, cells, area)
    for number in range(3):
        total = weight[area[cells] == number].sum()
        assert kept.weight[of == number].sum() == pytest.approx(total)


def test_a_base_moves_only_where_it_has_a_way() -> None:
    """Two bases in a corner, a barrier between one of them and the town of a thousand people."""
    minutes = np.array([[10.0, 500.0], [10.0, 500.0], [500.0, 10.0]])
    demand, km = np.array([1.0, 1000.0]), np.array([[0.0], [5.0], [20.0]])
    siting, asked = siting_of(minutes, demand, 2, km), DeploymentQuestion(moves=1)
    near = replace(ONE_HOUR, move_limit_km=150.0)
    ways = np.zeros((3, 3), bool)
    barred = replace(siting, passable=ways.copy())
    assert best_plan(barred, asked, near).chosen.tolist() == [True, True, False]
    ways[0, 2] = True  # a bridge for the farther one
    bridged = replace(siting, passable=ways)
    assert orders_of(best_plan(siting, asked, near).chosen, siting, 0, cdist(km, km))
    for limit_km in (150.0, None):
        found = best_plan(bridged, asked, replace(near, move_limit_km=limit_km))
        assert found.chosen.tolist() == [False, True, True]
        assert found.worth == pytest.approx(1.0)
    short = best_plan(bridged, asked, replace(near, move_limit_km=15.0))
    assert short.chosen.tolist() == [True, True, False]
    with pytest.raises(BadInput, match="cannot all be within 150 km and have a way"):
        orders_of(np.array([True, False, True]), bridged, 0, cdist(km, km), 150.0)


def test_a_place_that_must_be_taken_and_has_no_way_is_a_conflict() -> None:
    minutes = np.full((3, 1), 10.0)
    needs = (Requirement(kind="protected place", name="the mill", sites=(2,)),)
    siting = siting_of(minutes, np.ones(1), 2, np.zeros((3, 1)), requirements=needs)
    siting = replace(siting, passable=np.zeros((3, 3), bool))
    with pytest.raises(Conflict) as caught:
        best_plan(siting, DeploymentQuestion(moves=1), EXACT)
    assert caught.value.demands == ("moves only where there is a way", "protected place the mill")


def test_what_conflicts_is_named() -> None:
    siting = world(np.random.default_rng(5), fixed=np.arange(8) < 2)
    with pytest.raises(Conflict, match=r"2 closures.*bases kept: S0, S1"):
        best_plan(siting, DeploymentQuestion(closures=2), EXACT)
    needs = tuple(Requirement(kind="obligation", name=f"at S{n}", sites=(n,)) for n in (0, 1, 2))
    siting = world(np.random.default_rng(5), requirements=needs)
    with pytest.raises(Conflict) as caught:
        best_plan(siting, DeploymentQuestion(closures=1), EXACT)
    assert caught.value.demands == tuple(f"obligation at S{n}" for n in (0, 1, 2))
    with pytest.raises(Conflict, match="5 closures"):
        best_plan(siting, DeploymentQuestion(closures=5), EXACT)
    few = replace(EXACT, platoons_n=2, platoons_least=1)
    with pytest.raises(Conflict, match="2 platoons in all"):
        best_plan(world(np.random.default_rng(5)), DeploymentQuestion(new=1), few)


def test_strength_binds_who_is_served() -> None:
    minutes = np.array([[10.0, 10.0, 500.0], [500.0, 500.0, 10.0]])
    siting = siting_of(minutes, np.array([60.0, 60.0, 60.0]), 1)
    standard = replace(ONE_HOUR, platoons_n=2, platoons_most=2, persons_per_platoon=60.0, gap=0.0)
    found = best_plan(siting, DeploymentQuestion(new=1), standard)
    assert found.worth == pytest.approx(2 / 3)  # two platoons serve 120 of 180, wherever they are
    assert found.platoons is not None
    assert found.platoons.sum() <= 2
    more = best_plan(siting, DeploymentQuestion(new=1), replace(standard, platoons_n=3))
    assert more.worth == pytest.approx(1.0)
    assert more.platoons is not None
    assert more.platoons.tolist() == [2, 1]


def served(minutes: np.ndarray, demand: np.ndarray, platoons: tuple[int, ...]) -> float:
    """Share of the demand that some platoons serve, one unit of demand each: a transport."""
    site, cell = np.nonzero(minutes <= 60)
    if not len(site):
        return 0.0
    room = (site == np.arange(len(minutes))[:, None]).astype(float)
    people = (cell == np.arange(len(demand))[:, None]).astype(float)
    most = np.concatenate([np.array(platoons, float), demand])
    found = linprog(-np.ones(len(site)), A_ub=np.vstack([room, people]), b_ub=most)
    return float(-found.fun / demand.sum())


def test_strength_in_several_scenarios_equals_brute_force() -> None:
    """The same platoons stand in the dry season and in the wet: least worst regret, tried out."""
    rng = np.random.default_rng(11)
    asked = DeploymentQuestion(new=1, moves=1)
    shared = 0
    for _ in range(8):
        first, other = world(rng, 6, 2, 2), world(rng, 6, 2, 2)
        siting = replace(first, scenarios=(*first.scenarios, *other.scenarios))
        demands = [each.demand * 4 / each.demand.sum() for each in siting.scenarios]
        siting = replace(
            siting,
            scenarios=tuple(
                replace(each, demand=demand)
                for each, demand in zip(siting.scenarios, demands, strict=True)
            ),
        )
        standard = replace(
            ONE_HOUR, gap=0.0, move_limit_km=None, platoons_n=3, platoons_most=2,
            persons_per_platoon=1.0,
        )  # fmt: skip
        tables = []
        for each in siting.scenarios:
            minutes = np.full((4, 6), 999.0)
            minutes[each.table.site, each.table.cell] = each.table.minutes
            tables.append(minutes)
        worths = []
        for platoons in itertools.product(range(3), repeat=4):
            chosen = np.array(platoons) > 0
            if sum(platoons) <= 3 and siting.allows(chosen, asked):
                pairs = zip(tables, demands, strict=True)
                worths.append([served(table, demand, platoons) for table, demand in pairs])
        best = np.max(worths, axis=0)
        least = (best - np.array(worths)).max(axis=1).min()
        found = best_plan(siting, asked, standard)
        assert 1 - found.worth == pytest.approx(max(least, 0.0), abs=1e-5)
        assert found.platoons is not None
        ours = [served(*pair, tuple(found.platoons)) for pair in zip(tables, demands, strict=True)]
        assert found.by_scenario.tolist() == pytest.approx(ours, abs=1e-5)
        assert found.platoons.sum() <= 3
        shared += least > 1e-3
    assert shared >= 2  # some worlds pull the platoons two ways


def test_equity_serves_the_area_that_has_nothing() -> None:
    minutes = np.full((3, 20), 500.0)
    minutes[0, :6] = minutes[1, 6:9] = minutes[2, 10:12] = 10.0
    area = (np.arange(20) >= 10).astype(np.int64)
    scenario = Scenario(name="dry", table=table_of(minutes), demand=np.ones(20), area=area)
    siting = siting_of(minutes, np.ones(20), 1, scenarios=(scenario,))
    asked = DeploymentQuestion(new=1)
    assert best_plan(siting, asked, ONE_HOUR).chosen.tolist() == [True, True, False]
    fair = best_plan(siting, asked, replace(ONE_HOUR, equity=1.0))
    assert fair.chosen.tolist() == [True, False, True]


def test_regret_is_least_in_the_worst_scenario() -> None:
    rng = np.random.default_rng(6)
    for _ in range(8):
        siting = world(rng, 30, 2, 5)
        other = replace(siting.scenarios[0], name="wet", demand=rng.lognormal(0, 1, 30))
        both = replace(siting, scenarios=(siting.scenarios[0], other))
        asked = DeploymentQuestion(new=1, moves=1)
        cover = cover_of(both, EXACT)
        best = [best_plan(both.only(n), asked, EXACT).worth for n in (0, 1)]
        least = min(
            float((np.array(best) - worth_of(np.array(mask), both, EXACT, cover)).max())
            for mask in itertools.product([False, True], repeat=7)
            if both.allows(np.array(mask), asked)
        )
        found = best_plan(both, asked, EXACT)
        assert 1 - found.worth == pytest.approx(max(least, 0.0), abs=1e-5)
        assert found.bound >= found.worth


def test_ladder_alternatives_and_robustness_agree_with_the_plan() -> None:
    siting = world(np.random.default_rng(7), 80, 3, 8)
    asked = DeploymentQuestion(new=2, moves=1)
    standard = replace(EXACT, speed_change=0.3)
    found = best_plan(siting, asked, standard)
    steps = ladder(siting, asked, standard, found)
    for _, rows in steps.groupby("change"):
        assert (rows["worth_share"].diff().dropna() >= -1e-12).all()
        assert rows.loc[rows["asked"], "worth_share"].item() == found.worth
    others = alternatives(siting, asked, standard, found)
    assert set(others["site"]) == set(np.flatnonzero(found.chosen != siting.existing))
    assert (others["loss_share"].dropna() >= 0).all()
    for _, row in others.iterrows():
        if row["chosen"] is not None:
            assert row["chosen"][row["site"]] == siting.existing[row["site"]]
    firm = robustness(siting, asked, standard, found, np.zeros(11), {"alike": np.ones(80)})
    assert firm["assumption"].tolist() == [
        "as assumed", "speeds 30% slower", "speeds 30% faster", "alike"
    ]  # fmt: skip
    assert (firm["regret_share"] >= 0).all()
    assert firm["regret_share"].iloc[0] == 0
    assert firm["worth_share"].iloc[1] <= firm["worth_share"].iloc[0] + 1e-12


def test_speeds_change_the_way_and_not_the_readiness() -> None:
    slow = at_speed(table_of(np.array([[90.0, 30.0]])), 0.5, np.array([30.0]))
    assert slow.minutes.tolist() == [150.0, 30.0]
    with pytest.raises(BadInput, match="holds up to"):
        at_speed(table_of(np.array([[90.0]])), 2.0, np.array([30.0])).covers(120.0)


def test_moves_are_paired_by_the_fewest_kilometres() -> None:
    km = np.array([[0.0], [10.0], [1.0], [11.0]])
    siting = siting_of(np.full((4, 1), 10.0), np.ones(1), 2)
    chosen = np.array([False, False, True, True])
    orders = orders_of(chosen, siting, 0, cdist(km, km))
    assert [(order.base, order.place) for order in orders] == [(0, 2), (1, 3)]
    orders = orders_of(np.array([False, False, False, True]), siting, 1, cdist(km, km))
    assert [tuple(order) for order in orders] == [("move", 1, 3), ("close", 0, -1)]
    with pytest.raises(BadInput, match=r"within 0.5 km"):
        orders_of(chosen, siting, 0, cdist(km, km), 0.5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"steps_min": (60.0, 30.0), "step_weights": (1.0, 0.5)}, "must rise"),
        ({"step_weights": (1.0,)}, "as many"),
        ({"backup_weight": 0.5}, "backup_weight must lie between 0 and 0.35"),
        ({"equity": 2.0}, "equity"),
        ({"demand": "gold"}, "demand must be"),
        ({"persons_per_platoon": 0.0}, "persons_per_platoon"),
    ],
)
def test_a_standard_refuses_nonsense(wrong: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        DeploymentStandard(**wrong)


def test_a_question_refuses_less_than_nothing() -> None:
    with pytest.raises(BadInput, match="moves must be from 0 to 1,000"):
        DeploymentQuestion(moves=-1)
    assert DeploymentQuestion(new=1, closures=2).words == "1 new base, 2 closures"
