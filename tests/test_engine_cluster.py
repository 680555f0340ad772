"""A real Dask cluster of two workers on loopback: same bytes, a killed worker, clear refusals."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocgeo.aoi.indexed import Indexed
from pocgeo.engine.cluster import open_cluster
from pocgeo.engine.executors import open_executor
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput
from pocgeo.layers.aoi_file import read_aoi
from tests.test_cells_cell_days import months, patrols, saved, telemetry
from tests.test_engine_executors import killed_once
from tests.test_engine_telemetry import area

pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")

ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    "DASK_LOGGING__DISTRIBUTED": "error", "DASK_DISTRIBUTED__DASHBOARD__LINK": "",
    "PYTHONPATH": str(ROOT),
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def typed(address: str) -> list[list[str]]:
    """Commands of the README's section on clusters, in its order, at another address."""
    text = (ROOT / "README.md").read_text("utf8").partition("## When one machine")[2]
    block = re.search(r"```sh\n(.*?)```", text, re.S)
    assert block is not None
    said = block[1].replace("127.0.0.1:8786", address.removeprefix("tcp://"))
    return [shlex.split(line.replace("8786", address.rpartition(":")[2]))
            for line in said.splitlines()]  # fmt: skip


def started(words: list[str]) -> subprocess.Popen:
    """Start a daemon of Dask."""
    command = Path(sys.executable).with_name(words[0])
    return subprocess.Popen(
        [str(command), *words[1:]],
        env={**os.environ, **QUIET}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def listening(process: subprocess.Popen) -> set[str]:
    """Addresses at which a daemon and its children wait for others."""
    daemon = psutil.Process(process.pid)
    return {
        found.laddr.ip
        for each in (daemon, *daemon.children(recursive=True))
        for found in each.net_connections(kind="inet")
        if found.status == psutil.CONN_LISTEN
    }


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler, *workers = [started(words) for words in typed(address) if words[0] == "dask"]
    assert len(workers) == 2
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
        heard = [listening(process) for process in (scheduler, *workers)]
        assert heard == [{"127.0.0.1"}] * 3, "a daemon listens beyond this machine"
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


def test_the_commands_of_the_readme_index_patrols_on_a_cluster_to_the_same_bytes(
    cluster, tmp_path, monkeypatch
):
    from pocgeo.doors.cli import main

    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    monkeypatch.setenv("POCGEO_MEMORY", "1GB")
    area(tmp_path / "sample_aoi", "patrols", patrols(count=1_700))
    shutil.copytree(tmp_path / "sample_aoi", tmp_path / "here")
    (last,) = (words for words in typed(cluster) if words[0] == "pocgeo")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, last[1:], catch_exceptions=False)
    assert "cell_days" in done.output
    monkeypatch.setenv("POCGEO_ENGINE", "serial")
    Indexed(read_aoi(tmp_path / "here")).telemetry.cell_days()
    store = ".pocgeo/telemetry"
    assert months(tmp_path / "here" / store) == months(tmp_path / "sample_aoi" / store)


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
