"""Alarms and phases as asked of the sample, whose violence is a known process."""

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd
import pytest

import pocgeo
from pocgeo.analyses.alarms import AlarmStandard, whole_in_one_cell
from pocgeo.aoi import phased, warned
from pocgeo.aoi.alarm_runs import month_end, months_before
from pocgeo.aoi.standards import moment
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName

SURGE = {"Farrault", "Wendrou", "Immarit", "Nesvault"}
"""Around the north shore, where the generator starts a new source on 2026-03-01."""

DECISIONS = (
    "area_id,phase,by,on,reason\n"
    "IL0701,response,POC adviser,2026-06-20,visited\n"
    "IL0603,pre-emption,Head of office,2026-06-25,armed men seen\n"
)


def test_the_planted_surge_raises_a_new_alarm_within_three_months(sample) -> None:
    table, listed = sample.alarms(as_of=dt.date(2026, 5, 31))
    first = table.iloc[0]
    assert first["status"] == "new"
    assert first["place"] in SURGE
    assert first["alarm_p"] <= 0.05
    assert first["window_from_on"] >= pd.Timestamp("2026-03-01")
    mine = listed[listed["alarm_id"] == first["alarm_id"]]
    assert len(mine) == first["incidents_n"]
    assert mine["occurred_on"].between(first["window_from_on"], "2026-05-31").all()


def test_a_month_later_it_is_ongoing_and_the_map_shows_it(sample) -> None:
    day = dt.date(2026, 6, 30)
    table, _ = sample.alarms(as_of=day)
    ongoing = table[table["status"] == "ongoing"]
    assert set(ongoing["place"]) & SURGE
    cells = sample.table("alarm_cells", as_of=day)
    raised = cells[cells["alarm_status"] != "none"]
    assert len(raised) == table["cells_n"].sum()
    assert set(raised["alarm_status"]) == set(table["status"])
    assert raised["alarm_reason"].notna().all()
    seen = sample.alarms(as_of=day, every=True)[0].attrs["notes"]
    assert any(f"In all {cells['window_incidents'].sum():.0f} incidents" in note for note in seen)


def test_no_alarm_says_what_came_nearest(sample) -> None:
    """At a level of one in a thousand the surge is none yet."""
    day, strict = moment(sample.indexed, dt.date(2026, 5, 31)), AlarmStandard(level=0.001)
    everybody = {"perpetrator": (), "incident_type": ()}
    now, table, _ = warned.statused(sample.indexed, day, strict, "forecast", everybody)
    assert set(table["status"]) == {"no alarm"}
    notes = warned.summed_up(now, table, strict, "forecast")
    assert notes[0].startswith("An alarm is a surprise")
    assert "0.1 % of monthly runs" in notes[0]
    assert notes[-1].startswith("No alarm. The strongest cluster, near ")
    assert warned.line_list(now, table).empty


def test_the_comparison_scans_say_that_they_are(sample) -> None:
    made = [sample.alarms(method="permutation", as_of=dt.date(2026, 6, 30))[0] for _ in range(2)]
    assert "(comparison)" in made[0].attrs["title"]
    assert any("For comparison" in note for note in made[0].attrs["notes"])
    assert made[0].to_csv() == made[1].to_csv()  # same inputs and seed, same bytes
    with pytest.raises(UnknownName, match="method of alarms"):
        sample.alarms(method="satscan")


def test_near_repeats_of_the_sample_follow_its_offspring(sample) -> None:
    """Offspring come after 12 days on average, 3 km away (sample_aoi/README.md)."""
    table = sample.near_repeat(as_of=dt.date(2026, 6, 30)).set_index(["to_km", "to_days"])
    assert table.loc[(5, 7), "near_repeat"]
    assert table.loc[(5, 7), "pairs_ratio"] > table.loc[(20, 56), "pairs_ratio"]


@pytest.fixture
def decided(sample_folder: Path, tmp_path: Path):
    """The sample with decisions of people beside it; two quarters, to be quick."""
    folder = tmp_path / "aoi"
    shutil.copytree(sample_folder, folder)
    rules = "[quarters]\ncount = 2\n"
    (folder / "rules.toml").write_text(rules)
    with (folder / "aoi.toml").open("a") as file:
        file.write('\n[standards.phases]\nrules = "rules.toml"\n')
    (folder / phased.DECISIONS).write_text(DECISIONS)
    return pocgeo.open_aoi(folder)


