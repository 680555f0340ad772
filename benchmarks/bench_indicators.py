"""The monthly series against a pandas loop over months and areas, in one run.

Run: python benchmarks/bench_indicators.py [--full]

n incidents and 5 n cell-days of presence over 36 months, on 20,000 cells of 4 AORs and 12 admin
areas. Ours works out every indicator; `loop` only three of them (incidents against civilians,
civilians killed by perpetrator, presence hours), which must agree with ours in sum.
"""

import numpy as np
import pandas as pd
from contest import Contestant, contest, sizes_asked

from pocgeo.analyses.indicators import (
    IndicatorRecord,
    IndicatorStandard,
    indicator_definitions,
    indicators,
)
from pocgeo.ground.declarations import declared, read_toml

SMALL, FULL = (3_000, 30_000), (3_000, 30_000, 300_000)
CELLS = 20_000
FIRST, LAST = pd.Timestamp("2023-07-01"), pd.Timestamp("2026-06-30")
STANDARD = IndicatorStandard(from_on=FIRST, as_of_on=LAST)
DEFINED = indicator_definitions(read_toml(declared("standards") / "indicators.toml"))
WHO = ("non_state_armed_group", "state_forces", "community", "criminal", "unknown")


def scene(size):
    rng = np.random.default_rng(size)
    cells = pd.DataFrame({"cell": np.arange(1, CELLS + 1)})
    cells["admin1_id"] = cells["admin1"] = "A" + pd.Series(np.arange(CELLS) * 12 // CELLS).map(str)
    cells["aor_id"] = cells["aor"] = "S" + pd.Series(np.arange(CELLS) * 4 // CELLS).map(str)
    cells["people_persons"] = rng.gamma(0.3, 200, CELLS)
    cells["risk_persons"] = cells["people_persons"] * rng.random(CELLS)
    cells["reach_min"] = rng.uniform(0, 200, CELLS)
    days = (LAST - FIRST).days
    names = "I" + pd.Series(np.arange(size)).map(str)
    incidents = pd.DataFrame({"incident_id": names})
    incidents["occurred_on"] = FIRST + pd.to_timedelta(rng.integers(0, days - 30, size), unit="D")
    lag = pd.to_timedelta(rng.integers(0, 30, size), unit="D")
    incidents["reported_on"] = incidents["occurred_on"] + lag
    incidents["against_civilians"] = pd.array(rng.random(size) < 0.6, dtype="boolean")
    incidents["killed_civilians_persons"] = rng.poisson(1, size).astype(float)
    incidents["perpetrator"] = rng.choice(WHO, size)
    incidents["verdict"] = rng.choice(["inside", "outside", "undecided"], size)
    incidents["location_precision"] = rng.choice(["point", "near", "area2"], size)
    placed = pd.DataFrame({"incident_id": names, "cell": rng.integers(1, CELLS + 1, size)})
    placed["weight"] = 1.0
    visits = 5 * size
    presence = pd.DataFrame({"cell": rng.integers(1, CELLS + 1, visits), "kind": "recorded"})
    presence["day_on"] = FIRST + pd.to_timedelta(rng.integers(0, days, visits), unit="D")
    presence["presence_h"] = rng.uniform(0, 3, visits)
    presence["night_h"] = presence["presence_h"] * 0.2
    return IndicatorRecord(
        cells=cells, incidents=incidents, incident_cells=placed, presence_days=presence,
        covered=cells[["cell"]].assign(covered_reach=cells["reach_min"] <= 60),
    )  # fmt: skip


def ours(record):
    table = indicators(record, STANDARD, DEFINED)
    asked = table[table["indicator"].isin(["incidents_against_civilians", "patrol_effort_h"])]
    killed = table[(table["indicator"] == "civilians_killed") & (table["category"] != "all")]
    return [asked["value"].sum(), killed["value"].sum()]


def loop(record):
    incidents = record.incidents.merge(record.incident_cells, on="incident_id")
    incidents = incidents.merge(record.cells, on="cell")
    presence = record.presence_days.merge(record.cells, on="cell")
    directed, killed, hours = 0, 0, 0
    for month in STANDARD.months:
        end = month + pd.offsets.MonthEnd(0)
        for column, names in (
            (None, ["AOI"]),
            ("aor_id", record.cells["aor_id"].unique()),
            ("admin1_id", record.cells["admin1_id"].unique()),
        ):
            for name in names:
                here = incidents[incidents["occurred_on"].between(month, end)]
                seen = presence[presence["day_on"].between(month, end)]
                if column is not None:
                    here, seen = here[here[column] == name], seen[seen[column] == name]
                directed += here["against_civilians"].sum()
                killed += here.groupby("perpetrator")["killed_civilians_persons"].sum().sum()
                hours += seen["presence_h"].sum()
    return [directed + hours, killed]


def main():
    contest(
        "Indicators of 36 months, 17 areas, incidents", sizes_asked(SMALL, FULL, __doc__), scene,
        (Contestant(name="ours", work=ours), Contestant(name="loop", work=loop, repeats=1)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
