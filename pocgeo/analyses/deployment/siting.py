"""Sites, what each reaches in each scenario, and what binds them: all that a plan rests on."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pocgeo.analyses.deployment.question import DeploymentQuestion
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.ground.errors import BadInput

__all__ = ["Requirement", "Scenario", "Siting"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenario:
    """One season, or one picture of the threat."""

    name: str
    table: ReachTable
    """Minutes by site and cell."""

    demand: Floats
    """Of every cell: people, or risk-weighted people; 0 where nobody is known to live."""

    area: Ints | None = None
    """Area of every cell, numbered from 0; -1: none. For equity."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Requirement:
    """One of these sites must be kept or taken."""

    kind: str
    """What it belongs to: "protected place", "1 km obligation" ..."""

    name: str
    sites: tuple[int, ...]
    """Positions of sites."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Siting:
    """Existing bases and candidate places, alike sites, numbered as in every reach table."""

    site_id: tuple[str, ...]
    existing: Mask
    """Whether it is a base today."""

    scenarios: tuple[Scenario, ...]
    fixed: Mask
    """Bases that may neither move nor close, and places that must be taken."""

    barred: Mask
    """Candidates that may not be taken; bases that must go."""

    requirements: tuple[Requirement, ...] = ()
    distance_km: Floats | None = None
    """From every site to every site, or None: needed where moves are limited."""

    passable: Mask | None = None
    """Whether a base has a way to a place, sites x sites; None: every base to every place."""

    def __post_init__(self) -> None:
        count = len(self.site_id)
        if len(set(self.site_id)) != count:
            raise BadInput("Two sites have the same code. Give each its own.")
        for scenario in self.scenarios:
            if scenario.table.sites_n != count:
                raise BadInput(
                    f"Scenario {scenario.name}: its reach table has {scenario.table.sites_n} "
                    f"sites, not {count}."
                )
        if not self.scenarios:
            raise BadInput("No scenario: give at least one reach table with its demand.")

    @property
    def sites_n(self) -> int:
        """Number of sites."""
        return len(self.site_id)

    @cached_property
    def removable(self) -> Mask:
        """Bases that may move or close."""
        return self.existing & ~self.fixed

    @cached_property
    def today(self) -> Mask:
        """The bases as they are."""
        return self.existing.copy()

    def movable(self, limit_km: float | None) -> Mask | None:
        """Whether a base may move to a place, sites x sites; None: any base to any place."""
        if limit_km is None or self.distance_km is None:
            return self.passable
        near: Mask = self.distance_km <= limit_km
        return near if self.passable is None else near & self.passable

    def within_ways(
        self, question: DeploymentQuestion, limit_km: float | None
    ) -> tuple["Siting", DeploymentQuestion]:
        """Count no more moves than there are bases that may move; where none closes, fix the rest.

        No plan that answers the question is lost by it, and bounds are nearer.
        """
        movable = self.movable(limit_km) if question.moves else None
        if movable is None:
            return self, question
        able = self.removable & movable[:, ~self.existing].any(axis=1)
        fewer = replace(question, moves=min(question.moves, int(able.sum())))
        if question.closures:
            return self, fewer
        return self.keeping(np.flatnonzero(self.existing & ~able)), fewer

    @property
    def freed(self) -> "Siting":
        """The same as if every base had a way to every place."""
        return replace(self, passable=None)

    def of(self, name: str) -> int:
        """Position of a site."""
        return self.site_id.index(name)

    def without(self, sites: ArrayLike) -> "Siting":
        """Bar some candidates."""
        barred = self.barred.copy()
        barred[np.asarray(sites, dtype=np.int64)] = True
        return replace(self, barred=barred)

    def keeping(self, sites: ArrayLike) -> "Siting":
        """Fix some sites."""
        fixed = self.fixed.copy()
        fixed[np.asarray(sites, dtype=np.int64)] = True
        return replace(self, fixed=fixed)

    def only(self, scenario: int) -> "Siting":
        """Keep one scenario."""
        return replace(self, scenarios=(self.scenarios[scenario],))

    def allows(self, chosen: Mask, question: DeploymentQuestion) -> bool:
        """Whether a set of sites answers the question, limits of moves apart."""
        gone = int((self.existing & ~chosen).sum())
        taken = int((chosen & ~self.existing).sum())
        counts = question.closures <= gone <= question.closures + question.moves
        counts &= gone - question.closures <= taken <= question.new + gone - question.closures
        held = bool((chosen | ~self.fixed).all() and not (chosen & self.barred).any())
        met = all(chosen[list(need.sites)].any() for need in self.requirements)
        return counts and held and met
