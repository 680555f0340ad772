"""The sample area of interest: reproducible, small, fictional, and with something in it to find."""

import csv
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import scipy
import shapely
from pyproj import Geod

from pocgeo.layers.aoi_file import read_aoi
from pocgeo.layers.catalog import layer_spec, profile
from pocgeo.layers.load import load

SAMPLE = Path(__file__).resolve().parents[1] / "sample_aoi"
DATA = SAMPLE / "data"
WGS84 = Geod(ellps="WGS84")
UTM = "EPSG:32631"
# Real coasts around the Gulf of Guinea, from any atlas: lon, lat.
REAL_COASTS = {
    "Principe": (7.40, 1.62),
    "Sao Tome": (6.55, 0.30),
    "Annobon": (5.63, -1.43),
    "Brass": (6.24, 4.31),
    "Forcados": (5.35, 5.35),
    "Lagos": (3.40, 6.42),
    "Cape Three Points": (-2.09, 4.74),
    "Bioko": (8.43, 3.45),
}


def files() -> list[str]:
    return sorted(p.relative_to(DATA).as_posix() for p in DATA.rglob("*") if p.is_file())


@cache
def places(name: str) -> gpd.GeoDataFrame:
    return gpd.read_file(DATA / f"{name}.geojson")


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / name)


