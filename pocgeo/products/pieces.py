"""Pieces: counts joined with their neighbours until each sum is large enough to be shown.

Whoever reads a product knows sums of whole pieces and nothing finer. What is large stays by itself;
the rest of each group is joined into a remainder, zeros included, so that nobody can tell an empty
place from one with a few incidents. A remainder that is still small takes in the smallest piece of
its group, or is joined one level higher.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codes", "Floats", "Mask", "enclosed", "pieces"]

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def pieces(
    counts: Floats, tree: Sequence[Codes], k: float, *, alone: Mask | None = None
) -> tuple[Codes, Mask]:
    """Join atoms into pieces whose counts may be shown.

    Parameters
    ----------
    counts : array, n or m x n
        Counts of each atom, 0 or more. With several rows the first is the number that must be k or
        more; the others (parts of it) must be 0 or at least k.
    tree : sequence of arrays, n each
        The group of each atom (codes from 0) at every coarser level, finest first, nested. Atoms
        of different groups of the last level are never joined.
    k : float
        Smallest count that may be shown, other than 0.
    alone : array of bool, n, optional
        False: this atom may not stand by itself, however large it is.

    Returns
    -------
    piece : array, n
        Piece of each atom, codes from 0 in the order of the atoms.
    shown : array of bool, one per piece
        False: the whole top group holds fewer than k, so that nothing of it may be shown.

    Notes
    -----
    Keep-large and remainder (docs/methods/disclosure.md). A remainder needs 2k - 1, and room for
    every joined atom to be anything from 0 to k - 1; what is taken in to fill it up is the first
    of the group, whatever its count. So even a reader who knows this method cannot place the
    small counts: with the smallest taken in, the sum of a remainder would often give it away.
    """
    sums = np.atleast_2d(np.asarray(counts, dtype=np.float64)).copy()
    closed = _large(sums, k, k)
    if alone is not None:
        closed &= alone
    unit = _climbed(sums, closed, tree, k)
    leads, piece = np.unique(unit, return_inverse=True)
    empty = (sums[:, leads] <= 0).all(axis=0)
    return np.asarray(piece, dtype=np.int64), np.asarray(closed[leads] | empty, dtype=bool)


def _climbed(sums: Floats, closed: Mask, tree: Sequence[Codes], k: float) -> Codes:
    """Join level by level; sums and what may be shown are brought up to date in place.

    Returns
    -------
    array
        The atom that leads the piece of each atom.
    """
    n = sums.shape[1]
    unit = np.arange(n, dtype=np.int64)
    alive = np.ones(n, dtype=bool)
    size = np.ones(n, dtype=np.int64)
    for groups in tree:
        members = np.flatnonzero(alive)
        joined, fits = _to_join(
            sums[:, members], size[members], closed[members], groups[members], k
        )
        taken = members[joined]
        if not taken.size:
            continue
        found, first, inverse = np.unique(groups[taken], return_index=True, return_inverse=True)
        lead = taken[first]
        onto = np.arange(n, dtype=np.int64)
        onto[taken] = lead[inverse]
        unit = onto[unit]
        alive[taken] = False
        alive[lead] = True
        sums[:, lead] = _sums(inverse, sums[:, taken], len(found))
        size[lead] = np.bincount(inverse, weights=size[taken], minlength=len(found))
        closed[lead] = fits[found]
    return unit


def _large(sums: Floats, whole: float, k: float) -> Mask:
    """Say which sums may be shown: large enough in all, and each part 0 or at least k."""
    parts = (sums[1:] <= 0) | (sums[1:] >= k)
    return np.asarray((sums[0] >= whole) & parts.all(axis=0), dtype=bool)


def _sums(groups: Codes, rows: Floats, n_groups: int) -> Floats:
    """Add up every row of counts by group."""
    return np.stack([np.bincount(groups, weights=row, minlength=n_groups) for row in rows])


def _to_join(sums: Floats, size: Codes, closed: Mask, groups: Codes, k: float) -> tuple[Mask, Mask]:
    """Mark what becomes the remainder of its group, and say of each group whether it may be shown.

    All that is small is joined; then, one by one, the first of what is not, until the sum fits.
    """
    joined = ~closed
    n_groups = int(groups.max(initial=-1)) + 1
    room = (np.bincount(groups, weights=size * joined, minlength=n_groups) - 1) * (k - 1)
    helped = np.zeros(n_groups, dtype=bool)
    while True:
        rest = _sums(groups, sums * joined, n_groups)
        fits = _large(rest, 2 * k - 1, k) & (helped | (rest[0] <= room))
        rows = np.flatnonzero(~joined & (~fits & (rest > 0).any(axis=0))[groups])
        if not rows.size:
            return joined, fits
        needy, first = np.unique(groups[rows], return_index=True)
        joined[rows[first]] = True
        helped[needy] = True


def enclosed(piece: Codes, areas: Codes) -> Mask:
    """Say of each area (codes from 0) whether the pieces in it lie wholly inside it.

    Parameters
    ----------
    piece, areas : arrays, n each
        Piece and area of every cell; area -1 is no area, and encloses nothing.
    """
    pairs = np.unique(np.stack([piece, areas]), axis=1)
    n_areas = int(areas.max(initial=-1)) + 1
    torn = np.bincount(pairs[0])[pairs[0]] > 1
    broken = pairs[1][torn & (pairs[1] >= 0)]
    out = np.ones(n_areas, dtype=bool)
    out[broken] = False
    return out
