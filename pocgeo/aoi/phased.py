"""Phases of one AOI: by admin area with people's decisions beside, by cell, and their record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.alarms import whole_in_one_cell
from pocgeo.analyses.disks import disk_matrix
from pocgeo.analyses.phases import (
    PHASES,
    PhaseHistory,
    PhaseRules,
    Quarter,
    area_phases,
    capacity,
    checked_decisions,
    phase_record,
    phase_rules,
    phases,
    with_decisions,
)
from pocgeo.aoi import foreseen
from pocgeo.aoi.alarm_runs import month_end, months_before
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import as_of_day, moment
from pocgeo.aoi.threats import incidents_placed
from pocgeo.cells import grid
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.provenance import file_digest
from pocgeo.sources.tabular import read_table

__all__ = ["DECISIONS", "phase_areas", "phase_cells", "phase_measures", "phase_quarters"]

DECISIONS = "phases_confirmed.csv"
"""File of the AOI folder in which people confirm or override the phase of an area."""

MONTHS = 3
"""A quarter (Policy 77)."""

ORDER = ("response", "pre-emption", "consolidation", "prevention")
NAMED = ("settlement", "admin2", "admin1", "aor")
KINDS = {
    "admin 1": ("admin1_id", "admin1"),
    "admin 2": ("admin2_id", "admin2"),
    "AOR": ("aor_id", "aor"),
}
"""Kind of area -> columns of its code and name."""

NOTES = (
    "Computed by the rules of standards/phases.toml; people decide: their word stands beside, in "
    f"{DECISIONS}. No phase means safe: prevention is no clear threat in the record, and in "
    "consolidation violence subsides but comes back.",
)


def rules_of(index: Indexed) -> PhaseRules:
    """Take the rules of the house, or of the file that `[standards.phases] rules` names."""
    said: Mapping[str, Any] = index.file.standards.get("phases", {})
    for name in said:
        if name != "rules":
            raise UnknownName(f"key of [standards.phases] in {index.file.path}", name, ["rules"])
    path = declared("standards") / "phases.toml"
    if "rules" in said:
        path = index.file.folder / str(said["rules"])
    return phase_rules(read_toml(path), path.name)


def history(index: Indexed, as_of: date | None, rules: PhaseRules) -> PhaseHistory:
    """Run the rules over successive quarters, the forecast refitted at each."""
    day = pd.Timestamp(as_of_day(index.file, as_of))
    made: PhaseHistory = index.kept(
        f"phases {day} {rules}", lambda: phases(evidence(index, day, rules.quarters), rules)
    )
    return made


def evidence(index: Indexed, day: pd.Timestamp, count: int) -> list[Quarter]:
    """Give what was known at the end of each quarter, as far back as there is a record."""
    ends = [months_before(month_end(day), MONTHS * back) for back in range(count)]
    quarters: list[Quarter] = []
    for done, end in enumerate(ends):
        index.say(f"forecast as of {end:%Y-%m-%d}", done, count)
        try:
            with unheard(index):
                made = foreseen.outlook(index, end.date())
        except BadInput:
            if not quarters:
                raise
            break  # before this quarter there is no record to forecast from
        quarters.append(Quarter(on=end, evidence=made.cells.reset_index(drop=True)))
    index.say("phases complete", count, count)
    return with_outcomes(quarters[::-1], index, day)


@contextmanager
def unheard(index: Indexed) -> Iterator[None]:
    """Keep each forecast's own progress out of that of the quarters."""
    heard, index.progress = index.progress, None
    try:
        yield
    finally:
        index.progress = heard


