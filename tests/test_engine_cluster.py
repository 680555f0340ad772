"""A real Dask cluster of two workers on loopback: same bytes, a killed worker, clear refusals."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocgeo.engine.cluster import open_cluster
from pocgeo.engine.executors import open_executor
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput
from tests.test_cells_cell_days import months, patrols, saved, telemetry
from tests.test_engine_executors import killed_once

pytest.importorskip("distributed")

ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    "DASK_LOGGING__DISTRIBUTED": "error", "DASK_DISTRIBUTED__DASHBOARD__LINK": "",
    "PYTHONPATH": str(ROOT),
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(*arguments: str) -> subprocess.Popen:
    """Start a daemon of Dask, as docs/cluster.md says."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        env={**os.environ, **QUIET}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = started(
        "dask_scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2],
        "--no-dashboard",
    )  # fmt: skip
    workers = [
        started("dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard")
        for _ in range(2)
    ]
    until = time.monotonic() + 60
    try:
        while True:
            try:
                with open_executor(f"dask:{address}") as executor:
                    if executor.workers == 2:
                        break
            except BadInput:
                pass
            assert time.monotonic() < until, "the cluster does not start"
            time.sleep(0.2)
        yield address
    finally:
        for process in (*workers, scheduler):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_a_cluster_gives_the_same_bytes_as_this_process(cluster, tmp_path):
    paths = saved(tmp_path / "in", *(patrols(seed=seed, count=900) for seed in range(3)))
    telemetry(paths, tmp_path / "here").update(Engine(name="serial"))
    seen: list[str] = []
    there = telemetry(paths, tmp_path / "there", progress=lambda what, *done: seen.append(what))
    there.update(Engine(name=f"dask:{cluster}"))
    assert months(tmp_path / "here") == months(tmp_path / "there")
    assert {"reading fixes", "summing up days", "bringing months together"} <= set(seen)


def test_a_worker_killed_on_the_way_costs_only_its_task(cluster, tmp_path):
    mark = tmp_path / "kill3"
    mark.touch()
    with Engine(name=f"dask:{cluster}").opened(tmp_path) as team:
        jobs = [(mark, number) for number in range(8)]
        assert team.run(killed_once, jobs) == list(range(8))
    assert not mark.exists()


def test_a_folder_that_workers_do_not_see_is_refused(cluster, tmp_path, monkeypatch):
    executor = open_cluster(cluster)
    monkeypatch.setattr(executor.client, "run", lambda *asked, **more: {"tcp://far:1": False})
    with (
        executor,
        pytest.raises(BadInput, match=r"far:1 does not see .* must lie in a folder that"),
    ):
        executor.refuse_unshared(tmp_path)


def test_workers_with_another_pocgeo_are_refused(cluster, monkeypatch):
    monkeypatch.setattr("pocgeo.engine.cluster.code_digest", lambda *rooms: "ours")
    with pytest.raises(BadInput, match=r"The Dask worker tcp://.* has (another|no) pocgeo"):
        open_cluster(cluster)


def test_nobody_at_the_address_is_one_line(monkeypatch):
    monkeypatch.setattr("pocgeo.engine.cluster.PATIENCE_S", 0.3)
    with pytest.raises(BadInput, match=r"No Dask scheduler answers at tcp://127.0.0.1:\d+. Start"):
        open_cluster(f"tcp://127.0.0.1:{free_port()}")
