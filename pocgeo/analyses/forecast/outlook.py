"""The forecast as a table: what to expect where, how sure, why, and what simpler rules say."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.forecast.calibration import (
    AREA_KINDS,
    Calibration,
    area_codes,
    area_names,
    calibrated,
    ground_note,
)
from pocgeo.analyses.forecast.ground import ground
from pocgeo.analyses.forecast.handed import Handing
from pocgeo.analyses.forecast.months import month_on, months
from pocgeo.analyses.forecast.origins import BASELINES, Foreseen, foresee
from pocgeo.analyses.forecast.rates import Rates
from pocgeo.analyses.forecast.standard import REASONS, TERMS, ForecastStandard
from pocgeo.cells import grid

__all__ = ["Forecast", "forecast", "rates_of"]

Floats = NDArray[np.float64]

RECENT_MONTHS = {"incidents_3m": 3, "incidents_12m": 12, "incidents_24m": 24}
IMPRECISE_MONTHS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is expected, by forecast cell, by area, and handed down to the AOI's own cells."""

    cells: pd.DataFrame
    areas: pd.DataFrame
    own: pd.DataFrame
    """`cell` (the AOI's own), `expected`: the same totals, shared out."""

    weights: pd.DataFrame
    """Fitted weight of each term for each month ahead."""

    resolution: int
    first_month: pd.Timestamp
    """First day of the first month forecast."""

    standard: ForecastStandard
    notes: tuple[str, ...]


def forecast(
    events: pd.DataFrame,
    cells: pd.DataFrame,
    as_of_on: pd.Timestamp,
    standard: ForecastStandard | None = None,
) -> Forecast:
    """Say how many incidents to expect in each cell in the coming months, and why.

    Parameters
    ----------
    events : DataFrame, one row per incident and cell of the AOI
        `cell`, `weight` (share of the incident; NA is set aside), `occurred_on`; optional
        `reported_on`, `placed` ("spread": known only to an area).
    cells : DataFrame, n rows, sorted by `cell`
        The AOI's cells: `cell`, `area_km2`; optional `inside_share`, `people_persons`, names
        and ids of admin areas and AORs.
    as_of_on : Timestamp
        Only what had occurred and been reported by then is used; the first month forecast is
        the one after the last complete one.

    Returns
    -------
    Forecast
        See docs/methods/forecast.md for every column. `expected` is a mean, in incidents;
        `expected_low`, `expected_high` hold `standard.level` of the outcomes.

    Raises BadInput where the record is too short or too thin.

    Notes
    -----
    Additive self-exciting counts with non-negative weights (after Mohler et al. 2011, JASA 106,
    100-108), negative binomial about the mean.
    """
    standard = standard or ForecastStandard()
    rates, handing = rates_of(events, cells, as_of_on, standard)
    origin = rates.record.count - standard.lag_months
    seen = foresee(rates, origin)
    known = calibrated(rates, handing, area_codes(cells), seen)
    own = handing.down(rates, seen)
    names = cells["cell"].to_numpy(dtype=np.int64)
    return Forecast(
        cells=_cells(rates, seen, known),
        areas=_areas(cells, rates, handing, own, known),
        own=pd.DataFrame({"cell": names, "expected": own}),
        weights=_weights(seen),
        resolution=rates.place.resolution,
        first_month=month_on(rates.record.start + rates.record.count),
        standard=standard,
        notes=_notes(rates, known, grid.resolution_of(names)),
    )


def rates_of(
    events: pd.DataFrame, cells: pd.DataFrame, as_of_on: pd.Timestamp, standard: ForecastStandard
) -> tuple[Rates, Handing]:
    """Put the record on its ground: what a forecast and its scorecard both start from."""
    place = ground(cells, standard.resolution)
    names = cells["cell"].to_numpy(dtype=np.int64)
    record = months(events, names, place.of, as_of_on)
    own = months(events, names, np.arange(len(cells)), as_of_on)
    return Rates.of(place, record, standard), Handing.of(place, place.land_km2, place.persons, own)


def _cells(rates: Rates, seen: Foreseen, known: Calibration) -> pd.DataFrame:
    """One row per forecast cell."""
    place, level = rates.place, rates.standard.level
    table = place.cells.copy()
    table["expected"] = seen.expected
    for ahead, weights in enumerate(seen.by_month):
        month = seen.still @ weights[:2]
        month[rates.active] += seen.shot.rates @ weights[2:]
        table[f"expected_month_{ahead + 1}"] = month
    low, high = known.cell.interval(seen.expected, level)
    table["expected_low"], table["expected_high"] = low, high
    around = place.disks @ seen.expected
    disk_chance = known.disk.any_chance(around)
    # Fitted apart, the two can cross by a hair; a cell is never likelier hit than its disk.
    table["probability"] = np.minimum(known.cell.any_chance(seen.expected), disk_chance)
    table["disk_expected"], table["disk_probability"] = around, disk_chance
    table["dispersion"] = known.cell.alpha(seen.expected)
    table["disk_dispersion"] = known.disk.alpha(around)
    shares = _shares(rates, seen)
    words = np.array([words for _, words, _ in REASONS], dtype=object)
    table["reason"] = words[shares.argmax(axis=1)]
    for column, (name, _, _) in enumerate(REASONS):
        table[name] = shares[:, column]
    for column, name in enumerate(BASELINES):
        table[name] = seen.baselines[:, column]
    return _with_record(table, rates)


