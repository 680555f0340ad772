"""The real data, loaded through the example AOI files: every row accounted for.

Figures were counted by hand or with other tools from the files themselves; see the data's README.
Free text of the sources never appears here, nor in what the reports say.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.ground.errors import NotCounts
from pocgeo.layers.aoi_file import AoiFile, read_aoi
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import Loaded, load
from pocgeo.layers.request import LoadRequest, SourceRequest
from tests.layer_samples import counts, reasons
from tests.real import SHARED, needs_shared

pytestmark = [pytest.mark.real, needs_shared]

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SOUTH_SUDAN = SHARED / "south_sudan"


@pytest.fixture(scope="module")
def aoi() -> AoiFile:
    return read_aoi(EXAMPLES / "south_sudan")


def layer(aoi: AoiFile, name: str) -> tuple[gpd.GeoDataFrame, Loaded]:
    request = aoi.request(name)
    assert request is not None
    found = load(request)
    assert found.frame is not None
    return found.frame, found


def test_all_941_events_are_accounted_for(aoi: AoiFile) -> None:
    events, found = layer(aoi, "incidents")
    assert counts(found) == {
        "rows": 941, "accepted": 941, "repaired": 0, "rejected": 0, "not_asked_for": 0,
    }  # fmt: skip
    assert "row 2 holds HXL tags and is no data" in reasons(found, "note")
    assert events["source_row"].min() == 3
    # where_prec 4, 5, 6: 94 + 27 + 9; 3: 239 (data/README.md)
    assert reasons(found, "flagged") == {
        "too coarse for a cell": 36,
        "known to a first-level area only: spread over it": 94,
        "known to a second-level area only: spread over it": 239,
    }
    assert events["location_precision"].value_counts().to_dict() == {
        "point": 352, "area2": 239, "near": 220, "area1": 94, "route": 27, "country": 9,
    }  # fmt: skip
    assert events.groupby("location_precision")["location_error_m"].max().dropna().to_dict() == {
        "near": 25_000.0, "point": 500.0,  # as examples/south_sudan declares
    }  # fmt: skip


def test_events_keep_their_numbers_and_their_perpetrators(aoi: AoiFile) -> None:
    events, _ = layer(aoi, "incidents")
    raw = pd.read_csv(SOUTH_SUDAN / "incidents/ucdp_ged_south_sudan_hxl.csv", skiprows=[1])
    assert events["killed_persons"].sum() == raw["best"].sum()
    assert events["killed_civilians_persons"].sum() == raw["deaths_civilians"].sum()
    one_sided = raw["type_of_violence"] == 3
    assert int(events["against_civilians"].sum()) == int(one_sided.sum()) == 356
    assert (events["perpetrator"] != "unknown").all()
    state = raw["side_a"].eq("Government of South Sudan").sum()
    assert (events["perpetrator"] == "state_forces").sum() == state == 662
    assert (events["perpetrator"] == "foreign_forces").sum() == 6
    several_days = (events["ended_on"] > events["occurred_on"]).sum()
    assert several_days == 389


def test_events_outside_a_smaller_area_are_rejected_with_the_reason(aoi: AoiFile) -> None:
    request = aoi.request("incidents")
    assert request is not None
    south = shapely.intersection(aoi.outline(), shapely.box(20, 0, 40, 6))
    found = load(request, boundary=south)
    raw = pd.read_csv(SOUTH_SUDAN / "incidents/ucdp_ged_south_sudan_hxl.csv", skiprows=[1])
    inside = int(shapely.intersects_xy(south, raw["longitude"], raw["latitude"]).sum())
    assert 0 < inside < 941
    assert reasons(found, "rejected") == {"outside the area of interest": 941 - inside}
    assert reasons(found, "flagged")["too coarse for a cell"] == 36  # said before the place is


def test_free_text_of_the_events_is_in_no_report(aoi: AoiFile) -> None:
    events, found = layer(aoi, "incidents")
    report = found.report
    said = report.summary.to_csv() + report.details.to_csv() + report.rejected.to_csv()
    for name in ("summary", "source_name", "actor", "place"):
        for text in events[name].dropna().unique():
            if len(text) > 8:
                assert text not in said


def test_perimeters_of_camps_and_centres_of_towns(aoi: AoiFile) -> None:
    bases, found = layer(aoi, "bases")
    camps = bases[bases.geometry.geom_type == "Polygon"]
    towns = bases[bases.geometry.geom_type == "Point"]
    assert len(camps) == 28
    assert (camps["location_error_m"] == 30).all()
    assert not camps["name"].str.contains("SPLA|Airport", na=False).any()
    assert len(towns) == 29
    assert (towns["location_error_m"] == 7_500).all()
    assert (towns["unit"] == "UNMISS").all()
    summary = found.report.summary.set_index("source")
    assert summary.loc["osm_military_polygons.geojson", "not_asked_for"] == 56
    assert summary.loc["geopko_v2_monthly_unmiss_unmis_unisfa.csv", "rows"] == 1_994
    assert "18 rows repeat a place and month: the later row is kept" in reasons(found, "note")
    nasser = towns.set_index("name").loc["Nasser"]
    assert nasser["closed_on"] == pd.Timestamp(2018, 11, 30)  # last on the map of November 2018
    assert pd.isna(towns.set_index("name").loc["Juba", "closed_on"])


@pytest.mark.filterwarnings("ignore:Data Validation extension")  # of the oracle's reader
def test_the_ocha_workbook_loads_its_site_table(aoi: AoiFile) -> None:
    sites, found = layer(aoi, "sites")
    table = sites[sites["source"].str.endswith(".xlsx")]
    raw = pd.read_excel(
        SOUTH_SUDAN / "sites/ocha_displaced_count_2015-01-30.xlsx", sheet_name=1, engine="openpyxl"
    )
    typo = raw.index[raw["Longitude"] > 37] + 2
    assert len(typo) == 1
    rejected = found.rejected[found.rejected["reason"] == "outside the area of interest"]
    assert set(typo) <= set(rejected["source_row"])
    assert len(table) + len(rejected) == 336
    notes = " ".join(reasons(found, "note"))
    assert "67 dated columns, 2013-12-23 to 2015-01-30" in notes
    last = pd.to_numeric(raw["30 Jan 2015 IDPs"], errors="coerce")
    kept = last[~(raw.index + 2).isin(rejected["source_row"])]
    latest = table[table["counted_on"] == pd.Timestamp(2015, 1, 30)]
    assert latest["people_persons"].sum() == kept.sum()
    assert len(sites) - len(table) == 44


def test_dms_of_the_airfields_agree_with_their_decimals(aoi: AoiFile) -> None:
    airfields, found = layer(aoi, "airfields")
    assert found.spec.own
    assert len(airfields) == 434
    note = next(reason for reason in reasons(found, "note") if "agree" in reason)
    assert note.startswith("coordinates in columns agree with the geometry in 434 of 434 rows")
    raw = gpd.read_file(SOUTH_SUDAN / "transport/undp_airfields_dms.geojson")
    assert np.abs(airfields.geometry.x - raw["LON_E"]).max() < 1e-5  # decimals have five places
    assert np.abs(airfields.geometry.y - raw["LAT_N"]).max() < 1e-5


def test_areas_of_two_levels_cover_the_same_ground(aoi: AoiFile) -> None:
    areas, _ = layer(aoi, "areas")
    levels = areas.groupby("admin_level").size().to_dict()
    assert levels == {1.0: 10, 2.0: 79}
    assert areas["area_id"].is_unique
    ids = set(areas.loc[areas["admin_level"] == 1, "area_id"])
    counties = areas[areas["admin_level"] == 2]
    assert set(counties["parent_id"]) == ids
    flat = areas.to_crs("ESRI:54034").area.groupby(areas["admin_level"]).sum()
    assert flat[1] == pytest.approx(flat[2], rel=1e-4)  # counties overlap by slivers


def test_roads_waterways_and_settlements(aoi: AoiFile) -> None:
    roads, _ = layer(aoi, "roads")
    assert int(roads["closed"].sum()) == 45
    assert (roads.loc[roads["closed"].fillna(value=False), "closed_from_on"].dt.year == 2022).all()
    water, found = layer(aoi, "waterways")
    assert len(water) == 1_878 + 16
    assert (water["kind"] == "lake").sum() == 16
    assert "EPSG:3857 converted to EPSG:4326" in reasons(found, "note")
    west, south, east, north = water[water["waterway_id"].notna()].total_bounds
    assert 23 < west < east < 37
    assert 3 < south < north < 13
    places, _ = layer(aoi, "settlements")
    assert len(places) == 10_959


def raster(name: str, **source: object) -> Loaded:
    path = SOUTH_SUDAN / "population" / name
    request = LoadRequest(
        spec=layer_spec("population"),
        sources=(SourceRequest(paths=(path,), **source),),  # type: ignore[arg-type]
        boundary=SOUTH_SUDAN / "boundaries/osm_south_sudan.geojson",
    )
    return load(request)


@pytest.mark.parametrize("band", [1, 2])
def test_worldpop_bands_that_are_no_counts_are_refused(band: int) -> None:
    with pytest.raises(NotCounts) as refused:
        raster("worldpop_10km_3band_derived.tif", bands={"people_persons": band})
    assert f"band {band}: implies" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_density_is_refused_as_counts_and_taken_as_what_it_is() -> None:
    with pytest.raises(NotCounts, match="it is called a density"):
        raster("worldpop_density_20km_africa.tif", profile="worldpop")
    found = raster("worldpop_density_20km_africa.tif", measure="density_per_km2")
    assert found.raster.measure == "density_per_km2"


def test_the_band_of_people_passes(aoi: AoiFile) -> None:
    request = aoi.request("population")
    assert request is not None
    found = load(request)
    assert found.frame is None
    assert found.raster.bands == {"people_persons": 3}
    assert 16e6 < found.raster.checks["people_persons"].persons < 18e6


def test_smart_patrols_lose_their_repeats_and_show_their_jumps() -> None:
    aoi = read_aoi(EXAMPLES / "mara_patrols")
    request = aoi.request("patrols")
    assert request is not None
    found = load(request)
    assert counts(found) == {
        "rows": 32_145, "accepted": 10_147, "repaired": 0, "rejected": 21_998, "not_asked_for": 0,
    }  # fmt: skip
    assert reasons(found, "rejected") == {"exact duplicate": 21_998}
    flagged = reasons(found, "flagged")
    jump = next(reason for reason in flagged if "faster than 150 km/h" in reason)
    assert "up to 1,105 km/h" in jump  # 307 m/s
    assert any("the longest 40.4 hours" in reason for reason in flagged)
    fixes = found.frame
    assert fixes is not None
    assert fixes["unit_id"].nunique() == 18
    assert int(fixes["spike"].sum()) == flagged[jump]


def test_awkward_gpx_files_and_headerless_telemetry() -> None:
    spec = layer_spec("patrols")
    gpx = SourceRequest(paths=tuple(sorted(SHARED.glob("tracks/gpx/*.gpx"))), profile="gpx")
    taxi = SourceRequest(
        paths=(SHARED / "tracks/cab_new_abboip.txt",),
        profile="telemetry_csv",
        delimiter=" ",
        header_row=0,
        lat="column_1",
        lon="column_2",
        columns={"fix_at": "column_4"},
    )
    found = load(LoadRequest(spec=spec, sources=(gpx, taxi)))
    total = counts(found)
    parts = ("accepted", "repaired", "rejected", "not_asked_for")
    assert total["rows"] == sum(total[part] for part in parts)
    assert found.frame is not None
    assert found.frame["fix_at"].notna().all()
    cabs = found.frame[found.frame["source"] == "cab_new_abboip.txt"]
    lines = (SHARED / "tracks/cab_new_abboip.txt").read_text(encoding="ascii").splitlines()
    assert len(cabs) == len(lines)
    assert (cabs["unit_id"] == "cab_new_abboip").all()
    assert reasons(found, "rejected")["before 1990"] == 184
