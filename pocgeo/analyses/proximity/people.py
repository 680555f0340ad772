"""People within the radius of each base, by fractional pixels. The room of exactextract here."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from pocgeo.analyses.proximity.standard import (
    ONE_KILOMETRE,
    Bound,
    ProximityStandard,
    bound_bases,
)
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import with_standard
from pocgeo.ground.geodesy import buffer_m, reproject
from pocgeo.ground.pixels import PixelWindow

__all__ = ["people_within", "zones"]

PEOPLE = ("people_persons", "women_persons", "children_persons")
WHOLE_SHARE = 0.999  # a zone covered to this share counts as covered


def zones(bases: pd.DataFrame, standard: ProximityStandard = ONE_KILOMETRE) -> gpd.GeoDataFrame:
    """Draw the zone within the radius of every bound base, perimeter included.

    Returns
    -------
    GeoDataFrame, EPSG:4326, one row per bound base
        `base_id`, `perimeter` ("polygon", "point"), `error_m`, `geometry`.
    """
    bound = bound_bases(bases, standard)
    return gpd.GeoDataFrame(
        {
            "base_id": bound.table["base_id"].to_numpy(),
            "perimeter": np.where(bound.point, "point", "polygon"),
            "error_m": bound.error_m,
        },
        geometry=[buffer_m(shape, standard.radius_m) for shape in bound.shapes],
        crs="EPSG:4326",
    )


def people_within(
    bases: pd.DataFrame,
    windows: Mapping[str, PixelWindow],
    standard: ProximityStandard = ONE_KILOMETRE,
) -> pd.DataFrame:
    """Count people within the radius of every bound base, outside and inside its perimeter.

    The zone is the perimeter widened on the ellipsoid (`geodesy.buffer_m`); a pixel counts with
    the exact share of its area that lies in the zone. What the raster shows inside a perimeter is
    told apart: it may be staff, shelter or artefact. Zones overlap: do not sum over bases.

    Parameters
    ----------
    bases : GeoDataFrame, m rows
        `base_id`, `kind`, point or polygon geometry, EPSG:4326; `location_error_m` where known.
    windows : mapping of base_id to PixelWindow
        Counts of people per pixel around each base, wide enough for radius and location error.

    Returns
    -------
    DataFrame, one row per bound base, by `base_id`
        `base_id`; `people_persons`, `women_persons`, `children_persons`: within the radius,
        outside the perimeter; `people_low_persons`, `people_high_persons`: bounds of the first
        given the base's location error e (zones of r - e and r + e); `perimeter_people_persons`:
        inside the perimeter (NaN for a point); `raster_share`: share of the zone with data;
        `perimeter` ("polygon", "point"); `note`. NaN where no raster covers the zone.

    Raises
    ------
    BadInput
        A window has no `people_persons` band.
    """
    bound = bound_bases(bases, standard)
    rows = [
        {
            "base_id": code,
            **people_of(bound, at, windows.get(code), standard),
            "perimeter": "point" if bound.point[at] else "polygon",
        }
        for at, code in enumerate(bound.table["base_id"])
    ]
    columns = [
        "base_id", *PEOPLE, "people_low_persons", "people_high_persons",
        "perimeter_people_persons", "raster_share", "perimeter", "note",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return with_standard(table, "Who lives within the radius of each base?", proximity=standard)


def people_of(
    bound: Bound, at: int, window: PixelWindow | None, standard: ProximityStandard
) -> dict[str, Any]:
    """Numbers and note of one base."""
    if window is None:
        return {"raster_share": 0.0, "note": "no population raster given"}
    if "people_persons" not in window.fields:
        raise BadInput(
            f"The window of base {bound.table['base_id'][at]} has no band people_persons; it has "
            f"{', '.join(window.fields)}. Name the bands under [layers.population]."
        )
    shape, error = bound.shapes[at], float(bound.error_m[at])
    area = shapely.make_valid(shape) if not bound.point[at] else shapely.Polygon()
    rings = {"zone": buffer_m(shape, standard.radius_m), "perimeter": area}
    if error > 0:
        rings["low"] = buffer_m(shape, max(standard.radius_m - error, 0.0))
        rings["high"] = buffer_m(shape, standard.radius_m + error)
    sums, share = zonal(rings, window)
    answer: dict[str, Any] = {"raster_share": share["zone"]}
    if share["zone"] == 0:
        return answer | {"note": "no population raster covers the zone"}
    inner = sums["perimeter"]
    known = [field for field in PEOPLE if field in window.fields]
    answer |= {field: beyond(sums["zone"][field], inner[field]) for field in known}
    if not bound.point[at]:
        answer["perimeter_people_persons"] = inner["people_persons"]
    low, high = (sums.get(ring, sums["zone"])["people_persons"] for ring in ("low", "high"))
    answer["people_low_persons"] = beyond(low, inner["people_persons"])
    if holds(window, rings.get("high", rings["zone"])):
        answer["people_high_persons"] = beyond(high, inner["people_persons"])
    return answer | {"note": note_of(bound, at, share["zone"])}


def beyond(whole: float, inner: float) -> float:
    """People of the whole zone that are not inside the perimeter; rounding never below 0."""
    return float(np.maximum(whole - np.nan_to_num(inner), 0.0))


def holds(window: PixelWindow, ring: Any) -> bool:
    """Tell whether a window is wide enough for a ring given in degrees."""
    drawn = reproject(ring, "EPSG:4326", window.crs)
    return bool(shapely.box(*window.bounds).covers(shapely.box(*drawn.bounds)))


def note_of(bound: Bound, at: int, share: float) -> str | None:
    """Say what a reader must know about one base's number."""
    notes = []
    if bound.point[at]:
        notes.append("perimeter unknown: people within the radius of a point, understated")
    if bound.assumed[at]:
        notes.append(f"base error unknown: {bound.error_m[at]:,.0f} m assumed")
    if share < WHOLE_SHARE:
        notes.append(f"the raster has data for {share:.0%} of the zone only")
    return "; ".join(notes) or None


def zonal(
    rings: Mapping[str, Any], window: PixelWindow
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Sum every band over every ring, and the share of each ring that has data."""
    drawn = {
        name: reproject(ring, "EPSG:4326", window.crs) if window.crs != "EPSG:4326" else ring
        for name, ring in rings.items()
    }
    some = {name: ring for name, ring in drawn.items() if not ring.is_empty}
    west, south, east, north = window.bounds
    bands = [
        NumPyRasterSource(band, west, south, east, north, name=field)
        for field, band in zip(window.fields, window.values, strict=True)
    ]
    frame = gpd.GeoDataFrame({"ring": list(some)}, geometry=list(some.values()), crs=window.crs)
    table = exact_extract(bands, frame, ["sum", "count"], output="pandas", include_cols=["ring"])
    if len(bands) == 1:
        table = table.rename(columns={op: f"{window.fields[0]}_{op}" for op in ("sum", "count")})
    table = table.set_index("ring")
    pixel = window.pixel_width * window.pixel_height
    sums = {name: dict.fromkeys(window.fields, 0.0) for name in rings}
    share = dict.fromkeys(rings, 0.0)
    for name, values in table.to_dict("index").items():
        sums[name] = {
            field: float(values[f"{field}_sum"]) if values[f"{field}_count"] else np.nan
            for field in window.fields
        }
        share[name] = min(values["people_persons_count"] * pixel / some[name].area, 1.0)
    return sums, share
