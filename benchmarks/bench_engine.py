"""Telemetry to cell-days, on processes and on Dask, against bare H3 and three peers in one run.

Run: python benchmarks/bench_engine.py [--full] [--fixes N ...] [--peers NAME ...] [--only NAME ...]

A year of vehicles that report every 30 seconds, one Parquet file a day, made by this script. `bare`
reads the positions and looks up their cells, on as many processes as ours: the floor. The peers do
less than ours: no speed check, no cut at midnight, no repeats, dwell by a plain cap, and Dask's
DataFrame sees no further than its file. All look up cells with the same function. CPU seconds and
peak memory are of the whole tree of processes, that of the cluster's daemons included; wall time
hangs on what else the machine does. --full is 50 M and 200 M fixes (peers at 50 M only).
`--only ours --fixes 200e6` measures nothing else. Files lie in the system's folder for passing ones
(TMPDIR), and go when the run ends, broken off or not: 4 GB of fixes, 3.5 GB of results for 200 M.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from pocgeo.cells.grid import cells_of
from pocgeo.cells.telemetry import Telemetry
from pocgeo.engine.executors import open_executor
from pocgeo.engine.team import Engine
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.request import LoadRequest, SourceRequest

SMALL, FULL, PEERS_UP_TO = (2_000_000,), (50_000_000, 200_000_000), 60_000_000
DAYS, A_DAY = 365, 2_880
WORKERS = 2
ZONE = "Africa/Nairobi"
DAY_US = 86_400_000_000
PATIENCE_S = 90


def make(folder: Path, fixes: int) -> int:
    """Make a year of tracks, a file a day: parked for 40 % of the time, else about 60 m a step."""
    folder.mkdir(parents=True)
    units = max(1, round(fixes / DAYS / A_DAY))
    rng = np.random.default_rng(42)
    lon, lat = 36.8 + rng.normal(0, 0.3, units), -1.3 + rng.normal(0, 0.3, units)
    for day in range(DAYS + 1):
        step_us = np.sort(rng.integers(0, DAY_US // 1_000, (units, A_DAY)), axis=1) * 1_000
        go = 6e-4 * (rng.random((units, A_DAY)) < 0.6)
        x = lon[:, None] + np.cumsum(rng.normal(0, 1, (units, A_DAY)) * go, axis=1)
        y = lat[:, None] + np.cumsum(rng.normal(0, 1, (units, A_DAY)) * go, axis=1)
        lon, lat = x[:, -1], np.clip(y[:, -1], -4, 4)
        order = np.argsort(step_us, axis=None)
        midnight = np.datetime64("2025-01-01T00:00", "us") + np.timedelta64(day, "D")
        at_us = (step_us + midnight.astype(int)).ravel()[order]
        at = pa.array(at_us).cast(pa.timestamp("us", "UTC"))
        unit = np.repeat(np.arange(units, dtype=np.int32), A_DAY)[order]
        table = pa.table({"unit": unit, "fix_at": at, "lat": y.ravel()[order],
                          "lon": x.ravel()[order]})  # fmt: skip
        name = "day" if day < DAYS else "new"
        pq.write_table(table, folder / f"{name}{day:03}.parquet")
    return units * A_DAY * DAYS


def bare_file(path: Path) -> int:
    table = pq.read_table(path, columns=["lon", "lat"], use_threads=False)
    return len(cells_of(table["lon"].to_numpy(), table["lat"].to_numpy(), 8))


def bare(paths: list[Path], out: Path) -> None:
    with open_executor(f"local:{WORKERS}") as pool:
        sum(pool.map(bare_file, paths))


def ours(paths: list[Path], out: Path, engine: str = f"local:{WORKERS}") -> None:
    source = SourceRequest(paths=tuple(paths))
    request = LoadRequest(spec=layer_spec("patrols"), sources=(source,), time_zone=ZONE)
    Telemetry(request, out, 8).update(Engine(name=engine, memory="1300MB"))


def duckdb_sql(paths: list[Path], out: Path) -> None:
    import duckdb

    connection = duckdb.connect(config={"threads": str(WORKERS)})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.create_function(
        "h3_cell", lambda lon, lat: pa.array(cells_of(lon.to_numpy(), lat.to_numpy(), 8)),
        ["DOUBLE", "DOUBLE"], "BIGINT", type="arrow",
    )  # fmt: skip
    connection.read_parquet([str(path) for path in paths]).create_view("fixes")
    connection.execute(f"""
        COPY (WITH f AS (SELECT unit, epoch_us(fix_at) AS t, h3_cell(lon, lat) AS cell FROM fixes),
        w AS (SELECT *, lead(t) OVER u AS next_t, lag(cell) OVER u AS prev FROM f
              WINDOW u AS (PARTITION BY unit ORDER BY t))
        SELECT cell, (t + 10800000000) // {DAY_US} AS day, count(*) AS fixes,
            count(*) FILTER (prev IS DISTINCT FROM cell) AS entries,
            sum(least(coalesce(next_t - t, 0), 1800000000))::BIGINT AS dwell_us,
            count(DISTINCT unit) AS units, max(t) AS last_t
        FROM w GROUP BY ALL ORDER BY ALL) TO '{out}.parquet' (FORMAT parquet)""")


def polars_frame(paths: list[Path], out: Path) -> None:
    import polars as pl

    def cell(batch: pl.Series) -> pl.Series:
        return pl.Series(cells_of(batch.struct.field("lon").to_numpy(),
                                  batch.struct.field("lat").to_numpy(), 8))  # fmt: skip

    t = pl.col("fix_at").dt.epoch("us")
    fixes = pl.scan_parquet([str(path) for path in paths]).select(
        "unit", t.alias("t"), pl.struct("lon", "lat").map_batches(cell, pl.Int64).alias("cell")
    )
    track = fixes.sort("unit", "t").with_columns(
        next_t=pl.col("t").shift(-1).over("unit"), prev=pl.col("cell").shift().over("unit")
    )
    track.group_by("cell", ((pl.col("t") + 10_800_000_000) // DAY_US).alias("day")).agg(
        pl.len().alias("fixes"), (pl.col("prev").ne_missing(pl.col("cell"))).sum().alias("entries"),
        (pl.col("next_t") - pl.col("t")).fill_null(0).clip(0, 1_800_000_000).sum().alias("dwell"),
        pl.col("unit").n_unique().alias("units"), pl.col("t").max().alias("last_t"),
    ).sort("cell", "day").collect(engine="streaming").write_parquet(f"{out}.parquet")  # fmt: skip


def dask_part(frame):
    frame = frame.sort_values(["unit", "fix_at"])
    t = frame["fix_at"].astype("datetime64[us, UTC]").astype("int64")
    cell = cells_of(frame["lon"], frame["lat"], 8)
    same = frame["unit"].eq(frame["unit"].shift(-1))
    dwell = (t.shift(-1) - t).where(same, 0).clip(0, 1_800_000_000).astype("int64")
    change = np.append(True, cell[1:] != cell[:-1])
    return frame.assign(
        cell=cell, day=(t + 10_800_000_000) // DAY_US, t=t, dwell=dwell, change=change.astype("i8")
    )[["cell", "day", "unit", "t", "dwell", "change"]]


def dask_frame(paths: list[Path], out: Path) -> None:
    import dask
    import dask.dataframe as dd

    with dask.config.set(scheduler="processes", num_workers=WORKERS):
        parts = dd.from_map(read_for_dask, paths)
        by = parts.groupby(["cell", "day", "unit"])
        table = by.agg({"t": ["count", "max"], "dwell": "sum", "change": "sum"}).compute()
    table.columns = ["fixes", "last_t", "dwell", "entries"]
    table.groupby(level=[0, 1]).sum().to_parquet(f"{out}.parquet")


def read_for_dask(path):
    return dask_part(pq.read_table(path, use_threads=False).to_pandas())


CONTESTANTS = {
    "bare": bare, "ours": ours, "duckdb": duckdb_sql, "polars": polars_frame, "dask_df": dask_frame,
}  # fmt: skip


PEERS = ["duckdb", "polars", "dask_df"]


def tree(roots: list[int]) -> list[psutil.Process]:
    found = {}
    for root in roots:
        try:
            process = psutil.Process(root)
            found |= {each.pid: each for each in [process, *process.children(recursive=True)]}
        except psutil.Error:
            continue
    return list(found.values())


def spent_s(processes: list[psutil.Process], seen: dict[int, float]) -> None:
    for process in processes:
        try:
            times = process.cpu_times()
            seen[process.pid] = max(seen.get(process.pid, 0), times.user + times.system)
        except psutil.Error:
            continue


def measured(name: str, source: Path, out: Path, also: tuple[int, ...] = ()) -> dict[str, float]:
    """Run one contestant alone: wall and CPU seconds, peak MB of the tree."""
    before: dict[int, float] = {}
    spent_s(tree(list(also)), before)
    seen, peak, start = {}, 0, time.monotonic()
    run = subprocess.Popen([sys.executable, __file__, "--run", name, str(source), str(out)])
    while run.poll() is None:
        processes = tree([run.pid, *also])
        rss = 0
        for process in processes:
            try:
                rss += process.memory_info().rss
            except psutil.Error:
                continue
        peak = max(peak, rss)
        spent_s(processes, seen)
        time.sleep(0.1)
    if run.returncode:
        raise SystemExit(f"{name} failed")
    cpu = sum(seen.values()) - sum(before.get(pid, 0) for pid in seen)
    return {"wall": time.monotonic() - start, "cpu": cpu, "mb": peak / 1e6}


def bytes_of(out: Path) -> str:
    """Digest of the months that stand."""
    months = json.loads((out / "telemetry.json").read_text())["months"]
    digest = hashlib.sha256()
    for month in sorted(months):
        digest.update((out / "months" / months[month]).read_bytes())
    return digest.hexdigest()


def daemon(*arguments: str) -> subprocess.Popen:
    quiet = {"DASK_LOGGING__DISTRIBUTED": "error", "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{arguments[0]}", *arguments[1:]],
        env={**os.environ, **quiet}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Cluster:
    """A scheduler and two workers on loopback."""

    address = "tcp://127.0.0.1:18786"

    def __enter__(self) -> "Cluster":
        here = ("--host", "127.0.0.1", "--no-dashboard")
        self.daemons = [daemon("dask_scheduler", "--port", "18786", *here)]
        worker = ("dask_worker", self.address, "--nthreads", "1", *here)
        self.daemons += [daemon(*worker) for _ in range(WORKERS)]
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                with open_executor(f"dask:{self.address}") as executor:
                    if executor.workers == WORKERS:
                        return self
            except ValueError:
                time.sleep(0.3)
        raise SystemExit("the cluster does not start")

    def __exit__(self, *failed: object) -> None:
        for each in reversed(self.daemons):
            each.send_signal(signal.SIGTERM)
            try:
                each.wait(15)
            except subprocess.TimeoutExpired:
                each.kill()

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes to be measured with the run."""
        return tuple(each.pid for each in self.daemons)


