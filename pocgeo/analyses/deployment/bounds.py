"""How good any plan could be: a Lagrangian bound, and the sites that no better plan can have.

"Reached only if a site reaches it" is put into the objective at a price u per row; what is left
falls apart into rows and sites, and its optimum is above that of the whole for every u >= 0
(Fisher 1981, Management Science 27, 1-18). Prices are sought by subgradient steps, a counted
number of them.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from pocgeo.analyses.deployment.demand import Block
from pocgeo.analyses.deployment.question import DeploymentQuestion
from pocgeo.analyses.deployment.siting import Floats, Ints, Mask, Siting

__all__ = ["Bound", "bound_of"]

PATIENCE, SHRINK, LEAST_STEP = 12, 0.7, 1e-4


class Bound(NamedTuple):
    """A number that no plan exceeds."""

    worth: float
    useless: Mask
    """Candidates that no plan better than the wanted worth has."""


def bound_of(
    siting: Siting,
    block: Block,
    question: DeploymentQuestion,
    *,
    worth: float,
    wanted: float,
    steps: int = 400,
) -> Bound:
    """Find a bound; stop as soon as it is as low as `wanted`.

    Parameters
    ----------
    worth : float
        Of the best plan known.
    wanted : float
        At or above it; candidates that only worse plans than this have are useless.
    """
    rows = csr_matrix(block.matrix)
    columns = csr_matrix(rows.T)
    first, second = block.weight, block.second
    scale = first + second
    price: Floats = first / np.sqrt(np.maximum(np.diff(rows.indptr), 1))
    least, step, since = np.inf, 1.0, 0
    best_gain: Floats = np.zeros(siting.sites_n)
    best_parts = parts_of(siting, question, best_gain)
    for _ in range(steps):
        open_first, open_second = first > price, second > price
        saved = (first - price)[open_first].sum() + (second - price)[open_second].sum()
        gain: Floats = columns @ price
        parts = parts_of(siting, question, gain)
        total = float(saved + parts.worth)
        since = 0 if total < least * (1 - 1e-7) else since + 1
        if total < least:
            least, best_gain, best_parts = total, gain, parts
        if least <= wanted:
            break
        if since >= PATIENCE:
            step, since = step * SHRINK, 0
        slope: Floats = rows @ parts.taken - open_first - open_second
        stuck = ((slope > 0) & (price <= 0)) | ((slope < 0) & (price >= first))
        slope[stuck] = 0.0
        norm = float((slope * slope * scale).sum())
        if norm == 0 or step < LEAST_STEP:
            break
        price = np.clip(price - step * (total - worth) / norm * slope * scale, 0.0, first)
    return Bound(least, useless(siting, best_gain, best_parts, least, wanted))


class Parts(NamedTuple):
    """Best set of sites for given gains, and what the last of them brings."""

    worth: float
    taken: Floats
    last: float
    """Gain of the last candidate taken, over all numbers of moves."""


def parts_of(siting: Siting, question: DeploymentQuestion, gain: Floats) -> Parts:
    """Choose the sites of most gain that the numbers allow, for every number of moves."""
    forced = siting.fixed
    bases = ranked(siting.removable & ~siting.barred, gain)
    places = ranked(~siting.existing & ~siting.fixed & ~siting.barred, gain)
    held = float(gain[forced].sum())
    kept_n = int(siting.existing.sum()) - question.closures
    fixed_bases = int((siting.existing & forced).sum())
    fixed_places = int((~siting.existing & forced).sum())
    sums = [np.append(0.0, np.cumsum(gain[part])) for part in (bases, places)]
    best = (-np.inf, 0, 0)
    last = np.inf
    for moves in range(question.moves + 1):
        free = kept_n - moves - fixed_bases
        more = min(question.new + moves - fixed_places, len(places))
        if free < 0 or free > len(bases) or more < 0:
            continue
        worth = held + sums[0][free] + sums[1][more]
        best = max(best, (worth, free, more))
        last = min(last, float(gain[places[more - 1]]) if more else np.inf)
    taken = forced.astype(np.float64)
    taken[bases[: best[1]]] = 1.0
    taken[places[: best[2]]] = 1.0
    return Parts(best[0], taken, last)


def ranked(some: Mask, gain: Floats) -> Ints:
    """Sites in order of falling gain."""
    sites = np.flatnonzero(some)
    return sites[np.argsort(-gain[sites], kind="stable")]


def useless(siting: Siting, gain: Floats, parts: Parts, least: float, wanted: float) -> Mask:
    """Candidates whose taking would cost more than the bound leaves."""
    free = ~siting.existing & ~siting.fixed
    if not np.isfinite(parts.last) or not np.isfinite(least):
        return np.zeros(siting.sites_n, dtype=bool)
    short = least - (parts.last - gain) < wanted * (1 - 1e-9)
    made: Any = free & short & (parts.taken == 0)
    mask: Mask = made
    return mask
