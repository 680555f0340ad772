"""Emerging hot spots: the published rules case by case, the trend test, Gi* of a cube."""

import numpy as np
import pandas as pd
import pytest

from pocgeo.analyses.disks import disk_matrix, local_moran
from pocgeo.analyses.emergence import EmergenceTest, emergence, space_time_gi
from pocgeo.analyses.emergence_rules import PATTERNS, classified
from pocgeo.analyses.mann_kendall import mann_kendall
from pocgeo.analyses.statistics import (
    empirical_bayes_rate,
    false_discovery_cut,
    false_discovery_q,
)
from pocgeo.ground.errors import BadInput
from tests.test_analyses_hotspots import lattice

END = pd.Timestamp("2026-06-30")

# h: hot, c: cold, .: neither; the trend of z; the pattern by the published definition.
CASES = [
    (".........h", 0, "new hot spot"),
    ("c........h", 0, "new hot spot"),
    ("........hh", 0, "consecutive hot spot"),
    (".hhhhhhhhh", 1, "intensifying hot spot"),
    ("hhhhhhhhhh", 1, "intensifying hot spot"),
    (".hhhhhhhhh", 0, "persistent hot spot"),
    ("hhhhhhhhhh", -1, "diminishing hot spot"),
    ("..h......h", 0, "sporadic hot spot"),
    (".h.c.....h", 0, "oscillating hot spot"),
    ("hhhhhhhhh.", 1, "historical hot spot"),
    ("..hhhh....", 0, "no pattern"),
    ("..........", 1, "no pattern"),
    ("hhhhhhhh..", 0, "no pattern"),
]


@pytest.mark.parametrize(("steps", "trend", "name"), CASES)
def test_each_pattern_hot_and_cold_by_its_definition(steps, trend, name):
    marks = np.array([list(steps)])
    hot, cold = marks == "h", marks == "c"
    up, down = np.array([trend > 0]), np.array([trend < 0])
    assert PATTERNS[classified(hot, cold, up, down)[0]] == name
    # A cold spot is its mirror: it intensifies where z falls.
    assert PATTERNS[classified(cold, hot, down, up)[0]] == name.replace("hot", "cold")


def test_there_are_seventeen_patterns_and_no_step_is_both():
    assert len(set(PATTERNS)) == 17
    both = np.ones((1, 4), dtype=bool)
    with pytest.raises(BadInput, match="hot and cold at once"):
        classified(both, both, both[:, 0], both[:, 0])


def test_mann_kendall_equals_pymannkendall_to_1e12():
    oracle = pytest.importorskip("pymannkendall")
    rng = np.random.default_rng(0)
    series = np.round(rng.normal(size=(200, 12)), 1)
    series[:60] = rng.poisson(0.3, (60, 12))
    series[0] = 0
    found = mann_kendall(series)
    for row, values in enumerate(series):
        theirs = oracle.original_test(values)
        assert found.s[row] == theirs.s
        assert found.z[row] == pytest.approx(theirs.z, abs=1e-12)
        assert found.p[row] == pytest.approx(theirs.p, abs=1e-12)


def test_gi_star_of_a_cube_equals_esda_over_all_its_bins_to_1e9():
    esda = pytest.importorskip("esda")
    weights = pytest.importorskip("libpysal.weights")
    cells, pairs = lattice(4)
    disks = disk_matrix(cells["cell"].to_numpy(), (1, 1), pairs)
    cube = np.random.default_rng(3).poisson(0.4, (len(cells), 6)).astype(float)
    z = space_time_gi(cube, disks, 1)[1]
    near = disks.tolil().rows
    steps = cube.shape[1]
    around = {
        cell * steps + step: [
            other * steps + when
            for other in near[cell]
            for when in (step - 1, step)
            if when >= 0 and (other, when) != (cell, step)
        ]
        for cell in range(len(cells))
        for step in range(steps)
    }
    graph = weights.W(around, silence_warnings=True)
    theirs = esda.G_Local(cube.ravel(), graph, transform="B", star=True, permutations=0).Zs
    assert np.abs(z - theirs.reshape(cube.shape)[:, 1:]).max() < 1e-9


def test_local_moran_rates_and_fdr_equal_esda_and_statsmodels():
    esda = pytest.importorskip("esda")
    weights = pytest.importorskip("libpysal.weights")
    smoothing = pytest.importorskip("esda.smoothing")
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    cells, pairs = lattice(6)
    disks = disk_matrix(cells["cell"].to_numpy(), (1, 1), pairs)
    rng = np.random.default_rng(5)
    counts = rng.poisson(0.4, len(cells)).astype(float)
    near = {row: [n for n in found if n != row] for row, found in enumerate(disks.tolil().rows)}
    graph = weights.W(near, silence_warnings=True)
    theirs = esda.Moran_Local(counts, graph, transformation="r", permutations=0).Is
    assert np.abs(local_moran(counts, disks) - theirs).max() < 1e-9
    people = rng.gamma(0.5, 2_000, len(cells)) + 1
    rates = np.asarray(smoothing.Empirical_Bayes(counts, people).r).ravel()
    assert empirical_bayes_rate(counts, people) == pytest.approx(rates, abs=1e-12)
    p = rng.random(500) ** 3
    assert false_discovery_q(p) == pytest.approx(multitest.multipletests(p, method="fdr_bh")[1])
    cut = false_discovery_cut(p, p.size, 0.05)
    assert ((p <= cut) == (false_discovery_q(p) <= 0.05)).all()


def record(cell, days):
    return pd.DataFrame({"cell": cell, "weight": 1.0, "occurred_on": pd.to_datetime(days)})


def test_a_burst_in_the_last_quarter_is_new_and_quiet_cells_have_no_trend():
    cells, pairs = lattice(8)
    rng = np.random.default_rng(1)
    rising = pd.concat(
        [
            record(rng.choice(np.arange(150, 217), 4 * n), pd.Timestamp("2023-08-01")
                   + pd.to_timedelta(np.full(4 * n, 91 * n), "D"))
            for n in range(1, 11)
        ]
    )  # fmt: skip
    events = pd.concat([rising, record([20] * 40, ["2026-05-01"] * 40)])
    found = emergence(events, cells, END, EmergenceTest(steps=8), pairs=pairs).set_index("cell")
    assert found.loc[20, "pattern"] == "new hot spot"
    quiet = found["disk_incidents"] == 0
    assert quiet.any()
    assert (found.loc[quiet, "pattern"] == "no pattern").all()
    assert not (found.loc[quiet, "kendall_p"] < 0.05).any()


def test_a_lone_incident_is_hot_by_the_published_rule_and_not_by_the_house():
    cells, pairs = lattice(10)
    lone = record([100], ["2026-05-01"])
    for least, name in ((1, "new hot spot"), (3, "no pattern")):
        test = EmergenceTest(steps=8, min_incidents=least)
        found = emergence(lone, cells, END, test, pairs=pairs).set_index("cell")
        assert found.loc[100, "pattern"] == name


def test_a_test_of_emergence_refuses_nonsense():
    with pytest.raises(BadInput, match="steps must be a whole number from 4"):
        EmergenceTest(steps=2)
    with pytest.raises(BadInput, match="fdr must lie between"):
        EmergenceTest(fdr=1.5)
