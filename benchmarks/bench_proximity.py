"""Verdicts of incidents near bases, against geopandas in a UTM zone and brute-force geodesics.

Run: python benchmarks/bench_proximity.py [--full]. Every contestant runs in a process of its own;
time is the best CPU time of three, memory the process's peak less what imports and data took.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from pocgeo.analyses.proximity import proximity

SMALL = ((1_000, 20), (10_000, 100))
FULL = (*SMALL, (100_000, 200))
BRUTE_MOST = 5_000_000  # geodesics: beyond this, brute force is not run
CORNERS = 20
GEOD = Geod(ellps="WGS84")
DAYS = 1_000
NEAR_M = 2_000.0


def scene(incidents: int, bases: int) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Half of the incidents are within some kilometres of a base, as in the field."""
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(25, 35, bases), rng.uniform(4, 12, bases)
    shapes = []
    for x, y in zip(lon, lat, strict=True):
        turn = np.sort(rng.uniform(0, 360, CORNERS))
        away = rng.uniform(0.4, 1.0, CORNERS) * 400
        ring = GEOD.fwd(np.full(CORNERS, x), np.full(CORNERS, y), turn, away)[:2]
        shapes.append(shapely.Polygon(np.column_stack(ring)))
    start = pd.Timestamp("2022-01-01")
    opened = start + pd.to_timedelta(rng.integers(0, DAYS, bases), unit="D")
    camps = gpd.GeoDataFrame(
        {
            "base_id": [f"B{i:04}" for i in range(bases)],
            "kind": "COB",
            "opened_on": pd.Series(opened).where(rng.random(bases) < 0.3),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )
    near = rng.integers(0, bases, incidents)
    close = rng.random(incidents) < 0.5
    x = np.where(close, lon[near] + rng.normal(0, 0.01, incidents), rng.uniform(25, 35, incidents))
    y = np.where(close, lat[near] + rng.normal(0, 0.01, incidents), rng.uniform(4, 12, incidents))
    places = pd.DataFrame(
        {
            "place_id": np.arange(incidents),
            "lon": x,
            "lat": y,
            "location_error_m": rng.choice([0.0, 100.0, 1000.0, np.nan], incidents),
            "occurred_on": start + pd.to_timedelta(rng.integers(0, DAYS, incidents), unit="D"),
        }
    )
    return places, camps


def ours(places: pd.DataFrame, camps: gpd.GeoDataFrame) -> Any:
    return proximity(places, camps)["distance_m"].to_numpy()


def ours_dateless(places: pd.DataFrame, camps: gpd.GeoDataFrame) -> Any:
    table = proximity(places.drop(columns="occurred_on"), camps)
    return table["distance_m"].to_numpy()


def geopandas_utm(places: pd.DataFrame, camps: gpd.GeoDataFrame) -> Any:
    """Planar, in the UTM zone of the middle; knows no dates, no location error."""
    points = gpd.GeoDataFrame(
        places, geometry=gpd.points_from_xy(places["lon"], places["lat"]), crs="EPSG:4326"
    )
    joined = gpd.sjoin_nearest(points.to_crs(32636), camps.to_crs(32636), distance_col="distance_m")
    return joined.groupby("place_id")["distance_m"].min().to_numpy()


def brute_force(places: pd.DataFrame, camps: gpd.GeoDataFrame) -> Any:
    """Geodesics to a dot every 25 m of every perimeter; inside is told by shapely in degrees."""
    dots = shapely.segmentize(camps.geometry.to_numpy(), 25 / 111_000)
    xy = shapely.get_coordinates(dots)
    if len(xy) * len(places) > BRUTE_MOST:
        return None
    least = np.empty(len(places))
    lon, lat = places["lon"].to_numpy(), places["lat"].to_numpy()
    for i, (x, y) in enumerate(zip(lon, lat, strict=True)):
        least[i] = min(GEOD.inv(np.full(len(xy), x), np.full(len(xy), y), *xy.T)[2])
    tree = shapely.STRtree(camps.geometry.to_numpy())
    least[tree.query(shapely.points(lon, lat), predicate="within")[0]] = 0.0
    return least


def measured(run: Callable[..., Any], size: tuple[int, int], send: Any) -> None:
    given = scene(*size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best, answer = np.inf, None
    for _ in range(3 if run is not brute_force else 1):
        begun = time.process_time()
        answer = run(*given)
        best = min(best, time.process_time() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    send.send((best, peak / 1024, answer))


def main() -> None:
    fork = multiprocessing.get_context("spawn")
    print("| incidents x bases | method | s | ratio | peak MB | greatest error within 2 km, m |")
    print("|---|---|---|---|---|---|")
    for size in FULL if "--full" in sys.argv else SMALL:
        truth, base_s = None, None
        for run in (ours_dateless, ours, geopandas_utm, brute_force):
            receive, send = fork.Pipe()
            process = fork.Process(target=measured, args=(run, size, send))
            process.start()
            seconds, peak, answer = receive.recv()
            process.join()
            if answer is None:
                continue
            truth = answer if truth is None else truth
            base_s = seconds if base_s is None else base_s
            near = truth < NEAR_M
            wrong = "" if run is ours else f"{np.max(np.abs(answer - truth)[near]):,.3f}"
            print(
                f"| {size[0]:,} x {size[1]} | {run.__name__} | {seconds:.2f} "
                f"| {seconds / base_s:.1f} | {peak:,.0f} | {wrong} |"
            )


if __name__ == "__main__":
    main()
