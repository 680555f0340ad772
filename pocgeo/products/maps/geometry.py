"""Geometry in few bytes: steps of whole numbers, and the counts to put them together again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["packed_geometry"]

PER_DEGREE = 100_000
"""Steps of packed coordinates: 1.1 m."""


def packed_geometry(geometry: NDArray[np.object_], style: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten geometries to steps of whole numbers and the counts to put them together again.

    `xy` runs through all rings; `points` counts per ring, `rings` per part, `parts` per feature.
    """
    if style["draw"] in {"dot", "symbol", "place"}:
        shapes = np.where(
            shapely.get_type_id(geometry) == 0, geometry, shapely.point_on_surface(geometry)
        )
        return flattened(shapes, np.arange(len(shapes)), np.arange(len(shapes)), len(shapes))
    if style.get("tolerance_deg"):
        geometry = shapely.simplify(geometry, style["tolerance_deg"])
    parts, feature = shapely.get_parts(geometry, return_index=True)
    areal = shapely.get_dimensions(parts) == 2
    if style["draw"] == "area":
        parts, feature = parts[areal], feature[areal]
        rings, part = shapely.get_rings(parts, return_index=True)
        return flattened(rings, part, feature, len(geometry))
    outlines = np.where(areal, shapely.boundary(parts), parts)
    lines, part = shapely.get_parts(outlines, return_index=True)
    feature = feature[part]
    linear = shapely.get_dimensions(lines) == 1
    lines, feature = lines[linear], feature[linear]
    return flattened(lines, np.arange(len(lines)), feature, len(geometry))


def flattened(
    rings: NDArray[np.object_], part: NDArray[Any], feature: NDArray[Any], features: int
) -> dict[str, Any]:
    """Write rings as one run of steps, with the counts at each level."""
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.round(coordinates * PER_DEGREE).astype(np.int64)
    return {
        "xy": np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel().tolist(),
        "perDegree": PER_DEGREE,
        "points": np.bincount(ring, minlength=len(rings)).tolist(),
        "rings": np.bincount(part, minlength=len(feature)).tolist(),
        "parts": np.bincount(feature, minlength=features).tolist(),
    }
