"""Scan statistics against published values, slow loops and their own null."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pocgeo.analyses.alarms import (
    AlarmStandard,
    Noise,
    Simulations,
    alarms,
    alone,
    disk_zones,
    ended_alarms,
    forecast_scan,
    permutation_scan,
    population_scan,
    shared_noise,
    with_status,
    zones_of,
)
from pocgeo.analyses.alarms import scan as scan_module
from pocgeo.analyses.alarms import simulation as simulation_module
from pocgeo.analyses.alarms.likelihood import Score, expected_llr, overdispersed_llr, share_llr
from pocgeo.analyses.alarms.simulation import forecast_draws, population_draws, shuffled_draws
from pocgeo.analyses.alarms.zones import Zones
from pocgeo.analyses.disks import disk_matrix
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from tests.real import SHARED, needs_shared

CELLS = grid.disk(grid.cells_of([20.0], [5.0], 6), 6)
"""127 cells around one."""


def nested(distance: np.ndarray, limit) -> Zones:
    """Grow a zone around every place, nearest first, as far as `limit(order)` says."""
    rows = []
    for row in distance:
        order = np.argsort(row, kind="stable")
        rows += [order[:many] for many in range(1, limit(order) + 1)]
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    ones = np.ones(ends[-1])
    shape = (len(rows), len(distance))
    return zones_of(sparse.csr_array((ones, np.concatenate(rows), ends), shape=shape))


def scene(seed: int, windows: int = 3, incidents: float = 40.0):
    """Counts drawn from a lumpy forecast on 127 cells."""
    rng = np.random.default_rng(seed)
    mean = rng.gamma(0.3, 1.0, CELLS.size) + 1e-3
    expected = np.outer(mean / mean.sum() * incidents, np.full(windows, 1 / windows))
    counts = rng.poisson(expected * rng.gamma(2.0, 0.5, CELLS.size)[:, None]).astype(float)
    return counts, expected


@needs_shared
def test_new_york_leukaemia_as_satscan_has_it() -> None:
    """SaTScan's figures as quoted in the tests of the R package smerc."""
    data = pd.read_csv(SHARED / "scan_reference" / "ny_leukaemia_smerc.csv")
    people = data["population"].to_numpy(float)
    xy = data[["longitude", "latitude"]].to_numpy()
    distance = np.sqrt(((xy[:, None] - xy) ** 2).sum(axis=2))
    tenth = people.sum() / 10
    zones = nested(
        distance, lambda order: np.searchsorted(np.cumsum(people[order]), tenth, side="right")
    )
    cases = np.floor(data["cases"].to_numpy())
    found = population_scan(
        cases, people, zones, simulations=Simulations(count=499, most_clusters=7)
    ).clusters
    known = found.iloc[[0, 1, 6]]
    np.testing.assert_allclose(known["llr"], [11.577255, 9.019716, 3.209485], atol=5e-7)
    assert known["observed"].tolist() == [85, 38, 11]
    np.testing.assert_allclose(known["expected"], [49.71, 17.79, 4.61], atol=5e-3)
    np.testing.assert_allclose(known["p"], [0.001, 0.013, 0.976], atol=0.02)


@needs_shared
def test_new_mexico_brain_cancer_as_scanstatistics_has_it() -> None:
    """The vignette of the R package scanstatistics: expectation-based Poisson."""
    folder = SHARED / "scan_reference"
    cases, places = pd.read_csv(folder / "nm_popcas.csv"), pd.read_csv(folder / "nm_geo.csv")
    cases["year"] = cases["year"].astype(int)
    design = np.column_stack([np.ones(len(cases)), cases["year"] - 1985])
    people = cases["population"].to_numpy(float)
    past = (cases["year"] < 1986).to_numpy()
    weights = np.array([np.log(cases["count"].sum() / people.sum()), 0.0])
    for _ in range(25):  # Newton's steps of a Poisson regression with people as the offset
        due = people[past] * np.exp(design[past] @ weights)
        slope = design[past].T @ (cases.loc[past, "count"].to_numpy() - due)
        weights = weights + np.linalg.solve(design[past].T @ (due[:, None] * design[past]), slope)
    cases["due"] = people * np.exp(design @ weights)
    names = list(cases["county"].unique())
    spot = np.radians(places.set_index("county").loc[names, ["seat_lat", "seat_long"]].to_numpy())
    lat, lon = spot.T
    half = np.sin((lat[:, None] - lat) / 2) ** 2
    half += np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    zones = nested(half, lambda _order: 15)
    assert zones.matrix.shape[0] == 415
    recent = cases[cases["year"].between(1986, 1989)]
    years = [1989, 1988, 1987, 1986]
    seen, due = (
        np.cumsum(recent.pivot_table(v, "county", "year").loc[names, years], axis=1)
        for v in ("count", "due")
    )
    score = Score(expected=zones.matrix @ due.to_numpy(), min_incidents=1)
    found = score.everywhere(zones.matrix @ seen.to_numpy(dtype=float))
    rows = scan_module._apart(found, zones, 2)
    # The vignette's own fit differs in the fifth digit.
    np.testing.assert_allclose(found[rows].max(axis=1), [9.1806711, 6.8196550], rtol=3e-5)
    assert {names[at] for at in zones.members(int(rows[0]))} == {"losalamos", "santafe"}
    assert found[rows].argmax(axis=1).tolist() == [3, 1]


