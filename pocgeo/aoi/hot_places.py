"""Hotspots and emerging hot spots of one AOI: the tests, fed with its tables as of a day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypedDict

import pandas as pd

from pocgeo.analyses import emergence as emerging
from pocgeo.analyses import hotspots as hot
from pocgeo.analyses.emergence_rules import NO_PATTERN, PATTERNS
from pocgeo.analyses.hotspot_choice import Backtest, choose_test
from pocgeo.analyses.null_check import null_check
from pocgeo.analyses.risk import severity
from pocgeo.aoi import answers
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.precision import precision_notes
from pocgeo.aoi.standards import Period, moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput

__all__ = [
    "EmergenceAsked", "HotspotAsked", "choice", "emergence", "flagged", "hotspots", "patterned",
]  # fmt: skip

EARLIER_MONTHS = 60
"""Most months before the question that serve as the baseline."""

Only = Mapping[str, tuple[str, ...]]


class HotspotAsked(Period, total=False):
    """What may be said about a hotspot test; what is not said comes from aoi.toml."""

    measure: str
    expectation: str
    disk: int
    fdr: float
    min_incidents: float


class EmergenceAsked(TypedDict, total=False):
    """What may be said about emerging hot spots."""

    steps: int
    step_months: int
    disk: int
    min_incidents: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every hotspot question rests on."""

    at: Moment
    test: hot.HotspotTest
    events: pd.DataFrame
    cells: pd.DataFrame
    baseline: hot.Baseline | None
    days: str


def hotspots(
    index: Indexed, as_of: date | None, only: Only, by: str | None, asked: Mapping[str, Any]
) -> pd.DataFrame:
    """Flag hotspots of the period, with the null check among the notes."""
    asked_of = question(index, as_of, only, asked)
    if by is None:
        table = tested(index, asked_of, asked_of.events)
    else:
        table = by_category(index, asked_of, by)
    table.attrs["notes"] += precision_notes(index, asked_of.events)
    title = f"Hotspots of incidents, {asked_of.days}"
    if by is not None:
        title = f"Hotspots by {by.replace('_', ' ')}, {asked_of.days}"
    if asked_of.test.measure == "severity":
        title = title.replace("of incidents", "by severity of incidents")
    said = {key: value for key, value in asked.items() if key in ("since", "until")}
    return answers.finished(
        table, index, asked_of.at, "hotspots", title, hotspots=asked_of.test, period=said,
        only=dict(only),
    )  # fmt: skip


def question(index: Indexed, as_of: date | None, only: Only, asked: Mapping[str, Any]) -> Question:
    """Gather the incidents of the period, the cells with their people, and the test."""
    at = moment(index, as_of)
    test = standard(hot.HotspotTest, index.file, "hotspots", asked)
    placed = incidents_placed(index, at.at)
    if placed is None:
        raise index.lacks("incidents")
    period: Period = {"since": asked.get("since"), "until": asked.get("until")}
    placed = answers.only_of(placed, only)
    if test.measure == "severity":
        placed["severity"] = severity(placed, at.weights)
    events = answers.within(placed, period, index, at)
    baseline = earlier(placed, period, index, at) if test.expectation == "baseline" else None
    return Question(
        at=at, test=test, events=events, cells=lived_in(index, test.expectation),
        baseline=baseline, days=answers.days_in_words(period, index, at),
    )  # fmt: skip


def lived_in(index: Indexed, expectation: str = "populated") -> pd.DataFrame:
    """Cells with their people; refuse where an expectation needs people and there is no layer."""
    cells = index.known("cells")
    people = index.table("population")
    if people is not None:
        return cells.merge(people, on="cell", how="left")
    if expectation in {"populated", "population"}:
        raise BadInput(
            f"{index.file.path}: hotspots expect incidents where people live, and there is no "
            'population layer. Add one, or set [standards.hotspots] expectation = "uniform".'
        )
    return cells


def earlier(placed: pd.DataFrame, period: Period, index: Indexed, at: Moment) -> hot.Baseline:
    """Take up to five years before the period as the area's own earlier record."""
    since = period.get("since")
    begins = index.file.period[0]
    if since is None or since <= begins:
        raise BadInput(
            "The expectation 'baseline' compares with the time before the period: say when it "
            f"begins, with --since a day after {begins}."
        )
    first = max(pd.Timestamp(since) - pd.DateOffset(months=EARLIER_MONTHS), pd.Timestamp(begins))
    until = min(pd.Timestamp(period.get("until") or at.as_of), at.at)
    day = placed["occurred_on"]
    return hot.Baseline(
        incidents=placed[(day >= first) & (day < pd.Timestamp(since))],
        earlier_days=float((pd.Timestamp(since) - first).days),
        recent_days=float((until - pd.Timestamp(since)).days + 1),
    )


def tested(index: Indexed, asked_of: Question, events: pd.DataFrame) -> pd.DataFrame:
    """Test one set of incidents, name the cells, and add the null check."""
    cells, test = asked_of.cells, asked_of.test
    pairs = index.kept(
        f"pairs {test.disk}", lambda: grid.disk_pairs(cells["cell"].to_numpy(), test.disk)
    )
    table = hot.hotspots(events, cells, test, baseline=asked_of.baseline, pairs=pairs)
    checked = null_check(cells, events, test, baseline=asked_of.baseline, pairs=pairs)
    notes = [*table.attrs.get("notes", ()), checked.text]
    return named(table, cells, notes)


