"""Source columns to fields: mapped, typed, ranged; what was odd goes to the account of rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.layers.columns import first_column
from pocgeo.layers.dates import ParsedTimes, parse_days, parse_instants
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import FieldSpec, ProfileSpec
from pocgeo.layers.texts import as_text, matches, one_of, said_unknown, truth

__all__ = ["FieldReading", "flag_disorder", "read_field"]

EARLIEST = pd.Timestamp(1990, 1, 1)
"""House limit: days before it are taken for empty cells of a calendar that begins in 1900."""

LATEST = pd.Timestamp(2100, 1, 1)
GROUPED_BY = "[,\\s'’\u00a0\u202f]"  # the characters themselves: not every engine reads \u
THOUSANDS = rf"^[+-]?\d{{1,3}}(?:{GROUPED_BY}\d{{3}})+(?:\.\d+)?$"
COMMA_DECIMAL = r"^[+-]?\d+,\d+$"
TRUE = ("true", "yes", "y", "1", "t", "x", "oui", "vrai", "si", "sim")
FALSE = ("false", "no", "n", "0", "f", "non", "faux", "nao", "não")
Mask = NDArray[np.bool_]
SHOWN_VALUES = 20
ORDERED = (
    ("occurred_on", "ended_on", "ends before it begins"),
    ("occurred_on", "reported_on", "reported before it occurred"),
    ("opened_on", "closed_on", "closed before it opened"),
    ("closed_from_on", "closed_until_on", "ends before it begins"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReading:
    """What the reading of any field of one source needs."""

    path: Path
    zone: str
    """Zone of days and of times without an offset."""

    day_first: bool | None = None
    not_after: date | None = None
    """Days of the past cannot lie after it."""

    profile: ProfileSpec | None = None
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What aoi.toml maps: field to source text to value."""

    defaults: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    """Fields whose column aoi.toml names: what the profile says of its own column is not meant."""

    def profile_of(self, field: str) -> ProfileSpec | None:
        """Take the profile, where it speaks of the field's column."""
        return None if field in self.declared else self.profile


def read_field(
    frame: pd.DataFrame,
    spec: FieldSpec,
    columns: tuple[str, ...],
    reading: FieldReading,
    account: RowAccount,
) -> pd.Series:
    """Read one field of all rows.

    Parameters
    ----------
    frame : DataFrame
        The raw rows.
    spec : FieldSpec
        What the field is.
    columns : tuple of str
        The columns that may hold it; the first with a value in the row is taken.
    reading : FieldReading
        How this source is to be read.
    account : RowAccount
        Where repairs, flags and rejections are counted.

    Returns
    -------
    Series, indexed like `frame`
        In the type of the field; NA where not known.
    """
    raw = raw_column(frame, spec, columns, reading)
    if spec.type in ("date", "instant"):
        values = read_times(raw, spec, columns, reading, account)
    else:
        text = mapped(frame, as_text(raw), spec, reading)
        values = READERS[spec.type](text, spec, reading, account)
    if spec.required:
        account.reject(values.isna(), spec.name, "no value where one is needed")
    return values


def raw_column(
    frame: pd.DataFrame, spec: FieldSpec, columns: tuple[str, ...], reading: FieldReading
) -> pd.Series:
    """Take the first column that has a value, row by row."""
    if not columns:
        return pd.Series(pd.NA, index=frame.index, dtype="string")
    profile = reading.profile_of(spec.name)
    if profile and spec.name in profile.join and len(columns) > 1:
        parts = pd.DataFrame({column: as_text(frame[column]) for column in columns})
        joined: pd.Series = parts.iloc[:, 0].str.cat(parts.iloc[:, 1:], sep=" ")
        return joined
    raw: pd.Series = frame[columns[0]]
    for column in columns[1:]:
        empty = as_text(raw).isna()
        if not empty.any():
            break
        raw = raw.astype(object).where(~empty, frame[column])
    if profile and spec.name in profile.only_when:
        kept = np.ones(len(frame), dtype=bool)
        for name, wanted in profile.only_when[spec.name].items():
            held = first_column([name], map(str, frame.columns))
            kept &= one_of(as_text(frame[held]), wanted) if held else False
        raw = raw.astype(object).where(kept)
    return raw


