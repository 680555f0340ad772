"""The near-repeat test against a slow loop over all pairs, and against itself without contagion."""

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from pocgeo.analyses.alarms import KnoxTest, near_repeat
from pocgeo.ground.errors import BadInput

SPHERE = Geod(a=6_371_008.8, b=6_371_008.8)


def scattered(seed: int, many: int = 80, contagious: bool = False) -> pd.DataFrame:
    """Incidents around a few towns over a year; contagious ones have offspring next door."""
    rng = np.random.default_rng(seed)
    town = rng.uniform([20, 5], [20.6, 5.6], (6, 2))
    at = town[rng.integers(0, 6, many)] + rng.normal(0, 0.02, (many, 2))
    day = rng.integers(0, 365, many)
    if contagious:
        child = rng.integers(0, many, many // 2)
        at = np.vstack([at, at[child] + rng.normal(0, 0.003, (child.size, 2))])
        day = np.concatenate([day, day[child] + rng.integers(1, 7, child.size)])
    on = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    return pd.DataFrame({"lon": at[:, 0], "lat": at[:, 1], "occurred_on": on})


def slowly(incidents: pd.DataFrame, test: KnoxTest, day: np.ndarray) -> np.ndarray:
    """Count pair after pair."""
    counts = np.zeros((len(test.km), len(test.days)))
    lon, lat = incidents["lon"].to_numpy(), incidents["lat"].to_numpy()
    for i in range(len(incidents)):
        for j in range(i + 1, len(incidents)):
            km = SPHERE.inv(lon[i], lat[i], lon[j], lat[j])[2] / 1000
            apart = abs(int(day[i]) - int(day[j]))
            near = [k for k, edge in enumerate(test.km) if km <= edge]
            soon = [k for k, edge in enumerate(test.days) if apart <= edge]
            if near and soon:
                counts[near[0], soon[0]] += 1
    return counts


@pytest.mark.parametrize("seed", range(2))
def test_pairs_expectation_and_p_equal_a_slow_loop(seed: int) -> None:
    test = KnoxTest(km=(1, 4, 12), days=(3, 20, 60), simulations=19)
    incidents = scattered(seed, 50)
    found = near_repeat(incidents, test)
    day = incidents["occurred_on"].to_numpy().astype("datetime64[D]").astype(int)
    seen = slowly(incidents, test, day)
    rng = np.random.default_rng(test.seed)
    drawn = np.array([slowly(incidents, test, rng.permutation(day)) for _ in range(19)])
    assert found["pairs_n"].tolist() == seen.ravel().astype(int).tolist()
    np.testing.assert_allclose(found["pairs_expected"], drawn.mean(axis=0).ravel())
    beyond = (drawn >= seen).sum(axis=0).ravel()
    np.testing.assert_allclose(found["pairs_p"], (1 + beyond) / 20)


def test_contagion_is_found_near_and_soon_only() -> None:
    found = near_repeat(scattered(1, 300, contagious=True))
    near = found[(found["to_km"] == 1) & (found["to_days"] == 7)].iloc[0]
    far = found[(found["to_km"] == 20) & (found["to_days"] == 56)].iloc[0]
    assert near["near_repeat"]
    assert near["pairs_ratio"] > 2
    assert not far["near_repeat"]


def test_without_contagion_one_band_in_twenty_at_most_is_called() -> None:
    p = np.concatenate([near_repeat(scattered(seed, 120))["pairs_p"] for seed in range(20)])
    assert np.mean(p <= 0.05) <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / p.size)


def test_a_place_without_a_day_and_few_incidents_are_borne() -> None:
    incidents = scattered(2, 3)
    incidents.loc[0, "occurred_on"] = pd.NaT
    assert near_repeat(incidents)["pairs_n"].sum() <= 1
    none = near_repeat(incidents.iloc[:0])
    assert not none["near_repeat"].any()
    assert none["pairs_ratio"].isna().all()


def test_same_seed_same_table_other_order_same_pairs() -> None:
    incidents = scattered(3)
    pd.testing.assert_frame_equal(near_repeat(incidents), near_repeat(incidents))
    mixed = near_repeat(incidents.sample(frac=1, random_state=1))
    assert mixed["pairs_n"].tolist() == near_repeat(incidents)["pairs_n"].tolist()


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(BadInput, match="must ascend"):
        KnoxTest(km=(5, 1))
    with pytest.raises(BadInput, match="ask for at least 19"):
        KnoxTest(simulations=5)
    with pytest.raises(BadInput, match="shorter period"):
        near_repeat(scattered(1), KnoxTest(most_pairs=10))
