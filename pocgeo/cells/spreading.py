"""Incidents known only to an area, dealt out over its cells by people and by past violence."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.grid import neighbours, positions
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns

__all__ = ["METHODS", "WIDEST", "Past", "PlacingRule", "spread"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

METHODS = ("spread", "exclude", "naive")
WIDEST = ("area2", "area1")

HERE, AROUND = 0.8, 0.2
"""Share of a past incident that counts in its own cell, and in its six neighbours together."""

POPULATED_PERSONS = 1.0

LEAST = 1e-4
"""Parts of an incident below this are given to the cells with more: ten thousand rows an incident
are enough, however wide its area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacingRule:
    """What becomes of an incident whose place is known only to an area."""

    method: str = "spread"
    """spread (dealt out over the area's cells), exclude (set aside), naive (at the point the
    source gives, as if it were exact: for comparison)."""

    widest: str = "area1"
    """Widest area that is dealt out: area1 (first-level), or only area2 (second-level)."""

    population: float = 0.30
    """Weight of where people live."""

    past: float = 0.68
    """Weight of where precise incidents were known before."""

    uniform: float = 0.02
    """Weight of all populated land alike."""

    history_months: float = 60
    """Months of precise incidents that count as the past."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UnknownName("method of placing", self.method, METHODS)
        if self.widest not in WIDEST:
            raise UnknownName("widest area of placing", self.widest, WIDEST)
        weights = (self.population, self.past, self.uniform)
        if min(weights) < 0 or not 0 < sum(weights) < float("inf"):
            raise BadInput(
                "placing: population, past and uniform must be 0 or more, and not all 0."
            )
        if not 1 <= self.history_months <= 1_200 or self.history_months % 1:
            raise BadInput(
                f"history_months must be 1 to 1200 whole months, got {self.history_months:g}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Incidents at known points."""

    at: Rows
    """Position of each one's cell."""

    occurred_on: NDArray[np.datetime64]
    known_on: NDArray[np.datetime64]
    """Day from which each was on record."""


def spread(
    wanted: pd.DataFrame,
    cells: pd.DataFrame,
    people: pd.DataFrame | None,
    past: Past,
    rule: PlacingRule,
) -> tuple[Rows, Rows, Floats]:
    """Deal incidents out over the cells of their area.

    The weight of a cell is its share of people, of past precise incidents and of populated
    land, each over the whole AOI, mixed by the rule, and then made to add up to 1 in the area.
    Past is what was on record before the month of the incident, so that nothing later than the
    incident decides where it counts.

    Parameters
    ----------
    wanted : DataFrame, one row per incident
        `row` (number of the incident), `column` ("admin2_id" or "admin1_id"), `area` (its code),
        `occurred_on` (NaT: no past is used).
    cells : DataFrame with `cell` (sorted), the columns named, `area_km2`, `inside_share`
    people : DataFrame with `cell`, `people_persons`; optional

    Returns
    -------
    rows, positions of cells, weights
        Weights of a row add up to 1; an incident whose area has no cell has none.
    """
    if wanted.empty:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    surface, standing = _standing(cells, people, rule)
    month = wanted["occurred_on"].to_numpy(dtype="datetime64[M]")
    keys, values = _past_by_month(month, cells["cell"].to_numpy(dtype=np.int64), past, rule)
    pairs = _pairs(wanted.assign(month=month), cells)
    at = pairs["at"].to_numpy(dtype=np.int64)
    sought = _key(pairs["month"].to_numpy(dtype="datetime64[M]"), at, len(cells))
    happened = np.zeros(at.size)
    if keys.size:
        place = np.minimum(np.searchsorted(keys, sought), keys.size - 1)
        happened = np.where(keys[place] == sought, values[place], 0.0)
    weight = standing[at] + happened
    row = pairs["row"].to_numpy(dtype=np.int64)
    nobody = np.bincount(row, weights=weight)[row] <= 0
    weight = np.where(nobody, surface[at], weight)
    return _pruned(row, at, weight / np.bincount(row, weights=weight)[row])


