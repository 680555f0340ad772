"""Minutes against the truth of small made-up lands: road vertices every 25 m, a 50 m lattice.

The lands of 100 x 100 km are in benchmarks/bench_reach.py.
"""

import numpy as np
import pytest

from tests.reach_world import World, errors, mean_error_min, truth

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def found() -> dict[int, dict[str, np.ndarray]]:
    worlds = {seed: World(side_km=30, towns_n=6, rivers_n=3, seed=seed) for seed in SEEDS}
    return {seed: errors(world, truth(world)) for seed, world in worlds.items()}


def pooled(found: dict[int, dict[str, np.ndarray]], way: str) -> float:
    return mean_error_min(np.concatenate([each[way] for each in found.values()]))


def test_the_mean_error_at_peoples_places_keeps_the_bars(found) -> None:
    told = {way: round(pooled(found, way), 2) for way in ("cells", "places", "painted", "floor")}
    print("mean absolute error, minutes:", told)  # noqa: T201
    assert told["cells"] <= 2.1
    assert told["places"] <= 1.8
    assert told["painted"] > 1.5 * told["cells"]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_land_is_far_above_what_one_number_per_cell_allows(found, seed: int) -> None:
    each = {way: mean_error_min(error) for way, error in found[seed].items()}
    assert each["cells"] <= each["floor"] + 0.5
    assert each["places"] < each["floor"]
    assert abs(np.nanmean(found[seed]["places"][np.isfinite(found[seed]["places"])])) <= 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_hardly_anyone_is_out_of_reach_who_is_not(found, seed: int) -> None:
    assert np.isfinite(found[seed]["places"]).mean() > 0.99
