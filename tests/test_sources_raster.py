import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput, MissingFile, UnreadableSource
from pocgeo.sources.mosaics import tiles_of_mosaic, whole_of
from pocgeo.sources.raster import (
    band_sum,
    describe,
    pieces,
    polygon_shares,
    read_piece,
    sample,
    window_of,
    windows,
)
from tests.real import SHARED, needs_shared

SEED = 20240801


@pytest.fixture
def tif(tmp_path):
    def writer(values, *, west=31.0, north=5.0, pixel=0.01, crs="EPSG:4326", **more):
        values = np.asarray(values)
        values = values[np.newaxis] if values.ndim == 2 else values
        turn = more.pop("turn", 0.0)
        scales, tags = more.pop("scales", None), more.pop("tags", {})
        path = tmp_path / more.pop("name", "a.tif")
        with rasterio.open(
            path, "w", driver="GTiff", count=len(values), height=values.shape[1],
            width=values.shape[2], dtype=values.dtype, crs=crs,
            transform=rasterio.Affine(pixel, turn, west, turn, -pixel, north), **more,
        ) as raster:  # fmt: skip
            raster.write(values)
            raster.update_tags(**tags)
            if scales:
                raster.scales = scales
        return path

    return writer


def test_facts_are_read_without_pixels(tif):
    path = tif(np.zeros((2, 30, 40), "float32"), nodata=-9.0, tags={"note": "x"})
    facts = describe(path)
    assert (facts.bands, facts.width, facts.height) == (2, 40, 30)
    assert (facts.pixel_width, facts.pixel_height) == (0.01, 0.01)
    assert facts.crs == "EPSG:4326"
    assert facts.nodata == (-9.0, -9.0)
    assert facts.dtypes == ("float32", "float32")
    assert facts.tags["note"] == "x"
    assert facts.bounds == pytest.approx((31.0, 4.7, 31.4, 5.0))
    assert facts.bounds_lonlat == pytest.approx((31.0, 4.7, 31.4, 5.0))


def test_what_is_no_data_is_nan_and_negatives_are_left_as_they_are(tif):
    values = np.array([[1, -9, np.nan, np.inf, -3.4e38, 3.4e38, -2]], "float32")
    read = next(windows(tif(values, nodata=-9.0), {"people_persons": 1})).values[0, 0]
    assert np.isnan(read).tolist() == [False, True, True, True, True, True, False]
    assert read[[0, 6]].tolist() == [1, -2]


def test_scale_is_applied_and_nodata_is_not_scaled(tif):
    path = tif(np.array([[5, 255]], "uint8"), nodata=255, scales=(0.5,))
    read = next(windows(path, {"x": 1})).values[0, 0]
    assert read[0] == 2.5
    assert np.isnan(read[1])


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(1, 23), st.integers(1, 23), st.integers(1, 9))
def test_windows_cover_every_pixel_once(tmp_path_factory, rows, columns, size):
    path = tmp_path_factory.mktemp("law") / "a.tif"
    values = np.arange(2 * rows * columns, dtype="float64").reshape(2, rows, columns)
    with rasterio.open(
        path, "w", driver="GTiff", count=2, height=rows, width=columns, dtype="float64",
        crs="EPSG:4326", transform=rasterio.Affine(0.5, 0, -10, 0, -0.5, 8),
    ) as raster:  # fmt: skip
        raster.write(values)
    seen = np.full((2, rows, columns), np.nan)
    for window in windows(path, {"b": 2, "a": 1}, size):
        assert window.fields == ("b", "a")
        left, top = round((window.west + 10) / 0.5), round((8 - window.north) / 0.5)
        _, height, width = window.values.shape
        assert height * width <= max(size**2, columns)  # stored in whole rows
        assert np.isnan(seen[:, top : top + height, left : left + width]).all()
        seen[:, top : top + height, left : left + width] = window.values[::-1]
    assert (seen == values).all()


def test_a_window_holds_every_pixel_that_touches_the_bounds(tif):
    values = np.arange(600.0).reshape(20, 30)
    window = window_of(tif(values), {"x": 1}, (31.015, 4.861, 31.041, 4.979))
    assert window.bounds == pytest.approx((31.01, 4.86, 31.05, 4.98))
    assert (window.values[0] == values[2:14, 1:5]).all()
    walked = list(windows(tif(values), {"x": 1}, 5, (31.015, 4.861, 31.041, 4.979)))
    assert sum(piece.values.size for piece in walked) == window.values.size


