"""Land and water that are filled: what lies around the AOI, and lakes; where their names stand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pocgeo.products.maps.geometry import packed_geometry

__all__ = ["areal", "name_places", "packed_fills"]

NEAR = 0.12
"""Names of what lies around stand in this margin of the AOI where they can: it is seen first."""

LEAST = 0.015
"""Half the width that a named part around the AOI must have, parts of the AOI's longer side."""

FINEST = 400
"""Parts of a shape's width to which the place of its name is sought."""

Box = tuple[float, float, float, float]


def areal(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Say which shapes have an area."""
    large: NDArray[np.bool_] = shapely.get_dimensions(shapes) == 2
    return large


def packed_fills(
    geometry: NDArray[np.object_],
    kinds: Sequence[str],
    names: Sequence[str],
    style: Mapping[str, Any],
    box: Box | None,
    boundary: Any,
) -> dict[str, Any] | None:
    """Pack the areas of a layer of lines and areas, with their kinds, names and where these stand.

    Parameters
    ----------
    geometry : array of n shapely geometries, EPSG:4326
    kinds, names : n texts; empty where unknown
    style : mapping
        Of the layer; `fills` is the look of its areas. Where it lies `beneath`, names keep out
        of the AOI.
    box : west, south, east, north in degrees, optional
        What lies beyond is cut off.
    boundary : Polygon or MultiPolygon of the AOI, or None

    Returns
    -------
    dict or None
        None where there is no area.
    """
    found = np.flatnonzero(areal(geometry)).tolist()
    if not found:
        return None
    look = {**style["fills"], "draw": "area", "tolerance_deg": style["tolerance_deg"]}
    shapes = geometry[found]
    beyond = boundary if style.get("beneath") else None
    windows = [box] if box is not None else []
    if beyond is not None:
        west, south, east, north = beyond.bounds
        margin = NEAR * longer_side(beyond)
        windows.insert(0, (west - margin, south - margin, east + margin, north + margin))
    named = [
        [row, round(x, 5), round(y, 5)]
        for row, (at, shape) in enumerate(zip(found, shapes, strict=True))
        if names[at]
        for x, y in name_places(shape, windows, beyond)
    ]
    return {
        **packed_geometry(shapes, look, box),
        "kinds": [kinds[at] for at in found],
        "names": [names[at] for at in found],
        "named": named,
    }


def name_places(
    shape: Any, windows: Sequence[Box], beyond: Any = None
) -> list[tuple[float, float]]:
    """Find where the name of an area may stand: the widest place in each window, if any.

    Parameters
    ----------
    shape : shapely geometry
    windows : left, bottom, right, top of each, the first the most wanted; none: all of the shape
    beyond : shapely geometry, optional
        Where no name may stand, in the same coordinates.
    """
    places: list[tuple[float, float]] = []
    for seen in [shapely.clip_by_rect(shape, *window) for window in windows] or [shape]:
        free = seen if beyond is None else shapely.difference(shapely.make_valid(seen), beyond)
        parts = [part for part in shapely.get_parts(free) if part.geom_type == "Polygon"]
        if not parts:
            continue
        widest = max(parts, key=lambda part: part.area)
        middle = shapely.maximum_inscribed_circle(widest, float(widest.length) / FINEST)
        if beyond is not None and middle.length < LEAST * longer_side(beyond):
            continue  # where two outlines of one border differ lie slivers of no country
        place = shapely.get_coordinates(middle)[0]
        places.append((float(place[0]), float(place[1])))
    return list(dict.fromkeys(places))


def longer_side(shape: Any) -> float:
    """Give the longer side of a shape's box."""
    left, bottom, right, top = shape.bounds
    return float(max(right - left, top - bottom))
