"""People of pixels: none lost, none invented, hardly any misplaced."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells import grid
from pocgeo.cells.pixel_shares import shared_pixels
from pocgeo.cells.population import PEOPLE, people_of_pixels, population
from pocgeo.ground.errors import BadInput, NotCounts
from pocgeo.ground.geodesy import transformer
from pocgeo.ground.pixels import PixelWindow


def window(size=60, pixel=1 / 1200, west=31.0, north=5.0, density=0.5, bands=1, seed=1, **more):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 1.5, (bands, size, size))
    values[:, rng.random((size, size)) > density] = 0
    values[:, rng.random((size, size)) > 0.95] = np.nan
    return PixelWindow(
        fields=PEOPLE[:bands], values=values, west=west, north=north,
        pixel_width=pixel, pixel_height=pixel, **more,
    )  # fmt: skip


def lattice_of(shape, resolution):
    cells = grid.cover(shape, resolution)
    lon, lat = grid.centres(cells)
    return pd.DataFrame({"cell": cells, "lon": lon, "lat": lat})


def exactly(pixels: PixelWindow, resolution: int) -> pd.Series:
    """People per cell by exactextract, the oracle."""
    cells = grid.cover(shapely.box(*pixels.bounds), resolution)
    rows = gpd.GeoDataFrame(
        {"row": np.arange(len(cells))}, geometry=grid.boundaries(cells), crs=4326
    )
    values = np.nan_to_num(pixels.values[0])  # noqa: PD011
    source = NumPyRasterSource(values, *pixels.bounds, srs_wkt=rows.crs.to_wkt())
    found = exact_extract(source, rows, ["sum"], include_cols=["row"], output="pandas")
    return pd.Series(found["sum"].to_numpy(), index=cells[found["row"].to_numpy(int)]).fillna(0)


@pytest.mark.parametrize(
    ("pixel", "resolution", "size"),
    [(1 / 1200, 8, 300), (1 / 1200, 9, 120), (1 / 1200, 7, 300), (1 / 120, 8, 40), (1 / 12, 7, 8)],
    ids=["100 m, 8", "100 m, 9", "100 m, 7", "1 km, 8", "10 km, 7"],
)
def test_no_one_is_misplaced(pixel, resolution, size):
    pixels = window(size, pixel, density=1)
    people = people_of_pixels(pixels, resolution).set_index("cell")["people_persons"]
    true = exactly(pixels, resolution)
    apart = people.reindex(true.index).fillna(0) - true
    assert np.abs(apart).sum() / 2 <= 1e-6 * true.sum()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    st.floats(-179.9, 179.5), st.floats(-70, 70), st.integers(4, 9), st.floats(0.02, 3),
    st.integers(0, 1000),
)  # fmt: skip
def test_people_are_conserved_wherever_and_however_large_the_pixels(
    west, north, resolution, size, seed
):
    pixel = size * np.sqrt(grid.cell_size_km2(resolution)) / 111
    pixels = window(9, pixel, west, north, bands=3, seed=seed)
    total = np.nansum(pixels.values, axis=(1, 2))
    people = people_of_pixels(pixels, resolution)
    assert people[list(PEOPLE)].sum().to_numpy() == pytest.approx(total, rel=1e-9)
    assert (people[list(PEOPLE)] >= 0).all().all()
    assert people["cell"].is_monotonic_increasing
    middle = shapely.box(west + 2 * pixel, north - 7 * pixel, west + 6 * pixel, north - pixel)
    table, outside = population([pixels], lattice_of(middle, resolution), resolution)
    both = table[list(PEOPLE)].sum() + pd.Series(outside)
    assert both.to_numpy() == pytest.approx(total, rel=1e-9)


def test_windows_add_up_to_the_whole_raster():
    whole = window(80)
    parts = [
        PixelWindow(
            fields=whole.fields, values=whole.values[:, r : r + 37, c : c + 37],  # noqa: PD011
            west=31 + c / 1200, north=5 - r / 1200, pixel_width=1 / 1200, pixel_height=1 / 1200,
        )
        for r in range(0, 80, 37) for c in range(0, 80, 37)
    ]  # fmt: skip
    cells = lattice_of(shapely.box(*whole.bounds), 8)
    one, left = population([whole], cells, 8)
    many, _ = population(parts, cells, 8)
    pd.testing.assert_frame_equal(one, many, rtol=1e-9)
    assert left["people_persons"] == pytest.approx(0, abs=1e-9)


def test_a_pixel_inside_a_cell_goes_whole_and_one_on_an_edge_is_halved():
    cell = grid.cells_of([31.0], [4.0], 6)
    lon, lat = grid.centres(cell)
    tiny = 1e-4
    alone = PixelWindow(
        fields=("people_persons",), values=np.array([[[12.0]]]), west=lon[0], north=lat[0],
        pixel_width=tiny, pixel_height=tiny,
    )  # fmt: skip
    table = people_of_pixels(alone, 6)
    assert table["cell"].tolist() == cell.tolist()
    assert table["people_persons"].tolist() == [12.0]
    x, y, _ = grid.rings(cell)
    middle = (x[0] + x[1]) / 2, (y[0] + y[1]) / 2
    astride = PixelWindow(
        fields=("people_persons",), values=np.array([[[12.0]]]), west=middle[0] - tiny / 2,
        north=middle[1] + tiny / 2, pixel_width=tiny, pixel_height=tiny,
    )  # fmt: skip
    halves = people_of_pixels(astride, 6)
    assert halves["people_persons"].tolist() == pytest.approx([6.0, 6.0], rel=1e-6)


def test_a_raster_in_metres_gives_the_people_where_they_live():
    x, y = transformer("EPSG:4326", "EPSG:32636").transform(31.6, 4.9)
    utm = PixelWindow(
        fields=("people_persons",), values=np.full((1, 40, 40), 2.0), west=x, north=y,
        pixel_width=100, pixel_height=100, crs="EPSG:32636",
    )  # fmt: skip
    people = people_of_pixels(utm, 8)
    assert people["people_persons"].sum() == pytest.approx(3200, rel=1e-12)
    area = grid.areas_km2(people["cell"].to_numpy())
    full = people["people_persons"] / area
    assert full.max() == pytest.approx(200, rel=0.005)  # 2 persons a hectare


def test_unknown_is_not_zero():
    values = np.full((1, 40, 40), np.nan)
    values[0, :, 20:] = 0
    values[0, 5, 5] = 9
    pixels = PixelWindow(
        fields=("people_persons",), values=values, west=31, north=5,
        pixel_width=1 / 1200, pixel_height=1 / 1200,
    )  # fmt: skip
    cells = lattice_of(shapely.box(30.99, 4.96, 31.04, 5.01), 9)
    table, outside = population([pixels], cells, 9)
    east = (cells["lon"] > 31 + 21 / 1200) & (cells["lon"] < 31 + 39 / 1200)
    east &= (cells["lat"] < 5 - 1 / 1200) & (cells["lat"] > 5 - 39 / 1200)
    assert (table.loc[east, "people_persons"] == 0).all()
    assert east.sum() > 5
    assert table.loc[cells["lon"] < 31, "people_persons"].isna().all()
    assert table["people_persons"].sum() == pytest.approx(9)
    assert table["women_persons"].isna().all()
    assert outside == {"people_persons": 0.0}


def test_nothing_at_all():
    empty = PixelWindow(
        fields=("people_persons",), values=np.zeros((1, 3, 3)), west=31, north=5,
        pixel_width=1, pixel_height=1,
    )  # fmt: skip
    assert people_of_pixels(empty, 8).empty
    table, outside = population([], lattice_of(shapely.box(31, 4, 31.01, 4.01), 8), 8)
    assert table["people_persons"].isna().all()
    assert outside == {}


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_what_cannot_be_people_is_refused(bad):
    pixels = window(5)
    pixels.values[0, 2, 2] = bad  # noqa: PD011
    with pytest.raises(NotCounts, match="Counts are 0 or more"):
        people_of_pixels(pixels, 8)


def test_a_split_of_nothing_is_refused():
    with pytest.raises(BadInput, match="split must be 1 or more"):
        people_of_pixels(window(5), 8, split=0)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 12), st.integers(1, 7))
def test_shares_of_pixels_equal_shapely(seed, radius, rows):
    rng = np.random.default_rng(seed)
    angle = np.linspace(2 * np.pi, 0, 6, endpoint=False)  # counter-clockwise where y runs south
    middle_x, middle_y = rng.uniform(-3, 12, 8), rng.uniform(-3, rows + 3, 8)
    turn = angle + rng.uniform(0, 6, (8, 1))
    x, y = middle_x[:, None] + radius * np.cos(turn), middle_y[:, None] + radius * np.sin(turn)
    y[0] = np.round(y[0])  # vertices on the lines between pixels, level edges
    wanted = np.ones((rows, 9), dtype=bool)
    found = np.zeros((8, rows * 9))
    pairs = shared_pixels(x.ravel(), y.ravel(), np.arange(8) * 6, wanted)
    found[pairs.polygon, pairs.pixel] = pairs.share
    row, column = np.divmod(np.arange(rows * 9), 9)
    pixels = shapely.box(column, row, column + 1, row + 1)
    shapes = shapely.polygons(np.stack([x, y], axis=-1))
    valid = shapely.is_valid(shapes)
    true = shapely.area(shapely.intersection(shapes[valid, None], pixels))
    assert found[valid] == pytest.approx(true, abs=1e-9)


def test_pixels_that_nobody_asks_for_are_left_out():
    wanted = np.zeros((3, 3), dtype=bool)
    wanted[1, 2] = True
    x, y = np.array([0.0, 0, 3, 3]), np.array([0.0, 3, 3, 0])
    pairs = shared_pixels(x, y, np.array([0]), wanted)
    assert (pairs.polygon.tolist(), pairs.pixel.tolist(), pairs.share.tolist()) == ([0], [5], [1])
    assert len(shared_pixels(x + 9, y, np.array([0]), wanted).pixel) == 0


@pytest.mark.parametrize(
    ("crs", "west", "north", "pixel", "resolution"),
    [
        ("EPSG:4326", -180, 90, 1.0, 3), ("EPSG:4326", 0, 10, 1.0, 4),
        ("EPSG:3413", -2e6, 2e6, 100_000, 4), ("ESRI:54009", 1.2e7, 1e6, 100_000, 4),
        ("EPSG:4269", 179, -16, 0.02, 6),
    ],
    ids=["the whole Earth", "0 to 360", "the north pole", "the rim of Mollweide", "antimeridian"],
)  # fmt: skip
def test_nobody_is_lost_at_poles_rims_and_the_antimeridian(crs, west, north, pixel, resolution):
    whole = crs == "EPSG:4326"
    rows, columns = (180 if west else 20, 360) if whole else (40, 40)
    values = np.random.default_rng(2).random((1, rows, columns))
    pixels = PixelWindow(
        fields=("people_persons",), values=values, west=west, north=north,
        pixel_width=pixel, pixel_height=pixel, crs=crs,
    )  # fmt: skip
    if crs == "ESRI:54009":  # nobody lives beyond the rim
        x = west + (np.arange(columns) + 0.5) * pixel
        y = north - (np.arange(rows) + 0.5) * pixel
        lon, _ = transformer(crs, "EPSG:4326").transform(*np.meshgrid(x, y))
        values[0][~np.isfinite(lon)] = 0
    people = people_of_pixels(pixels, resolution)
    assert people["people_persons"].sum() == pytest.approx(values.sum(), rel=1e-12)
    assert (people["cell"] > 0).all()


def test_people_beyond_the_rim_of_the_map_are_refused():
    beyond = PixelWindow(
        fields=("people_persons",), values=np.ones((1, 2, 2)), west=1.79e7, north=8.9e6,
        pixel_width=1000, pixel_height=1000, crs="ESRI:54009",
    )  # fmt: skip
    with pytest.raises(BadInput, match="lies nowhere on Earth"):
        people_of_pixels(beyond, 6)


def test_pixels_far_larger_than_cells_are_refused():
    with pytest.raises(BadInput, match="Choose a coarser resolution"):
        people_of_pixels(window(5, 1.0), 12)
