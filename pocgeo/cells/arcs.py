"""Arcs between cell centres in 12 directions: the six neighbours and the six knight's moves.

A knight is a cell two steps off that shares exactly two neighbours with the first; the straight
line between the two runs along the border of those two. More arcs in between would lie on the same
lines as two shorter ones; six directions alone lengthen ways over a plain by up to 17 per cent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.cells.grid import Cells, centres, neighbours, positions, resolution_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import earth_centred_m

__all__ = ["Arcs", "arc_length_m", "arcs"]

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

# Units of the seven digits of an H3 index, and the turn from one resolution to the next, in axial
# coordinates (H3 core library, coordijk.c: _neighbor, _downAp7, _downAp7r).
DIGIT_I = np.array([0, -1, 0, -1, 1, 0, 1, 0], dtype=np.int32)
DIGIT_J = np.array([0, -1, 1, 0, 0, -1, 1, 0], dtype=np.int32)
FINEST = 15
STEPS = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))
"""The six neighbours in axial coordinates, one after another round the cell."""

KNIGHTS = ((2, 1), (1, 2), (-1, 1), (-2, -1), (-1, -2), (1, -1))
"""The knight between each step and the next one."""

CHUNK = 100_000
"""Cells looked up one by one whose paths of two steps are in memory at once."""

SPARSEST = 24
"""Slots of the look-up table for each cell; a set scattered wider is looked up one by one."""

RADIUS_M = 6_371_008.8  # mean radius: the arc is longer than its chord by c^3 / 24 R^2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arcs:
    """Pairs of cells, each once; positions in the sorted cells."""

    u: Ints
    v: Ints
    length_m: NDArray[np.float32]
    """Geodesic length from centre to centre, metres."""

    via_a: Ints
    """First of the two cells a knight passes between; -1 for neighbours."""

    via_b: Ints
    kind: NDArray[np.int8]
    """1 neighbours, 2 knights."""


def arcs(cells: Cells, lon: Floats | None = None, lat: Floats | None = None) -> Arcs:
    """Arcs of a set of cells in 12 directions.

    Parameters
    ----------
    cells : int64 array, sorted, no repeats, of one resolution
    lon, lat : float arrays, degrees, EPSG:4326, optional
        Their centres, where they are known already.

    Returns
    -------
    Arcs
        A knight only where both cells it passes between are in the set: ground that is not known
        is not crossed. Sorted by `u`, then `v`.

    Raises
    ------
    BadInput
        Cells unsorted, repeated, or of several resolutions.

    Notes
    -----
    Inside a base cell of H3 neighbours follow from the digits of the index; only cells with a
    neighbour missing there (at the rim of the set or of a base cell) are asked of the library.
    """
    if len(cells) == 0:
        none = np.zeros(0, dtype=np.int32)
        bare, flat = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int8)
        return Arcs(u=none, v=none, length_m=bare, via_a=none, via_b=none, kind=flat)
    if (np.diff(cells) <= 0).any():
        raise BadInput("arcs needs sorted cells without repeats.")
    resolution_of(cells)
    inner, odd = by_digits(cells)
    parts = [*inner, by_library(cells, odd)]
    table = np.concatenate(parts, axis=1)
    del parts, inner
    order = np.argsort(table[0].astype(np.int64) * len(cells) + table[1])
    u, v, via_a, via_b = (np.ascontiguousarray(row[order]) for row in table)
    east, north = (lon, lat) if lon is not None and lat is not None else centres(cells)
    return Arcs(
        u=u,
        v=v,
        length_m=arc_length_m(earth_centred_m(east, north), u, v).astype(np.float32),
        via_a=via_a,
        via_b=via_b,
        kind=np.where(via_a < 0, 1, 2).astype(np.int8),
    )


def arc_length_m(places: Floats, u: NDArray[np.int32], v: NDArray[np.int32]) -> Floats:
    """Geodesic length between places in space (`earth_centred_m`) a few kilometres apart, metres.

    From the chord: right to 1e-9 of the length at 10 km.
    """
    square = np.zeros(len(u))
    for axis in range(3):
        along = np.ascontiguousarray(places[:, axis])
        away = along[u] - along[v]
        square += np.square(away, out=away)
    chord = np.sqrt(square)
    longer: Floats = chord * (1 + square / (24 * RADIUS_M**2))
    return longer


def axial(cells: Cells) -> tuple[NDArray[np.int64], Ints, Ints]:
    """Split cells of one resolution into base cell and axial coordinates within it."""
    i = np.zeros(len(cells), dtype=np.int32)
    j = np.zeros(len(cells), dtype=np.int32)
    for level in range(1, resolution_of(cells) + 1):
        digit = (cells >> 3 * (FINEST - level)) & 7
        i, j = (2 * i + j, 3 * j - i) if level % 2 else (3 * i - j, i + 2 * j)
        i, j = i + DIGIT_I[digit], j + DIGIT_J[digit]
    return (cells >> 45) & 127, i, j


def by_digits(cells: Cells) -> tuple[list[Ints], NDArray[np.int64]]:
    """Arcs of cells whose 12 partners all lie in their base cell, and the other cells' positions.

    Each part has the rows u, v, via_a, via_b; an arc is told by its lower end.
    """
    table = slots(cells)
    if table is None:
        return [], np.arange(len(cells))
    place, jump, row_of = table
    ring = [row_of[place + jump @ step] for step in np.array(STEPS)]
    far = [row_of[place + jump @ step] for step in np.array(KNIGHTS)]
    whole = np.logical_and.reduce([found >= 0 for found in [*ring, *far]])
    me = np.arange(len(cells), dtype=np.int32)
    none = np.full(len(cells), -1, dtype=np.int32)
    parts = []
    for turn in range(6):
        beside = ring[turn], ring[(turn + 1) % 6]
        for partner, via in ((ring[turn], (none, none)), (far[turn], beside)):
            kept = whole & (partner > me)
            parts.append(np.stack([me[kept], partner[kept], via[0][kept], via[1][kept]]))
    return parts, np.flatnonzero(~whole)


def slots(cells: Cells) -> tuple[NDArray[np.int64], NDArray[np.int64], Ints] | None:
    """Slot of each cell in a table of its base cell's box, how slots step, and the table.

    None where the cells lie so scattered that the table would be too large.
    """
    base, i, j = axial(cells)
    starts = np.flatnonzero(np.append(True, base[1:] != base[:-1]))
    low_i, low_j = (np.minimum.reduceat(part, starts) - 2 for part in (i, j))
    high_i, high_j = (np.maximum.reduceat(part, starts) + 3 for part in (i, j))
    wide = int((high_j - low_j).max())
    size = (high_i - low_i).astype(np.int64) * wide
    if size.sum() > SPARSEST * len(cells) + CHUNK:
        return None
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(cells))))
    first = np.cumsum(size) - size
    place = first[owner] + (i - low_i[owner]).astype(np.int64) * wide + (j - low_j[owner])
    row_of = np.full(int(size.sum()), -1, dtype=np.int32)
    row_of[place] = np.arange(len(cells), dtype=np.int32)
    return place, np.array([wide, 1]), row_of


def by_library(cells: Cells, rows: NDArray[np.int64]) -> Ints:
    """Arcs told by the cells at `rows`, from the neighbours that H3 lists: u, v, via_a, via_b."""
    parts = [np.zeros((4, 0), dtype=np.int32)]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        around = neighbours(cells[chunk])
        known, where = np.unique(around, return_inverse=True)
        beyond = neighbours(known[known > 0])
        beyond = np.concatenate([np.zeros((int(known[0] == 0), 6), dtype=np.int64), beyond])
        near = np.stack([np.repeat(chunk, 6), positions(cells, around.ravel())])
        near = near[:, near[1] > near[0]].astype(np.int32)
        parts.append(np.concatenate([near, np.full_like(near, -1)]))
        parts.append(knights(cells, chunk, around, beyond[where.reshape(around.shape)]))
    return np.concatenate(parts, axis=1)


def knights(
    cells: Cells,
    rows: NDArray[np.int64],
    around: NDArray[np.int64],
    beyond: NDArray[np.int64],
) -> Ints:
    """Knights among paths of two steps: the ends reached by exactly two of them."""
    here = np.repeat(np.arange(len(rows)), 36)
    via = np.repeat(around.ravel(), 6)
    end = beyond.reshape(len(rows), 36)
    fresh = (end != cells[rows][:, None]) & (end > 0)
    for place in range(6):
        fresh &= end != around[:, place : place + 1]
    chosen = fresh.ravel()
    here, via, end = here[chosen], via[chosen], end.ravel()[chosen]
    order = np.lexsort((end, here))
    here, via, end = here[order], via[order], end[order]
    starts = np.flatnonzero(np.append(True, (here[1:] != here[:-1]) | (end[1:] != end[:-1])))
    starts = starts[np.diff(np.append(starts, len(here))) == 2] if len(here) else starts[:0]
    found = np.stack(
        [
            rows[here[starts]],
            positions(cells, end[starts]),
            positions(cells, via[starts]),
            positions(cells, via[starts + 1]),
        ]
    )
    kept = (found[1] > found[0]) & (found[2] >= 0) & (found[3] >= 0)
    return found[:, kept].astype(np.int32)
