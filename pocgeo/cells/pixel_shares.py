"""Shares of pixels that lie in polygons, exactly: signed areas under the polygons' edges.

Every edge is cut where it crosses the lines between pixels. A piece covers the part of its own
pixel that lies east of it, and the whole strip of every pixel further east; edges on the west
side of a polygon add, those on its east side take away. One running sum along the rows of each
polygon's box of pixels then gives the share of every pixel, as fonts are drawn. The work is that
of the edges, not of the pixels, and knows nothing of H3.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "shared_pixels"]

NOTHING = 1e-12
"""A smaller share is rounding."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pairs(NamedTuple):
    """Polygons and the pixels they reach into, polygon by polygon."""

    polygon: Ints
    pixel: Ints
    """row * columns + column."""

    share: Floats
    """Of the pixel that lies in the polygon, 0 to 1."""


class Boxes(NamedTuple):
    """Rectangles of pixels around polygons, one spare column each, laid end to end."""

    polygon: Ints
    top: Ints
    left: Ints
    height: Ints
    width: Ints
    """Spare column included."""

    start: Ints
    """Where each begins; one more number at the end."""


class Edges(NamedTuple):
    """Pieces of edges, from north to south."""

    box: Ints
    upper_x: Floats
    upper_y: Floats
    lower_x: Floats
    lower_y: Floats
    sign: Floats
    """1 where the polygon lies east of the edge, -1 where it lies west."""


def shared_pixels(
    x: Floats, y: Floats, starts: Ints, wanted: NDArray[np.bool_], least: float = NOTHING
) -> Pairs:
    """Share of each wanted pixel in each polygon.

    Parameters
    ----------
    x, y : float arrays
        Vertices of all polygons one after another, in pixels: x from the west edge of the window,
        y from its north edge, southward. Rings are counter-clockwise on the map.
    starts : int array
        Where each ring begins.
    wanted : bool array, shape (rows, columns)
        Pixels to tell of.
    least : float
        Smaller shares are left out.
    """
    rows, columns = wanted.shape
    boxes, vertex_box = boxes_of(x, y, starts, rows, columns)
    if len(boxes.polygon) == 0:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0))
    edges = edges_of(x, y, starts, vertex_box)
    strips = by_row(edges, boxes)
    size = int(boxes.start[-1])
    share = covered(strips, boxes, size)
    # Box rows, and from them the pixel of every element.
    box_row = np.repeat(np.arange(len(boxes.polygon)), boxes.height)
    first_row = np.cumsum(boxes.height) - boxes.height
    row = boxes.top[box_row] + np.arange(len(box_row)) - first_row[box_row]
    width = boxes.width[box_row]
    element = np.cumsum(width) - width
    pixel = np.repeat(row * columns + boxes.left[box_row] - element, width)
    pixel += np.arange(size)
    kept = np.flatnonzero((share > least) & wanted.ravel().take(pixel, mode="clip"))
    polygon = np.repeat(boxes.polygon, np.diff(boxes.start))[kept]
    return Pairs(polygon, pixel[kept], share[kept])


def boxes_of(x: Floats, y: Floats, starts: Ints, rows: int, columns: int) -> tuple[Boxes, Ints]:
    """Box of each polygon inside the window, and the box of each vertex (-1: outside)."""
    top = np.clip(np.floor(np.minimum.reduceat(y, starts)), 0, rows).astype(np.int64)
    bottom = np.clip(np.ceil(np.maximum.reduceat(y, starts)), 0, rows).astype(np.int64)
    left = np.clip(np.floor(np.minimum.reduceat(x, starts)), 0, columns).astype(np.int64)
    right = np.clip(np.ceil(np.maximum.reduceat(x, starts)), 0, columns).astype(np.int64)
    inside = (bottom > top) & (right > left)
    polygon = np.flatnonzero(inside)
    height, width = (bottom - top)[polygon], (right - left)[polygon] + 1
    start = np.concatenate([[0], np.cumsum(height * width)])
    number = np.where(inside, np.cumsum(inside) - 1, -1)
    vertex_box = np.repeat(number, np.diff(np.append(starts, len(x))))
    return Boxes(polygon, top[polygon], left[polygon], height, width, start), vertex_box


def edges_of(x: Floats, y: Floats, starts: Ints, vertex_box: Ints) -> Edges:
    """Edges of the polygons that have a box, each from north to south."""
    following = np.arange(1, len(x) + 1)
    following[np.append(starts[1:], len(x)) - 1] = starts
    kept = (vertex_box >= 0) & (y != y[following])
    here, there = np.flatnonzero(kept), following[kept]
    down = y[there] > y[here]
    upper, lower = np.where(down, here, there), np.where(down, there, here)
    return Edges(
        vertex_box[here], x[upper], y[upper], x[lower], y[lower], np.where(down, 1.0, -1.0)
    )


def by_row(edges: Edges, boxes: Boxes) -> Edges:
    """Cut edges at the lines between rows, leaving what is north or south of the box."""
    top = boxes.top[edges.box]
    bottom = top + boxes.height[edges.box]
    first = np.maximum(np.floor(edges.upper_y).astype(np.int64), top)
    last = np.minimum(np.ceil(edges.lower_y).astype(np.int64), bottom)
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) + (first - (np.cumsum(count) - count))[edge]
    slope = (edges.lower_x - edges.upper_x) / (edges.lower_y - edges.upper_y)
    from_x, from_y, slope = edges.upper_x[edge], edges.upper_y[edge], slope[edge]
    upper_y = np.maximum(from_y, row)
    lower_y = np.minimum(edges.lower_y[edge], row + 1)
    return Edges(
        edges.box[edge],
        from_x + (upper_y - from_y) * slope, upper_y,
        from_x + (lower_y - from_y) * slope, lower_y,
        edges.sign[edge],
    )  # fmt: skip


def covered(strips: Edges, boxes: Boxes, size: int) -> Floats:
    """Share of each element of the boxes, from edges cut at rows."""
    left = boxes.left[strips.box]
    spare = boxes.width[strips.box] - 1
    west = np.minimum(strips.upper_x, strips.lower_x) - left
    east = np.maximum(strips.upper_x, strips.lower_x) - left
    first = np.clip(np.floor(west), -1, spare).astype(np.int64)
    last = np.clip(np.floor(east), -1, spare).astype(np.int64)
    area = (strips.lower_y - strips.upper_y) * strips.sign
    row = np.floor(strips.upper_y).astype(np.int64) - boxes.top[strips.box]
    place = boxes.start[strips.box] + row * (spare + 1)
    count = last - first + 1
    strip = np.repeat(np.arange(len(count)), count)
    column = np.arange(len(strip)) + (first - (np.cumsum(count) - count))[strip]
    one = count == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(one, 0.0, area / (east - west))
    begin = np.where(column == first[strip], west[strip], column)
    end = np.where(column == last[strip], east[strip], column + 1)
    piece = np.where(one[strip], area[strip], rate[strip] * (end - begin))
    target = np.maximum(column, 0)
    beyond = np.clip((begin + end) / 2 - target, 0.0, 1.0)
    beyond[column == spare[strip]] = 0.0
    at = place[strip] + target
    moved = piece * beyond
    total = np.bincount(at, piece - moved, size).astype(np.float64, copy=False)
    total[1:] += np.bincount(at, moved, size)[:-1]
    return np.cumsum(total, out=total)
