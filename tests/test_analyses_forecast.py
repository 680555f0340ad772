"""The forecast: its fit, its rates, its chances, and the laws it obeys."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize

from pocgeo.analyses.forecast import Forecast, ForecastStandard, forecast
from pocgeo.analyses.forecast.dispersion import (
    Dispersion,
    fit_dispersion,
    log_score,
    outcomes,
)
from pocgeo.analyses.forecast.fit import fit_weights
from pocgeo.analyses.forecast.ground import chosen_resolution, ground
from pocgeo.analyses.forecast.origins import foresee
from pocgeo.analyses.forecast.outlook import rates_of
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, MissingColumns
from tests.forecast_world import WEIGHTS, drawn, last_day, slow_rates, world_cells

FEW = settings(derandomize=True, max_examples=3, deadline=None)
NONE = np.zeros(8)
MONTHS = 48


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return world_cells()


@pytest.fixture(scope="module")
def world(cells: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    return drawn(cells, MONTHS, seed=1)


@pytest.fixture(scope="module")
def made(cells: pd.DataFrame, world: tuple[pd.DataFrame, np.ndarray]) -> Forecast:
    return forecast(world[0], cells, last_day(MONTHS), ForecastStandard(resolution=6))


def simulated(seed: int, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.Generator(np.random.PCG64(seed))
    rates = random.gamma(0.3, 1.0, (rows, 8)) / 50
    return rates, random.poisson(rates @ WEIGHTS).astype(float)


def fitted_to(rates: np.ndarray, counts: np.ndarray, prior: np.ndarray = NONE):
    some = counts > 0
    return fit_weights(rates[some], counts[some], rates.sum(axis=0), prior)


def test_weights_reach_the_optimum_that_lbfgsb_finds() -> None:
    for seed in range(5):
        rates, counts = simulated(seed, rows=2_000)

        def loss(w: np.ndarray, x: np.ndarray = rates, y: np.ndarray = counts) -> float:
            mean = np.maximum(x @ w, 1e-300)
            return float(mean.sum() - y @ np.log(mean))

        peer = min(
            (
                minimize(loss, start, method="L-BFGS-B", bounds=[(0, None)] * 8,
                         options={"maxiter": 5_000, "ftol": 1e-14, "gtol": 1e-8})
                for start in (np.ones(8), np.full(8, 0.1))
            ),
            key=lambda found: found.fun,
        )  # fmt: skip
        ours = fitted_to(rates, counts)
        assert ours.slack <= 1e-9
        assert loss(ours.weights) <= peer.fun + 1e-6


def test_known_weights_come_back_within_two_standard_deviations() -> None:
    found = np.array([fitted_to(*simulated(seed)).weights for seed in range(20)])
    assert (np.abs(found.mean(axis=0) - WEIGHTS) <= 2 * found.std(axis=0, ddof=1)).all()
    # Twenty runs: their mean must be nearer still, or the fit would be biased.
    assert (np.abs(found.mean(axis=0) - WEIGHTS) <= 3.5 * found.std(axis=0, ddof=1) / 20**0.5).all()


def test_weights_of_a_simulated_self_exciting_world_come_back(cells: pd.DataFrame) -> None:
    weights = []
    for seed in range(6):
        events, _ = drawn(cells, 84, seed=seed)
        standard = ForecastStandard(resolution=6, months=1)
        made = forecast(events, cells, last_day(84), standard)
        weights.append(made.weights["month_1"].to_numpy())
    found = np.array(weights)
    spread = np.maximum(found.std(axis=0, ddof=1), 0.02)
    seen = [0, 1, 2, 3, 4, 6, 7]  # in seven years the months 61 and more are hardly seen
    assert (np.abs(found.mean(axis=0) - WEIGHTS)[seen] <= 2 * spread[seen]).all()


def test_a_term_that_never_occurs_has_no_weight_and_a_prior_keeps_one_alive() -> None:
    rates, counts = simulated(1, rows=500)
    rates[:, 5] = 0
    fit = fitted_to(rates, counts)
    assert fit.weights[5] == 0
    rates[counts > 0, 0] = 0  # the first term explains nothing that happened
    assert fitted_to(rates, counts).weights[0] == pytest.approx(0, abs=1e-9)
    kept = fitted_to(rates, counts, np.array([0.5, 0, 0, 0, 0, 0, 0, 0]))
    assert kept.weights[0] * rates[:, 0].sum() == pytest.approx(0.5, rel=1e-6)


def test_rates_are_what_their_definition_says(cells: pd.DataFrame, world) -> None:
    events, counts = world
    rates, _ = rates_of(events, cells, last_day(MONTHS), ForecastStandard(resolution=6))
    first = int(np.flatnonzero(counts.sum(axis=0))[0])
    for origin in (7, 20, 40):
        shot = rates.snapshot(origin - first)
        expected = slow_rates(counts[:, first:], cells, origin - first)
        np.testing.assert_allclose(shot.rates, expected[rates.active, 2:], atol=1e-12)


def test_the_expectation_is_the_weighted_sum_of_the_rates(made: Forecast, cells, world) -> None:
    rates = slow_rates(world[1], cells, MONTHS)
    by_hand = rates @ made.weights[["month_1", "month_2", "month_3"]].sum(axis=1).to_numpy()
    np.testing.assert_allclose(made.cells["expected"], by_hand, rtol=1e-9)


def test_totals_agree_between_cells_areas_own_cells_and_months(made: Forecast) -> None:
    total = made.cells["expected"].sum()
    months = made.cells.filter(regex="^expected_month_").sum().sum()
    assert months == pytest.approx(total, rel=1e-12)
    assert made.own["expected"].sum() == pytest.approx(total, rel=1e-12)
    for _, part in made.areas.groupby("area_kind"):
        assert part["expected"].sum() == pytest.approx(total, rel=1e-9)


def test_shares_add_up_to_one_and_the_reason_is_the_largest(made: Forecast) -> None:
    shares = made.cells.filter(regex="^share_")
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    largest = shares.idxmax(axis=1).map(
        {
            "share_recent": "here recently", "share_year": "here in the last year",
            "share_older": "here long ago", "share_nearby": "nearby",
            "share_population": "population", "share_everywhere": "everywhere",
        }
    )  # fmt: skip
    assert (largest == made.cells["reason"]).all()


def test_chances_and_intervals_hang_together(made: Forecast) -> None:
    table = made.cells
    assert (table["probability"] <= table["disk_probability"]).all()
    assert (table["expected_low"] <= table["expected_high"]).all()
    assert table["disk_probability"].between(0, 1).all()
    order = table.sort_values("disk_expected")["disk_probability"]
    assert order.is_monotonic_increasing


def test_a_coarse_forecast_handed_down_keeps_the_totals_of_every_cell(cells, world) -> None:
    coarse = forecast(world[0], cells, last_day(MONTHS), ForecastStandard(resolution=5))
    parents = grid.parents(coarse.own["cell"].to_numpy(), 5)
    sums = coarse.own.groupby(parents)["expected"].sum()
    np.testing.assert_allclose(sums.to_numpy(), coarse.cells["expected"], rtol=1e-12)
    assert coarse.cells["people_persons"].sum() == pytest.approx(cells["people_persons"].sum())
    assert coarse.cells["area_km2"].sum() == pytest.approx(cells["area_km2"].sum())
    # Where incidents were within a coarse cell, more is expected than where none were.
    hit = coarse.own["cell"].isin(world[0]["cell"])
    assert coarse.own.loc[hit, "expected"].mean() > 2 * coarse.own.loc[~hit, "expected"].mean()


def test_nothing_after_an_origin_reaches_back(cells, world) -> None:
    events = world[0].assign(reported_on=lambda t: t["occurred_on"] + pd.Timedelta(days=20))
    standard = ForecastStandard(resolution=6)
    rates, _ = rates_of(events, cells, last_day(MONTHS), standard)
    before = foresee(rates, 30)
    day = last_day(30)
    later = events[(events["occurred_on"] > day) | (events["reported_on"] > day)].index
    other = events.copy()
    other.loc[later, "cell"] = other["cell"].iloc[0]  # another future altogether
    changed, _ = rates_of(other, cells, last_day(MONTHS), standard)
    again = np.zeros(len(cells))
    again[:] = foresee(changed, 30).expected
    np.testing.assert_allclose(again, before.expected, rtol=1e-7)


def test_what_was_reported_late_is_not_yet_seen(cells, world) -> None:
    events, day = world[0], last_day(MONTHS)
    late = events["occurred_on"] > day - pd.DateOffset(months=2)
    told = events.assign(reported_on=events["occurred_on"].mask(late, day + pd.Timedelta(days=9)))
    unseen = forecast(told, cells, day, ForecastStandard(resolution=6))
    gone = forecast(events[~late], cells, day, ForecastStandard(resolution=6))
    pd.testing.assert_frame_equal(unseen.cells, gone.cells)


def test_months_under_a_lag_do_not_matter(cells, world) -> None:
    events, day = world[0], last_day(MONTHS)
    standard = ForecastStandard(resolution=6, lag_months=2)
    late = events["occurred_on"] > day - pd.DateOffset(months=2)
    moved = events.copy()
    moved.loc[late, "cell"] = cells["cell"].iloc[0]
    whole, other = (forecast(each, cells, day, standard) for each in (events, moved))
    pd.testing.assert_series_equal(whole.cells["expected"], other.cells["expected"])
    assert whole.first_month == pd.Timestamp("2014-01-01")
    assert any("2 complete months are set aside" in note for note in whole.notes)


@FEW
@given(seed=st.integers(0, 1_000))
def test_the_order_of_rows_changes_no_byte(seed: int) -> None:
    cells = world_cells(rings=4)
    events, _ = drawn(cells, 30, seed=2)
    mixed = events.sample(frac=1, random_state=seed)
    one, two = (
        forecast(each, cells, last_day(30), ForecastStandard(resolution=6))
        for each in (events, mixed)
    )
    assert one.cells.to_csv().encode() == two.cells.to_csv().encode()
    assert one.areas.to_csv().encode() == two.areas.to_csv().encode()


def test_without_people_only_land_is_left(cells, world) -> None:
    day, standard = last_day(MONTHS), ForecastStandard(resolution=6)
    bare = forecast(world[0], cells.drop(columns="people_persons"), day, standard)
    assert (bare.cells["share_population"] == 0).all()
    assert bare.cells["people_persons"].isna().all()
    assert any("no population term" in note for note in bare.notes)
    some = cells.assign(people_persons=cells["people_persons"].where(cells.index > 3))
    part = forecast(world[0], some, day, standard)
    assert part.cells["people_persons"].isna().sum() == 4
    assert any("4 cells of unknown population" in note for note in part.notes)
    assert part.cells["expected"].notna().all()


def test_imprecise_incidents_and_those_without_a_place_are_told(cells, world) -> None:
    events = world[0].assign(placed="point")
    events.loc[events.index[::2], "placed"] = "spread"
    aside = events.iloc[:3].assign(weight=np.nan)
    made = forecast(
        pd.concat([events, aside], ignore_index=True), cells, last_day(MONTHS),
        ForecastStandard(resolution=6),
    )  # fmt: skip
    assert any(note.startswith("3 incidents without a place") for note in made.notes)
    known = made.cells["imprecise_share"].dropna()
    assert known.between(0, 1).all()
    assert 0.2 < known.mean() < 0.8
    quiet = made.cells["imprecise_share"].isna()
    assert (made.cells.loc[quiet, "disk_incidents_24m"] == 0).all()


def test_the_resolution_is_the_coarsest_with_a_thousand_cells() -> None:
    cells = world_cells(rings=30, resolution=7)["cell"].to_numpy()
    assert cells.size == 2_791
    assert chosen_resolution(cells) == 7
    wide = grid.disk(grid.cells_of([30.0], [7.0], 7), 60)
    level = chosen_resolution(wide)
    assert np.unique(grid.parents(wide, level)).size >= 1_000
    assert np.unique(grid.parents(wide, level - 1)).size < 1_000
    with pytest.raises(BadInput, match="resolution 8 cannot be made of cells of resolution 7"):
        chosen_resolution(cells, 8)


def test_ground_adds_up() -> None:
    cells = world_cells(rings=10, resolution=7).assign(inside_share=0.5)
    place = ground(cells, 5)
    assert place.uniform.sum() == pytest.approx(1)
    assert place.people.sum() == pytest.approx(1)
    assert place.cells["area_km2"].sum() == pytest.approx(cells["area_km2"].sum() / 2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"months": 0}, "months must be 1 to 6"), ({"months": 2.5}, "whole months"),
        ({"lag_months": -1}, "lag_months must be 0"), ({"level": 1}, "between 0 and 1"),
        ({"resolution": 16}, "resolution must be 0 to 15"),
    ],
)  # fmt: skip
def test_standards_refuse_nonsense(asked: dict, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ForecastStandard(**asked)


def test_a_thin_record_is_refused_in_words(cells, world) -> None:
    events = world[0]
    with pytest.raises(BadInput, match="too thin for a forecast: it needs 12 complete months"):
        forecast(events, cells, last_day(8))
    with pytest.raises(BadInput, match="nothing to forecast from"):
        forecast(events.iloc[:0], cells, last_day(MONTHS))
    with pytest.raises(BadInput, match="a weight is below 0"):
        forecast(events.assign(weight=-1.0), cells, last_day(MONTHS))
    with pytest.raises(MissingColumns, match="occurred_on"):
        forecast(events.drop(columns="occurred_on"), cells, last_day(MONTHS))


def test_dispersion_is_the_negative_binomial_of_scipy() -> None:
    mean, count = np.array([0.2, 1.0, 7.5]), np.array([0.0, 3.0, 2.0])
    spread = Dispersion(scale=1.7)
    peer = stats.nbinom(1 / 1.7, (1 / 1.7) / (1 / 1.7 + mean))
    np.testing.assert_allclose(log_score(mean, count, spread), -peer.logpmf(count), rtol=1e-10)
    np.testing.assert_allclose(spread.any_chance(mean), peer.sf(0), rtol=1e-10)
    low, high = spread.interval(mean, 0.8)
    assert (low == peer.ppf(0.1)).all()
    assert (high == peer.ppf(0.9)).all()
    wide = Dispersion(scale=2.0, power=1.0)  # variance = 3 x mean
    np.testing.assert_allclose(mean + wide.alpha(mean) * mean**2, 3 * mean)


@pytest.mark.parametrize("power", [0.0, 0.6])
def test_a_known_dispersion_comes_back(power: float) -> None:
    random = np.random.Generator(np.random.PCG64(3))
    mean = np.exp(random.normal(-2.5, 1.5, 60_000))
    truth = Dispersion(scale=2.0, power=power)
    size = truth.size(mean)
    count = random.poisson(random.gamma(size, mean / size)).astype(float)
    found = fit_dispersion(outcomes(mean, count))
    assert found.scale == pytest.approx(2.0, rel=0.15)
    assert found.power == pytest.approx(power, abs=0.08)
    # Joining empty rows of like expectation loses nothing that matters.
    whole = outcomes(mean, count)
    sizes = truth.size(whole.empty_mean)
    joined = float(whole.empty_n @ (sizes * np.log1p(whole.empty_mean / sizes)))
    empty = mean[count == 0]
    assert joined == pytest.approx(log_score(empty, np.zeros(empty.size), truth).sum(), rel=1e-4)


def test_intervals_of_the_area_hold_about_their_share() -> None:
    cells = world_cells(rings=5)
    inside = []
    for seed in range(12):
        events, counts = drawn(cells, 60, seed=100 + seed)
        made = forecast(events[events["occurred_on"] <= last_day(57)], cells, last_day(57),
                        ForecastStandard(resolution=6))  # fmt: skip
        row = made.areas[made.areas["area_kind"] == "AOI"].iloc[0]
        inside.append(row["expected_low"] <= counts[:, 57:60].sum() <= row["expected_high"])
    # 12 draws at 0.8: at least 6 with chance 0.996; all 12 would be 0.07.
    assert 6 <= sum(inside) <= 12
