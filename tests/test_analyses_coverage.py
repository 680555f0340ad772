"""Coverage and gap areas: known answers, conservation to the person, laws of standards."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.coverage import CoverageStandard, coverage, judged
from pocgeo.analyses.gaps import gap_areas, with_reasons
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, MissingColumns

RESOLUTION = 8


def picture(n: int = 271, seed: int = 0) -> pd.DataFrame:
    """Cells around a point at sea with invented people, minutes and days."""
    random = np.random.default_rng(seed)
    middle = grid.cells_of(np.array([4.1]), np.array([2.1]), RESOLUTION)
    cells = grid.disk(middle, 9)[:n]
    lons, lats = grid.centres(cells)
    table = pd.DataFrame({"cell": cells, "lon": lons, "lat": lats, "area_km2": 0.74})
    table["people_persons"] = random.gamma(0.3, 200, n).round(3)
    table["women_persons"] = table["people_persons"] * 0.5
    table["reach_min"] = random.uniform(10, 200, n)
    table["reach_method"] = "straight line"
    table["base_id"] = table["base"] = "B01"
    table["days_since_presence"] = np.where(
        random.random(n) < 0.5, np.nan, random.integers(0, 60, n)
    )
    table["last_presence_on"] = pd.Timestamp("2026-06-30") - pd.to_timedelta(
        table["days_since_presence"], unit="D"
    )
    table["risk"] = random.random(n)
    table["risk_persons"] = table["risk"] * table["people_persons"]
    half = table["lon"] > table["lon"].median()
    table["admin1_id"] = table["admin1"] = "P1"
    table["admin2_id"] = table["admin2"] = np.where(half, "P1A", "P1B")
    table["aor_id"] = table["aor"] = np.where(
        table["lat"] > table["lat"].median(), "North", "South"
    )
    table["settlement"], table["settlement_m"] = "Alma", 5_200.0
    return table


def test_a_cell_is_covered_by_any_standard_or_by_all() -> None:
    cells = pd.DataFrame(
        {
            "cell": grid.cells_of(np.array([4.0, 4.1, 4.2]), np.array([2.0, 2.1, 2.2]), RESOLUTION),
            "people_persons": [10.0, 20.0, 40.0],
            "reach_min": [60.0, 60.1, np.nan],  # the limit itself is inside; nobody can go: NA
            "days_since_presence": [14.0, 3.0, np.nan],  # never in the record: NA
        }
    )
    any_ = judged(cells, CoverageStandard())
    assert any_["covered"].tolist() == [True, True, False]
    assert any_["gap_persons"].tolist() == [0, 0, 40]
    all_ = judged(cells, CoverageStandard(require="all"))
    assert all_["covered"].tolist() == [True, False, False]
    assert all_["gap_persons"].tolist() == [0, 20, 40]


def test_what_nobody_can_answer_is_unknown_and_never_covers() -> None:
    cells = picture().drop(columns=["days_since_presence"])
    verdicts = judged(cells, CoverageStandard(presence_days=14))
    assert verdicts["covered_presence"].isna().all()
    table = coverage(verdicts, CoverageStandard())
    assert table["covered_presence_persons"].isna().all()
    assert table["covered_alert_persons"].isna().all()


def test_unknown_people_stay_unknown() -> None:
    cells = picture()
    cells.loc[5, ["people_persons", "reach_min", "days_since_presence"]] = np.nan
    assert np.isnan(judged(cells, CoverageStandard()).loc[5, "gap_persons"])


@pytest.mark.parametrize("require", ["any", "all"])
def test_areas_and_gap_areas_add_up_to_the_aoi_to_the_person(require: str) -> None:
    cells = picture()
    standard = CoverageStandard(require=require, min_risk=0.2)
    verdicts = judged(cells, standard)
    table = coverage(verdicts, standard)
    aoi = table.loc[table["area_kind"] == "AOI"].iloc[0]
    assert aoi["people_persons"] == pytest.approx(cells["people_persons"].sum(), rel=1e-12)
    for _, rows in table.groupby("area_kind"):
        for column in ("people_persons", "gap_persons", "covered_reach_persons", "risk_persons"):
            assert rows[column].sum() == pytest.approx(aoi[column], rel=1e-12)
    gaps = gap_areas(with_reasons(verdicts, standard), standard)
    assert gaps["gap_persons"].sum() == pytest.approx(aoi["gap_persons"], rel=1e-12)
    for kind, key in (("AOR", "aor_id"), ("admin 2", "admin2_id")):
        rows = table.loc[table["area_kind"] == kind].set_index("area_id")["gap_persons"]
        summed = gaps.groupby(key)["gap_persons"].sum()
        assert summed.reindex(rows.index, fill_value=0).to_numpy() == pytest.approx(rows.to_numpy())


@given(st.floats(5, 200), st.floats(1, 60), st.floats(1, 3), st.integers(0, 20))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_a_looser_standard_never_widens_a_gap(
    reach: float, days: float, factor: float, seed: int
) -> None:
    cells = picture(80, seed)
    tight = judged(cells, CoverageStandard(reach_min=reach, presence_days=days))
    loose = judged(cells, CoverageStandard(reach_min=reach * factor, presence_days=days * factor))
    assert (loose["gap_persons"] <= tight["gap_persons"]).all()
    both = judged(cells, CoverageStandard(reach_min=reach, presence_days=days, require="all"))
    assert (both["gap_persons"] >= tight["gap_persons"]).all()


def test_row_order_does_not_matter() -> None:
    standard = CoverageStandard()
    cells = picture()
    shuffled = cells.sample(frac=1, random_state=1)
    one = gap_areas(with_reasons(judged(cells, standard), standard), standard)
    two = gap_areas(with_reasons(judged(shuffled, standard), standard), standard)
    pd.testing.assert_frame_equal(one, two)


def test_gap_areas_are_joined_within_one_admin_area_and_named() -> None:
    standard = CoverageStandard(reach_min=1, presence_days=None)
    verdicts = with_reasons(judged(picture(), standard), standard)
    settlements = pd.DataFrame(
        {
            "settlement": ["Small", "Large"],
            "cell": verdicts.loc[verdicts["admin2"] == "P1A", "cell"].head(2).to_numpy(),
            "people_persons": [10.0, 9_000.0],
        }
    )
    gaps = gap_areas(verdicts, standard, settlements)
    assert len(gaps) == len(gaps.drop_duplicates(["admin2_id", "aor_id"])) == 4
    assert gaps["cells_n"].sum() == (verdicts["gap_persons"] > 0).sum()
    assert "Large" in set(gaps["place"])
    assert "5 km from Alma" in set(gaps["place"])
    assert gaps["rank"].tolist() == [1, 2, 3, 4]
    assert gaps["risk_persons"].is_monotonic_decreasing
    assert gaps["reason"].str.contains("from B01 [(]straight line[)]").all()


def test_reasons_read_as_words() -> None:
    cells = picture().head(3).copy()
    cells["people_persons"] = 1.0
    cells["reach_min"] = [160.0, 75.4, np.nan]
    cells["days_since_presence"] = [49.0, np.nan, np.nan]
    cells["last_presence_on"] = [pd.Timestamp("2026-05-12"), pd.NaT, pd.NaT]
    standard = CoverageStandard()
    words = with_reasons(judged(cells, standard), standard)["reason"].tolist()
    assert words[0] == "2 h 40 from B01 (straight line); no patrol since 12 May 2026"
    assert words[1] == "1 h 16 from B01 (straight line); no patrol in the record"
    assert words[2] == "no base can reach it; no patrol in the record"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"reach_min": 0}, "reach_min must be more than 0"),
        ({"presence_days": -1}, "presence_days must be more than 0"),
        ({"require": "some"}, "require must be any or all"),
        ({"min_risk": 2}, "min_risk must lie between 0 and 1"),
        ({"reach_min": None, "presence_days": None}, "No standard is asked for"),
    ],
)
def test_nonsense_is_refused(asked: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        CoverageStandard(**asked)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumns, match="people_persons"):
        judged(picture().drop(columns="people_persons"), CoverageStandard())
