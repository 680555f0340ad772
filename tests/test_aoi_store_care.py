"""Care of the store of an area: what a stopped run had finished, and totals that do not agree."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

import pocgeo
from pocgeo.aoi import store_care
from pocgeo.aoi.indexed import Indexed
from tests.chaos import World

RASTER = """
[layers.population]
path = "data/people.tif"
bands = { people_persons = 1 }
measure = "count"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small area with people, incidents and patrols, indexed."""
    folder = tmp_path_factory.mktemp("care") / "aoi"
    world = World(folder, tracks="patrols")
    people = np.random.default_rng(1).gamma(0.5, 900, (60, 60)).astype("float32")
    with rasterio.open(
        folder / "data" / "people.tif", "w", driver="GTiff", width=60, height=60, count=1,
        dtype="float32", crs="EPSG:4326", transform=rasterio.Affine(0.05, 0, 2.9, 0, -0.05, 3.1),
    ) as raster:  # fmt: skip
        raster.write(people, 1)
    with (folder / "aoi.toml").open("a") as about:
        about.write(RASTER)
    world.turn("whole")
    pocgeo.open_aoi(folder).index()
    return folder


def verified(folder: Path) -> pd.DataFrame:
    return store_care.verified(Indexed(pocgeo.open_aoi(folder).file)).set_index("table")


def falsified(folder: Path, name: str, change) -> str:
    """Write a table with another content under its own key; what verify says of it, and mend."""
    index = Indexed(pocgeo.open_aoi(folder).file)
    path = index.store.path(name)
    whole = path.read_bytes()
    key = index.store.about(name)["key"]
    table = index.store.read(name)
    index.store.write(name, key, change(table))
    try:
        said = verified(folder)["problem"].dropna()
    finally:
        path.write_bytes(whole)
    assert said.index.tolist() == [name]
    return str(said[name])


def test_a_good_store_is_right_in_every_line_and_nothing_is_built_or_changed(folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / ".pocgeo").glob("*")}
    said, wrong = pocgeo.open_aoi(folder).verify_store()
    assert wrong is None
    assert "WRONG" not in said
    assert {"cells", "population", "incident_cells", "layer_bases"} <= {
        line.split()[0] for line in said.splitlines()
    }
    assert {path: path.read_bytes() for path in (folder / ".pocgeo").glob("*")} == before


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("cells", lambda t: t.iloc[1:], "the boundary overlaps"),
        ("cells", lambda t: t.assign(cell=t["cell"] + (t.index == 3)), "other cells"),
        ("population", lambda t: t.assign(people_persons=t["people_persons"] * 1.001), "rasters"),
        ("incident_cells", lambda t: t.assign(weight=t["weight"] * 0.9), "count as 1"),
        ("incident_cells", lambda t: t[t["incident_id"] != t["incident_id"].iloc[0]], "alone"),
        ("layer_bases", lambda t: t.iloc[:-1], "load report says"),
        ("presence_days", lambda t: t.assign(presence_h=-1.0), "hours"),
        ("presence_days", lambda t: t.assign(cell=t["cell"] + 1), "does not have"),
    ],
)
def test_a_total_that_does_not_agree_is_said(folder: Path, name: str, change, says: str) -> None:
    def kept(table: pd.DataFrame) -> pd.DataFrame:
        attrs, changed = table.attrs, change(table)
        changed.attrs = attrs
        return changed

    assert says in falsified(folder, name, kept)


def test_bytes_that_were_not_written_are_said_and_end_in_a_refusal(folder: Path) -> None:
    path = folder / ".pocgeo" / "population.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:400] + bytes([whole[400] ^ 1]) + whole[401:])
    said, wrong = pocgeo.open_aoi(folder).verify_store()
    path.write_bytes(whole)
    assert [line.split()[0] for line in said.splitlines() if "WRONG" in line] == ["population"]
    assert wrong is not None
    assert "population. Delete" in wrong


def test_stale_and_absent_tables_are_said_and_are_not_wrong(folder: Path) -> None:
    bases, path = folder / "data" / "bases.geojson", folder / ".pocgeo" / "cells.parquet"
    text, whole = bases.read_text("utf8"), path.read_bytes()
    bases.write_text(text.replace("B01", "B91"), "utf8")
    path.unlink()
    table = verified(folder)
    bases.write_text(text, "utf8")
    path.write_bytes(whole)
    assert table["problem"].isna().all()
    assert table.loc["layer_bases", "state"] == "stale"
    assert table.loc["cells", "state"] == "absent"
    assert table.loc["layer_incidents", "state"] == "fresh"


def test_resume_says_what_was_finished_and_takes_the_leftovers_away(folder: Path) -> None:
    path = folder / ".pocgeo" / "cells.parquet"
    whole = path.read_bytes()
    path.unlink()
    (folder / ".pocgeo" / ".cells.4242.tmp").write_bytes(whole[:100])
    said = pocgeo.open_aoi(folder).index(resume=True)
    total = len(store_care.keys_of(Indexed(pocgeo.open_aoi(folder).file)))
    assert f"{total - 1} of {total} tables were finished" in said
    assert "removed 1 unfinished file of stopped runs; built cells" in said
    assert path.read_bytes() == whole
    assert not list((folder / ".pocgeo").glob(".*.tmp"))
    again = pocgeo.open_aoi(folder).index(resume=True)
    assert again.endswith(f"{total} of {total} tables were finished; everything was fresh")
