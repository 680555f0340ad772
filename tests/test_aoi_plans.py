"""Deployments asked of an area: orders to carry out, losers by name, refusals in one line."""

from pathlib import Path

import pandas as pd
import pytest

from pocgeo.aoi.area import Aoi
from pocgeo.aoi.plans.places import named_place
from pocgeo.ground.errors import BadInput, UnknownName

SMALL = {"candidates_n": 25, "speed_change": 0.0}


@pytest.fixture(scope="module")
def drawn_down(sample: Aoi) -> dict[str, pd.DataFrame]:
    """A quarter of the bases closed."""
    tables = sample.plan(closures=2, keep=("B01",), **SMALL)
    return {table.attrs["name"]: table for table in tables}


def test_losses_and_gains_are_the_difference_to_the_person(drawn_down: dict) -> None:
    cover = drawn_down["plan_cover"].set_index(["within_min", "option"])["covered_persons"]
    whole = drawn_down["plan_changes"].query("area_kind == 'AOI'").set_index("within_min")
    for step in (30.0, 60.0, 120.0):
        difference = cover[step, "plan"] - cover[step, "today"]
        row = whole.loc[step]
        assert row["gained_persons"] - row["lost_persons"] == pytest.approx(difference, abs=0.5)
        assert row["gained_persons"] == 0


def test_settlements_that_lose_add_up_to_what_is_lost(drawn_down: dict) -> None:
    table = drawn_down["plan_changes"]
    for step in (30.0, 60.0, 120.0):
        some = table[table["within_min"] == step]
        lost = some.groupby(some["area_kind"] == "settlement")["lost_persons"]
        settled = lost.sum().get(True, 0.0)
        whole = some.loc[some["area_kind"] == "AOI", "lost_persons"].item()
        assert settled == pytest.approx(whole, abs=0.5)


def test_orders_say_who_where_and_why(drawn_down: dict) -> None:
    orders = drawn_down["plan"]
    assert orders["action"].tolist() == ["close", "close"]
    assert "B01" not in set(orders["base_id"])  # kept
    assert "B02" not in set(orders["base_id"])  # displaced people shelter beside it
    assert orders["from_grid_reference"].str.startswith("31N").all()
    assert orders["left_behind"].str.contains("people").all()
    assert orders["why"].str.contains("lose it").all()
    assert any("Optimality gap 0.00 %" in note for note in orders.attrs["notes"])
    assert any("Harvest Field beside B02" in note for note in orders.attrs["notes"])
    assert set(drawn_down["plan_obligations"]["base_id"]) == set(orders["base_id"])


def test_an_idea_is_held_against_the_best_of_its_size(sample: Aoi) -> None:
    tables = sample.what_if(add=["Belquor"], moves=[("B06", "Jorvand")], **SMALL)
    named = {table.attrs["name"]: table for table in tables}
    orders = named["whatif"]
    assert orders["action"].tolist() == ["move", "new"]
    assert orders["place"].tolist() == ["Jorvand", "Belquor"]
    assert orders["march_min"].iloc[0] > 0
    assert orders["move_km"].iloc[0] < 60
    worth = named["whatif_cover"].groupby("option")["worth_share"].first()
    assert worth["best plan"] >= worth["your idea"] >= worth["today"]
    sites = sample.planned(idea={"add": ("Belquor",), "moves": (("B06", "Jorvand"),)}, **SMALL)
    assert sites.table("plan_taken")["place"].tolist() == ["Jorvand", "Belquor"]
    cells = sites.table("plan_cells")
    assert {"gained", "kept", "none"} <= set(cells["cover_change"])


def test_a_place_is_found_by_name_code_and_grid_reference(sample: Aoi) -> None:
    by_name = named_place(sample.indexed, "Belquor")
    code = by_name["site_id"].iloc[0].removeprefix("settlement ")
    assert named_place(sample.indexed, code)["name"].iloc[0] == "Belquor"
    assert named_place(sample.indexed, "31N FC 5195 2098")["lon"].iloc[0] == pytest.approx(
        4.3662, abs=1e-3
    )
    assert named_place(sample.indexed, "1.99875, 4.36625")["lat"].iloc[0] == pytest.approx(1.99875)
    with pytest.raises(UnknownName, match="Did you mean Belquor"):
        named_place(sample.indexed, "Belquorr")


def test_places_may_come_from_a_file(sample: Aoi, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text("id,name,lon,lat\nP1,Mill,4.36625,1.99875\nP2,Ford,3.7725,2.4775\n", "utf8")
    orders = sample.plan(new=2, candidates=(str(path),), **SMALL)[0]
    assert orders["place"].tolist() == ["Mill", "Ford"]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "no plan is asked for"),
        ({"new": 1, "colour": "red"}, "No keyword of a deployment"),
        ({"new": 1, "keep": ("B99",)}, "No standing base"),
        ({"new": 1.5}, "new must be a whole number"),
        ({"closures": 9}, "No plan of 9 closures keeps to all"),
    ],
)
def test_what_cannot_be_planned_is_one_line(sample: Aoi, said: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        sample.plan(**(SMALL | said if said else said))
    assert "\n" not in str(caught.value)


def test_an_idea_must_change_something_once(sample: Aoi) -> None:
    with pytest.raises(BadInput, match="Say what changes"):
        sample.what_if()
    with pytest.raises(BadInput, match="named twice"):
        sample.what_if(close=["B06"], moves=[("B06", "Jorvand")], **SMALL)
