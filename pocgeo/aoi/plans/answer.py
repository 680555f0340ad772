"""A question of deployment answered: the best plan, and every table that says what it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import (
    DeploymentStandard,
    Plan,
    best_plan,
)
from pocgeo.analyses.deployment.demand import Cover, cover_of
from pocgeo.analyses.deployment.options import alternatives, ladder, robustness
from pocgeo.analyses.deployment.orders import Order, orders_of
from pocgeo.analyses.patrols.travel import Way
from pocgeo.analyses.reach.changes import difference
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.around import left_behind, ring_table
from pocgeo.aoi.plans.asked import PlanAsked
from pocgeo.aoi.plans.demands import other_demands
from pocgeo.aoi.plans.siting import PlanScene, plan_scene
from pocgeo.aoi.plans.tables import (
    alike,
    alternative_table,
    cover_table,
    ladder_table,
    losers_first,
    order_table,
    rows_of,
    strength_table,
)
from pocgeo.aoi.plans.ways import ways_of
from pocgeo.aoi.reaching import places
from pocgeo.aoi.standards import moment
from pocgeo.ground.provenance import digest_of

__all__ = ["Answered", "answer_of", "answered", "gap_words", "plan", "tables_of", "told"]

TITLES = {
    "plan": "Orders",
    "plan_cover": "Who is covered, today and by the plan",
    "plan_ladder": "What each further change brings",
    "plan_changes": "Who loses and who gains cover, by area and settlement",
    "plan_obligations": "What is left behind around the bases that go",
    "plan_rings": "Around the places that are left and taken: violence may shift there",
    "plan_alternatives": "The next best plans: without one change each",
    "plan_robustness": "How firm the plan is",
    "plan_strength": "Platoons by base",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Answered:
    """A plan with what it was made from."""

    scene: PlanScene
    asked: PlanAsked
    cover: Cover
    plan: Plan
    orders: tuple[Order, ...]
    ways: Mapping[int, Way]
    """Of bases that march, by their position."""


def answered(index: Indexed, as_of: date | None, asked: PlanAsked) -> Answered:
    """Find the plan, once for all tables and maps that show it."""
    at = moment(index, as_of)

    def made() -> Answered:
        opens = bool(asked.question.new or asked.question.moves)
        moves = asked.question.moves > 0
        scene = plan_scene(index, at, asked.standard, asked.wishes, opens=opens, moves=moves)
        cover = cover_of(scene.siting, asked.standard)
        index.say("seeking the best plan", 0, 2)
        found = best_plan(scene.siting, asked.question, asked.standard, cover=cover)
        index.say("seeking the best plan", 2, 2)
        return answer_of(index, scene, asked, cover, found)

    return index.kept("plan " + digest_of([at, asked]), made)


def answer_of(
    index: Indexed, scene: PlanScene, asked: PlanAsked, cover: Cover, found: Plan
) -> Answered:
    """Pair bases that go with places that are taken."""
    siting = scene.siting
    assert siting.distance_km is not None
    gone = int((siting.existing & ~found.chosen).sum())
    closures = min(asked.question.closures, gone)
    orders = orders_of(
        found.chosen, siting, closures, siting.distance_km, asked.standard.move_limit_km
    )
    ways = ways_of(index, scene, orders, asked.standard)
    return Answered(
        scene=scene, asked=asked, cover=cover, plan=found, orders=tuple(orders), ways=ways
    )


def plan(index: Indexed, as_of: date | None, asked: PlanAsked) -> tuple[pd.DataFrame, ...]:
    """Answer a question of deployment: orders first, then what they do, cost and hang on."""
    made = answered(index, as_of, asked)
    scene, found = made.scene, made.plan
    siting, standard = scene.siting, asked.standard
    index.say("the next best plans", 0, 3)
    near = alike(scene, found.chosen, standard.spacing_km)
    others = alternatives(siting, asked.question, standard, found, near, cover=made.cover)
    tables = tables_of(made, index, others)
    index.say("what each change brings", 1, 3)
    steps = ladder(siting, asked.question, standard, found, cover=made.cover)
    tables["plan_ladder"] = ladder_table(scene, steps, standard)
    index.say("how firm the plan is", 2, 3)
    wait = scene.sites["notice_min"].to_numpy("float64")
    weighed = other_demands(index, scene, standard)
    tables["plan_robustness"] = robustness(siting, asked.question, standard, found, wait, weighed)
    index.say("plan complete", 3, 3)
    return tuple(told(made, index, tables))


def tables_of(
    made: Answered, index: Indexed, others: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Make the tables that follow from one plan alone."""
    scene, standard, found = made.scene, made.asked.standard, made.plan
    options = {"today": scene.siting.today, "plan": found.chosen}
    rings = ring_table(index, scene, made.orders, found.chosen, standard)
    left = left_behind(index, scene, made.orders)
    tables = {
        "plan": order_table(scene, (made.orders, made.ways), found, others, standard, rings, left),
        "plan_cover": cover_table(scene, options, standard, made.cover, {"plan": found.platoons}),
        "plan_changes": changes(index, scene, found.chosen, standard),
        "plan_rings": rings,
    }
    if left is not None:
        tables["plan_obligations"] = left
    if others is not None:
        tables["plan_alternatives"] = alternative_table(scene, found, others, standard)
    if found.platoons is not None:
        tables["plan_strength"] = strength_table(scene, found)
    return tables


def told(made: Answered, index: Indexed, tables: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Attach names, titles, standards and the gap."""
    asked, found = made.asked, made.plan
    order = [name for name in TITLES if name in tables]
    ready = []
    for name in order:
        table = tables[name].drop(columns="site", errors="ignore")
        table.attrs["notes"] = list(tables[name].attrs.get("notes", ()))
        if name == "plan":
            table.attrs["notes"] = [gap_words(found), *made.scene.notes]
        title = f"{TITLES[name]}: {asked.question.words}"
        told_ = finished(table, index, made.scene.moment, name, title, deployment=asked)
        told_.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
        ready.append(told_)
    return ready


def gap_words(found: Plan) -> str:
    """Say how good the plan is, as proven."""
    how = {
        "optimum": "solved to the optimum",
        "program": "solved as a program",
        "search": "found by search, held against a bound",
    }[found.how]
    many = found.candidates_n
    weighed = f", {many:,} candidates weighed" if many else ""
    gap = f"{100 * found.gap:.2f} %" if np.isfinite(found.gap) else "unknown"
    said = (
        f"Optimality gap {gap} ({how}{weighed}): no plan that keeps to the same rules is worth "
        "more than that above this one."
    )
    if len(found.by_scenario) > 1:
        said += (
            f" Worst shortfall from any scenario's own best plan: {100 * (1 - found.worth):.2f} "
            "points of 100."
        )
    return said


def changes(
    index: Indexed, scene: PlanScene, chosen: NDArray[np.bool_], standard: DeploymentStandard
) -> pd.DataFrame:
    """Say who loses and who gains cover, by season: the losers first."""
    parts = []
    tables: dict[str, ReachTable] = {}
    for scenario in scene.siting.scenarios:
        tables.setdefault(scenario.name.split(",")[0], scenario.table)
    for season, table in tables.items():
        before, after = (rows_of(scene, table, sites) for sites in (scene.siting.today, chosen))
        found = difference(before, after, scene.cells, standard.steps_min, places(index))
        found = losers_first(found, standard.middle_min)
        if len(tables) > 1:
            found.insert(0, "scenario", season)
        parts.append(found)
    made = pd.concat(parts, ignore_index=True)
    made.attrs = {"notes": ["People of a settlement: all who live nearest to it."]}
    return made
