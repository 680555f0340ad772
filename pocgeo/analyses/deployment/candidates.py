"""Places that a base might go to: proposed ones, thinned to a declared number."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from pocgeo.analyses.deployment.siting import Floats, Mask
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import earth_centred_m

__all__ = ["NEAR_KM", "local_demand", "thinned_places"]

NEAR_KM = 10.0
"""House default: demand within this of a place speaks for it."""

CHUNK = 2_000


def thinned_places(
    places: pd.DataFrame, demand: pd.DataFrame, most: int, spacing_km: float
) -> pd.DataFrame:
    """Thin places to a number: those with most demand near, and apart from each other.

    Parameters
    ----------
    places : DataFrame, n rows
        `site_id` (unique), `lon`, `lat`, degrees, EPSG:4326.
    demand : DataFrame, one row per cell
        `lon`, `lat`, `demand`.
    most : int
        Places kept at most.
    spacing_km : float
        Places nearer together than this are both kept only once all others are: the spacing is
        then halved, and halved again.

    Returns
    -------
    DataFrame, at most `most` rows, in the order of `places`
        With `near_demand`. The order of the rows given does not matter.

    Raises
    ------
    MissingColumns, BadInput
        A column is absent; a place has no position.
    """
    require_columns(places, "places", ["site_id", "lon", "lat"])
    require_columns(demand, "demand", ["lon", "lat", "demand"])
    if most < 1 or not spacing_km > 0:
        raise BadInput("most must be 1 or more, and spacing_km more than 0.")
    if places[["lon", "lat"]].isna().to_numpy().any():
        raise BadInput("A candidate place has no position. Give lon and lat of each.")
    table = places.assign(near_demand=local_demand(places, demand))
    if len(table) <= most:
        return table.reset_index(drop=True)
    ranked = table.sort_values(["near_demand", "site_id"], ascending=[False, True], kind="stable")
    spots = earth_centred_m(ranked["lon"].to_numpy(), ranked["lat"].to_numpy())
    taken = np.zeros(len(ranked), dtype=bool)
    spacing_m = spacing_km * 1000
    while taken.sum() < most:
        taken = spaced(spots, taken, spacing_m, most)
        spacing_m = spacing_m / 2 if spacing_m > 1 else 0.0
    chosen = set(ranked["site_id"].to_numpy()[taken])
    return table[table["site_id"].isin(chosen)].reset_index(drop=True)


def spaced(spots: Floats, taken: Mask, spacing_m: float, most: int) -> Mask:
    """Take further spots in order, each as far as that from all taken."""
    made = taken.copy()
    near: Any = [[]] * len(spots)
    if spacing_m:
        near = KDTree(spots).query_ball_point(spots, spacing_m)
    shut = made.copy()
    for spot in np.flatnonzero(made).tolist():
        shut[near[spot]] = True
    left = most - int(made.sum())
    for spot in range(len(spots)):
        if left <= 0:
            break
        if not shut[spot]:
            made[spot] = shut[spot] = True
            shut[near[spot]] = True
            left -= 1
    return made


def local_demand(places: pd.DataFrame, demand: pd.DataFrame, near_km: float = NEAR_KM) -> Floats:
    """Add up the demand within some kilometres of each place, in a straight line."""
    held = demand[demand["demand"] > 0]
    weight = held["demand"].to_numpy("float64")
    total = np.zeros(len(places))
    if held.empty or places.empty:
        return total
    tree = KDTree(earth_centred_m(held["lon"].to_numpy(), held["lat"].to_numpy()))
    spots = earth_centred_m(places["lon"].to_numpy("float64"), places["lat"].to_numpy("float64"))
    for start in range(0, len(spots), CHUNK):
        near: Any = tree.query_ball_point(spots[start : start + CHUNK], near_km * 1000)
        size = np.array([len(each) for each in near])
        rows = np.concatenate([np.sort(np.asarray(each, dtype=np.int64)) for each in near])
        which = np.repeat(np.arange(len(near)), size)
        total[start : start + CHUNK] = np.bincount(which, weight[rows], minlength=len(near))
    return total
