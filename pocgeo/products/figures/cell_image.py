"""Cells as a picture: hexagons are what is nearest to their centres, so every dot asks for one."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["cell_image", "nearest_piece"]

Window = tuple[float, float, float, float]


def nearest_piece(
    x: NDArray[np.float64], y: NDArray[np.float64], radius_km: float, window: Window,
    shape: tuple[int, int],
) -> NDArray[np.int64]:  # fmt: skip
    """Find, for every dot of a picture, the cell it lies in; -1 where there is none.

    Parameters
    ----------
    x, y : centres of the cells, kilometres
    radius_km : float
        From a centre to the farthest corner of its cell.
    window : left, right, bottom, top in kilometres
    shape : rows, columns; the first row is the top
    """
    left, right, bottom, top = window
    rows, columns = shape
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    down = top - (np.arange(rows) + 0.5) * (top - bottom) / rows
    dots = np.column_stack([np.tile(across, rows), np.repeat(down, columns)])
    tree = cKDTree(np.column_stack([x, y]))
    _, found = tree.query(dots, distance_upper_bound=radius_km, workers=-1)
    found = np.where(found == len(x), -1, found).reshape(rows, columns)
    piece: NDArray[np.int64] = found.astype(np.int64)
    return piece


def cell_image(
    piece: NDArray[np.int64],
    classes: NDArray[np.int64],
    colours: Sequence[str],
    missing: str,
    hatched: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Colour every dot by the class of its cell.

    Parameters
    ----------
    piece : rows x columns
        From `nearest_piece`.
    classes : one a cell; len(colours) means unknown
    colours : #rrggbb, one a class
    missing : #rrggbb of the stripes where the value is unknown
    hatched : one a cell, optional
        Cells drawn with dark stripes over their colour.

    Returns
    -------
    array, rows x columns x 4, red, green, blue, opacity
    """
    unknown = len(colours)
    table = np.array([*map(rgba, colours), (255, 255, 255, 255), (0, 0, 0, 0)], dtype=np.uint8)
    at = np.where(piece < 0, unknown + 1, classes[np.maximum(piece, 0)])
    image = table[at]
    step = max(4, round(math.hypot(*piece.shape) / 260))
    diagonal = np.add.outer(np.arange(piece.shape[0]), np.arange(piece.shape[1]))
    image[(at == unknown) & (diagonal % step < max(1, step // 3))] = rgba(missing)
    if hatched is not None and hatched.any():
        over = (piece >= 0) & hatched[np.maximum(piece, 0)]
        image[over & (diagonal % (2 * step) < max(1, step // 3))] = (20, 24, 32, 255)
    return image


def rgba(colour: str) -> tuple[int, int, int, int]:
    """Read #rrggbb."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, 255
