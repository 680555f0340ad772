"""People of rasters of any size to cells: one window a task, run wherever there is a worker.

A task reads one window, shares its people among cells, and gives back a few rows. Windows are
added up in one order, whoever worked at them: the sums are the same to the last bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.pixel_grid import LONLAT, to_degrees
from pocgeo.cells.population import Tally, added, people_of_pixels
from pocgeo.engine.team import Engine, Team
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import transformer
from pocgeo.ground.pixels import Piece, PixelWindow
from pocgeo.sources.counts import PeopleRaster, people_of_piece
from pocgeo.sources.raster import describe, pieces, sample

__all__ = ["CellPeople", "people_of_cells", "people_of_rasters"]

BATCH = 32
"""Windows, for each worker, whose sums are in memory before they are added up."""

FEW = 8
"""Windows that this process does sooner than others could start."""

PIXELS = 2 * 2048**2
"""Numbers in a window, over all bands: the same for every engine, for sums depend on the cut."""

HAIR_DEG = 1e-6
"""Neighbouring tiles overlap less, a tenth of a metre."""

Ints = NDArray[np.int64]


class CellPeople(NamedTuple):
    """People of the cells of an area of interest."""

    table: pd.DataFrame
    outside: dict[str, float]
    """Field to persons in the rasters, but in none of the cells."""

    notes: tuple[str, ...]
    """What was left out, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """What a worker needs to know of one window."""

    piece: Piece
    measure: str
    resolution: int
    before: tuple[PeopleRaster, ...] = ()
    """Rasters that come first where they have data, too."""

    rows: Ints
    """Pixels under the centres of cells, from the piece's north-west corner."""

    columns: Ints


class WindowPeople(NamedTuple):
    """What a worker gives back."""

    people: pd.DataFrame
    known: NDArray[np.bool_]
    """Shape (bands, centres): whether the pixel under the centre holds data."""

    twice: NDArray[np.float64]
    """Persons by band whose pixel an earlier raster has, too: left out."""


