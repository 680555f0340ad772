"""Patrols of one AOI: which stops from which base, by which ways; and what became of a plan."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.bases import standing
from pocgeo.analyses.patrols.order import PatrolOrder, Shift
from pocgeo.analyses.patrols.plan import PatrolPlan, Start, patrol_plan
from pocgeo.analyses.patrols.stops import candidate_stops, cell_worth
from pocgeo.analyses.patrols.travel import Travel, patrol_travel
from pocgeo.analyses.reach.air import AIR
from pocgeo.analyses.reach.graph import TravelGraph
from pocgeo.analyses.reach.graph import field as field_of
from pocgeo.analyses.reach.over_ground import Ground, crossing_of, graph_of
from pocgeo.analyses.reach.seeds import departures
from pocgeo.aoi import answers
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.patrol_record import read_plan
from pocgeo.aoi.picture import Moment, picture
from pocgeo.aoi.standards import as_of_day, moment
from pocgeo.aoi.travel import AS_IT_IS, Change, ground_of, refuse_straight
from pocgeo.cells import grid
from pocgeo.cells.speeds import season_on
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.geodesy import centre_of, distance_m
from pocgeo.ground.provenance import digest_of

__all__ = ["PatrolsAsked", "ground_shown", "patrols"]

HOUSE_ORDER = PatrolOrder()
ON_THE_MAP = (
    "cell", "settlement", "admin2", "aor", "people_persons", "risk", "stop_value",
    "days_since_presence", "last_presence_on", "incidents_n", "lon", "lat",
)  # fmt: skip
MOSTLY_ROAD = 0.5
RIM_DEG, RIM_PART = 0.03, 0.4
"""A map of the plan shows so much around its ways."""

NEAR_M = 1_500.0
"""A stop this near one of the previous plan is the same stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolsAsked:
    """From which base, on which day, by whom, and what is known of yesterday."""

    base_id: str
    order: PatrolOrder = HOUSE_ORDER
    on: date | None = None
    """Day of the patrols; the day after the last one known if left out."""

    season: str | None = None
    """State of the ground; by the month of the day if left out."""

    mobility: str | None = None
    """By what means; as the base says if left out."""

    beyond: bool = False
    """Whether stops may lie in other AORs and nearer to other bases."""

    change: Change = field(default=AS_IT_IS)
    """Roads that are closed beside those the layer says."""

    previous: Path | None = None
    """A plan (csv) whose pattern is not to be repeated."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a plan is worked out from."""

    asked: PatrolsAsked
    at: Moment
    on: pd.Timestamp
    base: Any
    mobility: str
    start: Start
    shift: Shift
    range_m: float
    ground: Ground
    graph: TravelGraph
    crossing: NDArray[np.float64] | None
    cells: pd.DataFrame
    """The picture, with `stop_value` of each cell."""

    previous: pd.DataFrame | None

    def travel(self, places: NDArray[np.float64], worn: Any = None) -> Travel:
        """Minutes between the base and some places."""
        spots = np.vstack([[self.start.lon, self.start.lat], places.reshape(-1, 2)])
        return patrol_travel(
            self.ground.lattice, self.graph, spots, self.shift.limit_min,
            crossing_min=self.crossing, range_m=self.range_m, worn=worn,
        )  # fmt: skip


