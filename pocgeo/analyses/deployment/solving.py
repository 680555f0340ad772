"""From a question to a plan and its gap: exactly where that is quick, else by search and bound."""

from dataclasses import dataclass, replace

import numpy as np

from pocgeo.analyses.deployment.bounds import bound_of
from pocgeo.analyses.deployment.conflicts import conflict_of
from pocgeo.analyses.deployment.demand import Cover, cover_of
from pocgeo.analyses.deployment.exact import NODES, solve
from pocgeo.analyses.deployment.orders import orders_of
from pocgeo.analyses.deployment.program import SCALE, deployment_program
from pocgeo.analyses.deployment.question import DeploymentQuestion, DeploymentStandard
from pocgeo.analyses.deployment.siting import Floats, Mask, Siting
from pocgeo.analyses.deployment.swaps import Search, improved, shaken, start
from pocgeo.ground.errors import BadInput

__all__ = ["EXACT_NONZEROS", "QUICK_NONZEROS", "Plan", "best_plan", "near_enough", "worth_of"]

QUICK_NONZEROS = 8_000
"""The same for the many plans beside the one that is asked for: alternatives, steps, trials."""

EXACT_NONZEROS = 60_000
"""Pairs of row and site up to which the program is solved to the optimum at once."""

PROGRAM_NONZEROS = 250_000
"""Pairs up to which the program is solved at all: denser ones may stall for hours."""

ROUNDS, ROUNDS_EACH = 300, 100
BOUND_STEPS = 600


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """A set of sites, what it is worth, and what the best could be worth."""

    chosen: Mask
    worth: float
    """Share of the worth of reaching everybody at once; with several scenarios, 1 - regret."""

    bound: float
    """No plan is worth more."""

    by_scenario: Floats
    """Share of worth in each scenario."""

    how: str
    """"optimum", "program" or "search"; how it was found."""

    candidates_n: int
    """Candidates that were weighed."""

    platoons: Floats | None = None
    """Of every site, where strength was asked."""

    @property
    def gap(self) -> float:
        """Share by which the best plan may be better, 0 or more."""
        if self.worth <= 0:
            return 0.0 if self.bound <= 0 else float("inf")
        return max(self.bound / self.worth - 1.0, 0.0)


def best_plan(
    siting: Siting,
    question: DeploymentQuestion,
    standard: DeploymentStandard,
    *,
    cover: Cover | None = None,
    known: Mask | None = None,
    exact: int = EXACT_NONZEROS,
) -> Plan:
    """Find the best set of sites.

    Parameters
    ----------
    siting : Siting
    question, standard
    cover : Cover, optional
        Demand collapsed before: `cover_of(siting, standard)`.
    known : mask of sites, optional
        A plan that answers the question: the answer is never worse.
    exact : int
        Pairs of row and site up to which the program is solved to the optimum at once.

    Returns
    -------
    Plan
        The same for the same arguments, anywhere.

    Raises
    ------
    BadInput
        Nothing keeps to all that is asked; the message names what conflicts.
    """
    held = cover_of(siting, standard) if cover is None else cover
    reason = conflict_of(siting, question, standard)
    if reason is not None:
        raise reason
    siting, question = siting.within_ways(question, standard.move_limit_km)
    if len(siting.scenarios) > 1:
        return least_regret(siting, question, standard, held)
    made = freely(siting, question, standard, held, exact)
    if made is None or not near_enough(made.chosen, siting, question, standard):
        made = programmed(siting, question, standard, held)
    return better_of(made, known, siting, standard, held)


def freely(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard, cover: Cover,
    exact: int,
) -> Plan | None:  # fmt: skip
    """Seek the plan as if any base might move anywhere; None where strength or equity binds."""
    if standard.equity or standard.platoons_n is not None:
        return None
    free, wide = replace(standard, move_limit_km=None), siting.freed
    made = searched(wide, question, free, cover, exact)
    return programmed(wide, question, free, cover) if made is None else made


