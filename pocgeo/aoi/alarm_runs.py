"""Runs of the alarms of one AOI: what is compared with what, as of which day."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.alarms import (
    Alarms,
    AlarmStandard,
    alarm_rows,
    alarms,
    as_whole,
    disk_zones,
    permutation_scan,
    population_scan,
    whole_in_one_cell,
)
from pocgeo.analyses.forecast import Forecast, ForecastStandard, forecast
from pocgeo.analyses.forecast.ground import chosen_resolution, ground
from pocgeo.aoi import foreseen
from pocgeo.aoi.answers import only_of
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.provenance import digest_of

__all__ = ["METHODS", "Only", "Run", "month_end", "months_before", "previous_day", "run"]

Only = Mapping[str, tuple[str, ...]]

METHODS = ("forecast", "permutation", "population")

DAYS_BETWEEN_RUNS = 28
"""The comparison scans are taken as run every four weeks: two of their periods."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run of the alarms, and what it rests on."""

    alarms: Alarms
    cells: pd.DataFrame
    """Forecast cells with names, `seen` and `due` in the months looked at."""

    incidents: pd.DataFrame
    """One row per incident looked at: its facts and forecast cell."""

    first_on: pd.Timestamp
    last_on: pd.Timestamp
    steps_on: tuple[pd.Timestamp, ...]
    """First day of a window of 1, 2, ... months or periods."""

    notes: tuple[str, ...] = ()


def previous_day(day: pd.Timestamp, method: str) -> pd.Timestamp:
    """Say when the run before was."""
    if method == "forecast":
        return months_before(month_end(day), 1)
    return day - pd.Timedelta(days=DAYS_BETWEEN_RUNS)


def run(index: Indexed, day: pd.Timestamp, test: AlarmStandard, method: str, only: Only) -> Run:
    """Raise alarms as of a day.

    Raises
    ------
    UnknownName, BadInput
        No such method; nothing on record to forecast or to scan.
    """
    if method not in METHODS:
        raise UnknownName("method of alarms", method, METHODS)

    def build() -> Run:
        if method == "forecast":
            return forecast_run(index, day, test, only)
        return comparison_run(index, day, test, method, only)

    made: Run = index.kept("alarms " + digest_of([day, test, method, dict(only)]), build)
    return made


def forecast_run(index: Indexed, day: pd.Timestamp, test: AlarmStandard, only: Only) -> Run:
    """Compare the last complete months with the forecast made before them."""
    last = month_end(day)
    months = standard(ForecastStandard, index.file, "forecast").months
    origin = months_before(last, months)
    before = whole_outlook(index, origin, only)
    names = [f"expected_month_{month}" for month in range(months, 0, -1)]
    held = before.cells.reset_index(drop=True)
    known = held["cell"].to_numpy(dtype=np.int64)
    record, notes = recorded(index, day, only, before.resolution)
    record = record[(record["occurred_on"] > origin) & (record["occurred_on"] <= last)]
    month = record["occurred_on"].dt.year * 12 + record["occurred_on"].dt.month
    age = (last.year * 12 + last.month - month).to_numpy(dtype=np.intp)
    counts = table_of(grid.positions(known, cells_of(record)), age, known.size, months)
    found = alarms(counts, held[names].to_numpy(dtype=float), held, test)
    cells = held.assign(seen=counts.sum(axis=1), due=held[names].sum(axis=1))
    late = "" if last == day else f" Complete months only: to {last:%d %b %Y}."
    said = (
        f"Forecast made as of {origin:%d %b %Y}, from the incidents with a place that were on "
        f"record then.{late}",
        *notes,
    )
    steps = tuple(months_before(last, back + 1) + pd.Timedelta(days=1) for back in range(months))
    return Run(
        alarms=found, cells=cells, incidents=record, first_on=steps[-1], last_on=last,
        steps_on=steps, notes=said,
    )  # fmt: skip


def whole_outlook(index: Indexed, origin: pd.Timestamp, only: Only) -> Forecast:
    """Forecast, from the incidents that the scan can count, how many of those to expect."""
    at, rules = moment(index, origin.date()), standard(ForecastStandard, index.file, "forecast")

    def build() -> Forecast:
        events, cells = foreseen.record_of(index, at, only)
        level = chosen_resolution(cells["cell"].to_numpy(dtype=np.int64), rules.resolution)
        index.say("forecasting", 0, 1)
        made = forecast(as_whole(events, level), cells, at.at, rules)
        index.say("forecasting", 1, 1)
        return made

    made: Forecast = index.kept("whole outlook " + digest_of([at.as_of, dict(only), rules]), build)
    return made


