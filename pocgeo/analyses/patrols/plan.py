"""A patrol plan: routes with stops, times, ways and reasons, and what more patrols would add."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.patrols.order import PatrolOrder, Shift, clock
from pocgeo.analyses.patrols.routing import Routes, RoutingTask, ladder
from pocgeo.analyses.patrols.travel import Travel, Way
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.grid_reference import to_mgrs

__all__ = ["PatrolPlan", "Start", "patrol_plan"]

KM = 1_000.0
SHAPE = "geometry"
LEAST_RISK = 0.01
LEAST_INCIDENTS = 0.5
"""Parts of incidents placed imprecisely are no reason below this."""

QUESTION = "Where should patrols go, in which order, and why?"
FACTS = (
    "people_persons", "risk", "incidents_n", "days_since_presence", "last_presence_on",
)  # fmt: skip


class Start(NamedTuple):
    """Where patrols set out from."""

    base_id: str
    base: str
    lon: float
    lat: float


@dataclass(frozen=True, kw_only=True)
class PatrolPlan:
    """What is handed to patrol leaders, and what it rests on."""

    stops: pd.DataFrame
    """One row per stop of each patrol, start and return included."""

    ways: gpd.GeoDataFrame
    """The same stops as points, and one line per patrol along the way it takes."""

    gains: pd.DataFrame
    """What fewer patrols and shorter shifts would collect."""


def patrol_plan(
    stops: pd.DataFrame, travel: Travel, order: PatrolOrder, start: Start, shift: Shift
) -> PatrolPlan:
    """Plan patrols over candidate stops.

    Parameters
    ----------
    stops : DataFrame, k rows
        What `candidate_stops` returns; `recent` (bool) where a stop is of yesterday's pattern.
    travel : Travel
        Between the base (place 0) and the stops (places 1 to k).
    order, start, shift : PatrolOrder, Start, Shift
        What is asked, from where, and what `order.shift` returns for the base.

    Returns
    -------
    PatrolPlan
        `stops`: `patrol` (1 to m), `stop` (0 the base, then 1, 2 ...), `place`, `stop_kind`,
        `grid_reference`, `arrive`, `leave` (local, hh:mm), `stay_min`, `leg_min`, `leg_km`,
        `leg_road_km`, `leg_worn_km`, `stop_value`, facts, `reason`, `lon`, `lat`.
        `ways`: `patrol`, `stop` (NA for the line), `place`, `stop_kind`, times, `way_km`, geometry.
        `gains`: `hours`, `patrols`, `stops_n`, `value`, `added_value`, `value_share`.

    Raises
    ------
    BadInput
        `travel` is not between the base and these stops.
    """
    require_columns(stops, "stops", ["place", "stop_kind", "lon", "lat", "stop_value"])
    if travel.places_n != len(stops) + 1:
        raise BadInput(f"travel knows {travel.places_n} places; {len(stops) + 1} were expected.")
    worth, stays = (np.zeros(len(stops) + 1) for _ in range(2))
    worth[1:], stays[1:] = wanted(stops, order), order.stay_min
    task = RoutingTask(
        minutes=travel.minutes, value=worth, stay_min=stays, limit_min=shift.limit_min,
        patrols=order.patrols,
    )  # fmt: skip
    rungs = ladder(task, order.search, order.rungs_min(shift.limit_min))
    parts, shapes = [pd.DataFrame(columns=list(COLUMNS))], [pd.DataFrame(columns=[*DRAWN, SHAPE])]
    for number, route in enumerate(rungs[-1].routes, 1):
        ways = [travel.way(a, b) for a, b in zip((0, *route), (*route, 0), strict=True)]
        rows = one_patrol(number, route, ways, stops, (order, start, shift))
        parts.append(rows)
        shapes.append(drawn(rows, ways))
    table, lines = (pd.concat(each[1:] or each, ignore_index=True) for each in (parts, shapes))
    return PatrolPlan(
        stops=with_standard(table, QUESTION, patrols=order),
        ways=gpd.GeoDataFrame(lines, geometry=SHAPE, crs=4326),
        gains=gained(rungs, float(worth.sum()), order.reserve_min),
    )


def wanted(stops: pd.DataFrame, order: PatrolOrder) -> NDArray[np.float64]:
    """Value that routes are chosen by: less, or none, where yesterday's pattern would repeat."""
    value = stops["stop_value"].to_numpy(dtype=np.float64, copy=True)
    if "recent" in stops and order.repeat != "allow":
        factor = order.stop_factor if order.repeat == "avoid" else 0.0
        value[stops["recent"].to_numpy(bool)] *= factor
    return value


COLUMNS = (
    "patrol", "stop", "stop_code", "place", "stop_kind", "grid_reference", "arrive", "leave",
    "stay_min", "leg_min", "leg_km", "leg_road_km", "leg_worn_km", "stop_value", *FACTS,
    "reason", "lon", "lat",
)  # fmt: skip
DRAWN = (
    "patrol", "stop", "stop_code", "place", "stop_kind", "grid_reference", "arrive", "leave",
    "way_km", "reason",
)  # fmt: skip


