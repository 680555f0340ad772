"""Sources in another shape: a count per dated column, a row per month, areas to be joined."""

import re
from calendar import month_abbr
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.layers.columns import find_column, first_column
from pocgeo.layers.spec import CollapseRule, WideCounts
from pocgeo.layers.texts import as_text, said_unknown

__all__ = ["Joined", "LatestCounts", "collapse", "dated_columns", "dissolve", "latest_counts"]

MONTHS = [month.lower() for month in month_abbr if month]
DAY_MONTH = re.compile(r"(\d{1,2})\s*([A-Za-z]{3,9})\.?\s*((?:19|20)\d{2})?")
ISO_DAY = re.compile(r"((?:19|20)\d{2})-(\d{2})-(\d{2})(?:[T ][\d:.]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestCounts:
    """The latest count of each row that is a number, and its day."""

    counts: pd.Series
    days: pd.Series
    columns: int
    """How many dated columns were found."""

    first_on: pd.Timestamp
    last_on: pd.Timestamp
    texts: int
    """Cells of dated columns that hold words instead of a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Rows that became one: which stand for the others."""

    keeps: NDArray[np.bool_]
    """Rows that stand for their group."""

    opened_on: pd.Series | None = None
    closed_on: pd.Series | None = None
    geometry: gpd.GeoSeries | None = None
    notes: tuple[str, ...] = ()


def dated_columns(columns: list[str], wide: WideCounts) -> dict[str, pd.Timestamp]:
    """Find the columns whose name is a day, bare or with a declared ending.

    A day without a year takes the year of the dated column before it, or the next one where that
    would put it before that column.
    """
    found: dict[str, pd.Timestamp] = {}
    last: pd.Timestamp | None = None
    endings = {"", *(ending.lower() for ending in wide.ending)}
    for column in columns:
        name = column.strip()
        iso, spoken = ISO_DAY.match(name), DAY_MONTH.match(name)
        match = iso or spoken
        if match is None or name[match.end() :].strip().lower() not in endings:
            continue
        if iso:
            day = pd.Timestamp(int(iso[1]), int(iso[2]), int(iso[3]))
        else:
            day_or_none = spoken_day(match, last, wide.first_year)
            if day_or_none is None:
                continue
            day = day_or_none
        found[column] = last = day
    return found


def spoken_day(
    match: re.Match[str], last: pd.Timestamp | None, first_year: int | None
) -> pd.Timestamp | None:
    """Make a day of `9 June` or `30 Jan 2015`; None where it is none."""
    if match[2][:3].lower() not in MONTHS:
        return None
    month, day = MONTHS.index(match[2][:3].lower()) + 1, int(match[1])
    year = int(match[3]) if match[3] else (last.year if last is not None else first_year)
    if year is None:
        return None
    try:
        found = pd.Timestamp(year, month, day)
        if not match[3] and last is not None and found < last:
            found = pd.Timestamp(year + 1, month, day)
    except ValueError:
        return None
    return found


def latest_counts(frame: pd.DataFrame, wide: WideCounts, path: Path) -> LatestCounts:
    """Take the latest dated count of every row.

    Raises
    ------
    BadInput
        No column's name is a day.
    """
    dated = dated_columns([str(column) for column in frame.columns if column != "geometry"], wide)
    if not dated:
        ending = " or ".join(repr(word) for word in wide.ending)
        raise BadInput(
            f"{path}: no column is named for a day, bare or with {ending}. Check sheet and profile."
        )
    counts = pd.Series(np.nan, index=frame.index)
    days = pd.Series(pd.NaT, index=frame.index).astype("datetime64[ns]")
    texts = 0
    for column, day in sorted(dated.items(), key=lambda item: item[1]):
        text = as_text(frame[column])
        numbers = pd.to_numeric(text.astype(object), errors="coerce").astype("float64")
        texts += int((text.notna() & numbers.isna() & ~said_unknown(text)).sum())
        known = numbers.notna()
        counts = counts.where(~known, numbers)
        days = days.where(~known, day)
    order = sorted(dated.values())
    return LatestCounts(
        counts=counts,
        days=days,
        columns=len(dated),
        first_on=order[0],
        last_on=order[-1],
        texts=texts,
    )


def collapse(
    frame: pd.DataFrame, live: NDArray[np.bool_], rule: CollapseRule, path: Path
) -> Joined:
    """Make one row of the observations of one place: the last one, with first and last month.

    `opened_on` is the first day of the first month that shows it, unknown where that is the
    source's first month of all; `closed_on` the last day of the last, unknown where that is the
    source's last: still standing for all the source knows. A source without the rule's month
    column is taken as yearly.
    """
    by, within = (
        [
            find_column(name, map(str, frame.columns), path, "the profile's collapse")
            for name in names
        ]
        for names in (rule.by, rule.within)
    )
    monthly = rule.month and first_column([rule.month], map(str, frame.columns))
    year = numbers_of(frame, rule.year, path)
    month = numbers_of(frame, monthly, path) if monthly else pd.Series(1.0, index=frame.index)
    first = pd.to_datetime({"year": year, "month": month, "day": 1}, errors="coerce")
    span = pd.DateOffset(months=1) if monthly else pd.DateOffset(years=1)
    seen = pd.Series(live & first.notna().to_numpy(), index=frame.index)
    first = first.where(seen)
    last = first + span - pd.Timedelta(days=1)
    groups, source = grouped(frame, by), grouped(frame, within)
    opened, closed = (first.groupby(groups).transform("min"), last.groupby(groups).transform("max"))
    opened = opened.mask(opened == first.groupby(source).transform("min"))
    closed = closed.mask(closed == last.groupby(source).transform("max"))
    order = np.argsort(first[seen].to_numpy(), kind="stable")
    seen_at = np.flatnonzero(seen.to_numpy())[order]
    keeps = np.zeros(len(frame), dtype=bool)
    keeps[seen_at] = ~groups.iloc[seen_at].duplicated(keep="last").to_numpy()
    notes = [
        f"{int(seen.sum())} rows are observations of {int(keeps.sum())} places: "
        "the last of each is kept"
    ]
    twice = int(pd.DataFrame({"place": groups[seen], "on": first[seen]}).duplicated().sum())
    if twice:
        notes.append(f"{twice} rows repeat a place and month: the later row is kept")
    return Joined(keeps=keeps, opened_on=opened, closed_on=closed, notes=tuple(notes))


def grouped(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Give a number to rows by equal values of some columns; all alike where there are none."""
    if not columns:
        return pd.Series(0, index=frame.index)
    texts = pd.DataFrame({column: as_text(frame[column]).str.lower() for column in columns})
    return texts.groupby(columns, dropna=False, sort=False).ngroup()


def numbers_of(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Read a column of whole numbers."""
    found = find_column(column, map(str, frame.columns), path, "the profile's collapse")
    return pd.to_numeric(as_text(frame[found]).astype(object), errors="coerce").astype("float64")


def dissolve(
    frame: gpd.GeoDataFrame,
    geometry: gpd.GeoSeries,
    live: NDArray[np.bool_],
    column: str,
    path: Path,
) -> Joined:
    """Join the polygons of rows that share a column's value; the first row stands for them."""
    found = find_column(column, map(str, frame.columns), path, "dissolve")
    groups = as_text(frame[found])
    seen = live & groups.notna().to_numpy()
    keeps = seen & ~groups.where(seen).duplicated().to_numpy()
    joined = {
        name: shapely.union_all(geometry[rows].to_numpy())
        for name, rows in groups[seen].groupby(groups[seen]).groups.items()
    }
    shapes = geometry.copy()
    shapes[keeps] = [joined[name] for name in groups[keeps]]
    note = f"{int(seen.sum())} polygons joined to {int(keeps.sum())} by {found!r}"
    return Joined(keeps=keeps, geometry=shapes, notes=(note,))