def comparison_run(
    index: Indexed, day: pd.Timestamp, test: AlarmStandard, method: str, only: Only
) -> Run:
    """Scan the last periods as SaTScan does, by shuffled times or by people."""
    places = forecast_ground(index)
    known = places["cell"].to_numpy(dtype=np.int64)
    record, notes = recorded(index, day, only, grid.resolution_of(known))
    age = ((day - record["occurred_on"]).dt.days // test.period_days).to_numpy(dtype=np.intp)
    kept = (age >= 0) & (age < test.past_periods)
    record, age = record[kept], age[kept]
    place = grid.positions(known, cells_of(record))
    if not place.size:
        raise BadInput(
            f"No incident with a place in the {test.past_periods * test.period_days} days to "
            f"{day:%Y-%m-%d}: nothing to scan."
        )
    if method == "permutation":
        towns, at = np.unique(place, return_inverse=True)
        zones = disk_zones(known[towns], test.widest_rings)
        result = permutation_scan(at, age, zones, test.windows, test.simulated)
        rows, members = alarm_rows(result, known[towns], test)
    else:
        recent = age < test.windows
        counts = table_of(place[recent], age[recent], known.size, test.windows)
        result = population_scan(
            counts, people_of(places, index), disk_zones(known, test.widest_rings),
            periods=test.past_periods, older_incidents=int((~recent).sum()),
            simulations=test.simulated,
        )  # fmt: skip
        rows, members = alarm_rows(result, known, test)
    inside = age < test.windows
    counts = table_of(place[inside], age[inside], known.size, test.windows)
    steps = tuple(
        day - pd.Timedelta(days=test.period_days * (back + 1) - 1) for back in range(test.windows)
    )
    found = Alarms(
        table=rows, members=members, observed=float(inside.sum()), expected=np.nan, total_p=np.nan
    )
    return Run(
        alarms=found, cells=places.assign(seen=counts.sum(axis=1)), incidents=record[inside],
        first_on=steps[-1], last_on=day, steps_on=steps, notes=tuple(notes),
    )  # fmt: skip


def month_end(day: pd.Timestamp) -> pd.Timestamp:
    """Give the last day of the last month that is complete on a day."""
    return (day + pd.Timedelta(days=1)).replace(day=1) - pd.Timedelta(days=1)


def months_before(end: pd.Timestamp, months: int) -> pd.Timestamp:
    """Give the end of the month so many months before one."""
    return (end.replace(day=1) - pd.DateOffset(months=months - 1)) - pd.Timedelta(days=1)


def forecast_ground(index: Indexed) -> pd.DataFrame:
    """Give the cells that a forecast of this AOI stands on, without making one."""
    cells = index.known("cells")
    people = index.table("population")
    if people is not None:
        cells = cells.merge(people, on="cell", how="left")
    asked = standard(ForecastStandard, index.file, "forecast")
    return ground(cells, asked.resolution).cells


def people_of(places: pd.DataFrame, index: Indexed) -> NDArray[np.float64]:
    """Give people per forecast cell; refuse an AOI where nobody is known."""
    people = np.nan_to_num(places["people_persons"].to_numpy(dtype=float, na_value=np.nan))
    if not people.sum() > 0:
        raise index.lacks("population")
    return people


def recorded(
    index: Indexed, day: pd.Timestamp, only: Only, resolution: int
) -> tuple[pd.DataFrame, list[str]]:
    """Give every incident known on the day the forecast cell that holds most of it."""
    placed = incidents_placed(index, day)
    if placed is None:
        raise index.lacks("incidents")
    return whole_in_one_cell(only_of(placed, only), resolution)


def cells_of(record: pd.DataFrame) -> NDArray[np.int64]:
    """Forecast cell of every incident."""
    return record["forecast_cell"].to_numpy(dtype=np.int64)


def table_of(
    place: NDArray[np.int64], age: NDArray[np.intp], size: int, windows: int
) -> NDArray[np.float64]:
    """Count by cell and age; incidents in no cell are left out."""
    inside = place >= 0
    flat = place[inside] * windows + age[inside]
    return np.bincount(flat, minlength=size * windows).reshape(size, windows).astype(float)
