"""Where more happened than chance explains: incidents in each cell's disk against a stated null."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import (
    Pairs,
    cell_positions,
    disk_matrix,
    full_disk,
    gi_star,
    known_cells,
)
from pocgeo.analyses.statistics import SLACK, excess_p, false_discovery_q, rate_rise_p
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["EXPECTATIONS", "Baseline", "HotspotTest", "exposure", "hotspots", "split"]

Floats = NDArray[np.float64]

WIDEST_DISK = 20
"""House limit: a disk of 20 rings holds 1,261 cells; a hotspot is not a province."""

EXPECTATIONS = ("populated", "uniform", "population", "baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotTest:
    """What is expected, how wide a cell looks, and how sure a flag must be."""

    disk: int = 1
    """Rings of neighbours summed with the cell. Chosen by backtest, not by the Moran peak."""

    fdr: float = 0.05
    """Greatest share of flags that may be chance alone."""

    min_incidents: float = 3.0
    """Fewest incidents in the disk that may be flagged, however unlikely."""

    expectation: str = "populated"
    """populated (even over populated land), uniform (even over all land), population (by
    people), baseline (each disk's own earlier rate)."""

    populated_persons: float = 1.0
    """People from which a cell counts as populated."""

    def __post_init__(self) -> None:
        if self.expectation not in EXPECTATIONS:
            raise UnknownName("expectation of a hotspot test", self.expectation, EXPECTATIONS)
        if not 0 <= self.disk <= WIDEST_DISK or int(self.disk) != self.disk:
            raise BadInput(f"disk must be 0 to {WIDEST_DISK} whole rings, got {self.disk}.")
        if not 0 < self.fdr < 1:
            raise BadInput(f"fdr must lie between 0 and 1, got {self.fdr:g}.")
        if not self.min_incidents >= 1:
            raise BadInput(f"min_incidents must be at least 1, got {self.min_incidents:g}.")
        if not self.populated_persons >= 0:
            raise BadInput(f"populated_persons must be 0 or more, got {self.populated_persons:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The earlier record that the expectation "baseline" compares with."""

    incidents: pd.DataFrame
    """`cell`, `weight`: incidents of the earlier period, one row per incident and cell."""

    earlier_days: float
    """Length of the earlier period, days."""

    recent_days: float
    """Length of the period under test, days."""

    def __post_init__(self) -> None:
        if not (self.earlier_days > 0 and self.recent_days > 0):
            raise BadInput("earlier_days and recent_days of a baseline must be more than 0.")

    @property
    def recent_share(self) -> float:
        """Length of the period under test over the length of both."""
        return self.recent_days / (self.recent_days + self.earlier_days)


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
        `cell`, `weight` (shares of an incident; NA is set aside); `placed`, if present, tells
        what was spread ("spread"). A Series holds incidents per cell.
    cells : DataFrame, n rows
        `cell`; `area_km2`; optional `inside_share` (0-1), `people_persons`, `edge`.
    baseline : Baseline, for the expectation "baseline"
    pairs : optional, neighbours within at least `test.disk` rings

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`; `incidents` in the cell; `disk_incidents`, `expected`, `disk_cells` of the
        disk; `p`, `q` (NA: not tested); `hotspot`; `gi_z` (NA: no variance);
        `spread_share` of the disk's incidents that were spread (NA: none); `edge`: the disk is
        cut by the rim of the AOI. `attrs["notes"]` says what was left out.

    Raises
    ------
    MissingColumns, BadInput
        A column the expectation needs is absent, or a cell is listed twice.

    Notes
    -----
    Only cells that the null can reach are tested, so padding the AOI with empty, unpopulated
    cells changes no flag: docs/methods/hotspots.md.
    """
    test = test or HotspotTest()
    known = known_cells(cells)
    counts, spread, notes = _incidents_by_cell(events, known)
    disks = disk_matrix(known, (1.0,) * (test.disk + 1), pairs)
    table = _judged(counts, cells, test, disks, baseline)
    table.insert(0, "cell", known)
    table["gi_z"] = gi_star(counts, disks)
    table["spread_share"] = _share_of(disks @ spread, table["disk_incidents"].to_numpy())
    rim = cells["edge"].to_numpy(dtype=bool) if "edge" in cells.columns else False
    table["edge"] = (table["disk_cells"].to_numpy() < full_disk(test.disk)) | rim
    table.attrs["notes"] = notes + _notes_on_people(cells, test)
    return with_standard(table, "hotspots", test=test)


def exposure(cells: pd.DataFrame, incidents: Floats, test: HotspotTest) -> Floats:
    """Weigh every cell by how much of the expectation falls there.

    Where an incident was recorded somebody was, whatever the population raster says: such a
    cell counts as populated, and as holding at least `populated_persons`.

    Returns
    -------
    array, n cells
        Land area in km2, or people; 0: the expectation does not reach the cell; NaN: unknown.
    """
    people = (
        cells["people_persons"].to_numpy(dtype=float, na_value=np.nan)
        if "people_persons" in cells.columns
        else np.full(len(cells), np.nan)
    )
    happened = incidents > 0
    if test.expectation == "population":
        if np.isnan(people).all() and len(cells):
            raise BadInput(
                "The expectation 'population' needs people_persons per cell, and none is known. "
                "Add a population layer, or ask for 'uniform'."
            )
        return np.where(happened, np.maximum(people, max(test.populated_persons, 1e-9)), people)
    require_columns(cells, "cells", ["area_km2"])
    area = cells["area_km2"].to_numpy(dtype=float)
    if "inside_share" in cells.columns:
        # A cell that only grazes the boundary can still hold an incident: never exactly none.
        area = area * np.maximum(cells["inside_share"].to_numpy(dtype=float), 1e-3)
    if test.expectation == "uniform":
        return area
    empty = (people < test.populated_persons) & ~happened
    return np.where(empty, 0.0, area)


def split(events: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """Part incidents by a category, the missing ones as "unknown"; no row is lost."""
    require_columns(events, "incidents", [by])
    label = events[by].astype(object).where(events[by].notna(), "unknown").astype(str)
    return {str(name): part for name, part in events.groupby(label, sort=True)}


def _judged(
    counts: Floats,
    cells: pd.DataFrame,
    test: HotspotTest,
    disks: sparse.csr_array,
    baseline: Baseline | None,
) -> pd.DataFrame:
    """Compare every disk with its expectation, and flag."""
    share = exposure(cells, counts, test)
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


def _incidents_by_cell(
    events: pd.DataFrame | pd.Series, cells: NDArray[np.int64]
) -> tuple[Floats, Floats, list[str]]:
    """Add up weights per cell: all, those of spread incidents, and what was left out."""
    if isinstance(events, pd.Series):
        events = pd.DataFrame({"cell": events.index, "weight": events.to_numpy(dtype=float)})
    require_columns(events, "incident_cells", ["cell", "weight"])
    weight = events["weight"].to_numpy(dtype=float, na_value=np.nan)
    if (weight < 0).any():
        raise BadInput("incident_cells: a weight is below 0. Weights are shares of an incident.")
    aside = np.isnan(weight)
    at = cell_positions(events["cell"], cells)
    use = ~aside & (at >= 0)
    spread = (
        events["placed"].eq("spread").fillna(False).to_numpy(dtype=bool)
        if "placed" in events.columns
        else np.zeros(len(events), dtype=bool)
    )
    notes = []
    if aside.any():
        notes.append(f"{int(aside.sum())} incidents too coarse for a cell were set aside.")
    outside = float(weight[~aside & (at < 0)].sum())
    if outside > SLACK:
        notes.append(f"{outside:g} incidents lie outside the cells and were not counted.")
    sums = [_sums(at[keep], weight[keep], cells.size) for keep in (use, use & spread)]
    return sums[0], sums[1], notes


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
    before, _, _ = _incidents_by_cell(baseline.incidents, cells)
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


def _share_of(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=share, where=whole > SLACK)
    np.minimum(share, 1.0, out=share)
    return share


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
