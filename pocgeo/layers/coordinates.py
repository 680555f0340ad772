"""Where each row lies: decimals, DMS, MGRS, UTM, any CRS; swapped and empty positions found."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadCoordinates, BadInput, MissingColumns
from pocgeo.ground.geodesy import reproject
from pocgeo.ground.grid_reference import mgrs_side_m, parse_dms, parse_mgrs, parse_pair, parse_utm
from pocgeo.layers.columns import find_column, first_column
from pocgeo.layers.request import SourceRequest
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import ProfileSpec
from pocgeo.layers.texts import as_text, said_unknown

__all__ = ["Placement", "grid_error_m", "lonlat_of", "place_points", "placement_of"]

LON_NAMES = (
    "lon", "longitude", "long", "lng", "x", "lon_dd", "lon_deg", "longitude_dd", "longitude_deg",
    "decimal_longitude", "easting", "point_x",
)  # fmt: skip
LAT_NAMES = (
    "lat", "latitude", "y", "lat_dd", "lat_deg", "latitude_dd", "latitude_deg", "decimal_latitude",
    "northing", "point_y",
)  # fmt: skip
PAIR_NAMES = (
    "mgrs",
    "grid",
    "grid_reference",
    "grid_ref",
    "gridref",
    "coordinates",
    "coords",
    "gps",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which columns say where a row lies."""

    lon: str | None = None
    lat: str | None = None
    pair: str | None = None
    declared: bool = False
    """Whether aoi.toml names them."""


def placement_of(
    frame: pd.DataFrame, source: SourceRequest, profile: ProfileSpec | None, path: Path
) -> Placement | None:
    """Find the columns of the coordinates; None where there are none.

    Raises
    ------
    BadInput
        aoi.toml names a column that the file lacks, or only one of lon and lat.
    """
    columns = [str(column) for column in frame.columns if column != "geometry"]
    if source.coordinates:
        found = find_column(source.coordinates, columns, path, "coordinates")
        return Placement(pair=found, declared=True)
    if bool(source.lon) != bool(source.lat):
        raise BadInput(f"{path}: lon and lat go together. Declare both in aoi.toml, or neither.")
    if source.lon and source.lat:
        lon = find_column(source.lon, columns, path, "lon")
        return Placement(lon=lon, lat=find_column(source.lat, columns, path, "lat"), declared=True)
    lon_names, lat_names = (profile.lon, profile.lat) if profile else ((), ())
    for names in ((lon_names, lat_names), (LON_NAMES, LAT_NAMES)):
        lon_found, lat_found = first_column(names[0], columns), first_column(names[1], columns)
        if lon_found and lat_found:
            return Placement(lon=lon_found, lat=lat_found)
    pair = first_column(PAIR_NAMES, columns)
    return Placement(pair=pair) if pair else None


def lonlat_of(
    frame: pd.DataFrame,
    placement: Placement,
    source: SourceRequest,
    account: RowAccount,
    path: Path,
) -> tuple[Floats, Floats]:
    """Read the position of every row.

    Returns
    -------
    lon, lat : arrays
        Degrees, EPSG:4326; NaN where there is none or it cannot be read. Rows that hold something
        unreadable are rejected.

    Raises
    ------
    BadInput
        The columns hold metres and no CRS is declared.
    """
    if placement.pair is not None:
        text = as_text(frame[placement.pair])
        lon, lat = read_pairs(text, source.coordinate_format)
        given = text.notna() & ~said_unknown(text)
        unreadable = given.to_numpy() & (np.isnan(lon) | np.isnan(lat))
        account.reject(unreadable, placement.pair, "coordinates that cannot be read")
        return lon, lat
    if placement.lon is None or placement.lat is None:
        raise MissingColumns(account.layer, ["lon", "lat"], frame.columns)
    lon = read_axis(frame[placement.lon], "lon", source, account)
    lat = read_axis(frame[placement.lat], "lat", source, account)
    if source.crs and source.crs.upper() not in ("EPSG:4326", "OGC:CRS84"):
        return projected(lon, lat, source.crs, account)
    refuse_metres(lon, lat, placement, path)
    return lon, lat


def read_pairs(text: pd.Series, style: str | None) -> tuple[Floats, Floats]:
    """Read texts that hold a whole position; without a declared format, by what they look like."""
    codes, distinct = pd.factorize(text)
    readers: dict[str, Callable[[Any], tuple[Floats, Floats]]] = {
        "mgrs": parse_mgrs, "utm": parse_utm, "dms": parse_pair, "decimal": parse_pair,
    }  # fmt: skip
    order = [style] if style else ["mgrs", "utm", "dms"]
    texts = [str(value) for value in distinct]
    lon, lat = np.full(len(texts), np.nan), np.full(len(texts), np.nan)
    for name in order:
        open_rows = np.flatnonzero(np.isnan(lon) | np.isnan(lat))
        if len(open_rows):
            found = readers[name]([texts[row] for row in open_rows])
            lon[open_rows], lat[open_rows] = found
    missing = np.array([np.nan])
    return np.r_[lon, missing][codes], np.r_[lat, missing][codes]


