"""What each column of a finding is called, measured in, and how it may leave: standards/columns.toml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["ColumnSpec", "column_specs", "specs_for"]

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

    missing: str = "–"
    """How an unknown value is written: "–" or a word such as "unknown"."""

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
        if not 0 <= self.digits <= 12:
            raise BadInput(f"{where}: digits is {self.digits}. Use a whole number from 0 to 12.")