@pytest.mark.parametrize("seed", range(4))
def test_every_zone_and_window_equals_a_slow_loop(seed: int) -> None:
    """Brute force over sets and periods, all three statistics."""
    rng = np.random.default_rng(seed)
    place, age = rng.integers(0, CELLS.size, 120), rng.integers(0, 10, 120)
    zones = disk_zones(CELLS, 2)
    found = permutation_scan(place, age, zones, 3, Simulations(count=19)).clusters
    counts, expected = scene(seed)
    forecast = forecast_scan(counts, expected, 0.5, zones, simulations=Simulations(count=19))
    due = expected * counts.sum() / expected.sum()
    worst = 0.0
    for row in found.itertuples():
        inside = set(zones.members(row.zone).tolist())
        seen = sum(p in inside and a < row.windows for p, a in zip(place, age, strict=True))
        ever = sum(p in inside for p in place)
        m = ever * sum(a < row.windows for a in age) / 120
        llr = seen * np.log(seen / m) + (120 - seen) * np.log((120 - seen) / (120 - m))
        worst = max(worst, abs(llr - row.llr), abs(seen - row.observed))
    for row in forecast.clusters.itertuples():
        inside = zones.members(row.zone)
        c = sum(counts[i, w] for i in inside for w in range(row.windows))
        m = sum(due[i, w] for i in inside for w in range(row.windows))
        extra = sum(0.5 * sum(due[i, : row.windows]) ** 2 for i in inside)
        k = m**2 / extra
        llr = c * np.log(c / m) - (c + k) * np.log((c + k) / (m + k))
        worst = max(worst, abs(llr - row.llr), abs(c - row.observed))
    assert worst < 1e-9


def test_the_strongest_cluster_is_the_strongest_of_all_zones() -> None:
    counts, expected = scene(5)
    zones = disk_zones(CELLS, 2)
    found = forecast_scan(counts, expected, 0.0, zones, simulations=Simulations(count=19))
    due = expected * counts.sum() / expected.sum()
    best = 0.0
    for zone in range(zones.matrix.shape[0]):
        inside = zones.members(zone)
        for window in range(1, 4):
            c, m = counts[inside, :window].sum(), due[inside, :window].sum()
            if c >= 2 and c > m:
                best = max(best, c * np.log(c / m) + m - c)
    assert found.clusters["llr"].iloc[0] == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("kind", ["shuffled", "population", "forecast"])
