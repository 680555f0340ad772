"""The mesh of an area: nodes, ways between them, and the water they cross."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.cells.grid import centres, cover
from pocgeo.cells.lattice import lattice
from pocgeo.ground.errors import BadInput, MissingColumns


def cells() -> pd.DataFrame:
    cell = cover(shapely.box(27, 6, 27.1, 6.1), 8)
    lon, lat = centres(cell)
    return pd.DataFrame({"cell": cell, "lon": lon, "lat": lat})


def layer(*shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=4326)


ROAD = layer(shapely.LineString([(27.02, 6.02), (27.08, 6.08)]))
LAKE = layer(shapely.Point(27.06, 6.04).buffer(0.015))


def test_nodes_are_the_cells_then_the_road_vertices() -> None:
    table = cells()
    ground = lattice(table, ROAD, LAKE)
    assert len(ground.lon) == len(table) + len(ground.network.lon)
    np.testing.assert_array_equal(ground.lon[: len(table)], table["lon"])
    np.testing.assert_array_equal(ground.lat[len(table) :], ground.network.lat)


def test_every_way_from_a_lake_crosses_it_and_roads_do_not_ask() -> None:
    ground = lattice(cells(), ROAD, LAKE)
    inside = shapely.contains_xy(LAKE.geometry[0], ground.lon, ground.lat)
    mesh, joins = ground.arcs, ground.connectors
    wet = np.flatnonzero(inside[mesh.u] | inside[mesh.v])
    assert len(wet) and np.isin(wet, ground.arcs_crossed.edge).all()
    from_lake = np.flatnonzero(inside[joins.cell])
    assert np.isin(from_lake, ground.connectors_crossed.edge).all()
    assert len(ground.network.u) == len(lattice(cells(), ROAD).network.u)


def test_without_roads_and_water_there_are_the_cells() -> None:
    ground = lattice(cells())
    assert len(ground.network.u) == len(ground.connectors.vertex) == 0
    assert len(ground.arcs_crossed.edge) == len(ground.connectors_crossed.edge) == 0
    assert ground.waterways is None and len(ground.arcs.u) > 0


def test_shorter_edges_make_more_vertices() -> None:
    fine, coarse = (lattice(cells(), ROAD, max_edge_m=step).network for step in (100, 1000))
    assert len(fine.u) > 5 * len(coarse.u)
    np.testing.assert_allclose(fine.length_m.sum(), coarse.length_m.sum(), rtol=1e-6)


def test_nonsense_is_refused() -> None:
    with pytest.raises(MissingColumns):
        lattice(cells().drop(columns="lon"))
    with pytest.raises(BadInput, match="sorted"):
        lattice(cells()[::-1])
