"""Indicators for those outside: rows of many units under one column, so judged row by row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.products.suppression import hidden

__all__ = ["indicators_outward", "is_indicators"]

Codes = NDArray[np.int64]

COUNTED = ("incidents", "persons")
"""Units in which small values point at cases."""

WHOLE = "all"
"""The category that is the sum of the others."""

KEPT = ("month_on", "area_kind", "area_id", "area", "indicator", "category", "value", "unit")
AREA = ("indicator", "category", "area_kind", "area_id")


def is_indicators(table: pd.DataFrame) -> bool:
    """Say whether a table is one row per month, area, indicator and category."""
    return {"month_on", "area_kind", "area_id", "indicator", "value", "unit"} <= set(table)


def indicators_outward(
    table: pd.DataFrame, k: int, withheld: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Take out withheld indicators, suppress small counts and what rests on few records.

    Parameters
    ----------
    table : DataFrame, n rows
        What `pocgeo.analyses.indicators.indicators` returns.
    k : int
        Smallest count that may be shown, other than 0.
    withheld : sequence of str
        Indicators this audience may not have.

    Returns
    -------
    table : DataFrame
        The columns of KEPT; the number of records a value rests on leaves with none of them.
    tally : dict
        `small`: values suppressed for themselves; `others`: those that would reveal them.

    Notes
    -----
    A reader is taken to know the sum over areas of one kind, over categories and over months. A
    share or a median goes where it rests on 1 to k - 1 records, or where its numerator or the
    rest would be 1 to k - 1.
    """
    rows = table[~table["indicator"].isin(list(withheld))].reset_index(drop=True)
    if "category" not in rows:
        rows["category"] = WHOLE
    value = np.asarray(rows["value"].astype("float64"), dtype=np.float64)
    counted = rows["unit"].isin(COUNTED).to_numpy()
    counts = np.where(counted, value, np.nan)
    out = hidden(counts, _margins(rows), k)
    small = counted & (value > 0) & (value < k)
    few = ~counted & _rests_on_few(rows, value, k)
    rows["value"] = np.where(out | few, np.nan, value)
    tally = {"small": int((small | few).sum()), "others": int((out & ~small).sum())}
    order = ["month_on", "area_kind", "area_id", "indicator", "category"]
    kept = rows[[name for name in KEPT if name in rows]]
    return kept.sort_values(order, ignore_index=True), tally


def _margins(rows: pd.DataFrame) -> list[Codes]:
    """Group rows by the sums a reader may know: over areas, over categories, over months."""
    parts = (rows["category"] != WHOLE).to_numpy()
    over_areas = _codes(rows, ["month_on", "indicator", "category", "area_kind"])
    over_months = _codes(rows, list(AREA))
    over_parts = _codes(rows, ["month_on", "indicator", "area_kind", "area_id"])
    return [over_areas, over_months, np.where(parts, over_parts, -1)]


def _codes(rows: pd.DataFrame, columns: list[str]) -> Codes:
    groups = pd.DataFrame(rows[columns]).groupby(columns, dropna=False, sort=True)
    return np.asarray(groups.ngroup(), dtype=np.int64)


def _rests_on_few(rows: pd.DataFrame, value: NDArray[np.float64], k: int) -> NDArray[np.bool_]:
    """Mark shares and medians of few records, and shares whose parts are few."""
    if "n" not in rows:
        return np.ones(len(rows), dtype=bool)
    n = np.asarray(rows["n"].astype("float64"), dtype=np.float64)
    share = (rows["unit"] == "share").to_numpy()
    part, rest = value * n, (1 - value) * n
    few_parts = share & (((part > 0) & (part < k)) | ((rest > 0) & (rest < k)))
    covered = rows["indicator"].str.endswith("_covered_share").to_numpy()  # of people, not cases
    return np.asarray(((n > 0) & (n < k) | few_parts) & ~covered, dtype=bool)
