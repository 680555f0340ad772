"""The ground a base patrols: which cells are its own, and where one could stop."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.patrols.stops import candidate_stops
from pocgeo.analyses.reach.graph import field as field_of
from pocgeo.analyses.reach.seeds import departures
from pocgeo.aoi import answers
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.patrols.asked import Setting
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m

__all__ = ["aor_of", "reachable_stops"]


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
