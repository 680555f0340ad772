"""Months, areas and the records that fall in them: the ground that indicators are summed on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pocgeo.analyses.record import known_by
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = [
    "EVERYONE",
    "KEYS",
    "IndicatorRecord",
    "IndicatorStandard",
    "areas_of",
    "frame_of",
    "incident_rows",
]

KINDS = {"AOR": ("aor_id", "aor"), "admin 1": ("admin1_id", "admin1")}
"""Kind of area -> its columns of the cells."""

EVERYONE = "all"
"""Category of a figure that is not split."""

KEYS = ["month_on", "area_kind", "area_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorStandard:
    """The period, and the thresholds the indicators quote."""

    from_on: pd.Timestamp
    """First day; its month is the first of the series."""

    as_of_on: pd.Timestamp
    """Cut-off: nothing later, and nothing reported later, is counted."""

    presence_days: int = 14
    """Days within which a cell must have been visited."""

    reach_min: float = 60.0
    """Minutes within which an incident must be reached."""

    high_risk_share: float = 0.05
    """Share of populated cells that counts as high risk."""

    presence_from_on: pd.Timestamp | None = None
    """First day of the patrol record; the first presence where absent."""

    presence_until_on: pd.Timestamp | None = None
    """Last day of the patrol record; the last presence where absent."""

    def __post_init__(self) -> None:
        if self.from_on > self.as_of_on:
            raise BadInput(
                f"The period begins {self.from_on:%Y-%m-%d}, after its cut-off "
                f"{self.as_of_on:%Y-%m-%d}. Give an earlier beginning or a later cut-off."
            )
        if self.presence_days < 1 or not self.reach_min > 0:
            raise BadInput("presence_days must be at least 1 and reach_min more than 0.")
        if not 0 < self.high_risk_share <= 1:
            raise BadInput(f"high_risk_share must lie in 0-1, got {self.high_risk_share:g}.")

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of the months of the series."""
        first = self.from_on.to_period("M").to_timestamp()
        return pd.date_range(first, self.as_of_on, freq="MS", name="month_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRecord:
    """Everything the indicators are read from; what is absent stays unknown."""

    cells: pd.DataFrame
    """`cell`, area columns; `people_persons`, `risk_persons`, `reach_min` where known."""

    incidents: pd.DataFrame
    """`incident_id`, `occurred_on`; further incident fields, `verdict` (inside, outside,
    undecided) and `awaiting_review` (boolean) where known."""

    incident_cells: pd.DataFrame
    """`incident_id`, `cell`, `weight` (NA: set aside)."""

    presence_days: pd.DataFrame | None = None
    """`cell`, `day_on`, `presence_h`; `night_h`, `kind` where known."""

    covered: pd.DataFrame | None = None
    """`cell`, boolean columns `covered_<standard>`; `month_on`, or else it is the cut-off's."""

    changes: pd.DataFrame | None = None
    """`changed_on`, `indicator` ("all": every one), `what` changed in input or method."""


def areas_of(cells: pd.DataFrame) -> pd.DataFrame:
    """List the areas of every cell, the whole AOI first; a cell in none is in "no area".

    Returns
    -------
    DataFrame, one row per cell and kind of area
        `cell`, `area_kind`, `area_id`, `area`.
    """
    require_columns(cells, "cells", ["cell"])
    parts = [pd.DataFrame({"cell": cells["cell"], "area_kind": "AOI", "area_id": "AOI"})]
    parts[0]["area"] = "whole AOI"
    for kind, (code, name) in KINDS.items():
        if code in cells.columns and cells[code].notna().any():
            known = cells[code].notna()
            label = cells[name] if name in cells.columns else cells[code]
            part = pd.DataFrame({"cell": cells["cell"], "area_kind": kind})
            part["area_id"] = cells[code].astype(object).where(known, "none")
            part["area"] = label.astype(object).where(known & label.notna(), "no area")
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def incident_rows(record: IndicatorRecord, standard: IndicatorStandard) -> pd.DataFrame:
    """Join incidents known at the cut-off with the areas they fall in.

    Returns
    -------
    DataFrame, one row per incident and area
        Every field of the incident; `share` of it in the area, `reached` (share of that within
        reach in time, NaN unknown), `month_on`, `area_kind`, `area_id`. The shares of one
        incident add up to 1 in every kind: what has no cell falls to "no area".
    """
    require_columns(record.incidents, "incidents", ["incident_id", "occurred_on"])
    require_columns(record.incident_cells, "incident_cells", ["incident_id", "cell", "weight"])
    known = known_by(record.incidents, standard.as_of_on)
    known = known[known["occurred_on"] >= standard.months[0]]
    extra = [name for name in ("share", "reached", *KEYS) if name in known.columns]
    known = known.drop(columns=extra)
    known["month_on"] = known["occurred_on"].dt.to_period("M").dt.to_timestamp()
    placed = shares_by_area(record, standard)
    return known.merge(placed, on="incident_id", how="inner", validate="one_to_many")


def shares_by_area(record: IndicatorRecord, standard: IndicatorStandard) -> pd.DataFrame:
    """Add up the parts of each incident by area, and how much of them is reached in time."""
    areas = areas_of(record.cells)[["cell", "area_kind", "area_id"]]
    parts = record.incident_cells[["incident_id", "cell", "weight"]]
    parts = parts.assign(weight=parts["weight"].astype("float64"))
    aside = parts["weight"].isna()
    inside = parts[~aside].rename(columns={"weight": "share"})
    inside = inside.assign(
        reached=inside["cell"].map(reachable(record.cells, standard)) * inside["share"]
    ).merge(areas, on="cell", how="inner")
    keys = ["incident_id", "area_kind", "area_id"]
    sums = inside.groupby(keys)[["share", "reached"]].sum(min_count=1).reset_index()
    sums["reached"] = sums["reached"] / sums["share"]
    kinds = pd.DataFrame({"area_kind": areas["area_kind"].unique()})
    kinds["area_id"] = np.where(kinds["area_kind"] == "AOI", "AOI", "none")
    nowhere = parts.loc[aside, ["incident_id"]].drop_duplicates().merge(kinds, how="cross")
    nowhere = nowhere.assign(share=1.0, reached=np.nan)
    tables = [table for table in (sums, nowhere) if len(table)]
    return pd.concat(tables or [sums], ignore_index=True)


def reachable(cells: pd.DataFrame, standard: IndicatorStandard) -> pd.Series:
    """Say of each cell if it is reached in time (1 or 0); NaN throughout if reach is unknown."""
    if "reach_min" not in cells.columns:
        return pd.Series(np.nan, index=pd.Index(cells["cell"]))
    within = cells["reach_min"].astype("float64") <= standard.reach_min
    return pd.Series(within.to_numpy(dtype=float), index=pd.Index(cells["cell"]))


def frame_of(
    standard: IndicatorStandard, areas: pd.DataFrame, categories: Sequence[str]
) -> pd.MultiIndex:
    """List every month, area and category: what a series must have a row for."""
    places = areas[["area_kind", "area_id"]].drop_duplicates()
    months = pd.DataFrame({"month_on": standard.months})
    names = pd.DataFrame({"category": list(categories)})
    return pd.MultiIndex.from_frame(months.merge(places, how="cross").merge(names, how="cross"))
