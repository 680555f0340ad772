"""How often a hotspot test cries wolf: maps drawn from its own expectation, and what it flags."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import Pairs, cell_positions, disk_matrix, known_cells
from pocgeo.analyses.harm import HarmTail
from pocgeo.analyses.hotspot_test import Baseline, HotspotTest, exposure
from pocgeo.analyses.statistics import SLACK, excess_p, rate_rise_p
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["NullCheck", "null_check"]

Floats = NDArray[np.float64]

BATCH_DRAWS = 500_000
"""Incidents drawn at a time: about 0.2 GB with disks of one ring."""

ONE_SIDED_95 = 1.6448536269514722
"""Standard normal quantile at 0.95."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullCheck:
    """What the test flags when nothing but its expectation is at work."""

    share_any_flag: float
    """Share of the drawn maps with any flagged cell, 0-1; NaN: nothing could be drawn."""

    declared: float
    """The false-discovery level of the test."""

    upper_bound: float
    """Declared level plus its binomial error (one-sided 95 %) for this many maps."""

    maps: int
    """Maps drawn."""

    incidents: int
    """Incidents in each map (the expected number for a baseline)."""

    text: str
    """One sentence to print beside the hotspots."""

    @property
    def holds(self) -> bool:
        """Whether the share is within the bound."""
        return not self.share_any_flag > self.upper_bound


def null_check(
    cells: pd.DataFrame,
    total: float | pd.DataFrame,
    test: HotspotTest | None = None,
    *,
    seeds: int = 200,
    seed: int = 20_260_701,
    baseline: Baseline | None = None,
    pairs: Pairs | None = None,
) -> NullCheck:
    """Draw maps from the expectation and count those with any hotspot.

    Parameters
    ----------
    cells : DataFrame, as for `hotspots`
    total : float, or DataFrame of `weight` and, by severity, `severity`
        Incidents of the map under test; whole incidents are drawn, by severity each with that of
        one of them. Not used for "baseline", where every cell's two periods are drawn from its
        earlier rate.
    seeds : int
        Maps to draw.
    seed : int
        Where the drawing starts: the same seed draws the same maps.

    Returns
    -------
    NullCheck
    """
    test = test or HotspotTest()
    if seeds < 1:
        raise BadInput(f"seeds must be at least 1, got {seeds}.")
    known = known_cells(cells)
    disks = disk_matrix(known, (1.0,) * (test.disk + 1), pairs)
    rng = np.random.default_rng(seed)
    if test.expectation == "baseline":
        if baseline is None:
            raise BadInput("The null check of 'baseline' needs the earlier period. Give one.")
        flagged, incidents = _baseline_flags(baseline, known, disks, test, seeds, rng)
    else:
        share = exposure(cells, np.zeros(known.size), test)
        grave = _severities(total) if test.measure == "severity" else None
        summed = total["weight"].sum() if isinstance(total, pd.DataFrame) else total
        incidents = round(float(summed))
        draws = Draws(maps=seeds, incidents=incidents, severities=grave)
        flagged = _exposure_flags(share, disks, draws, test, rng)
    return _said(flagged, seeds, incidents, test)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What is drawn."""

    maps: int
    """How many maps."""

    incidents: int
    """Incidents in each."""

    severities: tuple[Floats, Floats] | None
    """Severities to draw from and their weights; None: incidents only count."""


def _severities(events: float | pd.DataFrame) -> tuple[Floats, Floats]:
    if not isinstance(events, pd.DataFrame):
        raise BadInput("The null check by severity needs the incidents, not their number.")
    require_columns(events, "incidents", ["weight", "severity"])
    used = events[events["weight"] > 0]
    return used["severity"].to_numpy(dtype=float), used["weight"].to_numpy(dtype=float)


def _exposure_flags(
    share: Floats, disks: sparse.csr_array, draws: Draws, test: HotspotTest,
    rng: np.random.Generator,
) -> int:  # fmt: skip
    """Count drawn maps with a flag: all maps of a batch are one sparse product."""
    unknown = np.isnan(share)
    held = np.where(unknown, 0.0, share)
    total = draws.incidents
    if total == 0 or held.sum() == 0:
        return 0
    climb = np.cumsum(held) / held.sum()
    expected = disks @ held * (total / held.sum())
    tested = (held > 0) & ~(disks @ unknown.astype(float) > 0)
    flagged = 0
    step = max(1, BATCH_DRAWS // total)
    for start in range(0, draws.maps, step):
        maps = min(step, draws.maps - start)
        at = np.searchsorted(climb, rng.random(maps * total), side="right")
        drawn = np.repeat(np.arange(maps), total)
        shape = (share.size, maps)
        sums = (disks @ sparse.csr_array((np.ones(at.size), (at, drawn)), shape=shape)).tocoo()
        ours = tested[sums.row]
        row, column, seen = sums.row[ours], sums.col[ours], sums.data[ours]
        if draws.severities is None:
            p = excess_p(seen, expected[row])
        else:
            p = _harm_p(draws.severities, (at, drawn), disks, (row, column), expected, rng)
        flagged += _maps_with_flag(p, seen, column, np.full(maps, tested.sum()), test)
    return flagged


def _harm_p(
    severities: tuple[Floats, Floats],
    drawn: tuple[NDArray[np.integer], NDArray[np.integer]],
    disks: sparse.csr_array,
    tested: tuple[NDArray[np.integer], NDArray[np.integer]],
    expected: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Give every drawn incident a severity, and the tail of every disk's sum."""
    values, weights = severities
    grave = rng.choice(values, drawn[0].size, p=weights / weights.sum())
    shape = (expected.size, int(drawn[1].max()) + 1)
    # A severity of 0 must still hold its place in the sums.
    sums = (disks @ sparse.csr_array((grave + 1e-12, drawn), shape=shape)).tocsr()
    harm = np.asarray(sums[tested]).ravel()
    tail = HarmTail(values, weights, float(harm.max(initial=0.0)))
    return tail.p(harm, expected[tested[0]])


