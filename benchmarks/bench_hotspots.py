"""Hotspots against esda's Gi* without permutations, in one run, at three sizes.

Run: python benchmarks/bench_hotspots.py [--full] [--sizes ...]

Prints, for each size: time to build the disks, Gi* of all months (ours and esda's, esda timed on
one month and multiplied), the whole hotspot test of one period, the null check of 100 maps, the
cube of emergence (Gi*, false-discovery rate, trend, patterns), their sum, growth and
peak memory. Each size runs in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pandas as pd

SIZES = (9_241, 50_311)  # hexagons of 55 and 129 rings
FULL = (*SIZES, 899_269)  # and of 547
MONTHS = 24


def lattice(size):
    """Hexagonal lattice with its pairs of neighbours, by arithmetic: no h3 in what is timed."""
    radius = round((np.sqrt(12 * size - 3) - 3) / 6)
    q, r = (side.ravel() for side in np.mgrid[-radius : radius + 1, -radius : radius + 1])
    inside = abs(q + r) <= radius
    q, r = q[inside], r[inside]
    width = 2 * radius + 3
    place = np.full(width * width, -1)
    place[(q + radius + 1) * width + r + radius + 1] = np.arange(q.size)
    steps = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)]
    rows, columns, far = [], [], []
    for dq, dr in steps:
        other = place[(q + dq + radius + 1) * width + r + dr + radius + 1]
        found = np.flatnonzero(other >= 0)
        rows.append(found)
        columns.append(other[found])
        far.append(np.full(found.size, int((dq, dr) != (0, 0))))
    cells = pd.DataFrame({"cell": np.arange(1, q.size + 1), "area_km2": 0.74})
    cells["people_persons"] = 100.0
    return cells, tuple(np.concatenate(part) for part in (rows, columns, far))


def clustered(size, rng):
    """Draw counts of which 98.5 % are zero, as measured on real events: gamma-Poisson."""
    rate = rng.gamma(0.02, 1.0, size)
    return rng.poisson(np.repeat(rate[:, None], MONTHS, axis=1)).astype(float)


def timed(work, repeats=3):
    """Best CPU seconds of a few, and the result."""
    best, found = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        found = work()
        best = min(best, time.process_time() - start)
    return best, found


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(size):
    from pocgeo.analyses.disks import disk_matrix, gi_star
    from pocgeo.analyses.hotspots import HotspotTest, hotspots
    from pocgeo.analyses.null_check import null_check

    rng = np.random.default_rng(1)
    cells, pairs = lattice(size)
    counts = clustered(len(cells), rng)
    known = cells["cell"].to_numpy()
    found = {"cells": len(cells), "before_mb": peak_mb()}
    found["disks_s"], disks = timed(lambda: disk_matrix(known, (1.0, 1.0), pairs))
    found["gi_s"], z = timed(lambda: gi_star(counts, disks))
    events = pd.Series(counts[:, :3].sum(axis=1), index=known)
    found["test_s"], table = timed(lambda: hotspots(events, cells, HotspotTest(), pairs=pairs))
    found["hotspots"] = int(table["hotspot"].sum())
    found["cube_s"], patterns = timed(lambda: cube_of(counts, disks), 1)
    found["patterns"] = int((patterns > 0).sum())
    found["null_s"], check = timed(lambda: null_check(cells, 2_000, seeds=100, pairs=pairs), 1)
    found["null_share"] = check.share_any_flag
    found["peak_mb"] = peak_mb()
    found["esda_s"], found["difference"] = esda_one_month(counts[:, 0], z[:, 0], pairs)
    print(json.dumps(found))


def cube_of(counts, disks):
    """Gi* in space and time, false-discovery rate, Mann-Kendall and patterns of every cell."""
    from pocgeo.analyses.emergence import EmergenceTest, patterns_of

    return patterns_of(counts, disks, EmergenceTest(steps=MONTHS - 1, step_months=1))


def esda_one_month(counts, ours, pairs):
    """Time esda at its best: a Graph built beforehand, the cell itself already in it."""
    import esda
    from libpysal.graph import Graph

    rows, columns, far = pairs
    order = np.lexsort((columns, rows))[far[np.lexsort((columns, rows))] > 0]
    graph = Graph.from_arrays(rows[order], columns[order], np.ones(order.size))
    graph = graph.assign_self_weight(1.0)
    seconds, theirs = timed(
        lambda: esda.G_Local(counts, graph, transform="B", star=True, permutations=0)
    )
    return seconds, float(np.nanmax(np.abs(theirs.Zs - ours)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", type=int, help="run a single size and print JSON")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--full", action="store_true", help="0.9 million cells too")
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    print(f"CPU seconds, disks of one ring, {MONTHS} months, 98.5 % zeros")
    print(
        "cells | disks | Gi* | esda Gi* | ratio | test | cube | all | null 100 | MB (added) | off"
    )
    spent = []
    for size in FULL if arguments.full else arguments.sizes:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--one", str(size)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        r = json.loads(ran.stdout.splitlines()[-1])
        esda_s = r["esda_s"] * MONTHS
        whole = r["disks_s"] + r["gi_s"] + r["test_s"] + r["cube_s"]
        spent.append((r["cells"], whole))
        print(
            f"{r['cells']:,} | {r['disks_s']:.3f} | {r['gi_s']:.3f} | {esda_s:.2f} | "
            f"{esda_s / r['gi_s']:.0f}x | {r['test_s']:.3f} | {r['cube_s']:.2f} | "
            f"{whole:.2f} | {r['null_s']:.2f} "
            f"({r['null_share']:.0%} flagged) | {r['peak_mb']:.0f} "
            f"({r['peak_mb'] - r['before_mb']:.0f}) | {r['difference']:.1e}"
        )
    for (small, before), (large, after) in pairwise(spent):
        power = np.log(after / before) / np.log(large / small)
        print(f"growth {small:,} to {large:,}: cost as size^{power:.2f}")


if __name__ == "__main__":
    main()
