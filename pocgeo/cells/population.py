"""People of raster pixels to people of cells: every person counted once, none moved far.

The rule, pixel by pixel (people are taken as evenly spread inside a pixel):

1. A pixel wider than a third of a cell is first cut into equal parts that are not.
2. A pixel whose four corners share a cell lies wholly in it, because cells are convex.
3. Any other pixel is cut by the boundaries of the cells of its corners, exactly.
4. Where those cells do not fill the pixel (a further cell reaches into it), it is split into
   `split` x `split` parts, each given to the cell of its centre.

Corners are looked up once and shared by the pixels that meet there.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.clipping import common_areas
from pocgeo.cells.grid import Cells, cell_size_km2, cells_of, positions, rings
from pocgeo.ground.errors import BadInput, NotCounts
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import distance_m, transformer
from pocgeo.ground.pixels import PixelWindow

__all__ = ["PEOPLE", "people_of_pixels", "population"]

PEOPLE = ("people_persons", "women_persons", "children_persons")
"""Columns that the population table always has; all NA where the source lacks the band."""

WIDEST = 1 / 3
"""Greatest width of a pixel before it is cut, as part of the square root of a cell's area."""

CHUNK = 1_000_000
"""Pixels, after cutting, that are in memory at once."""

LONLAT = frozenset({"EPSG:4326", "OGC:CRS84", "WGS84"})
EXACT = 1e-9
"""How near to 1 the parts of a pixel must add up."""

Floats = NDArray[np.float64]


