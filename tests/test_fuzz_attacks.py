"""Files made to harm: bombs, lies, pipes, links. Each is refused in a line, in bounded memory."""

import io
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from pocgeo.ground.errors import BadInput, MissingFile, PocgeoError, UnreadableSource
from pocgeo.layers.aoi_file import read_aoi
from pocgeo.layers.boundary import read_boundary
from pocgeo.layers.dates import parse_instants
from pocgeo.layers.texts import as_text
from pocgeo.sources import parquet, text_table, workbook
from pocgeo.sources.tabular import read_table
from pocgeo.sources.tracks import read_tracks
from pocgeo.sources.vector import read_vector
from tests.fuzz_files import zipped
from tests.layer_samples import features, loaded, reasons, table

MAIN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def sheet_of(rows: str) -> bytes:
    """A workbook whose only sheet has these rows, as XML."""
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = f"{MAIN}{rows}</sheetData></worksheet>".encode()
    return zipped(list(parts.items()))


def cell(place: str, text: str = "a") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_a_sheet_that_claims_a_milliard_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "LAST_ROW", 9_999)
    path = tmp_path / "rows.xlsx"
    path.write_bytes(
        sheet_of(f'<row r="1">{cell("A1")}</row><row r="1000000000">{cell("A2")}</row>')
    )
    with pytest.raises(UnreadableSource, match="more than 9,999 rows"):
        read_table(path)


def test_a_workbook_that_is_mostly_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_CELLS", 40_000)
    rows = "".join(f'<row r="{row}">{cell(f"XFD{row}")}</row>' for row in range(1, 5))
    wide = tmp_path / "wide.xlsx"
    wide.write_bytes(sheet_of(rows))
    with pytest.raises(UnreadableSource, match="spans more than 40,000 cells"):
        read_table(wide)
    ragged = "".join(
        f'<row r="{row}">{cell(f"A{row}")}{cell(f"B{row}")}</row>' for row in range(1, 9)
    )
    path = tmp_path / "ragged.xlsx"  # few cells, but a table of 9 x 16,384
    path.write_bytes(sheet_of(f'{ragged}<row r="9">{cell("XFD9")}</row>'))
    with pytest.raises(BadInput, match=r"spans more than|the most is 5,000"):
        read_table(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_entities_in_a_workbook(tmp_path: Path, part: str) -> None:
    with zipfile.ZipFile(io.BytesIO(sheet_of(""))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    path = tmp_path / "rows.xlsx"
    path.write_bytes(zipped(list(parts.items())))
    with pytest.raises(UnreadableSource, match="declares a DOCTYPE"):
        read_table(path)


@pytest.mark.parametrize("suffix", ["kml", "gpx"])
@pytest.mark.parametrize("said", ['"c"', 'SYSTEM "file:///etc/passwd"'])
def test_entities_in_xml(tmp_path: Path, suffix: str, said: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text(f"<!DOCTYPE a [<!ENTITY b {said}>]><{suffix}>&b;</{suffix}>", encoding="utf-8")
    with pytest.raises(UnreadableSource, match="declares a DOCTYPE"):
        read_vector(path) if suffix == "kml" else read_tracks(path)


def test_a_member_that_is_not_what_the_list_of_the_zip_says(tmp_path: Path) -> None:
    data = bytearray(zipped([("doc.kml", b"<kml/>" * 50)]))
    data[40:60] = b"\xff" * 20
    path = tmp_path / "a.kmz"
    path.write_bytes(data)
    with pytest.raises(UnreadableSource, match="damaged"):
        read_vector(path)


def test_a_zip_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped([("inner.zip", zipped([("a.geojson", b"{}")]))]))
    with pytest.raises(UnreadableSource, match="without a"):
        read_vector(path)


def test_a_link_in_a_zip_leads_nowhere(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.geojson")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableSource, match="cannot be read"):
        read_vector(path)


@pytest.mark.parametrize("name", ["../a.geojson", "/a.geojson", "b\\..\\..\\a.geojson"])
def test_a_zip_that_names_paths_outside_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped([(name, b"{}")]))
    with pytest.raises(UnreadableSource, match="outside itself"):
        read_vector(path)


def test_parquet_that_unpacks_to_vast_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GREATEST_BYTES", 1 << 20)
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": ["x" * 10_000] * 20_000}), path)  # 200 MB in a few KB
    assert path.stat().st_size < 50_000
    with pytest.raises(UnreadableSource, match="unpacks to more than"):
        read_table(path)
    pq.write_table(pa.table({"a": pa.nulls(200_000, pa.int8())}), path)
    with pytest.raises(UnreadableSource, match="unpacks to more than"):
        read_table(path)


def test_texts_that_are_stored_once_are_read_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": ["x", None, "y" * 300] * 2_000}), path)
    plain = read_table(path).frame
    monkeypatch.setattr(parquet, "GREATEST_BYTES", 1 << 20)
    assert read_table(path).frame.equals(plain)
    assert read_table(path).frame["a"].dtype == plain["a"].dtype


@pytest.mark.parametrize("geo", [b"{", b"[]", b"7", b'{"primary_column": "x"}', b"[" * 9_000])
def test_geo_metadata_that_is_none(tmp_path: Path, geo: bytes) -> None:
    path = tmp_path / "rows.parquet"
    found = pa.table({"geometry": [b"x"]}).replace_schema_metadata({b"geo": geo})
    pq.write_table(found, path)
    with pytest.raises(UnreadableSource, match="geo metadata is damaged"):
        read_table(path)


def test_bytes_and_halves_of_characters_become_text() -> None:
    import pandas as pd

    found = as_text(pd.Series([b"a\xff", "b\ud800", "c"], dtype=object))
    assert found.tolist() == ["a\ufffd", "b\ufffd", "c"]


def test_a_header_far_wider_than_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_table, "MOST_FILLED_UP", 1_000)
    path = table(tmp_path, ",".join(f"c{i}" for i in range(600)) + "\n" + "a,b\n" * 4)
    with pytest.raises(UnreadableSource, match="far shorter than the 600 columns"):
        read_table(path)
    with pytest.raises(BadInput, match=r"100,000 columns; the most is 5,000"):
        read_table(table(tmp_path, ",".join(["a"] * 100_000) + "\n1,2"))


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_table, "LONGEST_LINE", 1_000)
    path = table(tmp_path, "id,date\n1,2\n" + "3" * 5_000)
    for encoding in (None, "utf-8"):
        with pytest.raises(UnreadableSource, match="no text table"):
            read_table(path, encoding=encoding)


