"""Vector files of any common format to rows with geometry in EPSG:4326."""

import json
import re
import sqlite3
import warnings
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from pocgeo.ground.errors import BadInput, UnreadableSource
from pocgeo.sources.archives import content_kind, safe_members
from pocgeo.sources.kml import read_kml
from pocgeo.sources.layout import refuse_too_wide
from pocgeo.sources.parquet import one_line, read_parquet
from pocgeo.sources.projection import WGS84, crs_of, in_degrees
from pocgeo.sources.raw import RawTable

__all__ = ["geometry_faults", "read_vector"]

HEAD_BYTES = 1 << 16
GREATEST_BYTES = 256 << 20
MOST_CELLS = 50_000_000
"""House limit of features times columns of a GeoJSON, whose features name their own columns."""

INNER = (".shp", ".gpkg", ".geojson", ".json", ".fgb")
HAS_CRS = re.compile(rb'"crs"\s*:\s*\{')
NAMED_CRS = re.compile(rb'"crs"\s*:\s*\{[^}]*"properties"\s*:\s*\{[^}]*"name"\s*:\s*"([^"]*)"')


def read_vector(
    path: Path | str,
    *,
    layer: str | int | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> RawTable:
    """Read a vector file; geometry comes out in EPSG:4326, x = lon, y = lat, two-dimensional.

    The format is known by the bytes: GeoJSON, GeoPackage, Shapefile (bare or zipped), FlatGeobuf,
    KML, KMZ, GeoParquet. Empty, missing and invalid geometries are kept and counted in the notes;
    `geometry_faults` says which they are.

    Parameters
    ----------
    path : Path
        The file.
    layer : str or int, optional
        Name or number (from 1) of the layer, where a file holds several.
    crs : str, optional
        For a file that states none. One that contradicts the file is refused.
    encoding : str, optional
        Of the text in a Shapefile without .cpg.

    Raises
    ------
    MissingFile, UnreadableSource, BadInput
        One line: what, where, what to do.
    """
    path = Path(path)
    kind = content_kind(path)
    if kind == "parquet":
        return read_places(path, crs)
    head = head_of(path)
    is_kmz = kind == "zip" and any(name.lower().endswith(".kml") for name in safe_members(path))
    assumed = None
    if is_kmz or (kind == "text" and head.startswith(b"<")):
        frame, notes = read_kml(path)
        assumed = WGS84
    else:
        source = gdal_source(path, kind, head)
        frame, notes = read_through_gdal(path, source, kind, layer, encoding)
        if source.lower().endswith((".geojson", ".json")) or kind == "text":
            frame, assumed = as_geojson_says(frame, path, kind)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="source_row")
    frame, converted = in_degrees(frame, path, declared=crs, assumed=assumed)
    frame, faults = shape_notes(frame)
    return RawTable(frame=frame, path=path, notes=(*notes, *converted, *faults))


def read_places(path: Path, crs: str | None) -> RawTable:
    """Read a GeoParquet file as places; refuse one without geometry."""
    found = read_parquet(path, crs=crs)
    if "geometry" not in found.frame:
        raise UnreadableSource(path, "holds no geometry. Read it as a table.")
    frame, faults = shape_notes(found.frame)
    return RawTable(frame=frame, path=path, notes=(*found.notes, *faults))


def geometry_faults(frame: gpd.GeoDataFrame) -> "pd.Series[Any]":
    """Say what is wrong with each geometry.

    Returns
    -------
    Series of text, indexed like `frame`
        "missing", "empty", "not finite", "invalid: why" as GEOS puts it, or NA where it is sound.
    """
    shapes = frame.geometry.array
    missing, empty = shapely.is_missing(shapes), shapely.is_empty(shapes)
    bounds = shapely.bounds(shapes)
    finite = np.isfinite(bounds).all(axis=1)
    invalid = ~shapely.is_valid(shapes) & ~missing & ~empty & finite
    fault = np.full(len(frame), None, dtype=object)
    fault[invalid] = ["invalid: " + why for why in shapely.is_valid_reason(shapes[invalid])]
    fault[~finite] = "not finite"
    fault[empty] = "empty"
    fault[missing] = "missing"
    return pd.Series(fault, index=frame.index, name="geometry_fault", dtype=object)


def head_of(path: Path) -> bytes:
    """Read the first bytes, byte-order mark and white space aside."""
    with path.open("rb") as source:
        return source.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")


def gdal_source(path: Path, kind: str, head: bytes) -> str:
    """Name the data set for GDAL; refuse what would make it open other files or run pipelines."""
    if kind in {"sqlite", "flatgeobuf"}:
        return str(path)
    if kind == "shapefile":
        beside = {other.suffix.lower() for other in path.parent.glob(f"{path.stem}.*")}
        if path.suffix.lower() != ".shp" or not {".shx", ".dbf"} <= beside:
            raise UnreadableSource(
                path, "lacks its .shp, .shx or .dbf. Put all parts side by side."
            )
        return str(path)
    if kind == "zip":
        members = [name for name in safe_members(path) if not name.startswith("__MACOSX")]
        inner = [name for name in members if name.lower().endswith(INNER)]
        if len(inner) == 1:
            return f"/vsizip/{path}/{inner[0]}"
        if not inner:
            raise UnreadableSource(path, "is a zip without a .shp, .gpkg, .geojson or .kml.")
        return f"/vsizip/{path}"
    if kind == "text" and head.startswith(b"{") and b"gdal_streamed_alg" not in head:
        return str(path)
    raise UnreadableSource(
        path, "is no GeoJSON, GeoPackage, Shapefile, FlatGeobuf, KML or GeoParquet."
    )


