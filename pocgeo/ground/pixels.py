"""A window of pixels in memory: values, where they lie, what they are called."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput

__all__ = ["PixelWindow"]


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
