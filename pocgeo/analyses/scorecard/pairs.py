"""Whether one forecast did better than another, or only happened to: a paired block bootstrap."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ratio_interval", "resampled"]

Floats = NDArray[np.float64]


def resampled(count: int, block: int, draws: int, seed: int) -> NDArray[np.int64]:
    """Draw series of origins in blocks, so that neighbours that are alike stay together.

    Returns
    -------
    int array, draws x count
        Positions; blocks wrap round the end (Politis and Romano 1992, circular blocks).
    """
    random = np.random.Generator(np.random.PCG64(seed))
    pieces = -(-count // block)
    starts = random.integers(0, count, (draws, pieces))
    at = (starts[:, :, None] + np.arange(block)) % count
    return at.reshape(draws, pieces * block)[:, :count].astype(np.int64)


def ratio_interval(
    difference: Floats, incidents: Floats, drawn: NDArray[np.int64], level: float
) -> tuple[float, float, float]:
    """Give a difference per incident over all origins, and its interval.

    Parameters
    ----------
    difference : array, m origins; one score minus the other, summed over an origin
    incidents : array, m
    drawn : as from `resampled`

    Returns
    -------
    mean, low, high
    """
    whole = incidents[drawn].sum(axis=1)
    kept = whole > 0
    ratios = difference[drawn].sum(axis=1)[kept] / whole[kept]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(difference.sum() / incidents.sum()), float(low), float(high)
