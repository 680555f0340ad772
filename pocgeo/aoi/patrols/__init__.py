"""Patrols of one AOI: where to go from a base, by which ways; and what became of a plan."""

from pocgeo.aoi.patrols.asked import PatrolsAsked
from pocgeo.aoi.patrols.plan import ground_shown, patrols
from pocgeo.aoi.patrols.record import compared

__all__ = ["PatrolsAsked", "compared", "ground_shown", "patrols"]
