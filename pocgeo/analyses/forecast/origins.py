"""One forecast from one origin: weights learnt from the origins before it, baselines beside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.forecast.fit import Fitted, fit_weights
from pocgeo.analyses.forecast.rates import HALF_LIVES, Lesson, Rates, Snapshot
from pocgeo.ground.errors import BadInput

__all__ = ["BASELINES", "FEWEST_LESSONS", "Foreseen", "enough_record", "foresee", "lessons_for"]

Floats = NDArray[np.float64]

MEMORY = 72
"""Months of origins that weights are learnt from."""

MOST_LESSONS = 36
SETTLED = 6
"""Months of record before the first lesson."""

FEWEST_LESSONS = 4
FEWEST_INCIDENTS = 10.0

PRIOR = (0.5, 0.5, 0, 0, 0, 0, 0, 0)
"""Half an incident anywhere and half where people are, so that no place is held impossible."""

BASELINES = ("baseline_year", "baseline_all", "baseline_kernel")
BROAD = 0.05
"""Part of each baseline that is spread evenly and by people, so that no place is impossible."""

MIXES = ((0.0, 0.0), (0.1, 0.05), (0.2, 0.1), (0.3, 0.2))
"""Shares of rings 1 and 2 in the decayed kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """Expectations from one origin."""

    origin: int
    by_month: Floats
    """months x 8: weights of each month ahead."""

    still: Floats
    """n x 2."""

    shot: Snapshot
    expected: Floats
    """n: incidents in all months forecast."""

    baselines: Floats
    """n x 3, in the order of BASELINES."""

    fitted: tuple[Fitted, ...]
    kernel: tuple[int, float, float]
    """Half-life in months and shares of the rings, as tuned."""


def lessons_for(rates: Rates, origin: int) -> list[int]:
    """Origins to learn from: all that followed is on record, and trusted, at `origin`."""
    last = origin - rates.standard.months - rates.standard.lag_months
    past = list(range(max(SETTLED, last - MEMORY), last + 1))
    return past[::-2][::-1] if len(past) > MOST_LESSONS else past


def enough_record(rates: Rates, origin: int) -> bool:
    """Say whether there is enough to learn from at an origin."""
    if len(lessons_for(rates, origin)) < FEWEST_LESSONS:
        return False
    return float(rates.record.weight[rates.record.month < origin].sum()) >= FEWEST_INCIDENTS


def foresee(rates: Rates, origin: int, *, beside: bool = True) -> Foreseen:
    """Learn from the past of an origin, and say what is expected after it.

    `beside` asks for the baselines too; without it they are an array of no columns.

    Raises
    ------
    BadInput
        The record before the origin is too short or too thin.
    """
    if not enough_record(rates, origin):
        needed = SETTLED + rates.standard.months + rates.standard.lag_months + FEWEST_LESSONS - 1
        raise BadInput(
            f"The record is too thin for a forecast: it needs {needed} complete months and "
            f"{FEWEST_INCIDENTS:g} incidents with a place, and has {origin} and "
            f"{rates.record.weight[rates.record.month < origin].sum():.0f}. "
            "Read the list of incidents instead, or add earlier ones."
        )
    lessons = [rates.lesson(past) for past in lessons_for(rates, origin)]
    now = origin + rates.standard.lag_months
    pieces = _Pieces.of(lessons, now)
    months = rates.standard.months
    fitted = tuple(
        fit_weights(*pieces.of_month(ahead), np.array(PRIOR, dtype=float))
        for ahead in range(months)
    )
    by_month = np.array([each.weights for each in fitted])
    shot = rates.snapshot(origin, beside=beside)
    still = rates.still
    total = by_month.sum(axis=0)
    expected = still @ total[:2]
    expected[rates.active] += shot.rates @ total[2:]
    kernel = _tuned(lessons, pieces, months) if beside else (HALF_LIVES[0], *MIXES[0])
    return Foreseen(
        origin=origin, by_month=by_month, still=still, shot=shot, expected=expected,
        baselines=_baselines(rates, shot, kernel) if beside else np.zeros((rates.place.size, 0)),
        fitted=fitted, kernel=kernel,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Lessons one below the other."""

    rates: Floats
    totals: Floats
    followed: Floats
    """m x months: incidents that followed, as known at the origin."""

    @classmethod
    def of(cls, lessons: list[Lesson], now: int) -> "_Pieces":
        sizes = np.array([len(each.rates) for each in lessons])
        starts = np.cumsum(sizes) - sizes
        months = 1 + max((int(each.ahead.max()) for each in lessons if each.ahead.size), default=0)
        followed = np.zeros((int(sizes.sum()), months))
        for start, each in zip(starts, lessons, strict=True):
            told = each.known < now
            np.add.at(followed, (start + each.row[told], each.ahead[told]), each.weight[told])
        return cls(
            rates=np.concatenate([each.rates for each in lessons]),
            totals=np.sum([each.totals for each in lessons], axis=0),
            followed=followed,
        )

    def of_month(self, ahead: int) -> tuple[Floats, Floats, Floats]:
        """Rates, incidents and totals of one month ahead."""
        if ahead >= self.followed.shape[1]:
            return self.rates[:0], self.followed[:0, 0], self.totals
        some = self.followed[:, ahead] > 0
        return self.rates[some], self.followed[some, ahead], self.totals


def _baselines(rates: Rates, shot: Snapshot, kernel: tuple[int, float, float]) -> Floats:
    """Expect as much as in the last 12 months, as ever, and by the decayed kernel."""
    months = rates.standard.months
    broad = _broad(rates.still) * (BROAD * shot.year.sum() / 12 * months)
    made = np.repeat(broad[:, None], len(BASELINES), axis=1)
    keep = (1 - BROAD) * months
    made[rates.active, 0] += keep * shot.year / min(12, shot.origin)
    made[rates.active, 1] += keep * shot.ever
    made[rates.active, 2] += keep * _kernel(shot.decayed, kernel)
    return made


def _broad(still: Floats) -> Floats:
    """Give half evenly, half by people; evenly where people are unknown."""
    share: Floats = still.mean(axis=1) if still[:, 1].any() else still[:, 0]
    return share


def _kernel(decayed: Floats, kernel: tuple[int, float, float]) -> Floats:
    half, first, second = kernel
    column, kinds = HALF_LIVES.index(half), len(HALF_LIVES)
    made: Floats = (
        (1 - first - second) * decayed[:, column]
        + first * decayed[:, kinds + column]
        + second * decayed[:, 2 * kinds + column]
    )
    return made


def _tuned(lessons: list[Lesson], pieces: _Pieces, months: int) -> tuple[int, float, float]:
    """Choose the half-life and the rings of the kernel by likelihood on the same lessons."""
    decayed = np.concatenate([each.decayed for each in lessons])
    totals = np.sum([each.decayed_totals for each in lessons], axis=0)
    year = np.repeat([each.year_total for each in lessons], [len(each.rates) for each in lessons])
    came = pieces.followed.sum(axis=1)
    some = came > 0
    broad = _broad(pieces.rates[some, :2]) * (BROAD * year[some] / 12 * months)
    best, chosen = -np.inf, (HALF_LIVES[0], *MIXES[0])
    for half in HALF_LIVES:
        for mix in MIXES:
            kernel = (half, *mix)
            keep = (1 - BROAD) * months
            mean = broad + keep * _kernel(decayed[some], kernel)
            held = came[some] @ np.log(np.maximum(mean, 1e-12))
            held -= keep * float(_kernel(totals[None, :], kernel)[0])
            if held > best:
                best, chosen = held, kernel
    return chosen
