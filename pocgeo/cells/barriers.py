"""Ways that cross water: which edges a river or a lake cuts.

An edge is the straight line in lon, lat between its ends, a few kilometres long. It is crossed by
a waterway whose line it touches or crosses, and by a lake it enters. Roads are never asked: where
a road meets a river there is a bridge or a ford, and the road's own state says whether it is open.
"""

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pocgeo.cells.overlay import tiles
from pocgeo.ground.frames import require_columns

__all__ = ["Crossed", "crossed", "cut"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK = 500_000
"""Edges tested at once."""

FINEST_SLOTS = 20_000_000
"""Slots of the coarse grid that sorts out edges far from any water."""


class Crossed(NamedTuple):
    """Pairs of edge and waterway, each once, sorted by edge, then row."""

    edge: Ints
    row: Ints
    """Row of the waterways table, counted from 0."""


def crossed(u_lon: Floats, u_lat: Floats, v_lon: Floats, v_lat: Floats, waterways: Any) -> Crossed:
    """Find every waterway that each edge crosses.

    Parameters
    ----------
    u_lon, u_lat, v_lon, v_lat : float arrays, n
        Ends of the edges, degrees, EPSG:4326; none longer than a few kilometres.
    waterways : GeoDataFrame
        Lines or polygons, EPSG:4326.

    Returns
    -------
    Crossed
        A waterway that an edge crosses several times counts once.

    Raises
    ------
    MissingColumns
        No geometry.
    """
    require_columns(waterways, "waterways", ["geometry"])
    pieces, row = pieces_of(waterways["geometry"].to_numpy())
    if len(pieces) == 0 or len(u_lon) == 0:
        return Crossed(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    tree = shapely.STRtree(pieces)
    ends = np.stack([u_lon, u_lat, v_lon, v_lat], axis=1)
    around = np.where(np.abs(ends[:, 2] - ends[:, 0]) > 180, np.sign(ends[:, 0]) * 360, 0.0)
    near = near_water(ends, pieces) | (around != 0)
    found: list[Ints] = [np.zeros((2, 0), dtype=np.int64)]
    candidates = np.flatnonzero(near)
    for start in range(0, len(candidates), CHUNK):
        chosen = candidates[start : start + CHUNK]
        found.append(touched(tree, ends[chosen], chosen))
    turned = np.flatnonzero(around)
    for side in (0, 2):  # an edge over the antimeridian, seen from either end
        moved = ends[turned].copy()
        moved[:, 2 - side] += (1 if side == 0 else -1) * around[turned]
        found.append(touched(tree, moved, turned))
    edge, piece = np.concatenate(found, axis=1)
    kept = np.unique(edge * (len(waterways) + 1) + row[piece])
    return Crossed(*np.divmod(kept, len(waterways) + 1))


def cut(
    u_lon: Floats, u_lat: Floats, v_lon: Floats, v_lat: Floats, waterways: Any
) -> NDArray[np.int32]:
    """Row of the first waterway that each edge crosses, -1 where it crosses none.

    Parameters and errors as in `crossed`, which knows the others.
    """
    edge, row = crossed(u_lon, u_lat, v_lon, v_lat, waterways)
    answer = np.full(len(u_lon), -1, dtype=np.int32)
    answer[edge[::-1]] = row[::-1]
    return answer


def pieces_of(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], Ints]:
    """Single segments of lines and small tiles of polygons, and the row each belongs to."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    parts, again = shapely.get_parts(parts, return_index=True)
    owner = owner[again]
    areal = shapely.get_type_id(parts) == 3
    points, line = shapely.get_coordinates(parts[~areal], return_index=True)
    joined = (line[1:] == line[:-1]) & (np.abs(np.diff(points[:, 0])) <= 180)
    segments = shapely.linestrings(np.stack([points[:-1][joined], points[1:][joined]], axis=1))
    tiled = [tiles(lake) for lake in parts[areal]]
    size = np.array([len(some) for some in tiled], dtype=np.int64)
    pieces = np.concatenate([segments, *tiled])
    return pieces, np.concatenate([owner[~areal][line[:-1][joined]], np.repeat(owner[areal], size)])


def near_water(ends: Floats, pieces: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell edges that may touch a piece: those whose middle lies in or beside a marked slot.

    A slot is at least as wide as half the longest edge, so nothing that touches is missed.
    """
    reach = 0.5 * np.abs(ends[:, :2] - ends[:, 2:])
    reach = reach[np.abs(ends[:, 2] - ends[:, 0]) <= 180].max(axis=0, initial=1e-6)
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    low, high = middle.min(axis=0), middle.max(axis=0)
    extent = (high - low) + 1e-9
    slot = np.maximum(reach, np.sqrt(extent.prod() / FINEST_SLOTS))
    shape = np.ceil(extent / slot).astype(np.int64) + 3
    count = np.zeros(shape + 1, dtype=np.int32)  # differences in two directions, then summed
    box = shapely.bounds(pieces)
    first = np.clip(np.floor((box[:, :2] - low) / slot).astype(np.int64), -1, shape - 2)
    last = np.clip(np.floor((box[:, 2:] - low) / slot).astype(np.int64), -2, shape - 3)
    here = ((box[:, 2:] >= low - slot) & (box[:, :2] <= high + slot)).all(axis=1)
    a, b = first[here], last[here] + 3  # one slot around on every side
    for sign, x, y in ((1, a, a), (-1, b, a), (-1, a, b), (1, b, b)):
        at = np.clip(x[:, 0], 0, shape[0]), np.clip(y[:, 1], 0, shape[1])
        np.add.at(count, at, sign)
    marked = count.cumsum(axis=0).cumsum(axis=1) > 0
    at = np.floor((middle - low) / slot).astype(np.int64) + 1
    answer: NDArray[np.bool_] = marked[at[:, 0], at[:, 1]]
    return answer


def touched(tree: Any, ends: Floats, names: Ints) -> Ints:
    """Pairs of edge name and piece that intersect."""
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    edge, piece = tree.query(lines, predicate="intersects")
    return np.stack([names[edge], piece])
