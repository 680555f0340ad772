"""Deployment plans: their bars, their growth, and spopt, in one run.

Run: python benchmarks/bench_deployment.py [--full]

Every line is measured in a process of its own: CPU seconds, and peak memory of the whole process.
The plane is made up (clustered demand). `--full` adds the country: a land of 0.93 million cells,
112 bases and 2,000 candidates (tests/reach_world.py), whose reach table is worked out first and
not counted; and the 10,000 x 500 of spopt. Peer: spopt with CBC, build and solve, no relative gap
but its own; both must give the same objective.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import shapely
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bench_reach import Clock, alone, cells_of_land, land_of, peak_gb
from pocgeo.analyses.deployment import (
    DeploymentQuestion,
    DeploymentStandard,
    Requirement,
    Scenario,
    Siting,
    best_plan,
)
from pocgeo.analyses.deployment.demand import cover_of
from pocgeo.analyses.reach.graph import Sites, travel_graph
from pocgeo.analyses.reach.seeds import departures
from pocgeo.analyses.reach.table import ReachTable, reach_minutes
from pocgeo.cells.lattice import lattice

ONE = DeploymentStandard(
    steps_min=(60.0,), step_weights=(1.0,), speed_change=0.0, move_limit_km=None
)
STEPS = DeploymentStandard(speed_change=0.0, move_limit_km=None)
BASES, CANDIDATES = 112, 2_000
DENSE = ((10_000, 500, 0.01, 10), (50_000, 1_000, 0.01, 20), (100_000, 2_000, 0.02, 20))


def plane(cells: int, sites: int, share: float):
    """Clustered people on a square; each site reaches a share of it."""
    rng = np.random.default_rng(0)
    middle = rng.random((60, 2))[rng.integers(60, size=cells)]
    people = (middle + rng.normal(0, 0.05, (cells, 2))) % 1
    people[: cells // 3] = rng.random((cells // 3, 2))
    places = people[rng.choice(cells, sites, replace=False)]
    return people, places, rng.lognormal(0, 1.2, cells), float(np.sqrt(share / np.pi))


def siting(table: ReachTable, demand: np.ndarray, bases: int, **more) -> Siting:
    count = table.sites_n
    held = {"fixed": np.zeros(count, bool), "requirements": ()} | more
    return Siting(
        site_id=tuple(f"S{number}" for number in range(count)),
        existing=np.arange(count) < bases,
        scenarios=(Scenario(name="dry", table=table, demand=demand),),
        barred=np.zeros(count, bool),
        **held,
    )


def plane_table(people, places, radius: float) -> ReachTable:
    near = KDTree(people).query_ball_point(places, radius)
    size = np.array([len(each) for each in near])
    cell = np.concatenate([np.sort(np.asarray(each)) for each in near]).astype(np.int32)
    minutes = np.full(len(cell), 30.0, np.float32)
    return ReachTable(np.append(0, np.cumsum(size)), cell, minutes, len(people), 200.0)


def dense(cells: int, sites: int, share: float, new: int) -> dict[str, float]:
    people, places, demand, radius = plane(cells, sites, share)
    asked = siting(plane_table(people, places, radius), demand, 0)
    clock = Clock()
    cover = cover_of(asked, ONE)
    plan = best_plan(asked, DeploymentQuestion(new=new), ONE, cover=cover)
    return {
        "s": clock.lap(), "gap %": 100 * plan.gap, "worth": plan.worth * demand.sum(),
        "pairs": cover.nonzeros, "peak GB": peak_gb(),
    }  # fmt: skip


def spopt(cells: int, sites: int, share: float, new: int) -> dict[str, float]:
    import pulp
    from spopt.locate import MCLP

    people, places, demand, radius = plane(cells, sites, share)
    clock = Clock()
    model = MCLP.from_cost_matrix(cdist(people, places), demand, radius, new)
    build = clock.lap()
    # CBC is a process of its own: its wall time bounds its CPU time from above when alone
    solver = pulp.PULP_CBC_CMD(msg=False, threads=1)
    model = model.solve(solver, results=False)
    spent = build + clock.lap() + float(model.problem.solutionTime)
    return {"s": spent, "worth": pulp.value(model.problem.objective), "peak GB": peak_gb()}


def country() -> list[tuple[str, dict[str, float]]]:
    """Plans of a whole country; its reach table is worked out before the clock starts."""
    world = land_of(832.0)
    cells, roads, rivers = cells_of_land(world), world.roads_table(), world.rivers_table()
    xy = world.x_y(cells["lon"].to_numpy(), cells["lat"].to_numpy())
    ground = lattice(cells, roads, rivers)
    graph = travel_graph(ground, world.min_per_km(*xy), world.road_pace(ground.network.row))
    camps = shapely.points(np.column_stack(world.lon_lat(*world.towns[:BASES].T)))
    now = departures(ground, graph, camps, 0.0)
    rng = np.random.default_rng(0)
    nodes = len(cells) + rng.choice(len(ground.network.lon), CANDIDATES, replace=False)
    sites = Sites(
        np.append(now.indptr, now.indptr[-1] + np.arange(1, CANDIDATES + 1)),
        np.append(now.node, nodes).astype(np.int32),
        np.append(now.minutes, np.zeros(CANDIDATES)).astype(np.float32),
    )
    table = reach_minutes(graph, sites, 120.0)
    near = KDTree(world.towns).query(np.column_stack(xy))[0]
    demand = rng.lognormal(0, 1.2, len(cells)) * (np.exp(-near / 15) * 40 + 1)
    demand *= (rng.random(len(cells)) < 0.53) * rng.uniform(0.05, 1, len(cells))
    kept = np.zeros(table.sites_n, bool)
    kept[rng.choice(BASES, 25, replace=False)] = True
    needs = protected(table, rng.choice(np.argsort(-demand)[:3_000], 400, replace=False))
    mixed = DeploymentQuestion(new=5, moves=5)
    cases = (
        ("60 min, 5 new + 5 moves", mixed, ONE, {}),
        ("30/60/120, 5 + 5, protected", mixed, STEPS, {"fixed": kept, "requirements": needs}),
        ("30/60/120, close 28 of 112", DeploymentQuestion(closures=28), STEPS, {}),
    )
    told = []
    for name, question, standard, more in cases:
        asked = siting(table, demand, BASES, **more)
        clock = Clock()
        plan = best_plan(asked, question, standard)
        told.append((name, {"s": clock.lap(), "gap %": 100 * plan.gap, "peak GB": peak_gb()}))
    return told


def protected(table: ReachTable, cells: np.ndarray) -> tuple[Requirement, ...]:
    """Cells that a base reaches within half an hour today must stay reached."""
    near = table.minutes <= 30
    found = set()
    for cell in cells:
        sites = np.unique(table.site[near & (table.cell == cell)])
        if (sites < BASES).any():
            found.add(tuple(sites.tolist()))
    return tuple(
        Requirement(kind="protected place", name=str(number), sites=sites)
        for number, sites in enumerate(sorted(found))
    )


def line(name: str, told: dict[str, float], bar: str = "") -> None:
    print(name, " | ".join(f"{key} {value:,.3f}" for key, value in told.items()), bar, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="country and spopt: ten minutes")
    full = parser.parse_args().full
    for cells, sites, share, new in DENSE:
        told = alone(dense, cells, sites, share, new)
        name = f"plane {cells:,} x {sites:,}, each {share:.0%}, {new} new:"
        bar = "bar: gap <= 1 %, <= 20 s" if cells == 100_000 else ""
        line(name, told, bar)
    sizes = ((2_000, 200), (10_000, 500)) if full else ((2_000, 200),)
    for cells, sites in sizes:
        ours, theirs = alone(dense, cells, sites, 0.01, 10), alone(spopt, cells, sites, 0.01, 10)
        np.testing.assert_allclose(ours["worth"], theirs["worth"], rtol=1e-6)
        ratio = theirs["s"] / ours["s"]
        line(
            f"spopt {cells:,} x {sites:,}:", {"ours s": ours["s"], "spopt s": theirs["s"]},
            f"same objective, {ratio:.0f}x (bar at 10,000 x 500: 40x)",
        )  # fmt: skip
    if full:
        for name, told in alone(country):
            line(f"country, 0.93 M cells, 2,000 candidates, {name}:", told)
        print("bars: one step <= 0.5 % in <= 5 s; 30/60/120 with protected cells <= 40 s")


if __name__ == "__main__":
    main()
