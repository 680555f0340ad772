"""Monthly figures for those outside: what of each month may be shown, fixed once it was."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.products.pieces import Codes, Floats, Mask, pieces
from pocgeo.products.released import Policy

__all__ = ["indicators_outward", "is_indicators"]

INCIDENTS, PERSONS, SHARE = "incidents", "persons", "share"
"""Units in which small values point at cases."""

OF_PEOPLE = "people_covered_share"
"""The share of people, which does not rest on incidents."""

WHOLE = "all"
"""The category that is the sum of the others."""

TOP, PARTS = "AOI", "admin 1"
"""The kinds of area that are shown: parts that add up to the whole, and no others beside them."""

KEPT = ("month_on", "area_kind", "area_id", "area", "indicator", "category", "value", "unit")
ROW = ("area_kind", "area_id", "category")


def is_indicators(table: pd.DataFrame) -> bool:
    """Say whether a table is one row per month, area, indicator and category."""
    return {"month_on", "area_kind", "area_id", "indicator", "value", "unit"} <= set(table)


def indicators_outward(
    table: pd.DataFrame, policy: Policy, memory: dict[str, Any], ends: Sequence[date]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Show of each month what may be shown, the same in every release.

    Parameters
    ----------
    table : DataFrame, n rows
        What `pocgeo.analyses.indicators.indicators` returns.
    policy : Policy
    memory : dict
        Indicator -> month -> row -> value, of earlier releases; what is new is added.
    ends : sequence of date
        Last days of the register's slices: incidents of the months of one slice are judged
        together, and a month that is in none of them stays out.

    Returns
    -------
    table : DataFrame
        The columns of KEPT; the number of records a value rests on leaves with none of them.
    withheld : tuple of str
        Sentences that say what is not shown.

    Notes
    -----
    Counts of incidents: by month for the whole AOI only, for by place they leave summed over all
    days, and a place with a month would be the difference of two products. Persons and shares: by
    month, for the AOI by category, and for its parts in all; where some parts are small they are
    withheld together with others, in pieces as of places.
    """
    rows = table[~table["indicator"].isin(list(policy.withheld_indicators))].copy()
    if "category" not in rows:
        rows["category"] = WHOLE
    last = rows["month_on"] + pd.offsets.MonthEnd(0)
    rows["slice"] = np.searchsorted(np.array(ends, dtype="datetime64[ns]"), last.to_numpy())
    complete = (rows["slice"] < len(ends)).to_numpy()
    open_kind = rows["indicator"].eq(OF_PEOPLE).to_numpy()
    place = rows["area_kind"].isin([TOP, PARTS]) & ~rows["unit"].eq(INCIDENTS)
    place |= rows["area_kind"].eq(TOP)
    fits = place & (rows["category"].eq(WHOLE) | rows["area_kind"].eq(TOP))
    rows = rows[complete & (open_kind | fits.to_numpy())].reset_index(drop=True)
    value = rows["value"].astype("float64").to_numpy(copy=True)
    guarded = rows["indicator"].ne(OF_PEOPLE)
    for indicator, part in rows[guarded].groupby("indicator", sort=True):
        value[part.index] = _fixed(part, memory.setdefault(str(indicator), {}), policy)
    rows["value"] = value
    order = ["month_on", "area_kind", "area_id", "indicator", "category"]
    kept = rows[[name for name in KEPT if name in rows]]
    words = _words(table, rows, policy)
    return kept.sort_values(order, ignore_index=True), words


def _fixed(part: pd.DataFrame, months: dict[str, Any], policy: Policy) -> Floats:
    """Values of one indicator: those released before, and what may be shown of new months."""
    month = part["month_on"].dt.strftime("%Y-%m").to_numpy()
    names = part[list(ROW)].agg("|".join, axis=1).to_numpy()
    new = ~np.isin(month, list(months))
    if new.any():
        fresh = part[new]
        shown = _shown_months if fresh["unit"].iloc[0] == INCIDENTS else _shown_parts
        mask = shown(fresh, _strictest(str(fresh["indicator"].iloc[0]), policy), policy)
        value = np.asarray(fresh["value"].astype("float64"), dtype=np.float64)
        for when, row, said, may in zip(month[new], names[new], value, mask, strict=True):
            months.setdefault(when, {})[row] = float(said) if may else None
    found = [months.get(when, {}).get(row) for when, row in zip(month, names, strict=True)]
    return np.array([np.nan if said is None else said for said in found], dtype=np.float64)


def _strictest(name: str, policy: Policy) -> float:
    """Smallest count for an indicator or category; infinite where it is withheld."""
    said = [limit for word, limit in policy.stricter.items() if word in name]
    numbers = [float("inf") if isinstance(limit, str) else float(limit) for limit in said]
    return max([float(policy.k), *numbers])


