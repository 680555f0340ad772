"""The exact tail of severity: how unlikely so much harm is, where incidents differ in weight."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from pocgeo.analyses.statistics import SLACK
from pocgeo.ground.errors import BadInput

__all__ = ["HarmTail"]

Floats = NDArray[np.float64]

STEP = 0.5
"""Severity is read in halves: a killing is 3.0, looting 1.0 (standards/risk_weights.toml)."""

LONGEST = 4_096
"""Steps in which the greatest sum is read; longer sums are read in coarser steps."""

ROWS_AT_A_TIME = 20_000


class HarmTail:
    """P(total severity >= s) where a Poisson number of incidents each draw a severity.

    The law of each severity is that of the incidents at hand. Severities are rounded up to the
    step and observed sums down, so the tail errs on the side of no flag.

    Notes
    -----
    Compound Poisson law, by conditioning on the number of incidents; the k-fold sums by direct
    convolution. The scaled Poisson of Bohm and Zech (2014) is its approximation.
    """

    def __init__(self, severities: ArrayLike, weights: ArrayLike, greatest: float) -> None:
        given, share = np.asarray(severities, float), np.asarray(weights, float)
        if (given < 0).any():
            raise BadInput("severity is below 0. Severities are 0 or more.")
        self.mean = float((given * share).sum() / share.sum()) if share.sum() > 0 else 0.0
        self.step = STEP * max(1.0, np.ceil(greatest / STEP / LONGEST))
        length = int(greatest / self.step + SLACK) + 2
        at = np.minimum(np.ceil(given / self.step - SLACK).astype(np.int64), length)
        law = np.bincount(at, weights=share, minlength=length + 1)
        self._law = law / law.sum() if law.sum() > 0 else law
        self._length = length

    def p(self, observed: ArrayLike, expected: ArrayLike) -> Floats:
        """Give the tail of each sum of severities, given how many incidents are expected.

        Parameters
        ----------
        observed : array, n sums of severity
        expected : array, n expected numbers of incidents
        """
        seen, due = np.broadcast_arrays(
            np.atleast_1d(np.asarray(observed, float)), np.asarray(expected, float)
        )
        p: Floats = np.ones(seen.shape)
        some = np.flatnonzero((seen > SLACK) & ~np.isnan(due))
        if not some.size:
            return p
        at = np.floor(seen[some] / self.step + SLACK).astype(np.int64)
        tails = self._tails(float(due[some].max()))
        number = np.arange(tails.shape[0])
        for start in range(0, some.size, ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            mean = due[some[rows]][:, None]
            chance = np.exp(xlogy(number, mean) - mean - gammaln(number + 1.0))
            beyond = tails[:, np.minimum(at[rows], self._length - 1)]
            p[some[rows]] = (chance * beyond.T).sum(axis=1)
        return np.minimum(p, 1.0)

    def _tails(self, most_expected: float) -> Floats:
        """Work out P(sum of k severities >= s) for k = 0, 1 ... as far as the mean makes likely."""
        numbers = int(np.ceil(most_expected + 10 * np.sqrt(most_expected) + 25))
        tails: Floats = np.zeros((numbers + 1, self._length))
        below = np.zeros(self._length)  # law of the sum, below the greatest sum of interest
        below[0] = 1.0
        used = np.trim_zeros(self._law[: self._length], "b")
        for number in range(numbers + 1):
            tails[number] = 1.0 - np.append(0.0, np.cumsum(below)[:-1])
            below = np.convolve(below, used)[: self._length] if used.size else 0 * below
        return np.clip(tails, 0.0, 1.0)
