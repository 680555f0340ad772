"""Patrol routes: share of the best known score on Chao's instances, PyVRP against code of our own.

The instances (sets 4, 5 and 7) and scores lie in ../shared/data/team_orienteering or where
POCGEO_CHAO says. Three seeds each; CPU seconds; both rivals run in one process in turn.
The rival of our own is string ruin and greedy recreate with annealing, in Python and numpy.
"""

import argparse
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pocgeo.analyses.patrols.routing import RouteSearch, RoutingTask, searched

CHAO = Path(os.environ.get("POCGEO_CHAO", "../shared/data/team_orienteering"))
SMALL = ("p4.2.g", "p4.3.l", "p4.4.p", "p5.2.m", "p5.3.r", "p5.4.x", "p7.2.j", "p7.3.n", "p7.4.s")
FULL = (*SMALL, "p4.2.t", "p4.3.q", "p7.4.l", "p4.2.l", "p4.4.k", "p5.2.t", "p5.4.q", "p7.2.q")
SEEDS = (1, 2, 3)
OURS_STEPS = 1_500
"""Iterations of the rival that take about as long as PyVRP's."""


def instance(name: str) -> RoutingTask:
    lines = (CHAO / f"{name}.txt").read_text().split("\n")
    n, m = (int(lines[row].split(";")[1]) for row in (0, 1))
    limit = float(lines[2].split(";")[1])
    rows = np.array([[float(each) for each in line.split(";")] for line in lines[3 : 3 + n]])
    east, north, score = rows.T
    return RoutingTask(
        minutes=np.hypot(east[:, None] - east, north[:, None] - north), value=score,
        stay_min=np.zeros(n), limit_min=limit, patrols=m, start=0, end=n - 1,
    )  # fmt: skip


def best_known() -> dict[str, float]:
    lines = (CHAO / "best_known_scores.txt").read_text().split("\n")
    pairs = (line.split() for line in lines if line.strip())
    return {name.removesuffix(".txt"): float(score) for name, score in pairs}


def ours(task: RoutingTask, steps: int, seed: int) -> float:
    """Ruin strings of stops and put stops back greedily, with annealing; the best value met."""
    rng = np.random.Generator(np.random.PCG64(seed))
    t, value, stops = task.minutes, task.value, task.feasible
    near = {int(stop): stops[np.argsort(t[stop, stops], kind="stable")] for stop in stops}
    alone = t[task.start] + t[:, task.end]
    held: list[list[int]] = [[] for _ in range(task.patrols)]
    score, best, heat = 0.0, 0.0, value.mean()
    for _ in range(steps):
        routes = ruined([list(route) for route in held], near, stops, rng)
        noise = rng.uniform(0.7, 1.3, len(value))
        key = value * noise if rng.random() < 0.5 else value * noise / (alone + 1e-9)
        seen = {stop for route in routes for stop in route}
        order = [int(stop) for stop in stops[np.argsort(-key[stops])] if int(stop) not in seen]
        recreate(task, routes, order)
        found = float(sum(value[route].sum() for route in routes))
        if found > score + heat * np.log(rng.random() + 1e-300):
            held, score = routes, found
            best = max(best, found)
        heat *= 0.01 ** (1 / steps)
    return best


def ruined(
    routes: list[list[int]], near: dict[int, np.ndarray], stops: np.ndarray,
    rng: np.random.Generator,
) -> list[list[int]]:  # fmt: skip
    """Cut a string of stops out of one to three routes around a place."""
    cuts, done = int(rng.integers(1, 4)), set()
    for stop in near[int(rng.choice(stops))]:
        for number, route in enumerate(routes):
            if number not in done and int(stop) in route:
                long = min(len(route), int(rng.integers(1, 11)))
                first = max(0, route.index(int(stop)) - int(rng.integers(0, long)))
                del route[first : first + long]
                done.add(number)
        if len(done) >= min(cuts, len(routes)):
            break
    return routes


def recreate(task: RoutingTask, routes: list[list[int]], order: list[int]) -> None:
    """Insert stops one by one at the cheapest place in any route."""
    t = task.minutes
    lines = [np.array([task.start, *route, task.end]) for route in routes]
    took = [float(t[line[:-1], line[1:]].sum()) for line in lines]
    for stop in order:
        best = (np.inf, -1, -1)
        for number, line in enumerate(lines):
            extra = t[line[:-1], stop] + t[stop, line[1:]] - t[line[:-1], line[1:]]
            place = int(extra.argmin())
            if extra[place] < best[0] and took[number] + extra[place] <= task.limit_min + 1e-9:
                best = (float(extra[place]), number, place)
        if best[1] >= 0:
            extra_min, number, place = best
            lines[number] = np.insert(lines[number], place + 1, stop)
            took[number] += extra_min
    routes[:] = [[int(stop) for stop in line[1:-1]] for line in lines]


def rows(names: tuple[str, ...], iterations: int) -> Iterator[tuple[str, list[float], list[float]]]:
    known = best_known()
    for name in names:
        task = instance(name)
        share: list[float] = []
        spent: list[float] = []
        for rival in ("pyvrp", "own"):
            begun = time.process_time()
            if rival == "pyvrp":
                how = [RouteSearch(iterations=iterations, seed=seed) for seed in SEEDS]
                got = [searched(task, each).value for each in how]
            else:
                got = [ours(task, OURS_STEPS, seed) for seed in SEEDS]
            spent.append((time.process_time() - begun) / len(SEEDS))
            share.append(100 * float(np.mean(got)) / known[name])
        yield name, share, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all instances chosen; minutes")
    parser.add_argument("--iterations", type=int, default=RouteSearch().iterations)
    asked = parser.parse_args()
    searched(instance("p4.2.g"), RouteSearch(iterations=1))  # imports are not what is measured
    print("instance | stops | patrols | PyVRP % | s | own % | s")
    shares, spends = [], []
    for name, share, spent in rows(FULL if asked.full else SMALL, asked.iterations):
        task = instance(name)
        print(
            f"{name} | {len(task.feasible)} | {task.patrols} | {share[0]:.2f} | {spent[0]:.1f} | "
            f"{share[1]:.2f} | {spent[1]:.1f}", flush=True,
        )  # fmt: skip
        shares.append(share)
        spends.append(spent)
    mean, worst, most = np.mean(shares, axis=0), np.min(shares, axis=0), np.max(spends, axis=0)
    print(f"mean | | | {mean[0]:.2f} | {np.mean(spends, axis=0)[0]:.1f} | {mean[1]:.2f} |")
    print(f"worst | | | {worst[0]:.2f} | {most[0]:.1f} (most) | {worst[1]:.2f} | {most[1]:.1f}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the process: {peak_mb:.0f} MB")
    print(f"bar: at least 98 %: {'met' if mean[0] >= 98 else 'MISSED'}; at most 10 s: "
          f"{'met' if most[0] <= 10 else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
