"""Reach over the ground in the hall: seasons, closures, lost bases, and what the reason says."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

import pocgeo
from pocgeo.aoi.area import Aoi
from pocgeo.aoi.reaching import reach_cells
from pocgeo.cells import grid
from pocgeo.ground.errors import UnknownName


def reached(aoi: Aoi, minutes: float, **asked: object) -> pd.Series:
    """People reached within the minutes, by area."""
    table = aoi.reach(minutes=[minutes], **asked)[0]  # type: ignore[arg-type]
    return table.set_index(["area_kind", "area_id"])["covered_persons"]


def test_areas_add_up_and_everyone_is_somewhere(sample: Aoi) -> None:
    table = sample.reach()[0]
    parts = table[["covered_persons", "beyond_persons", "unreachable_persons"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(table["people_persons"].to_numpy())
    for _, rows in table.groupby(["area_kind", "within_min"]):
        assert rows["people_persons"].sum() == pytest.approx(1_103_706, abs=1)


def test_the_rains_never_bring_anybody_sooner(sample: Aoi) -> None:
    cells = reach_cells(sample.indexed, None)
    both = cells["reach_min"].notna() & cells["reach_wet_min"].notna()
    assert (cells.loc[both, "reach_wet_min"] >= cells.loc[both, "reach_min"] - 1e-3).all()
    assert (reached(sample, 60, season="wet") <= reached(sample, 60, season="dry") + 1e-6).all()
    lost = sample.seasons(minutes=[60])
    whole = lost[lost["area_kind"] == "AOI"].iloc[0]
    assert whole["lost_persons"] > 10_000
    assert whole["gained_persons"] == 0


def test_a_lost_base_costs_whom_it_alone_reached(sample: Aoi) -> None:
    alone = sample.reach(minutes=[60])[1].set_index("base_id")["alone_persons"]
    change = pocgeo.Change(without_bases=("B02",))
    table = sample.reach(minutes=[60], change=change)[-1]
    whole = table[table["area_kind"] == "AOI"].iloc[0]
    assert whole["lost_persons"] == pytest.approx(alone["B02"], rel=1e-6)
    assert whole["change_persons"] == pytest.approx(
        whole["covered_after_persons"] - whole["covered_before_persons"]
    )


def test_a_closed_road_never_helps(sample: Aoi) -> None:
    roads = sample.layer("roads")
    busiest = roads.loc[roads["class"] == "primary", "road_id"].tolist()
    before = reached(sample, 60)
    after = reached(sample, 60, change=pocgeo.Change(closed_roads=tuple(busiest)))
    assert (after <= before + 1e-6).all()
    assert after.sum() < before.sum()


def test_what_is_misspelt_is_named(sample: Aoi) -> None:
    with pytest.raises(UnknownName, match="B99"):
        sample.reach(change=pocgeo.Change(without_bases=("B99",)))
    with pytest.raises(UnknownName, match="No road"):
        sample.reach(change=pocgeo.Change(closed_roads=("Route 66",)))


def test_the_reason_says_how_minutes_were_measured(sample: Aoi) -> None:
    assert sample.gaps(season="wet")["reason"].str.contains("terrain, wet season").any()
    straight = dataclasses.replace(sample.file, standards={"reach": {"method": "straight line"}})
    words = Aoi(straight).gaps()["reason"]
    assert words.str.contains("straight line").any()
    assert not words.str.contains("terrain").any()
    with pytest.raises(pocgeo.BadInput, match="method of reach"):
        Aoi(dataclasses.replace(sample.file, standards={"reach": {"method": "teleport"}})).gaps()


def test_response_counts_back_from_the_list(sample: Aoi) -> None:
    groups, months, incidents = sample.response()
    whole = groups.iloc[0]
    assert whole["incidents_n"] == len(incidents)
    assert whole["reachable_n"] == incidents["reachable"].fillna(value=False).sum()
    assert 0 < whole["response_share"] < 1
    by_category = groups[groups["group"] == "perpetrator"]
    assert by_category["incidents_n"].sum() == len(incidents)
    assert "state_forces" in set(by_category["category"])
    aoi = months[(months["area_kind"] == "AOI") & (months["category"] == "all")]
    shares = aoi[aoi["indicator"] == "response_share"]
    assert shares["n"].sum() + shares["n_unknown"].sum() == len(incidents)


def test_more_minutes_never_lower_the_response(sample: Aoi) -> None:
    shares = [sample.response(minutes=m)[0].iloc[0]["response_share"] for m in (30, 60, 120)]
    assert shares == sorted(shares)


def test_settlements_are_asked_at_the_place_and_agree_with_their_cells(sample: Aoi) -> None:
    named = {table.attrs["name"]: table for table in sample.reach()}
    places = named["reach_places"].dropna(subset="reach_min")
    assert (places["low_min"] <= places["reach_min"] + 1e-6).all()
    assert (places["reach_min"] <= places["high_min"] + 1e-6).all()
    picture = sample.picture().set_index("cell")["reach_min"]
    where = sample.layer("settlements").set_index("settlement_id").geometry
    cells = grid.cells_of(where.x, where.y, 8)
    minutes = pd.Series(picture.reindex(cells).to_numpy(), index=where.index)
    both = (
        places.set_index("settlement_id")["reach_min"]
        .to_frame("exact")
        .join(minutes.rename("cell"))
    )
    assert both["cell"].notna().mean() > 0.95
    assert (both["exact"] - both["cell"]).abs().median() < 6


def test_contours_hold_the_people_of_their_base(sample: Aoi) -> None:
    made = sample.table("reach_contours").set_index("base_id")
    alone = sample.reach(minutes=[60])[1].set_index("base_id")["reached_persons"]
    assert made["people_persons"].to_numpy() == pytest.approx(alone[made.index].to_numpy())
    assert made.geometry.is_valid.all()


def test_the_map_of_a_change_is_asked_for_by_the_change(sample: Aoi, tmp_path: Path) -> None:
    with pytest.raises(pocgeo.BadInput, match="Say what changes"):
        sample.save_map("reach_change", tmp_path / "no.html")
    gone = sample.changed(pocgeo.Change(without_bases=("B02",)))
    text = gone.save_map("reach_change", tmp_path / "gone.html").read_text("utf8")
    assert "What a change of roads or bases costs" in text
    cells = gone.table("reach_change_cells")
    assert (
        (cells["after_min"] >= cells["before_min"] - 1e-3)
        .where(cells["after_min"].notna() & cells["before_min"].notna(), other=True)
        .all()
    )
    assert cells["added_min"].max() > 10


def test_insecurity_slows_where_there_is_threat_and_only_if_asked(sample: Aoi) -> None:
    unsafe = Aoi(dataclasses.replace(sample.file, standards={"terrain": {"insecurity": True}}))
    calm, slow = sample.picture(), unsafe.picture()
    both = calm["reach_min"].notna() & slow["reach_min"].notna()
    assert (slow.loc[both, "reach_min"] >= calm.loc[both, "reach_min"] - 1e-3).all()
    assert (slow.loc[both, "reach_min"] > calm.loc[both, "reach_min"] + 0.1).any()
    assert reached(unsafe, 60).sum() <= reached(sample, 60).sum()


def test_a_friction_raster_serves_where_there_is_no_land_cover(
    sample_folder: Path, tmp_path: Path
) -> None:
    """Minutes per metre, as the Malaria Atlas Project publishes; here 0.012 (5 km/h) everywhere."""
    shutil.copytree(sample_folder / "data", tmp_path / "data")
    with rasterio.open(tmp_path / "data" / "landcover.tif") as raster:
        profile = raster.profile | {"dtype": "float32", "nodata": -9999.0, "count": 1}
        profile.pop("photometric", None)
        shape = raster.shape
    with rasterio.open(tmp_path / "data" / "friction.tif", "w", **profile) as raster:
        raster.write(np.full(shape, 0.012, dtype="float32"), 1)
    (tmp_path / "aoi.toml").write_text(
        '[aoi]\nname = "Friction"\nboundary = "data/coast.geojson"\nresolution = 7\n'
        'period = ["2023-07-01", "2026-06-30"]\ntime_zone = "Africa/Lagos"\n'
        '[layers.bases]\npath = "data/bases.geojson"\n'
        '[layers.friction]\npath = "data/friction.tif"\n'
        '[layers.population]\npath = "data/population.tif"\nbands = { people_persons = 1 }\n',
        "utf8",
    )
    aoi = pocgeo.open_aoi(tmp_path)
    picture = aoi.picture()
    assert set(picture["reach_method"]) == {"terrain, dry season"}
    near = picture[picture["base_id"] == "B01"].nsmallest(20, "reach_min")
    assert near["reach_min"].between(0, 240).all()
    assert picture["reach_min"].notna().mean() > 0.3


def test_slopes_hold_vehicles_up_off_the_road_only(sample: Aoi) -> None:
    steep = sample.picture()
    flat = Aoi(dataclasses.replace(
        sample.file,
        requests=tuple(r for r in sample.file.requests if r.layer != "elevation"),
    )).picture()  # fmt: skip
    both = steep["reach_min"].notna() & flat["reach_min"].notna()
    slower = steep.loc[both, "reach_min"] - flat.loc[both, "reach_min"]
    assert (slower > 1).mean() > 0.2
    wheeled = steep["base_id"].isin(["B01", "B02", "B03"]) & both
    assert (slower[wheeled[both]] >= -1e-3).all()  # on foot a gentle descent is quicker
