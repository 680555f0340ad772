"""The forecast on the sample, whose generator and true places are known."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pocgeo.cells import grid
from pocgeo.ground.errors import Refused, UnknownName

CUT = date(2026, 3, 31)


def truth_after(folder: Path, day: pd.Timestamp, layer: pd.DataFrame) -> pd.DataFrame:
    """True places of the incidents that occurred after a day."""
    truth = pd.read_csv(
        folder / "data" / "truth" / "incident_origins.csv", dtype={"incident_id": str}
    )
    days = layer[["incident_id", "occurred_on"]].astype({"incident_id": str})
    joined = truth.merge(days, on="incident_id")
    return joined[joined["occurred_on"] > day]


def test_the_top_of_the_forecast_is_where_the_truth_came(sample, sample_folder: Path) -> None:
    cells, _ = sample.forecast(as_of=CUT)
    came = truth_after(sample_folder, pd.Timestamp(CUT), sample.layer("incidents"))
    assert len(came) > 80
    level = grid.resolution_of(cells["cell"].to_numpy())
    true = grid.cells_of(came["true_lon"], came["true_lat"], level)
    n = round(0.05 * len(cells))
    by_forecast = np.isin(true, cells["cell"].head(n)).mean()
    by_chance = 0.05
    assert by_forecast > 6 * by_chance


def test_the_north_shore_that_rises_is_seen_once_it_has_begun(sample) -> None:
    """From 2026-03-01 the generator makes the north shore flare up (generator/incidents.py)."""
    now, areas = sample.forecast()
    assert set(now["settlement"].head(3)) <= {"Farrault", "Wendrou", "Immarit"}
    first = areas[areas["area_kind"] == "admin 1"].iloc[0]
    assert first["area"] == "Northern Shore"
    assert now["forecast_reason"].head(3).eq("here recently").all()
    before, _ = sample.forecast(as_of=date(2026, 2, 28))
    assert not {"Farrault", "Wendrou"} & set(before["settlement"].head(3))


def test_a_category_is_forecast_by_itself(sample) -> None:
    cells, areas = sample.forecast(perpetrator=("community",))
    whole = sample.forecast()[1]
    assert areas["forecast_incidents"].iloc[0] < whole["forecast_incidents"].iloc[0] / 2
    assert "only community" in cells.attrs["title"]
    with pytest.raises(UnknownName, match="perpetrator"):
        sample.forecast(perpetrator=("martians",))


def test_every_product_carries_the_record_in_short(sample) -> None:
    cells, _ = sample.forecast()
    notes = " ".join(cells.attrs["notes"])
    assert "past forecasts" in notes
    assert "Last time, Apr 2026 to Jun 2026" in notes
    assert "no promise of quiet" in notes


def test_partners_receive_areas_without_counts_and_no_single_places(sample) -> None:
    """docs/methods/disclosure.md: single places move with single incidents; areas are rounded."""
    cells, areas = sample.forecast()
    with pytest.raises(Refused, match="forecast --areas --audience partners"):
        sample.release(cells, audience="partners")
    out = sample.release(areas, audience="partners")
    kept_back = {"share_recent", "forecast_reason", "forecast_low", "imprecise_share", "came_n"}
    assert not kept_back & set(out.table)
    assert not any("Last time" in note for note in out.notes)
    with pytest.raises(Refused):
        sample.release(sample.scorecard()[3], audience="partners")


def test_commands_answer_and_refuse_in_one_line(sample_folder: Path) -> None:
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pocgeo", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = typed("forecast", str(sample_folder), "--areas", "--as-of", "2026-03-31")
    assert done.returncode == 0, done.stderr
    assert "Apr 2026 to Jun 2026" in done.stdout
    refused = typed("forecast", str(sample_folder), "--months", "9")
    assert refused.returncode == 2
    assert "months must be 1 to 6" in refused.stderr
    thin = typed("scorecard", str(sample_folder), "--as-of", "2024-06-30")
    assert thin.returncode == 2
    assert "too few to score" in thin.stderr or "too thin" in thin.stderr
