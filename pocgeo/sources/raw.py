"""What a file holds before anyone says what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

__all__ = ["RawTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """Rows as found in a file, with where they stood and what was odd about the reading."""

    frame: pd.DataFrame
    """One row per record. The index, `source_row`, is the row a person sees in the file: in a text
    table or a sheet the header of a plain file is row 1; in Parquet, vector and GPX files the
    first record is row 1. A GeoDataFrame in EPSG:4326 (x = lon, y = lat) where there is geometry.
    """

    path: Path
    """The file read."""

    notes: tuple[str, ...] = ()
    """What was assumed, converted or left out, one sentence each."""

    bad_rows: tuple[tuple[int, str], ...] = ()
    """Rows that are in the file but not in `frame`: (source_row, why)."""

    hxl: Mapping[str, str] = field(default_factory=dict)
    """Column to HXL tag, where the file has a tag row."""

    def later(self, rows: int) -> "RawTable":
        """Give the rows the numbers they have in a file with so many rows before them."""
        if not rows:
            return self
        bad_rows = tuple((row + rows, why) for row, why in self.bad_rows)
        return replace(self, frame=self.frame.set_axis(self.frame.index + rows), bad_rows=bad_rows)
