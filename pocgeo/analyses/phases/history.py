"""The phase of every place, quarter after quarter, with hysteresis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betainc

from pocgeo.analyses.phases.rules import PHASES, PhaseRules
from pocgeo.analyses.statistics import SLACK
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["EVIDENCE", "PhaseHistory", "Quarter", "decline_certainty", "phases"]

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]

PREVENTION, PREEMPTION, RESPONSE, CONSOLIDATION = range(4)
UNKNOWN = -1

EVIDENCE = (
    "disk_incidents_3m", "disk_incidents_12m", "disk_incidents_24m", "disk_probability",
)  # fmt: skip
"""What is known of the surroundings of a cell (it and its first ring)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quarter:
    """What was known at the end of one quarter."""

    on: pd.Timestamp
    """Last day of the record that was used."""

    evidence: pd.DataFrame
    """`cell` and EVIDENCE, one row per cell, the same cells in every quarter. What came in the
    quarter after, where it is over: `came_n` incidents in the cell, `came_around_n` in it and
    its first ring; NA where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseHistory:
    """Phases of all cells over successive quarters."""

    cells: NDArray[np.int64]
    """The n cells."""

    quarters: tuple[Quarter, ...]
    """The t quarters, the last is now."""

    codes: Codes
    """n x t: positions in PHASES; -1: unknown."""

    latest: pd.DataFrame
    """One row per cell: see `phases`."""


def phases(quarters: Sequence[Quarter], rules: PhaseRules | None = None) -> PhaseHistory:
    """Put every cell into a phase, quarter after quarter.

    Parameters
    ----------
    quarters : sequence of Quarter, the earliest first
        Each with a forecast made from what was known then.

    Returns
    -------
    PhaseHistory
        `latest` has `cell`, `phase`, `phase_since_on` (end of the quarter in which it began, NA
        if it held from the first), `phase_before` (a quarter earlier; NA: no quarter before),
        `phase_changed`, `decline_certainty` (0-1), EVIDENCE, and `phase_reason` in words.

    Raises
    ------
    MissingColumns, BadInput
        Evidence lacks a column, has other cells than the quarter before, or there is none.
    """
    rules = rules or PhaseRules()
    if not quarters:
        raise BadInput("Phases need at least one quarter of evidence.")
    cells = checked(quarters)
    codes = np.full((cells.size, len(quarters)), UNKNOWN, dtype=np.int8)
    before = np.full(cells.size, PREVENTION, dtype=np.int8)
    stay = np.full(cells.size, 0, dtype=np.int64)
    for at, quarter in enumerate(quarters):
        codes[:, at] = step(quarter.evidence, rules, before, stay)
        stay = np.where(codes[:, at] == before, stay + 1, 1)
        before = codes[:, at]
    latest = told(cells, quarters, codes, rules)
    return PhaseHistory(
        cells=cells,
        quarters=tuple(quarters),
        codes=codes,
        latest=with_standard(latest, "phases", phases=rules),
    )


def checked(quarters: Sequence[Quarter]) -> NDArray[np.int64]:
    """Give the cells, which must be the same in every quarter."""
    cells: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    for at, quarter in enumerate(quarters):
        require_columns(quarter.evidence, "evidence of phases", ["cell", *EVIDENCE])
        mine = quarter.evidence["cell"].to_numpy(dtype=np.int64)
        if at and not np.array_equal(mine, cells):
            raise BadInput("Evidence of phases: the cells differ between quarters.")
        if at and not quarter.on > quarters[at - 1].on:
            raise BadInput("Evidence of phases: quarters must follow each other in time.")
        cells = mine
    return cells


def step(
    evidence: pd.DataFrame, rules: PhaseRules, before: Codes, stay: NDArray[np.int64]
) -> Codes:
    """Ask the rules once: the phase now, given the phase before and how long it has lasted."""
    recent, _, past = counts_of(evidence)
    chance = evidence["disk_probability"].to_numpy(dtype=float, na_value=np.nan)
    response = (recent >= rules.response_incidents - SLACK) | (chance >= rules.response_probability)
    subsiding = (
        (past >= rules.past_incidents - SLACK)
        & (recent <= rules.recent_most + SLACK)
        & (certainty_of(evidence, rules) >= rules.decline_certainty)
    )
    held = (before == CONSOLIDATION) & (stay < rules.least_quarters)
    # What is in any other phase falls back to prevention only below the lower threshold.
    threshold = np.where(
        (before == PREVENTION) | (before == UNKNOWN),
        rules.probability,
        rules.probability * rules.leave_share,
    )
    now = np.select(
        [response, np.isnan(chance), subsiding | held, chance >= threshold],
        [RESPONSE, UNKNOWN, CONSOLIDATION, PREEMPTION],
        PREVENTION,
    )
    return now.astype(np.int8)


def counts_of(evidence: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Incidents around in months 1 to 3, 4 to 12 and 4 to 24."""
    recent, year, two = (evidence[name].to_numpy(dtype=np.float64) for name in EVIDENCE[:3])
    return recent, np.maximum(year - recent, 0.0), np.maximum(two - recent, 0.0)


