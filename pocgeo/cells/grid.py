"""The H3 grid in arrays: the only room of h3.

A cell is an int64, the bit pattern of the H3 index (the top bit of an index is always 0).
Points and boundaries are lon, lat in degrees, EPSG:4326. A cell's edges are straight in lon, lat.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from pocgeo.cells.overlay import on_earth, tiles
from pocgeo.ground.areas import ring_areas_km2
from pocgeo.ground.errors import BadCoordinates, BadInput

__all__ = [
    "Cells",
    "areas_km2",
    "as_text",
    "boundaries",
    "cell_size_km2",
    "cells_of",
    "centres",
    "components",
    "cover",
    "disk",
    "disk_of",
    "disk_pairs",
    "from_text",
    "in_box",
    "neighbours",
    "parents",
    "positions",
    "resolution_of",
    "rings",
]

Cells = NDArray[np.int64]
FINEST = 15
HAIR_DEG = 1e-9
"""Width given to a box that has none, 0.1 mm."""

CHUNK = 20_000
"""Cells whose disks are in memory at once."""


def cells_of(lon: ArrayLike, lat: ArrayLike, resolution: int) -> Cells:
    """Cell of each point; 0 where a coordinate is missing.

    Parameters
    ----------
    lon, lat : float arrays of one length, degrees, EPSG:4326
    resolution : int, 0-15

    Raises
    ------
    BadCoordinates
        A longitude beyond 180 or a latitude beyond 90: h3 itself would wrap it round in silence.
    """
    checked(resolution)
    east, north = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    known = ~(np.isnan(east) | np.isnan(north))
    wrong = known & ~((np.abs(east) <= 180) & (np.abs(north) <= 90))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadCoordinates(
            f"Point {row}: lon {east[row]:g}, lat {north[row]:g} is no place on Earth "
            f"({int(wrong.sum())} such points). Longitudes are -180 to 180, latitudes -90 to 90."
        )
    if not known.all():
        east, north = np.where(known, east, 0), np.where(known, north, 0)
    found = map(h3.latlng_to_cell, north.tolist(), east.tolist(), repeat(resolution))
    cells = np.fromiter(found, np.int64, len(east))
    return cells if known.all() else np.where(known, cells, 0)


def centres(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre of each cell: lon, lat in degrees."""
    flat = chain.from_iterable(map(h3.cell_to_latlng, cells.tolist()))
    points = np.fromiter(flat, float, 2 * len(cells)).reshape(-1, 2)
    return points[:, 1].copy(), points[:, 0].copy()


