"""Proximity: who and what lies within the radius of each base, and every incident's verdict."""

from pocgeo.analyses.bases import standing
from pocgeo.analyses.proximity.standard import ONE_KILOMETRE, ProximityStandard
from pocgeo.analyses.proximity.verdicts import incident_places, proximity, verdict_table

__all__ = [
    "ONE_KILOMETRE",
    "ProximityStandard",
    "incident_places",
    "proximity",
    "standing",
    "verdict_table",
]