def near_enough(
    chosen: Mask, siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard
) -> bool:
    """Whether the moves of a plan keep to limit and ways: then it is the best under them too."""
    limit = standard.move_limit_km
    if siting.movable(limit) is None or not question.moves:
        return True
    free = np.zeros((siting.sites_n, siting.sites_n))
    apart = free if siting.distance_km is None else siting.distance_km
    try:
        orders_of(chosen, siting, question.closures, apart, limit)
    except BadInput:
        return False
    return True


def better_of(
    made: Plan, known: Mask | None, siting: Siting, standard: DeploymentStandard, cover: Cover
) -> Plan:
    """Take the plan that is known already if it is worth more."""
    if known is None or standard.platoons_n is not None:
        return made
    worth = worth_of(known, siting, standard, cover)
    if float(worth[0]) <= made.worth * (1 + 1e-9):
        return made
    return replace(
        made, chosen=known, worth=float(worth[0]), by_scenario=worth,
        bound=max(made.bound, float(worth[0])),
    )  # fmt: skip


def worth_of(
    chosen: Mask, siting: Siting, standard: DeploymentStandard, cover: Cover,
    platoons: Floats | None = None,
) -> Floats:  # fmt: skip
    """Share of all worth that a set of sites has, by scenario.

    Where strength is asked and `platoons` are not given, each scenario places them best.
    """
    if not standard.equity and standard.platoons_n is None:
        return cover.values(chosen) / np.where(cover.total > 0, cover.total, 1.0)
    count = len(siting.scenarios)
    return np.array(
        [frozen(chosen, siting, standard, cover, (n, platoons)).worth for n in range(count)]
    )


def frozen(
    chosen: Mask, siting: Siting, standard: DeploymentStandard, cover: Cover,
    of: tuple[int, Floats | None],
) -> Plan:  # fmt: skip
    """Work out a set of sites, in one scenario, as a plan of its own: platoons and equity too."""
    scenario, platoons = of
    held = replace(siting, fixed=chosen, barred=~chosen, requirements=()).only(scenario)
    asked = DeploymentQuestion(
        new=int((chosen & ~siting.existing).sum()), closures=int((siting.existing & ~chosen).sum())
    )
    part = alone(cover, scenario)
    program, x = deployment_program(held, part, asked, replace(standard, move_limit_km=None))
    if platoons is not None and program.platoons is not None:
        program.rows(len(x), [(None, program.platoons, 1.0)], platoons, platoons)
    solved = solve(program, standard.gap / 10)
    if solved.columns is None:
        reason = conflict_of(held, asked, standard, always=True)
        raise reason or RuntimeError("no plan")
    return Plan(
        chosen=solved.columns[x] > 0.5,
        worth=solved.worth / SCALE,
        bound=max(solved.bound, solved.worth) / SCALE,
        by_scenario=np.array([solved.worth / SCALE]),
        how="optimum",
        candidates_n=0,
        platoons=None if program.platoons is None else np.round(solved.columns[program.platoons]),
    )


def alone(cover: Cover, scenario: int) -> Cover:
    """Keep the demand of one scenario."""
    blocks = tuple(
        replace(block, scenario=0) for block in cover.blocks if block.scenario == scenario
    )
    return Cover(blocks=blocks, total=cover.total[[scenario]])


def settled_sites(siting: Siting, question: DeploymentQuestion) -> Mask:
    """Sites that stand whatever is chosen."""
    changes = question.moves + question.closures
    return siting.fixed if changes else siting.fixed | (siting.existing & ~siting.barred)


