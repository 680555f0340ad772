"""Days and instants from whatever a column holds: ISO, declared styles, serial numbers."""

from calendar import month_abbr
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.layers.texts import written

__all__ = ["ParsedTimes", "parse_days", "parse_instants"]

ISO = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?$|^(?:19|20)\d{6}$"
CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?"
    r"\s*(?P<half>[AaPp][Mm])?)?"
)
NUMERIC = (
    r"^(?P<first>\d{1,2})[./-](?P<second_part>\d{1,2})[./-](?P<year>\d{4}|\d{2})" + CLOCK + "$"
)
NAMED = (
    r"^(?P<day>\d{1,2})(?:st|nd|rd|th)?[ .\-/]*(?P<month>[A-Za-z]{3,9})[ .,\-/]*(?P<year>\d{4})"
    + CLOCK
    + "$"
)
NAMED_FIRST = (
    r"^(?P<month>[A-Za-z]{3,9})[ .\-]*(?P<day>\d{1,2})(?:st|nd|rd|th)?[ ,.\-]+(?P<year>\d{4})"
    + CLOCK
    + "$"
)
SERIAL = r"^\d{5}(?:\.\d+)?$"
UNIX = r"^\d{9,10}(?:\.\d+)?$|^\d{13}$"
MONTHS = {month.lower(): number for number, month in enumerate(month_abbr) if number}
EXCEL_ORIGIN = pd.Timestamp(1899, 12, 30)
"""Day 0 of Excel's calendar, its leap year of 1900 allowed for; right from March 1900."""

FIRST_YEAR, LAST_YEAR = 1678, 2261
"""Whole years that datetime64[ns] holds."""

LAST_UNIX_S = 9_183_110_400
"""The end of 2260, seconds since 1970."""

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class ParsedTimes:
    """Times read from a column, and what was odd."""

    times: pd.Series
    """datetime64[ns], naive and local for days, UTC for instants; NaT where unreadable."""

    unreadable: Mask
    """Rows that hold something which is no date."""

    notes: list[str] = field(default_factory=list)
    repaired: list[tuple[Mask, str]] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """Times as they stand: local without an offset, or absolute."""

    local: pd.Series
    absolute: pd.Series
    styles: dict[str, Mask]


def parse_days(column: pd.Series, *, day_first: bool | None, zone: str, where: str) -> ParsedTimes:
    """Read a column of days; a time with an offset becomes the local day of the zone.

    Parameters
    ----------
    column : Series
        Texts, dates, datetimes or Excel serial numbers.
    day_first : bool or None
        Whether 03/04/2024 is 3 April; None refuses a column in which that matters.
    zone : str
        IANA zone of the AOI.
    where : str
        File and column, for messages.

    Returns
    -------
    ParsedTimes
        `times` are normalised midnights without a zone.

    Raises
    ------
    BadInput
        Dates are ambiguous and `day_first` is not declared.
    """
    reading = read_times(column, day_first=day_first, where=where, unix=False)
    days = reading.local.dt.normalize()
    absolute = reading.absolute.notna()
    if absolute.any():
        moved = reading.absolute.dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None).dt.normalize()
        days = days.where(~absolute, moved)
    parsed = finished(column, days, reading, where)
    if absolute.any():
        parsed.notes.append(f"times with an offset became days of {zone}")
    return parsed


def parse_instants(
    column: pd.Series, *, day_first: bool | None, zone: str, where: str
) -> ParsedTimes:
    """Read a column of instants; a time without an offset is local to the zone, and that is said.

    Parameters and errors as for `parse_days`; `times` are aware, UTC.
    """
    reading = read_times(column, day_first=day_first, where=where, unix=True)
    local = reading.local.notna()
    notes = []
    values = reading.absolute
    if local.any():
        zoned = reading.local.dt.tz_localize(
            ZoneInfo(zone), ambiguous=np.ones(len(column), dtype=bool), nonexistent="shift_forward"
        )
        values = values.where(~local, zoned.dt.tz_convert("UTC"))
        notes.append(f"{int(local.sum())} times without an offset are taken as {zone}")
    parsed = finished(column, values, reading, where)
    parsed.notes += notes
    return parsed


