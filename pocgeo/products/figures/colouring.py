"""What carries the colours of a sheet: cells as a picture, areas as shapes."""

from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.collections import PathCollection
from matplotlib.path import Path
from numpy.typing import NDArray

from pocgeo.cells import grid as cell_grid
from pocgeo.products.figures.cell_image import cell_image, nearest_piece
from pocgeo.products.figures.furniture import LegendEntry
from pocgeo.products.figures.overlays import Over, filled
from pocgeo.products.figures.plane import KM_PER_DEG
from pocgeo.products.maps.classes import Classed
from pocgeo.products.maps.mosaic import Mosaic
from pocgeo.products.maps.palettes import MISSING
from pocgeo.products.maps.spec import MapSpec, MeasureSpec

__all__ = ["Coloured", "draw_pieces"]

LIMIT_DOTS = 6_000_000
"""Dots of the picture of the cells at most; a larger sheet gets larger dots."""

EDGED_PT = 3.0
"""Points from the middle of a cell to its corner from which the edge of the last is drawn."""

LOUD_PT = 4.2
"""Points across a cell of a kind that nobody must miss, where cells are smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coloured:
    """What carries the colours of one sheet."""

    mosaic: Mosaic
    measure: MeasureSpec
    parts: Classed
    classes: NDArray[np.int64]
    counts: tuple[int, ...]
    missing: int
    period: str
    spec: MapSpec
    hatched: NDArray[np.bool_] | None


def draw_pieces(over: Over, coloured: Coloured, dots: tuple[int, int]) -> list[LegendEntry]:
    """Colour cells or areas; says what is drawn larger than it is."""
    mosaic, colours = coloured.mosaic, coloured.parts.colours
    if mosaic.geometry is not None:
        draw_areas(over, coloured, mosaic.geometry)
        return []
    lon, lat = cell_grid.centres(mosaic.table["cell"].to_numpy(dtype=np.int64))
    x, y = over.plane.km(lon, lat)
    rows, columns = dots
    coarser = max(1.0, (rows * columns / LIMIT_DOTS) ** 0.5)
    radius = farthest_corner_km(mosaic)
    piece = nearest_piece(x, y, radius, over.window, (int(rows / coarser), int(columns / coarser)))
    image = cell_image(piece, coloured.classes, colours, MISSING, coloured.hatched)
    shown = over.axes.imshow(
        image, extent=over.window, zorder=2, interpolation="nearest", aspect="auto"
    )
    if radius > EDGED_PT * over.scale * over.unit:  # beyond the last cells its radius is seen
        cells = cell_grid.boundaries(mosaic.table["cell"].to_numpy(dtype=np.int64))
        edge = over.plane.geometry(np.array([shapely.union_all(cells)]))[0]
        shown.set_clip_path(Path.make_compound_path(*filled(edge)), transform=over.axes.transData)
    return draw_loud(over, coloured, x, y) if 2 * radius < LOUD_PT * over.scale * over.unit else []


def draw_loud(
    over: Over, coloured: Coloured, x: NDArray[np.float64], y: NDArray[np.float64]
) -> list[LegendEntry]:
    """Draw again, larger than they are, the cells of kinds that nobody must miss."""
    entries = []
    for kind in coloured.parts.loud:
        rows = coloured.classes == kind
        over.axes.scatter(x[rows], y[rows], s=(LOUD_PT * over.scale) ** 2, marker="h",
                          c=coloured.parts.colours[kind], linewidths=0, zorder=2.05)  # fmt: skip
        if rows.any():
            said = over.words("drawn_larger", kind=coloured.parts.labels[kind])
            entries.append(LegendEntry(label=said, colour=coloured.parts.colours[kind]))
    return entries


def farthest_corner_km(mosaic: Mosaic) -> float:
    """Longest way from a centre to a corner of its cell, over some of the cells."""
    cells = mosaic.table["cell"].to_numpy(dtype=np.int64)
    some = cells[:: max(1, len(cells) // 200)]
    lon, lat, starts = cell_grid.rings(some)
    at = np.repeat(np.arange(len(some)), np.diff(np.append(starts, len(lon))))
    middle_lon, middle_lat = cell_grid.centres(some)
    squeeze = np.cos(np.radians(middle_lat[at]))
    east = ((lon - middle_lon[at] + 180) % 360 - 180) * squeeze
    far = np.hypot(east, lat - middle_lat[at]) * KM_PER_DEG
    return float(far.max(initial=0.0) * 1.03)


def draw_areas(over: Over, coloured: Coloured, geometry: NDArray[np.object_]) -> None:
    """Fill areas with the colours of their classes."""
    shapes = over.plane.geometry(geometry)
    for number in (*range(len(coloured.parts.colours)), len(coloured.parts.colours)):
        known = number < len(coloured.parts.colours)
        part = shapes[coloured.classes == number]
        paths = [path for shape in part for path in filled(shape)]
        over.axes.add_collection(
            PathCollection(
                paths,
                facecolors=coloured.parts.colours[number] if known else "white",
                edgecolors="#5b6570" if known else MISSING,
                linewidths=0.5,
                zorder=2,
                hatch=None if known else "////",
            )
        )
