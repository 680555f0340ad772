"""Reach of bases and candidate places alike, kept in the store; marches of bases that move."""

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.reach import STRAIGHT_LINE, reach_table
from pocgeo.analyses.reach.over_ground import ground_reach_table
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.travel import ground_of, reach_method
from pocgeo.ground.provenance import code_digest, digest_of

__all__ = ["march_minutes", "site_minutes"]

ROOMS = ("ground", "cells", "analyses/reach", "aoi/plans/reach.py")
BATCH = 400

MARCH_MIN = 2_880.0
"""A march longer than two days is not worked out."""


def site_minutes(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, standard: DeploymentStandard,
    season: str,
) -> ReachTable:  # fmt: skip
    """Minutes from every site to every cell, kept in the store."""
    cells = index.known("cells")
    reach = replace(moment.reach, season=season, horizon_min=standard.limit_min, reach_min=1.0)
    used = ("cells", "roads", "waterways", "floods", "raster:landcover", "raster:elevation",
            "raster:friction", "landing_sites", "incident_cells")  # fmt: skip
    facts = sites.drop(columns=["name", "geometry"]).astype(str).to_dict("list")
    shapes = [shape.wkb_hex for shape in sites.geometry]
    key: list[Any] = [index.key(name) for name in used if index.has(name)]
    key += [reach, moment.at, facts, shapes, digest_of(index.terrain_rules), reach_method(index)]
    key += [index.file.standards.get("terrain"), code_digest(*ROOMS)]
    found = index.store.table(
        f"plan_reach_{season}",
        {"key": digest_of(key)},
        lambda: compact_minutes(index, moment, sites, reach),
    )
    site = found["site"].to_numpy()
    return ReachTable(
        indptr=np.searchsorted(site, np.arange(len(sites) + 1)).astype(np.int64),
        cell=found["position"].to_numpy(np.int32),
        minutes=found["reach_min"].to_numpy(np.float32),
        cells_n=len(cells),
        limit_min=standard.limit_min,
    )


def compact_minutes(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, reach: Any
) -> pd.DataFrame:
    """Ask reach of the sites, some at a time; site and cell as numbers."""
    cells = index.known("cells")
    order = pd.Index(cells["cell"])
    number = pd.Index(sites["site_id"])
    parts = []
    straight = reach_method(index) == STRAIGHT_LINE
    ground = None if straight else ground_of(index, moment.at)
    asked = sites.rename(columns={"site_id": "base_id"})
    for start in range(0, len(sites), BATCH):
        index.say(f"reach of {len(sites)} sites", start, len(sites))
        some = asked.iloc[start : start + BATCH]
        if ground is None:
            rows = reach_table(cells, some, reach)
        else:
            rows = ground_reach_table(ground, some, reach, as_of=moment.at)
        rows = rows[rows["reach_min"] <= reach.horizon_min]
        parts.append(
            pd.DataFrame(
                {
                    "site": number.get_indexer(rows["base_id"]).astype(np.int32),
                    "position": order.get_indexer(rows["cell"]).astype(np.int32),
                    "reach_min": rows["reach_min"].to_numpy(np.float32),
                }
            )
        )
    index.say(f"reach of {len(sites)} sites", len(sites), len(sites))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["site", "position", "reach_min"], kind="stable")
    return table.drop_duplicates(["site", "position"], ignore_index=True)


def march_minutes(
    index: Indexed, moment: Moment, standard: DeploymentStandard, ends: pd.DataFrame, season: str
) -> NDArray[np.float64]:
    """Minutes on the way of each base that moves, moving as people do from a new place.

    Parameters
    ----------
    ends : DataFrame, n rows
        `lon`, `lat` of the base; `cell` of the place.

    Returns
    -------
    n floats
        Readiness left out; NaN: no way, or more than two days.
    """
    if ends.empty:
        return np.zeros(0)
    spots: Any = shapely.points(ends["lon"], ends["lat"])
    asked = gpd.GeoDataFrame(
        {
            "base_id": [str(row) for row in range(len(ends))],
            "mobility": standard.mobility, "qrf_notice_min": 0.0,
        },
        geometry=spots, crs="EPSG:4326",
    )  # fmt: skip
    reach = replace(moment.reach, season=season, horizon_min=MARCH_MIN, reach_min=1.0)
    cells = index.known("cells")
    if reach_method(index) == STRAIGHT_LINE:
        rows = reach_table(cells, asked, reach)
    else:
        rows = ground_reach_table(ground_of(index, moment.at), asked, reach, as_of=moment.at)
    found = rows.set_index(["base_id", "cell"])["reach_min"]
    pairs = list(zip(asked["base_id"], ends["cell"], strict=True))
    minutes: NDArray[np.float64] = found.reindex(pairs).to_numpy("float64")
    return np.where(minutes <= MARCH_MIN, minutes, np.nan)