def standing(day: str) -> gpd.GeoDataFrame:
    bases = places("bases")
    opened = pd.to_datetime(bases["opened"]) <= day
    return bases[opened & (bases["closed"].isna() | (pd.to_datetime(bases["closed"]) >= day))]


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "data"
    command = [sys.executable, str(SAMPLE / "build.py"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stderr == "", done.stderr[-2_000:]  # no warning either
    return out


def same_library(*names: str) -> bool:
    built = dict(csv.reader((DATA / "built_with.csv").read_text(encoding="utf-8").splitlines()))
    here = {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "shapely": shapely.__version__,
        "GEOS": shapely.geos_version_string,
        "rasterio": rasterio.__version__,
        "GDAL": rasterio.__gdal_version__,
    }
    return all(built[name] == here[name] for name in names)


def test_a_rebuild_gives_the_same_text_files(rebuilt: Path) -> None:
    if not same_library("numpy", "scipy", "shapely", "GEOS"):
        pytest.skip("bytes are promised for the library versions in built_with.csv only")
    names = [n for n in files() if not n.endswith(".tif") and n != "built_with.csv"]
    made = {p.relative_to(rebuilt).as_posix() for p in rebuilt.rglob("*") if p.is_file()}
    assert made == set(files())
    changed = [
        name
        for name in names
        if hashlib.sha256((rebuilt / name).read_bytes()).digest()
        != hashlib.sha256((DATA / name).read_bytes()).digest()
    ]
    assert changed == []


@pytest.mark.parametrize("name", ["population.tif", "elevation.tif", "landcover.tif"])
def test_a_rebuild_gives_the_same_rasters(rebuilt: Path, name: str) -> None:
    if not same_library("numpy", "scipy", "shapely", "GEOS"):
        pytest.skip("pixels are promised for the library versions in built_with.csv only")
    with rasterio.open(rebuilt / name) as new, rasterio.open(DATA / name) as kept:
        assert (new.profile, new.descriptions) == (kept.profile, kept.descriptions)
        np.testing.assert_array_equal(new.read(), kept.read())
    if same_library("rasterio", "GDAL"):
        assert (rebuilt / name).read_bytes() == (DATA / name).read_bytes()


def test_the_folder_stays_small() -> None:
    sizes = {p: p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()}
    shipped = {
        path: size
        for path, size in sizes.items()
        if not {".pocgeo", "out", "__pycache__"} & set(path.parts)
    }
    assert sum(shipped.values()) < 8e6
    assert max(shipped.values()) < 2e6


def test_the_island_lies_in_open_ocean() -> None:
    coast = places("coast").geometry[0]
    shore = np.vstack([np.array(part.exterior.coords) for part in coast.geoms])
    for name, (lon, lat) in REAL_COASTS.items():
        far = np.full(len(shore), lon), np.full(len(shore), lat)
        assert WGS84.inv(*shore.T, *far)[2].min() > 200_000, name


def test_land_area_and_parts() -> None:
    coast = places("coast").geometry[0]
    assert coast.is_valid
    areas = [WGS84.geometry_area_perimeter(part)[0] / 1e6 for part in coast.geoms]
    assert 18_000 < sum(areas) < 22_000
    assert len(areas) == 4


@pytest.mark.parametrize("name", ["admin1", "admin2", "aors"])
def test_areas_leave_no_gap_and_do_not_overlap(name: str) -> None:
    shapes = places(name).geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    whole = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)
    assert places("coast").geometry[0].symmetric_difference(whole).area < 1e-6


def test_second_level_areas_nest_in_the_first() -> None:
    first = places("admin1").set_index("adm1_pcode").geometry
    second = places("admin2")
    assert 24 <= len(second) <= 32
    assert 6 <= len(first) <= 8
    parents = first[second["parent"]].to_numpy()
    inside = shapely.intersection(second.geometry.to_numpy(), parents)
    np.testing.assert_allclose(
        shapely.area(inside), shapely.area(second.geometry.to_numpy()), rtol=1e-6
    )


def test_people_by_band() -> None:
    with rasterio.open(DATA / "population.tif") as source:
        people, women, children = np.ma.filled(source.read(masked=True).astype(int), 0)
    assert people.sum() == pytest.approx(1.1e6, rel=0.05)
    assert (women <= people).all()
    assert (children <= people).all()
    assert women.sum() / people.sum() == pytest.approx(0.507, abs=0.002)
    assert children.sum() / people.sum() == pytest.approx(0.49, abs=0.002)
    assert (people > 0).mean() < 0.05  # people live somewhere, not everywhere
    assert people.sum() > table("settlements.csv")["population"].sum()


def test_bases_are_of_every_kind_and_one_has_no_perimeter() -> None:
    bases = places("bases")
    assert bases["base_type"].value_counts().to_dict() == {"COB": 4, "TOB": 4, "HQ": 1}
    bare = bases[bases.geom_type == "Point"]
    assert bare["location_error_m"].tolist() == [1_500]
    assert bases.geometry.is_valid.all()
    assert len(standing("2025-01-01")) == 8
    assert len(standing("2025-06-01")) == 9
    assert len(standing("2026-06-30")) == 8


def test_one_site_lies_within_a_kilometre_of_a_perimeter() -> None:
    bases, sites = places("bases").to_crs(UTM), places("sites").to_crs(UTM)
    nearest_m = [float(bases.distance(site).min()) for site in sites.geometry]
    assert sorted(m < 1_000 for m in nearest_m) == [False, False, True]
    assert (sites["female"] + sites["male"] == sites["individuals"]).all()


def test_every_event_is_told_once() -> None:
    truth = table("truth/incident_origins.csv")
    assert 700 <= len(truth) <= 900
    assert truth["incident_id"].is_unique
    faults = table("truth/planted_faults.csv")
    added = (faults["expected"] == "rejected").sum()
    assert len(table("ucdp_ged.csv")) + len(table("acled.csv")) == len(truth) + added
    ged, acled = set(table("ucdp_ged.csv")["id"].astype(str)), set(table("acled.csv").iloc[:, 0])
    assert not ged & acled
    assert len(set(truth["category"])) == 8


def test_offspring_follow_the_declared_branching() -> None:
    # 0.35 direct offspring an event; ordnance has none, and some fall after the period.
    truth = table("truth/incident_origins.csv")
    parents = (truth["category"] != "explosive_ordnance").sum()
    ratio = (truth["generation"] > 0).sum() / parents
    assert ratio == pytest.approx(0.34, abs=0.05)


def test_planted_faults_are_where_the_list_says() -> None:
    for fault in table("truth/planted_faults.csv").itertuples():
        line = (DATA / fault.file).read_text(encoding="utf-8").splitlines()[fault.line - 1]
        assert line.split(",")[0] == str(fault.id)
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for fault in table("truth/planted_faults.csv").itertuples():
        row = f"| {fault.file} | {fault.line} | {fault.id} | {fault.fault} | {fault.expected} |"
        assert row in readme


def test_a_hotspot_emerges_where_no_patrol_goes_and_another_subsides() -> None:
    acled = table("acled.csv")[["event_date", "longitude", "latitude"]]
    ged = table("ucdp_ged.csv")[["date_start", "longitude", "latitude"]]
    ged = ged.rename(columns={"date_start": "event_date"})
    events = pd.concat([ged, acled])
    day = pd.to_datetime(events["event_date"].str[:10], errors="coerce")
    north = events["longitude"].between(3.5, 3.9) & (events["latitude"] > 2.33)
    east = events["longitude"].between(4.25, 4.7) & events["latitude"].between(1.55, 1.8)
    late, early = day >= "2026-03-01", day < "2024-03-01"
    months = 4, 32
    assert (north & late).sum() / months[0] > 8 * (north & ~late).sum() / months[1]
    assert (east & early).sum() > 5 * (east & (day >= "2025-11-01")).sum()
    fixes = table("patrols.csv")
    there = fixes["lon"].between(3.5, 3.9) & fixes["lat"].between(2.33, 2.62)
    assert (there & (fixes["time"] < "2025-12-01")).sum() > 200
    assert (there & (fixes["time"] >= "2025-12-01")).sum() <= 3  # a receiver's jump, no patrol


def test_people_live_out_of_reach() -> None:
    with rasterio.open(DATA / "population.tif") as source:
        people = np.ma.filled(source.read(1, masked=True).astype(float), 0)
        rows, cols = np.nonzero(people)
        lon, lat = rasterio.transform.xy(source.transform, rows, cols)
    at = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(UTM)
    bases = standing("2026-06-30").to_crs(UTM).geometry
    nearest_m = np.min([at.distance(base).to_numpy() for base in bases], axis=0)
    share = people[rows, cols][nearest_m > 30_000].sum() / people.sum()
    assert 0.1 < share < 0.3


def test_patrols_hold_the_faults_the_readme_names() -> None:
    fixes = table("patrols.csv")
    assert fixes.duplicated().sum() == 150
    assert ((fixes["lon"] == 0) & (fixes["lat"] == 0)).sum() == 2
    assert fixes["unit"].nunique() == 9
    at = pd.to_datetime(fixes["time"])
    step = at.groupby(fixes["patrol"]).diff().dt.total_seconds().dropna()
    moved = step[step > 0] / 60
    assert moved.median() == pytest.approx(4.25, abs=0.25)
    hour = fixes["time"].str[11:13].astype(int)
    assert 0.05 < ((hour >= 18) | (hour < 6)).mean() < 0.3
    assert len(list((DATA / "gpx").glob("*.gpx"))) == 6


def test_every_path_layer_and_profile_of_the_aoi_file_exists() -> None:
    aoi = tomllib.loads((SAMPLE / "aoi.toml").read_text(encoding="utf-8"))
    assert (SAMPLE / aoi["aoi"]["boundary"]).is_file()
    for name, declared in aoi["layers"].items():
        spec = layer_spec(name, SAMPLE)
        for source in declared if isinstance(declared, list) else [declared]:
            assert list(SAMPLE.glob(source["path"])), source["path"]
            assert set(source.get("columns", {})) <= set(spec.fields)
            if "profile" in source:
                assert name in profile(source["profile"]).layers


def test_the_load_report_finds_every_planted_fault_and_no_other() -> None:
    loaded = load(read_aoi(SAMPLE).request("incidents"))
    details = loaded.report.details
    judged = details[details["outcome"].isin(["rejected", "repaired"])]
    found = {
        (row.source, int(line), row.outcome)
        for row in judged.itertuples()
        for line in re.findall(r"\d+", row.examples)
    }
    faults = table("truth/planted_faults.csv")
    assert found == {(f.file, f.line, f.expected) for f in faults.itertuples()}
    assert set(loaded.frame["incident_id"]) == set(table("truth/incident_origins.csv").iloc[:, 0])


def test_perpetrators_are_read_as_the_process_drew_them() -> None:
    frame = load(read_aoi(SAMPLE).request("incidents")).frame.set_index("incident_id")
    truth = table("truth/incident_origins.csv").set_index("incident_id")
    read, drawn = frame["perpetrator"].align(truth["category"])
    assert (read == drawn).all()


def test_every_layer_loads() -> None:
    outcomes = {}
    for request in read_aoi(SAMPLE).requests:
        report = load(request).report
        outcomes[request.layer] = int(report.summary["rejected"].sum())
    assert {name: rows for name, rows in outcomes.items() if rows} == {
        "incidents": 8,
        "patrols": 152,  # 150 exact duplicates, 2 at 0 N 0 E
    }


def test_a_users_own_layer_is_a_declaration_alone() -> None:
    spec = layer_spec("water_points", SAMPLE)
    assert spec.own
    assert {rule.method for rule in spec.index} == {"count", "sum", "nearest_distance"}
    assert spec.vulnerability is not None
    assert set(table("water_points.csv").columns) > {"wp_id", "functional", "people_served"}


def test_the_readme_says_it_is_fiction_and_its_figures_hold() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert "Everything here is synthetic and fictional" in readme
    truth = table("truth/incident_origins.csv")
    ged = truth["incident_id"].str.isdigit().sum()
    said = re.search(r"As drawn: (\d+) events, (\d+) in the UCDP shape and (\d+)", readme)
    assert said is not None
    counts = truth["category"].value_counts()
    assert f"armed group {counts['non_state_armed_group']}, state forces" in readme
    assert f"ordnance {counts['explosive_ordnance']}." in readme
    assert tuple(map(int, said.groups())) == (len(truth), ged, len(truth) - ged)
    settled = table("settlements.csv")["population"].sum()
    assert f"{len(table('settlements.csv'))} named places, {settled:,} people" in readme
    sheltered = sum(
        feature["properties"]["individuals"]
        for feature in json.loads((DATA / "sites.geojson").read_text(encoding="utf-8"))["features"]
    )
    assert f"{sheltered:,} people (not in population.tif)" in readme
