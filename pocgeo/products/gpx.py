"""GPX 1.1 for a GPS: stops as waypoints and as routes in order, ways as tracks. Text is text."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import shapely

from pocgeo.products.phrasing import clean
from pocgeo.products.placed import PlacedRows

__all__ = ["gpx_document"]

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="pocgeo" xmlns="http://www.topografix.com/GPX/1/1" '
    'xmlns:p="urn:pocgeo">'
)
NAMES = ("place", "name", "area", "base", "settlement")
"""The first of these columns that a row has names its waypoint."""

SAID = ("arrive", "leave", "grid_reference", "reason")
"""Columns written under a waypoint, where a table has them."""

Row = Mapping[str, Any]


def gpx_document(placed: PlacedRows) -> str:
    """Write points as waypoints, lines as tracks, and the stops of each patrol as a route.

    Parameters
    ----------
    placed : PlacedRows
        With columns `patrol` and `stop`, points are named P1-02 and routed in order; an area
        becomes a point inside it. A row without a place is left out.
    """
    labels = placed.labels
    pairs = [
        (row, _inside(shape))
        for row, shape in placed.pairs()
        if shape is not None and not shape.is_empty
    ]
    points = [(row, shape) for row, shape in pairs if shapely.get_dimensions(shape) == 0]
    lines = [(row, shape) for row, shape in pairs if shapely.get_dimensions(shape) == 1]
    about = "\n".join(clean(text) for text in placed.said)
    meta = f"<metadata><name>{_text(placed.heading)}</name><desc>{_text(about, lines=True)}</desc>"
    parts = [
        HEAD,
        f"{meta}{_bounds([shape for _, shape in pairs])}{_data(placed.extra)}</metadata>",
    ]
    parts += [
        _point("wpt", row, each, labels)
        for row, shape in points
        for each in shapely.get_parts([shape])
    ]
    parts += _routes(points, labels)
    parts += [_track(row, shape, labels) for row, shape in lines]
    return "\n".join([*parts, "</gpx>\n"])


def _inside(shape: Any) -> Any:
    """Put a point inside an area: a GPS takes points and lines only."""
    areal = shapely.get_dimensions(shape) == 2
    return shapely.point_on_surface(shape) if areal else shape


def _routes(points: Sequence[tuple[Row, Any]], labels: Mapping[str, str]) -> list[str]:
    """Write the stops of each patrol in order, from the start and back to it."""
    made = []
    numbers = sorted({row["patrol"] for row, _ in points if _known(row, "patrol")})
    for number in numbers:
        own = [pair for pair in points if pair[0].get("patrol") == number]
        own = [pair for pair in own if _known(pair[0], "stop")]
        own.sort(key=lambda pair: int(pair[0]["stop"]))
        if len(own) > 1:
            inner = "".join(_point("rtept", *pair, labels) for pair in (*own, own[0]))
            made.append(f"<rte><name>Patrol {_text(number)}</name>{inner}</rte>")
    return made


def _point(element: str, row: Row, shape: Any, labels: Mapping[str, str]) -> str:
    words = [f"{labels.get(name, name)}: {row[name]}" for name in SAID if _known(row, name)]
    place = f'lat="{shape.y:.6f}" lon="{shape.x:.6f}"'
    about = f"<desc>{_text(chr(10).join(words), lines=True)}</desc>" if words else ""
    data = _row_data(row, labels) if element == "wpt" else ""
    return f"<{element} {place}><name>{_text(_name(row))}</name>{about}{data}</{element}>"


def _track(row: Row, shape: Any, labels: Mapping[str, str]) -> str:
    segments = []
    for part in shapely.get_parts([shape]):
        xy = shapely.get_coordinates(part).tolist()
        points = "".join(f'<trkpt lat="{y:.6f}" lon="{x:.6f}"/>' for x, y in xy)
        segments.append(f"<trkseg>{points}</trkseg>")
    name, data = _text(_name(row)), _row_data(row, labels)
    return f"<trk><name>{name}</name>{data}{''.join(segments)}</trk>"


def _row_data(row: Row, labels: Mapping[str, str]) -> str:
    """All that is known of a row, for machines: a GPS passes over it."""
    return _data({labels.get(key, key): str(row[key]) for key in row if _known(row, key)})


def _data(values: Mapping[str, str]) -> str:
    items = (
        f'<p:data name="{_text(key)}">{_text(value, lines=True)}</p:data>'
        for key, value in values.items()
    )
    return f"<extensions>{''.join(items)}</extensions>"


def _name(row: Row) -> str:
    """Name a row: P1-02 and the place, short enough for a GPS to show."""
    place = next((str(row[name]) for name in NAMES if _known(row, name)), "")
    if _known(row, "patrol") and _known(row, "stop"):
        return f"P{row['patrol']}-{int(row['stop']):02d} {place}".strip()
    return place


def _known(row: Row, name: str) -> bool:
    return name in row and not pd.isna(row[name])


def _bounds(shapes: Sequence[Any]) -> str:
    if not shapes:
        return ""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return (
        f'<bounds minlat="{south:.6f}" minlon="{west:.6f}" '
        f'maxlat="{north:.6f}" maxlon="{east:.6f}"/>'
    )


def _text(value: object, *, lines: bool = False) -> str:
    parts = str(value).split("\n") if lines else [str(value)]
    return escape("\n".join(clean(part) for part in parts), {'"': "&quot;", "'": "&apos;"})
