"""What is asked of the gate for those outside, and what comes out of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

import geopandas as gpd
import pandas as pd

from pocgeo.ground.frames import plain
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.register import (
    IncidentRecord,
    PlacePieces,
    Register,
    last_whole_month,
    places,
)
from pocgeo.products.released import Policy, ReleaseContext
from pocgeo.products.suppression import Memory

__all__ = [
    "AREAS",
    "MEASURED",
    "SLICES",
    "TIMES",
    "Asked",
    "Outward",
    "counted_column",
    "totals_of",
]

AREAS = ("area_id", "area", "admin2_id", "admin2", "admin1_id", "admin1", "aor_id", "aor")
TIMES = ("month_on", "quarter_on", "day_on")
SLICES = ("area_kind", "indicator", "perpetrator", "incident_type", *TIMES)
POINT_FACTS = ("perpetrator", "incident_type")
MEASURED = ("sum", "mean", "min", "max")
"""How a measure is joined; "first" is what names a row."""

DAYS_ASKED = frozenset(
    {"as_of", "as_of_on", "end_on", "from_on", "presence_from_on", "presence_until_on"}
)
"""Words of a standard that say for which days a table was asked."""

COUNTED = "incidents"
"""Column that the register counts by place: incidents from the first day to the cut-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """A table fit for its audience, and the words that go with it."""

    table: pd.DataFrame | gpd.GeoDataFrame
    columns: Mapping[str, ColumnSpec]
    totals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be released, for whom, and what is known around it."""

    name: str
    kind: str
    policy: Policy
    context: ReleaseContext
    standard: Mapping[str, Any] = field(default_factory=dict)
    """Standards of the finding: the same table with others is another table."""

    itself: frozenset[str] = frozenset()
    """Columns that are open by themselves, whatever the sensitivity of the table."""

    @cached_property
    def register(self) -> Register:
        """What was released before; a new one where nobody keeps it."""
        kept = self.context.register
        return kept or Register(k=self.policy.k, coarser_by=self.policy.coarser_by)

    @property
    def until(self) -> date:
        """Last day counted: with a record, that of the last whole month, as monthly figures are."""
        day = self.context.cut_off_on
        return day if self.context.record is None else last_whole_month(day)

    def known(self, record: IncidentRecord) -> PlacePieces:
        """Bring the register up to the cut-off and find the pieces."""
        return places(record, self.register, self.until, self.policy.k)

    @property
    def memory(self) -> Memory:
        """Where values of this table are kept."""
        said = json.dumps(plain(_without_days(self.standard)), sort_keys=True, default=str)
        name = f"{self.name} {sha256(said.encode()).hexdigest()[:8]}"
        return Memory(register=self.register, table=name, k=self.policy.k)


def _without_days(standard: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the days of a question out: the next release is of the same table."""
    return {
        name: _without_days(said) if isinstance(said, Mapping) else said
        for name, said in standard.items()
        if name not in DAYS_ASKED
    }


def counted_column(columns: Mapping[str, ColumnSpec], asked: Asked) -> str | None:
    """Name the count that pieces are made of: of the record, else the first one of the table."""
    if asked.kind != "cells":
        return None
    if asked.context.record is not None:
        return COUNTED if COUNTED in columns else None
    sums = (name for name, spec in columns.items() if spec.counts and spec.released_as == "sum")
    return next(sums, None)


def totals_of(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], kind: str
) -> Mapping[str, float]:
    """Add up the columns whose rows are parts of one whole; a total of nothing known is absent.

    Only cells, gap areas and points are disjoint: rows of several kinds of area, of months, or
    of bases overlap, and are not added up.
    """
    disjoint = kind in {"cells", "points"} or "gap_area_id" in table
    if not disjoint or any(name in table for name in SLICES if name not in POINT_FACTS):
        return {}
    return {
        name: float(table[name].sum())
        for name, spec in columns.items()
        if spec.released_as == "sum" and name in table and table[name].notna().any()
    }
