"""The sheet of one base: what a commander or a POC adviser must know of its surroundings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.bases import days_of, numbers_of, standing, words_of
from pocgeo.analyses.proximity.ledger import (
    ALWAYS,
    Around,
    Period,
    known_incidents,
    ledger,
    within_radius,
)
from pocgeo.analyses.proximity.standard import ONE_KILOMETRE, ProximityStandard
from pocgeo.analyses.proximity.verdicts import incident_places, verdict_table
from pocgeo.ground.errors import UnknownName
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import centre_of, local_directions

__all__ = ["base_sheet"]

NEAREST = 10
FACTS = {
    "name": "Name", "kind": "Kind", "unit": "Unit", "opened_on": "Opened", "closed_on": "Closed",
    "strength_persons": "Strength", "qrf_notice_min": "Readiness (min)", "mobility": "Mobility",
    "max_range_km": "Range (km)", "night_moves": "Moves by night", "caveat": "Caveat",
    "location_error_m": "Location error (m)",
}  # fmt: skip
FACTS_OF_INCIDENT = (
    "occurred_on", "reported_on", "incident_type", "perpetrator", "against_civilians",
    "killed_civilians_persons", "harmed_civilians_persons",
)  # fmt: skip


def base_sheet(
    base_id: str,
    bases: pd.DataFrame,
    around: Around,
    standard: ProximityStandard = ONE_KILOMETRE,
    period: Period = ALWAYS,
) -> dict[str, pd.DataFrame]:
    """Gather what is known around one base (Policy 18, 52, 60 and 87).

    Parameters
    ----------
    base_id : str
        The base, of whatever kind.
    bases : GeoDataFrame
        All bases of the layer, for the neighbours.
    around : Around
        The layers that are loaded.

    Returns
    -------
    dict of DataFrames
        `facts` (`fact`, `value`), `ledger` (one row), `sites` and `settlements` (the 10 nearest),
        `incidents` (inside or undecided, latest first), `months` (every month of the period),
        `neighbours` (the 10 nearest of the other bases standing).

    Raises
    ------
    UnknownName
        No base has this code.
    """
    require_columns(bases, "bases", ["base_id", "kind", "geometry"])
    mine = bases[bases["base_id"] == base_id]
    if mine.empty:
        raise UnknownName("base", base_id, bases["base_id"].astype(str))
    shape = mine["geometry"].iloc[0]
    kinds = frozenset(kind for kind in mine["kind"] if isinstance(kind, str))
    binding = replace(standard, kinds=standard.kinds | kinds)  # a sheet is for any base
    known = pairs = None
    if around.incidents is not None:
        known = known_incidents(around.incidents, period)
        pairs = verdict_table(incident_places(known), mine, binding)
    return {
        "facts": facts_of(mine.iloc[0]),
        "ledger": ledger(mine, replace(around, verdicts=pairs), binding, period),
        "sites": nearest_to(shape, around.sites, "site_id"),
        "settlements": nearest_to(shape, around.settlements, "settlement_id"),
        "incidents": incidents_near(known, pairs),
        "months": months_of(known, pairs, period),
        "neighbours": nearest_to(shape, neighbours(bases, base_id, period), "base_id"),
    }


def facts_of(base: pd.Series) -> pd.DataFrame:
    """List the facts of a base in words; unknown is None."""
    rows = []
    for column, label in FACTS.items():
        value = base.get(column)
        known = value is not None and not pd.isna(value)
        if known and isinstance(value, pd.Timestamp):
            value = value.strftime("%Y-%m-%d")
        elif known and isinstance(value, bool | np.bool_):
            value = "yes" if value else "no"
        elif known and isinstance(value, float | np.floating):
            value = f"{value:g}"
        rows.append({"fact": label, "value": str(value) if known else None})
    lon, lat = centre_of(base["geometry"])
    area = base["geometry"].geom_type in {"Polygon", "MultiPolygon"}
    perimeter = "polygon" if area else "unknown: distances are measured to a point"
    rows.append({"fact": "Perimeter", "value": perimeter})
    rows.append({"fact": "Centre (lon, lat)", "value": f"{lon:.5f}, {lat:.5f}"})
    return pd.DataFrame(rows)


def neighbours(bases: pd.DataFrame, base_id: str, period: Period) -> pd.DataFrame:
    """Other bases that stand on the last day of the period (all, where it has none)."""
    others = bases[bases["base_id"] != base_id]
    return others if period.last is None else standing(others, period.last)


def nearest_to(shape: Any, table: pd.DataFrame | None, key: str) -> pd.DataFrame:
    """List the ten nearest rows of a layer, with distance and direction from the base.

    Distance runs from perimeter to perimeter (or point); 0 where they meet.
    """
    columns = [key, "name", "kind", "people_persons", "distance_m", "direction"]
    if table is None or table.empty:
        return pd.DataFrame(columns=columns)
    shapes = np.asarray(table["geometry"].array, dtype=object)
    near = within_radius([shape], shapes, np.inf)
    length = near.set_index("other")["distance_m"].reindex(range(len(shapes))).to_numpy()
    centres = np.array([centre_of(each) for each in shapes])
    here = centre_of(shape)
    rows = pd.DataFrame(
        {
            key: table[key].to_numpy(),
            "name": words_of(table, "name").to_numpy(),
            "kind": words_of(table, "kind").to_numpy(),
            "people_persons": numbers_of(table, "people_persons").to_numpy(),
            "distance_m": length,
            "direction": local_directions(*here, centres[:, 0], centres[:, 1]),
        }
    )
    if "counted_on" in table:
        rows.insert(4, "counted_on", table["counted_on"].to_numpy())
    rows = rows.sort_values(["distance_m", key], kind="stable", ignore_index=True).head(NEAREST)
    return rows.drop(columns="people_persons") if key == "base_id" else rows


def incidents_near(known: pd.DataFrame | None, pairs: pd.DataFrame | None) -> pd.DataFrame:
    """List the incidents inside or undecided, the latest first."""
    columns = ["incident_id", *FACTS_OF_INCIDENT, "distance_m", "error_m", "verdict", "why"]
    if known is None or pairs is None:
        return pd.DataFrame(columns=columns)
    near = pairs[pairs["verdict"] != "outside"].rename(columns={"place_id": "incident_id"})
    facts = known[["incident_id", *(name for name in FACTS_OF_INCIDENT if name in known)]]
    rows = near.merge(pd.DataFrame(facts), on="incident_id").reindex(columns=columns)
    return rows.sort_values(
        ["occurred_on", "incident_id"], ascending=[False, True], ignore_index=True
    )


def months_of(
    known: pd.DataFrame | None, pairs: pd.DataFrame | None, period: Period
) -> pd.DataFrame:
    """Count incidents inside and undecided month by month; a month without any is 0."""
    columns = ["month_on", "incidents_inside", "incidents_undecided", "killed_civilians_persons"]
    if known is None or pairs is None or known.empty:
        return pd.DataFrame(columns=columns)
    days = days_of(known, "occurred_on")
    first, last = period.since or days.min(), period.last or days.max()
    months = pd.period_range(first, last, freq="M")
    facts = pd.DataFrame(
        {
            "place_id": known["incident_id"].to_numpy(),
            "month": days.dt.to_period("M").to_numpy(),
            "killed": numbers_of(known, "killed_civilians_persons").to_numpy(),
        }
    )
    near = pairs.merge(facts, on="place_id")
    inside, doubtful = near[near["verdict"] == "inside"], near[near["verdict"] == "undecided"]
    killed = inside.groupby("month")["killed"].sum(min_count=1).reindex(months)
    count = inside["month"].value_counts().reindex(months, fill_value=0)
    return pd.DataFrame(
        {
            "month_on": months.to_timestamp(),
            "incidents_inside": count.to_numpy("float64"),
            "incidents_undecided": doubtful["month"]
            .value_counts()
            .reindex(months, fill_value=0)
            .to_numpy("float64"),
            "killed_civilians_persons": killed.mask(count == 0, 0.0).to_numpy("float64"),
        }
    )
