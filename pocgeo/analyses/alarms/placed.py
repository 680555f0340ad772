"""Whole incidents in forecast cells: a scan counts incidents, not parts of them."""

import numpy as np
import pandas as pd

from pocgeo.cells import grid
from pocgeo.ground.frames import require_columns

__all__ = ["as_whole", "whole_in_one_cell"]

MOST_OF_IT = 0.5
"""House default: an incident counts in the cell that holds more than half of its weight."""


def whole_in_one_cell(placed: pd.DataFrame, resolution: int) -> tuple[pd.DataFrame, list[str]]:
    """Give every incident the coarser cell that holds most of it.

    Parameters
    ----------
    placed : DataFrame, one row per incident and cell
        `incident_id`, `cell`, `weight` (NA: set aside); any facts, the same in all rows of an
        incident.
    resolution : int
        H3 resolution of the coarser cells, at most that of `cell`.

    Returns
    -------
    table : DataFrame, one row per incident that has such a cell, in the order given
        The facts, and `forecast_cell` (int64); without `cell`, `weight` and `placed`.
    notes : list of str
        How many have none: known only to an area wider than a cell.
    """
    require_columns(placed, "incident_cells", ["incident_id", "cell", "weight"])
    known = placed[placed["weight"].notna() & (placed["weight"] > 0)]
    parent = grid.parents(known["cell"].to_numpy(dtype=np.int64), resolution)
    keys = pd.DataFrame(
        {
            "incident_id": known["incident_id"].to_numpy(),
            "forecast_cell": parent,
            "weight": known["weight"].to_numpy(dtype=float),
        }
    )
    held = keys.groupby(["incident_id", "forecast_cell"], as_index=False, sort=True)["weight"].sum()
    whole = held[held["weight"] > MOST_OF_IT].drop(columns="weight")
    facts = placed.drop(columns=["cell", "weight", "placed"], errors="ignore")
    facts = facts.drop_duplicates("incident_id")
    table = facts.merge(whole, on="incident_id", how="inner")
    vague = len(facts) - len(table)
    notes = []
    if vague:
        notes.append(
            f"{vague} of {len(facts)} incidents on record are known only to a wider area than a "
            "cell, or to none, and are in no alarm."
        )
    return table.reset_index(drop=True), notes


def as_whole(placed: pd.DataFrame, resolution: int) -> pd.DataFrame:
    """Keep the incidents that a scan counts, each whole in the cell that holds most of it.

    A forecast made from these rows is of what the scan counts: one made from parts of
    incidents spread over an area expects what cannot come, and strays less than whole ones do.

    Parameters
    ----------
    placed : DataFrame
        As for `whole_in_one_cell`.

    Returns
    -------
    DataFrame, one row per incident
        The columns of `placed`, with `weight` 1 and `placed` "point".
    """
    whole, _ = whole_in_one_cell(placed, resolution)
    held = placed[placed["incident_id"].isin(whole["incident_id"])]
    held = held.sort_values("weight", ascending=False, kind="stable")
    return held.drop_duplicates("incident_id").sort_index().assign(weight=1.0, placed="point")
