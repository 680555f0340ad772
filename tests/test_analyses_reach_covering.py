"""Coverage on the reach table: known answers, people conserved, laws of minutes and bases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.reach.changes import difference
from pocgeo.analyses.reach.covering import backup, by_base, within_minutes, without_roads
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, MissingColumns

FEW = settings(derandomize=True, max_examples=12, deadline=None)
SEEDS = st.integers(0, 10_000)


def four_cells() -> pd.DataFrame:
    """Four cells of 10, 20, 40 and 80 people, and one of unknown people."""
    middle = grid.cells_of(np.array([4.1]), np.array([2.1]), 8)
    cells = pd.DataFrame({"cell": np.sort(grid.disk(middle, 1))[:5]})
    cells["people_persons"] = [10.0, 20.0, 40.0, 80.0, np.nan]
    cells["women_persons"] = [5.0, 10.0, 20.0, np.nan, np.nan]
    cells["risk_persons"] = [1.0, 2.0, 4.0, 8.0, np.nan]
    cells["aor_id"] = cells["aor"] = ["N", "N", "S", None, "S"]
    cells["settlement_id"] = ["s1", "s1", "s2", "s2", "s2"]
    cells["settlement"] = ["Alma", "Alma", "Brea", "Brea", "Brea"]
    return cells


def minutes_to(cells: pd.DataFrame, **bases: list[float]) -> pd.DataFrame:
    """Reach table of bases by their minutes to each cell; None: not listed."""
    rows = [
        (base, cell, minute)
        for base, minutes in bases.items()
        for cell, minute in zip(cells["cell"], minutes, strict=True)
        if minute is not None
    ]
    return pd.DataFrame(rows, columns=["base_id", "cell", "reach_min"])


def land(seed: int, bases: int = 4, n: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Invent cells, some of unknown people, and a reach table that lists half of all pairs."""
    random = np.random.default_rng(seed)
    middle = grid.cells_of(np.array([4.1]), np.array([2.1]), 8)
    cells = pd.DataFrame({"cell": np.sort(grid.disk(middle, 5))[:n]})
    for column, scale in (("people", 200), ("women", 90), ("children", 80), ("risk", 20)):
        persons = random.gamma(0.4, scale, n)
        cells[f"{column}_persons"] = np.where(random.random(n) < 0.1, np.nan, persons)
    cells["aor_id"] = cells["aor"] = random.choice(np.array(["N", "S", None], object), n)
    cells["admin1_id"] = cells["admin1"] = random.choice(np.array(["P", "Q"], object), n)
    cells["settlement_id"] = cells["settlement"] = random.choice(
        np.array(["a", "b", None], object), n
    )
    table = pd.MultiIndex.from_product(
        [[f"B{k}" for k in range(bases)], cells["cell"]], names=["base_id", "cell"]
    ).to_frame(index=False)
    table["reach_min"] = random.uniform(1, 180, len(table))
    table.loc[random.random(len(table)) < 0.1, "reach_min"] = np.nan
    return cells, table[random.random(len(table)) < 0.5].reset_index(drop=True)


def one(found: pd.DataFrame, area_id: str = "AOI") -> pd.Series:
    """Give the row of one area."""
    (row,) = (found[found["area_id"] == area_id]).index
    return found.loc[row]


def test_people_within_an_hour_beyond_it_and_out_of_reach() -> None:
    cells = four_cells()
    table = minutes_to(cells, A=[60.0, 60.5, None, np.nan, 1.0], B=[90.0, 90.0, None, None, None])
    found = within_minutes(table, cells, 60)
    aoi = one(found)
    assert aoi["within_min"] == 60
    assert aoi["covered_persons"] == 10  # the limit itself is inside
    assert aoi["beyond_persons"] == 20
    assert aoi["unreachable_persons"] == 120  # neither listed, nor listed without minutes
    assert aoi["people_persons"] == 150
    assert aoi["covered_share"] == pytest.approx(10 / 150)
    assert aoi["covered_women_persons"] == 5 and aoi["covered_women_share"] == pytest.approx(5 / 35)
    assert np.isnan(aoi["children_persons"]) and np.isnan(aoi["covered_children_share"])
    assert one(found, "N")["covered_risk_persons"] == 1
    assert one(found, "S")["covered_persons"] == 0  # the unknown cell adds nothing
    assert one(found, "none")["area"] == "no area"


