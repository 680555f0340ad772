"""Threat as the forecast has it: incidents to come, weighed by how grave those on record were."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.disks import cell_positions, disk_matrix, known_cells
from pocgeo.analyses.weights import RiskWeights
from pocgeo.cells import grid
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["threat_ahead"]

Floats = NDArray[np.float64]

SHARES = {
    "recent": ("share_recent", "share_year"),
    "past": ("share_older",),
    "near": ("share_nearby", "share_population", "share_everywhere"),
}
"""Part of threat -> shares of the forecast that it joins."""


def threat_ahead(
    incident_cells: pd.DataFrame,
    cells: pd.DataFrame,
    own: pd.DataFrame,
    forecast_cells: pd.DataFrame,
    weights: RiskWeights,
) -> pd.DataFrame:
    """Say how much violence the forecast expects to bear on each cell in its months.

    Parameters
    ----------
    incident_cells : DataFrame, known on the day
        `cell`, `weight` (NA is set aside), `severity`.
    cells : DataFrame, n rows
        `cell`.
    own : DataFrame
        `cell`, `expected`: incidents expected in each of the area's cells.
    forecast_cells : DataFrame
        `cell` and the six shares of what the forecast rests on.

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`, `threat` (0-1), `threat_recent` (rests on the last 12 months here),
        `threat_past` (on what is older), `threat_near` (on what is nearby, on people, or on
        nothing in particular); they add up to it.

    Notes
    -----
    load = expected x severity of an incident there, summed over the rings by `nearness`;
    threat = load / (load + half_saturation_ahead). The severity is that of the forecast cell and
    its first ring, drawn towards the mean of the whole record by `severity_prior` incidents.
    """
    require_columns(incident_cells, "incident_cells", ["cell", "weight", "severity"])
    known = known_cells(cells)
    parents = forecast_cells["cell"].to_numpy(dtype=np.int64)
    level = grid.resolution_of(parents)
    above = cell_positions(pd.Series(grid.parents(known, level)), parents)
    worth = severity_of(incident_cells, parents, weights.severity_prior)[above]
    expected = own.set_index("cell")["expected"].reindex(known).fillna(0.0).to_numpy(dtype=float)
    shares = np.column_stack(
        [forecast_cells[list(names)].sum(axis=1).to_numpy(float) for names in SHARES.values()]
    )[above]
    around = disk_matrix(known, weights.nearness)
    loads = around @ ((expected * worth)[:, None] * shares)
    whole = loads.sum(axis=1)
    table = pd.DataFrame({"cell": known, "threat": whole / (whole + weights.half_saturation_ahead)})
    for number, part in enumerate(SHARES):
        table[f"threat_{part}"] = loads[:, number] / (whole + weights.half_saturation_ahead)
    return with_standard(table, "threat", weights=weights)


def severity_of(incident_cells: pd.DataFrame, parents: NDArray[np.int64], prior: float) -> Floats:
    """Give the mean severity of an incident in and around each forecast cell, drawn to the mean."""
    share = incident_cells["weight"].to_numpy(dtype=float, na_value=np.nan)
    cell = incident_cells["cell"].to_numpy(dtype=np.int64)
    placed = ~np.isnan(share) & (cell > 0)
    level = grid.resolution_of(parents)
    at = cell_positions(pd.Series(grid.parents(cell[placed], level)), parents)
    inside = at >= 0
    part = share[placed][inside]
    grave = part * incident_cells["severity"].to_numpy(dtype=float)[placed][inside]
    usual = grave.sum() / part.sum() if part.sum() > 0 else 1.0
    disks = disk_matrix(parents, (1.0, 1.0))
    number = disks @ np.bincount(at[inside], weights=part, minlength=parents.size)
    total = disks @ np.bincount(at[inside], weights=grave, minlength=parents.size)
    found: Floats = (total + prior * usual) / (number + prior)
    return found
