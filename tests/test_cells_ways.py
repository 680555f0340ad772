"""Roads, crossings, waterways: class, surface, closure and flood, row by row."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells.speeds import MOBILITIES, SEASONS
from pocgeo.cells.terrain_file import overlaid, terrain_rules
from pocgeo.cells.ways import (
    closed_roads,
    crossing_minutes,
    road_flooded_shares,
    road_notes,
    road_pace,
    waterway_pace,
)
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput

DECLARED = read_toml(declared("standards") / "terrain.toml")
HOUSE = terrain_rules(DECLARED)
CLASSES = [*HOUSE.roads["foot"].classes, None]
SURFACES = ["asphalt", "Gravel", "earth", "sand", "moon dust", None]


def kmh(roads: pd.DataFrame, mobility: str, season: str, **more: object) -> list[float]:
    more = {"as_of": "2026-06-01", **more}
    return (60 / road_pace(roads, HOUSE, mobility, season, **more)).tolist()


def test_a_known_surface_is_a_ceiling() -> None:
    roads = pd.DataFrame({"class": ["primary"] * 4 + [None], "surface": [*SURFACES[:4], None]})
    assert kmh(roads, "wheeled", "dry") == pytest.approx([40, 40, 30, 15, 15])
    assert kmh(roads, "wheeled", "wet") == pytest.approx([30, 30, 10, 5, 5])
    assert kmh(roads, "foot", "dry") == pytest.approx([5, 5, 5, 5, 4])


def test_paths_are_walked_and_boats_use_no_road() -> None:
    roads = pd.DataFrame({"class": ["path"]})
    assert kmh(roads, "wheeled", "dry") == pytest.approx([4.5])
    assert kmh(roads, "boat", "dry") == [0]


def test_a_road_is_closed_from_day_to_day_both_included() -> None:
    roads = pd.DataFrame(
        {
            "class": "primary",
            "closed_from_on": pd.to_datetime(["2026-05-18", "2026-05-18", None, None, None]),
            "closed_until_on": pd.to_datetime(["2026-09-30", None, "2026-05-31", None, None]),
            "closed": pd.array([pd.NA, True, pd.NA, True, False], dtype="boolean"),
        }
    )
    assert closed_roads(roads, "2026-05-17").tolist() == [False, False, True, True, False]
    assert closed_roads(roads, "2026-05-18").tolist() == [True, True, True, True, False]
    assert closed_roads(roads, "2026-09-30").tolist() == [True, True, False, True, False]
    assert closed_roads(roads, "2026-10-01").tolist() == [False, True, False, True, False]
    assert closed_roads(roads, None).tolist() == [False, False, False, True, False]
    open_min = road_pace(roads[["class"]], HOUSE, "wheeled", "dry", as_of=None)
    closed_min = road_pace(roads, HOUSE, "wheeled", "dry", as_of="2026-05-18")
    assert np.isinf(closed_min[:4]).all()
    assert closed_min[4] == open_min[4]


def test_those_a_closure_does_not_stop_walk_through() -> None:
    own = {"closures": {"mobilities": ["wheeled"]}}
    rules = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    roads = pd.DataFrame({"class": ["primary"], "closed": [True]})
    foot = road_pace(roads, rules, "foot", "dry", as_of=None)
    assert foot == pytest.approx(12)
    assert road_pace(roads, rules, "wheeled", "dry", as_of=None) == pytest.approx(
        foot
    )  # dismounted


def test_flood_slows_a_road_in_the_wet_season_but_not_a_bridge() -> None:
    roads = pd.DataFrame({"class": ["primary"] * 3, "bridge": [False, True, False]})
    share = [0.5, 0.5, 0.0]
    assert kmh(roads, "wheeled", "dry", flooded_share=share) == pytest.approx([40, 40, 40])
    slow = 1 / (0.5 / 30 + 0.5 / (30 * 0.33))
    assert kmh(roads, "wheeled", "wet", flooded_share=share) == pytest.approx([slow, 30, 30])
    own = {"flooded": {"roads": {"tracked": 0, "foot": 0}}}
    rules = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    found = road_pace(roads, rules, "tracked", "wet", as_of=None, flooded_share=share)
    assert np.isinf(found).tolist() == [True, False, False]
    with pytest.raises(BadInput, match="flooded_share"):
        kmh(roads, "wheeled", "wet", flooded_share=[0.5])


@settings(derandomize=True, max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(CLASSES), st.sampled_from(SURFACES), st.floats(0, 1)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(MOBILITIES),
)
def test_rain_and_flood_never_make_a_road_quicker(rows: list, mobility: str) -> None:
    roads = pd.DataFrame(rows, columns=["class", "surface", "flooded"])
    share = roads["flooded"].to_numpy()
    dry, wet = (road_pace(roads, HOUSE, mobility, season, as_of=None) for season in SEASONS)
    some = road_pace(roads, HOUSE, mobility, "wet", as_of=None, flooded_share=share / 2)
    more = road_pace(roads, HOUSE, mobility, "wet", as_of=None, flooded_share=share)
    assert (dry <= wet).all()
    assert (wet <= some).all()
    assert (some <= more).all()


def test_what_no_rule_knows_is_said() -> None:
    roads = pd.DataFrame({"class": ["primary", None], "surface": ["moon dust", None]})
    notes = road_notes(roads, HOUSE)
    assert "1 of 2 roads have no known class" in notes[0]
    assert "moon dust" in notes[1]
    assert road_notes(pd.DataFrame({"class": ["path"], "surface": ["dirt"]}), HOUSE) == ()


def test_the_flooded_part_of_a_road_is_its_length_under_water() -> None:
    lines = gpd.GeoSeries(
        [shapely.LineString([(30, 5), (30.1, 5)]), shapely.LineString([(30, 6), (30.1, 6)])],
        crs="EPSG:4326",
    )
    water = shapely.box(30.025, 4.9, 30.05, 5.1)
    floods = gpd.GeoDataFrame(geometry=[water, water], crs="EPSG:4326")
    assert road_flooded_shares(lines, floods) == pytest.approx([0.25, 0])
    assert road_flooded_shares(lines, floods.head(0)).tolist() == [0, 0]


def test_what_is_stated_of_a_crossing_goes_before_its_kind() -> None:
    water = pd.DataFrame(
        {
            "kind": ["river", "stream", "river", "river", None, "lake"],
            "crossing": [None, "Dry season", "ferry", "none", None, "who knows"],
        }
    )
    none = float("inf")
    assert crossing_minutes(water, HOUSE, "foot", "dry").tolist() == [60, 5, 30, none, 1, none]
    assert crossing_minutes(water, HOUSE, "foot", "wet").tolist() == [120, 60, 45, none, 5, none]
    assert np.isinf(crossing_minutes(water, HOUSE, "wheeled", "wet")[[0, 1, 3, 5]]).all()
    assert crossing_minutes(water[["kind"]], HOUSE, "boat", "dry")[0] == 0
    assert crossing_minutes(water.head(0), HOUSE, "foot", "dry").tolist() == []


def test_boats_follow_rivers_and_nobody_else_does() -> None:
    water = pd.DataFrame({"kind": ["river", "stream", "canal", None]})
    found = waterway_pace(water, HOUSE, "boat", "dry")
    assert found.tolist() == [3, np.inf, 4, np.inf]
    assert np.isinf(waterway_pace(water, HOUSE, "foot", "dry")).all()
