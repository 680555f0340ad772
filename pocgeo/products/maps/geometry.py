"""Geometry in few bytes: steps of whole numbers, and the counts to put them together again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["packed_geometry"]

PER_DEGREE = 100_000
"""Steps of packed coordinates: 1.1 m."""

STEPS_ACROSS = 40_000
"""Bends finer than this part of the map's width are left out: a fifth of a pixel at four times
the scale of the whole."""


def packed_geometry(
    geometry: NDArray[np.object_],
    style: Mapping[str, Any],
    box: tuple[float, float, float, float] | None = None,
) -> dict[str, Any]:
    """Flatten geometries to steps of whole numbers and the counts to put them together again.

    `xy` runs through all rings; `points` counts per ring, `rings` per part, `parts` per feature.
    Lines and areas are cut at `box`, and lose what nobody sees on a map of its size.
    """
    if style["draw"] in {"dot", "symbol", "place"}:
        shapes = np.where(
            shapely.get_type_id(geometry) == 0, geometry, shapely.point_on_surface(geometry)
        )
        return flattened(shapes, np.arange(len(shapes)), np.arange(len(shapes)), len(shapes))
    tolerance = style.get("tolerance_deg")
    if tolerance:
        wide = 0.0 if box is None else (box[2] - box[0]) / STEPS_ACROSS
        geometry = shapely.simplify(geometry, max(tolerance, wide))
    parts, feature = shapely.get_parts(geometry, return_index=True)
    areal = shapely.get_dimensions(parts) == 2
    if style["draw"] == "area":
        parts, feature = within(parts[areal], feature[areal], box)
        rings, part = shapely.get_rings(parts, return_index=True)
        return flattened(rings, part, feature, len(geometry))
    outlines = np.where(areal, shapely.boundary(parts), parts)
    lines, part = shapely.get_parts(outlines, return_index=True)
    lines, feature = within(lines, feature[part], box)
    linear = shapely.get_dimensions(lines) == 1
    lines, feature = lines[linear], feature[linear]
    return flattened(lines, np.arange(len(lines)), feature, len(geometry))


def within(
    parts: NDArray[np.object_],
    feature: NDArray[Any],
    box: tuple[float, float, float, float] | None,
) -> tuple[NDArray[np.object_], NDArray[Any]]:
    """Cut parts at a box."""
    if box is None or not len(parts):
        return parts, feature
    edges = shapely.bounds(parts)
    outside = (edges[:, :2] < box[:2]).any(axis=1) | (edges[:, 2:] > box[2:]).any(axis=1)
    parts = parts.copy()
    parts[outside] = shapely.clip_by_rect(parts[outside], *box)
    pieces, of = shapely.get_parts(parts, return_index=True)
    kept = ~shapely.is_empty(pieces)
    return pieces[kept], feature[of[kept]]


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
