"""A patrol plan that was written down: read again, and held against what patrols recorded."""

from datetime import date
from pathlib import Path

import pandas as pd

from pocgeo.analyses.patrols.against import planned_against_actual
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import moment
from pocgeo.ground.errors import BadInput
from pocgeo.sources.tabular import read_table

__all__ = ["compared", "read_plan"]

PLAN_COLUMNS = ("patrol", "stop", "place", "plan_on", "arrive", "leave", "stay_min", "lon", "lat")


def read_plan(path: Path) -> pd.DataFrame:
    """Read a plan that was written as csv.

    Raises
    ------
    BadInput
        Not a plan, or a number that is none.
    """
    raw = read_table(path).frame
    missing = [name for name in PLAN_COLUMNS if name not in raw]
    if missing:
        raise BadInput(
            f"{path}: no column {', '.join(missing)}. Give a plan as `pocgeo patrols` writes it "
            "with --out plan.csv."
        )
    plan = raw[list(PLAN_COLUMNS)].copy()
    for name in ("patrol", "stop", "stay_min", "lon", "lat"):
        plan[name] = pd.to_numeric(plan[name], errors="coerce")
    plan["plan_on"] = pd.to_datetime(plan["plan_on"], errors="coerce", format="ISO8601")
    plan = plan.dropna(subset=["patrol", "stop"])
    if plan.empty or plan[["lon", "lat", "plan_on"]].isna().any(axis=None):
        raise BadInput(f"{path}: a stop has no place or no day. Give the plan as it was written.")
    return plan.astype({"patrol": int, "stop": int}).reset_index(drop=True)


def compared(index: Indexed, as_of: date | None, path: Path) -> pd.DataFrame:
    """Say which stops of a plan were visited by recorded patrols, when, and for how long."""
    plan = read_plan(path)
    fixes = index.known("patrols")
    table = planned_against_actual(plan, fixes, index.file.time_zone)
    at = moment(index, as_of)
    made = table["stop_verdict"].value_counts()
    days = ", ".join(f"{day:%d %b %Y}" for day in sorted(plan["plan_on"].unique()))
    notes = [f"{int(made.get('visited', 0))} of {len(table)} planned stops were visited."]
    if table["stop_verdict"].isna().any():
        notes.append("No patrol was recorded on some of the days: unknown, not missed.")
    table.attrs["notes"] = notes
    ready = finished(table, index, at, "patrol_actual", f"Planned against actual, {days}")
    ready.attrs |= {"kind": "points", "sensitivity": "restricted"}
    return ready
