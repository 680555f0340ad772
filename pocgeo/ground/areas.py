"""Exact areas on the WGS84 ellipsoid, for arrays of rings and polygons.

Method: latitudes are mapped to authalic ones, which makes the ellipsoid a sphere of equal area
(Snyder 1987, Map Projections: A Working Manual, p. 16); each edge is then a great circle of that
sphere, and the area between it and the equator has a closed form (the spherical excess of a
trapezium, Bevis and Cambareri 1987). A great circle of the authalic sphere leaves the geodesic by
less than f L^2 / 8R, so a cell's area differs from the geodesic one by less than 1e-6 of itself
for edges up to 100 km; `tests/test_cells_grid.py` proves it against PROJ's Geod.
"""

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

__all__ = ["areas_km2", "authalic_deg", "ring_areas_km2"]

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257_223_563
E2 = FLATTENING * (2 - FLATTENING)
E = float(np.sqrt(E2))
Q_POLE = 1 + (1 - E2) / E * np.arctanh(E)
R2_KM2 = (SEMI_MAJOR_M / 1_000) ** 2 * Q_POLE / 2


def authalic_deg(lat: ArrayLike) -> NDArray[np.float64]:
    """Latitude on the sphere of equal area, degrees, of a geodetic latitude, degrees."""
    degrees = np.asarray(lat, dtype=float)
    # Snyder's q counted from the pole, so that nothing cancels there: versine = 1 - sin(lat).
    versine = 2 * np.sin(np.radians(90 - np.abs(degrees)) / 2) ** 2
    sine = 1 - versine
    from_pole = versine * (1 + E2 * sine) / (1 - E2 * sine**2)
    from_pole += (1 - E2) / E * np.arctanh(E * versine / (1 - E2 * sine))
    return np.copysign(90 - np.degrees(2 * np.arcsin(np.sqrt(from_pole / (2 * Q_POLE)))), degrees)


def ring_areas_km2(
    lon: NDArray[np.float64], lat: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Area inside each closed ring, km2, never negative.

    Parameters
    ----------
    lon, lat : float arrays, all rings one after another
        Vertices, degrees, EPSG:4326; the first vertex need not be repeated at the end.
    starts : int array, one per ring
        Where each ring begins.

    Notes
    -----
    A ring round a pole is measured on the pole's side. Edges are geodesics (see the module).
    """
    if len(starts) == 0:
        return np.zeros(0)
    size = np.diff(np.append(starts, len(lon)))
    following = np.arange(1, len(lon) + 1)
    following[starts + size - 1] = starts
    turn = (lon[following] - lon + 180) % 360 - 180
    # A difference of near longitudes is exact; the wrap above would round it.
    plain = lon[following] - lon
    turn = np.where(np.abs(plain) <= 180, plain, turn)
    half = np.tan(np.radians(authalic_deg(lat)) / 2)
    across = np.tan(np.radians(turn) / 2)
    south, north = half, half[following]
    excess = 2 * np.arctan2(across * (south + north), 1 + south * north)
    total = np.add.reduceat(excess, starts)
    winds = np.abs(np.add.reduceat(turn, starts)) > 180
    area = np.abs(total)
    return R2_KM2 * np.where(winds, 2 * np.pi - area, area)


def areas_km2(geometries: ArrayLike) -> NDArray[np.float64]:
    """Area of each polygon or multipolygon, km2, holes taken out; other geometries have 0.

    Parameters
    ----------
    geometries : array of shapely geometries, EPSG:4326

    Returns
    -------
    float array, one per geometry
    """
    whole: NDArray[Any] = np.atleast_1d(np.asarray(geometries, dtype=object))
    parts, owner = shapely.get_parts(whole, return_index=True)
    while np.isin(shapely.get_type_id(parts), (6, 7)).any():  # multipolygon, collection
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    surface = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    parts, owner = parts[surface], owner[surface]
    rings, of_part = shapely.get_rings(parts, return_index=True)
    if len(rings) == 0:
        return np.zeros(len(whole))
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    starts = np.searchsorted(of_ring, np.arange(len(rings)))
    area = ring_areas_km2(points[:, 0], points[:, 1], starts)
    outer = np.append(True, of_part[1:] != of_part[:-1])
    return np.bincount(owner[of_part], np.where(outer, area, -area), len(whole))