def setting(index: Indexed, as_of: date | None, asked: PatrolsAsked) -> Setting:
    """Find base, day, season, ground and shift; refuse what cannot be."""
    refuse_straight(index, "a patrol plan")
    day = as_of_day(index.file, as_of)
    on = pd.Timestamp(asked.on or day + timedelta(days=1))
    season = asked.season or str(season_on(np.array([on]), index.terrain_rules)[0])
    at = moment(index, as_of, season)
    base = base_of(index, asked.base_id, on)
    means = asked.mobility or known(base, "mobility") or at.reach.assumed_mobility
    means = at.reach.assumed_mobility if means == "unknown" else means
    if means == AIR:
        raise BadInput(
            f"{asked.base_id} moves by air; patrols are planned over the ground. "
            "Say by what means: --mobility wheeled."
        )
    says = known(base, "night_moves")
    shift = asked.order.shift(None if says is None else bool(says))
    ground = ground_of(index, on, asked.change)
    crossing = crossing_of(ground, means, season)
    lon, lat = centre_of(base["geometry"])
    range_km = known(base, "max_range_km")
    cells = picture(index, at)
    return Setting(
        asked=asked, at=at, on=on, base=base, mobility=means, shift=shift, ground=ground,
        start=Start(asked.base_id, str(known(base, "name") or asked.base_id), lon, lat),
        range_m=np.inf if range_km is None else float(range_km) * 1000, crossing=crossing,
        graph=graph_of(ground, means, season, on, crossing),
        cells=cells.assign(stop_value=cell_worth(cells, asked.order.rule)),
        previous=None if asked.previous is None else read_plan(asked.previous),
    )  # fmt: skip


def base_of(index: Indexed, base_id: str, on: pd.Timestamp) -> Any:
    """Find a base that stands on the day."""
    bases = index.known("bases")
    if base_id not in set(bases["base_id"]):
        raise UnknownName("base", base_id, bases["base_id"].astype(str))
    stood = standing(bases[bases["base_id"] == base_id], on)
    if stood.empty:
        raise BadInput(f"Base {base_id} does not stand on {on:%d %b %Y}. Choose another day.")
    return stood.iloc[0]


def known(row: Any, name: str) -> Any:
    """Take a fact of a row; None where it is unknown."""
    return row[name] if name in row and not pd.isna(row[name]) else None


def patrols(
    index: Indexed, as_of: date | None, asked: PatrolsAsked | None
) -> tuple[pd.DataFrame, ...]:
    """Give a plan, its ways, what more would add, lines and cells for its map; worked out once."""
    if asked is None:
        raise BadInput(
            "Say which patrols: pocgeo patrols AOI --base B01 --map FILE.html draws this map."
        )
    key = f"patrols {digest_of([asked, as_of])}"
    made: tuple[pd.DataFrame, ...] = index.kept(key, lambda: planned(index, as_of, asked))
    return tuple(table.copy() for table in made)


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


def reachable_stops(index: Indexed, given: Setting) -> pd.DataFrame:
    """Choose candidate stops among the ground from which one is back in time."""
    lattice, shift, cells = given.ground.lattice, given.shift, given.cells
    home: Any = np.array([given.base["geometry"]], dtype=object)
    seeds = departures(lattice, given.graph, home, 0.0, crossing_min=given.crossing)
    out = field_of(given.graph, seeds, shift.limit_min).minutes[: given.graph.cells_n]
    near = 2 * out + given.asked.order.stay_min <= 1.2 * shift.limit_min  # slopes differ by way
    lon, lat = given.start.lon, given.start.lat
    if np.isfinite(given.range_m):
        far = distance_m(np.full(len(cells), lon), lat, cells["lon"], cells["lat"])
        near &= far <= given.range_m
    near &= own_ground(given)
    away = distance_m(np.full(len(cells), lon), lat, cells["lon"], cells["lat"])
    near &= away > given.asked.order.rule.apart_m  # the base's own doorstep is no patrol
    found = cells[near].reset_index(drop=True)
    if found.empty or not (found["stop_value"] > 0).any():
        raise BadInput(
            f"From {given.start.base} nobody at risk can be visited within "
            f"{shift.limit_min / 60:g} h by {given.mobility} in the {given.at.reach.season} season"
            + ("." if given.asked.beyond else " on its own ground (--beyond looks further).")
        )
    return candidate_stops(found, places_of(index, given), given.asked.order.rule)


