import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from pocgeo.ground.errors import BadInput, NotCounts
from pocgeo.ground.pixels import PixelWindow
from pocgeo.sources.counts import (
    people_windows,
    pixel_areas_km2,
    refuse_if_not_counts,
    to_counts,
)
from tests.real import SHARED, needs_shared

AOI = shapely.box(31, 4, 32, 5)  # about 12,280 km2
WGS84_AREA_KM2 = 510_065_621.724  # NIMA TR8350.2, surface of the ellipsoid


@pytest.fixture
def tif(tmp_path):
    def writer(value, *, name="people.tif", description=None, tags=None, pixels=100):
        path = tmp_path / name
        values = np.full((pixels, pixels), value, "float32")
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=pixels, width=pixels, dtype="float32",
            crs="EPSG:4326", nodata=-99,
            transform=rasterio.Affine(1 / pixels, 0, 31, 0, -1 / pixels, 5),
        ) as raster:  # fmt: skip
            raster.write(values, 1)
            raster.set_band_description(1, description or "")
            raster.update_tags(1, **(tags or {}))
        return path

    return writer


def window(rows=3, columns=4, **more):
    values = more.pop("values", np.ones((1, rows, columns)))
    return PixelWindow(fields=("people_persons",), values=values, **more)


def test_the_whole_earth_has_the_ellipsoids_area():
    whole = window(180, 360, west=-180, north=90, pixel_width=1, pixel_height=1)
    assert pixel_areas_km2(whole).sum() * 360 == pytest.approx(WGS84_AREA_KM2, rel=1e-9)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0.0005, 0.01))
def test_geographic_pixels_have_their_geodesic_area(lon, lat, size):
    one = window(1, 1, west=lon, north=lat, pixel_width=size, pixel_height=size)
    ring = shapely.segmentize(shapely.box(*one.bounds), size / 8)  # parallels are no geodesics
    area_m2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(ring)[0])
    assert pixel_areas_km2(one)[0, 0] == pytest.approx(area_m2 / 1e6, rel=1e-6)


@pytest.mark.parametrize(("crs", "west", "north"), [
    ("EPSG:32636", 250_000, 540_000), ("EPSG:32736", 700_000, 9_000_000),
    ("EPSG:3857", 3_500_000, 7_000_000), ("EPSG:6933", 3_000_000, 600_000),
])  # fmt: skip
def test_projected_pixels_have_the_area_of_the_geodesic_polygon(crs, west, north):
    from pyproj import Transformer

    grid = window(2, 3, west=west, north=north, pixel_width=1000, pixel_height=500, crs=crs)
    areas = pixel_areas_km2(grid)
    back = Transformer.from_crs(crs, 4326, always_xy=True)
    for row in range(2):
        for column in range(3):
            x, y = west + 1000 * column, north - 500 * row
            lon, lat = back.transform([x, x + 1000, x + 1000, x], [y, y, y - 500, y - 500])
            geodesic = abs(Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]) / 1e6
            assert areas[row, column] == pytest.approx(geodesic, rel=2e-6)


def test_a_density_becomes_people():
    dense = window(2, 2, west=31, north=5, pixel_width=0.1, pixel_height=0.1)
    counts = to_counts(dense)
    assert (counts.values[0] == np.broadcast_to(pixel_areas_km2(dense), (2, 2))).all()
    # One tenth of a degree squared at 5 N: 11.08 km x 11.06 km.
    assert counts.values[0, 0, 0] == pytest.approx(11.09 * 11.06, rel=2e-3)


def test_people_windows_hold_no_negative_people(tif):
    path = tif(np.tile([5, -3], 50), name="a.tif")
    found = next(people_windows(path, {"people_persons": 1}))
    assert np.nansum(found.values) == 5 * 50 * 100
    assert np.isnan(found.values[0, 0]).sum() == 50
    dense = next(people_windows(path, {"people_persons": 1}, measure="density_per_km2"))
    assert np.nansum(dense.values) == pytest.approx(5 * 12_300 / 2, rel=1e-2)
    with pytest.raises(BadInput, match=r"measure must be one of count, density_per_km2, got 'n'"):
        next(people_windows(path, {"people_persons": 1}, measure="n"))