def read_through_gdal(
    path: Path, source: str, kind: str, layer: str | int | None, encoding: str | None
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read one layer; what GDAL warns of becomes notes."""
    options: dict[str, Any] = {}
    if source.lower().endswith((".geojson", ".json")):
        options["DATE_AS_STRING"] = "YES"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            chosen, notes = chosen_layer(path, pyogrio.list_layers(source), layer)
            if kind == "sqlite":
                refuse_stored_query(path, chosen)
            counted = features_of(path, source, kind, chosen)
            frame = pyogrio.read_dataframe(source, layer=chosen, encoding=encoding, **options)
        except BadInput:
            raise
        except Exception as error:  # whatever GDAL makes of foreign bytes is the file's fault
            raise UnreadableSource(
                path, f"cannot be read ({one_line(error)}). Export it again."
            ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise UnreadableSource(path, f"layer {chosen!r} has no geometry. Read it as a table.")
    if 0 <= counted != len(frame):
        raise UnreadableSource(
            path,
            f"says that it has {counted:,} features, but {len(frame):,} can be read. "
            "Export it again.",
        )
    said = sorted({" ".join(str(warning.message).split())[:160] for warning in caught})
    notes += [f"the reader says: {text}" for text in said[:3]]
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    if not frame.columns.is_unique:
        raise UnreadableSource(path, "has two columns of one name. Rename one, export it again.")
    return frame, notes


def features_of(path: Path, source: str, kind: str, layer: str) -> int:
    """Count the features in another way than by reading them; -1 where that is not possible.

    A GeoJSON is taken apart once more: GDAL passes over what it does not take for a feature, and
    makes a column of every name, so that a small file can fill the memory.
    """
    if kind != "text":
        return int(pyogrio.read_info(source, layer=layer)["features"])
    if path.stat().st_size > GREATEST_BYTES:
        return -1
    try:
        features = json.loads(path.read_bytes())["features"]
        names = {name for each in features for name in (each.get("properties") or ())}
    except RecursionError as error:
        raise UnreadableSource(path, "is nested too deep for GeoJSON. Export it again.") from error
    except (ValueError, TypeError, KeyError, AttributeError):
        return -1  # a lone feature or shape, or no JSON to Python: GDAL decides
    refuse_too_wide(len(names), path)
    if len(names) * len(features) > MOST_CELLS:
        raise UnreadableSource(path, "has a column for almost every feature. Export it as a table.")
    return len(features)


def refuse_stored_query(path: Path, layer: str) -> None:
    """Refuse a layer of a database that is a view or a virtual table: to read it runs a query."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as database:
        found = database.execute(
            "SELECT type, sql FROM sqlite_master WHERE lower(name) = lower(?)", (layer,)
        ).fetchall()
    for kind, sql in found:
        if kind == "view" or (kind == "table" and str(sql).split()[1:2] == ["VIRTUAL"]):
            raise UnreadableSource(
                path, f"layer {layer!r} is a stored query, which pocgeo does not run. Export it."
            )


def chosen_layer(path: Path, layers: Any, wanted: str | int | None) -> tuple[str, list[str]]:
    """Choose the layer: the one asked for, or the only one with geometry."""
    names = [str(name) for name, _ in layers]
    spatial = [str(name) for name, kind in layers if kind is not None]
    listed = ", ".join(repr(name) for name in names)
    if isinstance(wanted, int) and 1 <= wanted <= len(names):
        return names[wanted - 1], []
    if isinstance(wanted, str) and wanted in names:
        return wanted, []
    if wanted is not None:
        raise BadInput(f"{path}: no layer {wanted!r}. Its layers are {listed}.")
    if not spatial:
        raise UnreadableSource(path, f"holds no layer with geometry ({listed or 'no layer'}).")
    if len(spatial) > 1:
        raise BadInput(f"{path}: holds several layers. Say which with layer = one of {listed}.")
    return spatial[0], []


def as_geojson_says(frame: gpd.GeoDataFrame, path: Path, kind: str) -> tuple[gpd.GeoDataFrame, Any]:
    """Tell a CRS that a GeoJSON states from the one that its standard (RFC 7946) assumes."""
    if kind == "text":
        with path.open("rb") as source:
            head = source.read(HEAD_BYTES)
            source.seek(max(0, path.stat().st_size - 4096))
            stated = HAS_CRS.search(head) or HAS_CRS.search(source.read())
        if stated:
            return as_named(frame, stated.string[stated.start() :], path), None
    return frame.set_crs(None, allow_override=True), WGS84


def as_named(frame: gpd.GeoDataFrame, member: bytes, path: Path) -> gpd.GeoDataFrame:
    """Take the CRS that the `crs` member names; GDAL falls back where it does not know it."""
    named = NAMED_CRS.match(member)
    if named is None:
        raise BadInput(
            f"{path}: its crs member names no CRS. Take the member out where coordinates are lon, "
            "lat in degrees, or name the CRS as in EPSG:32636."
        )
    return frame.set_crs(crs_of(named[1].decode("utf-8", "replace"), path), allow_override=True)


def shape_notes(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Drop heights; count what is empty or invalid."""
    notes = []
    shapes = frame.geometry.array
    high = shapely.has_z(shapes)
    if high.any():
        frame = frame.set_geometry(
            gpd.GeoSeries(shapely.force_2d(shapes), index=frame.index, crs=WGS84)
        )
        notes.append(f"heights of {int(high.sum())} geometries are left out")
    faults = Counter(why.partition(":")[0] for why in geometry_faults(frame).dropna())
    notes += [f"{count} geometries are {fault}" for fault, count in sorted(faults.items())]
    return frame, notes
