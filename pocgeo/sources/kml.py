"""KML and KMZ: every Placemark, wherever it is nested, as one row."""

import math
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.archives import content_kind, member_bytes, safe_members
from pocgeo.sources.layout import refuse_too_wide
from pocgeo.sources.markup import GREATEST_BYTES, elements, local_name, refuse_large

__all__ = ["read_kml"]

FOLDERS = {"Folder", "Document"}
PLAIN = {"name", "description", "address", "phoneNumber"}
TIMES = {"when", "begin", "end"}


def read_kml(path: Path) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the Placemarks of a KML or KMZ file.

    Columns: `folder` (names of the enclosing folders, joined by " / "), name, description, when,
    begin, end, every Data or SimpleData by its name; geometry in EPSG:4326 as KML defines it.
    Network links, overlays and styles are not followed; they are counted in the notes.
    """
    text = kml_text(path)
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    shapes: list[Any] = []
    folders: list[str] = []
    skipped: dict[str, int] = {}
    bad_shapes = 0
    open_placemarks = 0
    for event, element in elements(path, text):
        tag = local_name(element)
        if event == "start":
            open_placemarks += tag == "Placemark"
            if tag in FOLDERS:
                folders.append("")
            continue
        if tag == "Placemark":
            open_placemarks -= 1
            shape, bad = shape_of(element)
            bad_shapes += bad
            shapes.append(shape)
            rows.append({"folder": " / ".join(filter(None, folders)) or None} | fields(element))
            names |= dict.fromkeys(rows[-1])
            refuse_too_wide(len(names), path)
            element.clear()
        elif tag == "name" and folders and not open_placemarks and not folders[-1]:
            folders[-1] = (element.text or "").strip()
        elif tag in FOLDERS:
            folders.pop()
        elif tag in {"NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Track"}:
            skipped[tag] = skipped.get(tag, 0) + 1
    if not rows:
        raise UnreadableSource(path, "holds no Placemark. Check that it is KML with places in it.")
    notes = [f"{count} {tag} elements are not read" for tag, count in sorted(skipped.items())]
    if bad_shapes:
        notes.append(f"{bad_shapes} geometries could not be read: missing")
    frame = pd.DataFrame(rows, dtype=object)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index)), notes


def kml_text(path: Path) -> bytes:
    """Read the document, out of its zip where it is a KMZ."""
    if content_kind(path) != "zip":
        refuse_large(path, path.stat().st_size)
        return path.read_bytes()
    inside = [name for name in safe_members(path) if name.lower().endswith(".kml")]
    if not inside:
        raise UnreadableSource(path, "holds no .kml. Check that it is a KMZ.")
    chosen = next((name for name in inside if name.lower() == "doc.kml"), inside[0])
    text = member_bytes(path, chosen, GREATEST_BYTES + 1)
    refuse_large(path, len(text))
    return text


def fields(placemark: Element) -> dict[str, Any]:
    """Read name, description, times and extended data of one Placemark."""
    found: dict[str, Any] = {}
    for element in placemark.iter():
        tag = local_name(element)
        text = (element.text or "").strip() or None
        if (tag in PLAIN and element in list(placemark)) or tag in TIMES:
            found.setdefault(tag, text)
        elif tag == "SimpleData":
            found.setdefault(column(element), text)
        elif tag == "Data":
            value = next((e for e in element if local_name(e) == "value"), None)
            held = None if value is None else (value.text or "").strip() or None
            found.setdefault(column(element), held)
    return found


def column(data: Element) -> str:
    """Name the column of a piece of data; two names are those of columns that every KML has."""
    name = data.get("name", "data")
    return f"{name}_2" if name in {"geometry", "folder"} else name


def shape_of(placemark: Element) -> tuple[Any, bool]:
    """Build the geometry of a Placemark: (shape or None, whether something was unreadable)."""
    parts: list[Any] = []
    bad = False
    for element in placemark.iter():
        tag = local_name(element)
        try:
            if tag == "Point":
                parts += [shapely.Point(xy) for xy in coordinates(element)[:1]]
            elif tag == "LineString":
                parts.append(shapely.LineString(coordinates(element)))
            elif tag == "Polygon":
                parts.append(polygon(element))
        except (ValueError, IndexError, shapely.GEOSException):
            bad = True
    if len(parts) <= 1:
        return (parts[0] if parts else None), bad
    if len({part.geom_type for part in parts}) > 1:
        return shapely.GeometryCollection(parts), bad
    if parts[0].geom_type == "Point":
        return shapely.multipoints(parts), bad
    if parts[0].geom_type == "LineString":
        return shapely.multilinestrings(parts), bad
    return shapely.multipolygons(parts), bad


def polygon(element: Element) -> Any:
    """Build a polygon with its holes."""
    outer: Any = None
    holes = []
    for side in element:
        if local_name(side) == "outerBoundaryIs":
            outer = coordinates(side)
        elif local_name(side) == "innerBoundaryIs":
            holes.append(coordinates(side))
    if outer is None:
        raise ValueError("no outer boundary")
    return shapely.Polygon(outer, holes)


def coordinates(element: Element) -> Any:
    """Read the first list of lon,lat[,height] tuples below an element, heights left out."""
    for inner in element.iter():
        if local_name(inner) == "coordinates":
            text = (inner.text or "").split()
            return np.array([[degrees(n) for n in part.split(",")[:2]] for part in text])
    raise ValueError("no coordinates")


def degrees(text: str) -> float:
    """Read one number; what Python would read and no program writes (1_0, nan, inf) is none."""
    number = float(text)
    if "_" in text or not math.isfinite(number):
        raise ValueError("no number")
    return number
