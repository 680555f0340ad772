"""Edges cut by water, against every edge tested with every waterway."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from pocgeo.cells.arcs import arcs
from pocgeo.cells.barriers import crossed, cut
from pocgeo.cells.grid import centres, cover, disk
from pocgeo.ground.errors import MissingColumns


def waters(*shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=4326)


def river(seed: int) -> shapely.LineString:
    rng = np.random.default_rng(seed)
    return shapely.LineString(
        np.cumsum(rng.normal(0.002, 0.004, (60, 2)), axis=0) + np.array([27, 6])
    )


LAKE = shapely.Point(27.2, 6.2).buffer(0.05, quad_segs=200)  # more vertices than one tile
ISLAND = LAKE.difference(shapely.Point(27.2, 6.2).buffer(0.02))


def edges(box: shapely.Polygon) -> tuple[np.ndarray, ...]:
    cells = cover(box, 8)
    lon, lat = centres(cells)
    mesh = arcs(cells)
    return lon[mesh.u], lat[mesh.u], lon[mesh.v], lat[mesh.v]


@pytest.mark.parametrize(
    "rows",
    [
        [river(1), river(2), river(3)],
        [LAKE, river(4)],
        [ISLAND],
        [shapely.MultiLineString([river(5), river(6)]), shapely.MultiPolygon([LAKE])],
        [shapely.LineString([(20, 6.1), (35, 6.2)])],  # far longer than the cells are wide
        [None, river(7), shapely.LineString()],
        [shapely.LineString([(10, 1), (11, 2)])],  # nowhere near
    ],
)
def test_pairs_are_those_of_testing_every_edge_with_every_water(rows: list[object]) -> None:
    ends = edges(shapely.box(26.95, 5.95, 27.3, 6.3))
    lines = shapely.linestrings(np.stack(ends, axis=1).reshape(-1, 2, 2))
    slow = {
        (int(edge), row)
        for row, shape in enumerate(rows)
        if shape is not None
        for edge in np.flatnonzero(shapely.intersects(lines, shape))
    }
    found = crossed(*ends, waters(*rows))
    pairs = list(zip(found.edge.tolist(), found.row.tolist(), strict=True))
    assert set(pairs) == slow and len(pairs) == len(slow) and pairs == sorted(pairs)
    first = cut(*ends, waters(*rows))
    assert set(np.flatnonzero(first >= 0)) == {edge for edge, _ in slow}
    assert all((edge, first[edge]) in slow for edge in np.flatnonzero(first >= 0))


def test_a_long_edge_among_short_ones_is_still_found() -> None:
    u_lon, v_lon = np.array([27.0, 27.0, 27.2]), np.array([27.001, 27.9, 27.201])
    ends = (u_lon, np.full(3, 6.0), v_lon, np.full(3, 6.0))
    line = shapely.LineString([(27.8, 5.9), (27.8, 6.1)])
    assert crossed(*ends, waters(line)).edge.tolist() == [1]


def test_an_edge_over_the_antimeridian_is_cut_on_either_side() -> None:
    cells = disk(cover(shapely.box(179.99, -17, 180, -16.99), 8), 4)
    lon, lat = centres(cells)
    mesh = arcs(cells)
    ends = lon[mesh.u], lat[mesh.u], lon[mesh.v], lat[mesh.v]
    east = waters(shapely.LineString([(179.95, -16.995), (180, -16.995)]))
    west = waters(shapely.LineString([(-180, -16.995), (-179.95, -16.995)]))
    whole = shapely.LineString([(179.95, -16.995), (180.05, -16.995)])
    turned = np.stack([lon[mesh.u] % 360, ends[1], lon[mesh.v] % 360, ends[3]], axis=1)
    slow = np.flatnonzero(shapely.intersects(shapely.linestrings(turned.reshape(-1, 2, 2)), whole))
    both = np.union1d(crossed(*ends, east).edge, crossed(*ends, west).edge)
    np.testing.assert_array_equal(both, slow)


def test_no_edge_and_no_water_cross_nothing() -> None:
    none = np.zeros(0)
    assert len(crossed(none, none, none, none, waters(river(1))).edge) == 0
    ends = edges(shapely.box(27, 6, 27.05, 6.05))
    assert (cut(*ends, waters()) == -1).all()
    with pytest.raises(MissingColumns):
        crossed(*ends, gpd.GeoDataFrame({"name": ["Nile"]}))
