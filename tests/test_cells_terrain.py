"""Terrain: pace by share of slowness, floods and rains that never help, defaults that are said."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells.gather import lattice
from pocgeo.cells.grid import boundaries
from pocgeo.cells.speeds import MOBILITIES, SEASONS
from pocgeo.cells.terrain import (
    Terrain,
    flooded_shares,
    insecurity_factors,
    pace,
    pace_notes,
    relief_m,
)
from pocgeo.cells.terrain_file import overlaid, terrain_rules
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName

DECLARED = read_toml(declared("standards") / "terrain.toml")
HOUSE = terrain_rules(DECLARED)
CELLS = lattice(shapely.box(30.0, 5.0, 30.03, 5.03), 8).head(6)
CLASSES = HOUSE.classes


def ground(rows: list[dict[str, float]], **more: object) -> Terrain:
    cover = pd.DataFrame(rows, columns=[*CLASSES, "unknown"]).astype("float64")
    known = cover.notna().any(axis=1)
    cover[known] = cover[known].fillna(0.0)
    cells = pd.concat([CELLS] * (1 + len(rows) // len(CELLS))).head(len(rows))
    return Terrain(cells=cells.reset_index(drop=True), cover=cover, **more)


def test_pace_is_the_geometric_mean_between_slowness_and_speed() -> None:
    found = pace(ground([{"grass": 1}, {"grass": 0.5, "crops": 0.5}]), HOUSE, "foot", "dry")
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(60 / 4.86)
    # half the ground at 4.86 and half at 2.5 km/h: 60 / sqrt(4.86 x 2.5), by hand
    assert found[1] == pytest.approx(17.21326, abs=1e-4)
    assert 60 / ((4.86 + 2.5) / 2) < found[1] < 0.5 * 60 / 4.86 + 0.5 * 60 / 2.5


def test_a_cell_half_water_is_passed_on_its_land_half() -> None:
    rows = [{"grass": 1 - share, "water": share} for share in (0.5, 0.75, 0.76, 1.0)]
    found = pace(ground(rows), HOUSE, "foot", "dry")
    assert found[:2] == pytest.approx(60 / 4.86)
    assert np.isinf(found[2:]).all()  # less than a quarter can be passed
    boat = pace(ground(rows), HOUSE, "boat", "dry")
    assert boat[0] == pytest.approx(3.0)
    assert np.isfinite(boat).all()
    assert np.isinf(pace(ground([{"grass": 0.9, "water": 0.1}]), HOUSE, "boat", "dry")).all()


def test_troops_dismount_where_the_vehicle_cannot_pass() -> None:
    forest = ground([{"forest": 1}])
    walked = pace(forest, HOUSE, "foot", "dry")
    assert pace(forest, HOUSE, "wheeled", "dry") == pytest.approx(walked)
    own = {"off_road": {"wheeled": {"dismounts": False}}}
    stay = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    assert np.isinf(pace(forest, stay, "wheeled", "dry")).all()


def test_unknown_ground_moves_at_the_default_and_the_notes_say_so() -> None:
    bare = ground([{}, {"grass": 1}, {"unknown": 1}])
    assert pace(bare, HOUSE, "foot", "dry")[[0, 2]] == pytest.approx(20)  # 3 km/h
    assert "No land cover in 1 of 3 cells" in pace_notes(bare, HOUSE, "foot")[0]
    assert "3 km/h dry, 2 km/h wet" in pace_notes(bare, HOUSE, "foot")[0]
    assert pace_notes(ground([{"grass": 1}], notes=("said",)), HOUSE, "foot") == ("said",)
    nothing = Terrain(cells=CELLS)
    assert pace(nothing, HOUSE, "foot", "wet") == pytest.approx(30)
    assert "6 of 6 cells" in pace_notes(nothing, HOUSE, "foot")[0]


def test_flood_slows_on_foot_and_counts_in_the_wet_season_only() -> None:
    rows = [{"grass": 1}] * 3
    wet = ground(rows, flooded_share=pd.Series([0, 0.5, 1.0]))
    assert pace(wet, HOUSE, "foot", "dry") == pytest.approx(60 / 4.86)
    dry_half, flooded = 60 / 3.24, 60 / (3.24 * 0.5)
    expected = [dry_half, (dry_half + flooded) / 2, flooded]
    assert pace(wet, HOUSE, "foot", "wet") == pytest.approx(expected, rel=1e-6)


def test_what_flood_bars_is_as_impassable_as_water() -> None:
    own = {"off_road": {"wheeled": {"dismounts": False}}}
    stay = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    wet = ground([{"grass": 1}] * 3, flooded_share=pd.Series([0, 0.7, 0.8]))
    found = pace(wet, stay, "wheeled", "wet")
    assert found[:2] == pytest.approx(12)
    assert np.isinf(found[2])


def mixed(seed: int, count: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(len(CLASSES) + 1, 0.3), count)
    return pd.DataFrame(share, columns=[*CLASSES, "unknown"])


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.sampled_from(MOBILITIES), st.booleans())
def test_the_rains_never_help(seed: int, mobility: str, flooded: bool) -> None:
    rng = np.random.default_rng(seed)
    cells = pd.concat([CELLS] * 7, ignore_index=True).head(40)
    share = pd.Series(rng.random(40)) if flooded else None
    terrain = Terrain(cells=cells, cover=mixed(seed), flooded_share=share)
    dry, wet = (pace(terrain, HOUSE, mobility, season) for season in SEASONS)
    assert (wet >= dry).all()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.sampled_from(MOBILITIES), st.booleans())
def test_more_flood_is_never_faster(seed: int, mobility: str, dismounts: bool) -> None:
    own = {"off_road": {mobility: {"dismounts": dismounts}}}
    rules = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    cells = pd.concat([CELLS] * 7, ignore_index=True).head(40)
    before = np.zeros(40)
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        terrain = Terrain(
            cells=cells, cover=mixed(seed), flooded_share=pd.Series(np.full(40, share))
        )
        now = pace(terrain, rules, mobility, "wet")
        assert (now >= before - 1e-4).all()
        before = now


def test_insecurity_multiplies_minutes_and_opens_nothing() -> None:
    rows = [{"grass": 1}, {"grass": 1}, {"water": 1}]
    factor = insecurity_factors(pd.Series(["severe", None, "low"]), HOUSE)
    assert factor.tolist() == [2, 1, 1]
    safe, feared = ground(rows), ground(rows, insecurity=factor)
    ratio = pace(feared, HOUSE, "foot", "dry")[:2] / pace(safe, HOUSE, "foot", "dry")[:2]
    assert ratio == pytest.approx([2, 1])
    assert np.isinf(pace(feared, HOUSE, "foot", "dry")[2])
    with pytest.raises(UnknownName, match="Did you mean severe"):
        insecurity_factors(pd.Series(["sever"]), HOUSE)


def test_friction_replaces_cover_where_it_is_known() -> None:
    friction = pd.Series([0.02, np.nan])
    terrain = ground([{"water": 1}, {"grass": 1}], friction_min_per_m=friction)
    assert pace(terrain, HOUSE, "foot", "dry") == pytest.approx([20, 60 / 4.86])
    assert pace(terrain, HOUSE, "foot", "wet") == pytest.approx([20 / 0.67, 60 / 3.24])
    assert pace(terrain, HOUSE, "boat", "dry")[0] == pytest.approx(3)  # it does not speak of boats
    assert "used in 1 of 2" in pace_notes(terrain, HOUSE, "foot")[0]


def test_slope_is_not_counted_twice_where_friction_holds_it() -> None:
    heights = pd.Series([100.0, 200.0])
    terrain = ground(
        [{"grass": 1}] * 2, elevation_m=heights, friction_min_per_m=pd.Series([0.02, np.nan])
    )
    relief = relief_m(terrain, HOUSE)
    assert relief is not None
    assert np.isnan(relief[0])
    assert relief[1] == 200
    assert heights[0] == 100
    assert relief_m(ground([{"grass": 1}]), HOUSE) is None


def test_the_flooded_share_is_exact_and_overlaps_count_once() -> None:
    shape = boundaries(CELLS["cell"].to_numpy())[2]
    west, south, east, north = shape.bounds
    left = shapely.box(west - 1, south - 1, (west + east) / 2, north + 1)
    floods = gpd.GeoDataFrame(
        {"season": ["wet", None, "Dry"]}, geometry=[left, left, shape], crs="EPSG:4326"
    )
    found = flooded_shares(floods, CELLS)
    assert found[2] == pytest.approx(0.5, abs=1e-3)
    assert found.between(0, 1).all()
    assert flooded_shares(floods.iloc[2:], CELLS).tolist() == [0] * 6
    assert flooded_shares(floods.head(0), CELLS).tolist() == [0] * 6


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"flooded_share": pd.Series([2.0])}, "flooded_share must be from 0 to 1"),
        ({"insecurity": pd.Series([0.5])}, "insecurity must be from 1"),
        ({"friction_min_per_m": pd.Series([0.0])}, "friction_min_per_m must be from"),
        ({"elevation_m": pd.Series([1.0, 2.0])}, "elevation_m has 2 rows, the cells 1"),
    ],
)
def test_terrain_that_cannot_be_is_refused(more: dict, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ground([{"grass": 1}], **more)


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(BadInput, match="do not add up to 1"):
        ground([{"grass": 0.7}])
    with pytest.raises(UnknownName, match="mobility"):
        pace(ground([{"grass": 1}]), HOUSE, "horse", "dry")
    with pytest.raises(dataclasses.FrozenInstanceError):
        ground([{"grass": 1}]).notes = ()
