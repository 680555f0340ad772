"""Commands that look at violence ahead of coverage: phases, forecast, alarms, scorecard."""

import click

from pocgeo.doors.foreseeing import forecast, scorecard

__all__ = ["THREAT"]


THREAT: tuple[click.Command, ...] = (forecast, scorecard)