def grid_error_m(frame: pd.DataFrame, placement: Placement | None) -> Floats:
    """Say how far a position can lie from the centre of the MGRS square it is given by.

    Returns
    -------
    array, metres
        Half the diagonal of the square; NaN where a row's position is no MGRS reference.
    """
    if placement is None or placement.pair is None:
        return np.full(len(frame), np.nan)
    codes, distinct = pd.factorize(as_text(frame[placement.pair]))
    half_m = mgrs_side_m([str(value) for value in distinct]) / np.sqrt(2)
    error_m: Floats = np.r_[half_m, np.nan][codes]
    return error_m


def read_axis(column: pd.Series, axis: str, source: SourceRequest, account: RowAccount) -> Floats:
    """Read one axis: numbers, decimal commas, and degrees with minutes and seconds."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        plain: Floats = column.to_numpy("float64", na_value=np.nan)
        return plain
    text = as_text(column)
    given = (text.notna() & ~said_unknown(text)).to_numpy()
    numbers = np.array(pd.to_numeric(text.astype(object), errors="coerce"), dtype="float64")
    if source.coordinate_format == "dms":
        numbers = np.full(len(text), np.nan)
    left = given & np.isnan(numbers)
    if source.coordinate_format != "dms" and left.any():
        comma = text.str.replace(",", ".", regex=False)
        commas = np.array(pd.to_numeric(comma.astype(object), errors="coerce"), dtype="float64")
        by_comma = left & ~np.isnan(commas)
        numbers = np.where(by_comma, commas, numbers)
        account.repair(by_comma, axis, "decimal comma read as a point")
    left = given & np.isnan(numbers)
    if left.any() and source.coordinate_format in (None, "dms"):
        codes, distinct = pd.factorize(text[left])
        numbers[left] = parse_dms([str(value) for value in distinct], axis)[codes]
        read = left & ~np.isnan(numbers)
        if source.coordinate_format is None:
            account.repair(read, axis, "degrees, minutes and seconds turned into decimals")
        else:
            account.note(
                f"{int(read.sum())} texts in degrees, minutes and seconds read", field=axis
            )
    account.reject(given & np.isnan(numbers), axis, "coordinates that cannot be read")
    return numbers


def projected(lon: Floats, lat: Floats, crs: str, account: RowAccount) -> tuple[Floats, Floats]:
    """Move positions of a declared CRS to degrees."""
    known = np.isfinite(lon) & np.isfinite(lat)
    moved = reproject(shapely.points(lon[known], lat[known]), crs, "EPSG:4326")
    out_lon, out_lat = np.full(len(lon), np.nan), np.full(len(lat), np.nan)
    x, y = shapely.get_x(moved), shapely.get_y(moved)
    fits = np.isfinite(x) & np.isfinite(y)
    out_lon[known], out_lat[known] = np.where(fits, x, np.nan), np.where(fits, y, np.nan)
    account.note(f"coordinates moved from {crs} to EPSG:4326")
    lost = known & np.isnan(out_lon)
    account.reject(lost, "lon", f"outside the domain of {crs}")
    return out_lon, out_lat


def refuse_metres(lon: Floats, lat: Floats, placement: Placement, path: Path) -> None:
    """Refuse columns most of whose values cannot be degrees."""
    known = np.isfinite(lon) & np.isfinite(lat)
    beyond = known & ((np.abs(lon) > 360) | (np.abs(lat) > 360))
    if known.any() and beyond.sum() * 2 > known.sum():
        row = int(np.flatnonzero(beyond)[0])
        raise BadCoordinates(
            f"{path}: {placement.lon} {lon[row]:g}, {placement.lat} {lat[row]:g} are no degrees. "
            'Declare their system in aoi.toml, for example crs = "EPSG:32636".'
        )


def place_points(
    lon: Floats, lat: Floats, boundary: Any, account: RowAccount, *, outside: str
) -> tuple[Floats, Floats]:
    """Mend what is swapped, reject what is no place, and say what lies outside the AOI.

    Parameters
    ----------
    lon, lat : arrays
        As read.
    boundary : shapely geometry or None
        Outline of the area of interest; None leaves out what needs it.
    account : RowAccount
        Where every repair and rejection is counted.
    outside : {"reject", "keep", "expected"}
        What becomes of points outside the AOI.

    Returns
    -------
    lon, lat : arrays
        Mended; NaN in rejected rows.
    """
    lon, lat = lon.copy(), lat.copy()
    account.reject(np.isnan(lon) | np.isnan(lat), "lon", "no coordinates")
    account.reject((lon == 0) & (lat == 0), "lon", "0, 0: an empty position")
    if boundary is not None:
        inside = shapely.intersects_xy(boundary, lon, lat)
        turned = ~inside & shapely.intersects_xy(boundary, lat, lon)
        account.repair(turned, "lon", "lon and lat were swapped")
        lon[turned], lat[turned] = lat[turned], lon[turned]
        wrapped = ~inside & ~turned & (lon > 180) & (lon <= 360)
        wrapped &= shapely.intersects_xy(boundary, lon - 360, lat)
        account.repair(wrapped, "lon", "longitude beyond 180 turned by 360")
        lon[wrapped] -= 360
    wild = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    account.reject(wild, "lon", "no place on Earth: beyond 180 or 90 degrees")
    if boundary is not None:
        away = ~shapely.intersects_xy(boundary, lon, lat)
        if outside == "reject":
            account.reject(away, "lon", "outside the area of interest")
        elif outside == "keep":
            account.flag(away, "lon", "outside the area of interest: kept")
    lost = ~account.live
    lon[lost], lat[lost] = np.nan, np.nan
    return lon, lat
