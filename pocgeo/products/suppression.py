"""Coarser rows, and values that rest on incidents given by piece: steps of the gate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.pieces import Codes, Floats
from pocgeo.products.register import PlacePieces, Register

__all__ = ["Memory", "by_area", "by_piece", "coarsened"]

PEOPLE = "people_persons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Where values already released are looked up and kept."""

    register: Register
    table: str
    k: int

    def kept(self, column: str, row: str, value: Any, basis: float) -> Any:
        """Give the value released before, unless k or more incidents are new since."""
        value = value.item() if hasattr(value, "item") else value
        name = f"{self.table} k{self.k}" if self.k > self.register.k else self.table
        return self.register.kept(name, column, row, value, basis, self.k)


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


def by_piece(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    known: PlacePieces,
    memory: Memory,
) -> pd.DataFrame:
    """Replace what rests on incidents by the value of the whole piece.

    Parameters
    ----------
    table : DataFrame, n rows
        One row per cell, `cell` among its columns.
    columns : mapping
        Columns that rest on incidents -> spec.

    Returns
    -------
    DataFrame
        The same rows. Sums are shared out by people, means and extremes are those of the piece;
        a flag is that of a single atom, or of at least half of the cells of a joined one; a text
        is the most frequent. NA where the piece may not be spoken of.
    """
    rows = known.rows_of(table["cell"].to_numpy(dtype=np.int64))
    piece = np.where(rows >= 0, known.piece[rows], -1)
    basis = np.append(known.basis, np.nan)[piece]
    said, codes = np.unique(np.where(np.isfinite(basis), piece, -1), return_inverse=True)
    single = np.append(np.bincount(known.piece, known.together == 1) > 0, [False])
    people = _people(table)
    out = table.copy()
    for name, spec in columns.items():
        whole = _whole(table[name], codes, people, spec.released_as, single[said])
        fixed = [
            None
            if number < 0 or pd.isna(value)
            else memory.kept(name, f"piece {number}", value, float(known.basis[number]))
            for number, value in zip(said, whole, strict=True)
        ]
        out[name] = _spread(table[name], pd.Series(fixed, dtype=object), codes, people, spec)
    return out


def _whole(values: pd.Series, codes: Codes, people: pd.Series, how: str, single: Any) -> pd.Series:
    """Value of every piece."""
    n = len(single)
    if pd.api.types.is_bool_dtype(values):
        share = values.astype("float64").groupby(codes).mean().reindex(range(n))
        flag: pd.Series = ((share >= 0.5) | ((share > 0) & single)).astype(object)
        return flag.where(share.notna(), None)
    if how == "first":
        return values.groupby(codes).agg(_most_frequent).reindex(range(n)).astype(object)
    return _joined(values, codes, people, how, n).astype(object)


def _most_frequent(values: pd.Series) -> Any:
    found = values.mode()
    return found.iloc[0] if len(found) else None


def _spread(
    before: pd.Series, whole: pd.Series, codes: Codes, people: pd.Series, spec: ColumnSpec
) -> pd.Series:
    """Give every cell the value of its piece, or its share by people of a sum."""
    values = whole.iloc[codes].set_axis(before.index)
    if pd.api.types.is_bool_dtype(before):
        return values.astype("boolean")
    if spec.released_as == "first":
        return values
    number = pd.to_numeric(values).astype("float64")
    if spec.released_as != "sum":
        return number
    known = before.notna().astype("float64")
    weight = people * known
    total = weight.groupby(codes).transform("sum")
    even = known / known.groupby(codes).transform("sum").clip(lower=1.0)
    shared: pd.Series = (number * (weight / total.where(total > 0)).fillna(even)).where(known > 0)
    return shared


def by_area(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    basis: Floats,
    rows: Callable[[int], str],
    memory: Memory,
) -> pd.DataFrame:
    """Keep what rests on incidents where its area holds enough of them; else blank it.

    Parameters
    ----------
    table : DataFrame, n rows
        One row per area (and what else tells rows apart).
    basis : array, n
        Incidents counted in the area of each row; NaN where nothing may be said of it.
    rows : callable
        Number of a row -> its name in the register.
    """
    out = table.copy()
    names = [rows(number) for number in range(len(table))]
    for name in columns:
        values = table[name].astype(object)
        fixed = [
            memory.kept(name, key, value, float(count))
            if np.isfinite(count) and not pd.isna(value)
            else None
            for key, value, count in zip(names, values, basis, strict=True)
        ]
        kept = pd.Series(fixed, index=table.index, dtype=object)
        if pd.api.types.is_bool_dtype(table[name]):
            out[name] = kept.astype("boolean")
        elif pd.api.types.is_numeric_dtype(table[name]):
            out[name] = pd.to_numeric(kept).astype("float64")
        else:
            out[name] = kept
    return out
