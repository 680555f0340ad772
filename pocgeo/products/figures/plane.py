"""From degrees to kilometres on the sheet: true along the middle parallel of the map."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["Plane", "plane_of"]

KM_PER_DEG = 111.195
"""Of a great circle on a sphere of 6,371.0 km: the scale bar is good to 0.6 %."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Equirectangular around a middle; x east, y north, kilometres."""

    lon_deg: float
    lat_deg: float

    @property
    def squeeze(self) -> float:
        """Length of a degree of longitude over that of latitude, at the middle."""
        return math.cos(math.radians(self.lat_deg))

    def km(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Turn degrees into kilometres; longitudes go the short way round."""
        east = (np.asarray(lon) - self.lon_deg + 180.0) % 360.0 - 180.0
        return east * self.squeeze * KM_PER_DEG, (np.asarray(lat) - self.lat_deg) * KM_PER_DEG

    def degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Turn kilometres into degrees."""
        lon = np.asarray(x) / (self.squeeze * KM_PER_DEG) + self.lon_deg
        return lon, np.asarray(y) / KM_PER_DEG + self.lat_deg

    def geometry(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Turn geometries in degrees into kilometres."""
        turned: NDArray[np.object_] = shapely.transform(
            shapes, lambda xy: np.column_stack(self.km(xy[:, 0], xy[:, 1]))
        )
        return turned


def plane_of(
    bounds: tuple[float, float, float, float], wide: float, margin: float = 0.03
) -> tuple[Plane, tuple[float, float, float, float]]:
    """Choose the plane of an area, and the window that shows it whole.

    Parameters
    ----------
    bounds : west, south, east, north in degrees
    wide : float
        Width over height of the frame.
    margin : float
        Empty part on every side.

    Returns
    -------
    Plane, (left, right, bottom, top) in kilometres
    """
    west, south, east, north = bounds
    plane = Plane(lon_deg=(west + east) / 2, lat_deg=(south + north) / 2)
    width = max((east - west) * plane.squeeze * KM_PER_DEG, 1.0) * (1 + 2 * margin)
    height = max((north - south) * KM_PER_DEG, 1.0) * (1 + 2 * margin)
    width, height = max(width, height * wide), max(height, width / wide)
    return plane, (-width / 2, width / 2, -height / 2, height / 2)