def test_phases_of_areas_with_what_people_decided_beside(decided) -> None:
    areas, record, choice = decided.phases()
    of = areas.set_index("area_id")
    assert of.loc["IL0701", "phase"] == "response"  # the north shore
    assert of.loc["IL0701", "decision"] == "confirmed"
    assert of.loc["IL0603", "decision"] in {"overridden", "to be looked at again"}
    assert of.loc["IL0603", "phase"] == "prevention"
    assert of.loc["IL0603", "confirmed_phase"] == "pre-emption"
    assert (of["decision"] == "not yet confirmed").sum() == len(of) - 2
    assert of[of["area_kind"] == "admin 2"]["people_persons"].sum() == pytest.approx(
        of[of["area_kind"] == "admin 1"]["people_persons"].sum()
    )
    assert areas.attrs["standard"]["decisions"]["sha256"]
    assert record["phase"].tolist() == ["response", "pre-emption", "consolidation", "prevention"]
    assert choice["in_use"].sum() == 1
    cells = decided.phase_cells(every=False)
    assert "prevention" not in set(cells["phase"])
    whole = decided.phase_cells()
    assert len(whole) > len(cells)
    assert whole["phase_reason"].notna().all()


def test_a_mistake_in_what_people_wrote_is_said_before_the_long_work(decided) -> None:
    folder = decided.file.folder
    file = folder / phased.DECISIONS
    file.write_text("area_id,phase,by,on,reason\nIL9,response,a,2026-01-01,b\n")
    with pytest.raises(UnknownName, match=r"phases_confirmed.csv, row 2"):
        decided.phases()
    (folder / "rules.toml").write_text("[respons]\n")
    with pytest.raises(UnknownName, match=r"section of rules\.toml"):
        decided.phases()


def test_no_map_colour_of_a_phase_is_green_and_consolidation_is_said_to_be_dangerous() -> None:
    from pocgeo.products.maps import map_spec

    kinds = {kind.value: kind for kind in map_spec("phases").measures[0].categories}
    assert set(kinds) == {"prevention", "pre-emption", "response", "consolidation"}
    assert "still dangerous" in kinds["consolidation"].label
    assert kinds["consolidation"].loud
    for kind in kinds.values():
        red, green, blue = (int(kind.colour[at : at + 2], 16) for at in (1, 3, 5))
        assert green <= max(red, blue), f"{kind.value} reads as safe"


def test_alarms_leave_for_partners_neither_as_list_nor_as_incidents(sample) -> None:
    for finding in sample.alarms(as_of=dt.date(2026, 5, 31)):
        with pytest.raises(pocgeo.Refused, match="single incidents"):
            sample.release(finding, audience="partners")


def test_an_incident_counts_where_most_of_it_lies() -> None:
    fine = grid.disk(grid.cells_of([20.0], [5.0], 8), 30)
    parent = grid.parents(fine, 6)
    one, other = (fine[parent == name] for name in pd.unique(parent)[:2])
    placed = pd.DataFrame({
        "incident_id": ["a", "b", "b", "c", "c", "d"],
        "cell": [one[0], one[0], one[1], one[0], other[0], 0],
        "weight": [1.0, 0.4, 0.6, 0.5, 0.5, None],
        "placed": ["point", *["spread"] * 4, "set_aside"],
        "fact": ["w", "x", "x", "y", "y", "z"],
    })  # fmt: skip
    table, notes = whole_in_one_cell(placed, 6)
    assert table["incident_id"].tolist() == ["a", "b"]
    assert (table["forecast_cell"] == grid.parents(one[:1], 6)[0]).all()
    assert table["fact"].tolist() == ["w", "x"]
    assert notes == [
        "2 of 4 incidents on record are known only to a wider area than a cell, or to none, and "
        "are in no alarm."
    ]


def test_months_end_where_they_are_complete() -> None:
    assert month_end(pd.Timestamp("2026-06-30")) == pd.Timestamp("2026-06-30")
    assert month_end(pd.Timestamp("2026-06-29")) == pd.Timestamp("2026-05-31")
    assert months_before(pd.Timestamp("2026-05-31"), 3) == pd.Timestamp("2026-02-28")
    assert months_before(pd.Timestamp("2026-01-31"), 1) == pd.Timestamp("2025-12-31")


def test_before_the_period_there_is_nothing_to_compare(sample) -> None:
    with pytest.raises(BadInput):
        sample.alarms(as_of=dt.date(2023, 7, 31))
