"""Reach over real ground: its bars, its growth, and the rasters it must beat, in one run.

Run: python benchmarks/bench_reach.py [--full]

Every line is measured in a process of its own: CPU seconds, and peak memory of the whole process
(interpreter and imports, 0.2 GB, included). Lands are made up (tests/reach_world.py). `--full`
takes the lands of 100 x 100 km and of a country (0.93 million cells, 60,000 km of roads; 2.8
million for the growth): ten minutes and 5 GB.

Peers: scikit-image MCP_Geometric and GRASS r.cost -k on the 100 m raster, roads and rivers burnt
in beforehand at no charge. A peer that is not installed is said to be missing.
"""

import argparse
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pocgeo.analyses.reach.graph import field, sites_of, travel_graph
from pocgeo.analyses.reach.seeds import departures
from pocgeo.analyses.reach.table import reach_minutes
from pocgeo.cells.grid import cells_of, centres, cover, positions
from pocgeo.cells.lattice import lattice
from pocgeo.ground.geodesy import distance_m
from tests.reach_world import Truth, World, errors, mean_error_min, touched, truth

BASES, READY_MIN, LIMIT_MIN, SITES, TABLE_MIN = 112, 0.0, 120.0, 2_000, 60.0
COUNTRY_KM2, COUNTRY_TOWNS, COUNTRY_RIVERS = 692_000.0, 410, 26
SMALL_KM, FULL_KM = (150.0, 355.0), (150.0, 355.0, 832.0, 1_440.0)


class Clock:
    """CPU seconds since the last look."""

    def __init__(self) -> None:
        self.last = time.process_time()

    def lap(self) -> float:
        """CPU seconds since the last lap."""
        now = time.process_time()
        spent, self.last = now - self.last, now
        return spent


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def alone(work, *arguments):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def land_of(side_km: float) -> World:
    share = side_km**2 / COUNTRY_KM2
    towns = max(6, round(COUNTRY_TOWNS * share))
    return World(side_km, towns, max(2, round(COUNTRY_RIVERS * np.sqrt(share))), seed=11)


def cells_of_land(world: World) -> pd.DataFrame:
    half = world.side_km / 2
    box = shapely.segmentize(shapely.box(-half, -half, half, half), 20)
    cell = cover(shapely.transform(box, lambda xy: np.column_stack(world.lon_lat(*xy.T))), 8)
    lon, lat = centres(cell)
    return pd.DataFrame({"cell": cell, "lon": lon, "lat": lat})


def country(side_km: float) -> dict[str, float]:
    """Build, field and table of a land; the layers are there, cells and land cover too."""
    world = land_of(side_km)
    cells, roads, rivers = cells_of_land(world), world.roads_table(), world.rivers_table()
    pace = world.min_per_km(*world.x_y(cells["lon"].to_numpy(), cells["lat"].to_numpy()))
    clock = Clock()
    ground = lattice(cells, roads, rivers)
    graph = travel_graph(ground, pace, world.road_pace(ground.network.row))
    told = {"build s": clock.lap()}
    bases = shapely.points(np.column_stack(world.lon_lat(*world.towns[:BASES].T)))
    sites = departures(ground, graph, bases, READY_MIN)
    told["seeds s"] = clock.lap()
    field(graph, sites, LIMIT_MIN)
    told["field s"] = clock.lap()
    count = round(SITES * min(1.0, side_km**2 / COUNTRY_KM2))
    rng = np.random.default_rng(0)
    nodes = len(cells) + rng.integers(len(ground.network.lon), size=count)
    sites = sites_of([[(int(node), 0.0)] for node in nodes])
    clock.lap()
    table = reach_minutes(graph, sites, TABLE_MIN)
    told["table s"] = clock.lap()
    table.field()
    told["first reduction s"] = clock.lap()
    for closed in range(10):
        table.field(np.delete(np.arange(count), closed))
    told["what-if s"] = clock.lap() / 10
    return told | {
        "cells": len(cells),
        "road km": float(ground.network.length_m.sum(dtype="float64")) / 1000,
        "vertices": len(ground.network.lon),
        "arcs": len(graph.minutes),
        "sites": count,
        "pairs": len(table.cell),
        "peak GB": peak_gb(),
    }