def test_every_scenario_is_answered_also_one_in_which_nobody_comes() -> None:
    cells = four_cells()
    table = minutes_to(cells, A=[10.0, 20.0, 30.0, 40.0, None])
    table["scenario"] = pd.Categorical(["dry"] * 4, categories=["dry", "wet"])
    found = within_minutes(table, cells, [30, 60])
    aoi = found[found["area_id"] == "AOI"]
    assert aoi["scenario"].tolist() == ["dry", "dry", "wet", "wet"]
    assert aoi["covered_persons"].tolist() == [70, 150, 0, 0]
    assert aoi["unreachable_persons"].tolist() == [0, 0, 150, 150]
    assert by_base(table, cells)["scenario"].tolist() == ["dry"]
    with pytest.raises(BadInput, match="Compare two at a time"):
        both = table.assign(scenario=["dry", "dry", "wet", "wet"])
        difference(both, both, cells)


def test_a_base_that_alone_reaches_people_is_told() -> None:
    cells = four_cells()
    table = minutes_to(
        cells, A=[10.0, 20.0, 61.0, None, 5.0], B=[None, 59.0, 20.0, None, 5.0], C=[None] * 5
    )
    found = by_base(table, cells, bases=pd.DataFrame({"base_id": ["A", "B", "C"]}))
    assert found["base_id"].tolist() == ["B", "A", "C"]
    assert found["reached_persons"].tolist() == [60, 30, 0]
    assert found["alone_persons"].tolist() == [40, 10, 0]
    assert found["reached_cells_n"].tolist() == [3, 3, 0]
    assert found["alone_cells_n"].tolist() == [1, 1, 0]
    assert found["reached_children_persons"].isna().all()  # no count of children: unknown
    doubled = pd.concat([table, table], ignore_index=True)  # a pair told twice is one pair
    pd.testing.assert_frame_equal(by_base(doubled, cells), by_base(table, cells))


def test_backup_counts_people_by_the_number_of_bases() -> None:
    cells = four_cells()
    table = minutes_to(cells, A=[10.0, 20.0, 61.0, None, 5.0], B=[None, 59.0, 20.0, None, 5.0])
    aoi = one(backup(table, cells))
    assert aoi["covered_once_persons"] == 50
    assert aoi["covered_twice_persons"] == 20
    assert aoi["uncovered_persons"] == 80
    assert aoi["backup_share"] == pytest.approx(20 / 150)


def test_who_loses_and_who_gains_by_area_and_settlement() -> None:
    cells = four_cells()
    dry = minutes_to(cells, A=[10.0, 50.0, 20.0, None, 10.0])
    wet = minutes_to(cells, A=[10.0, 70.0, 20.0, 55.0, None])
    found = difference(dry, wet, cells)
    aoi = one(found)
    assert (aoi["lost_persons"], aoi["gained_persons"]) == (20, 80)
    assert aoi["change_persons"] == 60
    assert one(found, "N")["lost_women_persons"] == 10
    alma, brea = one(found, "s1"), one(found, "s2")
    assert (alma["area_kind"], alma["area"]) == ("settlement", "Alma")
    assert (alma["before_min"], alma["after_min"]) == (50, 70)  # half of 30 people: the second
    assert np.isnan(brea["before_min"])
    assert brea["after_min"] == 55  # half of 120 people
    own = pd.DataFrame({"settlement_id": ["s1"], "cell": [cells["cell"][0]]})
    at_home = difference(dry, wet, cells, settlements=own)
    assert (one(at_home, "s1")["before_min"], one(at_home, "s1")["after_min"]) == (10, 10)
    same = difference(dry, dry, cells)
    assert "settlement" not in set(same["area_kind"])


def test_settlements_are_found_by_their_points() -> None:
    import geopandas as gpd

    cells = four_cells()
    lon, lat = grid.centres(cells["cell"].to_numpy())
    places = gpd.GeoDataFrame(
        {"settlement_id": ["s1"]}, geometry=gpd.points_from_xy(lon[:1], lat[:1]), crs="EPSG:4326"
    )
    dry = minutes_to(cells, A=[10.0, 50.0, 20.0, None, 10.0])
    wet = minutes_to(cells, A=[15.0, 70.0, 20.0, 55.0, None])
    found = one(difference(dry, wet, cells, settlements=places), "s1")
    assert (found["before_min"], found["after_min"]) == (10, 15)


