"""A window of pixels in memory: values, where they lie, what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput

__all__ = ["Piece", "PixelWindow", "mosaic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelWindow:
    """North-up pixels of one raster window."""

    fields: tuple[str, ...]
    """What each band holds, for example ("people_persons", "women_persons")."""

    values: NDArray[np.float64]
    """Shape (bands, rows, columns); NaN where the raster has no data."""

    west: float
    """Left edge of the first column, in units of the CRS."""

    north: float
    """Upper edge of the first row, in units of the CRS."""

    pixel_width: float
    """Width of a pixel, in units of the CRS; positive."""

    pixel_height: float
    """Height of a pixel, in units of the CRS; positive (rows run south)."""

    crs: str = "EPSG:4326"
    """Coordinate reference system, as PROJ reads it. Axis order is always x (lon), y (lat)."""

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[0] != len(self.fields):
            raise BadInput(
                f"values must have shape (bands, rows, columns) with {len(self.fields)} bands, "
                f"got {self.values.shape}."
            )
        if not (self.pixel_width > 0 and self.pixel_height > 0):
            raise BadInput("pixel_width and pixel_height must be more than 0.")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, in units of the CRS."""
        _, rows, columns = self.values.shape
        south = self.north - rows * self.pixel_height
        return self.west, south, self.west + columns * self.pixel_width, self.north


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Where one window of a raster is to be read: small, and good in any process."""

    path: Path
    bands: tuple[tuple[str, int], ...]
    """Field and band number, from 1."""

    row: int
    column: int
    rows: int
    columns: int


def mosaic(windows: Sequence[PixelWindow]) -> PixelWindow | None:
    """Join windows of neighbouring tiles into one; None of none.

    Where tiles overlap, the first that has data counts.

    Raises
    ------
    BadInput
        The tiles differ in fields, CRS or pixel size, or their pixels are not aligned.
    """
    if len(windows) < 2:
        return windows[0] if windows else None
    first = windows[0]
    west = min(window.bounds[0] for window in windows)
    south = min(window.bounds[1] for window in windows)
    east = max(window.bounds[2] for window in windows)
    north = max(window.bounds[3] for window in windows)
    rows = round((north - south) / first.pixel_height)
    columns = round((east - west) / first.pixel_width)
    values = np.full((len(first.fields), rows, columns), np.nan)
    for window in windows:
        down = (north - window.north) / first.pixel_height
        across = (window.west - west) / first.pixel_width
        alike = (window.fields, window.crs) == (first.fields, first.crs) and np.allclose(
            [window.pixel_width, window.pixel_height, down, across],
            [first.pixel_width, first.pixel_height, round(down), round(across)],
            rtol=1e-6, atol=1e-3,
        )  # fmt: skip
        if not alike:
            raise BadInput(
                "Tiles of a raster do not fit each other: fields, CRS, pixel size and grid must be "
                "the same. Join them into one file first."
            )
        part = (
            slice(None),
            slice(round(down), round(down) + window.values.shape[1]),
            slice(round(across), round(across) + window.values.shape[2]),
        )
        values[part] = np.where(np.isnan(values[part]), window.values, values[part])
    return replace(first, values=values, west=west, north=north)
