"""An attacker who keeps every product, knows how pieces are made, and does the sums.

The attacker holds, of 20 successive releases, what partners and the public get: counts by cell,
by parent, by area, totals, and monthly figures; and is told besides which cells each piece joins.
All of it is a system of linear equations over whole counts, 0 or more. The attacker has won where
a count from 1 to k - 1 that nobody was shown can take fewer than k - 1 values.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from pocgeo.cells import grid
from pocgeo.products.disclosure import Policy, ReleaseContext, policy, release
from pocgeo.products.exports import export
from pocgeo.products.indicator_release import indicators_outward
from pocgeo.products.pieces import pieces
from pocgeo.products.register import IncidentRecord, Register, as_json, from_json, places

CASES = int(os.environ.get("POCGEO_ATTACK_CASES", "400"))
"""1,000 before a release: POCGEO_ATTACK_CASES=1000."""
RELEASES = 20
K = 5
RULES = policy("partners")
MONTHS = [
    (pd.Timestamp("2024-01-31") + pd.offsets.MonthEnd(month)).date() for month in range(RELEASES)
]
DISK = grid.disk(grid.cells_of([7.0], [0.5], 6), 3)
PARENTS = np.unique(grid.parents(DISK, 5), return_inverse=True)[1]


@dataclass
class Case:
    """A small area: true counts by cell and month, and where the cells lie."""

    cells: np.ndarray
    parent: np.ndarray
    area: np.ndarray
    counts: np.ndarray  # cells x months
    seed: int = 0

    @cached_property
    def record(self) -> IncidentRecord:
        at, month = np.nonzero(self.counts)
        repeat = self.counts[at, month].astype(int)
        days = np.array(MONTHS, dtype="datetime64[D]")[month]
        return IncidentRecord(
            cells=self.cells,
            areas=pd.DataFrame({"admin1_id": self.area}),
            at=np.repeat(at, repeat),
            day=np.repeat(days, repeat),
            weight=np.ones(int(repeat.sum())),
        )


def case_of(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 11))
    chosen = np.sort(rng.choice(len(DISK), n, replace=False))
    parent = np.unique(PARENTS[chosen], return_inverse=True)[1]
    area = rng.integers(0, int(rng.integers(1, 4)), parent.max() + 1)[parent]
    if rng.random() < 0.3:  # borders that cut through parents
        area = rng.integers(0, 2, n)
    rate = rng.gamma(0.6, 0.5, n) * rng.choice([0.2, 1.0, 3.0])
    counts = rng.poisson(rate[:, None] * rng.gamma(2.0, 0.5, RELEASES)[None, :])
    return Case(DISK[chosen], parent, area, counts, seed)


# what is published: (cells, months, count)

Fact = tuple[np.ndarray, np.ndarray, float]


def naive(case: Case) -> list[Fact]:
    """Blank the small counts of every release; show parents, areas and totals."""
    facts: list[Fact] = []
    every = np.arange(len(case.cells))
    for last in range(RELEASES):
        months = np.arange(last + 1)
        for groups in (every, case.parent, case.area, np.zeros_like(every)):
            for group in np.unique(groups):
                where = np.flatnonzero(groups == group)
                count = case.counts[np.ix_(where, months)].sum()
                if count == 0 or count >= K:
                    facts.append((where, months, float(count)))
    return facts


def gated(case: Case) -> list[Fact]:
    """Everything that 20 releases of the gate give to partners and to the public."""
    register, record = Register(k=K, coarser_by=0), case.record
    before: np.ndarray | float = 0.0
    facts: list[Fact] = []
    atoms = np.lexsort((case.cells, case.area))  # a piece is of atoms: areas first, then cells
    for last, day in enumerate(MONTHS):
        known = places(record, register, day, K)
        if last % 10 == 9:  # a stricter audience, the areas, and the register read back
            stricter = places(record, register, day, 2 * K)
            facts += facts_of_pieces(stricter.piece, stricter.basis, register)
            facts += facts_of_areas(case, known, register)
            register = from_json(as_json(register))
        if register.slices and register.slices[-1].until == day:
            shown = known.count - before
            part = register.slices[-1]
            months = slice_months(register, len(register.slices) - 1)
            for piece in np.unique(part.piece):
                where = atoms[part.piece == piece]
                # what the table shows adds up to the piece
                assert shown[where].sum() == pytest.approx(part.value[piece])
                facts.append((where, months, float(part.value[piece])))
        before = np.nan_to_num(known.count)
    if case.seed % 5 == 0:
        facts += facts_of_months(case, register)
    return facts


def published(case: Case, folder: Path) -> list[Fact]:
    """What stands in the csv files of 20 releases, summed by the pieces the attacker is told.

    The public's coarser cells are sums of the partners' cells: they add nothing.
    """
    register, before = Register(k=K, coarser_by=0), np.zeros(len(case.cells))
    atoms = np.lexsort((case.cells, case.area))
    facts: list[Fact] = []
    for last, day in enumerate(MONTHS):
        given = [
            csv_of(case, last, register, (rules, folder))
            for rules in (replace(RULES, coarser_by=0), replace(policy("public"), coarser_by=1))
        ]
        fine = given[0].reindex(case.cells)
        parents = pd.Series(grid.parents(case.cells, 5), index=case.cells)
        above = fine["incidents"].groupby(parents).sum(min_count=1)
        pd.testing.assert_series_equal(
            given[1]["incidents"], above, check_names=False, atol=0.01 * len(case.cells), rtol=0
        )
        shown = fine["incidents"].to_numpy()
        alone = np.flatnonzero((fine["joined_n"] == 1).to_numpy())
        facts += [(np.array([at]), np.arange(last + 1), shown[at].round()) for at in alone
                  if register.slices and register.slices[-1].until == day]  # fmt: skip
        if register.slices and register.slices[-1].until == day:
            part, months = register.slices[-1], slice_months(register, len(register.slices) - 1)
            for piece in np.unique(part.piece):
                where = atoms[part.piece == piece]
                facts.append((where, months, float((shown - before)[where].sum().round())))
        before = np.nan_to_num(shown)
    return facts


def csv_of(case: Case, last: int, register: Register, asked: tuple[Policy, Path]) -> pd.DataFrame:
    """Release the counts up to a month, write them as csv, and read what stands there."""
    rules, folder = asked
    table = pd.DataFrame(
        {
            "cell": case.cells,
            "admin1_id": case.area.astype(str),
            "incidents": case.counts[:, : last + 1].sum(axis=1).astype(float),
        }
    )
    context = ReleaseContext(
        marking="UNCLASSIFIED", cut_off_on=MONTHS[last], record=case.record, register=register
    )
    out = release(table, rules, name="hotspots", title="Hotspots", context=context)
    read = pd.read_csv(export(out, folder / "h.csv", "csv"), comment="#")
    read["cell"] = read["cell"].map(lambda said: int(str(said), 16))
    return read.set_index("cell").sort_index()


def slice_months(register: Register, number: int) -> np.ndarray:
    ends = [MONTHS.index(part.until) for part in register.slices]
    first = 0 if number == 0 else ends[number - 1] + 1
    return np.arange(first, ends[number] + 1)


def facts_of_pieces(piece: np.ndarray, basis: np.ndarray, register: Register) -> list[Fact]:
    if not register.slices or len(register.slices) > 1:
        return []  # of later slices the basis holds only what lies wholly inside
    months = slice_months(register, 0)
    return [
        (np.flatnonzero(piece == each), months, float(basis[each]))
        for each in np.unique(piece)
        if np.isfinite(basis[each])
    ]


def facts_of_areas(case: Case, known, register: Register) -> list[Fact]:
    """Areas whose value rests on a known count: told to the attacker as if it were printed."""
    if not register.slices or len(register.slices) > 1:
        return []
    names, basis = known.of_areas("admin1_id")
    months = slice_months(register, 0)
    return [
        (np.flatnonzero(case.area == name), months, float(count))
        for name, count in zip(names, basis, strict=True)
        if np.isfinite(count)
    ]


def facts_of_months(case: Case, register: Register) -> list[Fact]:
    table = pd.DataFrame(
        {
            "month_on": [pd.Timestamp(day).replace(day=1) for day in MONTHS],
            "area_kind": "AOI", "area_id": "AOI", "area": "all", "category": "all",
            "indicator": "incidents_against_civilians", "unit": "incidents",
            "value": case.counts.sum(axis=0).astype(float), "n": 99.0,
        }
    )  # fmt: skip
    ends = [part.until for part in register.slices]
    out, _ = indicators_outward(table, RULES, {}, ends)
    every = np.arange(len(case.cells))
    month = [MONTHS.index((day + pd.offsets.MonthEnd(0)).date()) for day in out["month_on"]]
    return [
        (every, np.array([number]), float(value))
        for number, value in zip(month, out["value"], strict=True)
        if np.isfinite(value)
    ]


# the attack


def targets(case: Case) -> list[Fact]:
    """Counts nobody was to learn: cells, parents and areas over all time, and whole months."""
    every = np.arange(len(case.cells))
    months = np.arange(RELEASES)
    found: list[Fact] = []
    for groups in (every, case.parent, case.area):
        for group in np.unique(groups):
            where = np.flatnonzero(groups == group)
            for span in (months, months[: RELEASES // 2], months[-1:]):
                found.append((where, span, float(case.counts[np.ix_(where, span)].sum())))
    found += [(every, months[at : at + 1], float(case.counts[:, at].sum())) for at in months]
    return [fact for fact in found if 0 < fact[2] < K]


def system(case: Case, facts: list[Fact]) -> tuple[np.ndarray, np.ndarray]:
    """Equations over counts by cell and month; months nobody tells apart are one."""
    rows = np.zeros((len(facts), *case.counts.shape))
    for row, (where, months, _) in enumerate(facts):
        rows[row][np.ix_(where, months)] = 1.0
    return rows.reshape(len(facts), -1), np.array([count for *_, count in facts])


def sharpened(facts: list[Fact]) -> list[Fact]:
    """Subtract, for every place, each release from the next."""
    out = list(facts)
    by_place: dict[tuple[int, ...], list[Fact]] = {}
    for fact in facts:
        by_place.setdefault(tuple(fact[0]), []).append(fact)
    for held in by_place.values():
        for (where, less, least), (_, more, most) in pairwise(
            sorted(held, key=lambda f: len(f[1]))
        ):
            if set(less) < set(more):
                out.append((where, np.setdiff1d(more, less), most - least))
    return out


def solved(left: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """Number the targets that are a combination of the equations."""
    basis = np.linalg.svd(left, full_matrices=False)
    held = basis.Vh[basis.S > 1e-8]
    rest = aim - (aim @ held.T) @ held
    return np.flatnonzero(np.abs(rest).max(axis=1) < 1e-6)


def propagated(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Narrow every unknown by every equation until nothing moves."""
    low = np.zeros(left.shape[1])
    high = np.full(left.shape[1], 1e6)
    up, down = np.maximum(left, 0), np.maximum(-left, 0)
    for _ in range(12):
        least = up @ low - down @ high
        most = up @ high - down @ low
        room_up = (right - least)[:, None]
        room_down = (most - right)[:, None]
        highs = np.where(left > 0, low + room_up, np.where(left < 0, low + room_down, np.inf))
        lows = np.where(left > 0, high - room_down, np.where(left < 0, high - room_up, -np.inf))
        new_high = np.minimum(high, highs.min(axis=0))
        new_low = np.maximum(low, lows.max(axis=0))
        if np.array_equal(new_low, low) and np.array_equal(new_high, high):
            break
        low, high = new_low, new_high
    return low, high


