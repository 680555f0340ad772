"""The [standards] section of aoi.toml: which keys there are, and of what type each is."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pocgeo.layers.strict import StrictTable, hint

__all__ = ["STANDARD_KEYS", "standards_of"]

NUMBER, TEXT, YES_NO = "a number", "a text in quotes", "true or false"
TEXTS, NUMBERS, WORDS = "a list of texts", "a table of numbers", "a table of texts"
KINDS: Mapping[str, tuple[type, ...]] = {
    NUMBER: (int, float),
    TEXT: (str,),
    YES_NO: (bool,),
}

STANDARD_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "proximity": {
            "radius_m": NUMBER, "kinds": TEXTS, "assumed_error_m": NUMBER,
            "assumed_base_error_m": NUMBER,
        },
        "reach": {
            "reach_min": NUMBER, "speed_kmh": NUMBERS, "assumed_notice_min": NUMBER,
            "assumed_mobility": TEXT, "horizon_min": NUMBER, "season": TEXT, "method": TEXT,
        },
        "presence": {"presence_days": NUMBER},
        "coverage": {
            "reach_min": NUMBER, "presence_days": NUMBER, "alert": YES_NO, "require": TEXT,
            "min_risk": NUMBER,
        },
        "hotspots": {
            "disk": NUMBER, "fdr": NUMBER, "min_incidents": NUMBER, "expectation": TEXT,
            "populated_persons": NUMBER, "measure": TEXT,
        },
        "emergence": {
            "steps": NUMBER, "step_months": NUMBER, "disk": NUMBER, "time_lag": NUMBER,
            "fdr": NUMBER, "level": NUMBER, "min_incidents": NUMBER, "populated_persons": NUMBER,
        },
        "placing": {
            "method": TEXT, "widest": TEXT, "population": NUMBER, "past": NUMBER,
            "uniform": NUMBER, "history_months": NUMBER,
        },
        "forecast": {
            "months": NUMBER, "lag_months": NUMBER, "level": NUMBER, "resolution": NUMBER,
        },
        "scorecard": {
            "origins": NUMBER, "level": NUMBER, "draws": NUMBER, "seed": NUMBER,
            "block_months": NUMBER, "top": NUMBER,
        },
        "risk": {"weights": TEXT, "threat": TEXT},
        "deployment": {
            "new": NUMBER, "moves": NUMBER, "closures": NUMBER, "steps": NUMBERS, "demand": TEXT,
            "demands": TEXTS, "seasons": TEXTS, "candidates": TEXTS, "propose": TEXTS,
            "candidates_n": NUMBER, "spacing_km": NUMBER, "keep": TEXTS, "protect": TEXTS,
            "protect_min": NUMBER, "may_leave": TEXTS, "backup_weight": NUMBER,
            "middle_min": NUMBER, "equity": NUMBER, "move_limit_km": NUMBER,
            "moves_by": TEXT, "march_limit_min": NUMBER,
            "platoons_n": NUMBER, "platoons_least": NUMBER, "platoons_most": NUMBER,
            "persons_per_platoon": NUMBER, "mobility": TEXT, "notice_min": NUMBER,
            "range_km": NUMBER, "ring_km": NUMBER, "speed_change": NUMBER, "gap": NUMBER,
            "seed": NUMBER,
        },
        "patrols": {
            "base": TEXT, "patrols": NUMBER, "hours": NUMBER, "stay_min": NUMBER,
            "reserve_min": NUMBER, "depart_h": NUMBER, "night": YES_NO, "season": TEXT,
            "mobility": TEXT, "beyond": YES_NO, "repeat": TEXT, "repeat_days": NUMBER,
            "iterations": NUMBER, "seed": NUMBER,
        },
        "indicators": {"presence_days": NUMBER, "reach_min": NUMBER, "high_risk_share": NUMBER},
        "gaps": {},
        "alarms": {
            "widest_rings": NUMBER, "level": NUMBER, "min_incidents": NUMBER, "noise": TEXT,
            "simulations": NUMBER, "seed": NUMBER, "period_days": NUMBER, "windows": NUMBER,
            "past_periods": NUMBER,
        },
        "near_repeat": {
            "level": NUMBER, "least_ratio": NUMBER, "simulations": NUMBER, "seed": NUMBER,
        },
        "phases": {"rules": TEXT},
        "disclosure": {"audiences": TEXT},
        "terrain": {"rules": TEXT, "legend": TEXT, "codes": WORDS, "insecurity": YES_NO},
    }
)  # fmt: skip
"""Section -> key -> type; the questions check the values."""


def standards_of(top: StrictTable) -> dict[str, Any]:
    """Take the standards; an unknown section or key and a value of another type are refused."""
    table = top.table("standards")
    taken: dict[str, Any] = {}
    for name in table.values:
        if name not in STANDARD_KEYS:
            raise table.wrong(name, f"is no standard. {hint(name, STANDARD_KEYS)}")
        section = table.table(name)
        known = STANDARD_KEYS[name]
        for key, value in section.values.items():
            if key not in known:
                said = hint(key, known) if known else "It has no keys: take the line out."
                raise section.wrong(key, f"is no key of this standard. {said}")
            if not is_of(value, known[key]):
                raise section.wrong(key, f"must be {known[key]}, got {value!r}.")
            for number in numbers_in(value):
                section.finite(key, number)
        taken[name] = dict(section.values)
    return taken


def numbers_in(value: Any) -> Iterator[float]:
    """Give every number of a value, of a list or of a table."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(item)
    elif isinstance(value, int | float):
        yield value


def is_of(value: Any, kind: str) -> bool:
    """Say whether a value is of a type; true is no number."""
    if kind == TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == WORDS:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if kind == NUMBERS:
        return isinstance(value, dict) and all(is_of(item, NUMBER) for item in value.values())
    return isinstance(value, KINDS[kind]) and (kind == YES_NO or not isinstance(value, bool))