def finished(column: pd.Series, values: pd.Series, reading: Reading, where: str) -> ParsedTimes:
    """Add to the times what was odd about them."""
    parsed = ParsedTimes(times=values, unreadable=(column.notna() & values.isna()).to_numpy())
    used = {style: mask for style, mask in reading.styles.items() if mask.any()}
    if len(used) > 1:
        counted = ", ".join(f"{int(mask.sum())} {style}" for style, mask in used.items())
        parsed.notes.append(f"several styles in one column: {counted}")
    serial = used.get("serial")
    if serial is not None:
        parsed.repaired.append(
            (serial & values.notna().to_numpy(), "Excel serial day turned into a date")
        )
    return parsed


def read_times(column: pd.Series, *, day_first: bool | None, where: str, unix: bool) -> Reading:
    """Read every style that is known; times stay local or absolute as they stand."""
    empty = pd.Series(pd.NaT, index=column.index).astype("datetime64[ns]")
    reading = Reading(local=empty, absolute=empty.dt.tz_localize("UTC"), styles={})
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        reading.absolute = to_ns(column.dt.tz_convert("UTC"))
        return reading
    if pd.api.types.is_datetime64_dtype(column.dtype):
        reading.local = to_ns(column)
        return reading
    text = as_date_text(column)
    open_rows = text.notna()
    for style, pattern in patterns(unix=unix):
        if not open_rows.any():
            break
        left = text[open_rows]
        found = left.str.contains(pattern) if style == "ISO" else left.str.match(pattern)
        mine = open_rows.copy()
        mine[open_rows] = found.to_numpy(dtype=bool)
        if mine.any():
            read_style(reading, text[mine], style, day_first=day_first, where=where)
        reading.styles[style] = mine.to_numpy()
        open_rows &= ~mine
    return reading


def patterns(*, unix: bool) -> list[tuple[str, str]]:
    """List the styles in the order they are tried."""
    styles = [
        ("ISO", ISO),
        ("numeric", NUMERIC),
        ("named month", NAMED),
        ("month first", NAMED_FIRST),
    ]
    return [*styles, ("serial", SERIAL), *([("unix", UNIX)] if unix else [])]


