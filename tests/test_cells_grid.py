"""The grid: cells of points, covers without gaps, exact areas, disks, groups."""

from itertools import pairwise

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from pocgeo.cells import grid
from pocgeo.ground.errors import BadCoordinates, BadInput

WGS84 = Geod(ellps="WGS84")
EARTH_KM2 = 510_065_621.724  # WGS84 surface, NIMA TR8350.2 table 3.3
LON, LAT = st.floats(-180, 180), st.floats(-89.9, 89.9)
QUIET = settings(derandomize=True, max_examples=40, deadline=None)


def some_cells(resolution: int, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(resolution)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    return np.unique(grid.cells_of(rng.uniform(-180, 180, count), lat, resolution))


def test_a_known_cell():
    # h3-py, README: latlng_to_cell(37.3615593, -122.0553238, 5) is 85283473fffffff.
    cell = grid.cells_of([-122.0553238], [37.3615593], 5)
    assert grid.as_text(cell) == ["85283473fffffff"]
    assert grid.from_text(grid.as_text(cell)).tolist() == cell.tolist()


def test_missing_coordinates_have_cell_0_and_impossible_ones_are_refused():
    cells = grid.cells_of([31.0, np.nan, 31.0], [4.8, 4.8, np.nan], 8)
    assert cells[1:].tolist() == [0, 0]
    assert cells[0] > 0
    for lon, lat in ((181, 0), (0, 91), (np.inf, 0), (0, -np.inf)):
        with pytest.raises(BadCoordinates, match="is no place on Earth"):
            grid.cells_of([0.0, lon], [0.0, lat], 8)


@pytest.mark.parametrize("resolution", [-1, 16])
def test_a_resolution_that_is_not(resolution):
    with pytest.raises(BadInput, match="resolution must be 0 to 15"):
        grid.cells_of([0.0], [0.0], resolution)


@pytest.mark.parametrize("resolution", [3, 5, 7, 8, 9])
def test_areas_are_those_of_geodesic_polygons(resolution):
    cells = some_cells(resolution)
    lon, lat, starts = grid.rings(cells)
    ends = np.append(starts, len(lon))
    true = np.array(
        [abs(WGS84.polygon_area_perimeter(lon[a:b], lat[a:b])[0]) / 1e6 for a, b in pairwise(ends)]
    )
    assert np.abs(grid.areas_km2(cells) / true - 1).max() < 1e-6


def test_all_cells_together_are_the_earth():
    everywhere = np.array(sorted(map(h3.str_to_int, h3.uncompact_cells(h3.get_res0_cells(), 3))))
    assert grid.areas_km2(everywhere).sum() == pytest.approx(EARTH_KM2, rel=1e-10)


@QUIET
@given(LON, LAT, st.integers(4, 9), st.floats(0.3, 12), st.integers(3, 9), st.integers(0, 99))
def test_a_cover_leaves_no_gap_and_every_cell_touches(lon, lat, resolution, size, corners, seed):
    rng = np.random.default_rng(seed)
    radius = size * np.sqrt(grid.cell_size_km2(resolution)) / 111
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * rng.uniform(0.3, 1, corners)
    x = lon + reach * np.cos(angle) / max(0.05, np.cos(np.radians(lat)))
    y = np.clip(lat + reach * np.sin(angle), -90, 90)
    shape = shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))
    if x.min() < -180 or x.max() > 180 or shape.area == 0:
        return
    cells = grid.cover(shape, resolution)
    assert (np.diff(cells) > 0).all()
    outlines = grid.boundaries(cells)
    assert shapely.difference(shape, shapely.union_all(outlines)).area <= 1e-9 * shape.area
    assert shapely.intersects(outlines, shape).all()
    around = np.setdiff1d(grid.disk(cells, 1), cells)
    assert not shapely.intersects(grid.boundaries(around), shape).any()


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(31.58, 4.85),
        shapely.Point(31.58, 4.85).buffer(1e-7),
        shapely.LineString([(31, 4), (31.2, 4)]),
        shapely.LineString([(31, 4), (31, 4.2)]),
        shapely.box(31, 4, 31.1, 4.1) - shapely.box(31.02, 4.02, 31.08, 4.08),
    ],
)
def test_small_thin_and_holed_shapes_are_covered(shape):
    outlines = grid.boundaries(grid.cover(shape, 8))
    assert shapely.covers(shapely.union_all(outlines).buffer(1e-12), shape)
    assert shapely.intersects(outlines, shape).all()


def test_the_antimeridian_is_crossed_however_it_is_spelled():
    beyond = shapely.box(179.8, -17, 180.2, -16.7)
    jumping = shapely.Polygon([(179.8, -17), (-179.8, -17), (-179.8, -16.7), (179.8, -16.7)])
    split = shapely.union(
        shapely.box(179.8, -17, 180, -16.7), shapely.box(-180, -17, -179.8, -16.7)
    )
    cells = grid.cover(split, 7)
    assert np.array_equal(cells, grid.cover(beyond, 7))
    assert np.array_equal(cells, grid.cover(jumping, 7))
    outlines = grid.boundaries(cells)
    assert shapely.bounds(outlines)[:, 2].max() <= 180
    assert (shapely.get_type_id(outlines) == 6).any()
    assert shapely.difference(split, shapely.union_all(outlines)).area < 1e-12
    assert len(cells) < 400


