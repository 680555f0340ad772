"""Rasters of any pixel size to cells: shares of classes, means of values.

Points are laid evenly over the pixels, and each counts in the cell it lies in. Pixels small
against a cell give one point each, or one of every n-th; large ones are cut into equal parts. A
cell in which no point with data falls takes the pixel under its centre.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.grid import cell_size_km2, cells_of, positions, resolution_of
from pocgeo.cells.population import LONLAT, to_degrees
from pocgeo.cells.speeds import UNKNOWN
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import distance_m, transformer
from pocgeo.ground.pixels import PixelWindow

__all__ = ["Cover", "cell_means", "cover_shares"]

LEAST_POINTS = 36
"""Points a cell should hold: a share is then known to 0.06 at worst, 0.02 on average."""

MOST_POINTS = 200
"""Points beyond this add time and no accuracy that matters to a speed."""

CHUNK = 2_000_000
"""Points in memory at once."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Cover(NamedTuple):
    """Land cover of cells."""

    shares: pd.DataFrame
    """One row per cell, in their order; a column per class and `unknown`; rows add up to 1, or
    are NA where the raster has no data."""

    notes: tuple[str, ...]
    """What could not be read, in words."""


def cover_shares(
    windows: Iterable[PixelWindow], cells: pd.DataFrame, legend: Mapping[int, str]
) -> Cover:
    """Share of each cell by land-cover class.

    Parameters
    ----------
    windows : PixelWindows that do not overlap
        The first field holds the codes; NaN where there is no data, which counts nowhere.
    cells : DataFrame, n rows
        `cell` (sorted int64), `lon`, `lat` of the centre.
    legend : mapping of code to class (TerrainRules.legend)
        Codes that it does not name are `unknown`, and the notes list them.

    Raises
    ------
    BadInput
        A code is no whole number.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    index = cells["cell"].to_numpy(dtype=np.int64)
    names = [*dict.fromkeys(legend.values()), UNKNOWN]
    column_of = {code: names.index(name) for code, name in legend.items()}
    size, width = len(index), len(names)
    counts = np.zeros(size * width)
    centre = np.full(size, -1, dtype=np.int64)
    strange: dict[int, int] = {}
    points = 0
    for window in windows:
        for cell, value in located(window, resolution_of(index)):
            at = positions(index, cell)
            inside = at >= 0
            column = columns_of(value[inside], column_of, width - 1, strange)
            counts += np.bincount(at[inside] * width + column, minlength=len(counts))
            points += int(inside.sum())
        under = under_centres(window, cells)
        seen = np.isfinite(under)
        centre[seen] = columns_of(under[seen], column_of, width - 1, {})
    table = counts.reshape(size, width)
    empty = np.flatnonzero((table.sum(axis=1) == 0) & (centre >= 0))
    table[empty, centre[empty]] = 1
    total = table.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, table / total, np.nan)
    notes = strange_codes(strange, points)
    return Cover(pd.DataFrame(share.astype(np.float32), columns=names), notes)


def columns_of(
    values: Floats, column_of: Mapping[int, int], unknown: int, strange: dict[int, int]
) -> Ints:
    """Column of each code; codes that no legend names are counted in `strange`."""
    codes, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    if (codes != np.round(codes)).any():
        broken = codes[codes != np.round(codes)][0]
        raise BadInput(f"land cover: {broken:g} is no class. Check the band: codes are whole.")
    for code, many in zip(codes, count, strict=True):
        if int(code) not in column_of:
            strange[int(code)] = strange.get(int(code), 0) + int(many)
    table = np.array([column_of.get(int(code), unknown) for code in codes], dtype=np.int64)
    found: Ints = table[inverse] if len(table) else np.zeros(0, dtype=np.int64)
    return found


def strange_codes(strange: Mapping[int, int], points: int) -> tuple[str, ...]:
    """Say which codes no legend names."""
    if not strange:
        return ()
    listed = ", ".join(str(code) for code in sorted(strange)[:12])
    share = sum(strange.values()) / max(points, 1)
    return (
        f"land cover: no legend names code {listed} ({share:.1%} of the ground): it moves at the "
        "default speed. Name it under [standards.terrain] codes in aoi.toml.",
    )


def cell_means(windows: Iterable[PixelWindow], cells: pd.DataFrame) -> pd.Series:
    """Mean by area of a raster's first field in each cell (elevation, friction).

    Parameters
    ----------
    windows : PixelWindows that do not overlap
    cells : DataFrame, n rows
        `cell` (sorted int64), `lon`, `lat` of the centre.

    Returns
    -------
    Series of n, in the order of the cells, float64
        NaN where the raster has no data.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    index = cells["cell"].to_numpy(dtype=np.int64)
    total, count = np.zeros(len(index)), np.zeros(len(index))
    centre = np.full(len(index), np.nan)
    for window in windows:
        for cell, value in located(window, resolution_of(index)):
            at = positions(index, cell)
            inside = at >= 0
            total += np.bincount(at[inside], value[inside], len(index))
            count += np.bincount(at[inside], minlength=len(index))
        under = under_centres(window, cells)
        centre = np.where(np.isfinite(under), under, centre)
    mean = np.divide(total, count, out=centre, where=count > 0)
    return pd.Series(mean)


