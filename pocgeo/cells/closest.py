"""The feature closest to each of many points: a tree of points where it can, exact either way."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocgeo.ground.geodesy import distance_m, earth_centred_m
from pocgeo.ground.nearness import nearest

__all__ = ["closest"]

CANDIDATES = 3
"""Nearest by straight chord that are measured on the ellipsoid: chord and geodesic order points
alike but for differences of about 1e-6 of the distance below 1,000 km."""


def closest(
    lon: NDArray[np.float64], lat: NDArray[np.float64], shapes: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the feature nearest to each point.

    Parameters
    ----------
    lon, lat : float arrays, n, degrees, EPSG:4326
    shapes : array of geometries, EPSG:4326; missing and empty ones are passed over

    Returns
    -------
    position, distance_m
        Row of the nearest feature, -1 where there is none; geodesic metres, 0 inside a polygon,
        NaN where there is none.
    """
    rows = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if len(rows) == 0:
        return np.full(len(lon), -1, dtype=np.int64), np.full(len(lon), np.nan)
    if (shapely.get_type_id(shapes[rows]) != 0).any():
        found = nearest(lon, lat, shapes[rows])
        return rows[found.position], found.distance_m
    east, north = shapely.get_x(shapes[rows]), shapely.get_y(shapes[rows])
    tree = KDTree(earth_centred_m(east, north))
    near = tree.query(earth_centred_m(lon, lat), k=min(CANDIDATES, len(rows)))[1]
    near = np.sort(near.reshape(len(lon), -1), axis=1)  # of equal ones, the first row
    far_m = distance_m(lon[:, None], lat[:, None], east[near], north[near])
    best = np.argmin(far_m, axis=1)
    each = np.arange(len(lon))
    return rows[near[each, best]], far_m[each, best]
