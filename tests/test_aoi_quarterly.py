"""The quarterly threat assessment on the sample: four parts, sums, ranges, words, who may have it.

The generator lets the north shore flare up from 2026-03-01, so the parts have news to tell.
"""

import re

import pandas as pd
import pytest

from pocgeo.aoi.quarterly import TABLES, how_many_words
from pocgeo.ground.errors import Refused

JARGON = re.compile(
    r"PEI|PAI|Brier|CRPS|log score|z-score|p-value|bootstrap|posterior|_|nan", re.IGNORECASE
)


@pytest.fixture(scope="module")
def parts(sample) -> dict[str, pd.DataFrame]:
    """The four parts, made once."""
    return {name: table(sample, None) for name, table in TABLES.items()}


def test_four_parts_each_with_a_heading_and_for_internal_readers(parts) -> None:
    assert list(parts) == ["quarter_new", "quarter_areas", "quarter_trust", "quarter_last"]
    for name, table in parts.items():
        assert len(table) > 0, name
        assert table.attrs["name"] == name
        assert table.attrs["sensitivity"] == "restricted"
        assert table.attrs["kind"] == "ledger"


def test_what_is_new_names_the_shore_that_flared_up(parts) -> None:
    new = parts["quarter_new"]
    assert set(new["news"]) <= {"New alarm", "Alarm goes on", "Alarm over", "Phase changed"}
    assert new["area"].str.contains("Farrault|Wendrou|Immarit").any()
    changed = new.loc[new["news"].eq("Phase changed"), "news_says"]
    assert changed.str.fullmatch(r"from [\w-]+ to [\w-]+").all()
    before_after = changed.str.extract(r"from (.+) to (.+)")
    assert (before_after[0] != before_after[1]).all()


def test_ranges_hold_the_point_and_areas_add_up_to_the_whole(parts) -> None:
    table = parts["quarter_areas"]
    assert table["forecast_low"].le(table["forecast_incidents"]).all()
    assert table["forecast_incidents"].le(table["forecast_high"]).all()
    whole = table[table["area_kind"].eq("AOI")].squeeze()
    areas = table[~table["area_kind"].isin({"AOI", "perpetrator"})]
    assert areas["forecast_incidents"].sum() == pytest.approx(whole["forecast_incidents"], rel=1e-6)
    assert areas["incidents_3m"].sum() <= whole["incidents_3m"] + 1e-6


def test_perpetrators_are_forecast_apart_and_the_thin_ones_named(parts) -> None:
    table = parts["quarter_areas"]
    whole = table[table["area_kind"].eq("AOI")].squeeze()
    by_category = table[table["area_kind"].eq("perpetrator")]
    assert len(by_category) >= 2
    assert by_category["forecast_incidents"].lt(whole["forecast_incidents"]).all()
    assert by_category["incidents_3m"].sum() <= whole["incidents_3m"] + 1e-6


def test_the_outlook_follows_from_its_numbers(parts) -> None:
    table = parts["quarter_areas"]
    busy = table[table["forecast_incidents"].ge(0.5)]
    more = busy["outlook"].eq("more than last quarter")
    assert more.equals(busy["forecast_low"].gt(busy["incidents_3m"]))
    assert table.loc[table["forecast_incidents"].lt(0.5), "outlook"].eq("hardly any").all()


def test_what_came_is_held_against_what_was_said(sample, parts) -> None:
    table = parts["quarter_last"]
    assert table["area"].iloc[0] == "Whole area"
    record = sample.layer("incidents")
    since = pd.Timestamp(parts["quarter_areas"].attrs["as_of"]) - pd.DateOffset(months=3)
    came = int(record["occurred_on"].gt(since).sum())
    assert 0 < table["came_n"].iloc[0] <= came + 1e-6
    above = table["came_n"] > table["forecast_high"] + 0.5
    assert above.equals(table["quarter_verdict"].eq("more than foreseen"))
    areas = table[table["area_kind"].ne("AOI")]
    right = int(areas["quarter_verdict"].eq("within the range").sum())
    assert f"{right} of {len(areas)} areas" in " ".join(table.attrs["notes"])


def test_words_are_plain(parts) -> None:
    written = [
        *parts["quarter_new"]["news_says"],
        *parts["quarter_areas"]["outlook"],
        *parts["quarter_trust"]["trust_question"],
        *parts["quarter_trust"]["trust_answer"],
        *parts["quarter_last"]["quarter_verdict"],
    ]
    assert not [said for said in written if JARGON.search(said)]
    assert parts["quarter_trust"]["trust_question"].str.endswith("?").all()
    assert how_many_words(1.04).startswith("About right")
    assert "too many" in how_many_words(1.5)
    assert "too few" in how_many_words(0.5)


@pytest.mark.parametrize("audience", ["partners", "public"])
def test_nobody_outside_receives_a_part(sample, parts, audience: str) -> None:
    for table in parts.values():
        with pytest.raises(Refused, match=f"forecast --areas --audience {audience}"):
            sample.release(table, audience=audience)
