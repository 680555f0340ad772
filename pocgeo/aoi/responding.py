"""Response of one AOI: who could have been there in time when civilians were attacked."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.reach import STRAIGHT_LINE
from pocgeo.analyses.response import ResponseRecord, ResponseStandard, response, response_series
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.standards import Period, moment
from pocgeo.aoi.travel import EVER, minutes_table, reach_method
from pocgeo.cells.speeds import season_on

__all__ = ["responses"]

GROUPS = ("aor", "perpetrator", "would_take")


def responses(
    index: Indexed, as_of: date | None, period: Period, minutes: float | None
) -> tuple[pd.DataFrame, ...]:
    """Say of each incident against civilians who could have come; by month and by group first."""
    at = moment(index, as_of)
    standard = ResponseStandard() if minutes is None else ResponseStandard(minutes=minutes)
    incidents = pd.DataFrame(index.known("incidents").drop(columns="geometry"))
    if "against_civilians" in incidents:
        incidents = incidents[incidents["against_civilians"].fillna(value=True).astype(bool)]
    since, until = period.get("since") or index.file.period[0], period.get("until")
    day = incidents["occurred_on"]
    kept = (day >= pd.Timestamp(since)) & (day <= (pd.Timestamp(until) if until else at.at))
    record = ResponseRecord(
        incidents=incidents[kept],
        incident_cells=index.known("incident_cells"),
        reach=tables(index, at),
        season_of_day=seasons(index),
        bases=index.known("bases"),
        cells=index.known("cells"),
        presence_days=index.table("presence_days"),
    )
    found = response(record, standard, as_of=at.at)
    within = f"{standard.minutes:g} minutes"
    made = {
        "response": (grouped(found), f"Who could have been there in {within}: share of incidents"),
        "response_months": (response_series(found), f"Reachable in {within}, by month and area"),
        "response_incidents": (
            latest(found),
            f"Incidents against civilians: in reach in {within}?",
        ),
    }
    for table, _ in made.values():
        table.attrs["notes"] = NOTES
    kinds = {"response": "series", "response_months": "series", "response_incidents": "points"}
    answers = []
    for name, (table, title) in made.items():
        ready = finished(table, index, at, name, title)
        ready.attrs |= {"kind": kinds[name], "sensitivity": "restricted"}
        answers.append(ready)
    return tuple(answers)


NOTES = [
    "Could have been there: nominal reach, not what happened. A base counts if it stood that day, "
    "in that day's season; a patrol if it has recorded time within one ring of cells that day.",
]


def tables(index: Indexed, at: Moment) -> dict[str, pd.DataFrame]:
    """Reach of all bases that ever stood, in each season."""
    made = {}
    for season in ("dry", "wet"):
        standard = moment(index, at.as_of, season).reach
        table = minutes_table(index, standard, at.at, EVER)
        if table is None:
            raise index.lacks("bases")
        made[season] = table
    return made


def seasons(index: Indexed) -> Callable[[Any], NDArray[np.object_]]:
    """Say which season a day lies in; a straight line knows none."""
    if reach_method(index) == STRAIGHT_LINE:
        return lambda days: np.full(len(days), "dry", dtype=object)
    return partial(season_on, rules=index.terrain_rules)


def grouped(found: pd.DataFrame) -> pd.DataFrame:
    """Count incidents and those reachable, over all and by group."""
    rows = [("all", "all", found)]
    for column in GROUPS:
        held = found.dropna(subset=[column])
        rows += [(column, str(name), part) for name, part in held.groupby(column, sort=True)]
    return pd.DataFrame(
        [
            {
                "group": group,
                "category": name,
                "incidents_n": len(part),
                "reachable_n": int(part["reachable"].fillna(value=False).sum()),
                "by_base_n": int(part["by_base"].fillna(value=False).sum()),
                "unknown_n": int(part["reachable"].isna().sum()),
                "response_share": share(part["reachable"]),
            }
            for group, name, part in rows
        ]
    )


def share(reachable: pd.Series) -> float:
    """Share of those that can be judged; NaN where none can."""
    judged = reachable.dropna()
    return float(judged.astype(bool).mean()) if len(judged) else float("nan")


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Order incidents, the latest first."""
    keys = ["occurred_on", "incident_id"]
    return found.sort_values(keys, ascending=[False, True], ignore_index=True)
