"""Where more happened than chance explains: incidents in each cell's disk against a stated null."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import (
    Pairs,
    at_the_rim,
    cell_positions,
    disk_matrix,
    gi_star,
    known_cells,
    local_moran,
)
from pocgeo.analyses.harm import HarmTail
from pocgeo.analyses.hotspot_test import EXPECTATIONS, Baseline, HotspotTest, exposure
from pocgeo.analyses.location_precision import IMPRECISE, imprecise_columns
from pocgeo.analyses.permutation import permutation_p
from pocgeo.analyses.statistics import (
    SLACK,
    empirical_bayes_rate,
    excess_p,
    false_discovery_q,
    rate_rise_p,
)
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = [
    "EXPECTATIONS", "Baseline", "HotspotTest", "exposure", "hotspots", "judged",
    "split",
]  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What happened in each cell."""

    counts: Floats
    """Incidents."""

    imprecise: Floats
    """Of these, known only to an area."""

    spread: Floats
    """Of these, dealt out over the area's cells."""

    severity: Floats
    """Severity of all; zeros where the incidents carry none."""

    notes: list[str]
    """What was left out."""


def hotspots(
    events: pd.DataFrame | pd.Series,
    cells: pd.DataFrame,
    test: HotspotTest | None = None,
    *,
    baseline: Baseline | None = None,
    pairs: Pairs | None = None,
) -> pd.DataFrame:
    """Say, for every cell, whether its disk holds more incidents than the expectation explains.

    Parameters
    ----------
    events : DataFrame, or Series indexed by cell
        `cell`, `weight` (shares of an incident; NA is set aside); optional `placed` ("spread",
        "naive": known only to an area); `severity` for that measure. A Series: per cell.
    cells : DataFrame, n rows
        `cell`; `area_km2`; optional `inside_share` (0-1), `people_persons`, `edge`.
    baseline : Baseline, for the expectation "baseline"
    pairs : optional, neighbours within at least `test.disk` rings

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`; `incidents` in the cell; `disk_incidents`, `expected`, `disk_cells` of the
        disk; `p`, `q` (NA: not tested); `hotspot`; by severity also `disk_severity`,
        `expected_severity`. Descriptive, never the flag: `gi_z`, `local_moran` (NA: no
        variance), `permutation_p`, `rate_per_10k`. `imprecise_share` of the disk's incidents
        (NA: none), `mostly_imprecise`; `edge`: the disk is cut by the rim of the AOI.
        `attrs["notes"]` says what was left out.

    Notes
    -----
    Only cells that the null can reach are tested, so padding the AOI with empty, unpopulated
    cells changes no flag: docs/methods/hotspots.md.
    """
    test = test or HotspotTest()
    known = known_cells(cells)
    seen = _by_cell(events, known, test)
    disks = disk_matrix(known, (1.0,) * (test.disk + 1), pairs)
    share = exposure(cells, seen.counts - seen.spread, test)
    table = judged(seen.counts, cells, share, test, disks, baseline=baseline)
    if test.measure == "severity":
        table = _by_severity(table, seen, _frame(events), test, disks)
    table.insert(0, "cell", known)
    reached = (share > 0) | (seen.counts > SLACK)
    table = table.join(_described(seen, cells, reached, test, disks))
    table["edge"] = at_the_rim(cells, disks, test.disk)
    opinion = _second_opinion(table, test)
    table.attrs["notes"] = [*seen.notes, *_notes_on_people(cells, test), *opinion]
    return with_standard(table, "hotspots", test=test)


