"""What came after each phase in the user's own past, and what a threshold would have cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.phases.history import PREVENTION, PhaseHistory, Quarter, phases
from pocgeo.analyses.phases.rules import PHASES, PhaseRules
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["capacity", "phase_record"]

Floats = NDArray[np.float64]

LEAST_INCIDENTS = 30
"""House limit: with fewer incidents behind it, a share is said to rest on little."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """What happened in the quarter after each quarter but the last: n cells x (t - 1)."""

    incidents: Floats
    around: Floats


def outcomes(quarters: Sequence[Quarter]) -> Outcomes:
    """Read what came after every quarter but the last."""
    for quarter in quarters[:-1]:
        require_columns(quarter.evidence, "evidence of phases", ["came_n", "came_around_n"])
    size = len(quarters[0].evidence)
    empty = np.zeros((size, 0))

    def column(name: str) -> Floats:
        parts = [quarter.evidence[name].to_numpy(dtype=np.float64) for quarter in quarters[:-1]]
        return np.stack(parts, axis=1) if parts else empty

    return Outcomes(incidents=column("came_n"), around=column("came_around_n"))


def phase_record(history: PhaseHistory, area_km2: Floats) -> pd.DataFrame:
    """Say what came in the quarter after a cell was put into each phase.

    Parameters
    ----------
    history : PhaseHistory; its evidence says what came
    area_km2 : array, n cells

    Returns
    -------
    DataFrame, one row per phase, the most dangerous first as measured elsewhere
        `phase`, `cells_n` (now), `phase_area_share` (mean, 0-1), `followed_share` (of cells in the
        phase, those with an incident around in the next quarter), `next_incidents_share` (of
        all incidents of the next quarter), `times_prevention` (how many times as often as in
        prevention), `stayed_share` (still in the phase a quarter later). NA: never seen.
    """
    seen = outcomes(history.quarters)
    past, now = history.codes[:, :-1], history.codes[:, -1]
    total = seen.incidents.sum()
    rows = []
    for code in (2, 1, 3, 0):
        inside = past == code
        many = int(inside.sum())
        later = history.codes[:, 1:]
        rows.append(
            {
                "phase": PHASES[code],
                "cells_n": int((now == code).sum()),
                "phase_area_share": ratio((inside * area_km2[:, None]).sum(), area(past, area_km2)),
                "followed_share": ratio((seen.around[inside] > 0).sum(), many),
                "next_incidents_share": ratio(seen.incidents[inside].sum(), total),
                "stayed_share": ratio((later[inside] == code).sum(), many),
            }
        )
    table = pd.DataFrame(rows)
    calm = float(table["followed_share"].iloc[-1])
    table["times_prevention"] = table["followed_share"] / (calm if calm > 0 else np.nan)
    table.attrs["notes"] = [rests_on(seen, history.quarters)]
    return with_standard(table, "phase_record")


def capacity(
    quarters: Sequence[Quarter], area_km2: Floats, rules: PhaseRules | None = None
) -> pd.DataFrame:
    """Compare thresholds of pre-emption: ground outside prevention against incidents there.

    Returns
    -------
    DataFrame, one row per threshold
        `preemption_probability`, `in_use` (bool), `phase_area_share` outside prevention (mean,
        0-1), `next_incidents_share` of the next quarter's incidents there, `cells_n` there now.
    """
    rules = rules or PhaseRules()
    seen = outcomes(quarters)
    asked = sorted({*rules.capacity_probabilities, rules.probability}, reverse=True)
    rows = []
    for probability in asked:
        tried = replace(
            rules,
            probability=probability,
            response_probability=max(rules.response_probability, probability),
        )
        codes = phases(quarters, tried).codes
        outside = codes[:, :-1] != PREVENTION
        rows.append(
            {
                "preemption_probability": probability,
                "in_use": probability == rules.probability,
                "phase_area_share": ratio(
                    (outside * area_km2[:, None]).sum(), area(codes[:, :-1], area_km2)
                ),
                "next_incidents_share": ratio(seen.incidents[outside].sum(), seen.incidents.sum()),
                "cells_n": int((codes[:, -1] != PREVENTION).sum()),
            }
        )
    table = pd.DataFrame(rows)
    table.attrs["notes"] = [rests_on(seen, quarters)]
    return with_standard(table, "phase_capacity", phases=rules)


def ratio(part: float, whole: float) -> float:
    """Divide; NaN where there is nothing to divide by."""
    return float(part) / float(whole) if whole > 0 else float("nan")


def area(codes: NDArray[np.int8], area_km2: Floats) -> float:
    """Add up the area of all cells and quarters."""
    return float(area_km2.sum() * codes.shape[1])


def rests_on(seen: Outcomes, quarters: Sequence[Quarter]) -> str:
    """Say on how much the shares rest."""
    many, count = float(seen.incidents.sum()), seen.incidents.shape[1]
    if not count:
        return "No quarter with an outcome yet: nothing to measure the rules by."
    days = f"{quarters[0].on:%d %b %Y} to {quarters[-2].on:%d %b %Y}"
    thin = " That is little: read the shares as a rough guide." if many < LEAST_INCIDENTS else ""
    return (
        f"Measured on {count} quarters ending {days} and {many:.0f} incidents that followed; the "
        f"forecast was refitted at each.{thin}"
    )
