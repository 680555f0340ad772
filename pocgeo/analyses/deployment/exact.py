"""Solving the program exactly: scipy's milp, which is HiGHS, to a gap and never to a clock."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from pocgeo.analyses.deployment.program import Program
from pocgeo.analyses.deployment.siting import Floats

__all__ = ["NODES", "Solved", "solve"]

NODES = 20_000
"""Branches looked into at most: a count, not a clock, so that the answer is the same anywhere."""

INFEASIBLE = 2


class Solved(NamedTuple):
    """What the solver says."""

    columns: Floats | None
    """None: nothing keeps to all rows, or nothing was found."""

    worth: float
    bound: float
    infeasible: bool


def solve(program: Program, gap: float, nodes: int = NODES) -> Solved:
    """Solve a program for the most worth."""
    worth = program.worths()
    bounds = Bounds(np.concatenate(program.low), np.concatenate(program.high))
    rows = LinearConstraint(
        program.matrix(), np.concatenate(program.least), np.concatenate(program.most)
    )
    told = milp(
        -worth,
        integrality=np.concatenate(program.whole).astype(int),
        bounds=bounds,
        constraints=rows,
        options={"mip_rel_gap": gap, "node_limit": nodes},
    )
    if told.x is None:
        return Solved(None, -np.inf, np.inf, told.status == INFEASIBLE)
    bound = getattr(told, "mip_dual_bound", None)
    most = float(-told.fun) if bound is None else float(-bound)
    return Solved(told.x, float(-told.fun), max(most, float(-told.fun)), infeasible=False)
