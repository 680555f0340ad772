"""Phases of Policy 36: prevention, pre-emption, response, consolidation."""

from pocgeo.analyses.phases.areas import area_phases
from pocgeo.analyses.phases.confirmed import checked_decisions, with_decisions
from pocgeo.analyses.phases.history import PhaseHistory, Quarter, decline_certainty, phases
from pocgeo.analyses.phases.record import capacity, phase_record
from pocgeo.analyses.phases.rules import PHASES, PhaseRules, phase_rules

__all__ = [
    "PHASES",
    "PhaseHistory",
    "PhaseRules",
    "Quarter",
    "area_phases",
    "capacity",
    "checked_decisions",
    "decline_certainty",
    "phase_record",
    "phase_rules",
    "phases",
    "with_decisions",
]
