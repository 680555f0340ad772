"""Counts by date, rows by month: the latest, the first, the last."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pocgeo.ground.errors import BadInput
from pocgeo.layers.reshape import collapse, dated_columns, latest_counts
from pocgeo.layers.spec import CollapseRule, WideCounts
from tests.layer_samples import counts, loaded, table

WIDE = WideCounts(field="people_persons", on="counted_on", ending=("IDPs",), first_year=2014)
PLACES = CollapseRule(by=("mission", "location"), year="year", month="month", within=("mission",))


def test_the_day_of_a_column_in_every_spelling_of_the_workbook() -> None:
    found = dated_columns(
        ["Site ID", "2014-05-29", "9June IDPs", "4 July IDPs", "4 July Host community caseload",
         "1 Sept IDPs", "15Nov IDPs", "31 Dec IDPs", "30 Jan IDPs", "14 Feb 2015 IDPs",
         "30 Jan Type of location", "31 Feb IDPs"],
        WIDE,
    )  # fmt: skip
    assert {name: f"{day:%Y-%m-%d}" for name, day in found.items()} == {
        "2014-05-29": "2014-05-29",
        "9June IDPs": "2014-06-09",
        "4 July IDPs": "2014-07-04",
        "1 Sept IDPs": "2014-09-01",
        "15Nov IDPs": "2014-11-15",
        "31 Dec IDPs": "2014-12-31",
        "30 Jan IDPs": "2015-01-30",  # the year turns
        "14 Feb 2015 IDPs": "2015-02-14",
    }


def test_the_latest_number_of_each_row_is_taken() -> None:
    frame = pd.DataFrame(
        {
            "2014-01-01": [5, 6, None],
            "9 June IDPs": [7, None, None],
            "4 July IDPs": ["moved", 0, None],
        }
    )
    latest = latest_counts(frame, WIDE, Path("f.xlsx"))
    assert latest.counts.tolist()[:2] == [7.0, 0.0]  # a counted zero is a count
    assert np.isnan(latest.counts[2])
    assert latest.days[0] == pd.Timestamp(2014, 6, 9)
    assert latest.days[1] == pd.Timestamp(2014, 7, 4)
    assert latest.texts == 1


def test_no_dated_column_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no column is named for a day, bare or with 'IDPs'"):
        latest_counts(pd.DataFrame({"a": [1]}), WIDE, Path("f.xlsx"))


def deployments() -> pd.DataFrame:
    rows = [
        ("M", "2012", "1", "Bor", "35"),
        ("M", "2012", "3", "Bor", "150"),
        ("M", "2012", "3", "Yei", "35"),
        ("M", "2012", "6", "Yei", "unknown"),
        ("M", "2012", "3", "Leer", "10"),
        ("M", "2012", "3", "leer", "11"),
    ]
    return pd.DataFrame(rows, columns=["mission", "year", "month", "location", "troops"])


def test_observations_become_places_with_first_and_last_month() -> None:
    frame = deployments()
    one = collapse(frame, np.ones(6, dtype=bool), PLACES, Path("f.csv"))
    kept = frame[one.keeps].assign(opened=one.opened_on, closed=one.closed_on)
    assert kept["location"].tolist() == ["Bor", "Yei", "leer"]
    assert kept["troops"].tolist() == ["150", "unknown", "11"]
    # Bor stands in the source's first month: opened before it; Yei in its last: still standing
    assert kept["opened"].isna().tolist() == [True, False, False]
    assert kept["closed"].isna().tolist() == [False, True, False]
    assert kept["closed"].tolist()[0] == pd.Timestamp(2012, 3, 31)
    assert kept["opened"].tolist()[1] == pd.Timestamp(2012, 3, 1)
    assert "1 rows repeat a place and month: the later row is kept" in one.notes


def test_the_order_of_rows_does_not_matter() -> None:
    frame = deployments().drop(index=4).reset_index(drop=True)
    turned = frame.iloc[::-1].reset_index(drop=True)
    ends = []
    for table_ in (frame, turned):
        one = collapse(table_, np.ones(5, dtype=bool), PLACES, Path("f.csv"))
        kept = table_[one.keeps].assign(opened=one.opened_on, closed=one.closed_on)
        ends.append(kept.sort_values("location", ignore_index=True))
    pd.testing.assert_frame_equal(*ends)


def test_rows_that_are_out_decide_nothing() -> None:
    live = np.array([True, True, True, False, True, True])
    one = collapse(deployments(), live, PLACES, Path("f.csv"))
    assert not one.keeps[3]
    assert one.keeps[2]


def test_a_yearly_file_closes_at_the_end_of_the_year(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "mission,year,location,latitude,longitude,NoTroops\n"
        "M,2012,Bor,5,31,150\nM,2013,Bor,5,31,0\nM,2014,Yei,5.1,31,unknown",
    )
    found = loaded("bases", path, profile="geopko")
    bases = found.frame
    assert bases is not None
    assert bases["base_id"].tolist() == ["M Bor", "M Yei"]
    assert bases["closed_on"][0] == pd.Timestamp(2013, 12, 31)
    assert bases["strength_persons"].isna().all()  # 0 and "unknown" are both not known here
    assert (bases["location_error_m"] == 7500).all()
    assert counts(found)["accepted"] == 3
