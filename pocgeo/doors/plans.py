"""Commands that lead to a decision: plans, what-ifs, patrols."""

import click

__all__ = ["PLANS"]


PLANS: tuple[click.Command, ...] = ()
