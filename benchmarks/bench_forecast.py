"""Forecast and scorecard: CPU seconds and memory at three sizes, and the record on South Sudan.

    python benchmarks/bench_forecast.py          # 10,000 and 100,000 cells; South Sudan if there
    python benchmarks/bench_forecast.py --full   # 900,000 cells too

Bars: a forecast of 0.9 million cells in 10 CPU seconds; the whole backtest of South Sudan (precise
incidents, resolution 5, every origin from 2014) in 5, its log score better than the decayed
kernel's beyond chance, and 60 % of incidents in the top 5 % of land.
"""

import argparse
import itertools
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

MONTHS = 60
LAST = pd.Timestamp("2024-12-31")


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scene(size):
    """Draw a round area of `size` cells of resolution 7 and clustered incidents, 1 in 45 cells."""
    from pocgeo.cells import grid

    random = np.random.Generator(np.random.PCG64(1))
    rings = int(np.sqrt(size / 3))
    names = grid.disk(grid.cells_of([20.0], [7.0], 7), rings)
    people = np.exp(random.normal(3, 2, names.size))
    cells = pd.DataFrame({"cell": names, "area_km2": grid.areas_km2(names)})
    cells["people_persons"] = people
    cells["admin2_id"] = grid.as_text(grid.parents(names, 3))
    cells["admin2"] = cells["admin2_id"]
    count = names.size // 45
    hot = random.choice(names.size, max(count // 12, 5), p=people / people.sum())
    at = np.where(random.random(count) < 0.8, random.choice(hot, count),
                  random.integers(0, names.size, count))  # fmt: skip
    days = LAST - pd.to_timedelta(random.integers(0, 30 * MONTHS, count), unit="D")
    events = pd.DataFrame({"cell": names[at], "weight": 1.0, "occurred_on": days})
    return events, cells


def one(size):
    from pocgeo.analyses.forecast import ForecastStandard, forecast

    events, cells = scene(size)
    found = {"cells": len(cells), "incidents": len(events), "before_mb": peak_mb()}
    for name, level in (("own", 7), ("default", None)):
        began = time.process_time()
        made = forecast(events, cells, LAST, ForecastStandard(resolution=level))
        found[f"{name}_s"] = time.process_time() - began
        found[f"{name}_resolution"] = made.resolution
        if name == "own":
            found["peak_mb"] = peak_mb()
    return found


def south_sudan():
    import pocgeo
    from pocgeo.analyses.forecast import ForecastStandard
    from pocgeo.analyses.scorecard import ScorecardStandard, scorecard
    from pocgeo.aoi.threats import incidents_placed
    from tests.real import SHARED
    from tests.test_real_forecast import AOI

    if not SHARED.is_dir():
        print("South Sudan: real data absent, not run.")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aoi.toml"
        path.write_text(AOI.format(root=(SHARED / "south_sudan").as_posix()), "utf8")
        index = pocgeo.open_aoi(folder).indexed
        cells = index.known("cells").merge(index.known("population"), on="cell", how="left")
        end = pd.Timestamp("2021-12-31")
        events = incidents_placed(index, end)
    events = events[events["placed"] == "point"]
    spent = []
    for _ in range(3):
        began = time.process_time()
        card = scorecard(
            events, cells, end, ForecastStandard(resolution=5), ScorecardStandard(origins=32)
        )
        spent.append(time.process_time() - began)
    print(f"South Sudan, whole backtest with scorecard: {min(spent):.1f} CPU s (bar 5)")
    for note in card.notes:
        print(" ", note)
    for table in (card.scores, card.differences, card.reliability):
        print(table.round(3).to_string(index=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="900,000 cells too")
    sizes = [10_000, 100_000, *([900_000] if parser.parse_args().full else [])]
    fresh = multiprocessing.get_context("spawn")
    print("cells | incidents | own resolution s | default resolution s | MB above inputs")
    rows = []
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            row = pool.submit(one, size).result()
        rows.append(row)
        print(
            f"{row['cells']:,} | {row['incidents']:,} | {row['own_s']:.2f} | "
            f"{row['default_s']:.2f} (res {row['default_resolution']}) | "
            f"{row['peak_mb'] - row['before_mb']:.0f}",
            flush=True,
        )
    for small, large in itertools.pairwise(rows):
        power = np.log(large["own_s"] / small["own_s"]) / np.log(large["cells"] / small["cells"])
        print(f"growth {small['cells']:,} to {large['cells']:,}: cost as size^{power:.2f}")
    south_sudan()


if __name__ == "__main__":
    main()
