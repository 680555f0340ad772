"""The forecast on South Sudan: precise incidents of UCDP GED, resolution 5, every origin from 2014.

The bars were set before this code was written (research on four sets of events, this among them).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pocgeo
from pocgeo.analyses.forecast import ForecastStandard, forecast
from pocgeo.analyses.scorecard import Scorecard, ScorecardStandard, scorecard
from pocgeo.aoi.threats import incidents_placed
from tests.real import SHARED, needs_shared

pytestmark = [pytest.mark.real, needs_shared]

FROM_2014 = ScorecardStandard(origins=32)
LAST = pd.Timestamp("2021-12-31")

AOI = """
[aoi]
name       = "South Sudan"
data_root  = "{root}"
boundary   = "boundaries/osm_south_sudan.geojson"
resolution = 5
period     = ["2011-01-01", "2021-12-31"]
time_zone  = "Africa/Juba"
marking    = "UNCLASSIFIED"

[layers.incidents]
path    = "incidents/ucdp_ged_south_sudan_hxl.csv"
profile = "ucdp_ged"

[layers.population]
path    = "population/worldpop_10km_3band_derived.tif"
profile = "worldpop"
bands   = {{ people_persons = 3 }}
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Precise incidents in their cells, and the cells with their people."""
    folder: Path = tmp_path_factory.mktemp("south_sudan")
    text = AOI.format(root=(SHARED / "south_sudan").as_posix())
    (folder / "aoi.toml").write_text(text, "utf8")
    index = pocgeo.open_aoi(folder).indexed
    cells = index.known("cells").merge(index.known("population"), on="cell", how="left")
    events = incidents_placed(index, LAST)
    assert events is not None
    return events[events["placed"] == "point"], cells


@pytest.fixture(scope="module")
def scored(given: tuple[pd.DataFrame, pd.DataFrame]) -> Scorecard:
    return scorecard(*given, LAST, ForecastStandard(resolution=5), FROM_2014)


def test_the_origins_are_those_of_the_bars(scored) -> None:
    assert scored.notes[0].startswith("Record of 32 past forecasts, Jan 2014 to Dec 2021")


def test_the_log_score_beats_the_decayed_kernel_beyond_chance(scored) -> None:
    rows = scored.differences
    row = rows[
        (rows["measure"] == "Log score per incident") & (rows["against"] == "the decayed kernel")
    ]
    assert row["difference_high"].item() < 0
    assert row["conclusion"].item() == "forecast better"


def test_five_percent_of_the_land_holds_three_in_five_incidents(scored) -> None:
    scores = scored.scores.set_index("measure")["score_forecast"]
    assert scores["Share in top 5% of land"] >= 0.60


def test_chances_of_disks_come_true(scored) -> None:
    table = scored.reliability
    often = table[(table["places_n"] >= 500) & (table["chance_mean"] >= 0.005)]
    assert len(often) >= 5
    assert (often["came_share"] / often["chance_mean"]).between(0.7, 1.4).all()


def test_the_same_question_gives_the_same_bytes(given) -> None:
    standard = ForecastStandard(resolution=5)
    events, cells = given
    mixed = events.sample(frac=1, random_state=1)
    one, two = (forecast(each, cells, LAST, standard) for each in (events, mixed))
    assert one.cells.to_csv() == two.cells.to_csv()
    assert one.notes == two.notes


def test_an_earlier_day_sees_less(given) -> None:
    """July 2016: with what was on record on 30 June, Juba was not foreseen as it came."""
    events, cells = given
    before = forecast(events, cells, pd.Timestamp("2016-06-30"), ForecastStandard(resolution=5))
    cut = events[events["occurred_on"] <= pd.Timestamp("2016-06-30")]
    again = forecast(cut, cells, pd.Timestamp("2016-06-30"), ForecastStandard(resolution=5))
    np.testing.assert_array_equal(before.cells["expected"], again.cells["expected"])
    assert before.first_month == pd.Timestamp("2016-07-01")
