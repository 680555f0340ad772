"""Commands that look at violence ahead of coverage: phases, forecast, alarms, scorecard."""

import click

__all__ = ["THREAT"]


THREAT: tuple[click.Command, ...] = ()
