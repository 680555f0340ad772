"""Patrols of one AOI: which stops from which base, by which ways, on a map of their ground."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.patrols.plan import PatrolPlan, patrol_plan
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.patrols.asked import PatrolsAsked, Setting, setting
from pocgeo.aoi.patrols.declared import wanted_patrols
from pocgeo.aoi.patrols.ground import reachable_stops
from pocgeo.aoi.patrols.notes import notes_of
from pocgeo.aoi.patrols.pattern import repeated, trodden
from pocgeo.ground.errors import BadInput
from pocgeo.ground.provenance import digest_of

__all__ = ["PATROL_TABLES", "ground_shown", "patrol_finding", "patrols"]

PATROL_TABLES = ("patrol_plan", "patrol_ways", "patrol_gains", "patrol_lines", "patrol_cells")
"""What a plan of patrols gives, in this order."""

ON_THE_MAP = (
    "cell", "settlement", "admin2", "aor", "people_persons", "risk", "stop_value",
    "days_since_presence", "last_presence_on", "incidents_n", "lon", "lat",
)  # fmt: skip
RIM_DEG, RIM_PART = 0.03, 0.4
"""A map of the plan shows so much around its ways."""


def patrols(
    index: Indexed, as_of: date | None, asked: PatrolsAsked | None
) -> tuple[pd.DataFrame, ...]:
    """Give a plan, its ways, what more would add, lines and cells for its map; worked out once."""
    if asked is None:
        raise BadInput(
            "Say which patrols: pocgeo patrols AOI --base B01 --map FILE.html draws this map, or "
            "declare base, patrols and hours in [standards.patrols]."
        )
    key = f"patrols {digest_of([asked, as_of])}"
    made: tuple[pd.DataFrame, ...] = index.kept(key, lambda: planned(index, as_of, asked))
    return tuple(table.copy() for table in made)


def patrol_finding(name: str, aoi: Any, day: date | None) -> pd.DataFrame:
    """Give a table of the patrols of an area by name, as maps and briefs call it."""
    return patrols(aoi.indexed, day, wanted_patrols(aoi))[PATROL_TABLES.index(name)]


def planned(index: Indexed, as_of: date | None, asked: PatrolsAsked) -> tuple[pd.DataFrame, ...]:
    """Plan patrols: the order stop by stop, the ways for map and GPS, and what more would add."""
    index.say("finding stops", 0, 3)
    given = setting(index, as_of, asked)
    stops = reachable_stops(index, given)
    index.say("finding ways", 1, 3)
    worn = None
    if asked.order.repeat != "allow":
        worn = trodden(index, given), asked.order.way_penalty
        stops["recent"] = repeated(stops, given)
    travel = given.travel(stops[["lon", "lat"]].to_numpy(float), worn)
    index.say("planning patrols", 2, 3)
    plan = patrol_plan(stops, travel, asked.order, given.start, given.shift)
    index.say("patrols planned", 3, 3)
    return told(index, given, stops, plan)


def told(
    index: Indexed, given: Setting, stops: pd.DataFrame, plan: PatrolPlan
) -> tuple[pd.DataFrame, ...]:
    """Put day, base and notes on the tables of a plan, and the cells under its map beside them."""
    notes = notes_of(given, stops, plan)
    count = int(plan.stops["patrol"].max()) if len(plan.stops) else 0
    many = f"{count} patrol{'' if count == 1 else 's'}"
    title = f"Patrol order for {given.on.day} {given.on:%b %Y}: {many} from {given.start.base}"
    facts: Any = {"plan_on": given.on, "base_id": given.start.base_id}
    near = given.cells[around(given, plan)]
    shown = [name for name in ON_THE_MAP if name in near]
    answers_of: tuple[tuple[Any, str, str], ...] = (
        (plan.stops.assign(**facts), title, "points"),
        (plan.ways.assign(**facts), title, "points"),
        (plan.gains, "What fewer patrols and shorter shifts collect", "series"),
        (plan.ways[plan.ways["stop"].isna()].assign(**facts), title, "points"),
        (near[shown].copy(), "Risk times overdue presence, by cell", "cells"),
    )
    made = []
    for name, (table, heading, kind) in zip(PATROL_TABLES, answers_of, strict=True):
        table.attrs["notes"] = notes if name in {"patrol_plan", "patrol_ways"} else []
        ready = finished(table, index, given.at, name, heading, patrols=given.asked.order)
        ready.attrs |= {"kind": kind, "sensitivity": "restricted"}
        made.append(ready)
    return tuple(made)


def around(given: Setting, plan: PatrolPlan) -> NDArray[np.bool_]:
    """Say which cells lie around the ways: what a map of the plan shows."""
    cells, lines = given.cells, plan.ways
    lon, lat = cells["lon"].to_numpy(float), cells["lat"].to_numpy(float)
    if lines.empty:
        return np.ones(len(cells), dtype=bool)
    west, south, east, north = lines.total_bounds.tolist()
    rim = max(RIM_DEG, RIM_PART * (east - west), RIM_PART * (north - south))
    shown: NDArray[np.bool_] = (lon >= west - rim) & (lon <= east + rim)
    return shown & (lat >= south - rim) & (lat <= north + rim)


def ground_shown(boundary: Any, cells: pd.DataFrame) -> Any:
    """Cut the outline to the cells of a patrol map, so that it opens where the patrols are."""
    box = shapely.box(*(cells[name].agg(how) for how in ("min", "max") for name in ("lon", "lat")))
    cut = shapely.intersection(boundary, box)
    return boundary if cut.is_empty else cut