def extreme(sign: int, aim: np.ndarray, left: np.ndarray, right: np.ndarray) -> float:
    """Least or greatest value that all equations allow."""
    solved = linprog(sign * aim, A_eq=left, b_eq=right, method="highs")
    assert solved.status in {0, 3}, solved.message  # 2 would say that the gate contradicts itself
    return sign * solved.fun if solved.status == 0 else np.inf


def won(case: Case, facts: list[Fact], *, exactly: int = 0) -> list[tuple[Fact, float, float]]:
    """Targets the attacker pins down: by propagation, and `exactly` many by linear programming."""
    aims = targets(case)
    if not aims or not facts:
        return []
    left, right = system(case, sharpened(facts))
    aim, _ = system(case, aims)
    wide = np.block([[left, np.zeros((len(left), len(aim)))], [aim, -np.eye(len(aim))]])
    low, high = propagated(wide, np.concatenate([right, np.zeros(len(aim))]))
    n = left.shape[1]
    ends = [(low[n + at], high[n + at]) for at in range(len(aims))]
    for at in solved(left, aim):  # a sum of equations: known outright
        ends[at] = (aims[at][2], aims[at][2])
    for at in np.argsort([most - least for least, most in ends], kind="stable")[:exactly]:
        span = [extreme(sign, aim[at], left, right) for sign in (1, -1)]
        ends[at] = (max(ends[at][0], span[0]), min(ends[at][1], span[1]))
    return [
        (fact, least, most)
        for fact, (least, most) in zip(aims, ends, strict=True)
        if np.floor(most + 1e-6) - np.ceil(least - 1e-6) + 1 < K - 1
    ]