def split(events: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """Part incidents by a category, the missing ones as "unknown"; no row is lost."""
    require_columns(events, "incidents", [by])
    label = events[by].astype(object).where(events[by].notna(), "unknown").astype(str)
    return {str(name): part for name, part in events.groupby(label, sort=True)}


def judged(
    counts: Floats,
    cells: pd.DataFrame,
    share: Floats,
    test: HotspotTest,
    disks: sparse.csr_array,
    *,
    baseline: Baseline | None = None,
) -> pd.DataFrame:
    """Compare every disk with its expectation, and flag: the test alone, nothing described.

    Parameters
    ----------
    counts, share : arrays, n cells
        Incidents, and `exposure`.
    disks : sparse array of zeros and ones, n x n

    Returns
    -------
    DataFrame, n rows
        `incidents`, `disk_incidents`, `expected`, `disk_cells`, `p`, `q`, `hotspot`.
    """
    observed = disks @ counts
    if test.expectation == "baseline":
        expected, p = _against_baseline(
            _needed(baseline), known_cells(cells), disks, observed, share, test
        )
    else:
        expected, p = _against_exposure(disks, counts, observed, share)
    q = false_discovery_q(p)
    return pd.DataFrame(
        {
            "incidents": counts,
            "disk_incidents": observed,
            "expected": expected,
            "disk_cells": np.diff(disks.indptr).astype(np.int64),
            "p": p,
            "q": q,
            "hotspot": (q <= test.fdr) & (observed >= test.min_incidents - SLACK),
        }
    )


def _by_severity(
    table: pd.DataFrame, seen: Seen, events: pd.DataFrame, test: HotspotTest,
    disks: sparse.csr_array,
) -> pd.DataFrame:  # fmt: skip
    """Judge the severity of each disk instead of its number of incidents."""
    used = events[events["weight"].notna() & (events["weight"] > 0)]
    summed: NDArray[np.float64] = np.asarray(disks @ seen.severity, dtype=float)
    tail = HarmTail(used["severity"], used["weight"], float(summed.max(initial=0.0)))
    tested = table["p"].notna().to_numpy()
    p = np.where(tested, tail.p(summed, np.where(tested, table["expected"], 0.0)), np.nan)
    q = false_discovery_q(p)
    enough = table["disk_incidents"].to_numpy() >= test.min_incidents - SLACK
    table = table.assign(p=p, q=q, hotspot=(q <= test.fdr) & enough)
    table.insert(3, "disk_severity", pd.Series(summed))
    table.insert(4, "expected_severity", table["expected"] * tail.mean)
    return table


def _described(
    seen: Seen, cells: pd.DataFrame, reached: NDArray[np.bool_], test: HotspotTest,
    disks: sparse.csr_array,
) -> pd.DataFrame:  # fmt: skip
    """Add what describes a cell and never flags it."""
    measured = seen.severity if test.measure == "severity" else seen.counts
    observed = disks @ seen.counts
    shown = pd.DataFrame(
        {
            "gi_z": gi_star(measured, disks),
            "local_moran": local_moran(measured, disks),
            "permutation_p": permutation_p(seen.counts, disks, reached),
        }
    )
    if "people_persons" in cells.columns:
        people = cells["people_persons"].to_numpy(dtype=float, na_value=np.nan)
        unknown = disks @ np.isnan(people).astype(float) > 0
        around = np.where(unknown, np.nan, disks @ np.nan_to_num(people))
        shown["rate_per_10k"] = 10_000 * empirical_bayes_rate(observed, around)
    return pd.concat([shown, imprecise_columns(disks @ seen.imprecise, observed)], axis=1)


def _second_opinion(table: pd.DataFrame, test: HotspotTest) -> list[str]:
    """Say what the exact permutation test makes of the same map."""
    clustered = false_discovery_q(table["permutation_p"]) <= test.fdr
    flagged = table["hotspot"].to_numpy()
    if not flagged.any():
        return []
    return [
        f"Second opinion: {int((flagged & clustered).sum())} of {int(flagged.sum())} hotspots are "
        "also clusters by exact permutation of the cells' counts (a stricter question: one cell of "
        "many incidents is no cluster)."
    ]


def _frame(events: pd.DataFrame | pd.Series) -> pd.DataFrame:
    if isinstance(events, pd.Series):
        return pd.DataFrame({"cell": events.index, "weight": events.to_numpy(dtype=float)})
    return events


def _by_cell(events: pd.DataFrame | pd.Series, cells: NDArray[np.int64], test: HotspotTest) -> Seen:
    """Add up weights per cell: all, the imprecise, by severity, and say what was left out."""
    events = _frame(events)
    needed = ["cell", "weight"] + (["severity"] if test.measure == "severity" else [])
    require_columns(events, "incident_cells", needed)
    weight = events["weight"].to_numpy(dtype=float, na_value=np.nan)
    if (weight < 0).any():
        raise BadInput("incident_cells: a weight is below 0. Weights are shares of an incident.")
    aside = np.isnan(weight)
    at = cell_positions(events["cell"], cells)
    use = ~aside & (at >= 0)
    placed = events.get("placed", pd.Series("point", events.index)).astype(object)
    imprecise = use & placed.isin(IMPRECISE).to_numpy()
    spread = use & placed.eq("spread").to_numpy()
    notes = []
    if aside.any():
        notes.append(f"{int(aside.sum())} incidents too coarse for a cell were set aside.")
    outside = float(weight[~aside & (at < 0)].sum())
    if outside > SLACK:
        notes.append(f"{outside:g} incidents lie outside the cells and were not counted.")
    severity: Floats = np.zeros(cells.size)
    if test.measure == "severity":
        severity = _sums(at[use], (weight * events["severity"].to_numpy(float))[use], cells.size)
    return Seen(
        counts=_sums(at[use], weight[use], cells.size),
        imprecise=_sums(at[imprecise], weight[imprecise], cells.size),
        spread=_sums(at[spread], weight[spread], cells.size),
        severity=severity,
        notes=notes,
    )


def _sums(at: NDArray[np.intp], weight: Floats, size: int) -> Floats:
    """Add up weights per position; the order of the rows does not reach the last digit."""
    order = np.lexsort((weight, at))
    sums: Floats = np.bincount(at[order], weights=weight[order], minlength=size).astype(float)
    return sums


def _against_exposure(
    disks: sparse.csr_array, counts: Floats, observed: Floats, share: Floats
) -> tuple[Floats, Floats]:
    """Expect the total in proportion to exposure; disks with unknown exposure are not tested."""
    unknown = np.isnan(share)
    held = np.where(unknown, 0.0, share)
    whole = held.sum()
    total = counts[~unknown].sum()
    expected = disks @ held * (total / whole) if whole > 0 else np.zeros(held.size)
    blind = disks @ unknown.astype(float) > 0
    p = np.where((held > 0) & ~blind, excess_p(observed, expected), np.nan)
    return np.where(blind, np.nan, expected), p


def _against_baseline(
    baseline: Baseline,
    cells: NDArray[np.int64],
    disks: sparse.csr_array,
    observed: Floats,
    share: Floats,
    test: HotspotTest,
) -> tuple[Floats, Floats]:
    """Expect every disk's own earlier rate.

    Disks with too few incidents in both periods together cannot be flagged and are not
    tested: their total says nothing about its split (Bourgon et al. 2010, PNAS 107, 9546).
    """
    before = _by_cell(baseline.incidents, cells, test).counts
    earlier = disks @ before
    p = rate_rise_p(observed, earlier, baseline.recent_share)
    enough = observed + earlier >= test.min_incidents - SLACK
    reached = (share > 0) | (before > 0)
    expected = earlier * (baseline.recent_days / baseline.earlier_days)
    return expected, np.where(enough & reached, p, np.nan)


def _needed(baseline: Baseline | None) -> Baseline:
    if baseline is None:
        raise BadInput(
            "The expectation 'baseline' needs an earlier period. Give one, or ask for 'populated'."
        )
    return baseline


def _notes_on_people(cells: pd.DataFrame, test: HotspotTest) -> list[str]:
    if test.expectation not in ("populated", "population"):
        return []
    if "people_persons" not in cells.columns:
        return ["No population layer: every cell counts as populated."]
    unknown = int(cells["people_persons"].isna().sum())
    if not unknown:
        return []
    treated = "count as populated" if test.expectation == "populated" else "are not tested around"
    return [f"{unknown} cells with unknown population {treated}."]
