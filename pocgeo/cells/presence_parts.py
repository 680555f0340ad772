"""Presence of some days, from runs: `presence_days` itself, on as many fixes as memory holds.

All that presence says of a day hangs on the fixes of that day, of the longest believed gap before
it, and of a stay and a gap after it. So days can be summed up apart, on any worker, and put
together again: the table is the same.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.cells.day_fixes import DayJob, fixes_around
from pocgeo.cells.pieces import with_none
from pocgeo.cells.presence import presence_days
from pocgeo.cells.telemetry import Telemetry
from pocgeo.engine.store import Store
from pocgeo.engine.team import Engine
from pocgeo.ground.provenance import code_digest, file_digest

__all__ = ["PresenceJob", "presence_from", "write_presence"]

MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceJob:
    """Some local days, and what presence is asked of."""

    day: DayJob
    cells: Path
    """Parquet with `cell`, sorted."""

    bases: Path | None
    """GeoParquet with the bases, as `presence_days` takes them."""


def write_presence(job: PresenceJob) -> Path:
    """Write presence on the days of a job, whole or not at all.

    Returns
    -------
    Path
        `job.day.out`, with the columns of `presence_days`.
    """
    rule = job.day.rule
    after_us = round((rule.max_gap_min + rule.stay_min) * MINUTE_US)
    fixes = fixes_around(job.day, ("unit_id", "patrol_id", "base_id"), after_us)
    columns = {"unit_id": fixes.units[fixes.unit]}
    for name, rows, names in (
        ("patrol_id", fixes.patrol, fixes.patrols), ("base_id", fixes.base, fixes.bases)
    ):  # fmt: skip
        if rows is not None:
            columns[name] = with_none(names)[rows]
    at = pd.to_datetime(fixes.at_us, unit="us", utc=True).astype("datetime64[ns, UTC]")
    frame = pd.DataFrame({**columns, "fix_at": at, "lon": fixes.lon, "lat": fixes.lat})
    bases = None if job.bases is None else gpd.read_parquet(job.bases)
    table = presence_days(frame, pd.read_parquet(job.cells), job.day.time_zone, bases, rule)
    table.attrs = {}
    day = table["day_on"].to_numpy("datetime64[D]").astype(np.int64)
    table = table[(day >= job.day.days[0]) & (day <= job.day.days[1])]
    passing = job.day.out.with_name(f".{uuid4().hex}.tmp")
    try:
        table.astype({"base_id": object}).to_parquet(passing, index=False)
        os.replace(passing, job.day.out)  # noqa: PTH105 (the atomic one, named as such)
    finally:
        passing.unlink(missing_ok=True)
    return job.day.out


def presence_from(
    telemetry: Telemetry, cells: pd.DataFrame, bases: gpd.GeoDataFrame | None, engine: Engine
) -> pd.DataFrame:
    """Sum up recorded presence by cell, unit, base and local day, a stretch of days at a time.

    Parameters
    ----------
    telemetry : Telemetry
        Up to date.
    cells, bases
        As `pocgeo.cells.presence.presence_days` takes them.
    engine : Engine

    Returns
    -------
    DataFrame
        As `presence_days` returns it for all fixes at once, sorted by cell, unit, day and base;
        `attrs["hours"]` holds `patrol_h` and `elsewhere_h`: in no cell, or at the unit's own base.
    """
    folder = telemetry.folder / "presence"
    with Store(telemetry.folder).lock("telemetry"):
        folder.mkdir(parents=True, exist_ok=True)
        given = saved(cells[["cell"]], folder)
        homes = None if bases is None or bases.empty else saved(bases, folder)
        key = [code_digest("cells/presence.py", "cells/presence_parts.py"), given.name]
        key += [] if homes is None else [homes.name]
        state = telemetry.state
        days = telemetry.day_jobs(state.runs, state.parts.values(), folder, key, after=1)
        jobs = [PresenceJob(day=day, cells=given, bases=homes) for day in days]
        with engine.opened(telemetry.folder) as team:
            wanted = [job for job in jobs if not job.day.out.is_file()]
            telemetry.run(team, write_presence, wanted, "summing up presence")
        table = joined([job.day.out for job in jobs])
        kept = {given, homes, *(job.day.out for job in jobs)}
        for path in folder.iterdir():
            if path not in kept:
                path.unlink(missing_ok=True)
    patrol_h = float(table["presence_h"].sum())
    elsewhere_h = telemetry.believed_h() - patrol_h
    table.attrs["hours"] = {"patrol_h": patrol_h, "elsewhere_h": max(0.0, elsewhere_h)}
    return table


def saved(table: pd.DataFrame, folder: Path) -> Path:
    """Write a table that tasks need, under the digest of what is in it."""
    passing = folder / f".{uuid4().hex}.tmp"
    table.to_parquet(passing)
    return passing.replace(folder / f"{file_digest(passing)[:24]}.parquet")


def joined(parts: list[Path]) -> pd.DataFrame:
    """Put the files of `write_presence` together."""
    table = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    table["day_on"] = table["day_on"].astype("datetime64[ns]")
    for name in ("unit_id", "base_id"):
        values = table[name].astype(object)
        table[name] = values.where(values.notna(), None).to_numpy(dtype=object)
    order = ["cell", "unit_id", "day_on", "base_id"]
    return table.sort_values(order, kind="stable", na_position="first", ignore_index=True)