def _pairs(wanted: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Pair every incident with the cells of its area."""
    parts = []
    for column in sorted(wanted["column"].unique()):
        require_columns(cells, "cells", ("cell", column))
        ground = pd.DataFrame(
            {"area": cells[column].to_numpy(dtype=object), "at": np.arange(len(cells))}
        ).dropna(subset="area")
        asked = wanted.loc[wanted["column"] == column, ["row", "area", "month"]]
        parts.append(asked.merge(ground, on="area", how="inner"))
    pairs: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return pairs


def _pruned(row: Rows, at: Rows, weight: Floats) -> tuple[Rows, Rows, Floats]:
    """Leave out crumbs; what is left of each incident adds up to 1 again."""
    most: Floats = np.zeros(int(row.max(initial=-1)) + 1)
    np.maximum.at(most, row, weight)
    kept = (weight > 0) & (weight >= np.minimum(LEAST, most[row]))
    row, at, weight = row[kept], at[kept], weight[kept]
    return row, at, weight / np.bincount(row, weights=weight)[row]


def _standing(
    cells: pd.DataFrame, people: pd.DataFrame | None, rule: PlacingRule
) -> tuple[Floats, Floats]:
    """Surface of every cell, and its weight by people and populated land."""
    surface: Floats = np.ones(len(cells), dtype=np.float64)
    if {"area_km2", "inside_share"} <= set(cells.columns):
        surface[:] = cells["area_km2"] * cells["inside_share"]
        surface[~(surface > 0)] = 1e-9
    persons: Floats = np.zeros(len(cells))
    if people is not None:
        require_columns(people, "population", ("cell", "people_persons"))
        held = people.set_index("cell")["people_persons"].astype(float)
        persons[:] = cells["cell"].map(held).fillna(0.0)
    if not persons.sum() > 0:  # nobody is known: even over all land
        return surface, (rule.population + rule.uniform) * surface / surface.sum()
    land = np.where(persons >= POPULATED_PERSONS, surface, 0.0)
    even = rule.uniform * land / max(float(land.sum()), 1e-300)
    return surface, rule.population * persons / persons.sum() + even


def _past_by_month(
    months: NDArray[np.datetime64], cells: Rows, past: Past, rule: PlacingRule
) -> tuple[Rows, Floats]:
    """Weight of past incidents by month and cell: sorted keys and their values."""
    none = np.zeros(0, dtype=np.int64), np.zeros(0)
    asked = np.unique(months[~np.isnat(months)])
    if not (asked.size and past.at.size and rule.past > 0):
        return none
    event, member, share = _kernel(past.at, cells)
    keys, values = [], []
    for month in asked:
        begins = month.astype("datetime64[D]")
        since = (month - np.timedelta64(int(rule.history_months), "M")).astype("datetime64[D]")
        counts = (past.known_on < begins) & (past.occurred_on < begins)
        counts &= past.occurred_on >= since
        use = counts[event]
        if not use.any():
            continue
        active, place = np.unique(member[use], return_inverse=True)
        held = np.bincount(place, weights=share[use])
        keys.append(_key(np.full(active.size, month), active, cells.size))
        values.append(rule.past * held / held.sum())
    return (np.concatenate(keys), np.concatenate(values)) if keys else none


def _kernel(at: Rows, cells: Rows) -> tuple[Rows, Rows, Floats]:
    """Spread each past incident over its own cell and its neighbours."""
    own, place = np.unique(at, return_inverse=True)
    ring = neighbours(cells[own])
    found = positions(cells, ring.ravel()).reshape(ring.shape)[place]
    inside = (found >= 0) & (ring[place] > 0)
    event = np.repeat(np.arange(at.size), inside.sum(axis=1))
    return (
        np.concatenate([np.arange(at.size), event]),
        np.concatenate([at, found[inside]]),
        np.concatenate([np.full(at.size, HERE), np.full(event.size, AROUND / 6)]),
    )


def _key(months: NDArray[np.datetime64], at: Rows, size: int) -> Rows:
    """Join a month and a cell into one integer, in the order of month, then cell; -1: no month."""
    number = months.astype("datetime64[M]")
    unknown = np.isnat(number)
    since_1600 = np.where(unknown, 0, number.astype(np.int64)) + 4_440
    key: Rows = np.where(unknown, -1, since_1600 * size + at)
    return key
