"""Other pictures of the demand, to see whether a plan hangs on the weights of risk."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.risk import risk
from pocgeo.analyses.weights import RiskWeights
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.siting import PlanScene
from pocgeo.aoi.threats import incidents_placed

__all__ = ["drawn_weights", "other_demands"]

DRAWS = 3
CONCENTRATION = 20.0
"""A share of a third moves by 0.10, one standard deviation: as in the stability of risk ranks."""


def other_demands(
    index: Indexed, scene: PlanScene, standard: DeploymentStandard
) -> dict[str, NDArray[np.float64]]:
    """Weigh people by no risk, by the threat's parts alone, and by other weights drawn."""
    people = np.nan_to_num(scene.people)
    made = {"people count alike": people} if standard.demand != "people" else {}
    cells = scene.cells
    placed = incidents_placed(index, scene.moment.at)
    if placed is None or "threat_recent" not in cells:
        return made
    exposed = cells["vulnerability"].to_numpy("float64")
    for part, words in (("recent", "recent incidents only"), ("past", "long memory only")):
        demand = np.nan_to_num(people * exposed * cells[f"threat_{part}"].to_numpy("float64"))
        if demand.sum() > 0:
            made[words] = demand
    rng = np.random.Generator(np.random.PCG64(standard.seed))
    for draw in range(1, DRAWS + 1):
        weights = drawn_weights(scene.moment.weights, rng)
        told = risk(placed, cells, weights, scene.moment.at)["risk_persons"]
        demand = np.nan_to_num(told.to_numpy("float64"))
        if demand.sum() > 0:
            made[f"other risk weights, draw {draw}"] = demand
    return made


def drawn_weights(weights: RiskWeights, rng: np.random.Generator) -> RiskWeights:
    """Draw weights of the indicators, and of recent and past incidents, around the declared."""
    declared = np.array([item.weight for item in weights.indicators])
    share = rng.dirichlet(CONCENTRATION * declared / declared.sum()) * declared.sum()
    indicators = tuple(
        replace(item, weight=max(float(weight), 1e-6))
        for item, weight in zip(weights.indicators, share, strict=True)
    )
    factor = rng.dirichlet(np.full(2, CONCENTRATION / 2)) * 2
    return replace(
        weights,
        indicators=indicators,
        recent=weights.recent * float(factor[0]),
        past=weights.past * float(factor[1]),
    )
