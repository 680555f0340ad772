"""Deployment: where new bases go, which ones move or close, how good that is, and who pays."""

from pocgeo.analyses.deployment.question import DeploymentQuestion, DeploymentStandard
from pocgeo.analyses.deployment.siting import Requirement, Scenario, Siting
from pocgeo.analyses.deployment.solving import Plan, best_plan

__all__ = [
    "DeploymentQuestion",
    "DeploymentStandard",
    "Plan",
    "Requirement",
    "Scenario",
    "Siting",
    "best_plan",
]
