"""Good plans where the program is too dense to solve: drop, add, exchange, and shake.

Greedy adding reaches at least 63 % of the best (Nemhauser, Wolsey and Fisher 1978); exchange
(Teitz and Bart 1968) and shaking close nearly all of the rest. The bound comes from elsewhere
(`bounds`), so that what is left open is known. Rounds are counted, never timed, and seeded.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, vstack

from pocgeo.analyses.deployment.demand import Block
from pocgeo.analyses.deployment.question import DeploymentQuestion
from pocgeo.analyses.deployment.siting import Floats, Ints, Mask, Siting

__all__ = ["Search", "improved", "shaken", "start"]

BETTER = 1e-12
SAMPLE = 10
SLACK = 0.002
"""A shaken plan this share worse is still built on."""


class Search:
    """A set of sites, how often it reaches each row, and what each site would add."""

    def __init__(self, siting: Siting, block: Block, question: DeploymentQuestion) -> None:
        needs, pull = requirements(siting, float((block.weight + block.second).sum()))
        matrix = vstack([block.matrix, needs]).tocsr() if len(pull) else block.matrix
        self.by_row = csr_matrix(matrix)
        self.by_site = csc_matrix(matrix)
        self.first = np.concatenate([block.weight, pull])
        self.second = np.concatenate([block.second, np.zeros(len(pull))])
        self.siting, self.question = siting, question
        self.taken = np.zeros(siting.sites_n, dtype=bool)
        self.count = np.zeros(len(self.first), dtype=np.int64)
        self.gain: Floats = self.by_row.T @ self.first
        self.worth = 0.0
        self.slack = SLACK * float((block.weight + block.second).sum())

    def copy(self) -> "Search":
        """Give a search of its own that stands where this one does."""
        other = object.__new__(Search)
        other.__dict__.update(self.__dict__)
        other.taken, other.count, other.gain = (
            self.taken.copy(), self.count.copy(), self.gain.copy(),
        )  # fmt: skip
        return other

    def rows_of(self, site: int) -> NDArray[np.integer[Any]]:
        """Rows that a site reaches."""
        start, end = self.by_site.indptr[site : site + 2]
        rows: NDArray[np.integer[Any]] = self.by_site.indices[start:end]
        return rows

    def add(self, site: int) -> None:
        """Take a site."""
        rows = self.rows_of(site)
        seen = self.count[rows]
        self.count[rows] += 1
        self.taken[site] = True
        self.worth += float(self.gain[site])
        self.shift(rows, seen == 0, self.second[rows] - self.first[rows])
        self.shift(rows, seen == 1, -self.second[rows])

    def drop(self, site: int) -> None:
        """Give a site up."""
        rows = self.rows_of(site)
        self.count[rows] -= 1
        left = self.count[rows]
        self.taken[site] = False
        self.shift(rows, left == 0, self.first[rows] - self.second[rows])
        self.shift(rows, left == 1, self.second[rows])
        self.worth -= float(self.gain[site])

    def shift(self, rows: NDArray[np.integer[Any]], some: Mask, by: Floats) -> None:
        """Change what all sites would add, where rows changed."""
        changed, amount = rows[some], by[some]
        moved = amount != 0
        if moved.any():
            part = self.by_row[changed[moved]]
            np.add.at(self.gain, part.indices, np.repeat(amount[moved], np.diff(part.indptr)))

    def instead_of(self, site: int) -> Mask:
        """Sites that may be taken in place of one that was just given up."""
        siting, asked = self.siting, self.question
        gone = int((siting.existing & ~self.taken).sum())
        allowed = ~self.taken & ~siting.barred
        if siting.existing[site]:  # a base went: another may come back, or a place is taken
            if gone > asked.closures + asked.moves:
                allowed &= siting.existing
        elif gone - 1 < asked.closures:  # a place went: a base may come back unless it must go
            allowed &= ~siting.existing
        allowed[site] = True
        return allowed

    @property
    def changeable(self) -> Ints:
        """Sites taken that may be given up."""
        free = self.taken & ~self.siting.fixed
        if not self.question.moves + self.question.closures:
            free &= ~self.siting.existing
        return np.flatnonzero(free)

    def best(self, allowed: Mask) -> int:
        """Find the allowed site that adds most; the first of equals."""
        return int(np.argmax(np.where(allowed, self.gain, -np.inf)))

    def exchange(self, site: int) -> bool:
        """Replace a site by a better one; say whether there was one."""
        self.drop(site)
        other = self.best(self.instead_of(site))
        better = self.gain[other] > self.gain[site] * (1 + BETTER) + BETTER
        self.add(other if better else site)
        return bool(better)


def requirements(siting: Siting, worth: float) -> tuple[Any, Floats]:
    """Turn requirements into rows worth more than all else together."""
    needs = siting.requirements
    site = np.array([site for need in needs for site in need.sites], dtype=np.int64)
    row = np.repeat(np.arange(len(needs)), [len(need.sites) for need in needs])
    shape = (len(needs), siting.sites_n)
    return csr_matrix((np.ones(len(site)), (row, site)), shape=shape), np.full(
        len(needs), 2.0 * worth + 1.0
    )


def start(siting: Siting, block: Block, question: DeploymentQuestion) -> Search:
    """Take today's bases, give up those that cost least, add places that bring most."""
    search = Search(siting, block, question)
    standing = siting.existing & ~(siting.barred & ~siting.fixed)
    for site in np.flatnonzero(standing | siting.fixed).tolist():
        search.add(site)
    gone = int((siting.existing & ~search.taken).sum())
    for _ in range(max(question.closures - gone, 0)):
        free = search.changeable
        free = free[siting.existing[free]]
        if not len(free):
            break
        search.drop(int(free[np.argmin([loss(search, int(site)) for site in free])]))
    gone = int((siting.existing & ~search.taken).sum())
    taken = int((search.taken & ~siting.existing).sum())
    for _ in range(question.new + max(gone - question.closures, 0) - taken):
        allowed = ~search.taken & ~siting.barred & ~siting.existing
        most = search.best(allowed)
        if not allowed.any() or search.gain[most] <= 0:
            break
        search.add(most)
    return search