def mapped(
    frame: pd.DataFrame, text: pd.Series, spec: FieldSpec, reading: FieldReading
) -> pd.Series:
    """Map texts: by aoi.toml, the profile's values and rules, the layer's values, the default."""
    profile = reading.profile_of(spec.name)
    folded = text.str.lower()
    result = text.copy()
    done = np.zeros(len(text), dtype=bool)
    value_maps = [reading.value_maps.get(spec.name, {})]
    if profile:
        value_maps.append(profile.value_maps.get(spec.name, {}))
    for mapping in value_maps:
        result, done = mapped_by(mapping, folded, result, done)
    for rule in profile.rules.get(spec.name, ()) if profile else ():
        hit = matches(frame, rule) & ~done
        result = result.mask(hit, rule.value)
        done |= hit
    result, done = mapped_by(spec.values, folded, result, done)
    if done.any():
        result = result.mask(result == "")
    default = reading.defaults.get(spec.name)
    if default is None and profile:
        default = profile.defaults.get(spec.name)
    return result.fillna(default) if default is not None else result


def mapped_by(
    mapping: Mapping[str, str], folded: pd.Series, result: pd.Series, done: Mask
) -> tuple[pd.Series, Mask]:
    """Replace the texts that a mapping knows, where nothing replaced them before."""
    if not mapping:
        return result, done
    hit = truth(folded.isin(list(mapping))) & ~done
    return result.mask(hit, folded.map(mapping).astype("string")), done | hit


def missing_words(reading: FieldReading) -> tuple[str, ...]:
    """List the texts that mean not known in this source."""
    return reading.profile.missing if reading.profile else ()


