"""Fixes of files, checked, as runs: what any stretch of days is read from.

A run is a Parquet file with the accepted fixes of one or more files: instant, place, unit, and
patrol and base where they are known. Its row groups are sorted by time, so that a reader takes
those it needs. How many fixes lie on which local day, and what became of every row, stands in its
metadata.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocgeo.cells.clock import Clock
from pocgeo.cells.presence import zone_of
from pocgeo.layers.plain_fixes import Fixes, fixes_of
from pocgeo.layers.request import LoadRequest
from pocgeo.sources.slices import FileSlice

__all__ = ["RunJob", "about_run", "write_run"]

ABOUT = b"pocgeo"
ROW_GROUP = 65_536
ENCODING = {
    "at_us": "DELTA_BINARY_PACKED", "lon": "BYTE_STREAM_SPLIT", "lat": "BYTE_STREAM_SPLIT",
}  # fmt: skip
NAMES = ("unit_id", "patrol_id", "base_id")
SCHEMA = pa.schema(
    {"at_us": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}
    | dict.fromkeys(NAMES, pa.dictionary(pa.int32(), pa.string()))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """Files to be made one run."""

    request: LoadRequest
    """The layer they belong to."""

    slices: tuple[FileSlice, ...]
    rows: int
    """Most fixes in memory at one time."""

    out: Path


def write_run(job: RunJob) -> Path:
    """Write the run of some files; it appears whole or not at all.

    Returns
    -------
    Path
        `job.out`, with columns `at_us` (UTC, microseconds since 1970), `lon`, `lat`, `unit_id`,
        `patrol_id`, `base_id`.

    Raises
    ------
    BadInput
        A file cannot be read, or lacks a column.
    """
    passing = job.out.with_name(f".{uuid4().hex}.tmp")
    about = About()
    try:
        with RunWriter(passing, job, about) as writer:
            for fixes in gathered(fixes_of(job.request, job.slices, job.rows), job.rows):
                writer.write(fixes)
        os.replace(passing, job.out)  # noqa: PTH105 (the atomic one, named as such)
    finally:
        passing.unlink(missing_ok=True)
    return job.out


def about_run(path: Path) -> dict[str, Any]:
    """Read what a run says of itself: `days` (day to fixes), `spans`, `summary` and `details`."""
    about: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[ABOUT])
    return about


def gathered(parts: Iterable[Fixes], rows: int) -> Iterator[Fixes]:
    """Put small parts together, so that they are sorted in one go."""
    held: list[Fixes] = []
    count = 0
    for part in parts:
        if held and count + len(part.at_us) > rows:
            yield Fixes.joined(held)
            held, count = [], 0
        held.append(part)
        count += len(part.at_us)
    if held:
        yield Fixes.joined(held)


@dataclass(slots=True)
class About:
    """What a run says of itself."""

    days: dict[int, int] = field(default_factory=dict)
    """Local day to number of fixes."""

    spans: dict[tuple[str, str | None], tuple[int, int]] = field(default_factory=dict)
    """Unit and patrol to the first and last instant."""

    summary: list[dict[str, Any]] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)

    def text(self) -> bytes:
        """Spell it canonically."""
        spans = [[*track, *span] for track, span in self.spans.items()]
        about = {
            "days": dict(sorted(self.days.items())),
            "spans": sorted(spans, key=lambda span: (span[0], span[1] or "")),
            "summary": self.summary,
            "details": self.details,
        }
        return json.dumps(about, ensure_ascii=False, default=str).encode()


class RunWriter:
    """Sorts and writes fixes, and keeps count."""

    def __init__(self, path: Path, job: RunJob, about: About) -> None:
        self.path, self.job, self.about = path, job, about
        self.zone = zone_of(job.request.time_zone)
        self.writer: Any = None

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *failed: Any) -> None:
        if self.writer is None and failed[0] is None:
            self.open()
        if self.writer is not None:
            if failed[0] is None:
                self.writer.add_key_value_metadata({ABOUT.decode(): self.about.text().decode()})
            self.writer.close()

    def open(self) -> None:
        """Begin the file."""
        self.writer = pq.ParquetWriter(
            self.path, SCHEMA, compression="snappy", use_dictionary=list(NAMES),
            column_encoding=ENCODING, write_page_checksum=True,
        )  # fmt: skip

    def write(self, fixes: Fixes) -> None:
        """Write fixes that are in memory."""
        self.about.summary += fixes.summary
        self.about.details += fixes.details
        if len(fixes.at_us) == 0:
            return
        if (np.diff(fixes.at_us) < 0).any():
            fixes = fixes.taken(np.argsort(fixes.at_us, kind="stable"))
        self.count(fixes)
        columns: dict[str, Any] = {"at_us": fixes.at_us, "lon": fixes.lon, "lat": fixes.lat}
        for name in NAMES:
            columns[name] = worded(fixes.codes[name], fixes.names[name])
        if self.writer is None:
            self.open()
        table = pa.table(columns, schema=SCHEMA)
        self.writer.write_table(table, row_group_size=ROW_GROUP)

    def count(self, fixes: Fixes) -> None:
        """Count fixes by local day, and note when each track begins and ends."""
        clock = Clock.of(self.zone, int(fixes.at_us[0]), int(fixes.at_us[-1]))
        days = clock.days(fixes.at_us)
        first = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
        for day, number in zip(days[first].tolist(), np.diff(np.append(first, len(days))).tolist(),
                               strict=True):  # fmt: skip
            self.about.days[day] = self.about.days.get(day, 0) + number
        units, patrols = fixes.codes["unit_id"], fixes.codes["patrol_id"]
        width = len(fixes.names["patrol_id"]) + 1
        track, found = pd.factorize(units.astype(np.int64) * width + patrols + 1)
        rows = np.arange(len(track))
        begins, ends = np.zeros((2, len(found)), dtype=np.int64)
        ends[track] = rows  # of equal places the last one stays
        begins[track[::-1]] = rows[::-1]
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            number = int(patrols[begin])
            name = None if number < 0 else str(fixes.names["patrol_id"][number])
            key = str(fixes.names["unit_id"][units[begin]]), name
            span = int(fixes.at_us[begin]), int(fixes.at_us[end])
            known = self.about.spans.get(key, span)
            self.about.spans[key] = min(span[0], known[0]), max(span[1], known[1])


def worded(codes: NDArray[np.int32], names: NDArray[np.object_]) -> pa.DictionaryArray:
    """Name what codes stand for; -1 stands for nothing."""
    known = codes >= 0
    mask = None if known.all() else ~known
    indices = pa.array(np.where(known, codes, 0), type=pa.int32(), mask=mask)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names.tolist(), type=pa.string()))