def _baseline_flags(
    baseline: Baseline,
    cells: NDArray[np.int64],
    disks: sparse.csr_array,
    test: HotspotTest,
    seeds: int,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Draw both periods from the earlier rate, cell by cell (Poisson)."""
    events = baseline.incidents.dropna(subset=["weight"])
    at = cell_positions(events["cell"], cells)
    weight = events["weight"].to_numpy(dtype=float)
    earlier_rate = np.bincount(at[at >= 0], weights=weight[at >= 0], minlength=cells.size)
    held = np.flatnonzero(earlier_rate)
    ratio = baseline.recent_days / baseline.earlier_days
    incidents = round(float(earlier_rate.sum() * ratio))
    reach = disks[:, held]
    reach = reach[np.diff(reach.indptr) > 0]
    flagged = 0
    for _ in range(seeds):
        recent = reach @ rng.poisson(earlier_rate[held] * ratio).astype(float)
        earlier = reach @ rng.poisson(earlier_rate[held]).astype(float)
        enough = recent + earlier >= test.min_incidents - SLACK
        p = rate_rise_p(recent[enough], earlier[enough], baseline.recent_share)
        one = np.zeros(p.size, dtype=np.intp)
        flagged += _maps_with_flag(p, recent[enough], one, np.array([p.size]), test)
    return flagged, incidents


def _maps_with_flag(
    p: Floats,
    seen: Floats,
    column: NDArray[np.integer],
    tests: NDArray[np.integer],
    test: HotspotTest,
) -> int:
    """Count maps with any flag by the step-up rule, all maps at once.

    Only p <= fdr can pass any step, and smaller p alone decide a rank.
    """
    low = p <= test.fdr
    p, seen, column = p[low], seen[low], np.asarray(column)[low]
    order = np.lexsort((p, column))
    p, seen, column = p[order], seen[order], column[order]
    first = np.searchsorted(column, column, side="left")
    rank = np.arange(p.size) - first + 1
    passes = p * tests[column] <= test.fdr * rank
    last = np.zeros(tests.size, dtype=np.int64)
    np.maximum.at(last, column[passes], rank[passes])
    flags = (rank <= last[column]) & (seen >= test.min_incidents - SLACK)
    return int(np.unique(column[flags]).size)


def _said(flagged: int, seeds: int, incidents: int, test: HotspotTest) -> NullCheck:
    """Put the count into a sentence."""
    bound = test.fdr + ONE_SIDED_95 * float(np.sqrt(test.fdr * (1 - test.fdr) / seeds))
    if not incidents:
        text = "Null check: no incidents, so nothing to draw and nothing to flag."
        share = float("nan")
    else:
        share = flagged / seeds
        verdict = "within" if share <= bound else "ABOVE"
        text = (
            f"Null check: of {seeds} maps of {incidents} incidents drawn from the expectation "
            f"'{test.expectation}', {flagged} ({share:.1%}) showed any hotspot; declared "
            f"{test.fdr:.0%}, {verdict} the {bound:.1%} that chance allows."
        )
    return NullCheck(
        share_any_flag=share,
        declared=test.fdr,
        upper_bound=bound,
        maps=seeds,
        incidents=incidents,
        text=text,
    )
