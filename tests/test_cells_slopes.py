"""Slope: Tobler's published speeds, the declared curves, and what is not known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells.slopes import slope_factor, slope_minutes, slope_multiplier
from pocgeo.cells.speeds import MOBILITIES, SlopeRule
from pocgeo.cells.terrain_file import terrain_rules
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName

HOUSE = terrain_rules(read_toml(declared("standards") / "terrain.toml"))
FLAT_KMH = 6 * np.exp(-3.5 * 0.05)  # 5.04 km/h


@pytest.mark.parametrize(
    ("degrees", "kmh"),
    # Tobler 1993 as tabled by slope in degrees: 6 km/h at -2.8624 (-5 %), 5.04 flat, 2.72 at 10
    [(-30, 0.95), (-10, 3.86), (-2.8624, 6.00), (0, 5.04), (5, 3.71), (10, 2.72), (30, 0.67)],
)
def test_walking_speed_on_a_slope_is_toblers(degrees: float, kmh: float) -> None:
    slope = np.tan(np.radians(degrees))
    assert FLAT_KMH * slope_factor(slope, HOUSE.slope["foot"]) == pytest.approx(kmh, abs=0.006)


def test_the_quickest_walk_is_five_in_a_hundred_downhill() -> None:
    slopes = np.linspace(-1, 1, 2001)
    factor = slope_factor(slopes, HOUSE.slope["foot"])
    assert slopes[factor.argmax()] == pytest.approx(-0.05)
    assert FLAT_KMH * factor.max() == pytest.approx(6.0)


@pytest.mark.parametrize("mobility", MOBILITIES)
def test_flat_and_unknown_ground_change_nothing(mobility: str) -> None:
    found = slope_multiplier([0, np.nan, 0, 5], [1000, 1000, 0, 0], mobility, HOUSE)
    assert found.tolist() == [1, 1, 1, 1]


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.sampled_from(MOBILITIES), st.floats(0.05, 0.6), st.floats(0, 0.3))
def test_steeper_is_never_quicker_past_the_easy_slope(
    mobility: str, slope: float, more: float
) -> None:
    rule = HOUSE.slope[mobility]
    assert slope_factor(slope + more, rule) <= slope_factor(slope, rule)
    assert slope_factor(-slope - more, rule) <= slope_factor(-slope, rule)


def test_outbound_uphill_is_not_the_way_back() -> None:
    up, down = slope_multiplier([100, -100], 1000, "foot", HOUSE)
    # exp(3.5 (|s + 0.05| - 0.05)) by hand for s = 0.1 and -0.1
    assert up == pytest.approx(np.exp(3.5 * 0.10))
    assert down == pytest.approx(1.0)


def test_a_curve_runs_straight_between_its_points_and_ends_in_no_way() -> None:
    slopes = np.array([0.05, 0.10, 0.15, 0.30, 0.50])
    assert slope_factor(slopes, HOUSE.slope["wheeled"]) == pytest.approx([1, 0.75, 0.5, 0, 0])
    assert slope_minutes("wheeled", HOUSE)(np.array([0.15, 0.3])).tolist() == [2, np.inf]


@pytest.mark.parametrize(
    ("slope", "factor", "said"),
    [
        ((0.1, -0.1), (1, 1), "slopes that rise"),
        ((-0.1, 0.1), (0.5, 0.5), "0.5 on the flat"),
        ((-0.1, 0.1), (-1, 3), "0 or more"),
        ((0.0,), (1,), "slopes that rise"),
    ],
)
def test_a_curve_that_is_none_is_refused(slope: tuple, factor: tuple, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        SlopeRule(rule="curve", slope=slope, factor=factor)


def test_only_those_on_the_ground_have_slopes() -> None:
    with pytest.raises(UnknownName, match="mobility"):
        slope_multiplier([0], [1], "air", HOUSE)