def loss(search: Search, site: int) -> float:
    """Worth that goes with a site."""
    rows = search.rows_of(site)
    left = search.count[rows]
    return float(search.first[rows][left == 1].sum() + search.second[rows][left == 2].sum())


def improved(search: Search) -> Search:
    """Exchange site by site until no exchange helps."""
    stale, turn = 0, 0
    while True:
        free = search.changeable
        if stale >= len(free):
            return search
        stale = 0 if search.exchange(int(free[turn % len(free)])) else stale + 1
        turn += 1


def shaken(search: Search, rounds: int, rng: np.random.Generator) -> Search:
    """Throw some sites out for random good ones, improve, keep the best; so many rounds."""
    best, now = search, search
    for _ in range(rounds):
        trial = now.copy()
        free = trial.changeable
        changed = free[~trial.siting.existing[free]] if trial.siting.existing.any() else free
        pool = changed if len(changed) > 1 else free
        if len(pool) < 1:
            return best
        kicks = min(len(pool), 2 + int(rng.integers(max(1, len(pool) // 3))))
        for site in rng.choice(pool, size=kicks, replace=False):
            trial.drop(int(site))
            allowed = np.flatnonzero(trial.instead_of(int(site)))
            some = rng.choice(allowed, size=min(SAMPLE, len(allowed)), replace=False)
            trial.add(int(some[np.argmax(trial.gain[some])]))
        improved(trial)
        if trial.worth >= now.worth - now.slack:
            now = trial
        if trial.worth > best.worth * (1 + BETTER):
            best = trial
    return best
