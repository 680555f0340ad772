"""The rules of the phases of Policy 36: which numbers put a place into which phase."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["PHASES", "PhaseRules", "phase_rules"]

PHASES = ("prevention", "pre-emption", "response", "consolidation")
"""In the order of the codes 0 to 3."""

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "response": {"recent_incidents": "response_incidents", "probability": "response_probability"},
    "consolidation": {
        "past_incidents": "past_incidents", "recent_most": "recent_most", "decline": "decline",
        "decline_certainty": "decline_certainty", "least_quarters": "least_quarters",
    },
    "preemption": {"probability": "probability", "leave_share": "leave_share"},
    "areas": {
        "response_share": "area_response_share", "threatened_share": "area_threatened_share",
        "leave_share": "area_leave_share",
    },
    "quarters": {"count": "quarters"},
    "capacity": {"probabilities": "capacity_probabilities"},
}  # fmt: skip
"""Section of the file -> key -> field of PhaseRules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRules:
    """Thresholds, as in standards/phases.toml."""

    response_incidents: float = 2.0
    """Incidents around in the last 3 months from which it is response."""

    response_probability: float = 0.5
    """Chance of any incident around in the next quarter from which it is response."""

    past_incidents: float = 2.0
    """Incidents around in months 4 to 24 without which nothing subsides."""

    recent_most: float = 1.0
    """Most incidents in the last 3 months of a place that subsides."""

    decline: float = 0.5
    """The recent rate must lie below this share of the rate of months 4 to 12 ..."""

    decline_certainty: float = 0.7
    """... with at least this certainty."""

    least_quarters: int = 2
    """Quarters that consolidation lasts at least, unless response calls."""

    probability: float = 0.1
    """Chance of any incident around in the next quarter from which it is pre-emption."""

    leave_share: float = 0.5
    """Share of `probability` below which a place falls back to prevention."""

    area_response_share: float = 0.1
    """Share of an area's people in places of response that puts the area into response."""

    area_threatened_share: float = 0.5
    """Share of an area's people outside prevention that takes the area out of it."""

    area_leave_share: float = 0.5
    """Part of either share below which the area leaves the phase."""

    quarters: int = 12
    """Successive quarters over which the rules are run."""

    capacity_probabilities: tuple[float, ...] = (0.1, 0.05, 0.03)
    """Thresholds of pre-emption that the capacity table compares."""

    def __post_init__(self) -> None:
        shares = {
            "response.probability": self.response_probability,
            "preemption.probability": self.probability,
            "preemption.leave_share": self.leave_share,
            "consolidation.decline": self.decline,
            "consolidation.decline_certainty": self.decline_certainty,
            "areas.response_share": self.area_response_share,
            "areas.threatened_share": self.area_threatened_share,
            "areas.leave_share": self.area_leave_share,
        }
        listed = [("capacity.probabilities", value) for value in self.capacity_probabilities]
        for name, value in [*shares.items(), *listed]:
            if not 0 < value <= 1:
                raise BadInput(f"phases: {name} must be above 0 and at most 1, got {value:g}.")
        if not self.probability <= self.response_probability:
            raise BadInput("phases: preemption.probability must not exceed response.probability.")
        if not (self.response_incidents > 0 and self.past_incidents > 0):
            raise BadInput("phases: numbers of incidents must be above 0.")
        if not 0 <= self.recent_most < self.response_incidents:
            raise BadInput(
                "phases: consolidation.recent_most must be 0 or more and below "
                "response.recent_incidents."
            )
        if self.least_quarters < 1 or self.quarters < 1:
            raise BadInput("phases: numbers of quarters must be 1 or more.")


def phase_rules(content: Mapping[str, Any], name: str) -> PhaseRules:
    """Read the rules from the content of a TOML file; what it leaves out is the house's.

    Raises
    ------
    UnknownName, BadInput
        A section or key that the rules do not have, or a value of another type.
    """
    kinds = {field.name: field.type for field in fields(PhaseRules)}
    values: dict[str, Any] = {}
    for section, entries in content.items():
        if section not in SECTIONS:
            raise UnknownName(f"section of {name}", section, SECTIONS)
        if not isinstance(entries, Mapping):
            raise BadInput(f"{name}: write [{section}] as a section with keys.")
        for key, value in entries.items():
            if key not in SECTIONS[section]:
                raise UnknownName(f"key of [{section}] in {name}", key, SECTIONS[section])
            field = SECTIONS[section][key]
            values[field] = typed(value, kinds[field], f"{name}: {section}.{key}")
    return PhaseRules(**values)


def typed(value: Any, kind: Any, where: str) -> Any:
    """Take a number, a whole number or a list of numbers; refuse anything else."""
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadInput(f"{where} must be a whole number, got {value!r}.")
        return value
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput(f"{where} must be a number, got {value!r}.")
        return float(value)
    if not isinstance(value, list):
        raise BadInput(f"{where} must be a list of numbers, got {value!r}.")
    return tuple(typed(item, float, where) for item in value)
