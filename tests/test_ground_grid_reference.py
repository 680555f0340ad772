import mgrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput
from pocgeo.ground.grid_reference import (
    mgrs_side_m,
    parse_dms,
    parse_mgrs,
    parse_pair,
    parse_utm,
    to_mgrs,
    utm_to_lonlat,
)
from tests.real import SHARED, needs_shared

LAW = settings(derandomize=True, max_examples=60, deadline=None)
latitudes = st.floats(-79.9, 83.9)
longitudes = st.floats(-180, 179.999)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("4°51'36\"N", 4.86),
        ("N04 51 36.5", 4.860138888888889),
        ("045136N", 4.86),
        ("0313500E", 31.583333333333332),
        ("0451.6N", 4.86),
        ("4:51:36 N", 4.86),
        ("4 51.6 N", 4.86),
        ("-4 51 36", -4.86),
        ("+4.86", 4.86),
        ("4,86 N", 4.86),
        ("S 4.86", -4.86),
        ("04-51-36S", -4.86),
        ("4º51′36″ North", 4.86),
        ("4° 51' 36'' N", 4.86),
        ("4 deg 51 min 36 sec S", -4.86),
        ("W 31°34'", -31.566666666666666),
        ("7d05'60\"N", 7.1),
        (4.86, 4.86),
        (np.float32(-0.5), -0.5),
    ],
)
def test_every_common_spelling_is_read(text, degrees):
    assert parse_dms([text])[0] == pytest.approx(degrees, abs=1e-12)


def test_the_s_of_seconds_is_not_the_s_of_south():
    read = parse_dms(["4d51m36s", "4d51m36sN", "4d51m36s S", "4 51 36 S", "4 51 36S"])
    assert read.tolist() == [4.86, 4.86, -4.86, -4.86, -4.86]


@pytest.mark.parametrize(
    "text",
    ["", "abc", None, float("nan"), "4 61 0 N", "4 60 0 N", "4 0 60.1 N", "91 N", "181 E", "181",
     "-4 N", "4.5 30 N", "4h", "1e5", "31.5 O", "N", "12 34 56 78 N", True],
)  # fmt: skip
def test_what_is_no_coordinate_is_missing(text):
    assert np.isnan(parse_dms([text])[0])


def test_an_axis_refuses_the_letters_and_the_range_of_the_other():
    assert np.isnan(parse_dms(["31 34 0 E", "95"], "lat")).all()
    assert np.isnan(parse_dms(["4 51 36 N"], "lon")).all()
    with pytest.raises(BadInput, match="axis must be lat, lon or None"):
        parse_dms([], "x")


@needs_shared
def test_the_airfields_texts_agree_with_their_decimals():
    from pocgeo.sources.vector import read_vector

    path = SHARED / "south_sudan" / "transport" / "undp_airfields_dms.geojson"
    fields = read_vector(path).frame
    lat, lon = parse_dms(fields["LAT_N_TXT"], "lat"), parse_dms(fields["LON_E_TXT"], "lon")
    # The decimals are rounded to 1e-5 degree and the texts to 0.1 or 0.01 second.
    north, east = np.abs(lat - fields["LAT_N"]), np.abs(lon - fields["LON_E"])
    assert len(fields) == 434
    assert ((north < 1.2e-6) & (east < 1.2e-6)).sum() == 434


@LAW
@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 5999), st.sampled_from("NSEW"))
def test_what_is_written_in_dms_is_read_back(degrees, minutes, hundredths, letter):
    seconds = hundredths / 100
    value = (degrees + minutes / 60 + seconds / 3600) * (-1 if letter in "SW" else 1)
    width = 3 if letter in "EW" else 2
    texts = [
        f"{degrees}°{minutes}'{seconds:.2f}\"{letter}",
        f"{letter}{degrees:02d} {minutes:02d} {seconds:05.2f}",
        f"{degrees:0{width}d}{minutes:02d}{seconds:05.2f}{letter}",
        f"{degrees}d{minutes}m{seconds:.2f}s {letter}",
    ]
    assert parse_dms(texts) == pytest.approx([value] * 4, abs=1e-9)


def test_a_pair_is_latitude_first_unless_letters_say_otherwise():
    texts = [
        "4.85, 31.6", "4.85 31.6", "4,85; 31,6", "4,85, 31,6", "(4.85, 31.6)", "4.85,31.6",
        "4°51'N 31°36'E", "31°36'E, 4°51'N", "N4 51 00 E31 36 00", "4 51 0 31 36 0",
        "0451N03136E", "31.6E/4.85N", "POINT (31.6 4.85)",
    ]  # fmt: skip
    lon, lat = parse_pair(texts)
    assert lon == pytest.approx([31.6] * len(texts), abs=1e-9)
    assert lat == pytest.approx([4.85] * len(texts), abs=1e-9)


