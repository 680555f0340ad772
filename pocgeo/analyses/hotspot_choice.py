"""Which radius and which expectation: every choice of hotspot test, tried on the record itself."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import Pairs, cell_positions, disk_matrix, known_cells
from pocgeo.analyses.hotspots import Baseline, HotspotTest, exposure, judged
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["Backtest", "choose_test"]

Floats = NDArray[np.float64]

AREA_SHARES = (0.01, 0.05, 0.10)
JUDGED_BY = "recall_5"
FEWEST_AHEAD = 3.0
"""Quarters with fewer incidents ahead tell nothing."""

TIED_SE = 2.0
"""A choice is tied with the best within this many standard errors of the paired difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """How the record is replayed."""

    window_months: int = 12
    """Months before each origin whose incidents are tested."""

    ahead_months: int = 3
    """Months after it whose incidents are looked for."""

    step_months: int = 3
    """Months from one origin to the next."""

    earlier_months: int = 60
    """Most months before the window that serve as its baseline."""

    disks: tuple[int, ...] = (0, 1, 2, 3)
    expectations: tuple[str, ...] = ("populated", "uniform", "population", "baseline")

    def __post_init__(self) -> None:
        for name in ("window_months", "ahead_months", "step_months", "earlier_months"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1.")


def choose_test(
    events: pd.DataFrame,
    cells: pd.DataFrame,
    period: tuple[pd.Timestamp, pd.Timestamp],
    test: HotspotTest | None = None,
    *,
    backtest: Backtest | None = None,
    pairs: Pairs | None = None,
) -> pd.DataFrame:
    """Try every radius and expectation on the record: what the flags said of the next quarter.

    Parameters
    ----------
    events : DataFrame with `cell`, `weight`, `occurred_on`, `placed`
        All are tested; only those at a known point are looked for.
    cells : DataFrame, as for `hotspots`
    period : first and last day of the record
    test : its level and minimum are kept; its `disk` and `expectation` are compared with the rest

    Returns
    -------
    DataFrame, one row per expectation and radius, the best first
        `expectation`, `disk`; `origins_n`; `hotspots_n` (mean flagged cells), `area_share`
        flagged, `recall_share` of the next quarter's incidents in flagged cells, `pai` = recall
        over area; `recall_1`, `recall_5`, `recall_10`: recall in the 1, 5, 10 % of area most
        above expectation (ties shared); `tied` with the best; `chosen`.

    Notes
    -----
    Rolling origin. Chainey, Tompson and Uhlig (2008), Security J. 21, 4-28, for the PAI.
    """
    require_columns(events, "incident_cells", ["cell", "weight", "occurred_on", "placed"])
    test, plan = test or HotspotTest(), backtest or Backtest()
    record = _Record(events, cells)
    origins = _origins(period, plan)
    rows = []
    for disk, expectation in product(plan.disks, plan.expectations):
        disks = disk_matrix(record.cells, (1.0,) * (disk + 1), pairs)
        tried = replace(test, disk=disk, expectation=expectation)
        for origin in origins:
            said = _tried(record, cells, tried, disks, (origin, period[0]), plan)
            if said is not None:
                rows.append({"expectation": expectation, "disk": disk, "on": origin, **said})
    if not rows:
        raise BadInput(
            f"No quarter of the record has {plan.window_months} months before it and "
            f"{FEWEST_AHEAD:g} incidents after it. A longer record is needed to choose a test."
        )
    table = _summary(pd.DataFrame(rows), test)
    return with_standard(table, "hotspot_choice", test=test, backtest=plan)


class _Record:
    """Incidents as arrays: cell, day, weight, and whether the point is known."""

    def __init__(self, events: pd.DataFrame, cells: pd.DataFrame) -> None:
        self.cells = known_cells(cells)
        at = cell_positions(events["cell"], self.cells)
        weight = events["weight"].to_numpy(dtype=float, na_value=np.nan)
        use = (at >= 0) & ~np.isnan(weight)
        self.at, self.weight = at[use], weight[use]
        self.on = pd.to_datetime(events["occurred_on"]).to_numpy()[use]
        self.exact = events["placed"].eq("point").to_numpy(dtype=bool)[use]
        self.area = cells["area_km2"].to_numpy(dtype=float)
        self.events = events[use]

    def between(self, since: pd.Timestamp, until: pd.Timestamp) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (self.on >= np.datetime64(since)) & (
            self.on < np.datetime64(until)
        )
        return inside

    def counts(self, use: NDArray[np.bool_]) -> Floats:
        found: Floats = np.bincount(
            self.at[use], weights=self.weight[use], minlength=self.cells.size
        ).astype(float)
        return found


def _origins(period: tuple[pd.Timestamp, pd.Timestamp], plan: Backtest) -> list[pd.Timestamp]:
    after = period[1] + pd.Timedelta(days=1)
    found = []
    back = plan.ahead_months
    while after - pd.DateOffset(months=back + plan.window_months) >= period[0]:
        found.append(after - pd.DateOffset(months=back))
        back += plan.step_months
    return found[::-1]


def _tried(
    record: _Record,
    cells: pd.DataFrame,
    test: HotspotTest,
    disks: sparse.csr_array,
    when: tuple[pd.Timestamp, pd.Timestamp],
    plan: Backtest,
) -> dict[str, float] | None:
    """Test the months before an origin; score them on those after; None: nothing to score."""
    origin, begins = when
    since = origin - pd.DateOffset(months=plan.window_months)
    ahead = record.between(origin, origin + pd.DateOffset(months=plan.ahead_months))
    future = record.counts(ahead & record.exact)
    if future.sum() < FEWEST_AHEAD:
        return None
    baseline = None
    if test.expectation == "baseline":
        earliest = max(since - pd.DateOffset(months=plan.earlier_months), begins)
        if (since - earliest).days < (origin - since).days:
            return None
        baseline = Baseline(
            incidents=record.events[record.between(earliest, since)],
            earlier_days=(since - earliest).days,
            recent_days=(origin - since).days,
        )
    window = record.between(since, origin)
    counts = record.counts(window)
    share = exposure(cells, record.counts(window & record.exact), test)
    table = judged(counts, cells, share, test, disks, baseline=baseline)
    flagged = table["hotspot"].to_numpy()
    recalls = _recalls(table, future, record.area)
    return {
        "ahead": float(future.sum()),
        "hits": float(future[flagged].sum()),
        "hotspots_n": float(flagged.sum()),
        "area_share": float(record.area[flagged].sum() / record.area.sum()),
        **{f"recall_{share:.0%}".rstrip("%"): got for share, got in recalls.items()},
    }


def _recalls(table: pd.DataFrame, future: Floats, area: Floats) -> dict[float, float]:
    """Recall in the shares of area most above expectation; cells that tie share alike."""
    keys = [
        -table["incidents"].to_numpy(), -np.round(table["disk_incidents"].to_numpy(), 9),
        table["p"].fillna(1.0).to_numpy(),
    ]  # fmt: skip
    order = np.lexsort(keys)
    ranked = np.column_stack(keys)[order]
    new = np.append(True, (np.diff(ranked, axis=0) != 0).any(axis=1))
    group = np.cumsum(new) - 1
    covered = np.cumsum(np.bincount(group, weights=area[order])) / area.sum()
    hit = np.cumsum(np.bincount(group, weights=future[order])) / future.sum()
    covered, hit = np.append(0.0, covered), np.append(0.0, hit)
    return {share: float(np.interp(share, covered, hit)) for share in AREA_SHARES}


def _summary(rows: pd.DataFrame, test: HotspotTest) -> pd.DataFrame:
    """Average over origins, find the best, and keep the stated test where it ties with it."""
    names = ["recall_1", "recall_5", "recall_10"]
    by = rows.groupby(["expectation", "disk"], sort=False)
    table = by[["hotspots_n", "area_share", *names]].mean()
    sums = by[["hits", "ahead"]].sum()
    table.insert(0, "origins_n", by.size())
    table.insert(3, "recall_share", sums["hits"] / sums["ahead"])
    table.insert(
        4, "pai", table["recall_share"] / table["area_share"].where(table["area_share"] > 0)
    )
    series = rows.pivot_table(index="on", columns=["expectation", "disk"], values=JUDGED_BY)
    longest = table["origins_n"] == table["origins_n"].max()  # a short series may be lucky
    best = table.loc[longest, JUDGED_BY].idxmax()
    apart = series.sub(series[best], axis=0)
    error: pd.Series = apart.std() / np.sqrt(apart.count().clip(lower=1))
    tied = apart.mean() + TIED_SE * error.fillna(0.0) >= -1e-12
    table["tied"] = [bool(tied.get(key, False)) for key in table.index]
    stated = (test.expectation, test.disk)
    chosen = stated if stated in table.index and table.loc[stated, "tied"] else best
    table["chosen"] = [key == chosen for key in table.index]
    table = table.sort_values([JUDGED_BY], ascending=False, kind="stable").reset_index()
    kept = "is tied with the best and is kept" if chosen == stated else "is behind the best"
    notes = [
        "Chosen by the share of the next quarter's incidents in the 5 % of area most above "
        f"expectation. The test in use ({stated[0]}, {stated[1]} rings) {kept}.",
        "A wider disk and a later origin see the same incidents again: small differences are none.",
    ]
    if chosen != stated:
        notes.append(
            f'To take the best: [standards.hotspots] expectation = "{best[0]}", disk = {best[1]}.'
        )
    table.attrs["notes"] = notes
    return table
