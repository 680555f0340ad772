"""How much better "more happened here" explains a count than its expectation does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from pocgeo.analyses.statistics import SLACK

__all__ = ["Score", "expected_llr", "overdispersed_llr", "share_llr"]

Floats = NDArray[np.float64]

LEAST = 1e-9
"""An expectation below this counts as this: nothing that can happen is expected 0 times."""


def share_llr(seen: Floats, due: Floats, total: float) -> Floats:
    """Compare a zone's share of a fixed total with the share due to it (upper tail).

    Notes
    -----
    Kulldorff (1997), Commun. Stat. 26, 1481-1496: c log(c/m) + (N-c) log((N-c)/(N-m)).
    """
    rest = np.maximum(total - seen, 0.0)
    unlike = np.maximum(total - due, LEAST)
    ratio = xlogy(seen, seen / np.maximum(due, LEAST)) + xlogy(rest, rest / unlike)
    return np.where(seen > due, ratio, 0.0)


def expected_llr(seen: Floats, due: Floats) -> Floats:
    """Compare a count with a stated expectation, Poisson (upper tail).

    Notes
    -----
    Neill (2009), Int. J. Forecast. 25, 498-517: c log(c/m) + m - c.
    """
    held = np.maximum(due, LEAST)
    return np.where(seen > held, xlogy(seen, seen / held) + held - seen, 0.0)


def overdispersed_llr(seen: Floats, due: Floats, size: Floats) -> Floats:
    """Compare a count with a stated expectation, negative binomial of the given size.

    Notes
    -----
    After Tango, Takahashi and Kohriyama (2011), Biometrics 67, 106-115:
    c log(c/m) - (c+k) log((c+k)/(m+k)), k the size (variance m + m2/k); for k to infinity the
    Poisson ratio.
    """
    held = np.maximum(due, LEAST)
    both = seen + size
    # (m+k)/(c+k) written so that a large k loses no digits.
    ratio = xlogy(seen, seen / held) + both * np.log1p((held - seen) / both)
    return np.where(seen > held, np.maximum(ratio, 0.0), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Score:
    """The statistic of a scan, for every zone and window."""

    expected: Floats
    """Zones x windows: what is due, at scale 1."""

    total: float | None = None
    """Where given, zones are compared by their share of this total (Kulldorff's statistic)."""

    size: Floats | None = None
    """Zones x windows: size of the negative binomial; None: Poisson."""

    min_incidents: float = 2.0
    """Fewest incidents that may be a cluster."""

    def at(self, seen: Floats, where: NDArray[np.intp], scale: Floats | float = 1.0) -> Floats:
        """Score counts in the zones and windows at `where` (flat positions)."""
        due = self.expected.ravel()[where] * scale
        if self.total is not None:
            found = share_llr(seen, due, self.total)
        elif self.size is None:
            found = expected_llr(seen, due)
        else:
            found = overdispersed_llr(seen, due, self.size.ravel()[where])
        return np.where(seen >= self.min_incidents - SLACK, found, 0.0)

    def everywhere(self, seen: Floats, scale: float = 1.0) -> Floats:
        """Score a whole table of zones x windows."""
        where = np.arange(seen.size, dtype=np.intp)
        return self.at(seen.ravel(), where, scale).reshape(seen.shape)
