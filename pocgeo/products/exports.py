"""Tables as files: one writer a format, each whole or not there, each with its manifest."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.gpx import gpx_document
from pocgeo.products.kml import kml_document
from pocgeo.products.manifest import as_json, plain_json
from pocgeo.products.phrasing import clean, hex_cells, provenance_line
from pocgeo.products.placed import PlacedRows
from pocgeo.products.released import Released
from pocgeo.products.workbook import SheetContent, inert, workbook_bytes

__all__ = ["FORMATS", "SUFFIXES", "export", "flat", "refuse_place", "spatial", "written_atomically"]

SUFFIXES = {
    "csv": ".csv",
    "xlsx": ".xlsx",
    "geojson": ".geojson",
    "gpkg": ".gpkg",
    "geoparquet": ".parquet",
    "kml": ".kml",
    "gpx": ".gpx",
    "json": ".json",
}
FORMATS = tuple(SUFFIXES)
DECIMALS = 7
"""Decimals of a degree in text formats: a centimetre."""


def export(
    released: Released, path: Path | str, fmt: str, *, further: Sequence[Released] = ()
) -> Path:
    """Write a released table to a file.

    Parameters
    ----------
    released : Released
    path : Path
        File to write; its folder must exist. An older file is replaced in one step.
    fmt : str
        One of FORMATS. csv has its manifest beside it (`<file>.manifest.json`), the others inside.
    further : sequence of Released, optional
        More tables of the same answer, a sheet each: for xlsx alone, others hold one table.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    UnknownName
        No such format.
    BadInput
        The folder is missing or not writable; a format of places for a table without places;
        further tables in a format that holds one.
    """
    path = Path(path)
    if fmt not in WRITERS:
        raise UnknownName("format", fmt, FORMATS)
    refuse_place(path)
    if further:
        if fmt != "xlsx":
            raise BadInput(f"{path}: {fmt} holds one table. Use xlsx for several.")
        written_atomically(path, workbook_bytes(*map(_sheet_of, (released, *further))))
        return path
    WRITERS[fmt](released, path)
    return path


def about(released: Released) -> dict[str, Any]:
    """Say what every file says beside its rows, as plain JSON."""
    return {
        "name": released.name,
        "title": released.title,
        "marking": released.marking,
        "audience": released.audience,
        "cut_off_on": released.cut_off_on.isoformat(),
        "resolution": released.resolution,
        "notes": list(released.notes),
        "withheld": list(released.withheld),
        "columns": [
            {"name": name, "label": spec.label, "unit": spec.unit, "help": spec.help}
            for name, spec in released.columns.items()
        ],
        "totals": dict(released.totals),
        "manifest": plain_json(dict(released.manifest)),
    }


def flat(released: Released) -> pd.DataFrame:
    """Make the table without geometry: cells as hexadecimal text, texts inert."""
    table = pd.DataFrame(released.table.drop(columns=["geometry"], errors="ignore"))
    for name in table:
        if name == "cell":
            table[name] = hex_cells(table[name])
        elif _is_text(table[name]):
            table[name] = table[name].map(
                lambda value: clean(value) if isinstance(value, str) else value,
                na_action="ignore",
            )
    return table


def spatial(released: Released, fmt: str) -> gpd.GeoDataFrame:
    """Make the table with geometry, EPSG:4326: its own, its cells' hexagons, or its points.

    Raises
    ------
    BadInput
        The table has no place.
    """
    source, table = released.table, flat(released)
    geometry: Any
    if "geometry" in source:
        geometry = gpd.GeoSeries(source["geometry"].to_numpy(), crs=source.crs).to_crs(4326)
    elif "cell" in source and "cells_n" not in source:
        geometry = grid.boundaries(source["cell"].to_numpy(dtype=np.int64))
    elif {"lon", "lat"} <= set(source):
        lon, lat = (np.asarray(source[name].astype("float64"), float) for name in ("lon", "lat"))
        geometry = shapely.points(lon, lat)
        geometry[np.isnan(lon) | np.isnan(lat)] = None
    else:
        raise BadInput(
            f"{released.name}: the table has no places, so it cannot be written as {fmt}. "
            "Use csv, xlsx or json."
        )
    return gpd.GeoDataFrame(table, geometry=geometry, crs=4326)


def _is_text(values: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)


# writers


def _csv(released: Released, path: Path) -> None:
    table = flat(released)
    for name, values in table.items():
        if _is_text(values):
            table[name] = values.map(
                lambda value: inert(value) if isinstance(value, str) else value, na_action="ignore"
            )
        elif pd.api.types.is_datetime64_any_dtype(values):
            table[name] = values.map(_iso, na_action="ignore")
    table.columns = pd.Index([inert(clean(name)) for name in table])
    text = table.to_csv(index=False, lineterminator="\r\n")
    written_atomically(path, text.encode("utf-8-sig"))
    beside = path.with_name(f"{path.name}.manifest.json")
    written_atomically(beside, as_json(about(released)).encode())


def _xlsx(released: Released, path: Path) -> None:
    written_atomically(path, workbook_bytes(_sheet_of(released)))


def _sheet_of(released: Released) -> SheetContent:
    return SheetContent(released, flat(released), about(released))


def _json(released: Released, path: Path) -> None:
    records = plain_json(_plain(flat(released)).to_dict("records"))
    content = {**about(released), "records": records}
    written_atomically(path, (_dumped(content) + "\n").encode())


def _geojson(released: Released, path: Path) -> None:
    table = spatial(released, "geojson")
    properties = plain_json(_plain(pd.DataFrame(table.drop(columns="geometry"))).to_dict("records"))
    shapes = shapely.to_geojson(_text_geometry(table))
    features = ",\n".join(
        f'{{"type":"Feature","properties":{_dumped(row)},"geometry":{shape or "null"}}}'
        for row, shape in zip(properties, shapes, strict=True)
    )
    head = _dumped(about(released))[1:-1]
    text = f'{{"type":"FeatureCollection",{head},"features":[\n{features}\n]}}\n'
    written_atomically(path, text.encode())


def _kml(released: Released, path: Path) -> None:
    _marked(released, path, "kml", kml_document)


def _gpx(released: Released, path: Path) -> None:
    _marked(released, path, "gpx", gpx_document)


def _marked(
    released: Released, path: Path, fmt: str, document: Callable[[PlacedRows], str]
) -> None:
    """Write a document in markup, by the function that knows its elements."""
    table = spatial(released, fmt)
    placed = PlacedRows(
        rows=_plain(pd.DataFrame(table.drop(columns="geometry"))),
        shapes=pd.Series(_text_geometry(table)),
        labels={name: spec.label for name, spec in released.columns.items()},
        heading=f"{released.marking} · {released.title}",
        said=[provenance_line(released), *released.notes, *released.withheld, released.marking],
        extra={"marking": released.marking, "manifest": as_json(about(released))},
    )
    written_atomically(path, document(placed).encode())


def _gpkg(released: Released, path: Path) -> None:
    table = _plain_flags(spatial(released, "gpkg"))
    moment = str(released.manifest.get("made_at", ""))[:19]
    with _replacing(path) as temporary, _gdal_date(moment):
        pyogrio.write_dataframe(
            table,
            temporary,
            layer=released.name,
            driver="GPKG",
            dataset_metadata={"pocgeo": as_json(about(released)), "marking": released.marking},
        )


def _geoparquet(released: Released, path: Path) -> None:
    table = spatial(released, "geoparquet")
    with _replacing(path) as temporary:
        table.to_parquet(temporary, index=False)
        stored = pq.read_table(temporary)
        metadata = {**(stored.schema.metadata or {}), b"pocgeo": as_json(about(released)).encode()}
        pq.write_table(stored.replace_schema_metadata(metadata), temporary)


WRITERS: dict[str, Callable[[Released, Path], None]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "geojson": _geojson,
    "gpkg": _gpkg,
    "geoparquet": _geoparquet,
    "kml": _kml,
    "gpx": _gpx,
    "json": _json,
}


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _iso(value: pd.Timestamp) -> str:
    """Write a day as 2026-06-30, an instant with its zone."""
    if value.tzinfo is None and value == value.normalize():
        return value.date().isoformat()
    return value.isoformat()


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Days as text, everything as objects: ready to be written row by row."""
    table = table.copy()
    for name, values in table.items():
        if pd.api.types.is_datetime64_any_dtype(values):
            table[name] = values.map(_iso, na_action="ignore")
    return table.astype(object)


