"""The store: same table back, nothing rebuilt without reason, nothing damaged ever trusted."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.engine.store import Store
from pocgeo.ground.errors import BadInput, MissingFile, StoreBusy
from tests.conftest import as_nobody

KEY = {"digest": "abc", "resolution": 8}


def small() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "cell": np.array([3, 1, 2], dtype=np.int64),
            "people_persons": [1.0, np.nan, 3.0],
            "aor": ["North", None, "South"],
            "covered": pd.array([True, pd.NA, False], dtype="boolean"),
            "day_on": pd.to_datetime(["2024-01-01", None, "2024-03-01"]).as_unit("ns"),
            "fix_at": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True),
        }
    )
    table.attrs["outside_persons"] = {"people_persons": 7.5}
    return table


def counted(calls: list[int], table: pd.DataFrame | None = None):
    def build() -> pd.DataFrame:
        calls.append(1)
        return small() if table is None else table

    return build


def test_a_table_is_built_once_and_read_back_sorted_with_types_and_attrs(tmp_path):
    calls: list[int] = []
    store = Store(tmp_path / "store")
    first = store.table("cells", KEY, counted(calls))
    again = Store(tmp_path / "store").table("cells", dict(KEY), counted(calls))
    assert calls == [1]
    pd.testing.assert_frame_equal(first, again)
    assert first["cell"].tolist() == [1, 2, 3]
    assert first.attrs == {"outside_persons": {"people_persons": 7.5}}
    assert first["covered"].dtype == "boolean"
    assert first["covered"].isna().tolist() == [True, False, False]
    assert str(first["day_on"].dtype) == "datetime64[ns]"
    assert str(first["fix_at"].dt.tz) == "UTC"
    assert store.names() == ["cells"]


def test_the_caller_keeps_its_own_table_and_attrs(tmp_path):
    table = small()
    Store(tmp_path).table("cells", KEY, lambda: table)
    assert table["cell"].tolist() == [3, 1, 2]
    assert table.attrs["outside_persons"] == {"people_persons": 7.5}


@pytest.mark.parametrize("change", [{"digest": "abd"}, {"resolution": 9}, {"more": 1}])
def test_any_change_of_the_key_rebuilds(tmp_path, change):
    calls: list[int] = []
    store = Store(tmp_path)
    store.table("cells", KEY, counted(calls))
    assert not store.stale("cells", KEY)
    assert store.stale("cells", KEY | change)
    store.table("cells", KEY | change, counted(calls))
    assert len(calls) == 2


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for place in ("a", "b"):
        Store(tmp_path / place).table("cells", KEY, small)
    one, two = ((tmp_path / place / "cells.parquet").read_bytes() for place in ("a", "b"))
    assert one == two


def test_geometry_comes_back_and_any_reader_of_geoparquet_opens_it(tmp_path):
    places = gpd.GeoDataFrame(
        {"base_id": ["B1", "B2", "B3"]},
        geometry=[shapely.Point(31, 4), shapely.box(31, 4, 32, 5), None],
        crs="EPSG:4326",
    )
    made = Store(tmp_path).table("bases", KEY, lambda: places)
    assert isinstance(made, gpd.GeoDataFrame)
    assert made.crs.to_epsg() == 4326
    assert made.geometry[1].equals(places.geometry[1])
    assert made.geometry[2] is None
    foreign = gpd.read_parquet(tmp_path / "bases.parquet")
    assert foreign.geometry[0].equals(places.geometry[0])


def test_another_crs_is_refused(tmp_path):
    metres = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(0, 0)], crs="EPSG:3857")
    with pytest.raises(BadInput, match="EPSG:4326 only"):
        Store(tmp_path).table("bases", KEY, lambda: metres)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text"])
def test_a_damaged_file_is_built_again_never_trusted(tmp_path, harm):
    calls: list[int] = []
    store = Store(tmp_path)
    wide = pd.DataFrame({"cell": np.arange(50_000), "x": np.random.default_rng(1).random(50_000)})
    whole = store.table("cells", KEY, counted(calls, wide))
    path = tmp_path / "cells.parquet"
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 0xFF
    torn = {"cut": content[: len(content) // 2], "flip": content, "empty": b"", "text": b"a,b\n"}
    path.write_bytes(bytes(torn[harm]))
    report = store.verify()
    assert report["sound"].tolist() == [False]
    assert report["problem"].str.contains("built again").all()
    pd.testing.assert_frame_equal(store.table("cells", KEY, counted(calls, wide)), whole)
    assert len(calls) == 2
    assert store.verify()["sound"].all()


def test_a_build_that_fails_leaves_the_last_good_table(tmp_path):
    store = Store(tmp_path)
    good = store.table("cells", KEY, small)

    def broken() -> pd.DataFrame:
        raise BadInput("no such column.")

    with pytest.raises(BadInput, match="no such column"):
        store.table("cells", KEY | {"digest": "new"}, broken)
    pd.testing.assert_frame_equal(store.read("cells"), good)
    assert not list(tmp_path.glob(".*.tmp"))


def hold(folder: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with Store(folder).lock("cells"):
        ready.set()
        time.sleep(60)


def test_a_second_builder_waits_then_says_who_is_busy_and_a_dead_one_holds_nothing(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=hold, args=(tmp_path, ready))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(StoreBusy, match="another process has been building cells"):
        Store(tmp_path, patience_s=0.2).table("cells", KEY, small)
    Store(tmp_path, patience_s=0.2).table("others", KEY, small)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    assert len(Store(tmp_path, patience_s=5).table("cells", KEY, small)) == 3


def test_what_a_killed_process_left_is_swept_and_never_read(tmp_path):
    (tmp_path / ".cells.99999.tmp").write_bytes(b"half a table")
    store = Store(tmp_path)
    store.table("cells", KEY, small)
    assert store.names() == ["cells"]
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_store_that_cannot_be_written_says_so_in_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written") as caught:
        Store(tmp_path / "file" / "store").table("cells", KEY, small)
    assert "\n" not in str(caught.value)


def test_a_full_disk_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pocgeo.engine.store.write_sealed", full)
    with pytest.raises(BadInput, match=r"No space left.*Make room"):
        Store(tmp_path).table("cells", KEY, small)
    assert Store(tmp_path).names() == []


def test_a_read_only_store_still_answers_what_it_has(shown_folder):
    store = Store(shown_folder)
    store.table("cells", KEY, small)
    shown_folder.chmod(0o555)
    with as_nobody():
        assert len(store.table("cells", KEY, small)) == 3
        with pytest.raises(BadInput, match="cannot be written"):
            store.table("cells", {"digest": "other"}, small)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "Cells", ".hidden", "x.parquet"])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path, name):
    with pytest.raises(BadInput, match="cannot name a table"):
        Store(tmp_path).table(name, KEY, small)


def test_an_absent_table_is_named(tmp_path):
    with pytest.raises(MissingFile, match="Table cells of the store"):
        Store(tmp_path).read("cells")
    assert Store(tmp_path / "nowhere").names() == []
    assert Store(tmp_path / "nowhere").verify().empty
