"""Executors and DuckDB: the same answers wherever a task runs, and limits that hold."""

import math

import pandas as pd
import pytest

from pocgeo.engine.duck import connect, query
from pocgeo.engine.executors import open_executor
from pocgeo.ground.errors import BadInput


@pytest.mark.parametrize("name", ["serial", "local:2"])
def test_the_same_answers_in_the_same_order_wherever_tasks_run(name):
    with open_executor(name) as executor:
        assert list(executor.map(math.factorial, [5, 3, 8])) == [120, 6, 40320]


def test_an_error_in_a_task_reaches_the_caller():
    with open_executor("serial") as executor, pytest.raises(ValueError, match="negative"):
        list(executor.map(math.factorial, [3, -1]))


@pytest.mark.parametrize("name", ["dask", "local:0", "local:x", "local:-2", "serial:2", ""])
def test_an_unknown_engine_is_refused_with_what_is_known(name):
    with pytest.raises(BadInput, match="Write serial, local, or local:N"):
        open_executor(name)


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


def test_the_limits_are_those_asked_for():
    with connect(memory="300MB", threads=1) as connection:
        row = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads')"
        ).fetchone()
    assert row[0].startswith(("286", "300"))
    assert row[1] == 1


def test_a_limit_that_makes_no_sense_is_one_line():
    with pytest.raises(BadInput, match="DuckDB refuses memory 'lots'"), connect(memory="lots"):
        pass