def own_ground(given: Setting) -> NDArray[np.bool_]:
    """Say which cells are the base's own: in its AOR, and no other base is there sooner."""
    cells = given.cells
    own = np.ones(len(cells), dtype=bool)
    if given.asked.beyond:
        return own
    aor = aor_of(given)
    if aor is not None:
        own &= (cells["aor_id"] == aor).fillna(value=False).to_numpy(bool)
    if (cells["base_id"] == given.start.base_id).any():
        others = cells["base_id"].notna() & (cells["base_id"] != given.start.base_id)
        own &= ~others.to_numpy(bool)
    return own


def aor_of(given: Setting) -> str | None:
    """Code of the area of responsibility that the base lies in; None where there is none."""
    cells = given.cells
    if "aor_id" not in cells:
        return None
    own = grid.cells_of(
        [given.start.lon], [given.start.lat], grid.resolution_of(cells["cell"].to_numpy())
    )
    at = grid.positions(cells["cell"].to_numpy(), own)[0]
    return None if at < 0 or pd.isna(cells["aor_id"].iloc[at]) else str(cells["aor_id"].iloc[at])


def places_of(index: Indexed, given: Setting) -> pd.DataFrame:
    """Settlements, displacement sites and gap areas, as places where a patrol could stop."""
    parts = []
    for layer, kind in (("sites", "site"), ("settlements", "settlement")):
        rows = index.table(layer)
        if rows is None or rows.empty:
            continue
        points = rows.geometry.representative_point()
        names = rows["name"].astype("string").fillna(kind)
        parts.append(pd.DataFrame({"place": names, "kind": kind, "lon": points.x, "lat": points.y}))
    if index.has("population"):
        asked: Any = {"season": given.at.reach.season}
        gaps = answers.gaps(index, given.at.as_of, asked)
        parts.append(gaps[["place", "lon", "lat"]].assign(kind="gap area"))
    if not parts:
        return pd.DataFrame({"place": [], "kind": [], "lon": [], "lat": []})
    return pd.concat(parts, ignore_index=True)


def trodden(index: Indexed, given: Setting) -> NDArray[np.bool_]:
    """Nodes of the mesh in cells used lately: recorded presence, and the previous plan's ways."""
    lattice, cells = given.ground.lattice, given.ground.lattice.cells
    used = np.zeros(len(cells), dtype=bool)
    days = index.table("presence_days")
    if days is not None:
        since = given.at.at - pd.Timedelta(days=given.asked.order.repeat_days)
        late = (days["day_on"] > since) & (days["day_on"] <= given.at.at) & (days["presence_h"] > 0)
        at = grid.positions(cells, days.loc[late, "cell"].to_numpy())
        used[at[at >= 0]] = True
    for lon, lat in previous_ways(given):
        at = grid.positions(cells, grid.cells_of(lon, lat, grid.resolution_of(cells)))
        used[at[at >= 0]] = True
    home = lattice.connectors.home
    return np.append(used, np.where(home >= 0, used[np.maximum(home, 0)], False))


