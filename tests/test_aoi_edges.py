"""Where tables meet: tiles of a raster, small areas, periods, thresholds, rows that agree."""

import dataclasses
import json
import shutil
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.windows import Window

import pocgeo
from pocgeo.aoi.area import Aoi
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.pixels import PixelWindow, mosaic


def window(values: np.ndarray, west: float, north: float, width: float = 1.0) -> PixelWindow:
    return PixelWindow(
        fields=("people_persons",), values=values[None].astype(float), west=west, north=north,
        pixel_width=width, pixel_height=width,
    )  # fmt: skip


def test_tiles_join_without_loss_and_the_first_with_data_counts() -> None:
    left = window(np.array([[1, 2], [3, np.nan]]), 0, 2)
    right = window(np.array([[9, 5], [8, 6]]), 1, 2)  # overlaps the second column
    joined = mosaic([left, right])
    assert joined is not None
    assert joined.values[0].tolist() == [[1, 2, 5], [3, 8, 6]]  # noqa: PD011
    assert joined.bounds == (0, 0, 3, 2)
    assert mosaic([]) is None
    assert mosaic([left]) is left


def test_tiles_of_another_grid_are_refused() -> None:
    with pytest.raises(BadInput, match="do not fit"):
        mosaic([window(np.ones((2, 2)), 0, 2), window(np.ones((2, 2)), 2.4, 2)])
    with pytest.raises(BadInput, match="do not fit"):
        mosaic([window(np.ones((2, 2)), 0, 2), window(np.ones((2, 2)), 2, 2, 0.5)])


@pytest.fixture(scope="module")
def tiled(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Aoi:
    """The sample with its population cut in two tiles through Port Veral."""
    folder = tmp_path_factory.mktemp("tiled") / "aoi"
    ignored = shutil.ignore_patterns(".pocgeo", "out", "population.tif")
    shutil.copytree(sample_folder, folder, ignore=ignored)
    with rasterio.open(sample_folder / "data" / "population.tif") as raster:
        column = raster.index(4.169, 1.58)[1]
        for name, first, width in (("w", 0, column), ("e", column, raster.width - column)):
            part = Window(first, 0, width, raster.height)
            profile = raster.profile | {
                "width": width,
                "transform": rasterio.Affine(
                    raster.transform.a, 0, raster.transform.c + first * raster.transform.a,
                    0, raster.transform.e, raster.transform.f,
                ),
            }  # fmt: skip
            path = folder / "data" / f"population_{name}.tif"
            with rasterio.open(path, "w", **profile) as tile:
                tile.write(raster.read(window=part))
    text = (folder / "aoi.toml").read_text("utf8")
    text = text.replace("data/population.tif", "data/population_*.tif")
    text = text.replace("expect_persons = [900000, 1300000]", "expect_persons = [100000, 1300000]")
    (folder / "aoi.toml").write_text(text, "utf8")
    return pocgeo.open_aoi(folder)


def test_a_raster_in_tiles_gives_the_same_people(tiled: Aoi, sample: Aoi) -> None:
    ours, whole = tiled.indexed.known("population"), sample.indexed.known("population")
    assert ours["people_persons"].sum() == pytest.approx(whole["people_persons"].sum(), rel=1e-9)
    near, all_near = tiled.proximity(), sample.proximity()
    assert near["people_persons"].to_numpy() == pytest.approx(
        all_near["people_persons"].to_numpy(), rel=1e-6
    )


def test_a_small_area_has_all_people_of_its_cells(
    sample: Aoi, sample_folder: Path, tmp_path: Path
) -> None:
    """Cells reach beyond the outline; what lives there lives in a cell of the area."""
    shutil.copytree(sample_folder / "data", tmp_path / "data")
    box = shapely.box(4.10, 1.52, 4.20, 1.62)
    feature = {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(box))}
    outline = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "data" / "box.geojson").write_text(json.dumps(outline))
    (tmp_path / "aoi.toml").write_text(
        '[aoi]\nname = "Box"\nboundary = "data/box.geojson"\nresolution = 8\n'
        'period = ["2023-07-01", "2026-06-30"]\ntime_zone = "Africa/Lagos"\n'
        '[layers.population]\npath = "data/population.tif"\nbands = { people_persons = 1 }\n'
    )
    people = pocgeo.open_aoi(tmp_path).indexed.known("population").set_index("cell")
    whole = sample.indexed.known("population").set_index("cell").reindex(people.index)
    both = whole["people_persons"].notna()
    assert both.sum() > 150
    assert np.allclose(people.loc[both, "people_persons"], whole.loc[both, "people_persons"])
    assert people.loc[~both, "people_persons"].fillna(0).sum() < 1  # open sea


