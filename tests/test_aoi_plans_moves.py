"""Moves that can be carried out: no base is sent where it has no way, unless it is flown."""

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.reach.marches import march_minutes
from pocgeo.aoi.area import Aoi
from pocgeo.aoi.plans.answer import answered, tables_of
from pocgeo.aoi.plans.asked import Idea, plan_asked
from pocgeo.aoi.plans.caveats import words_of_ways
from pocgeo.aoi.plans.ideas import rivals
from pocgeo.aoi.travel import ground_of
from pocgeo.cells.lattice import lattice
from pocgeo.ground.geodesy import distance_m
from tests.test_analyses_deployment import siting_of

SMALL = {"candidates_n": 25, "speed_change": 0.0}
DAY = pd.Timestamp("2026-06-30", tz="UTC")
RIVER_LON = 4.05


def parted(sample: Aoi) -> Any:
    """Give the sample's ground without its roads, a river from coast to coast across it."""
    ground = ground_of(sample.indexed, DAY)
    rows = ground.lattice.waterways.iloc[:1].copy()
    rows["kind"] = "river"
    rows.geometry = [shapely.LineString([(RIVER_LON, lat) for lat in np.arange(1.0, 3.5, 0.001)])]
    cells = sample.indexed.known("cells")
    bare = lattice(cells, None, rows)
    return replace(ground, lattice=bare, roads=None, road_flooded=None)


def test_nobody_marches_over_a_river_without_a_bridge(sample: Aoi) -> None:
    ground = parted(sample)
    cells = sample.indexed.known("cells")
    kinds = list(ground.lattice.waterways.columns)
    assert "kind" in kinds
    places = cells.iloc[np.linspace(0, len(cells) - 1, 60).astype(int)]
    east = places["lon"].to_numpy() > RIVER_LON
    aside = np.abs(places["lon"].to_numpy() - RIVER_LON) > 0.02
    assert 5 < east.sum() < 55
    middle = cells.assign(far=distance_m(cells["lon"], cells["lat"], RIVER_LON + 0.15, 2.1))
    start = middle.nsmallest(1, "far").iloc[0]
    base: Any = shapely.Point(start["lon"], start["lat"])
    bases = gpd.GeoDataFrame(
        {"mobility": ["tracked", "air"]}, geometry=[base, base], crs="EPSG:4326"
    )
    minutes = march_minutes(
        ground, bases, places["cell"], season="dry", limit_min=2_880.0, as_of=DAY
    )
    assert np.isnan(minutes[0, ~east & aside]).all()
    assert np.isfinite(minutes[0, east & aside]).mean() > 0.8  # some ground nobody drives on
    assert np.isfinite(minutes[1]).all()
    far = distance_m(start["lon"], start["lat"], places["lon"], places["lat"])
    rule = ground.rules.air
    flown = far / 1000 / rule.speed_kmh * 60 + rule.landing_min
    np.testing.assert_allclose(minutes[1], flown, rtol=1e-9)


def moved(sample: Aoi, **said: Any) -> tuple[list[float], list[str], tuple[str, ...]]:
    """Give the marches of the moves of a plan, the places they lead to, and its notes."""
    asked = plan_asked(sample.indexed, {"moves": 2, **SMALL, **said})
    assert asked is not None
    made = answered(sample.indexed, None, asked)
    march = made.scene.march_min
    assert march is not None
    minutes = [float(march[order.base, order.place]) for order in made.orders]
    places = [made.scene.siting.site_id[order.place] for order in made.orders]
    return minutes, places, made.scene.notes


def test_a_move_takes_no_longer_than_the_longest_march(sample: Aoi) -> None:
    """Ways of 80 minutes: the moves asked for are not those of two days; by air they are."""
    free, places, _ = moved(sample)
    assert max(free) > 80
    short, nearer, _ = moved(sample, march_limit_min=80.0)
    assert short
    assert max(short) <= 80
    assert nearer != places
    none, _, notes = moved(sample, march_limit_min=1.0)
    assert none == []
    assert any("so no move is proposed" in note for note in notes)
    flown, there, _ = moved(sample, march_limit_min=80.0, moves_by="air")
    assert there == places
    assert max(flown) < max(free)


