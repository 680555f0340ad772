"""Who may see what: standards/audiences.toml, and a user's own file that may only tighten it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.markings import MARKINGS
from pocgeo.products.released import Policy

__all__ = ["AREAS_FINEST_FIRST", "AUDIENCES", "OUTSIDE", "policy"]

AUDIENCES = ("internal", "partners", "public")
OUTSIDE = AUDIENCES[1:]
"""Audiences outside the mission. They are taken to pass on what they get to each other."""

AREAS_FINEST_FIRST = ("admin2", "admin1")
WITHHELD = "withheld"
NEVER = "confidential"


def policy(audience: str, own: Path | None = None) -> Policy:
    """Read what an audience may see from standards/audiences.toml.

    Parameters
    ----------
    audience : str
        internal, partners or public.
    own : Path, optional
        A file of the same form with stricter rules: `[standards.disclosure] audiences` of aoi.toml.

    Raises
    ------
    UnknownName
        No such audience.
    BadInput
        A file lacks or misspells a key; the user's own is looser somewhere than the house's.
    """
    path = declared("standards") / "audiences.toml"
    entries = read_toml(path)
    if audience not in entries:
        raise UnknownName("audience", audience, entries)
    house = _read(path, audience, entries[audience])
    if own is None:
        return house
    stricter = read_toml(own)
    for name in stricter:
        if name not in entries:
            raise BadInput(f"{own}: {UnknownName('audience', name, entries)}")
    for name, section in stricter.items():
        if not isinstance(section, dict):
            raise BadInput(f"{own}: {name} must be a section: write [{name}] above its keys.")
    given = stricter.get(audience, {})
    return _tightened(own, house, _read(own, audience, {**_spelled(house), **given}), set(given))


def _spelled(rules: Policy) -> dict[str, Any]:
    """Write a policy as the file does, so that what a user leaves out stays as it is."""
    keys = ("k", "coarser_by", "areas_by", "decimals")
    said = {key: getattr(rules, key) for key in keys if getattr(rules, key) is not None}
    return {**said, "sees": sorted(rules.sees), "markings": list(rules.markings)}


def _read(path: Path, audience: str, entry: Any) -> Policy:
    """Check one section and make a policy of it."""
    where = f"{path}, [{audience}]"
    given = dict(entry)
    given["sees"] = frozenset(_texts(where, "sees", given.get("sees", []))) - {NEVER}
    for key in ("markings", "withheld_indicators"):
        given[key] = tuple(_texts(where, key, given.get(key, [])))
    for key, least in (("k", 1), ("coarser_by", 0), ("decimals", 0)):
        value = given.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise BadInput(f"{where}: {key} must be a whole number from {least}, got {value!r}.")
    areas = given.get("areas_by", AREAS_FINEST_FIRST[0])
    if areas not in AREAS_FINEST_FIRST:
        known = " or ".join(AREAS_FINEST_FIRST)
        raise BadInput(f"{where}: areas_by is {areas!r}. Use {known}.")
    unknown = [name for name in given["markings"] if name not in MARKINGS]
    if unknown:
        raise BadInput(f"{where}: {unknown[0]!r} is no marking. Use {', '.join(MARKINGS)}.")
    for word, limit in dict(given.get("stricter", {})).items():
        number = isinstance(limit, int) and not isinstance(limit, bool) and limit >= 1
        if limit != WITHHELD and not number:
            raise BadInput(
                f'{where}: stricter.{word} is {limit!r}. Use a smallest count or "{WITHHELD}".'
            )
    try:
        return Policy(audience=audience, **given)
    except TypeError as error:
        raise BadInput(f"{where}: {error}. Mend that key.") from error


def _texts(where: str, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{where}: {key} must be a list of texts, got {value!r}.")
    return value


def _tightened(path: Path, house: Policy, own: Policy, given: set[str]) -> Policy:
    """Join the user's rules to the house's; refuse what is looser."""
    finer = AREAS_FINEST_FIRST.index(own.areas_by or "admin2") < AREAS_FINEST_FIRST.index(
        house.areas_by or "admin2"
    )
    decimals = house.decimals is not None and (own.decimals or 0) > house.decimals
    for key, looser, rule in (
        ("sees", not own.sees <= house.sees, sorted(house.sees)),
        ("k", own.k < house.k, f"{house.k} or more"),
        ("coarser_by", own.coarser_by < house.coarser_by, f"{house.coarser_by} or more"),
        ("areas_by", finer, house.areas_by),
        ("decimals", decimals, f"{house.decimals} or fewer"),
        ("markings", not set(own.markings) <= set(house.markings), list(house.markings)),
    ):
        if key in given and looser:
            raise BadInput(
                f"{path}, [{own.audience}]: {key} would be looser than the house's, which is "
                f"{rule}. Your own file may only tighten it."
            )
    more = (name for name in own.withheld_indicators if name not in house.withheld_indicators)
    return replace(
        own,
        withheld_indicators=(*house.withheld_indicators, *more),
        stricter=_stricter(path, house.stricter, own),
        refused={**own.refused, **house.refused},
    )


def _stricter(path: Path, house: Mapping[str, int | str], own: Policy) -> dict[str, int | str]:
    """Join the words with higher limits; a lower one is refused."""
    joined = dict(house)
    for word, limit in own.stricter.items():
        before = house.get(word, 1)
        if _number(limit) < _number(before):
            raise BadInput(
                f"{path}, [{own.audience}]: stricter.{word} would be looser than the house's, "
                f"which is {before}. Your own file may only tighten it."
            )
        joined[word] = limit
    return joined


def _number(limit: int | str) -> float:
    return float("inf") if isinstance(limit, str) else float(limit)