def searched(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard, cover: Cover,
    exact: int,
) -> Plan | None:  # fmt: skip
    """Search with a bound; None where the program is small enough to be solved instead."""
    less, settled = cover.lessened(settled_sites(siting, question), siting.barred)
    if less.nonzeros <= exact:
        return None
    block = less.stacked
    rng = np.random.Generator(np.random.PCG64(standard.seed))
    search = improved(start(siting, block, question))
    total, base = float(cover.total[0]), float(settled[0])
    met = siting.allows(search.taken, question)
    bound = np.inf
    useless, hoped = np.zeros(siting.sites_n, dtype=bool), -np.inf
    for rounds in range(0, ROUNDS + 1, ROUNDS_EACH):
        if rounds:
            search = shaken(search, ROUNDS_EACH, rng)
        worth = float(less.values(search.taken)[0])
        wanted = (worth + base) * (1 + standard.gap) - base
        if bound > wanted:
            hoped = (worth + base) * (1 + standard.gap / 5) - base
            found = bound_of(
                siting, block, question, worth=worth, wanted=hoped,
                steps=BOUND_STEPS // 2 if rounds == 0 else BOUND_STEPS,
            )  # fmt: skip
            bound, useless = min(bound, found.worth), found.useless
        if bound <= wanted:
            break
    worth = float(less.values(search.taken)[0])
    met = siting.allows(search.taken, question)
    left = siting.without(np.flatnonzero(useless & ~search.taken))
    if met and bound > (worth + base) * (1 + standard.gap) - base:
        smaller, _ = less.lessened(np.zeros(siting.sites_n, dtype=bool), left.barred)
        if smaller.nonzeros <= PROGRAM_NONZEROS:
            made = programmed(left, question, standard, cover)
            most = min((bound + base) / total, max(made.bound, (hoped + base) / total))
            return better_of(replace(made, bound=most), search.taken, siting, standard, cover)
    if not met:
        return None
    return told(search, (worth + base) / total, (bound + base) / total, siting)


def told(search: Search, worth: float, bound: float, siting: Siting) -> Plan:
    """Put a search into a plan; a place that adds nothing is not taken."""
    chosen = search.taken.copy()
    for site in np.flatnonzero(chosen & ~siting.existing & ~siting.fixed):
        if adds_nothing(search, int(site), chosen, siting):
            chosen[site] = False
    return Plan(
        chosen=chosen,
        worth=worth,
        bound=max(bound, worth),
        by_scenario=np.array([worth]),
        how="search",
        candidates_n=int((~siting.existing & ~siting.barred).sum()),
    )


def adds_nothing(search: Search, site: int, chosen: Mask, siting: Siting) -> bool:
    """Say whether a new place brings nothing, no required cover either."""
    gone = int((siting.existing & ~chosen).sum())
    taken = int((chosen & ~siting.existing).sum())
    if taken <= gone - search.question.closures:
        return False  # it stands for a base that moved
    rows = search.rows_of(site)
    others = chosen.copy()
    others[site] = False
    left = search.by_row[rows] @ others.astype(np.float64)
    lost = search.first[rows][left == 0].sum() + search.second[rows][left <= 1].sum()
    return bool(lost <= 0)