def killed_halfway(source: Path, out: Path, cluster: Cluster, after_s: float) -> None:
    """Run on the cluster and kill -9 the process of one worker on the way; its nanny starts one."""
    run = subprocess.Popen([sys.executable, __file__, "--run", "dask", str(source), str(out)])
    time.sleep(after_s)
    for process in tree([cluster.daemons[1].pid])[1:]:
        if run.poll() is None:
            process.kill()
    if run.wait():
        raise SystemExit("the run with a killed worker failed")


def line(name: str, found: dict[str, float], floor: dict[str, float], said: str = "") -> None:
    print(f"{name:<26} {found['cpu']:>8.1f} {found['cpu'] / floor['cpu']:>6.2f}x "
          f"{found['wall']:>8.1f} {found['mb']:>8.0f}  {said}", flush=True)  # fmt: skip


def disk_gb(folder: Path) -> float:
    """Space that all files of a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def alone(fixes: int, folder: Path, names: list[str]) -> dict[str, float]:
    """Measure some contestants and nothing else."""
    source, out = folder / "fixes", folder / "out"
    count = make(source, fixes)
    print(f"\n{count:,} fixes in {DAYS} files, {disk_gb(source):.2f} GB")
    found = {}
    for name in names:
        found[name] = measured(name, source, out / name)
        said = "  ".join(f"{what} {figure:,.1f}" for what, figure in found[name].items())
        print(f"{name}: {said}; {disk_gb(out):.2f} GB written", flush=True)
    return found[names[0]]


def bench(fixes: int, folder: Path, peers: list[str], *, cluster: bool) -> dict[str, float]:
    source, out = folder / "fixes", folder / "out"
    count = make(source, fixes)
    print(f"\n{count:,} fixes in {DAYS} files\n{'':<26} {'CPU s':>8} {'/bare':>7} {'wall s':>8} "
          f"{'peak MB':>8}")  # fmt: skip
    floor = measured("bare", source, out)
    line("bare H3, 2 processes", floor, floor)
    own = measured("ours", source, out / "local")
    line("ours, 2 processes", own, floor, "bar 2.5x, 1,500 MB")
    wanted = bytes_of(out / "local")
    for name in peers:
        theirs = measured(name, source, out / name)
        line(name, theirs, floor, f"{theirs['cpu'] / own['cpu']:.2f} of our CPU, "
             f"{theirs['wall'] / own['wall']:.2f} of our wall")  # fmt: skip
        Path(f"{out / name}.parquet").unlink()
    if cluster:
        with Cluster() as team:
            found = measured("dask", source, out / "dask", team.pids)
            same = "same bytes" if bytes_of(out / "dask") == wanted else "OTHER BYTES"
            share = f"{found['cpu'] / own['cpu']:.2f} of the pool's CPU"
            share += f", {found['wall'] / own['wall']:.2f} of its wall (bar 1.3)"
            line("ours, Dask of 2", found, floor, f"{share}, {same}")
            killed_halfway(source, out / "killed", team, found["wall"] / 2)
            same = "same bytes" if bytes_of(out / "killed") == wanted else "OTHER BYTES"
            print(f"a worker killed halfway: {same}")
    added = measured("more", source, out / "local")
    idle = measured("more", source, out / "local")
    share = added["cpu"] / own["cpu"]
    net = (added["cpu"] - idle["cpu"]) / own["cpu"]
    print(f"a day more: {added['cpu']:.2f} CPU s, {share:.1%} of the full build (bar 3 %); less "
          f"what a run with nothing to do takes: {net:.1%}")  # fmt: skip
    return own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="50 M and 200 M: most of an hour")
    parser.add_argument("--fixes", type=float, nargs="+", help="these sizes instead, as in 200e6")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), help="nothing but these")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="only these")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        name, source, out = asked.run[0], Path(asked.run[1]), Path(asked.run[2])
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        paths = sorted(source.glob("day*.parquet"))
        if name == "dask":
            ours(paths, out, f"dask:{Cluster.address}")
        elif name == "more":
            ours([*paths, *source.glob("new*.parquet")], out)
        else:
            CONTESTANTS[name](paths, out)
        return
    spent = []
    for fixes in map(int, asked.fixes or (FULL if asked.full else SMALL)):
        folder = Path(tempfile.mkdtemp(prefix="pocgeo-bench-"))
        try:
            fits = fixes <= PEERS_UP_TO
            if asked.only:
                own = alone(fixes, folder, asked.only)
            else:
                own = bench(fixes, folder, asked.peers if fits else [], cluster=fits)
            spent.append((fixes, own["cpu"]))
        finally:
            shutil.rmtree(folder)
    for (less, less_s), (more, more_s) in pairwise(spent):
        power = np.log(more_s / less_s) / np.log(more / less)
        print(f"growth {less:,} to {more:,}: cost as size^{power:.2f}")


if __name__ == "__main__":
    main()