def certainty_of(evidence: pd.DataFrame, rules: PhaseRules) -> Floats:
    """Say how certain it is that the recent rate fell below the declared share."""
    recent, before, _ = counts_of(evidence)
    return decline_certainty(recent, before, 3.0, 9.0, rules.decline)


def decline_certainty(
    recent: Floats, before: Floats, recent_months: float, before_months: float, share: float
) -> Floats:
    """Probability that the recent rate is below `share` times the rate before.

    Notes
    -----
    Two Poisson rates with Jeffreys priors have gamma posteriors; the ratio of two gamma
    variables is a beta variable, so the probability is an incomplete beta function.
    """
    odds = share * recent_months / before_months
    return np.asarray(betainc(recent + 0.5, before + 0.5, odds / (1 + odds)), dtype=float)


def told(
    cells: NDArray[np.int64], quarters: Sequence[Quarter], codes: Codes, rules: PhaseRules
) -> pd.DataFrame:
    """Describe the last quarter: phase, since when, before, and why."""
    now = codes[:, -1]
    evidence = quarters[-1].evidence
    table = pd.DataFrame({"cell": cells, "phase": named(now)})
    table["phase_since_on"] = since(codes, [quarter.on for quarter in quarters])
    table["phase_before"] = named(codes[:, -2]) if codes.shape[1] > 1 else named(now * 0 - 1)
    table["phase_changed"] = changed(codes)
    for name in EVIDENCE:
        table[name] = evidence[name].to_numpy(dtype=float, na_value=np.nan)
    table["decline_certainty"] = certainty_of(evidence, rules)
    table["phase_reason"] = reasons(table, now, rules)
    return table


def named(codes: Codes) -> pd.Series:
    """Write codes as words; unknown is NA."""
    words = np.array([*PHASES, None], dtype=object)[codes]
    return pd.Series(words, dtype="str")


def changed(codes: Codes) -> pd.Series:
    """Say whether the phase is another than a quarter before; NA: no quarter before."""
    if codes.shape[1] == 1:
        return pd.Series(pd.NA, index=range(codes.shape[0]), dtype="boolean")
    moved = pd.Series(codes[:, -1] != codes[:, -2], dtype="boolean")
    return moved.mask((codes[:, -1] == UNKNOWN) | (codes[:, -2] == UNKNOWN))


def since(codes: Codes, days: Sequence[pd.Timestamp]) -> pd.Series:
    """Find the quarter in which the present phase began; NA where it held from the first."""
    same = codes == codes[:, [-1]]
    run = same.shape[1] - np.argmin(same[:, ::-1], axis=1)
    first = np.where(same.all(axis=1), 0, run)
    on = pd.Series(pd.DatetimeIndex(list(days)).to_numpy()[np.minimum(first, len(days) - 1)])
    return on.where(first > 0)


def reasons(table: pd.DataFrame, now: Codes, rules: PhaseRules) -> pd.Series:
    """Say for every cell which rule decided, in words."""
    recent, _, past = counts_of(table)
    chance = table["disk_probability"].to_numpy()
    fell = table["decline_certainty"].to_numpy()
    risk = "chance of an incident around next quarter " + percents(chance)
    many = counted(recent) + " incidents around in 3 months; " + risk
    subsiding = counted(past) + " incidents in months 4 to 24, " + counted(recent)
    subsiding += " in the last 3 (decline " + percents(fell) + " certain); " + risk
    subsiding += ": subsiding, not safe"
    lasting = f"consolidation lasts at least {rules.least_quarters} quarters; " + risk
    enters = risk + f" (enters at {100 * rules.probability:g} %)"
    kept = risk + f" (left only below {100 * rules.probability * rules.leave_share:g} %)"
    certain = (fell >= rules.decline_certainty) & (past >= rules.past_incidents - SLACK)
    busy = recent >= rules.response_incidents - SLACK
    texts = np.select(
        [
            (now == RESPONSE) & busy,
            now == RESPONSE,
            (now == CONSOLIDATION) & certain,
            now == CONSOLIDATION,
            (now == PREEMPTION) & (chance >= rules.probability),
            now == PREEMPTION,
            now == PREVENTION,
        ],
        [many, risk, subsiding, lasting, enters, kept, risk + ": no clear threat in the record"],
        "no forecast here",
    )
    return pd.Series(texts, dtype="str")


def percents(values: Floats) -> NDArray[np.object_]:
    """Write shares as whole per cent."""
    words = np.array([f"{number} %" for number in range(101)] + ["unknown"], dtype=object)
    whole = np.where(np.isnan(values), 101, np.rint(np.nan_to_num(values) * 100))
    chosen: NDArray[np.object_] = words[whole.astype(np.intp)]
    return chosen


def counted(values: Floats) -> NDArray[np.object_]:
    """Write counts with at most one decimal."""
    different, at = np.unique(np.round(values, 1), return_inverse=True)
    words: NDArray[np.object_] = np.array([f"{value:g}" for value in different], dtype=object)[at]
    return words
