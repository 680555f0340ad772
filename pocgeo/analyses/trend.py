"""Whether violence in a place rises or falls: the last months against the months before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.record import known_by
from pocgeo.analyses.statistics import SLACK, rate_fall_p, rate_rise_p
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["TRENDS", "TrendTest", "trend"]

Floats = NDArray[np.float64]

TRENDS = ("rising", "falling", "steady", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendTest:
    """Which months are compared with which, and how sure a trend must be."""

    recent_months: int = 3
    """Calendar months up to the day of asking."""

    before_months: int = 12
    """Calendar months before those."""

    level: float = 0.05
    """Greatest two-sided chance at which a change still counts as a trend."""

    lag_days: int = 0
    """Days before the day of asking at which the recent months end, where reports come late."""

    def __post_init__(self) -> None:
        if self.recent_months < 1 or self.before_months < 1:
            raise BadInput("recent_months and before_months must be at least 1.")
        if not 0 < self.level < 1:
            raise BadInput(f"level must lie between 0 and 1, got {self.level:g}.")
        if self.lag_days < 0:
            raise BadInput(f"lag_days must be 0 or more, got {self.lag_days}.")


def trend(
    incidents: pd.DataFrame, by: str, as_of_on: pd.Timestamp, test: TrendTest | None = None
) -> pd.DataFrame:
    """Compare each place's rate of incidents with its own of the months before.

    Parameters
    ----------
    incidents : DataFrame
        `occurred_on`, the column `by` (cell, area ...; rows without it are left out);
        optional `reported_on`, and `weight` (1 each where absent; NA is set aside).
    by : str
        What a place is.
    as_of_on : Timestamp
        Only what had occurred and been reported by then counts.

    Returns
    -------
    DataFrame, one row per place with any row in `incidents`, sorted by `by`
        `by`; `incidents_n` in the recent months, `incidents_before_n`; `expected` in the
        recent months at the earlier rate; `trend_p` (two-sided, NA where nothing happened);
        `trend`: "rising", "falling", "steady" (the counts could have shown a change and do
        not), or "none" (too few incidents for any trend to be told from chance).

    Notes
    -----
    Exact conditional test of two Poisson rates, tails doubled: see docs/methods/hotspots.md.
    """
    test = test or TrendTest()
    require_columns(incidents, "incidents", [by, "occurred_on"])
    places = pd.Index(np.sort(incidents[by].dropna().unique()), name=by)
    record = known_by(incidents, as_of_on)
    record = record[record[by].notna()]
    end = as_of_on - pd.Timedelta(days=test.lag_days)
    middle = end - pd.DateOffset(months=test.recent_months)
    start = middle - pd.DateOffset(months=test.before_months)
    day = record["occurred_on"]
    recent = _count(record[(day > middle) & (day <= end)], by, places)
    before = _count(record[(day > start) & (day <= middle)], by, places)
    share = (end - middle).days / (end - start).days
    table = _told(recent, before, share, test.level)
    table.insert(0, by, places)
    return with_standard(table, "trend", test=test, as_of_on=as_of_on)


def _told(recent: Floats, before: Floats, share: float, level: float) -> pd.DataFrame:
    """Put two counts, and the recent part's share of the time, into words."""
    total = recent + before
    nothing = np.zeros(total.size)
    rise, fall = rate_rise_p(recent, before, share), rate_fall_p(recent, before, share)
    p = np.minimum(2 * np.minimum(rise, fall), 1.0)
    # The sharpest change these totals could show, all recent or all before.
    sharpest = np.minimum(rate_rise_p(total, nothing, share), rate_fall_p(nothing, total, share))
    words = np.select(
        [2 * sharpest > level, (p <= level) & (rise < fall), p <= level],
        ["none", "rising", "falling"],
        "steady",
    )
    return pd.DataFrame(
        {
            "incidents_n": recent,
            "incidents_before_n": before,
            "expected": before * share / (1 - share),
            "trend_p": np.where(total > SLACK, p, np.nan),
            "trend": words.astype(object),
        }
    )


def _count(record: pd.DataFrame, by: str, places: pd.Index) -> Floats:
    weight = record["weight"] if "weight" in record.columns else pd.Series(1.0, record.index)
    ordered = pd.DataFrame({"place": record[by], "weight": weight.astype(float)})
    ordered = ordered.sort_values(["place", "weight"])
    sums = ordered.groupby("place")["weight"].sum().reindex(places)
    return sums.fillna(0.0).to_numpy(dtype=np.float64)
