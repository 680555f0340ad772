"""A coarse forecast handed down to the AOI's own cells: every total kept."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.forecast.ground import Ground
from pocgeo.analyses.forecast.months import Months
from pocgeo.analyses.forecast.origins import Foreseen
from pocgeo.analyses.forecast.rates import Rates

__all__ = ["Handing"]

Floats = NDArray[np.float64]

SAME_PLACE = 0.8
"""Share of what comes of a cell's own past that goes to the very places of that past; the rest
goes where people are. House default, measured: docs/methods/forecast.md."""

PEOPLED = 0.02
"""Share of the people's part that follows land, so that no inhabited cell is held empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """How each term of a forecast cell is shared out among the AOI's cells in it."""

    place: Ground
    land: Floats
    """Share of each of the AOI's cells in its forecast cell's land; adds up to 1 in each."""

    people: Floats
    own: Months
    """The record by the AOI's own cells."""

    @classmethod
    def of(cls, place: Ground, land: Floats, people: Floats, own: Months) -> "Handing":
        """Take land (km2) and people (unknown filled) of each of the AOI's cells."""
        within = _shares(place, land, land)
        mean = people.sum() / land.sum()
        dwelt = _shares(place, people + PEOPLED * mean * land, land) if mean > 0 else within
        return cls(place=place, land=within, people=dwelt, own=own)

    def down(self, rates: Rates, seen: Foreseen) -> Floats:
        """Give the expectation of each of the AOI's cells; sums over a forecast cell are kept."""
        place, weights = self.place, seen.by_month.sum(axis=0)
        if place.size == place.of.size:
            return seen.expected[place.of]
        parts = np.zeros((place.size, 4))
        parts[:, :2] = seen.still * weights[:2]
        parts[rates.active, 2] = seen.shot.rates[:, :4] @ weights[2:6]
        parts[rates.active, 3] = seen.shot.rates[:, 4:] @ weights[6:]
        past = self.own.sums(0, seen.origin - 1, seen.shot.known_before, place.of.size)
        same = _shares(place, past, self.people)
        held = parts[place.of]
        handed: Floats = (
            held[:, 0] * self.land
            + (held[:, 1] + held[:, 3]) * self.people
            + held[:, 2] * (SAME_PLACE * same + (1 - SAME_PLACE) * self.people)
        )
        return handed


def _shares(place: Ground, weight: Floats, otherwise: Floats) -> Floats:
    """Share of each cell in its forecast cell, by weight; by `otherwise` where that is all 0."""
    whole = np.bincount(place.of, weights=weight, minlength=place.size)
    none = (whole <= 0)[place.of]
    rest = np.bincount(place.of, weights=otherwise, minlength=place.size)
    share: Floats = np.where(
        none, otherwise / rest[place.of], weight / np.where(none, 1.0, whole[place.of])
    )
    return share
