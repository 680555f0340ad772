"""What a patrol leader must know beside the stops."""

import numpy as np
import pandas as pd

from pocgeo.analyses.patrols.plan import PatrolPlan
from pocgeo.aoi.patrols.asked import Setting, known
from pocgeo.aoi.patrols.ground import aor_of
from pocgeo.aoi.travel import AS_IT_IS

__all__ = ["notes_of"]

MOSTLY_ROAD = 0.5
MEANS = {"foot": "On foot", "wheeled": "On wheels", "tracked": "On tracks"}


def notes_of(given: Setting, stops: pd.DataFrame, plan: PatrolPlan) -> list[str]:
    """Say what a patrol leader must know beside the stops."""
    base, asked, table = given.base, given.asked, plan.stops
    said = [
        f"{MEANS.get(given.mobility, f'By {given.mobility}')}, {given.at.reach.season} season; "
        f"{given.shift.words}, {asked.order.reserve_min:g} min of the shift kept in reserve."
    ]
    used = int(table["patrol"].nunique()) if len(table) else 0
    if used < asked.order.patrols:
        said.append(
            f"{used} of {asked.order.patrols} patrols {'goes' if used == 1 else 'go'} out: more "
            "would collect nothing further."
        )
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
            f"Stops lie on the base's own ground: {aor}where no other base is sooner (--beyond "
            "lifts this). Ways may pass through other ground."
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
            f"{worn:.0f} of {whole:.0f} km are over ground that was used in the last "
            f"{'day' if order.repeat_days == 1 else f'{order.repeat_days} days'} of the record"
            + (" or by the previous plan." if given.previous is not None else ".")
        )
    if road < MOSTLY_ROAD * whole:
        said.append(
            f"Only {road:.0f} of {whole:.0f} km are by road, the rest is across country: "
            "look at the ground, and whether the roads layer is complete."
        )
    return said
