"""What changed since the last briefing: what is named, what is noise."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from pocgeo.analyses.changes import ChangeStandard, what_changed
from pocgeo.ground.errors import BadInput, MissingColumns


def coverage(**gap):
    return pd.DataFrame(
        {"area_key": list(gap), "area": [name.title() for name in gap],
         "gap_persons": [float(v) for v in gap.values()]}
    )  # fmt: skip


def bases(**inside):
    return pd.DataFrame(
        {"base_id": list(inside), "name": list(inside), "people_persons": 1000.0,
         "incidents_inside": [float(v) for v in inside.values()]}
    )  # fmt: skip


def test_only_changes_of_some_size_are_named():
    then, now = coverage(a=1000, b=5000, c=10), coverage(a=1300, b=5100, c=90)
    found = what_changed({"coverage": then}, {"coverage": now}, days_before=100, days_since=10)
    assert found["changed"].tolist() == ["A"]  # b moved by 2 %, c by 80 people
    assert found["changed_by"].tolist() == [300.0]
    assert found["meaning"].tolist() == ["30 % more than before"]


def test_rows_that_come_and_go_are_named():
    then, now = coverage(a=1000, b=500), coverage(b=500, c=700)
    found = what_changed({"coverage": then}, {"coverage": now}, days_before=100, days_since=10)
    assert dict(zip(found["changed"], found["meaning"], strict=True)) == {"A": "gone", "C": "new"}
    assert found.set_index("changed").loc["C", "value_before"] is not None
    assert np.isnan(found.set_index("changed").loc["C", "value_before"])


def test_unknown_is_no_change():
    then, now = coverage(a=1000), coverage(a=float("nan"))
    found = what_changed({"coverage": then}, {"coverage": now}, days_before=100, days_since=10)
    assert found.empty


@pytest.mark.parametrize(("fresh", "said"), [(1, "within"), (6, "beyond")])
def test_new_incidents_are_tested_against_the_rate_before(fresh, said):
    found = what_changed(
        {"proximity": bases(B1=8)}, {"proximity": bases(B1=8 + fresh)},
        days_before=900, days_since=90,
    )  # fmt: skip
    counted = found[found["changed_measure"] == "Incidents inside the radius"]
    p = binomtest(fresh, 8 + fresh, 90 / 990, alternative="greater").pvalue  # the oracle
    assert counted["meaning"].tolist() == [f"{fresh} new; {said} the earlier rate (p {p:.2g})"]


def test_a_count_that_fell_is_called_a_correction():
    found = what_changed(
        {"proximity": bases(B1=8)}, {"proximity": bases(B1=7)}, days_before=900, days_since=90
    )
    assert "corrected" in found["meaning"].iloc[0]


def test_cells_that_became_or_ceased_to_be_hotspots():
    def flagged(*cells):
        return pd.DataFrame({"cell": cells, "settlement": "X", "disk_incidents": 3.0})

    found = what_changed(
        {"flagged": flagged(1, 2)}, {"flagged": flagged(2, 3)}, days_before=100, days_since=30
    )
    assert sorted(found["meaning"]) == ["new since the last briefing", "no longer flagged"]


def test_a_briefing_that_says_the_same_names_nothing():
    same = {"coverage": coverage(a=10, b=20), "proximity": bases(B1=3)}
    assert what_changed(same, same, days_before=100, days_since=0).empty


def test_order_of_rows_does_not_matter():
    then, now = coverage(a=1000, b=5000), coverage(a=2000, b=9000)
    one = what_changed({"coverage": then}, {"coverage": now}, days_before=9, days_since=1)
    two = what_changed(
        {"coverage": then[::-1]}, {"coverage": now[::-1]}, days_before=9, days_since=1
    )
    pd.testing.assert_frame_equal(one, two)
    assert one["changed"].tolist() == ["B", "A"]  # the gravest first


def test_mistakes_are_one_line():
    with pytest.raises(BadInput, match="period"):
        what_changed({}, {}, days_before=0, days_since=1)
    with pytest.raises(MissingColumns, match="gap_persons"):
        what_changed(
            {"coverage": pd.DataFrame({"area_key": [], "area": []})}, {"coverage": coverage(a=1)},
            days_before=1, days_since=1,
        )  # fmt: skip
    with pytest.raises(BadInput, match="between 0 and 1"):
        ChangeStandard(people_share=2)
