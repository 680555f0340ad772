"""Who loses and who gains cover between two reach tables: dry and wet, with a road and without."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pocgeo.analyses.coverage import AREA_KINDS
from pocgeo.analyses.reach.covering import (
    GROUPS,
    Floats,
    Mask,
    areas_in,
    by_area,
    kept,
    labelled,
    limits_of,
    persons_of,
    quickest_min,
    scenarios,
)
from pocgeo.cells.grid import cells_of, resolution_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["difference"]

HALF = 0.5
KINDS = AREA_KINDS | {"settlement": ("settlement_id", "settlement")}


def difference(
    before: pd.DataFrame,
    after: pd.DataFrame,
    cells: pd.DataFrame,
    minutes: float | Sequence[float] = 60.0,
    settlements: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say who loses and who gains cover between two reach tables, by area and settlement.

    Dry and wet season, a road open and closed, a base there and gone are pairs of tables.

    Parameters
    ----------
    before, after : DataFrame
        Reach tables of one scenario each.
    cells, minutes
        As in `within_minutes`; with `settlement_id`, `settlement` (the nearest of each cell) the
        answer is by settlement too.
    settlements : DataFrame, optional
        `settlement_id`, and `cell` or point geometry (EPSG:4326): minutes are then those of the
        settlement's own cell.

    Returns
    -------
    DataFrame, one row per number of minutes and area; settlements only where something changes
        `area_kind` (AOI, AOR, admin 1, admin 2, settlement: all people nearest to it), `area_id`,
        `area`, `within_min`, `people_persons`, `covered_before_persons`,
        `covered_after_persons`, `lost_persons`, `gained_persons` and the same of women, children
        and risk; `change_persons` (after less before: gained less lost); `before_min`,
        `after_min` (minutes within which half of the area's people are reached, or those of the
        settlement's cell; NA: out of reach).
    """
    limits, persons = limits_of(minutes, before, after), persons_of(cells)
    was, now = (quickest_min(only(table), cells) for table in (before, after))
    middle = halfway(persons["people"], cells, (was, now), places_min(settlements, cells, was, now))
    parts = []
    for limit in limits:
        table = by_area(changed(persons, was <= limit, now <= limit), cells, KINDS)
        table = labelled(table, None, limit)
        parts.append(table.merge(middle, on=["area_kind", "area_id"], how="left"))
    found = pd.concat(parts, ignore_index=True)
    found["change_persons"] = found["gained_persons"] - found["lost_persons"]
    moved = found["lost_persons"].gt(0) | found["gained_persons"].gt(0)
    moved |= found["before_min"].fillna(np.inf).ne(found["after_min"].fillna(np.inf))
    found = found[moved | found["area_kind"].ne("settlement")].reset_index(drop=True)
    return with_standard(found, "Who loses and who gains cover?", within_min=limits)


def changed(persons: pd.DataFrame, was: Mask, now: Mask) -> pd.DataFrame:
    """Persons covered before and after, lost and gained, in every cell."""
    sums = pd.DataFrame({"people_persons": persons["people"]})
    sums["covered_before_persons"] = kept(persons["people"], was)
    sums["covered_after_persons"] = kept(persons["people"], now)
    for name, mask in (("lost", was & ~now), ("gained", now & ~was)):
        for group in GROUPS:
            column = f"{name}_persons" if group == "people" else f"{name}_{group}_persons"
            sums[column] = kept(persons[group], mask)
    return sums


def only(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table of one scenario; refuse more."""
    split = [part for part in scenarios(table) if len(part[1])]
    if len(split) > 1:
        names = ", ".join(str(name) for name, _ in split)
        raise BadInput(f"reach table: several scenarios ({names}). Compare two at a time.")
    return table


def halfway(
    people: pd.Series,
    cells: pd.DataFrame,
    sides: tuple[Floats, Floats],
    own: pd.DataFrame,
) -> pd.DataFrame:
    """Minutes within which half of the people of each area are reached, before and after."""
    parts = []
    for kind, area in areas_in(cells, KINDS):
        columns = {}
        for name, minutes in zip(("before_min", "after_min"), sides, strict=True):
            held = pd.DataFrame(
                {"area_id": area["area_id"], "people": people.fillna(0.0), "minutes": minutes}
            ).sort_values(["area_id", "minutes"], kind="stable")
            groups = held.groupby("area_id")["people"]
            half = groups.transform("sum") * HALF
            first = held[(groups.cumsum() >= half) & (half > 0)].drop_duplicates("area_id")
            columns[name] = first.set_index("area_id")["minutes"]
        table = pd.DataFrame(columns).rename_axis("area_id").reset_index()
        if kind == "settlement" and len(own):
            table = pd.concat([own, table]).drop_duplicates("area_id")
        table.insert(0, "area_kind", kind)
        parts.append(table)
    return pd.concat(parts, ignore_index=True).replace(np.inf, np.nan)


def places_min(
    settlements: pd.DataFrame | None, cells: pd.DataFrame, was: Floats, now: Floats
) -> pd.DataFrame:
    """Minutes at each settlement's own cell, before and after; inf: out of reach."""
    columns = ["area_id", "before_min", "after_min"]
    if settlements is None or len(settlements) == 0:
        return pd.DataFrame(columns=columns)
    require_columns(settlements, "settlements", ["settlement_id"])
    if "cell" in settlements.columns:
        at = settlements["cell"].to_numpy("int64")
    else:
        require_columns(settlements, "settlements", ["geometry"])
        points = settlements["geometry"]
        lon, lat = (np.array([getattr(p, axis) for p in points]) for axis in ("x", "y"))
        at = cells_of(lon, lat, resolution_of(cells["cell"].to_numpy("int64")))
    row = pd.Index(cells["cell"]).get_indexer(pd.Index(at))
    inside = row >= 0
    names = settlements["settlement_id"].to_numpy(dtype=object)[inside]
    row = row[inside]
    return pd.DataFrame(dict(zip(columns, (names, was[row], now[row]), strict=True)))
