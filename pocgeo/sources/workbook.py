"""Spreadsheets: which sheet, which row, cells with the types they were given."""

import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlrd

from pocgeo.ground.errors import BadInput, UnreadableSource
from pocgeo.sources.archives import member_bytes, safe_members
from pocgeo.sources.layout import PEEK_ROWS, find_layout, is_blank
from pocgeo.sources.markup import refuse_doctype
from pocgeo.sources.raw import RawTable

__all__ = ["read_workbook"]

PLAINLY_LARGER = 4
"""House rule: a sheet is chosen unasked when it fills this many times the next one's cells."""

LAST_ROW = 1_048_576
"""Of Excel: a sheet that says it has more is damaged."""

MOST_CELLS = 50_000_000
"""House limit of a workbook, blank cells between and beside the filled ones counted too."""

ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
HEAD_BYTES, PIECE_BYTES = 1 << 16, 1 << 22
UNCOMPUTED = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>|<f[^>]*/>\s*</c>")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet, its cells as Python values; rows[0] is row 1."""

    name: str
    hidden: bool
    rows: Sequence[Sequence[Any]]

    @property
    def filled(self) -> int:
        """Number of cells that hold something."""
        return sum(not is_blank(cell) for row in self.rows for cell in row)

    @property
    def tabular(self) -> bool:
        """Whether at least two rows fill two cells: a table, not a read-me."""
        wide = (sum(not is_blank(cell) for cell in row) >= 2 for row in self.rows)
        return sum(wide) >= 2


def read_workbook(
    path: Path, kind: str, *, sheet: str | int | None, header_row: int | None
) -> RawTable:
    """Read one sheet of an .xlsx ("zip") or .xls ("ole") file.

    Raises
    ------
    BadInput
        No sheet has that name or number, or several could be meant.
    UnreadableSource
        The file is damaged, encrypted, or no workbook.
    """
    sheets = xlsx_sheets(path) if kind == "zip" else xls_sheets(path)
    chosen, notes = chosen_sheet(path, sheets, sheet)
    layout = find_layout(chosen.rows[:PEEK_ROWS], path, header_row)
    data = chosen.rows[layout.first_data_row - 1 :]
    width = max(len(layout.names), max((len(row) for row in data), default=0))
    refuse_too_many(path, len(data) * width)
    names = [*layout.names, *(f"column_{i}" for i in range(len(layout.names) + 1, width + 1))]
    errors = 0
    kept: list[list[Any]] = []
    numbers: list[int] = []
    for number, row in enumerate(data, layout.first_data_row):
        cells = [tidy_cell(cell) for cell in row]
        if all(cell is None for cell in cells):
            continue
        errors += sum(cell in ERRORS for cell in cells if isinstance(cell, str))
        cells = [None if isinstance(cell, str) and cell in ERRORS else cell for cell in cells]
        kept.append(cells + [None] * (width - len(cells)))
        numbers.append(number)
    index = pd.Index(numbers, name="source_row", dtype="int64")
    frame = pd.DataFrame(kept, columns=names, index=index, dtype=object)
    nameless = [name for name in names[len(layout.names) :] if frame[name].isna().all()]
    notes += layout.notes
    if errors:
        notes.append(f"{errors} cells hold a spreadsheet error (#N/A ...): read as missing")
    if kind == "zip" and (count := uncomputed_formulas(path)):
        notes.append(f"{count} formulas in the workbook hold no computed value: read as missing")
    return RawTable(
        frame=frame.drop(columns=nameless), path=path, notes=tuple(notes), hxl=layout.hxl
    )


def chosen_sheet(
    path: Path, sheets: list[Sheet], wanted: str | int | None
) -> tuple[Sheet, list[str]]:
    """Choose a sheet: the one asked for, the only table, or the plainly largest visible one."""
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    if wanted is not None:
        return asked_sheet(path, sheets, wanted), []
    tables = [sheet for sheet in sheets if sheet.tabular and not sheet.hidden]
    tables = tables or [sheet for sheet in sheets if sheet.tabular]
    if not tables:
        single = [sheet for sheet in sheets if sheet.filled > 1]
        if len(single) == 1:
            return single[0], []
        raise UnreadableSource(path, f"holds no table in any of its sheets ({names}).")
    if len(tables) == 1:
        note = [f"sheet {tables[0].name!r} is the only table"] if len(sheets) > 1 else []
        return tables[0], note
    ranked = sorted(tables, key=lambda sheet: -sheet.filled)
    if ranked[0].filled >= PLAINLY_LARGER * ranked[1].filled:
        return ranked[0], [
            f"sheet {ranked[0].name!r} chosen among {names}: it is by far the largest visible table"
        ]
    raise BadInput(f"{path}: several sheets hold a table. Say which with sheet = one of {names}.")


