"""Tables of a plan: orders, cover, ladder, alternatives, strength."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard, Plan
from pocgeo.analyses.deployment.demand import Cover
from pocgeo.analyses.deployment.orders import Order
from pocgeo.analyses.deployment.outcome import covered_by_step, reach_rows
from pocgeo.analyses.deployment.solving import worth_of
from pocgeo.analyses.patrols.travel import Way
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi.plans.caveats import caveats_of, march_words, words_of_means
from pocgeo.aoi.plans.reach import means_of
from pocgeo.aoi.plans.siting import PlanScene
from pocgeo.aoi.plans.words import (
    gained_and_lost,
    instead_of,
    place_of,
    why_left,
    why_taken,
)
from pocgeo.ground.geodesy import distance_m
from pocgeo.ground.grid_reference import to_mgrs

__all__ = [
    "alike", "alternative_table", "cover_table", "ladder_table", "losers_first",
    "order_table", "rows_of", "strength_table",
]  # fmt: skip

Mask = NDArray[np.bool_]
LADDER_WORDS = {"new": "new bases", "moves": "moves", "closures": "closures"}


def losers_first(table: pd.DataFrame, middle_min: float) -> pd.DataFrame:
    """Put the whole AOI first, then settlements that lose, those that gain, then areas."""
    settled, whole = table["area_kind"].eq("settlement"), table["area_kind"].eq("AOI")
    moved = table["lost_persons"].gt(0) | table["gained_persons"].gt(0)
    kept = table[whole | (settled & moved) | (~settled & table["within_min"].eq(middle_min))]
    group = np.select(
        [kept["area_kind"].eq("AOI"), ~kept["area_kind"].eq("settlement"),
         kept["lost_persons"].gt(0)], [0, 3, 1], 2,
    )  # fmt: skip
    keys = pd.DataFrame(
        {
            "group": group,
            "middle": kept["within_min"].ne(middle_min) & (group > 0),
            "within": kept["within_min"],
            "lost": -kept["lost_persons"].fillna(0),
            "gained": -kept["gained_persons"].fillna(0),
            "code": kept["area_id"].astype(str),
        },
        index=kept.index,
    )
    made = kept.loc[keys.sort_values(list(keys.columns), kind="stable").index]
    nameless = made["area_kind"].eq("settlement") & made["area"].isna()
    named = "nameless settlement " + made["area_id"].astype(str)
    return made.assign(area=made["area"].mask(nameless, named)).reset_index(drop=True)


def rows_of(scene: PlanScene, table: ReachTable, sites: Mask) -> pd.DataFrame:
    """Reach table of some sites, as rows."""
    return reach_rows(table, sites, scene.siting.site_id, scene.cells["cell"].to_numpy("int64"))


def order_table(
    scene: PlanScene, ordered: tuple[Sequence[Order], Mapping[int, Way]], plan: Plan,
    others: pd.DataFrame | None, standard: DeploymentStandard, around: pd.DataFrame,
    left: pd.DataFrame | None,
) -> pd.DataFrame:  # fmt: skip
    """Write the orders: who goes where, how far, how long, for whom, and why."""
    cells = gained_and_lost(scene, plan.chosen, standard.middle_min)
    by_site = {} if others is None else {int(r["site"]): r for _, r in others.iterrows()}
    behind = {} if left is None else left.set_index("base_id")["left_behind"].to_dict()
    ring = around.set_index("site")
    rows = []
    for number, order in enumerate(ordered[0], 1):
        row = order_row(scene, order) | {"order_n": number}
        if order.action == "move":
            row |= march_of(scene, order, ordered[1].get(order.base), standard)
        place, base = order.place, order.base
        said = []
        row["gained_persons"] = row["lost_persons"] = 0.0
        if place >= 0:
            row["gained_persons"] = people_in(scene, cells[place])
            said.append(why_taken(scene, place, cells[place], by_site.get(place), standard))
        if base >= 0:
            if order.action == "move" and not row["march_min"] >= 0:
                said.append(no_way(standard))
            row["lost_persons"] = people_in(scene, cells[base])
            said.append(
                why_left(scene, base, cells[base], plan.chosen, by_site.get(base), standard)
            )
            row["left_behind"] = behind.get(scene.siting.site_id[base])
        row["why"] = " ".join(said)
        at = place if place >= 0 else base
        row["ring_persons"] = ring.loc[at, "ring_persons"]
        row["ring_incidents_n"] = ring.loc[at, "ring_incidents_n"]
        if plan.platoons is not None and place >= 0:
            row["platoons_n"] = plan.platoons[place]
        rows.append(row)
    columns = ["order_n", "action", "base_id", "base", "from_grid_reference", "place",
               "grid_reference", "move_km", "march_by", "march_km", "march_road_km", "march_min",
               "gained_persons", "lost_persons", "unit", "platoons_n", "caveat", "left_behind",
               "ring_persons", "ring_incidents_n", "lon", "lat", "why"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    for column in ("move_km", "march_km", "march_road_km", "march_min", "gained_persons",
                   "lost_persons", "platoons_n"):  # fmt: skip
        table[column] = pd.to_numeric(table[column]).astype("float64")
    seldom = ["unit", "place", "grid_reference", "move_km", "march_min", "march_by", "march_km",
              "march_road_km", "platoons_n", "caveat", "left_behind"]  # fmt: skip
    return table.drop(columns=[name for name in seldom if table[name].isna().all()])


def order_row(scene: PlanScene, order: Order) -> dict[str, Any]:
    """Say who goes from where to where."""
    siting, sites = scene.siting, scene.sites
    row: dict[str, Any] = {"action": order.action}
    if order.base >= 0:
        base = sites.iloc[order.base]
        row |= {"base_id": base["site_id"], "base": base["name"], "unit": base["unit"]}
        row["caveat"] = caveats_of(base, moves=order.action == "move")
        row["from_grid_reference"] = str(to_mgrs(base["lon"], base["lat"])[0])
        row |= {"lon": base["lon"], "lat": base["lat"]}
    if order.place >= 0:
        place = sites.iloc[order.place]
        row["place"] = place_of(scene, order.place, beside=True)
        row["grid_reference"] = str(to_mgrs(place["lon"], place["lat"])[0])
        row |= {"lon": place["lon"], "lat": place["lat"]}
    if order.action == "move" and siting.distance_km is not None:
        row["move_km"] = siting.distance_km[order.base, order.place]
    return row


def march_of(
    scene: PlanScene, order: Order, way: Way | None, standard: DeploymentStandard
) -> dict[str, Any]:
    """Say by what means a base moves, along how many kilometres, in how many minutes."""
    assert scene.march_min is not None
    means = str(means_of(scene.sites["mobility"], standard).iloc[order.base])
    row: dict[str, Any] = {"march_by": words_of_means(means)}
    row["march_min"] = scene.march_min[order.base, order.place]
    if way is not None:
        row |= {"march_km": way.length_m / 1000, "march_road_km": way.road_m / 1000}
    return row


def no_way(standard: DeploymentStandard) -> str:
    """Say that a base cannot get where an idea sends it."""
    return f"No way there of at most {march_words(standard)} was found."


def people_in(scene: PlanScene, cells: Mask) -> float:
    """People of some cells, as far as known."""
    return float(np.nansum(scene.people[cells]))


def cover_table(
    scene: PlanScene, options: Mapping[str, Mask], standard: DeploymentStandard, cover: Cover,
    strength: Mapping[str, NDArray[np.float64] | None],
) -> pd.DataFrame:  # fmt: skip
    """Say who is covered under each option, by scenario and step.

    `strength` has the platoons of options that say where they stand.
    """
    table = covered_by_step(scene.siting, dict(options), scene.people, standard.steps_min)
    first = table.groupby(["scenario", "within_min"])["covered_persons"].transform("first")
    table.insert(4, "change_persons", table["covered_persons"] - first)
    worth = {
        name: worth_of(sites, scene.siting, standard, cover, strength.get(name))
        for name, sites in options.items()
    }
    number = {each.name: at for at, each in enumerate(scene.siting.scenarios)}
    table["worth_share"] = [
        float(worth[option][number[name]])
        for option, name in zip(table["option"], table["scenario"], strict=True)
    ]
    return table


def ladder_table(
    scene: PlanScene, steps: pd.DataFrame, standard: DeploymentStandard
) -> pd.DataFrame:
    """Put people beside the worth of each step of the ladder."""
    table = steps.copy()
    people = np.nan_to_num(scene.people)
    first = scene.siting.scenarios[0].table
    table["covered_persons"] = [
        float(people[first.covers(standard.middle_min, sites) > 0].sum())
        for sites in table["chosen"]
    ]
    table["gained_persons"] = table.groupby("change", sort=False)["covered_persons"].diff()
    table["change"] = table["change"].map(LADDER_WORDS)
    table["within_min"] = standard.middle_min
    columns = ["change", "changes_n", "asked", "covered_persons", "gained_persons", "within_min",
               "worth_share", "gain_share", "gap_share"]  # fmt: skip
    made = table[columns].rename(columns={"gained_persons": "step_persons"})
    made.attrs = {
        "notes": [
            "Each kind of change is varied by itself, the others as asked. Plans are chosen by "
            "worth (demand within each step, by its weight), so people within one step may fall "
            "where worth rises."
        ]
    }
    return made


def alternative_table(
    scene: PlanScene, plan: Plan, others: pd.DataFrame, standard: DeploymentStandard
) -> pd.DataFrame:
    """Name the next best plans and what they cost."""
    first, people = scene.siting.scenarios[0].table, np.nan_to_num(scene.people)
    rows = []
    for _, other in others.iterrows():
        site = int(other["site"])
        stays = bool(scene.siting.existing[site])
        words = f"{place_of(scene, site)} stays" if stays else f"not {place_of(scene, site)}"
        row: dict[str, Any] = {"instead": words, "takes": None, "lets_go": None}
        if other["chosen"] is not None:
            takes, lets_go = instead_of(scene, plan.chosen, other["chosen"])
            row |= {"takes": takes or None, "lets_go": lets_go or None}
            row["covered_persons"] = float(
                people[first.covers(standard.middle_min, other["chosen"]) > 0].sum()
            )
        for name in ("worth_share", "loss_share", "gap_share"):
            row[name] = other[name]
        rows.append(row)
    columns = ["instead", "takes", "lets_go", "covered_persons", "worth_share", "loss_share",
               "gap_share"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table.attrs = {
        "notes": [
            f"Places within {standard.spacing_km:g} km of the one left out are left out with it. "
            "A row without a plan: nothing else keeps to all that is asked."
        ]
    }
    return table


def alike(scene: PlanScene, chosen: Mask, spacing_km: float) -> dict[int, list[int]]:
    """Find, for each place taken, the places so near that they are the same choice."""
    sites, existing = scene.sites, scene.siting.existing
    lon, lat = sites["lon"].to_numpy("float64"), sites["lat"].to_numpy("float64")
    made = {}
    for site in np.flatnonzero(chosen & ~existing).tolist():
        near = distance_m(lon[site], lat[site], lon, lat) <= spacing_km * 1000
        made[site] = np.flatnonzero(near & ~existing & ~chosen).tolist()
    return made


def strength_table(scene: PlanScene, plan: Plan) -> pd.DataFrame:
    """Platoons of every base after the plan."""
    assert plan.platoons is not None
    sites = np.flatnonzero(plan.chosen)
    table = pd.DataFrame({"base": [place_of(scene, int(site)) for site in sites]})
    table.insert(0, "base_id", [scene.siting.site_id[site] for site in sites])
    return table.assign(platoons_n=plan.platoons[sites])