def test_both_ways_of_counting_draw_the_same_maxima(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = disk_zones(CELLS, 2)
    counts, expected = scene(3)
    rng = np.random.default_rng(1)
    place, age = rng.integers(0, CELLS.size, 200), rng.integers(0, 12, 200)
    asked = Simulations(count=40)

    def scanned() -> np.ndarray:
        if kind == "shuffled":
            return permutation_scan(place, age, zones, 3, asked).maxima
        if kind == "population":
            weight = expected.sum(axis=1)
            return population_scan(
                counts, weight, zones, periods=12, older_incidents=60, simulations=asked
            ).maxima
        return forecast_scan(counts, expected, 0.4, zones, simulations=asked).maxima

    monkeypatch.setattr(scan_module, "DENSE_GAIN", np.inf)
    dense = scanned()
    monkeypatch.setattr(scan_module, "DENSE_GAIN", 0.0)
    np.testing.assert_allclose(scanned(), dense, atol=1e-5)


@pytest.mark.parametrize("busy", [0.0, np.inf])
def test_draws_have_the_moments_of_the_forecast(
    busy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 records of two places: mean, variance m + a m2, months in proportion; both ways."""
    monkeypatch.setattr(simulation_module, "BUSY", busy)
    expected, a, many = np.array([[0.9, 0.3, 0.6], [0.05, 0.1, 0.05]]), np.array([1.5, 0.0]), 20_000
    drawn = forecast_draws(expected, alone(a))(np.random.default_rng(1), many)
    counts = np.zeros((2, many, 3))
    number = 1.0 if drawn.number is None else drawn.number
    np.add.at(counts, (drawn.place, drawn.record, drawn.age), number)
    np.testing.assert_allclose(counts.mean(axis=1), expected, atol=0.03)
    totals = counts.sum(axis=2)
    mean = expected.sum(axis=1)
    np.testing.assert_allclose(totals.var(axis=1), mean + a * mean**2, rtol=0.08)
    # Months share their luck: the covariance of two of them is a m1 m2.
    assert np.cov(counts[0, :, 0], counts[0, :, 2])[0, 1] == pytest.approx(1.5 * 0.54, rel=0.15)
    np.testing.assert_array_equal(drawn.totals, totals.sum(axis=0))


def test_shuffling_keeps_places_and_times() -> None:
    rng = np.random.default_rng(2)
    place, age = rng.integers(0, 9, 60), rng.integers(0, 8, 60)
    drawn = shuffled_draws(place, age, 8)(rng, 3)
    for record in range(3):
        mine = drawn.record == record
        assert sorted(drawn.place[mine]) == sorted(place)
        assert sorted(drawn.age[mine]) == sorted(age)


def test_population_draws_follow_the_weights() -> None:
    drawn = population_draws(np.array([1.0, 0.0, 3.0]), 400, 2, 8)(np.random.default_rng(3), 200)
    share = np.bincount(drawn.place, minlength=3) / drawn.place.size
    np.testing.assert_allclose(share, [0.25, 0, 0.75], atol=0.02)
    assert drawn.totals.mean() == pytest.approx(100, rel=0.03)


def test_neighbours_share_what_disks_stray_beyond_their_cells() -> None:
    """The noise gives cells their mean and all disks together the variance asked for."""
    rng = np.random.default_rng(3)
    mean = rng.gamma(1.0, 0.2, CELLS.size) + 0.02
    noise = shared_noise(CELLS, mean, np.full(CELLS.size, 0.6), np.full(CELLS.size, 0.5))
    assert noise.shared.min() > 0.1
    many = 4_000
    drawn = forecast_draws(mean[:, None], noise)(np.random.default_rng(1), many)
    counts = np.zeros((CELLS.size, many))
    np.add.at(counts, (drawn.place, drawn.record), 1.0)
    np.testing.assert_allclose(counts.mean(axis=1), mean, atol=6 * np.sqrt(2 * mean.max() / many))
    disks = disk_matrix(CELLS, (1.0, 1.0))
    around = disks @ mean
    found = (disks @ counts).var(axis=1).sum()
    assert found == pytest.approx((around + 0.5 * around**2).sum(), rel=0.05)
    apart = forecast_draws(mean[:, None], alone(np.full(CELLS.size, 0.6)))
    lone = np.zeros((CELLS.size, many))
    drawn = apart(np.random.default_rng(1), many)
    np.add.at(lone, (drawn.place, drawn.record), 1.0)
    assert (disks @ lone).var(axis=1).sum() < 0.8 * found


CALIBRATION_SEEDS = 200
BOUND = 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / CALIBRATION_SEEDS)


def alarm_rate(true: Noise, tested_with: Noise | float) -> float:
    """Share of records drawn with one noise that raise an alarm at 5 % when tested with another."""
    zones = disk_zones(CELLS, 1)
    flagged = 0
    for seed in range(CALIBRATION_SEEDS):
        rng = np.random.default_rng(seed)
        _, expected = scene(seed % 5, windows=2)
        common = rng.gamma(1 / true.shared, true.shared)[true.block]
        counts = rng.poisson(expected * rng.gamma(common / true.own, true.own)[:, None])
        found = forecast_scan(
            counts.astype(float), expected, tested_with, zones,
            simulations=Simulations(count=99, seed=seed), min_incidents=3,
        )  # fmt: skip
        flagged += bool((found.clusters["p"] <= 0.05).any())
    return flagged / CALIBRATION_SEEDS


def test_alarms_come_at_their_declared_rate_where_the_forecast_is_right() -> None:
    parents = np.unique(grid.parents(CELLS, 5), return_inverse=True)[1]
    true = Noise(
        block=parents, shared=np.full(parents.max() + 1, 0.5), own=np.full(CELLS.size, 0.8)
    )
    right, lone, naive = (alarm_rate(true, test) for test in (true, alone(true.own + 0.5), 0.0))
    said = f"alarm rate at 5 %: shared {right:.1%}, alone {lone:.1%}, Poisson {naive:.1%}"
    assert right <= BOUND, said
    assert lone > right, said
    assert naive > 3 * BOUND, said  # what the over-dispersed noise is for


def test_a_planted_surge_is_found_where_and_when_it_is() -> None:
    counts, expected = scene(8)
    middle = int(np.flatnonzero(grid.cells_of([20.0], [5.0], 6) == CELLS)[0])
    counts[middle, 0] += 9
    cells = pd.DataFrame({"cell": CELLS, "dispersion": 0.5, "disk_dispersion": 0.2})
    run = alarms(counts, expected, cells)
    first = run.table.iloc[0]
    assert first["alarm"]
    assert first["windows"] == 1
    assert CELLS[middle] in run.members.loc[run.members["alarm_id"] == 1, "cell"].to_numpy()
    assert first["recurrence_runs"] == pytest.approx(1 / first["alarm_p"])
    again = alarms(counts, expected, cells)
    pd.testing.assert_frame_equal(run.table, again.table)  # same seed, same p


def test_an_alarm_is_ongoing_where_the_run_before_raised_one() -> None:
    counts, expected = scene(8)
    quiet = counts.copy()
    middle = int(np.flatnonzero(grid.cells_of([20.0], [5.0], 6) == CELLS)[0])
    counts[middle, 0] += 9
    cells = pd.DataFrame({"cell": CELLS, "dispersion": 0.5, "disk_dispersion": 0.2})
    now, calm = alarms(counts, expected, cells), alarms(quiet, expected, cells)
    assert not calm.table["alarm"].any()
    assert with_status(now, calm)["status"].iloc[0] == "new"
    assert with_status(now, now)["status"].iloc[0] == "ongoing"
    assert with_status(now, None)["status"].isna().iloc[0]
    assert set(with_status(calm, now)["status"]) <= {"no alarm"}
    over = ended_alarms(calm, now)
    assert over.table["incidents_n"].tolist() == now.table.query("alarm")["incidents_n"].tolist()
    assert set(over.members["alarm_id"]) == set(over.table["alarm_id"])
    assert over.table["alarm_id"].min() > len(calm.table)
    assert ended_alarms(now, now).table.empty


def test_a_rise_everywhere_is_no_alarm_but_is_said() -> None:
    """Scaled to the total, the scan asks where; the total's own p says how much."""
    _, expected = scene(4, incidents=30)
    cells = pd.DataFrame({"cell": CELLS, "dispersion": 0.0, "disk_dispersion": 0.0})
    counts = np.random.default_rng(4).poisson(expected * 3).astype(float)
    run = alarms(counts, expected, cells)
    assert not run.table["alarm"].any()
    assert run.total_p <= 0.01
    assert run.observed > 2 * run.expected


def test_disks_of_the_same_cells_are_one_zone() -> None:
    few = CELLS[[0, 60]]  # far apart: every disk of the one is the cell alone
    assert disk_zones(few, 3).matrix.shape[0] == 2
    zones = disk_zones(CELLS, 3)
    sets = {zones.members(zone).tobytes() for zone in range(zones.matrix.shape[0])}
    assert len(sets) == zones.matrix.shape[0]
    middle = int(np.flatnonzero(grid.cells_of([20.0], [5.0], 6) == CELLS)[0])
    mine = np.diff(zones.matrix.indptr)[zones.centre == middle]
    assert sorted(mine.tolist()) == [1, 7, 19, 37]


@settings(max_examples=25)
@given(st.floats(0.5, 60), st.floats(0.01, 50), st.floats(0.05, 50), st.floats(1e-3, 1e3))
def test_over_dispersion_never_makes_a_count_more_surprising(
    seen: float, due: float, size: float, more: float
) -> None:
    one, two, three = (np.array([v]) for v in (seen, due, size))
    loose = overdispersed_llr(one, two, three)
    tighter = overdispersed_llr(one, two, three + more)
    assert 0 <= loose <= tighter + 1e-9
    assert tighter <= expected_llr(one, two) + 1e-9
    wide = overdispersed_llr(one, two, np.array([1e12]))
    np.testing.assert_allclose(wide, expected_llr(one, two), rtol=1e-6, atol=1e-9)


def test_nothing_above_expectation_scores_nothing() -> None:
    assert share_llr(np.array([3.0]), np.array([3.0]), 10.0) == 0
    assert share_llr(np.array([10.0]), np.array([4.0]), 10.0) == pytest.approx(10 * np.log(2.5))


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(UnknownName, match="noise"):
        AlarmStandard(noise="normal")
    with pytest.raises(BadInput, match="ask for at least 19"):
        AlarmStandard(simulations=10)
    zones = disk_zones(CELLS, 1)
    with pytest.raises(BadInput, match="places x windows"):
        forecast_scan(np.zeros((3, 2)), np.zeros((4, 2)), 0.0, zones)
    with pytest.raises(BadInput, match="not 0 throughout"):
        forecast_scan(np.zeros((127, 2)), np.zeros((127, 2)), 0.0, zones)
    with pytest.raises(BadInput, match="0 to 12 rings"):
        disk_zones(CELLS, 40)
