"""A table of places, as documents in markup take it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = ["PlacedRows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRows:
    """Rows with a shape each, and what the document around them says."""

    rows: pd.DataFrame
    """n rows of plain values; a missing one is left out."""

    shapes: Sequence[Any] | pd.Series
    """n geometries, lon, lat in degrees; None or an empty one is a row without a place."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Column -> name for people."""

    heading: str
    """Name of the document: marking and title."""

    said: Sequence[str] = ()
    """Paragraphs of its description; the last is the marking."""

    extra: Mapping[str, str] = field(default_factory=dict)
    """Further data of the document: marking, manifest."""

    def pairs(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Give each row as values by column, with its shape."""
        listed = self.rows.itertuples(index=False, name=None)
        for values, shape in zip(listed, self.shapes, strict=True):
            yield dict(zip(self.rows.columns, values, strict=True)), shape
