"""Draws of what chance alone would do, as lists: their cost is that of the record drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw", "Drawn", "forecast_draws", "population_draws", "shuffled_draws"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Entries of several simulated records: incidents, or numbers of them."""

    place: Places
    """Position of the place of each entry."""

    record: Places
    """Which simulated record it belongs to, from 0."""

    age: Places
    """Periods ago: 0 is the latest. Incidents older than every window are left out."""

    number: Floats | None = None
    """Incidents of each entry; None: one each."""

    totals: Floats
    """Incidents of each record inside the windows."""


BUSY = 0.3
"""Incidents a place and period from which drawing every place is the cheaper way (measured)."""

Draw = Callable[[np.random.Generator, int], Drawn]
"""Draws so many records."""


def shuffled_draws(place: Places, age: Places, windows: int) -> Draw:
    """Keep every place and every time, and shuffle which goes with which.

    Notes
    -----
    Kulldorff and others (2005), PLoS Med. 2, e59: the space-time permutation model.
    """
    recent = np.sort(age[age < windows])

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        many = recent.size
        taken = np.empty(records * many, dtype=np.intp)
        for start in range(0, taken.size, max(many, 1)):
            taken[start : start + many] = rng.choice(place.size, many, replace=False)
        return Drawn(
            place=place[taken],
            record=np.repeat(np.arange(records), many),
            age=np.tile(recent, records),
            totals=np.full(records, float(many)),
        )

    return draw


def population_draws(weight: Floats, incidents: int, windows: int, periods: int) -> Draw:
    """Put every incident where the weights lead and in any period alike.

    Notes
    -----
    Kulldorff (1997), Commun. Stat. 26, 1481-1496: conditional on the number of incidents.
    """
    climb = np.cumsum(weight) / weight.sum()

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        many = rng.binomial(incidents, windows / periods, records)
        record = np.repeat(np.arange(records), many)
        return Drawn(
            place=chosen(climb, rng.random(record.size)),
            record=record,
            age=rng.integers(0, windows, record.size),
            totals=many.astype(float),
        )

    return draw


def forecast_draws(expected: Floats, dispersion: Floats) -> Draw:
    """Let the forecast come true: negative binomial counts per place, shared by its periods.

    A place's count is negative binomial (mean m, variance m + a m2); its gamma-distributed
    luck is the same in all periods, so that given the count the periods are multinomial.

    Parameters
    ----------
    expected : array, places x windows (the latest period first)
    dispersion : array, places; 0 is Poisson

    Notes
    -----
    A negative binomial is a Poisson number of groups of logarithmic size (Quenouille 1949,
    Biometrics 5, 162-164): the cost is that of the incidents drawn, not of the places. Where
    incidents are many for the places, every place's luck is drawn instead.
    """
    mean = expected.sum(axis=1)
    if mean.sum() > BUSY * expected.size:
        return every_place(expected, dispersion)
    spread = dispersion * mean
    groups = np.where(spread > 1e-12, np.log1p(spread) / np.maximum(dispersion, 1e-300), mean)
    share = spread / (1 + spread)
    due = float(groups.sum())
    climb = np.cumsum(groups) / due if due > 0 else np.ones(mean.size)
    parts = np.cumsum(expected, axis=1) / np.maximum(mean, 1e-300)[:, None]

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        record = np.repeat(np.arange(records), rng.poisson(due, records))
        place = chosen(climb, rng.random(record.size))
        size = rng.logseries(share[place])
        place, record = np.repeat(place, size), np.repeat(record, size)
        luck = rng.random(place.size)
        age = (luck[:, None] >= parts[place, :-1]).sum(axis=1)
        totals = np.bincount(record, minlength=records).astype(float)
        return Drawn(place=place, record=record, age=age, totals=totals)

    return draw


def every_place(expected: Floats, dispersion: Floats) -> Draw:
    """Draw every place's luck (gamma, mean 1, variance a), then its incidents (Poisson)."""
    loose = dispersion > 1e-9
    shape = 1 / np.where(loose, dispersion, 1.0)

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        luck = np.where(loose, rng.standard_gamma(shape, (records, shape.size)) / shape, 1.0)
        counts = rng.poisson(luck[:, :, None] * expected)
        record, place, age = np.nonzero(counts)
        number = counts[record, place, age].astype(float)
        totals = counts.sum(axis=(1, 2)).astype(float)
        return Drawn(place=place, record=record, age=age, number=number, totals=totals)

    return draw


def chosen(climb: Floats, luck: Floats) -> Places:
    """Find which share of the whole each number between 0 and 1 falls into."""
    found: Places = np.minimum(np.searchsorted(climb, luck, side="right"), climb.size - 1)
    return found
