"""Periods of a time slider: weeks, months, quarters, years or texts, in order and in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.maps.wording import written
from pocgeo.products.words import ENGLISH, Words

__all__ = ["Period", "joined_periods", "periods_of", "wide_periods"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One stop of the slider."""

    order: str
    """Sorts periods of several tables among one another: the first day, or the text."""

    label: str
    """For people."""


def periods_of(
    values: pd.Series, column: ColumnSpec, words: Words = ENGLISH
) -> tuple[NDArray[np.int64], tuple[Period, ...]]:
    """Give each row the number of its period, in order of time; -1 where unknown.

    Days are named by the least gap between them: year, quarter, month, week or day.
    """
    if pd.api.types.infer_dtype(values, skipna=True) in {"date", "datetime"}:
        values = pd.to_datetime(values)
    which, found = pd.factorize(values, sort=True)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days = pd.DatetimeIndex(found).tz_localize(None)
        labels = day_labels(days, words)
        named = [Period(f"{at:%Y-%m-%d}", label) for at, label in zip(days, labels, strict=True)]
    else:
        named = [
            Period(f"~{i:05d}", written(value, column, words)) for i, value in enumerate(found)
        ]
    return which.astype(np.int64), tuple(named)


def day_labels(days: pd.DatetimeIndex, words: Words = ENGLISH) -> Sequence[str]:
    """Name first days of periods: "2026", "Q1 2026", "Mar 2026", "Week of 2 Mar 2026", a day."""
    gap = int(np.diff(days.to_numpy()).min() / np.timedelta64(1, "D")) if len(days) > 1 else 28
    first = bool((days.day == 1).all())
    if first and gap >= 365 and bool((days.month == 1).all()):
        return [f"{at:%Y}" for at in days]
    if first and gap >= 90 - 1 and bool((days.month % 3 == 1).all()):
        return [words("quarter", number=(at.month + 2) // 3, year=at.year) for at in days]
    if first and gap >= 28:
        return [words.month(at) for at in days]
    return [words("week_of", day=said) if gap == 7 else said for said in map(words.short_day, days)]


def wide_periods(labels: Iterable[str]) -> tuple[Period, ...]:
    """Make periods of column labels, in the order given."""
    return tuple(Period(f"~{i:05d}", label) for i, label in enumerate(labels))


def joined_periods(measures: Iterable[Sequence[Period]]) -> tuple[Period, ...]:
    """Put the periods of all measures on one slider: by day where all are days, else as met."""
    met: dict[str, Period] = {}
    for periods in measures:
        for period in periods:
            met.setdefault(period.label, period)
    return tuple(sorted(met.values(), key=lambda period: period.order))
