"""Proximity: who and what lies within the radius of each base, and every incident's verdict."""

from pocgeo.analyses.bases import standing
from pocgeo.analyses.proximity.ledger import Around, Period, by_perpetrator, ledger
from pocgeo.analyses.proximity.people import people_within, zones
from pocgeo.analyses.proximity.review import review_list
from pocgeo.analyses.proximity.sheet import base_sheet
from pocgeo.analyses.proximity.standard import ONE_KILOMETRE, ProximityStandard
from pocgeo.analyses.proximity.verdicts import incident_places, proximity, verdict_table

__all__ = [
    "ONE_KILOMETRE",
    "Around",
    "Period",
    "ProximityStandard",
    "base_sheet",
    "by_perpetrator",
    "incident_places",
    "ledger",
    "people_within",
    "proximity",
    "review_list",
    "standing",
    "verdict_table",
    "zones",
]
