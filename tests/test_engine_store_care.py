"""The store among others: two builders, readers during a rebuild, links, full disks, clocks."""

import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pocgeo.engine.seals import seal_holds
from pocgeo.engine.store import Store
from pocgeo.ground.errors import BadInput
from tests.children import ended, forked

KEY, OTHER = {"digest": "a"}, {"digest": "b"}


def wide(seed: int = 1, rows: int = 20_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"cell": np.arange(rows), "x": rng.random(rows)})


def test_the_digest_of_its_bytes_stands_in_the_file_and_finds_any_flipped_bit(tmp_path):
    store = Store(tmp_path)
    store.table("cells", KEY, lambda: wide(rows=500))
    path = store.path("cells")
    assert seal_holds(path)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 200)):
        harmed = bytearray(whole)
        harmed[at] ^= 0x10
        path.write_bytes(harmed)
        assert not seal_holds(path), at
    path.write_bytes(whole[:-1])
    assert not seal_holds(path)
    path.write_bytes(whole + b"x")
    assert not seal_holds(path)
    path.write_bytes(whole)
    assert store.verify()["sound"].all()


def test_a_lie_in_the_end_of_a_file_is_found_though_every_page_is_sound(tmp_path):
    store = Store(tmp_path)
    store.table("cells", KEY, wide)
    path = store.path("cells")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"key": "{\\"digest', b'"key": "{\\"digesT'))
    assert path.read_bytes() != whole
    assert len(store.read("cells")) == 20_000
    report = store.verify()
    assert report["sound"].tolist() == [False]
    assert report["problem"].str.contains("not those that were written").all()


def test_a_reader_never_takes_a_table_replaced_between_its_key_and_its_rows(tmp_path):
    """A writer swaps two versions as fast as it can; every read is of the key asked for."""
    store = Store(tmp_path)
    one, two = wide(1, 300), wide(2, 300)
    store.table("cells", KEY, lambda: one)
    wanted = {'{"digest": "a"}': one, '{"digest": "b"}': two}

    def swap() -> None:
        while True:
            for key, table in wanted.items():
                store.write("cells", key, table)

    child = forked(swap)
    seen = dict.fromkeys(wanted, 0)
    until = time.monotonic() + 20
    try:
        while min(seen.values()) < 15 and time.monotonic() < until:
            for key, table in wanted.items():
                found = store.opened("cells", key)
                if found is not None:
                    pd.testing.assert_frame_equal(found, table)
                    seen[key] += 1
    finally:
        ended(child)
    assert min(seen.values()) >= 15, seen


def test_what_one_reader_holds_open_stays_whole_while_another_builds(tmp_path):
    store = Store(tmp_path)
    store.table("cells", KEY, lambda: wide(1))
    with store.path("cells").open("rb") as held:
        store.table("cells", OTHER, lambda: wide(2))
        kept = pd.read_parquet(held)
    pd.testing.assert_series_equal(kept["x"], wide(1)["x"])
    pd.testing.assert_series_equal(store.read("cells")["x"], wide(2)["x"])


def test_a_table_whose_inputs_changed_while_it_was_built_is_not_written(tmp_path):
    def changed() -> None:
        raise BadInput("incidents.csv: changed while it was being read.")

    Store(tmp_path).table("cells", KEY, wide)
    with pytest.raises(BadInput, match="changed while"):
        Store(tmp_path, unchanged=changed).table("cells", OTHER, wide)
    assert not Store(tmp_path).stale("cells", KEY)


@pytest.mark.parametrize("year", [1980, 2100])
def test_no_clock_makes_a_stale_table_fresh_or_a_fresh_one_stale(tmp_path, year):
    store = Store(tmp_path)
    store.table("cells", KEY, wide)
    moment = pd.Timestamp(year=year, month=1, day=1).timestamp()
    os.utime(store.path("cells"), (moment, moment))
    assert not store.stale("cells", KEY)
    assert store.stale("cells", OTHER)


def test_two_builders_build_once(tmp_path):
    def build() -> pd.DataFrame:
        with (tmp_path / "builds").open("a") as log:
            log.write("built\n")
        time.sleep(0.3)
        return wide()

    children = [forked(lambda: Store(tmp_path / "store").table("cells", KEY, build))
                for _ in range(3)]  # fmt: skip
    assert [ended(child, kill=False) for child in children] == [0, 0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"


def test_a_lock_on_a_deleted_folder_locks_nobody_out_and_lets_nobody_in_twice(tmp_path):
    store = Store(tmp_path / "store", patience_s=0.2)
    with store.lock("cells"):
        (store.folder / ".cells.lock").unlink()
        with store.lock("cells"):
            assert store.locked(store.folder / ".cells.lock") is None
    store.table("cells", KEY, wide)


def test_sweeping_takes_what_the_dead_left_and_leaves_what_the_living_write(tmp_path):
    store = Store(tmp_path)
    store.table("cells", KEY, wide)
    (tmp_path / ".gone.4242.tmp").write_bytes(b"half")
    (tmp_path / ".cells.4242.tmp").write_bytes(b"half")
    (tmp_path / ".mine.txt").write_text("not ours")
    with store.lock("gone"):
        assert store.sweep() == [".cells.4242.tmp"]
    assert store.sweep() == [".gone.4242.tmp"]
    assert (tmp_path / ".mine.txt").exists()
    assert Store(tmp_path / "nowhere").sweep() == []


def test_a_link_in_the_store_is_replaced_and_what_it_led_to_stays(tmp_path):
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    store = Store(tmp_path / "store")
    store.folder.mkdir()
    store.path("cells").symlink_to(treasure)
    (store.folder / f".cells.{os.getpid()}.tmp").symlink_to(treasure)
    store.table("cells", KEY, wide)
    assert treasure.read_text() == "mine"
    assert not store.path("cells").is_symlink()
    (store.folder / ".others.lock").symlink_to(treasure)
    with pytest.raises(BadInput, match="cannot be written"):
        store.table("others", KEY, wide)
    assert treasure.read_text() == "mine"


def test_the_whole_store_may_lie_elsewhere_behind_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / ".pocgeo").symlink_to(tmp_path / "disk")
    Store(tmp_path / ".pocgeo").table("cells", KEY, wide)
    assert (tmp_path / "disk" / "cells.parquet").is_file()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInput, match="cannot be written"):
        Store(tmp_path / "loop").table("cells", KEY, wide)


@pytest.mark.parametrize("room", [0, 4_096, 100_000])
def test_no_room_left_leaves_the_last_good_table_and_nothing_half_written(tmp_path, room):
    store = Store(tmp_path)
    store.table("cells", KEY, lambda: wide(1))
    before = store.path("cells").read_bytes()

    def crowded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        with pytest.raises(BadInput, match="cannot be written") as caught:
            store.table("cells", OTHER, lambda: wide(2))
        assert "\n" not in str(caught.value)

    assert ended(forked(crowded), kill=False) == 0
    assert store.path("cells").read_bytes() == before
    assert store.sweep() == []
    store.table("cells", OTHER, lambda: wide(2))
    assert store.verify()["sound"].all()


def test_something_in_the_way_of_a_table_is_said_in_one_line(tmp_path: Path):
    store = Store(tmp_path)
    store.path("cells").mkdir()
    with pytest.raises(BadInput, match=r"cells\.parquet: cannot be written"):
        store.table("cells", KEY, wide)
    assert not list(tmp_path.glob(".*.tmp"))