def as_date_text(column: pd.Series) -> pd.Series:
    """Write a column as text; dates and datetimes of workbooks as ISO, whole floats as integers."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        text = column.map(lambda value: f"{value:.10g}" if abs(value) < 1e6 else f"{value:.3f}")
        return text.str.replace(r"\.0+$", "", regex=True).where(column.notna()).astype("string")
    text = written(column).str.strip()
    text = text.str.replace(r"^(\d{5,13})\.0+$", r"\1", regex=True)
    return text.mask(text == "")


def read_style(
    reading: Reading, text: pd.Series, style: str, *, day_first: bool | None, where: str
) -> None:
    """Read the rows of one style into the reading."""
    if style == "ISO":
        read_iso(reading, text)
        return
    if style == "unix":
        number = text.astype("float64")
        seconds = number.where(number < 1e11, number / 1000)
        seconds = seconds.where(seconds < LAST_UNIX_S)
        reading.absolute.loc[text.index] = to_ns(pd.to_datetime(seconds, unit="s", utc=True))
        return
    if style == "serial":
        days = text.astype("float64")
        local = EXCEL_ORIGIN + pd.to_timedelta((days * 86_400).round(), unit="s")
    elif style == "numeric":
        local = numeric_dates(text, day_first=day_first, where=where)
    else:
        parts = text.str.extract(NAMED if style == "named month" else NAMED_FIRST)
        month = parts["month"].str[:3].str.lower().map(MONTHS)
        local = assembled(parts, parts["year"], month, parts["day"])
    reading.local.loc[text.index] = to_ns(local)


def read_iso(reading: Reading, text: pd.Series) -> None:
    """Read ISO dates, with or without a time and an offset; slashes and short parts too."""
    zoned = text.str.slice(-6).str.contains(r"[Zz]$|UTC$|[+-]\d{2}:?\d{2}$|:\d{2}[+-]\d{2}$")
    zoned &= text.str.contains(":", regex=False)
    for rows, target in ((zoned, reading.absolute), (~zoned, reading.local)):
        if rows.any():
            values = iso_times(text[rows], utc=target is reading.absolute)
            odd = values.isna()
            if odd.any():
                mended = text[values.index[odd]].str.replace("/", "-", n=2)
                mended = mended.str.replace(r"^(\d{4})-(\d)(?=-)", r"\1-0\2", regex=True)
                mended = mended.str.replace(r"^(\d{4}-\d{2})-(\d)(?!\d)", r"\1-0\2", regex=True)
                mended = mended.str.replace(r"\s*(?:UTC|z)$", "Z", regex=True)
                values[odd] = iso_times(mended, utc=target is reading.absolute)
            target.loc[values.index] = values.astype(target.dtype)


def iso_times(text: pd.Series, *, utc: bool) -> pd.Series:
    """Read ISO 8601 texts; NaT where they are none."""
    # of objects: pandas reads an Arrow-backed column through another, stricter path
    cells = pd.Series(text.to_numpy(dtype=object), index=text.index)
    times = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=utc)
    return to_ns(times)


def to_ns(times: pd.Series) -> pd.Series:
    """Hold times to the nanosecond; a year that this cannot hold (2999) is no date."""
    held = times.where(times.dt.year.between(FIRST_YEAR, LAST_YEAR))
    return held.astype("datetime64[ns]" if held.dt.tz is None else "datetime64[ns, UTC]")


def numeric_dates(text: pd.Series, *, day_first: bool | None, where: str) -> pd.Series:
    """Read 03/04/2024 and its like, by declaration; unambiguous ones need none."""
    parts = text.str.extract(NUMERIC)
    first, second = parts["first"].astype("float64"), parts["second_part"].astype("float64")
    year = parts["year"].where(parts["year"].str.len() == 4, "20" + parts["year"])
    ambiguous = (first <= 12) & (second <= 12) & (first != second)
    if day_first is None and ambiguous.any():
        at = int(np.flatnonzero(ambiguous.to_numpy())[0])
        raise BadInput(
            f"{where}: {text.iloc[at]!r} in row {text.index[at]} may be day or month first. "
            "Declare day_first = true or day_first = false for this source in aoi.toml."
        )
    leads = (first > 12) if day_first is None else pd.Series(day_first, index=text.index)
    return assembled(parts, year, second.where(leads, first), first.where(leads, second))


def assembled(parts: pd.DataFrame, year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    """Put parts of a date and a clock together; impossible ones are NaT."""
    hour = parts["hour"].astype("float64").fillna(0)
    half = parts["half"].str.lower()
    hour = hour.where(~(half == "pm").fillna(value=False) | (hour >= 12), hour + 12)
    hour = hour.where(~(half == "am").fillna(value=False) | (hour != 12), 0)
    days = pd.to_datetime(
        pd.DataFrame(
            {
                "year": year.astype("float64"),
                "month": month.astype("float64"),
                "day": day.astype("float64"),
            }
        ),
        errors="coerce",
    )
    seconds = parts["second"].astype("float64").fillna(0)
    minute = parts["minute"].astype("float64").fillna(0)
    told = (hour < 24) & (minute < 60) & (seconds <= 60)  # 60: a leap second
    clock = (hour * 3600 + minute * 60 + seconds).where(told)
    return days + pd.to_timedelta(clock, unit="s")
