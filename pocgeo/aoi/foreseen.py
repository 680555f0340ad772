"""The forecast and its scorecard, asked of one AOI."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from pocgeo.analyses.forecast import Forecast, ForecastStandard, forecast
from pocgeo.analyses.scorecard import Scorecard, ScorecardStandard, scorecard
from pocgeo.aoi.answers import finished, only_of
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.standards import moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.ground.errors import BadInput
from pocgeo.ground.grid_reference import to_mgrs
from pocgeo.ground.provenance import digest_of

__all__ = ["forecasts", "outlook", "record_of", "scorecards", "top_places"]

TOP = 20
"""House default: places a reader can take in, and a mission can act on."""

HALF = 0.5
"""A place is marked uncertain where more than this part of its forecast rests on incidents, and
more than this part of those is known only to an area."""

OWN_WORDS = {
    "own 1-3": "last 3 months", "own 4-12": "4-12 months ago", "own 13-60": "1-5 years ago",
    "own 61+": "earlier", "rings 1-2, 1-3": "nearby, last 3 months",
    "rings 1-2, 4-12": "nearby, 4-12 months ago",
}  # fmt: skip
"""Term of the forecast -> words of the note on weights."""

SHARE_NOTE = (
    "Incidents here recently, here long ago, nearby, people, and everywhere: their shares add up "
    "to 1 and say what the forecast rests on, not what causes violence."
)

Only = Mapping[str, tuple[str, ...]]
Asked = Mapping[str, Any]

NAMES = {
    "expected": "forecast_incidents", "expected_low": "forecast_low",
    "expected_high": "forecast_high", "probability": "forecast_chance",
    "disk_expected": "forecast_disk_incidents", "disk_probability": "forecast_disk_chance",
    "reason": "forecast_reason",
    **{f"expected_month_{ahead}": f"forecast_month_{ahead}" for ahead in range(1, 7)},
}  # fmt: skip
"""Column of the analysis -> column of the finding, where other findings use the same word."""

LAST_NAMES = {**NAMES, "rank": "forecast_rank", "outcome": "what_came"}

KEPT_BACK = ("dispersion", "disk_dispersion", "disk_incidents_3m", "disk_incidents_12m",
             "disk_incidents_24m", "admin1_id", "admin2_id", "aor_id", "settlement_id")  # fmt: skip
FIRST = ("settlement", "admin2", "forecast_incidents", "forecast_low", "forecast_high",
         "forecast_disk_chance", "forecast_reason", "incidents_3m", "incidents_12m")  # fmt: skip

KILOMETRES = 2
"""Digits of a grid reference of a forecast cell: it is kilometres across."""


def outlook(
    index: Indexed, as_of: date | None, only: Only | None = None, asked: Asked | None = None
) -> Forecast:
    """Give the forecast as of a day, worked out once for all who ask.

    Raises
    ------
    BadInput
        No incidents layer, or a record too short or too thin.
    """
    at, rules, narrowed = moment(index, as_of), rules_of(index, asked), dict(only or {})

    def build() -> Forecast:
        events, cells = record_of(index, at, narrowed)
        index.say("forecasting", 0, 1)
        made = forecast(events, cells, at.at, rules)
        index.say("forecasting", 1, 1)
        return made

    made: Forecast = index.kept("outlook " + digest_of([at.as_of, narrowed, rules]), build)
    return made


def card(
    index: Indexed, as_of: date | None, only: Only | None = None, asked: Asked | None = None
) -> Scorecard:
    """Give the scorecard of that forecast, worked out once for all who ask."""
    at, rules, narrowed = moment(index, as_of), rules_of(index, asked), dict(only or {})

    def build() -> Scorecard:
        events, cells = record_of(index, at, narrowed)
        index.say("forecasting the past again", 0, 1)
        made = scorecard(events, cells, at.at, rules, scoring_of(index))
        index.say("forecasting the past again", 1, 1)
        return made

    made: Scorecard = index.kept("scorecard " + digest_of([at.as_of, narrowed, rules]), build)
    return made


def record_of(index: Indexed, at: Moment, only: Only) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Incidents in their cells as known on the day, and the cells with their people."""
    placed = incidents_placed(index, at.at)
    if placed is None:
        raise index.lacks("incidents")
    cells = index.known("cells")
    people = index.table("population")
    if people is not None:
        cells = cells.merge(people[["cell", "people_persons"]], on="cell", how="left")
    return only_of(placed, only), cells


def rules_of(index: Indexed, asked: Asked | None) -> ForecastStandard:
    """Take what was asked, else aoi.toml, else the house default."""
    said = {name: value for name, value in (asked or {}).items() if value is not None}
    return standard(ForecastStandard, index.file, "forecast", said)


def scoring_of(index: Indexed) -> ScorecardStandard:
    """Take how the past is scored from aoi.toml or the house."""
    return standard(ScorecardStandard, index.file, "scorecard")


