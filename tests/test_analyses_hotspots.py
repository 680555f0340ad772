"""Hotspots: exact tails, false-discovery control, Gi*, the null check and the laws they obey."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pocgeo.analyses.disks import disk_matrix, gi_star
from pocgeo.analyses.hotspots import Baseline, HotspotTest, hotspots, split
from pocgeo.analyses.null_check import null_check
from pocgeo.analyses.statistics import (
    excess_p,
    false_discovery_q,
    rate_fall_p,
    rate_rise_p,
)
from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName

FEW = settings(derandomize=True, max_examples=25, deadline=None)


def lattice(radius, *, people=100.0, reach=2):
    """A hexagon of hexagons: cells numbered from 1, their table, and all pairs within reach."""
    spots = [
        (q, r)
        for q in range(-radius, radius + 1)
        for r in range(-radius, radius + 1)
        if abs(q + r) <= radius
    ]
    at = {spot: number for number, spot in enumerate(spots)}
    steps = [
        (q, r, max(abs(q), abs(r), abs(q + r)))
        for q in range(-reach, reach + 1)
        for r in range(-reach, reach + 1)
        if abs(q + r) <= reach
    ]
    found = [
        (number, at[q + dq, r + dr], far)
        for (q, r), number in at.items()
        for dq, dr, far in steps
        if (q + dq, r + dr) in at
    ]
    cells = pd.DataFrame(
        {
            "cell": np.arange(1, len(spots) + 1, dtype=np.int64),
            "area_km2": 0.74,
            "people_persons": people,
            "edge": [max(abs(q), abs(r), abs(q + r)) == radius for q, r in spots],
        }
    )
    return cells, tuple(np.array(column) for column in zip(*found, strict=True))


def events(cells, weight=1.0):
    return pd.DataFrame({"cell": np.asarray(cells, dtype=np.int64), "weight": weight})


# Known answers


def test_the_poisson_tail_of_whole_counts_is_the_poisson_tail():
    seen, due = np.meshgrid(np.arange(0, 30), [0.01, 0.7, 3.0, 12.5])
    assert excess_p(seen, due) == pytest.approx(stats.poisson.sf(seen - 1, due), rel=1e-10)


def test_the_tail_of_fractional_counts_lies_between_its_neighbours():
    low, mid, high = excess_p([2.0, 2.5, 3.0], 1.1)
    assert low > mid > high


def test_rate_tails_are_binomial_tails():
    for recent, before in itertools.product(range(6), range(6)):
        rise = stats.binomtest(recent, recent + before, 0.2, "greater").pvalue if recent else 1.0
        fall = stats.binomtest(recent, recent + before, 0.2, "less").pvalue if before else 1.0
        assert rate_rise_p(recent, before, 0.2) == pytest.approx(rise, abs=1e-12)
        assert rate_fall_p(recent, before, 0.2) == pytest.approx(fall, abs=1e-12)


def test_false_discovery_equals_scipy_and_skips_what_was_not_tested():
    p = np.random.default_rng(1).random(300) ** 3
    q = false_discovery_q(np.append(p, np.nan))
    assert q[:-1] == pytest.approx(stats.false_discovery_control(p), abs=1e-15)
    assert np.isnan(q[-1])


def test_benjamini_and_hochberg_1995_their_own_example():
    # Table on page 295 (thrombolysis trial): at 0.05 exactly the first four are rejected.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
         0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert (false_discovery_q(p) <= 0.05).sum() == 4


# Oracle


def test_gi_star_equals_esda_to_1e9():
    esda = pytest.importorskip("esda")
    weights = pytest.importorskip("libpysal.weights")
    cells, (rows, columns, far) = lattice(9)
    disks = disk_matrix(cells["cell"].to_numpy(), (1, 1, 1), (rows, columns, far))
    near = far > 0
    around = {number: [] for number in range(len(cells))}
    for row, column in zip(rows[near], columns[near], strict=True):
        around[int(row)].append(int(column))
    graph = weights.W(around, silence_warnings=True)
    for load in (0.02, 0.4, 8.0):
        counts = np.random.default_rng(7).poisson(load, len(cells)).astype(float)
        theirs = esda.G_Local(counts, graph, transform="B", star=True, permutations=0).Zs
        assert np.abs(gi_star(counts, disks) - theirs).max() < 1e-9


def test_gi_star_of_many_months_is_that_of_each():
    cells, pairs = lattice(5)
    disks = disk_matrix(cells["cell"].to_numpy(), (1, 1), pairs)
    months = np.random.default_rng(3).poisson(0.3, (len(cells), 4)).astype(float)
    months[:, 2] = 0.0
    together = gi_star(months, disks)
    for month in range(4):
        assert together[:, month] == pytest.approx(gi_star(months[:, month], disks), nan_ok=True)
    assert np.isnan(together[:, 2]).all()


def test_a_map_by_hand():
    cells, pairs = lattice(3)  # 37 cells of 0.74 km2
    middle = 19
    found = hotspots(events([middle] * 6 + [1]), cells, pairs=pairs).set_index("cell")
    row = found.loc[middle]
    assert row["incidents"] == row["disk_incidents"] == 6
    assert row["disk_cells"] == 7
    assert row["expected"] == pytest.approx(7 * 7 / 37)
    assert row["p"] == pytest.approx(stats.poisson.sf(5, 7 * 7 / 37))
    assert row["hotspot"]
    assert not found.loc[1, "hotspot"]
    assert found.loc[1, "edge"]
    assert not found.loc[middle, "edge"]


# Calibration: the Bar


@pytest.mark.parametrize("expectation", ["populated", "uniform", "population"])
@pytest.mark.parametrize("total", [5, 40, 300, 3000])
def test_on_noise_the_share_of_maps_with_a_flag_is_at_most_declared(total, expectation):
    rng = np.random.default_rng(11)
    cells, pairs = lattice(22)
    cells["people_persons"] = rng.lognormal(3, 2, len(cells)) * (rng.random(len(cells)) < 0.6)
    test = HotspotTest(expectation=expectation)
    check = null_check(cells, total, test, seeds=100, seed=total, pairs=pairs)
    assert check.share_any_flag <= check.upper_bound
    assert check.holds
    assert check.maps == 100


def test_the_null_check_is_not_blind():
    """A test with no control must be caught by it."""
    cells, pairs = lattice(15)
    loose = HotspotTest(fdr=0.05, min_incidents=1)
    crowded = null_check(cells, 400, loose, seeds=60, pairs=pairs)
    everyone = hotspots_any(cells, pairs, 400, seeds=60)
    assert everyone > 0.9 > crowded.share_any_flag


def hotspots_any(cells, pairs, total, seeds):
    """Share of noise maps in which the bare p (no false-discovery control) would flag a cell."""
    rng = np.random.default_rng(5)
    maps = [hotspots(events(rng.choice(cells["cell"], total)), cells, pairs=pairs)
            for _ in range(seeds)]  # fmt: skip
    return np.mean([(found["p"] <= 0.05).any() for found in maps])


@pytest.mark.parametrize("total", [6, 60, 600])
def test_the_null_check_counts_what_hotspots_flags(total):
    """Slow oracle: the same draws, one map at a time, through the public test."""
    cells, pairs = lattice(8)
    test = HotspotTest(fdr=0.4, min_incidents=2)
    check = null_check(cells, total, test, seeds=40, seed=3, pairs=pairs)
    drawn = np.random.default_rng(3).random(40 * total)
    at = np.searchsorted(np.cumsum(np.ones(len(cells))) / len(cells), drawn, side="right")
    maps = cells["cell"].to_numpy()[at].reshape(40, total)
    flags = [hotspots(events(one), cells, test, pairs=pairs)["hotspot"].any() for one in maps]
    assert check.share_any_flag == np.mean(flags)
    assert 0 < check.share_any_flag < 1


@pytest.mark.parametrize("mean", [0.05, 0.5, 5.0])
def test_on_unchanged_rates_the_baseline_test_is_quiet(mean):
    cells, pairs = lattice(12)
    rng = np.random.default_rng(2)
    before = events(np.repeat(cells["cell"], rng.poisson(mean, len(cells))))
    baseline = Baseline(incidents=before, earlier_days=730, recent_days=90)
    test = HotspotTest(expectation="baseline")
    check = null_check(cells, 0, test, seeds=100, baseline=baseline, pairs=pairs)
    assert check.incidents > 0
    assert check.holds


def test_no_incidents_no_alarm():
    cells, pairs = lattice(3)
    check = null_check(cells, 0, seeds=10, pairs=pairs)
    assert check.holds
    assert "nothing to draw" in check.text


# Laws


@st.composite
def records(draw):
    size = draw(st.integers(1, 60))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    return events(rng.choice(np.r_[[19] * 10, np.arange(1, 38)], size), rng.random(size))


@FEW
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(record, random):
    cells, pairs = lattice(3)
    order = list(range(len(record)))
    random.shuffle(order)
    expected = hotspots(record, cells, pairs=pairs)
    pd.testing.assert_frame_equal(
        hotspots(record.iloc[order], cells, pairs=pairs), expected, check_exact=True
    )


@FEW
@given(records())
def test_padding_with_empty_desert_changes_no_flag(record):
    small, pairs = lattice(3)
    large, wide_pairs = lattice(6, people=0.0)
    # The small map sits in the middle of the large one.
    spots = {r: n for n, r in enumerate(_spots(6))}
    inner = np.array([spots[spot] for spot in _spots(3)])
    large.loc[inner, "people_persons"] = small["people_persons"].to_numpy()
    moved = record.assign(cell=inner[record["cell"].to_numpy() - 1] + 1)
    test = HotspotTest(fdr=0.3)
    before = hotspots(record, small, test, pairs=pairs)
    after = hotspots(moved, large, test, pairs=wide_pairs)
    assert (after["hotspot"].to_numpy()[inner] == before["hotspot"].to_numpy()).all()
    assert after["hotspot"].sum() == before["hotspot"].sum()
    assert after["q"].to_numpy()[inner] == pytest.approx(before["q"].to_numpy())


def _spots(radius):
    return [
        (q, r)
        for q in range(-radius, radius + 1)
        for r in range(-radius, radius + 1)
        if abs(q + r) <= radius
    ]


@FEW
@given(records(), st.floats(0.1, 50))
def test_the_unit_of_area_means_nothing(record, factor):
    cells, pairs = lattice(3)
    scaled = cells.assign(area_km2=cells["area_km2"] * factor)
    one, other = (hotspots(record, table, pairs=pairs) for table in (cells, scaled))
    assert other["p"].to_numpy() == pytest.approx(one["p"].to_numpy())


@FEW
@given(records())
def test_disk_sums_and_expectations_come_from_the_same_total(record):
    cells, pairs = lattice(3)
    found = hotspots(record, cells, HotspotTest(disk=0), pairs=pairs)
    assert found["incidents"].sum() == pytest.approx(record["weight"].sum())
    assert found["expected"].sum() == pytest.approx(record["weight"].sum())


# Edges of meaning


def test_no_incidents_is_a_quiet_map():
    cells, pairs = lattice(3)
    found = hotspots(events([]), cells, pairs=pairs)
    assert not found["hotspot"].any()
    assert (found["p"] == 1).all()
    assert found["gi_z"].isna().all()
    assert found["imprecise_share"].isna().all()


def test_equal_counts_are_a_quiet_map():
    cells, pairs = lattice(4)
    for load in (1.0, 0.1, 3.3):
        found = hotspots(pd.Series(load, index=cells["cell"]), cells, pairs=pairs)
        assert not found["hotspot"].any()
        assert found["gi_z"].isna().all()


def test_one_cell_is_never_a_hotspot():
    cells = pd.DataFrame({"cell": [7], "area_km2": [0.7], "people_persons": [10.0]})
    pairs = (np.array([0]), np.array([0]), np.array([0]))
    found = hotspots(events([7] * 50), cells, pairs=pairs)
    assert not found["hotspot"].any()
    assert found["gi_z"].isna().all()


def test_two_incidents_are_too_few_however_unlikely():
    cells, pairs = lattice(12)
    assert not hotspots(events([200, 200]), cells, pairs=pairs)["hotspot"].any()
    assert hotspots(events([200] * 5), cells, pairs=pairs)["hotspot"].any()


def test_incidents_where_the_raster_sees_nobody_are_tested_and_not_infinitely_unlikely():
    cells, pairs = lattice(8)
    cells["people_persons"] = np.where(np.arange(len(cells)) < 5, 0.0, 50.0)
    rng = np.random.default_rng(4)
    quiet = hotspots(events(np.r_[1, rng.choice(cells["cell"], 800)]), cells, pairs=pairs)
    assert quiet.loc[0, "p"] > 0
    assert quiet["p"].isna().sum() <= 5
    burst = hotspots(events([1] * 30), cells, pairs=pairs)
    assert burst.loc[0, "hotspot"]


def test_unknown_population_counts_as_populated_and_is_said():
    cells, pairs = lattice(3)
    cells.loc[:4, "people_persons"] = np.nan
    found = hotspots(events([19] * 6), cells, pairs=pairs)
    assert found["p"].notna().all()
    assert "5 cells with unknown population" in found.attrs["notes"][0]
    by_people = hotspots(
        events([19] * 6), cells, HotspotTest(expectation="population"), pairs=pairs
    )
    assert by_people.loc[:4, "p"].isna().all()
    assert by_people.loc[18, "p"] < 0.01


def test_what_is_set_aside_or_outside_is_said():
    cells, pairs = lattice(3)
    record = pd.DataFrame(
        {
            "cell": [0, 999, 19, 19],
            "weight": [np.nan, 1.0, 0.5, 0.5],
            "placed": ["set_aside", "point", "spread", "point"],
        }
    )
    found = hotspots(record, cells, pairs=pairs)
    assert found["incidents"].sum() == 1
    assert found.loc[18, "imprecise_share"] == 0.5
    assert len(found.attrs["notes"]) == 2


def test_a_rise_over_its_own_past_is_found_and_a_steady_place_is_not():
    cells, pairs = lattice(8)
    steady, rising = 30, 180
    baseline = Baseline(
        incidents=events([steady] * 80 + [rising] * 2), earlier_days=720, recent_days=90
    )
    recent = events([steady] * 10 + [rising] * 12)
    test = HotspotTest(expectation="baseline")
    found = hotspots(recent, cells, test, baseline=baseline, pairs=pairs).set_index("cell")
    assert found.loc[rising, "hotspot"]
    assert not found.loc[steady, "hotspot"]
    assert found.loc[steady, "expected"] == pytest.approx(10.0)


def test_split_loses_no_row():
    record = events([1, 2, 3, 4]).assign(perpetrator=["state_forces", None, "criminal", "criminal"])
    parts = split(record, "perpetrator")
    assert sorted(parts) == ["criminal", "state_forces", "unknown"]
    assert sum(map(len, parts.values())) == len(record)


# Messages


def test_messages_say_what_to_do():
    cells, pairs = lattice(2)
    with pytest.raises(UnknownName, match="Did you mean uniform"):
        HotspotTest(expectation="unifrom")
    with pytest.raises(BadInput, match="fdr must lie between 0 and 1"):
        HotspotTest(fdr=0.0)
    with pytest.raises(BadInput, match="needs an earlier period"):
        hotspots(events([1]), cells, HotspotTest(expectation="baseline"), pairs=pairs)
    with pytest.raises(BadInput, match="needs people_persons"):
        hotspots(
            events([1]),
            cells.drop(columns="people_persons"),
            HotspotTest(expectation="population"),
            pairs=pairs,
        )
    with pytest.raises(MissingColumns, match="area_km2"):
        hotspots(events([1]), cells[["cell"]], pairs=pairs)
    with pytest.raises(BadInput, match="listed twice"):
        hotspots(events([1]), pd.concat([cells, cells]), pairs=pairs)
    with pytest.raises(BadInput, match="below 0"):
        hotspots(events([1], -1.0), cells, pairs=pairs)


# On real H3 cells


def test_h3_disks_are_whole_inside_and_cut_at_the_rim_whatever_the_order():
    h3 = pytest.importorskip("h3")
    cells = np.sort([h3.str_to_int(c) for c in h3.grid_disk(h3.latlng_to_cell(0.5, 5.0, 8), 6)])
    table = pd.DataFrame({"cell": cells, "area_km2": 0.74})
    centre = h3.str_to_int(h3.latlng_to_cell(0.5, 5.0, 8))
    found = hotspots(events([centre] * 9), table).set_index("cell")
    assert found.loc[centre, "disk_cells"] == 7
    assert found["edge"].sum() == 6 * 6
    assert found["hotspot"].sum() == 7
    assert "No population layer" in found.attrs["notes"][0]
    turned = hotspots(events([centre] * 9), table.iloc[::-1]).set_index("cell")
    assert turned.loc[cells, "p"].to_numpy() == pytest.approx(found["p"].to_numpy())
