"""What maps of a plan draw: minutes by cell before and after, and the orders as shapes."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.aoi.plans.answer import Answered
from pocgeo.aoi.plans.siting import PlanScene
from pocgeo.aoi.plans.words import (
    joined,
)

__all__ = ["cell_table", "order_shapes"]

Mask = NDArray[np.bool_]


def cell_table(scene: PlanScene, chosen: Mask, standard: DeploymentStandard) -> pd.DataFrame:
    """Minutes by cell before and after, and what changes."""
    reach = scene.siting.scenarios[0].table
    before, after = reach.field(scene.siting.today), reach.field(chosen)
    names = ["cell", "settlement", "admin2", "aor", "people_persons", "lon", "lat"]
    table = scene.cells[[name for name in names if name in scene.cells]].copy()
    for name, field in (("before_min", before), ("after_min", after)):
        table[name] = np.where(np.isfinite(field.minutes), field.minutes, np.nan)
    table["base"] = [joined(scene, [site]) if site >= 0 else None for site in after.site]
    was, now = before.minutes <= standard.middle_min, after.minutes <= standard.middle_min
    table["cover_change"] = np.select(
        [was & ~now, now & ~was, was & now], ["lost", "gained", "kept"], "none"
    )
    table["change_min"] = table["after_min"] - table["before_min"]
    return table


def order_shapes(made: Answered, table: pd.DataFrame, which: str) -> gpd.GeoDataFrame:
    """Draw the orders: the ways of moves ("moves"), places "taken", or bases "left".

    A base that marches is drawn along its way; one that flies, or has none, straight.
    """
    sites, orders = made.scene.sites, made.orders
    points: Any = shapely.points(sites["lon"], sites["lat"])
    rows, shapes, kinds = [], [], []
    for number, order in enumerate(orders):
        if which == "moves" and order.action == "move":
            way = made.ways.get(order.base)
            straight = [points[order.base], points[order.place]]
            along = straight if way is None else np.stack([way.lon, way.lat], axis=1)
            shape: Any = shapely.LineString(along)
        elif which == "taken" and order.place >= 0:
            shape = points[order.place]
        elif which == "left" and order.base >= 0:
            shape = points[order.base]
        else:
            continue
        rows.append(number)
        shapes.append(shape)
        kinds.append(sites["base_kind"].iloc[order.base if order.base >= 0 else order.place])
    columns = ["order_n", "action", "base", "place", "grid_reference", "move_km", "march_by",
               "march_km", "march_min", "caveat", "why"]  # fmt: skip
    facts = table.iloc[rows].reindex(columns=columns).reset_index(drop=True)
    facts["kind"] = pd.Series(kinds, dtype=object)
    if which == "left":
        facts["grid_reference"] = table["from_grid_reference"].iloc[rows].to_numpy()
    return gpd.GeoDataFrame(facts, geometry=shapes, crs="EPSG:4326")
