"""What lies near a cell's centre: alert networks, people in sites."""

import numpy as np
import pandas as pd

from pocgeo.ground.frames import require_columns
from pocgeo.ground.nearness import pairs_within

__all__ = ["alerted", "persons_near"]


def alerted(cells: pd.DataFrame, alerts: pd.DataFrame) -> pd.Series:
    """Say which cells lie in the radius of an alert network.

    Parameters
    ----------
    cells : DataFrame, n rows
        `lon`, `lat` of the centre, degrees, EPSG:4326.
    alerts : GeoDataFrame, m rows
        `radius_m` (NA: its extent is unknown, so it covers only where another does), point or
        polygon geometry, EPSG:4326.

    Returns
    -------
    Series of boolean, n rows
        NA where only a network of unknown extent could reach: within 10 km of it.
    """
    require_columns(cells, "cells", ["lon", "lat"])
    require_columns(alerts, "alerts", ["radius_m", "geometry"])
    radius_m = alerts["radius_m"].to_numpy(dtype=float)
    known = ~np.isnan(radius_m)
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    answer = pd.array([False] * len(cells), dtype="boolean")
    for radius, of in (
        (UNKNOWN_EXTENT_M, ~known),
        *((r, radius_m == r) for r in set(radius_m[known])),
    ):
        if of.any():
            pairs = pairs_within(lon, lat, alerts.geometry.to_numpy()[of], radius)
            answer[np.unique(pairs.point)] = pd.NA if radius is UNKNOWN_EXTENT_M else True
    return pd.Series(answer, index=cells.index, name="alert")


UNKNOWN_EXTENT_M = 10_000.0
"""House default: how far a network whose radius nobody stated might reach."""


def persons_near(cells: pd.DataFrame, sites: pd.DataFrame, within_m: float) -> pd.Series:
    """Add up the people of the sites near each cell's centre.

    Parameters
    ----------
    cells : DataFrame, n rows
        `lon`, `lat` of the centre, degrees, EPSG:4326.
    sites : GeoDataFrame, m rows
        `people_persons` (NA: unknown), geometry, EPSG:4326.
    within_m : float
        Greatest geodesic distance, metres.

    Returns
    -------
    Series of float, n rows
        0 where no site is near; NA where sites are near and nobody counted any of them.
    """
    require_columns(cells, "cells", ["lon", "lat"])
    require_columns(sites, "sites", ["people_persons", "geometry"])
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    pairs = pairs_within(lon, lat, sites.geometry.to_numpy(), within_m)
    people = sites["people_persons"].to_numpy(dtype=float)[pairs.geometry]
    counted = ~np.isnan(people)
    total = np.bincount(pairs.point[counted], weights=people[counted], minlength=len(cells))
    seen = np.bincount(pairs.point[counted], minlength=len(cells)) > 0
    near = np.bincount(pairs.point, minlength=len(cells)) > 0
    return pd.Series(np.where(near & ~seen, np.nan, total), index=cells.index, name="site_persons")
