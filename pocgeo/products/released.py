"""What passes the gate and what the gate goes by: Policy, ReleaseContext, Released."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd

from pocgeo.ground.errors import Refused
from pocgeo.ground.markings import MARKINGS, above, refuse_unknown_marking
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.register import IncidentRecord, Register

__all__ = ["Policy", "ReleaseContext", "Released"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one audience may see."""

    audience: str
    """internal, partners or public."""

    sees: frozenset[str]
    """Sensitivities shown as they are."""

    k: int = 5
    """Counts from 1 to k - 1 are suppressed; 1 suppresses nothing."""

    coarser_by: int = 0
    """H3 levels by which restricted measures are coarsened."""

    areas_by: str | None = None
    """Column of the admin areas to which rows finer than an admin area are joined."""

    decimals: int | None = None
    """Decimals of a degree kept in coordinates of what is not open; None keeps all."""

    markings: tuple[str, ...] = MARKINGS
    """Markings of an AOI from which this audience may be served."""

    withheld_indicators: tuple[str, ...] = ()
    """Indicators this audience may not have."""

    stricter: Mapping[str, int | str] = field(default_factory=dict)
    """Words in names of columns, indicators and categories -> a higher k, or "withheld"."""

    refused: Mapping[str, str] = field(default_factory=dict)
    """Kinds and names of products that are refused, with the reason and what is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseContext:
    """What a product must say about where it comes from."""

    marking: str
    """Marking of the AOI."""

    cut_off_on: date
    """Last day the data could know of."""

    notes: tuple[str, ...] = ()
    """Sentences printed under the product and fit for every audience: the AOI's note."""

    manifest: Mapping[str, Any] = field(default_factory=dict)
    """What pocgeo.products.manifest.manifest made."""

    columns: Mapping[str, ColumnSpec] = field(default_factory=dict)
    """Columns of the user's own layers; they come before standards/columns.toml."""

    resolution: int | None = None
    """H3 resolution of the AOI, so that a refusal can name the coarser one."""

    record: IncidentRecord | None = None
    """Incidents by cell and day. Without it, what rests on incidents leaves only with its count."""

    register: Register | None = None
    """What was released before, changed by what is released now; None: nothing was."""

    def __post_init__(self) -> None:
        refuse_unknown_marking(self.marking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A table that may be shown to its audience. Made by release(), taken by every product."""

    name: str
    """Short name: "gaps", "hotspots"."""

    title: str
    """Heading for people."""

    table: pd.DataFrame | gpd.GeoDataFrame
    """Only what may be shown; NA where unknown or suppressed."""

    columns: Mapping[str, ColumnSpec]
    """One for every column of `table` except geometry, in the table's order."""

    resolution: int | None
    """H3 resolution of column `cell`; None where there is none."""

    audience: str
    """internal, partners or public."""

    marking: str
    """Printed first and last on every product."""

    cut_off_on: date
    """Last day the data could know of."""

    notes: tuple[str, ...]
    """Sentences printed under the product."""

    withheld: tuple[str, ...]
    """Sentences that say what is not shown, and why."""

    manifest: Mapping[str, Any]
    """Inputs, parameters, versions: plain JSON, already fit for the audience."""

    totals: Mapping[str, float] = field(default_factory=dict)
    """Totals that may be shown, by column; one that would reveal a suppressed count is absent."""

    def refuse_unless_fit(self, product: str, audience: str, marking: str) -> None:
        """Refuse to be shown in a product that was not meant for what this table holds.

        Parameters
        ----------
        product : str
            What it is, for people: "page", "figure".
        audience, marking : str
            Of the product.

        Raises
        ------
        Refused
            The table was released for another audience, or its marking is above the product's.
        """
        if self.audience != audience:
            raise Refused(
                f"{self.name} was released for {self.audience}, the {product} is for {audience}. "
                f"Release it again for {audience}."
            )
        if above(self.marking, marking):
            raise Refused(
                f"{self.name} is {self.marking}, the {product} {marking}. "
                f"Give the {product} the higher marking."
            )

    def first(self, top: int | None) -> "Released":
        """Keep the first rows; totals stay those of the whole table."""
        if top is None or top >= len(self.table):
            return self
        note = f"The first {top} of {len(self.table):,} rows; totals are of all rows."
        table = self.table.head(top).reset_index(drop=True)
        return replace(self, table=table, notes=(*self.notes, note))
