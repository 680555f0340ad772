"""How far the points of a record can be believed: what share of them is a town's own point."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.statistics import SLACK

__all__ = ["IMPRECISE", "Snapping", "imprecise_columns", "snapping"]

Floats = NDArray[np.float64]

IMPRECISE = ("spread", "naive")
"""How incidents known only to an area may have been placed; see cells.placing."""

MOSTLY = 0.5
"""Share of imprecise incidents above which a place is hatched ..."""

ENOUGH = 0.5
"""... if they add up to so many incidents: crumbs of far ones lie everywhere."""

DECIMALS = 4
"""Coordinates that agree to so many decimals (11 m) are the same."""

MANY = 5
"""Incidents on one point from which on it is a place name's point, not the incidents' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapping:
    """What share of points are a town's coordinates and not the incident's."""

    points_n: int
    """Incidents given as points."""

    on_settlement_n: int
    """Of these, exactly on the coordinates of a settlement."""

    stacked_n: int
    """Of these, on coordinates shared by `MANY` incidents or more."""

    either_n: int
    """Of these, one or the other."""

    largest_n: int
    """Incidents on the most crowded point."""

    @property
    def text(self) -> str:
        """Give one or two sentences for the notes."""
        if not self.points_n:
            return ""
        of = self.points_n
        return (
            f"Of {of:,} incidents given as points, {self.on_settlement_n / of:.0%} lie exactly on "
            f"a settlement's coordinates and {self.stacked_n / of:.0%} on coordinates shared by "
            f"{MANY} or more (up to {self.largest_n}); {self.either_n / of:.0%} are one or the "
            "other. A source that snaps to towns hides how far off they were."
        )


def snapping(
    lon: Floats, lat: Floats, town_lon: Floats | None = None, town_lat: Floats | None = None
) -> Snapping:
    """Count points that are the coordinates of a settlement, or of many incidents at once.

    Parameters
    ----------
    lon, lat : arrays, n incidents given as points, degrees; NaN is left out
    town_lon, town_lat : arrays, settlements; optional

    Returns
    -------
    Snapping
    """
    points = _keys(lon, lat)
    _, place, number = np.unique(points, return_inverse=True, return_counts=True)
    stacked = number[place] >= MANY
    towns = np.zeros(0) if town_lon is None or town_lat is None else _keys(town_lon, town_lat)
    on_town = np.isin(points, towns)
    return Snapping(
        points_n=points.size,
        on_settlement_n=int(on_town.sum()),
        stacked_n=int(stacked.sum()),
        either_n=int((stacked | on_town).sum()),
        largest_n=int(number.max(initial=0)),
    )


def _keys(lon: Floats, lat: Floats) -> NDArray[np.complex128]:
    known = ~(np.isnan(lon) | np.isnan(lat))
    keys: NDArray[np.complex128] = np.round(lon[known], DECIMALS) + 1j * np.round(
        lat[known], DECIMALS
    )
    return keys


def imprecise_columns(imprecise: Floats, incidents: Floats) -> pd.DataFrame:
    """Say what share of each disk's incidents is known only to an area.

    Parameters
    ----------
    imprecise, incidents : arrays, n disks

    Returns
    -------
    DataFrame, n rows
        `imprecise_share` (NaN: no incidents); `mostly_imprecise` (NA: no incidents): more than
        half, and half an incident or more.
    """
    share: Floats = np.full(incidents.shape, np.nan)
    np.divide(imprecise, incidents, out=share, where=incidents > SLACK)
    np.minimum(share, 1.0, out=share)
    mostly = pd.array((share > MOSTLY) & (incidents >= ENOUGH), dtype="boolean")
    mostly[np.isnan(share)] = pd.NA
    return pd.DataFrame({"imprecise_share": share, "mostly_imprecise": mostly})
