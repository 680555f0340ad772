"""Where an incident counts, given how well its place is known."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.grid import cells_of, positions, resolution_of
from pocgeo.cells.spreading import Past, PlacingRule, spread
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["place_incidents"]

TRUSTED_M = 5_000.0
"""An incident of unknown precision counts at its point unless its stated error exceeds this."""

AT_ITS_POINT = ("point", "near")
LEVELS = {"area2": (2, "admin2_id"), "area1": (1, "admin1_id")}
"""Precision -> level of the area that holds the point, and the column of its code."""
COLUMNS = ("incident_id", "cell", "weight", "placed")


def place_incidents(
    incidents: gpd.GeoDataFrame,
    cells: pd.DataFrame,
    areas: gpd.GeoDataFrame | None = None,
    people: pd.DataFrame | None = None,
    rule: PlacingRule | None = None,
) -> pd.DataFrame:
    """Give each incident the cells it counts in, so that no vague place becomes a false hotspot.

    Parameters
    ----------
    incidents : GeoDataFrame of points, EPSG:4326; `incident_id`, and where known
        `location_precision`, `location_error_m`, `occurred_on`, `reported_on`
    cells : DataFrame with `cell` (sorted), `admin2_id`, `area_km2`, `inside_share`
    areas : GeoDataFrame of polygons, EPSG:4326, with `area_id`, `admin_level`; optional
    people : DataFrame with `cell`, `people_persons`; optional
    rule : PlacingRule, optional

    Returns
    -------
    DataFrame, one or more rows per incident, sorted by incident (in the order given), then cell
        `incident_id`, `cell`, `weight`, `placed`:

        - "point": precision point or near, or not stated with no stated error beyond 5 km: the
          cell of the point, weight 1;
        - "spread": known to an area that the rule deals out: its cells, by people and past
          precise incidents (cells.spreading); weights add up to 1;
        - "naive": the same, but the rule is to take the point as if it were exact;
        - "set_aside": known only to a wider area, a route or a country, or not at all, or to an
          area that `areas` does not hold: cell 0, weight NA;
        - "outside": the point lies in no cell (or the spread area has none): cell 0, weight NA.
    """
    require_columns(incidents, "incidents", ("incident_id", "geometry"))
    rule = rule or PlacingRule()
    lon, lat = points_of(incidents)
    precise, said = precision_of(incidents)
    known = ~np.isnan(lon)
    index = cells_in(cells)
    at = positions(index, cells_of(lon, lat, resolution_of(index)))
    placed = np.full(len(incidents), "set_aside", dtype=object)
    placed[precise & known] = np.where(at[precise & known] >= 0, "point", "outside")
    vague = known & said.isin(["area2"] if rule.widest == "area2" else list(LEVELS)).to_numpy()
    if rule.method == "naive":
        placed[vague] = np.where(at[vague] >= 0, "naive", "outside")
    wanted = _wanted(incidents, (lon, lat), areas, said.where(vague & (rule.method == "spread")))
    placed[wanted["row"]] = "outside"
    past = _past(incidents, at, placed == "point")
    row, cell_at, weight = spread(wanted, cells, people, past, rule)
    placed[np.unique(row)] = "spread"
    return _rows_of(incidents, index[at], placed, (row, index[cell_at], weight))


def _rows_of(
    incidents: pd.DataFrame,
    own: NDArray[np.int64],
    placed: NDArray[np.object_],
    dealt: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> pd.DataFrame:
    """Put what was dealt out and what was not into one table, incident by incident."""
    row, cell_of, weight = dealt
    at_point = np.flatnonzero(placed != "spread")
    counted = np.isin(placed[at_point], ("point", "naive"))
    cell = np.where(counted, own[at_point], 0)
    weight = np.append(weight, np.where(cell > 0, 1.0, np.nan))
    cell, row = np.append(cell_of, cell), np.append(row, at_point)
    order = np.lexsort((cell, row))
    row = row[order]
    names = incidents["incident_id"].to_numpy(dtype=object)[row]
    columns = (names, cell[order], weight[order], placed[row])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _wanted(
    incidents: gpd.GeoDataFrame,
    lonlat: tuple[NDArray[np.float64], NDArray[np.float64]],
    areas: gpd.GeoDataFrame | None,
    precision: pd.Series,
) -> pd.DataFrame:
    """Incidents to deal out: number, column of the cells, code of the area, day."""
    parts = []
    day = _days(incidents, "occurred_on")
    for name, (level, column) in LEVELS.items():
        area = area_of_level(*lonlat, areas, precision.eq(name).to_numpy(), level)
        row = np.flatnonzero(area.notna())
        facts = {"row": row, "area": area.iloc[row].to_numpy(), "occurred_on": day[row]}
        parts.append(pd.DataFrame(facts).assign(column=column))
    return pd.concat(parts, ignore_index=True)


def _past(incidents: pd.DataFrame, at: NDArray[np.int64], exact: NDArray[np.bool_]) -> Past:
    """Incidents at known points and days, with the day each came on record."""
    occurred, reported = _days(incidents, "occurred_on"), _days(incidents, "reported_on")
    exact = exact & ~np.isnat(occurred)
    known = np.where(np.isnat(reported), occurred, np.fmax(reported, occurred))
    return Past(at=at[exact], occurred_on=occurred[exact], known_on=known[exact])


def _days(incidents: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    """Days of a column; NaT where it is not there."""
    if column not in incidents:
        return np.full(len(incidents), np.datetime64("NaT", "D"), dtype="datetime64[D]")
    return pd.to_datetime(incidents[column]).to_numpy(dtype="datetime64[D]")


def cells_in(cells: pd.DataFrame) -> NDArray[np.int64]:
    """Return the cells of the area of interest, sorted."""
    require_columns(cells, "cells", ("cell",))
    return cells["cell"].to_numpy(dtype=np.int64)


def points_of(incidents: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes; NaN where there is no point."""
    places = incidents.geometry
    other = ~(places.isna() | places.is_empty | (places.geom_type == "Point"))
    if other.any():
        name = incidents["incident_id"].to_numpy()[np.argmax(other.to_numpy())]
        raise BadInput(
            f"incidents: {name} is a {places[other].geom_type.iloc[0]}, not a point. "
            "Give incidents as points."
        )
    return places.x.to_numpy(dtype=float), places.y.to_numpy(dtype=float)


