"""Reach by air: straight flights at a declared speed, to anywhere or by way of landing sites."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import numbers_of, words_of
from pocgeo.cells.speeds import AirRule
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.nearness import pairs_within

__all__ = ["AIR", "air_landings", "air_table"]

AIR = "air"
COLUMNS = ["base_id", "cell", "distance_m", "reach_min", "binding", "assumed", "landing_site_id"]
MIN_PER_H = 60.0
Floats = NDArray[np.float64]


def air_table(
    places: pd.DataFrame,
    bases: gpd.GeoDataFrame,
    rule: AirRule,
    *,
    landing_sites: gpd.GeoDataFrame | None = None,
    horizon_min: float = 240.0,
    assumed_notice_min: float = 30.0,
) -> pd.DataFrame:
    """Minutes by air from every base to every place within the horizon.

    Parameters
    ----------
    places : DataFrame, n rows
        `cell`, `lon`, `lat`, degrees, EPSG:4326.
    bases : GeoDataFrame, m rows
        Those with aircraft: `base_id`, geometry; `qrf_notice_min`, `max_range_km`, `night_moves`
        where known. An aircraft stands at its base.
    rule : AirRule
        Where it does not land anywhere, people land at the site that gets them there first.
    landing_sites : GeoDataFrame of points, optional
        `landing_site_id`; `runway_m`, `helicopter` where known.
    horizon_min, assumed_notice_min : float
        Longer ways are left out; readiness where a base states none, said in `assumed`.

    Returns
    -------
    DataFrame, sorted by cell, then minutes
        `base_id`, `cell`, `distance_m` (flown), `reach_min` (NaN: beyond the base's range),
        `binding` ("max_range", "by day only", NA), `assumed`, `landing_site_id` (NA: direct).

    Notes
    -----
    minutes = readiness + geodesic metres flown / speed + landing [+ the way on, straight]. No
    weather, fuel or threat; no way back is reckoned unless `max_range_km` already does.
    """
    require_columns(places, "places", ("cell", "lon", "lat"))
    require_columns(bases, "bases", ("base_id", "geometry"))
    if not 0 < horizon_min < np.inf:
        raise BadInput(f"horizon_min must be more than 0 minutes, got {horizon_min:g}.")
    lon, lat = places["lon"].to_numpy("float64"), places["lat"].to_numpy("float64")
    if rule.lands_anywhere:
        flights = flown(lon, lat, bases, rule, horizon_min, assumed_notice_min)
        flights["landing_site_id"] = np.full(len(flights), None, dtype=object)
    else:
        flights = by_way_of(lon, lat, bases, rule, landing_sites, horizon_min, assumed_notice_min)
    cell = places["cell"].to_numpy()[flights["row"].to_numpy("int64")]
    table = flights.assign(cell=cell)[COLUMNS]
    table = table.sort_values(["cell", "reach_min", "base_id"], kind="stable", ignore_index=True)
    return with_standard(table, "How many minutes by air from each base?", air=rule)


def air_landings(
    bases: gpd.GeoDataFrame,
    landing_sites: gpd.GeoDataFrame,
    rule: AirRule,
    *,
    horizon_min: float = 240.0,
    assumed_notice_min: float = 30.0,
) -> pd.DataFrame:
    """Minutes from each base to having landed at each usable landing site.

    Returns
    -------
    DataFrame
        `base_id`, `row` (position in `landing_sites`), `landing_site_id`, `distance_m`,
        `reach_min` (NaN: beyond range), `binding`, `assumed`. Seeds for a field on foot from there.
    """
    require_columns(landing_sites, "landing_sites", ("landing_site_id", "geometry"))
    usable = np.flatnonzero(usable_sites(landing_sites, rule))
    points = landing_sites.geometry.iloc[usable]
    found = flown(
        points.x.to_numpy(), points.y.to_numpy(), bases, rule, horizon_min, assumed_notice_min
    )
    found["row"] = usable[found["row"].to_numpy("int64")]
    names = landing_sites["landing_site_id"].to_numpy(dtype=object)
    return found.assign(landing_site_id=names[found["row"].to_numpy("int64")])


def usable_sites(landing_sites: gpd.GeoDataFrame, rule: AirRule) -> NDArray[np.bool_]:
    """Say where the aircraft may land; a runway that is not known is too short."""
    usable = landing_sites.geometry.notna() & ~landing_sites.geometry.is_empty
    if rule.least_runway_m > 0:
        usable &= numbers_of(landing_sites, "runway_m").fillna(0) >= rule.least_runway_m
    else:
        says = words_of(landing_sites, "helicopter")
        usable &= ~says.map(lambda may: may is not None and not may).astype(bool)
    found: NDArray[np.bool_] = usable.to_numpy(dtype=bool)
    return found


def flown(
    lon: Floats,
    lat: Floats,
    bases: gpd.GeoDataFrame,
    rule: AirRule,
    horizon_min: float,
    assumed_notice_min: float,
) -> pd.DataFrame:
    """Tell the direct flights within the horizon: one row per pair of place and base."""
    notice = numbers_of(bases, "qrf_notice_min")
    waits = notice.fillna(assumed_notice_min).to_numpy(dtype="float64")
    range_m = numbers_of(bases, "max_range_km").fillna(np.inf).to_numpy(dtype="float64") * 1000
    by_day = words_of(bases, "night_moves").map(lambda moves: moves is not None and not moves)
    m_per_min = rule.speed_kmh * 1000 / MIN_PER_H
    farthest = max(horizon_min - rule.landing_min - waits.min(initial=np.inf), 0.0) * m_per_min
    pairs = pairs_within(lon, lat, bases.geometry.to_numpy(), farthest)
    base, length = pairs.geometry, pairs.distance_m
    minutes = waits[base] + length / m_per_min + rule.landing_min
    beyond = length > range_m[base]
    binding = np.full(len(base), None, dtype=object)
    binding[by_day.to_numpy(dtype=bool)[base]] = "by day only"
    binding[beyond] = "max_range"
    assumed = np.full(len(base), None, dtype=object)
    assumed[notice.isna().to_numpy()[base]] = f"readiness {assumed_notice_min:g} min"
    found = pd.DataFrame(
        {
            "row": pairs.point,
            "base_id": bases["base_id"].to_numpy(dtype=object)[base],
            "distance_m": length,
            "reach_min": np.where(beyond, np.nan, minutes),
            "binding": binding,
            "assumed": assumed,
        }
    )
    return found[minutes <= horizon_min].reset_index(drop=True)


def by_way_of(
    lon: Floats,
    lat: Floats,
    bases: gpd.GeoDataFrame,
    rule: AirRule,
    landing_sites: gpd.GeoDataFrame | None,
    horizon_min: float,
    assumed_notice_min: float,
) -> pd.DataFrame:
    """Tell the quickest way by landing site for each pair of place and base."""
    if landing_sites is None:
        raise BadInput(
            "air: this aircraft lands only at landing sites, and none are given. "
            "Add [layers.landing_sites] to aoi.toml, or set air.lands_anywhere = true."
        )
    landings = air_landings(
        bases,
        landing_sites,
        rule,
        horizon_min=horizon_min,
        assumed_notice_min=assumed_notice_min,
    ).rename(columns={"row": "site"})
    sites = landing_sites.geometry.to_numpy()
    used = np.unique(landings["site"].to_numpy("int64"))
    pairs = pairs_within(lon, lat, sites[used], rule.onward_km * 1000)
    onward = pd.DataFrame(
        {
            "row": pairs.point,
            "site": used[pairs.geometry] if len(used) else pairs.geometry,
            "onward_min": pairs.distance_m / (rule.onward_kmh * 1000 / MIN_PER_H),
        }
    )
    ways = onward.merge(landings, on="site", how="inner")
    ways["reach_min"] += ways["onward_min"]
    ways = ways[~(ways["reach_min"] > horizon_min)]
    order = ["row", "base_id", "reach_min", "landing_site_id"]
    ways = ways.sort_values(order, kind="stable", ignore_index=True)  # NaN (beyond range) last
    return ways.drop_duplicates(["row", "base_id"], ignore_index=True)
