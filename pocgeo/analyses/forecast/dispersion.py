"""How far counts stray from what was expected: the negative binomial, fitted at its own level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from scipy.stats import nbinom

__all__ = ["Dispersion", "Outcomes", "fit_dispersion", "joined", "log_score", "outcomes"]

Floats = NDArray[np.float64]

LEAST = 1e-12
"""Expectation below which a cell is treated as having this much."""

BINS_PER_E = 50
"""Empty rows are joined where their expectations differ by less than 2 %."""

SCALES = (-9.0, 9.0)
"""Logarithm of the scale: from hardly any dispersion to nearly all in one place."""

FINEST_STEP = 1 / 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """Variance = mean + scale x mean^(2 - power): power 0 is the usual negative binomial."""

    scale: float
    power: float = 0.0

    def size(self, mean: ArrayLike) -> Floats:
        """Give the size parameter r of each negative binomial: variance = mean + mean^2 / r."""
        due = np.maximum(np.asarray(mean, float), LEAST)
        size: Floats = due**self.power / self.scale
        return size

    def alpha(self, mean: ArrayLike) -> Floats:
        """Give a of variance = mean + a x mean^2."""
        return 1.0 / self.size(mean)

    def any_chance(self, mean: ArrayLike) -> Floats:
        """Chance of at least one incident."""
        due = np.maximum(np.asarray(mean, float), LEAST)
        size = self.size(due)
        chance: Floats = -np.expm1(-size * np.log1p(due / size))
        return chance

    def interval(self, mean: ArrayLike, level: float) -> tuple[Floats, Floats]:
        """Give the smallest counts below which (1 -+ level) / 2 of the outcomes lie."""
        due = np.atleast_1d(np.maximum(np.asarray(mean, float), LEAST))
        low, high = np.zeros(due.size), np.zeros(due.size)
        # Most places expect so little that none is both ends; only the rest cost a search.
        some = np.flatnonzero(self.any_chance(due) > (1 - level) / 2)
        size = self.size(due[some])
        share = size / (size + due[some])
        low[some] = nbinom.ppf((1 - level) / 2, size, share)
        high[some] = nbinom.ppf((1 + level) / 2, size, share)
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What was expected and what came, ready to fit: rows with incidents, empty ones in bins."""

    mean: Floats
    count: Floats
    empty_mean: Floats
    empty_n: Floats


def outcomes(mean: Floats, count: Floats) -> Outcomes:
    """Put pairs of expectation and count together; empty rows of like expectation are joined."""
    due, seen = np.maximum(mean.ravel(), LEAST), count.ravel()
    some = seen > 0
    empty = due[~some]
    at = (np.log(empty / LEAST) * BINS_PER_E).astype(np.int64)
    n = np.bincount(at).astype(float)
    total = np.bincount(at, weights=empty)
    held = n > 0
    return Outcomes(
        mean=due[some], count=seen[some], empty_mean=total[held] / n[held], empty_n=n[held]
    )


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Put outcomes one below the other."""
    return Outcomes(
        mean=np.concatenate([each.mean for each in parts]),
        count=np.concatenate([each.count for each in parts]),
        empty_mean=np.concatenate([each.empty_mean for each in parts]),
        empty_n=np.concatenate([each.empty_n for each in parts]),
    )


def log_score(mean: ArrayLike, count: ArrayLike, dispersion: Dispersion) -> Floats:
    """Give minus the log probability of each count; fractions are read by the gamma function."""
    due, seen = np.maximum(np.asarray(mean, float), LEAST), np.asarray(count, float)
    size = dispersion.size(due)
    spread = np.log1p(due / size)
    score: Floats = size * spread - seen * (np.log(due / size) - spread)
    some = seen > 0
    score[some] -= gammaln(seen[some] + size[some]) - gammaln(size[some])
    score[some] += gammaln(seen[some] + 1)
    return score


def fit_dispersion(
    known: Outcomes, *, one: bool = False, start: Dispersion | None = None
) -> Dispersion:
    """Find the most likely dispersion.

    Parameters
    ----------
    known : Outcomes
    one : bool
        Whether only the scale is fitted (power 0): for few outcomes.
    start : Dispersion, optional
        Where to look first; a good one saves looks.

    Notes
    -----
    A compass search on (log scale, power), halving its step: few and cheap looks, no library's
    stopping rule, the same digits everywhere.
    """
    at, step = (0.0, 0.0 if one else 0.5), 1.0
    if start is not None:
        at, step = (float(np.log(start.scale)), start.power), 0.25
    best = _loss(known, *at)
    while step > FINEST_STEP:
        tried = [
            (float(np.clip(at[0] + step * a, *SCALES)), float(np.clip(at[1] + step * b / 4, 0, 1)))
            for a, b in ((1, 0), (-1, 0), *(() if one else ((0, 1), (0, -1), (1, 1), (-1, -1))))
        ]
        losses = [_loss(known, *each) for each in tried]
        least = int(np.argmin(losses))
        if losses[least] < best:
            at, best = tried[least], losses[least]
        else:
            step /= 2
    return Dispersion(scale=float(np.exp(at[0])), power=at[1])


def _loss(known: Outcomes, log_scale: float, power: float) -> float:
    """Minus the log-likelihood, with a faint pull towards 1 so that there always is a best."""
    tried = Dispersion(scale=float(np.exp(log_scale)), power=power)
    size = tried.size(known.empty_mean)
    empty = known.empty_n @ (size * np.log1p(known.empty_mean / size))
    held = log_score(known.mean, known.count, tried).sum()
    return float(empty + held + 0.005 * log_scale**2)
