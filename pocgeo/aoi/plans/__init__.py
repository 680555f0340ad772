"""Plans of one AOI: deploy, redeploy, draw down, what-if, with gap, losers and reasons."""

from pocgeo.aoi.plans.shown import PLAN_TABLES, is_asked, plan_finding, planned, tried

__all__ = ["PLAN_TABLES", "is_asked", "plan_finding", "planned", "tried"]
