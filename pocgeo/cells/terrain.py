"""What the ground is, cell by cell, and the minutes it takes to move over it off the roads."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.cells.grid import boundaries, cover, positions, resolution_of
from pocgeo.cells.overlay import on_earth, shares
from pocgeo.cells.speeds import (
    MIN_PER_H,
    UNKNOWN,
    TerrainRules,
    known_mobility,
    known_season,
)
from pocgeo.ground.areas import areas_km2
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns

__all__ = [
    "Terrain",
    "flooded_extent",
    "flooded_shares",
    "insecurity_factors",
    "pace",
    "pace_notes",
    "relief_m",
]

MEANS = {
    "foot": "people on foot", "wheeled": "vehicles on wheels", "tracked": "tracked vehicles",
    "boat": "boats",
}  # fmt: skip

HAIR = 1e-5
"""Shares of float32 are compared with this slack."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """What the ground is, per cell, independent of who moves."""

    cells: pd.DataFrame
    """`cell` (sorted int64), `lon`, `lat`; everything below is in this order."""

    cover: pd.DataFrame | None = None
    """Share of each cell by land-cover class (columns), rows adding up to 1, NA where unknown."""

    elevation_m: pd.Series | None = None
    """Mean height of the cell; NaN where unknown."""

    flooded_share: pd.Series | None = None
    """Part of the cell under flood in the wet season, 0-1."""

    insecurity: pd.Series | None = None
    """Factor on minutes, 1 or more; NaN counts as 1."""

    friction_min_per_m: pd.Series | None = None
    """Minutes for a metre from a friction raster; where it is known it replaces the cover."""

    notes: tuple[str, ...] = ()
    """What could not be read of the layers, in words."""

    def __post_init__(self) -> None:
        require_columns(self.cells, "cells", ("cell", "lon", "lat"))
        for name in ("cover", "elevation_m", "flooded_share", "insecurity", "friction_min_per_m"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.cells):
                raise BadInput(
                    f"terrain: {name} has {len(given)} rows, the cells {len(self.cells)}. "
                    "Give one row per cell, in their order."
                )
        refuse_outside("flooded_share", self.flooded_share, 0.0, 1.0)
        refuse_outside("insecurity", self.insecurity, 1.0, np.inf)
        refuse_outside("friction_min_per_m", self.friction_min_per_m, 1e-6, np.inf)
        if self.cover is not None:
            total = self.cover.sum(axis=1, skipna=False).to_numpy(dtype=np.float64)
            if (np.abs(total[~np.isnan(total)] - 1) > HAIR).any():
                raise BadInput("terrain: the land-cover shares of a cell do not add up to 1.")


def refuse_outside(name: str, values: pd.Series | None, least: float, most: float) -> None:
    """Refuse a value out of bounds; NaN is unknown and passes."""
    if values is None:
        return
    held = values.to_numpy(dtype=np.float64)
    held = held[~np.isnan(held)]
    if ((held < least) | (held > most)).any():
        raise BadInput(f"terrain: {name} must be from {least:g} to {most:g}.")


def pace(terrain: Terrain, rules: TerrainRules, mobility: str, season: str) -> NDArray[np.float32]:
    """Minutes for a kilometre on flat ground off the roads, in each cell.

    Parameters
    ----------
    terrain : Terrain, n cells
    rules : TerrainRules
    mobility : str
        "foot", "wheeled", "tracked" or "boat".
    season : str
        "dry" or "wet". Floods count in the wet season only.

    Returns
    -------
    float32 array, n
        Infinite where a cell is impassable.

    Notes
    -----
    - The pace of a cell is the geometric mean of its classes' paces by the shares that can be
      passed: people go round the worst ground of a cell, but not all the way on the best. A cell
      half water is passed on its land half, at the land's pace. Where less than
      `least_passable_share` can be passed, the cell cannot. (Against the fine lattice of
      benchmarks/bench_reach.py this errs less than mean slowness or mean speed.)
    - Where a mobility dismounts, each class counts with the quicker of vehicle and walker.
    - The flooded share moves at the declared part of the speed; where that is nothing, it is as
      impassable as water.
    - Where no declared wet speed is above its dry one, the wet pace is never quicker than the
      dry one: a class that the rains close would else drop out of the mean.
    """
    known_mobility(mobility)
    minutes = seasonal_pace(terrain, rules, mobility, season)
    if known_season(season) == "wet" and never_faster_wet(rules, mobility):
        minutes = np.maximum(minutes, seasonal_pace(terrain, rules, mobility, "dry"))
    if terrain.insecurity is not None:
        minutes = minutes * terrain.insecurity.fillna(1.0).to_numpy(dtype=np.float64)
    return minutes.astype(np.float32)


def never_faster_wet(rules: TerrainRules, mobility: str) -> bool:
    """Say whether every declared wet speed that this mobility uses is at most its dry one."""
    means = {mobility, "foot"} if rules.off_road[mobility].dismounts else {mobility}
    return all(
        rules.off_road[each].never_faster_wet()
        and rules.friction[each].wet <= rules.friction[each].dry
        for each in means
    )


def seasonal_pace(terrain: Terrain, rules: TerrainRules, mobility: str, season: str) -> Floats:
    """Minutes for a kilometre as one season's inputs say, without insecurity."""
    minutes, passable = state(terrain, rules, mobility, season, flooded=False)
    if season == "wet" and terrain.flooded_share is not None:
        under, passable_under = state(terrain, rules, mobility, season, flooded=True)
        under = np.maximum(under, minutes)
        share = terrain.flooded_share.fillna(0.0).to_numpy(dtype=np.float64)
        crossed = np.isfinite(under)
        wet = np.where(crossed, under, 0.0) * share + minutes * np.where(crossed, 1 - share, 1.0)
        passable = (1 - share) * passable + share * passable_under
        minutes = np.where(passable > 0, wet, np.inf)
    return np.where(passable >= rules.least_passable_share - HAIR, minutes, np.inf)