def test_a_pole_is_covered():
    cap = shapely.box(-180, 88, 180, 90)
    cells = grid.cover(cap, 4)
    outlines = grid.boundaries(cells)
    assert grid.cells_of([0.0], [90.0], 4)[0] in cells
    assert shapely.difference(cap, shapely.union_all(outlines)).area < 1e-9


def test_a_town_on_the_border_is_kept_though_its_cells_centre_lies_beyond():
    cell = grid.cells_of([18.55], [4.37], 7)
    lon, lat = grid.centres(cell)
    _, south, east, north = shapely.bounds(grid.boundaries(cell))[0]
    shape = shapely.box(lon[0] + (east - lon[0]) / 2, south, east + 0.1, north)
    assert cell[0] in grid.cover(shape, 7)
    assert not shapely.intersects_xy(shape, lon, lat)[0]


def test_an_empty_geometry_is_refused():
    with pytest.raises(BadInput, match="covers no cell"):
        grid.cover(shapely.Polygon(), 7)


@pytest.mark.parametrize(("fine", "coarse"), [(8, 6), (9, 0), (5, 5)])
def test_parents_are_those_of_h3(fine, coarse):
    cells = some_cells(fine)
    true = [h3.str_to_int(h3.cell_to_parent(text, coarse)) for text in grid.as_text(cells)]
    assert grid.parents(cells, coarse).tolist() == true


def test_a_finer_parent_is_refused():
    with pytest.raises(BadInput, match="a parent is coarser"):
        grid.parents(some_cells(6), 7)


def test_resolutions():
    assert grid.resolution_of(some_cells(7)) == 7
    with pytest.raises(BadInput, match="Cells of several resolutions"):
        grid.resolution_of(np.concatenate([some_cells(7), some_cells(8)]))
    with pytest.raises(BadInput, match="no cell"):
        grid.resolution_of(np.zeros(0, dtype=np.int64))
    with pytest.raises(BadInput, match="is not an H3 cell"):
        grid.resolution_of(np.array([8 << 52]))
    with pytest.raises(BadInput, match="'zebra' is not an H3 cell"):
        grid.from_text(["zebra"])


@pytest.mark.parametrize("k", [0, 1, 2, 3])
@pytest.mark.parametrize("middle", ["plain", "pentagon"])
def test_disk_pairs_equal_h3_one_by_one_pentagons_too(k, middle):
    start = h3.str_to_int(h3.get_pentagons(6)[3])
    if middle == "plain":
        start = int(grid.cells_of([31.0], [4.0], 6)[0])
    cells = grid.disk(np.array([start]), 4)
    kept = np.sort(np.random.default_rng(k).choice(cells, len(cells) * 3 // 4, replace=False))
    rows, columns, steps = grid.disk_pairs(kept, k)
    found = set(zip(rows.tolist(), columns.tolist(), steps.tolist(), strict=True))
    texts = grid.as_text(kept)
    true = set()
    for i, one in enumerate(texts):
        for j in range(k + 1):
            ring = set(h3.grid_disk(one, j)) - (set(h3.grid_disk(one, j - 1)) if j else set())
            true |= {(i, texts.index(other), j) for other in ring if other in texts}
    assert found == true
    assert len(rows) == len(true)
    assert (np.diff(rows * len(kept) + columns) > 0).all()


def test_disk_pairs_of_nothing_and_of_disorder():
    assert [len(part) for part in grid.disk_pairs(np.zeros(0, dtype=np.int64), 1)] == [0, 0, 0]
    with pytest.raises(BadInput, match="sorted cells without repeats"):
        grid.disk_pairs(some_cells(6)[::-1], 1)
    with pytest.raises(BadInput, match="0 or more steps"):
        grid.disk_pairs(some_cells(6), -1)


def test_groups_are_joined_cells_of_one_label():
    left = grid.disk(grid.cells_of([31.0], [4.0], 8), 1)
    right = grid.disk(grid.cells_of([31.3], [4.0], 8), 1)
    cells = np.sort(np.concatenate([left, right]))
    number = grid.components(cells)
    assert sorted(set(number.tolist())) == [0, 1]
    assert number[0] == 0
    assert len(set(number[np.isin(cells, left)].tolist())) == 1
    labels = np.array(["a", None], dtype=object)[np.isin(cells, left[:3]).astype(int)]
    split = grid.components(cells, labels)
    assert not set(split[np.isin(cells, left[:3])]) & set(split[~np.isin(cells, left[:3])])
    assert grid.components(np.zeros(0, dtype=np.int64)).tolist() == []


def test_positions_say_who_is_absent():
    cells = some_cells(6)
    sought = np.array([cells[3], 0, cells[-1], cells[-1] + 1])
    assert grid.positions(cells, sought).tolist() == [3, -1, len(cells) - 1, -1]
    assert grid.positions(cells[:0], sought).tolist() == [-1] * 4


def test_disks_reach_every_cell_within_a_distance():
    home = grid.cells_of([31.0], [4.0], 8)
    around, size = grid.disk_of(home, 1_200.0)
    wide = grid.disk(home, 8)
    zone = shapely.box(30.9, 3.9, 31.1, 4.1)
    assert shapely.intersects(grid.boundaries(wide), zone).all()
    lon, lat = grid.centres(wide)
    edges = grid.boundaries(wide)
    near = shapely.distance(edges, grid.boundaries(home)[0]) * 110_574 <= 1_200.0
    assert set(wide[near].tolist()) <= set(around.tolist())
    assert size.tolist() == [len(around)]
    assert len(lon) == len(lat) == len(wide)