def located(window: PixelWindow, resolution: int) -> Iterator[tuple[Ints, Floats]]:
    """Lay points over a window's pixels with data: the cell of each, and its pixel's value."""
    values = window.values[0]  # noqa: PD011 (no pandas)
    rows, columns = values.shape
    across = steps(columns, *density(window, resolution))
    down = steps(rows, *density(window, resolution))
    x = window.west + across * window.pixel_width
    column = across.astype(np.int64)
    strip = max(1, CHUNK // max(len(across), 1))
    for start in range(0, len(down), strip):
        here = down[start : start + strip]
        held = values[np.ix_(here.astype(np.int64), column)]
        row, place = np.nonzero(np.isfinite(held))
        if len(row) == 0:
            continue
        y = window.north - here[row] * window.pixel_height
        lon, lat = to_degrees(x[place], y, window.crs)
        yield cells_of(lon, lat, resolution), held[row, place]


def density(window: PixelWindow, resolution: int) -> tuple[int, int]:
    """Say how many parts a pixel is cut into a side, and which pixels are taken (every n-th)."""
    west, south, east, north = window.bounds
    x, y = (west + east) / 2, (south + north) / 2
    corner_x = np.array([x, x + window.pixel_width, x])
    corner_y = np.array([y, y, y + window.pixel_height])
    lon, lat = to_degrees(corner_x, corner_y, window.crs)
    sides = distance_m(lon[[0, 0]], lat[[0, 0]], lon[1:], lat[1:])
    pixels = cell_size_km2(resolution) * 1e6 / float(sides.prod())
    parts = max(1, int(np.ceil(np.sqrt(LEAST_POINTS / pixels))))
    step = max(1, int(np.sqrt(pixels / MOST_POINTS)))
    return parts, step


def steps(size: int, parts: int, step: int) -> Floats:
    """Where points lie along one side, in pixels from its start."""
    if step > 1:
        return np.arange(min(step // 2, size - 1), size, step, dtype=np.float64) + 0.5
    return (np.arange(size * parts, dtype=np.float64) + 0.5) / parts


def under_centres(window: PixelWindow, cells: pd.DataFrame) -> Floats:
    """Value of the pixel under each cell's centre; NaN outside the window."""
    x, y = cells["lon"].to_numpy(dtype=np.float64), cells["lat"].to_numpy(dtype=np.float64)
    if window.crs not in LONLAT:
        x, y = transformer("EPSG:4326", window.crs).transform(x, y)
    values = window.values[0]  # noqa: PD011 (no pandas)
    rows, columns = values.shape
    column = np.floor((x - window.west) / window.pixel_width)
    row = np.floor((window.north - y) / window.pixel_height)
    within = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    found = np.full(len(x), np.nan)
    found[within] = values[row[within].astype(np.int64), column[within].astype(np.int64)]
    return found
