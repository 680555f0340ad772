"""What is weighed in threat and vulnerability: the declarations of a weights file, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["PARTS", "Indicator", "PerPerson", "RiskWeights", "risk_weights"]

SCALES = ("minmax", "quantile", "threshold")
DIRECTIONS = ("higher", "lower")
BASES = ("record", "forecast")

PARTS = ("recent", "past", "near")
"""What threat is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerPerson:
    """What each person killed or harmed adds to an incident's severity."""

    column: str
    """Column of the incidents that counts them."""

    weight: float
    """Severity per person."""

    cap_persons: float
    """Persons beyond this add nothing."""

    def __post_init__(self) -> None:
        _positive(f"threat.per_person.{self.column}.weight", self.weight, zero=True)
        _positive(f"threat.per_person.{self.column}.cap_persons", self.cap_persons, zero=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One thing that makes people vulnerable, read from a column of the cells."""

    name: str
    """Short name; its part is the column `vulnerability_<name>`."""

    column: str
    """Column of the cells that it reads."""

    weight: float
    """Weight among the indicators."""

    label: str = ""
    """What people read."""

    direction: str = "higher"
    """Which end is the more vulnerable: "higher" or "lower"."""

    scale: str = "minmax"
    """How the column becomes 0-1: "minmax", "quantile" or "threshold"."""

    per: str | None = None
    """Column to divide by, for shares."""

    low: float | None = None
    """minmax: value that reads 0; the least of the day where absent."""

    high: float | None = None
    """minmax: value that reads 1; the greatest of the day where absent."""

    threshold: float | None = None
    """threshold: value from which on it reads 1."""

    def __post_init__(self) -> None:
        where = f"vulnerability indicator {self.name!r}"
        _positive(f"{where}: weight", self.weight)
        if self.scale not in SCALES:
            raise UnknownName("scale", self.scale, SCALES)
        if self.direction not in DIRECTIONS:
            raise UnknownName("direction", self.direction, DIRECTIONS)
        if self.scale == "threshold" and self.threshold is None:
            raise BadInput(f"{where}: scale is 'threshold' and no threshold is given. Add one.")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise BadInput(f"{where}: low must be below high, got {self.low:g} and {self.high:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWeights:
    """Everything that is a judgement in risk, in one place."""

    severity: Mapping[str, float]
    """Severity per incident type; "unknown" stands in for a missing one."""

    per_person: tuple[PerPerson, ...]
    """What persons killed and harmed add."""

    half_saturation: float
    """Load at which threat is 0.5."""

    half_life_recent_days: float
    """Days after which the recent part of an incident counts half."""

    half_life_past_days: float
    """Days after which its long memory counts half."""

    recent: float
    """Weight of the recent part."""

    past: float
    """Weight of the long memory."""

    nearness: tuple[float, ...]
    """Weight of incidents in the cell, its first ring, its second ..."""

    indicators: tuple[Indicator, ...]
    """What makes people vulnerable."""

    floor: float = 0.0
    """Least vulnerability of anyone, 0-1."""

    basis: str = "record"
    """What threat rests on: "record" (incidents by severity, age and nearness) or "forecast"
    (incidents expected in the next months, by severity and nearness)."""

    half_saturation_ahead: float = 1.0
    """Load of the forecast at which threat is 0.5."""

    severity_prior: float = 5.0
    """Incidents by which the severity of a place is drawn towards that of the whole record."""

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise UnknownName("basis of threat", self.basis, BASES)
        for name in (
            "half_saturation", "half_life_recent_days", "half_life_past_days",
            "half_saturation_ahead", "severity_prior",
        ):  # fmt: skip
            _positive(f"threat.{name}", getattr(self, name))
        for name in ("recent", "past"):
            _positive(f"threat.{name}", getattr(self, name), zero=True)
        for kind, weight in self.severity.items():
            _positive(f"threat.severity.{kind}", weight, zero=True)
        if "unknown" not in self.severity:
            raise BadInput(
                "threat.severity: no weight for 'unknown', which types that go missing need."
            )
        if not self.nearness or list(self.nearness) != sorted(self.nearness, reverse=True):
            raise BadInput("threat.nearness must list weights that never grow with distance.")
        _positive("threat.nearness", self.nearness[-1], zero=True)
        if not 0 <= self.floor < 1:
            raise BadInput(f"vulnerability.floor must be from 0 to below 1, got {self.floor:g}.")
        names = [indicator.name for indicator in self.indicators]
        if not names or len(set(names)) != len(names):
            raise BadInput("vulnerability.indicators: need at least one, each with its own name.")

    @property
    def half_load(self) -> float:
        """Load at which threat is 0.5, on the basis in use."""
        return self.half_saturation_ahead if self.basis == "forecast" else self.half_saturation


def risk_weights(declared: Mapping[str, Any], where: str = "risk weights") -> RiskWeights:
    """Read a weights file (standards/risk_weights.toml, or the AOI's own), once parsed.

    Raises
    ------
    BadInput
        A key is missing, unknown, or out of range; the message names `where`.
    """
    try:
        threat = dict(declared["threat"])
        vulnerability = dict(declared["vulnerability"])
        people = threat.pop("per_person", {})
        indicators = tuple(Indicator(**entry) for entry in vulnerability.pop("indicators"))
        return RiskWeights(
            severity=dict(threat.pop("severity")),
            per_person=tuple(PerPerson(column=name, **entry) for name, entry in people.items()),
            nearness=tuple(threat.pop("nearness")),
            indicators=indicators,
            **threat,
            **vulnerability,
        )
    except KeyError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{where}: no entry {error.args[0]!r}. See risk_weights.toml.") from error
    except TypeError as error:
        said = str(error).partition("__init__() ")[2] or str(error)
        raise BadInput(f"{where}: {said}. Compare with standards/risk_weights.toml.") from error


def _positive(name: str, value: float, *, zero: bool = False) -> None:
    """Refuse what is no finite number above 0 (or at least 0)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{name} must be a number, got {value!r}.")
    if not (0 < value < inf or (zero and value == 0)):
        raise BadInput(f"{name} must be {'0 or more' if zero else 'more than 0'}, got {value:g}.")
