"""Where rows lie: every format, and every way to be wrong."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadCoordinates, BadInput
from pocgeo.ground.geodesy import distance_m
from pocgeo.ground.grid_reference import to_mgrs
from pocgeo.layers.coordinates import place_points
from pocgeo.layers.rows import RowAccount
from tests.layer_samples import SQUARE, loaded, reasons, table


def place(*pairs: tuple[float, float], outside: str = "reject") -> tuple[np.ndarray, RowAccount]:
    account = RowAccount("incidents", "rows.csv", range(2, len(pairs) + 2))
    lon, lat = (np.array(axis, dtype=float) for axis in zip(*pairs, strict=True))
    placed = place_points(lon, lat, SQUARE, account, outside=outside)
    return np.column_stack(placed), account


def said(account: RowAccount, outcome: str) -> list[str]:
    return [entry["reason"] for entry in account.entries if entry["outcome"] == outcome]


def test_swapped_points_are_turned_only_if_that_puts_them_inside() -> None:
    placed, account = place((5.0, 31.0), (31.0, 5.0), (50.0, 10.0))
    assert placed[:2].tolist() == [[31.0, 5.0], [31.0, 5.0]]
    assert np.isnan(placed[2]).all()
    assert said(account, "repaired") == ["lon and lat were swapped"]
    assert said(account, "rejected") == ["outside the area of interest"]


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ((0.0, 0.0), "0, 0: an empty position"),
        ((287.27, 5.0), "no place on Earth: beyond 180 or 90 degrees"),
        ((31.0, 95.0), "no place on Earth: beyond 180 or 90 degrees"),
        ((np.nan, 5.0), "no coordinates"),
        ((38.24, 5.0), "outside the area of interest"),
    ],
)
def test_a_wrong_position_is_rejected_with_its_reason(
    pair: tuple[float, float], reason: str
) -> None:
    placed, account = place(pair)
    assert np.isnan(placed).all()
    assert said(account, "rejected") == [reason]


def test_bases_outside_are_kept_and_flagged() -> None:
    placed, account = place((33.0, 5.0), outside="keep")
    assert placed.tolist() == [[33.0, 5.0]]
    assert said(account, "flagged") == ["outside the area of interest: kept"]


@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-200, 200)), min_size=1, max_size=30))
@settings(derandomize=True, max_examples=80, deadline=None)
def test_what_is_accepted_lies_inside_and_was_not_moved_unsaid(
    pairs: list[tuple[float, float]],
) -> None:
    placed, account = place(*pairs)
    accepted = account.state == 0
    assert (placed[accepted] == np.array(pairs)[accepted]).all()
    assert (np.isnan(placed).all(axis=1) == ~account.live).all()
    west, south, east, north = SQUARE.bounds
    kept = placed[account.live]
    assert ((kept >= [west, south]) & (kept <= [east, north])).all()


def one(folder: Path, header: str, row: str, **source: object) -> tuple[float, float]:
    path = table(folder, f"id{header}\nA{row}")
    frame = loaded("settlements", path, **source).frame
    assert frame is not None
    return frame.geometry.x[0], frame.geometry.y[0]


@pytest.mark.parametrize(
    ("header", "row", "source"),
    [
        (",lon,lat", ",31.5,4.85", {}),
        (";Longitude;LATITUDE", ';31,5;"4,85"', {"delimiter": ";"}),
        (",lon,lat", ",31°30'00\"E,4°51'00\"N", {}),
        (",lon,lat", ",31d30'0\"E,4d51'0\"N", {"coordinate_format": "dms"}),
        (",X,Y", ",31.5,4.85", {"lon": "x", "lat": "y"}),
        (",position", ',"4.85, 31.5"', {"coordinates": "position"}),
    ],
)
def test_positions_in_degrees_of_any_spelling(
    tmp_path: Path, header: str, row: str, source: dict[str, object]
) -> None:
    lon, lat = one(tmp_path, header, row, **source)
    assert lon == pytest.approx(31.5, abs=1e-9)
    assert lat == pytest.approx(4.85, abs=1e-9)


def test_mgrs_gives_the_square_and_its_error(tmp_path: Path) -> None:
    reference = to_mgrs([31.5], [4.85], digits=3)[0]
    path = table(tmp_path, f"incident_id,date,MGRS\n1,2024-01-01,{reference}")
    frame = loaded("incidents", path).frame
    assert frame is not None
    apart = distance_m(frame.geometry.x, frame.geometry.y, 31.5, 4.85)[0]
    assert apart <= 100 / np.sqrt(2) + 0.1
    assert frame["location_error_m"][0] == pytest.approx(100 / np.sqrt(2))


def test_utm_by_text_and_by_declared_crs(tmp_path: Path) -> None:
    # central meridian of zone 36 is 33 E: easting 500,000; equator northing 0
    lon, lat = one(tmp_path, ",grid", ",36N 333590 536200")
    easting = one(tmp_path, ",easting,northing", ",333590,536200", crs="EPSG:32636")
    assert (lon, lat) == pytest.approx(easting, abs=1e-9)
    assert 31 < lon < 32
    assert 4.8 < lat < 4.9


def test_metres_without_a_crs_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "id,x,y\nA,333590,536200")
    with pytest.raises(BadCoordinates, match=r'crs = "EPSG:32636"'):
        loaded("settlements", path)


def test_a_table_that_does_not_say_where_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "id,place name\nA,Bor")
    with pytest.raises(BadInput, match=r"no column says where rows lie"):
        loaded("settlements", path)


def test_unreadable_positions_are_rejected_by_row(tmp_path: Path) -> None:
    path = table(tmp_path, "id,lon,lat\nA,31.5,4.85\nB,thirty one,5\nC,,5")
    found = loaded("settlements", path)
    assert reasons(found, "rejected") == {"coordinates that cannot be read": 1, "no coordinates": 1}
    assert found.rejected["source_row"].tolist() == [3, 4]
