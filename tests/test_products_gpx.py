"""GPX for a GPS: what is written is read back, in order, and hostile text stays text."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
import shapely

from pocgeo.products.gpx import gpx_document
from pocgeo.products.placed import PlacedRows
from pocgeo.sources.gpx import read_gpx

SPACE = "{http://www.topografix.com/GPX/1/1}"
ROWS = pd.DataFrame(
    {
        "patrol": [1, 1, 1, 1],
        "stop": pd.array([None, 2, 0, 1], dtype="Int64"),
        "place": ["Patrol 1", "<b>Alma</b> & co", "Camp", "Brea"],
        "arrive": ["12:00", "09:00", None, "08:00"],
        "reason": [None, 'says "so"', None, "first\nsecond"],
    }
).astype(object)
LINE = shapely.LineString([(29.0, 7.0), (29.1, 7.0), (29.1, 7.1), (29.0, 7.0)])
SHAPES = [LINE, shapely.Point(29.1, 7.1), shapely.Point(29.0, 7.0), shapely.Point(29.1, 7.0)]


def written(rows: pd.DataFrame = ROWS, shapes: list[object] | None = None) -> str:
    placed = PlacedRows(
        rows=rows, shapes=SHAPES if shapes is None else shapes, labels={"arrive": "Arrive"},
        heading="UNCLASSIFIED · Order", said=["For internal", "UNCLASSIFIED"],
        extra={"marking": "UNCLASSIFIED"},
    )  # fmt: skip
    return gpx_document(placed)


def test_stops_are_waypoints_and_a_route_in_order() -> None:
    root = ET.fromstring(written())
    names = [point.findtext(f"{SPACE}name") for point in root.iter(f"{SPACE}wpt")]
    assert names == ["P1-02 <b>Alma</b> & co", "P1-00 Camp", "P1-01 Brea"]
    route = [point.findtext(f"{SPACE}name") for point in root.iter(f"{SPACE}rtept")]
    assert route == ["P1-00 Camp", "P1-01 Brea", "P1-02 <b>Alma</b> & co", "P1-00 Camp"]
    said = [point.findtext(f"{SPACE}desc") for point in root.iter(f"{SPACE}wpt")]
    assert said[0] == 'Arrive: 09:00\nreason: says "so"'
    assert "UNCLASSIFIED" in (root.findtext(f"{SPACE}metadata/{SPACE}name") or "")


def test_our_own_reader_reads_ways_and_routes_back(tmp_path: Path) -> None:
    path = tmp_path / "order.gpx"
    path.write_text(written(), "utf8")
    back = read_gpx(path).frame
    way = back[back["kind"] == "track"]
    assert way[["lon", "lat"]].to_numpy().tolist() == [list(spot) for spot in LINE.coords]
    assert (back["kind"] == "route").sum() == 4


def test_children_are_in_the_order_of_the_schema() -> None:
    """GPX 1.1 (topografix.com/GPX/1/1/gpx.xsd): metadata, wpt, rte, trk; name, desc, extensions."""
    root = ET.fromstring(written())
    order = ["metadata", "wpt", "rte", "trk"]
    kinds = [order.index(child.tag.removeprefix(SPACE)) for child in root]
    assert kinds == sorted(kinds)
    parts = ["name", "desc", "bounds", "extensions", "rtept", "trkseg"]
    for child in root:
        known = [parts.index(each.tag.removeprefix(SPACE)) for each in child]
        assert known == sorted(known)


def test_an_area_becomes_a_point_inside_and_no_place_is_left_out() -> None:
    rows = ROWS.iloc[:2].drop(columns=["patrol", "stop"])
    root = ET.fromstring(written(rows, [shapely.box(1, 2, 3, 4), None]))
    (point,) = root.iter(f"{SPACE}wpt")
    assert (float(point.get("lon") or 0), float(point.get("lat") or 0)) == pytest.approx((2, 3))
    assert not list(root.iter(f"{SPACE}rte"))
    assert not list(ET.fromstring(written(rows.iloc[:0], [])).iter(f"{SPACE}wpt"))
