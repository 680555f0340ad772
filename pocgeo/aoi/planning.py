"""Deploy, redeploy, draw down, what-if: the options for one AOI, with gap, losers and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import (
    DeploymentQuestion,
    DeploymentStandard,
    Plan,
    best_plan,
)
from pocgeo.analyses.deployment.demand import Cover, cover_of
from pocgeo.analyses.deployment.options import alternatives, ladder, robustness
from pocgeo.analyses.deployment.orders import Order, orders_of
from pocgeo.analyses.deployment.solving import worth_of
from pocgeo.analyses.reach.changes import difference
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi import plan_tables
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plan_asked import Idea, PlanAsked, asked_or_refused, plan_asked
from pocgeo.aoi.plan_demands import other_demands
from pocgeo.aoi.plan_needs import known_bases
from pocgeo.aoi.plan_places import named_place
from pocgeo.aoi.plan_siting import PlanScene, plan_scene
from pocgeo.aoi.plan_words import instead_of, place_of
from pocgeo.aoi.reaching import places
from pocgeo.aoi.standards import moment
from pocgeo.ground.errors import BadInput
from pocgeo.ground.provenance import digest_of

__all__ = ["PLAN_TABLES", "is_asked", "plan_finding", "planned", "tried"]

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
SHAPES = {"moves": "Moves", "taken": "Places taken", "left": "Bases that go"}
PLAN_TABLES = (
    "plan", "plan_cover", "plan_changes", "plan_obligations", "plan_rings", "plan_cells",
    "plan_moves", "plan_taken", "plan_left",
)  # fmt: skip
"""Tables that follow from a plan alone: what maps and briefs show."""

Said = Mapping[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Answered:
    """A plan with what it was made from."""

    scene: PlanScene
    asked: PlanAsked
    cover: Cover
    plan: Plan
    orders: tuple[Order, ...]


def answered(index: Indexed, as_of: date | None, asked: PlanAsked) -> Answered:
    """Find the plan, once for all tables and maps that show it."""
    at = moment(index, as_of)

    def made() -> Answered:
        scene = plan_scene(index, at, asked.standard, asked.wishes)
        cover = cover_of(scene.siting, asked.standard)
        index.say("seeking the best plan", 0, 2)
        found = best_plan(scene.siting, asked.question, asked.standard, cover=cover)
        index.say("seeking the best plan", 2, 2)
        return answer_of(scene, asked, cover, found)

    return index.kept("plan " + digest_of([at, asked]), made)


def answer_of(scene: PlanScene, asked: PlanAsked, cover: Cover, found: Plan) -> Answered:
    """Pair bases that go with places that are taken."""
    siting = scene.siting
    assert siting.distance_km is not None
    gone = int((siting.existing & ~found.chosen).sum())
    closures = min(asked.question.closures, gone)
    orders = orders_of(
        found.chosen, siting, closures, siting.distance_km, asked.standard.move_limit_km
    )
    return Answered(scene=scene, asked=asked, cover=cover, plan=found, orders=tuple(orders))


def plan(index: Indexed, as_of: date | None, asked: PlanAsked) -> tuple[pd.DataFrame, ...]:
    """Answer a question of deployment: orders first, then what they do, cost and hang on."""
    made = answered(index, as_of, asked)
    scene, found = made.scene, made.plan
    siting, standard = scene.siting, asked.standard
    index.say("the next best plans", 0, 3)
    near = plan_tables.alike(scene, found.chosen, standard.spacing_km)
    others = alternatives(siting, asked.question, standard, found, near, cover=made.cover)
    tables = tables_of(made, index, others)
    index.say("what each change brings", 1, 3)
    steps = ladder(siting, asked.question, standard, found, cover=made.cover)
    tables["plan_ladder"] = plan_tables.ladder_table(scene, steps, standard)
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
    rings = plan_tables.ring_table(index, scene, made.orders, found.chosen, standard)
    left = plan_tables.left_behind(index, scene, made.orders)
    march = plan_tables.marches(index, scene, made.orders, standard)
    tables = {
        "plan": plan_tables.order_table(
            scene, made.orders, found, others, standard, rings, (left, march)
        ),
        "plan_cover": plan_tables.cover_table(scene, options, standard, made.cover),
        "plan_changes": changes(index, scene, found.chosen, standard),
        "plan_rings": rings,
    }
    if left is not None:
        tables["plan_obligations"] = left
    if others is not None:
        tables["plan_alternatives"] = plan_tables.alternative_table(scene, found, others, standard)
    if found.platoons is not None:
        tables["plan_strength"] = plan_tables.strength_table(scene, found)
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
    gap = f"{100 * found.gap:.2f} %" if np.isfinite(found.gap) else "unknown"
    said = (
        f"Optimality gap {gap} ({how}, {found.candidates_n:,} candidates weighed): no plan that "
        "keeps to the same rules is worth more than that above this one."
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
        before, after = (
            plan_tables.rows_of(scene, table, sites) for sites in (scene.siting.today, chosen)
        )
        found = difference(before, after, scene.cells, standard.steps_min, places(index))
        found = plan_tables.losers_first(found, standard.middle_min)
        if len(tables) > 1:
            found.insert(0, "scenario", season)
        parts.append(found)
    made = pd.concat(parts, ignore_index=True)
    made.attrs = {"notes": ["People of a settlement: all who live nearest to it."]}
    return made


@dataclass(frozen=True, eq=False, kw_only=True)
class Rivals:
    """A planner's own idea, and the best plan of the same size."""

    ours: Answered
    best: Answered
    notes: tuple[str, ...]


