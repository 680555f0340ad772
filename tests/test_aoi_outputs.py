"""Places to write to: refused before any work, and never over what answers are made from."""

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
