"""The user's own layers: every method, every geometry, totals kept."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells import grid
from pocgeo.cells.gather import lattice, layer_cells
from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName
from pocgeo.ground.geodesy import distance_m
from pocgeo.layers.spec import IndexRule

CELLS = lattice(shapely.box(31, 4, 31.3, 4.2), 7)
OUTLINES = grid.boundaries(CELLS["cell"].to_numpy())


def layer(shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")


def column(shapes, method, field=None, **columns):
    rule = IndexRule(method=method, field=field, column="mines_x")
    made = layer_cells(layer(shapes, **columns), rule, CELLS)
    assert made["cell"].tolist() == CELLS["cell"].tolist()
    return made["mines_x"], made.attrs["outside"]


def test_points_are_counted_in_their_cells():
    shapes = [shapely.Point(31.1, 4.1), shapely.Point(31.1, 4.1), shapely.Point(35, 4), None]
    counts, outside = column(shapes, "count")
    home = grid.cells_of([31.1], [4.1], 7)[0]
    assert counts.tolist() == [2.0 if cell == home else 0.0 for cell in CELLS["cell"]]
    assert outside == 1
    there, _ = column(shapes, "presence")
    assert there.tolist() == (counts > 0).tolist()


def test_sums_of_points_leave_unknown_unknown():
    shapes = [shapely.Point(31.1, 4.1), shapely.Point(31.1, 4.1), shapely.Point(31.25, 4.05)]
    totals, outside = column(shapes, "sum", "beds", beds=[3.0, np.nan, np.nan])
    known, unknown = grid.cells_of([31.1, 31.25], [4.1, 4.05], 7)
    by = totals.set_axis(CELLS["cell"])
    assert by[known] == 3
    assert np.isnan(by[unknown])
    assert (by.drop([known, unknown]) == 0).all()
    assert outside == 0


@settings(derandomize=True, max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_polygons_keep_their_totals_and_shares_are_exact_areas(seed):
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(6):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 7))
        x, y = rng.uniform(31.05, 31.25), rng.uniform(4.05, 4.15)
        reach = rng.uniform(0.001, 0.04, 7)
        ring = np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])
        shapes.append(shapely.make_valid(shapely.Polygon(ring)))
    persons = rng.uniform(0, 1e6, 6)
    for method in ("area_weighted", "sum"):
        totals, outside = column(shapes, method, "persons", persons=persons)
        assert totals.sum() == pytest.approx(persons.sum(), rel=1e-9)
        assert outside == pytest.approx(0, abs=1e-9 * persons.sum())
    # The oracle: an equal-area projection, edges cut fine enough to stay straight in lon, lat.
    projected = gpd.GeoSeries(shapely.segmentize(shapes, 1e-3), crs=4326).to_crs(6933)
    cells = gpd.GeoSeries(shapely.segmentize(OUTLINES, 1e-3), crs=4326).to_crs(6933)
    share = (
        shapely.area(shapely.intersection(projected.to_numpy()[:, None], cells.to_numpy()))
        / shapely.area(projected.to_numpy())[:, None]
    )
    assert totals.to_numpy() == pytest.approx(share.T @ persons, rel=1e-6, abs=1e-3)


def test_a_polygon_half_outside_says_how_much_is():
    shape = shapely.box(30.9, 4.05, 31.1, 4.15)
    totals, outside = column([shape], "area_weighted", "persons", persons=[1000.0])
    assert totals.sum() + outside == pytest.approx(1000, rel=1e-9)
    assert 400 < outside < 500  # cells overlap the border, so a little less than half


def test_lines_are_shared_by_length_and_found_in_every_cell_they_cross():
    line = shapely.LineString([(31.02, 4.02), (31.28, 4.17)])
    totals, outside = column([line], "sum", "length_km", length_km=[33.0])
    assert totals.sum() == pytest.approx(33, rel=1e-6)
    assert outside == pytest.approx(0, abs=1e-4)
    assert ((totals > 0) == shapely.intersects(OUTLINES, line)).all()


def test_distances_are_geodesic_from_the_centre():
    shapes = [shapely.Point(31.1, 4.1), shapely.Point(31.4, 4.5)]
    far_m, _ = column(shapes, "nearest_distance")
    lon, lat = CELLS["lon"].to_numpy(), CELLS["lat"].to_numpy()
    true = np.minimum(distance_m(lon, lat, 31.1, 4.1), distance_m(lon, lat, 31.4, 4.5))
    assert far_m.to_numpy() == pytest.approx(true)
    assert column([None], "nearest_distance")[0].isna().all()
    inside, _ = column([shapely.box(30, 3, 32, 5)], "nearest_distance")
    assert (inside == 0).all()


def test_mixed_geometries_in_one_layer():
    point = shapely.Point(31.1, 4.1)
    line = shapely.LineString([(31.1, 4.1), (31.1001, 4.1)])
    shapes = [point, line, point.buffer(1e-5), shapely.MultiPoint([(31.1, 4.1)] * 2)]
    counts, _ = column(shapes, "count")
    assert counts.sum() == 4
    totals, _ = column(shapes, "sum", "n", n=[1.0, 2.0, 4.0, 8.0])
    assert totals.sum() == pytest.approx(15)


def test_what_is_refused():
    with pytest.raises(UnknownName, match="Did you mean count"):
        column([shapely.Point(31.1, 4.1)], "coun")
    with pytest.raises(MissingColumns, match="no column beds"):
        column([shapely.Point(31.1, 4.1)], "sum", "beds")
    with pytest.raises(BadInput, match="no polygons, the first in row 1"):
        column([shapely.Point(31.1, 4.1)], "area_weighted", "beds", beds=[1.0])
