"""The outline of the area of interest, from any vector file."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from pocgeo.ground.errors import BadInput, MissingFile
from pocgeo.sources.vector import read_vector

__all__ = ["read_boundary"]


def read_boundary(path: Path) -> Any:
    """Read the outline: the union of all polygons of a file, valid, EPSG:4326.

    Returns
    -------
    shapely Polygon or MultiPolygon

    Raises
    ------
    MissingFile, UnreadableSource
        No such file, or no vector file.
    BadInput
        It holds no polygon.
    """
    if not path.is_file():
        raise MissingFile("Boundary", path)
    return cached_boundary(path, path.stat().st_mtime_ns)


WIDEST_DEG = 180.0


@lru_cache(maxsize=8)
def cached_boundary(path: Path, _written_ns: int) -> Any:
    """Read the outline once for every state of the file."""
    frame = read_vector(path).frame
    shapes = frame["geometry"].dropna().to_numpy()
    shapes = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    try:
        parts = shapely.get_parts(shapely.union_all(shapely.make_valid(shapes)))
    except shapely.GEOSException as error:
        raise BadInput(f"{path}: the outline cannot be drawn ({error}). Draw it anew.") from error
    polygons = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
    if not polygons:
        raise BadInput(f"{path}: holds no polygon, so there is no area. Draw the outline as one.")
    if any(part.bounds[2] - part.bounds[0] > WIDEST_DEG for part in polygons):
        raise BadInput(
            f"{path}: the outline is wider than {WIDEST_DEG:g} degrees. "
            "Split it at the antimeridian."
        )
    outline = shapely.union_all(polygons)
    west, south, east, north = outline.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise BadInput(
            f"{path}: the outline leaves the map ({west:g} {south:g} {east:g} {north:g})."
        )
    shapely.prepare(outline)
    return outline