def programmed(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard, cover: Cover
) -> Plan:
    """Solve the program; where it is too dense, over the candidates that promise most."""
    bound = np.inf
    kept = siting
    used, settled = shaped(kept, question, standard, cover)
    weighed = int((~siting.existing & ~siting.barred).sum())
    if used.nonzeros > PROGRAM_NONZEROS:
        if not standard.equity:
            stack = used.stacked
            best = bound_of(siting, stack, question, worth=0.0, wanted=0.0, steps=BOUND_STEPS)
            bound = (best.worth + float(settled[0])) / float(cover.total[0])
        kept = thinned(siting, cover, used)
        used, settled = shaped(kept, question, standard, cover)
    program, x = deployment_program(kept, used, question, standard)
    exact = used.nonzeros <= EXACT_NONZEROS
    solved = solve(program, 0.0 if exact else standard.gap, NODES // 10 if exact else NODES)
    if solved.columns is None:
        raise conflict_of(siting, question, standard, always=True) or RuntimeError("no plan")
    chosen = solved.columns[x] > 0.5
    base = float(settled[0] / cover.total[0]) if cover.total[0] > 0 else 0.0
    worth = solved.worth / SCALE + base
    if standard.platoons_n is None:
        worth = float(worth_of(chosen, siting, standard, cover)[0])
    most = solved.bound / SCALE + base if kept is siting else bound
    return Plan(
        chosen=chosen,
        worth=worth,
        bound=max(float(most), worth) if most > worth * (1 + 2e-6) else worth,
        by_scenario=np.array([worth]),
        how="optimum" if exact and kept is siting else "program",
        candidates_n=weighed if kept is siting else int((~kept.existing & ~kept.barred).sum()),
        platoons=None if program.platoons is None else np.round(solved.columns[program.platoons]),
    )


def shaped(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard, cover: Cover
) -> tuple[Cover, Floats]:
    """Take out of the demand what is settled, where no term needs to see it."""
    if standard.equity or standard.platoons_n is not None:
        return cover, np.zeros(len(cover.total))
    return cover.lessened(settled_sites(siting, question), siting.barred)


def thinned(siting: Siting, cover: Cover, used: Cover) -> Siting:
    """Bar the candidates that by themselves would add least, until the program is small enough."""
    alone_worth = np.zeros(siting.sites_n)
    size = np.zeros(siting.sites_n)
    free_of_today = siting.today.astype(np.float64)
    for block in cover.blocks:
        open_rows = (block.matrix @ free_of_today == 0) * block.weight
        alone_worth += block.matrix.T @ (open_rows + 1e-6 * block.weight)
    for block in used.blocks:
        size += np.bincount(block.matrix.indices, minlength=siting.sites_n)
    free = np.flatnonzero(~siting.existing & ~siting.fixed & ~siting.barred)
    needed = {site for need in siting.requirements for site in need.sites}
    order = free[np.argsort(-alone_worth[free], kind="stable")]
    order = np.array(sorted(order, key=lambda site: site not in needed), dtype=np.int64)
    room = PROGRAM_NONZEROS - (size.sum() - size[free].sum())
    return siting.without(order[np.cumsum(size[order]) > max(room, PROGRAM_NONZEROS / 5)])


def least_regret(
    siting: Siting, question: DeploymentQuestion, standard: DeploymentStandard, cover: Cover
) -> Plan:
    """Choose the plan whose worst shortfall from any scenario's own best plan is least."""
    count = len(siting.scenarios)
    singles = [
        best_plan(siting.only(number), question, standard, cover=alone(cover, number))
        for number in range(count)
    ]
    used, settled = shaped(siting, question, standard, cover)
    kept = thinned(siting, cover, used) if used.nonzeros > PROGRAM_NONZEROS else siting
    if kept is not siting:
        used, settled = shaped(kept, question, standard, cover)
    best = np.array([plan.worth for plan in singles])
    program, x = deployment_program(
        kept, used, question, standard, best=best * cover.total - settled
    )
    exact = used.nonzeros <= EXACT_NONZEROS
    solved = solve(program, 0.0 if exact else standard.gap / 10, NODES // 10 if exact else NODES)
    tried = [(plan.chosen, plan.platoons) for plan in singles]
    if solved.columns is not None:
        strong = None if program.platoons is None else np.round(solved.columns[program.platoons])
        tried.insert(0, (solved.columns[x] > 0.5, strong))
    worths = [worth_of(chosen, siting, standard, cover, strong) for chosen, strong in tried]
    regrets = [float((best - worth).max()) for worth in worths]
    first = int(np.argmin(np.round(regrets, 9)))
    least = regret_bound(solved.bound, best, settled / np.where(cover.total > 0, cover.total, 1.0))
    regret = max(regrets[first], 0.0)
    return Plan(
        chosen=tried[first][0],
        platoons=tried[first][1],
        worth=1.0 - regret,
        bound=1.0 - min(least, regret) if kept is siting else 1.0,
        by_scenario=worths[first],
        how="optimum" if exact and kept is siting else "program",
        candidates_n=int((~kept.existing & ~kept.barred).sum()),
    )


def regret_bound(bound: float, best: Floats, settled: Floats) -> float:
    """Least regret that any plan has, from the bound of -R + 0.0001 x worth of all scenarios."""
    if not np.isfinite(bound):
        return 0.0
    part = 1e-4
    open_worth = float((best - settled).sum()) * SCALE
    least = (part * open_worth - bound) / (1 + part * len(best)) / SCALE
    return max(least, 0.0)
