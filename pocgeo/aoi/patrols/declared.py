"""Patrols that aoi.toml declares, for maps and briefs; what was asked in words comes first."""

from dataclasses import fields
from typing import Any

from pocgeo.analyses.patrols.order import PatrolOrder
from pocgeo.analyses.patrols.routing import RouteSearch
from pocgeo.aoi.patrols.asked import PatrolsAsked
from pocgeo.ground.errors import BadInput
from pocgeo.layers.aoi_file import AoiFile

__all__ = ["declared_patrols", "wanted_patrols"]

WHOLE = ("patrols", "repeat_days", "iterations", "seed")


def wanted_patrols(aoi: Any) -> PatrolsAsked | None:
    """Give the patrols asked of an area, else those its aoi.toml declares, else None."""
    asked: PatrolsAsked | None = aoi.patrols_asked
    return asked if asked is not None else declared_patrols(aoi.file)


def declared_patrols(file: AoiFile) -> PatrolsAsked | None:
    """Take `[standards.patrols]`; None where there is none.

    Raises
    ------
    BadInput
        No base is named, or a number is none that patrols can have.
    """
    said = dict(file.standards.get("patrols", {}))
    if not said:
        return None
    place = f"{file.path}: [standards.patrols]"
    if "base" not in said:
        raise BadInput(f'{place} names no base. Write base = "B01".')
    for name in WHOLE:
        if name in said:
            if said[name] != int(said[name]):
                raise BadInput(f"{place}: {name} must be a whole number, got {said[name]:g}.")
            said[name] = int(said[name])
    try:
        search = RouteSearch(**taken(RouteSearch, said))
        order = PatrolOrder(search=search, **taken(PatrolOrder, said))
        return PatrolsAsked(base_id=str(said["base"]), order=order, **taken(PatrolsAsked, said))
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from error


def taken(kind: type[Any], said: dict[str, Any]) -> dict[str, Any]:
    """Give the values that are fields of a kind."""
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in said.items() if name in names}