def test_a_pair_that_is_none_is_missing_on_both_sides():
    lon, lat = parse_pair(["95, 31", "", None, "4.85", "4.85, x", "1, 2, 3", "5 N 6 N", 4.2])
    assert np.isnan(lon).all()
    assert np.isnan(lat).all()


def test_mgrs_names_the_centre_of_its_square():
    # 36N UL spans eastings 300,000-400,000 and northings 500,000-600,000 of zone 36N.
    lon, lat = parse_mgrs(["36N UL", "36nul55", "36N UL 5500 5500"])
    east, north = utm_to_lonlat(
        [36, 36, 36], [350_000, 355_000, 355_005], [550_000, 555_000, 555_005]
    )
    assert lon == pytest.approx(east, abs=5e-6)
    assert lat == pytest.approx(north, abs=5e-6)
    assert mgrs_side_m(["36N UL", "36nul55", "36N UL 5500 5500", "x"]).tolist()[:3] == [
        1e5,
        1e4,
        10,
    ]


def test_words_and_halves_are_no_mgrs():
    lon, _ = parse_mgrs(["bad", "36NUK123", "36N", "", None, "61NUL12", "36IUL12", "36NIL12"])
    assert np.isnan(lon).all()


def test_mgrs_is_written_in_groups():
    written = to_mgrs([31.6, 31.6, 31.6, np.nan, 200, 10, 10], [4.85, 4.85, 4.85, 1, 0, 85, -85], 4)
    assert written.tolist() == [
        "36N UL 4475 3624", "36N UL 4475 3624", "36N UL 4475 3624", None, None,
        "Z AB 9645 5298", "B AT 9645 4701",
    ]  # fmt: skip
    assert to_mgrs(31.6, 4.85, 0)[0] == "36N UL"
    assert to_mgrs(-179.5, 0.1, 0)[0].startswith("1N ")
    with pytest.raises(BadInput, match="digits must be 0 to 5, got 6"):
        to_mgrs(0, 0, 6)


@LAW
@given(longitudes, latitudes, st.integers(1, 5))
def test_a_position_lies_in_the_square_that_names_it(lon, lat, digits):
    written = to_mgrs(lon, lat, digits)
    oracle = mgrs.MGRS().toMGRS(lat, lon, True, digits)
    assert written[0].replace(" ", "") == oracle.lstrip("0")
    east, north = parse_mgrs(written)
    # Half a side, a little more where the grid is turned against north, and half a metre.
    reach_deg = (0.56 * mgrs_side_m(written)[0] + 0.75) / 110_500
    assert abs(north[0] - lat) <= reach_deg
    assert abs((east[0] - lon + 180) % 360 - 180) <= reach_deg / np.cos(np.radians(lat))


@LAW
@given(longitudes, st.one_of(st.floats(-90, -80.1), st.floats(84.1, 90)))
def test_polar_squares_are_read_back(lon, lat):
    east, north = parse_mgrs(to_mgrs(lon, lat, 5))
    assert abs(north[0] - lat) < 2e-5
    assert abs((east[0] - lon + 180) % 360 - 180) * np.cos(np.radians(lat)) < 2e-5


@LAW
@given(st.integers(1, 60), st.floats(200_000, 800_000), st.floats(10_000, 3_000_000), st.booleans())
def test_utm_is_read_back(zone, easting, northing, south):
    from pyproj import Transformer

    metres = 10_000_000 - northing if south else northing
    letter = "S" if south else "N"
    lon, lat = parse_utm([f"{zone}{letter} {easting:.3f} {metres:.3f}"])
    move = Transformer.from_crs(4326, (32700 if south else 32600) + zone, always_xy=True)
    assert move.transform(lon[0], lat[0]) == pytest.approx((easting, metres), abs=0.01)


def test_utm_spellings_and_what_they_cannot_say():
    lon, lat = parse_utm(
        ["36 P 345678mE 1104321mN", "UTM zone 36S 345678, 9436789", "36M 345678 9436789",
         "36S 345678 4000000", "61N 345678 4000", "36N 50 4000", "", None]
    )  # fmt: skip
    assert lat[0] == pytest.approx(9.98715, abs=1e-5)
    assert lat[1] == lat[2] == pytest.approx(-5.09390, abs=1e-5)
    assert np.isnan(lon[3:]).all()
    assert np.isnan(utm_to_lonlat([36, 36.5, 0], [np.nan, 5e5, 5e5], [1e6, 1e6, 1e6])[0]).all()
    assert parse_utm([])[0].shape == (0,)


def test_a_square_that_its_band_does_not_hold_is_no_reference() -> None:
    lon, _ = parse_mgrs(["36N UF 12345 67890", "36J UF 12345 67890", "36PUV", "36NUV"])
    assert np.isnan(lon).tolist() == [False, True, False, True]
