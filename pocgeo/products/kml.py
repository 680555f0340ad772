"""KML, written by hand: names and values are text and nothing else."""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import shapely

from pocgeo.products.phrasing import clean
from pocgeo.products.placed import PlacedRows

__all__ = ["kml_document"]

NAMES = ("name", "place", "area", "base", "settlement", "cell")
"""The first of these columns that a row has names its placemark."""


def kml_document(placed: PlacedRows) -> str:
    """Write rows and their shapes as one KML document."""
    name_column = next((name for name in NAMES if name in placed.rows), None)
    marks = [_placemark(row, shape, name_column, placed.labels) for row, shape in placed.pairs()]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<kml xmlns="http://www.opengis.net/kml/2.2">',
            "<Document>",
            f"<name>{_text(placed.heading)}</name>",
            f"<description>{_text(chr(10).join(placed.said), lines=True)}</description>",
            _data(placed.extra),
            *marks,
            "</Document>",
            "</kml>\n",
        ]
    )


def _placemark(
    row: Mapping[str, Any], shape: Any, name_column: str | None, labels: Mapping[str, str]
) -> str:
    known = {key: value for key, value in row.items() if not pd.isna(value)}
    name = known.get(name_column, "") if name_column else ""
    data = _data({labels.get(key, key): str(value) for key, value in known.items()})
    return f"<Placemark><name>{_text(name)}</name>{data}{_shape(shape)}</Placemark>"


def _data(values: Mapping[str, str]) -> str:
    items = (
        f'<Data name="{_text(key)}"><value>{_text(value, lines=True)}</value></Data>'
        for key, value in values.items()
    )
    return f"<ExtendedData>{''.join(items)}</ExtendedData>"


def _text(value: object, *, lines: bool = False) -> str:
    """Escape a text for XML; "$[", which Google Earth would fill in, is broken up."""
    parts = str(value).split("\n") if lines else [str(value)]
    inert = "\n".join(clean(part) for part in parts).replace("$[", "$ [")
    return escape(inert, {'"': "&quot;", "'": "&apos;"})


def _shape(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(_shape(part) for part in shape.geoms)}</MultiGeometry>"
    if shape.geom_type == "Polygon":
        holes = "".join(
            f"<innerBoundaryIs>{_line(ring, 'LinearRing')}</innerBoundaryIs>"
            for ring in shape.interiors
        )
        outer = f"<outerBoundaryIs>{_line(shape.exterior, 'LinearRing')}</outerBoundaryIs>"
        return f"<Polygon>{outer}{holes}</Polygon>"
    return _line(shape, "Point" if shape.geom_type == "Point" else "LineString")


def _line(shape: Any, element: str) -> str:
    points = " ".join(f"{x!r},{y!r}" for x, y in shapely.get_coordinates(shape).tolist())
    return f"<{element}><coordinates>{points}</coordinates></{element}>"
