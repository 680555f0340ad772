"""Tiles and shares: pieces that do not overlap and add up, areas that agree with others."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod
from shapely.geometry import Polygon

from pocgeo.cells import grid, overlay
from pocgeo.ground.areas import areas_km2, authalic_deg

WGS84 = Geod(ellps="WGS84")


def ragged(vertices: int = 2_000, seed: int = 1) -> Polygon:
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    reach = 0.5 + 0.1 * np.cumsum(rng.normal(0, 0.03, vertices))
    ring = np.column_stack([31 + reach * np.cos(angle), 5 + reach * np.sin(angle)])
    return shapely.make_valid(Polygon(ring))


def test_tiles_are_the_geometry_again_without_overlap():
    shape = ragged()
    tiles = overlay.tiles(shape)
    assert shapely.get_num_coordinates(tiles).max() <= overlay.VERTICES
    assert shapely.area(tiles).sum() == pytest.approx(shape.area, rel=1e-12)
    assert shapely.symmetric_difference(shapely.union_all(tiles), shape).area < 1e-12


def test_shares_of_a_ragged_shape_equal_plain_intersections():
    shape = ragged()
    cells = grid.cover(shape, 6)
    outlines = grid.boundaries(cells)
    of, at, km2 = overlay.shares(np.array([shape], dtype=object), outlines)
    plain = areas_km2(shapely.intersection(shape, outlines))
    assert set(of.tolist()) == {0}
    found = np.zeros(len(cells))
    found[at] = km2
    assert found == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_neighbouring_polygons_share_cells_without_loss():
    west, east = shapely.box(31, 4, 31.437, 5), shapely.box(31.437, 4, 32, 5)
    outlines = grid.boundaries(grid.cover(shapely.box(31, 4, 32, 5), 6))
    _, at, km2 = overlay.shares(np.array([west, east, None], dtype=object), outlines)
    both = overlay.shares(np.array([shapely.box(31, 4, 32, 5)], dtype=object), outlines)
    assert np.bincount(at, km2, len(outlines))[both[1]] == pytest.approx(both[2], rel=1e-9)
    assert km2.sum() == pytest.approx(areas_km2([shapely.box(31, 4, 32, 5)])[0], rel=1e-10)


@pytest.mark.parametrize("lat", [-72.0, -3.0, 0.0, 15.0, 60.0, 84.0])
def test_areas_equal_an_equal_area_projection(lat):
    shape = shapely.box(30, lat, 31.3, lat + 1.7) - shapely.box(30.2, lat + 0.1, 30.4, lat + 0.2)
    # EPSG:6933 is cylindrical, so these edges are straight in it as well.
    projected = gpd.GeoSeries([shape], crs=4326).to_crs(6933).area.iloc[0] / 1e6
    assert areas_km2([shape])[0] == pytest.approx(projected, rel=1e-9)


def test_areas_of_small_polygons_equal_geodesic_ones():
    shape = shapely.Point(31.5, 4.8).buffer(0.01)
    assert areas_km2([shape])[0] == pytest.approx(
        abs(WGS84.geometry_area_perimeter(shape)[0]) / 1e6, rel=1e-8
    )


def test_areas_of_what_has_none():
    shapes = [shapely.Point(0, 0), None, Polygon(), shapely.LineString([(0, 0), (1, 1)])]
    assert areas_km2(np.array(shapes, dtype=object)).tolist() == [0, 0, 0, 0]
    twice = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])
    one = areas_km2([shapely.box(0, 0, 1, 1)])[0]
    assert areas_km2([twice])[0] == pytest.approx(2 * one, rel=1e-12)
    nest = shapely.GeometryCollection([twice, shapely.Point(0, 0)])
    assert areas_km2([nest])[0] == pytest.approx(2 * one, rel=1e-12)


def test_the_authalic_latitude():
    # Snyder 1987, p. 16, worked example for Clarke 1866 differs in ellipsoid; fixed points and
    # the greatest difference (about 0.1285 degrees at 45) hold for WGS84.
    assert authalic_deg([0, 90, -90]).tolist() == [0, 90, -90]
    assert 45 - authalic_deg(45) == pytest.approx(0.1284, abs=2e-4)
    assert authalic_deg(-30) == -authalic_deg(30)


def test_a_shape_beyond_180_comes_back_in_parts():
    cut = overlay.on_earth(shapely.box(179, 0, 181, 1))
    assert cut.bounds == (-180, 0, 180, 1)
    assert cut.area == pytest.approx(2)
    assert overlay.on_earth(shapely.box(-180, -90, 180, 90)).area == pytest.approx(360 * 180)