def precision_of(incidents: pd.DataFrame) -> tuple[NDArray[np.bool_], pd.Series]:
    """Say which incidents count at their point, and the precision stated of each."""
    count = len(incidents)
    said = pd.Series(["unknown"] * count, dtype=object)
    if "location_precision" in incidents:
        given = incidents["location_precision"].astype(object).reset_index(drop=True)
        said = given.where(given.notna(), "unknown")
    error_m: NDArray[np.float64] = np.full(count, np.nan)
    if "location_error_m" in incidents:
        error_m = incidents["location_error_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    unknown = (said == "unknown").to_numpy()
    precise = said.isin(AT_ITS_POINT).to_numpy() | (unknown & ~(error_m > TRUSTED_M))
    return precise, said


def area_of_level(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    areas: gpd.GeoDataFrame | None,
    wanted: NDArray[np.bool_],
    level: int,
) -> pd.Series:
    """Area of a level that holds each wanted point; NA for the others and where none does."""
    found = pd.Series([None] * len(lon), dtype=object)
    if areas is None or len(areas) == 0 or not wanted.any():
        return found
    require_columns(areas, "areas", ("area_id", "admin_level", "geometry"))
    ours = areas[areas["admin_level"].to_numpy(dtype=float, na_value=np.nan) == level]
    rows = np.flatnonzero(wanted)
    points = gpd.points_from_xy(lon[rows], lat[rows])
    at, of = ours.sindex.query(points, predicate="intersects")
    _, first = np.unique(at, return_index=True)  # on a common border: the area that comes first
    found.iloc[rows[at[first]]] = ours["area_id"].to_numpy(dtype=object)[of[first]]
    return found
