"""Tables on a terminal and as files: readable, marked, inert, whole, the same bytes."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyogrio.errors import DataSourceError
from shapely.geometry import MultiPolygon, Point, Polygon, box

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.disclosure import ReleaseContext, policy, release
from pocgeo.products.manifest import Making, manifest
from pocgeo.products.phrasing import clean
from pocgeo.products.tables import FORMATS, as_text, breadth, export, save_text
from pocgeo.products.workbook import inert
from tests.conftest import as_nobody

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "a\x00b",
    "</script><script>alert(1)</script>",
    "{{ 7*7 }}",
    "]]><x>&amp;",
    "$[name]",
    "line\nbreak",
    "مدينة",
    "東京都",
]
MADE = {"made_at": "2026-07-01T10:00:00+00:00", "aoi": {"name": "Coast"}, "inputs": []}


def released(table: pd.DataFrame, name: str = "gaps", audience: str = "internal", **attrs: object):
    table = table.copy()
    table.attrs.update(attrs)
    context = ReleaseContext(
        marking="CONFIDENTIAL", cut_off_on=date(2026, 6, 30), notes=("Synthetic.",), manifest=MADE
    )
    title = "Who at risk can we neither reach nor have visited?"
    return release(table, policy(audience), name=name, title=title, context=context)


def gap_table(n: int = 4, place: str | list[str] = "Porto") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": range(1, n + 1),
            "gap_area_id": [f"g{i}" for i in range(n)],
            "place": place,
            "grid_reference": "32N QK 123 456",
            "gap_persons": np.linspace(1_234_567.4, 0, n),
            "women_persons": [1.0, *[np.nan] * n][:n],
            "children_persons": np.nan,
            "risk": 0.5,
            "reach_min": [160.2, *[np.nan] * n][:n],
            "last_presence_on": pd.to_datetime(["2026-05-12", *[None] * n][:n]),
            "alert": pd.array([True, *[pd.NA] * n][:n], dtype="boolean"),
            "reason": "2 h 40 from the nearest base in the wet season; no patrol since 12 May.",
            "lon": 7.123456789,
            "lat": 0.5,
        }
    )


def cell_table(n: int = 7) -> pd.DataFrame:
    cells = grid.disk(grid.cells_of([7.0], [0.5], 8), 6)[:n]
    return pd.DataFrame({"cell": cells, "people_persons": np.arange(n) * 1.5})


# text


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
def test_no_line_is_wider_than_asked_and_the_marking_is_first_and_last(width) -> None:
    text = as_text(released(gap_table(4, HOSTILE[:4])), width)
    lines = text.split("\n")
    assert max(map(breadth, lines)) <= width
    assert lines[0].strip() == lines[-1].strip() == "CONFIDENTIAL"
    for needed in (
        "People in the",
        "(persons)",
        "data to 30 Jun 2026",
        "Synthetic.",
        "Reason: 2 h",
    ):
        assert needed in text
    assert "Unknown throughout: Children." in text


def test_figures_have_thousands_units_and_a_total_and_unknown_is_never_0() -> None:
    text = as_text(released(gap_table()), 200)
    assert "1,234,567" in text
    assert "out of reach" in text
    assert re.search(r"Total +2,469,135 +≥ 1\b", text)  # women: three of four rows are unknown
    assert re.search(r"unknown", text)
    assert "nan" not in text.lower().replace("unknown", "")


def test_a_small_part_of_a_person_is_not_written_as_0() -> None:
    table = pd.DataFrame({"area": ["a", "b"], "gap_persons": [0.2, 0.0]})
    rows = as_text(released(table, kind="areas"), 80).splitlines()
    assert any(row.endswith("<1") for row in rows)
    assert any(row.endswith(" 0") for row in rows)


def test_columns_left_out_are_named_and_top_says_what_it_cut() -> None:
    text = as_text(released(gap_table(30)), 80, top=3)
    assert "Not shown at this width:" in text
    assert "The first 3 of 30 rows" in text
    assert as_text(released(gap_table(0)), 80).count("No rows.") == 1


def test_what_is_withheld_is_said() -> None:
    table = pd.DataFrame({"incident_id": ["a"], "summary": ["witness"]})
    assert "Withheld. Confidential, in no product: Summary." in as_text(released(table), 80)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=50), min_size=1, max_size=4), st.integers(60, 200))
def test_no_text_can_act_on_a_terminal_or_break_the_table(places, width) -> None:
    text = as_text(released(gap_table(len(places), places)), width)
    assert all(sign == "\n" or sign.isprintable() or sign in "\u200c\u200d\u3000\xa0"
               or not sign.isascii() for sign in text)  # fmt: skip
    assert "\x1b" not in text
    assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\x9b\x85\u2028")
    assert max(map(breadth, text.split("\n"))) <= width


def test_wide_and_right_to_left_text_keeps_the_columns() -> None:
    assert breadth("東京都") == 6
    assert breadth("مدينة") == 5
    assert breadth("e\u0301") == 1
    lines = as_text(released(gap_table(2, ["東京都", "Porto"])), 120).splitlines()
    rows = [line for line in lines if re.match(r" +[12]  ", line)]
    assert len({breadth(row[: row.index("32N")]) for row in rows}) == 1


# files


def read_back(path: Path, fmt: str) -> pd.DataFrame:
    if fmt == "csv":
        return pd.read_csv(path, encoding="utf-8-sig")
    if fmt == "xlsx":
        return pd.read_excel(path, header=1).iloc[:-2]
    if fmt == "json":
        return pd.DataFrame(json.loads(path.read_text("utf8"))["records"])
    if fmt == "geoparquet":
        return gpd.read_parquet(path)
    if fmt == "kml":
        space = "{http://www.opengis.net/kml/2.2}"
        marks = ET.fromstring(path.read_text("utf8")).iter(f"{space}Placemark")
        rows = [{d.get("name"): d[0].text for d in mark.iter(f"{space}Data")} for mark in marks]
        return pd.DataFrame(rows)
    if fmt == "gpx":
        root = ET.fromstring(path.read_text("utf8"))
        marks = root.iter("{http://www.topografix.com/GPX/1/1}wpt")
        rows = [{d.get("name"): d.text for d in mark.iter("{urn:pocgeo}data")} for mark in marks]
        return pd.DataFrame(rows)
    return pyogrio.read_dataframe(path)


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_holds_all_rows_marking_cut_off_and_manifest(tmp_path, fmt) -> None:
    path = export(released(cell_table(), "population"), tmp_path / f"cells.{fmt}", fmt)
    back = read_back(path, fmt)
    assert len(back) == 7
    people = back.filter(regex="people_persons|People").iloc[:, 0].astype(float)
    assert people.sum() == pytest.approx(31.5)
    assert str(back.filter(regex="(?i)^cell").iloc[0, 0]).startswith("88")
    told = path.with_name(f"{path.name}.manifest.json").read_text("utf8") if fmt == "csv" else ""
    if fmt == "xlsx":
        book = openpyxl.load_workbook(path)
        told = str([[c.value for c in row] for sheet in book for row in sheet.iter_rows()])
    elif fmt == "geoparquet":
        told = pq.read_schema(path).metadata[b"pocgeo"].decode()
    elif fmt == "gpkg":
        told = str(pyogrio.read_info(path, layer="population")) + path.read_bytes().decode("latin1")
    elif not told:
        told = path.read_text("utf8")
    for needed in ("CONFIDENTIAL", "2026-07-01T10:00:00", "Synthetic."):
        assert needed in told
    assert "2026-06-30" in told or "30 Jun 2026" in told
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_same_table_gives_the_same_bytes(tmp_path, fmt, monkeypatch) -> None:
    table = released(cell_table(), "population")
    first = export(table, tmp_path / f"a.{fmt}", fmt).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    second = export(table, tmp_path / f"b.{fmt}", fmt).read_bytes()
    assert first == second


def test_cells_become_hexagons_and_points_stay_points(tmp_path) -> None:
    path = export(released(cell_table(), "population"), tmp_path / "a.geojson", "geojson")
    shapes = gpd.read_file(path)
    assert shapes.geometry.geom_type.eq("Polygon").all()
    assert shapes.geometry.exterior.is_ccw.all()  # RFC 7946 3.1.6
    middle = shapely.get_coordinates(shapely.centroid(shapes.geometry.to_numpy()))
    assert grid.as_text(grid.cells_of(*middle.T, 8)) == shapes["cell"].tolist()
    gaps = export(released(gap_table()), tmp_path / "b.geojson", "geojson")
    assert gpd.read_file(gaps).geometry.iloc[0].equals(Point(7.1234568, 0.5))


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "geoparquet", "kml", "gpx"])
def test_a_table_without_places_says_which_formats_it_has(tmp_path, fmt) -> None:
    table = released(pd.DataFrame({"indicator": ["a"], "value": [1.0]}), "indicators")
    with pytest.raises(BadInput, match=f"indicators: the table has no places.*{fmt}.*csv"):
        export(table, tmp_path / f"x.{fmt}", fmt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fmt", FORMATS)
def test_hostile_text_stays_text_in_every_format(tmp_path, fmt) -> None:
    table = gap_table(len(HOSTILE), HOSTILE)
    path = export(released(table), tmp_path / f"h.{fmt}", fmt)
    back = read_back(path, fmt)
    assert len(back) == len(HOSTILE)
    content = path.read_bytes()
    assert b"\x1b" not in content or fmt in {"xlsx", "gpkg", "geoparquet"}
    places = back.filter(regex="^[Pp]lace$").iloc[:, 0].astype(str)
    assert not places.str.contains("[\x00-\x1f\u202e]").any()
    if fmt in {"csv", "xlsx"}:
        assert not places.str.match(r"\s*[=+\-@]").any()


def test_a_workbook_computes_nothing_and_numbers_stay_numbers(tmp_path) -> None:
    table = gap_table(len(HOSTILE), HOSTILE).assign(risk=-1.5)
    path = export(released(table), tmp_path / "h.xlsx", "xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert all(cell.data_type != "f" for s in book for row in s.iter_rows() for cell in row)
    assert sheet["A1"].value.startswith("CONFIDENTIAL")
    assert sheet.cell(sheet.max_row, 1).value.startswith("CONFIDENTIAL")
    assert sheet.freeze_panes == "A3"
    assert sheet.oddHeader.center.text == "CONFIDENTIAL"
    names = [cell.value for cell in sheet[2]]
    assert "People in the gap (persons)" in names
    risk = sheet.cell(3, names.index("Risk (0–1)") + 1)
    assert (risk.value, risk.number_format) == (-1.5, "#,##0.00")
    assert sheet.cell(4, names.index("Reach (minutes)") + 1).value is None
    assert b"2026-07-01T10:00:00Z" in _part(path, "docProps/core.xml")


def test_a_workbook_holds_every_table_of_an_answer_on_a_sheet_each(tmp_path) -> None:
    first, second = released(gap_table()), released(cell_table(), "population")
    path = export(first, tmp_path / "both.xlsx", "xlsx", further=[second])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [
        first.name.replace("_", " "), second.name.replace("_", " "), "Read me"
    ]  # fmt: skip
    for sheet, table in zip(book.worksheets, (first, second), strict=False):
        assert sheet["A1"].value == f"{table.marking} · {table.title}"
        assert sheet.max_row == len(table.table) + 4  # marking, headings, a blank, provenance
    said = [row[0].value for row in book["Read me"].iter_rows()]
    assert [first.title, second.title] == [
        text for text in said if text in {first.title, second.title}
    ]
    with pytest.raises(BadInput, match="csv holds one table"):
        export(first, tmp_path / "both.csv", "csv", further=[second])
    assert not (tmp_path / "both.csv").exists()


def _part(path: Path, name: str) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as book:
        return book.read(name)


def test_csv_opens_in_a_spreadsheet_and_has_neither_comment_nor_formula(tmp_path) -> None:
    path = export(released(gap_table(2, ["=1", "Ça"])), tmp_path / "a.csv", "csv")
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0]["place"] == "'=1"
    assert rows[1]["place"] == "Ça"
    assert rows[1]["reach_min"] == ""
    assert rows[0]["last_presence_on"] == "2026-05-12"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_no_text_is_left_that_a_spreadsheet_would_compute(text) -> None:
    safe = inert(clean(text))
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))
    assert clean(safe) == safe


def test_kml_holds_polygons_with_holes_and_parts() -> None:
    from pocgeo.products.kml import kml_document
    from pocgeo.products.placed import PlacedRows

    hole = Polygon(box(0, 0, 4, 4).exterior, [box(1, 1, 2, 2).exterior.coords])
    rows = pd.DataFrame({"name": ["a", "b"]})
    shapes = [MultiPolygon([hole, box(5, 5, 6, 6)]), None]
    text = kml_document(PlacedRows(rows=rows, shapes=shapes, heading="<h>", said=["a & b"]))
    assert text.count("<innerBoundaryIs>") == 1
    assert text.count("<Polygon>") == 2
    ET.fromstring(text)


# places to write


def test_a_bad_place_is_one_line_and_leaves_nothing(tmp_path) -> None:
    table = released(gap_table())
    with pytest.raises(BadInput, match=r"folder .*missing does not exist"):
        export(table, tmp_path / "missing" / "a.csv", "csv")
    with pytest.raises(BadInput, match="is a folder"):
        export(table, tmp_path, "csv")
    with pytest.raises(UnknownName, match="No format is called 'xls'"):
        export(table, tmp_path / "a.xls", "xls")
    with pytest.raises(BadInput, match="File name too long"):
        export(table, tmp_path / ("a" * 300 + ".csv"), "csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_line(shown_folder) -> None:
    shown_folder.chmod(0o555)
    with as_nobody(), pytest.raises(BadInput, match="no permission"):
        export(released(gap_table()), shown_folder / "a.csv", "csv")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old", "utf8")

    def broken(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(BadInput, match="No space left on device"):
        export(released(gap_table()), path, "csv")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text("utf8") == "old"


def test_text_is_saved_with_every_table(tmp_path) -> None:
    path = tmp_path / "a.txt"
    said = save_text([released(gap_table()), released(gap_table(1))], path, top=1)
    assert said == f"Wrote {path}"
    assert path.read_text("utf8").count("CONFIDENTIAL") == 4


def test_a_suppressed_count_is_in_no_format(tmp_path) -> None:
    """Grep every file for values that exist only in what was suppressed."""
    n = 49
    cells = cell_table(n)["cell"]
    table = pd.DataFrame({"cell": cells, "incidents_n": [0.123] + [0.0] * (n - 1),
                          "base_id": "SECRETBASE", "risk": 0.98765})  # fmt: skip
    table.attrs["notes"] = ["SECRETNOTE"]
    out = release(
        table, policy("partners"), name="risk", title="Risk",
        context=ReleaseContext(marking="UNCLASSIFIED", cut_off_on=date(2026, 6, 30),
                               manifest=manifest(Making(aoi={"name": "A"}))),
    )  # fmt: skip
    for fmt in FORMATS:
        path = export(out, tmp_path / f"a.{fmt}", fmt)
        content = path.read_bytes()
        if fmt == "xlsx":
            content += b"".join(_part(path, f"xl/worksheets/sheet{i}.xml") for i in (1, 2))
        if fmt == "geoparquet":
            content += gpd.read_parquet(path).to_csv().encode()
        for secret in (b"0.123", b"SECRETBASE", b"SECRETNOTE", b"0.98765"):
            assert secret not in content, (fmt, secret)


def test_a_geopackage_that_cannot_be_finished_is_one_line(tmp_path, monkeypatch):
    def full(*_args, **_given):
        raise DataSourceError("Failed to commit transaction")

    monkeypatch.setattr(pyogrio, "write_dataframe", full)
    made = released(cell_table(), "population")
    with pytest.raises(BadInput, match="is the disk full"):
        export(made, tmp_path / "people.gpkg", "gpkg")
    assert not list(tmp_path.iterdir())