def _shown_months(part: pd.DataFrame, k: float, policy: Policy) -> Mask:
    """Months of a count of incidents: those of one slice are judged together."""
    del policy
    if not np.isfinite(k):
        return np.zeros(len(part), dtype=bool)
    value = np.asarray(part["value"].astype("float64"), dtype=np.float64)
    counts = np.nan_to_num(value)
    piece, may = pieces(counts, [part["slice"].to_numpy(dtype=np.int64)], k)
    alone = np.bincount(piece)[piece] == 1
    empty = np.bincount(piece, counts)[piece] == 0
    return np.asarray(may[piece] & (alone | empty) & np.isfinite(value), dtype=bool)


def _shown_parts(part: pd.DataFrame, k: float, policy: Policy) -> Mask:
    """Rows of persons or shares: each month by itself, its parts and categories in pieces."""
    out = np.zeros(len(part), dtype=bool)
    if not np.isfinite(k):
        return out
    counts = _counts(part)
    month = np.asarray(pd.factorize(part["month_on"], sort=True)[0], dtype=np.int64)
    top = (part["area_kind"] == TOP).to_numpy()
    whole = (part["category"] == WHOLE).to_numpy()
    total = np.zeros((len(counts), int(month.max()) + 1))
    known = np.zeros(total.shape[1], dtype=bool)
    for row in np.flatnonzero(top & whole):
        total[:, month[row]] = counts[:, row]
        known[month[row]] = np.isfinite(counts[:, row]).all()
    total = np.nan_to_num(total)
    fits = known & (_may_stand(total, k) | (total <= 0).all(axis=0))
    out[top & whole] = fits[month[top & whole]]
    limits = part["category"].map(lambda name: _strictest(str(name), policy)).to_numpy(float)
    for rows in (np.flatnonzero(~top & whole), np.flatnonzero(top & ~whole)):
        out[rows] = (
            _apart(counts[:, rows], month[rows], total, (k, limits[rows])) & fits[month[rows]]
        )
    return out


def _apart(counts: Floats, month: Codes, total: Floats, limits: tuple[float, Floats]) -> Mask:
    """Say which parts of each month stand by themselves; what no part holds is one more part."""
    known = np.isfinite(counts).all(axis=0)
    held = np.where(known, counts, 0.0)
    n_months = total.shape[1]
    sums = np.stack([np.bincount(month, row, minlength=n_months) for row in held])
    rest = np.maximum(total - sums, 0.0).round(6)
    atoms = np.concatenate([held, rest], axis=1)
    months = np.concatenate([month, np.arange(n_months, dtype=np.int64)])
    k, own = limits
    alone = np.concatenate([known & (counts[0] >= own), np.ones(n_months, dtype=bool)])
    piece, may = pieces(atoms, [months], k, alone=alone)
    size = np.bincount(piece)
    summed = np.stack([np.bincount(piece, row, minlength=len(size)) for row in atoms])
    empty = (summed <= 0).all(axis=0)
    return np.asarray((may & ((size == 1) | empty))[piece][: len(month)] & known, dtype=bool)


def _may_stand(total: Floats, k: float) -> Mask:
    parts = (total[1:] <= 0) | (total[1:] >= k)
    return np.asarray((total[0] >= k) & parts.all(axis=0), dtype=bool)


def _counts(part: pd.DataFrame) -> Floats:
    """Give what each row rests on: persons; or records, those inside a share and outside it."""
    value = np.asarray(part["value"].astype("float64"), dtype=np.float64)
    if part["unit"].iloc[0] == PERSONS:
        return value[None, :]
    if "n" not in part:
        return np.full((1, len(part)), np.nan)
    n = np.asarray(part["n"].astype("float64"), dtype=np.float64)
    if part["unit"].iloc[0] != SHARE:
        return n[None, :]
    inside = np.where(n > 0, value * n, 0.0).round(6)
    return np.stack([n, inside, (n - inside).round(6)])


def _words(table: pd.DataFrame, rows: pd.DataFrame, policy: Policy) -> tuple[str, ...]:
    """Say what is not shown."""
    words = [
        f"Figures that rest on fewer than {policy.k}, and those that would reveal them, are "
        "unknown to you; incidents are by month for the whole area only. A month stays as it was "
        "first released; a month that is not over waits."
    ]
    gone = sorted(set(table["indicator"]) & set(policy.withheld_indicators))
    if gone:
        words.append(f"Not for {policy.audience}: {', '.join(gone)}.")
    if len(rows) < len(table) and "area_kind" in table:
        words.append("By AOR, and by area and perpetrator at once: not for readers outside.")
    return tuple(words)
