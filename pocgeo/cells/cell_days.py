"""Fixes to one row per cell, local day and unit.

The rules are those of `pocgeo.cells.presence`. Times are whole microseconds, so that sums do not
hang on the order of adding.

1. A fix counts in its cell, on its local day. Fixes that repeat unit, patrol, instant and place
   count once, whatever file they come from.
2. The time from a fix to the next of its track is believed as `VisitRule` says: more than 0, no
   longer than `max_gap_min`, no faster than `max_speed_kmh`. It lies in the cell of both ends, or,
   where these differ, along the straight way, in the pieces of `pocgeo.cells.pieces`. It is cut at
   local midnight.
3. A fix that was reached too fast, or is in two places at one time, is a jump: it is no entry and
   no last visit. An entry is any other fix whose unit was not in the cell at its fix before, or
   had no believed fix before.
4. `last_at` is the last instant at which the unit was in the cell: a fix that is no jump, or the
   end of a piece of way through it.

Unlike presence, time at the unit's own base counts, and nothing is said of what was in sight.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocgeo.cells.clock import DAY_US, SECOND_US, night_us
from pocgeo.cells.day_fixes import DayFixes, DayJob, day_fixes
from pocgeo.cells.grid import Cells, cell_size_km2, cells_of
from pocgeo.cells.pieces import cut_at_midnight, turned
from pocgeo.cells.presence import VisitRule
from pocgeo.cells.sight import plane_m
from pocgeo.ground.geodesy import distance_m

__all__ = ["NEVER", "write_cell_days"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min
"""In place of `last_us` where every fix was a jump."""

ROW_GROUP = 65_536
SUMS = ("fixes", "entries", "dwell_us", "night_us")
NEAR_M = 10_000.0
"""Up to here the tangent plane is true to 1e-4; beyond it the ellipsoid is asked."""


def write_cell_days(job: DayJob) -> Path:
    """Sum up the fixes of some days, and the believed time that ends on them.

    Time before the midnight that a segment crosses is a row of the day before: the rows of all
    jobs add up, and a later day never changes what an earlier job wrote.

    Returns
    -------
    Path
        `job.out`: Parquet with `cell`, `day` (since 1970), `unit_id`, `fixes`, `entries`,
        `dwell_us`, `night_us`, `last_us` (UTC), sorted by cell, day and unit.
    """
    fixes = day_fixes(job)
    table = cell_days(fixes, job)
    passing = job.out.with_name(f".{uuid4().hex}.tmp")
    try:
        pq.write_table(
            table, passing, compression="zstd", row_group_size=ROW_GROUP,
            use_dictionary=["unit_id", "day"], write_page_checksum=True,
        )  # fmt: skip
        os.replace(passing, job.out)  # noqa: PTH105 (the atomic one, named as such)
    finally:
        passing.unlink(missing_ok=True)
    return job.out


def cell_days(fixes: DayFixes, job: DayJob) -> pa.Table:
    """Sum up fixes in memory; columns as `write_cell_days` says."""
    rows = Rows.of(fixes, job)
    order = np.lexsort((rows.unit, rows.day, rows.cell))
    rows = rows.taken(order)
    rows = rows.summed(rows.cell, rows.day, rows.unit)
    units = pa.DictionaryArray.from_arrays(
        pa.array(rows.unit.astype(np.int32)), pa.array(fixes.units.tolist(), type=pa.string())
    )
    sums = {name: rows.sums[name] for name in SUMS}
    return pa.table(
        {
            "cell": rows.cell, "day": rows.day.astype(np.int32), "unit_id": units, **sums,
            "last_us": rows.last_us,
        }
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Things to be added up."""

    cell: Cells
    day: Ints
    unit: Ints
    sums: dict[str, Ints]
    last_us: Ints

    @classmethod
    def of(cls, fixes: DayFixes, job: DayJob) -> "Rows":
        """Make rows of stays in one cell, and of the pieces of way between cells."""
        days = fixes.clock.days(fixes.at_us)
        mine = (days >= job.days[0]) & (days <= job.days[1])
        steps = Steps.of(fixes, job.rule)
        stays, over = Rows.stays(fixes, days, mine, steps, job.rule)
        mine_next = mine[1:]
        crossing = np.flatnonzero(steps.believed & steps.changed & mine_next)
        parts = [stays, Rows.ways(fixes, crossing, job), Rows.nights(fixes, over, job.rule)]
        return cls(
            np.concatenate([part.cell for part in parts]),
            np.concatenate([part.day for part in parts]),
            np.concatenate([part.unit for part in parts]),
            {name: np.concatenate([part.sums[name] for part in parts]) for name in SUMS},
            np.concatenate([part.last_us for part in parts]),
        )

    @classmethod
    def stays(
        cls, fixes: DayFixes, days: Ints, mine: Mask, steps: "Steps", rule: VisitRule
    ) -> tuple["Rows", Ints]:
        """Rows of fixes and of the time in one cell, and the segments that cross midnight."""
        count = len(days)
        local_us = fixes.clock.local_us(fixes.at_us) - days * DAY_US
        dwell = np.zeros(count, dtype=np.int64)
        within = steps.believed & ~steps.changed & mine[1:]
        late = within & (local_us[:-1] + steps.took_us > DAY_US)
        dwell[:-1] = np.where(within & ~late, steps.took_us, 0)
        sums = {
            "fixes": mine.astype(np.int64),
            "entries": (mine & steps.entry).astype(np.int64),
            "dwell_us": dwell,
            "night_us": night_us(local_us, dwell, rule.night_from_h, rule.night_until_h),
        }
        last_us = np.where(mine & ~steps.jump, fixes.at_us, NEVER)
        rows = cls(fixes.cell, days, fixes.unit, sums, last_us)
        # Fixes before the days are there for the time after them only.
        kept = mine | (dwell > 0)
        rows = rows if kept.all() else rows.taken(np.flatnonzero(kept))
        return rows.summed(rows.unit, rows.cell, rows.day), np.flatnonzero(late)

    @classmethod
    def ways(cls, fixes: DayFixes, at: Ints, job: DayJob) -> "Rows":
        """Rows of the pieces of way between two cells."""
        if len(at) == 0:
            return cls.none()
        lon, lat, rule = fixes.lon, fixes.lat, job.rule
        way_m = distance_m(lon[at], lat[at], lon[at + 1], lat[at + 1])
        step_m = 100 * np.sqrt(cell_size_km2(job.resolution))
        step_m = min(step_m, rule.sight_m / 5) if rule.sight_m > 0 else step_m
        count = np.maximum(1, np.ceil(way_m / step_m)).astype(np.int64)
        segment, parts = np.repeat(at, count), np.repeat(count, count)
        place = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
        took_us = fixes.at_us[segment + 1] - fixes.at_us[segment]
        begin_us = fixes.clock.local_us(fixes.at_us[segment]) + took_us * place // parts
        length_us = took_us * (place + 1) // parts - took_us * place // parts
        cut = cut_at_midnight(begin_us / SECOND_US, np.maximum(length_us, 1) / SECOND_US)
        middle = (place[cut.source] + cut.middle) / parts[cut.source]
        whole_us = np.rint(cut.length_s * SECOND_US).astype(np.int64)
        source = cut.source
        segment, ends_us = segment[source], (took_us * (place + 1) // parts)[source]
        east = turned(lon[segment + 1] - lon[segment])
        cell = cells_of(
            turned(lon[segment] + east * middle),
            lat[segment] + (lat[segment + 1] - lat[segment]) * middle,
            job.resolution,
        )
        last_us = fixes.at_us[segment] + ends_us
        starts_us = np.rint(cut.begin_s * SECOND_US).astype(np.int64)
        return cls.timed((cell, cut.day, fixes.unit[segment]), starts_us, whole_us, last_us, rule)

    @classmethod
    def nights(cls, fixes: DayFixes, at: Ints, rule: VisitRule) -> "Rows":
        """Rows of time in one cell across midnight."""
        if len(at) == 0:
            return cls.none()
        begin_us = fixes.clock.local_us(fixes.at_us[at])
        took_us = fixes.at_us[at + 1] - fixes.at_us[at]
        day = begin_us // DAY_US
        before_us = (day + 1) * DAY_US - begin_us
        midnight = fixes.at_us[at] + before_us
        unit, cell = np.tile(fixes.unit[at], 2), np.tile(fixes.cell[at], 2)
        return cls.timed(
            (cell, np.concatenate([day, day + 1]), unit),
            np.concatenate([begin_us - day * DAY_US, np.zeros(len(at), dtype=np.int64)]),
            np.concatenate([before_us, took_us - before_us]),
            np.concatenate([midnight, fixes.at_us[at + 1]]),
            rule,
        )

    @classmethod
    def timed(
        cls, where: tuple[Cells, Ints, Ints], begin_us: Ints, length_us: Ints, last_us: Ints,
        rule: VisitRule,
    ) -> "Rows":  # fmt: skip
        """Rows of time alone."""
        none = np.zeros(len(begin_us), dtype=np.int64)
        night = night_us(begin_us, length_us, rule.night_from_h, rule.night_until_h)
        sums = {"fixes": none, "entries": none, "dwell_us": length_us, "night_us": night}
        return cls(*where, sums, last_us)

    @classmethod
    def none(cls) -> "Rows":
        """No row at all."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty, dict.fromkeys(SUMS, empty), empty)

    def taken(self, rows: Ints) -> "Rows":
        """Take some rows, or all in another order."""
        sums = {name: values[rows] for name, values in self.sums.items()}
        return Rows(
            self.cell[rows], self.day[rows], self.unit[rows], sums, self.last_us[rows]
        )  # fmt: skip

    def summed(self, *keys: Ints) -> "Rows":
        """Add up neighbouring rows of equal keys."""
        if len(self.cell) == 0:
            return self
        new = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
        first = np.flatnonzero(np.append(True, new))
        sums = {name: np.add.reduceat(values, first) for name, values in self.sums.items()}
        last_us = np.maximum.reduceat(self.last_us, first)
        return Rows(self.cell[first], self.day[first], self.unit[first], sums, last_us)


@dataclass(frozen=True, slots=True)
class Steps:
    """From each fix to the next, and how each fix was reached."""

    took_us: Ints
    believed: Mask
    changed: Mask
    """Whether the cell is another."""

    jump: Mask
    """Of fixes: reached too fast, or in two places at one time."""

    entry: Mask
    """Of fixes: the unit has come into the cell."""

    @classmethod
    def of(cls, fixes: DayFixes, rule: VisitRule) -> "Steps":
        """Judge every step by the rule."""
        together = fixes.track[1:] == fixes.track[:-1]
        took_us = np.diff(fixes.at_us)
        short = together & (took_us <= round(rule.max_gap_min * 60 * SECOND_US))
        slow = np.ones(len(short), dtype=bool)
        moved = np.flatnonzero(
            short & ((fixes.lon[1:] != fixes.lon[:-1]) | (fixes.lat[1:] != fixes.lat[:-1]))
        )
        slow[moved] = slow_enough(fixes, moved, took_us[moved], rule.max_speed_kmh)
        believed = short & slow & (took_us > 0)
        changed = fixes.cell[1:] != fixes.cell[:-1]
        jump, entry = np.zeros((2, len(fixes.at_us)), dtype=bool)
        jump[1:] = short & ~slow
        entry[:1] = True
        entry[1:] = ~short | (believed & changed)
        return cls(took_us, believed, changed, jump, entry)


def slow_enough(fixes: DayFixes, at: Ints, took_us: Ints, max_speed_kmh: float) -> Mask:
    """Say which steps are believable, by the plane where it is clear, else by the ellipsoid."""
    here = fixes.lon[at], fixes.lat[at]
    there = fixes.lon[at + 1], fixes.lat[at + 1]
    way_m: Any = np.hypot(*plane_m(*here, *there))
    most_m = max_speed_kmh / 3.6 * (took_us / SECOND_US)
    unclear = np.flatnonzero((way_m > NEAR_M) | (np.abs(way_m - most_m) < 0.01 * most_m))
    if len(unclear):
        way_m[unclear] = distance_m(*(part[unclear] for part in (*here, *there)))
    slow: Mask = way_m <= most_m
    return slow
