"""Patrols of the sample: limits of the base, closed roads, yesterday's pattern, the record."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import pocgeo
from pocgeo.aoi.area import Aoi
from pocgeo.cells import grid
from pocgeo.doors.cli import main
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.geodesy import distance_m
from pocgeo.sources.gpx import read_gpx

ORDER = pocgeo.PatrolOrder(
    patrols=2, hours=6, rule=pocgeo.StopRule(most=40), search=pocgeo.RouteSearch(iterations=40)
)
DRY = pocgeo.PatrolsAsked(base_id="B03", order=ORDER, season="dry", on=date(2026, 7, 1))


@pytest.fixture(scope="module")
def plan(sample: Aoi) -> tuple[pd.DataFrame, ...]:
    return sample.patrols(DRY)


def test_patrols_stay_on_their_own_ground(sample: Aoi, plan: tuple[pd.DataFrame, ...]) -> None:
    stops, ways, _ = plan
    base = sample.layer("bases").set_index("base_id").loc["B03"]
    middle = base["geometry"].centroid
    inner = stops[stops["stay_min"].notna()]
    assert len(inner) > 4
    far = distance_m(np.full(len(inner), middle.x), middle.y, inner["lon"], inner["lat"])
    assert far.max() <= 1_000 * base["max_range_km"]
    cells = sample.picture().set_index("cell")
    own = cells.loc[grid.cells_of(inner["lon"], inner["lat"], 8)]
    assert set(own["base_id"]) == {"B03"}
    assert len(set(own["aor"])) == 1
    assert inner["grid_reference"].str.match(r"31N [A-Z]{2} \d{4} \d{4}").all()
    assert stops["arrive"].dropna().between("07:00", "13:00").all()  # 6 hours, reserve included
    lines = ways[ways["stop"].isna()]
    assert lines["geometry"].geom_type.eq("LineString").all()
    assert (lines.geometry.apply(lambda line: len(line.coords)) > 20).all()


def test_what_binds_is_in_the_notes(sample: Aoi, plan: tuple[pd.DataFrame, ...]) -> None:
    notes = " ".join(plan[0].attrs["notes"])
    for said in ("On wheels, dry season", "Caveat of Camp Talvo: No move beyond 45 km",
                 "Nobody goes beyond 60 km", "own ground", "declared speeds"):  # fmt: skip
        assert said in notes


def ridden(ways: Any) -> Any:
    """The ways as one narrow band."""
    return shapely.buffer(shapely.union_all(ways.loc[ways["stop"].isna(), "geometry"]), 1e-5)


def test_a_closed_road_is_not_ridden(sample: Aoi, plan: tuple[pd.DataFrame, ...]) -> None:
    roads = sample.layer("roads")
    shapes = roads.geometry.to_numpy()
    lines = ridden(plan[1])
    along = shapely.length(shapely.intersection(shapes, lines))
    code = str(roads["road_id"].iloc[int(along.argmax())])
    then = sample.patrols(replace(DRY, change=pocgeo.Change(closed_roads=(code,))))
    road = shapely.union_all(shapes[roads["road_id"] == code])
    assert shapely.length(shapely.intersection(road, lines)) > 0.02
    assert shapely.length(shapely.intersection(road, ridden(then[1]))) < 0.01
    assert f"With road {code} closed" in " ".join(then[0].attrs["notes"])
    assert then[2]["plan_value"].iloc[-1] <= plan[2]["plan_value"].iloc[-1] + 1e-9


def test_the_wet_season_collects_no_more(sample: Aoi, plan: tuple[pd.DataFrame, ...]) -> None:
    wet = sample.patrols(replace(DRY, season="wet"))
    assert wet[2]["plan_value"].iloc[-1] < plan[2]["plan_value"].iloc[-1]


def test_a_plan_is_not_repeated_and_is_held_against_the_record(
    sample: Aoi, plan: tuple[pd.DataFrame, ...], tmp_path: Path
) -> None:
    path = tmp_path / "plan.csv"
    pocgeo.export(sample.release(plan[0]), path, "csv")
    again = sample.patrols(replace(DRY, previous=path))
    before, after = (
        table.loc[table["stay_min"].notna(), "grid_reference"] for table in (plan[0], again[0])
    )
    same = sample.patrols(replace(DRY, previous=path, order=replace(ORDER, repeat="allow")))[0]
    free = same.loc[same["stay_min"].notna(), "grid_reference"]
    assert list(free) == list(before)  # nothing else has changed: if allowed, the same once more
    assert len(set(before) & set(after)) <= len(before) / 2
    worn, whole = (again[0][f"leg_{name}km"].sum() for name in ("worn_", ""))
    assert 0 < worn < 0.9 * whole  # the plan once more would be over used ground all the way
    assert any("vary --depart" in note for note in again[0].attrs["notes"])
    strict = replace(DRY, previous=path, order=replace(ORDER, repeat="exclude"))
    third, _, gains = sample.patrols(strict)
    # Stops come again only where a tenth of their worth is more than other ground offers: the
    # plan beats both going as yesterday and going nowhere twice.
    tenth, others = 0.1 * plan[2]["plan_value"].iloc[-1], gains["plan_value"].iloc[-1]
    assert again[2]["plan_value"].iloc[-1] > max(tenth, others)
    fresh = set(after) - set(before)
    assert len(fresh) >= 3
    assert not set(before) & set(third.loc[third["stay_min"].notna(), "grid_reference"])
    told = sample.patrols_against(path)
    assert told["stop_verdict"].isna().all()  # the record ends before the plan's day
    assert len(told) == len(before)


def test_a_recorded_patrol_is_found_at_its_stops(sample: Aoi, tmp_path: Path) -> None:
    """A plan written after the fact, along a recorded patrol: every stop of it was visited."""
    fixes = sample.layer("patrols")
    one = fixes[fixes["patrol_id"] == "K1-001"].sort_values("fix_at")
    at = one["fix_at"].dt.tz_convert("Africa/Lagos")
    gap = distance_m(
        one["lon"].iloc[:-1], one["lat"].iloc[:-1], one["lon"].iloc[1:], one["lat"].iloc[1:]
    )
    halts = np.flatnonzero(np.asarray(gap) < 50)
    assert len(halts)
    row = one.iloc[halts[len(halts) // 2]]
    made = pd.DataFrame(
        {"patrol": 1, "stop": [1, 2], "place": ["Halt", "Nowhere"],
         "plan_on": at.iloc[0].date().isoformat(), "arrive": "10:00", "leave": "10:30",
         "stay_min": 30, "lon": [row["lon"], row["lon"] + 0.3], "lat": row["lat"]}
    )  # fmt: skip
    path = tmp_path / "after.csv"
    made.to_csv(path, index=False)
    told = sample.patrols_against(path)
    assert told["stop_verdict"].tolist() == ["visited", "not visited"]
    assert told["unit_id"].iloc[0] == "K1"
    assert told["stayed_min"].iloc[0] >= 5


def test_impossible_orders_are_refused(sample: Aoi, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="No base is called 'B99'"):
        sample.patrols(replace(DRY, base_id="B99"))
    with pytest.raises(BadInput, match="B05 does not stand on 01 Jul 2026"):
        sample.patrols(replace(DRY, base_id="B05"))
    by_night = replace(ORDER, depart_h=20.0, night=True)
    with pytest.raises(BadInput, match="may not move by night"):
        sample.patrols(replace(DRY, base_id="B04", order=by_night))
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="no column patrol, stop"):
        sample.patrols_against(tmp_path / "no.csv")
    with pytest.raises(BadInput, match="Say which patrols"):
        sample.table("patrol_plan")


def test_the_command_writes_order_gps_and_map(sample_folder: Path, tmp_path: Path) -> None:
    order, gps, page = (tmp_path / f"order.{end}" for end in ("csv", "gpx", "html"))
    words = ["patrols", str(sample_folder), "--base", "B03", "--hours", "5", "--iterations", "20",
             "--out", str(order), "--gpx", str(gps), "--map", str(page)]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(order, encoding="utf-8-sig")
    assert list(table["patrol"].unique()) == [1, 2]
    kinds = read_gpx(gps).frame.groupby("kind").size()
    assert kinds["route"] == len(table)  # the return is the start again
    assert kinds["track"] > 50
    text = page.read_text("utf8")
    assert "Patrol plan" in text
    wrong = CliRunner().invoke(main, ["patrols", str(sample_folder)])
    assert "Say which base" in str(wrong.output) + str(wrong.exception)
