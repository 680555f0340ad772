"""Loading a text table as a layer against plain pandas, in one run.

Run: python benchmarks/bench_loading.py [--full]

Incidents (9 columns) and fixes of patrols (4 columns). Ours accounts for every row: types,
spellings, ranges, places, repeats, order. `read_csv` only parses what is already clean; `checked`
also parses dates and codes, drops what is out of range or repeated and counts it, as a careful
analyst would by hand. All must find the same number of rows.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from contest import Contestant, contest, sizes_asked

from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import load
from pocgeo.layers.request import LoadRequest, SourceRequest

SMALL, FULL = (20_000, 200_000), (10_000, 100_000, 1_000_000)
SQUARE = shapely.box(30.0, 4.0, 32.0, 6.0)
KINDS = ("killing", "injury", "abduction", "looting", "displacement")
WHO = ("non_state_armed_group", "state_forces", "community", "unknown")


def kept(table, name):
    """Write a table once per size, below the temporary folder of the machine."""
    path = Path(tempfile.gettempdir()) / f"pocgeo_bench_{name}_{len(table)}.csv"
    table.to_csv(path, index=False)
    return path


def incidents(size):
    rng = np.random.default_rng(size)
    days = pd.Timestamp("2023-07-01") + pd.to_timedelta(rng.integers(0, 1_000, size), unit="D")
    table = pd.DataFrame({"incident_id": "I" + pd.Series(np.arange(size)).map(str)})
    table["occurred_on"] = days.strftime("%Y-%m-%d")
    table["lon"], table["lat"] = rng.uniform(30, 32, size), rng.uniform(4, 6, size)
    table["incident_type"], table["perpetrator"] = rng.choice(KINDS, size), rng.choice(WHO, size)
    table["killed_civilians_persons"] = rng.poisson(1, size)
    table["location_error_m"] = rng.choice([0, 500, 5_000], size)
    table["location_precision"] = rng.choice(["point", "near", "area2"], size)
    return kept(table, "incidents")


def fixes(size):
    rng = np.random.default_rng(size)
    table = pd.DataFrame({"unit_id": np.sort(rng.integers(0, 40, size))})
    table["unit_id"] = "U" + table["unit_id"].map(str)
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(size), unit="min")
    table["fix_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    table["lon"] = 31 + np.cumsum(rng.normal(0, 1e-4, size)) % 0.9
    table["lat"] = 5 + np.cumsum(rng.normal(0, 1e-4, size)) % 0.9
    return kept(table, "fixes")


def loaded(layer, path):
    request = LoadRequest(
        spec=layer_spec(layer), sources=(SourceRequest(paths=(path,)),), time_zone="Africa/Juba"
    )
    return len(load(request, boundary=SQUARE).frame)


def our_incidents(path):
    return loaded("incidents", path)


def our_fixes(path):
    return loaded("patrols", path)


def read_csv(path):
    return len(pd.read_csv(path))


def checked_incidents(path):
    table = pd.read_csv(path, dtype={"incident_id": str})
    table["occurred_on"] = pd.to_datetime(table["occurred_on"], errors="coerce")
    good = table["occurred_on"].notna() & ~table["incident_id"].duplicated()
    good &= table["lon"].between(-180, 180) & table["lat"].between(-90, 90)
    good &= table["incident_type"].isin(KINDS) & table["perpetrator"].isin(WHO)
    good &= table["killed_civilians_persons"] >= 0
    inside = shapely.contains_xy(SQUARE, table["lon"], table["lat"])
    table = table[good].assign(inside=inside[good])
    return len(table.assign(geometry=shapely.points(table["lon"], table["lat"])))


def checked_fixes(path):
    table = pd.read_csv(path, dtype={"unit_id": str})
    table["fix_at"] = pd.to_datetime(table["fix_at"], utc=True, errors="coerce")
    good = table["fix_at"].notna() & table["lon"].between(-180, 180)
    table = table[good & table["lat"].between(-90, 90)].sort_values(["unit_id", "fix_at"])
    return len(table.drop_duplicates(["unit_id", "fix_at"]))


def main():
    sizes = sizes_asked(SMALL, FULL, __doc__)
    for title, scene, ours, checked in (
        ("Incidents, rows", incidents, our_incidents, checked_incidents),
        ("\nFixes, rows", fixes, our_fixes, checked_fixes),
    ):
        contest(
            title, sizes, scene,
            (
                Contestant(name="ours", work=ours, repeats=2),
                Contestant(name="read_csv", work=read_csv, repeats=2),
                Contestant(name="checked", work=checked, repeats=2),
            ),
        )  # fmt: skip
    for path in Path(tempfile.gettempdir()).glob("pocgeo_bench_*.csv"):
        path.unlink()


if __name__ == "__main__":
    main()
