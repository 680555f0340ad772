"""Spreadsheets that state their marking and compute nothing."""

import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from pocgeo.ground.errors import BadInput
from pocgeo.products.manifest import as_json
from pocgeo.products.phrasing import clean, digits_of, is_number, provenance_line
from pocgeo.products.released import Released
from pocgeo.products.still_zip import still_zip

__all__ = ["SheetContent", "inert", "workbook_bytes"]

Sheet = Any
"""A sheet of a write-only workbook; openpyxl has no public name for its type."""

MOST_ROWS = 1_048_576 - 8
MOST_SIGNS = 32_000
"""A spreadsheet cell holds 32,767 signs."""

ACTING = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so would be computed by a spreadsheet."""

HEADING = PatternFill("solid", fgColor="E8EDF2")


def inert(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would compute."""
    return f"'{text}" if text.startswith(ACTING) or text.lstrip().startswith(ACTING) else text


class SheetContent(NamedTuple):
    """One table of a workbook."""

    released: Released

    table: pd.DataFrame
    """The released table without geometry, cells as text."""

    facts: Mapping[str, Any]
    """What the sheet "Read me" holds as its manifest."""


def workbook_bytes(*tables: SheetContent) -> bytes:
    """Write a workbook: each table between two lines of marking, and a sheet that explains them.

    Parameters
    ----------
    tables : SheetContent, at least one

    Raises
    ------
    BadInput
        More rows than a sheet can hold.
    """
    for released, table, _ in tables:
        if len(table) > MOST_ROWS:
            raise BadInput(
                f"{released.name}: {len(table):,} rows are more than a sheet holds "
                f"({MOST_ROWS:,}). Use csv or geoparquet."
            )
    first = tables[0].released
    book = Workbook(write_only=True)
    for released, table, _ in tables:
        sheet = book.create_sheet(_sheet_name(released.name.replace("_", " ")))
        _table_sheet(sheet, released, table)
    _read_me(book.create_sheet("Read me"), tables)
    book.properties.title = clean(first.title)
    book.properties.creator = "pocgeo"
    book.properties.keywords = first.marking
    raw = io.BytesIO()
    book.save(raw)
    return still_zip(raw.getvalue(), _moment(first))


def _sheet_name(title: str) -> str:
    return re.sub(r"[\\/*?:\[\]']", " ", clean(title)).strip()[:31] or "Table"


def _table_sheet(sheet: Sheet, released: Released, table: pd.DataFrame) -> None:
    specs = released.columns
    kinds = {name: _number_format(table[name], spec) for name, spec in specs.items()}
    for position, name in enumerate(specs, start=1):
        longest = table[name].astype(str).str.len().max() if len(table) else 0
        width = min(max(len(specs[name].label) * 0.7, float(longest), 8) + 2, 48)
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.freeze_panes = "A3"
    last = get_column_letter(max(len(table.columns), 1))
    sheet.auto_filter.ref = f"A2:{last}{len(table) + 2}"
    _printed(sheet, released.marking)
    sheet.append([_styled(sheet, f"{released.marking} · {clean(released.title)}", bold=True)])
    sheet.append([_heading(sheet, _label(specs[name])) for name in specs])
    for row in table[list(specs)].itertuples(index=False, name=None):
        sheet.append([_cell(sheet, value, kinds[name])
                      for name, value in zip(specs, row, strict=True)])  # fmt: skip
    sheet.append([])
    sheet.append([_styled(sheet, f"{released.marking} · {provenance_line(released)}", bold=True)])


def _read_me(sheet: Sheet, tables: Sequence[SheetContent]) -> None:
    sheet.column_dimensions["A"].width = 30
    sheet.column_dimensions["B"].width = 22
    sheet.column_dimensions["C"].width = 14
    sheet.column_dimensions["D"].width = 90
    _printed(sheet, tables[0].released.marking)
    for number, each in enumerate(tables):
        for line in [*([[]] if number else []), *_explained(each)]:
            sheet.append([_styled(sheet, inert(clean(text))) for text in line])


def _explained(content: SheetContent) -> list[Sequence[str]]:
    """Say what a table holds, what its columns mean and how it was made."""
    released = content.released
    return [
        [released.marking],
        [released.title],
        [provenance_line(released)],
        *([note] for note in released.notes),
        *([f"Withheld. {line}"] for line in released.withheld),
        [],
        ["Column", "Name", "Unit", "Meaning"],
        *([s.label, s.name, s.unit or "", s.help] for s in released.columns.values()),
        [],
        ["How this was made"],
        *([line] for line in as_json(content.facts["manifest"]).splitlines()),
        [released.marking],
    ]


def _printed(sheet: Sheet, marking: str) -> None:
    """Repeat marking and headings on every printed sheet."""
    sheet.oddHeader.center.text = marking
    sheet.oddFooter.center.text = f"{marking} · &P/&N"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _label(spec: Any) -> str:
    return inert(clean(f"{spec.label} ({spec.unit})" if spec.unit else spec.label))


def _number_format(values: pd.Series, spec: Any) -> str | None:
    if not is_number(values):
        return None
    digits = digits_of(values, spec)
    return "#,##0" + ("." + "0" * digits if digits else "")


def _cell(sheet: Sheet, value: Any, number_format: str | None) -> Any:
    if pd.isna(value):
        return None
    if number_format is not None:
        cell = WriteOnlyCell(sheet, value=value)
        cell.number_format = number_format
        return cell
    if isinstance(value, pd.Timestamp):
        if value.tzinfo is not None:
            return value.isoformat()
        cell = WriteOnlyCell(sheet, value=value.to_pydatetime())
        cell.number_format = "yyyy-mm-dd"
        return cell
    if isinstance(value, bool | np.bool_):
        return bool(value)
    text = inert(clean(value))
    return text if len(text) <= MOST_SIGNS else text[:MOST_SIGNS] + " … (cut)"


def _styled(sheet: Sheet, text: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=bold)
    return cell


def _heading(sheet: Sheet, text: str) -> Any:
    cell = _styled(sheet, text, bold=True)
    cell.fill, cell.alignment = HEADING, Alignment(wrap_text=True, vertical="top")
    return cell


def _moment(released: Released) -> datetime:
    """When the product was made: what the file says of itself, never the clock."""
    made = released.manifest.get("made_at")
    return datetime.fromisoformat(str(made)) if made else datetime(1980, 1, 1, tzinfo=UTC)