def people_of_pixels(window: PixelWindow, resolution: int, split: int = 4) -> pd.DataFrame:
    """Share the people of a window among the cells they live in.

    Parameters
    ----------
    window : PixelWindow
        Persons per pixel, NaN where the raster has no data; any CRS that PROJ knows.
    resolution : int
        Of the cells.
    split : int
        Parts per side for the pixels that rule 4 above concerns.

    Returns
    -------
    DataFrame, one row per cell that holds people
        `cell` (sorted) and one column per field of the window. Sums equal the window's.

    Raises
    ------
    NotCounts
        A pixel is negative.
    BadInput
        split is less than 1.
    """
    if split < 1:
        raise BadInput(f"split must be 1 or more parts per side, got {split}.")
    pixels = window.values  # noqa: PD011 (no pandas)
    wrong = (pixels < 0) | np.isinf(pixels)
    if wrong.any():
        raise NotCounts(
            f"{', '.join(window.fields)}: a pixel holds {pixels[wrong][0]:g} persons. "
            "Counts are 0 or more: check the band, and its no-data value."
        )
    counts = np.nan_to_num(pixels)
    row, column = np.nonzero(counts.max(axis=0) > 0)
    persons = counts[:, row, column]
    cut = parts_per_side(window, resolution) if len(row) else 1
    step = max(1, CHUNK // cut**2)
    parts = []
    for start in range(0, len(row), step):
        here = slice(start, start + step)
        lattice = Lattice.of(window, row[here], column[here], cut)
        parts.append(shared(lattice, persons[:, here], resolution, split))
    return merged(parts, window.fields)


def population(
    windows: Iterable[PixelWindow], cells: pd.DataFrame, resolution: int
) -> tuple[pd.DataFrame, dict[str, float]]:
    """People of each cell of an area of interest, and how many live outside it.

    Parameters
    ----------
    windows : PixelWindows that do not overlap
    cells : DataFrame
        `cell` (sorted int64), `lon`, `lat` of the centre.
    resolution : int

    Returns
    -------
    table : DataFrame, one row per cell, in their order
        `cell`, `people_persons`, `women_persons`, `children_persons` and any further field. A cell
        has a number if people live in it, or if the pixel under its centre holds data; else NA
        (the raster does not know it). A band the source lacks is all NA.
    outside : dict, field to persons
        In the windows, but in none of the cells. Table and outside add up to the raster.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    index = cells["cell"].to_numpy(dtype=np.int64)
    totals: dict[str, Floats] = {}
    known: dict[str, NDArray[np.bool_]] = {}
    outside: dict[str, float] = {}
    for window in windows:
        people = people_of_pixels(window, resolution)
        at = positions(index, people["cell"].to_numpy())
        covered = centres_with_data(window, cells)
        for band, field in enumerate(window.fields):
            persons = people[field].to_numpy()
            total = totals.setdefault(field, np.zeros(len(index)))
            total[at[at >= 0]] += persons[at >= 0]
            outside[field] = outside.get(field, 0.0) + float(persons[at < 0].sum())
            seen = known.setdefault(field, np.zeros(len(index), dtype=bool))
            seen |= covered[band]
    table = pd.DataFrame({"cell": index})
    for field in dict.fromkeys((*PEOPLE, *totals)):
        total = totals.get(field, np.zeros(len(index)))
        sure = known.get(field, np.zeros(len(index), dtype=bool)) | (total > 0)
        table[field] = np.where(sure, total, np.nan)
    return table, outside


class Lattice(NamedTuple):
    """Pixels (or equal parts of pixels) and the corners they share."""

    lon: Floats
    """Of each corner that a pixel needs, degrees."""

    lat: Floats
    corner: NDArray[np.int64]
    """Shape (4, pixels): the corners of each pixel, in ring order."""

    pixel: NDArray[np.int64]
    """Which of the given pixels each part belongs to."""

    share: float
    """Part of the pixel's people in each part."""

    @classmethod
    def of(
        cls, window: PixelWindow, row: NDArray[np.intp], column: NDArray[np.intp], cut: int
    ) -> "Lattice":
        """Lay out some pixels of a window, each cut into `cut` x `cut` parts."""
        down, across = (part.ravel() for part in np.divmod(np.arange(cut * cut), cut))
        r = (row[:, None] * cut + down).ravel().astype(np.int64)
        c = (column[:, None] * cut + across).ravel().astype(np.int64)
        columns = window.values.shape[2]  # noqa: PD011 (no pandas)
        width = columns * cut + 1
        top, base = r * width + c, int(r.min()) * width
        corner = np.stack([top, top + 1, top + width + 1, top + width]) - base
        used, rank = ranked(corner, (int(r.max()) + 2) * width - base)
        grid_row, grid_column = np.divmod(used + base, width)
        x = window.west + grid_column * (window.pixel_width / cut)
        y = window.north - grid_row * (window.pixel_height / cut)
        lon, lat = to_degrees(x, y, window.crs)
        pixel = np.repeat(np.arange(len(row)), cut * cut)
        return cls(lon, lat, rank, pixel, 1 / cut**2)


def ranked(corner: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct numbers below `size`, sorted, and the place of each given number among them."""
    if size > 16 * corner.size:  # few pixels far apart
        used, rank = np.unique(corner, return_inverse=True)
        return used, rank.reshape(corner.shape)
    needed = np.zeros(size, dtype=bool)
    for ring in corner:
        needed[ring] = True
    return np.flatnonzero(needed), (np.cumsum(needed) - 1)[corner]


def shared(lattice: Lattice, persons: Floats, resolution: int, split: int) -> pd.DataFrame:
    """Share the people of a lattice's pixels among cells: `cell` and columns 0, 1, ... per band."""
    at_corner = cells_of(lattice.lon, lattice.lat, resolution)
    corner_cell = at_corner[lattice.corner]
    first = corner_cell[0]
    same = corner_cell == first
    whole = same.all(axis=0)
    pixels = np.arange(len(first))
    pieces = [(first[whole], pixels[whole], np.ones(int(whole.sum())))]
    astride = pixels[~whole]
    place, cell, part = overlaps(lattice, astride, corner_cell[:, astride])
    found = np.bincount(place, part, len(astride))
    exact = np.abs(found - 1) < EXACT
    kept = exact[place]
    pieces.append((cell[kept], astride[place[kept]], part[kept] / found[place[kept]]))
    rest = astride[~exact]
    for down in (np.arange(split) + 0.5) / split:
        for across in (np.arange(split) + 0.5) / split:
            lon, lat = inside(lattice, rest, down, across)
            pieces.append((cells_of(lon, lat, resolution), rest, np.full(len(rest), split**-2.0)))
    cell, pixel, share = (np.concatenate(piece) for piece in zip(*pieces, strict=True))
    unique, inverse = np.unique(cell, return_inverse=True)
    weight = share * lattice.share
    source = lattice.pixel[pixel]
    sums = [np.bincount(inverse, band[source] * weight, len(unique)) for band in persons]
    return pd.DataFrame({"cell": unique} | {str(band): sums[band] for band in range(len(sums))})


def inside(
    lattice: Lattice, pixels: NDArray[np.int64], down: float, across: float
) -> tuple[Floats, Floats]:
    """Lon, lat at a fraction down and across of each pixel (bilinear between its corners)."""
    weights = ((1 - down) * (1 - across), (1 - down) * across, down * across, down * (1 - across))
    corner = lattice.corner[:, pixels]
    lon = sum(w * lattice.lon[ring] for w, ring in zip(weights, corner, strict=True))
    lat = sum(w * lattice.lat[ring] for w, ring in zip(weights, corner, strict=True))
    return np.asarray(lon), np.asarray(lat)


def overlaps(
    lattice: Lattice, pixels: NDArray[np.int64], cells: Cells
) -> tuple[NDArray[np.int64], Cells, Floats]:
    """Part of each pixel in each cell that one of its corners lies in.

    Parameters
    ----------
    pixels : int array, n
    cells : int64 array, shape (4, n), the cells of their corners

    Returns
    -------
    place, cell, part : arrays, one row per pair of pixel (its place in `pixels`) and cell
    """
    distinct = np.sort(cells, axis=0)
    once = np.vstack([np.ones((1, len(pixels)), dtype=bool), distinct[1:] != distinct[:-1]])
    _, place = np.nonzero(once)
    cell = distinct[once]
    unique, inverse = np.unique(cell, return_inverse=True)
    lon, lat, starts = rings(unique)
    size = np.diff(np.append(starts, len(lon)))[inverse]
    step = np.minimum(np.arange(int(size.max(initial=1)))[:, None], size - 1)
    vertex = starts[inverse] + step
    corner = lattice.corner[::-1, pixels[place]]  # counter-clockwise
    origin_x, origin_y = lattice.lon[corner[0]], lattice.lat[corner[0]]
    x, y = turned(lattice.lon[corner] - origin_x), lattice.lat[corner] - origin_y
    cell_x, cell_y = turned(lon[vertex] - origin_x), lat[vertex] - origin_y
    whole = sum(x[i] * y[(i + 1) % 4] - x[(i + 1) % 4] * y[i] for i in range(4)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        part = common_areas(x, y, cell_x, cell_y) / whole
    return place, cell, part


def turned(difference: Floats) -> Floats:
    """Longitude differences the short way round."""
    return difference - 360 * np.round(difference / 360)


def merged(parts: Sequence[pd.DataFrame], fields: Sequence[str]) -> pd.DataFrame:
    """Add up partial tables of one window."""
    if not parts:
        empty = {field: np.zeros(0) for field in fields}
        return pd.DataFrame({"cell": np.zeros(0, dtype=np.int64), **empty})
    table = pd.concat(parts, ignore_index=True)
    if len(parts) > 1:
        table = table.groupby("cell", as_index=False, sort=True).sum()
    return table.set_axis(["cell", *fields], axis=1)


def parts_per_side(window: PixelWindow, resolution: int) -> int:
    """How many parts a pixel is cut into on each side, so that they are small beside a cell."""
    west, south, east, north = window.bounds
    wide, high = window.pixel_width, window.pixel_height
    x = np.array([west, east - wide, (west + east) / 2])
    y = np.array([north, south + high, (south + north) / 2])
    lon, lat = to_degrees(x, y, window.crs)
    widest = 0.0
    for step_x, step_y in ((wide, 0.0), (0.0, -high)):
        end_lon, end_lat = to_degrees(x + step_x, y + step_y, window.crs)
        widest = max(widest, float(distance_m(lon, lat, end_lon, end_lat).max()))
    return max(1, int(np.ceil(widest / (WIDEST * 1_000 * np.sqrt(cell_size_km2(resolution))))))


def centres_with_data(window: PixelWindow, cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Say for each band and cell whether the pixel under the cell's centre holds data."""
    x, y = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    if window.crs not in LONLAT:
        x, y = transformer("EPSG:4326", window.crs).transform(x, y)
    pixels = window.values  # noqa: PD011 (no pandas)
    _, rows, columns = pixels.shape
    with np.errstate(invalid="ignore"):
        column = np.floor((x - window.west) / window.pixel_width)
        row = np.floor((window.north - y) / window.pixel_height)
    within = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    found = np.zeros((len(window.fields), len(cells)), dtype=bool)
    r, c = row[within].astype(np.int64), column[within].astype(np.int64)
    found[:, within] = np.isfinite(pixels[:, r, c])
    return found


def to_degrees(x: Floats, y: Floats, crs: str) -> tuple[Floats, Floats]:
    """Lon, lat of coordinates in a CRS; a whole turn beyond 180 is taken off."""
    lon, lat = (x, y) if crs in LONLAT else transformer(crs, "EPSG:4326").transform(x, y)
    return np.where(np.abs(lon) > 180, (lon + 180) % 360 - 180, lon), np.clip(lat, -90, 90)
