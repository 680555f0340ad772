"""Questions of reach: who is got to in time, by whom, in which season, and what a change costs."""

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pocgeo.analyses.reach import STRAIGHT_LINE, reach_field
from pocgeo.analyses.reach.changes import difference
from pocgeo.analyses.reach.covering import backup, by_base, within_minutes, without_roads
from pocgeo.analyses.reach.over_ground import ground_reach_at
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment, picture
from pocgeo.aoi.standards import moment
from pocgeo.aoi.travel import (
    AS_IT_IS,
    Change,
    answering,
    ground_of,
    minutes_table,
    reach_method,
    refuse_straight,
)
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.nearness import nearest

__all__ = ["STEPS_MIN", "minutes_of", "reach", "reach_cells", "reach_change", "reach_contours"]

STEPS_MIN = (30.0, 60.0, 120.0)
"""Minutes that leaders ask for."""

SEASONS = ("dry", "wet")


def asked_table(index: Indexed, at: Moment, change: Change = AS_IT_IS) -> pd.DataFrame:
    """Give the reach table; refuse an AOI without bases."""
    table = minutes_table(index, at.reach, at.at, change)
    if table is None:
        raise index.lacks("bases")
    return table


def reach(
    index: Indexed, at: Moment, minutes: tuple[float, ...], change: Change
) -> tuple[pd.DataFrame, ...]:
    """Say who is reached within the minutes, by which base, with what backup, and without roads.

    With bases taken away or roads closed, the last table says whom that costs.
    """
    cells = picture(index, at)
    table = asked_table(index, at, change)
    middle = sorted(minutes)[len(minutes) // 2]
    answers = {
        "reach": within_minutes(table, cells, minutes),
        "reach_by_base": with_caveats(with_names(by_base(table, cells, middle), index), index),
        "reach_backup": backup(table, cells, minutes),
    }
    named = reach_places(index, at, change)
    if named is not None:
        answers["reach_places"] = named
    roads = index.table("roads")
    if roads is not None:
        found = nearest(cells["lon"], cells["lat"], roads.geometry.to_numpy())
        answers["reach_roadless"] = without_roads(cells, found.distance_m)
    if change != AS_IT_IS:
        before = asked_table(index, at)
        cost = difference(before, table, cells, minutes, places(index))
        answers["reach_change"] = changed_first(cost)
    return tuple(
        finished(made, index, at, name, f"{TITLES[name]} ({at.reach.season} season)")
        for name, made in answers.items()
    )


TITLES = {
    "reach": "Who is reached in time, by area",
    "reach_by_base": "Whom each base reaches, and whom it alone reaches",
    "reach_backup": "Who is reached by one base only",
    "reach_places": "Minutes to settlements, asked at the place itself",
    "reach_roadless": "Who has no road access",
    "reach_change": "Who loses and who gains by the change",
}


def reach_change(index: Indexed, as_of: date | None, minutes: tuple[float, ...]) -> pd.DataFrame:
    """Compare the wet season with the dry: who loses cover, by area and settlement."""
    refuse_straight(index, "the wet season")
    dry, wet = (moment(index, as_of, season) for season in SEASONS)
    cells = picture(index, dry)
    cost = difference(
        asked_table(index, dry), asked_table(index, wet), cells, minutes, places(index)
    )
    title = "Who loses cover when the rains come"
    return finished(changed_first(cost), index, wet, "reach_seasons", title)


def reach_places(index: Indexed, at: Moment, change: Change = AS_IT_IS) -> pd.DataFrame | None:
    """Minutes to each settlement at its exact place, with the band; None without terrain."""
    found: Any = index.table("settlements")
    if found is None or found.empty or reach_method(index) == STRAIGHT_LINE:
        return None
    spots = pd.DataFrame({"lon": found.geometry.x, "lat": found.geometry.y})
    ground, bases = ground_of(index, at.at, change), answering(index.known("bases"), change)
    told = ground_reach_at(ground, bases, at.reach, spots, as_of=at.at)
    table = pd.DataFrame({"settlement_id": found["settlement_id"], "place": found["name"]})
    table["people_persons"] = found["people_persons"]
    table = with_names(table.join(told), index)
    order = ["reach_min", "settlement_id"]
    return table.sort_values(order, ascending=[False, True], na_position="first", ignore_index=True)


def reach_contours(index: Indexed, as_of: date | None, within_min: float = 60.0) -> Any:
    """Draw what each base reaches within the minutes, as the union of its cells."""
    at = moment(index, as_of)
    table = asked_table(index, at)
    near = table[table["reach_min"] <= within_min]
    people = index.table("population")
    rows = []
    for code, part in near.groupby("base_id", sort=True):
        inside = part["cell"].to_numpy()
        held = None if people is None else people.loc[people["cell"].isin(inside), "people_persons"]
        rows.append(
            {
                "base_id": code,
                "within_min": within_min,
                "people_persons": np.nan if held is None else held.sum(min_count=1),
                "cells_n": len(inside),
                "geometry": shapely.union_all(grid.boundaries(inside)),
            }
        )
    made = gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")
    made = finished(
        with_names(made, index), index, at, "reach_contours", "Within reach of each base"
    )
    made.attrs |= {"kind": "points", "sensitivity": "restricted"}
    return made


def changed_first(table: pd.DataFrame) -> pd.DataFrame:
    """Put totals first, then the areas and settlements that lose most."""
    order = table["area_kind"].map({"AOI": 0, "AOR": 1, "admin 1": 2, "admin 2": 3}).fillna(4)
    keys = table.assign(order=order, loss=-table["lost_persons"].fillna(0))
    index = keys.sort_values(["within_min", "order", "loss", "area_id"], kind="stable").index
    made = table.loc[index].reset_index(drop=True)
    made.attrs = table.attrs
    return made


def reach_cells(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Minutes to every cell in both seasons, and what the rains add: for the map."""
    dry = moment(index, as_of, "dry")
    cells = picture(index, dry)
    wet = picture(index, moment(index, as_of, "wet")) if index.has("bases") else cells
    if "reach_min" not in cells:
        raise index.lacks("bases")
    names = ["cell", "settlement", "admin2", "aor", "people_persons", "base", "reach_min"]
    table = cells[[*(name for name in names if name in cells), "lon", "lat"]].copy()
    table["reach_wet_min"] = wet["reach_min"].to_numpy()
    table["rains_add_min"] = np.maximum(table["reach_wet_min"] - table["reach_min"], 0.0)
    return finished(table, index, dry, "reach_cells", "Minutes from the quickest base, by cell")


def change_cells(index: Indexed, as_of: date | None, change: Change) -> pd.DataFrame:
    """Minutes before and after a change, by cell: for the map."""
    if change == AS_IT_IS:
        raise BadInput("Say what changes: --without-base B02, or --closed ROAD.")
    refuse_straight(index, "a change of roads or bases")
    at = moment(index, as_of)
    cells = picture(index, at)
    then = reach_field(asked_table(index, at, change), cells)
    names = ["cell", "settlement", "admin2", "aor", "people_persons", "base"]
    table = cells[[*(name for name in names if name in cells), "lon", "lat"]].copy()
    table["before_min"], table["after_min"] = cells["reach_min"], then["reach_min"].to_numpy()
    table["added_min"] = np.maximum(table["after_min"] - table["before_min"], 0.0)
    lost = table["before_min"].notna() & table["after_min"].isna()
    table["reach_lost"] = lost
    title = "What the change costs: " + change.words
    table.attrs["notes"] = [f"The change: {change.words}."]
    return finished(table, index, at, "reach_change_cells", title)


def places(index: Indexed) -> pd.DataFrame | None:
    """Settlements with the cell each lies in."""
    found: Any = index.table("settlements")
    if found is None or found.empty:
        return None
    cells = grid.cells_of(found.geometry.x, found.geometry.y, index.file.resolution)
    return pd.DataFrame({"settlement_id": found["settlement_id"], "cell": cells})


def with_names(table: pd.DataFrame, index: Indexed) -> pd.DataFrame:
    """Add the base's name beside its code."""
    names = index.known("bases").set_index("base_id")["name"]
    at = list(table.columns).index("base_id") + 1
    table.insert(at, "base", table["base_id"].map(names).fillna(table["base_id"]))
    return table


def with_caveats(table: pd.DataFrame, index: Indexed) -> pd.DataFrame:
    """Add what each base says of its own limits: mobility, readiness, range, nights."""
    facts = ["mobility", "qrf_notice_min", "max_range_km", "night_moves", "caveat"]
    bases = pd.DataFrame(index.known("bases"))
    held = bases[["base_id", *(name for name in facts if name in bases)]]
    return table.merge(held, on="base_id", how="left")


def minutes_of(words: tuple[float | None, ...]) -> tuple[float, ...]:
    """Take the minutes asked for, else the house's steps."""
    given = tuple(minute for minute in words if minute is not None)
    if any(minute <= 0 for minute in given):
        raise BadInput("--minutes must be more than 0.")
    return given or STEPS_MIN
