"""Months of cell-days: what several parts say of a cell, day and unit, added up."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pocgeo.cells.cell_days import NEVER
from pocgeo.engine.duck import connect, copied, literal
from pocgeo.engine.memory import spelled_bytes

__all__ = ["MonthJob", "write_month"]

ROW_GROUP = 65_536
MONTH = f"""
SELECT cell, DATE '1970-01-01' + day AS day_on, unit_id,
    sum(fixes)::BIGINT AS fixes, sum(entries)::BIGINT AS entries,
    sum(dwell_us)::BIGINT / 1e6 AS dwell_s, sum(night_us)::BIGINT / 1e6 AS night_s,
    make_timestamp(nullif(max(last_us), {NEVER})) AS last_at
FROM read_parquet([{{parts}}]) WHERE day BETWEEN {{first}} AND {{last}}
GROUP BY cell, day, unit_id ORDER BY cell, day, unit_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthJob:
    """Days to be brought together in one file."""

    parts: tuple[Path, ...]
    """Files of `write_cell_days` that may hold rows of these days."""

    days: tuple[int, int]
    """First and last, days since 1970."""

    memory: int
    """Bytes that may be taken; beyond them DuckDB spills to the scratch folder."""

    scratch: Path
    out: Path


def write_month(job: MonthJob) -> Path:
    """Write the cell-days of a month, sorted by cell, day and unit, whole or not at all.

    Returns
    -------
    Path
        `job.out`, with columns `cell`, `day_on`, `unit_id`, `fixes`, `entries`, `dwell_s`,
        `night_s`, `last_at` (UTC; missing where every fix was a jump).
    """
    passing = job.out.with_name(f".{uuid4().hex}.tmp")
    sql = MONTH.format(
        parts=", ".join(map(literal, job.parts)), first=job.days[0], last=job.days[1]
    )  # fmt: skip
    try:
        with connect(spelled_bytes(job.memory), 1, job.scratch) as connection:
            copied(connection, sql, passing, ROW_GROUP)
        os.replace(passing, job.out)  # noqa: PTH105 (the atomic one, named as such)
    finally:
        passing.unlink(missing_ok=True)
    return job.out
