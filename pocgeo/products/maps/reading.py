"""Maps as they are declared: maps/*.toml of the house and of an AOI folder, read into MapSpec."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.maps.spec import (
    BACKGROUND,
    Category,
    Compare,
    MapSpec,
    MeasureSpec,
    OverlaySpec,
)

__all__ = ["map_names", "map_spec"]


def map_names(folder: Path | None = None) -> list[str]:
    """List the maps that can be drawn: the house's, and those of an AOI folder's `maps/`."""
    return sorted({path.stem for root in roots(folder) for path in root.glob("*.toml")})


def map_spec(name: str, folder: Path | None = None) -> MapSpec:
    """Read one map; the AOI folder's own comes before the house's of the same name.

    Raises
    ------
    UnknownName
        No declaration has the name.
    BadInput
        The declaration has a key or a value that a map does not know.
    """
    for root in roots(folder):
        if name in {path.stem for path in root.glob("*.toml")}:
            return parsed(root / f"{name}.toml")
    raise UnknownName("map", name, map_names(folder))


def roots(folder: Path | None) -> Iterable[Path]:
    """Folders that may hold maps, the nearest to the user first."""
    own = () if folder is None else (Path(folder) / "maps",)
    return (*own, declared("maps"))


def parsed(path: Path) -> MapSpec:
    """Read one TOML into a MapSpec."""
    content = read_toml(path)
    measures = listed(path, content.get("measures", []), "measures")
    for row in measures:
        kinds = listed(path, row.get("categories", []), "categories")
        row["categories"] = tuple(built(path, Category, kind) for kind in kinds)
    overlays = listed(path, content.get("overlays", []), "overlays")
    content["measures"] = tuple(built(path, MeasureSpec, row) for row in measures)
    content["overlays"] = over_background(built(path, OverlaySpec, row) for row in overlays)
    if "compare" in content:
        if not isinstance(content["compare"], Mapping):
            raise BadInput(f"{path}: compare must be written as a [compare] table.")
        content["compare"] = built(path, Compare, content["compare"])
    return built(path, MapSpec, {"name": path.stem, **content})


def over_background(named: Iterable[OverlaySpec]) -> tuple[OverlaySpec, ...]:
    """Put what lies around the AOI beneath the layers that a file names, unless it names that."""
    overlays = tuple(named)
    has = any(item.layer == BACKGROUND.layer for item in overlays)
    return overlays if has else (BACKGROUND, *overlays)


def listed(path: Path, rows: Any, key: str) -> list[dict[str, Any]]:
    """Take an array of tables; anything else is a mistake in the file."""
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise BadInput(f"{path}: {key} must be written as [[{key}]] tables.")
    return [dict(row) for row in rows]


Part = TypeVar("Part", Category, Compare, MeasureSpec, OverlaySpec, MapSpec)


def built(path: Path, part: type[Part], row: Mapping[str, Any]) -> Part:
    """Make one dataclass from a table; unknown keys and wrong types name the file and the key."""
    known = {known.name: known for known in fields(part)}
    unknown = sorted(set(row) - set(known))
    if unknown:
        raise BadInput(
            f"{path}: {part.__name__} has no key {', '.join(unknown)}; known: {', '.join(known)}."
        )
    values: dict[str, Any] = {}
    for key, value in row.items():
        kind = known[key].type
        if not fits(value, kind):
            said = kind.__name__ if isinstance(kind, type) else kind
            raise BadInput(f"{path}: {key} is {value!r}; it must be {said}.")
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return part(**values)
    except TypeError as error:
        raise BadInput(f"{path}: {part.__name__}: {str(error).split('() ')[-1]}.") from error


def fits(value: Any, kind: Any) -> bool:
    """Say whether a value of a TOML file is of a field's type."""
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(fits(item, parts[0]) for item in value)
    if get_origin(kind) is Mapping:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if parts:
        return any(fits(value, part) for part in parts)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