def plane() -> tuple[float, float]:
    """Greatest and mean error over a plain, 10 to 90 km, against the geodesic."""
    cell = cover(shapely.box(28.05, 7.05, 29.85, 8.85), 8)
    lon, lat = centres(cell)
    cells = pd.DataFrame({"cell": cell, "lon": lon, "lat": lat})
    graph = travel_graph(lattice(cells), np.ones(len(cells)), np.zeros(0))
    start = int(np.argmin(np.hypot(lon - 28.95, lat - 7.95)))
    crow = distance_m(lon[start], lat[start], lon, lat) / 1000
    some = (crow > 10) & (crow < 90)
    wrong = np.abs(field(graph, sites_of([[(start, 0.0)]])).minutes[some] / crow[some] - 1)
    return float(wrong.max()), float(wrong.mean())


def raster(world: World, step_km: float) -> np.ndarray:
    """Minutes a kilometre at every pixel: roads burnt in, rivers shut (-1) but for roads."""
    count = round(world.side_km / step_km)
    axis = -world.side_km / 2 + (np.arange(count) + 0.5) * step_km
    cost = np.stack([world.min_per_km(axis, np.full(count, y)) for y in axis]).astype("float64")
    cost[touched(world.rivers, world.side_km, step_km)] = np.inf
    for row, (_, line) in enumerate(world.roads):
        on = touched([line], world.side_km, step_km)
        cost[on] = np.minimum(cost[on], world.road_pace(np.array([row]))[0])
    return np.where(np.isfinite(cost), cost, -1.0)


def pixel(world: World, step_km: float, places: np.ndarray) -> list[tuple[int, int]]:
    at = np.floor((places + world.side_km / 2) / step_km).astype(int)
    return [(int(y), int(x)) for x, y in at]


def by_skimage(cost: np.ndarray, starts: list[tuple[int, int]], step_km: float):
    from skimage.graph import MCP_Geometric

    clock = Clock()
    told, _ = MCP_Geometric(cost, sampling=(step_km, step_km)).find_costs(starts)
    return told, clock.lap()


