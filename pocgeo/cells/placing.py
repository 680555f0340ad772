"""Where an incident counts, given how well its place is known."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.grid import cells_of, positions, resolution_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["place_incidents"]

TRUSTED_M = 5_000.0
"""An incident of unknown precision counts at its point unless its stated error exceeds this."""

AT_ITS_POINT = ("point", "near")
OVER_ITS_AREA = "area2"
COLUMNS = ("incident_id", "cell", "weight", "placed")


def place_incidents(
    incidents: gpd.GeoDataFrame,
    cells: pd.DataFrame,
    areas: gpd.GeoDataFrame | None = None,
    people: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give each incident the cells it counts in, so that no vague place becomes a false hotspot.

    Parameters
    ----------
    incidents : GeoDataFrame of points, EPSG:4326
        `incident_id`; `location_precision` and `location_error_m` where known.
    cells : DataFrame with `cell` (sorted), `admin2_id`, `area_km2`, `inside_share`
    areas : GeoDataFrame of polygons, EPSG:4326, with `area_id`, `admin_level`; optional
    people : DataFrame with `cell`, `people_persons`; optional

    Returns
    -------
    DataFrame, one or more rows per incident, sorted by incident (in the order given), then cell
        `incident_id`, `cell`, `weight`, `placed`:

        - "point": precision point or near, or not stated with no stated error beyond 5 km: the
          cell of the point, weight 1;
        - "spread": precision area2: all cells of the second-level area that holds the point, by
          their people, or evenly by area where the area has no known people; weights add up to 1;
        - "set_aside": known only to a first-level area, a route or a country, or not at all, or
          to a second-level area that `areas` does not hold: cell 0, weight NA;
        - "outside": the point lies in no cell (or the spread area has none): cell 0, weight NA.
    """
    require_columns(incidents, "incidents", ("incident_id", "geometry"))
    lon, lat = points_of(incidents)
    precise, vague = precision_of(incidents)
    known = ~np.isnan(lon)
    index = cells_in(cells)
    at = positions(index, cells_of(lon, lat, resolution_of(index)))
    placed = np.full(len(incidents), "set_aside", dtype=object)
    placed[precise & known] = np.where(at[precise & known] >= 0, "point", "outside")
    area = second_level_area(lon, lat, areas, vague & known)
    row, cell_at, weight = spread(area, cells, people)
    placed[area.notna().to_numpy()] = "outside"
    placed[np.unique(row)] = "spread"
    at_point = np.flatnonzero(placed != "spread")
    cell = np.where(placed[at_point] == "point", index[at[at_point]], 0)
    weight = np.append(weight, np.where(cell > 0, 1.0, np.nan))
    cell, row = np.append(index[cell_at], cell), np.append(row, at_point)
    order = np.lexsort((cell, row))
    row = row[order]
    names = incidents["incident_id"].to_numpy(dtype=object)[row]
    columns = (names, cell[order], weight[order], placed[row])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


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


def precision_of(incidents: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which incidents count at their point, and which over their second-level area."""
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
    return precise, (said == OVER_ITS_AREA).to_numpy()


def second_level_area(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    areas: gpd.GeoDataFrame | None,
    wanted: NDArray[np.bool_],
) -> pd.Series:
    """Second-level area that holds each wanted point; NA for the others and where none does."""
    found = pd.Series([None] * len(lon), dtype=object)
    if areas is None or len(areas) == 0 or not wanted.any():
        return found
    require_columns(areas, "areas", ("area_id", "admin_level", "geometry"))
    second = areas[areas["admin_level"].to_numpy(dtype=float, na_value=np.nan) == 2]
    rows = np.flatnonzero(wanted)
    points = gpd.points_from_xy(lon[rows], lat[rows])
    at, of = second.sindex.query(points, predicate="intersects")
    _, first = np.unique(at, return_index=True)  # on a common border: the area that comes first
    found.iloc[rows[at[first]]] = second["area_id"].to_numpy(dtype=object)[of[first]]
    return found


def spread(
    area: pd.Series, cells: pd.DataFrame, people: pd.DataFrame | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows of incidents, positions of cells and weights of all that is spread over an area."""
    none = np.zeros(0, dtype=np.int64)
    if area.isna().all():
        return none, none, np.zeros(0)
    require_columns(cells, "cells", ("cell", "admin2_id"))
    surface = np.ones(len(cells))
    if {"area_km2", "inside_share"} <= set(cells.columns):
        surface = (cells["area_km2"] * cells["inside_share"]).to_numpy(dtype=float)
    persons: NDArray[Any] = np.zeros(len(cells))
    if people is not None:
        require_columns(people, "population", ("cell", "people_persons"))
        held = people.set_index("cell")["people_persons"].astype(float)
        persons = cells["cell"].map(held).fillna(0.0).to_numpy()
    ground = pd.DataFrame(
        {
            "area": cells["admin2_id"].to_numpy(dtype=object),
            "at": np.arange(len(cells)),
            "persons": persons,
            "surface": surface,
        }
    ).dropna(subset="area")
    total = ground.groupby("area")[["persons", "surface"]].transform("sum")
    lived_in = total["persons"] > 0
    ground["weight"] = np.where(
        lived_in,
        ground["persons"] / total["persons"].where(lived_in, 1),
        ground["surface"] / total["surface"],
    )
    ground = ground[ground["weight"] > 0]
    wanted = pd.DataFrame({"area": area.to_numpy(dtype=object), "row": np.arange(len(area))})
    pairs = wanted.dropna(subset="area").merge(ground, on="area", how="inner")
    return (
        pairs["row"].to_numpy(dtype=np.int64),
        pairs["at"].to_numpy(dtype=np.int64),
        pairs["weight"].to_numpy(dtype=float),
    )
