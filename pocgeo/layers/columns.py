"""Which source column holds which field: declared, from the profile, or by a known name."""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName, shortened
from pocgeo.ground.frames import plain
from pocgeo.layers.spec import LayerSpec, ProfileSpec

__all__ = ["find_column", "first_column", "folded", "require_fields", "resolve_columns"]

COORDINATES = ("lon", "lat", "longitude", "latitude", "x", "y")


def folded(name: object) -> str:
    """Write a column name without case, spaces, underscores and hyphens."""
    text = str(name).lower()
    return "".join(mark for mark in text if mark not in " _-\t\n")


def first_column(names: Iterable[str], found: Iterable[str]) -> str | None:
    """Find the first of several names among the columns."""
    by_name = index_of(found)
    return next((by_name[folded(name)] for name in names if folded(name) in by_name), None)


def index_of(found: Iterable[str]) -> dict[str, str]:
    """Index columns by their folded name, the first of equals."""
    by_name: dict[str, str] = {}
    for column in found:
        by_name.setdefault(folded(column), column)
    return by_name


def find_column(name: str, found: Iterable[str], path: Path, key: str) -> str:
    """Find a column that the AOI file or a profile names; refuse where there is none.

    Raises
    ------
    BadInput
        The file has no such column; the message names the nearest.
    """
    columns = [str(column) for column in found if column != "geometry"]
    column = first_column([name], columns)
    if column is None:
        near = get_close_matches(name, columns, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Found {shortened(columns)}."
        raise BadInput(f"{path}: no column {name!r}, which {key} names. {hint}")
    return column


def resolve_columns(
    found: Iterable[str],
    spec: LayerSpec,
    profile: ProfileSpec | None,
    declared: Mapping[str, str],
    path: Path,
) -> dict[str, tuple[str, ...]]:
    """Say for every field which columns hold it, the first that has a value winning in each row.

    What aoi.toml declares comes first, then the profile, then the field's own name, then its
    aliases. Case, spaces, underscores and hyphens do not matter.

    Raises
    ------
    UnknownName
        `columns` names a field that the layer does not have.
    BadInput
        It names a column that the file does not have.
    """
    columns = [str(column) for column in found if column != "geometry"]
    by_name = index_of(columns)
    for wrong in [name for name in declared if name not in spec.fields]:
        if wrong in COORDINATES:
            raise BadInput(
                f"layers.{spec.name}: columns names {wrong!r}, which is no field. Declare the "
                f'columns of coordinates beside it: lon = "...", lat = "...".'
            )
        raise UnknownName(f"field of {spec.name}", wrong, spec.fields)
    resolved: dict[str, tuple[str, ...]] = {}
    for name, field in spec.fields.items():
        if name in declared:
            resolved[name] = (find_column(declared[name], columns, path, f"columns.{name}"),)
            continue
        wanted = profile.columns.get(name, ()) if profile else ()
        held = [by_name[folded(column)] for column in wanted if folded(column) in by_name]
        if not held and not wanted:
            one = first_column([name, *field.aliases], columns)
            held = [one] if one else []
        if held:
            resolved[name] = tuple(dict.fromkeys(held))
    return resolved


def require_fields(
    spec: LayerSpec,
    resolved: Mapping[str, tuple[str, ...]],
    given: Iterable[str],
    found: Iterable[str],
) -> None:
    """Refuse a table that lacks a required field, unless a value is given for all rows."""
    known = {*resolved, *given}
    missing = [name for name, field in spec.fields.items() if field.required and name not in known]
    if missing:
        raise MissingColumns(spec.name, missing, found)


def unread(
    found: Iterable[str], columns: Mapping[str, Sequence[str]], declared: object
) -> list[str]:
    """List the columns of a file that nothing asks for.

    Parameters
    ----------
    found : iterable of str
        Columns of the file.
    columns : mapping
        Field -> the columns that hold it.
    declared : dataclass
        What aoi.toml says of the source: a column that it names anywhere is asked for.
    """
    said = json.dumps(plain(declared), ensure_ascii=False, default=str)
    asked = {name for names in columns.values() for name in names}
    return [
        name
        for name in found
        if name not in asked and json.dumps(name, ensure_ascii=False) not in said
    ]
