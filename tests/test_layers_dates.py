"""Days and instants: every style, declared or refused."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput
from pocgeo.layers.dates import ParsedTimes, parse_days, parse_instants


def days(*cells: object, day_first: bool | None = None, zone: str = "Africa/Juba") -> ParsedTimes:
    return parse_days(
        pd.Series(list(cells), dtype=object),
        day_first=day_first,
        zone=zone,
        where="f.csv: column 'd'",
    )


def instants(*cells: object, zone: str = "Africa/Juba") -> ParsedTimes:
    column = pd.Series(list(cells), dtype=object)
    return parse_instants(column, day_first=True, zone=zone, where="f.csv")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-02-29", "2024-02-29"),
        ("2024-2-9", "2024-02-09"),
        ("2024/02/09", "2024-02-09"),
        ("20240209", "2024-02-09"),
        ("2011-09-17 00:00:00.000", "2011-09-17"),
        ("17 September 2011", "2011-09-17"),
        ("3rd Jan 2020", "2020-01-03"),
        ("17-Sep-2011", "2011-09-17"),
        ("Sep 17, 2011", "2011-09-17"),
        ("25/12/2023", "2023-12-25"),
        ("12/25/2023", "2023-12-25"),
        ("05.05.2023", "2023-05-05"),
        (datetime(2020, 1, 2, 23, 0), "2020-01-02"),  # noqa: DTZ001
        (date(2020, 1, 3), "2020-01-03"),
        (44_000, "2020-06-18"),  # Excel: 1899-12-30 + 44,000 days
        ("2024-01-01T23:30:00Z", "2024-01-02"),  # Juba is UTC+2 since 2021
        ("2024-01-01T23:30:00+02:00", "2024-01-01"),
    ],
)
def test_a_day_in_any_style(cell: object, expected: str) -> None:
    assert days(cell).times[0] == pd.Timestamp(expected)


@pytest.mark.parametrize(
    "cell", ["2023-02-30", "31/13/2023", "junk", "2023", "2023-05", "0000-00-00"]
)
def test_what_is_no_day_is_unreadable(cell: str) -> None:
    parsed = days(cell)
    assert parsed.unreadable[0]
    assert pd.isna(parsed.times[0])


def test_a_missing_day_is_not_unreadable() -> None:
    assert not days(None, "2024-01-01").unreadable.any()


def test_a_date_that_may_be_day_or_month_first_refuses_the_file() -> None:
    with pytest.raises(BadInput) as refused:
        days("2024-01-01", "03/04/2024")
    assert str(refused.value) == (
        "f.csv: column 'd': '03/04/2024' in row 1 may be day or month first. Declare "
        "day_first = true or day_first = false for this source in aoi.toml."
    )


def test_declared_dates_are_read_as_declared() -> None:
    assert days("03/04/2024", day_first=True).times[0] == pd.Timestamp(2024, 4, 3)
    assert days("03/04/2024", day_first=False).times[0] == pd.Timestamp(2024, 3, 4)
    assert days("25/12/2023", day_first=False).unreadable[0]


def test_mixed_styles_are_read_and_said() -> None:
    parsed = days("2024-01-01", "3 Jan 2024", "05/01/2024", day_first=True)
    assert parsed.times.dt.day.tolist() == [1, 3, 5]
    assert parsed.notes == ["several styles in one column: 1 ISO, 1 numeric, 1 named month"]


def test_an_excel_serial_is_a_repair() -> None:
    ((rows, how),) = days("45000", "2024-01-01").repaired
    assert rows.tolist() == [True, False]
    assert "Excel serial" in how


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)), st.booleans())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_every_spelling_of_a_day_is_that_day(day: date, day_first: bool) -> None:
    numeric = f"{day:%d/%m/%Y}" if day_first else f"{day:%m/%d/%Y}"
    cells = [day.isoformat(), numeric, f"{day:%d %B %Y}", f"{day:%b %d, %Y}", f"{day:%Y%m%d}"]
    assert (days(*cells, day_first=day_first).times == pd.Timestamp(day)).all()


def test_instants_without_an_offset_are_local_and_that_is_said() -> None:
    parsed = instants("2024-06-01 08:00", "2024-06-01T08:00:00Z")
    assert parsed.times[0] == datetime(2024, 6, 1, 6, tzinfo=UTC)
    assert parsed.times[1] == datetime(2024, 6, 1, 8, tzinfo=UTC)
    assert "1 times without an offset are taken as Africa/Juba" in parsed.notes


def test_unix_seconds_and_milliseconds() -> None:
    # 1211033530 is 2008-05-17 14:12:10 UTC (date -u -d @1211033530)
    parsed = instants("1211033530", "1211033530250", 1211033530)
    assert parsed.times[0] == datetime(2008, 5, 17, 14, 12, 10, tzinfo=UTC)
    assert parsed.times[1] - parsed.times[0] == pd.Timedelta(milliseconds=250)
    assert parsed.times[2] == parsed.times[0]


def test_clocks_with_and_without_halves() -> None:
    parsed = instants("01/02/2024 01:30 PM", "01/02/2024 12:05 am", zone="UTC")
    assert parsed.times[0] == datetime(2024, 2, 1, 13, 30, tzinfo=UTC)
    assert parsed.times[1] == datetime(2024, 2, 1, 0, 5, tzinfo=UTC)


def test_a_clock_change_does_not_break_the_column() -> None:
    parsed = instants("2024-03-31 01:30", "2024-10-27 01:30", zone="Europe/London")
    assert parsed.times.notna().all()


@pytest.mark.parametrize("written", ["2999-01-01", "01/02/2999", "1 Jan 2999", "1200-05-05"])
def test_a_year_that_no_instant_holds_is_one_unreadable_row(written):
    parsed = parse_days(
        pd.Series(["2024-03-01", written]), day_first=True, zone="Africa/Juba", where="a.csv"
    )
    assert parsed.unreadable.tolist() == [False, True]
    assert parsed.times[0] == pd.Timestamp(2024, 3, 1)


def test_typed_and_counted_times_beyond_the_range_are_unreadable():
    far = pd.Series(np.array(["2999-01-01", "2024-01-01"], dtype="datetime64[us]"))
    found = parse_days(far, day_first=None, zone="UTC", where="a.parquet")
    assert found.times.notna().tolist() == [False, True]
    unix = parse_instants(
        pd.Series(["9999999999999", "1700000000000"]), day_first=None, zone="UTC", where="a.csv"
    )
    assert unix.times.notna().tolist() == [False, True]
    assert unix.times[1] == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