def test_many_columns_and_tracks_of_one_name_are_told_apart_in_time(tmp_path: Path) -> None:
    found = read_table(table(tmp_path, ",".join(["a"] * 4_000) + "\n" + ",".join(["1"] * 4_000)))
    assert len(set(found.frame)) == 4_000
    tracks = '<trk><name>n</name><trkseg><trkpt lat="1" lon="1"/></trkseg></trk>' * 20_000
    path = tmp_path / "a.gpx"
    path.write_text(f"<gpx>{tracks}</gpx>", encoding="utf-8")
    assert read_tracks(path).frame["patrol_id"].is_unique


def test_points_of_a_gpx_outside_any_segment_are_rejected_not_lost(tmp_path: Path) -> None:
    point = '<trkpt lat="5" lon="31"><time>2024-01-0{}T00:00:00Z</time></trkpt>'
    text = (
        f"<gpx><trk>{point.format(1)}</trk><extensions>{point.format(2)}</extensions>"
        f'<y:trk xmlns:y="z"><y:trkseg>{point.format(3)}</y:trkseg></y:trk></gpx>'
    )
    path = tmp_path / "a.gpx"
    path.write_text(text, encoding="utf-8")
    found = loaded("patrols", path)
    assert found.report.summary["rows"].tolist() == [3]
    assert sum(reasons(found, "rejected").values()) == 2
    assert found.frame is not None
    assert len(found.frame) == 1


def test_features_that_gdal_passes_over_are_not_lost(tmp_path: Path) -> None:
    path = features(tmp_path, [(shapely.Point(31, 5), {"id": "a"})] * 3, "a.geojson")
    path.write_text(path.read_text("utf-8").replace('"Feature"', '"Featuse"', 1), encoding="utf-8")
    with pytest.raises(UnreadableSource, match="has 3 features, but 2 can be read"):
        read_vector(path)


def test_geojson_nested_without_end_and_columns_without_end(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    deep = "[" * 100_000
    path.write_text(f'{{"type": "FeatureCollection", "features": [{deep}', encoding="utf-8")
    with pytest.raises(UnreadableSource):
        read_vector(path)
    point = {"type": "Point", "coordinates": [31, 5]}
    rows = [
        {"type": "Feature", "properties": {f"c{i}": 1}, "geometry": point} for i in range(5_001)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    with pytest.raises(BadInput, match="5,001 columns"):
        read_vector(path)


def test_a_kml_with_a_column_for_every_place(tmp_path: Path) -> None:
    marks = "".join(
        f'<Placemark><ExtendedData><Data name="c{i}"><value>1</value></Data></ExtendedData>'
        "</Placemark>"
        for i in range(5_001)
    )
    path = tmp_path / "a.kml"
    path.write_text(f"<kml>{marks}</kml>", encoding="utf-8")
    with pytest.raises(BadInput, match="the most is 5,000"):
        read_vector(path)


def test_a_stored_query_of_a_geopackage_is_not_run(tmp_path: Path) -> None:
    import geopandas as gpd

    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(31, 5)], crs=4326).to_file(path, layer="t")
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS fid, (SELECT geom FROM t) AS geom FROM n"
        )
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('v','features',4326)"
        )
        database.execute("INSERT INTO gpkg_geometry_columns VALUES ('v','geom','POINT',4326,0,0)")
    database.close()
    with pytest.raises(UnreadableSource, match="stored query"):
        read_vector(path, layer="v")
    assert len(read_vector(path, layer="t").frame) == 1