def test_the_period_of_the_file_bounds_the_hotspots(sample: Aoi) -> None:
    file = dataclasses.replace(sample.file, period=(date(2025, 7, 1), date(2026, 6, 30)))
    later = Aoi(file).hotspots()["incidents"].sum()
    asked = sample.hotspots(since=date(2025, 7, 1))["incidents"].sum()
    assert later == pytest.approx(asked)
    assert later < 0.6 * sample.hotspots()["incidents"].sum()


def test_indicators_quote_the_standards_of_the_file(sample: Aoi) -> None:
    strict = dataclasses.replace(
        sample.file, standards={"reach": {"reach_min": 30.0}, "presence": {"presence_days": 60}}
    )

    def latest(aoi: Aoi, name: str) -> float:
        table = aoi.indicators()
        rows = table[(table["indicator"] == name) & (table["area_kind"] == "AOI")]
        return float(rows.dropna(subset="value")["value"].iloc[-1])

    reachable = "incidents_reachable_share"
    assert latest(Aoi(strict), reachable) < latest(sample, reachable)
    visited = "high_risk_visited_share"
    assert latest(Aoi(strict), visited) > latest(sample, visited)


def test_gap_cells_leave_as_hexagons_and_gap_areas_as_points(sample: Aoi, tmp_path: Path) -> None:
    cells = sample.gap_cells().head(50)
    path = pocgeo.export(sample.release(cells), tmp_path / "cells.geojson", "geojson")
    drawn = gpd.read_file(path)
    assert set(drawn.geom_type) == {"Polygon"}
    expected = shapely.normalize(grid.boundaries(cells["cell"].to_numpy()))
    assert shapely.equals_exact(shapely.normalize(drawn.geometry.to_numpy()), expected, 1e-6).all()
    areas = pocgeo.export(sample.release(sample.gaps()), tmp_path / "gaps.geojson", "geojson")
    assert set(gpd.read_file(areas).geom_type) == {"Point"}


def test_a_gap_row_does_not_contradict_itself(sample: Aoi) -> None:
    gaps = sample.gaps()
    never = gaps["days_since_presence"].isna()
    assert gaps.loc[never, "reason"].str.contains("no patrol in the record").all()
    assert gaps.loc[~never, "reason"].str.contains("no patrol since").all()
    age = (pd.Timestamp("2026-06-30") - gaps["last_presence_on"]).dt.days
    assert age.equals(gaps["days_since_presence"].astype(age.dtype))


def test_people_inside_the_perimeter_are_told_apart(sample: Aoi) -> None:
    ledger = sample.proximity().set_index("base_id")
    assert ledger.loc["B01", "perimeter_people_persons"] > 100


@pytest.mark.parametrize("audience", ["partners", "public"])
def test_everybody_gets_a_brief(sample: Aoi, tmp_path: Path, audience: str) -> None:
    text = sample.save_brief(tmp_path / "brief.html", audience=audience).read_text("utf8")
    for name in sample.layer("bases")["name"]:
        assert name not in text
    assert "by area, not by cell" in text


def test_an_input_changed_under_an_open_area_is_refused_and_nothing_of_it_kept(tmp_path) -> None:
    sample = Path(__file__).resolve().parents[1] / "sample_aoi"
    (tmp_path / "data").mkdir()
    for name in ("coast.geojson", "bases.geojson", "sites.geojson"):
        shutil.copy(sample / "data" / name, tmp_path / "data")
    (tmp_path / "aoi.toml").write_text(
        '[aoi]\nname = "T"\nboundary = "data/coast.geojson"\nresolution = 5\n'
        'period = ["2023-07-01", "2026-06-30"]\ntime_zone = "Africa/Lagos"\n'
        '[layers.bases]\npath = "data/bases.geojson"\n'
        '[layers.sites]\npath = "data/sites.geojson"\n',
        "utf8",
    )
    area = pocgeo.open_aoi(tmp_path)
    count = len(area.indexed.known("bases"))
    again = pocgeo.Aoi(area.file).indexed
    (tmp_path / ".pocgeo" / "layer_bases.parquet").unlink()
    path = tmp_path / "data" / "bases.geojson"
    text = path.read_text("utf8")
    path.write_text(text.replace("B01", "B91"), "utf8")
    with pytest.raises(BadInput, match="changed since this area was opened"):
        again.known("bases")
    assert "layer_bases" not in again.store.names()
    path.write_text(text, "utf8")  # as it was, though by the clock it is newer
    assert len(again.known("bases")) == count