def _shares(rates: Rates, seen: Foreseen) -> Floats:
    """Say what each reason brings to the expectation; n x 6, rows add up to 1."""
    total = seen.by_month.sum(axis=0)
    terms = np.zeros((rates.place.size, len(TERMS)))
    terms[:, :2] = seen.still * total[:2]
    terms[rates.active, 2:] = seen.shot.rates * total[2:]
    joined = np.column_stack([terms[:, list(held)].sum(axis=1) for _, _, held in REASONS])
    whole = joined.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(joined, whole, out=np.zeros_like(joined), where=whole > 0)
    return shares


def _with_record(table: pd.DataFrame, rates: Rates) -> pd.DataFrame:
    """Add what is on record in each cell and its disk."""
    record, size = rates.record, rates.place.size
    last, every = record.count - rates.standard.lag_months - 1, np.iinfo(np.int64).max
    for name, length in RECENT_MONTHS.items():
        sums = record.sums(last - length + 1, last, every, size)
        if length <= 12:
            table[name] = sums
        table[f"disk_{name}"] = rates.place.disks @ sums
    rows = record.between(last - IMPRECISE_MONTHS + 1, last, every)
    weight, spread = record.weight[rows], record.spread[rows]
    whole = rates.place.disks @ np.bincount(record.cell[rows], weight, minlength=size)
    vague = rates.place.disks @ np.bincount(record.cell[rows], weight * spread, minlength=size)
    table["imprecise_share"] = np.divide(vague, whole, out=np.full(size, np.nan), where=whole > 0)
    return table


def _areas(
    cells: pd.DataFrame, rates: Rates, handing: Handing, own: Floats, known: Calibration
) -> pd.DataFrame:
    """Totals of the AOI and its areas: expected, interval, chance of any, and what was recorded."""
    parts = []
    last, every = rates.record.count - rates.standard.lag_months - 1, np.iinfo(np.int64).max
    recorded = {
        name: handing.own.sums(last - length + 1, last, every, len(cells))
        for name, length in RECENT_MONTHS.items()
        if length <= 12
    }
    for kind, code in area_codes(cells).items():
        inside = code >= 0
        size = int(code.max()) + 1
        sums = {
            name: np.bincount(code[inside], values[inside], minlength=size)
            for name, values in {"expected": own, **recorded}.items()
        }
        ids, names = area_names(cells, kind) if kind in AREA_KINDS else (["AOI"], ["AOI"])
        spread = known.areas[kind]
        low, high = spread.interval(sums["expected"], rates.standard.level)
        part = pd.DataFrame({"area_kind": kind, "area_id": ids, "area": names})
        part["expected"] = sums["expected"]
        part["expected_low"], part["expected_high"] = low, high
        part["probability"] = spread.any_chance(sums["expected"])
        part["incidents_3m"], part["incidents_12m"] = sums["incidents_3m"], sums["incidents_12m"]
        parts.append(part.sort_values(["expected", "area_id"], ascending=[False, True]))
    return pd.concat(parts, ignore_index=True)


def _weights(seen: Foreseen) -> pd.DataFrame:
    """Weight of each term: incidents for the first two, incidents per past incident a month."""
    table = pd.DataFrame({"term": TERMS})
    for ahead, weights in enumerate(seen.by_month):
        table[f"month_{ahead + 1}"] = weights
    return table


def _notes(rates: Rates, known: Calibration, own: int) -> tuple[str, ...]:
    """Say what a reader must know: the months, the grid, what is missing, how it did before."""
    record, lag = rates.record, rates.standard.lag_months
    first = record.start + record.count
    words = [
        f"Forecast of {_span(first, first + rates.standard.months - 1)}, from incidents of "
        f"{_span(record.start, first - 1 - lag)}. Reported, not occurred. "
        f"Intervals are meant to hold {rates.standard.level:.0%} of outcomes.",
    ]
    if lag:
        words.append(f"The last {lag} complete months are set aside: reports still come in.")
    words.append(ground_note(rates.place, own))
    if known.learnt_there:
        words.append(
            f"In {len(known.origins)} forecasts of the past, each from what was known then, it "
            f"expected {known.expected:,.0f} incidents in all and {known.came:,.0f} came."
        )
    else:
        words.append(
            "The record is too short to test the forecast on its own past: intervals are too "
            "narrow, chances too sure."
        )
    return (*words, *rates.place.notes, *record.notes)


def _span(first: int, last: int) -> str:
    """Name a stretch of months."""
    if first == last:
        return f"{month_on(first):%b %Y}"
    return f"{month_on(first):%b %Y} to {month_on(last):%b %Y}"