def test_bounds_in_degrees_find_pixels_in_metres(tif):
    path = tif(np.ones((50, 50)), west=300_000, north=550_000, pixel=1000, crs="EPSG:32636")
    window = window_of(path, {"x": 1}, (31.3, 4.7, 31.4, 4.8))
    assert window.crs == "EPSG:32636"
    west, south, east, north = window.bounds
    assert (east - west, north - south) == pytest.approx((12_000, 12_000), abs=1500)


def test_a_place_elsewhere_is_refused_not_empty(tif):
    path = tif(np.ones((5, 5)))
    with pytest.raises(BadInput, match="does not overlap the area asked for"):
        window_of(path, {"x": 1}, (0, 0, 1, 1))
    with pytest.raises(BadInput, match="does not overlap the area asked for"):
        list(windows(path, {"x": 1}, 10, (0, 0, 1, 1)))


@pytest.mark.parametrize("band", [0, 3, -1, True, 1.0, "1"])
def test_a_band_that_does_not_exist_is_refused(tif, band):
    path = tif(np.ones((2, 5, 5)))
    with pytest.raises(BadInput, match=r"no band .* for people_persons; it has 2, numbered from 1"):
        list(windows(path, {"people_persons": band}))
    with pytest.raises(BadInput, match="no band is asked for"):
        list(windows(path, {}))


def test_rasters_that_cannot_be_placed_are_refused(tif, tmp_path):
    with pytest.raises(UnreadableSource, match="states no coordinate reference system"):
        describe(tif(np.ones((5, 5)), crs=None))
    with pytest.raises(UnreadableSource, match="is rotated or not north-up"):
        describe(tif(np.ones((5, 5)), turn=0.001))
    with pytest.raises(UnreadableSource, match="is rotated or not north-up"):
        describe(tif(np.ones((5, 5)), pixel=-0.01))
    with pytest.raises(MissingFile, match="does not exist"):
        describe(tmp_path / "none.tif")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.tif", "is empty"),
        (b"II*\x00rubbish and more", "a.tif", "is no readable raster"),
        (b"lat,lon\n", "a.tif", "is no raster pocgeo reads"),
        (b"<VRTDataset><SRS>x</SRS></VRTDataset>", "a.vrt", "names no tile"),
    ],
)
def test_what_is_no_raster_is_refused_in_one_line(tmp_path, content, name, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableSource, match=said) as caught:
        describe(path)
    assert "\n" not in str(caught.value)


def virtual(folder, source, *, more="", band="", relative=1):
    text = (
        '<VRTDataset rasterXSize="60" rasterYSize="40"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>31.0, 0.01, 0, 5.0, 0, -0.01</GeoTransform>"
        f'{more}<VRTRasterBand dataType="Float64" band="1"{band}><SimpleSource>'
        f'<SourceFilename relativeToVRT="{relative}">{source}</SourceFilename>'
        '<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="40" ySize="40"/>'
        '<DstRect xOff="20" yOff="0" xSize="40" ySize="40"/></SimpleSource>'
        "</VRTRasterBand></VRTDataset>"
    )
    path = folder / "tiles.vrt"
    path.write_text(text)
    return path


def test_a_virtual_raster_is_read_tile_by_tile(tif):
    tile = tif(np.arange(1600.0).reshape(40, 40) + 1)
    path = virtual(tile.parent, tile.name)
    assert tiles_of_mosaic(path) == (tile,)
    assert (whole_of(path), whole_of(tile)) == ((path, tile), (tile,))
    assert describe(path).width == 60
    read = next(windows(path, {"x": 1})).values[0]
    assert (read[:, 20:] == np.arange(1600.0).reshape(40, 40) + 1).all()
    assert (read[:, :20] == 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "../a.tif"}, "leads out of its folder"),
        ({"source": "/etc/passwd"}, "leads out of its folder"),
        ({"source": "/vsicurl/http://x/a.tif"}, "leads out of its folder"),
        ({"source": "a.tif", "relative": 0}, "leads out of its folder"),
        ({"source": "tiles.vrt"}, "no GeoTIFF"),
        ({"source": "a.tif", "band": ' subClass="VRTDerivedRasterBand"'}, "does more than place"),
        (
            {"source": "a.tif", "more": "<PixelFunctionCode>import os</PixelFunctionCode>"},
            "does more than place",
        ),
        ({"source": "a.tif", "more": "<!DOCTYPE x>"}, "is broken XML|DOCTYPE"),
    ],
)
def test_a_virtual_raster_that_does_more_than_join_tiles_is_refused(tif, change, said):
    tile = tif(np.ones((40, 40)))
    with pytest.raises(UnreadableSource, match=said) as caught:
        describe(virtual(tile.parent, **change))
    assert "\n" not in str(caught.value)


