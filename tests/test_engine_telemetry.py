"""Telemetry as a layer of an AOI: any format through one door, counted, the same as patrols."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from pocgeo.aoi.area import open_aoi
from pocgeo.aoi.cell_days import cell_days
from pocgeo.aoi.indexed import Indexed
from pocgeo.cells import grid
from pocgeo.cells.telemetry import Telemetry
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput, Refused
from pocgeo.layers.aoi_file import read_aoi
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.request import LoadRequest, SourceRequest
from pocgeo.sources.text_parts import text_parts
from tests.real import SHARED, needs_shared
from tests.test_cells_cell_days import SERIAL, patrols, telemetry

TRACKS = SHARED / "tracks"
TAXI = """delimiter = " "
header_row = 0
lat = "column_1"
lon = "column_2"
columns = { fix_at = "column_4" }
"""

AOI = """
[aoi]
name = "Made up"
boundary = "outline.geojson"
resolution = 7
period = [2021-01-01, 2021-12-31]
time_zone = "Africa/Juba"
marking = "UNCLASSIFIED"

[layers.{layer}]
path = "fixes/*"
"""


def area(folder: Path, layer: str, fixes: pd.DataFrame) -> Indexed:
    """An AOI of one layer of tracks, in three formats."""
    (folder / "fixes").mkdir(parents=True)
    outline = shapely.to_geojson(shapely.box(31, 4.5, 32.5, 6))
    (folder / "outline.geojson").write_text(outline)
    (folder / "aoi.toml").write_text(AOI.format(layer=layer))
    fixes[:900].to_parquet(folder / "fixes/a.parquet")
    fixes[900:1_500].to_csv(folder / "fixes/b.csv", index=False)
    unix = fixes[1_500:].assign(fix_at=lambda rows: rows["fix_at"].astype("int64") // 10**6)
    unix.assign(fix_at=unix["fix_at"] * 1_000 // 1_000).to_parquet(folder / "fixes/c.parquet")
    return Indexed(read_aoi(folder))


def test_telemetry_answers_as_patrols_do(tmp_path, monkeypatch):
    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    fixes = patrols(count=2_000)
    fixes["fix_at"] = fixes["fix_at"].astype("datetime64[us, UTC]").dt.floor("s")
    fixes.loc[5, "lon"] = np.nan
    fixes.loc[6, ["lon", "lat"]] = 0
    fixes.loc[7, "fix_at"] = pd.Timestamp("2099-01-01", tz="UTC")
    fixes.loc[8, ["lon", "lat"]] = [fixes.loc[8, "lat"], fixes.loc[8, "lon"]]  # mended
    small = area(tmp_path / "small", "patrols", fixes)
    large = area(tmp_path / "large", "telemetry", fixes)
    names = ["cell", "unit_id", "day_on", "visits", "presence_h", "night_h", "night_visits"]
    wanted = small.known("presence_days")[names].sort_values(names[:3], ignore_index=True)
    found = large.known("presence_days")[names].sort_values(names[:3], ignore_index=True)
    assert len(found) > 50
    pd.testing.assert_frame_equal(found, wanted)
    counts = ["source", "rows", "accepted", "repaired", "rejected", "not_asked_for"]
    summary = [index.report().summary[counts] for index in (small, large)]
    pd.testing.assert_frame_equal(*summary, check_dtype=False)
    assert summary[1]["rejected"].tolist() == [3, 0, 0]
    assert summary[1]["repaired"].tolist() == [1, 0, 0]
    reasons = [set(index.report().details.query("outcome == 'rejected'")["reason"])
               for index in (small, large)]  # fmt: skip
    assert reasons[0] == reasons[1]


def test_an_aoi_with_both_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    area(tmp_path, "telemetry", patrols(count=1_800))
    toml = tmp_path / "aoi.toml"
    toml.write_text(toml.read_text() + '\n[layers.patrols]\npath = "fixes/a.parquet"\n')
    with pytest.raises(BadInput, match="a fix in both would count twice"):
        Indexed(read_aoi(tmp_path)).known("presence_days")


def test_rows_of_telemetry_are_never_one_table(tmp_path):
    index = area(tmp_path, "telemetry", patrols(count=1_800))
    with pytest.raises(BadInput, match="Ask for its cell-days"):
        index.table("telemetry")


@pytest.mark.parametrize(
    ("option", "said"),
    [("--engine=dusk", "No engine is called 'dusk'"), ("--memory=lots", "'lots' is no amount")],
)
def test_index_refuses_an_engine_or_memory_that_is_none(tmp_path, monkeypatch, option, said):
    from pocgeo.doors.cli import main

    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    monkeypatch.setenv("POCGEO_MEMORY", "1GB")
    area(tmp_path, "telemetry", patrols(count=1_800))
    done = CliRunner().invoke(main, ["index", str(tmp_path), option])
    assert isinstance(done.exception, BadInput)
    assert said in str(done.exception)
    assert not (tmp_path / ".pocgeo").exists()


@pytest.mark.real
@needs_shared
def test_taxis_rangers_and_receivers_go_through_one_door(tmp_path):
    def made(paths, name, **how) -> Telemetry:
        source = SourceRequest(paths=tuple(paths), **how)
        request = LoadRequest(spec=layer_spec("telemetry"), sources=(source,), time_zone="UTC")
        found = Telemetry(request, tmp_path / name, 8)
        found.update(SERIAL)
        return found

    taxis = made(
        sorted(TRACKS.glob("cab_*.txt")), "taxis", delimiter=" ", header_row=0,
        lat="column_1", lon="column_2", columns={"fix_at": "column_4"},
    )  # fmt: skip
    lines = sum(len(path.read_text().splitlines()) for path in TRACKS.glob("cab_*.txt"))
    summary = taxis.report().summary
    assert summary["rows"].sum() == lines
    days = taxis.cell_days()
    assert days["fixes"].sum() == summary[["accepted", "repaired"]].to_numpy().sum()
    assert days["units"].max() == 3
    rangers = made([TRACKS / "smart_patrols_mara.parquet"], "rangers", profile="smart")
    counted = rangers.report().summary.iloc[0]
    assert counted["rows"] == 32_145
    assert rangers.cell_days()["fixes"].sum() == counted["accepted"] + counted["repaired"]
    assert counted["rejected"] >= 32_145 - 10_147 - counted["not_asked_for"]
    folder = tmp_path / "gpx"
    folder.mkdir()
    for path in TRACKS.glob("gpx/*.gpx"):
        shutil.copy(path, folder)
    hikers = made(sorted(folder.glob("*.gpx")), "hikers", profile="gpx")
    counted = hikers.report().summary
    assert hikers.cell_days()["fixes"].sum() == counted[["accepted", "repaired"]].to_numpy().sum()
    assert hikers.update(SERIAL) == []  # nothing new, nothing done


def test_csv_and_parquet_of_the_same_fixes_give_the_same_cell_days(tmp_path):
    fixes = patrols(count=900).assign(fix_at=lambda rows: rows["fix_at"].dt.floor("s"))
    fixes.to_csv(tmp_path / "a.csv", index=False)
    fixes.to_parquet(tmp_path / "b.parquet")
    tables = []
    for name in ("a.csv", "b.parquet"):
        made = telemetry([tmp_path / name], tmp_path / f"{name}.store")
        made.update(Engine(name="serial"))
        tables.append(made.cell_days(by_unit=True))
    pd.testing.assert_frame_equal(*tables)


def test_a_large_csv_is_loaded_in_parts_and_counted_as_one(tmp_path, monkeypatch):
    fixes = patrols(count=1_200).assign(fix_at=lambda rows: rows["fix_at"].dt.floor("s"))
    fixes["remark"] = 'by "road",\nthen on foot'  # a record of two lines
    fixes.loc[700, "lon"] = np.nan
    (tmp_path / "in").mkdir()
    path = tmp_path / "in/a.csv"
    fixes.to_csv(path, index=False, encoding="cp1252", sep=";")
    tables, reports = [], []
    for name, most in (("whole", 10**9), ("parts", 20_000)):
        monkeypatch.setattr("pocgeo.sources.text_parts.MOST_BYTES", most)
        made = telemetry([path], tmp_path / name)
        made.update(SERIAL)
        tables.append(made.cell_days(by_unit=True))
        reports.append(made.report())
    pd.testing.assert_frame_equal(*tables)
    counts = ["rows", "accepted", "repaired", "rejected", "not_asked_for"]
    assert reports[0].summary[counts].equals(reports[1].summary[counts])
    rejected = [
        each.details.query("outcome == 'rejected'").reset_index(drop=True) for each in reports
    ]
    pd.testing.assert_frame_equal(*rejected)
    assert "rows 702" in rejected[1]["examples"].iloc[0]


def test_parts_of_a_text_hold_every_record_once_under_its_head(tmp_path, monkeypatch):
    monkeypatch.setattr("pocgeo.sources.text_parts.MOST_BYTES", 60)
    path = tmp_path / "a.csv"
    path.write_text("Fleet report\nunit,said\n" + "".join(f'u{i},"a\nb"\n' for i in range(20)))
    rows = []
    for part in text_parts(path, encoding=None, delimiter=None, header_row=2):
        lines = part.path.read_text().splitlines()
        assert lines[:2] == ["Fleet report", "unit,said"]
        assert part.rows_before == len(rows)
        rows += lines[2::2]
    assert rows == [f'u{i},"a' for i in range(20)]
    assert not part.path.exists()


def test_cell_days_of_patrols_and_telemetry_are_listed_alike_and_refused_outside(tmp_path):
    fixes = patrols(count=1_700)
    areas = [area(tmp_path / layer, layer, fixes) for layer in ("patrols", "telemetry")]
    days = [cell_days(each, None) for each in areas]
    pd.testing.assert_frame_equal(*days)
    assert days[0]["fixes_n"].sum() <= len(fixes)
    assert days[0]["day_on"].is_monotonic_decreasing
    one = grid.as_text(days[0]["cell"][:1])
    only = cell_days(areas[0], None, cells=one, since=date(2021, 1, 1))
    assert set(only["cell"]) == {days[0]["cell"][0]}
    with pytest.raises(BadInput, match="is no cell of Made up"):
        cell_days(areas[0], None, cells=["8843a13687fffff"])
    with pytest.raises(BadInput, match=r"--since .* Swap them"):
        cell_days(areas[0], None, since=date(2021, 5, 2), until=date(2021, 5, 1))
    whole = open_aoi(tmp_path / "telemetry")
    with pytest.raises(Refused, match="cell_days for partners: days of patrols are restricted"):
        whole.release(whole.cell_days(), audience="partners")
    shown = whole.release(whole.cell_days())
    layers = [each["layer"] for each in shown.manifest["inputs"]]
    assert layers == ["telemetry"] * 3
    assert whole.save_map("presence").stat().st_size > 10_000


@pytest.mark.real
@needs_shared
@pytest.mark.parametrize(
    ("path", "how", "box"),
    [
        ("cab_*.txt", TAXI, (-122.6, 37.5, -122.2, 37.9)),
        ("smart_patrols_mara.parquet", 'profile = "smart"', (34.6, -1.9, 35.6, -0.9)),
        ("gpx/*.gpx", 'profile = "gpx"', (13, 44.5, 15, 47)),
    ],
)
def test_an_area_of_real_telemetry_answers(tmp_path, monkeypatch, path, how, box):
    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    (tmp_path / "outline.geojson").write_text(shapely.to_geojson(shapely.box(*box)))
    said = AOI.format(layer="telemetry").replace("fixes/*", str(TRACKS / path)) + how
    (tmp_path / "aoi.toml").write_text(said.replace("2021-01-01, 2021", "2000-01-01, 2025"))
    made = open_aoi(tmp_path)
    presence = made.release(made.presence()).table
    days = made.release(made.cell_days()).table
    assert presence["presence_h"].sum() > 1
    assert days["dwell_min"].sum() / 60 == pytest.approx(presence["presence_h"].sum(), rel=1e-6)
    assert made.save_map("presence").stat().st_size > 10_000