def state(
    terrain: Terrain, rules: TerrainRules, mobility: str, season: str, *, flooded: bool
) -> tuple[Floats, Floats]:
    """Minutes for a kilometre, and passable share, if all of each cell were dry or flooded."""
    means = [mobility, *(["foot"] if rules.off_road[mobility].dismounts else [])]
    left = {each: rules.flooded_off_road[each] if flooded else 1.0 for each in means}
    if terrain.cover is None:
        names: list[str] = [UNKNOWN]
        mixed = np.ones((len(terrain.cells), 1))
    else:
        names = [*terrain.cover.columns, UNKNOWN]
        known = terrain.cover.to_numpy(dtype=np.float64)
        bare = np.isnan(known).any(axis=1)
        mixed = np.column_stack([np.where(bare[:, None], 0.0, known), bare.astype(np.float64)])
    kmh = np.max([rules.off_road[each].kmh(names, season) * left[each] for each in means], axis=0)
    moving = kmh > 0
    passable = mixed @ moving
    slowness = np.divide(MIN_PER_H, kmh, out=np.ones_like(kmh), where=moving)
    weighed = mixed @ np.where(moving, np.log(slowness), 0.0)
    mean = np.divide(weighed, passable, out=np.full(len(mixed), np.inf), where=passable > 0)
    minutes = np.exp(mean)
    if terrain.friction_min_per_m is not None:
        factor = max(rules.friction[each].of(season) * left[each] for each in means)
        speaks = max(rules.friction[each].dry for each in means) > 0
        raster = terrain.friction_min_per_m.to_numpy(dtype=np.float64) * 1000
        given = np.isfinite(raster) & speaks
        minutes = np.where(given, raster / factor if factor > 0 else np.inf, minutes)
        passable = np.where(given, float(factor > 0), passable)
    return minutes, passable


def pace_notes(terrain: Terrain, rules: TerrainRules, mobility: str) -> tuple[str, ...]:
    """Say what the pace rests on where nothing is known: no default is silent."""
    known_mobility(mobility)
    size = len(terrain.cells)
    bare = np.ones(size, dtype=bool)
    if terrain.cover is not None:
        bare = terrain.cover.isna().any(axis=1).to_numpy()
    found = list(terrain.notes)
    if terrain.friction_min_per_m is not None and rules.friction[mobility].dry > 0:
        given = terrain.friction_min_per_m.notna().to_numpy()
        bare = bare & ~given
        found.append(f"Friction raster used in {given.sum():,} of {size:,} cells.")
    if bare.any():
        default, who = rules.off_road[mobility].default, MEANS[mobility]
        pace = f"go at a default of {default.dry:g} km/h dry, {default.wet:g} km/h wet"
        said = pace if default.dry > 0 else "do not go"
        found.append(
            f"No land cover in {bare.sum():,} of {size:,} cells: off the roads, {who} {said} there."
        )
    return tuple(found)


def relief_m(terrain: Terrain, rules: TerrainRules) -> NDArray[np.float32] | None:
    """Heights from which slope is taken; NaN where a friction raster already holds the slope."""
    if terrain.elevation_m is None:
        return None
    heights = terrain.elevation_m.to_numpy(dtype=np.float32, copy=True)
    if terrain.friction_min_per_m is not None and rules.friction_slope_included:
        heights[terrain.friction_min_per_m.notna().to_numpy()] = np.nan
    return heights


def flooded_extent(floods: gpd.GeoDataFrame) -> shapely.Geometry | None:
    """Join the polygons of the wet season's floods; those that say they are of the dry are out."""
    require_columns(floods, "floods", ("geometry",))
    kept = floods.geometry.notna() & ~floods.geometry.is_empty
    if "season" in floods.columns:
        kept &= floods["season"].astype(object).fillna("").str.casefold() != "dry"
    shapes = [on_earth(shape) for shape in floods.geometry[kept]]
    return shapely.union_all(shapes) if shapes else None


def flooded_shares(floods: gpd.GeoDataFrame, cells: pd.DataFrame) -> pd.Series:
    """Part of each cell under flood in the wet season.

    Parameters
    ----------
    floods : GeoDataFrame of polygons, EPSG:4326
        `season`, where known. Overlapping polygons count once.
    cells : DataFrame, n rows, `cell` (sorted int64)

    Returns
    -------
    Series of n, 0-1, in the order of the cells
    """
    index = cells["cell"].to_numpy(dtype=np.int64)
    found = np.zeros(len(index))
    extent = flooded_extent(floods)
    if extent is None:
        return pd.Series(found)
    touched = cover(extent, resolution_of(index))
    at = positions(index, touched)
    at = at[at >= 0]
    shapes = boundaries(index[at])
    _, place, flooded_km2 = shares(np.array([extent], dtype=object), shapes)
    found[at[place]] = np.minimum(flooded_km2 / areas_km2(shapes[place]), 1.0)
    return pd.Series(found)


def insecurity_factors(levels: pd.Series, rules: TerrainRules) -> pd.Series:
    """Turn a cell's level of insecurity into a factor on minutes.

    Parameters
    ----------
    levels : Series of n texts, levels of [insecurity] in the rules; NA counts as 1

    Raises
    ------
    UnknownName
        A level that the rules do not have.
    """
    named = levels.dropna()
    for level in named.unique():
        if level not in rules.insecurity:
            raise UnknownName("level of insecurity", str(level), rules.insecurity)
    return levels.map(dict(rules.insecurity)).astype("float64").fillna(1.0)