@pytest.mark.parametrize("read", [read_table, read_tracks, read_vector])
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path, read) -> None:
    pipe = tmp_path / "a.csv"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), Path("/dev/tty")):
        with pytest.raises(PocgeoError, match=r"pipe or a device|cannot be read|does not exist"):
            read(path)
    with pytest.raises(UnreadableSource, match="cannot be read"):
        read(tmp_path / ("a" * 5_000))
    with pytest.raises(PocgeoError):
        read(tmp_path / "a\x00b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(PocgeoError):
        read(tmp_path / "loop")
    with pytest.raises(MissingFile):
        read(pipe / "below a file")


AOI = (
    '[aoi]\nname = "A"\nboundary = "{}"\nperiod = ["2024-01-01", "2024-12-31"]\ntime_zone = "UTC"\n'
)


def aoi(folder: Path, boundary: str = "b.geojson", more: str = "") -> Path:
    """Write an aoi.toml beside an outline and a table."""
    features(folder, [(shapely.box(30, 4, 32, 6), {})], "b.geojson")
    table(folder, "id,date,lon,lat\n1,2024-01-01,31,5")
    (folder / "aoi.toml").write_text(AOI.format(boundary) + more, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "../b.geojson",
        "x/../../b.geojson",
        "a\\u0000b",
        "x" * 5_000,
        "x" * 300,
        "a**",
        "**b/[",
        "\\n",
    ],
)
def test_paths_of_aoi_toml_that_lead_nowhere_good(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_aoi(aoi(tmp_path, text))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "more",
    [
        "resolution = 0x" + "f" * 5_000, "resolution = " + "9" * 5_000, "note = " + "[" * 50_000,
        "resolution = inf", "a" + ".a" * 30_000 + " = 1", "#" * 300_000,
        '[layers.incidents]\npath = "rows.csv"\nheader_row = ' + "9" * 400,
        '[layers.incidents]\npath = "rows.csv"\nwhere = { id = 0x' + "f" * 5_000 + " }\nx = 1",
        '[layers.patrols]\npath = "rows.csv"\nmax_speed_kmh = nan',
    ],
    ids=range(9),
)  # fmt: skip
def test_settings_that_are_vast(tmp_path: Path, more: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_aoi(aoi(tmp_path, more=more))
    assert len(str(raised.value)) <= 1_500


def test_numbers_of_settings_are_not_rounded(tmp_path: Path) -> None:
    where = '[layers.incidents]\npath = "rows.csv"\nwhere = { id = [1234567, 0.12345678] }'
    (request,) = read_aoi(aoi(tmp_path, more=where)).requests
    assert request.sources[0].where == {"id": ("1234567", "0.12345678")}


def test_an_outline_of_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "b.geojson"
    ring = "[[30,4],[31,4],[1e999,5],[30,4]]"
    path.write_text(f'{{"type": "Polygon", "coordinates": [{ring}]}}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"holds no polygon|cannot be drawn|not finite"):
        read_boundary(path)


def test_a_clock_that_cannot_be_is_no_time() -> None:
    import pandas as pd

    texts = pd.Series(["13/04/2024 99:99", "13/04/2024 24:00", "13/04/2024 23:59"])
    found = parse_instants(texts, day_first=True, zone="UTC", where="x")
    assert found.unreadable.tolist() == [True, True, False]


def test_a_message_is_one_printable_line() -> None:
    said = str(UnreadableSource("a\x1b[31m\nb", "x" * 5_000))
    assert said.isprintable()
    assert len(said) <= 1_500


BOMB = """
import resource, sys
from pathlib import Path
from pocgeo.sources.tabular import read_table
from pocgeo.sources.vector import read_vector
from pocgeo.ground.errors import PocgeoError
mapped = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (mapped + (1 << 30),) * 2)
for name in sys.argv[1:]:
    try:
        (read_vector if name.endswith("kmz") else read_table)(Path(name))
    except PocgeoError as error:
        print(type(error).__name__)
"""


def test_bombs_burst_in_a_gibibyte(tmp_path: Path) -> None:
    """Each unpacks to more than the child may map; each is refused before it does."""
    zeros = b" " * (64 << 20)
    one = tmp_path / "one.kmz"
    one.write_bytes(zipped([("doc.kml", b"<kml>" + zeros)]))
    rows = tmp_path / "rows.xlsx"
    rows.write_bytes(
        sheet_of(f'<row r="1">{cell("A1")}</row><row r="2000000000">{cell("A2")}</row>')
    )
    texts = tmp_path / "rows.parquet"
    pq.write_table(
        pa.table({"a": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(2_000_000, dtype="int32")), ["x" * 100_000]
        )}), texts,
    )  # fmt: skip
    code = textwrap.dedent(BOMB)
    done = subprocess.run(
        [sys.executable, "-c", code, str(one), str(rows), str(texts)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["UnreadableSource"] * 3, done.stderr


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    code = (
        "import click\nfrom pocgeo.doors.running import run_command\n@click.command()\n"
        "def write():\n    open('/dev/full', 'w', buffering=1).write('x\\n')\nrun_command(write)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Cannot write: No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
