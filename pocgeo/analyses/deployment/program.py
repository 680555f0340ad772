"""The one model of deploying, moving and closing bases, as a mixed-integer program.

Sites x in {0, 1}; for every merged row of demand y in [0, 1]: reached only by a site taken.

    max  sum_t (v_t - v_next) sum_i w_i y_it  +  b sum_i w_i z_i    worth of steps, of backup
    y_i + z_i <= sum_j a_ij x_j                                     z: a second base
    C <= |E| - sum_E x <= C + M,  |E| - C <= sum x <= |E| - C + K   closures, moves, new
    x_e = 1;  sum over some sites >= 1                              kept bases, obligations
    sum_c m_ec + x_e + q_e = 1,  sum_e m_ec + t_c = x_c,            moves within a distance
        sum t <= K,  sum q = C
    lo x_j <= n_j <= hi x_j,  sum n <= total,                       strength
        y_i <= sum_j f_ij,  sum_i w_i f_ij <= cap n_j
    sum_k s_gk <= sum_(i in g) w_i y_i / W_g,  s_gk <= width_k      equity by area, falling slopes
    max -R,  R >= best_s - value_s                                  regret of scenarios

Church and ReVelle (1974), Papers of the Regional Science Association 32, 101-118 (maximal
covering); backup: Hogan and ReVelle (1986), Management Science 32, 1434-1444.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix, csr_matrix

from pocgeo.analyses.deployment.demand import Block, Cover
from pocgeo.analyses.deployment.question import DeploymentQuestion, DeploymentStandard
from pocgeo.analyses.deployment.siting import Floats, Ints, Mask, Siting

__all__ = ["SCALE", "Program", "bind", "deployment_program", "preference"]

SCALE = 1_000.0
"""Worth of everything, for the solver: its tolerances then mean the same everywhere."""

PREFERENCE = 1e-7
"""Part of all worth that a change must bring, and that settles ties."""

SLOPES = ((0.25, 3.0), (0.25, 2.0), (0.5, 1.0))
"""Equity (house default): width of each part of an area's people, and what cover there counts."""


@dataclass(eq=False)
class Program:
    """Columns and rows of a program, gathered block by block."""

    columns_n: int = 0
    rows_n: int = 0
    worth: list[Floats] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    whole: list[Mask] = field(default_factory=list)
    terms: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    least: list[Floats] = field(default_factory=list)
    most: list[Floats] = field(default_factory=list)
    bonus: list[tuple[Ints, Floats]] = field(default_factory=list)
    """Further worth of some columns."""

    platoons: Ints | None = None
    """Columns of the platoons of each site."""

    def columns(
        self, count: int, worth: ArrayLike = 0.0, high: ArrayLike = 1.0, *, whole: bool = False
    ) -> Ints:
        """Add columns from 0 to `high`; give their numbers."""
        at = np.arange(self.columns_n, self.columns_n + count)
        self.columns_n += count
        self.worth.append(np.broadcast_to(np.asarray(worth, dtype=float), count))
        self.low.append(np.zeros(count))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=float), count))
        self.whole.append(np.full(count, whole))
        return at

    def rows(
        self, count: int, terms: list[tuple[Any, Ints, float]], least: ArrayLike, most: ArrayLike
    ) -> None:
        """Add rows; a term is a matrix (None: one each), the columns it speaks of, and a factor."""
        for matrix, columns, factor in terms:
            if matrix is None:
                row, column, value = np.arange(count), columns, np.full(count, factor)
            else:
                part = coo_matrix(matrix)
                row, column = part.row.astype(np.int64), columns[part.col]
                value = part.data * factor
            self.terms.append((row + self.rows_n, column, value))
        self.rows_n += count
        self.least.append(np.broadcast_to(np.asarray(least, dtype=float), count))
        self.most.append(np.broadcast_to(np.asarray(most, dtype=float), count))

    def worths(self) -> Floats:
        """Worth of every column."""
        total: Floats = np.concatenate(self.worth)
        for columns, worth in self.bonus:
            total[columns] += worth
        return total

    def matrix(self) -> Any:
        """Put the rows together."""
        row, column, value = (np.concatenate(part) for part in zip(*self.terms, strict=True))
        return csr_matrix((value, (row, column)), shape=(self.rows_n, self.columns_n))


