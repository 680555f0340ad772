"""Risk and its stability against plain pandas, in one run.

Run: python benchmarks/bench_risk.py [--full]

n cells, n / 10 incidents of three years, the weights of standards/risk_weights.toml. `pandas` joins
incidents to cells, spreads them by a merge with the list of neighbours, works the indicators out
column by column and repeats that under 50 draws of weights. Neighbours are found beforehand for
both. All must agree on the sum of risk; the stability's draws are ours, so its answer is not
compared, only its time (the second table).
"""

import numpy as np
import pandas as pd
from contest import Contestant, contest, sizes_asked

from pocgeo.analyses.risk import risk
from pocgeo.analyses.stability import Draws, rank_stability, severity_mix
from pocgeo.analyses.weights import risk_weights
from pocgeo.cells import grid
from pocgeo.ground.declarations import declared, read_toml

SMALL, FULL = (30_000, 170_000), (30_000, 170_000, 900_000)
WEIGHTS = risk_weights(read_toml(declared("standards") / "risk_weights.toml"))
AS_OF = pd.Timestamp("2026-06-30")
DRAWS = 50


def scene(size):
    rng = np.random.default_rng(size)
    rings = int(np.ceil((np.sqrt(12 * size - 3) - 3) / 6))
    cell = grid.disk(grid.cells_of([24.0], [6.0], 8), rings)[:size]
    cells = pd.DataFrame({"cell": cell, "people_persons": rng.gamma(0.3, 200, size) + 1})
    cells["children_persons"] = cells["people_persons"] * rng.uniform(0.3, 0.6, size)
    cells["women_persons"] = cells["people_persons"] * rng.uniform(0.4, 0.6, size)
    cells["site_persons"] = np.where(rng.random(size) < 0.9, 0.0, rng.uniform(0, 2e4, size))
    cells["reach_min"] = rng.uniform(0, 300, size)
    cells["settlement_m"] = rng.gamma(2, 3_000, size)
    cells["alert"] = pd.array(rng.random(size) < 0.2, dtype="boolean")
    count = size // 10
    incidents = pd.DataFrame({"cell": rng.choice(cell, count), "weight": 1.0})
    incidents["occurred_on"] = AS_OF - pd.to_timedelta(rng.integers(0, 1_000, count), unit="D")
    incidents["incident_type"] = rng.choice(list(WEIGHTS.severity), count)
    incidents["killed_civilians_persons"] = rng.poisson(1, count).astype(float)
    incidents["harmed_civilians_persons"] = rng.poisson(2, count).astype(float)
    pairs = grid.disk_pairs(cell, len(WEIGHTS.nearness) - 1)
    return incidents, cells, pairs


def ours(given):
    incidents, cells, pairs = given
    table = risk(incidents, cells, WEIGHTS, AS_OF, pairs=pairs)
    return [table["risk"].sum(), table["risk"].max()]


def loads(given):
    """Recent, past and near load of every cell, by joins."""
    incidents, cells, (rows, columns, steps) = given
    events = incidents.assign(worth=incidents["incident_type"].map(dict(WEIGHTS.severity)))
    for item in WEIGHTS.per_person:
        events["worth"] += item.weight * events[item.column].clip(0, item.cap_persons)
    age = (AS_OF - events["occurred_on"]).dt.days
    events["recent"] = events["worth"] * 0.5 ** (age / WEIGHTS.half_life_recent_days)
    events["past"] = events["worth"] * 0.5 ** (age / WEIGHTS.half_life_past_days)
    own = events.groupby("cell")[["recent", "past"]].sum()
    own = own.mul([WEIGHTS.recent, WEIGHTS.past]).reindex(cells["cell"], fill_value=0.0)
    near = pd.DataFrame({"row": rows, "column": columns, "step": steps})
    total = pd.DataFrame({"column": range(len(cells)), "load": own.sum(axis=1).to_numpy()})
    near = near[near["step"] > 0].merge(total, on="column")
    near["load"] *= near["step"].map(dict(enumerate(WEIGHTS.nearness)))
    around = near.groupby("row")["load"].sum().reindex(range(len(cells)), fill_value=0.0)
    return own.reset_index(drop=True).assign(near=around)


def indicators(cells):
    """Every indicator brought to 0-1."""
    parts = {}
    for item in WEIGHTS.indicators:
        value = cells[item.column].astype(float)
        if item.per is not None:
            value = value / cells[item.per]
        if item.scale == "threshold":
            value = (value >= item.threshold).astype(float)
        else:
            value = ((value - item.low) / (item.high - item.low)).clip(0, 1)
        parts[item.name] = 1 - value if item.direction == "lower" else value
    return pd.DataFrame(parts)


def combined(load, parts, weights, shares):
    exposed = WEIGHTS.floor + (1 - WEIGHTS.floor) * (parts * weights).sum(axis=1) / weights.sum()
    total = (load * shares).sum(axis=1)
    return total / (total + WEIGHTS.half_saturation) * exposed


DECLARED = np.array([item.weight for item in WEIGHTS.indicators])


def with_pandas(given):
    found = combined(loads(given), indicators(given[1]), DECLARED, np.ones(3))
    return [found.sum(), found.max()]


def stability_scene(size):
    incidents, cells, pairs = given = scene(size)
    table = risk(incidents, cells, WEIGHTS, AS_OF, pairs=pairs)
    mix = severity_mix(incidents, cells, WEIGHTS, AS_OF, pairs=pairs)
    return table, loads(given), indicators(cells), cells["people_persons"], mix


def our_stability(given):
    rank_stability(given[0], WEIGHTS, draws=Draws(count=DRAWS), mix=given[-1])


def pandas_stability(given):
    _, load, parts, people, _ = given
    rng = np.random.default_rng(1)
    kept = pd.Series(0, index=people.index)
    for _ in range(DRAWS):
        weights = rng.dirichlet(20 * DECLARED / DECLARED.sum())
        score = people * combined(load, parts, weights, rng.dirichlet(np.full(3, 20 / 3)) * 3)
        kept += score.rank(pct=True) > 0.9


def main():
    sizes = sizes_asked(SMALL, FULL, __doc__)
    contest(
        "Risk of cells", sizes, scene,
        (Contestant(name="ours", work=ours), Contestant(name="pandas", work=with_pandas)),
    )  # fmt: skip
    contest(
        f"\nRank stability, {DRAWS} draws, cells", sizes, stability_scene,
        (
            Contestant(name="ours", work=our_stability, repeats=2),
            Contestant(name="pandas", work=pandas_stability, repeats=2),
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
