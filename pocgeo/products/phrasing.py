"""Values of a released table in words and figures for people; text that cannot do harm."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from math import isfinite, isnan
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.cells import grid
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.released import Released

__all__ = [
    "NOTHING",
    "clean",
    "day",
    "digits_of",
    "figure",
    "hex_cells",
    "is_number",
    "phrased",
    "provenance_line",
]

CODE = re.compile(r"[a-z]+(_[a-z]+)+")
"""A category as data spell it, non_state_armed_group; people read it with spaces."""

NOTHING = frozenset({"", "–"})
"""Words of a sentence that says nothing: its line is left out."""

JOINERS = frozenset("\u200c\u200d")
"""Needed to write Persian and the scripts of India; every other format character goes."""


def clean(value: object) -> str:
    """Take out of a text what acts instead of being read.

    Tabs and line ends become spaces; other control characters (ANSI escapes begin with one) and
    lone surrogates become U+FFFD; bidirectional overrides and other format characters vanish.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_inert, text))


def _inert(sign: str) -> str:
    if sign in "\t\n\r\v\f\x85":
        return " "
    category = unicodedata.category(sign)
    if category in {"Zl", "Zp"}:
        return " "
    if category in {"Cc", "Cs"}:
        return "\ufffd"
    return "" if category == "Cf" and sign not in JOINERS else sign


def day(value: date) -> str:
    """Write a day as 30 Jun 2026: no reader takes the month for the day."""
    return f"{value.day} {value:%b %Y}"


def is_number(values: pd.Series) -> bool:
    """Say whether a column holds figures; booleans, days and cells do not."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(numeric) and values.name != "cell"


def digits_of(values: pd.Series, spec: ColumnSpec) -> int:
    """Decimals to show: those declared, and none where every count is whole."""
    if spec.counts is None:
        return spec.digits
    known = np.asarray(values.dropna(), dtype=float)
    return 0 if bool(np.all(known == np.round(known))) else spec.digits


def figure(value: float, digits: int) -> str:
    """Write a number: thousands set apart, fixed decimals, a true minus sign."""
    if not isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    if text.strip("-0.,") == "" and value != 0:  # never 0 for what is more than nothing
        return f"<{10.0**-digits:.{digits}f}" if value > 0 else text.lstrip("-")
    return text.replace("-", "−")


def phrased(values: pd.Series, spec: ColumnSpec) -> list[str]:
    """Write a column for people: unknown as the column says, days ISO, yes and no."""
    if values.name == "cell":
        return hex_cells(values)
    if is_number(values):
        digits = digits_of(values, spec)
        numbers = np.asarray(values.astype("float64"), dtype=float).tolist()
        return [
            spec.missing if isnan(x) else figure(x, 0 if spec.mixed and x == int(x) else digits)
            for x in numbers
        ]
    return [spec.missing if missing else _word(value)
            for value, missing in zip(values, values.isna(), strict=True)]  # fmt: skip


def _word(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        if value.tzinfo is not None:
            return f"{value.tz_convert('UTC'):%Y-%m-%d %H:%M} UTC"
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    text = clean(value)
    return text.replace("_", " ") if CODE.fullmatch(text) else text


def hex_cells(values: Iterable[Any]) -> list[str]:
    """Write cells as H3's hexadecimal text; a missing cell is empty."""
    cells = pd.Series(values).astype("Int64")
    texts = np.full(len(cells), "", dtype=object)
    known = cells.notna().to_numpy()
    texts[known] = grid.as_text(np.asarray(cells[known], dtype=np.int64))
    return [str(text) for text in texts]


def provenance_line(released: Released) -> str:
    """Say for whom the table is and up to when its data go."""
    return f"For {released.audience} · data to {day(released.cut_off_on)}"
