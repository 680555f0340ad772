"""The fixes of some days, from any runs: in order of track and time, without repeats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocgeo.cells.clock import Clock
from pocgeo.cells.presence import FIVE_MINUTES, VisitRule, zone_of

__all__ = ["DayFixes", "DayJob", "day_fixes"]

Ints = NDArray[np.int64]
MINUTE_US = 60_000_000
PLACED = ("at_us", "lon", "lat", "cell")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJob:
    """Some local days of some units, to be summed up."""

    runs: tuple[Path, ...]
    """Every run that has a fix on these days or the days beside them."""

    days: tuple[int, int]
    """First and last local day, days since 1970."""

    time_zone: str
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
    cell: Ints
    track: Ints
    """Number of unit and patrol: fixes of one track may follow each other."""

    unit: Ints
    """Row of `units`."""

    patrol: Ints
    """Row of `patrols`; -1 where there is none."""

    base: Ints
    """Row of `bases`; -1 where there is none, or they were not asked for."""

    units: NDArray[np.object_]
    patrols: NDArray[np.object_]
    bases: NDArray[np.object_]
    clock: Clock


def day_fixes(job: DayJob, *, after_us: int = 0, bases: bool = False) -> DayFixes:
    """Read the fixes of the days of a job, and of as long before as a segment may last.

    Parameters
    ----------
    job : DayJob
    after_us : int
        How long after the last day fixes are wanted too.
    bases : bool
        Whether the bases of fixes are wanted.
    """
    first, last = job.days
    zone = zone_of(job.time_zone)
    clock = Clock.of(zone, (first - 2) * 86_400_000_000, (last + 3) * 86_400_000_000)
    begin_us, end_us = clock.span_us(first, last)
    begin_us -= round(job.rule.max_gap_min * MINUTE_US)
    words = ("unit_id", "patrol_id", *(("base_id",) if bases else ()))
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
        codes = {word: self.ranked(word, merged) for word in WORDS}
        at_us = merged["at_us"].astype(np.int64, copy=False)
        track = codes["unit_id"]
        if len(names["patrol_id"]):
            track = track * (len(names["patrol_id"]) + 1) + codes["patrol_id"] + 1
        order = in_order(at_us, track, merged["lon"], merged["lat"])
        return DayFixes(
            at_us=at_us[order], lon=merged["lon"][order], lat=merged["lat"][order],
            cell=merged["cell"].astype(np.int64, copy=False)[order], track=track[order],
            unit=codes["unit_id"][order], patrol=codes["patrol_id"][order],
            base=codes["base_id"][order], units=names["unit_id"], patrols=names["patrol_id"],
            bases=names["base_id"], clock=clock,
        )  # fmt: skip

    def ranked(self, word: str, merged: dict[str, NDArray[Any]]) -> Ints:
        """Give names their numbers in alphabetical order, so that they do not hang on the runs."""
        if not self.known.get(word):
            return np.full(len(merged["at_us"]), -1, dtype=np.int64)
        rank = np.empty(len(self.known[word]) + 1, dtype=np.int64)
        rank[np.argsort(np.array(list(self.known[word]), dtype=object))] = np.arange(len(rank) - 1)
        rank[-1] = -1
        return rank[merged[word].astype(np.int32, copy=False)]


WORDS = ("unit_id", "patrol_id", "base_id")


def in_order(at_us: Ints, track: Ints, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Ints:
    """Rows in order of track, time, longitude and latitude, exact repeats left out."""
    order: Ints = np.arange(len(at_us))
    if (at_us[1:] < at_us[:-1]).any():
        order = np.argsort(at_us, kind="stable")
    narrow = track[order]
    if len(track) and track.max() < 2**16:  # a stable sort of 16-bit numbers is a radix sort
        narrow = narrow.astype(np.uint16)
    order = order[np.argsort(narrow, kind="stable")]
    tied = (at_us[order][1:] == at_us[order][:-1]) & (track[order][1:] == track[order][:-1])
    if not tied.any():
        return order
    rows = np.flatnonzero(np.append(tied, False) | np.append(False, tied))
    some = order[rows]
    some = some[np.lexsort((lat[some], lon[some], at_us[some], track[some]))]
    order[rows] = some
    alike = [values[order][1:] == values[order][:-1] for values in (at_us, track, lon, lat)]
    kept: Ints = order[~np.append(False, np.logical_and.reduce(alike))]
    return kept