def every(count: int) -> Any:
    """Make one row of ones."""
    return csr_matrix(np.ones((1, count)))


def groups(of: Ints, count: int, values: ArrayLike = 1.0) -> Any:
    """Make a row for each group, with a value for each member."""
    size = len(of)
    data = np.broadcast_to(np.asarray(values, dtype=float), size)
    return csr_matrix((data, (of, np.arange(size))), shape=(count, size))


def preference(siting: Siting) -> Floats:
    """Give what little each candidate costs: by its name, so that others do not change it."""
    weight = np.array([sum(ord(c) * (i + 1) for i, c in enumerate(n)) for n in siting.site_id])
    tie = (weight * 2_654_435_761 % 2**32) / 2**32
    cost: Floats = np.where(siting.existing, 0.0, PREFERENCE * SCALE * (1.0 + tie))
    return cost


def deployment_program(
    siting: Siting,
    cover: Cover,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    best: Floats | None = None,
) -> tuple[Program, Ints]:
    """Build the program.

    Parameters
    ----------
    siting, cover, question, standard
    best : one per scenario, optional
        Most worth that each scenario could have: the greatest regret is then made least.

    Returns
    -------
    Program, and the columns of the sites in order.
    """
    program = Program()
    x = program.columns(siting.sites_n, -preference(siting), whole=True)
    bind(program, x, siting, question, standard)
    total = np.where(cover.total > 0, cover.total, 1.0)
    parts: list[list[tuple[Ints, Floats]]] = [[] for _ in siting.scenarios]
    for block in cover.blocks:
        scale = SCALE / total[block.scenario]
        parts[block.scenario] += served(program, x, block, standard, siting, scale)
    if best is None:
        for columns, worth in (pair for part in parts for pair in part):
            program.bonus.append((columns, worth / len(siting.scenarios)))
        return program, x
    regret = program.columns(1, -1.0, SCALE)
    for number, part in enumerate(parts):
        columns = np.concatenate([pair[0] for pair in part])
        worth = np.concatenate([pair[1] for pair in part])
        program.bonus.append((columns, worth * 1e-4))
        row = csr_matrix(worth[None, :])
        goal = float(best[number] * SCALE / total[number])
        program.rows(1, [(row, columns, 1.0), (every(1), regret, 1.0)], goal, np.inf)
    return program, x


def served(
    program: Program, x: Ints, block: Block, standard: DeploymentStandard, siting: Siting,
    scale: float,
) -> list[tuple[Ints, Floats]]:  # fmt: skip
    """Add the columns of one block: who is reached, backed, served; give columns and worth."""
    count = len(block.weight)
    if not count:
        return []
    y = program.columns(count)
    terms = [(None, y, 1.0), (block.matrix, x, -1.0)]
    made = []
    if block.second.any():
        z = program.columns(count)
        terms.insert(1, (None, z, 1.0))
        made.append((z, block.second * scale))
    program.rows(count, terms, -np.inf, 0.0)
    if standard.platoons_n is not None and block.step_min == standard.middle_min:
        strength(program, x, y, block, standard)
    weight = block.weight * scale
    if not standard.equity:
        return [(y, weight), *made]
    area = siting.scenarios[block.scenario].area
    demand = siting.scenarios[block.scenario].demand
    made.append((y, weight * np.where(block.area >= 0, 1 - standard.equity, 1.0)))
    if area is not None and (block.area >= 0).any():
        people = np.bincount(area[area >= 0], demand[area >= 0]).astype(np.float64)
        per_person = scale * float(block.weight.sum() / block.people.sum())
        made += fairly(program, y, block, people, per_person * standard.equity)
    return made


