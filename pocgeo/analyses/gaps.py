"""Gap areas: neighbouring gap cells joined, named, ranked and explained."""

from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.coverage import CoverageStandard
from pocgeo.cells import grid
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.grid_reference import to_mgrs

__all__ = ["gap_areas", "with_gap_areas", "with_reasons"]

PERSON_SUMS = ("gap_persons", "women_persons", "children_persons", "risk_persons")
COUNT_SUMS = ("incidents_n", "incidents_before_n", "area_km2")
LABELS = ("admin2_id", "aor_id")  # a gap area lies in one admin area and one AOR, so rows add up


def gap_areas(
    cells: pd.DataFrame, standard: CoverageStandard, settlements: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Join neighbouring gap cells of one admin area and AOR into ranked, named gap areas.

    Parameters
    ----------
    cells : DataFrame, n rows
        What `coverage.judged` returns: `cell` (int64), `lon`, `lat` in degrees, `gap_persons`,
        and whatever else is known (`risk`, `reach_min`, `days_since_presence`, `admin2` ...).
    settlements : DataFrame, optional
        `settlement`, `cell`, `people_persons` (NA if unknown), `lon`, `lat`.

    Returns
    -------
    DataFrame, one row per gap area, the most risk-weighted people first
        `rank`, `gap_area_id`, `place`, `admin1`, `admin2`, `aor`, `grid_reference` (MGRS, 100 m),
        `gap_persons`, `women_persons`, `children_persons`, `risk_persons` (persons), `risk`,
        `threat`, `vulnerability` (0-1, weighted by people); `base_id`, `reach_min`,
        `days_since_presence`, `last_presence_on`, `last_unit` and `reason` of the cell with the
        most people at risk; `incidents_n`, `incidents_before_n`, `alert_persons`, `cells_n`,
        `area_km2`. Persons add up to the gap of every table `coverage` gives.
    """
    require_columns(cells, "cells", ["cell", "lon", "lat", "gap_persons"])
    named_cells = cells if "gap_area_id" in cells else with_gap_areas(cells)
    gap = named_cells.loc[cells["gap_persons"] > 0].sort_values("cell", ignore_index=True)
    table = summed(gap).join(leading(gap)).reset_index()
    table = table.merge(named(gap, settlements), on="gap_area_id", how="left")
    table["place"] = table.pop("largest").fillna(table.pop("lead_place"))
    table["grid_reference"] = grid_references(table)
    order = ["risk_persons", "gap_persons", "gap_area_id"]
    table = table.sort_values(order, ascending=[False, False, True], ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    if "risk_persons" in table and table["risk_persons"].isna().all():
        table = table.sort_values(["gap_persons", "gap_area_id"], ascending=[False, True])
        table["rank"] = np.arange(1, len(table) + 1)
    return with_standard(
        table[[c for c in COLUMNS if c in table]].reset_index(drop=True),
        "Who at risk can we neither reach in time nor have visited?",
        coverage=standard,
    )


COLUMNS = (
    "rank", "gap_area_id", "place", "admin1", "admin2", "aor", "grid_reference", "gap_persons",
    "women_persons", "children_persons", "risk_persons", "risk", "threat", "vulnerability",
    "base_id", "base", "reach_min", "days_since_presence", "last_presence_on", "last_unit",
    "incidents_n", "incidents_before_n", "alert_persons", "cells_n", "area_km2", "reason",
    "lon", "lat", "cell", "admin1_id", "admin2_id", "aor_id",
)  # fmt: skip


def with_gap_areas(cells: pd.DataFrame) -> pd.DataFrame:
    """Add `gap_area_id` to the cells of `coverage.judged`; NA where a cell is no gap."""
    gap = cells.loc[cells["gap_persons"] > 0].sort_values("cell")
    return cells.assign(gap_area_id=area_ids(gap).reindex(cells.index))


def area_ids(gap: pd.DataFrame) -> pd.Series:
    """Name each gap area by its admin area and its lowest cell: stable under row order."""
    present = [label for label in LABELS if label in gap]
    codes = gap.groupby(present, dropna=False, sort=True).ngroup() if present else 0 * gap["cell"]
    parts = grid.components(gap["cell"].to_numpy(), codes.to_numpy())
    first = gap.groupby(parts)["cell"].transform("min").to_numpy()
    prefix = gap["admin2_id"].fillna("none").astype(str) if "admin2_id" in gap else "gap"
    return prefix + "-" + pd.Series(grid.as_text(first), index=gap.index)


def summed(gap: pd.DataFrame) -> pd.DataFrame:
    """Totals and people-weighted means of each gap area."""
    weights = gap["gap_persons"]
    grouped = gap["gap_area_id"]
    sums = [name for name in (*PERSON_SUMS, *COUNT_SUMS) if name in gap]
    table = gap.groupby(grouped)[sums].sum(min_count=1)
    table["cells_n"] = gap.groupby(grouped).size()
    for name in ("risk", "threat", "vulnerability"):
        if name in gap:
            known = weights.where(gap[name].notna())
            total = known.groupby(grouped).sum(min_count=1)
            table[name] = (gap[name] * known).groupby(grouped).sum(min_count=1) / total
    if "alert" in gap:
        alerted = weights.where(gap["alert"].fillna(value=False).astype(bool), 0.0)
        table["alert_persons"] = alerted.groupby(grouped).sum()
    return table


def leading(gap: pd.DataFrame) -> pd.DataFrame:
    """Facts of the cell with the most people at risk in each gap area: where to go first."""
    weight = gap["risk_persons"] if "risk_persons" in gap else gap["gap_persons"]
    keys = pd.DataFrame({"weight": weight.fillna(0), "people": gap["gap_persons"]})
    ordered = gap.loc[
        keys.assign(cell=gap["cell"])
        .sort_values(["weight", "people", "cell"], ascending=[False, False, True])
        .index
    ]
    lead = ordered.groupby("gap_area_id").head(1).set_index("gap_area_id")
    lead["lead_place"] = place_words(lead)
    kept = ["cell", "lon", "lat", "lead_place", "base_id", "base", "reach_min", "reason"]
    kept += ["days_since_presence", "last_presence_on", "last_unit", "admin1", "admin2", "aor"]
    kept += ["admin1_id", "admin2_id", "aor_id"]
    return lead[[name for name in kept if name in lead]]


def place_words(lead: pd.DataFrame) -> pd.Series:
    """Say where a cell without a settlement of its own lies: "5 km from X"."""
    if "settlement" not in lead:
        return pd.Series("unnamed place", index=lead.index)
    km = (lead["settlement_m"] / 1_000).round().astype("Int64").astype("string")
    words = km + " km from " + lead["settlement"].astype("string")
    close = lead["settlement_m"] < 1_000
    return words.where(~close, "near " + lead["settlement"].astype("string")).fillna(
        "unnamed place"
    )


KIND_ORDER = {"city": 0, "town": 1, "village": 2, "hamlet": 3}
"""Which settlement is the largest where nobody counted its people."""


def named(gap: pd.DataFrame, settlements: pd.DataFrame | None) -> pd.DataFrame:
    """Largest settlement inside each gap area, if there is one."""
    empty = pd.DataFrame(
        {"gap_area_id": pd.Series(dtype=object), "largest": pd.Series(dtype=object)}
    )
    if settlements is None or settlements.empty or gap.empty:
        return empty
    inside = settlements.merge(gap[["cell", "gap_area_id", "gap_persons"]], on="cell", how="inner")
    if inside.empty:
        return empty
    size = inside["people_persons"] if "people_persons" in inside else np.nan * inside["cell"]
    kind = inside["kind"] if "kind" in inside else pd.Series("other", index=inside.index)
    inside = inside.assign(size=size.astype("float64"), order=kind.map(KIND_ORDER).fillna(9))
    inside = inside.sort_values(
        ["size", "order", "gap_persons", "settlement"], ascending=[False, True, False, True]
    )
    first = inside.groupby("gap_area_id", as_index=False).first()
    return first[["gap_area_id", "settlement"]].rename(columns={"settlement": "largest"})


def grid_references(table: pd.DataFrame) -> Any:
    """MGRS of the leading cell's centre, to 100 m: finer would claim more than a cell knows."""
    return to_mgrs(table["lon"].to_numpy(float), table["lat"].to_numpy(float), digits=3)


def with_reasons(cells: pd.DataFrame, standard: CoverageStandard) -> pd.DataFrame:
    """Add `reason`: why nobody covers the cell, in words, from the standards asked for.

    Parameters
    ----------
    cells : DataFrame, n rows
        What `coverage.judged` returns.

    Returns
    -------
    DataFrame, n rows
        With `reason` (text, NA where the cell is no gap).
    """
    parts = [PARTS[name](cells) for name in standard.asked]
    words = parts[0]
    for part in parts[1:]:
        words = words + "; " + part
    return cells.assign(reason=words.where(cells["gap_persons"] > 0))


def reach_words(cells: pd.DataFrame) -> pd.Series:
    """How far the quickest base is, in hours and minutes."""
    if "reach_min" not in cells:
        return pd.Series("reach unknown: no base is loaded", index=cells.index, dtype="string")
    minutes = np.ceil(cells["reach_min"])  # never "1 h 00" for what misses 60 minutes
    hours = (minutes // 60).astype("Int64").astype("string")
    rest = (minutes % 60).astype("Int64").astype("string").str.zfill(2)
    words = (hours + " h " + rest).where(minutes >= 60, rest.str.lstrip("0") + " min")
    method = cells["reach_method"].astype("string") if "reach_method" in cells else "reach"
    name = cells["base"] if "base" in cells else cells["base_id"]
    words = words + " from " + name.astype("string") + " (" + method + ")"
    held = cells["binding"].eq("max_range") if "binding" in cells else pd.Series(False, cells.index)
    nobody = pd.Series("no base can reach it", index=cells.index, dtype="string")
    beyond = "beyond the range of every base near enough in time"
    said: pd.Series = words.fillna(nobody.where(~held, beyond))
    return said


def presence_words(cells: pd.DataFrame) -> pd.Series:
    """When a patrol last stayed in sight."""
    if "days_since_presence" not in cells:
        return pd.Series("presence unknown: no patrol record", index=cells.index, dtype="string")
    days = cells["last_presence_on"]
    met = cells["covered_presence"].fillna(value=False).astype(bool)
    first = pd.Series("no patrol since ", index=cells.index, dtype="string")
    words = first.where(~met, "last patrol on ") + days.dt.day.astype("Int64").astype("string")
    words = words + " " + days.dt.month_name().str.slice(0, 3) + " "
    words = words + days.dt.year.astype("Int64").astype("string")
    said: pd.Series = words.astype("string").fillna("no patrol in the record")
    return said


def alert_words(cells: pd.DataFrame) -> pd.Series:
    """Whether anyone there can raise an alarm."""
    if "alert" not in cells:
        return pd.Series("alert networks unknown", index=cells.index, dtype="string")
    return pd.Series("no alert network", index=cells.index, dtype="string")


PARTS = {"reach": reach_words, "presence": presence_words, "alert": alert_words}
