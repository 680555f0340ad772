"""Patrols of one AOI: where to go from a base, by which ways; and what became of a plan."""

from pocgeo.aoi.patrols.asked import PatrolsAsked
from pocgeo.aoi.patrols.declared import wanted_patrols
from pocgeo.aoi.patrols.plan import PATROL_TABLES, ground_shown, patrol_finding, patrols
from pocgeo.aoi.patrols.record import compared

__all__ = [
    "PATROL_TABLES", "PatrolsAsked", "compared", "ground_shown", "patrol_finding", "patrols",
    "wanted_patrols",
]  # fmt: skip