def rings(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Vertices of all cells one after another: lon, lat, and where each cell's ring begins.

    Counter-clockwise, the first vertex not repeated; longitudes of a cell on the antimeridian
    jump by 360.
    """
    corners = list(map(h3.cell_to_boundary, cells.tolist()))
    size = np.fromiter(map(len, corners), np.int64, len(corners))
    flat = chain.from_iterable(chain.from_iterable(corners))
    points = np.fromiter(flat, float, 2 * int(size.sum())).reshape(-1, 2)
    return points[:, 1].copy(), points[:, 0].copy(), np.cumsum(size) - size


def boundaries(cells: Cells) -> NDArray[np.object_]:
    """Shapely polygon of each cell, inside -180 to 180.

    A cell on the antimeridian is a multipolygon cut there (RFC 7946); a cell on a pole reaches
    from -180 to 180 and up to the pole.
    """
    lon, lat, starts = rings(cells)
    size = np.diff(np.append(starts, len(lon)))
    owner = np.repeat(np.arange(len(cells)), size)
    polygons: NDArray[np.object_] = np.empty(len(cells), dtype=object)
    if len(cells):
        closed = shapely.linearrings(lon, lat, indices=owner)
        polygons[:] = shapely.polygons(closed)
        spread = np.maximum.reduceat(lon, starts) - np.minimum.reduceat(lon, starts)
        for row in np.flatnonzero(spread > 180):
            ring = slice(starts[row], starts[row] + size[row])
            polygons[row] = unwrapped(lon[ring], lat[ring])
    return polygons


def unwrapped(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Any:
    """Make the polygon of a ring that crosses the antimeridian or goes round a pole."""
    east = lon % 360
    if np.ptp(east) > 180:  # round a pole: the ring becomes the lower edge of a cap
        pole = 90.0 if lat.mean() > 0 else -90.0
        order = np.argsort(lon)
        x, y = lon[order], lat[order]
        rim = float(np.interp(180.0, [x[-1], x[0] + 360], [y[-1], y[0]]))
        x = np.concatenate([[-180.0], x, [180.0, 180.0, -180.0]])
        y = np.concatenate([[rim], y, [rim, pole, pole]])
        return shapely.polygons(np.column_stack([x, y]))
    whole = shapely.polygons(np.column_stack([east, lat]))
    west = shapely.intersection(whole, shapely.box(0, -90, 180, 90))
    beyond = shapely.intersection(whole, shapely.box(180, -90, 360, 90))
    moved = shapely.transform(beyond, lambda xy: xy - (360.0, 0.0))
    return shapely.union(west, moved)


def cover(geometry: Any, resolution: int) -> Cells:
    """Cells that overlap or touch a geometry, sorted: together they cover it without a gap.

    Parameters
    ----------
    geometry : shapely geometry, EPSG:4326
        Any kind. Longitudes may run beyond 180, or edges jump across the antimeridian.
    resolution : int, 0-15

    Raises
    ------
    BadInput
        The geometry is empty.

    Notes
    -----
    The geometry is cut into tiles of few vertices; h3 lists what overlaps each tile's box, and
    shapely judges the cells at the border. Asking h3 for a detailed country at once takes 25
    times as long, and cells chosen by their centres would drop towns on a border.
    """
    checked(resolution)
    whole = on_earth(geometry)
    if whole.is_empty:
        raise BadInput("The geometry is empty: it covers no cell. Check the boundary's file.")
    pieces = tiles(whole)
    bounds = shapely.bounds(pieces)
    points = shapely.points(shapely.get_coordinates(whole))
    found = [cells_of(shapely.get_x(points), shapely.get_y(points), resolution)]
    found += [in_box(w, s, e, n, resolution) for w, s, e, n in bounds.tolist()]
    cells = np.unique(np.concatenate(found))
    if np.abs(bounds[:, [0, 2]]).max() >= 179.9 or np.abs(bounds[:, 1::2]).max() >= 85:
        cells = disk(cells, 1)
    shapes = boundaries(cells)
    touching = shapely.STRtree(shapes).query(pieces, predicate="intersects")[1]
    covering: Cells = cells[np.unique(touching)]
    return covering


def in_box(west: float, south: float, east: float, north: float, resolution: int) -> Cells:
    """Cells that overlap a box in degrees, away from poles and antimeridian, in no order."""
    e, n = max(east, west + HAIR_DEG), max(north, south + HAIR_DEG)
    box = h3.LatLngPoly([(south, west), (south, e), (n, e), (n, west)])
    inside = h3.h3shape_to_cells_experimental(box, checked(resolution), "overlap")
    return np.fromiter(inside, np.int64, len(inside))


def areas_km2(cells: Cells) -> NDArray[np.float64]:
    """Area of each cell on the WGS84 ellipsoid, km2 (pocgeo.ground.areas states the method)."""
    return ring_areas_km2(*rings(cells))


def cell_size_km2(resolution: int) -> float:
    """Mean area of a cell of the resolution, km2."""
    return float(h3.average_hexagon_area(checked(resolution), unit="km^2"))


def resolution_of(cells: Cells) -> int:
    """Resolution of the cells, which must all be of one.

    Raises
    ------
    BadInput
        No cell at all, something that is not a cell, or cells of several resolutions.
    """
    if len(cells) == 0:
        raise BadInput("There is no cell to take a resolution from. Check the AOI's boundary.")
    found = np.unique((np.asarray(cells, dtype=np.int64) >> 52) & 0xF)
    if len(found) > 1:
        raise BadInput(f"Cells of several resolutions are mixed: {', '.join(map(str, found))}.")
    if not h3.is_valid_cell(int(cells[0])):
        raise BadInput(f"{int(cells[0])} is not an H3 cell.")
    return int(found[0])


def parents(cells: Cells, resolution: int) -> Cells:
    """Ancestor of each cell at a coarser (or the same) resolution, by the layout of the index."""
    checked(resolution)
    if len(cells) and resolution > resolution_of(cells):
        raise BadInput(
            f"Cells of resolution {resolution_of(cells)} have no parent at {resolution}: "
            "a parent is coarser, its number smaller."
        )
    digits = sum(7 << 3 * (FINEST - level) for level in range(resolution + 1, FINEST + 1))
    return (cells | digits) & ~(0xF << 52) | (resolution << 52)


def disk(cells: Cells, k: int = 1) -> Cells:
    """All cells within `k` steps of any of the cells, sorted, those included."""
    found = map(h3.grid_disk, np.unique(cells).tolist(), repeat(k))
    return np.unique(np.fromiter(chain.from_iterable(found), np.int64))


def neighbours(cells: Cells) -> NDArray[np.int64]:
    """Neighbours of each cell, six to a row in no order; a pentagon has five, and 0 in its row."""
    disks = list(map(h3.grid_disk, cells.tolist(), repeat(1)))
    size = np.fromiter(map(len, disks), np.int64, len(disks))
    member = np.fromiter(chain.from_iterable(disks), np.int64, int(size.sum()))
    around = np.zeros((len(cells), 7), dtype=np.int64)
    around[np.arange(7) < size[:, None]] = member
    around[around == cells[:, None]] = 0
    return np.sort(around, axis=1)[:, 1:]


def disk_of(cells: Cells, reach_m: float) -> tuple[Cells, NDArray[np.int64]]:
    """Cells around each cell, out to all that lie within a distance of any point of it.

    Returns
    -------
    around : int64 array
        Members of the disks one after another, the cell itself first.
    size : int array
        How many there are of each.
    """
    if len(cells) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # Cells lie at least 0.6 of the mean edge length apart for each ring between them.
    edge_m = 1_000 * float(h3.average_hexagon_edge_length(resolution_of(cells), unit="km"))
    k = 1 + int(np.ceil(reach_m / (0.6 * edge_m)))
    disks = list(map(h3.grid_disk, cells.tolist(), repeat(k)))
    size = np.fromiter(map(len, disks), np.int64, len(disks))
    return np.fromiter(chain.from_iterable(disks), np.int64, int(size.sum())), size


def positions(cells: Cells, sought: Cells) -> NDArray[np.int64]:
    """Row of each sought cell in the sorted `cells`; -1 where it is not among them."""
    if len(cells) == 0:
        return np.full(len(sought), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(cells, sought), len(cells) - 1)
    return np.where(cells[at] == sought, at, -1)


def disk_pairs(
    cells: Cells, k: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of cells of a set that lie within `k` steps of each other.

    Parameters
    ----------
    cells : int64 array, sorted, no repeats
    k : int, steps, 0 or more

    Returns
    -------
    rows, columns, distances
        Positions in `cells`, and steps on the grid (which may lead outside the set). Every cell
        is paired with itself at 0; every pair comes both ways; sorted by row, then column.
    """
    if k < 0:
        raise BadInput(f"k must be 0 or more steps, got {k}.")
    if len(cells) == 0:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    if (np.diff(cells) <= 0).any():
        raise BadInput("disk_pairs needs sorted cells without repeats.")
    pentagons = np.array(h3.get_pentagons(resolution_of(cells)), dtype=np.int64)
    parts = [ringed(cells, start, k, pentagons) for start in range(0, len(cells), CHUNK)]
    rows, columns, steps = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, steps


def ringed(
    cells: Cells, start: int, k: int, pentagons: Cells
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of one chunk of the cells.

    h3 lists a disk ring by ring, unless there is a pentagon in it.
    """
    chunk = cells[start : start + CHUNK].tolist()
    disks = list(map(h3.grid_disk, chunk, repeat(k)))
    size = np.fromiter(map(len, disks), np.int64, len(disks))
    member = np.fromiter(chain.from_iterable(disks), np.int64, int(size.sum()))
    rows = np.repeat(np.arange(start, start + len(chunk)), size)
    place = np.arange(len(member)) - np.repeat(np.cumsum(size) - size, size)
    ring_of_place = np.repeat(np.arange(k + 1), [1, *(6 * j for j in range(1, k + 1))])
    steps = ring_of_place[np.minimum(place, len(ring_of_place) - 1)]
    for row in np.unique(rows[np.isin(member, pentagons)]):
        here = rows == row
        nearer = [set(h3.grid_disk(int(cells[row]), j)) for j in range(k)]
        steps[here] = [sum(cell not in seen for seen in nearer) for cell in member[here].tolist()]
    columns = positions(cells, member)
    kept = columns >= 0
    rows, columns, steps = rows[kept], columns[kept], steps[kept]
    order = np.argsort(rows * len(cells) + columns, kind="stable")
    return rows[order], columns[order], steps[order]


def components(cells: Cells, labels: ArrayLike | None = None) -> NDArray[np.int64]:
    """Give each connected group of neighbouring cells a number, from 0 in the order of first cells.

    Parameters
    ----------
    cells : int64 array, sorted, no repeats
    labels : array, one per cell, optional
        Cells with different labels are never joined; a missing label is a label of its own.
    """
    # Workers that sum up fixes never ask this: they start without scipy, a fifth of a second less.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    rows, columns, _ = disk_pairs(cells, 1)
    if labels is not None:
        text = np.array([str(label) for label in np.asarray(labels, dtype=object)], dtype=object)
        code = np.unique(text.astype(str), return_inverse=True)[1]
        same = code[rows] == code[columns]
        rows, columns = rows[same], columns[same]
    joined = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), (len(cells),) * 2)
    found = connected_components(joined, directed=False)[1] if len(cells) else np.zeros(0)
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def as_text(cells: Cells) -> list[str]:
    """Hexadecimal text of each cell, as H3 writes it."""
    return [format(cell, "x") for cell in np.asarray(cells).tolist()]


def from_text(texts: Iterable[str]) -> Cells:
    """Cells of hexadecimal texts.

    Raises
    ------
    BadInput
        A text that is no H3 cell.
    """
    given: Sequence[str] = list(texts)
    try:
        cells = [h3.str_to_int(text) for text in given]
    except (ValueError, OverflowError):
        cells = [0] * len(given)
    for text, cell in zip(given, cells, strict=True):
        if not 0 < cell < 2**63 or not h3.is_valid_cell(cell):
            raise BadInput(f"{text!r} is not an H3 cell. It looks like 8843a13687fffff.")
    return np.array(cells, dtype=np.int64)


def checked(resolution: int) -> int:
    """Refuse a resolution that H3 does not have."""
    if not 0 <= resolution <= FINEST:
        raise BadInput(f"resolution must be 0 to {FINEST}, got {resolution}.")
    return resolution
