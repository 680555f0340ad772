"""Chance of a disk's incidents if the cells' own counts were dealt out anew: the exact law."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.statistics import SLACK

__all__ = ["permutation_p", "sum_tails"]

Floats = NDArray[np.float64]

STEPS = (1, 2, 4, 10)
"""Parts into which an incident is cut where counts are fractions: the finest that fits."""

LONGEST = 20_000
"""House limit on the support of a sum: beyond it counts are read in whole incidents."""


def permutation_p(
    counts: Floats, disks: sparse.csr_array, reached: NDArray[np.bool_] | None = None
) -> Floats:
    """Give the upper tail of every disk's sum when cells draw their counts from all cells'.

    With replacement, the sum of m cells follows the m-fold convolution of the counts'
    distribution: one convolution for each size of disk serves every cell, with no Monte-Carlo
    floor. It asks whether counts cluster, not whether a cell is violent: a lone cell of many
    incidents is no cluster. For disks far smaller than the map.

    Parameters
    ----------
    counts : array, n cells
        Incidents per cell. Fractions are read in tenths (rounded), or coarser on crowded maps.
    disks : sparse array of zeros and ones, n x n
    reached : bool array, n cells, optional
        Cells that could hold an incident at all; the others are neither dealt nor judged.

    Returns
    -------
    array, n cells
        p; NaN where not reached.
    """
    reached = np.ones(counts.size, dtype=bool) if reached is None else reached
    p: Floats = np.full(counts.size, np.nan)
    if not reached.any():
        return p
    among = disks[reached][:, reached]
    size = np.diff(among.indptr)
    parts = _parts(counts[reached], int(size.max()))
    whole = np.rint(counts[reached] * parts).astype(np.int64)
    share = np.bincount(whole) / whole.size
    observed = np.rint(among @ whole.astype(float)).astype(np.int64)
    found = np.ones(whole.size)
    for cells_n in np.unique(size[observed > 0]):
        ours = (size == cells_n) & (observed > 0)
        found[ours] = sum_tails(share, int(cells_n))[observed[ours]]
    p[reached] = np.minimum(found, 1.0)
    return p


def sum_tails(share: Floats, terms: int) -> Floats:
    """Give P(sum >= s), s = 0, 1 ..., of `terms` independent draws of a law on 0, 1 ....

    Direct convolution and a sum from the far end: small tails keep their digits.
    """
    law, square, left = np.ones(1), share, terms
    while left:
        if left & 1:
            law = np.convolve(law, square)
        left >>= 1
        if left:
            square = np.convolve(square, square)
    tails: Floats = np.cumsum(law[::-1])[::-1]
    return tails


def _parts(counts: Floats, cells_n: int) -> int:
    """Choose how finely to read fractions: whole counts whole, a crowded map coarser."""
    if (np.abs(counts - np.rint(counts)) <= SLACK).all():
        return 1
    longest = max(float(counts.max()) * cells_n, 1.0)
    return max(parts for parts in STEPS if parts == 1 or parts * longest <= LONGEST)
