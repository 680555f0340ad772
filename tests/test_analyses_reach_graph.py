"""Minutes over the ground: against geodesics, a slow heap, and the laws that any map must keep."""

import heapq
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.reach.graph import (
    RESCALE,
    Field,
    Sites,
    TravelGraph,
    farthest_m,
    field,
    sites_of,
    tobler,
    travel_graph,
)
from pocgeo.analyses.reach.places import cell_bands, reach_at
from pocgeo.analyses.reach.seeds import departures, origins_of
from pocgeo.analyses.reach.table import ReachTable, reach_minutes
from pocgeo.cells.grid import centres, cover
from pocgeo.cells.lattice import Lattice, lattice
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import buffer_m, distance_m

QUIET = settings(derandomize=True, max_examples=20, deadline=None)


def cells_in(west: float, south: float, east: float, north: float) -> pd.DataFrame:
    cells = cover(shapely.box(west, south, east, north), 8)
    lon, lat = centres(cells)
    return pd.DataFrame({"cell": cells, "lon": lon, "lat": lat})


def layer(*lines: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(lines), crs=4326)


ROADS = layer(
    shapely.LineString([(27.01, 6.02), (27.08, 6.05), (27.14, 6.12)]),
    shapely.LineString([(27.14, 6.02), (27.02, 6.13)]),
)
RIVER = layer(shapely.LineString([(26.9, 6.08), (27.3, 6.10)]))
DRY, WADED = np.array([np.inf]), np.array([7.0])


@pytest.fixture(scope="module")
def land() -> Lattice:
    return lattice(cells_in(27, 6, 27.15, 6.15), ROADS, RIVER)


