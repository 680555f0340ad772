"""Ground and stops used lately, which patrols should not repeat."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.patrols.asked import Setting
from pocgeo.cells import grid
from pocgeo.ground.geodesy import distance_m

__all__ = ["repeated", "trodden"]

NEAR_M = 1_500.0
"""A stop this near one of the previous plan is the same stop."""


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
