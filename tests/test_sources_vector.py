import json
import zipfile

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from pocgeo.ground.errors import BadInput, MissingFile, UnreadableSource
from pocgeo.sources.vector import geometry_faults, read_vector
from tests.real import SHARED, needs_shared

JUBA = shapely.Point(31.6, 4.85)
SQUARE = shapely.box(31, 4, 32, 5)
BOWTIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def places(geometry=(JUBA, SQUARE), crs=4326):
    names = [f"place {i}" for i in range(len(geometry))]
    return gpd.GeoDataFrame({"name": names}, geometry=list(geometry), crs=crs)


def feature_collection(path, features, **members):
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return path


def point(x, y, **properties):
    return {"type": "Feature", "properties": properties,
            "geometry": {"type": "Point", "coordinates": [x, y]}}  # fmt: skip


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "fgb", "parquet"])
def test_every_format_gives_the_same_places(tmp_path, ending):
    path = tmp_path / f"places.{ending}"
    if ending == "parquet":
        places().to_parquet(path)
    else:
        places().to_file(path)
    found = read_vector(path)
    assert found.frame.crs.to_epsg() == 4326
    assert found.frame.index.tolist() == [1, 2]
    assert found.notes == ()
    wanted = dict(zip(["place 0", "place 1"], [JUBA, SQUARE], strict=True))
    for name, shape in zip(found.frame["name"], found.frame.geometry, strict=True):
        assert shape.equals_exact(wanted[name], 1e-9) or shape.equals(wanted[name])


def test_utm_is_converted_and_said_in_each_carrier(tmp_path):
    metres = places([JUBA]).to_crs(32636)
    metres.to_file(tmp_path / "a.gpkg")
    metres.to_file(tmp_path / "a.shp")
    metres.to_parquet(tmp_path / "a.parquet")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj", "cpg"):
            archive.write(tmp_path / f"a.{ending}", f"folder/a.{ending}")
    for name in ("a.gpkg", "a.shp", "a.parquet", "a.zip"):
        found = read_vector(tmp_path / name)
        assert found.frame.geometry.iloc[0].distance(JUBA) < 1e-9, name
        assert found.notes == ("EPSG:32636 converted to EPSG:4326",), name


