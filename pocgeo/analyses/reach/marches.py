"""How long whole bases are on the way to other places, over the ground or by air."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pocgeo.analyses.bases import words_of
from pocgeo.analyses.reach.air import AIR, air_table
from pocgeo.analyses.reach.over_ground import Ground, crossing_of, graph_of
from pocgeo.analyses.reach.seeds import departures
from pocgeo.analyses.reach.table import reach_minutes
from pocgeo.cells import grid
from pocgeo.ground.frames import require_columns

__all__ = ["march_minutes"]

BATCH = 16
"""Bases asked at once: each is asked about all ground within the limit."""

Floats = NDArray[np.float64]


def march_minutes(
    ground: Ground, bases: Any, cells: ArrayLike, *, season: str, limit_min: float,
    as_of: pd.Timestamp,
) -> Floats:  # fmt: skip
    """Minutes on the way from every base to some cells, readiness left out.

    Parameters
    ----------
    ground : Ground
    bases : GeoDataFrame, m rows
        `mobility` (how the base marches, known for all), geometry, EPSG:4326. Ranges do not bind:
        they are those of a patrol that must come back.
    cells : int64 array, n
    season : "dry" or "wet"
    limit_min : float
    as_of : day
        Only roads open on that day.

    Returns
    -------
    m x n floats
        NaN: no way, or a longer one than the limit.
    """
    require_columns(bases, "bases", ["mobility", "geometry"])
    asked = np.asarray(cells, dtype=np.int64)
    made = np.full((len(bases), len(asked)), np.nan)
    at = grid.positions(ground.lattice.cells, asked)
    means = words_of(bases, "mobility").to_numpy(object)
    shapes = bases["geometry"].to_numpy()
    for way in sorted(set(means)):
        rows = np.flatnonzero(means == way)
        if way == AIR:
            made[rows] = flights(ground, bases.iloc[rows], asked, limit_min)
            continue
        crossing = crossing_of(ground, way, season)
        graph = graph_of(ground, way, season, as_of, crossing)
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            sites = departures(ground.lattice, graph, shapes[some], crossing_min=crossing)
            table = reach_minutes(graph, sites, limit_min)
            full = np.full((len(some), graph.cells_n + 1), np.nan)
            full[table.site, table.cell] = table.minutes
            made[some] = full[:, at]  # a cell outside the area is the last column: unknown
    return made


def flights(ground: Ground, bases: Any, cells: NDArray[np.int64], limit_min: float) -> Floats:
    """Minutes by air, readiness left out."""
    every = ground.terrain.cells
    places = every[every["cell"].isin(cells)]
    number = [str(row) for row in range(len(bases))]
    asked = bases.assign(base_id=number, qrf_notice_min=0.0, max_range_km=np.nan)
    table = air_table(
        places, asked, ground.rules.air, landing_sites=ground.landing_sites, horizon_min=limit_min
    )
    found = table.groupby(["base_id", "cell"])["reach_min"].min()
    pairs = pd.MultiIndex.from_product([number, cells])
    minutes: Floats = found.reindex(pairs).to_numpy("float64")
    return minutes.reshape(len(bases), len(cells))
