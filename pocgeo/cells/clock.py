"""Local days of a time zone, in whole microseconds since 1970."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pocgeo.cells.pieces import offsets_s

__all__ = ["DAY_US", "HOUR_US", "SECOND_US", "Clock"]

Ints = NDArray[np.int64]
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Clock:
    """Local time of a zone over a stretch of years."""

    since_us: Ints
    """UTC instants from which each offset holds, sorted; the first is before all others."""

    ahead_us: Ints
    """How far local time is then ahead of UTC."""

    @classmethod
    def of(cls, zone: ZoneInfo, first_us: int, last_us: int) -> "Clock":
        """Look up when the clocks change between two instants, a day added at both ends."""
        begin_s = (first_us - DAY_US) // HOUR_US * 3_600
        hours = np.arange(begin_s, (last_us + DAY_US) // SECOND_US + 3_600, 3_600)
        ahead = offsets_s(hours.astype(float), zone)
        since, offset = [np.iinfo(np.int64).min], [ahead[0]]
        for hour in np.flatnonzero(np.diff(ahead)):
            seconds = hours[hour] + np.arange(3_601)
            exact = offsets_s(seconds.astype(float), zone)
            since.append(int(seconds[np.argmax(exact != exact[0])]) * SECOND_US)
            offset.append(exact[-1])
        return cls(np.array(since, dtype=np.int64), np.rint(np.array(offset) * 1e6).astype("int64"))

    def local_us(self, at_us: Ints) -> Ints:
        """Local time of UTC instants."""
        if len(self.since_us) == 1:
            return at_us + int(self.ahead_us[0])
        local: Ints = at_us + self.ahead_us[np.searchsorted(self.since_us, at_us, side="right") - 1]
        return local

    def days(self, at_us: Ints) -> Ints:
        """Local day of UTC instants, days since 1970."""
        return self.local_us(at_us) // DAY_US

    def span_us(self, first_day: int, last_day: int) -> tuple[int, int]:
        """Find UTC instants before and after all that lie on local days from first to last."""
        begin = first_day * DAY_US - int(self.ahead_us.max())
        return begin, (last_day + 1) * DAY_US - int(self.ahead_us.min())


def night_us(begin_us: Ints, length_us: Ints, from_h: float, until_h: float) -> Ints:
    """Tell how much of each stretch of one local day is night.

    Parameters
    ----------
    begin_us : int array
        Since local midnight.
    length_us : int array
    from_h, until_h : float
        Hours of the day at which night begins and ends.
    """
    if from_h == until_h:
        return np.zeros(len(begin_us), dtype=np.int64)
    nights = [(from_h, until_h)] if from_h < until_h else [(0.0, until_h), (from_h, 24.0)]
    end_us = begin_us + length_us
    total = np.zeros(len(begin_us), dtype=np.int64)
    for first, last in nights:
        within = np.minimum(end_us, round(last * HOUR_US))
        within -= np.maximum(begin_us, round(first * HOUR_US))
        total += np.maximum(within, 0)
    return total
