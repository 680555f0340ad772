"""What a patrol order asks for: how many, how long, from when, by night or not, what to avoid."""

from dataclasses import dataclass
from typing import NamedTuple

from pocgeo.analyses.patrols.routing import HOUSE_SEARCH, RouteSearch
from pocgeo.analyses.patrols.stops import HOUSE_RULE, StopRule
from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["PatrolOrder", "Shift", "clock"]

REPEATS = ("avoid", "exclude", "allow")
LONGEST_H = 24.0
RUNGS_H = (4.0, 6.0, 8.0, 10.0, 12.0, 16.0)


class Shift(NamedTuple):
    """When patrols may be out."""

    depart_min: float
    """Minutes after local midnight."""

    limit_min: float
    """Minutes from departure to return, the reserve taken off."""

    words: str
    """What bounds it, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolOrder:
    """How many patrols, how long, and what is to be avoided."""

    patrols: int = 2
    """How many go out at once."""

    hours: float = 8.0
    """From departure to return, stays included."""

    stay_min: float = 30.0
    """Minutes at each stop: time to dismount, be seen and talk (a visit needs 5)."""

    depart_h: float = 7.0
    """Local hour of departure."""

    reserve_min: float = 30.0
    """Minutes of the shift kept free for what is not foreseen: a halt, a talk, a puncture."""

    night: bool = False
    """Whether the order itself allows moves by night; a base that may not move then never does."""

    day_from_h: float = 6.0
    """Local hour at which night ends, as for presence."""

    day_until_h: float = 18.0
    """Local hour at which night begins."""

    repeat: str = "avoid"
    """"avoid": stops and ground used lately count for less; "exclude": such stops are left out;
    "allow": no matter."""

    repeat_days: int = 1
    """Ground that a patrol was recorded on in so many last days is used lately."""

    stop_factor: float = 0.1
    """What a stop of the previous plan is still worth where repetition is avoided, 0-1."""

    way_penalty: float = 0.5
    """By how much ground used lately is made longer when ways are chosen: 0.5, half as long."""

    rule: StopRule = HOUSE_RULE
    """What makes a stop worth going to."""

    search: RouteSearch = HOUSE_SEARCH
    """How long the search for routes goes on."""

    def __post_init__(self) -> None:
        if not 1 <= self.patrols <= 20:
            raise BadInput(f"patrols must be 1 to 20, got {self.patrols}.")
        if not 0 < self.hours <= LONGEST_H:
            raise BadInput(f"hours must be more than 0 and at most 24, got {self.hours:g}.")
        for name in ("stay_min", "reserve_min"):
            if not 0 <= getattr(self, name) < self.hours * 60:
                raise BadInput(
                    f"{name} must be 0 or more and below the hours, got {getattr(self, name):g}."
                )
        for name in ("depart_h", "day_from_h", "day_until_h"):
            if not 0 <= getattr(self, name) <= LONGEST_H:
                raise BadInput(f"{name} is an hour, 0 to 24, got {getattr(self, name):g}.")
        if not self.day_from_h < self.day_until_h:
            raise BadInput("day_from_h must be before day_until_h.")
        if self.repeat not in REPEATS:
            raise UnknownName("way to treat repetition", self.repeat, REPEATS)
        if self.repeat_days < 1 or not 0 <= self.stop_factor <= 1 or self.way_penalty < 0:
            raise BadInput(
                "repeat_days must be 1 or more, stop_factor 0 to 1 and way_penalty 0 or more."
            )

    def shift(self, night_moves: bool | None) -> Shift:
        """Say from when and how long patrols of a base may be out.

        Parameters
        ----------
        night_moves : bool or None
            What the base says; None: it does not say, and is taken not to move by night.

        Raises
        ------
        BadInput
            No daylight is left at the hour of departure.
        """
        depart, limit = self.depart_h * 60, self.hours * 60
        if self.night and night_moves:
            return Shift(depart, limit - self.reserve_min, "moves by night allowed")
        dark = self.day_until_h * 60
        if depart < self.day_from_h * 60 or depart >= dark:
            held = "this base may not move by night" if self.night else "the order is for daylight"
            raise BadInput(
                f"Departure at {clock(depart)} is in the night ({clock(dark)} to "
                f"{clock(self.day_from_h * 60)}), and {held}. Choose --depart by day"
                + (", or --night." if not self.night else ".")
            )
        words = f"back by nightfall at {clock(dark)}"
        if depart + limit > dark:
            words += f", so {(dark - depart) / 60:g} h instead of {self.hours:g}"
        left = min(limit, dark - depart) - self.reserve_min
        if left <= 0:
            raise BadInput(
                f"Between {clock(depart)} and nightfall at {clock(dark)} no time is left beside "
                f"the reserve of {self.reserve_min:g} min. Choose an earlier --depart."
            )
        return Shift(depart, left, words)

    def rungs_min(self, limit_min: float) -> list[float]:
        """Shorter shifts that are planned on the way, so that longer ones are never worse."""
        rungs = (hours * 60 - self.reserve_min for hours in RUNGS_H)
        return [rung for rung in rungs if 0 < rung < limit_min - 1e-9]


def clock(minutes: float) -> str:
    """Write minutes after midnight as 07:05; the day after as 01:10 (+1)."""
    days, rest = divmod(int(minutes // 1), 24 * 60)
    said = f"{rest // 60:02d}:{rest % 60:02d}"
    return said if days == 0 or (days == 1 and rest == 0) else f"{said} (+{days})"
