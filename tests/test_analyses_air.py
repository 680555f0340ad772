"""Reach by air: straight, within range, by way of landing sites where the aircraft needs one."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.reach.air import air_landings, air_table
from pocgeo.cells.speeds import AirRule
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m

HELICOPTER = AirRule(
    speed_kmh=180, landing_min=10, lands_anywhere=True, least_runway_m=0, onward_kmh=3, onward_km=5
)
PLANE = dataclasses.replace(HELICOPTER, lands_anywhere=False, least_runway_m=600)
ONE_DEGREE_EAST_M = 111_319.4908  # WGS84 equator: 6378137 pi / 180
BASES = gpd.GeoDataFrame(
    {"base_id": ["A", "B"], "qrf_notice_min": [30, None], "max_range_km": [100, None],
     "night_moves": [True, False]},
    geometry=[shapely.Point(0, 0), shapely.Point(0, 0)], crs="EPSG:4326",
)  # fmt: skip
PLACES = pd.DataFrame({"cell": [1, 2], "lon": [0.5, 1.0], "lat": [0.0, 0.0]})
STRIPS = gpd.GeoDataFrame(
    {"landing_site_id": ["long", "short", "untold"], "runway_m": [800, 300, None]},
    geometry=gpd.points_from_xy([0.99, 1.0, 0.5], [0, 0, 0]), crs="EPSG:4326",
)  # fmt: skip


def test_minutes_are_readiness_flight_and_landing() -> None:
    table = air_table(PLACES, BASES, HELICOPTER).set_index(["base_id", "cell"])
    flight = ONE_DEGREE_EAST_M / 2 / 3000
    assert table.loc[("A", 1), "reach_min"] == pytest.approx(30 + flight + 10)
    assert table.loc[("B", 1), "assumed"] == "readiness 30 min"
    assert table.loc[("B", 1), "binding"] == "by day only"
    assert np.isnan(table.loc[("A", 2), "reach_min"])  # 111 km, range 100
    assert table.loc[("A", 2), "binding"] == "max_range"
    assert table.loc[("B", 2), "distance_m"] == pytest.approx(ONE_DEGREE_EAST_M, abs=0.01)


def test_what_is_beyond_the_horizon_is_left_out() -> None:
    assert len(air_table(PLACES, BASES, HELICOPTER, horizon_min=60)) == 2
    assert len(air_table(PLACES, BASES, HELICOPTER, horizon_min=20)) == 0
    with pytest.raises(BadInput, match="horizon_min"):
        air_table(PLACES, BASES, HELICOPTER, horizon_min=0)


def test_a_plane_needs_a_runway_and_people_walk_on() -> None:
    table = air_table(PLACES, BASES, PLANE, landing_sites=STRIPS)
    assert table["landing_site_id"].tolist() == ["long", "long"]  # the others are too short
    assert table["base_id"].tolist() == ["B", "A"]
    assert table["binding"].tolist() == ["by day only", "max_range"]
    walk = ONE_DEGREE_EAST_M * 0.01 / 50
    flight = ONE_DEGREE_EAST_M * 0.99 / 3000
    assert table["reach_min"].iloc[0] == pytest.approx(30 + flight + 10 + walk)
    assert np.isnan(table["reach_min"].iloc[1])
    with pytest.raises(BadInput, match="landing_sites"):
        air_table(PLACES, BASES, PLANE)


def test_a_range_that_ends_before_the_strip_binds() -> None:
    near = BASES.assign(max_range_km=[120, 50])
    table = air_table(PLACES, near, PLANE, landing_sites=STRIPS).set_index("base_id")
    assert table.loc["A", "reach_min"] > 0
    assert table.loc["B", "binding"] == "max_range"


def test_landings_are_seeds_for_those_who_go_on() -> None:
    found = air_landings(BASES, STRIPS, dataclasses.replace(PLANE, least_runway_m=0))
    assert set(found["landing_site_id"]) == {"long", "short", "untold"}
    assert (
        STRIPS["landing_site_id"].iloc[found["row"]].tolist() == found["landing_site_id"].tolist()
    )
    refused = STRIPS.assign(helicopter=[False, True, None])
    kept = air_landings(BASES, refused, dataclasses.replace(PLANE, least_runway_m=0))
    assert set(kept["landing_site_id"]) == {"short", "untold"}


@settings(derandomize=True, max_examples=10, deadline=None)
@given(st.integers(0, 999))
def test_the_way_by_landing_site_is_the_quickest_there_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strips = gpd.GeoDataFrame(
        {"landing_site_id": list("abcdef")},
        geometry=gpd.points_from_xy(rng.uniform(0.4, 0.6, 6), rng.uniform(-0.1, 0.1, 6)),
        crs="EPSG:4326",
    )
    places = pd.DataFrame(
        {"cell": range(20), "lon": rng.uniform(0.4, 0.6, 20), "lat": rng.uniform(-0.1, 0.1, 20)}
    )
    rule = dataclasses.replace(PLANE, least_runway_m=0, onward_km=8)
    table = air_table(places, BASES.head(1), rule, landing_sites=strips, horizon_min=600)
    found = table.set_index("cell")["reach_min"]
    for place in places.itertuples():
        walk = distance_m(place.lon, place.lat, strips.geometry.x, strips.geometry.y)
        flight = distance_m(0, 0, strips.geometry.x, strips.geometry.y)
        ways = (30 + flight / 3000 + 10 + walk / 50)[walk <= 8000]
        assert (place.cell in found.index) == (len(ways) > 0)
        if len(ways):
            assert found[place.cell] == pytest.approx(ways.min())