def test_counts_pass_and_say_what_they_imply(tif):
    check = refuse_if_not_counts(tif(20.0), 1, AOI)
    assert check.persons == pytest.approx(200_000)
    assert check.area_km2 == pytest.approx(12_300, rel=0.01)
    assert check.persons_km2 == pytest.approx(200_000 / check.area_km2)
    assert check.notes == ("band 1 holds 200,000 people inside the area",)


def test_an_empty_looking_band_is_refused_unless_expected(tif):
    path = tif(0.2)
    with pytest.raises(NotCounts) as caught:
        refuse_if_not_counts(path, 1, AOI)
    said = str(caught.value)
    assert f"{path} band 1: implies 2,000 people_persons over 12," in said
    assert "fewer than 1 per km2" in said
    assert 'measure = "density_per_km2"' in said
    assert "expect_persons" in said
    assert refuse_if_not_counts(path, 1, AOI, expect_persons=(1000, 3000)).persons > 0
    with pytest.raises(NotCounts, match="expect_persons says 10,000 to 20,000"):
        refuse_if_not_counts(path, 1, AOI, expect_persons=(10_000, 20_000))
    with pytest.raises(BadInput, match="expect_persons must be"):
        refuse_if_not_counts(path, 1, AOI, expect_persons=(5, 1))


def test_a_crowd_beyond_belief_is_refused_over_a_large_area_only(tif):
    path = tif(5000.0)
    with pytest.raises(NotCounts, match="more than 2,000 per km2"):
        refuse_if_not_counts(path, 1, AOI)
    assert refuse_if_not_counts(path, 1, shapely.box(31, 4.9, 31.1, 5)).persons > 0


def test_children_are_fewer_than_people(tif):
    assert refuse_if_not_counts(tif(0.2), 1, AOI, field="children_persons").persons > 0


@pytest.mark.parametrize(
    "about",
    [{"name": "pop_density.tif"}, {"description": "people per km2"}, {"tags": {"unit": "1/km2"}}],
)
def test_what_is_called_a_density_is_refused_as_counts(tif, about):
    path = tif(20.0, **about)
    with pytest.raises(NotCounts, match="it is called a density"):
        refuse_if_not_counts(path, 1, AOI)
    check = refuse_if_not_counts(path, 1, AOI, measure="density_per_km2")
    assert check.persons == pytest.approx(20 * check.area_km2, rel=1e-6)


def test_negative_and_missing_pixels_are_said(tif):
    row = np.full(100, 20.0)
    row[:10], row[10:30] = -1, -99
    check = refuse_if_not_counts(tif(row), 1, AOI)
    assert check.negative_pixels == 1000
    assert check.missing_share == pytest.approx(0.3)
    assert check.notes[1:] == (
        "band 1: 1000 negative pixels are read as missing",
        "band 1: 30.0% of the area it spans has no data",
    )
    with pytest.raises(NotCounts, match="no value inside the area"):
        refuse_if_not_counts(tif(-99.0), 1, AOI)


@needs_shared
@pytest.mark.parametrize(
    ("name", "band", "measure", "persons"),
    [
        ("worldpop_10km_3band_derived", 1, "count", None),
        ("worldpop_10km_3band_derived", 2, "count", None),
        ("worldpop_10km_3band_derived", 3, "count", 17_025_187),  # exactextract
        ("worldpop_10km_3band_derived", 3, "density_per_km2", None),
        ("worldpop_density_20km_africa", 1, "count", None),
        ("worldpop_density_20km_africa", 1, "density_per_km2", 14_400_000),
        ("gpw_1km_equatorias_crop_derived", 1, "count", 4_234_000),
    ],
)
def test_real_rasters_are_told_apart(name, band, measure, persons):
    import geopandas as gpd

    outline = gpd.read_file(SHARED / "south_sudan/boundaries/osm_south_sudan.geojson")
    path = SHARED / "south_sudan/population" / f"{name}.tif"
    if persons is None:
        with pytest.raises(NotCounts, match=rf"{name}.tif band {band}: implies"):
            refuse_if_not_counts(path, band, outline.geometry.iloc[0], measure=measure)
    else:
        check = refuse_if_not_counts(path, band, outline.geometry.iloc[0], measure=measure)
        assert check.persons == pytest.approx(persons, rel=2e-3)
