"""Parquet, plain or GeoParquet: columns keep their types, WKB becomes places."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.projection import WGS84, crs_of, in_degrees
from pocgeo.sources.raw import RawTable

__all__ = ["read_parquet"]

GREATEST_BYTES = 8 << 30
"""House limit of what a Parquet file read whole may take, about."""

CELL_BYTES = 8
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
    table = whole_table(path)
    geo = stated_geo((table.schema.metadata or {}).get(b"geo"), table.schema, path)
    try:
        frame = table.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise UnreadableSource(
            path, f"cannot be read ({one_line(error)}). Save it anew."
        ) from error
    frame = frame.drop(columns=[name for name in frame if str(name).startswith("__index_level")])
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="source_row")
    column = geometry_column(table.schema, geo)
    if column is None:
        said = ("column geometry holds no shapes: called geometry_text",)
        named = frame.rename(columns={"geometry": "geometry_text"})
        return RawTable(frame=named, path=path, notes=said if "geometry" in frame else ())
    try:
        shapes = shapely.from_wkb(frame[column].to_numpy(dtype=object))
    except (shapely.GEOSException, TypeError) as error:
        raise UnreadableSource(path, f"column {column} is not WKB ({one_line(error)}).") from error
    stated, assumed = stated_crs(geo, column, path)
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


def whole_table(path: Path) -> pa.Table:
    """Read all rows, unless they would fill the memory, whatever the footer says of them."""
    try:
        with pq.ParquetFile(path) as source:
            about = source.metadata
            refuse_vast(path, about.num_rows * max(about.num_columns, 1) * CELL_BYTES)
            texts = repeated_texts(about, source.schema_arrow)
        with pq.ParquetFile(path, read_dictionary=texts) as source:
            table = source.read()
        table.validate(full=True)  # texts that are no UTF-8 among others
        for name in texts:
            refuse_vast(path, spelled_out_bytes(table[name]))
            place = table.schema.get_field_index(name)
            plain = table[name].cast(table.schema.field(name).type.value_type)
            table = table.set_column(place, name, plain)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise UnreadableSource(
            path, f"is a damaged Parquet file ({one_line(error)}). Fetch it again."
        ) from error
    if table.num_rows != about.num_rows:
        raise UnreadableSource(path, f"says {about.num_rows:,} rows, but holds {table.num_rows:,}.")
    return table


def repeated_texts(about: Any, schema: pa.Schema) -> list[str]:
    """Name the columns whose texts are stored once and pointed at: a small file can hold vast ones.

    Only those that could fill the memory; to spell out the others costs nothing.
    """
    names = []
    for place in range(about.num_columns if about.num_row_groups else 0):
        chunks = [about.row_group(group).column(place) for group in range(about.num_row_groups)]
        name = chunks[0].path_in_schema
        stored = max(chunk.total_uncompressed_size for chunk in chunks)
        text = chunks[0].physical_type == "BYTE_ARRAY" and schema.names.count(name) == 1
        if text and stored * about.num_rows > GREATEST_BYTES:
            names.append(name)
    return names


def spelled_out_bytes(column: pa.ChunkedArray) -> int:
    """Say how much memory the texts of a column take once none is shared."""
    total = 0
    for chunk in column.chunks:
        if isinstance(chunk, pa.DictionaryArray):
            lengths = pc.binary_length(chunk.dictionary)
            total += pc.sum(lengths.cast(pa.int64()).take(chunk.indices)).as_py() or 0
    return total


def refuse_vast(path: Path, size: int) -> None:
    """Refuse what would fill the memory of a machine."""
    if size > GREATEST_BYTES:
        raise UnreadableSource(
            path, f"unpacks to more than {GREATEST_BYTES >> 30} GB. Leave out columns, or split it."
        )


def stated_geo(text: bytes | None, schema: pa.Schema, path: Path) -> Any:
    """Read what GeoParquet says of itself; None where it is plain Parquet."""
    if text is None:
        return None
    try:
        geo = json.loads(text)
        named = str(geo["primary_column"])
        sound = isinstance(geo["columns"][named], dict) and schema.names.count(named) == 1
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        sound = False
    if not sound:
        raise UnreadableSource(path, "its geo metadata is damaged. Export it as GeoParquet again.")
    return geo


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


def stated_crs(geo: Any, column: str, path: Path) -> tuple[Any, Any]:
    """Read the CRS as GeoParquet 1.1 has it: absent means OGC:CRS84, null means unknown."""
    if not geo:
        return None, None
    about = geo["columns"][column]
    if "crs" not in about:
        return None, WGS84
    return None if about["crs"] is None else crs_of(about["crs"], path), None


def one_line(error: BaseException) -> str:
    """Shorten a library's message to its first line."""
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
