"""What commands refuse before any work: outputs over inputs, numbers nobody can reckon with."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pocgeo.doors.cli import main

AOI = """
[aoi]
name = "Made up"
boundary = "outline.geojson"
resolution = 7
period = [2024-01-01, 2024-12-31]
time_zone = "Africa/Juba"

[layers.incidents]
path = "incidents.csv"
"""
OUTLINE = '{"type":"Polygon","coordinates":[[[31,5],[31.2,5],[31.2,5.2],[31,5.2],[31,5]]]}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "aoi.toml").write_text(AOI)
    (tmp_path / "outline.geojson").write_text(OUTLINE)
    (tmp_path / "incidents.csv").write_text("id,date,lon,lat\n7,2024-01-01,31.1,5.1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "incidents.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hotspots {} --out {}/incidents.csv", "the layer incidents is read from this file"),
        ("hotspots {} --out {}/link.csv", "the layer incidents is read from this file"),
        ("map {} hotspots --out {}/outline.geojson", "the outline is read from this file"),
        ("brief {} --out {}/aoi.toml", "aoi.toml is read from this file"),
        ("hotspots {} --out {}/.pocgeo/a.csv", "pocgeo keeps its own files there"),
        ("brief {} --out {}/missing/a.pptx", "missing does not exist"),
        ("patrols {} --base B --gpx {}/incidents.csv", "the layer incidents is read"),
        ("plan {} --new 1 --map {}/outline.geojson", "the outline is read from this file"),
    ],
)
def test_an_output_never_takes_the_place_of_an_input(folder: Path, words: str, said: str) -> None:
    inputs = [path for path in folder.iterdir() if path.is_file()]
    before = {path: path.read_bytes() for path in inputs}
    done = CliRunner().invoke(main, [word.format(folder) for word in words.split()])
    assert said in str(done.exception)
    assert {path: path.read_bytes() for path in inputs} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("gaps {} --min-people nan", "--min-people: nan is no number"),
        ("gaps {} --near here --within-km inf", "--within-km: inf is no number"),
        ("proximity {} --radius-m 1e308", "--radius-m: 1e+308 is no number"),
        ("plan {} --new 99999999999999999999", "--new: 99999999999999999999 is no number"),
        ("plan {} --new 1001", "new must be from 0 to 1,000, got 1001"),
        ("plan {} --new 1 --step 60=0.6 --gap nan", "--gap: nan is no number"),
        ("patrols {} --base B --iterations 1000001", "iterations must be from 1 to 1,000,000"),
        ("patrols {} --base B --seed 4294967296", "seed must be from 0 to 4294967295"),
        ("hotspots {} --as-of 9999-12-31", "after 2199-12-31 nothing is reckoned"),
        ("cell-days {} --cell=-1", "'-1' is not an H3 cell"),
        ("cell-days {} --cell 99999999999999999999", "is not an H3 cell"),
    ],
)
def test_a_number_without_sense_is_one_line(folder: Path, words: str, said: str) -> None:
    if "cell-days" in words:
        text = AOI + '[layers.patrols]\npath = "fixes.csv"\n'
        (folder / "aoi.toml").write_text(text)
        fixes = "unit,time,lon,lat\na,2024-01-01T10:00:00Z,31.1,5.1\n"
        (folder / "fixes.csv").write_text(fixes)
    done = CliRunner().invoke(main, [word.format(folder) for word in words.split()])
    assert said in f"{done.output} {done.exception}"
    assert done.exit_code != 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[standards.proximity]\nradius_m = inf", "radius_m: must be a finite number, got inf"),
        ("[standards.proximity]\nradius_m = 1e14", "at most 100,000 metres"),
        ("[standards.emergence]\nsteps = nan", "steps: must be a finite number, got nan"),
        ("[standards.hotspots]\nmin_incidents = 1e308", "min_incidents: must be a finite number"),
    ],
)
def test_a_standard_without_sense_is_one_line(folder: Path, line: str, said: str) -> None:
    (folder / "aoi.toml").write_text(f"{AOI}\n{line}\n")
    done = CliRunner().invoke(main, ["proximity", str(folder)])
    assert said in " ".join(str(done.exception).split())


def test_a_null_character_is_no_path(folder: Path) -> None:
    text = AOI.replace('name = "Made up"', 'name = "Made up"\ndata_root = "\\u0000"')
    (folder / "aoi.toml").write_text(text)
    done = CliRunner().invoke(main, ["check", str(folder)])
    assert "data_root: holds a null character" in " ".join(str(done.exception).split())
