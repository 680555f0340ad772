"""The hall: one area, every question; totals that agree between products; as of past days."""

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

import pocgeo
from pocgeo.aoi.area import Aoi
from tests.conftest import SAMPLE


def test_people_are_conserved_from_raster_to_cells_to_areas(sample: Aoi) -> None:
    cells = sample.indexed.known("population")
    outside = cells.attrs["outside_persons"]
    with rasterio.open(SAMPLE / "data" / "population.tif") as raster:
        for band, field in enumerate(("people_persons", "women_persons", "children_persons"), 1):
            pixels = raster.read(band, masked=True).astype("float64").sum()
            total = cells[field].sum() + outside[field]
            assert total == pytest.approx(float(pixels), rel=1e-9)
    table = sample.coverage()
    for _, rows in table.groupby("area_kind"):
        assert rows["people_persons"].sum() == pytest.approx(
            cells["people_persons"].sum(), rel=1e-9
        )


def test_rows_of_gaps_add_up_to_every_table(sample: Aoi) -> None:
    gaps, cover = sample.gaps(), sample.coverage()
    whole = cover.loc[cover["area_kind"] == "AOI", "gap_persons"].item()
    assert gaps["gap_persons"].sum() == pytest.approx(whole, rel=1e-9)
    assert sample.gap_cells()["gap_persons"].sum() == pytest.approx(whole, rel=1e-9)
    for kind, key in (("AOR", "aor_id"), ("admin 1", "admin1_id"), ("admin 2", "admin2_id")):
        rows = cover.loc[cover["area_kind"] == kind].set_index("area_id")["gap_persons"]
        summed = gaps.groupby(key)["gap_persons"].sum().reindex(rows.index, fill_value=0)
        assert summed.to_numpy() == pytest.approx(rows.to_numpy(), rel=1e-9, abs=1e-6)


def test_a_gap_names_place_area_reference_and_reason(sample: Aoi) -> None:
    first = sample.gaps(reach_min=60, presence_days=14).iloc[0]
    for name in ("place", "admin1", "admin2", "aor", "grid_reference", "reason", "trend"):
        assert isinstance(first[name], str) and first[name]
    assert 0 < first["women_persons"] < first["gap_persons"]
    assert 0 <= first["risk"] <= 1
    assert first["gap_persons"] > 1_000


def test_the_base_closed_in_november_leaves_a_gap_that_was_none_before(sample: Aoi) -> None:
    """B05 at Immarit closed on 2025-11-30 (sample_aoi/README.md)."""
    immarit = {"admin": "Immarit District", "presence_days": None}
    before = sample.gaps(as_of=date(2025, 11, 30), **immarit)["gap_persons"].sum()
    after = sample.gaps(as_of=date(2025, 12, 1), **immarit)["gap_persons"].sum()
    assert after > before + 20_000


def test_as_of_sees_only_what_was_known(sample: Aoi) -> None:
    day = pd.Timestamp("2025-03-15")
    known = sample.table("incidents", as_of=day.date())
    late = sample.layer("incidents")
    late = late[(late["occurred_on"] <= day) & (late["reported_on"] > day)]
    assert len(late) > 0
    assert not known["incident_id"].isin(late["incident_id"]).any()
    assert known["occurred_on"].max() <= day
    assert sample.presence(as_of=date(2025, 12, 31))["last_presence_on"].max() <= pd.Timestamp(
        "2025-12-31"
    )


def test_a_later_day_never_loses_an_incident(sample: Aoi) -> None:
    days = [date(2024, 1, 31), date(2025, 1, 31), date(2026, 6, 30)]
    counts = [len(sample.table("incidents", as_of=day)) for day in days]
    assert counts == sorted(counts)


def test_verdicts_cover_all_three_and_the_ledger_agrees(sample: Aoi) -> None:
    verdicts = sample.verdicts()
    assert {"inside", "undecided"} <= set(verdicts["verdict"])
    ledger = sample.proximity().set_index("base_id")
    inside = verdicts[verdicts["verdict"] == "inside"].groupby("base_id").size()
    assert (ledger["incidents_inside"].reindex(inside.index) == inside).all()
    assert ledger["people_persons"].gt(0).all()


def test_hotspots_are_flagged_and_print_their_null_check(sample: Aoi) -> None:
    table = sample.hotspots(since=date(2026, 1, 1))
    assert 0 < table["hotspot"].sum() < 0.02 * len(table)
    assert any("Null check" in note for note in table.attrs["notes"])
    assert sample.flagged(table)["q"].max() <= 0.05


