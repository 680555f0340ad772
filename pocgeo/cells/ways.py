"""Along roads and waterways, and across water: minutes for every row of the layers."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from pocgeo.cells.overlay import tiles
from pocgeo.cells.speeds import (
    MIN_PER_H,
    Seasonal,
    TerrainRules,
    known_mobility,
    known_season,
)
from pocgeo.cells.terrain import flooded_extent
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = [
    "closed_roads",
    "crossing_minutes",
    "road_flooded_shares",
    "road_notes",
    "road_pace",
    "waterway_pace",
]

Floats = NDArray[np.float64]


def road_pace(
    roads: pd.DataFrame,
    rules: TerrainRules,
    mobility: str,
    season: str,
    *,
    as_of: pd.Timestamp | str | None,
    flooded_share: ArrayLike | None = None,
) -> Floats:
    """Minutes for a kilometre on flat road, for every row of the layer.

    Parameters
    ----------
    roads : DataFrame, n rows
        `class`; `surface`, `bridge`, `closed`, `closed_from_on`, `closed_until_on` where known.
    mobility, season : str
    as_of : day, or None
        Closures with dates hold if the day lies within them; None: only those without dates.
    flooded_share : float array, n, optional
        Part of the row's length under flood (`road_flooded_shares`); bridges are spared.

    Returns
    -------
    float array, n
        Infinite where the road cannot be used. A road whose flooded part cannot be passed is
        as passable as its worst part.
    """
    known_mobility(mobility)
    require_columns(roads, "roads", ("class",))
    flooded = np.zeros(len(roads))
    if flooded_share is not None and known_season(season) == "wet":
        flooded = np.nan_to_num(np.asarray(flooded_share, dtype=np.float64))
        if len(flooded) != len(roads) or (flooded < 0).any() or (flooded > 1 + 1e-6).any():
            raise BadInput("roads: flooded_share must hold a share, 0 to 1, for every road.")
        flooded = np.where(claims(roads, "bridge"), 0.0, flooded)
    closed = closed_roads(roads, as_of)
    means = [mobility, *(["foot"] if rules.roads[mobility].dismounts else [])]
    minutes = np.full(len(roads), np.inf)
    for each in means:
        taken = open_pace(roads, rules, each, season, flooded)
        stopped = closed & (each in rules.closures)
        minutes = np.minimum(minutes, np.where(stopped, np.inf, taken))
    return minutes


def open_pace(
    roads: pd.DataFrame, rules: TerrainRules, mobility: str, season: str, flooded: Floats
) -> Floats:
    """Minutes for a kilometre if no road were closed."""
    speeds = rules.roads[mobility]
    codes, names = pd.factorize(roads["class"], use_na_sentinel=False)
    kmh = speeds.kmh(names, season)[codes] if len(roads) else np.zeros(0)
    if "surface" in roads.columns and len(roads):
        codes, names = pd.factorize(roads["surface"], use_na_sentinel=False)
        ceilings = np.array([ceiling(name, rules, mobility, season) for name in names])
        kmh = np.minimum(kmh, ceilings[codes])
    minutes = np.divide(MIN_PER_H, kmh, out=np.full(len(kmh), np.inf), where=kmh > 0)
    left = rules.flooded_roads[mobility]
    if left > 0:
        found: Floats = minutes * (1 - flooded + flooded / left)
        return found
    return np.where(flooded > 0, np.inf, minutes)


def ceiling(surface: object, rules: TerrainRules, mobility: str, season: str) -> float:
    """Fastest that a surface is gone on, km/h; infinite where it is not known."""
    word = folded(surface)
    for rule in rules.surfaces.values():
        if word in rule.words and mobility in rule.ceiling_kmh:
            return rule.ceiling_kmh[mobility].of(season)
    return float("inf")


def closed_roads(roads: pd.DataFrame, as_of: pd.Timestamp | str | None) -> NDArray[np.bool_]:
    """Say which roads are closed on a day.

    A road with `closed_from_on` or `closed_until_on` is closed from the one to the other, both
    days included, an open end lasting; without dates the flag `closed` decides.
    """
    flag = claims(roads, "closed")
    start, end = days(roads, "closed_from_on"), days(roads, "closed_until_on")
    dated = ~(np.isnat(start) & np.isnat(end))
    if as_of is None:
        return flag & ~dated
    day = np.datetime64(pd.Timestamp(as_of).normalize(), "ns")
    within = (np.isnat(start) | (start <= day)) & (np.isnat(end) | (day <= end))
    found: NDArray[np.bool_] = np.where(dated, within, flag)
    return found


def claims(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Read a flag; not known is not claimed."""
    if column not in table.columns:
        return np.zeros(len(table), dtype=bool)
    found: NDArray[np.bool_] = table[column].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return found