def forecasts(
    index: Indexed, as_of: date | None, only: Only, asked: Asked
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the forecast by cell and by area, with the short record of how it did before."""
    at = moment(index, as_of)
    made = outlook(index, as_of, only, asked)
    held_back = [name for name in KEPT_BACK if name in made.cells]
    cells = made.cells.drop(columns=held_back).rename(columns=NAMES)
    rests = cells[["share_recent", "share_year", "share_older", "share_nearby"]].sum(axis=1)
    cells["uncertain"] = (rests > HALF) & (cells["imprecise_share"].fillna(0.0) > HALF)
    first = [name for name in FIRST if name in cells]
    cells = cells[[*first, *(name for name in cells if name not in first)]]
    cells = cells.sort_values(
        ["forecast_incidents", "cell"], ascending=[False, True], ignore_index=True
    )
    months = months_in_words(made)
    notes = [*made.notes, *record_notes(index, as_of, only, asked)]
    said = {"forecast": made.standard, "only": dict(only)}
    tables = []
    for name, words, table in (
        ("forecast", "Forecast of incidents", cells),
        ("forecast_areas", "Forecast of incidents by area", made.areas.rename(columns=NAMES)),
    ):
        table.attrs = {"notes": notes, "order": ["forecast_incidents"]}
        title = f"{words}, {months}{categories_in_words(only)}"
        tables.append(finished(table, index, at, name, title, **said))
    tables[1].attrs["kind"] = "areas"
    tables[1].attrs["notes"] = [weights_told(made), SHARE_NOTE]
    return tables[0], tables[1]


def scorecards(
    index: Indexed, as_of: date | None, only: Only, asked: Asked
) -> tuple[pd.DataFrame, ...]:
    """Give scores, differences, reliability, and what the last forecast said and what came."""
    at = moment(index, as_of)
    made = card(index, as_of, only, asked)
    said = {
        "forecast": rules_of(index, asked), "scorecard": scoring_of(index), "only": dict(only),
    }  # fmt: skip
    last = with_reference(made.last.rename(columns=LAST_NAMES))
    tables = []
    for name, title, kind, table in (
        ("scorecard", "How the forecast did on its own past", "ledger", made.scores),
        ("scorecard_differences", "Whether it did better than simpler rules", "ledger",
         made.differences),
        ("scorecard_reliability", "Chances given, and how often an incident came", "ledger",
         made.reliability),
        ("scorecard_last", "What the last forecast said, and what came", "ledger", last),
    ):  # fmt: skip
        copied = table.copy()
        copied.attrs = {"notes": list(made.notes) if name == "scorecard" else []}
        done = finished(copied, index, at, name, title + categories_in_words(only), **said)
        done.attrs["kind"] = kind
        tables.append(done)
    return tuple(tables)


def top_places(table: pd.DataFrame, count: int = TOP) -> pd.DataFrame:
    """Keep the places of a forecast where most is expected; the totals stay in the areas."""
    kept = with_reference(table.head(count))
    kept.attrs = dict(table.attrs)
    kept.attrs["notes"] = [
        *table.attrs["notes"],
        f"The {len(kept)} places where most is expected, of {len(table):,}; a total is of these.",
    ]
    return kept


def with_reference(table: pd.DataFrame) -> pd.DataFrame:
    """Add the grid reference of each cell's centre, after its name."""
    made = table.copy()
    references = to_mgrs(made["lon"].to_numpy(float), made["lat"].to_numpy(float), KILOMETRES)
    after = list(made).index("settlement") + 1 if "settlement" in made else 0
    made.insert(after, "grid_reference", references)
    return made


def record_notes(index: Indexed, as_of: date | None, only: Only, asked: Asked) -> tuple[str, ...]:
    """Say in short how the forecast did before, or why nobody can say."""
    try:
        return card(index, as_of, only, asked).notes
    except BadInput as reason:
        return (str(reason),)


def weights_told(made: Forecast) -> str:
    """Say the fitted weights, all months together. A note, as notes are for internal readers."""
    weight = made.weights.set_index("term").sum(axis=1)
    own = ", ".join(f"{weight[term]:.2f} ({words})" for term, words in OWN_WORDS.items())
    return (
        f"Fitted: {weight['everywhere']:.1f} incidents anywhere, {weight['population']:.1f} where "
        f"people are, and for each incident a month here before: {own}."
    )


def months_in_words(made: Forecast) -> str:
    """Name the months forecast."""
    last = made.first_month + pd.DateOffset(months=made.standard.months - 1)
    if made.standard.months == 1:
        return f"{last:%B %Y}"
    return f"{made.first_month:%b %Y} to {last:%b %Y}"


def categories_in_words(only: Only) -> str:
    """Name the categories a finding is narrowed to."""
    named = [name.replace("_", " ") for wanted in only.values() for name in wanted]
    return f" (only {', '.join(named)})" if named else ""
