"""Source columns to typed fields: what is mended, what is refused, what stays unknown."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pocgeo.ground.errors import MissingColumns, UnknownName
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.fields import FieldReading, read_field
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import ProfileSpec, ValueRule
from tests.layer_samples import loaded, reasons, table

READING = FieldReading(path=Path("f.csv"), zone="UTC", not_after=date(2025, 6, 30))


def read(
    layer: str, name: str, cells: list[object], reading: FieldReading = READING
) -> tuple[pd.Series, RowAccount]:
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object)})
    account = RowAccount(layer, "f.csv", range(2, len(cells) + 2))
    return read_field(frame, layer_spec(layer).field(name), ("c",), reading, account), account


def entries(account: RowAccount) -> list[tuple[str, str]]:
    return [(entry["outcome"], entry["reason"]) for entry in account.entries]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12.0), (12, 12.0), (12.0, 12.0), ("1,234", 1234.0), ("1 234", 1234.0),
        ("12'345", 12345.0), ("1,234,567", 1234567.0),
    ],
)  # fmt: skip
def test_counts_in_many_spellings(cell: object, value: float) -> None:
    values, account = read("sites", "people_persons", [cell])
    assert values[0] == value
    assert account.live.all()


@pytest.mark.parametrize("cell", ["unknown", "Unknown", "n/a", "", None, "-", "?", "NULL"])
def test_unknown_is_missing_never_zero(cell: object) -> None:
    values, account = read("sites", "people_persons", [cell])
    assert np.isnan(values[0])
    assert not account.entries


def test_negative_counts_are_rejected() -> None:
    values, account = read("sites", "people_persons", [-5, 7])
    assert entries(account) == [("rejected", "negative count")]
    assert account.live.tolist() == [False, True]
    assert np.isnan(values[0])


def test_words_and_wild_values_become_unknown_and_are_said() -> None:
    values, account = read("sites", "people_persons", ["many", 9e9])
    assert values.isna().all()
    assert entries(account) == [
        ("repaired", "no number: made unknown"),
        ("repaired", "outside 0 to 2e+06: made unknown"),
    ]


def test_a_comma_that_may_be_either_is_not_guessed_in_a_measure() -> None:
    values, account = read("bases", "max_range_km", ["1,234", "12,5"])
    assert np.isnan(values[0])
    assert values[1] == 12.5
    assert ("repaired", "thousands or decimals? made unknown") in entries(account)


def test_categories_match_without_case_and_spaces_and_unknown_ones_are_counted() -> None:
    cells = ["State Forces", "national army", "Militia X", "Militia X", None, "unknown"]
    values, account = read("incidents", "perpetrator", cells)
    assert values.tolist() == ["state_forces", "state_forces", *["unknown"] * 4]
    (entry,) = account.entries
    assert entry["reason"] == "'Militia X' is no category: unknown"
    assert entry["rows"] == 2


def test_aoi_values_come_before_the_profile_and_rules_before_the_layer() -> None:
    profile = ProfileSpec(
        name="p",
        title="p",
        layers=("incidents",),
        value_maps={"perpetrator": {"a": "community", "b": "community"}},
        rules={
            "perpetrator": (
                ValueRule(value="criminal", column="c", prefix=("c",)),
                ValueRule(value="extremist_group", column="c", contains=("nd", "national")),
            )
        },
    )
    reading = FieldReading(
        path=Path("f.csv"),
        zone="UTC",
        profile=profile,
        value_maps={"perpetrator": {"a": "state_forces"}},
    )
    values, _ = read("incidents", "perpetrator", ["A", "B", "cc", "and", "National army"], reading)
    assert values.tolist() == [
        "state_forces", "community", "criminal", "extremist_group", "extremist_group",
    ]  # fmt: skip


def test_flags_read_yes_and_no_and_say_the_rest() -> None:
    values, account = read("incidents", "against_civilians", ["Yes", "0", "maybe", None, True])
    assert values.tolist() == [True, False, pd.NA, pd.NA, True]
    assert entries(account) == [("flagged", "neither yes nor no: unknown")]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1900-01-01", "before 1990"),
        ("2150-01-01", "after 2099"),
        ("2025-09-01", "in the future"),
        ("31/31/2024", "no date that can be read"),
        (None, "no value where one is needed"),
    ],
)
def test_an_impossible_day_rejects_an_incident(cell: object, reason: str) -> None:
    _, account = read("incidents", "occurred_on", [cell])
    assert entries(account) == [("rejected", reason)]


def test_an_impossible_day_of_a_field_that_may_be_missing_is_made_unknown() -> None:
    values, account = read("bases", "opened_on", ["1900-01-01"])
    assert values.isna().all()
    assert entries(account) == [("repaired", "before 1990: made unknown")]


def test_a_base_may_close_in_the_future() -> None:
    values, account = read("bases", "closed_on", ["2030-01-01"])
    assert values[0] == pd.Timestamp(2030, 1, 1)
    assert not account.entries


def test_confidential_values_are_never_said(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id,date,lon,lat,source,notes\n"
        "1,2024-01-01,31,5,SECRET-SOURCE,SECRET-STORY\n"
        "1,2024-01-02,31,5,SECRET-SOURCE,SECRET-STORY\n"
        "2,1900-01-01,31,5,SECRET-SOURCE,SECRET-STORY\n",
    )
    report = loaded("incidents", path).report
    for part in (report.summary, report.details, report.rejected):
        assert "SECRET" not in part.to_csv()


def test_aliases_do_not_mind_case_spaces_and_underscores(tmp_path: Path) -> None:
    path = table(tmp_path, "Event ID,EVENT-DATE,Civilians Killed,lon,lat\n7,2024-01-01,3,31,5")
    frame = loaded("incidents", path).frame
    assert frame is not None
    assert frame["incident_id"][0] == "7"
    assert frame["killed_civilians_persons"][0] == 3


def test_a_missing_column_names_what_to_do(tmp_path: Path) -> None:
    path = table(tmp_path, "id,when it was,lon,lat\n7,2024-01-01,31,5")
    with pytest.raises(MissingColumns, match=r"no column occurred_on; found id, when it was"):
        loaded("incidents", path)
    frame = loaded("incidents", path, columns={"occurred_on": "When it was"}).frame
    assert frame is not None
    assert frame["occurred_on"][0] == pd.Timestamp(2024, 1, 1)


def test_a_declared_column_or_field_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "id,date,lon,lat\n7,2024-01-01,31,5")
    with pytest.raises(UnknownName, match=r"Did you mean perpetrator"):
        loaded("incidents", path, columns={"perpetrater": "id"})
    with pytest.raises(ValueError, match=r"no column 'dat', which columns.occurred_on names. Did"):
        loaded("incidents", path, columns={"occurred_on": "dat"})
    with pytest.raises(ValueError, match=r"columns names 'lat'.* beside it: lon = "):
        loaded("incidents", path, columns={"lat": "lat"})


def test_a_declared_column_is_not_read_by_the_profiles_codes(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id,date_start,type_of_violence,side_a,where_prec,longitude,latitude,error\n"
        "1,2024-01-01,3,Government of X,1,31,5,3\n",
    )
    plain = loaded("incidents", path, profile="ucdp_ged").frame
    told = loaded(
        "incidents", path, profile="ucdp_ged", columns={"location_error_m": "error"}
    ).frame
    assert plain is not None
    assert told is not None
    assert plain["location_error_m"][0] == 1000
    assert told["location_error_m"][0] == 3


def test_days_out_of_order_are_flagged(tmp_path: Path) -> None:
    path = table(
        tmp_path, "id,date,date_end,lon,lat\n1,2024-01-05,2024-01-01,31,5\n2,2024-01-01,,31,5"
    )
    assert reasons(loaded("incidents", path), "flagged") == {"ends before it begins": 1}


def test_columns_that_nothing_reads_are_named(tmp_path: Path) -> None:
    head = "Ref,date,What,Who,lon,lat,mission\n7,2024-01-01,attack,militia,31,5,A"
    path = table(tmp_path, head)
    found = loaded("incidents", path, where={"mission": ["A"]})
    assert "columns not read: Ref, What, Who" in reasons(found, "note")
    found = loaded("incidents", path, columns={"incident_type": "What", "incident_id": "Ref"})
    assert "columns not read: Who, mission" in reasons(found, "note")
