"""Roads as vertices: lengths kept, meetings found, ways to the nearest centres."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells.grid import centres, cover
from pocgeo.cells.roads import RoadNetwork, connectors, road_network
from pocgeo.ground.errors import BadInput, MissingColumns
from pocgeo.ground.geodesy import distance_m


def layer(*lines: object, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs=4326)


def wandering(seed: int, vertices: int = 60) -> shapely.LineString:
    rng = np.random.default_rng(seed)
    return shapely.LineString(
        np.cumsum(rng.normal(0, 0.004, (vertices, 2)), axis=0) + np.array([27, 6])
    )


def length_m(geometry: object) -> float:
    total = 0.0
    for line in shapely.get_parts(geometry):
        points = shapely.get_coordinates(line)
        total += distance_m(*points[:-1].T, *points[1:].T).sum()
    return float(total)


def pieces(network: RoadNetwork) -> int:
    return len(np.unique(network.component))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.sampled_from([40.0, 250, 9e3]))
def test_edges_add_up_to_the_roads(seeds: list[int], max_edge_m: float) -> None:
    roads = layer(*(wandering(seed) for seed in seeds))
    network = road_network(roads, max_edge_m)
    for row, line in enumerate(roads.geometry):
        mine = network.length_m[network.row == row].astype("float64")
        # an inserted meeting lies on the chord in degrees, or up to 10 m beside the line
        assert mine.sum() == pytest.approx(length_m(line), rel=5e-4)
    assert (network.length_m <= max_edge_m * (1 + 1e-6)).all()
    ends = [part[side] for side in (network.u, network.v) for part in (network.lon, network.lat)]
    assert (distance_m(*ends) <= network.length_m * (1 + 1e-5) + 0.01).all()


def test_many_close_vertices_become_few_edges_of_the_same_length() -> None:
    line = shapely.segmentize(shapely.LineString([(27, 6), (27.05, 6.02)]), 0.0001)
    network = road_network(layer(line), 250)
    assert len(network.u) == int(np.ceil(length_m(line) / 250))
    assert network.length_m.sum() == pytest.approx(length_m(line), rel=1e-6)


CROSS = (
    shapely.LineString([(27, 6), (27.02, 6.02)]),
    shapely.LineString([(27, 6.02), (27.02, 6)]),
)


def test_roads_meet_where_they_cross_unless_one_is_a_bridge() -> None:
    assert pieces(road_network(layer(*CROSS))) == 1
    assert pieces(road_network(layer(*CROSS, bridge=[True, None]))) == 2
    assert pieces(road_network(layer(*CROSS, bridge=[False, None]))) == 1


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        (shapely.LineString([(27.02, 6.02), (27.05, 6.02)]), 1),  # end to end
        (shapely.LineString([(27.01, 6.01), (27.05, 6.01)]), 1),  # a T, but for rounding
        (shapely.LineString([(27.01005, 6.01), (27.05, 6.01)]), 1),  # 4 m short of it
        (shapely.LineString([(27.011, 6.01), (27.05, 6.01)]), 2),  # 80 m short of it
        (shapely.LineString([(27.00, 6.01), (27.02, 6.03)]), 2),  # beside it
    ],
)
def test_roads_meet_where_they_touch(other: shapely.LineString, parts: int) -> None:
    assert pieces(road_network(layer(CROSS[0], other))) == parts


def test_a_bridge_still_joins_the_roads_at_its_ends() -> None:
    over = shapely.LineString([(27.02, 6.02), (27.03, 6.03)])
    assert pieces(road_network(layer(CROSS[0], over, bridge=[False, True]))) == 1


def test_the_longest_piece_is_number_nought() -> None:
    far = shapely.LineString([(28, 6), (28.2, 6)])
    network = road_network(layer(CROSS[0], far))
    assert set(network.component[network.lon > 27.5]) == {0}


def test_a_ring_road_and_a_multiline_are_roads() -> None:
    ring = shapely.LineString([(27, 6), (27.02, 6), (27.02, 6.02), (27, 6)])
    both = shapely.MultiLineString([CROSS[0], CROSS[1]])
    network = road_network(layer(ring, both))
    assert set(network.row) == {0, 1}
    assert network.length_m.sum() == pytest.approx(length_m(ring) + length_m(both), rel=1e-5)


def test_no_roads_make_no_network() -> None:
    for roads in (layer(), layer(None, shapely.LineString())):
        network = road_network(roads)
        assert len(network.u) == len(network.lon) == 0
    cells = cover(shapely.box(27, 6, 27.05, 6.05), 8)
    assert len(connectors(network, cells).vertex) == 0


def test_connectors_lead_to_the_seven_nearest_centres() -> None:
    cells = cover(shapely.box(26.9, 5.9, 27.2, 6.2), 8)
    network = road_network(layer(CROSS[0]))
    joins = connectors(network, cells)
    lon, lat = centres(cells)
    for vertex in range(len(network.lon)):
        away = distance_m(network.lon[vertex], network.lat[vertex], lon, lat)
        mine = joins.vertex == vertex
        assert set(joins.cell[mine]) == set(np.argsort(away)[:7])
        np.testing.assert_allclose(np.sort(joins.length_m[mine]), np.sort(away)[:7], rtol=1e-5)
    shapes = np.asarray([cells[home] for home in joins.home])
    assert (joins.home >= 0).all() and len(shapes) == len(network.lon)


def test_a_road_that_leaves_the_cells_has_no_way_into_them() -> None:
    cells = cover(shapely.box(26.9, 5.9, 27.0, 6.0), 8)
    network = road_network(layer(shapely.LineString([(26.95, 5.95), (27.5, 5.95)])))
    joins = connectors(network, cells)
    far = network.lon > 27.1
    assert far.any() and not np.isin(np.flatnonzero(far), joins.vertex).any()
    assert (joins.home[far] == -1).all()


def test_what_is_no_line_is_refused_by_its_row() -> None:
    with pytest.raises(BadInput, match="row 1 holds a Polygon"):
        road_network(layer(CROSS[0], shapely.box(0, 0, 1, 1)))
    with pytest.raises(BadInput, match="max_edge_m"):
        road_network(layer(CROSS[0]), 0)
    with pytest.raises(MissingColumns):
        road_network(gpd.GeoDataFrame({"road_id": ["a"]}))
