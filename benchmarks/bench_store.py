"""Questions of planners to a store of many cells and 30 columns, warm.

Run: python benchmarks/bench_store.py [--full]

Our reader (DuckDB over the Parquet files) against pandas that reads the table for each question, as
a script would: only the columns it needs, all of them where the answer has all. CPU seconds of all
threads, best of five; --full has 3 million cells, for which the bars are: top 20 at most 200 ms,
sums by admin area 100 ms, cells in a box 30 ms, opening 100 ms. All must agree.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from contest import sizes_asked

from pocgeo.cells import grid
from pocgeo.engine.reader import StoreReader
from pocgeo.engine.store import Store

SMALL, FULL = (30_000, 170_000), (170_000, 3_000_000)
BARS_MS = {"open": 100, "top 20": 200, "sums": 100, "box": 30, "one cell": 30}
REPEATS = 5
OTHERS = 22
BOX_DEG = 0.5


def scene(size):
    rng = np.random.default_rng(size)
    rings = int(np.ceil((np.sqrt(12 * size - 3) - 3) / 6))
    cell = grid.disk(grid.cells_of([24.0], [6.0], 8), rings)[:size]
    lon, lat = grid.centres(cell)
    table = pd.DataFrame({"cell": cell, "lon": lon, "lat": lat})
    district = np.floor(lon * 2).astype(int) * 1_000 + np.floor(lat * 2).astype(int)
    for level, name in ((1, "admin1"), (10, "admin2"), (7, "aor")):
        table[name] = "D" + pd.Series(district // level).astype(str)
    table["people_persons"] = rng.gamma(0.3, 200, size)
    table["gap_persons"] = np.where(rng.random(size) < 0.4, table["people_persons"], 0.0)
    for number in range(OTHERS):
        drawn = rng.random(size).round(3) if number % 2 else rng.poisson(2, size)
        table[f"measure_{number}"] = drawn
    return table


def questions(path, middle):
    """Name, ours and the peer's way to a short answer."""
    lon, lat, cell = middle
    box = (lon, lat, lon + BOX_DEG, lat + BOX_DEG)
    measures = ["people_persons", "gap_persons"]

    def in_box():
        table = pd.read_parquet(path)
        east = table["lon"].between(lon, lon + BOX_DEG)
        return len(table[east & table["lat"].between(lat, lat + BOX_DEG)])

    def top():
        table = pd.read_parquet(path)
        return table.sort_values(["gap_persons", "cell"], ascending=[False, True])["cell"].iloc[19]

    def sums():
        table = pd.read_parquet(path, columns=["admin2", *measures])
        return table.groupby("admin2")[measures].sum()["gap_persons"].max()

    def one():
        table = pd.read_parquet(path)
        return table.loc[table["cell"] == cell, "people_persons"].sum()

    return [
        ("top 20", lambda reader: reader.top("cells", "gap_persons")["cell"].iloc[19], top),
        ("sums", lambda reader: reader.sums("cells", "admin2", measures).iloc[:, 3].max(), sums),
        ("box", lambda reader: len(reader.box("cells", box)), in_box),
        ("one cell", lambda reader: reader.of_cell("cells", cell)["people_persons"].sum(), one),
    ]  # fmt: skip


def best_ms(work, repeats=REPEATS):
    """Best CPU and wall milliseconds, and the answer."""
    cpu = wall = np.inf
    for _ in range(repeats):
        started, begun = time.process_time(), time.perf_counter()
        answer = work()
        cpu = min(cpu, time.process_time() - started)
        wall = min(wall, time.perf_counter() - begun)
    return cpu * 1e3, wall * 1e3, answer


def opened(store):
    with StoreReader(store) as reader:
        return len(reader.columns("cells"))


def measured(size, folder):
    store = Store(Path(folder))
    table = scene(size)
    started = time.process_time()
    store.table("cells", {"size": size}, lambda: table)
    path, width = store.path("cells"), len(table.columns)
    print(
        f"\n{size:,} cells x {width} columns: {path.stat().st_size / 2**20:.0f} MB, "
        f"written and read back in {time.process_time() - started:.1f} CPU s"
    )
    middle = table.loc[size // 2, ["lon", "lat", "cell"]].tolist()
    print("question | ours CPU ms | wall ms | bar ms | pandas CPU ms | ratio")
    cpu, wall, _ = best_ms(lambda: opened(store))
    print(f"open | {cpu:.0f} | {wall:.0f} | {BARS_MS['open']} | |")
    with StoreReader(store) as reader:
        asked = questions(path, (*middle[:2], int(middle[2])))
        found = [best_ms(lambda ours=ours: ours(reader)) for _, ours, _ in asked]
    for (name, _, peer), (cpu, wall, answer) in zip(asked, found, strict=True):
        theirs, _, other = best_ms(peer, 2)
        np.testing.assert_allclose(float(answer), float(other), rtol=1e-9)
        print(
            f"{name} | {cpu:.0f} | {wall:.0f} | {BARS_MS[name]} | {theirs:.0f} | "
            f"{theirs / cpu:.0f}x",
            flush=True,
        )


def main():
    for size in sizes_asked(SMALL, FULL, __doc__):
        with tempfile.TemporaryDirectory(prefix="pocgeo-") as folder:
            measured(size, folder)


if __name__ == "__main__":
    main()
