"""Areas that pairs of convex polygons have in common, in the plane, for arrays of pairs."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["common_areas"]

Floats = NDArray[np.float64]


def common_areas(x: Floats, y: Floats, other_x: Floats, other_y: Floats) -> Floats:
    """Area of the intersection of two convex polygons, for each of n pairs.

    Parameters
    ----------
    x, y : float arrays, shape (vertices, n)
        First polygons, counter-clockwise. Repeat the last vertex where one has fewer.
    other_x, other_y : float arrays, shape (other vertices, n)
        Second polygons, likewise.

    Returns
    -------
    float array, n, in the square of the coordinates' unit

    Notes
    -----
    By Green's theorem the area is half the sum, over the edges of each polygon clipped to the
    other (Cyrus and Beck 1978), of the cross product of their ends. Two polygons with a piece of
    edge in common on the same side count that piece twice.
    """
    return (along_edges(x, y, other_x, other_y) + along_edges(other_x, other_y, x, y)) / 2


def along_edges(x: Floats, y: Floats, by_x: Floats, by_y: Floats) -> Floats:
    """Sum of cross products over the edges of one polygon, clipped to the other."""
    total = np.zeros(x.shape[1])
    planes = [
        (np.roll(by_x, -1, axis=0)[k] - by_x[k], np.roll(by_y, -1, axis=0)[k] - by_y[k])
        for k in range(len(by_x))
    ]
    for here in range(len(x)):
        there = (here + 1) % len(x)
        dx, dy = x[there] - x[here], y[there] - y[here]
        begin, end = np.zeros_like(total), np.ones_like(total)
        for k, (edge_x, edge_y) in enumerate(planes):
            depth = edge_x * (y[here] - by_y[k]) - edge_y * (x[here] - by_x[k])
            rate = edge_x * dy - edge_y * dx
            with np.errstate(divide="ignore", invalid="ignore"):
                at = -depth / rate
            np.maximum(begin, at, out=begin, where=rate > 0)
            np.minimum(end, at, out=end, where=rate < 0)
            end[(rate == 0) & (depth < 0)] = 0
        total += np.maximum(end - begin, 0) * (x[here] * dy - y[here] * dx)
    return total