def rivals(index: Indexed, as_of: date | None, idea: Idea, asked: PlanAsked) -> Rivals:
    """Work out an idea and the best plan of its size, once."""
    asked = replace(asked, question=idea.question)
    at = moment(index, as_of)

    def made() -> Rivals:
        named = [named_place(index, text) for text in (*idea.add, *(to for _, to in idea.moves))]
        further = pd.concat(named, ignore_index=True) if named else None
        scene = plan_scene(index, at, asked.standard, asked.wishes, further)
        gone = known_bases((*(base for base, _ in idea.moves), *idea.close), scene.sites)
        taken = [scene.siting.of(part["site_id"].iloc[0]) for part in named]
        chosen = idea_sites(scene, gone, taken)
        cover = cover_of(scene.siting, asked.standard)
        fits = scene.siting.allows(chosen, asked.question)
        index.say("seeking the best plan of the same size", 0, 1)
        best = best_plan(
            scene.siting, asked.question, asked.standard, cover=cover,
            known=chosen if fits else None,
        )  # fmt: skip
        index.say("seeking the best plan of the same size", 1, 1)
        worth = worth_of(chosen, scene.siting, asked.standard, cover)
        ours = replace(
            best, chosen=chosen, worth=float(worth.min()), by_scenario=worth, platoons=None
        )
        orders = idea_orders(scene, idea, gone, taken)
        return Rivals(
            ours=Answered(scene=scene, asked=asked, cover=cover, plan=ours, orders=orders),
            best=answer_of(scene, asked, cover, best),
            notes=(compared(scene, asked, ours, best, cover), *broken(scene, chosen)),
        )

    return index.kept("idea " + digest_of([at, asked, idea]), made)


def idea_sites(scene: PlanScene, gone: list[str], taken: list[int]) -> NDArray[np.bool_]:
    """Give the sites of an idea; refuse one that names a base or a place twice."""
    if len(set(gone)) < len(gone):
        raise BadInput("A base is named twice: it can move or close, once.")
    if len(set(taken)) < len(taken):
        raise BadInput("A place is named twice: one base goes to one place.")
    outside = ~scene.sites["cell"].isin(scene.cells["cell"]).to_numpy()
    for place in taken:
        if outside[place]:
            name = scene.sites["name"].iloc[place]
            raise BadInput(f"{name} lies outside the area of interest: nothing is known there.")
    chosen = scene.siting.today.copy()
    chosen[[scene.siting.of(code) for code in gone]] = False
    chosen[taken] = True
    return chosen


def what_if(
    index: Indexed, as_of: date | None, idea: Idea, asked: PlanAsked
) -> tuple[pd.DataFrame, ...]:
    """Hold a planner's own idea against today and against the best plan of the same size."""
    made = rivals(index, as_of, idea, asked)
    ours, scene = made.ours, made.ours.scene
    standard = ours.asked.standard
    tables = tables_of(ours, index, None)
    options = {
        "today": scene.siting.today, "your idea": ours.plan.chosen,
        "best plan": made.best.plan.chosen,
    }  # fmt: skip
    tables["plan_cover"] = plan_tables.cover_table(scene, options, standard, ours.cover)
    ready = told(ours, index, tables)
    ready[0].attrs["notes"] = [*made.notes, *scene.notes]
    theirs = told(made.best, index, {"plan": tables_of(made.best, index, None)["plan"]})[0]
    theirs.attrs["notes"] = [gap_words(made.best.plan)]
    size = ours.asked.question.words
    titled = [named_as(ready[0], "whatif", f"Your idea: {size}")]
    titled += [named_as(ready[1], "whatif_cover", "Today, your idea, and the best of its size")]
    titled += [named_as(theirs, "whatif_best", f"The best plan of {size}")]
    return (*titled, *ready[2:])


