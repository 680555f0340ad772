"""The ways of bases that move: along roads and over the ground, for orders and maps."""

from collections.abc import Sequence

import numpy as np

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.deployment.orders import Order
from pocgeo.analyses.patrols.travel import Way, patrol_travel
from pocgeo.analyses.reach import STRAIGHT_LINE
from pocgeo.analyses.reach.air import AIR
from pocgeo.analyses.reach.over_ground import crossing_of, graph_of
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.reach import means_of
from pocgeo.aoi.plans.siting import PlanScene
from pocgeo.aoi.travel import ground_of, reach_method

__all__ = ["ways_of"]

THERE_AND_BACK = (2.5, 10.0)
"""Ground is looked at from which one is back within so many times the march; then farther."""

SLACK_MIN = 60.0


def ways_of(
    index: Indexed, scene: PlanScene, orders: Sequence[Order], standard: DeploymentStandard
) -> dict[int, Way]:
    """Find the way of every base that marches, by the base's position.

    Bases that fly, and those without a way, have none: they are drawn straight.
    """
    if scene.march_min is None or reach_method(index) == STRAIGHT_LINE:
        return {}
    means = means_of(scene.sites["mobility"], standard)
    ground = ground_of(index, scene.moment.at)
    season = scene.siting.scenarios[0].name.split(" ")[0]
    made = {}
    for order in orders:
        way = str(means.iloc[max(order.base, 0)])
        march = scene.march_min[order.base, order.place]
        if order.action != "move" or way == AIR or not np.isfinite(march):
            continue
        crossing = crossing_of(ground, way, season)
        graph = graph_of(ground, way, season, scene.moment.at, crossing)
        ends = scene.sites.iloc[[order.base, order.place]][["lon", "lat"]].to_numpy("float64")
        for times in THERE_AND_BACK:
            limit = times * float(march) + SLACK_MIN
            travel = patrol_travel(ground.lattice, graph, ends, limit, crossing_min=crossing)
            if np.isfinite(travel.minutes[0, 1]):
                made[order.base] = travel.way(0, 1)
                break
    return made
