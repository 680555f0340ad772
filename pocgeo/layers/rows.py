"""The account of one source's rows: each accepted, repaired, rejected or not asked for, once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DETAIL_COLUMNS", "REJECTED_COLUMNS", "SUMMARY_COLUMNS", "RowAccount"]

SUMMARY_COLUMNS = ("layer", "source", "rows", "accepted", "repaired", "rejected", "not_asked_for")
DETAIL_COLUMNS = ("layer", "source", "outcome", "field", "reason", "rows", "examples")
REJECTED_COLUMNS = ("layer", "source", "source_row", "field", "reason")
ACCEPTED, REPAIRED, REJECTED, NOT_ASKED_FOR = range(4)
EXAMPLES = 5

Mask = NDArray[np.bool_]


class RowAccount:
    """What became of every row of one source.

    Parameters
    ----------
    layer, source : str
        Names for the report: the layer, and the file without its folder.
    source_rows : sequence of int
        The row number of each row in the file.
    """

    def __init__(self, layer: str, source: str, source_rows: Iterable[int]) -> None:
        self.layer, self.source = layer, source
        self.source_rows: NDArray[np.int64] = np.asarray(list(source_rows), dtype="int64")
        self.state: NDArray[np.int8] = np.zeros(len(self.source_rows), dtype="int8")
        self.entries: list[dict[str, Any]] = []
        self.rejections: list[pd.DataFrame] = []
        self.unreadable = 0

    @property
    def live(self) -> Mask:
        """Rows that are still in: neither rejected nor passed over."""
        return np.asarray(self.state < REJECTED)

    def refuse_unreadable(self, bad_rows: Iterable[tuple[int, str]]) -> None:
        """Count rows that the reader could not take apart as rejected."""
        bad = list(bad_rows)
        self.unreadable += len(bad)
        for reason in sorted({why for _, why in bad}):
            rows = np.array([row for row, why in bad if why == reason], dtype="int64")
            self.enter("rejected", "", reason, rows)
            self.keep_rejected(rows, "", reason)

    def reject(self, where: Any, field: str, reason: str) -> None:
        """Reject live rows; the first reason a row meets is the one it keeps."""
        rows = self.settle(where, REJECTED)
        self.enter("rejected", field, reason, rows)
        self.keep_rejected(rows, field, reason)

    def repair(self, where: Any, field: str, reason: str) -> None:
        """Say that a value of live rows was mended, and how; a row counts as repaired once."""
        self.enter("repaired", field, reason, self.settle(where, REPAIRED))

    def pass_over(self, where: Any, field: str, reason: str) -> None:
        """Leave out live rows that the AOI file or the profile does not ask for."""
        self.enter("not_asked_for", field, reason, self.settle(where, NOT_ASKED_FOR))

    def flag(self, where: Any, field: str, reason: str) -> None:
        """Point at live rows without changing what becomes of them."""
        self.enter("flagged", field, reason, self.source_rows[self.mask(where) & self.live])

    def note(self, reason: str, rows: int = 0, field: str = "") -> None:
        """Say something of the source as a whole."""
        self.entries.append(self.entry("note", field, reason, rows, ""))

    def absorb(self, part: "RowAccount", where: Mask) -> None:
        """Take over the account of some of the rows, in their order."""
        self.state[where] = np.where(
            self.state[where] < REJECTED,
            np.maximum(self.state[where], part.state),
            self.state[where],
        )
        self.entries += part.entries
        self.rejections += part.rejections

    def mask(self, where: Any) -> Mask:
        """Turn a boolean column into a mask; unknown counts as false."""
        if isinstance(where, pd.Series):
            where = where.fillna(value=False) if where.hasnans else where
        return np.array(where, dtype=bool)

    def settle(self, where: Any, state: int) -> NDArray[np.int64]:
        """Put live rows into a state; a repaired row stays live."""
        chosen = self.mask(where) & self.live
        self.state[chosen] = state
        return np.asarray(self.source_rows[chosen])

    def enter(self, outcome: str, field: str, reason: str, rows: NDArray[np.int64]) -> None:
        """Write one line of details, where it concerns any row."""
        if len(rows):
            shown = ", ".join(str(row) for row in rows[:EXAMPLES])
            more = " ..." if len(rows) > EXAMPLES else ""
            self.entries.append(
                self.entry(outcome, field, reason, len(rows), f"rows {shown}{more}")
            )

    def entry(self, outcome: str, field: str, reason: str, rows: int, shown: str) -> dict[str, Any]:
        """Make one line of details."""
        values = (self.layer, self.source, outcome, field, reason, rows, shown)
        return dict(zip(DETAIL_COLUMNS, values, strict=True))

    def keep_rejected(self, rows: NDArray[np.int64], field: str, reason: str) -> None:
        """Keep the row numbers of what was rejected."""
        if len(rows):
            values = (self.layer, self.source, rows, field, reason)
            self.rejections.append(pd.DataFrame(dict(zip(REJECTED_COLUMNS, values, strict=True))))

    def summary(self) -> dict[str, Any]:
        """Count the rows by what became of them; the counts add up."""
        counts = np.bincount(self.state, minlength=4)
        rejected = int(counts[REJECTED]) + self.unreadable
        parts = (int(counts[ACCEPTED]), int(counts[REPAIRED]), rejected, int(counts[NOT_ASKED_FOR]))
        rows = len(self.source_rows) + self.unreadable
        if sum(parts) != rows:
            raise RuntimeError(f"{self.source}: {sum(parts)} rows accounted for of {rows}.")
        return dict(zip(SUMMARY_COLUMNS, (self.layer, self.source, rows, *parts), strict=True))