def named_as(table: pd.DataFrame, name: str, title: str) -> pd.DataFrame:
    """Give a table another name and title."""
    table.attrs |= {"name": name, "title": title}
    return table


def idea_orders(
    scene: PlanScene, idea: Idea, gone: list[str], taken: list[int]
) -> tuple[Order, ...]:
    """Turn an idea into orders, as the planner paired them."""
    new_n = len(idea.add)
    of = scene.siting.of
    moves = [
        Order("move", of(base), place)
        for base, place in zip(gone[: len(idea.moves)], taken[new_n:], strict=True)
    ]
    new = [Order("new", -1, place) for place in taken[:new_n]]
    return (*moves, *new, *(Order("close", of(base), -1) for base in gone[len(idea.moves) :]))


def compared(scene: PlanScene, asked: PlanAsked, ours: Plan, best: Plan, cover: Cover) -> str:
    """Say how far an idea is from the best plan of the same size."""
    theirs = float(worth_of(best.chosen, scene.siting, asked.standard, cover).min())
    today = float(worth_of(scene.siting.today, scene.siting, asked.standard, cover).min())
    taken, left = instead_of(scene, ours.chosen, best.chosen)
    said = (
        f"Worth of cover, of 100: today {100 * today:.1f}, your idea {100 * ours.worth:.1f}, best "
        f"plan of the same size {100 * theirs:.1f} (gap {100 * best.gap:.2f} %)."
    )
    if taken or left:
        said += " The best plan" + (f" takes {taken}" if taken else "")
        said += (" and" if taken and left else "") + (f" lets {left} go" if left else "") + "."
    return said


def broken(scene: PlanScene, chosen: NDArray[np.bool_]) -> list[str]:
    """Say what an idea does not keep to."""
    siting = scene.siting
    said = [
        f"Your idea abandons: {need.kind} {need.name}."
        for need in siting.requirements
        if not chosen[list(need.sites)].any()
    ]
    for site in np.flatnonzero(siting.fixed & ~chosen).tolist():
        said.append(f"Your idea moves {place_of(scene, site)}, which is to be kept.")
    return said


def shown(index: Indexed, as_of: date | None, said: Mapping[str, Any] | None, name: str) -> Any:
    """Give one table of the plan that aoi.toml declares or that was asked for: for maps, briefs.

    Raises
    ------
    BadInput
        No plan is asked for.
    """
    rest = dict(said or {})
    idea = rest.pop("idea", None)
    if idea is not None:
        asked = plan_asked(index, rest, sized=False) or PlanAsked(question=DeploymentQuestion())
        made = rivals(index, as_of, Idea(**idea), asked).ours
    else:
        made = answered(index, as_of, asked_or_refused(index, rest))
    notes = [gap_words(made.plan), *made.scene.notes] if idea is None else list(made.scene.notes)
    size = made.asked.question.words
    if name == "plan_cells":
        table = plan_tables.cell_table(made.scene, made.plan.chosen, made.asked.standard)
        table.attrs["notes"] = notes
        title = f"Before and after: {size}"
        return finished(table, index, made.scene.moment, name, title, deployment=made.asked)
    tables = tables_of(made, index, None)
    which = name.removeprefix("plan_")
    if which in SHAPES:
        shapes: Any = plan_tables.order_shapes(made.scene, made.orders, tables["plan"], which)
        shapes = finished(shapes, index, made.scene.moment, name, f"{SHAPES[which]}: {size}")
        shapes.attrs |= {"kind": "points", "sensitivity": "restricted"}
        return shapes
    ready = {table.attrs["name"]: table for table in told(made, index, tables)}
    if name not in ready:
        raise BadInput(f"This plan has no table {name}: no base goes.")
    return ready[name]


def planned(index: Indexed, as_of: date | None, said: Said) -> tuple[pd.DataFrame, ...]:
    """Plan what is said, else what aoi.toml declares."""
    return plan(index, as_of, asked_or_refused(index, said))


def tried(index: Indexed, as_of: date | None, idea: Said, said: Said) -> tuple[pd.DataFrame, ...]:
    """Try an idea by the standard that is said, else by that of aoi.toml."""
    asked = plan_asked(index, said, sized=False)
    assert asked is not None
    return what_if(index, as_of, Idea(**idea), asked)


def is_asked(aoi: Any) -> bool:
    """Whether a plan was asked of an area, or declared for it."""
    said = dict(aoi.plan_said or {})
    return "idea" in said or plan_asked(aoi.indexed, said) is not None


def plan_finding(name: str, aoi: Any, day: date | None) -> Any:
    """Give a table of the plan of an area by name, as maps and briefs call it."""
    return shown(aoi.indexed, day, aoi.plan_said, name)
