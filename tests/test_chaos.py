"""kill -9 in the middle of an index build; the long form is `make chaos`."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.chaos import World, chaos
from tests.children import ended, forked

KILLS = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    threads = pa.cpu_count()
    pa.set_cpu_count(1)  # threads do not live on in a forked child
    yield World(tmp_path_factory.mktemp("chaos") / "aoi")
    pa.set_cpu_count(threads)


def test_a_killed_build_leaves_the_last_good_store_and_the_next_one_completes(world: World):
    tally = chaos(world, KILLS, seed=7)
    assert tally.kills == KILLS
    assert 1 <= tally.builds <= KILLS + tally.late
    assert tally.unfinished >= 1


def test_the_chaos_would_notice_a_torn_a_lost_and_another_table(world: World):
    world.turn("west")
    assert ended(forked(world.build), kill=False) == 0
    path = world.store / "cells.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(AssertionError, match="of no version"):
        world.check_killed("west")
    path.unlink()
    with pytest.raises(AssertionError, match="lost"):
        world.check_killed("west")
    assert ended(forked(world.build), kill=False) == 0
    world.check_whole("west")
    with pytest.raises(AssertionError, match="other bytes"):
        world.check_whole("whole")