def by_grass(cost: np.ndarray, starts: list[tuple[int, int]], step_km: float):
    count = len(cost)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.where(cost > 0, cost * step_km, -9999).astype("<f4").tofile(folder / "cost.bin")
        points = "\n".join(f"{x + 0.5}|{count - y - 0.5}" for y, x in starts)
        (folder / "starts.txt").write_text(points + "\n")
        size = f"north={count} south=0 east={count} west=0 rows={count} cols={count}"
        (folder / "work.sh").write_text(
            f"r.in.bin --o --q -f input=cost.bin output=c {size} anull=-9999\n"
            "g.region raster=c\n"
            "v.in.ascii --o --q input=starts.txt output=s separator=pipe\n"
            "bash -c 'time r.cost --o --q -k input=c output=t start_points=s memory=4000' 2> took\n"
            "r.out.bin --q -f input=t output=told.bin bytes=4 null=1e30\n"
        )
        command = ["grass", "--tmp-location", "XY", "--exec", "bash", "work.sh"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        took = [
            line.split()[1] for line in (folder / "took").read_text().splitlines() if "m" in line
        ]
        spent = sum(60 * float(t.split("m")[0]) + float(t.split("m")[1][:-1]) for t in took[-2:])
        told = np.fromfile(folder / "told.bin", "<f4").reshape(count, count).astype("float64")
    return np.where(told > 1e29, np.inf, told), spent


PEERS = {
    "scikit-image MCP_Geometric": (by_skimage, lambda: find_spec("skimage") is not None),
    "GRASS r.cost -k": (by_grass, lambda: shutil.which("grass") is not None),
}


def peer(name: str, side_km: float, towns: int) -> dict[str, float]:
    """One peer's field from some towns on the 100 m raster of a land."""
    world = land_of(side_km)
    cost = raster(world, 0.1)
    held = peak_gb()
    spent = PEERS[name][0](cost, pixel(world, 0.1, world.towns[:towns]), 0.1)[1]
    return {"s": spent, "pixels": cost.size, "peak GB": peak_gb(), "before GB": held}


def peer_errors(name: str, side_km: float, seed: int, told: Truth) -> dict[str, float]:
    """Mean error of a peer at people's places: per pixel, and averaged to cells as ours are."""
    world = truth_land(side_km, seed)
    cost = raster(world, 0.1)
    minutes, spent = PEERS[name][0](cost, pixel(world, 0.1, world.towns[:1]), 0.1)
    x, y = world.people(20_000, seed=3)
    true = told.at(x, y)
    some = true < 150
    x, y, true = x[some], y[some], true[some]
    each = Truth(minutes, side_km, 0.1).at(x, y)
    half = side_km / 2
    axis = np.arange(-half + 0.05, half, 0.1)
    cell = cells_of(*world.lon_lat(*(part.ravel() for part in np.meshgrid(axis, axis))), 8)
    names, row = np.unique(cell, return_inverse=True)
    fine = np.isfinite(minutes.ravel())
    count = np.bincount(row[fine], minlength=len(names))
    mean = np.bincount(row[fine], minutes.ravel()[fine], len(names)) / np.maximum(count, 1)
    at = positions(names, cells_of(*world.lon_lat(x, y), 8))
    return {
        "pixels": mean_error_min(each - true),
        "cells": mean_error_min(mean[at] - true),
        "s": spent,
    }


def truth_land(side_km: float, seed: int) -> World:
    return World(side_km, max(6, round(22 * (side_km / 100) ** 2)), 4, seed=seed)


def exactness(side_km: float, seed: int) -> None:
    world = truth_land(side_km, seed)
    told = alone(truth, world)
    found = {way: mean_error_min(error) for way, error in alone(errors, world, told).items()}
    print(f"\nTruth, {side_km:g} x {side_km:g} km, seed {seed}: mean absolute error, minutes")
    print(f"  cells {found['cells']:.2f} (bar 2.1), exact places {found['places']:.2f} (bar 1.8), ")
    print(f"  best that one number a cell allows {found['floor']:.2f}; ", end="")
    print(f"road speed painted on cells {found['painted']:.2f}")
    for name, (_, there) in PEERS.items():
        if there():
            it = alone(peer_errors, name, side_km, seed, told)
            print(
                f"  {name}, 100 m: {it['pixels']:.2f} per pixel, {it['cells']:.2f} averaged to "
                f"cells, {it['s']:.2f} s for one base"
            )
        else:
            print(f"  {name}: not installed")


def growth(sides: tuple[float, ...]) -> None:
    bars = "build <= 15, field <= 1.5, table <= 6 s; peak <= 3 GB (2.8 M cells: 6 GB)"
    print(f"\nSize, CPU seconds; bars at 0.93 M cells: {bars}")
    head = ["cells", "road km", "arcs", "sites", "pairs"]
    times = ["build s", "seeds s", "field s", "table s", "first reduction s", "what-if s"]
    print("  " + " | ".join([*head, *times, "peak GB", "build s per million cells"]))
    for side_km in sides:
        found = alone(country, side_km)
        row = [f"{found[name]:,.0f}" for name in head]
        row += [f"{found[name]:.2f}" for name in [*times, "peak GB"]]
        print(
            "  " + " | ".join([*row, f"{found['build s'] / found['cells'] * 1e6:.1f}"]), flush=True
        )


def contest(side_km: float) -> None:
    found = alone(country, side_km)
    from_layers = sum(found[name] for name in ("build s", "seeds s", "field s"))
    towns = min(BASES, len(land_of(side_km).towns))
    print(f"\nField of {towns} bases over {side_km:g} x {side_km:g} km, CPU seconds")
    print(
        f"  ours {found['field s']:.2f} ({from_layers:.2f} with graph), {found['peak GB']:.2f} GB"
    )
    for name, (_, there) in PEERS.items():
        if not there():
            print(f"  {name}: not installed")
            continue
        it = alone(peer, name, side_km, towns)
        print(
            f"  {name}, 100 m ({it['pixels'] / 1e6:.1f} M pixels): {it['s']:.2f}, "
            f"{it['s'] / found['field s']:.0f} times ours ({it['s'] / from_layers:.1f} times "
            f"with our graph), {it['peak GB']:.2f} GB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="country sizes: ten minutes, 5 GB")
    full = parser.parse_args().full
    most, mean = alone(plane)
    print(f"Plain, 10-90 km: error at most {most:.2%} (bar 2 %), mean {mean:.2%} (bar 1 %)")
    for seed in (1, 2, 3):
        exactness(100.0 if full else 30.0, seed)
    contest(FULL_KM[2] if full else SMALL_KM[0])
    growth(FULL_KM if full else SMALL_KM)


if __name__ == "__main__":
    main()