def test_people_without_a_road_are_told_apart() -> None:
    cells = four_cells()
    metres = [100.0, 2_000.0, np.inf, np.nan, 9_000.0]
    aoi = one(without_roads(cells, metres))
    assert aoi["roadless_persons"] == 40
    assert aoi["road_unknown_persons"] == 80
    assert aoi["roadless_share"] == pytest.approx(40 / 150)
    by_mask = one(without_roads(cells, [True, True, False, True, False]))
    assert by_mask["roadless_persons"] == 40
    with pytest.raises(BadInput, match="one value per cell: 5"):
        without_roads(cells, [1.0])


def test_what_the_table_cannot_answer_is_refused() -> None:
    cells, table = land(1)
    table.attrs["standard"] = {"reach": {"horizon_min": 60.0}}
    within_minutes(table, cells, 60)
    with pytest.raises(BadInput, match=r"ends at 60 minutes; 120 are asked.*horizon_min"):
        within_minutes(table, cells)
    with pytest.raises(BadInput, match="more than 0"):
        backup(table, cells, 0)
    with pytest.raises(MissingColumns):
        by_base(table.drop(columns="base_id"), cells)


@FEW
@given(SEEDS)
def test_people_are_conserved_in_every_area_and_kind(seed: int) -> None:
    cells, table = land(seed)
    found = within_minutes(table, cells)
    sums = found[["covered_persons", "beyond_persons", "unreachable_persons"]].sum(axis=1)
    np.testing.assert_allclose(sums, found["people_persons"].fillna(0), rtol=1e-12)
    once = backup(table, cells, [30, 60, 120])
    parts = once[["uncovered_persons", "covered_once_persons", "covered_twice_persons"]].sum(axis=1)
    np.testing.assert_allclose(parts, once["people_persons"].fillna(0), rtol=1e-12)
    covered = once["covered_once_persons"] + once["covered_twice_persons"]
    np.testing.assert_allclose(covered, found["covered_persons"], rtol=1e-12, atol=1e-9)
    for _, rows in found.groupby(["within_min", "area_kind"]):
        assert rows["people_persons"].sum() == pytest.approx(cells["people_persons"].sum())


@FEW
@given(SEEDS, st.floats(1, 90))
def test_more_minutes_never_cover_fewer(seed: int, limit: float) -> None:
    cells, table = land(seed)
    found = within_minutes(table, cells, [limit, 2 * limit])
    for _, rows in found.groupby(["area_kind", "area_id"]):
        low, high = rows.sort_values("within_min")["covered_persons"].fillna(0)
        assert low <= high + 1e-9


@FEW
@given(SEEDS, st.integers(0, 3))
def test_removing_a_base_loses_exactly_those_it_alone_reaches(seed: int, which: int) -> None:
    cells, table = land(seed)
    base_id = f"B{which}"
    rest = table[table["base_id"] != base_id]
    found = difference(table, rest, cells)
    aoi = one(found)
    assert aoi["gained_persons"] == 0
    alone = by_base(table, cells).set_index("base_id").loc[base_id]
    for group in ("", "risk_"):
        told = np.nan_to_num(alone[f"alone_{group}persons"])  # NaN: only cells of unknown people
        assert aoi[f"lost_{group}persons"] == pytest.approx(told)
    back = one(difference(rest, table, cells))
    assert back["gained_persons"] == aoi["lost_persons"]


@FEW
@given(SEEDS)
def test_losses_and_gains_make_the_difference_to_the_person(seed: int) -> None:
    cells, before = land(seed)
    after = land(seed + 1)[1]
    found = difference(before, after, cells, [30, 60])
    change = found["covered_after_persons"] - found["covered_before_persons"]
    np.testing.assert_allclose(found["change_persons"], change, atol=1e-9)
    for _, rows in found.groupby("within_min"):
        aoi = rows[rows["area_kind"] == "AOI"].iloc[0]
        for _, kind in rows.groupby("area_kind"):
            assert kind["lost_persons"].sum() == pytest.approx(aoi["lost_persons"])
            assert kind["gained_persons"].sum() == pytest.approx(aoi["gained_persons"])


@FEW
@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    cells, table = land(seed)
    mixed = table.sample(frac=1, random_state=seed)
    shuffled = cells.sample(frac=1, random_state=seed)
    for question in (within_minutes, by_base, backup):
        pd.testing.assert_frame_equal(question(mixed, shuffled), question(table, cells))
