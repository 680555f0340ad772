"""Bases as the analyses need them: which stand on a day, and what a column says of them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["days_of", "numbers_of", "standing", "standing_on", "words_of"]


def words_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a text column as objects with None for unknown; all None where it is absent."""
    if column not in table.columns:
        return pd.Series(None, index=table.index, dtype=object)
    return table[column].astype(object).where(table[column].notna(), None)


def numbers_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as float64 with NaN for unknown; all NaN where it is absent."""
    if column not in table.columns:
        return pd.Series(np.nan, index=table.index, dtype="float64")
    return pd.to_numeric(table[column]).astype("float64")


def days_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as days with NaT for unknown; all NaT where it is absent."""
    if column not in table.columns:
        return pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns]")
    return pd.to_datetime(table[column]).astype("datetime64[ns]")


def standing(
    bases: pd.DataFrame, on: pd.Timestamp | str, until: pd.Timestamp | str | None = None
) -> pd.DataFrame:
    """Keep the bases that stood on a day, or on any day from `on` to `until`.

    `opened_on` is the first day and `closed_on` the last, both inclusive (house definition). A
    missing day is an open end: a base without dates stands always.
    """
    first, last = pd.Timestamp(on), pd.Timestamp(on if until is None else until)
    opened, closed = days_of(bases, "opened_on"), days_of(bases, "closed_on")
    kept = ~(opened > last) & ~(closed < first)
    return bases[kept.to_numpy()]


def standing_on(
    bases: pd.DataFrame, first_on: ArrayLike, last_on: ArrayLike
) -> Callable[[slice], NDArray[np.bool_]]:
    """Say which bases stood in which interval: a function of a slice of n intervals.

    An interval without a first day is met by every base: the caller must say so.
    """
    opened = days_of(bases, "opened_on").fillna(pd.Timestamp.min).to_numpy().astype("int64")
    closed = days_of(bases, "closed_on").fillna(pd.Timestamp.max).to_numpy().astype("int64")
    first = pd.Series(first_on).astype("datetime64[ns]")
    last = pd.Series(last_on).astype("datetime64[ns]").fillna(first)
    begins = first.fillna(pd.Timestamp.min).to_numpy().astype("int64")
    ends = last.fillna(pd.Timestamp.max).to_numpy().astype("int64")

    def stood(part: slice) -> NDArray[np.bool_]:
        met: NDArray[np.bool_] = begins[part, None] <= closed
        met &= ends[part, None] >= opened
        return met

    return stood
