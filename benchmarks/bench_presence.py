"""Recorded presence against a plain loop and DuckDB SQL that do less, in one run.

Run: python benchmarks/bench_presence.py [--full]

Foot and vehicle patrols of one fix a minute, at three sizes. Ours cuts, conserves and judges
visits by sight. The peers only do the speed check and count time by the cell of each segment's
first fix: `loop` walks the fixes in Python with PROJ, `duckdb` is one SQL text over cells computed
beforehand (that time is counted too). Hours are what each gives; ours also tells what it left out.
"""

import sys
import time

import duckdb
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from pocgeo.cells import grid
from pocgeo.cells.presence import presence_days

SMALL, FULL = (10_000, 100_000), (10_000, 100_000, 1_000_000)
UNITS = 20
LOOP_UP_TO = 10_000

SQL = """
WITH way AS (
    SELECT unit_id, cell, fix_at, epoch(lead(fix_at) OVER w) - epoch(fix_at) AS took_s,
        6371008.8 * 2 * asin(sqrt(pow(sin(radians(lead(lat) OVER w - lat) / 2), 2)
            + cos(radians(lat)) * cos(radians(lead(lat) OVER w))
            * pow(sin(radians(lead(lon) OVER w - lon) / 2), 2))) AS way_m
    FROM fixes WINDOW w AS (PARTITION BY unit_id ORDER BY fix_at)
)
SELECT cell, unit_id, fix_at::DATE AS day_on, sum(took_s) / 3600 AS presence_h
FROM way WHERE took_s > 0 AND took_s <= 1800 AND way_m * 3.6 <= 150 * took_s
GROUP BY ALL ORDER BY ALL
"""


def patrols(count):
    rng = np.random.default_rng(count)
    each = count // UNITS
    parts = []
    for unit in range(UNITS):
        pace = np.repeat(rng.choice([0.0, 80.0, 500.0], each // 10 + 1), 10)[:each] / 111_000
        angle = np.cumsum(rng.normal(0, 0.3, each))
        fold = 0.4  # the way is folded back into a square, so that it stays in the area
        lon = np.abs((np.cumsum(pace * np.cos(angle)) + unit / 50) % (2 * fold) - fold)
        lat = np.abs((np.cumsum(pace * np.sin(angle)) + unit / 70) % (2 * fold) - fold)
        at = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.arange(each), unit="min")
        parts.append(
            pd.DataFrame({"unit_id": f"U{unit:02}", "fix_at": at, "lon": 31 + lon, "lat": 4 + lat})
        )
    return pd.concat(parts, ignore_index=True)


def loop(fixes):
    geod = Geod(ellps="WGS84")
    hours = {}
    before = None
    for row in fixes.itertuples():
        if before is not None and before.unit_id == row.unit_id:
            took_s = (row.fix_at - before.fix_at).total_seconds()
            way_m = geod.inv(before.lon, before.lat, row.lon, row.lat)[2]
            if 0 < took_s <= 1800 and way_m * 3.6 <= 150 * took_s:
                cell = int(grid.cells_of([before.lon], [before.lat], 8)[0])
                key = cell, row.unit_id, before.fix_at.date()
                hours[key] = hours.get(key, 0) + took_s / 3600
        before = row
    return sum(hours.values())


def sql(fixes):
    fixes = fixes.assign(cell=grid.cells_of(fixes["lon"], fixes["lat"], 8))
    connection = duckdb.connect(config={"threads": "1"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("fixes", fixes)
    return connection.execute(SQL).df()["presence_h"].sum()


def timed(work):
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def main():
    cells = pd.DataFrame({"cell": grid.cover(shapely.box(30.9, 3.9, 31.5, 4.5), 8)})
    print("    fixes   ours s   loop s duckdb s  index s   ours h   loop h duckdb h  left out h")
    for count in FULL if "--full" in sys.argv else SMALL:
        fixes = patrols(count)
        index_s, _ = timed(lambda fixes=fixes: grid.cells_of(fixes["lon"], fixes["lat"], 8))
        ours_s, table = timed(lambda fixes=fixes: presence_days(fixes, cells, "UTC"))
        loop_s, loop_h = np.nan, np.nan
        if count <= LOOP_UP_TO:
            loop_s, loop_h = timed(lambda fixes=fixes: loop(fixes))
        duck_s, duck_h = timed(lambda fixes=fixes: sql(fixes))
        hours = table.attrs["hours"]
        print(
            f"{len(fixes):>9,} {ours_s:>8.2f} {loop_s:>8.2f} {duck_s:>8.2f} {index_s:>8.2f} "
            f"{table['presence_h'].sum():>8,.0f} {loop_h:>8,.0f} {duck_h:>8,.0f} "
            f"{hours['gap_h'] + hours['jump_h'] + hours['outside_h']:>11,.1f}"
        )


if __name__ == "__main__":
    main()
