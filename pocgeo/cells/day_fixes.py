"""The fixes of some days, from any runs: in order of track and time, without repeats."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocgeo.cells.clock import Clock
from pocgeo.cells.grid import Cells, cells_of
from pocgeo.cells.presence import FIVE_MINUTES, VisitRule, zone_of

__all__ = ["DayFixes", "DayJob", "day_fixes", "fixes_around"]

Ints = NDArray[np.int64]
MINUTE_US = 60_000_000
PLACED = ("at_us", "lon", "lat")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJob:
    """Some local days of some units, to be summed up."""

    runs: tuple[Path, ...]
    """Every run that has a fix on these days or the days beside them."""

    days: tuple[int, int]
    """First and last local day, days since 1970."""

    time_zone: str
    resolution: int
    out: Path
    rule: VisitRule = FIVE_MINUTES
    bucket: tuple[int, int] = (0, 1)
    """Number of this share of the units, and how many shares there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFixes:
    """Fixes in order of unit, patrol, time and place."""

    at_us: Ints
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    cell: Cells
    """Empty where they were not asked for."""

    track: Ints
    """Number of unit and patrol: fixes of one track may follow each other."""

    unit: Ints
    """Row of `units`."""

    patrol: Ints | None
    """Row of `patrols`, -1 where there is none; None where there are none at all."""

    base: Ints | None
    """Row of `bases`, likewise; None where they were not asked for."""

    units: NDArray[np.object_]
    patrols: NDArray[np.object_]
    bases: NDArray[np.object_]
    clock: Clock


def day_fixes(job: DayJob) -> DayFixes:
    """Read the fixes of the days of a job, and of as long before as a segment may last."""
    fixes = fixes_around(job, ("unit_id", "patrol_id"), 0)
    return replace(fixes, cell=cells_along(fixes.lon, fixes.lat, job.resolution))


def fixes_around(job: DayJob, words: Sequence[str], after_us: int) -> DayFixes:
    """Read fixes of the days of a job, some before, and for so long after, without cells.

    Parameters
    ----------
    job : DayJob
    words : sequence of str
        Which names of fixes are wanted: unit_id first.
    after_us : int
    """
    first, last = job.days
    zone = zone_of(job.time_zone)
    clock = Clock.of(zone, (first - 2) * 86_400_000_000, (last + 3) * 86_400_000_000)
    begin_us, end_us = clock.span_us(first, last)
    begin_us -= round(job.rule.max_gap_min * MINUTE_US)
    found = Gathered(words, job.bucket)
    for run in job.runs:
        found.read(run, begin_us, end_us + after_us)
    return found.ordered(clock)


