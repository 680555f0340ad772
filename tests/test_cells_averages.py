"""Rasters to cells: shares that add up, means by area, whatever the pixel size."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells.averages import cell_means, cover_shares, density
from pocgeo.cells.gather import lattice
from pocgeo.cells.grid import boundaries
from pocgeo.ground.areas import areas_km2
from pocgeo.ground.errors import BadInput
from pocgeo.ground.pixels import PixelWindow

BOX = (30.0, 5.0, 30.08, 5.08)
LEGEND = {1: "grass", 2: "forest", 3: "water"}
CELLS = lattice(shapely.box(*BOX), 8)
SHAPES = boundaries(CELLS["cell"].to_numpy())


def pixels_of(pixels: PixelWindow) -> np.ndarray:
    return pixels.values[0]  # noqa: PD011 (no pandas)


def window(values: np.ndarray, bounds: tuple = (29.9, 4.9, 30.18, 5.18)) -> PixelWindow:
    west, south, east, north = bounds
    rows, columns = values.shape
    return PixelWindow(
        fields=("class",), values=values[None].astype(float), west=west, north=north,
        pixel_width=(east - west) / columns, pixel_height=(north - south) / rows,
    )  # fmt: skip


def exact_shares(pixels: PixelWindow, code: float) -> np.ndarray:
    """Slow and obvious: cut every cell with every pixel of the code."""
    found = np.zeros(len(CELLS))
    for row, column in zip(*np.nonzero(pixels_of(pixels) == code), strict=True):
        west = pixels.west + column * pixels.pixel_width
        north = pixels.north - row * pixels.pixel_height
        pixel = shapely.box(west, north - pixels.pixel_height, west + pixels.pixel_width, north)
        near = shapely.intersects(SHAPES, pixel)
        found[near] += areas_km2(shapely.intersection(SHAPES[near], pixel))
    return found / areas_km2(SHAPES)


@pytest.mark.parametrize(
    ("size", "worst"),
    [(14, 0.06), (120, 0.06)],  # pixels of 2.2 km and of 260 m
)
def test_shares_are_those_of_the_areas(size: int, worst: float) -> None:
    pixels = window(np.random.default_rng(7).integers(1, 4, (size, size)))
    shares = cover_shares([pixels], CELLS, LEGEND).shares
    for code, name in LEGEND.items():
        error = np.abs(shares[name].to_numpy() - exact_shares(pixels, code))
        assert error.max() < worst
        assert error.mean() < 0.02


def test_fine_pixels_are_thinned_and_coarse_ones_cut() -> None:
    coarse = window(np.ones((10, 10)))
    fine = window(np.ones((3000, 3000)))
    assert density(coarse, 8)[1] == 1
    assert density(coarse, 8)[0] > 1
    assert density(fine, 8) == (1, 5)  # 10 m pixels, 7,000 a cell


@settings(derandomize=True, max_examples=8, deadline=None)
@given(st.integers(0, 99), st.sampled_from([9, 40, 250]))
def test_shares_add_up_to_one(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 6, (size, size)).astype(float)
    values[rng.random((size, size)) < 0.3] = np.nan
    shares = cover_shares([window(values)], CELLS, LEGEND).shares
    total = shares.sum(axis=1, skipna=False)
    known = total.notna()
    assert known.any()
    assert np.allclose(total[known], 1, atol=1e-6)


def test_windows_cut_anywhere_give_what_one_window_gives() -> None:
    values = np.random.default_rng(3).integers(1, 4, (120, 120))
    whole = window(values)
    parts = [
        PixelWindow(
            fields=("class",), values=pixels_of(whole)[None, row : row + 50, column : column + 70],
            west=whole.west + column * whole.pixel_width,
            north=whole.north - row * whole.pixel_height,
            pixel_width=whole.pixel_width, pixel_height=whole.pixel_height,
        )
        for row in (0, 50, 100) for column in (0, 70)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(
        cover_shares(parts, CELLS, LEGEND).shares, cover_shares([whole], CELLS, LEGEND).shares
    )


def test_a_code_that_no_legend_names_is_said_and_not_dropped() -> None:
    values = np.ones((60, 60))
    values[:, :30] = 77
    cover = cover_shares([window(values)], CELLS, LEGEND)
    assert cover.shares["unknown"].max() == 1
    assert "code 77" in cover.notes[0]
    assert "default" in cover.notes[0]
    assert cover_shares([window(np.ones((60, 60)))], CELLS, LEGEND).notes == ()


def test_cells_without_data_are_not_known() -> None:
    values = np.full((60, 60), np.nan)
    assert cover_shares([window(values)], CELLS, LEGEND).shares.isna().all(axis=None)
    assert cell_means([window(values)], CELLS).isna().all()
    assert cover_shares([], CELLS, LEGEND).shares.isna().all(axis=None)


def test_a_code_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(BadInput, match=r"2\.5 is no class"):
        cover_shares([window(np.full((20, 20), 2.5))], CELLS, LEGEND)


def test_a_cell_that_no_point_falls_in_takes_the_pixel_under_its_centre() -> None:
    one = CELLS.iloc[[0]]
    lon, lat = float(one["lon"].iloc[0]), float(one["lat"].iloc[0])
    tiny = 1e-5  # one metre: thinned to one point in a hundred, none of which has data
    values = np.full((41, 41), np.nan)
    values[20, 20] = 2
    pixels = PixelWindow(
        fields=("class",), values=values[None], west=lon - 20.5 * tiny, north=lat + 20.5 * tiny,
        pixel_width=tiny, pixel_height=tiny,
    )  # fmt: skip
    assert cover_shares([pixels], one, LEGEND).shares["forest"].tolist() == [1]
    assert cell_means([pixels], one).tolist() == [2]


@pytest.mark.parametrize("size", [10, 100, 900])
def test_the_mean_of_a_plane_is_its_height_at_the_centre(size: int) -> None:
    west, east = 29.9, 30.18
    lon = west + (np.arange(size) + 0.5) * (east - west) / size
    plane = window(np.tile((lon - 30) * 1000, (size, 1)))
    mean = cell_means([plane], CELLS)
    step = (east - west) / size * 1000
    assert np.abs(mean - (CELLS["lon"] - 30) * 1000).max() < max(0.6 * step, 0.3)


def test_another_crs_tells_the_same() -> None:
    from pyproj import Transformer

    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32636", always_xy=True)
    east, north = to_utm.transform(30.04, 5.04)
    halves = np.where(np.arange(200) < 100, 1.0, 2.0)
    pixels = PixelWindow(
        fields=("class",), values=np.tile(halves, (1, 200, 1)), west=east - 20_000,
        north=north + 20_000, pixel_width=200, pixel_height=200, crs="EPSG:32636",
    )  # fmt: skip
    shares = cover_shares([pixels], CELLS, LEGEND).shares
    assert (shares["grass"][CELLS["lon"] < 30.03] == 1).all()
    assert (shares["forest"][CELLS["lon"] > 30.05] == 1).all()
