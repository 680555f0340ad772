"""Reach of bases and candidate places alike, kept in the store; marches of bases that move."""

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.reach import STRAIGHT_LINE, reach_table
from pocgeo.analyses.reach.air import AIR
from pocgeo.analyses.reach.marches import march_minutes
from pocgeo.analyses.reach.over_ground import ground_reach_table
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.travel import ground_of, reach_method
from pocgeo.ground.provenance import code_digest, digest_of

__all__ = ["march_table", "means_of", "site_minutes"]

ROOMS = ("ground", "cells", "analyses/reach", "aoi/plans/reach.py")
BATCH = 400


def site_minutes(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, standard: DeploymentStandard,
    season: str,
) -> ReachTable:  # fmt: skip
    """Minutes from every site to every cell, kept in the store."""
    cells = index.known("cells")
    reach = replace(moment.reach, season=season, horizon_min=standard.limit_min, reach_min=1.0)
    used = ("cells", "roads", "waterways", "floods", "raster:landcover", "raster:elevation",
            "raster:friction", "landing_sites", "incident_cells")  # fmt: skip
    bare = sites.drop(columns=["name", "geometry", "unit", "caveat", "base_kind"])
    facts = bare.astype(str).to_dict("list")
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


def march_table(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, standard: DeploymentStandard,
    season: str,
) -> NDArray[np.float64]:  # fmt: skip
    """Minutes on the way from every base that might move to every place near enough.

    A base that flies, and any where moves are by air, flies; others move as people do from a new
    place. Kept in the store.

    Returns
    -------
    sites x sites floats
        Readiness left out; NaN: no way within the limit, or not asked.
    """
    existing = sites["existing"].to_numpy(bool)
    bases, places = np.flatnonzero(existing), np.flatnonzero(~existing)
    found = np.full((len(sites), len(sites)), np.nan)
    if not len(bases) or not len(places):
        return found
    asked = sites.iloc[bases][["site_id", "mobility", "geometry"]].copy()
    asked["mobility"] = means_of(asked["mobility"], standard)
    ends = sites["cell"].to_numpy("int64")[places]
    used = ("cells", "roads", "waterways", "floods", "raster:landcover", "raster:elevation",
            "raster:friction", "landing_sites", "incident_cells")  # fmt: skip
    key: list[Any] = [index.key(name) for name in used if index.has(name)]
    key += [moment.at, season, standard.march_limit_min, reach_method(index), ends.tolist()]
    key += [asked["mobility"].tolist(), [shape.wkb_hex for shape in asked.geometry]]
    key += [moment.reach, digest_of(index.terrain_rules), index.file.standards.get("terrain")]
    key += [code_digest(*ROOMS)]

    def worked_out() -> pd.DataFrame:
        index.say(f"marches of {len(bases)} bases", 0, 1)
        minutes = marched(index, moment, asked, ends, (season, standard.march_limit_min))
        index.say(f"marches of {len(bases)} bases", 1, 1)
        base, place = np.nonzero(np.isfinite(minutes))
        return pd.DataFrame({"base": base, "place": place, "march_min": minutes[base, place]})

    table = index.store.table("plan_marches", {"key": digest_of(key)}, worked_out)
    found[bases[table["base"]], places[table["place"]]] = table["march_min"].to_numpy("float64")
    return found


def means_of(mobility: pd.Series, standard: DeploymentStandard) -> pd.Series:
    """Say how bases move to a new place."""
    flies = mobility.eq(AIR) | (standard.moves_by == AIR)
    return pd.Series(np.where(flies, AIR, standard.mobility), index=mobility.index, dtype=object)


def marched(
    index: Indexed, moment: Moment, bases: gpd.GeoDataFrame, cells: NDArray[np.int64],
    how: tuple[str, float],
) -> NDArray[np.float64]:  # fmt: skip
    """Minutes on the way of some bases to some cells: bases x cells."""
    season, limit_min = how
    if reach_method(index) != STRAIGHT_LINE:
        ground = ground_of(index, moment.at)
        return march_minutes(
            ground, bases, cells, season=season, limit_min=limit_min, as_of=moment.at
        )
    reach = replace(moment.reach, season=season, horizon_min=limit_min, reach_min=1.0)
    asked = bases.rename(columns={"site_id": "base_id"}).assign(qrf_notice_min=0.0)
    known = index.known("cells")
    rows = reach_table(known[known["cell"].isin(cells)], asked, reach)
    rows = rows[rows["reach_min"] <= limit_min]
    told = rows.set_index(["base_id", "cell"])["reach_min"]
    pairs = pd.MultiIndex.from_product([asked["base_id"], cells])
    minutes: NDArray[np.float64] = told.reindex(pairs).to_numpy("float64")
    return minutes.reshape(len(bases), len(cells))
