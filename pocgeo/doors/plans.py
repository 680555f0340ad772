"""Commands that lead to a decision: plans, what-ifs, patrols."""

import click

from pocgeo.doors.deploying import plan, whatif
from pocgeo.doors.patrolling import patrols

__all__ = ["PLANS"]


PLANS: tuple[click.Command, ...] = (plan, whatif, patrols)