def one_patrol(
    number: int, route: Sequence[int], ways: Sequence[Way], stops: pd.DataFrame,
    asked: tuple[PatrolOrder, Start, Shift],
) -> pd.DataFrame:  # fmt: skip
    """Rows of one patrol from gate to gate, with the clock."""
    order, start, shift = asked
    chosen = stops.iloc[[place - 1 for place in route]]
    legs = np.array([way.minutes for way in ways])
    arrive = shift.depart_min + np.cumsum(legs) + order.stay_min * np.arange(len(legs))
    leave = np.append(shift.depart_min, arrive[:-1] + order.stay_min)
    spare = shift.depart_min + shift.limit_min + order.reserve_min - arrive[-1]
    inner = len(route)
    home = [start.base]
    lon = np.concatenate([[start.lon], chosen["lon"], [start.lon]])
    lat = np.concatenate([[start.lat], chosen["lat"], [start.lat]])
    made = pd.DataFrame(
        {
            "patrol": number,
            "stop": np.arange(inner + 2),
            "stop_code": [f"P{number}-{stop:02d}" for stop in range(inner + 2)],
            "place": [*home, *chosen["place"], *home],
            "stop_kind": ["start", *chosen["stop_kind"], "return"],
            "grid_reference": to_mgrs(lon, lat, digits=4),
            "arrive": [None, *map(clock, arrive)],
            "leave": [*map(clock, leave), None],
            "stay_min": [np.nan, *[order.stay_min] * inner, np.nan],
            "leg_min": [np.nan, *legs],
            "leg_km": [np.nan, *(way.length_m / KM for way in ways)],
            "leg_road_km": [np.nan, *(way.road_m / KM for way in ways)],
            "leg_worn_km": [np.nan, *(way.worn_m / KM for way in ways)],
            "stop_value": [np.nan, *chosen["stop_value"], np.nan],
        }
    )
    for name in FACTS:
        if name in stops:
            made[name] = pd.Series(chosen[name].to_numpy(), index=range(1, inner + 1))
    reasons = [why(row) for row in chosen.to_dict("records")]
    back = f"Back at {start.base} with {spare:.0f} min in reserve ({shift.words})."
    made["reason"] = [f"Leaves {start.base}.", *reasons, back]
    made["lon"], made["lat"] = lon, lat
    return made[[name for name in COLUMNS if name in made]]


def why(stop: dict[Any, Any]) -> str:
    """Say in words why a stop is in the plan."""
    said = []
    if known(stop, "people_persons"):
        said.append(f"{stop['people_persons']:,.0f} people in sight")
    if known(stop, "risk"):
        low = stop["risk"] < LEAST_RISK
        said.append(f"risk below {LEAST_RISK}" if low else f"risk up to {stop['risk']:.2f}")
    if "days_since_presence" in stop:
        if known(stop, "days_since_presence"):
            day = pd.Timestamp(stop["last_presence_on"])
            ago = int(stop["days_since_presence"])
            since = f"{ago} day{'s' * (ago != 1)} before the data end" if ago else "the last known"
            said.append(f"last patrol on {day.day} {day:%b %Y}, {since}")
        else:
            said.append("no patrol in the record")
    if known(stop, "incidents_n") and stop["incidents_n"] >= LEAST_INCIDENTS:
        count = round(stop["incidents_n"])
        said.append(f"{count} incident{'s' * (count != 1)} in 90 days")
    if stop.get("recent"):
        said.append("on the previous pattern, counted for less")
    words = "; ".join(said) or "no facts known"
    return words[0].upper() + words[1:] + "."


def known(stop: dict[Any, Any], name: str) -> bool:
    """Whether a fact of a stop is known."""
    return name in stop and not pd.isna(stop[name])


def drawn(rows: pd.DataFrame, ways: Sequence[Way]) -> pd.DataFrame:
    """Give a patrol's line and its stops, for maps and GPS."""
    line = shapely.linestrings(
        np.concatenate([way.lon for way in ways]), np.concatenate([way.lat for way in ways])
    )
    first, last, inner = rows.iloc[0], rows.iloc[-1], len(rows) - 2
    whole = {
        "patrol": first["patrol"], "stop": pd.NA, "stop_code": f"P{first['patrol']}",
        "place": f"Patrol {first['patrol']}", "stop_kind": "way", "grid_reference": None,
        "arrive": last["arrive"], "leave": first["leave"],
        "way_km": sum(way.length_m for way in ways) / KM,
        "reason": f"{inner} stop{'s' * (inner != 1)}. {last['reason']}", "geometry": line,
    }  # fmt: skip
    places: Any = shapely.points(rows["lon"].iloc[:-1], rows["lat"].iloc[:-1])
    points = rows.iloc[:-1].assign(way_km=np.nan, geometry=places)
    made = pd.concat(
        [pd.DataFrame([whole]).astype({"stop": "Int64"}), points.astype({"stop": "Int64"})],
        ignore_index=True,
    )
    return made[[*DRAWN, "geometry"]]


def gained(rungs: Sequence[Routes], whole: float, reserve_min: float) -> pd.DataFrame:
    """Tell what each number of patrols and each shift, reserve included, collects and adds."""
    made = pd.DataFrame(
        {
            "hours": [(rung.limit_min + reserve_min) / 60 for rung in rungs],
            "patrols": [rung.patrols for rung in rungs],
            "stops_n": [sum(map(len, rung.routes)) for rung in rungs],
            "plan_value": [rung.value for rung in rungs],
        }
    )
    made["added_value"] = made.groupby("hours")["plan_value"].diff().fillna(made["plan_value"])
    made["value_share"] = made["plan_value"] / whole if whole > 0 else np.nan
    return made
