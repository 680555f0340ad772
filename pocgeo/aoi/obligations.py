"""What the mission owes around its bases: ledger, verdicts, review list, base sheets."""

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.analyses.bases import standing
from pocgeo.analyses.proximity import (
    ProximityStandard,
    incident_places,
    verdict_table,
)
from pocgeo.analyses.proximity import proximity as verdict_of_places
from pocgeo.analyses.proximity.ledger import Around, Period
from pocgeo.analyses.proximity.ledger import ledger as add_up
from pocgeo.analyses.proximity.people import people_within, zones
from pocgeo.analyses.proximity.review import review_list
from pocgeo.analyses.proximity.sheet import base_sheet
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import reach_of
from pocgeo.aoi.recipes import pixel_windows
from pocgeo.aoi.standards import Period as Days
from pocgeo.aoi.standards import as_of_day, moment, standard
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import buffer_m
from pocgeo.ground.pixels import PixelWindow, mosaic

__all__ = [
    "as_known", "inside", "ledger", "perimeters", "review", "rings", "sheet", "verdict_by_incident",
    "verdicts",
]  # fmt: skip

WIDEST_ERROR_M = 10_000.0
"""Population is read this far beyond the radius at most, whatever a base's location error."""


def asked(index: Indexed, radius_m: float | None) -> ProximityStandard:
    """Take the radius asked for, else that of aoi.toml or the house."""
    said = {} if radius_m is None else {"radius_m": radius_m}
    return standard(ProximityStandard, index.file, "proximity", said)


def period_of(index: Indexed, as_of: date | None, days: Days) -> Period:
    """First and last day of the question, and the day whose knowledge counts."""
    since, until = days.get("since"), days.get("until")
    if since and until and since > until:
        raise BadInput(f"--since {since} is later than --until {until}. Swap them.")
    return Period(
        as_of=pd.Timestamp(as_of_day(index.file, as_of)),
        since=pd.Timestamp(since or index.file.period[0]),
        until=pd.Timestamp(until) if until else None,
    )


def around_of(index: Indexed, rule: ProximityStandard, period: Period) -> Around:
    """Put together what is loaded around the bases, as known by the day of asking."""
    day = period.as_of.date() if period.as_of is not None else index.file.period[1]
    incidents = index.table("incidents")
    bases = index.known("bases")
    return Around(
        people=people_around(index, rule),
        sites=as_known(index.table("sites"), day),
        settlements=index.table("settlements"),
        incidents=incidents,
        verdicts=None if incidents is None else verdict_table(
            incident_places(incidents), bases, rule
        ),
    )  # fmt: skip


def as_known(rows: Any, day: date) -> Any:
    """Keep the rows of a layer that were reported, counted and standing by a day."""
    if rows is None:
        return None
    at = pd.Timestamp(day)
    kept = pd.Series(data=True, index=rows.index)
    if "occurred_on" in rows:
        reported = rows["reported_on"] if "reported_on" in rows else rows["occurred_on"]
        kept &= (rows["occurred_on"] <= at) & (reported.fillna(rows["occurred_on"]) <= at)
    if "counted_on" in rows:
        kept &= ~(rows["counted_on"] > at)
    if "fix_at" in rows:
        kept &= rows["fix_at"].dt.tz_localize(None) < at + pd.Timedelta(days=1)
    if "opened_on" in rows:
        return standing(rows[kept], at)
    return rows[kept]


def people_around(index: Indexed, rule: ProximityStandard) -> pd.DataFrame | None:
    """Count people within the radius of every base; None without a population layer."""
    bases = index.known("bases")
    if not index.has("population"):
        return None
    windows: dict[str, PixelWindow] = {}
    error = bases.get("location_error_m", pd.Series(np.nan, index=bases.index)).fillna(0)
    for code, shape, error_m in zip(bases["base_id"], bases.geometry, error, strict=True):
        zone = buffer_m(shape, rule.radius_m + min(float(error_m), WIDEST_ERROR_M) + 500)
        window = mosaic(list(pixel_windows(index, zone.bounds)))
        if window is not None:
            windows[code] = window
    return people_within(bases, windows, rule)


def ledger(index: Indexed, radius_m: float | None, as_of: date | None, days: Days) -> pd.DataFrame:
    """Draw up the ledger of every bound base."""
    rule, period = asked(index, radius_m), period_of(index, as_of, days)
    table = add_up(index.known("bases"), around_of(index, rule, period), rule, period)
    return titled(table, index, as_of, "proximity", f"Within {rule.radius_m:,.0f} m of each base")


