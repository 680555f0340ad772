"""Reach of one AOI: over the ground where its layers say what the ground is, else straight."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.reach import STRAIGHT_LINE, ReachStandard, reach_table
from pocgeo.analyses.reach.over_ground import Ground, ground_reach_table
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.threats import insecurity
from pocgeo.cells.lattice import lattice
from pocgeo.cells.terrain import Terrain, flooded_shares, insecurity_factors
from pocgeo.cells.ways import road_flooded_shares
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.provenance import code_digest, digest_of

__all__ = [
    "EVER",
    "TERRAIN",
    "Change",
    "answering",
    "ground_of",
    "method_words",
    "minutes_table",
    "reach_method",
    "refuse_straight",
]

TERRAIN = "terrain"
GROUND_LAYERS = ("roads", "raster:landcover", "raster:friction")
USED = ("roads", "waterways", "floods", "raster:landcover", "raster:elevation", "raster:friction",
        "landing_sites", "bases")  # fmt: skip
REACH_ROOMS = ("ground", "cells", "analyses/reach")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is otherwise than it is: bases taken away, roads closed."""

    without_bases: tuple[str, ...] = ()
    """Codes of bases that do not answer."""

    closed_roads: tuple[str, ...] = ()
    """Codes or names of roads that cannot be used."""

    only_bases: tuple[str, ...] = field(default=())
    """Only these bases answer; all where empty."""

    every_base: bool = False
    """Take all bases that ever stood: who stood on which day is judged later."""

    @property
    def words(self) -> str:
        """Say the change as a title does."""
        said = [f"without base {code}" for code in self.without_bases]
        said += [f"road {name} closed" for name in self.closed_roads]
        said += [f"only base {code}" for code in self.only_bases]
        return ", ".join(said) or "nothing"


AS_IT_IS = Change()
EVER = Change(every_base=True)


def reach_method(index: Indexed) -> str:
    """Say how reach is measured: as [standards.reach] method says, else by what is loaded."""
    said = index.file.standards.get("reach", {}).get("method")
    if said is not None:
        if said not in (TERRAIN, STRAIGHT_LINE):
            raise UnknownName("method of reach", str(said), (TERRAIN, STRAIGHT_LINE))
        return str(said)
    return TERRAIN if any(index.has(name) for name in GROUND_LAYERS) else STRAIGHT_LINE


def method_words(index: Indexed, standard: ReachStandard) -> str:
    """Name the method as products print it."""
    over = reach_method(index) == TERRAIN
    return f"terrain, {standard.season} season" if over else STRAIGHT_LINE


def minutes_table(
    index: Indexed, standard: ReachStandard, as_of: pd.Timestamp, change: Change = AS_IT_IS
) -> pd.DataFrame | None:
    """Minutes from every standing base to every cell; None without bases.

    Kept in the store: it is asked again and again, and worked out once.
    """
    bases = index.table("bases")
    if bases is None:
        return None
    bases = answering(bases, change)
    if reach_method(index) == STRAIGHT_LINE:
        return reach_table(index.known("cells"), bases, standard, as_of=as_of)
    used = USED + (("incident_cells", "incidents") if insecure(index) else ())
    parts = [index.key(name) for name in ("cells", *used) if index.has(name)]
    season = replace(standard, reach_min=1.0)  # the threshold is no part of the minutes
    terrain = index.file.standards.get("terrain")
    rules = digest_of(index.terrain_rules)
    key = digest_of([parts, season, as_of, change, terrain, rules, code_digest(*REACH_ROOMS)])
    name = f"reach_{standard.season}" if change == AS_IT_IS else "reach_changed"
    name = f"reach_ever_{standard.season}" if change == EVER else name
    return index.store.table(
        name,
        {"key": key},
        lambda: ground_reach_table(ground_of(index, as_of, change), bases, standard, as_of=as_of),
    )


def insecure(index: Indexed) -> bool:
    """Whether insecurity slows people by [standards.terrain]."""
    return bool(index.file.standards.get("terrain", {}).get("insecurity", False))


def answering(bases: Any, change: Change) -> Any:
    """Leave out the bases that are taken away; refuse a code that no base has."""
    for name in (*change.without_bases, *change.only_bases):
        if name not in set(bases["base_id"]):
            raise UnknownName("base", name, bases["base_id"].astype(str))
    kept = ~bases["base_id"].isin(change.without_bases)
    if change.only_bases:
        kept &= bases["base_id"].isin(change.only_bases)
    if change.every_base:
        bases = bases.assign(opened_on=pd.NaT, closed_on=pd.NaT)
    return bases[kept]


def ground_of(index: Indexed, at: pd.Timestamp, change: Change = AS_IT_IS) -> Ground:
    """Put together mesh, terrain and rules of the AOI, as of a day."""
    roads = index.table("roads")
    water = index.table("waterways")
    mesh = index.kept("lattice", lambda: lattice(index.known("cells"), roads, water))
    floods = index.table("floods")
    flooded = None
    if roads is not None and floods is not None:
        flooded = index.kept("road floods", lambda: road_flooded_shares(roads.geometry, floods))
    return Ground(
        lattice=mesh,
        terrain=index.kept(f"terrain {at}", lambda: terrain_of(index, at)),
        rules=index.terrain_rules,
        roads=None if roads is None else closed(roads, change),
        road_flooded=flooded,
        landing_sites=index.table("landing_sites"),
    )


def closed(roads: Any, change: Change) -> Any:
    """Close the roads named, by code or name; refuse a name that none has."""
    shut = np.zeros(len(roads), dtype=bool)
    for wanted in change.closed_roads:
        hit = np.zeros(len(roads), dtype=bool)
        for column in ("road_id", "name"):
            hit |= (roads[column].astype("string") == wanted).fillna(value=False).to_numpy(bool)
        if not hit.any():
            known = [*roads["road_id"].dropna().astype(str), *roads["name"].dropna().astype(str)]
            raise UnknownName("road", wanted, known)
        shut |= hit
    if not shut.any():
        return roads
    held = roads["closed"].astype("boolean").fillna(False).to_numpy(bool) | shut
    dated = {name: roads[name].mask(shut) for name in ("closed_from_on", "closed_until_on")}
    return roads.assign(closed=held, **dated)


def terrain_of(index: Indexed, at: pd.Timestamp) -> Terrain:
    """Say what the ground of each cell is, from the layers that are loaded."""
    cells = index.known("cells")
    cover, relief, friction = (
        index.table(name) for name in ("land_cover", "elevation_means", "friction_means")
    )
    floods, levels = index.table("floods"), insecurity(index, at)
    return Terrain(
        cells=cells,
        cover=None if cover is None else cover.drop(columns="cell"),
        elevation_m=None if relief is None else relief["elevation_m"],
        flooded_share=None if floods is None else flooded_shares(floods, cells),
        insecurity=None if levels is None else insecurity_factors(levels, index.terrain_rules),
        friction_min_per_m=None if friction is None else friction["friction_min_per_m"],
        notes=tuple(cover.attrs.get("notes", ())) if cover is not None else (),
    )


def refuse_straight(index: Indexed, what: str) -> None:
    """Refuse a question that only terrain can answer."""
    if reach_method(index) == STRAIGHT_LINE:
        raise BadInput(
            f"{index.file.path}: {what} needs terrain. Add roads, land cover or a friction raster "
            'under [layers], or take method = "straight line" out of [standards.reach].'
        )
