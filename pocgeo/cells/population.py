"""People of raster pixels to people of cells: every person counted once, in the right cell.

People are taken as evenly spread inside a pixel, and each cell gets the exact share of every
pixel that lies in it (`pixel_shares` states the method). Pixels that the cells' rings do not fill,
round a pole or at the rim of a projection, are split into `split` x `split` parts, each given to
the cell of its centre.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.grid import Cells, cells_of, positions
from pocgeo.cells.pixel_grid import LONLAT, Tile, tiles_of, to_degrees
from pocgeo.cells.pixel_shares import shared_pixels
from pocgeo.ground.errors import BadInput, NotCounts
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import transformer
from pocgeo.ground.pixels import PixelWindow

__all__ = ["LONLAT", "PEOPLE", "Tally", "people_of_pixels", "population", "to_degrees"]

PEOPLE = ("people_persons", "women_persons", "children_persons")
"""Columns that the population table always has; all NA where the source lacks the band."""

EXACT = 1e-6
"""How near to 1 the shares of a pixel must add up; they are then made to add up exactly."""

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
        Parts per side for the pixels that the cells' rings do not fill.

    Returns
    -------
    DataFrame, one row per cell that holds people
        `cell` (sorted) and one column per field of the window. Sums equal the window's.

    Raises
    ------
    NotCounts
        A pixel is negative.
    BadInput
        split is less than 1; a pixel with people lies nowhere on Earth, or holds a million cells.
    """
    if split < 1:
        raise BadInput(f"split must be 1 or more parts per side, got {split}.")
    counts = window.values  # noqa: PD011 (no pandas)
    with np.errstate(invalid="ignore"):
        wrong = (counts < 0) | np.isinf(counts)
        if wrong.any():
            raise NotCounts(
                f"{', '.join(window.fields)}: a pixel holds {counts[wrong][0]:g} persons. "
                "Counts are 0 or more: check the band, and its no-data value."
            )
        del wrong
        populated = np.logical_or.reduce(counts > 0, axis=0)
    parts = [people_of_tile(tile, populated, resolution, split)
             for tile in tiles_of(window, populated, resolution)]  # fmt: skip
    cell, people = added(parts, len(window.fields))
    return pd.DataFrame({"cell": cell} | dict(zip(window.fields, people, strict=True)))


def people_of_tile(
    tile: Tile, populated: NDArray[np.bool_], resolution: int, split: int
) -> tuple[Cells, Floats]:
    """Cells of a tile's people, and the people of each: shape (bands, cells)."""
    here = (slice(tile.top, tile.top + tile.rows), slice(tile.left, tile.left + tile.columns))
    wanted = populated[here]
    x, y, starts, cells = tile.rings(tile.cells(resolution))
    pairs = shared_pixels(x, y, starts, wanted)
    filled = np.bincount(pairs.pixel, pairs.share, wanted.size)
    sound = np.abs(filled - 1) < EXACT
    kept = slice(None) if sound[pairs.pixel].all() else sound[pairs.pixel]
    polygon, pixel = pairs.polygon[kept], pairs.pixel[kept]
    share = pairs.share[kept] / filled[pixel]
    rest = np.flatnonzero(wanted.ravel() & ~sound)
    if len(rest):
        strewn = cells_of_parts(tile, rest, resolution, split)
        cells, place = np.unique(np.concatenate([cells[polygon], strewn]), return_inverse=True)
        polygon, pixel = place, np.concatenate([pixel, np.repeat(rest, split**2)])
        share = np.concatenate([share, np.full(len(strewn), split**-2.0)])
    bands = [np.nan_to_num(band[here]).ravel() for band in tile.window.values]  # noqa: PD011
    people = np.array([np.bincount(polygon, b[pixel] * share, len(cells)) for b in bands], float)
    held = people.any(axis=0)
    return cells[held], people[:, held]


def cells_of_parts(tile: Tile, pixel: NDArray[np.int64], resolution: int, split: int) -> Cells:
    """Cells of the centres of `split` x `split` parts of each pixel, pixel by pixel."""
    row, column = np.divmod(pixel, tile.columns)
    down, across = np.divmod(np.arange(split**2), split)
    lon, lat = tile.places(
        (row[:, None] + (down + 0.5) / split).ravel(),
        (column[:, None] + (across + 0.5) / split).ravel(),
    )
    nowhere = ~(np.isfinite(lon) & np.isfinite(lat))
    if nowhere.any():
        first = int(np.argmax(nowhere)) // split**2
        raise BadInput(
            f"A pixel with people lies nowhere on Earth (row {tile.top + row[first]}, column "
            f"{tile.left + column[first]} of a window in {tile.window.crs}). Check the CRS."
        )
    return cells_of(lon, lat, resolution)


def added(parts: Sequence[tuple[Cells, Floats]], bands: int) -> tuple[Cells, Floats]:
    """Add up partial sums, in the order given: sorted cells, and people of shape (bands, cells)."""
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros((bands, 0))
    every = np.concatenate([cell for cell, _ in parts])
    cell, place = np.unique(every, return_inverse=True)
    people = np.empty((bands, len(cell)))
    for band in range(bands):
        people[band] = np.bincount(
            place, np.concatenate([sums[band] for _, sums in parts]), len(cell)
        )
    return cell, people


class Tally:
    """People of the cells of an area of interest, added up window by window."""

    def __init__(self, cells: pd.DataFrame) -> None:
        self.index: Cells = cells["cell"].to_numpy(dtype=np.int64)
        self.totals: dict[str, Floats] = {}
        self.known: dict[str, NDArray[np.bool_]] = {}
        self.outside: dict[str, float] = {}

    def add(self, people: pd.DataFrame, covered: dict[str, NDArray[np.int64]]) -> None:
        """Add a window: its people by cell, and by field the rows of cells it has data for."""
        at = positions(self.index, people["cell"].to_numpy())
        inside = at >= 0
        size = len(self.index)
        for field, rows in covered.items():
            persons = people[field].to_numpy()
            self.totals.setdefault(field, np.zeros(size))[at[inside]] += persons[inside]
            self.known.setdefault(field, np.zeros(size, dtype=bool))[rows] = True
            beyond = float(persons[~inside].sum())
            self.outside[field] = self.outside.get(field, 0.0) + beyond

    def table(self) -> pd.DataFrame:
        """One row per cell; NA where no raster knows it."""
        table = pd.DataFrame({"cell": self.index})
        for field in dict.fromkeys((*PEOPLE, *self.totals)):
            if field in self.totals:
                total = self.totals[field]
                table[field] = np.where(self.known[field] | (total > 0), total, np.nan)
            else:
                table[field] = np.nan
        return table


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
    tally = Tally(cells)
    for window in windows:
        covered = centres_with_data(window, cells)
        rows = {field: np.flatnonzero(covered[band]) for band, field in enumerate(window.fields)}
        tally.add(people_of_pixels(window, resolution), rows)
    return tally.table(), tally.outside


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
