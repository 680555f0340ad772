"""Plans as commands, maps and briefs ask for them: said, or declared in aoi.toml."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from pocgeo.analyses.deployment import (
    DeploymentQuestion,
)
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.answer import answered, gap_words, plan, tables_of, told
from pocgeo.aoi.plans.around import nothing_left
from pocgeo.aoi.plans.asked import Idea, PlanAsked, asked_or_refused, plan_asked
from pocgeo.aoi.plans.drawing import cell_table, order_shapes
from pocgeo.aoi.plans.ideas import rivals, what_if
from pocgeo.ground.provenance import digest_of

__all__ = ["PLAN_TABLES", "is_asked", "plan_finding", "planned", "tried"]

SHAPES = {"moves": "Moves", "taken": "Places taken", "left": "Bases that go"}
PLAN_TABLES = (
    "plan", "plan_cover", "plan_changes", "plan_obligations", "plan_rings", "plan_cells",
    "plan_moves", "plan_taken", "plan_left",
)  # fmt: skip
"""Tables that follow from a plan alone: what maps and briefs show."""
Said = Mapping[str, Any]


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
        table = cell_table(made.scene, made.plan.chosen, made.asked.standard)
        table.attrs["notes"] = notes
        title = f"Before and after: {size}"
        return finished(table, index, made.scene.moment, name, title, deployment=made.asked)
    key = digest_of([made.scene.moment, made.asked, idea])
    tables = dict(index.kept(f"plan tables {key}", lambda: tables_of(made, index, None)))
    which = name.removeprefix("plan_")
    if which in SHAPES:
        shapes: Any = order_shapes(made, tables["plan"], which)
        shapes = finished(shapes, index, made.scene.moment, name, f"{SHAPES[which]}: {size}")
        shapes.attrs |= {"kind": "points", "sensitivity": "restricted"}
        return shapes
    tables.setdefault("plan_obligations", nothing_left())
    ready = {table.attrs["name"]: table for table in told(made, index, tables)}
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
