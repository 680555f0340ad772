"""What a forecast is asked for, and the terms it is made of."""

from dataclasses import dataclass

from pocgeo.ground.errors import BadInput

__all__ = ["REASONS", "TERMS", "ForecastStandard"]

TERMS = (
    "everywhere",
    "population",
    "own 1-3",
    "own 4-12",
    "own 13-60",
    "own 61+",
    "rings 1-2, 1-3",
    "rings 1-2, 4-12",
)
"""The eight rates an expectation is the weighted sum of; months count back from the origin."""

REASONS = (
    ("share_recent", "here recently", (2,)),
    ("share_year", "here in the last year", (3,)),
    ("share_older", "here long ago", (4, 5)),
    ("share_nearby", "nearby", (6, 7)),
    ("share_population", "population", (1,)),
    ("share_everywhere", "everywhere", (0,)),
)
"""Column, words, and the terms that each reason joins."""

FINEST = 15
MOST_MONTHS = 6
"""Beyond half a year the last months say little, and nothing here was tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastStandard:
    """How far ahead, on which grid, and how sure an interval is."""

    months: int = 3
    """Months ahead; three are the quarter."""

    lag_months: int = 0
    """Last complete months that are set aside, because their reports are still coming in."""

    level: float = 0.8
    """Share of outcomes an interval is meant to hold."""

    resolution: int | None = None
    """H3 resolution of the forecast; None: the coarsest that gives the AOI 1,000 cells, 5 at the
    coarsest, never finer than the AOI's own."""

    def __post_init__(self) -> None:
        if not isinstance(self.months, int) or not 1 <= self.months <= MOST_MONTHS:
            raise BadInput(f"months must be 1 to {MOST_MONTHS} whole months, got {self.months}.")
        if not 0 <= self.lag_months <= MOST_MONTHS or not isinstance(self.lag_months, int):
            raise BadInput(
                f"lag_months must be 0 to {MOST_MONTHS} whole months, got {self.lag_months}."
            )
        if not 0 < self.level < 1:
            raise BadInput(f"level must lie between 0 and 1, got {self.level:g}.")
        level = self.resolution
        if level is not None and (not 0 <= level <= FINEST or not isinstance(level, int)):
            raise BadInput(f"resolution must be 0 to {FINEST}, got {level}.")
