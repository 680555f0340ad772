"""Alarms of one AOI: where the last months surprised the forecast, and which incidents did."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.alarms import AlarmStandard, KnoxTest, ended_alarms, near_repeat, with_status
from pocgeo.aoi.alarm_runs import METHODS, Only, Run, previous_day, run
from pocgeo.aoi.answers import days_in_words, finished, only_of, within
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.phased import phase_quarters
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.standards import Period, moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.grid_reference import to_mgrs

__all__ = ["METHODS", "TABLES", "TABLE_METHODS", "alarm_cells", "alarm_tables", "near_repeats"]

NAMED = ("settlement", "admin2", "admin1", "aor")


def alarm_tables(
    index: Indexed, as_of: date | None, method: str, only: Only, *, every: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the alarms with their status, and the list of their incidents.

    `every` lists the strongest clusters that are no alarm as well.
    """
    at = moment(index, as_of)
    test = standard(AlarmStandard, index.file, "alarms")
    now, table, ended = statused(index, at, test, method, only)
    shown = table if every else table[table["alarm"]]
    listed = line_list(now, table)
    notes = [*now.notes, *summed_up(now, table, test, method)]
    if len(ended):
        shown = pd.concat([shown, ended], ignore_index=True)
        notes.append(f"{len(ended)} alarms of the run before have ended: see the last rows.")
    shown = shown.drop(columns=["llr", "rings"]).reset_index(drop=True)
    shown.attrs = {"notes": notes}
    days = f"{now.first_on:%d %b %Y} to {now.last_on:%d %b %Y}"
    asked = {"alarms": test, "method": method, "only": dict(only)}
    made = finished(shown, index, at, "alarms", f"Alarms, {TITLES[method]}, {days}", **asked)
    rows = finished(
        listed, index, at, "alarm_incidents", f"Incidents in the alarms, {days}", **asked
    )
    made.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
    rows.attrs |= {"kind": "points", "sensitivity": "restricted"}
    return made, rows


TITLES = {
    "forecast": "more than was forecast",
    "permutation": "more than the place's and the period's own share (comparison)",
    "population": "more than the share of people (comparison)",
}


