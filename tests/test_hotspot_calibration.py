"""Calibration of the hotspot tests under their nulls, and what vague places do to a map."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.analyses.disks import disk_matrix, gi_star
from pocgeo.analyses.harm import HarmTail
from pocgeo.analyses.hotspot_choice import choose_test
from pocgeo.analyses.hotspots import HotspotTest, hotspots
from pocgeo.analyses.location_precision import imprecise_columns, snapping
from pocgeo.analyses.null_check import null_check
from pocgeo.analyses.permutation import permutation_p, sum_tails
from pocgeo.analyses.statistics import false_discovery_q
from pocgeo.ground.errors import BadInput
from tests.degraded import World, run
from tests.test_analyses_hotspots import events, lattice

SEEDS, LEVEL = 200, 0.05
MOST = LEVEL + 1.645 * np.sqrt(LEVEL * (1 - LEVEL) / SEEDS)


def test_permutation_is_calibrated_on_shuffled_counts_where_normal_gi_star_is_not():
    cells, pairs = lattice(15)
    disks = disk_matrix(cells["cell"].to_numpy(), (1, 1), pairs)
    rng = np.random.default_rng(8)
    counts = rng.poisson(rng.gamma(0.03, 5.0, len(cells))).astype(float)
    from scipy.special import ndtr

    exact = normal = 0
    for _ in range(SEEDS):
        dealt = rng.permutation(counts)
        exact += (false_discovery_q(permutation_p(dealt, disks)) <= LEVEL).any()
        normal += (false_discovery_q(ndtr(-gi_star(dealt, disks))) <= LEVEL).any()
    assert exact / SEEDS <= MOST
    assert normal / SEEDS > 0.95


@pytest.mark.parametrize("expectation", ["populated", "uniform", "population"])
def test_the_count_test_holds_its_level_over_200_draws(expectation):
    cells, pairs = lattice(12)
    cells["people_persons"] = np.random.default_rng(1).lognormal(3, 2, len(cells))
    test = HotspotTest(expectation=expectation)
    assert null_check(cells, 60, test, seeds=SEEDS, pairs=pairs).share_any_flag <= MOST


def test_severity_is_judged_by_its_exact_law_and_holds_its_level():
    rng = np.random.default_rng(0)
    grave = rng.choice([0.5, 1.0, 1.5, 3.0, 13.0], 400)
    tail = HarmTail(grave, np.ones(400), 60.0)
    number = rng.poisson(2.0, 100_000)
    totals = np.zeros(number.size)
    for drawn in range(number.max()):
        totals += np.where(number > drawn, rng.choice(grave, number.size), 0.0)
    for seen in (3.0, 14.0, 30.0):
        assert tail.p(seen, 2.0)[0] == pytest.approx((totals >= seen).mean(), abs=0.006)
    cells, pairs = lattice(12)
    record = events(rng.choice(cells["cell"], 60)).assign(severity=grave[:60])
    check = null_check(cells, record, HotspotTest(measure="severity"), seeds=SEEDS, pairs=pairs)
    assert check.share_any_flag <= MOST
    with pytest.raises(BadInput, match="no expectation 'baseline'"):
        HotspotTest(measure="severity", expectation="baseline")


def test_one_massacre_is_a_hotspot_by_severity_only_with_enough_incidents():
    cells, pairs = lattice(10)
    record = events([150, 150, 150, *range(1, 60)]).assign(severity=[13.0] * 3 + [0.5] * 59)
    test = HotspotTest(measure="severity")
    assert hotspots(record, cells, test, pairs=pairs).set_index("cell").loc[150, "hotspot"]
    fewer = record.iloc[2:]
    assert not hotspots(fewer, cells, test, pairs=pairs).set_index("cell").loc[150, "hotspot"]


def test_tails_of_a_sum_are_those_of_all_outcomes():
    share = np.array([0.7, 0.2, 0.1])
    sums = np.zeros(7)
    for a, b, c in np.ndindex(3, 3, 3):
        sums[a + b + c] += share[a] * share[b] * share[c]
    assert sum_tails(share, 3) == pytest.approx(np.cumsum(sums[::-1])[::-1])


def test_snapped_points_are_counted():
    lon = np.array([31.0] * 5 + [32.0, 33.0, np.nan])
    lat = np.array([4.0] * 5 + [5.0, 6.0, 6.0])
    found = snapping(lon, lat, np.array([32.0]), np.array([5.00001]))
    assert (found.points_n, found.on_settlement_n, found.stacked_n) == (7, 1, 5)
    assert (found.either_n, found.largest_n) == (6, 5)
    assert "14% lie exactly on a settlement" in found.text


def test_crumbs_of_far_incidents_hatch_nothing():
    told = imprecise_columns(np.array([0.01, 2.0, 0.0]), np.array([0.01, 3.0, 0.0]))
    assert told["mostly_imprecise"].tolist()[:2] == [False, True]
    assert pd.isna(told["mostly_imprecise"].iloc[2])


def test_the_choice_keeps_the_stated_test_unless_another_is_surely_better():
    cells, pairs = lattice(8)
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 1_460, 400), "D")
    record = events(rng.choice([20, 100, 180], 400)).assign(occurred_on=days, placed="point")
    period = (pd.Timestamp("2022-01-01"), pd.Timestamp("2025-12-31"))
    table = choose_test(record, cells, period, pairs=pairs)
    assert table["chosen"].sum() == 1
    assert table.loc[table["disk"] == 0, "recall_share"].max() > 0.99
    with pytest.raises(BadInput, match="A longer record"):
        choose_test(record[:0], cells, period, pairs=pairs)


def test_degraded_places_make_four_times_fewer_false_hotspots_than_at_centroids():
    """39 % of known places made vague: cells of an invented country with towns."""
    from pocgeo.cells.gather import lattice as hexagons
    from pocgeo.cells.gather import with_areas

    land = shapely.box(30, 4, 34, 8)
    boxes = [shapely.box(30 + x, 4 + y, 31 + x, 5 + y) for x in range(4) for y in range(4)]
    wide = [shapely.box(30 + x, 4 + y, 32 + x, 6 + y) for x in (0, 2) for y in (0, 2)]
    areas = gpd.GeoDataFrame(
        {
            "area_id": [f"a{n}" for n in range(20)], "name": [f"A{n}" for n in range(20)],
            "admin_level": [2] * 16 + [1] * 4, "parent_id": None,
        },
        geometry=boxes + wide, crs=4326,
    )  # fmt: skip
    cells = with_areas(hexagons(land, 5), areas)
    rng = np.random.default_rng(4)
    towns = rng.choice(len(cells), 25, replace=False)
    persons = rng.lognormal(4, 1, len(cells))
    persons[towns] += 20_000
    people = pd.DataFrame({"cell": cells["cell"], "people_persons": persons})
    at = rng.choice(towns, 700, p=rng.dirichlet(np.full(25, 0.6)))
    days = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1_800, 700), "D")
    incidents = gpd.GeoDataFrame(
        {"incident_id": [f"i{n}" for n in range(700)], "occurred_on": days},
        geometry=gpd.points_from_xy(cells["lon"].iloc[at], cells["lat"].iloc[at]), crs=4326,
    )  # fmt: skip
    origins = list(pd.date_range("2022-01-01", "2023-07-01", freq="6MS"))
    found = run(World(cells, people, areas, incidents), origins, runs=2)
    assert found.loc["naive", "false"] >= 4 * found.loc["spread", "false"]
    assert found.loc["spread", "recall_5"] >= found.loc["truth", "recall_5"] - 0.02
