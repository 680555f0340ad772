"""From a set of sites to orders: which base moves where, which closes, what is opened."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from pocgeo.analyses.deployment.siting import Floats, Mask, Siting
from pocgeo.ground.errors import BadInput

__all__ = ["Order", "orders_of"]

FAR_KM = 1e7


class Order(NamedTuple):
    """One thing to be done."""

    action: str
    """"move", "new" or "close"."""

    base: int
    """Site that is left; -1: none."""

    place: int
    """Site that is taken; -1: none."""


def orders_of(
    chosen: Mask, siting: Siting, closures: int, distance_km: Floats, limit_km: float | None = None
) -> list[Order]:
    """Pair bases that go with places that are taken so that the kilometres are fewest.

    Parameters
    ----------
    chosen : mask of sites
    siting : Siting
    closures : int
        How many of the bases that go are closed; the others move.
    distance_km : array, sites x sites
    limit_km : float, optional
        Greatest distance of a move.

    Returns
    -------
    list of Order
        Moves, then new places, then closures; each in the order of the sites.

    Raises
    ------
    BadInput
        The moves cannot be paired within the limit, or by the ways there are.
    """
    left = np.flatnonzero(siting.existing & ~chosen)
    taken = np.flatnonzero(chosen & ~siting.existing)
    cost = np.zeros((len(left), len(taken) + closures))
    way = distance_km[np.ix_(left, taken)]
    if limit_km is not None:
        way = np.where(way <= limit_km, way, FAR_KM)
    if siting.passable is not None:
        way = np.where(siting.passable[np.ix_(left, taken)], way, FAR_KM)
    cost[:, : len(taken)] = way
    row, column = linear_sum_assignment(cost)
    if (cost[row, column] >= FAR_KM).any():
        limits = [] if limit_km is None else [f"be within {limit_km:g} km"]
        limits += [] if siting.passable is None else ["have a way"]
        raise BadInput(f"These moves cannot all {' and '.join(limits)}.")
    moved = column < len(taken)
    pairs = sorted(zip(left[row[moved]].tolist(), taken[column[moved]].tolist(), strict=True))
    new = sorted(set(taken.tolist()) - {place for _, place in pairs})
    shut = sorted(set(left.tolist()) - {base for base, _ in pairs})
    return [
        *(Order("move", base, place) for base, place in pairs),
        *(Order("new", -1, place) for place in new),
        *(Order("close", base, -1) for base in shut),
    ]
