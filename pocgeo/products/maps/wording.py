"""Values of a released table in words, for tooltips: unit, digits, days, and what is unknown."""

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.disclosure import Released
from pocgeo.products.words import ENGLISH, Words

__all__ = [
    "SILENT_UNITS",
    "column_of",
    "number",
    "refuse_confidential",
    "unique_words",
    "written",
]

JOINED_UNITS = {"%", "°"}
SILENT_UNITS = {None, "", "0–1"}
"""Units that a heading shows and a value does not repeat."""


def column_of(released: Released, name: str) -> ColumnSpec:
    """Find what a column is called; one that nobody described gets its own name."""
    found = released.columns.get(name)
    return found or ColumnSpec(
        name=name,
        label=name.replace("_", " ").capitalize(),
        unit=None,
        sensitivity="restricted",
        released_as="none",
        counts=None,
    )


def refuse_confidential(released: Released, name: str) -> None:
    """Hold the house rule once more: confidential fields appear in no product."""
    if column_of(released, name).sensitivity == "confidential":
        raise BadInput(f"{released.name}.{name} is confidential and is drawn on no map.")


def number(value: float, digits: int) -> str:
    """Write a number: thousands set apart, fixed decimals, a true minus sign."""
    return f"{value:,.{digits}f}".replace("-", "−")


def written(value: Any, column: ColumnSpec, words: Words = ENGLISH) -> str:
    """Write one known value for people."""
    if isinstance(value, bool | np.bool_):
        return words("yes" if value else "no")
    if isinstance(value, pd.Timestamp | datetime | date):
        return words.short_day(value)
    if isinstance(value, int | float | np.integer | np.floating):
        if not math.isfinite(value):
            return words("unknown")
        said = words.figures(number(float(value), column.digits))
        if column.unit is None or column.unit in SILENT_UNITS:
            return said
        return said + ("" if column.unit in JOINED_UNITS else " ") + column.unit
    return str(value)


def unique_words(
    values: pd.Series, column: ColumnSpec, words: Words = ENGLISH
) -> tuple[NDArray[np.int64], list[str]]:
    """Write a column as a dictionary: the words, and one position in them per row.

    A row whose value is unknown points at the word for unknown.
    """
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    said = [written(value, column, words) for value in uniques]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(said), codes)
        said.append(words("unknown") if column.missing == "–" else column.missing)
    return codes.astype(np.int64), said
