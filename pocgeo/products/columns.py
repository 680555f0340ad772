"""What each column of a finding is called and measured in, and how it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput

__all__ = ["ColumnSpec", "column_specs", "read_columns", "undeclared"]

SENSITIVITIES = ("open", "restricted", "confidential")
"""Low to high."""

RELEASED_AS = ("sum", "mean", "min", "max", "first", "none")
COUNTS = (None, "incidents", "persons_harmed")
DECLARATION = "columns.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """What a column is, and how it may leave."""

    name: str
    """Name in the tables, its unit included."""

    label: str
    """Heading for people: "People in the gap"."""

    unit: str | None
    """Unit for people ("persons", "minutes", "0–1"), None where there is none."""

    sensitivity: str
    """open, restricted or confidential."""

    released_as: str
    """How a coarser row gets its value: sum, mean (weighted by people), min, max, first, none."""

    counts: str | None
    """"incidents" or "persons_harmed" where small values can point at people; else None."""

    digits: int = 0
    """Decimals shown to people."""

    help: str = ""
    """One sentence; the tooltip."""

    mixed: bool = False
    """Whether values of several units stand below each other: whole ones show no decimals."""

    missing: str = "–"
    """How an unknown value is written: "–" or a word such as "unknown"."""

    priority: int = 2
    """1 is kept first and 3 goes first where a table does not fit a terminal."""

    derived_from: tuple[str, ...] = ()
    """Count columns from which this value could be worked back; it goes where they go."""

    def __post_init__(self) -> None:
        where = f"Column {self.name!r} of standards/{DECLARATION}"
        for field, value, known in (
            ("sensitivity", self.sensitivity, SENSITIVITIES),
            ("released_as", self.released_as, RELEASED_AS),
            ("counts", self.counts, COUNTS),
        ):
            if value not in known:
                allowed = ", ".join(str(item) for item in known if item)
                raise BadInput(f"{where}: {field} is {value!r}. Use one of: {allowed}.")
        if self.priority not in {1, 2, 3}:
            raise BadInput(f"{where}: priority is {self.priority!r}. Use 1, 2 or 3.")
        if not 0 <= self.digits <= 12:
            raise BadInput(f"{where}: digits is {self.digits}. Use a whole number from 0 to 12.")


FIELDS = frozenset(field.name for field in fields(ColumnSpec)) - {"name"}


@cache
def column_specs() -> Mapping[str, ColumnSpec]:
    """Every declared column of every finding, by name.

    Raises
    ------
    BadInput
        standards/columns.toml has an unknown key or value; the message names the column.
    """
    return MappingProxyType(read_columns(declared("standards") / DECLARATION))


def read_columns(path: Path) -> dict[str, ColumnSpec]:
    """Read a file of columns, one inline table a column."""
    return {name: _spec(name, entry) for name, entry in read_toml(path).items()}


def undeclared(name: str) -> ColumnSpec:
    """Describe a column that nothing declares: restricted, never released in coarser form."""
    return ColumnSpec(
        name=name,
        label=name,
        unit=None,
        sensitivity="restricted",
        released_as="none",
        counts=None,
        digits=2,
        help="Not declared in standards/columns.toml: shown to internal readers only.",
    )


def _spec(name: str, entry: Any) -> ColumnSpec:
    where = f"Column {name!r} of standards/{DECLARATION}"
    if not isinstance(entry, dict):
        raise BadInput(f"{where}: write it as {{ label = ..., sensitivity = ... }}.")
    unknown = sorted(set(entry) - FIELDS)
    if unknown:
        allowed = ", ".join(sorted(FIELDS))
        raise BadInput(f"{where}: unknown key {', '.join(unknown)}. Use: {allowed}.")
    missing = [key for key in ("label", "sensitivity") if not entry.get(key)]
    if missing:
        raise BadInput(f"{where}: no {' and no '.join(missing)}. Add it.")
    given = {"unit": None, "released_as": "none", "counts": None, **entry}
    given["derived_from"] = tuple(given.get("derived_from", ()))
    return ColumnSpec(name=name, **given)