def people_of_cells(
    rasters: Sequence[PeopleRaster],
    cells: pd.DataFrame,
    resolution: int,
    engine: Engine,
    folder: Path,
) -> CellPeople:
    """People of each cell of an area of interest, from rasters of any size and number.

    Parameters
    ----------
    rasters : sequence of PeopleRaster
        Tiles, countries, bands in files of their own. Where two have data for one field under a
        pixel's centre, the first counts.
    cells : DataFrame
        `cell` (sorted int64), `lon`, `lat` of the centre.
    resolution : int
    engine : Engine
        Where windows are worked at.
    folder : Path
        Shared by all workers.

    Returns
    -------
    CellPeople
        Its table and outside are as `population` gives them.

    Raises
    ------
    NotCounts, BadInput, UnreadableSource
        As `people_of_pixels` and the reading of rasters.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    tally = Tally(cells)
    under: list[Ints] = []
    tasks: list[WindowTask] = []
    for raster, earlier in zip(rasters, before(rasters), strict=True):
        for task, at in tasks_of(raster, earlier, resolution, cells):
            tasks.append(task)
            under.append(at)
    twice: dict[str, float] = {}
    for place, found in enumerate(worked(tasks, engine, folder)):
        covered = {}
        for band, (field, _) in enumerate(tasks[place].piece.bands):
            covered[field] = under[place][found.known[band]]
            twice[field] = twice.get(field, 0.0) + float(found.twice[band])
        tally.add(found.people, covered)
    return CellPeople(tally.table(), tally.outside, told(twice))


def told(twice: Mapping[str, float]) -> tuple[str, ...]:
    """Say by field how many people lie in pixels that several rasters hold."""
    return tuple(
        f"{field}: {persons:,.0f} people of pixels that an earlier raster holds, too, are counted "
        "once: the first raster with data is taken"
        for field, persons in twice.items()
        if persons > 0
    )


def people_of_rasters(
    rasters: Sequence[PeopleRaster], resolution: int, engine: Engine, folder: Path
) -> pd.DataFrame:
    """People of every cell that holds any: `cell` (sorted) and the fields that the rasters have.

    See `people_of_cells` for parameters and errors.
    """
    nowhere = pd.DataFrame({"cell": np.zeros(0, dtype=np.int64), "lon": [], "lat": []})
    fields = list(dict.fromkeys(field for raster in rasters for field in raster.bands))
    tasks = [
        task
        for raster, earlier in zip(rasters, before(rasters), strict=True)
        for task, _ in tasks_of(raster, earlier, resolution, nowhere)
    ]
    parts = []
    for found in worked(tasks, engine, folder):
        people = found.people.reindex(columns=["cell", *fields], fill_value=0.0)
        if len(people):
            parts.append((people["cell"].to_numpy(), people[fields].to_numpy().T))
    cell, sums = added(parts, len(fields))
    return pd.DataFrame({"cell": cell} | dict(zip(fields, sums, strict=True)))


def before(rasters: Sequence[PeopleRaster]) -> list[tuple[PeopleRaster, ...]]:
    """For each raster, those before it that overlap it and share a field."""
    bounds = [describe(raster.path).bounds_lonlat for raster in rasters]
    found = []
    for number, here in enumerate(rasters):
        west, south, east, north = bounds[number]
        earlier = [
            other
            for other, (w, s, e, n) in zip(rasters[:number], bounds, strict=False)
            if min(east, e) - max(west, w) > HAIR_DEG
            and min(north, n) - max(south, s) > HAIR_DEG
            and set(other.bands) & set(here.bands)
        ]
        found.append(tuple(earlier))
    return found


def tasks_of(
    raster: PeopleRaster,
    earlier: tuple[PeopleRaster, ...],
    resolution: int,
    cells: pd.DataFrame,
) -> Iterator[tuple[WindowTask, Ints]]:
    """Cut a raster into tasks; with each, the rows of the cells whose centres lie in its window."""
    size = window_side(len(raster.bands))
    facts = describe(raster.path)
    x, y = cells["lon"].to_numpy(dtype=float), cells["lat"].to_numpy(dtype=float)
    if facts.crs not in LONLAT:
        x, y = transformer("EPSG:4326", facts.crs).transform(x, y)
    with np.errstate(invalid="ignore"):
        column = np.floor((x - facts.bounds[0]) / facts.pixel_width)
        row = np.floor((facts.bounds[3] - y) / facts.pixel_height)
    by_row = np.argsort(row, kind="stable")
    sorted_row = row[by_row]
    for piece in pieces(raster.path, raster.bands, size, raster.bounds):
        strip = slice(*np.searchsorted(sorted_row, [piece.row, piece.row + piece.rows]))
        at = by_row[strip]
        at = at[(column[at] >= piece.column) & (column[at] < piece.column + piece.columns)]
        task = WindowTask(
            piece=piece, measure=raster.measure, resolution=resolution, before=earlier,
            rows=row[at].astype(np.int64) - piece.row,
            columns=column[at].astype(np.int64) - piece.column,
        )  # fmt: skip
        yield task, at


def window_side(bands: int) -> int:
    """Pixels on a side of a window."""
    return max(256, min(2048, int(np.sqrt(PIXELS / bands)) // 256 * 256))


def worked(tasks: Sequence[WindowTask], engine: Engine, folder: Path) -> Iterator[WindowPeople]:
    """Work at windows, and give what they hold in the order of the tasks."""
    if len(tasks) <= FEW and not engine.name.startswith("dask"):
        yield from map(window_people, tasks)
        return
    with engine.opened(folder) as team:
        yield from in_batches(team, tasks)


def in_batches(team: Team, tasks: Sequence[WindowTask]) -> Iterator[WindowPeople]:
    """Run some windows at a time, so that memory does not grow with their number."""
    size = BATCH * team.workers
    for start in range(0, len(tasks), size):
        yield from team.run(window_people, tasks[start : start + size])


def window_people(task: WindowTask) -> WindowPeople:
    """Share the people of one window among cells: what a worker does."""
    window = people_of_piece(task.piece, task.measure)
    twice = np.zeros(len(window.fields))
    for raster in task.before:
        window, hidden = uncovered(window, raster)
        twice += hidden
    pixels = window.values  # noqa: PD011 (no pandas)
    known = np.isfinite(pixels[:, task.rows, task.columns])
    return WindowPeople(people_of_pixels(window, task.resolution), known, twice)


def uncovered(window: PixelWindow, raster: PeopleRaster) -> tuple[PixelWindow, NDArray[np.float64]]:
    """Take out pixels under whose centre another raster has data; say how many lived there."""
    values = window.values.copy()  # noqa: PD011 (no pandas)
    hidden = np.zeros(len(window.fields))
    for band, field in enumerate(window.fields):
        if field not in raster.bands:
            continue
        row, column = np.nonzero(values[band] > 0)
        x = window.west + (column.astype(np.float64) + 0.5) * window.pixel_width
        y = window.north - (row.astype(np.float64) + 0.5) * window.pixel_height
        lon, lat = to_degrees(x, y, window.crs)
        with np.errstate(invalid="ignore"):
            there = sample(raster.path, raster.bands[field], lon, lat) >= 0
        hidden[band] = values[band, row[there], column[there]].sum()
        values[band, row[there], column[there]] = 0.0
    return replace(window, values=values), hidden
