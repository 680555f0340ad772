"""Commands that look at violence ahead of coverage: phases, forecast, alarms, scorecard."""

import click

from pocgeo.doors.emergence import emergence
from pocgeo.doors.foreseeing import forecast, scorecard
from pocgeo.doors.warning import alarms, near_repeat, phases

__all__ = ["THREAT"]


THREAT: tuple[click.Command, ...] = (alarms, emergence, forecast, near_repeat, phases, scorecard)
