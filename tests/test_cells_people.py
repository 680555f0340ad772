"""Population rasters by windows: the same people, to the last bit, whoever works at them."""

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from pocgeo.cells import grid, people
from pocgeo.cells.people import people_of_cells, people_of_rasters
from pocgeo.cells.population import population
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput
from pocgeo.sources.counts import PeopleRaster, pixel_areas_km2
from pocgeo.sources.raster import windows

SERIAL = Engine(name="serial")
PIXEL = 1 / 1200
BANDS = {"people_persons": 1, "women_persons": 2}


def values_of(size=300, bands=2, seed=4):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 1.5, (bands, size, size)).astype("float32")
    values[:, rng.random((size, size)) > 0.3] = 0
    values[:, rng.random((size, size)) > 0.9] = np.nan
    return values


@pytest.fixture
def tif(tmp_path):
    def writer(values, *, name="a.tif", west=31.0, north=5.0, pixel=PIXEL, crs="EPSG:4326"):
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", count=len(values), height=values.shape[1],
            width=values.shape[2], dtype=values.dtype, crs=crs, nodata=np.nan, tiled=True,
            blockxsize=64, blockysize=64,
            transform=rasterio.Affine(pixel, 0, west, 0, -pixel, north),
        ) as raster:  # fmt: skip
            raster.write(values)
        return tmp_path / name

    return writer


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(people, "window_side", lambda bands: 64)


def lattice_of(shape, resolution):
    cells = grid.cover(shape, resolution)
    lon, lat = grid.centres(cells)
    return pd.DataFrame({"cell": cells, "lon": lon, "lat": lat})


AROUND = shapely.box(30.98, 4.85, 31.2, 5.02)


def test_windows_give_what_the_whole_raster_gives(tif, tmp_path, small_windows):
    path = tif(values_of())
    cells = lattice_of(AROUND, 8)
    table, outside = population(windows(path, BANDS), cells, 8)
    found = people_of_cells([PeopleRaster(path=path, bands=BANDS)], cells, 8, SERIAL, tmp_path)
    pd.testing.assert_frame_equal(found.table, table, rtol=1e-12)
    assert found.outside == pytest.approx(outside)
    assert found.outside["women_persons"] > 0
    assert found.notes == ()
    total = np.nansum(values_of().astype(float), axis=(1, 2))
    summed = found.table[list(BANDS)].sum() + pd.Series(found.outside)
    assert summed.to_numpy() == pytest.approx(total, rel=1e-12)
    every = people_of_rasters([PeopleRaster(path=path, bands=BANDS)], 8, SERIAL, tmp_path)
    assert every[list(BANDS)].sum().to_numpy() == pytest.approx(total, rel=1e-12)
    assert every["cell"].is_monotonic_increasing


def test_one_worker_and_two_give_the_same_bytes(tif, tmp_path, small_windows):
    rasters = [PeopleRaster(path=tif(values_of()), bands=BANDS)]
    cells = lattice_of(AROUND, 8)
    one = people_of_cells(rasters, cells, 8, SERIAL, tmp_path)
    two = people_of_cells(rasters, cells, 8, Engine(name="local:2"), tmp_path)
    assert one.table.to_numpy().tobytes() == two.table.to_numpy().tobytes()
    assert one.outside == two.outside


def test_batches_change_nothing(tif, tmp_path, small_windows, monkeypatch):
    rasters = [PeopleRaster(path=tif(values_of()), bands=BANDS)]
    many = people_of_rasters(rasters, 8, SERIAL, tmp_path)
    monkeypatch.setattr(people, "BATCH", 3)
    few = people_of_rasters(rasters, 8, SERIAL, tmp_path)
    assert many.to_numpy().tobytes() == few.to_numpy().tobytes()


def test_tiles_are_one_raster_and_overlaps_count_once(tif, tmp_path):
    values = values_of(bands=1)
    whole = PeopleRaster(path=tif(values), bands={"people_persons": 1})
    left = tif(values[:, :, :170], name="left.tif")
    right = tif(values[:, :, 130:], name="right.tif", west=31 + 130 * PIXEL)
    tiles = [PeopleRaster(path=path, bands={"people_persons": 1}) for path in (left, right)]
    cells = lattice_of(AROUND, 8)
    one = people_of_cells([whole], cells, 8, SERIAL, tmp_path)
    two = people_of_cells(tiles, cells, 8, SERIAL, tmp_path)
    pd.testing.assert_frame_equal(one.table, two.table, rtol=1e-9)
    twice = np.nansum(values[0, :, 130:170].astype(float))
    assert two.notes[0].startswith(f"people_persons: {twice:,.0f} people of pixels that an earlier")


def test_fields_in_files_of_their_own_do_not_hide_each_other(tif, tmp_path):
    values = values_of()
    both = PeopleRaster(path=tif(values), bands=BANDS)
    apart = [
        PeopleRaster(path=tif(values[[band]], name=f"{band}.tif"), bands={field: 1})
        for band, field in enumerate(BANDS)
    ]
    cells = lattice_of(AROUND, 8)
    one = people_of_cells([both], cells, 8, SERIAL, tmp_path)
    two = people_of_cells(apart, cells, 8, SERIAL, tmp_path)
    pd.testing.assert_frame_equal(one.table, two.table, rtol=1e-12)
    assert two.notes == ()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32636"])
def test_densities_become_people_by_exact_areas(tif, tmp_path, small_windows, crs):
    place = {} if crs == "EPSG:4326" else {"west": 300_000, "north": 550_000, "pixel": 100}
    path = tif(np.full((1, 150, 150), 40.0), crs=crs, **place)
    raster = PeopleRaster(path=path, bands={"people_persons": 1}, measure="density_per_km2")
    found = people_of_rasters([raster], 8, SERIAL, tmp_path)
    whole = next(windows(path, {"people_persons": 1}))
    areas = np.broadcast_to(pixel_areas_km2(whole), (150, 150))
    assert found["people_persons"].sum() == pytest.approx(40 * areas.sum(), rel=1e-12)
    full = found["people_persons"] / grid.areas_km2(found["cell"].to_numpy())
    assert full.max() == pytest.approx(40, rel=1e-4)


def test_a_measure_that_is_no_people_is_refused(tmp_path):
    with pytest.raises(BadInput, match="measure must be one of count, density_per_km2"):
        PeopleRaster(path=tmp_path / "a.tif", bands=BANDS, measure="value")


def test_windows_with_many_bands_are_smaller():
    assert [people.window_side(bands) for bands in (1, 2, 8, 500)] == [2048, 2048, 1024, 256]
