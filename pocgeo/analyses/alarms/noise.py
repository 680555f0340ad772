"""How far counts stray together: noise that neighbours share, from the forecast's own record."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import Pairs, disk_matrix
from pocgeo.cells import grid

__all__ = ["Noise", "alone", "shared_noise"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

ROUNDS = 20
LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noise:
    """Over-dispersion of every place: what it shares with its neighbours, and its own."""

    block: Places
    """Position of the block of each place."""

    shared: Floats
    """Variance of the luck (mean 1) that all places of a block have in common."""

    own: Floats
    """The a of variance = m + a m2 that is left to each place alone."""


def alone(dispersion: Floats) -> Noise:
    """Let every place have luck of its own."""
    size = dispersion.size
    return Noise(block=np.arange(size), shared=np.zeros(size), own=np.asarray(dispersion, float))


def shared_noise(
    cells: NDArray[np.int64],
    mean: Floats,
    dispersion: Floats,
    disk_dispersion: Floats,
    pairs: Pairs | None = None,
) -> Noise:
    """Split the over-dispersion of cells and of their disks into shared and own luck.

    Were cells independent, a disk (a cell and its first ring) would have the variance of their
    sum; on real records it has several times as much, as violence spreads to the next cell and
    as a forecast is wrong for whole districts. Blocks are the parents of the cells, seven each.

    Parameters
    ----------
    cells : int64 array, n sorted cells
    mean : array, what is expected in each cell
    dispersion, disk_dispersion : arrays
        The a of variance = m + a m2, of the cell and of its disk.

    Returns
    -------
    Noise
        The shared luck of a block follows its expectation as that of the disks does; its scale
        is such that the variances of all disks add up to what their dispersions say.
    """
    mean = np.maximum(mean, LEAST)
    disks = disk_matrix(cells, (1.0, 1.0), pairs)
    around = disks @ mean
    level = max(grid.resolution_of(cells) - 1, 0)
    names, block = np.unique(grid.parents(cells, level), return_inverse=True)
    order = np.argsort(around, kind="stable")
    held = np.bincount(block, weights=mean, minlength=names.size)
    usual = np.exp(
        np.interp(
            np.log(held), np.log(around[order]), np.log(np.maximum(disk_dispersion[order], LEAST))
        )
    )
    parts = sparse.csr_array((mean, (np.arange(cells.size), block)), (cells.size, names.size))
    within = disks @ parts
    within.data **= 2
    wanted, common = float((disk_dispersion * around**2).sum()), float((within @ usual).sum())
    shared, own = np.zeros(names.size), np.asarray(dispersion, float)
    for _ in range(ROUNDS):
        left = wanted - float((disks @ (own * mean**2)).sum())
        shared = usual * (max(left, 0.0) / max(common, LEAST))
        own = np.maximum(dispersion - shared[block], 0.0)
    return Noise(block=block.astype(np.intp), shared=shared, own=own)