def alarm_cells(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Give every forecast cell its alarm, for the map."""
    at = moment(index, as_of)
    test = standard(AlarmStandard, index.file, "alarms")
    now, table, _ = statused(index, at, test, "forecast", {})
    raised = table[table["alarm"]]
    inside = now.alarms.members.merge(raised[["alarm_id", "status", "alarm_reason"]], on="alarm_id")
    cells = now.cells.merge(inside, on="cell", how="left")
    cells["alarm_status"] = cells["status"].astype(object).where(cells["alarm_id"].notna(), "none")
    cells.loc[cells["alarm_id"].notna() & cells["status"].isna(), "alarm_status"] = "new"
    cells["alarm_id"] = cells["alarm_id"].astype("Int64")
    cells = cells.rename(columns={"seen": "window_incidents", "due": "window_forecast"})
    columns = ["cell", "lon", "lat", *NAMED, "people_persons", "alarm_status", "alarm_id"]
    columns += ["window_incidents", "window_forecast", "alarm_reason"]
    made = cells[[name for name in columns if name in cells]]
    made.attrs = {"notes": [*now.notes, *summed_up(now, table, test, "forecast")]}
    days = f"{now.first_on:%d %b %Y} to {now.last_on:%d %b %Y}"
    made = finished(made, index, at, "alarm_cells", f"Alarms by cell, {days}", alarms=test)
    made.attrs |= {"kind": "cells", "sensitivity": "restricted"}
    return made


def statused(
    index: Indexed, at: Moment, test: AlarmStandard, method: str, only: Only
) -> tuple[Run, pd.DataFrame, pd.DataFrame]:
    """Run now and as it would have been run before; say which alarms are new, which have ended."""
    now = run(index, at.at, test, method, only)
    try:
        before = run(index, previous_day(at.at, method), test, method, only)
    except BadInput:
        before = None
    table = with_status(now.alarms, None if before is None else before.alarms)
    shown = named(table, now, test.simulations)
    if before is None:
        return now, shown, shown.head(0)
    over = replace(before, alarms=ended_alarms(now.alarms, before.alarms))
    gone = named(over.alarms.table.assign(status="ended"), over, test.simulations)
    return now, shown, gone


def named(table: pd.DataFrame, now: Run, simulations: int) -> pd.DataFrame:
    """Add where, when, who lives there, and why in words."""
    facts = now.cells.set_index("cell")
    inside = now.alarms.members
    held = inside.assign(
        people_persons=inside["cell"].map(facts["people_persons"]),
        area_km2=inside["cell"].map(facts["area_km2"]),
        seen=inside["cell"].map(facts["seen"]),
    )
    sums = held.groupby("alarm_id")[["people_persons", "area_km2"]].sum(min_count=1)
    order = held.sort_values(["alarm_id", "seen", "people_persons"], ascending=[True, False, False])
    busiest = order.drop_duplicates("alarm_id").set_index("alarm_id")["cell"]
    made = table.copy()
    made.attrs = {}
    made["cell"] = made["alarm_id"].map(busiest).astype("int64")
    for name in NAMED:
        if name in facts:
            made[name] = made["cell"].map(facts[name])
    made = made.rename(columns={"settlement": "place"})
    made["lon"], made["lat"] = grid.centres(made["cell"].to_numpy(dtype=np.int64))
    made["grid_reference"] = to_mgrs(made["lon"], made["lat"])
    for name in ("people_persons", "area_km2"):
        made[name] = made["alarm_id"].map(sums[name])
    steps = np.array(now.steps_on, dtype="datetime64[ns]")
    made["window_from_on"] = steps[made["windows"].to_numpy(dtype=np.intp) - 1]
    made["window_until_on"] = now.last_on
    made["alarm_reason"] = [reason(row, simulations) for row in made.itertuples()]
    first = ["alarm_id", "status", "place", "admin2", "aor", "grid_reference", "incidents_n"]
    first += ["alarm_expected", "alarm_ratio", "alarm_p", "recurrence_runs", "window_from_on"]
    first += ["window_until_on", "people_persons", "area_km2", "cells_n"]
    first = [name for name in first if name in made]
    made = made[[*first, *(name for name in made if name not in first)]]
    return made.drop(columns=["windows"])


def reason(row: Any, simulations: int) -> str:
    """Say an alarm in one sentence."""
    seldom = " or more rarely" if row.recurrence_runs >= simulations + 1 else ""
    return (
        f"{row.incidents_n:.0f} incidents where {row.alarm_expected:.1f} were expected in "
        f"{row.cells_n} cells; chance alone does as much somewhere once in "
        f"{row.recurrence_runs:.0f} runs{seldom}"
    )


LISTED = (
    "alarm_id", "status", "incident_id", "occurred_on", "reported_on", "incident_type",
    "perpetrator", "killed_civilians_persons", "harmed_civilians_persons", "place",
    "location_precision", "location_error_m",
)  # fmt: skip
"""What the list of an alarm's incidents says of each."""


def line_list(now: Run, table: pd.DataFrame) -> pd.DataFrame:
    """List the incidents of every alarm, in its window and cells, the latest first."""
    raised = table.loc[table["alarm"], ["alarm_id", "status", "window_from_on"]]
    inside = now.alarms.members.merge(raised, on="alarm_id").rename(
        columns={"cell": "forecast_cell"}
    )
    rows = now.incidents.merge(inside, on="forecast_cell", how="inner")
    rows = rows[rows["occurred_on"] >= rows["window_from_on"]]
    rows = rows.drop(columns=["window_from_on", "forecast_cell"])
    rows = rows[[name for name in LISTED if name in rows]]
    return rows.sort_values(
        ["alarm_id", "occurred_on", "incident_id"], ascending=[True, False, True],
        ignore_index=True,
    )  # fmt: skip


def summed_up(now: Run, table: pd.DataFrame, test: AlarmStandard, method: str) -> list[str]:
    """Say what the run found in all, and what an alarm is."""
    raised = int(table["alarm"].sum())
    notes = [WHAT_IT_IS[method].replace("{level}", f"{100 * test.level:g} %")]
    if method == "forecast":
        notes.append(
            f"In all {now.alarms.observed:.0f} incidents, {now.alarms.expected:.1f} were forecast "
            f"(chance of as many or more if the forecast is right: {share(now.alarms.total_p)}). "
            "Alarms say where, whatever the total."
        )
    if not raised and len(table):
        best = table.iloc[0]
        notes.append(
            f"No alarm. The strongest cluster, near {best.get('place', 'no settlement')}: "
            f"{best['alarm_reason']}."
        )
    elif not raised:
        notes.append(f"No alarm: nowhere {test.min_incidents:g} incidents together.")
    return notes


def share(p: float) -> str:
    """Write a chance in whole per cent, never as none."""
    return "less than 1 %" if p < 0.005 else f"{100 * p:.0f} %"


WHAT_IT_IS = {
    "forecast": "An alarm is a surprise: more than the forecast foresaw for the place. If the "
    "forecast errs as it did before, {level} of monthly runs raise one. It is a reason to look; "
    "not a prediction, and no alarm is not no threat.",
    "permutation": "For comparison: shuffled times. Where violence breeds violence, nearly every "
    "run of this scan raises an alarm.",
    "population": "For comparison: violence does not follow people, so nearly every run of this "
    "scan raises an alarm.",
}


def near_repeats(index: Indexed, as_of: date | None, period: Period, only: Only) -> pd.DataFrame:
    """Test whether an incident makes another soon and near more likely."""
    at = moment(index, as_of)
    test = standard(KnoxTest, index.file, "near_repeat")
    placed = incidents_placed(index, at.at)
    if placed is None:
        raise index.lacks("incidents")
    points = within(only_of(placed[placed["placed"] == "point"], only), period, index, at)
    where = index.known("incidents")
    spot = pd.DataFrame(
        {"incident_id": where["incident_id"], "lon": where.geometry.x, "lat": where.geometry.y}
    )
    points = points.drop(columns=["lon", "lat"], errors="ignore").merge(spot, on="incident_id")
    table = near_repeat(points, test)
    found = table[table["near_repeat"]]
    notes = [*table.attrs["notes"], "Only incidents with a point; days are shuffled over places."]
    if "location_error_m" in points and len(points):
        error = points["location_error_m"].median() / 1000
        notes.append(f"Half of the points are known to {error:.1f} km or worse.")
    notes.append(f"{len(found)} of {len(table)} bands hold more pairs than chance.")
    table.attrs = {"notes": notes}
    made = finished(
        table, index, at, "near_repeat",
        f"Near repeats: pairs of incidents, {days_in_words(period, index, at)}",
        near_repeat=test, only=dict(only),
    )  # fmt: skip
    made.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
    return made


TABLES: Mapping[str, Callable[..., pd.DataFrame]] = {
    "alarms": lambda aoi, day: aoi.alarms(as_of=day)[0],
    "alarm_incidents": lambda aoi, day: aoi.alarms(as_of=day)[1],
    "alarm_cells": lambda aoi, day: alarm_cells(aoi.indexed, day),
    "near_repeat": lambda aoi, day: aoi.near_repeat(as_of=day),
    "phases": lambda aoi, day: aoi.phases(as_of=day)[0],
    "phase_record": lambda aoi, day: aoi.phases(as_of=day)[1],
    "phase_capacity": lambda aoi, day: aoi.phases(as_of=day)[2],
    "phase_cells": lambda aoi, day: aoi.phase_cells(as_of=day),
    "phase_quarters": lambda aoi, day: phase_quarters(aoi.indexed, day),
}
"""Findings of alarms and phases by name, as exports and maps call them."""

TABLE_METHODS = {
    "alarm_cells": "Scan of disks and of the last months against the forecast made before them, "
    "with its own over-dispersed noise; expectations scaled to the total, so an alarm says where.",
    "phase_cells": "Rules of standards/phases.toml on the forecast and recent incidents around "
    "each cell, run over successive quarters; the forecast refitted at each.",
}
