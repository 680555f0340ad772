"""Parquet, plain or GeoParquet: columns keep their types, WKB becomes places."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.projection import WGS84, in_degrees
from pocgeo.sources.raw import RawTable

__all__ = ["read_parquet"]

WKB_NAMES = ("geometry", "geom", "wkb_geometry", "wkb", "the_geom")


def read_parquet(path: Path, *, crs: str | None = None) -> RawTable:
    """Read a Parquet file; a WKB column becomes `geometry` in EPSG:4326.

    Where every geometry is a point, `lon` and `lat` are added as well.

    Raises
    ------
    UnreadableSource
        The file is damaged, or its geometry is not WKB.
    BadInput
        It has geometry but no CRS, and none is declared.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableSource(
            path, f"is a damaged Parquet file ({one_line(error)}). Fetch it again."
        ) from error
    geo = json.loads((table.schema.metadata or {}).get(b"geo", b"null"))
    frame = table.to_pandas(ignore_metadata=True)
    frame = frame.drop(columns=[name for name in frame if str(name).startswith("__index_level")])
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="source_row")
    column = geometry_column(table.schema, geo)
    if column is None:
        return RawTable(frame=frame, path=path)
    try:
        shapes = shapely.from_wkb(frame[column].to_numpy(dtype=object))
    except (shapely.GEOSException, TypeError) as error:
        raise UnreadableSource(path, f"column {column} is not WKB ({one_line(error)}).") from error
    stated, assumed = stated_crs(geo, column)
    frame = frame.drop(columns=column)
    notes = []
    taken = [name for name in ("geometry", "lon", "lat") if name in frame]
    if taken:
        frame = frame.rename(columns={name: f"{name}_2" for name in taken})
        notes.append(f"columns {', '.join(taken)} beside the geometry are called ..._2")
    placed = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=stated))
    placed, converted = in_degrees(placed, path, declared=crs, assumed=assumed)
    shapes = placed.geometry.array
    if shapely.get_type_id(shapes[~shapely.is_missing(shapes)]).max(initial=0) == 0:
        placed["lon"], placed["lat"] = shapely.get_x(shapes), shapely.get_y(shapes)
    return RawTable(frame=placed, path=path, notes=(*notes, *converted))


def geometry_column(schema: pa.Schema, geo: Any) -> str | None:
    """Find the geometry: what GeoParquet names, or a binary column with a usual name."""
    if geo:
        return str(geo["primary_column"])
    for name in WKB_NAMES:
        if name in schema.names and is_binary(schema.field(name).type):
            return name
    return None


def is_binary(kind: pa.DataType) -> bool:
    """Say whether a column holds bytes."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def stated_crs(geo: Any, column: str) -> tuple[Any, Any]:
    """Read the CRS as GeoParquet 1.1 has it: absent means OGC:CRS84, null means unknown."""
    if not geo:
        return None, None
    about = geo["columns"][column]
    if "crs" not in about:
        return None, WGS84
    return about["crs"], None


def one_line(error: BaseException) -> str:
    """Shorten a library's message to its first line."""
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
