"""Where a patrol could stop: settlements, sites, gap areas, high-risk cells; and what for.

What a stop is worth is the risk of the people in its sight times how overdue a presence is there.
Every cell counts for one stop only, the nearest, so that the worth of stops adds up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocgeo.cells.grid import cells_of, positions, resolution_of
from pocgeo.cells.sight import in_sight
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import bearing, distance_m, earth_centred_m

__all__ = ["HOUSE_RULE", "KINDS", "StopRule", "candidate_stops", "cell_worth", "weight_column"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("site", "settlement", "gap area", "high-risk cell")
"""What a stop may be; the first of two close together stays."""

WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
WEIGHTS = ("risk_persons", "risk", "people_persons")
"""What a stop is weighed by: the first of these that is known anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """What makes a stop worth going to, and how many are considered."""

    overdue_days: float = 14.0
    """A presence is overdue after so many days; a stop then counts in full."""

    overdue_cap: float = 3.0
    """Worth stops growing at so many times the standard; a place never visited counts so much."""

    sight_m: float = 500.0
    """How far from the stop a cell may be and still be seen, metres."""

    apart_m: float = 1_500.0
    """Two stops closer together than this are one."""

    most: int = 120
    """Greatest number of stops considered, those of most worth."""

    def __post_init__(self) -> None:
        for name in ("overdue_days", "overdue_cap"):
            if not 0 < getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be more than 0, got {getattr(self, name):g}.")
        for name in ("sight_m", "apart_m"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be 0 metres or more, got {getattr(self, name):g}.")
        if self.most < 1:
            raise BadInput(f"most must be 1 stop or more, got {self.most}.")


HOUSE_RULE = StopRule()


def weight_column(cells: pd.DataFrame) -> str:
    """Name the column that stops are weighed by.

    Raises
    ------
    BadInput
        Neither risk nor people are known of any cell.
    """
    for name in WEIGHTS:
        if name in cells and (cells[name].fillna(0) > 0).any():
            return name
    raise BadInput(
        "Neither risk nor people are known of any cell, so no stop is worth more than another. "
        "Add [layers.population] and [layers.incidents]."
    )


def cell_worth(cells: pd.DataFrame, rule: StopRule = HOUSE_RULE) -> pd.Series:
    """Risk of each cell times how overdue a presence is there.

    Parameters
    ----------
    cells : DataFrame, n rows
        `risk_persons` (else `risk`, else `people_persons`); `days_since_presence` (NA: never).
    rule : StopRule

    Returns
    -------
    Series, n
        weight x min(days / overdue_days, overdue_cap); a cell without a visit in the record has
        the cap. A cell whose weight is unknown is worth nothing here.
    """
    weight = cells[weight_column(cells)].astype("float64").fillna(0.0).clip(lower=0.0)
    if "days_since_presence" not in cells:
        return weight * rule.overdue_cap
    overdue = (cells["days_since_presence"].astype("float64") / rule.overdue_days).clip(
        upper=rule.overdue_cap
    )
    return weight * overdue.fillna(rule.overdue_cap)


def candidate_stops(
    cells: pd.DataFrame, places: pd.DataFrame, rule: StopRule = HOUSE_RULE
) -> pd.DataFrame:
    """Choose the places where a patrol could stop, and say what each is worth and why.

    Parameters
    ----------
    cells : DataFrame, n rows, sorted by `cell`
        `cell`, `lon`, `lat`, and what `cell_worth` needs; `people_persons`, `risk`,
        `incidents_n`, `days_since_presence`, `last_presence_on`, `settlement`, `settlement_m`
        where known.
    places : DataFrame
        `place` (name), `kind` (one of KINDS), `lon`, `lat`: settlements, sites, gap areas. Those
        in no cell given only lend their names. Cells of high risk away from all are added.
    rule : StopRule

    Returns
    -------
    DataFrame, at most `rule.most` rows, the most worthy first
        `place`, `stop_kind`, `lon`, `lat`, `stop_value`, `people_persons`, `risk` (highest in
        sight), `incidents_n`, `days_since_presence`, `last_presence_on` (latest in sight).
        `attrs["left_out"]`: how many more there were, and `attrs["left_value"]`, what they hold.
    """
    require_columns(cells, "cells", ["cell", "lon", "lat"])
    require_columns(places, "places", ["place", "kind", "lon", "lat"])
    worth = cell_worth(cells, rule)
    index = cells["cell"].to_numpy(dtype=np.int64)
    own = cells_of(places["lon"], places["lat"], resolution_of(index))
    inside = places[positions(index, own) >= 0]
    spots = pd.concat([inside, high_risk(cells, worth, places, rule)], ignore_index=True)
    spots = apart(spots.dropna(subset=["lon", "lat"]).reset_index(drop=True), rule.apart_m)
    stop, at = seen_from(spots, cells, rule.sight_m)
    spots["stop_value"] = np.bincount(stop, worth.to_numpy()[at], minlength=len(spots))
    spots = spots[spots["stop_value"] > 0]
    order = ["stop_value", "place", "lon", "lat"]
    spots = spots.sort_values(order, ascending=[False, True, True, True], kind="stable")
    kept = spots.head(rule.most).reset_index(drop=True)
    kept = with_facts(kept, cells, worth, rule)
    kept.attrs["left_out"] = max(0, len(spots) - rule.most)
    kept.attrs["left_value"] = float(spots["stop_value"].iloc[rule.most :].sum())
    return kept


def high_risk(
    cells: pd.DataFrame, worth: pd.Series, places: pd.DataFrame, rule: StopRule
) -> pd.DataFrame:
    """Give the cells of most worth as places, named by the settlement nearest to them."""
    rows = worth[worth > 0].sort_values(ascending=False, kind="stable").index[: 4 * rule.most]
    found = cells.loc[rows]
    lon, lat = found["lon"].to_numpy(float), found["lat"].to_numpy(float)
    named = places[(places["kind"] == "settlement") & places[["lon", "lat"]].notna().all(axis=1)]
    names = nearby_names(lon, lat, named)
    return pd.DataFrame({"place": names, "kind": KINDS[-1], "lon": lon, "lat": lat})


def nearby_names(lon: Floats, lat: Floats, named: pd.DataFrame) -> list[str]:
    """Say where places lie from the nearest settlement: "2 km NE of Jorvand"."""
    if named.empty:
        return ["unnamed place"] * len(lon)
    east, north = named["lon"].to_numpy(float), named["lat"].to_numpy(float)
    at = np.asarray(KDTree(earth_centred_m(east, north)).query(earth_centred_m(lon, lat))[1])
    km = distance_m(east[at], north[at], lon, lat) / 1000
    to_deg = np.nan_to_num(bearing(east[at], north[at], lon, lat))
    wind = np.rint(to_deg / 45).astype(int) % 8
    names = named["place"].to_numpy(dtype=object)[at]
    return [
        f"{far:.0f} km {WINDS[to]} of {name}" if far >= 1 else f"near {name}"
        for far, to, name in zip(km, wind, names, strict=True)
    ]


def apart(spots: pd.DataFrame, apart_m: float) -> pd.DataFrame:
    """Keep the first of places that lie close together, in the order of KINDS, then of rows."""
    rank = spots["kind"].map({name: number for number, name in enumerate(KINDS)})
    if rank.isna().any():
        strange = sorted(set(spots.loc[rank.isna(), "kind"].astype(str)))
        raise BadInput(f"kind of a stop is one of {', '.join(KINDS)}; got {', '.join(strange)}.")
    ordered = spots.iloc[np.argsort(rank.to_numpy(), kind="stable")].reset_index(drop=True)
    if apart_m <= 0 or len(ordered) < 2:
        return ordered
    lon, lat = ordered["lon"].to_numpy(float), ordered["lat"].to_numpy(float)
    near: Any = KDTree(earth_centred_m(lon, lat)).query_ball_point(
        earth_centred_m(lon, lat), apart_m * 1.01
    )
    kept = np.zeros(len(ordered), dtype=bool)
    for row, around in enumerate(near):
        others = np.array([other for other in around if other < row and kept[other]], dtype=int)
        gap = distance_m(np.full(len(others), lon[row]), lat[row], lon[others], lat[others])
        kept[row] = not (gap < apart_m).any()
    return ordered[kept].reset_index(drop=True)


def seen_from(spots: pd.DataFrame, cells: pd.DataFrame, sight_m: float) -> tuple[Ints, Ints]:
    """Pair every cell in sight of any stop with the stop nearest to its centre."""
    index = cells["cell"].to_numpy(dtype=np.int64)
    lon, lat = spots["lon"].to_numpy(float), spots["lat"].to_numpy(float)
    own = cells_of(lon, lat, resolution_of(index))
    stop, at = in_sight(lon, lat, own, index, sight_m)
    middle_lon, middle_lat = cells["lon"].to_numpy(float), cells["lat"].to_numpy(float)
    gap = distance_m(lon[stop], lat[stop], middle_lon[at], middle_lat[at])
    gap[positions(index, own)[stop] == at] = -1.0  # a stop's own cell is its own
    order = np.lexsort((stop, gap, at))
    stop, at = stop[order], at[order]
    first = np.append(True, at[1:] != at[:-1])[: len(at)]
    return stop[first], at[first]


def with_facts(
    stops: pd.DataFrame, cells: pd.DataFrame, worth: pd.Series, rule: StopRule
) -> pd.DataFrame:
    """Add worth, people, risk, incidents and the last presence of the cells that a stop sees."""
    stop, at = seen_from(stops, cells, rule.sight_m)
    seen = cells.iloc[at].assign(stop=stop, stop_value=worth.to_numpy()[at]).groupby("stop")
    made = stops.drop(columns="stop_value").rename(columns={"kind": "stop_kind"})
    sums = ["stop_value", "people_persons", "incidents_n", "risk_persons"]
    for name in sums:
        if name in cells or name == "stop_value":
            made[name] = seen[name].sum(min_count=1).reindex(made.index)
    if "risk" in cells:
        made["risk"] = seen["risk"].max().reindex(made.index)
    if "days_since_presence" in cells:
        made["days_since_presence"] = seen["days_since_presence"].min().reindex(made.index)
        made["last_presence_on"] = seen["last_presence_on"].max().reindex(made.index)
    return made
