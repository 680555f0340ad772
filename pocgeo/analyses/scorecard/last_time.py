"""What the last forecast whose months are over said, and what came."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.forecast.months import month_on
from pocgeo.analyses.forecast.rates import Rates
from pocgeo.analyses.scorecard.backtest import Backtest

__all__ = ["last_time", "last_time_note"]

Floats = NDArray[np.float64]

NAMED = ("settlement", "admin2", "admin1", "aor", "lon", "lat")
HALF = 0.5
"""Weight from which a place counts as hit, where the incident's place is imprecise."""

MISSED = 10
"""Most places that are listed because they were not foreseen."""


def last_time(tested: Backtest, rates: Rates, top: int) -> pd.DataFrame:
    """Set the top places of the last forecast against what came, and the places it missed.

    Returns
    -------
    DataFrame, `top` rows by rank, then up to 10 places where most came that were not among them
        `rank` (of all cells), `cell`, names, `expected`, `disk_probability`, `came` incidents in
        the cell, `disk_came` in the cell and its first ring, `outcome` in words.
    """
    place, seen = rates.place, tested.last
    came = rates.outcome(seen.origin)
    around = place.disks @ came
    order = np.argsort(-seen.expected, kind="stable")
    rank = np.empty(place.size, dtype=np.int64)
    rank[order] = np.arange(1, place.size + 1)
    missed = np.flatnonzero((rank > top) & (came >= HALF))
    missed = missed[np.lexsort((rank[missed], -came[missed]))][:MISSED]
    shown = np.concatenate([order[:top], missed])
    table = pd.DataFrame({"rank": rank[shown], "cell": place.cells["cell"].to_numpy()[shown]})
    for name in NAMED:
        if name in place.cells.columns:
            table[name] = place.cells[name].to_numpy()[shown]
    table["expected"] = seen.expected[shown]
    chance = tested.last_disk.any_chance(place.disks @ seen.expected)
    table["disk_probability"] = chance[shown]
    table["came"], table["disk_came"] = came[shown], around[shown]
    table["outcome"] = np.select(
        [rank[shown] > top, came[shown] >= HALF, around[shown] >= HALF],
        ["not among the top places", "came here", "came next to it"],
        "none came",
    )
    return table


def last_time_note(tested: Backtest, rates: Rates, table: pd.DataFrame) -> str:
    """Say in one sentence how last time went."""
    first = rates.record.start + tested.last.origin + rates.standard.lag_months
    until = first + rates.standard.months - 1
    top = table[table["outcome"] != "not among the top places"]
    came = rates.outcome(tested.last.origin).sum()
    due = float(tested.last.expected.sum())
    likely = float(top["disk_probability"].sum())
    hit = int((top["disk_came"] >= HALF).sum())
    return (
        f"Last time, {month_on(first):%b %Y} to {month_on(until):%b %Y}: {due:,.0f} incidents "
        f"expected, {came:,.0f} came. Of the {len(top)} places ranked highest, {likely:.0f} were "
        f"expected to see one in or next to them, and {hit} did."
    )
