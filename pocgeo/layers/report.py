"""The load report: what became of every row, as two tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pocgeo.layers.rows import DETAIL_COLUMNS, REJECTED_COLUMNS, SUMMARY_COLUMNS, RowAccount

__all__ = ["LoadReport", "report_of", "write_rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What became of the rows of one or more layers."""

    summary: pd.DataFrame
    """One row per source: rows = accepted + repaired + rejected + not_asked_for."""

    details: pd.DataFrame
    """One row per thing found: outcome {accepted, repaired, rejected, flagged, not_asked_for,
    note}, field, reason, rows, examples (row numbers)."""

    rejected: pd.DataFrame
    """One row per rejected row: where it stands and why; never what it says."""

    def joined(self, others: Iterable["LoadReport"]) -> "LoadReport":
        """Put reports of several layers into one."""
        reports = [self, *others]
        return LoadReport(
            summary=stacked([report.summary for report in reports], SUMMARY_COLUMNS),
            details=stacked([report.details for report in reports], DETAIL_COLUMNS),
            rejected=stacked([report.rejected for report in reports], REJECTED_COLUMNS),
        )


def report_of(accounts: Iterable[RowAccount]) -> LoadReport:
    """Make the report of one layer from the accounts of its sources."""
    every = list(accounts)
    accepted = [
        account.entry("accepted", "", "as they are", account.summary()["accepted"], "")
        for account in every
    ]
    entries = [
        entry
        for account, first in zip(every, accepted, strict=True)
        for entry in ([first] if first["rows"] else []) + account.entries
    ]
    rejections = [table for account in every for table in account.rejections]
    return LoadReport(
        summary=pd.DataFrame([account.summary() for account in every], columns=SUMMARY_COLUMNS),
        details=pd.DataFrame(entries, columns=DETAIL_COLUMNS),
        rejected=stacked(rejections, REJECTED_COLUMNS).sort_values(
            ["source", "source_row"], kind="stable", ignore_index=True
        ),
    )


def stacked(tables: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put tables of the same columns under each other; none at all gives an empty one."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)


def write_rejected(report: LoadReport, path: Path) -> Path:
    """Write the rejected rows as CSV: layer, source, row number, field and reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report.rejected.to_csv(path, index=False, lineterminator="\n")
    return path