def days(table: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    """Read days; NaT where there is no column."""
    if column not in table.columns:
        return np.full(len(table), np.datetime64("NaT", "ns"))
    found: NDArray[np.datetime64] = pd.to_datetime(table[column]).to_numpy("datetime64[ns]")
    return found


def folded(word: object) -> str:
    """Fold a source's word to lower case; "" where it is missing."""
    return str(word).strip().casefold() if isinstance(word, str) else ""


def road_notes(roads: pd.DataFrame, rules: TerrainRules) -> tuple[str, ...]:
    """Say which roads move at a default, and which surfaces no rule knows."""
    require_columns(roads, "roads", ("class",))
    found = []
    unknown = ~roads["class"].isin(list(rules.roads["foot"].classes)).to_numpy()
    if unknown.any():
        found.append(
            f"{unknown.sum():,} of {len(roads):,} roads have no known class: default speed."
        )
    if "surface" in roads.columns:
        words = {word for rule in rules.surfaces.values() for word in rule.words}
        strange = {folded(word) for word in roads["surface"].unique()} - words - {""}
        if strange:
            found.append(
                f"No rule for road surface {', '.join(sorted(strange)[:8])}: the class alone "
                f"counts. Add the word under [surfaces] of {rules.name}."
            )
    return tuple(found)


def road_flooded_shares(lines: gpd.GeoSeries, floods: gpd.GeoDataFrame) -> Floats:
    """Part of each line's length that lies under the wet season's floods.

    Parameters
    ----------
    lines : GeoSeries of lines, n, EPSG:4326
    floods : GeoDataFrame of polygons, EPSG:4326

    Returns
    -------
    float array, n
        0-1; lengths are taken as if the line ran on one parallel, which a share does not feel.
    """
    shapes = lines.to_numpy()
    found = np.zeros(len(shapes))
    extent = flooded_extent(floods)
    if extent is None or len(shapes) == 0:
        return found
    pieces = tiles(extent)
    pieces = pieces[shapely.get_dimensions(pieces) == 2]
    line, piece = shapely.STRtree(pieces).query(shapes, predicate="intersects")
    inside = shapely.length(shapely.intersection(shapes[line], pieces[piece]))
    total = np.bincount(line, inside, len(shapes))
    whole = shapely.length(shapes)
    share = np.divide(total, whole, out=found, where=whole > 0)
    least: Floats = np.minimum(share, 1.0)
    return least


def crossing_minutes(
    waterways: pd.DataFrame, rules: TerrainRules, mobility: str, season: str
) -> Floats:
    """Minutes to cross each row of the waterways away from roads; infinite: no crossing.

    Parameters
    ----------
    waterways : DataFrame, n rows
        `kind` (a missing one counts as "other"); `crossing`, where stated, goes before the kind.
    """
    known_mobility(mobility)
    known_season(season)
    require_columns(waterways, "waterways", ("kind",))
    if len(waterways) == 0:
        return np.zeros(0)
    stated = (
        waterways["crossing"].map(folded).to_numpy(dtype=object)
        if "crossing" in waterways.columns
        else np.full(len(waterways), "", dtype=object)
    )
    kinds = waterways["kind"].map(folded).to_numpy(dtype=object)
    pairs = pd.MultiIndex.from_arrays([kinds, stated])
    codes, unique = pd.factorize(pairs)
    minutes = [crossing_of(kind, word, rules)[mobility].of(season) for kind, word in unique]
    found: Floats = np.array(minutes, dtype=np.float64)[codes]
    return found


def crossing_of(kind: str, stated: str, rules: TerrainRules) -> Mapping[str, Seasonal]:
    """Minutes by mobility for a kind of water and what is stated of its crossing."""
    for rule in rules.stated_crossings.values():
        if stated in rule.words:
            return rule.minutes
    return rules.crossings.get(kind, rules.crossings["other"]).minutes


def waterway_pace(
    waterways: pd.DataFrame, rules: TerrainRules, mobility: str, season: str
) -> Floats:
    """Minutes for a kilometre along each row of the waterways, as along a road.

    Infinite for mobilities that do not move on water.
    """
    known_mobility(mobility)
    require_columns(waterways, "waterways", ("kind",))
    speeds: Any = rules.waterways.get(mobility)
    if speeds is None:
        return np.full(len(waterways), np.inf)
    kmh = speeds.kmh(waterways["kind"].map(folded), known_season(season))
    found: Floats = np.divide(MIN_PER_H, kmh, out=np.full(len(kmh), np.inf), where=kmh > 0)
    return found
