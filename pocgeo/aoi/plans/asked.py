"""What is asked of a deployment: in aoi.toml, on the command line, or in Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pocgeo.analyses.deployment import DeploymentQuestion, DeploymentStandard
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.siting import PlanWishes
from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["Idea", "PlanAsked", "asked_or_refused", "plan_asked"]

NUMBERS = ("new", "moves", "closures")
WHOLE = {*NUMBERS, "candidates_n", "platoons_n", "platoons_least", "platoons_most", "seed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAsked:
    """One question of deployment, whole: numbers, standard, wishes."""

    question: DeploymentQuestion
    standard: DeploymentStandard = field(default_factory=DeploymentStandard)
    wishes: PlanWishes = field(default_factory=PlanWishes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A planner's own plan."""

    add: tuple[str, ...] = ()
    """Places where a base is opened."""

    moves: tuple[tuple[str, str], ...] = ()
    """Bases that move, and where to."""

    close: tuple[str, ...] = ()
    """Bases that close."""

    def __post_init__(self) -> None:
        if not (self.add or self.moves or self.close):
            raise BadInput("Say what changes: --add PLACE, --move BASE:PLACE or --close BASE.")

    @property
    def question(self) -> DeploymentQuestion:
        """The same numbers, for the optimum beside it."""
        return DeploymentQuestion(
            new=len(self.add), moves=len(self.moves), closures=len(self.close)
        )


def plan_asked(
    index: Indexed, said: Mapping[str, Any] | None = None, *, sized: bool = True
) -> PlanAsked | None:
    """Take the question of `[standards.deployment]`, with what was said instead.

    Parameters
    ----------
    index : Indexed
    said : mapping, optional
        Keys of DeploymentQuestion, DeploymentStandard and PlanWishes, and `steps` (minutes to
        weight). Numbers of changes said here replace all that aoi.toml declares.
    sized : bool
        Whether the question must say how much changes.

    Returns
    -------
    PlanAsked, or None where nobody asks for a change

    Raises
    ------
    UnknownName
        A key that none of them has.
    """
    typed = {name: value for name, value in (said or {}).items() if value not in (None, ())}
    declared = dict(index.file.standards.get("deployment", {}))
    if any(name in typed for name in NUMBERS):
        declared = {name: value for name, value in declared.items() if name not in NUMBERS}
    both = declared | typed
    steps = dict(both.pop("steps", None) or {})
    if steps:
        pairs = sorted((float(minutes), float(weight)) for minutes, weight in steps.items())
        both["steps_min"] = tuple(minutes for minutes, _ in pairs)
        both["step_weights"] = tuple(weight for _, weight in pairs)
    kinds: tuple[Any, ...] = (DeploymentQuestion, DeploymentStandard, PlanWishes)
    known = [[each.name for each in fields(kind)] for kind in kinds]
    for name in both:
        if not any(name in names for names in known):
            every = [each for names in known for each in names]
            raise UnknownName("keyword of a deployment", name, [*every, "steps"])
    parts = [
        {name: value_of(name, both[name]) for name in names if name in both} for names in known
    ]
    if sized and not any(parts[0].values()):
        return None
    return PlanAsked(
        question=DeploymentQuestion(**parts[0]),
        standard=DeploymentStandard(**parts[1]),
        wishes=PlanWishes(**parts[2]),
    )


def value_of(name: str, value: Any) -> Any:
    """Turn a list of aoi.toml into a tuple, and a number of things into a whole one."""
    if isinstance(value, list | frozenset):
        return tuple(value)
    if name in WHOLE:
        if int(value) != value:
            raise BadInput(f"{name} must be a whole number, got {value:g}.")
        return int(value)
    return value


def asked_or_refused(index: Indexed, said: Mapping[str, Any] | None) -> PlanAsked:
    """Take what is asked; say how to ask where nothing is."""
    asked = plan_asked(index, said)
    if asked is None:
        raise BadInput(
            f"{index.file.path}: no plan is asked for. Say --new, --move or --close, or declare "
            "new, moves or closures in [standards.deployment]."
        )
    return asked
