"""Where a table begins: header row, HXL tags, column names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pocgeo.ground.errors import BadInput, UnreadableSource

__all__ = ["Layout", "find_layout", "is_blank", "named_columns", "refuse_too_wide"]

PEEK_ROWS = 60
"""Rows looked at for a header; HXL allows its tags in the first 25."""

TAG = re.compile(r"#\s*[A-Za-z][A-Za-z0-9_]*(\s*\+\s*[A-Za-z][A-Za-z0-9_]*)*\s*")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
YEARS = range(1900, 2101)
MOST_COLUMNS = 5_000
"""House limit: what is wider was cut at the wrong mark, or is no table of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the rows of one table are to be read."""

    names: tuple[str, ...]
    """Unique column names, one per column."""

    first_data_row: int
    """Row number (from 1) of the first row after header and tags."""

    header_row: int
    """Row number of the header; 0 where the table has none."""

    notes: tuple[str, ...] = ()
    hxl: dict[str, str] = field(default_factory=dict)


def is_blank(cell: Any) -> bool:
    """Say whether a cell holds nothing, white space included."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def find_layout(
    rows: Sequence[Sequence[Any]], path: Path, header_row: int | None, *, ragged: bool = False
) -> Layout:
    """Find header and HXL tags among the first rows of a table.

    Parameters
    ----------
    rows : sequence of rows
        The first rows, blank ones included, so that rows[0] is row 1.
    path : Path
        For messages.
    header_row : int or None
        Declared row of the header, from 1; 0 says that there is none and columns are called
        column_1, column_2 ...; None looks for it.
    ragged : bool
        Cells right of the header are a fault of their row (text), not a column without a name.

    Raises
    ------
    BadInput
        The declared header row does not exist or is blank, or no header can be told from data.
    """
    tag_row = next((i for i, row in enumerate(rows[:25], 1) if is_tag_row(row)), 0)
    notes: list[str] = []
    if header_row == 0:
        return without_header(rows, path)
    found = header_row if header_row is not None else header_of(rows, path, tag_row)
    if not 1 <= found <= len(rows) or all(is_blank(cell) for cell in rows[found - 1]):
        raise BadInput(f"{path}: header_row = {found} is blank or beyond the table. Check the row.")
    if header_row is None and found > 1:
        notes.append(f"header found in row {found}; what stands above it is left out")
    width = max(last_filled(row) for row in rows[found - 1 :])
    width = min(width, len(rows[found - 1])) if ragged else width
    names, naming = named_columns(rows[found - 1], width, path)
    hxl: dict[str, str] = {}
    if tag_row:
        tags = [tidy(cell) for cell in rows[tag_row - 1]]
        hxl = {name: tag for name, tag in zip(names, tags, strict=False) if tag.startswith("#")}
        role = "is the header too" if tag_row == found else "is no data"
        notes.append(f"row {tag_row} holds HXL tags and {role}")
    return Layout(
        names=names,
        first_data_row=max(found, tag_row) + 1,
        header_row=found,
        notes=(*notes, *naming),
        hxl=hxl,
    )


def without_header(rows: Sequence[Sequence[Any]], path: Path) -> Layout:
    """Name the columns of a table that is declared to have no header."""
    width = max((len(row) for row in rows), default=0)
    refuse_too_wide(width, path)
    names = tuple(f"column_{number}" for number in range(1, width + 1))
    note = "no header by declaration: columns are called column_1, column_2 ..."
    return Layout(names=names, first_data_row=1, header_row=0, notes=(note,))


def is_tag_row(row: Sequence[Any]) -> bool:
    """Say whether every filled cell of a row is an HXL tag, as the HXL standard 1.1 has it."""
    filled = [str(cell).strip() for cell in row if not is_blank(cell)]
    return bool(filled) and all(TAG.fullmatch(cell) for cell in filled)


def header_of(rows: Sequence[Sequence[Any]], path: Path, tag_row: int) -> int:
    """Find the header: the first row that names most of the columns below it."""
    if tag_row:
        above = [i for i in range(tag_row - 1, 0, -1) if not all(map(is_blank, rows[i - 1]))]
        return above[0] if above else tag_row
    filled = [sum(not is_blank(cell) for cell in row) for row in rows]
    width = max(filled, default=0)
    if not width:
        raise UnreadableSource(path, "holds no table: every row is blank.")
    wide_enough = max(1, min(2, width), width // 2)
    for number, (row, count) in enumerate(zip(rows, filled, strict=True), 1):
        if count >= wide_enough:
            if 2 * sum(is_label(cell) for cell in row) >= count:
                return number
            raise BadInput(
                f"{path}: row {number} holds numbers where a header should be. Name the row of the "
                "header with header_row (0 if there is none), and any odd delimiter."
            )
    raise UnreadableSource(path, "holds no header row. Name it with header_row.")


def is_label(cell: Any) -> bool:
    """Say whether a cell could name a column: words, a date, or a year; not a measurement."""
    if is_blank(cell) or isinstance(cell, bool):
        return False
    if isinstance(cell, date | datetime):
        return True
    if isinstance(cell, int | float):
        return cell in YEARS
    parts = str(cell).split()
    if all(NUMBER.fullmatch(part) for part in parts):
        return len(parts) == 1 and parts[0].isdigit() and int(parts[0]) in YEARS
    return True


def named_columns(
    header: Sequence[Any], width: int, path: Path
) -> tuple[tuple[str, ...], list[str]]:
    """Give every column a name that no other has, and say which were changed."""
    texts = [tidy(cell) for cell in header]
    notes = []
    if "geometry" in texts:  # the name of shapes, which a table of texts and numbers has none of
        texts = ["geometry_text" if text == "geometry" else text for text in texts]
        notes.append("column geometry holds no shapes: called geometry_text")
    texts += [""] * (width - len(texts))
    while len(texts) > width and not texts[-1]:
        texts.pop()
    names: list[str] = []
    given: set[str] = set()
    unnamed, doubled = [], []
    refuse_too_wide(len(texts), path)
    taken = set(texts)
    copies: dict[str, int] = {}
    for number, text in enumerate(texts, 1):
        name = text or f"column_{number}"
        if not text:
            unnamed.append(name)
        if name in given:
            copy = copies.get(name, 2)
            while f"{name}_{copy}" in taken or f"{name}_{copy}" in given:
                copy += 1
            copies[name] = copy + 1
            doubled.append(f"{name}_{copy}")
            name = f"{name}_{copy}"
        names.append(name)
        given.add(name)
    if unnamed:
        notes.append(f"columns without a name are called {', '.join(unnamed[:6])}")
    if doubled:
        notes.append(f"column names used twice: the later ones are called {', '.join(doubled[:6])}")
    return tuple(names), notes


def refuse_too_wide(columns: int, path: Path) -> None:
    """Refuse more columns than a table of rows has."""
    if columns > MOST_COLUMNS:
        raise BadInput(
            f"{path}: {columns:,} columns; the most is {MOST_COLUMNS:,}. Check header_row and "
            "delimiter, or leave out columns."
        )


def tidy(cell: Any) -> str:
    """Write a header cell as one line of text; a date as YYYY-MM-DD, a whole number without .0."""
    if is_blank(cell):
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def last_filled(row: Sequence[Any]) -> int:
    """Count the cells up to the last that is not blank."""
    return max((i for i, cell in enumerate(row, 1) if not is_blank(cell)), default=0)
