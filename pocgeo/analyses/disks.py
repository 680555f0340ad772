"""Neighbourhoods of cells as sparse matrices, and the local sum Gi* over them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.cells.grid import disk_pairs
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = [
    "Pairs", "at_the_rim", "cell_positions", "disk_matrix", "full_disk", "gi_star", "known_cells",
    "local_moran",
]  # fmt: skip

Floats = NDArray[np.float64]

Pairs = tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]
"""Positions of two cells and the grid distance between them, both ways; see cells.grid."""


def full_disk(disk: int) -> int:
    """Count the cells within `disk` steps of a hexagon, itself included."""
    return 3 * disk * (disk + 1) + 1


def at_the_rim(cells: pd.DataFrame, disks: sparse.csr_array, rings: int) -> NDArray[np.bool_]:
    """Say which disks are cut by the rim of the AOI: what happened beyond is not seen."""
    cut: NDArray[np.bool_] = np.diff(disks.indptr) < full_disk(rings)
    if "edge" in cells.columns:
        cut |= cells["edge"].to_numpy(dtype=bool)
    return cut


def known_cells(cells: pd.DataFrame, name: str = "cells") -> NDArray[np.int64]:
    """Give the `cell` column as int64.

    Raises
    ------
    MissingColumns, BadInput
        There is no such column, or a cell is listed twice.
    """
    require_columns(cells, name, ["cell"])
    values = cells["cell"].to_numpy(dtype=np.int64)
    if np.unique(values).size != values.size:
        raise BadInput(f"{name}: a cell is listed twice. Give one row per cell.")
    return values


def cell_positions(wanted: pd.Series, cells: NDArray[np.int64]) -> NDArray[np.intp]:
    """Find the row of `cells` that holds each wanted cell; -1 where none does."""
    return pd.Index(cells).get_indexer(pd.Index(wanted.to_numpy(dtype=np.int64)))


def disk_matrix(
    cells: NDArray[np.int64], ring_weights: Sequence[float], pairs: Pairs | None = None
) -> sparse.csr_array:
    """Build the matrix whose product with a column sums it over each cell's disk.

    Parameters
    ----------
    cells : int64 array, n unique cells
    ring_weights : sequence of float
        Weight of the cell itself, of its first ring, of its second ...; (1, 1) is a plain
        disk of one ring.
    pairs : optional
        Neighbours at least as far as the rings go; found by cells.grid.disk_pairs if absent.

    Returns
    -------
    sparse array, n x n
    """
    count, last = cells.size, len(ring_weights) - 1
    rows, columns, distances = _pairs_of(cells, last) if pairs is None else pairs
    distances = np.asarray(distances)
    apart = (distances >= 1) & (distances <= last)
    itself = np.arange(count)
    weights = np.asarray(ring_weights, float)
    row = np.concatenate([itself, np.asarray(rows)[apart]])
    column = np.concatenate([itself, np.asarray(columns)[apart]])
    data = np.concatenate([np.full(count, weights[0]), weights[distances[apart]]])
    return sparse.csr_array((data, (row, column)), shape=(count, count))


def _pairs_of(cells: NDArray[np.int64], disk: int) -> Pairs:
    """Find neighbours whatever the order of the cells."""
    order = np.argsort(cells, kind="stable")
    rows, columns, distances = disk_pairs(cells[order], disk)
    return order[rows], order[columns], distances


def gi_star(counts: Floats, disks: sparse.csr_array) -> Floats:
    """Standardise every disk's sum: Getis and Ord's Gi*, the cell itself included.

    Parameters
    ----------
    counts : array, n cells or n cells x t periods (moments are taken period by period)
    disks : sparse array of zeros and ones, n x n, ones on the diagonal

    Returns
    -------
    array like `counts`
        z values; NaN where they have no meaning: all cells equal, one cell, or a disk that is
        the whole map.

    Notes
    -----
    Ord and Getis (1995), Geogr. Anal. 27, 286-306, equation 14. Descriptive: on sparse
    counts the normal law does not hold, and a lone incident reads as z of 7 to 19.
    """
    table = counts[:, None] if counts.ndim == 1 else counts
    size = table.shape[0]
    if size < 2:
        return np.full(counts.shape, np.nan)
    within = np.diff(disks.indptr).astype(float)
    mean = table.mean(axis=0)
    squares = np.einsum("ij,ij->j", table, table) / size
    variance = squares - mean**2
    # Of nearly equal values only rounding is left: then work it out the long way.
    for column in np.flatnonzero(variance <= 1e-8 * squares):
        flat = np.ptp(table[:, column]) == 0
        variance[column] = 0.0 if flat else table[:, column].var()
    scale = within * np.sqrt((size / within - 1) / (size - 1))
    # In place, since tables of 0.9 million cells x 24 months are what this must bear.
    z: Floats = disks @ table
    z /= within[:, None]
    z -= mean
    z *= np.divide(within, scale, out=np.full(size, np.nan), where=scale > 0)[:, None]
    z *= np.divide(1, np.sqrt(variance), out=np.full(mean.size, np.nan), where=variance > 0)
    return z.reshape(counts.shape)


def local_moran(counts: Floats, disks: sparse.csr_array) -> Floats:
    """Give every cell's local Moran I: how far it resembles the cells around it.

    Parameters
    ----------
    counts : array, n cells
    disks : sparse array of zeros and ones, n x n, ones on the diagonal; the cell itself is
        left out and the others share a weight of 1

    Returns
    -------
    array, n cells
        Above 0: many among many, or few among few; below 0: it differs from its surroundings.
        NaN where all cells are equal.

    Notes
    -----
    Anselin (1995), Geogr. Anal. 27, 93-115, with n - 1 over the sum of squares. Descriptive.
    """
    away = counts - counts.mean() if counts.size else counts
    squares = float(away @ away)
    if counts.size < 2 or np.ptp(counts) == 0 or squares == 0:
        return np.full(counts.shape, np.nan)
    others = np.diff(disks.indptr) - 1.0
    around = (disks @ away - away) / np.maximum(others, 1.0)
    moran: Floats = (counts.size - 1) * away * around / squares
    return moran
