"""aoi.toml read strictly: what is wrong is one line with file, table and key."""

from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
import shapely

from pocgeo.analyses.coverage import CoverageStandard
from pocgeo.analyses.hotspots import HotspotTest
from pocgeo.analyses.proximity import ProximityStandard
from pocgeo.analyses.reach import ReachStandard
from pocgeo.analyses.series import IndicatorStandard
from pocgeo.ground.errors import BadInput, MissingFile
from pocgeo.layers.aoi_file import new_aoi, read_aoi
from pocgeo.layers.load import load
from pocgeo.layers.standards_section import STANDARD_KEYS
from tests.layer_samples import SQUARE, features, table

ABOUT = """[aoi]
name = "Test"
boundary = "square.geojson"
resolution = 7
period = ["2024-01-01", "2024-12-31"]
time_zone = "Africa/Juba"
"""


def folder(tmp_path: Path, more: str = "", about: str = ABOUT) -> Path:
    aoi = tmp_path / "aoi"
    aoi.mkdir(exist_ok=True)
    features(aoi, [(SQUARE, {})], "square.geojson")
    table(aoi, "id,date,lon,lat\n1,2024-03-01,31,5", "incidents.csv")
    (aoi / "aoi.toml").write_text(about + more, encoding="utf-8")
    return aoi


def test_a_plain_aoi_file(tmp_path: Path) -> None:
    aoi = read_aoi(
        folder(
            tmp_path,
            '[layers.incidents]\npath = "incidents.csv"\n[standards.reach]\nreach_min = 90',
        )
    )
    assert aoi.name == "Test"
    assert aoi.resolution == 7
    assert aoi.period == (date(2024, 1, 1), date(2024, 12, 31))
    assert aoi.marking == "UNCLASSIFIED"
    assert aoi.standards == {"reach": {"reach_min": 90}}
    assert aoi.outline().equals(SQUARE)
    request = aoi.request("incidents")
    assert request is not None
    assert request.time_zone == "Africa/Juba"
    found = load(request)
    assert found.frame is not None
    assert len(found.frame) == 1
    assert aoi.request("bases") is None


def test_the_file_itself_may_be_named_and_the_folder_is_absolute(tmp_path: Path) -> None:
    aoi = folder(tmp_path)
    assert read_aoi(aoi / "aoi.toml") == read_aoi(aoi)
    assert read_aoi(aoi).folder.is_absolute()


def test_several_sources_and_globs(tmp_path: Path) -> None:
    aoi = folder(
        tmp_path,
        '[[layers.incidents]]\npath = "inc*.csv"\n[[layers.incidents]]\npath = "more/x.csv"\n',
    )
    (aoi / "more").mkdir()
    table(aoi / "more", "id,date,lon,lat\n9,2024-03-01,31,5", "x.csv")
    table(aoi, "id,date,lon,lat\n2,2024-03-01,31,5", "incidents_b.csv")
    request = read_aoi(aoi).request("incidents")
    assert request is not None
    found = load(request)
    assert found.frame is not None
    assert sorted(found.frame["incident_id"]) == ["1", "2", "9"]
    assert len(found.report.summary) == 3


def test_data_root_may_lead_outside_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table(tmp_path / "data", "id,date,lon,lat\n1,2024-03-01,31,5", "far.csv")
    about = ABOUT + 'data_root = "../data"\n'
    aoi = read_aoi(folder(tmp_path, '[layers.incidents]\npath = "far.csv"', about))
    request = aoi.request("incidents")
    assert request is not None
    assert request.sources[0].paths == (tmp_path / "data" / "far.csv",)
    assert aoi.boundary == tmp_path / "aoi" / "square.geojson"


def test_an_absolute_path_is_on_purpose(tmp_path: Path) -> None:
    far = table(tmp_path, "id,date,lon,lat\n1,2024-03-01,31,5", "far.csv")
    aoi = read_aoi(folder(tmp_path, f"[layers.incidents]\npath = '{far}'"))
    assert aoi.requests[0].sources[0].paths == (far,)