def fairly(
    program: Program, y: Ints, block: Block, people: Floats, worth: float
) -> list[tuple[Ints, Floats]]:
    """Add the share of each area that is covered, in parts of falling worth."""
    held = np.flatnonzero(people > 0)
    number = np.full(len(people), -1, dtype=np.int64)
    number[held] = np.arange(len(held))
    rows = np.flatnonzero((block.area >= 0) & (number[block.area] >= 0))
    share = csr_matrix(
        (
            block.people[rows] / people[block.area[rows]],
            (number[block.area[rows]], np.arange(len(rows))),
        ),
        shape=(len(held), len(rows)),
    )
    mean = sum(width * slope for width, slope in SLOPES)
    made: list[tuple[Ints, Floats]] = []
    terms: list[tuple[Any, Ints, float]] = [(share, y[rows], -1.0)]
    for width, slope in SLOPES:
        part = program.columns(len(held), high=width)
        terms.append((None, part, 1.0))
        made.append((part, people[held] * worth * slope / mean))
    program.rows(len(held), terms, -np.inf, 0.0)
    return made


def strength(
    program: Program, x: Ints, y: Ints, block: Block, standard: DeploymentStandard
) -> None:
    """Bind who is reached to the platoons there are: a platoon suffices for so many people.

    Platoons stand where they stand, whatever comes: all scenarios share them.
    """
    sites_n = len(x)
    pair = block.matrix.tocoo()
    if program.platoons is None:
        program.platoons = platoons_at(program, x, standard)
    platoons = program.platoons
    flow = program.columns(len(pair.row))
    rows = pair.row.astype(np.int64)
    program.rows(len(y), [(None, y, 1.0), (groups(rows, len(y)), flow, -1.0)], -np.inf, 0.0)
    load = block.people[rows] / standard.persons_per_platoon
    program.rows(
        sites_n,
        [(groups(pair.col.astype(np.int64), sites_n, load), flow, 1.0), (None, platoons, -1.0)],
        -np.inf,
        0.0,
    )


def platoons_at(program: Program, x: Ints, standard: DeploymentStandard) -> Ints:
    """Add the platoons of every site: none where there is no base, so many in all."""
    count = len(x)
    platoons = program.columns(count, high=standard.platoons_most, whole=True)
    least, most = float(standard.platoons_least), float(standard.platoons_most)
    program.rows(count, [(None, platoons, 1.0), (None, x, -least)], 0.0, np.inf)
    program.rows(count, [(None, platoons, 1.0), (None, x, -most)], -np.inf, 0.0)
    program.rows(1, [(every(count), platoons, 1.0)], 0.0, float(standard.platoons_n or 0))
    return platoons


def bind(
    program: Program, x: Ints, siting: Siting, question: DeploymentQuestion,
    standard: DeploymentStandard,
) -> None:  # fmt: skip
    """Add what any plan must keep to, whatever its worth."""
    bases, places = np.flatnonzero(siting.existing), np.flatnonzero(~siting.existing)
    program.low[0] = np.where(siting.fixed, 1.0, 0.0)
    program.high[0] = np.where(siting.barred & ~siting.fixed, 0.0, 1.0)
    left = len(bases) - question.closures
    program.rows(1, [(every(len(bases)), x[bases], 1.0)], left - question.moves, left)
    program.rows(1, [(every(len(x)), x, 1.0)], left, left + question.new)
    for need in siting.requirements:
        sites = np.array(need.sites, dtype=np.int64)
        program.rows(1, [(every(len(sites)), x[sites], 1.0)], 1.0, np.inf)
    movable = siting.movable(standard.move_limit_km) if question.moves else None
    if movable is not None:
        near = movable[np.ix_(bases, places)] & siting.removable[bases][:, None]
        base, place = np.nonzero(near)
        move = program.columns(len(base))
        new, shut = program.columns(len(places)), program.columns(len(bases))
        program.rows(
            len(bases),
            [(groups(base, len(bases)), move, 1.0), (None, x[bases], 1.0), (None, shut, 1.0)],
            1.0,
            1.0,
        )
        program.rows(
            len(places),
            [(groups(place, len(places)), move, 1.0), (None, new, 1.0), (None, x[places], -1.0)],
            0.0,
            0.0,
        )
        program.rows(1, [(every(len(places)), new, 1.0)], 0.0, float(question.new))
        program.rows(
            1, [(every(len(bases)), shut, 1.0)], float(question.closures), float(question.closures)
        )