def test_a_crs_is_never_assumed(tmp_path):
    path = tmp_path / "a.shp"
    places([JUBA]).to_crs(32636).to_file(path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(BadInput, match="states no coordinate reference system"):
        read_vector(path)
    assert read_vector(path, crs="EPSG:32636").frame.geometry.iloc[0].distance(JUBA) < 1e-9
    with pytest.raises(BadInput, match="lie outside degrees"):
        read_vector(path, crs="EPSG:4326")
    with pytest.raises(BadInput, match="PROJ knows no CRS 'EPSG:0'"):
        read_vector(path, crs="EPSG:0")


def test_a_declared_crs_that_contradicts_the_file_is_refused(tmp_path):
    path = tmp_path / "a.gpkg"
    places([JUBA]).to_crs(32636).to_file(path)
    with pytest.raises(BadInput, match="declared crs EPSG:32635, but the file says EPSG:32636"):
        read_vector(path, crs="EPSG:32635")
    assert len(read_vector(path, crs="EPSG:32636").frame) == 1


def test_geojson_is_in_degrees_unless_it_says_otherwise(tmp_path):
    plain = feature_collection(tmp_path / "plain.geojson", [point(31.6, 4.85)])
    assert read_vector(plain).frame.geometry.iloc[0].equals(JUBA)
    with pytest.raises(BadInput, match=r"EPSG:32636 counts in metres, but all coordinates look"):
        read_vector(plain, crs="EPSG:32636")
    metres = feature_collection(tmp_path / "metres.geojson", [point(344_722, 536_233)])
    with pytest.raises(BadInput, match="lie outside degrees"):
        read_vector(metres)
    assert read_vector(metres, crs="EPSG:32636").frame.geometry.iloc[0].distance(JUBA) < 1e-3
    named = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32636"}}}
    said = feature_collection(tmp_path / "said.geojson", [point(344_722, 536_233)], **named)
    assert read_vector(said).notes == ("EPSG:32636 converted to EPSG:4326",)


def test_one_bad_longitude_is_a_row_for_the_layer_to_reject(tmp_path):
    path = feature_collection(
        tmp_path / "a.geojson", [point(31, 4), point(3_100_000, 4), point(30, 4)]
    )
    assert read_vector(path).frame.geometry.x.tolist() == [31, 3_100_000, 30]


def test_dates_and_numbers_in_text_stay_text(tmp_path):
    path = feature_collection(
        tmp_path / "a.geojson", [point(1, 2, day="03/04/2024"), point(1, 2, day="2024/05/06")]
    )
    assert read_vector(path).frame["day"].tolist() == ["03/04/2024", "2024/05/06"]


def test_what_is_wrong_with_a_geometry_is_said_and_nothing_is_dropped(tmp_path):
    path = tmp_path / "a.gpkg"
    shapes = [shapely.Point(1, 2, 3), BOWTIE, None, shapely.Polygon()]
    places(shapes).to_file(path)
    found = read_vector(path)
    assert len(found.frame) == 4
    assert not found.frame.geometry.dropna().has_z.any()
    faults = geometry_faults(found.frame)
    assert pd.isna(faults.iloc[0])
    assert faults.iloc[1].startswith("invalid: Self-intersection")
    assert set(faults.iloc[2:]) <= {"missing", "empty"}
    assert "heights of 1 geometries are left out" in found.notes
    assert "1 geometries are invalid" in found.notes


def test_several_layers_are_refused_with_the_list(tmp_path):
    path = tmp_path / "a.gpkg"
    places([JUBA]).to_file(path, layer="camps")
    places([SQUARE]).to_file(path, layer="areas")
    with pytest.raises(BadInput, match=r"several layers.*'camps', 'areas'"):
        read_vector(path)
    assert read_vector(path, layer="areas").frame.geometry.iloc[0].equals(SQUARE)
    assert read_vector(path, layer=1).frame.geometry.iloc[0].equals(JUBA)
    with pytest.raises(BadInput, match=r"no layer 'roads'\. Its layers are 'camps', 'areas'"):
        read_vector(path, layer="roads")


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Patrol plan</name>
<Style id="s"/><NetworkLink><name>x</name></NetworkLink>
<Folder><name>Camps</name>
 <Placemark><name>Tomping</name><description>camp</description>
  <ExtendedData><Data name="people"><value>2,500</value></Data>
   <SchemaData schemaUrl="#x"><SimpleData name="state">CES</SimpleData></SchemaData></ExtendedData>
  <Point><coordinates>31.6,4.85,450</coordinates></Point></Placemark></Folder>
<Placemark><TimeStamp><when>2024-01-02</when></TimeStamp><MultiGeometry>
 <Polygon><outerBoundaryIs><LinearRing><coordinates>31,4 32,4 32,5 31,5 31,4</coordinates>
  </LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing>
  <coordinates>31.2,4.2 31.4,4.2 31.4,4.4 31.2,4.2</coordinates></LinearRing></innerBoundaryIs>
 </Polygon></MultiGeometry></Placemark>
<Placemark><name>line</name><LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark>
<Placemark><name>broken</name><LineString><coordinates>x</coordinates></LineString></Placemark>
</Document></kml>"""


def test_kml_and_kmz_give_every_placemark(tmp_path):
    plain, zipped = tmp_path / "a.kml", tmp_path / "a.kmz"
    plain.write_text(KML)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("doc.kml", KML)
    for path in (plain, zipped):
        found = read_vector(path)
        frame = found.frame
        assert frame["folder"].tolist() == ["Patrol plan / Camps", *["Patrol plan"] * 3]
        assert frame["people"].iloc[0] == "2,500"
        assert frame["state"].iloc[0] == "CES"
        assert frame["when"].iloc[1] == "2024-01-02"
        assert frame.geometry.iloc[0].equals(JUBA)
        assert frame.geometry.iloc[1].area == pytest.approx(1 - 0.02)
        assert frame.geometry.iloc[2].length == pytest.approx(8**0.5)
        assert frame.geometry.iloc[3] is None
        assert found.notes == (
            "1 NetworkLink elements are not read",
            "1 geometries could not be read: missing",
            "1 geometries are missing",
        )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_a_doctype_is_refused(tmp_path, encoding):
    bomb = '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "aaaa">]><kml>&a;</kml>'
    path = tmp_path / "a.kml"
    path.write_bytes(bomb.encode(encoding))
    with pytest.raises(UnreadableSource) as caught:
        read_vector(path)
    assert "DOCTYPE" in str(caught.value) or "is no GeoJSON" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "a.geojson", "is empty"),
        ("not json", "a.geojson", "is no GeoJSON"),
        ('{"type": "FeatureCollection", "features": [', "a.geojson", "cannot be read"),
        ('{"type": "gdal_streamed_alg", "command_line": "x"}', "a.geojson", "is no GeoJSON"),
        (
            "<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>",
            "a.geojson",
            "no Placemark",
        ),
        ("<kml><Document></kml>", "a.kml", "broken XML"),
        ("SQLite format 3\x00rubbish", "a.gpkg", "cannot be read"),
        ("\x00\x00\x27\x0a", "a.shp", "lacks its .shp, .shx or .dbf"),
    ],
)
def test_what_is_no_vector_file_is_refused_in_one_line(tmp_path, content, name, said):
    path = tmp_path / name
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UnreadableSource, match=said) as caught:
        read_vector(path)
    assert "\n" not in str(caught.value)


def test_tables_without_geometry_and_missing_files_are_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UnreadableSource, match="holds no geometry"):
        read_vector(tmp_path / "a.parquet")
    with pytest.raises(MissingFile):
        read_vector(tmp_path / "none.gpkg")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(UnreadableSource, match=r"a zip without a \.shp"):
        read_vector(tmp_path / "a.zip")


@needs_shared
def test_real_waterways_in_web_mercator_land_in_south_sudan():
    found = read_vector(SHARED / "south_sudan/water/osm_waterways_2014_epsg3857.geojson")
    west, south, east, north = found.frame.total_bounds
    assert len(found.frame) == 1878
    assert (23 < west < 25, 3 < south < 4, 35 < east < 36, 12 < north < 13) == (True,) * 4
    assert found.notes == ("EPSG:3857 converted to EPSG:4326",)


@needs_shared
def test_an_old_datum_is_shifted_and_its_accuracy_said():
    roads = SHARED / "reference/accessmod_demo/base/road__demo/road__demo/road__demo.shp"
    found = read_vector(roads)
    assert len(found.frame) == 825
    assert found.notes[0].startswith("EPSG:26713 converted to EPSG:4326 (datum shift good to")


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::999999"}},
        {"type": "link", "properties": {"href": "somewhere"}},
    ],
)
def test_a_geojson_that_states_an_unknown_crs_is_never_taken_for_degrees(tmp_path, crs):
    path = feature_collection(tmp_path / "odd.geojson", [point(31.6, 4.85)], crs=crs)
    with pytest.raises(BadInput, match=r"(?i)crs .*EPSG:32636"):
        read_vector(path)


def test_a_doctype_is_refused_in_its_own_words(tmp_path):
    path = tmp_path / "bomb.kml"
    path.write_text('<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "b">]><kml/>')
    with pytest.raises(UnreadableSource) as refusal:
        read_vector(path)
    assert str(refusal.value).count(str(path)) == 1