@pytest.mark.parametrize("path", ["../far.csv", "more/../../far.csv", "../*.csv"])
def test_a_path_above_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    table(tmp_path, "id,date,lon,lat\n1,2024-03-01,31,5", "far.csv")
    with pytest.raises(
        BadInput, match=r"leads above the folder. Write it absolute, or set data_root"
    ):
        read_aoi(folder(tmp_path, f'[layers.incidents]\npath = "{path}"'))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            '[layers.incident]\npath = "incidents.csv"',
            "incident: is no layer. Did you mean incidents?",
        ),
        ("[layers.incidents]", "[layers.incidents] path: is missing"),
        (
            '[layers.incidents]\npath = "incidents.csv"\nprofil = "acled"',
            "[layers.incidents] has no key 'profil'. Did you mean profile?",
        ),
        (
            '[layers.incidents]\npath = "incidents.csv"\nprofile = "acld"',
            "[layers.incidents] profile: 'acld' is not known. Did you mean acled?",
        ),
        (
            '[layers.incidents]\npath = "incidents.csv"\nprofile = "gpx"',
            "'gpx' is not for incidents",
        ),
        (
            '[layers.incidents]\npath = "incidents.csv"\nday_first = "yes"',
            "day_first: must be true or false, got 'yes'.",
        ),
        (
            '[layers.incidents]\npath = "incidents.csv"\nbands = { a = 1 }',
            "bands: has no meaning for a point layer",
        ),
        (
            '[layers.incidents]\npath = "incidents.csv"\ncoordinate_format = "dsm"',
            "Did you mean dms?",
        ),
        ("[standards.proximty]\nradius_m = 5", "proximty: is no standard. Did you mean proximity?"),
        ("[layer.incidents]", "there is no key 'layer'. Did you mean layers?"),
    ],
)
def test_a_wrong_key_is_refused_with_a_hint(tmp_path: Path, more: str, said: str) -> None:
    aoi = folder(tmp_path, more)
    with pytest.raises(BadInput) as refused:
        read_aoi(aoi)
    assert said in str(refused.value)
    assert str(aoi / "aoi.toml") in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("resolution = 7", "resolution = 13", "resolution: must be 0 to 12, got 13."),
        ("resolution = 7", 'resolution = "8"', "resolution: must be a whole number"),
        ('"Africa/Juba"', '"Africa/Jubba"', "is no time zone. Did you mean Africa/Juba?"),
        ('["2024-01-01", "2024-12-31"]', '["2024-12-31", "2024-01-01"]', "begins on 2024-12-31"),
        ('["2024-01-01", "2024-12-31"]', '["2024-13-01", "2024-12-31"]', "is no day"),
        ('["2024-01-01", "2024-12-31"]', '["2024-01-01"]', "needs a first and a last day"),
        ('name = "Test"', 'name = "Test"\nmarking = "SECRET"', "marking: 'SECRET' is not known"),
        ('name = "Test"', "name = ", "not valid TOML"),
        ('name = "Test"', 'nam = "Test"', "name: is missing"),
        ("[aoi]", "[area]", "there is no [aoi] section"),
    ],
)
def test_a_wrong_aoi_section_is_refused(tmp_path: Path, line: str, instead: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_aoi(folder(tmp_path, about=ABOUT.replace(line, instead)))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_files_are_named_with_their_layer(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"Layer incidents: .*gone\.csv does not exist"):
        read_aoi(folder(tmp_path, '[layers.incidents]\npath = "gone.csv"'))
    with pytest.raises(MissingFile, match=r"Boundary: .*gone\.geojson does not exist"):
        read_aoi(folder(tmp_path, about=ABOUT.replace("square", "gone")))
    with pytest.raises(MissingFile, match=r"AOI: .* does not exist"):
        read_aoi(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"holds no aoi.toml. Make one with: pocgeo init"):
        read_aoi(tmp_path / "empty")


def test_a_boundary_without_a_polygon_is_refused(tmp_path: Path) -> None:
    aoi = folder(tmp_path)
    features(aoi, [(shapely.Point(31, 5), {})], "square.geojson")
    with pytest.raises(BadInput, match=r"holds no polygon, so there is no area"):
        read_aoi(aoi).outline()


def test_the_template_of_a_new_aoi_is_read_once_its_boundary_is_there(tmp_path: Path) -> None:
    aoi = tmp_path / "northern_sector"
    aoi.mkdir()
    (aoi / "aoi.toml").write_text(new_aoi(aoi), encoding="utf-8")
    with pytest.raises(MissingFile, match=r"Boundary"):
        read_aoi(aoi)
    features(aoi, [(SQUARE, {})], "boundary.geojson")
    assert read_aoi(aoi).name == "northern sector"


def test_every_example_of_the_template_is_read_when_uncommented(tmp_path: Path) -> None:
    aoi = tmp_path / "all"
    (aoi / "tracks").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    features(aoi, [(SQUARE, {})], "boundary.geojson")
    for name in ("incidents.csv", "bases.geojson", "population.tif", "admin.gpkg", "clinics.csv",
                 "tracks/a.gpx", "settlements.csv", "sites.xlsx", "camps.kml"):  # fmt: skip
        (aoi / name).write_text("x", encoding="utf-8")
    (aoi / "layers").mkdir()
    (aoi / "layers" / "clinics.toml").write_text(
        'name = "clinics"\ngeometry = "point"\nsensitivity = "open"\n', encoding="utf-8"
    )
    lines = new_aoi(aoi).splitlines()
    examples = [
        line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line
        for line in lines
    ]
    (aoi / "aoi.toml").write_text("\n".join(examples), encoding="utf-8")
    read = read_aoi(aoi)
    assert {request.layer for request in read.requests} == {
        "incidents", "bases", "population", "areas", "patrols", "settlements", "sites", "clinics",
    }  # fmt: skip


def test_products_are_never_read_back_by_a_glob(tmp_path: Path) -> None:
    aoi = folder(tmp_path, '[layers.incidents]\npath = "**/*.csv"')
    for made in ("out", ".pocgeo"):
        (aoi / made).mkdir()
        table(aoi / made, "id,date,lon,lat\n2,2024-03-01,31,5", "incidents.csv")
    request = read_aoi(aoi).request("incidents")
    assert request is not None
    assert request.sources[0].paths == (aoi / "incidents.csv",)


def test_a_folder_where_a_file_is_needed_is_called_one(tmp_path: Path) -> None:
    aoi = folder(tmp_path, '[layers.incidents]\npath = "data"')
    (aoi / "data").mkdir()
    with pytest.raises(BadInput, match=r"data is a folder\. Name a file"):
        read_aoi(aoi)


def test_more_cells_than_a_machine_holds_are_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    aoi = folder(tmp_path, about=ABOUT.replace("resolution = 7", "resolution = 9"))
    features(aoi, [(shapely.box(0, -40, 90, 40), {})], "square.geojson")
    with pytest.raises(BadInput, match=r"km2 at resolution 9 are about [\d,]+ cells; the most"):
        read_aoi(aoi)


def test_an_outline_read_the_long_way_round_is_refused(tmp_path: Path) -> None:
    aoi = folder(tmp_path)
    features(aoi, [(shapely.box(-179, 1, 179, 2), {})], "square.geojson")
    with pytest.raises(BadInput, match="Split it at the antimeridian"):
        read_aoi(aoi)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[standards]\nproximity = 3", r"\[standards\] proximity: must be a table"),
        ("[[standards.reach]]\nreach_min = 3", "must be a table"),
        ('[standards.proximity]\nkinds = "HQ"', "kinds: must be a list of texts, got 'HQ'"),
        ("[standards.reach]\nspeed_kmh = 3", "speed_kmh: must be a table of numbers"),
        ("[standards.reach]\nreach_min = true", "reach_min: must be a number, got True"),
        ('[standards.coverage]\nalert = "no"', "alert: must be true or false, got 'no'"),
        ("[standards.presence]\nsight_m = 3", "sight_m: is no key of this standard"),
        ("[standards.gaps]\nfoo = 3", "foo: is no key of this standard"),
    ],
)
def test_a_standard_of_the_wrong_type_or_key_is_refused(
    tmp_path: Path, more: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        read_aoi(folder(tmp_path, more))


def test_the_keys_of_standards_are_those_the_questions_take() -> None:
    for section, kind in (
        ("proximity", ProximityStandard), ("reach", ReachStandard),
        ("coverage", CoverageStandard), ("hotspots", HotspotTest),
    ):  # fmt: skip
        of_hall = {"reach": {"method"}}.get(section, set())  # how minutes are measured
        known = {field.name for field in fields(kind)} | of_hall
        assert set(STANDARD_KEYS[section]) == known, section
    days = {"from_on", "as_of_on", "presence_from_on", "presence_until_on"}  # of the data
    wanted = {field.name for field in fields(IndicatorStandard)} - days
    assert set(STANDARD_KEYS["indicators"]) == wanted


@pytest.mark.parametrize("period", ['["0001-01-01", "9999-12-31"]', '["1950-01-01", "2060-01-01"]'])
def test_a_period_of_ages_is_refused(tmp_path: Path, period: str) -> None:
    about = ABOUT.replace('["2024-01-01", "2024-12-31"]', period)
    with pytest.raises(BadInput, match="100 years or less"):
        read_aoi(folder(tmp_path, about=about))


def test_a_category_that_does_not_exist_is_refused_where_it_is_declared(tmp_path: Path) -> None:
    aoi = folder(
        tmp_path,
        '[layers.incidents]\npath = "incidents.csv"\n'
        '[layers.incidents.values.perpetrator]\n"Band" = "martians"',
    )
    request = read_aoi(aoi).request("incidents")
    assert request is not None
    with pytest.raises(BadInput, match="No category of perpetrator"):
        load(request)


def test_a_file_without_rows_is_said(tmp_path: Path) -> None:
    aoi = folder(tmp_path, '[layers.sites]\npath = "sites.geojson"')
    features(aoi, [], "sites.geojson")
    request = read_aoi(aoi).request("sites")
    assert request is not None
    reasons = load(request).report.details["reason"].tolist()
    assert reasons == ["holds no row of data"]