class Gathered:
    """Fixes of several runs, as they come."""

    def __init__(self, words: Sequence[str], bucket: tuple[int, int]) -> None:
        self.words, self.bucket = tuple(words), bucket
        self.parts: dict[str, list[NDArray[Any]]] = {name: [] for name in (*PLACED, *words)}
        self.known: dict[str, dict[str, int]] = {name: {} for name in words}

    def read(self, run: Path, begin_us: int, end_us: int) -> None:
        """Read what a run has between two instants, row group by row group."""
        with pq.ParquetFile(run) as source:
            source_groups = source.metadata.num_row_groups
            names = list(PLACED) + list(self.words)
            for group in range(source_groups):
                stats = source.metadata.row_group(group).column(0).statistics
                if stats.max < begin_us or stats.min >= end_us:
                    continue
                table = source.read_row_group(group, columns=names, use_threads=False)
                self.take(table, begin_us, end_us)

    def take(self, table: Any, begin_us: int, end_us: int) -> None:
        """Keep the rows of the stretch of time and of the share of units."""
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        at_us = np.asarray(columns["at_us"])
        rows = slice(*np.searchsorted(at_us, [begin_us, end_us]).tolist())
        codes = {name: self.numbered(name, columns[name]) for name in self.words}
        mine: Any = rows
        if self.bucket[1] > 1:
            share, shares = self.bucket
            of_unit = np.array([crc32(unit.encode()) % shares for unit in self.known["unit_id"]])
            mine = np.flatnonzero(of_unit[codes["unit_id"][rows]] == share) + rows.start
        for name in PLACED:
            self.parts[name].append(np.asarray(columns[name])[mine])
        for name in self.words:
            self.parts[name].append(codes[name][mine])

    def numbered(self, name: str, column: Any) -> NDArray[np.int32]:
        """Give each text one number, whatever run it stands in."""
        known = self.known[name]
        texts = column.dictionary.to_pylist()
        place = np.array([known.setdefault(text, len(known)) for text in texts] + [-1], np.int32)
        codes = column.indices
        if codes.null_count:
            codes = pc.fill_null(codes, -1)
        numbers: NDArray[np.int32] = place[np.asarray(codes)]
        return numbers

    def ordered(self, clock: Clock) -> DayFixes:
        """Put all in order and leave repeats out."""
        merged = {
            name: np.concatenate(parts) if parts else np.zeros(0)
            for name, parts in self.parts.items()
        }
        self.parts.clear()
        names = {word: np.array(sorted(self.known.get(word, ())), dtype=object) for word in WORDS}
        at_us, lon, lat = merged["at_us"].astype(np.int64, copy=False), merged["lon"], merged["lat"]
        unit, patrol, base = (self.ranked(word, merged) for word in WORDS)
        unit = np.zeros(len(at_us), dtype=np.int64) if unit is None else unit
        track = unit
        if patrol is not None:
            track = unit * (len(names["patrol_id"]) + 1) + patrol + 1
        order = in_order(at_us, track, lon, lat)
        tracked = track[order]
        return DayFixes(
            at_us=at_us[order], lon=lon[order], lat=lat[order], track=tracked,
            cell=np.zeros(0, dtype=np.int64),
            unit=tracked if patrol is None else unit[order],
            patrol=None if patrol is None else patrol[order],
            base=None if base is None else base[order],
            units=names["unit_id"], patrols=names["patrol_id"], bases=names["base_id"],
            clock=clock,
        )  # fmt: skip

    def ranked(self, word: str, merged: dict[str, NDArray[Any]]) -> Ints | None:
        """Give names their numbers in alphabetical order, so that they do not hang on the runs."""
        if not self.known.get(word):
            return None
        rank = np.empty(len(self.known[word]) + 1, dtype=np.int64)
        rank[np.argsort(np.array(list(self.known[word]), dtype=object))] = np.arange(len(rank) - 1)
        rank[-1] = -1
        return rank[merged[word].astype(np.int32, copy=False)]


WORDS = ("unit_id", "patrol_id", "base_id")


def cells_along(lon: NDArray[np.float64], lat: NDArray[np.float64], resolution: int) -> Cells:
    """Cells of fixes in order of their tracks; one that stays put is looked up once."""
    moved = np.append(True, (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1]))[: len(lon)]
    if moved.all():
        return cells_of(lon, lat, resolution)
    found: Cells = cells_of(lon[moved], lat[moved], resolution)[np.cumsum(moved) - 1]
    return found


def in_order(at_us: Ints, track: Ints, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Ints:
    """Rows in order of track, time, longitude and latitude, exact repeats left out."""
    narrow = track
    if len(track) and track.max() < 2**16:  # a stable sort of 16-bit numbers is a radix sort
        narrow = track.astype(np.uint16)
    if (at_us[1:] >= at_us[:-1]).all():
        order = np.argsort(narrow, kind="stable")
    else:
        order = np.argsort(at_us, kind="stable")
        order = order[np.argsort(narrow[order], kind="stable")]
    sorted_us = at_us[order]
    tied = np.flatnonzero(sorted_us[1:] == sorted_us[:-1])
    tied = tied[track[order[tied]] == track[order[tied + 1]]]
    if len(tied) == 0:
        return order
    rows = np.unique(np.concatenate([tied, tied + 1]))
    some = order[rows]
    some = some[np.lexsort((lat[some], lon[some], at_us[some], track[some]))]
    order[rows] = some
    alike = [values[some[1:]] == values[some[:-1]] for values in (at_us, track, lon, lat)]
    repeats = rows[1:][np.logical_and.reduce(alike)]
    return np.delete(order, repeats)