def by_category(index: Indexed, asked_of: Question, by: str) -> pd.DataFrame:
    """Test each category on its own, one below the other; every one holds its own level."""
    if by not in asked_of.events:
        raise BadInput(f"incidents: no column {by}. Ask for perpetrator or incident_type.")
    parts, notes = [], []
    for name, events in hot.split(asked_of.events, by).items():
        one = asked_of
        if asked_of.baseline is not None:
            before = hot.split(asked_of.baseline.incidents, by)
            held = before.get(name, asked_of.baseline.incidents[:0])
            one = replace(asked_of, baseline=replace(asked_of.baseline, incidents=held))
        table = tested(index, one, events)
        check = [note for note in table.attrs["notes"] if note.startswith("Null check")]
        notes += [f"{name.replace('_', ' ')}: {text}" for text in check]
        table.insert(0, by, name)
        parts.append(table)
    if not parts:
        raise BadInput(f"No incidents in the period, so none to part by {by}.")
    whole = pd.concat(parts, ignore_index=True)
    whole.attrs = dict(parts[0].attrs)
    whole.attrs["notes"] = [
        "Each category is tested on its own and holds the level on its own: with several "
        "categories, expect that share of false flags in each.",
        *notes,
    ]
    return whole


def named(table: pd.DataFrame, cells: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Put the names of areas and places beside the cells of a table, in its order."""
    names = cells[["cell", *reversed(answers.NAMED), "lon", "lat"]]
    attrs = dict(table.attrs)
    made = names.merge(table, on="cell", how="right")
    made.attrs = {**attrs, "notes": notes}
    return made


def flagged(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the flagged cells, the most surprising first."""
    harm = ["disk_severity"] if "disk_severity" in table else []
    keys = ["q", *harm, "disk_incidents", "incidents", "cell"]
    down = [True, *[False] * len(harm), False, False, True]
    kept = table[table["hotspot"]].sort_values(keys, ascending=down, ignore_index=True)
    kept.attrs = dict(table.attrs)
    return kept


def choice(index: Indexed, as_of: date | None, only: Only) -> pd.DataFrame:
    """Try every radius and expectation on the AOI's own record."""
    asked_of = question(index, as_of, only, {})
    end = asked_of.at.at.normalize()
    begins = pd.Timestamp(index.file.period[0])
    plan = Backtest()
    if index.table("population") is None:
        plan = replace(plan, expectations=("uniform", "baseline"))
    cells = asked_of.cells
    pairs = grid.disk_pairs(cells["cell"].to_numpy(), max(plan.disks))
    index.say("trying radii and expectations", 0, 1)
    table = choose_test(
        asked_of.events, cells, (begins, end), asked_of.test, backtest=plan, pairs=pairs
    )
    index.say("trying radii and expectations", 1, 1)
    return answers.finished(
        table, index, asked_of.at, "hotspot_choice",
        "Which radius and expectation would have served", hotspots=asked_of.test,
    )  # fmt: skip


def emergence(
    index: Indexed, as_of: date | None, only: Only, asked: Mapping[str, Any]
) -> pd.DataFrame:
    """Name the pattern of each cell over the last steps of time."""
    at = moment(index, as_of)
    test = standard(emerging.EmergenceTest, index.file, "emergence", asked)
    placed = incidents_placed(index, at.at)
    if placed is None:
        raise index.lacks("incidents")
    placed = answers.only_of(placed, only)
    cells = lived_in(index, "uniform")
    end = at.at.normalize()
    test, shortened = fitted(test, pd.Timestamp(index.file.period[0]), end)
    pairs = grid.disk_pairs(cells["cell"].to_numpy(), test.disk)
    table = emerging.emergence(placed, cells, end, test, pairs=pairs)
    first = emerging.starts(end, test)
    used = placed[placed["occurred_on"].between(first[0], end)]
    notes = [*shortened, *table.attrs["notes"], *precision_notes(index, used)]
    table = named(table, cells, notes)
    begins = first[test.time_lag].date()
    title = (
        f"Emerging hot spots, {test.steps} steps of {test.step_months} months, "
        f"{begins:%d %b %Y} to {end:%d %b %Y}"
    )
    return answers.finished(table, index, at, "emergence", title, emergence=test, only=dict(only))


def fitted(
    test: emerging.EmergenceTest, begins: pd.Timestamp, end: pd.Timestamp
) -> tuple[emerging.EmergenceTest, list[str]]:
    """Take as many steps as the record holds; refuse where these are too few."""
    asked = test.steps
    for steps in range(asked, emerging.FEWEST_STEPS - 1, -1):
        tried = replace(test, steps=steps)
        if emerging.starts(end, tried)[0] >= begins - timedelta(days=1):
            said = f"The record holds {steps} steps (asked for {asked}), the past of the first one "
            return tried, [] if steps == asked else [said + "included."]
    raise BadInput(
        f"The record begins on {begins:%Y-%m-%d}: too short for {emerging.FEWEST_STEPS} steps of "
        f"{test.step_months} months before {end:%Y-%m-%d}. Take shorter steps."
    )


def patterned(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the cells with a pattern, in the order of the scheme, the most incidents first."""
    kept = table[table["pattern"] != NO_PATTERN]
    order = kept["pattern"].map({name: number for number, name in enumerate(PATTERNS)})
    kept = kept.assign(order=order).sort_values(
        ["order", "recent_incidents", "disk_incidents", "cell"],
        ascending=[True, False, False, True], ignore_index=True,
    )  # fmt: skip
    kept = kept.drop(columns="order")
    kept.attrs = dict(table.attrs)
    return kept
