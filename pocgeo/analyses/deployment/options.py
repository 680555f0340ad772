"""Beside the plan: what each further base or move brings, the next best plans, how firm it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pocgeo.analyses.deployment.demand import Cover, cover_of
from pocgeo.analyses.deployment.question import DeploymentQuestion, DeploymentStandard
from pocgeo.analyses.deployment.siting import Floats, Scenario, Siting
from pocgeo.analyses.deployment.solving import QUICK_NONZEROS, Plan, best_plan, worth_of
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.ground.errors import BadInput

__all__ = ["alternatives", "at_speed", "ladder", "robustness"]

KINDS = ("new", "moves", "closures")
FURTHER = 2
"""How many more than asked the ladder goes on to: is one more worth asking for?"""


def ladder(
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    plan: Plan,
    *,
    cover: Cover | None = None,
) -> pd.DataFrame:
    """Say what each further new base, move or closure brings or costs, the others as asked.

    Returns
    -------
    DataFrame
        `change` ("new", "moves", "closures"), `changes_n` (0 to what was asked, and two more),
        `worth_share`, `gain_share` (over one fewer), `gap_share`, `asked` (bool); `chosen` (masks).
        More new bases or moves never lower the worth. Steps that nothing allows are left out.
    """
    held = cover_of(siting, standard) if cover is None else cover
    rows = []
    for kind in KINDS:
        wanted = getattr(question, kind)
        if not wanted:
            continue
        before: Plan | None = None
        for count in range(wanted + FURTHER + 1):
            asked = replace(question, **{kind: count})
            grown = before is not None and kind != "closures"
            try:
                found = plan if count == wanted else best_plan(
                    siting, asked, standard, cover=held, exact=QUICK_NONZEROS,
                    known=before.chosen if before is not None and grown else None,
                )  # fmt: skip
            except BadInput:
                continue
            rows.append(
                {
                    "change": kind,
                    "changes_n": count,
                    "worth_share": found.worth,
                    "gain_share": np.nan if before is None else found.worth - before.worth,
                    "gap_share": found.gap,
                    "asked": count == wanted,
                    "chosen": found.chosen,
                }
            )
            before = found
    columns = ["change", "changes_n", "worth_share", "gain_share", "gap_share", "asked", "chosen"]
    return pd.DataFrame(rows, columns=columns)


def alternatives(
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    plan: Plan,
    near: Mapping[int, Sequence[int]] | None = None,
    *,
    cover: Cover | None = None,
) -> pd.DataFrame:
    """Find the best plan without each change that the plan makes: how much hangs on it.

    Parameters
    ----------
    siting, question, standard, plan
    near : mapping, optional
        For a place: places so near that they are the same choice; barred with it.

    Returns
    -------
    DataFrame, one row per change, the least costly to do without first
        `site` (position of the place not taken, or of the base that stays), `worth_share`,
        `loss_share` (of worth, against the plan), `gap_share`, `chosen` (mask; None: nothing else
        is possible).
    """
    held = cover_of(siting, standard) if cover is None else cover
    rows = []
    for site in np.flatnonzero(plan.chosen != siting.existing).tolist():
        other = siting
        if siting.existing[site]:
            other = siting.keeping([site])
        elif not siting.fixed[site]:
            shut = [site, *(near or {}).get(site, ())]
            other = siting.without([each for each in shut if not siting.fixed[each]])
        else:
            continue
        try:
            found: Plan | None = best_plan(
                other, question, standard, cover=held, exact=QUICK_NONZEROS
            )
        except BadInput:
            found = None
        rows.append(without(site, plan, found))
    columns = ["site", "worth_share", "loss_share", "gap_share", "chosen"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["loss_share", "site"], kind="stable", ignore_index=True)


def without(site: int, plan: Plan, found: Plan | None) -> dict[str, object]:
    """Make the row of the best plan without one change."""
    if found is None:
        shares = dict.fromkeys(("worth_share", "loss_share", "gap_share"), np.nan)
        return {"site": site, **shares, "chosen": None}
    loss = max(plan.worth - found.worth, 0.0)
    return {
        "site": site, "worth_share": found.worth, "loss_share": loss, "gap_share": found.gap,
        "chosen": found.chosen,
    }  # fmt: skip


def at_speed(table: ReachTable, factor: float, notice_min: Floats) -> ReachTable:
    """Change all speeds by a factor; readiness stays."""
    wait = notice_min[table.site].astype(np.float32)
    travel = np.maximum(table.minutes - wait, 0) / np.float32(factor)
    limit = table.limit_min if factor <= 1 else table.limit_min / factor
    return replace(table, minutes=np.minimum(table.minutes, wait) + travel, limit_min=limit)


def robustness(
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    plan: Plan,
    notice_min: Floats,
    others: Mapping[str, Floats] | None = None,
) -> pd.DataFrame:
    """Ask how the plan stands if speeds or the weights of risk are not what was assumed.

    Parameters
    ----------
    siting, question, standard, plan
    notice_min : one per site
        Readiness, which speeds do not change.
    others : mapping of words to one demand per cell, optional
        Demand by other weights.

    Returns
    -------
    DataFrame, one row per assumption
        `assumption`, `today_share`, `worth_share` (of the plan), `best_share` (of the best plan
        under it), `regret_share`, `same_n`, `changes_n` (changes that the best plan shares with
        ours, of ours).
    """
    rows = [judged("as assumed", siting, question, standard, plan, known=plan)]
    share = standard.speed_change
    for words, factor in (("slower", 1 - share), ("faster", 1 + share)):
        if not share:
            break
        moved = tuple(
            replace(each, table=at_speed(each.table, factor, notice_min))
            for each in siting.scenarios
        )
        name = f"speeds {share:.0%} {words}"
        rows.append(judged(name, replace(siting, scenarios=moved), question, standard, plan))
    for name, demand in (others or {}).items():
        weighed: tuple[Scenario, ...] = tuple(
            replace(each, demand=demand) for each in siting.scenarios
        )
        rows.append(judged(name, replace(siting, scenarios=weighed), question, standard, plan))
    return pd.DataFrame(rows)


def judged(
    name: str,
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    plan: Plan,
    known: Plan | None = None,
) -> dict[str, object]:
    """Hold the plan against the best one under one assumption."""
    cover = cover_of(siting, standard)
    best = known or best_plan(
        siting, question, standard, cover=cover, known=plan.chosen, exact=QUICK_NONZEROS
    )
    ours, today = (
        float(worth_of(sites, siting, standard, cover).min())
        for sites in (plan.chosen, siting.today)
    )
    theirs = float(worth_of(best.chosen, siting, standard, cover).min())
    changed = plan.chosen != siting.existing
    return {
        "assumption": name,
        "today_share": today,
        "worth_share": ours,
        "best_share": max(theirs, ours),
        "regret_share": max(theirs - ours, 0.0),
        "same_n": int((changed & (best.chosen == plan.chosen)).sum()),
        "changes_n": int(changed.sum()),
    }