def read_text(
    text: pd.Series, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Keep a text as it is."""
    return text.astype(object).where(text.notna(), None)


def read_category(
    text: pd.Series, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Match texts to the categories; what matches none becomes unknown, and is counted by value."""
    tidy = text.str.lower().str.replace(r"[\s\-]+", "_", regex=True)
    by_name = {category.lower(): category for category in spec.categories}
    values = tidy.map(by_name)
    strange = text.notna() & values.isna() & ~said_unknown(text, missing_words(reading))
    fallback = next((word for word in ("unknown", "other") if word in spec.categories), None)
    becomes = fallback or "missing"
    if strange.any() and spec.sensitivity == "confidential":
        account.flag(strange, spec.name, f"text that is no {spec.label.lower()}: {becomes}")
    elif strange.any():
        counts = text[strange].value_counts()
        for value in counts.index[:SHOWN_VALUES]:
            account.flag(
                strange & (text == value), spec.name, f"{value[:60]!r} is no category: {becomes}"
            )
        rest = strange & ~text.isin(list(counts.index[:SHOWN_VALUES]))
        account.flag(rest, spec.name, f"further values are no category: {becomes}")
    if fallback:
        unknown = values.isna() if fallback == "unknown" else strange
        values = values.where(~unknown, fallback)
    for reason in dict.fromkeys(spec.flags.values()):
        names = [category for category, said in spec.flags.items() if said == reason]
        account.flag(values.isin(names), spec.name, reason)
    return values.astype(object).where(values.notna(), None)


def read_flag(
    text: pd.Series, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Read yes and no; what is neither is unknown, and counted."""
    folded = text.str.lower()
    values = pd.Series(pd.NA, index=text.index, dtype="boolean")
    values[folded.isin(TRUE).fillna(value=False)] = True
    values[folded.isin(FALSE).fillna(value=False)] = False
    strange = text.notna() & values.isna() & ~said_unknown(text, missing_words(reading))
    account.flag(strange, spec.name, "neither yes nor no: unknown")
    return values


def read_number(
    text: pd.Series, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Read numbers, decimal commas and thousands marks included; NaN where not known."""
    text = text.mask(said_unknown(text, missing_words(reading)))
    grouped = text.str.match(THOUSANDS).fillna(value=False).astype(bool)
    comma = text.str.match(COMMA_DECIMAL).fillna(value=False).astype(bool) & ~grouped
    plain = text.mask(grouped, text.str.replace(GROUPED_BY, "", regex=True))
    plain = plain.mask(comma, text.str.replace(",", ".", regex=False))
    numbers = pd.to_numeric(plain.astype(object), errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    if spec.type == "number":
        # 1,234 is one thousand or one and a quarter: only a count can tell
        unsure = grouped & text.str.contains(",", regex=False).fillna(value=False).astype(bool)
        account.repair(unsure, spec.name, "thousands or decimals? made unknown")
        numbers = numbers.mask(unsure)
        grouped &= ~unsure
    account.repair(grouped, spec.name, "thousands marks taken out")
    account.repair(comma & numbers.notna(), spec.name, "decimal comma read as a point")
    strange = text.notna() & numbers.isna()
    if spec.type == "number":
        strange &= ~unsure
    account.repair(strange, spec.name, "no number: made unknown")
    return numbers


def read_measure(
    text: pd.Series, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Read a number and make unknown what lies outside its believable range."""
    numbers = read_number(text, spec, reading, account)
    if spec.type == "count":
        account.reject(numbers < 0, spec.name, "negative count")
        numbers = numbers.where(~(numbers < 0))
        account.flag((numbers % 1 > 0).to_numpy(), spec.name, "count is not whole")
    if spec.range:
        low, high = spec.range
        outside = (numbers < low) | (numbers > high)
        reason = f"outside {low:g} to {high:g}: made unknown"
        account.repair(outside, spec.name, reason)
        numbers = numbers.mask(outside)
    return numbers


def read_times(
    raw: pd.Series,
    spec: FieldSpec,
    columns: tuple[str, ...],
    reading: FieldReading,
    account: RowAccount,
) -> pd.Series:
    """Read days or instants; impossible ones are unknown, or rejected where needed."""
    if pd.api.types.is_object_dtype(raw.dtype) or isinstance(raw.dtype, pd.StringDtype):
        text = as_text(raw)
        raw = raw.where(text.notna() & ~said_unknown(text, missing_words(reading)))
    default = reading.defaults.get(spec.name)
    if default is not None:
        raw = raw.astype(object).where(raw.notna(), default)
    said = " + ".join(columns) or "default"
    parse = parse_days if spec.type == "date" else parse_instants
    parsed = parse(
        raw,
        day_first=reading.day_first,
        zone=reading.zone,
        where=f"{reading.path}: column {said!r}",
    )
    return believable(parsed, spec, reading, account)


def believable(
    parsed: ParsedTimes, spec: FieldSpec, reading: FieldReading, account: RowAccount
) -> pd.Series:
    """Take out times that cannot be, and pass on what was odd."""
    values = parsed.times
    naive = values.dt.tz_localize(None) if values.dt.tz is not None else values
    wrong = [
        (parsed.unreadable, "no date that can be read"),
        ((naive < EARLIEST).to_numpy(), "before 1990"),
        ((naive >= LATEST).to_numpy(), "after 2099"),
    ]
    if spec.past and reading.not_after is not None:
        future = naive >= pd.Timestamp(reading.not_after) + pd.Timedelta(days=2)
        wrong.append((future.to_numpy(), "in the future"))
    for note in parsed.notes:
        account.note(note, field=spec.name)
    for rows, how in parsed.repaired:
        account.repair(rows, spec.name, how)
    for rows, reason in wrong:
        if spec.required:
            account.reject(rows, spec.name, reason)
        else:
            account.repair(rows, spec.name, f"{reason}: made unknown")
        values = values.mask(rows)
    return values


def flag_disorder(fields: pd.DataFrame, account: RowAccount) -> None:
    """Point at rows whose last day lies before the first."""
    for first, last, reason in ORDERED:
        if first in fields and last in fields:
            account.flag(fields[last] < fields[first], last, reason)


READERS = {
    "text": read_text,
    "category": read_category,
    "flag": read_flag,
    "number": read_measure,
    "count": read_measure,
}
