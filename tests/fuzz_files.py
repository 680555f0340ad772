"""Files to throw at the readers: valid ones with odd cells, whose rows are known, and broken ones.

A file is made from its number alone, so that every fault can be made again.
"""

import csv
import io
import json
import random
import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

COLUMNS = ("id", "date", "lon", "lat", "people", "kind", "open", "metres", "remark")
NAMES_OF_COLUMNS = (*COLUMNS, "latitude", "geometry", "source_row", "id", " ", "#adm1", "column_2")
ODD = (
    "", " ", "\t", "0", "-0", "-1", "1e400", "nan", "NaN", "inf", "-Infinity", "1,234", "1.234,5",
    "1_000", "٣١", "３１", "²", "0x1F", "1" * 400, "999999999999999999999", "true", "NULL", "?",
    "=cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "\x00", "a\x00b", "\x1b[31m",
    "\ufeff", "\u202e", "\U0001f480",
    "a\nb", "a\r\nb", "a\rb", '"', '""', "'", ",;|", "<b>&amp;]]>", "{{7*7}}",
    "%s%n", "é", "e\u0301",
    "x" * 5000, "../../etc/passwd",
)  # fmt: skip
DAYS = (
    "2024-01-05", "5 Feb 2024", "Feb 5, 2024", "2024/1/5", "20240105", "13/04/2024", "03/04/2024",
    "45292", "45292.5", "2024-13-45", "0000-00-00", "9999-12-31", "1899-12-31", "2024-02-30",
    "2024-01-05T25:00", "13/04/2024 99:99", "13/04/2024 11:30 PM", "2024-01-05T10:00:00Z",
    "2024-01-05T10:00:00+99:99", "1700000000", "1700000000000", "٢٠٢٤-٠١-٠٥", "2024-01-05T10:00:60",
    "2024-W05-1", "2024-001", "1677-01-01", "2262-12-31T23:59:59Z", "31 Foo 2024", "now", "-1",
)  # fmt: skip
PLACES = (
    ("31.2", "5.1"), ("5.1", "31.2"), ("31,2", "5,1"), ("0", "0"), ("nan", "5"), ("inf", "-inf"),
    ("391.2", "5.1"), ("31°12'00\"E", "5°06'N"), ("31 12 60 E", "5 6 0 N"), ("", ""), ("x", "5"),
    ("1e308", "1e308"), ("180", "90"), ("-180.0000001", "90"), ("٣١", "٥"), ("0313500E", "045136N"),
    ("31.2", "5.1 S"), ("-0.0", "0.0"), ("1e-320", "4"), ("31.2.3", "--5"),
)  # fmt: skip
PAIRS = (
    "36NUF1234567890", "36N UF 12345 67890", "36N 345678 536789", "POINT (31.2 5.1)", "5.1, 31.2",
    "5°06'00\"N 31°12'00\"E", "4d51m36sN, 31d35m0sE", "36S 345678 3600000", "99ZZZ000", "ZAH1234",
    "36 P 345678mE 1104321mN", "N5 E31", "045136N 0313500E", "POINT(nan nan)", "1e5,1e5", ",",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """One input file, and what is known of it."""

    name: str
    data: bytes
    rows: int | None = None
    """Rows its maker put in; None where bytes were broken afterwards."""

    tracks: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def made(number: int) -> Fuzzed:
    """Make the file of a number: half of them well-formed with odd content, half broken."""
    rng = random.Random(number)
    makers = list(MAKERS.values())
    found = makers[number % len(makers)](rng)
    return broken(found, rng) if rng.random() < 0.5 else found


def cells(rng: random.Random, number: int, columns: list[str]) -> list[str]:
    """Make one row of texts; its first cell is never blank, so that no row is."""
    lon, lat = rng.choice(PLACES) if rng.random() < 0.4 else ("31.2", "5.1")
    usual = {
        "id": str(number), "date": rng.choice(DAYS) if rng.random() < 0.4 else "2024-01-05",
        "lon": lon, "lat": lat, "people": "3", "kind": rng.choice(["a", "b", "zz"]),
        "open": rng.choice(["yes", "no", "maybe"]), "metres": "1.5", "grid": rng.choice(PAIRS),
    }  # fmt: skip
    row = [usual.get(name, "text") for name in columns]
    for place in range(1, len(row)):
        if rng.random() < 0.12:
            row[place] = rng.choice((*ODD, *DAYS, *PAIRS))
    row[0] = str(number)
    return row


def header(rng: random.Random) -> list[str]:
    """Choose columns: mostly the usual ones, at times odd, doubled or without a name."""
    columns = list(COLUMNS)
    if rng.random() < 0.15:
        columns[2:4] = ["grid"]
    if rng.random() < 0.25:
        columns[rng.randrange(1, len(columns))] = rng.choice(NAMES_OF_COLUMNS)
    if rng.random() < 0.2:
        columns.append(rng.choice((*NAMES_OF_COLUMNS, *ODD)))
    return columns


def text_table(rng: random.Random) -> Fuzzed:
    """Write delimited text in some encoding."""
    columns, count = header(rng), rng.randrange(0, 12)
    mark = rng.choice([",", ",", ";", "\t", "|"])
    out = io.StringIO(newline="")
    quoting = rng.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    end = rng.choice(["\n", "\r\n", "\r"])
    writer = csv.writer(out, delimiter=mark, lineterminator=end, quoting=quoting)
    for row in [columns, *(cells(rng, number, columns) for number in range(1, count + 1))]:
        plain = [re.sub(r"[\r\n]", " ", cell) for cell in row]  # line ends stand only in quotes
        writer.writerow(row if quoting == csv.QUOTE_ALL else plain)
    encoding = rng.choice(
        ["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1256"]
    )
    data = out.getvalue().encode(encoding, "replace")
    options = {"day_first": True} if rng.random() < 0.8 else {}
    if rng.random() < 0.3:
        options |= {"delimiter": mark}
    return Fuzzed(name="rows.csv", data=data, rows=count, options=options)


def workbook(rng: random.Random) -> Fuzzed:
    """Write an .xlsx; control characters cannot stand in one."""
    columns, count = header(rng), rng.randrange(1, 8)
    book = openpyxl.Workbook()
    page = book.active
    for row in [columns, *(cells(rng, number, columns) for number in range(1, count + 1))]:
        kept = ["".join(sign for sign in cell if sign >= " " or sign in "\t\n") for cell in row]
        page.append([odd_value(rng, cell) for cell in kept])
    if rng.random() < 0.1:
        book.create_sheet("notes").append(["read me"])
    out = io.BytesIO()
    book.save(out)
    return Fuzzed(name="rows.xlsx", data=out.getvalue(), rows=count, options={"day_first": True})


def odd_value(rng: random.Random, text: str) -> Any:
    """Give a cell another type at times."""
    if rng.random() < 0.1:
        return rng.choice([1, 1.5, True, None, 1e300, -5, text])
    return text


def parquet(rng: random.Random) -> Fuzzed:
    """Write Parquet with columns of many types, with or without geometry."""
    columns, count = list(dict.fromkeys(header(rng))), rng.randrange(0, 10)
    rows = [cells(rng, number, columns) for number in range(1, count + 1)]
    table = {name: pa.array([row[place] for row in rows]) for place, name in enumerate(columns)}
    odd = rng.choice(list(table))
    table[odd] = pa.array(rng.choice([
        [float("nan")] * count, [2**62] * count, [[1, 2]] * count, [{"a": 1}] * count,
        [b"\xff\x00"] * count, [None] * count, [10**18] * count, [True] * count,
        [pd.Timestamp(2024, 1, 5)] * count, [float("inf")] * count,
    ]))  # fmt: skip
    found = pa.table(table)
    if rng.random() < 0.4:
        wkb = [shapely.to_wkb(shapely.Point(31, 5))] * count
        found = found.append_column("geom", pa.array(wkb, pa.binary()))
        geo = rng.choice([
            b"{", b"[]", b"7", b'{"primary_column": "x"}', b'{"primary_column": "geom"}',
            b'{"primary_column":"geom","columns":{"geom":{"encoding":"WKB"}}}',
            b'{"primary_column":"geom","columns":{"geom":{"crs":{"a":1}}}}',
            b'{"primary_column":"geom","columns":{"geom":{"crs":null}}}', b"[" * 9000,
        ])  # fmt: skip
        found = found.replace_schema_metadata({b"geo": geo})
    out = io.BytesIO()
    pq.write_table(found, out)
    return Fuzzed(name="rows.parquet", data=out.getvalue(), rows=count, options={"day_first": True})


def shape_text(rng: random.Random) -> Any:
    """Make a GeoJSON geometry, odd ones among them."""
    return rng.choice([
        {"type": "Point", "coordinates": [31.1, 5.1]}, {"type": "Point", "coordinates": [5, 31]},
        {"type": "Point", "coordinates": []}, {"type": "Point", "coordinates": [1e400, 5]}, None,
        {"type": "Point", "coordinates": ["31", None]}, {"type": "Point"}, {"type": "Circle"}, {},
        {"type": "LineString", "coordinates": [[31, 5]]}, {"type": "Point", "coordinates": [31]},
        {"type": "Polygon", "coordinates": [[[30, 4], [31, 5], [31, 4], [30, 5], [30, 4]]]},
        {"type": "Polygon", "coordinates": [[[30, 4], [31, 5]]]}, 7, [], "x",
        {"type": "MultiPoint", "coordinates": [[31, 5], [31.5, 5]]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "Point", "coordinates": [31, 5, 300, 4]},
        {"type": "Polygon", "coordinates": [[[-179, 4], [179, 4], [179, 5], [-179, 4]]]},
    ])  # fmt: skip


def geojson(rng: random.Random) -> Fuzzed:
    """Write GeoJSON with odd shapes and properties."""
    columns, count = header(rng), rng.randrange(0, 9)
    features: list[Any] = []
    for number in range(1, count + 1):
        held: dict[str, Any] = dict(zip(columns, cells(rng, number, columns), strict=True))
        if rng.random() < 0.2:
            held[rng.choice(columns)] = rng.choice(
                [1, 1e308, 2**70, [1, [2]], {"a": {}}, None, True]
            )
        shape = (
            {"type": "Point", "coordinates": [31.2, 5.1]} if rng.random() < 0.6 else shape_text(rng)
        )
        features.append({"type": "Feature", "properties": held, "geometry": shape})
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if rng.random() < 0.2:
        name = rng.choice(["EPSG:32636", "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:0", "x", "", 7])
        whole = {"crs": {"type": "name", "properties": {"name": name}}, **whole}
    text = json.dumps(whole, ensure_ascii=rng.random() < 0.7)
    return Fuzzed(name="places.geojson", data=text.encode("utf-8"), rows=count,
                  options={"day_first": True})  # fmt: skip


def xml_text(text: str) -> str:
    """Escape a text, leaving out what XML cannot hold."""
    return escape("".join(sign for sign in text if sign >= " " or sign in "\t\n"))


def kml_bytes(rng: random.Random, count: int) -> bytes:
    """Write a KML document with a Placemark for each row."""
    marks = []
    for number in range(1, count + 1):
        row = cells(rng, number, list(COLUMNS))
        data = "".join(
            f"<Data name={quoteattr(name)}><value>{xml_text(cell)}</value></Data>"
            for name, cell in zip(COLUMNS, row, strict=True)
        )
        place = rng.choice([
            "31.2,5.1", "31.2,5.1,300", "5.1,31.2,0 1,1", "nan,nan", "inf,5", "31.2", "", "a,b",
            "1e999,2", "31.2 ,5.1", "3_1.2,5.1",
        ])  # fmt: skip
        shape = rng.choice([
            f"<Point><coordinates>{place}</coordinates></Point>", "<Point/>", "", "<Polygon/>",
            f"<LineString><coordinates>{place}</coordinates></LineString>",
            "<Polygon><outerBoundaryIs><LinearRing><coordinates>30,4 31,4 31,5 30,4</coordinates>"
            "</LinearRing></outerBoundaryIs></Polygon>",
            "<MultiGeometry><MultiGeometry/></MultiGeometry>",
        ])  # fmt: skip
        more = rng.choice(
            ["", "", "<name>A &amp; B</name>", '<Data name="geometry"><value>1</value></Data>']
        )
        marks.append(f"<Placemark>{more}<ExtendedData>{data}</ExtendedData>{shape}</Placemark>")
        if rng.random() < 0.2:
            marks[-1] = f"<Folder><name>F{number}</name>{marks[-1]}</Folder>"
    space = rng.choice(['xmlns="http://www.opengis.net/kml/2.2"', "", 'xmlns:x="y"'])
    return f"<kml {space}><Document>{''.join(marks)}</Document></kml>".encode()


def kml(rng: random.Random) -> Fuzzed:
    """Write KML."""
    count = rng.randrange(1, 9)
    return Fuzzed(name="places.kml", data=kml_bytes(rng, count), rows=count,
                  options={"day_first": True})  # fmt: skip


def kmz(rng: random.Random) -> Fuzzed:
    """Write KML in a zip."""
    count = rng.randrange(1, 6)
    data = zipped([("doc.kml", kml_bytes(rng, count))])
    return Fuzzed(name="places.kmz", data=data, rows=count, options={"day_first": True})


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    """Pack files, their dates fixed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def gpx(rng: random.Random) -> Fuzzed:
    """Write tracks, routes and points, some where GPX does not have them."""
    parts, count = [], 0
    for number in range(rng.randrange(1, 4)):
        points = []
        for _ in range(rng.randrange(0, 6)):
            count += 1
            lon, lat = rng.choice(PLACES) if rng.random() < 0.3 else (f"31.{count:03d}", "5.1")
            at = (
                rng.choice((*DAYS, *ODD))
                if rng.random() < 0.3
                else f"2024-01-05T10:{count:02d}:00Z"
            )
            place = f"lat={quoteattr(xml_text(lat))} lon={quoteattr(xml_text(lon))}"
            time = f"<time>{xml_text(at)}</time>" if rng.random() < 0.9 else ""
            points.append(f"<trkpt {place if rng.random() < 0.95 else ''}>{time}</trkpt>")
        inside = "".join(points)
        name = rng.choice(["", "<name>P</name>", f"<name>P{number}</name>"])
        parts.append(rng.choice([
            f"<trk>{name}<trkseg>{inside}</trkseg></trk>",
            f"<trk>{name}<trkseg/><trkseg>{inside}</trkseg></trk>",
            f"<rte>{name}{inside.replace('trkpt', 'rtept')}</rte>", f"<trk>{inside}</trk>",
            f'<y:trk xmlns:y="z"><y:trkseg>{inside}</y:trkseg></y:trk>',
            f"<extensions>{inside}</extensions>",
        ]))  # fmt: skip
    space = rng.choice(['xmlns="http://www.topografix.com/GPX/1/1"', ""])
    text = f"<gpx {space}>{''.join(parts)}<wpt lat='1' lon='1'/></gpx>"
    return Fuzzed(name="track.gpx", data=text.encode(), rows=count, tracks=True)


@cache
def vector_file(kind: str, variant: int) -> tuple[bytes, int]:
    """Write places by GDAL; slow, so there are few variants, broken in many ways."""
    rng = random.Random(variant)
    count = rng.randrange(1, 6)
    table = {
        name: [
            cells(rng, number, list(COLUMNS))[place].replace("\x00", "") for number in range(count)
        ]
        for place, name in enumerate(COLUMNS)
    }
    table["id"] = [str(number) for number in range(count)]
    shapes = [shapely.Point(31.2, 5.1)] * count
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"places.{kind}"
        frame.to_file(path)
        if kind != "shp":
            return path.read_bytes(), count
        beside = sorted(Path(folder).iterdir())
        return zipped([(part.name, part.read_bytes()) for part in beside]), count


def through_gdal(kind: str) -> Callable[[random.Random], Fuzzed]:
    """Make the maker of a format."""

    def maker(rng: random.Random) -> Fuzzed:
        data, count = vector_file(kind, rng.randrange(6))
        name = "places.zip" if kind == "shp" else f"places.{kind}"
        if kind == "shp" and rng.random() < 0.5:  # break a part, not the zip around it
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = [(each, archive.read(each)) for each in archive.namelist()]
            place = rng.randrange(len(parts))
            parts[place] = (parts[place][0], mutated(parts[place][1], rng))
            return Fuzzed(name=name, data=zipped(parts), options={"day_first": True})
        return Fuzzed(name=name, data=data, rows=count, options={"day_first": True})

    return maker


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Break bytes: flip, cut, repeat, take out, put in what hurts."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 8])):
        at = rng.randrange(len(out) + 1)
        size = min(rng.choice([1, 1, 2, 4, 16, 64]), len(out) - at)
        kind = rng.randrange(6)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = bytes(out[at : at + size]) * rng.choice([1, 2, 50])
        elif kind == 3:
            out[at:at] = rng.choice(HURTFUL)
        elif kind == 4:
            out[at : at + size] = rng.choice(HURTFUL)[:size].ljust(size, b"\xff")
        elif rng.random() < 0.3:
            del out[at:]
    return bytes(out)


HURTFUL = (
    b"\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\xff" * 8, b'"', b"'",
    b"<", b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"\xef\xbb\xbf", b"\xff\xfe", b"\n",
    b"\r", b",", b"[" * 300, b"{" * 300, b"1e999", b"-", b"NaN", b"\xed\xa0\x80",
    b"\xf0\x9f\x92\x80", b"9" * 60, b"/", b"..", b"\\ud800", b"<a>" * 300, b"=1", b"#", b"\x1b",
    b"\x80", b"\xc0\xaf",
)  # fmt: skip


def broken(found: Fuzzed, rng: random.Random) -> Fuzzed:
    """Break a file: its bytes, or those of a member of its zip."""
    data = found.data
    if data[:2] == b"PK" and rng.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(name, archive.read(name)) for name in archive.namelist()]
        place = rng.randrange(len(parts))
        parts[place] = (parts[place][0], mutated(parts[place][1], rng))
        return Fuzzed(
            name=found.name, data=zipped(parts), tracks=found.tracks, options=found.options
        )
    return Fuzzed(
        name=found.name, data=mutated(data, rng), tracks=found.tracks, options=found.options
    )


MAKERS: dict[str, Callable[[random.Random], Fuzzed]] = {
    "csv": text_table, "xlsx": workbook, "parquet": parquet, "geojson": geojson, "kml": kml,
    "kmz": kmz, "gpx": gpx, "gpkg": through_gdal("gpkg"), "shp": through_gdal("shp"),
    "fgb": through_gdal("fgb"), "csv again": text_table, "gpx again": gpx,
}  # fmt: skip
