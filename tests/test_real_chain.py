"""The chain on real data: South Sudan through the command line's own hall."""

from pathlib import Path

import pytest

import pocgeo
from pocgeo.aoi.area import Aoi
from tests.real import needs_shared

ROOT = Path(__file__).resolve().parents[1]
MADE = (
    "alarms", "common_picture", "coverage_gaps", "emergence", "forecast", "hotspots", "phases",
    "proximity", "reach", "risk",
)  # fmt: skip
"""Maps of an AOI without patrols and without plans."""

pytestmark = [pytest.mark.real, needs_shared]


@pytest.fixture(scope="module")
def south_sudan(tmp_path_factory: pytest.TempPathFactory) -> Aoi:
    """The example, its store and products in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("south_sudan")
    example = ROOT / "examples" / "south_sudan"
    text = (example / "aoi.toml").read_text("utf8")
    shared = ROOT.parent / "shared" / "data" / "south_sudan"
    text = text.replace('"../../../shared/data/south_sudan"', f'"{shared.as_posix()}"')
    text = text.replace("resolution = 7", "resolution = 6")  # a seventh of the cells: seconds
    (folder / "aoi.toml").write_text(text, "utf8")
    (folder / "layers").mkdir()
    for layer in (example / "layers").glob("*.toml"):
        (folder / "layers" / layer.name).write_bytes(layer.read_bytes())
    return pocgeo.open_aoi(folder)


def test_every_event_is_accounted_for(south_sudan: Aoi) -> None:
    summary, details = south_sudan.check()
    row = summary[summary["layer"] == "incidents"].iloc[0]
    assert row["rows"] == 941 == row["accepted"] + row["repaired"] + row["rejected"]
    coarse = details[details["reason"] == "too coarse for a cell"]
    assert coarse["rows"].sum() == 36
    wide = details[details["reason"] == "known to a first-level area only: spread over it"]
    assert wide["rows"].item() == 94  # spread over their state
    placed = south_sudan.indexed.known("incident_cells")
    aside = placed[placed["weight"].isna()]
    assert aside["incident_id"].nunique() == 36
    assert placed["weight"].sum() == pytest.approx(941 - 36)


def test_town_centres_stay_undecided_and_perimeters_decide(south_sudan: Aoi) -> None:
    verdicts = south_sudan.verdicts()
    centre = verdicts["base_id"].str.startswith("UNMISS ")
    assert set(verdicts.loc[centre, "verdict"]) == {"undecided"}
    assert verdicts.loc[centre, "why"].str.contains("perimeter unknown").all()
    assert {"inside", "outside", "undecided"} == set(verdicts.loc[~centre, "verdict"])


def test_presence_is_unknown_not_zero(south_sudan: Aoi) -> None:
    table = south_sudan.coverage()
    assert table["covered_presence_persons"].isna().all()
    assert south_sudan.gaps()["reason"].str.contains("presence unknown: no patrol record").all()
    people = table.loc[table["area_kind"] == "AOI", "people_persons"].item()
    assert 16.5e6 < people < 17.5e6  # WorldPop 2020 over the OSM outline and its edge cells


def test_hotspots_hold_their_null_check(south_sudan: Aoi) -> None:
    table = south_sudan.hotspots()
    assert table["hotspot"].any()
    assert any("within the" in note for note in table.attrs["notes"])


@pytest.mark.parametrize("band", [1, 2])
def test_a_band_that_is_no_count_is_refused(south_sudan: Aoi, tmp_path: Path, band: int) -> None:
    text = south_sudan.file.path.read_text("utf8")
    text = text.replace("people_persons = 3", f"people_persons = {band}")
    (tmp_path / "layers").mkdir()
    for layer in (south_sudan.file.folder / "layers").glob("*.toml"):
        (tmp_path / "layers" / layer.name).write_bytes(layer.read_bytes())
    (tmp_path / "aoi.toml").write_text(text, "utf8")
    with pytest.raises(pocgeo.BadInput, match=f"band {band}"):
        pocgeo.open_aoi(tmp_path).check()


def test_maps_and_brief_are_made(south_sudan: Aoi) -> None:
    lines = south_sudan.save_maps()
    wrote = {Path(line.split(maxsplit=1)[1]).stem for line in lines if line.startswith("Wrote")}
    assert wrote == {f"map_{name}" for name in MADE}
    assert "Not made: presence (no layer patrols)" in lines
    assert south_sudan.save_brief().stat().st_size < 4_000_000
