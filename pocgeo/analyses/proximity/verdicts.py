"""Verdicts: whether a place lies inside the radius of a base, as far as its location can tell.

With d the geodesic distance to the perimeter, e the location errors of place and base added, and
r the radius: inside if d + e <= r, outside if d - e > r, otherwise undecided.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.bases import days_of, numbers_of, standing_on
from pocgeo.analyses.proximity.standard import (
    ONE_KILOMETRE,
    Bound,
    ProximityStandard,
    bound_bases,
)
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.nearness import Allowed, nearest, pairs_within
from pocgeo.ground.perimeters import perimeters

__all__ = ["incident_places", "proximity", "verdict_table"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NEAR_RADII = 2.0  # verdict_table keeps what lies outside, but within this many radii


@dataclass(frozen=True, slots=True)
class Places:
    """Places as arrays: where, how surely, when."""

    lon: Floats
    lat: Floats
    error_m: Floats
    assumed: NDArray[np.bool_]
    dated: bool
    undated: NDArray[np.bool_]
    first_on: pd.Series
    last_on: pd.Series


def incident_places(incidents: pd.DataFrame) -> pd.DataFrame:
    """Turn the incident layer into places: one row each, indexed as `proximity` wants them.

    Parameters
    ----------
    incidents : GeoDataFrame, n rows
        `incident_id`, point geometry (may be missing), `occurred_on`; `ended_on`,
        `location_error_m` where known.

    Returns
    -------
    DataFrame, n rows
        `place_id`, `lon`, `lat` (NaN where unplaced), `location_error_m`, `occurred_on`,
        `ended_on`.
    """
    require_columns(incidents, "incidents", ["incident_id", "occurred_on", "geometry"])
    shapes = np.asarray(incidents["geometry"].array, dtype=object)
    return pd.DataFrame(
        {
            "place_id": incidents["incident_id"].to_numpy(),
            "lon": shapely.get_x(shapes),
            "lat": shapely.get_y(shapes),
            "location_error_m": numbers_of(incidents, "location_error_m").to_numpy(),
            "occurred_on": days_of(incidents, "occurred_on").to_numpy(),
            "ended_on": days_of(incidents, "ended_on").to_numpy(),
        }
    )


def proximity(
    places: pd.DataFrame, bases: pd.DataFrame, standard: ProximityStandard = ONE_KILOMETRE
) -> pd.DataFrame:
    """Say, for every place, the base that decides and whether the place lies within the radius.

    Distance is measured to the perimeter on the ellipsoid, never cell to cell:
    an H3 cell of resolution 8 is itself about a kilometre across. Geodesic after Karney (2013),
    doi:10.1007/s00190-012-0578-z, through PROJ.

    Parameters
    ----------
    places : DataFrame, n rows
        `place_id` (unique), `lon`, `lat` in degrees, EPSG:4326, NaN where unknown;
        `location_error_m`, metres, NaN if unknown. With `occurred_on` (and `ended_on`), a place
        is judged against the bases that stood on any of its days; without, against all.
    bases : GeoDataFrame, m rows
        `base_id`, `kind`, point or polygon geometry, EPSG:4326; `location_error_m`,
        `opened_on`, `closed_on` where known.

    Returns
    -------
    DataFrame, n rows, indexed by `place_id` in the order given
        `base_id` (NA: no base stood), `distance_m` to it, `error_m` (place and base added),
        `verdict` ("inside", "outside", "undecided"), `why` (words). The base is the one that
        decides: the surest of those inside, else the likeliest of the undecided, else the nearest.

    Raises
    ------
    MissingColumns
        A table lacks a column named above as given.
    BadInput
        A code is not unique, an error is negative, or a base has no geometry.
    """
    bound, at = bound_bases(bases, standard), places_of(places, standard)
    position, length = decided(bound, at, standard)
    error, verdict, by_day = weighed(bound, at, position, length, standard)
    codes = np.array([*bound.table["base_id"], None], dtype=object)  # -1: none
    table = pd.DataFrame(
        {
            "base_id": codes[position],
            "distance_m": length,
            "error_m": error,
            "verdict": verdict,
            "why": reasons((verdict, by_day), position, bound, at, standard),
        },
        index=pd.Index(places["place_id"].to_numpy(), name="place_id"),
    )
    return with_standard(table, "Which places lie within the radius of a base?", proximity=standard)


def weighed(
    bound: Bound, at: Places, position: Ints, length: Floats, standard: ProximityStandard
) -> tuple[Floats, NDArray[np.object_], NDArray[np.bool_]]:
    """Weigh each place against one base (-1: none stood).

    Returns the error of both together, the verdict, and whether only the day leaves it undecided.
    """
    placed = ~np.isnan(at.lon + at.lat)
    error = at.error_m + np.append(bound.error_m, 0.0)[position]
    error[~placed] = np.nan
    verdict = judged(length, error, standard.radius_m)
    by_day = (verdict == "inside") & at.undated & ~np.append(bound.undated, False)[position]
    verdict[by_day] = "undecided"
    verdict[placed & (position < 0)] = "outside"
    return error, verdict, by_day


def places_of(places: pd.DataFrame, standard: ProximityStandard) -> Places:
    """Check places and lay them out as arrays."""
    require_columns(places, "places", ["place_id", "lon", "lat", "location_error_m"])
    twice = places["place_id"].duplicated()
    if twice.any():
        raise BadInput(
            f"places: place_id {places.loc[twice, 'place_id'].iloc[0]} stands in more than one "
            "row. Give every place its own code."
        )
    stated = numbers_of(places, "location_error_m").to_numpy()
    if (stated < 0).any():
        raise BadInput(f"places: location_error_m is {np.nanmin(stated):g}; it must be 0 or more.")
    unknown = np.isnan(stated)
    first = days_of(places, "occurred_on")
    dated = "occurred_on" in places.columns
    return Places(
        lon=places["lon"].to_numpy("float64", na_value=np.nan),
        lat=places["lat"].to_numpy("float64", na_value=np.nan),
        error_m=np.where(unknown, standard.assumed_error_m, stated),
        assumed=unknown,
        dated=dated,
        undated=first.isna().to_numpy() & dated,
        first_on=first,
        last_on=days_of(places, "ended_on"),
    )


def judged(length: Floats, error: Floats, radius_m: float) -> NDArray[np.object_]:
    """Give the verdict of a distance with its error; NaN lengths are undecided."""
    verdict = np.full(len(length), "undecided", dtype=object)
    verdict[length + error <= radius_m] = "inside"
    verdict[length - error > radius_m] = "outside"
    return verdict


def decided(bound: Bound, at: Places, standard: ProximityStandard) -> tuple[Ints, Floats]:
    """Find the base that decides each place, and the distance to it."""
    if not len(bound.shapes):
        return np.full(len(at.lon), -1), np.full(len(at.lon), np.nan)
    laid = perimeters(bound.shapes)
    stood = standing_on(bound.table, at.first_on, at.last_on) if at.dated else None
    close = nearest(at.lon, at.lat, laid, allowed=stood)
    position, length = close.position.copy(), close.distance_m.copy()
    if np.ptp(bound.error_m) == 0 and not at.undated.any():
        return position, length
    likely = nearest(at.lon, at.lat, laid, allowed=stood, offset_m=-bound.error_m)
    some = likely.position >= 0
    error = at.error_m + bound.error_m[likely.position]
    maybe = some & (likely.distance_m - error <= standard.radius_m)
    position[maybe], length[maybe] = likely.position[maybe], likely.distance_m[maybe]
    always = partial(surely_stood, stood, at.undated, bound.undated) if stood else None
    surest = nearest(at.lon, at.lat, laid, allowed=always, offset_m=bound.error_m)
    some = surest.position >= 0
    error = at.error_m + bound.error_m[surest.position]
    inside = some & (surest.distance_m + error <= standard.radius_m)
    position[inside], length[inside] = surest.position[inside], surest.distance_m[inside]
    return position, length


def surely_stood(
    stood: Allowed,
    undated_places: NDArray[np.bool_],
    undated_bases: NDArray[np.bool_],
    part: slice,
) -> NDArray[np.bool_]:
    """Which bases stood for certain: on an unknown day, only those without dates."""
    met = stood(part)
    met[undated_places[part]] &= undated_bases
    return met


def reasons(
    judgement: tuple[NDArray[np.object_], NDArray[np.bool_]],
    position: Ints,
    bound: Bound,
    at: Places,
    standard: ProximityStandard,
) -> NDArray[np.object_]:
    """Say why, in words; rows that share their facts share one text.

    `judgement` is the verdict, and whether only the unknown day keeps it undecided.
    """
    verdict, by_day = judgement
    some = position >= 0
    placed = ~np.isnan(at.lon + at.lat)

    def of_base(facts: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return some & facts[position] if len(facts) else np.zeros(len(position), dtype=bool)

    facts = (
        ~placed,
        placed & ~some,
        some & (verdict == "inside"),
        some & (verdict == "outside"),
        some & (verdict == "undecided") & ~by_day,
        by_day,
        placed & at.assumed,
        of_base(bound.point),
        of_base(bound.assumed),
        of_base(bound.undated) & at.dated,
        placed & at.undated,
        of_base(bound.kindless),
    )
    code = sum(fact.astype("int64") << bit for bit, fact in enumerate(facts))
    seen, which = np.unique(code, return_inverse=True)
    phrases = phrases_of(standard)
    texts = [
        "; ".join(phrase for bit, phrase in enumerate(phrases) if value >> bit & 1)
        for value in seen.tolist()
    ]
    return np.array(texts, dtype=object)[which]


def phrases_of(standard: ProximityStandard) -> tuple[str, ...]:
    """List the words of `why`, in the order of the facts."""
    return (
        "the place has no coordinates",
        "no base that carries the obligation stood on that day",
        f"within {standard.radius_m:,.0f} m whatever the location error",
        f"beyond {standard.radius_m:,.0f} m whatever the location error",
        f"the rim at {standard.radius_m:,.0f} m lies within the location error",
        "whether the base stood on that day is unknown",
        f"place error unknown: {standard.assumed_error_m:,.0f} m assumed",
        "perimeter unknown: distance measured to a point",
        f"base error unknown: {standard.assumed_base_error_m:,.0f} m assumed",
        "base without dates: taken as standing",
        "day unknown: judged against every base",
        "base of unknown kind: taken as bound",
    )


def verdict_table(
    places: pd.DataFrame, bases: pd.DataFrame, standard: ProximityStandard = ONE_KILOMETRE
) -> pd.DataFrame:
    """Give the verdict of every pair of place and base that is near or cannot be told apart.

    Parameters are those of `proximity`. A place near two bases has two rows; one without
    coordinates, or outside and beyond two radii of every base, has none.

    Returns
    -------
    DataFrame, sorted by base, then in the order of places
        `place_id`, `base_id`, `distance_m`, `error_m`, `verdict`, `why`.
    """
    bound, at = bound_bases(bases, standard), places_of(places, standard)
    reach = at.error_m + (bound.error_m.max() if len(bound.error_m) else 0.0) + standard.radius_m
    limit = np.maximum(reach, NEAR_RADII * standard.radius_m)
    stood = standing_on(bound.table, at.first_on, at.last_on) if at.dated else None
    pairs = pairs_within(at.lon, at.lat, bound.shapes, limit, allowed=stood)
    order = np.lexsort((pairs.point, pairs.geometry))
    row, base, length = pairs.point[order], pairs.geometry[order], pairs.distance_m[order]
    those = Places(
        at.lon[row], at.lat[row], at.error_m[row], at.assumed[row], at.dated, at.undated[row],
        at.first_on.iloc[row], at.last_on.iloc[row],
    )  # fmt: skip
    error, verdict, by_day = weighed(bound, those, base, length, standard)
    table = pd.DataFrame(
        {
            "place_id": places["place_id"].to_numpy()[row],
            "base_id": np.asarray(bound.table["base_id"], dtype=object)[base],
            "distance_m": length,
            "error_m": error,
            "verdict": verdict,
            "why": reasons((verdict, by_day), base, bound, those, standard),
        }
    )
    near = (verdict != "outside") | (length <= NEAR_RADII * standard.radius_m)
    kept: pd.DataFrame = table[near].reset_index(drop=True)
    return with_standard(
        kept, "Which places lie within the radius of which base?", proximity=standard
    )
