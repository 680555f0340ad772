"""Why a place is chosen or a base goes, in words a planner would use."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.deployment.outcome import only_by
from pocgeo.aoi.plans.siting import PlanScene

__all__ = ["gained_and_lost", "names_of", "place_of", "why_left", "why_taken"]

NAMED = 3
SMALL = 0.0005


def place_of(scene: PlanScene, site: int, *, beside: bool = False) -> str:
    """Name a site so that a driver finds it; `beside`: its grid reference stands beside it."""
    row = scene.sites.iloc[site]
    near = settlement_at(scene, int(row["cell"]))
    if row["kind"] in {"base", "settlement", "site", "landing site", "candidate"}:
        return str(row["name"])
    kind = str(row["kind"]).capitalize()
    if near and beside:
        return f"{kind} near {near}"
    return f"{kind} near {near} ({row['name']})" if near else f"{kind} {row['name']}"


def settlement_at(scene: PlanScene, cell: int) -> str | None:
    """Name of the settlement nearest to a cell."""
    if "settlement" not in scene.cells:
        return None
    found = scene.cells.loc[scene.cells["cell"] == cell, "settlement"]
    return None if found.empty or found.isna().all() else str(found.iloc[0])


def gained_and_lost(
    scene: PlanScene, chosen: NDArray[np.bool_], step_min: float
) -> dict[int, NDArray[np.bool_]]:
    """Give the cells that each place taken alone reaches, and each base left alone reached."""
    siting = scene.siting
    first = siting.scenarios[0]
    after = first.table.covers(step_min, chosen) > 0
    made = {}
    for site in np.flatnonzero(chosen & ~siting.existing).tolist():
        made[site] = only_by(first, site, chosen, step_min)
    for site in np.flatnonzero(siting.existing & ~chosen).tolist():
        mine = np.zeros(first.table.cells_n, dtype=bool)
        start, end = first.table.indptr[site : site + 2]
        mine[first.table.cell[start:end][first.table.minutes[start:end] <= step_min]] = True
        made[site] = mine & ~after
    return made


def persons(scene: PlanScene, cells: NDArray[np.bool_]) -> float:
    """People of some cells, as far as they are known."""
    return float(np.nansum(scene.people[cells]))


def names_of(scene: PlanScene, cells: NDArray[np.bool_]) -> str:
    """Name the settlements nearest to most of the people of some cells."""
    if "settlement" not in scene.cells:
        return ""
    some = scene.cells.loc[cells, ["settlement"]].assign(people=scene.people[cells])
    sums = some.groupby("settlement")["people"].sum().sort_values(ascending=False, kind="stable")
    sums = sums[sums.round() > 0]
    said = [f"{name} {people:,.0f}" for name, people in sums.head(NAMED).items()]
    more = len(sums) - len(said)
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")


def why_taken(
    scene: PlanScene, site: int, alone: NDArray[np.bool_], other: pd.Series | None,
    standard: DeploymentStandard,
) -> str:  # fmt: skip
    """Say why a place is chosen: whom it alone reaches, and what would be taken without it."""
    many = persons(scene, alone)
    step = standard.middle_min
    if many >= 1:
        said = f"Alone reaches {many:,.0f} people within {step:g} min ({names_of(scene, alone)})."
    else:
        said = f"Reaches nobody within {step:g} min whom others do not; it makes others quicker."
    return f"{said} {hangs_on(scene, other, 'Without it')}".strip()


def why_left(
    scene: PlanScene, site: int, lost: NDArray[np.bool_], chosen: NDArray[np.bool_],
    other: pd.Series | None, standard: DeploymentStandard,
) -> str:  # fmt: skip
    """Say why a base may go: whom it reaches that others reach too, and who loses cover."""
    table, step = scene.siting.scenarios[0].table, standard.middle_min
    start, end = table.indptr[site : site + 2]
    mine = np.zeros(table.cells_n, dtype=bool)
    mine[table.cell[start:end][table.minutes[start:end] <= step]] = True
    reached, gone = persons(scene, mine), persons(scene, lost)
    owner = table.field(chosen).site[mine & ~lost]
    people = np.nan_to_num(scene.people[mine & ~lost])
    by = pd.Series(people).groupby(owner).sum().sort_values(ascending=False, kind="stable")
    names = [place_of(scene, int(each)) for each in by.index[:2] if int(each) >= 0]
    said = f"Of {reached:,.0f} people within {step:g} min of it, {reached - gone:,.0f} stay so"
    said += f" ({' and '.join(names)})" if names and reached > gone else ""
    said += f"; {gone:,.0f} lose it" + (f" ({names_of(scene, lost)})." if gone >= 1 else ".")
    return f"{said} {hangs_on(scene, other, 'If it stays')}".strip()


def hangs_on(scene: PlanScene, other: pd.Series | None, words: str) -> str:
    """Say what the next best plan without a change is worth."""
    if other is None:
        return ""
    if other["chosen"] is None:
        return f"{words}, no plan keeps to all that is asked."
    loss = float(other["loss_share"])
    if loss < SMALL:
        return f"{words}, another plan is almost as good."
    return f"{words}, the best plan is worth {100 * loss:.1f} points less."


def instead_of(
    scene: PlanScene, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]
) -> tuple[str, str]:
    """Name what another plan takes, and what it leaves, that ours does not."""
    existing = scene.siting.existing
    taken = np.flatnonzero(theirs & ~ours & ~existing)
    left = np.flatnonzero(~theirs & ours & existing)
    return joined(scene, taken), joined(scene, left)


def joined(scene: PlanScene, sites: Sequence[int] | NDArray[np.int64]) -> str:
    """Name sites in one line."""
    return ", ".join(place_of(scene, int(site)) for site in sites)
