"""The manifest: plain, stable, escaped, and stripped for those outside."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from pocgeo.ground.errors import BadInput
from pocgeo.products.manifest import (
    InputFact,
    Making,
    as_json,
    manifest,
    manifest_html,
    outward,
    plain_json,
)

REPORT = pd.DataFrame(
    {"layer": ["incidents"], "source": ["a.csv"], "rows": [np.int64(9)], "rejected": [np.nan]}
)


def made(**changes: object) -> dict[str, object]:
    making = Making(
        aoi={"name": "Coast", "marking": "UNCLASSIFIED", "folder": "/home/x"},
        inputs=[
            InputFact(layer="sites", source="b.csv", digest="cd" * 32),
            InputFact(layer="incidents", source="a.csv", digest="ab" * 32),
        ],
        parameters={"reach_min": 60.0, "kinds": frozenset({"HQ", "COB"}), "as_of": None},
        load_report=REPORT,
        cut_off_on=date(2026, 6, 30),
    )
    at = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    return {**manifest(making, at=at, packages={"pocgeo": "0.1.0"}), **changes}


def test_it_is_plain_json_in_a_stable_order() -> None:
    content = made()
    assert json.loads(as_json(content)) == json.loads(as_json(made()))
    assert [fact["layer"] for fact in content["inputs"]] == ["incidents", "sites"]
    assert content["parameters"] == {"reach_min": 60.0, "kinds": ["COB", "HQ"], "as_of": None}
    assert content["load_report"] == [
        {"layer": "incidents", "source": "a.csv", "rows": 9, "rejected": None}
    ]
    assert content["made_at"] == "2026-07-01T10:00:00+00:00"
    assert content["cut_off_on"] == "2026-06-30"


def test_source_date_epoch_fixes_the_moment(monkeypatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert manifest(Making(aoi={}))["made_at"] == "1970-01-01T00:00:00+00:00"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="time zone"):
        manifest(Making(aoi={}), at=datetime(2026, 7, 1))  # noqa: DTZ001


def test_what_json_cannot_hold_becomes_null_or_text() -> None:
    held = plain_json({"a": np.float64("nan"), "b": pd.NaT, "c": pd.NA, "d": np.inf, "e": (1, 2)})
    assert held == {"a": None, "b": None, "c": None, "d": None, "e": [1, 2]}
    assert plain_json(pd.Timestamp("2026-01-01")) == "2026-01-01T00:00:00"
    assert plain_json(np.bool_(True)) is True


def test_html_is_collapsible_and_escapes_everything() -> None:
    page = manifest_html(made(aoi={"name": "</details><script>{{ 7*7 }}${x}`"}))
    assert page.startswith("<details")
    assert page.count("<details") == page.count("</details") == 1
    for hostile in ("<script", "{{", "${", "`"):
        assert hostile not in page
    assert "abab" in page
    assert "60.0" in page


def test_outside_it_names_neither_files_nor_parameters_nor_rows() -> None:
    text = as_json(outward(made()))
    for secret in ("a.csv", "b.csv", "abab", "/home", "reach_min", "rejected"):
        assert secret not in text
    assert json.loads(text)["inputs_n"] == 2
    assert json.loads(text)["versions"] == {"pocgeo": "0.1.0"}


def test_direction_overrides_and_escapes_do_not_reach_a_page():
    page = manifest_html({"aoi": {"name": "a\u202egnp.exe\x1b[31m"}})
    assert "\u202e" not in page
    assert "\x1b" not in page
