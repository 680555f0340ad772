"""Tables for a terminal and a text file: aligned, marked first and last, nothing cut in silence."""

import shutil
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.exports import FORMATS, SUFFIXES, export, written_atomically
from pocgeo.products.phrasing import NOTHING, digits_of, figure, is_number, phrased, provenance_line
from pocgeo.products.released import Released

__all__ = ["FORMATS", "SUFFIXES", "as_text", "export", "save_text"]

NARROWEST, WIDEST = 60, 240
GAP = "  "
LONG_TEXT = 40
"""A column of text whose longest value is longer than this goes under its row."""

TEXT_WIDTH = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as it will be printed."""

    name: str
    heading: tuple[str, ...]
    words: tuple[str, ...]
    total: str
    right: bool
    width: int
    priority: int


def as_text(released: Released, width: int | None = None, top: int | None = None) -> str:
    """Write a table for a terminal.

    Parameters
    ----------
    released : Released
    width : int, optional
        Signs a line may have; the terminal's if left out (100 where there is none).
    top : int, optional
        Only the first rows; totals stay those of the whole table.

    Returns
    -------
    str
        Marking, heading, table, totals, notes, what is withheld, marking. Columns that do not
        fit are named below the table; sentences stand under their row.
    """
    found = shutil.get_terminal_size((100, 24)).columns if width is None else width
    wide = min(max(found, NARROWEST), WIDEST)
    shown = released.first(top)
    columns, sentences, notes = _laid_out(shown, wide)
    marking = released.marking.center(wide).rstrip()
    lines = [marking, "", *_wrapped(released.title, wide), provenance_line(released), ""]
    if len(shown.table) == 0:
        lines.append("No rows.")
    else:
        lines += _body(columns, sentences, wide, len(shown.table))
    said = [*notes, *shown.notes]
    if said or released.withheld:
        lines.append("")
    for note in said:
        lines += _wrapped(note, wide)
    for line in released.withheld:
        lines += _wrapped(f"Withheld. {line}", wide)
    return "\n".join([*lines, "", marking])


def save_text(released: Sequence[Released], path: Path | str, top: int | None = None) -> str:
    """Write tables as text into one file; return the line that says so."""
    text = "\n\n\n".join(as_text(each, width=160, top=top) for each in released) + "\n"
    written_atomically(Path(path), text.encode())
    return f"Wrote {path}"


def _laid_out(
    released: Released, wide: int
) -> tuple[list[Column], list[tuple[str, Sequence[str]]], list[str]]:
    """Choose what stands in columns, what stands under its row, and what is only named."""
    table = released.table
    unknown: list[str] = []
    columns: list[Column] = []
    sentences: list[tuple[str, Sequence[str]]] = []
    for name, spec in released.columns.items():
        words = phrased(table[name], spec)
        if len(table) and table[name].isna().all():
            unknown.append(spec.label)
        elif not is_number(table[name]) and max(map(breadth, words), default=0) > LONG_TEXT:
            sentences.append((spec.label, words))
        else:
            columns.append(_column(released, name, spec, words))
    kept = _fitting(columns, wide)
    left = [column for column in columns if column not in kept]
    notes = [f"Unknown throughout: {', '.join(unknown)}."] if unknown else []
    if left:
        labels = ", ".join(released.columns[column.name].label for column in left)
        notes.append(f"Not shown at this width: {labels}. --format csv has every column.")
    return kept, sentences, notes


def _column(released: Released, name: str, spec: ColumnSpec, words: list[str]) -> Column:
    total = released.totals.get(name)
    values = released.table[name]
    said = "" if total is None else figure(total, digits_of(values, spec))
    if said and values.isna().any() and (spec.counts is None or released.audience == "internal"):
        said = f"≥ {said}"  # some of the rows are unknown; suppressed ones are in the total
    longest = max(map(breadth, [*words, said]), default=0)
    unit = f"({spec.unit})" if spec.unit else ""
    room = max(longest, min(14, breadth(spec.label)), breadth(unit))
    room = min(room, max(TEXT_WIDTH, longest if is_number(values) else 0))
    heading = [*_wrapped(spec.label, room), *([unit] if unit else [])]
    return Column(
        name=name,
        heading=tuple(heading),
        words=tuple(words),
        total=said,
        right=is_number(values),
        priority=spec.priority,
        width=max(min(longest, max(room, longest if is_number(values) else TEXT_WIDTH)),
                  *map(breadth, heading)),
    )  # fmt: skip


def _fitting(columns: list[Column], wide: int) -> list[Column]:
    """Leave out the least important columns, of equals the one furthest to the right."""
    kept = list(columns)
    later = list(enumerate(columns[1:]))
    for _, column in sorted(later, key=lambda item: (-item[1].priority, -item[0])):
        if _total_width(kept) <= wide:
            break
        kept.remove(column)
    return kept


def _total_width(columns: Iterable[Column]) -> int:
    widths = [column.width for column in columns]
    return sum(widths) + len(GAP) * max(len(widths) - 1, 0)


def _body(
    columns: list[Column], sentences: list[tuple[str, Sequence[str]]], wide: int, rows: int
) -> list[str]:
    height = max((len(column.heading) for column in columns), default=0)
    padded = [("",) * (height - len(c.heading)) + c.heading for c in columns]
    lines = [_line(columns, [head[i] for head in padded]) for i in range(height)]
    rule = "─" * min(_total_width(columns), wide)
    lines.append(rule)
    for row in range(rows):
        lines += _row(columns, [column.words[row] for column in columns])
        for label, words in sentences:
            if words[row] in NOTHING:
                continue
            lines += _wrapped(f"{label}: {words[row]}", wide, indent="    ")
    totals = [column.total for column in columns]
    if any(totals):
        roomy = (i for i, c in enumerate(columns) if not c.total and c.width >= len("Total"))
        free = next(roomy, None)
        if free is not None:
            totals[free] = "Total"
        lines += [rule, _line(columns, totals)]
    return lines


def _row(columns: list[Column], words: list[str]) -> list[str]:
    """One row: a word longer than its column goes on below."""
    parts = [
        _wrapped(word, column.width) or [""] for column, word in zip(columns, words, strict=True)
    ]
    height = max((len(part) for part in parts), default=0)
    return [
        _line(columns, [part[i] if i < len(part) else "" for part in parts]) for i in range(height)
    ]


def _line(columns: list[Column], words: Sequence[str]) -> str:
    cells = []
    for column, word in zip(columns, words, strict=True):
        space = " " * max(column.width - breadth(word), 0)
        cells.append(space + word if column.right else word + space)
    return GAP.join(cells).rstrip()


def _wrapped(text: str, wide: int, indent: str = "") -> list[str]:
    """Break a text into lines that are `wide` on a terminal, wide signs counted twice."""
    if breadth(text) <= wide - len(indent):
        return [indent + text] if text else []
    per_sign = max(breadth(text) / max(len(text), 1), 1.0)
    room = max(int(wide / per_sign), 2)
    return textwrap.wrap(text, room, initial_indent=indent, subsequent_indent=indent)


def breadth(text: str) -> int:
    """Columns a text takes on a terminal: wide signs take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) or unicodedata.category(sign) in {"Mn", "Me", "Cf"}
        else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )  # fmt: skip
