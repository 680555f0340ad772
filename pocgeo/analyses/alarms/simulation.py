"""Draws of what chance alone would do, as lists: their cost is that of the record drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.alarms.noise import Noise

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

TIGHT = 1e-9
"""Over-dispersion below which a count is Poisson."""

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


def forecast_draws(expected: Floats, noise: Noise) -> Draw:
    """Let the forecast come true: negative binomial counts per place, shared by its periods.

    All places of a block share gamma-distributed luck; given it, a place's count is negative
    binomial, with luck that is the same in all periods.

    Parameters
    ----------
    expected : array, places x windows (the latest period first)
    noise : Noise

    Notes
    -----
    A negative binomial is a Poisson number of groups of logarithmic size (Quenouille 1949,
    Biometrics 5, 162-164), here twice over: groups in blocks, and incidents in groups. So the
    cost is that of the incidents drawn, not of the places. Where incidents are many for the
    places, every place's luck is drawn instead.
    """
    mean = expected.sum(axis=1)
    if mean.sum() > BUSY * expected.size:
        return every_place(expected, noise)
    heads, spread = groups_of(mean, noise.own * mean)
    held = np.bincount(noise.block, heads, minlength=noise.shared.size).astype(float)
    parties, crowd = groups_of(held, noise.shared * held)
    due = float(parties.sum())
    climb = np.cumsum(parties) / due if due > 0 else np.ones(held.size)
    order = np.argsort(noise.block, kind="stable")
    steps = np.cumsum(heads[order])
    last = np.cumsum(held)
    parts = np.cumsum(expected, axis=1) / np.maximum(mean, 1e-300)[:, None]

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        record = np.repeat(np.arange(records), rng.poisson(due, records))
        block = chosen(climb, rng.random(record.size))
        size = rng.logseries(crowd[block])
        block, record = np.repeat(block, size), np.repeat(record, size)
        luck = last[block] - rng.random(block.size) * held[block]
        place = order[np.minimum(np.searchsorted(steps, luck, side="left"), order.size - 1)]
        size = rng.logseries(spread[place])
        place, record = np.repeat(place, size), np.repeat(record, size)
        luck = rng.random(place.size)
        age = (luck[:, None] >= parts[place, :-1]).sum(axis=1)
        totals = np.bincount(record, minlength=records).astype(float)
        return Drawn(place=place, record=record, age=age, totals=totals)

    return draw


def groups_of(mean: Floats, excess: Floats) -> tuple[Floats, Floats]:
    """Give expected groups, and the parameter of their logarithmic size, of each count.

    The count has variance mean x (1 + excess).
    """
    loose = excess > TIGHT
    held = np.where(loose, excess, 1.0)
    groups = np.where(loose, mean * np.log1p(held) / held, mean)
    return groups, np.where(loose, held / (1 + held), 0.0)


def every_place(expected: Floats, noise: Noise) -> Draw:
    """Draw every block's and every place's luck (gamma, mean 1), then its incidents (Poisson)."""
    loose, crowded = noise.own > TIGHT, noise.shared > TIGHT
    own = np.where(loose, noise.own, 1.0)
    shared = np.where(crowded, noise.shared, 1.0)

    def draw(rng: np.random.Generator, records: int) -> Drawn:
        drawn = rng.standard_gamma(1 / shared, (records, shared.size)) * shared
        common = np.where(crowded, drawn, 1.0)[:, noise.block]
        luck = np.where(loose, rng.standard_gamma(common / own) * own, common)
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