def test_bases_without_a_way_are_named() -> None:
    siting = siting_of(np.full((4, 1), 10.0), np.ones(1), 3, np.zeros((4, 1)))
    sites = pd.DataFrame({"name": ["Ford", "Mill", "Hill", "Place"]})
    ways = np.zeros((4, 4), bool)
    assert words_of_ways(sites, siting, DeploymentStandard()) == []
    said = words_of_ways(sites, replace(siting, passable=ways), DeploymentStandard())
    assert len(said) == 1
    assert said[0].startswith("No base has a way of at most 2 days")
    ways[0, 3] = True
    kept = replace(siting, passable=ways, fixed=np.array([False, False, True, False]))
    said = words_of_ways(sites, kept, DeploymentStandard())
    assert said == [
        "Not moved, no way of at most 2 days to any candidate place within 150 km: Mill "
        "(--moves-by air lets bases be flown)."
    ]


def test_an_idea_without_a_way_says_so(sample: Aoi) -> None:
    idea = Idea(moves=(("B06", "Jorvand"),))
    asked = plan_asked(sample.indexed, SMALL | {"march_limit_min": 90.0}, sized=False)
    assert asked is not None
    made = rivals(sample.indexed, None, idea, asked)
    march = made.best.scene.march_min
    assert march is not None
    assert all(march[order.base, order.place] <= 90 for order in made.best.orders)
    assert made.ours.ways == {}
    orders = tables_of(made.ours, sample.indexed, None)["plan"]
    assert "No way there of at most 1.5 hours" in orders["why"].iloc[0]
    near = replace(asked, standard=replace(asked.standard, move_limit_km=10.0))
    told = rivals(sample.indexed, None, idea, near)
    assert any("30 km, more than 10 km" in note for note in told.notes)
    apart = told.best.scene.siting.distance_km
    assert apart is not None
    assert all(apart[order.base, order.place] <= 10 for order in told.best.orders)


def test_orders_of_moves_tell_means_way_and_caveats(sample: Aoi) -> None:
    area = sample.planned(idea={"moves": (("B06", "Jorvand"),)}, **SMALL)
    order = area.table("plan").iloc[0]
    assert order["march_by"] == "on wheels"
    assert order["unit"] == "K6"
    assert order["caveat"] == "Foot only above the last bridge; no moves by night"
    assert order["march_km"] > order["move_km"] > 20
    assert 0.8 * order["march_km"] < order["march_road_km"] <= order["march_km"]
    line = area.table("plan_moves").geometry.iloc[0]
    ends = (area.table(name).geometry.iloc[0] for name in ("plan_left", "plan_taken"))
    for end, spot in zip(ends, (line.coords[0], line.coords[-1]), strict=True):
        assert distance_m(end.x, end.y, *spot) < 100
    steps = np.array(line.coords)
    length = distance_m(steps[:-1, 0], steps[:-1, 1], steps[1:, 0], steps[1:, 1]).sum()
    assert length == pytest.approx(1000 * order["march_km"], rel=1e-6)
    assert area.table("plan_left")["kind"].tolist() == ["TOB"]
    flown = sample.planned(idea={"moves": (("B06", "Jorvand"),)}, **SMALL, moves_by="air")
    assert len(flown.table("plan_moves").geometry.iloc[0].coords) == 2
    assert flown.table("plan")["march_by"].tolist() == ["by air"]


def test_a_standard_knows_two_ways_to_move() -> None:
    with pytest.raises(ValueError, match="moves_by must be ground or air, got 'sea'"):
        DeploymentStandard(moves_by="sea")
