"""Does a series rise or fall? The Mann-Kendall test of many series at once, ties corrected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["Trends", "mann_kendall"]

Floats = NDArray[np.float64]

CHUNK = 65_536
"""Series at a time: what fits a processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """What the test says of each series."""

    s: NDArray[np.int64]
    """Pairs that rise less pairs that fall."""

    z: Floats
    """Standard score, corrected for ties and continuity; 0 of a constant series."""

    p: Floats
    """Two-sided chance of as strong a trend; 1 of a constant series."""

    def rises(self, level: float) -> NDArray[np.bool_]:
        """Say which series rise beyond chance."""
        return (self.p < level) & (self.z > 0)

    def falls(self, level: float) -> NDArray[np.bool_]:
        """Say which series fall beyond chance."""
        return (self.p < level) & (self.z < 0)


def mann_kendall(series: NDArray[np.floating]) -> Trends:
    """Test every row for a monotonic trend.

    Parameters
    ----------
    series : array, n rows x t steps, t at least 2, no NaN

    Returns
    -------
    Trends, n rows

    Notes
    -----
    Mann (1945), Econometrica 13, 245-259; Kendall (1975), Rank correlation methods. Variance
    with ties: (t(t-1)(2t+5) - sum over ties u of u(u-1)(2u+5)) / 18.
    """
    count, steps = series.shape
    s: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    ties: Floats = np.zeros(count)
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        by_step = np.ascontiguousarray(series[part].T)
        s[part] = _rises_less_falls(by_step)
        ties[part] = _ties(by_step)
    variance = (steps * (steps - 1) * (2 * steps + 5) - ties) / 18
    scale = np.sqrt(variance, out=np.ones(count), where=variance > 0)
    z = (s - np.sign(s)) / scale
    return Trends(s=s, z=z, p=2 * ndtr(-np.abs(z)))


def _rises_less_falls(by_step: NDArray[np.floating]) -> NDArray[np.int64]:
    """Compare every step with all later ones."""
    total: NDArray[np.int64] = np.zeros(by_step.shape[1], dtype=np.int64)
    for early in range(by_step.shape[0] - 1):
        later, now = by_step[early + 1 :], by_step[early]
        total += (later > now).sum(axis=0, dtype=np.int32)
        total -= (later < now).sum(axis=0, dtype=np.int32)
    return total


def _ties(by_step: NDArray[np.floating]) -> Floats:
    """Add up u(u-1)(2u+5) over the groups of equal values of each series."""
    ordered = np.sort(by_step, axis=0)
    run: Floats = np.ones(ordered.shape[1])
    total: Floats = np.zeros(ordered.shape[1])
    for step in range(1, ordered.shape[0]):
        equal = ordered[step] == ordered[step - 1]
        total += np.where(equal, 0.0, run * (run - 1) * (2 * run + 5))
        run = np.where(equal, run + 1, 1.0)
    total += run * (run - 1) * (2 * run + 5)
    return total