def attack(publish: Callable[[Case], list[Fact]], seeds: range, every: int) -> tuple[int, int]:
    """Number of cases in which something is recovered, and of counts aimed at."""
    lost = aims = 0
    for seed in seeds:
        case = case_of(seed)
        found = won(case, publish(case), exactly=3 if seed % every == 0 else 0)
        lost += bool(found)
        aims += len(targets(case))
    return lost, aims


def test_the_attacker_wins_against_blanks() -> None:
    lost, aims = attack(naive, range(6), every=1_000)
    assert aims > 100
    assert lost >= 5


def test_the_attacker_recovers_no_suppressed_count_from_the_gate() -> None:
    lost, aims = attack(gated, range(CASES), every=25)
    assert aims > CASES
    assert lost == 0


def test_what_stands_in_the_published_files_recovers_no_suppressed_count(tmp_path) -> None:
    lost, aims = attack(lambda case: published(case, tmp_path), range(0, CASES, CASES // 4), 1)
    assert aims > 40
    assert lost == 0


def test_a_reader_who_knows_the_method_is_left_with_as_many_values() -> None:
    """Every area of three cells with up to 3k - 1 each: what else would have been printed so?"""
    k, top, one = 4, 11, np.zeros(3, dtype=np.int64)
    alike: dict[tuple, list[tuple[int, ...]]] = {}
    for counts in product(range(top + 1), repeat=3):
        piece, shown = pieces(np.array(counts, dtype=float), [one], k)
        sums = np.where(shown, np.bincount(piece, counts, minlength=len(shown)), -1.0)
        alike.setdefault((*piece, *sums), []).append(counts)
    judged = 0
    for printed, each in alike.items():
        for cell in range(3):
            piece_sum = printed[3 + int(printed[cell])]
            values = {counts[cell] for counts in each}
            if 0 <= piece_sum <= top and any(0 < value < k for value in values):
                judged += 1
                assert len(values) >= k - 1, (printed, values)
    assert judged > 100
