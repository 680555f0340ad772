"""What a hotspot is measured against: the test, its expectation and the earlier record."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns

__all__ = ["EXPECTATIONS", "MEASURES", "Baseline", "HotspotTest", "exposure"]

Floats = NDArray[np.float64]

WIDEST_DISK = 20
"""House limit: a disk of 20 rings holds 1,261 cells; a hotspot is not a province."""

EXPECTATIONS = ("populated", "uniform", "population", "baseline")
MEASURES = ("incidents", "severity")


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

    measure: str = "incidents"
    """incidents (how many), severity (how grave: each incident draws from the severities of
    the period)."""

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise UnknownName("measure of a hotspot test", self.measure, MEASURES)
        if self.measure == "severity" and self.expectation == "baseline":
            raise BadInput(
                "A hotspot test by severity has no expectation 'baseline'. Ask for 'populated'."
            )
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


def exposure(cells: pd.DataFrame, incidents: Floats, test: HotspotTest) -> Floats:
    """Weigh every cell by how much of the expectation falls there.

    Where an incident was recorded at its point somebody was, whatever the population raster
    says: such a cell counts as populated, and as holding at least `populated_persons`.

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