def previous_ways(given: Setting) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Give the quickest ways between the stops of the previous plan, in its order."""
    if given.previous is None:
        return []
    found = []
    for _, rows in given.previous.groupby("patrol", sort=True):
        spots = rows.sort_values("stop")[["lon", "lat"]].to_numpy(float)
        travel = given.travel(spots)
        for first in range(1, travel.places_n - 1):
            if np.isfinite(travel.minutes[first, first + 1]):
                way = travel.way(first, first + 1)
                found.append((way.lon, way.lat))
    return found


def repeated(stops: pd.DataFrame, given: Setting) -> NDArray[np.bool_]:
    """Say which stops are of the pattern of the last days: visited then, or planned before."""
    recent = np.zeros(len(stops), dtype=bool)
    if "days_since_presence" in stops:
        days = stops["days_since_presence"].astype("float64")
        recent |= (days < given.asked.order.repeat_days).to_numpy(bool)
    if given.previous is not None:
        before = given.previous[given.previous["stay_min"].notna()]
        for lon, lat in before[["lon", "lat"]].to_numpy(float):
            gap = distance_m(np.full(len(stops), lon), lat, stops["lon"], stops["lat"])
            recent |= gap <= NEAR_M
    return recent


def told(
    index: Indexed, given: Setting, stops: pd.DataFrame, plan: PatrolPlan
) -> tuple[pd.DataFrame, ...]:
    """Put day, base and notes on the tables of a plan, and the cells under its map beside them."""
    notes = notes_of(given, stops, plan)
    count = int(plan.stops["patrol"].max()) if len(plan.stops) else 0
    title = f"Patrol order for {given.on:%d %b %Y}: {count} from {given.start.base}"
    facts: Any = {"plan_on": given.on, "base_id": given.start.base_id}
    near = given.cells[around(given, plan)]
    shown = [name for name in ON_THE_MAP if name in near]
    answers_of = {
        "patrol_plan": (plan.stops.assign(**facts), title, "points"),
        "patrol_ways": (plan.ways.assign(**facts), title, "points"),
        "patrol_gains": (plan.gains, "What fewer patrols and shorter shifts collect", "series"),
        "patrol_lines": (plan.ways[plan.ways["stop"].isna()].assign(**facts), title, "points"),
        "patrol_cells": (
            near[shown].copy(),
            "Risk times overdue presence, by cell",
            "cells",
        ),
    }
    made = []
    for name, (table, heading, kind) in answers_of.items():
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


def notes_of(given: Setting, stops: pd.DataFrame, plan: PatrolPlan) -> list[str]:
    """Say what a patrol leader must know beside the stops."""
    base, asked, table = given.base, given.asked, plan.stops
    said = [
        f"By {given.mobility}, {given.at.reach.season} season; {given.shift.words}, "
        f"{asked.order.reserve_min:g} min of the shift kept in reserve."
    ]
    if known(base, "caveat"):
        said.append(f"Caveat of {given.start.base}: {base['caveat']}.")
    if known(base, "mobility") in {None, "unknown"} and asked.mobility is None:
        said.append(f"Mobility is not stated and taken to be {given.mobility}.")
    if known(base, "night_moves") is None:
        said.append("Night moves are not stated and taken to be barred.")
    if np.isfinite(given.range_m):
        said.append(f"Nobody goes beyond {given.range_m / 1000:g} km from the base.")
    if not asked.beyond:
        aor = "in its AOR, and " if aor_of(given) is not None else ""
        said.append(
            f"Stops lie on the base's own ground: {aor}where no other base is sooner. Ways may "
            "pass through other ground."
        )
    if asked.change != AS_IT_IS:
        said.append(f"With {asked.change.words}.")
    if "days_since_presence" not in given.cells:
        said.append("No patrol record is loaded: every place counts as never visited.")
    said += of_ways(given, table)
    if given.previous is not None and len(table):
        hours = set(given.previous["leave"].dropna()) & set(table.loc[table["stop"] == 0, "leave"])
        if hours:
            said.append(f"Leaves at {min(hours)}, as the previous plan did: vary --depart.")
    left = stops.attrs.get("left_out", 0)
    if left:
        said.append(f"{left} further stops of least worth were not considered.")
    said.append("Minutes rest on declared speeds; the base's gate is taken to be at its centre.")
    return said


def of_ways(given: Setting, table: pd.DataFrame) -> list[str]:
    """Say how much of the way repeats lately used ground, and how little of it is by road."""
    order, said = given.asked.order, []
    worn, road, whole = (table[f"leg_{name}km"].sum() for name in ("worn_", "road_", ""))
    recorded = "days_since_presence" in given.cells
    if order.repeat != "allow" and (recorded or given.previous is not None):
        said.append(
            f"{worn:.0f} of {whole:.0f} km are over ground used in the last "
            f"{order.repeat_days} day(s) or by the previous plan."
        )
    if road < MOSTLY_ROAD * whole:
        said.append(
            f"Only {road:.0f} of {whole:.0f} km are by road, the rest is across country: "
            "look at the ground, and whether the roads layer is complete."
        )
    return said
