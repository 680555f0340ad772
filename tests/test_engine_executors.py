"""Executors and DuckDB: the same answers wherever a task runs, and limits that hold."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pocgeo.engine.duck import connect, literal, query
from pocgeo.engine.executors import open_executor, workers_of
from pocgeo.engine.memory import bytes_of, share_of
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput, WorkersLost


def killed_once(job: tuple[Path, int]) -> int:
    """Die at the job that is marked, but only once; a task that runs on any worker."""
    mark, number = job
    if mark.name == f"kill{number}":
        try:
            mark.unlink()
        except FileNotFoundError:
            return number
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed_always(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("name", ["serial", "local:2"])
def test_the_same_answers_in_the_same_order_wherever_tasks_run(name):
    with open_executor(name) as executor:
        assert list(executor.map(math.factorial, [5, 3, 8])) == [120, 6, 40320]


def test_an_error_in_a_task_reaches_the_caller():
    with open_executor("serial") as executor, pytest.raises(ValueError, match="negative"):
        list(executor.map(math.factorial, [3, -1]))


@pytest.mark.parametrize(
    "name",
    ["dask", "local:0", "local:x", "local:-2", "serial:2", "", "local:", "dask:tcp://", "local:１",
     "dask:http://there:80", "dask:tcp://there", "local:2 "],
)  # fmt: skip
def test_an_unknown_engine_is_refused_with_what_is_known(name):
    with pytest.raises(BadInput, match="Write serial, local, or local:N"):
        open_executor(name)


def test_a_worker_that_dies_costs_only_its_task(tmp_path):
    mark = tmp_path / "kill2"
    mark.touch()
    seen: list[tuple[int, int]] = []
    with Engine(name="local:2").opened(tmp_path) as team:
        assert team.workers == 2
        jobs = [(mark, number) for number in range(6)]
        assert team.run(killed_once, jobs, lambda *done: seen.append(done)) == list(range(6))
    assert not mark.exists()  # somebody did die
    assert seen == [(number, 6) for number in range(1, 7)]


def test_a_task_that_kills_every_worker_ends_in_one_line(tmp_path):
    with (
        pytest.raises(WorkersLost, match="died 3 times at one task, most likely for want of mem"),
        Engine(name="local:1").opened(tmp_path) as team,
    ):
        team.run(killed_always, [1, 2, 3])


def test_the_pool_leaves_no_task_behind_and_takes_none_when_closed():
    executor = open_executor("local:1")
    futures = [executor.submit(math.factorial, number) for number in range(4)]
    executor.shutdown(cancel_futures=True)
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(math.factorial, 3)
    assert workers_of(executor) == 1


def test_the_engine_is_what_is_asked_for_then_the_environment_then_the_house():
    said = {"POCGEO_ENGINE": "local:3", "POCGEO_MEMORY": "3GB"}
    assert Engine.chosen("serial", None, said) == Engine(name="serial", memory="3GB")
    assert Engine.chosen(None, "2GB", said) == Engine(name="local:3", memory="2GB")
    assert Engine.chosen(None, None, {}) == Engine(name="local", memory="1500MB")


def test_memory_is_shared_and_too_little_is_refused_in_one_line(tmp_path):
    assert bytes_of("1.5 GB") == 1_500_000_000
    assert bytes_of("1GiB") == 2**30
    assert share_of("2GB", 4) == 500_000_000
    for wrong in ("lots", "2", "-1GB", "1kB", "GB", "1e3MB"):
        with pytest.raises(BadInput, match="Write it as in 2GB or 800MB"):
            Engine(memory=wrong)
    with (
        pytest.raises(BadInput, match="500MB is too small for 2 workers: at least 300MB for each"),
        Engine(name="local:2", memory="500MB").opened(tmp_path),
    ):
        pass


FREED = """
import resource
import numpy as np
from pocgeo.engine.memory import keep_freed
{first}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    np.ones(500_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is of glibc")
def test_a_worker_of_dask_uses_freed_memory_again():
    """Under the setting Dask gives its workers, 100 arrays of 4 MB touch their pages once."""
    faults = {
        first: int(
            subprocess.run(
                [sys.executable, "-c", FREED.format(first=first)], check=True, text=True,
                capture_output=True, env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"},
            ).stdout
        )
        for first in ("", "keep_freed()")
    }  # fmt: skip
    assert faults["keep_freed()"] < faults[""] / 10


def test_a_query_over_a_stored_and_a_passing_table(tmp_path):
    pd.DataFrame({"cell": [1, 2, 3], "people": [10.0, 20.0, 30.0]}).to_parquet(
        tmp_path / "cells.parquet"
    )
    wanted = pd.DataFrame({"cell": [2, 3]})
    answer = query(
        "SELECT sum(people) AS people FROM cells JOIN wanted USING (cell)",
        {"cells": tmp_path / "cells.parquet", "wanted": wanted},
    )
    assert answer["people"].tolist() == [50.0]


def test_a_path_is_a_text_whatever_is_in_it():
    with connect() as connection:
        row = connection.execute(f"SELECT {literal(Path('/a b/ONeil'))}").fetchone()
        assert row[0] == "/a b/ONeil"
        row = connection.execute("SELECT " + literal("it's; --")).fetchone()
    assert row[0] == "it's; --"


def test_the_limits_are_those_asked_for(tmp_path):
    with connect(memory="300MB", threads=1, scratch=tmp_path) as connection:
        row = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads'), "
            "current_setting('temp_directory')"
        ).fetchone()
    assert row[0].startswith(("286", "300"))
    assert row[1] == 1
    assert row[2].startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_limit_that_makes_no_sense_is_one_line():
    with pytest.raises(BadInput, match="DuckDB refuses memory 'lots'"), connect(memory="lots"):
        pass
