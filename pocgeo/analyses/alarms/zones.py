"""Where a scan looks: disks of several sizes around places, none twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import Pairs
from pocgeo.cells.grid import disk_pairs
from pocgeo.ground.errors import BadInput

__all__ = ["Zones", "disk_zones", "zones_of"]

Places = NDArray[np.intp]

WIDEST = 12
"""House limit: a disk of 12 rings holds 469 cells; an alarm is not a province."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zones:
    """Sets of places, one row each."""

    matrix: sparse.csr_array
    """Zones x places, ones where a place is in the zone."""

    centre: Places
    """Position of the place in the middle of each zone."""

    rings: NDArray[np.int64]
    """Rings of neighbours around the middle."""

    def members(self, zone: int) -> Places:
        """Give the positions of the places of one zone."""
        inside: Places = self.matrix.indices[
            self.matrix.indptr[zone] : self.matrix.indptr[zone + 1]
        ].astype(np.intp)
        return inside


def zones_of(
    matrix: sparse.csr_array, centre: Places | None = None, rings: NDArray[np.int64] | None = None
) -> Zones:
    """Make zones from any zero-one matrix; of those with the same members the first stays.

    Parameters
    ----------
    matrix : sparse array, zones x places
    centre, rings : optional arrays, one value a zone

    Notes
    -----
    Sets are told apart by the sum of random 64-bit numbers of their members, and their size.
    """
    held = sparse.csr_array(matrix)
    held.sum_duplicates()
    marks = np.random.default_rng(64).integers(0, 2**63, held.shape[1], dtype=np.uint64)
    ones = sparse.csr_array(
        (np.ones(held.nnz, dtype=np.uint64), held.indices, held.indptr), shape=held.shape
    )
    size = np.diff(held.indptr).astype(np.uint64)
    known = np.stack([ones @ marks, size], axis=1)
    _, first = np.unique(known, axis=0, return_index=True)
    first = np.sort(first)
    first = first[size[first] > 0]
    count = held.shape[0]
    middle = np.arange(count) if centre is None else centre
    wide = np.zeros(count, dtype=np.int64) if rings is None else rings
    return Zones(
        matrix=held[first].astype(np.float32),
        centre=np.asarray(middle, dtype=np.intp)[first],
        rings=np.asarray(wide, dtype=np.int64)[first],
    )


def disk_zones(cells: NDArray[np.int64], widest: int, pairs: Pairs | None = None) -> Zones:
    """Draw disks of 0 to `widest` rings around every cell.

    Parameters
    ----------
    cells : int64 array, n sorted unique cells
    widest : int
        Rings of the widest disk.
    pairs : optional
        Neighbours within at least that many rings; found by cells.grid.disk_pairs if absent.

    Returns
    -------
    Zones over the n cells; a disk that holds the same cells as an earlier one is left out.
    """
    if not 0 <= widest <= WIDEST or int(widest) != widest:
        raise BadInput(f"The widest disk of a scan must be 0 to {WIDEST} rings, got {widest}.")
    size = cells.size
    rows, columns, far = disk_pairs(cells, widest) if pairs is None else pairs
    near = (far >= 1) & (far <= widest)
    itself = np.arange(size)
    row = np.concatenate([itself, np.asarray(rows)[near]])
    column = np.concatenate([itself, np.asarray(columns)[near]])
    distance = np.concatenate([np.zeros(size, dtype=np.int64), np.asarray(far)[near]])
    steps = range(widest + 1)
    taken = [distance <= step for step in steps]
    matrix = sparse.csr_array(
        (
            np.ones(sum(int(inside.sum()) for inside in taken), dtype=np.float32),
            (
                np.concatenate([row[taken[step]] + step * size for step in steps]),
                np.concatenate([column[taken[step]] for step in steps]),
            ),
        ),
        shape=(size * (widest + 1), size),
    )
    return zones_of(
        matrix,
        centre=np.tile(itself, widest + 1),
        rings=np.repeat(np.arange(widest + 1, dtype=np.int64), size),
    )