def asked_sheet(path: Path, sheets: list[Sheet], wanted: str | int) -> Sheet:
    """Find a sheet by its name, or by its number from 1."""
    if isinstance(wanted, int) and 1 <= wanted <= len(sheets):
        return sheets[wanted - 1]
    for sheet in sheets:
        if isinstance(wanted, str) and sheet.name.strip().lower() == wanted.strip().lower():
            return sheet
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    raise BadInput(f"{path}: no sheet {wanted!r}. Its sheets are {names}.")


def xlsx_sheets(path: Path) -> list[Sheet]:
    """Read all sheets of an .xlsx, cached values instead of formulas."""
    members = safe_members(path)
    if "xl/workbook.xml" not in members:
        raise UnreadableSource(path, "is a zip but no .xlsx workbook. Unpack it, or save as .xlsx.")
    for name in members:
        if name.endswith((".xml", ".rels")):
            refuse_doctype(path, member_bytes(path, name, HEAD_BYTES), whole=False)
    held = 0
    sheets = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of styles and validation: no cell values
            with pd.ExcelFile(path, engine="openpyxl") as workbook:
                for page in workbook.book.worksheets:
                    sheets.append(xlsx_sheet(page, path, held))
                    held += sum(map(len, sheets[-1].rows))
    except UnreadableSource:
        raise
    except Exception as error:  # whatever a parser makes of foreign bytes is the file's fault
        raise UnreadableSource(path, f"is a damaged workbook ({error}). Save it anew.") from error
    return sheets


def xlsx_sheet(page: Any, path: Path, held: int) -> Sheet:
    """Read one sheet whole, after others that hold so many cells."""
    if hasattr(page, "reset_dimensions"):
        page.reset_dimensions()  # the declared size is often wrong
    rows = []
    for row in page.iter_rows(values_only=True):
        rows.append(list(row))
        held += len(row)
        refuse_too_many(path, held + len(rows))
        if len(rows) > LAST_ROW:
            raise UnreadableSource(path, f"says that it has more than {LAST_ROW:,} rows. Mend it.")
    return Sheet(page.title, page.sheet_state != "visible", rows)


def refuse_too_many(path: Path, cells: int) -> None:
    """Refuse a workbook that would fill the memory, mostly with nothing."""
    if cells > MOST_CELLS:
        raise UnreadableSource(
            path, f"spans more than {MOST_CELLS:,} cells, blank ones counted. Save it as CSV."
        )


def xls_sheets(path: Path) -> list[Sheet]:
    """Read all sheets of an .xls, dates as datetimes."""
    try:
        book = xlrd.open_workbook(str(path), logfile=Silence())
    except Exception as error:  # as above: xlrd fails in a dozen ways
        raise UnreadableSource(
            path, f"is no readable .xls ({error}); if it has a password, remove it."
        ) from error

    def value(cell: xlrd.sheet.Cell) -> Any:
        if cell.ctype in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK}:
            return None
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return "#VALUE!"
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        if cell.ctype == xlrd.XL_CELL_DATE:
            return as_datetime(cell.value, book.datemode)
        return cell.value

    sheets = []
    try:
        for page in book.sheets():
            rows = [[value(cell) for cell in row] for row in page.get_rows()]
            sheets.append(Sheet(page.name, page.visibility != 0, rows))
    except Exception as error:
        raise UnreadableSource(path, f"is a damaged .xls ({error}). Save it anew.") from error
    return sheets


def as_datetime(number: float, datemode: int) -> datetime | float:
    """Turn an .xls date into a datetime; one outside Excel's calendar stays a number."""
    try:
        return xlrd.xldate.xldate_as_datetime(number, datemode)  # type: ignore[no-any-return]
    except (xlrd.xldate.XLDateError, OverflowError, ValueError):
        return number


def tidy_cell(cell: Any) -> Any:
    """Strip text; what is left empty is missing."""
    if isinstance(cell, str):
        return cell.strip() or None
    return cell


def uncomputed_formulas(path: Path) -> int:
    """Count formulas saved without their value, as some programs do."""
    sheets = [name for name in safe_members(path) if name.startswith("xl/worksheets/sheet")]
    return sum(uncomputed_in(path, name) for name in sheets)


def uncomputed_in(path: Path, name: str) -> int:
    """Count them in one sheet, a piece at a time, each cut at the end of a cell."""
    found, left = 0, b""
    with zipfile.ZipFile(path) as archive, archive.open(name) as sheet:
        while piece := sheet.read(PIECE_BYTES):
            text = left + piece
            cut = text.rfind(b"</c>") + 4
            cut = cut if cut >= 4 else max(0, len(text) - PIECE_BYTES)
            found += len(UNCOMPUTED.findall(text[:cut]))
            left = text[cut:]
    return found


class Silence:
    """A log that xlrd may write to and nobody reads."""

    def write(self, text: str) -> int:
        """Take the text and drop it."""
        return len(text)