def test_a_missing_tile_is_named(tmp_path):
    with pytest.raises(MissingFile, match=r"b\.tif"):
        describe(virtual(tmp_path, "b.tif"))


def test_pieces_read_alone_are_the_windows(tif):
    values = np.random.default_rng(SEED).random((2, 100, 130))
    tiled = {"tiled": True, "blockxsize": 32, "blockysize": 16}
    for path in (tif(values), tif(values, name="b.tif", **tiled)):
        found = pieces(path, {"b": 2, "a": 1}, 50, (31.1, 4.2, 32.1, 4.9))
        walked = list(windows(path, {"b": 2, "a": 1}, 50, (31.1, 4.2, 32.1, 4.9)))
        assert len(found) == len(walked) > 1
        for piece, window in zip(found, walked, strict=True):
            alone = read_piece(piece)
            assert alone.bounds == window.bounds
            assert (alone.values == window.values).all()
    assert {piece.column % 32 for piece in found} == {0, 10}
    assert len({piece.column for piece in pieces(tif(values), {"a": 1}, 50)}) == 1


def test_a_cut_off_raster_is_refused_when_read(tif):
    path = tif(np.random.default_rng(SEED).random((400, 400)), name="cut.tif")
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(UnreadableSource, match=r"is damaged|no readable raster"):
        list(windows(path, {"x": 1}))


def test_a_point_reads_the_pixel_under_it(tif):
    values = np.arange(3_000_000.0).reshape(1500, 2000)
    path = tif(values, pixel=0.001)
    rng = np.random.default_rng(SEED)
    rows, columns = rng.integers(0, 1500, 200), rng.integers(0, 2000, 200)
    lon = 31 + (columns + rng.uniform(0.01, 0.99, 200)) * 0.001
    lat = 5 - (rows + rng.uniform(0.01, 0.99, 200)) * 0.001
    assert (sample(path, 1, lon, lat) == values[rows, columns]).all()
    outside = sample(path, 1, [np.nan, 30.9, 31.0005, 33.001], [4, 4, 5.1, 4])
    assert np.isnan(outside).all()
    assert sample(path, 1, [], []).shape == (0,)


def test_a_polygons_share_of_a_pixel_is_measured(tif):
    window = next(windows(tif(np.ones((4, 4)), pixel=1.0), {"x": 1}))
    share = polygon_shares(window, shapely.box(31.5, 2.0, 34.0, 4.25))
    assert share.tolist() == [
        [0.125, 0.25, 0.25, 0], [0.5, 1, 1, 0], [0.5, 1, 1, 0], [0, 0, 0, 0],
    ]  # fmt: skip


def test_a_band_sums_over_a_polygon(tif):
    values = np.full((20, 20), 2.0)
    values[0, 0] = -9
    path = tif(values, nodata=-9.0)
    assert band_sum(path, 1) == 2 * 399
    assert band_sum(path, 1, shapely.box(31.05, 4.85, 31.1, 4.9)) == pytest.approx(50)
    assert np.isnan(band_sum(path, 1, shapely.box(31.001, 4.991, 31.009, 4.999)))


@needs_shared
def test_a_real_sum_agrees_with_exactextract():
    exactextract = pytest.importorskip("exactextract")
    import geopandas as gpd

    outline = gpd.read_file(SHARED / "south_sudan/boundaries/osm_south_sudan.geojson")
    path = SHARED / "south_sudan/population/worldpop_10km_3band_derived.tif"
    oracle = exactextract.exact_extract(str(path), outline, ["sum"])[0]["properties"]["band_3_sum"]
    ours = band_sum(path, 3, outline.geometry.iloc[0])
    assert ours == pytest.approx(oracle, rel=1e-3)


@needs_shared
def test_real_nodata_does_not_become_people():
    path = SHARED / "south_sudan/population/gpw_1km_equatorias_crop_derived.tif"
    # 6,970,527: numpy over the masked array that rasterio gives
    assert band_sum(path, 1) == pytest.approx(6_970_527, abs=1)