def _plain_flags(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Booleans that may be unknown become 0, 1 or missing, which every reader of GPKG knows."""
    for name in [name for name, kind in table.dtypes.items() if str(kind) == "boolean"]:
        table[name] = table[name].astype("Int64").astype("Int32")
    return table


def _text_geometry(table: gpd.GeoDataFrame) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Round to a centimetre; outer rings counter-clockwise, as RFC 7946 asks."""
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
    shapes[polygons] = shapely.reverse(shapely.normalize(shapes[polygons]))
    rounded: np.ndarray[Any, np.dtype[np.object_]] = shapely.transform(
        shapes, lambda points: points.round(DECIMALS)
    )
    return rounded


# files


def written_atomically(path: Path, content: bytes) -> None:
    """Write a whole file in one step: readers see the old one or the new one."""
    refuse_place(path)
    with _replacing(path) as temporary:
        temporary.write_bytes(content)


def refuse_place(path: Path) -> None:
    """Refuse a place where no file can be written: a folder, or one in a folder that is not there.

    Raises
    ------
    BadInput
        Names the place and what to do.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}. Choose another place.") from error
    if path.is_dir():
        raise BadInput(f"{path} is a folder. Give the name of a file in it.")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: the folder {path.parent} does not exist. Create it first.")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except PermissionError as error:
        raise BadInput(f"{path}: no permission to write there. Choose another place.") from error
    except (OSError, DataSourceError) as error:
        why = getattr(error, "strerror", None) or "it cannot be written (is the disk full?)"
        raise BadInput(f"{path}: {why}. Choose another place.") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _gdal_date(moment: str) -> Iterator[None]:
    """Let GDAL write this moment into a GeoPackage, so that the same input gives the same bytes."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{moment}.000Z" if moment else None})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