def test_splitting_by_perpetrator_loses_nobody(sample: Aoi) -> None:
    """D2: no analysis silently drops state actors."""
    everyone = sample.hotspots()["incidents"].sum()
    named = sample.layer("incidents")["perpetrator"].unique()
    parts = [sample.hotspots(perpetrator=[name])["incidents"].sum() for name in named]
    assert "state_forces" in named
    assert sum(parts) == pytest.approx(everyone, rel=1e-9)


def test_risk_is_a_product_with_its_parts_shown(sample: Aoi) -> None:
    table = sample.risk()
    assert np.allclose(table["risk"], table["threat"] * table["vulnerability"], equal_nan=True)
    assert table["risk"].between(0, 1).all()
    assert {"threat_recent", "threat_near", "vulnerability_far_from_help"} <= set(table.columns)
    assert "vulnerability_water_points" in table


def test_a_layer_of_ones_own_needs_no_python(sample: Aoi) -> None:
    spec = sample.indexed.requests["water_points"].spec
    own = sample.indexed.known("own_layers")
    assert {rule.column for rule in spec.index} <= set(own.columns)
    assert "water_points" in sample.picture().filter(like="water_points").columns[0]


def test_findings_carry_standard_and_provenance(sample: Aoi) -> None:
    table = sample.gaps(reach_min=45)
    assert table.attrs["standard"]["coverage"]["reach_min"] == 45
    released = sample.release(table)
    made = released.manifest
    assert made["cut_off_on"] == "2026-06-30"
    assert {fact["layer"] for fact in made["inputs"]} >= {"incidents", "population", "bases"}
    assert made["versions"]["pocgeo"]
    assert made["load_report"]


@pytest.mark.parametrize("audience", ["partners", "public"])
def test_what_leaves_names_no_restricted_field(sample: Aoi, audience: str) -> None:
    for table in (sample.risk(), sample.hotspots(), sample.gaps(), sample.indicators()):
        released = sample.release(table, audience=audience)
        assert not {"base_id", "base", "reach_min", "incident_id", "last_unit"} & set(
            released.table.columns
        )
        assert "population.tif" not in str(dict(released.manifest))


@pytest.mark.parametrize("name", ["incidents.xlsx", "aoi.toml", "passwd"])
def test_a_map_is_not_written_over_a_file_of_another_kind(
    sample: Aoi, tmp_path: Path, name: str
) -> None:
    kept = tmp_path / name
    kept.write_text("mine")
    with pytest.raises(pocgeo.BadInput, match="a map is"):
        sample.save_map("risk", kept)
    assert kept.read_text() == "mine"


def test_the_same_question_twice_gives_the_same_bytes(
    sample: Aoi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    for number in (1, 2):
        aoi = pocgeo.open_aoi(sample.file.folder)
        pocgeo.export(aoi.release(aoi.gaps()), tmp_path / f"gaps{number}.csv", "csv")
        aoi.save_map("coverage_gaps", tmp_path / f"map{number}.html")
    for name in ("gaps{}.csv", "map{}.html"):
        first, second = ((tmp_path / name.format(number)).read_bytes() for number in (1, 2))
        assert first == second


def test_only_what_changed_is_built_again(tmp_path: Path, sample_folder: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(sample_folder, folder, ignore=shutil.ignore_patterns("out"))
    assert pocgeo.open_aoi(folder).index().endswith("everything was fresh")
    path = folder / "data" / "alerts.csv"
    rows = path.read_text("utf8").splitlines(keepends=True)
    path.write_text("".join(rows[:-1]), "utf8")
    assert pocgeo.open_aoi(folder).index().endswith("built alerts")
    path = folder / "data" / "settlements.csv"
    rows = path.read_text("utf8").splitlines(keepends=True)
    path.write_text("".join(rows[:-1]), "utf8")
    said = pocgeo.open_aoi(folder).index()
    for name in ("settlements", "cells", "population", "incident_cells", "presence_days"):
        assert name in said
    assert "patrols" not in said.replace("planned_patrols", "").split("built ")[1].split(", ")


def test_the_standard_may_come_from_aoi_toml(sample: Aoi) -> None:
    file = dataclasses.replace(sample.file, standards={"reach": {"reach_min": 120.0}})
    wider = Aoi(file)
    assert wider.gaps().attrs["standard"]["coverage"]["reach_min"] == 120
    assert wider.gaps()["gap_persons"].sum() < sample.gaps()["gap_persons"].sum()
    with pytest.raises(pocgeo.BadInput, match=r"standards.reach"):
        Aoi(dataclasses.replace(sample.file, standards={"reach": {"reach_mins": 1}})).gaps()