def verdicts(
    index: Indexed, radius_m: float | None, as_of: date | None, days: Days
) -> pd.DataFrame:
    """Give the verdict of every incident near a base, inside first."""
    rule, period = asked(index, radius_m), period_of(index, as_of, days)
    known = of_period(index, period)
    table = verdict_table(incident_places(known), index.known("bases"), rule)
    table = table.rename(columns={"place_id": "incident_id"})
    facts = ["incident_id", "occurred_on", "incident_type", "perpetrator", "against_civilians"]
    facts += ["killed_civilians_persons", "harmed_civilians_persons"]
    table = table.merge(
        pd.DataFrame(known)[[name for name in facts if name in known]], on="incident_id", how="left"
    )
    rank = table["verdict"].map({"inside": 0, "undecided": 1, "outside": 2})
    table = (
        table.assign(rank_=rank)
        .sort_values(["rank_", "distance_m", "incident_id"], ignore_index=True)
        .drop(columns="rank_")
    )
    table = with_base_names(told_error(table), index)
    title = f"Incidents near a base: inside, undecided or outside {rule.radius_m:,.0f} m"
    return titled(table, index, as_of, "verdicts", title)


def inside(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """List each incident inside the radius of any base once, whatever number of bases."""
    table = verdicts(index, None, as_of, {})
    kept = table[table["verdict"] == "inside"].drop_duplicates("incident_id")
    return titled(kept.reset_index(drop=True), index, as_of, "inside", "Incidents inside")


def of_period(index: Indexed, period: Period) -> gpd.GeoDataFrame:
    """Incidents of the period, as known by its day of asking."""
    day = period.as_of.date() if period.as_of is not None else index.file.period[1]
    known = as_known(index.known("incidents"), day)
    last = known["ended_on"].fillna(known["occurred_on"]) if "ended_on" in known else None
    ends = known["occurred_on"] if last is None else last
    kept = ends >= period.since
    if period.last is not None:
        kept &= known["occurred_on"] <= period.last
    return known[kept]


def review(index: Indexed, radius_m: float | None, as_of: date | None, days: Days) -> pd.DataFrame:
    """List the incidents that call for a review, with what was on record before them."""
    rule, period = asked(index, radius_m), period_of(index, as_of, days)
    known = of_period(index, period)
    history = as_known(index.known("incidents"), as_of_day(index.file, as_of))
    pairs = verdict_table(incident_places(history), index.known("bases"), rule)
    table = review_list(pairs, history, days_since_presence=days_since_presence(index, history))
    table = table[table["incident_id"].isin(known["incident_id"])].reset_index(drop=True)
    table = table.drop(columns=["geometry", "source", "source_row"], errors="ignore")
    table = with_base_names(told_error(table), index)
    return titled(table, index, as_of, "review", "Incidents that call for a review (Policy 87)")


def told_error(table: pd.DataFrame) -> pd.DataFrame:
    """Put the metres of the location error into the words that speak of it."""
    words = [
        str(why).replace(
            "within the location error", f"within the location error of {error:,.0f} m"
        )
        for why, error in zip(table["why"], table["error_m"], strict=True)
    ]
    return table.assign(why=words)


def with_base_names(table: pd.DataFrame, index: Indexed) -> pd.DataFrame:
    """Add the base's name beside its code."""
    names = index.known("bases").set_index("base_id")["name"]
    at = list(table.columns).index("base_id") + 1
    table.insert(at, "base", table["base_id"].map(names).fillna(table["base_id"]))
    return table


def days_since_presence(index: Indexed, incidents: gpd.GeoDataFrame) -> pd.Series | None:
    """Days from the last visit to the incident's cell, by incident; None without patrols."""
    days = index.table("presence_days")
    if days is None:
        return None
    cells = grid.cells_of(incidents.geometry.x, incidents.geometry.y, index.file.resolution)
    asked_for = pd.DataFrame(
        {"incident_id": incidents["incident_id"], "cell": cells, "on": incidents["occurred_on"]}
    ).dropna(subset=["on"])
    visits = days.loc[days["visits"] > 0, ["cell", "day_on"]].drop_duplicates()
    joined = pd.merge_asof(
        asked_for.sort_values("on"), visits.sort_values("day_on"), left_on="on", right_on="day_on",
        by="cell", direction="backward",
    )  # fmt: skip
    return (joined["on"] - joined["day_on"]).dt.days.set_axis(joined["incident_id"])


def verdict_by_incident(index: Indexed, as_of: date | None) -> pd.DataFrame | None:
    """One verdict per incident, and whether it awaits review; None without bases."""
    if not (index.has("bases") and index.has("incidents")):
        return None
    rule = asked(index, None)
    known = as_known(index.known("incidents"), as_of_day(index.file, as_of))
    made = verdict_of_places(incident_places(known), index.known("bases"), rule)
    waiting = set(review(index, None, as_of, {})["incident_id"])
    table = made["verdict"].rename_axis("incident_id").reset_index()
    return table.assign(awaiting_review=table["incident_id"].isin(waiting).astype("boolean"))


def sheet(index: Indexed, base_id: str, as_of: date | None) -> tuple[pd.DataFrame, ...]:
    """Give the tables of one base's sheet, in reading order."""
    rule, period = asked(index, None), period_of(index, as_of, {})
    tables = base_sheet(base_id, index.known("bases"), around_of(index, rule, period), rule, period)
    minutes = people_in_reach(index, base_id, as_of)
    if minutes is not None:
        tables = {**tables, "reach": minutes}
    made = []
    for name, table in tables.items():
        title = f"Base {base_id}: {SHEET_TITLES.get(name, name)}"
        bare = pd.DataFrame(
            table.drop(columns=["geometry", "source", "source_row"], errors="ignore")
        )
        bare.attrs = dict(table.attrs)
        ready = titled(bare, index, as_of, f"base_{base_id}_{name}", title)
        ready.attrs |= {"kind": "sheet", "sensitivity": "restricted"}
        made.append(ready)
    return tuple(made)


STEPS_MIN = (30, 60, 120)
"""Steps of the sheet's reach table, minutes."""


def people_in_reach(index: Indexed, base_id: str, as_of: date | None) -> pd.DataFrame | None:
    """Add up the people this base alone reaches in time; None without population."""
    people = index.table("population")
    table = reach_of(index, moment(index, as_of))
    if people is None or table is None:
        return None
    mine = table[table["base_id"] == base_id].merge(people, on="cell", how="left")
    rows = []
    for step in STEPS_MIN:
        near = mine[mine["reach_min"] <= step]
        persons = near["people_persons"].sum(min_count=1)
        rows.append({"within_min": step, "people_persons": persons, "cells_n": len(near)})
    return pd.DataFrame(rows)


SHEET_TITLES = {
    "facts": "what is known of it",
    "ledger": "who and what lies within the radius",
    "sites": "nearest displacement sites",
    "settlements": "nearest settlements",
    "incidents": "incidents inside or undecided",
    "months": "incidents within the radius by month",
    "neighbours": "neighbouring bases",
    "reach": "people it reaches alone, readiness included (see docs/methods/reach.md)",
}


def rings(index: Indexed, as_of: date | None) -> gpd.GeoDataFrame:
    """Draw the zone within the radius of every standing base."""
    bases = as_known(index.known("bases"), as_of_day(index.file, as_of))
    table = zones(bases, asked(index, None))
    table = table.merge(bases[["base_id", "name", "kind"]], on="base_id", how="left")
    made = titled(table, index, as_of, "rings", "Within the radius of a base")
    made.attrs |= {"kind": "points", "sensitivity": "restricted"}
    return made


def perimeters(index: Indexed, as_of: date | None) -> gpd.GeoDataFrame:
    """Draw the perimeters that are known."""
    bases = as_known(index.known("bases"), as_of_day(index.file, as_of))
    known = bases[bases.geometry.geom_type.isin({"Polygon", "MultiPolygon"})]
    columns = ["base_id", "name", "kind", "geometry"]
    made = titled(known[columns].reset_index(drop=True), index, as_of, "perimeters", "Perimeters")
    made.attrs |= {"kind": "points", "sensitivity": "restricted"}
    return made


def titled(table: Any, index: Indexed, as_of: date | None, name: str, title: str) -> Any:
    """Attach name, title and day; these findings are ledgers unless said otherwise."""
    day = as_of_day(index.file, as_of).isoformat()
    table.attrs |= {"name": name, "title": title, "as_of": day, "kind": "ledger"}
    return table
