"""A planner's own idea, held against today and against the best plan of its size."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import (
    Plan,
    best_plan,
)
from pocgeo.analyses.deployment.demand import Cover, cover_of
from pocgeo.analyses.deployment.orders import Order
from pocgeo.analyses.deployment.solving import near_enough, worth_of
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.answer import Answered, answer_of, gap_words, tables_of, told
from pocgeo.aoi.plans.asked import Idea, PlanAsked
from pocgeo.aoi.plans.needs import known_bases
from pocgeo.aoi.plans.places import named_place
from pocgeo.aoi.plans.siting import PlanScene, plan_scene
from pocgeo.aoi.plans.tables import cover_table
from pocgeo.aoi.plans.ways import ways_of
from pocgeo.aoi.plans.words import instead_of, place_of
from pocgeo.aoi.standards import moment
from pocgeo.ground.errors import BadInput
from pocgeo.ground.provenance import digest_of

__all__ = ["Rivals", "rivals", "what_if"]


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
        scene = plan_scene(
            index, at, asked.standard, asked.wishes, further, opens=bool(named),
            moves=bool(idea.moves),
        )  # fmt: skip
        gone = known_bases((*(base for base, _ in idea.moves), *idea.close), scene.sites)
        taken = [scene.siting.of(part["site_id"].iloc[0]) for part in named]
        chosen = idea_sites(scene, gone, taken)
        cover = cover_of(scene.siting, asked.standard)
        fits = scene.siting.allows(chosen, asked.question)
        fits &= near_enough(chosen, scene.siting, asked.question, asked.standard)
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
            ours=Answered(
                scene=scene,
                asked=asked,
                cover=cover,
                plan=ours,
                orders=orders,
                ways=ways_of(index, scene, orders, asked.standard),
            ),
            best=answer_of(index, scene, asked, cover, best),
            notes=(
                compared(scene, asked, ours, best, cover),
                *broken(scene, chosen),
                *too_far(scene, orders, asked.standard.move_limit_km),
            ),
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
            raise BadInput(
                f"{name} lies outside the area of interest: nothing is known there. "
                "Coordinates are read as latitude, longitude."
            )
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
    strength = {"best plan": made.best.plan.platoons}
    tables["plan_cover"] = cover_table(scene, options, standard, ours.cover, strength)
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


def too_far(scene: PlanScene, orders: tuple[Order, ...], limit_km: float | None) -> list[str]:
    """Say which moves of an idea are longer than the standard allows a plan."""
    apart = scene.siting.distance_km
    if apart is None or limit_km is None:
        return []
    return [
        f"Your idea moves {place_of(scene, order.base)} {apart[order.base, order.place]:.0f} km, "
        f"more than {limit_km:g} km."
        for order in orders
        if order.action == "move" and apart[order.base, order.place] > limit_km
    ]
