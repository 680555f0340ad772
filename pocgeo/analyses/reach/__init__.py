"""Reach: how many minutes from every base to every cell, in a straight line or over the ground."""

from pocgeo.analyses.reach.straight import (
    SPEED_KMH,
    STRAIGHT_LINE,
    ReachStandard,
    reach_field,
    reach_table,
)

__all__ = ["SPEED_KMH", "STRAIGHT_LINE", "ReachStandard", "reach_field", "reach_table"]
