"""Geometry against geometry, fast on detailed borders: tiles, crossing pairs, exact shares."""

from functools import partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pocgeo.ground.areas import areas_km2

__all__ = ["on_earth", "shares", "tiles"]

VERTICES = 128
"""A tile with fewer vertices is not cut further."""

WIDEST_DEG = 60.0
"""No tile is wider: h3 takes an edge over 180 degrees for one that crosses the antimeridian."""


def on_earth(geometry: Any) -> Any:
    """Cut a geometry at the antimeridian, so that every part lies in -180 to 180, and mend it.

    Two spellings are understood: longitudes beyond 180 (179 to 181), and an edge that jumps by
    more than 180 degrees (179 to -179).
    """
    points = shapely.get_coordinates(geometry)
    if len(points) == 0:
        return geometry
    if jumps(geometry):
        geometry = shapely.transform(geometry, eastward)
        points = shapely.get_coordinates(geometry)
    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
    low, high = points[:, 0].min(), points[:, 0].max()
    if low >= -180 and high <= 180:
        return geometry
    parts = []
    for turn in range(int(np.floor((low + 180) / 360)), int(np.floor((high + 180) / 360)) + 1):
        window = shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90)
        part = shapely.intersection(geometry, window)
        parts.append(shapely.transform(part, partial(back, turns=turn)))
    return shapely.union_all(parts)


def eastward(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write longitudes as 0 to 360."""
    return np.column_stack([points[:, 0] % 360, points[:, 1]])


def back(points: NDArray[np.float64], turns: int) -> NDArray[np.float64]:
    """Take whole turns off the longitudes."""
    moved: NDArray[np.float64] = points - np.array([360.0 * turns, 0.0])
    return moved


def jumps(geometry: Any) -> bool:
    """Say whether an edge spans more than 180 degrees of longitude without lying on a pole."""
    parts = shapely.get_parts(geometry)
    areal = shapely.get_type_id(parts) == 3
    lines = np.concatenate([shapely.get_rings(parts[areal]), parts[~areal]])
    points, owner = shapely.get_coordinates(lines, return_index=True)
    leap = (np.abs(np.diff(points[:, 0])) > 180) & (owner[1:] == owner[:-1])
    whole_turn = np.abs(np.abs(np.diff(points[:, 0])) - 360) < 1e-9
    return bool((leap & ~whole_turn).any()) and bool(np.abs(points[:, 0]).max() <= 180)


def tiles(geometry: Any, vertices: int = VERTICES) -> NDArray[np.object_]:
    """Cut a geometry into pieces of few vertices, halving the longer side again and again.

    The pieces do not overlap and together are the geometry.
    """
    done: list[Any] = []
    waiting = [part for part in shapely.get_parts(geometry) if not part.is_empty]
    while waiting:
        piece = waiting.pop()
        west, south, east, north = piece.bounds
        wide, high = east - west, north - south
        small = shapely.get_num_coordinates(piece) <= vertices
        if (small and max(wide, high) <= WIDEST_DEG) or max(wide, high) < 1e-9:
            done.append(piece)
            continue
        middle = (west + east) / 2 if wide >= high else (south + north) / 2
        cut = (west, south, middle, north) if wide >= high else (west, south, east, middle)
        rest = (middle, south, east, north) if wide >= high else (west, middle, east, north)
        for bounds in (cut, rest):
            inside = shapely.intersection(piece, shapely.box(*bounds))
            waiting.extend(part for part in parts_of(inside, piece) if not part.is_empty)
    found: NDArray[np.object_] = np.empty(len(done), dtype=object)
    found[:] = done
    return found


def parts_of(geometry: Any, like: Any) -> list[Any]:
    """Parts of the dimension of another geometry: a cut may leave points and lines behind."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    kept = shapely.get_dimensions(parts) == shapely.get_dimensions(like)
    return list(parts[kept])


def shares(
    polygons: NDArray[np.object_], cells: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Part of each cell that each polygon covers.

    Parameters
    ----------
    polygons : array of polygons or multipolygons, EPSG:4326
    cells : array of cell polygons (cells.grid.boundaries), EPSG:4326

    Returns
    -------
    polygon, cell : int arrays, positions in the two inputs, sorted by polygon, then cell
    area_km2 : float array
        Ellipsoidal area of the overlap (pocgeo.ground.areas), more than 0. Pieces of polygons that
        tile the plane add up to the cell's area.
    """
    pieces: list[NDArray[np.object_]] = []
    owners: list[NDArray[np.int64]] = []
    for row, polygon in enumerate(polygons):
        if polygon is None or polygon.is_empty:
            continue
        cut = tiles(on_earth(polygon))
        cut = cut[shapely.get_dimensions(cut) == 2]
        pieces.append(cut)
        owners.append(np.full(len(cut), row, dtype=np.int64))
    if not pieces or len(cells) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    tile, owner = np.concatenate(pieces), np.concatenate(owners)
    tree = shapely.STRtree(cells)
    at, cell = tree.query(tile, predicate="intersects")
    within_at, within = tree.query(tile, predicate="covers")
    size = len(cells)
    whole = np.isin(at * size + cell, within_at * size + within)
    area = np.empty(len(at))
    area[whole] = areas_km2(cells[cell[whole]])
    area[~whole] = areas_km2(shapely.intersection(tile[at[~whole]], cells[cell[~whole]]))
    pair, inverse = np.unique(owner[at] * size + cell, return_inverse=True)
    total = np.bincount(inverse, area, len(pair))
    pair, total = pair[total > 0], total[total > 0]
    return (pair // size).astype(np.int64), (pair % size).astype(np.int64), total.astype(float)
