"""Coarser rows and hidden small counts: what the gate does to a table before it leaves.

A count from 1 to k - 1 is suppressed. Where the suppressed counts of a group could be worked back
from the group's total, the group's smallest other count is suppressed too. A reader is taken to
hold the same measure at every coarser level, suppressed by the same rule, and the grand total.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.products.columns import ColumnSpec

__all__ = ["coarsened", "hidden", "hidden_in_tree", "protected", "suppressed"]

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

PEOPLE = "people_persons"
ROUNDS = 20


def coarsened(
    table: pd.DataFrame, keys: pd.Series, columns: Mapping[str, ColumnSpec]
) -> pd.DataFrame:
    """Join the rows that share a key, each column by its `released_as`.

    Parameters
    ----------
    table : DataFrame, n rows
    keys : Series, n rows
        What rows are joined by; NA is a key of its own. Its name becomes a column.
    columns : mapping
        Column -> spec; a column released as "none" is left out.

    Returns
    -------
    DataFrame, one row per key, sorted by key
        A sum or mean of nothing known stays NA. Means are weighted by `people_persons` where
        the table has it and anyone is there; "first" is the value of the row with most people.
    """
    codes, found = pd.factorize(keys, sort=True, use_na_sentinel=False)
    people = _people(table)
    out = {str(keys.name): pd.Series(found)}
    for name, spec in columns.items():
        if name != keys.name and spec.released_as != "none":
            out[name] = _joined(table[name], codes, people, spec.released_as, len(found))
    return pd.DataFrame(out)


def _people(table: pd.DataFrame) -> pd.Series:
    if PEOPLE in table:
        return pd.to_numeric(table[PEOPLE]).astype("float64").fillna(0.0).clip(lower=0.0)
    return pd.Series(0.0, index=table.index)


def _joined(
    values: pd.Series, codes: Codes, people: pd.Series, how: str, n_groups: int
) -> pd.Series:
    every = pd.RangeIndex(n_groups)
    if how == "first":
        ordered = values.iloc[np.argsort(-people.to_numpy(), kind="stable")]
        known = pd.Series(codes, index=values.index).loc[ordered.index]
        return ordered.groupby(known.to_numpy()).first().reindex(every)
    if pd.api.types.is_bool_dtype(values) and how in {"min", "max"}:
        return values.astype("boolean").groupby(codes).agg(how).reindex(every).astype("boolean")
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.groupby(codes).agg(how).reindex(every)
    number = values.astype("float64")
    if how == "sum":
        return number.groupby(codes).sum(min_count=1).reindex(every)
    if how == "mean":
        return _mean(number, codes, people, every)
    return number.groupby(codes).agg(how).reindex(every)


def _mean(number: pd.Series, codes: Codes, people: pd.Series, every: pd.RangeIndex) -> pd.Series:
    weight = people.where(number.notna(), 0.0)
    top = (number.fillna(0.0) * weight).groupby(codes).sum().reindex(every)
    below = weight.groupby(codes).sum().reindex(every)
    plain = number.groupby(codes).mean().reindex(every)
    mean: pd.Series = (top / below.where(below > 0)).fillna(plain)
    return mean


def hidden(values: NDArray[np.float64], margins: Sequence[Codes], k: int) -> Mask:
    """Say which counts must be suppressed so that none below k can be worked back.

    Parameters
    ----------
    values : array, n
        Counts; NaN is unknown and stays out. Fractions (parts of an incident) count as they are.
    margins : sequence of arrays, n each
        For every total a reader may know, the group each row adds up to (codes from 0; -1: none).
    k : int
        Smallest count that may be shown, other than 0.

    Returns
    -------
    array of bool, n
        True: suppress. Every value strictly between 0 and k is True.
    """
    out: Mask = (values > 0) & (values < k)
    for _ in range(ROUNDS):
        before = int(out.sum())
        for margin in margins:
            while _add_one(values, out, margin, k):
                pass
        if int(out.sum()) == before:
            break
    return out


def hidden_in_tree(values: NDArray[np.float64], levels: Sequence[Codes], k: int) -> Mask:
    """Do as `hidden`, against a reader who holds the same counts at every coarser level.

    Parameters
    ----------
    values : array, n
        Counts; NaN is unknown.
    levels : sequence of arrays, n each
        The unit of each row at every coarser level, coarsest first, codes from 0, nested.
    k : int
        Smallest count that may be shown, other than 0.

    Notes
    -----
    Walks down. Units hidden at one level have a known sum (the known total around them less the
    units shown), so they form one group of the next level; a hidden unit keeps a hidden part at
    every level below it, or its parts would add up to it.
    """
    known = np.zeros(len(values), dtype=np.int64)  # the smallest known total around each row
    above: tuple[Codes, Mask] | None = None
    for units in (*levels, np.arange(len(values), dtype=np.int64)):
        n_units = int(units.max(initial=-1)) + 1
        totals = _sums(units, values, n_units)
        group, within = np.zeros(n_units, dtype=np.int64), np.zeros(n_units, dtype=np.int64)
        group[units] = known
        out = hidden(totals, [group], k)
        if above is not None:
            within[units] = above[0]
            _hide_a_part(totals, out, within, above[1])
        above = units, out
        _, known = np.unique(np.where(out[units], known, len(values) + units), return_inverse=True)
    return np.zeros(0, dtype=bool) if above is None else above[1]


def _sums(units: Codes, values: NDArray[np.float64], n_units: int) -> NDArray[np.float64]:
    """Total of the known values of each unit."""
    sums = np.bincount(units, weights=np.nan_to_num(values), minlength=n_units)
    return np.asarray(sums, dtype=np.float64)


def _hide_a_part(totals: NDArray[np.float64], out: Mask, within: Codes, hidden_units: Mask) -> None:
    """Suppress the smallest part of every hidden unit that has no suppressed part yet."""
    has_one = np.bincount(within[out], minlength=len(hidden_units)) > 0
    rows = np.flatnonzero((totals > 0) & (hidden_units & ~has_one)[within])
    order = np.lexsort((rows, totals[rows], within[rows]))
    _, first = np.unique(within[rows][order], return_index=True)
    out[rows[order[first]]] = True


def protected(values: NDArray[np.float64], out: Mask, margin: Codes, k: int) -> Mask:
    """Say, for each group, whether its total may be known without revealing a suppressed count.

    A reader is taken to know the method: that zeros are shown, that every suppressed count is at
    least 1, and that k - 1 is the most a count suppressed for itself can be.
    """
    inside = margin >= 0
    n_groups = int(margin.max(initial=-1)) + 1
    group, mask = margin[inside], out[inside]
    value = np.nan_to_num(values[inside])
    n = np.bincount(group[mask], minlength=n_groups)
    total = np.bincount(group[mask], weights=value[mask], minlength=n_groups)
    others = np.bincount(group[mask & ((value >= k) | (value == 0))], minlength=n_groups)
    safe = (n >= 2) & (total >= k) & ((total > n) | (others > 0))
    safe &= (total < n * (k - 1)) | (others > 0)
    return np.asarray(safe | (n == 0), dtype=bool)


def _add_one(values: NDArray[np.float64], out: Mask, margin: Codes, k: int) -> bool:
    """Suppress one more count in each group that is not protected; False: nothing was left."""
    safe = protected(values, out, margin, k)
    if safe.all():
        return False
    rows = np.flatnonzero((margin >= 0) & ~out & np.isfinite(values))
    rows = rows[~safe[margin[rows]]]
    rows = rows[(values[rows] > 0) | _needs_a_zero(values, out, margin, k)[margin[rows]]]
    if rows.size == 0:
        return False
    rank = np.where(values[rows] > 0, values[rows], np.inf)  # zeros come last
    order = np.lexsort((rows, rank, margin[rows]))
    _, first = np.unique(margin[rows][order], return_index=True)
    out[rows[order[first]]] = True
    return True


def _needs_a_zero(values: NDArray[np.float64], out: Mask, margin: Codes, k: int) -> Mask:
    """Mark groups whose total may be shown elsewhere (k or more), so that a zero must help."""
    mask = out & (margin >= 0)
    n_groups = int(margin.max(initial=-1)) + 1
    total = np.bincount(margin[mask], weights=np.nan_to_num(values[mask]), minlength=n_groups)
    return np.asarray(total >= k)


def suppressed(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    hide: Callable[[NDArray[np.float64]], Mask],
    k: int,
) -> tuple[pd.DataFrame, Mapping[str, Mask], Mapping[str, int]]:
    """Blank small counts, what protects them, and what is derived from them.

    Parameters
    ----------
    table : DataFrame, n rows
    columns : mapping
        Column -> spec; those with `counts` are judged.
    hide : callable
        Counts -> True where they must be suppressed: `hidden` or `hidden_in_tree`.
    k : int
        Smallest count that may be shown, other than 0.

    Returns
    -------
    table : DataFrame
        The same rows; suppressed values NA.
    masks : mapping
        Count column -> True where suppressed.
    tally : mapping
        `small`: counts below k; `others`: counts suppressed to protect them.
    """
    table = table.copy()
    masks: dict[str, Mask] = {}
    small = 0
    for name in [name for name, spec in columns.items() if spec.counts and name in table]:
        values = np.asarray(table[name].astype("float64"), dtype=np.float64)
        masks[name] = hide(values)
        small += int(((values > 0) & (values < k)).sum())
        table[name] = np.where(masks[name], np.nan, values)
    for name, spec in columns.items():
        sources = [source for source in spec.derived_from if source in masks]
        if name in table and sources:
            gone = np.logical_or.reduce([masks[source] for source in sources])
            table[name] = _blank(table[name], gone)
    hid = sum(int(mask.sum()) for mask in masks.values())
    return table, masks, {"small": small, "others": hid - small}


def _blank(values: pd.Series, gone: Mask) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        values = values.astype("boolean")
    elif pd.api.types.is_integer_dtype(values):
        values = values.astype("float64")
    return values.mask(gone)
