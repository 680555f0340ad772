"""Files as bytes that depend on nothing but their content: own JSON and CSV, fixed rounding."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from generator.frame import NORTH, WEST

__all__ = ["write_csv", "write_geojson", "write_gpx", "write_raster"]

DIGITS = 5
"""Decimals of a degree: about 1.1 m."""
GPX_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="pocgeo sample_aoi (fictional)" '
    'xmlns="http://www.topografix.com/GPX/1/1">\n'
)


def write_geojson(path: Path, rows: Iterable[tuple[BaseGeometry, Mapping[str, Any]]]) -> None:
    """Write features one a line, in the order given; rings follow RFC 7946 as shapely has them."""
    lines = []
    for geometry, properties in rows:
        shape = mapping(geometry)
        feature = {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": {"type": shape["type"], "coordinates": _rounded(shape["coordinates"])},
        }
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    body = ",\n".join(lines)
    path.write_bytes(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'.encode())


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates, int | float | np.floating):
        return round(float(coordinates), DIGITS)
    return [_rounded(part) for part in coordinates]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write UTF-8, comma, line feed; None is an empty field, floats keep their shortest form."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    path.write_bytes(out.getvalue().encode())


def write_gpx(path: Path, name: str, fixes: Iterable[tuple[str, float, float]]) -> None:
    """Write one track of (UTC time, lon, lat)."""
    lines = [GPX_HEAD, f"<trk><name>{name}</name><trkseg>\n"]
    lines += [
        f'<trkpt lat="{lat:.5f}" lon="{lon:.5f}"><time>{time}</time></trkpt>\n'
        for time, lon, lat in fixes
    ]
    lines.append("</trkseg></trk>\n</gpx>\n")
    path.write_bytes("".join(lines).encode())


def write_raster(
    path: Path,
    bands: np.ndarray[Any, Any],
    step: float,
    *,
    nodata: float,
    names: Sequence[str],
) -> None:
    """Write a tiled, deflated GeoTIFF whose north-west corner is the sheet's."""
    profile = {
        "driver": "GTiff", "dtype": bands.dtype.name, "count": bands.shape[0],
        "height": bands.shape[1], "width": bands.shape[2], "crs": "EPSG:4326", "nodata": nodata,
        "transform": from_origin(WEST, NORTH, step, step), "compress": "deflate", "zlevel": 9,
        "predictor": 2, "tiled": True, "blockxsize": 256, "blockysize": 256,
        "interleave": "band", "num_threads": 1,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(bands)
        for number, name in enumerate(names, start=1):
            target.set_band_description(number, name)