def with_outcomes(quarters: list[Quarter], index: Indexed, day: pd.Timestamp) -> list[Quarter]:
    """Add what came in the quarter after each but the last: whole incidents, as known now."""
    known = quarters[-1].evidence["cell"].to_numpy(dtype=np.int64)
    placed = incidents_placed(index, day)
    if placed is None:
        raise index.lacks("incidents")
    record, _ = whole_in_one_cell(placed, grid.resolution_of(known))
    at = grid.positions(known, record["forecast_cell"].to_numpy(dtype=np.int64))
    disks = disk_matrix(known, (1.0, 1.0))
    told = []
    for now, then in pairwise(quarters):
        inside = ((record["occurred_on"] > now.on) & (record["occurred_on"] <= then.on)).to_numpy()
        came = np.bincount(at[inside & (at >= 0)], minlength=known.size).astype(float)
        told.append(replace(now, evidence=now.evidence.assign(
            came_n=came, came_around_n=disks @ came
        )))  # fmt: skip
    return [*told, quarters[-1]]


def phase_areas(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Give the phase of every admin area and AOR, with people's decisions beside it."""
    at = moment(index, as_of)
    rules = rules_of(index)
    known, digest = decisions(index, at.at)  # before the long work: a mistake is said at once
    past = history(index, as_of, rules)
    table = area_phases(past, places(index, past), rules)
    table = with_decisions(table, known)
    table["urgency"] = table["phase"].map({name: rank for rank, name in enumerate(ORDER)})
    table["kind"] = table["area_kind"].map({name: rank for rank, name in enumerate(KINDS)})
    keys = ["kind", "urgency", "response_persons", "preemption_persons", "area_id"]
    table = table.sort_values(keys, ascending=[True, True, False, False, True], ignore_index=True)
    first = ["area_kind", "area", "phase", "phase_before", "phase_since_on", "decision"]
    first += ["confirmed_phase", "confirmed_by", "confirmed_on", "confirmed_reason"]
    rest = [name for name in table if name not in {*first, "kind", "urgency"}]
    table = table[[*first, *rest]]
    table.attrs = {"notes": [*NOTES, *quarters_in_words(past)]}
    made = finished(
        table, index, at, "phases", f"Phases of Policy 36 by area, {past.quarters[-1].on:%d %b %Y}",
        phases=rules, decisions={"file": DECISIONS, "sha256": digest},
    )  # fmt: skip
    made.attrs |= {"kind": "areas", "sensitivity": "restricted"}
    return made


def phase_cells(index: Indexed, as_of: date | None, *, every: bool = True) -> pd.DataFrame:
    """Give the phase of every forecast cell, the most urgent first; else not of prevention."""
    at = moment(index, as_of)
    rules = rules_of(index)
    past = history(index, as_of, rules)
    facts = past.quarters[-1].evidence
    names = ["cell", "lon", "lat", *NAMED, "people_persons", "area_km2"]
    table = facts[[name for name in names if name in facts]].merge(past.latest, on="cell")
    table["urgency"] = table["phase"].map({name: rank for rank, name in enumerate(ORDER)})
    table = table.sort_values(
        ["urgency", "disk_probability", "cell"], ascending=[True, False, True], ignore_index=True
    )
    table = table.drop(columns=["urgency"]).rename(columns={"disk_probability": "phase_chance"})
    if not every:
        table = table[table["phase"] != "prevention"].reset_index(drop=True)
    first = ["cell", "settlement", "admin2", "aor", "phase", "phase_before", "phase_since_on"]
    first = [name for name in first if name in table]
    table = table[[*first, *(name for name in table if name not in first)]]
    table.attrs = {"notes": [*NOTES, *quarters_in_words(past)]}
    made = finished(
        table, index, at, "phase_cells",
        f"Phases of Policy 36 by cell, {past.quarters[-1].on:%d %b %Y}", phases=rules,
    )  # fmt: skip
    made.attrs |= {"kind": "cells", "sensitivity": "restricted"}
    return made


def phase_quarters(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Give the phase of every forecast cell at the end of each quarter, for a map over time."""
    at = moment(index, as_of)
    rules = rules_of(index)
    past = history(index, as_of, rules)
    days = [months_before(quarter.on, MONTHS) + pd.Timedelta(days=1) for quarter in past.quarters]
    words = np.array([*PHASES, None], dtype=object)
    table = pd.DataFrame(
        {
            "cell": np.repeat(past.cells, len(days)),
            "quarter_on": np.tile(np.array(days, dtype="datetime64[ns]"), past.cells.size),
            "phase": pd.Series(words[past.codes.ravel()], dtype="str"),
        }
    )
    names = [name for name in NAMED if name in past.quarters[-1].evidence]
    facts = past.quarters[-1].evidence[["cell", *names]]
    table = table.merge(facts, on="cell", how="left")
    made = finished(
        table, index, at, "phase_quarters", "Phases of Policy 36 by cell and quarter", phases=rules
    )
    made.attrs |= {"kind": "cells", "sensitivity": "restricted"}
    return made


def phase_measures(index: Indexed, as_of: date | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what followed each phase in the past, and what another threshold would have covered."""
    at = moment(index, as_of)
    rules = rules_of(index)
    past = history(index, as_of, rules)
    area = past.quarters[-1].evidence["area_km2"].to_numpy(dtype=np.float64)
    record, choice = phase_record(past, area), capacity(past.quarters, area, rules)
    titles = {
        "phase_record": "What followed each phase in the next quarter, on this area's own past",
        "phase_capacity": "Pre-emption by threshold: ground to cover against incidents covered",
    }
    answers = []
    for name, table in zip(titles, (record, choice), strict=True):
        ready = finished(table, index, at, name, titles[name], phases=rules)
        ready.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
        answers.append(ready)
    return answers[0], answers[1]


def quarters_in_words(past: PhaseHistory) -> list[str]:
    """Say over which quarters the rules ran, and how many places changed."""
    changed = int(past.latest["phase_changed"].fillna(value=False).sum())
    days = f"{past.quarters[0].on:%d %b %Y} to {past.quarters[-1].on:%d %b %Y}"
    now = past.latest["phase"].value_counts()
    counts = ", ".join(f"{name} {int(now.get(name, 0))}" for name in ORDER)
    return [
        f"Rules run over {len(past.quarters)} quarters, {days}. Cells now: {counts}; {changed} "
        "changed phase in the last quarter."
    ]


def places(index: Indexed, past: PhaseHistory) -> pd.DataFrame:
    """Give the parts of every admin area and AOR in every forecast cell, with their people."""
    cells = index.known("cells")
    people = index.table("population")
    if people is not None:
        cells = cells.merge(people[["cell", "people_persons"]], on="cell", how="left")
    else:
        cells = cells.assign(people_persons=np.nan)
    level = grid.resolution_of(past.cells)
    parent = grid.parents(cells["cell"].to_numpy(dtype=np.int64), level)
    land = cells["area_km2"] * cells["inside_share"]
    parts = []
    for kind, (code, name) in KINDS.items():
        if code not in cells or cells[code].isna().all():
            continue
        part = pd.DataFrame(
            {
                "cell": parent, "area_kind": kind, "area_id": cells[code], "area": cells[name],
                "people_persons": cells["people_persons"], "area_km2": land,
            }
        )  # fmt: skip
        parts.append(part.dropna(subset=["area_id"]))
    if not parts:
        raise index.lacks("areas")
    return pd.concat(parts, ignore_index=True)


def decisions(index: Indexed, day: pd.Timestamp) -> tuple[pd.DataFrame, str | None]:
    """Read what people decided, checked, and the digest of the file; empty without one."""
    cells = index.known("cells")
    codes = [cells[code].dropna() for code, _ in KINDS.values() if code in cells]
    areas = [str(code) for part in codes for code in part.unique()]
    path = index.file.folder / DECISIONS
    if not path.is_file():
        none = pd.DataFrame(columns=["area_id", "phase", "by", "on", "reason"], dtype="str")
        return checked_decisions(none, areas, day, DECISIONS), None
    raw = read_table(path)
    if raw.bad_rows:
        row, why = raw.bad_rows[0]
        raise BadInput(f"{path}, row {row}: {why}. Mend the row.")
    return checked_decisions(raw.frame, areas, day, DECISIONS), file_digest(path)