def rough(land: Lattice, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(5, 30, len(land.cells))


def walked(land: Lattice, *, seed: int = 0, road: float = 2.0, water: object = None) -> TravelGraph:
    paces = np.full(len(land.network.u), road)
    return travel_graph(land, rough(land, seed), paces, crossing_min=water)


def at(*nodes: int) -> Sites:
    return sites_of([[(node, 0.0)] for node in nodes])


# --- against the geodesic


@pytest.mark.parametrize("place", [(28.95, 7.95), (29.0, -1.5), (35.5, 33.3)])
def test_a_uniform_plane_is_told_within_two_per_cent(place: tuple[float, float]) -> None:
    lon, lat = place
    cells = cells_in(lon - 0.85, lat - 0.83, lon + 0.85, lat + 0.83)
    graph = travel_graph(lattice(cells), np.ones(len(cells)), np.zeros(0))
    start = int(np.argmin(np.hypot(cells["lon"] - lon, cells["lat"] - lat)))
    crow = distance_m(cells["lon"][start], cells["lat"][start], cells["lon"], cells["lat"])
    some = (crow > 10_000) & (crow < 90_000)
    error = field(graph, at(start)).minutes[some] / (crow[some] / 1000) - 1
    assert np.abs(error).max() <= 0.0201  # the bar is 2 %; 12 directions can do no better
    assert np.abs(error).mean() <= 0.01
    assert error.min() >= RESCALE - 1 - 1e-4


# --- against a slow heap


def slow(graph: TravelGraph, seeds: list[tuple[int, float]], limit: float) -> np.ndarray:
    minutes = np.full(len(graph.lon), np.inf)
    heap = [(start, node) for node, start in seeds]
    while heap:
        now, node = heapq.heappop(heap)
        if now >= minutes[node] or now > limit:
            continue
        minutes[node] = now
        for arc in range(graph.indptr[node], graph.indptr[node + 1]):
            heapq.heappush(heap, (now + float(graph.minutes[arc]), int(graph.indices[arc])))
    return minutes


def random_graph(rng: np.random.Generator) -> TravelGraph:
    nodes, arcs = int(rng.integers(2, 40)), int(rng.integers(0, 160))
    u, v = rng.integers(nodes, size=(2, arcs))
    pairs = np.unique(np.stack([u[u != v], v[u != v]]), axis=1)
    count = np.bincount(pairs[0], minlength=nodes)
    return TravelGraph(
        indptr=np.append(0, np.cumsum(count)).astype(np.int32),
        indices=pairs[1].astype(np.int32),
        minutes=rng.uniform(0.1, 9, pairs.shape[1]).astype(np.float32),
        cells_n=int(rng.integers(1, nodes + 1)),
        lon=rng.uniform(27, 27.3, nodes),
        lat=rng.uniform(6, 6.3, nodes),
        pace=np.ones(nodes, dtype=np.float32),
    )


@pytest.mark.parametrize("block", range(4))
def test_field_and_table_equal_a_slow_heap_on_200_graphs(block: int) -> None:
    rng = np.random.default_rng(block)
    for _ in range(50):
        graph = random_graph(rng)
        nodes, sites_n = len(graph.lon), int(rng.integers(1, 5))
        seeds = [
            [
                (int(node), float(np.float32(rng.uniform(0, 3))))
                for node in rng.integers(nodes, size=int(rng.integers(0, 4)))
            ]
            for _ in range(sites_n)
        ]
        limit = float(rng.choice([3.3, 8.0, 25.0]))
        each = np.array([slow(graph, site, limit) for site in seeds])
        sites = sites_of(seeds)
        found = field(graph, sites, limit)
        np.testing.assert_allclose(found.minutes, each.min(axis=0), rtol=1e-5, atol=1e-5)
        reached = np.isfinite(found.minutes)
        assert (found.site[~reached] == -1).all()
        own = each[found.site[reached], np.flatnonzero(reached)]
        np.testing.assert_allclose(own, found.minutes[reached], rtol=1e-5, atol=1e-5)
        table = reach_minutes(graph, sites, limit)
        dense = np.full((sites_n, nodes), np.inf)
        dense[table.site, table.cell] = table.minutes
        cells = graph.cells_n
        np.testing.assert_allclose(dense[:, :cells], each[:, :cells], rtol=1e-5, atol=1e-5)


# --- laws


def no_longer(after: Field, before: Field) -> bool:
    return bool((after.minutes <= before.minutes * (1 + 1e-6)).all())


@QUIET
@given(
    st.lists(st.integers(0, 250), min_size=1, max_size=4), st.integers(0, 250), st.integers(0, 9)
)
def test_a_base_more_makes_nobody_wait_longer(
    land: Lattice, bases: list[int], more: int, seed: int
) -> None:
    graph = walked(land, seed=seed)
    assert no_longer(field(graph, at(*bases, more)), field(graph, at(*bases)))


@QUIET
@given(st.integers(0, 250), st.integers(0, 1), st.integers(0, 9), st.booleans())
def test_a_road_opened_makes_nobody_wait_longer(
    land: Lattice, base: int, road: int, seed: int, waded: bool
) -> None:
    water = WADED if waded else DRY
    every = np.full(len(land.network.u), 2.0)
    closed = np.where(land.network.row == road, np.inf, every)
    pace = rough(land, seed)
    shut = field(travel_graph(land, pace, closed, crossing_min=water), at(base))
    assert no_longer(field(travel_graph(land, pace, every, crossing_min=water), at(base)), shut)


@QUIET
@given(st.integers(0, 250), st.integers(0, 9), st.floats(1, 5), st.floats(1, 5))
def test_a_season_slower_everywhere_is_faster_nowhere(
    land: Lattice, base: int, seed: int, mud: float, floods: float
) -> None:
    pace, roads = rough(land, seed), np.full(len(land.network.u), 2.0)
    dry = field(travel_graph(land, pace, roads, crossing_min=WADED), at(base))
    worse = travel_graph(land, pace * mud, roads * floods, crossing_min=WADED * mud)
    assert no_longer(dry, field(worse, at(base)))


@QUIET
@given(st.integers(0, 9), st.integers(0, 250), st.integers(0, 250))
def test_there_and_back_take_the_same_on_flat_ground(
    land: Lattice, seed: int, here: int, there: int
) -> None:
    graph = walked(land, seed=seed, water=WADED)
    out, back = field(graph, at(here)).minutes[there], field(graph, at(there)).minutes[here]
    assert out == pytest.approx(back, rel=1e-5)


def test_a_river_is_crossed_on_roads_only_unless_it_has_a_price(land: Lattice) -> None:
    south = int(np.argmin(land.lat[: len(land.cells)]))
    closed = np.full(len(land.network.u), np.inf)
    north = land.lat[: len(land.cells)] > 6.12
    flat = np.full(len(land.cells), 10.0)

    def told(roads: np.ndarray, water: np.ndarray | None) -> np.ndarray:
        graph = travel_graph(land, flat, roads, crossing_min=water)
        return field(graph, at(south)).minutes[: len(land.cells)][north]

    open_road = np.full(len(closed), 2.0)
    assert np.isinf(told(closed, None)).all() and np.isinf(told(closed, DRY)).all()
    assert np.isfinite(told(open_road, None)).all()
    free = told(closed, np.array([0.0]))
    np.testing.assert_allclose(told(closed, WADED), free + 7.0, rtol=1e-5)


def test_impassable_cells_are_gone_round_or_not_reached(land: Lattice) -> None:
    pace = np.full(len(land.cells), 10.0)
    wall = np.abs(land.lon[: len(pace)] - 27.07) < 0.02
    pace[wall] = np.inf
    graph = travel_graph(land, pace, np.full(len(land.network.u), np.inf), crossing_min=WADED)
    west = int(np.argmin(land.lon[: len(pace)]))
    minutes = field(graph, at(west)).minutes[: len(pace)]
    assert np.isinf(minutes[wall]).all() and np.isinf(minutes[land.lon[: len(pace)] > 27.1]).all()


# --- slope


def test_tobler_is_the_published_curve() -> None:
    # Tobler (1993): 6 km/h at -5 %, 5.04 km/h on the flat, exp(-3.5 * 0.15) * 6 at 10 % up.
    np.testing.assert_allclose(
        6 * np.exp(-3.5 * 0.05) / tobler(np.array([-0.05, 0.0, 0.1])),
        [6.0, 5.0367, 6 * np.exp(-3.5 * 0.15)],
        rtol=1e-4,
    )


def test_uphill_takes_longer_than_downhill(land: Lattice) -> None:
    cells_n = len(land.cells)
    height = (land.lat[:cells_n] - 6.0) * 10_000  # 1,500 m in 16 km, to the north
    roads = np.full(len(land.network.u), 12.0)
    flat = np.full(cells_n, 12.0)
    graph = travel_graph(land, flat, roads, crossing_min=WADED, elevation_m=height)
    low, high = int(np.argmin(height)), int(np.argmax(height))
    up, down = field(graph, at(low)).minutes[high], field(graph, at(high)).minutes[low]
    level = field(travel_graph(land, flat, roads, crossing_min=WADED), at(low)).minutes[high]
    assert up > 1.2 * level and down < up
    same = travel_graph(land, flat, roads, crossing_min=WADED, elevation_m=np.zeros(cells_n))
    assert field(same, at(low)).minutes[high] == pytest.approx(level, rel=1e-6)


def test_a_slope_may_close_an_arc_one_way(land: Lattice) -> None:
    cells_n = len(land.cells)
    height = (land.lat[:cells_n] - 6.0) * 30_000
    graph = travel_graph(
        land,
        np.full(cells_n, 12.0),
        np.full(len(land.network.u), np.inf),
        crossing_min=WADED,
        elevation_m=height,
        slope=lambda rise: np.where(rise > 0.05, np.inf, 1.0),
    )
    low, high = int(np.argmin(height)), int(np.argmax(height))
    assert np.isfinite(graph.minutes).all()
    assert np.isinf(field(graph, at(low)).minutes[high])
    assert np.isfinite(field(graph, at(high)).minutes[low])


# --- seeds, places, bands


def test_departures_are_inside_the_perimeter_and_around_it(land: Lattice) -> None:
    graph = walked(land)
    spot = shapely.Point(27.05, 6.04)
    camp = buffer_m(spot, 1500)
    point, wide, far = (
        departures(land, graph, [shape], 30.0) for shape in (spot, camp, shapely.Point(40, 40))
    )
    assert len(point.node) >= 7 and point.minutes.min() >= 30
    inside = shapely.contains_xy(camp, land.lon[wide.node], land.lat[wide.node])
    assert inside.sum() > 5 and (wide.minutes[inside] == 30).all()
    assert (wide.minutes[~inside] > 30).all()
    assert far.indptr.tolist() == [0, 0]
    assert (field(graph, far).site == -1).all()
    with pytest.raises(BadInput, match="notice_min"):
        departures(land, graph, [spot], -1)


def test_departures_do_not_cross_water_for_nothing(land: Lattice) -> None:
    graph = walked(land, water=WADED)
    spot = shapely.Point(27.05, 6.087)  # just south of the river
    dry, waded = (departures(land, graph, [spot], crossing_min=water) for water in (None, WADED))
    assert set(dry.node) < set(waded.node)
    assert (land.lat[dry.node] < 6.095).all()


def test_a_place_is_told_at_least_as_soon_as_over_its_own_centre(land: Lattice) -> None:
    graph = walked(land)
    told = field(graph, departures(land, graph, [shapely.Point(27.05, 6.04)]))
    rng = np.random.default_rng(0)
    spots = pd.DataFrame(
        rng.uniform((27.02, 6.02), (27.13, 6.06), (200, 2)), columns=["lon", "lat"]
    )
    asked = reach_at(land, graph, told, spots)
    assert (asked["low_min"] <= asked["reach_min"]).all()
    assert (asked["reach_min"] <= asked["high_min"]).all()
    cells_n = len(land.cells)
    for row in range(0, 200, 10):
        lon, lat = spots.loc[row, ["lon", "lat"]]
        away = distance_m(lon, lat, land.lon[:cells_n], land.lat[:cells_n])
        home = int(np.argmin(away))
        most = told.minutes[home] + away[home] / 1000 * graph.pace[home]
        assert asked["reach_min"][row] <= most + 1e-3
    centre = pd.DataFrame({"lon": land.lon[:cells_n], "lat": land.lat[:cells_n]})
    at_centre = reach_at(land, graph, told, centre)["reach_min"]
    assert (at_centre <= told.minutes[:cells_n] + 1e-4).all()


def test_beside_a_base_the_base_itself_is_asked(land: Lattice) -> None:
    graph = walked(land, road=np.inf)
    lon, lat = 27.052, 6.043
    told = field(graph, departures(land, graph, [shapely.Point(lon, lat)]))
    spot = pd.DataFrame(
        {"lon": [lon + 0.002, np.nan], "lat": [lat, 6.0]}, index=["near", "unknown"]
    )
    exact = origins_of([shapely.Point(lon, lat)])
    over, straight = (reach_at(land, graph, told, spot, origins=each) for each in (None, exact))
    crow_km = float(distance_m(lon, lat, lon + 0.002, lat)) / 1000
    assert straight["reach_min"]["near"] <= crow_km * graph.pace.max()
    assert straight["reach_min"]["near"] < over["reach_min"]["near"]
    assert straight["site"]["near"] == 0
    assert np.isnan(straight["reach_min"]["unknown"]) and straight["site"]["unknown"] == -1


def test_a_base_and_a_place_on_impassable_ground_wait_for_nobody(land: Lattice) -> None:
    pace = np.full(len(land.cells), np.inf)
    graph = travel_graph(land, pace, np.full(len(land.network.u), 2.0), crossing_min=WADED)
    vertex = len(land.cells) + 3
    lon, lat = land.lon[vertex], land.lat[vertex]
    told = field(graph, departures(land, graph, [shapely.Point(lon, lat)]))
    assert told.minutes[vertex] < 0.01 and np.isinf(told.minutes[: len(land.cells)]).all()
    asked = reach_at(
        land, graph, told, pd.DataFrame({"lon": [lon, lon + 0.003], "lat": [lat, lat]})
    )
    assert asked["reach_min"].tolist() == [pytest.approx(0, abs=0.01), np.inf]


def test_origins_of_a_perimeter_are_all_along_it() -> None:
    camp, spot = shapely.box(27.05, 6.04, 27.06, 6.05), shapely.Point(27.1, 6.1)
    found = origins_of([camp, spot], [10.0, 20.0])
    assert np.bincount(found.site).tolist() == [41, 1]
    assert found.minutes[[0, -1]].tolist() == [10.0, 20.0]
    assert (
        shapely.boundary(camp).distance(shapely.MultiPoint(np.c_[found.lon, found.lat][:-1])) == 0
    )


def test_bands_hold_what_is_asked_inside_the_cell(land: Lattice) -> None:
    graph = walked(land)
    told = field(graph, departures(land, graph, [shapely.Point(27.05, 6.04)]))
    rows = np.flatnonzero(np.isfinite(told.minutes[: len(land.cells)]))[:40]
    band = cell_bands(land, graph, told, rows)
    assert band.index.tolist() == land.cells[rows].tolist()
    assert (band["low_min"] <= band["high_min"]).all()
    assert (band["low_min"] < band["high_min"] - 1).any()
    np.testing.assert_array_equal(band["reach_min"], told.minutes[rows])


# --- the table


@pytest.fixture(scope="module")
def reached(land: Lattice) -> tuple[TravelGraph, ReachTable]:
    graph = walked(land, water=WADED)
    return graph, reach_minutes(graph, at(0, 40, 90, 150, 210), 60.0)


def test_reductions_are_what_searching_again_would_find(
    land: Lattice, reached: tuple[TravelGraph, ReachTable]
) -> None:
    graph, table = reached
    nodes = [0, 40, 90, 150, 210]
    for sites in (None, [0, 3], [2], np.array([True, False, True, True, False])):
        chosen = np.flatnonzero(table.standing(sites))
        again = field(graph, at(*(nodes[site] for site in chosen)), 60.0)
        found = table.field(sites)
        cells_n = len(land.cells)
        np.testing.assert_allclose(found.minutes, again.minutes[:cells_n], rtol=1e-6)
        each = np.stack([field(graph, at(nodes[site]), 60.0).minutes[:cells_n] for site in chosen])
        second = np.sort(each, axis=0)[1] if len(chosen) > 1 else np.full(cells_n, np.inf)
        np.testing.assert_allclose(table.backup(sites).minutes, second, rtol=1e-6)
        np.testing.assert_array_equal(table.covers(30, sites), (each <= 30).sum(axis=0))


def test_removing_is_the_inverse_of_adding(reached: tuple[TravelGraph, ReachTable]) -> None:
    _, table = reached
    there = table.what_if([0, 1], [0, 1, 4])
    back = table.what_if([0, 1, 4], [0, 1])
    assert not there.lost.any() and not back.gained.any()
    np.testing.assert_array_equal(there.gained, back.lost)
    np.testing.assert_array_equal(there.before_min, back.after_min)
    moved = table.what_if([0, 1], [0, 2])
    assert moved.gained.any() and moved.lost.any()


def test_people_reached_by_one_site_alone(reached: tuple[TravelGraph, ReachTable]) -> None:
    _, table = reached
    people = np.arange(table.cells_n, dtype=float)
    told = table.weighed(people, 30.0, [0, 1, 3])
    assert told.index.tolist() == [0, 1, 3]
    everyone = people[table.field([0, 1, 3]).minutes <= 30].sum()
    for site in (0, 1, 3):
        rest = [other for other in (0, 1, 3) if other != site]
        left = people[table.field(rest).minutes <= 30].sum()
        assert told.loc[site, "alone"] == pytest.approx(everyone - left)


def test_the_table_refuses_what_it_does_not_hold(reached: tuple[TravelGraph, ReachTable]) -> None:
    graph, table = reached
    with pytest.raises(BadInput, match="up to 60 min, not 90"):
        table.covers(90)
    with pytest.raises(BadInput, match="numbered 0 to 4"):
        table.field([5])
    with pytest.raises(BadInput, match="limit_min"):
        reach_minutes(graph, at(0), np.inf)
    empty = reach_minutes(graph, sites_of([[], []]), 30)
    assert empty.sites_n == 2 and (empty.field().site == -1).all()
    assert list(table.pairs().columns) == ["site", "position", "reach_min"]


def test_nonsense_paces_are_refused(land: Lattice) -> None:
    roads = np.ones(len(land.network.u))
    with pytest.raises(BadInput, match="pace needs one number per cell"):
        travel_graph(land, np.ones(3), roads)
    with pytest.raises(BadInput, match="road_pace of road edge 0 must be more than 0"):
        travel_graph(land, np.ones(len(land.cells)), roads * 0)
    with pytest.raises(BadInput, match="elevation_m"):
        travel_graph(land, np.ones(len(land.cells)), roads, elevation_m=np.zeros(3))


def test_nobody_gets_farther_than_the_bound(land: Lattice) -> None:
    graph = walked(land)
    assert farthest_m(graph, 3.0) == pytest.approx(1500, rel=0.01)  # 2 min/km on the road
    start = len(land.cells) + 5
    minutes = field(graph, at(start), 12.0).minutes
    away = distance_m(land.lon[start], land.lat[start], land.lon, land.lat)
    assert away[np.isfinite(minutes)].max() <= farthest_m(graph, 12.0)
    quick = replace(graph, minutes=graph.minutes.copy())
    places = np.stack([land.lon, land.lat])
    head = np.repeat(np.arange(len(graph.lon)), np.diff(graph.indptr))
    short = distance_m(*places[:, head], *places[:, graph.indices]) < 9
    quick.minutes[short] = 1e-6
    assert farthest_m(quick, 3.0) <= farthest_m(graph, 3.0) + 9 * short.sum()
    none = replace(
        graph, indptr=graph.indptr * 0, indices=graph.indices[:0], minutes=np.zeros(0, "f4")
    )
    assert farthest_m(none, 60.0) == 0
