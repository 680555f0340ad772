"""Which cells are in sight of a point: the one it lies in, and those within a distance of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pocgeo.cells.grid import Cells, centres, disk_of, positions, rings

__all__ = ["in_sight"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SEMI_MAJOR_M = 6_378_137.0
E2 = 0.006_694_379_990_14
CHUNK = 500_000
"""Pairs of point and cell that are measured at once."""


def in_sight(
    lon: Floats, lat: Floats, own: Cells, index: Cells, sight_m: float
) -> tuple[Ints, Ints]:
    """Pair points with the cells in sight.

    Parameters
    ----------
    lon, lat : float arrays, degrees, EPSG:4326
    own : int64 array
        Cell of each point.
    index : int64 array, sorted
        The cells that matter.
    sight_m : float
        Greatest distance from the point to the cell's boundary, metres.

    Returns
    -------
    point, at : int arrays
        Rows of points and positions in `index`, in no order.

    Notes
    -----
    Distances are measured in the tangent plane of the point, with the ellipsoid's radii there:
    to 1e-4 of themselves up to 10 km.
    """
    homes, home = np.unique(own, return_inverse=True)
    inside = positions(index, own)
    points = [np.flatnonzero(inside >= 0)]
    cells = [inside[inside >= 0]]
    if sight_m > 0 and len(homes) and len(index):
        shapes = Shapes.of(index)
        at, count = candidates(homes, index, sight_m, shapes)
        start = np.cumsum(count) - count
        step = max(1, CHUNK // max(1, int(count.max(initial=1))))
        for begin in range(0, len(lon), step):
            rows = np.arange(begin, min(begin + step, len(lon)))
            many = count[home[rows]]
            point = np.repeat(rows, many)
            place = np.arange(len(point)) - np.repeat(np.cumsum(many) - many, many)
            cell = at[start[home[point]] + place]
            near = shapes.within(lon[point], lat[point], cell, sight_m)
            points.append(point[near])
            cells.append(cell[near])
    return np.concatenate(points), np.concatenate(cells)


class Shapes(NamedTuple):
    """Outlines of cells, and the circles inside and around them."""

    lon: Floats
    """Of all vertices, degrees."""

    lat: Floats
    corner: Ints
    """Shape (vertices, cells): which vertices are a cell's; the last one repeated."""

    centre_lon: Floats
    centre_lat: Floats
    inner_m: Floats
    outer_m: Floats

    @classmethod
    def of(cls, cells: Cells) -> "Shapes":
        """Lay out some cells."""
        lon, lat, starts = rings(cells)
        size = np.diff(np.append(starts, len(lon)))
        step = np.minimum(np.arange(int(size.max(initial=1)))[:, None], size - 1)
        corner = starts + step
        x, y = centres(cells)
        inner_m = apart_m(x, y, lon[corner], lat[corner])
        outer_m = np.max([from_m(x, y, lon[vertex], lat[vertex]) for vertex in corner], axis=0)
        return cls(lon, lat, corner, x, y, inner_m, outer_m)

    def within(self, lon: Floats, lat: Floats, cell: Ints, reach_m: float) -> NDArray[np.bool_]:
        """Say which points lie within a distance of a cell that they are not in.

        A cell is in reach if its inscribed circle is, and only if its circumscribed one is.
        """
        far_m = from_m(lon, lat, self.centre_lon[cell], self.centre_lat[cell])
        near = far_m <= reach_m + 0.99 * self.inner_m[cell]
        rows = np.flatnonzero(~near & (far_m <= reach_m + 1.01 * self.outer_m[cell]))
        vertex = self.corner[:, cell[rows]]
        near[rows] = apart_m(lon[rows], lat[rows], self.lon[vertex], self.lat[vertex]) <= reach_m
        return near


def candidates(homes: Cells, index: Cells, sight_m: float, shapes: Shapes) -> tuple[Ints, Ints]:
    """Cells that may be in sight from somewhere in each home, the home itself left out.

    Returns
    -------
    at : int array, positions in `index`, home after home
    count : int array, how many there are of each home
    """
    around, size = disk_of(homes, sight_m)
    at = positions(index, around)
    of = np.repeat(np.arange(len(homes)), size)
    wanted = (at >= 0) & (around != homes[of])
    at, of = at[wanted], of[wanted]
    home = Shapes.of(homes)
    vertex = shapes.corner[:, at]
    far_m = apart_m(
        home.centre_lon[of], home.centre_lat[of], shapes.lon[vertex], shapes.lat[vertex]
    )
    near = far_m <= sight_m + 1.01 * home.outer_m[of]
    return at[near], np.bincount(of[near], minlength=len(homes))


def apart_m(lon: Floats, lat: Floats, ring_lon: Floats, ring_lat: Floats) -> Floats:
    """Distance from points to the rings of cells that they do not lie in, metres.

    Parameters
    ----------
    lon, lat : shape (n,)
    ring_lon, ring_lat : shape (vertices, n)
    """
    x, y = plane_m(lon, lat, ring_lon, ring_lat)
    nearest2 = np.full(len(lon), np.inf)
    for here in range(len(x)):
        there = (here + 1) % len(x)
        dx, dy = x[there] - x[here], y[there] - y[here]
        long2 = dx * dx + dy * dy
        along = -(x[here] * dx + y[here] * dy)
        part = np.clip(np.divide(along, long2, out=np.zeros_like(along), where=long2 > 0), 0, 1)
        np.minimum(nearest2, (x[here] + part * dx) ** 2 + (y[here] + part * dy) ** 2, out=nearest2)
    return np.asarray(np.sqrt(nearest2))


def from_m(lon: Floats, lat: Floats, to_lon: Floats, to_lat: Floats) -> Floats:
    """Distance between near points, metres."""
    return np.asarray(np.hypot(*plane_m(lon, lat, to_lon, to_lat)))


def plane_m(lon: Floats, lat: Floats, to_lon: Floats, to_lat: Floats) -> tuple[Floats, Floats]:
    """Metres east and north from points to others, in the tangent planes of the first."""
    sine2 = np.sin(np.radians(lat)) ** 2
    across_m = SEMI_MAJOR_M / np.sqrt(1 - E2 * sine2)
    along_m = across_m * (1 - E2) / (1 - E2 * sine2)
    turn = to_lon - lon
    turn -= 360 * np.round(turn / 360)
    east = np.radians(turn) * across_m * np.cos(np.radians(lat))
    return east, np.radians(to_lat - lat) * along_m
