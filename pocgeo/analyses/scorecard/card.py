"""The scorecard as tables: scores beside simpler rules, how sure, how calibrated, and last time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.forecast.months import month_on
from pocgeo.analyses.forecast.outlook import rates_of
from pocgeo.analyses.forecast.rates import Rates
from pocgeo.analyses.forecast.standard import ForecastStandard
from pocgeo.analyses.scorecard.backtest import CELLS, LAND, MODELS, Backtest, Trial, backtest
from pocgeo.analyses.scorecard.last_time import last_time, last_time_note
from pocgeo.analyses.scorecard.pairs import ratio_interval, resampled
from pocgeo.ground.errors import BadInput

__all__ = ["MODEL_WORDS", "Scorecard", "ScorecardStandard", "scorecard"]

Floats = NDArray[np.float64]

MODEL_WORDS = {
    "forecast": "the forecast", "year": "the last 12 months", "all": "all history",
    "kernel": "the decayed kernel", "people": "people alone",
}  # fmt: skip

BINS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
"""Edges of the chances that a reliability table joins."""

FEWEST_FOR_INTERVAL = 8
"""Origins below which a bootstrap over them says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardStandard:
    """How much of the past is scored, and how sure a difference must be."""

    origins: int = 40
    """Most past forecasts scored, the latest; ten years of quarters."""

    level: float = 0.95
    """Share of resampled differences that an interval holds."""

    draws: int = 2_000
    """Times the origins are resampled."""

    seed: int = 20_110_709
    """Of the resampling."""

    block_months: int = 12
    """Origins this near each other are drawn together."""

    top: int = 20
    """Places of the last forecast that are held against what came."""

    def __post_init__(self) -> None:
        for name in ("origins", "draws", "block_months", "top"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise BadInput(f"{name} must be a whole number of 1 or more, got {value}.")
        if not 0 < self.level < 1:
            raise BadInput(f"level must lie between 0 and 1, got {self.level:g}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise BadInput(f"seed must be 0 or more, got {self.seed}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What the forecast's own past says of it."""

    scores: pd.DataFrame
    """One row per measure: `measure`, `better`, one column `score_<model>` each."""

    differences: pd.DataFrame
    """One row per measure and baseline: difference, interval, and what it means."""

    reliability: pd.DataFrame
    """One row per class of chances: how often an incident came."""

    last: pd.DataFrame
    """The top places of the last forecast whose months are over, and what came."""

    notes: tuple[str, ...]


def scorecard(
    events: pd.DataFrame,
    cells: pd.DataFrame,
    as_of_on: pd.Timestamp,
    standard: ForecastStandard | None = None,
    score: ScorecardStandard | None = None,
) -> Scorecard:
    """Make the forecast again at every past origin, and score it against what came.

    Parameters
    ----------
    events, cells, as_of_on, standard
        As of pocgeo.analyses.forecast.forecast.
    score : ScorecardStandard, optional

    Returns
    -------
    Scorecard

    Raises
    ------
    BadInput
        The record is too short to score anything.
    """
    standard, score = standard or ForecastStandard(), score or ScorecardStandard()
    rates, _ = rates_of(events, cells, as_of_on, standard)
    tested = backtest(rates, rates.record.count - standard.lag_months, score.origins)
    scores = _scores(tested, rates)
    last = last_time(tested, rates, score.top)
    return Scorecard(
        scores=scores, differences=_differences(tested, rates, score),
        reliability=_reliability(tested), last=last,
        notes=(_headline(tested, rates, scores), _quiet_note(tested),
               last_time_note(tested, rates, last)),
    )  # fmt: skip


def _stack(trials: tuple[Trial, ...], name: str) -> Floats:
    return np.array([getattr(each, name) for each in trials], dtype=float)


def _scores(tested: Backtest, rates: Rates) -> pd.DataFrame:
    """Every measure of every model, all origins together: each incident counts alike."""
    whole, quiet, size = tested.incidents.sum(), tested.quiet.sum(), rates.place.size
    columns: dict[str, list[float]] = {}
    for name, trials in tested.trials.items():
        land = _stack(trials, "by_land").sum(axis=0) / whole
        ideal = tested.ideal.sum(axis=0) / whole
        in_cells = _stack(trials, "by_cells").sum(axis=0) / whole
        new = _stack(trials, "quiet").sum(axis=0) / quiet if quiet > 0 else np.full(3, np.nan)
        columns[f"score_{name}"] = [
            *land, *in_cells, *(land / np.array(LAND)), *(land / ideal), *new[1:],
            _stack(trials, "log_score").sum() / whole, _stack(trials, "crps").sum() / whole,
            1_000 * _stack(trials, "brier").sum() / (len(trials) * size),
            _stack(trials, "expected").sum() / whole,
        ]  # fmt: skip
    percents = [f"{share:.0%}" for share in LAND]
    measures = [
        *(f"Share in top {each} of land" for each in percents),
        *(f"Share in top {each} cells" for each in CELLS),
        *(f"PAI, top {each} of land" for each in percents),
        *(f"PEI*, top {each} of land" for each in percents),
        *(f"Quiet places, top {each}" for each in percents[1:]),
        "Log score per incident", "CRPS per incident", "Brier of disks x 1,000",
        "Expected per one that came",
    ]  # fmt: skip
    better = ["higher"] * (len(measures) - 4) + ["lower"] * 3 + ["near 1"]
    return pd.DataFrame({"measure": measures, "better": better, **columns})


PAIRED = (
    ("Share in top 5% of land", "by_land", 1, 1),
    ("Share in top 25 cells", "by_cells", 1, 1),
    ("Log score per incident", "log_score", None, -1),
    ("CRPS per incident", "crps", None, -1),
)
"""Measure, its field of a trial, which of several, and whether more (1) or less (-1) is better."""


def _differences(tested: Backtest, rates: Rates, score: ScorecardStandard) -> pd.DataFrame:
    """Compare the forecast with each baseline, origin by origin."""
    count = len(tested.origins)
    block = min(max(1, round(score.block_months / rates.standard.months)), count)
    drawn = resampled(count, block, score.draws, score.seed)
    rows = []
    for measure, field, which, sign in PAIRED:
        ours = _one(tested.trials["forecast"], field, which)
        for name in MODELS[1:]:
            if name not in tested.trials:
                continue
            gap = ours - _one(tested.trials[name], field, which)
            mean, low, high = ratio_interval(gap, tested.incidents, drawn, score.level)
            if count < FEWEST_FOR_INTERVAL:
                low, high = np.nan, np.nan
            rows.append((measure, MODEL_WORDS[name], mean, low, high, _verdict(low, high, sign)))
    columns = [
        "measure",
        "against",
        "difference",
        "difference_low",
        "difference_high",
        "conclusion",
    ]
    return pd.DataFrame(rows, columns=columns)


def _one(trials: tuple[Trial, ...], field: str, which: int | None) -> Floats:
    values = _stack(trials, field)
    return values if which is None else values[:, which]


def _verdict(low: float, high: float, sign: int) -> str:
    """Say what an interval of a difference means for the forecast."""
    if np.isnan(low):
        return "too few to tell"
    if low <= 0 <= high:
        return "no clear difference"
    return "forecast better" if (low > 0) == (sign > 0) else "forecast worse"


def _reliability(tested: Backtest) -> pd.DataFrame:
    """Set the chances given to disks against how often an incident came."""
    at = np.clip(np.digitize(tested.chances, BINS) - 1, 0, len(BINS) - 2)
    count = np.bincount(at, minlength=len(BINS) - 1)
    chance = np.bincount(at, tested.chances, minlength=len(BINS) - 1)
    came = np.bincount(at, tested.came, minlength=len(BINS) - 1)
    some = count > 0
    return pd.DataFrame(
        {
            "chance_from": np.array(BINS[:-1])[some],
            "chance_to": np.array(BINS[1:])[some],
            "places_n": count[some],
            "chance_mean": chance[some] / count[some],
            "came_share": came[some] / count[some],
        }
    )


def _headline(tested: Backtest, rates: Rates, scores: pd.DataFrame) -> str:
    """Say in one sentence how the forecast ranked, beside the simplest rule and the best one."""
    row = scores[scores["measure"] == "Share in top 5% of land"].iloc[0]
    first = rates.record.start + rates.standard.lag_months + tested.origins[0]
    until = rates.record.start + rates.standard.lag_months + tested.origins[-1]
    until += rates.standard.months - 1
    others = {
        MODEL_WORDS[name]: float(row[f"score_{name}"])
        for name in MODELS[1:]
        if f"score_{name}" in row
    }
    beside = ", ".join(f"{words} {share:.0%}" for words, share in others.items())
    return (
        f"Record of {len(tested.origins)} past forecasts, {month_on(first):%b %Y} to "
        f"{month_on(until):%b %Y}, {tested.incidents.sum():,.0f} incidents: the 5% of land ranked "
        f"highest held {row['score_forecast']:.0%} of them (by {beside})."
    )


def _quiet_note(tested: Backtest) -> str:
    """Say plainly what no ranking by the past can see."""
    whole, quiet = tested.incidents.sum(), tested.quiet.sum()
    if not quiet > 0:
        return "No incident came in a place that had been quiet for 12 months."
    held = _stack(tested.trials["forecast"], "quiet")[:, 1].sum() / quiet
    return (
        f"{quiet / whole:.0%} of them came where nothing had been recorded for 12 months, in the "
        f"cell or next to it; the top 5% of land held only {held:.0%} of those. A low chance is "
        "no promise of quiet."
    )
