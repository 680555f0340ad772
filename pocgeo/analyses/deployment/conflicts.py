"""Where nothing keeps to all that is asked: the smallest set of demands that conflict.

A deletion filter (Chinneck and Dravnieks 1991, ORSA Journal on Computing 3, 157-168): leave out
one demand after the other; what can be left out while nothing is possible is no part of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pocgeo.analyses.deployment.exact import solve
from pocgeo.analyses.deployment.program import Program, bind, every
from pocgeo.analyses.deployment.question import DeploymentQuestion, DeploymentStandard
from pocgeo.analyses.deployment.siting import Requirement, Siting
from pocgeo.ground.errors import BadInput, shortened

__all__ = ["Conflict", "conflict_of"]

KEPT, TAKEN, GO, LIMIT, WAY, STRENGTH = "kept", "taken", "must go", "limit", "way", "strength"


class Conflict(BadInput):
    """No deployment keeps to all that is asked."""

    def __init__(self, question: DeploymentQuestion, demands: Sequence[str]) -> None:
        self.question, self.demands = question, tuple(demands)
        said = "; ".join(self.demands) or "there are too few bases and places"
        super().__init__(
            f"No plan of {question.words} keeps to all that is asked. These conflict: {said}. "
            "Give up one of them, or ask for other numbers."
        )


def conflict_of(
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    *,
    always: bool = False,
) -> Conflict | None:
    """Say what conflicts; None where some plan keeps to everything.

    Parameters
    ----------
    siting, question, standard
    always : bool
        Nothing was found: say so even if the binding rows by themselves can be met.
    """
    if possible(siting, question, standard):
        return Conflict(question, ["what is asked of cover"]) if always else None
    own = [KEPT, TAKEN, GO, LIMIT, WAY, STRENGTH]
    groups = list(own)
    groups += list(dict.fromkeys(need.kind for need in siting.requirements))
    left: list[str] = []
    for group in list(groups):
        fewer = [other for other in groups if other != group]
        if not possible(*kept_groups(siting, standard, fewer, question)):
            groups = fewer
    held, hard = siting, standard
    for group in groups:
        if group in own:
            left.append(words_of(group, siting, standard))
    held, asked, hard = kept_groups(siting, standard, groups, question)
    for need in smallest(held, asked, hard):
        left.append(f"{need.kind} {need.name}")
    return Conflict(question, left)


def possible(siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard) -> bool:
    """Say whether any set of sites keeps to the binding rows."""
    if question.closures > int(siting.existing.sum()):
        return False
    program = Program()
    x = program.columns(siting.sites_n, whole=True)
    bind(program, x, siting, question, standard)
    if standard.platoons_n is not None:
        most = float(standard.platoons_n) / standard.platoons_least
        program.rows(1, [(every(len(x)), x, 1.0)], 0.0, most)
    return not solve(program, 0.0).infeasible


def kept_groups(
    siting: Siting, standard: DeploymentStandard, groups: Sequence[str],
    question: DeploymentQuestion,
) -> tuple[Siting, DeploymentQuestion, DeploymentStandard]:  # fmt: skip
    """Leave out the demands of all other groups."""
    fixed, barred = siting.fixed.copy(), siting.barred.copy()
    if KEPT not in groups:
        fixed &= ~siting.existing
    if TAKEN not in groups:
        fixed &= siting.existing
    if GO not in groups:
        barred &= ~siting.existing
    needs = tuple(need for need in siting.requirements if need.kind in groups)
    passable = siting.passable if WAY in groups else None
    free = standard if LIMIT in groups else replace(standard, move_limit_km=None)
    free = free if STRENGTH in groups else replace(free, platoons_n=None)
    held = replace(siting, fixed=fixed, barred=barred, requirements=needs, passable=passable)
    return held, question, free


def smallest(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard
) -> list[Requirement]:
    """Leave out requirements, halves first, while nothing becomes possible."""
    needs = list(siting.requirements)
    size = max(len(needs) // 2, 1)
    while needs and size:
        start = 0
        while start < len(needs):
            fewer = needs[:start] + needs[start + size :]
            if not possible(replace(siting, requirements=tuple(fewer)), question, standard):
                needs = fewer
            else:
                start += size
        size //= 2
    return needs


def words_of(group: str, siting: Siting, standard: DeploymentStandard) -> str:
    """Say a demand in words."""
    names = np.array(siting.site_id, dtype=object)
    said = {
        KEPT: ("bases kept: ", siting.fixed & siting.existing),
        TAKEN: ("places that must be taken: ", siting.fixed & ~siting.existing),
        GO: ("bases that must go: ", siting.barred & siting.existing),
    }
    if group in said:
        words, mask = said[group]
        return words + shortened([str(name) for name in names[mask]])
    if group == LIMIT:
        return f"moves of at most {standard.move_limit_km:g} km"
    if group == WAY:
        return "moves only where there is a way"
    return (
        f"{standard.platoons_n} platoons in all, {standard.platoons_least} at least in every base"
    )
