"""Scores of one forecast against what came: how it ranked places, and how sure it was."""

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.forecast.dispersion import Dispersion

__all__ = ["crps", "held", "held_by_area", "held_by_cells"]

Floats = NDArray[np.float64]

TAIL = 1e-9
"""Chance beyond which the rest of a distribution adds nothing to a score."""

MOST_COUNTS = 5_000


def held(expected: Floats, incidents: Floats, size: Floats, limits: Floats) -> Floats:
    """Add up the incidents in the places ranked highest, until they take up a given size.

    Parameters
    ----------
    expected : array, n; ranks the places, highest first
    incidents : array, n
    size : array, n, above 0; what each place takes up (its land, or 1)
    limits : array, j; sizes up to which places are taken

    Returns
    -------
    array, j
        Where the limit falls into a place, or among places ranked alike, they count in part: the
        mean over every order in which ties could be broken.
    """
    order = np.argsort(-expected, kind="stable")
    ranked = expected[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    taken = np.concatenate([[0.0], np.cumsum(size[order])[ends]])
    caught = np.concatenate([[0.0], np.cumsum(incidents[order])[ends]])
    found: Floats = np.interp(limits, taken, caught)
    return found


def held_by_area(
    expected: Floats, incidents: Floats, area_km2: Floats, shares: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Incidents in the highest-ranked shares of the land, and the most that any ranking holds.

    Places are ranked by expected incidents per km2, as fits a budget of land.
    """
    limits = np.asarray(shares) * area_km2.sum()
    ranked = held(expected / area_km2, incidents, area_km2, limits)
    ideal = held(incidents / area_km2, incidents, area_km2, limits)
    return ranked, ideal


def held_by_cells(expected: Floats, incidents: Floats, cells: tuple[int, ...]) -> Floats:
    """Incidents in the k places ranked highest."""
    return held(expected, incidents, np.ones(expected.size), np.asarray(cells, float))


def crps(mean: Floats, count: Floats, dispersion: Dispersion) -> Floats:
    """Continuous ranked probability score of each place: the area between chance and outcome.

    Parameters
    ----------
    mean : array, n, above 0
    count : array, n; fractions of an incident allowed
    dispersion : Dispersion

    Returns
    -------
    array, n
        In incidents; 0 is perfect. With a sure forecast it is the absolute error.

    Notes
    -----
    Gneiting and Raftery (2007), JASA 102, 359-378: the integral of (F(x) - [x >= count])^2, F the
    negative binomial's, summed count by count.
    """
    size = dispersion.size(mean)
    factor = mean / (size + mean)
    log_mass = -size * np.log1p(mean / size)
    mass = np.exp(log_mass)
    reached = mass.copy()
    score = np.zeros(mean.size)
    left = np.arange(mean.size)
    for k in range(MOST_COUNTS):
        after = np.clip(k + 1 - count[left], 0.0, 1.0)
        share = reached[left]
        score[left] += (1 - after) * share**2 + after * (1 - share) ** 2
        left = left[(1 - share > TAIL) | (count[left] > k + 1)]
        if not left.size:
            break
        mass[left] *= (k + size[left]) / (k + 1) * factor[left]
        reached[left] = np.minimum(reached[left] + mass[left], 1.0)
    return score
