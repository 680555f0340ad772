"""The briefing as a PDF: figures, a sheet for each map, tables, what to keep in mind."""

import io
from collections.abc import Iterator
from dataclasses import replace

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pocgeo.products.briefs import BriefContent, BriefTable, check, fit, read_headline
from pocgeo.products.briefs import rule as rule_of
from pocgeo.products.disclosure import policy
from pocgeo.products.figures.drawing import settings, sheet_figure
from pocgeo.products.figures.furniture import marking, paragraph
from pocgeo.products.figures.sheet import Sheet
from pocgeo.products.figures.words import Words
from pocgeo.products.maps.page import DISCLAIMER
from pocgeo.products.page_tables import chosen_texts, row_sentences

__all__ = ["booklet_bytes"]

TABLE_ROWS = 20
LOWEST = 0.11
"""Where a table ends at the latest, part of the sheet: below it stand its notes."""

MUTED = "#3a4650"


def booklet_bytes(content: BriefContent, *, language: str = "en", dpi: int = 200) -> bytes:
    """Make the briefing as a PDF of A4 sheets; the same content gives the same bytes.

    Parameters
    ----------
    content : BriefContent
        As for `brief`: every table has passed the gate.
    language : str
        en, fr or ar.
    dpi : int
        Dots per inch of the cells; lines and letters stay lines and letters.
    """
    content = fit(content)
    check(content)
    frame = content.frame
    about = {
        "CreationDate": None, "Title": f"{frame.title}: {frame.aoi_name}", "Creator": "pocgeo",
        "Producer": "pocgeo", "Subject": frame.marking,
    }  # fmt: skip
    buffer = io.BytesIO()
    with settings(), PdfPages(buffer, metadata=about) as book:
        for page in pages(content, Sheet(language=language, dpi=dpi)):
            book.savefig(page)
    return buffer.getvalue()


def pages(content: BriefContent, sheet: Sheet) -> Iterator[Figure]:
    """Draw the pages in order, one at a time."""
    words = Words(sheet.language)
    yield cover(content, sheet, words)
    for item in content.maps:
        frame = replace(item.framed(content.frame), title=item.spec.title)
        yield sheet_figure(
            item.spec, item.cells, item.overlays, frame, sheet=sheet, further=item.further
        )
    for table in content.tables:
        yield table_page(content, table, sheet, words)
    yield closing(content, sheet, words)


def blank(content: BriefContent, title: str, sheet: Sheet, words: Words) -> tuple[Figure, float]:
    """Begin a page with its marking and title; gives where the text may start."""
    made = Figure(figsize=sheet.size, dpi=sheet.dpi, facecolor="white")
    marking(made, content.frame.marking, words, 9)
    y = paragraph(made, (0.04, 0.96, 0.8, 0.945), words.text(title), words, 16, weight="bold")
    return made, y - 0.02


def cover(content: BriefContent, sheet: Sheet, words: Words) -> Figure:
    """Write what, where, when, for whom, and the headline figures."""
    frame = content.frame
    made, y = blank(
        content, f"{words.text(frame.title)}{words('colon')}{frame.aoi_name}", sheet, words
    )
    said = [f"{words('data_to')}{words('colon')}{words.day(frame.cut_off_on)}",
            f"{words('audience')}{words('colon')}{words.text(frame.audience)}"]  # fmt: skip
    if frame.period:
        first, last = map(words.day, frame.period)
        said.insert(0, f"{words('period')}{words('colon')}{first} – {last}")
    for line in (*said, *map(words.text, frame.notes)):
        y = paragraph(made, (0.04, 0.96, 0.1, y), line, words, 10, color=MUTED)
    y -= 0.04
    for number, headline in enumerate(content.headlines):
        left = 0.04 if (number % 2 == 0) != words.right_to_left else 0.52
        value, unit = read_headline(headline, words)
        place = (left, left + 0.44, 0.1, y)
        after = paragraph(made, place, f"{value} {words.text(unit)}", words, 18, weight="bold")
        after = paragraph(made, (*place[:3], after), words.text(headline.label), words, 10)
        if headline.says:
            paragraph(made, (*place[:3], after), words.text(headline.says), words, 8, color=MUTED)
        if number % 2 or number == len(content.headlines) - 1:
            y = min(after, y - 0.11) - 0.03
    return made


def table_page(content: BriefContent, table: BriefTable, sheet: Sheet, words: Words) -> Figure:
    """Write the first rows of one table, its weightiest columns."""
    made, y = blank(content, table.heading, sheet, words)
    if table.says:
        y = paragraph(made, (0.04, 0.96, 0.1, y), words.text(table.says), words, 9, color=MUTED)
    first = table.released.first(TABLE_ROWS)
    headings, rows = chosen_texts(first, 8, words)
    under = row_sentences(first, words)
    if not rows and not any(under):
        paragraph(made, (0.04, 0.96, 0.1, y - 0.02), words("no_rows"), words, 11)
        return made
    if rows:
        y, shown = written_rows(made, headings, list(zip(rows, under, strict=True)), y, words)
    else:
        y, shown = written_sentences(made, under, y, words)
    total = len(table.released.table)
    said = [words("first_rows", shown=min(total, shown), rows=words.figures(f"{total:,}"))]
    said += [words.text(line) for line in (*table.released.notes, *table.released.withheld)]
    paragraph(made, (0.04, 0.96, 0.04, y - 0.01), " ".join(said), words, 7, color=MUTED)
    return made


def written_sentences(
    made: Figure, under: list[list[str]], top: float, words: Words
) -> tuple[float, int]:
    """Write a table of nothing but sentences; gives where it ends, and how many rows found room."""
    y = top - 0.02
    for number, said in enumerate(under):
        if y < LOWEST + 0.06:
            return y, number
        for line in said:
            y = paragraph(made, (0.04, 0.96, LOWEST, y), line, words, 9.5) - 0.006
        y -= 0.018
    return y, len(under)


def written_rows(
    made: Figure, headings: list[str], rows: list[tuple[list[str], list[str]]], top: float,
    words: Words,
) -> tuple[float, int]:  # fmt: skip
    """Write a table as text in columns, the sentences of a row under it.

    Gives where it ends, and how many rows found room.
    """
    longest = [max(len(said[i]) for said in [headings, *(row for row, _ in rows)])
               for i in range(len(headings))]  # fmt: skip
    parts = [min(max(n, 5), 34) ** 0.75 for n in longest]
    lefts = [0.04 + 0.92 * sum(parts[:i]) / sum(parts) for i in range(len(parts))]
    rights = [*(left - 0.008 for left in lefts[1:]), 0.965]
    size, line, y = 7.6, 0.0315, top - 0.019
    made.add_artist(Rectangle((0.035, top - 0.015 - line * 1.6), 0.93, line * 1.6, color="#dfe5ea",
                              transform=made.transFigure))  # fmt: skip
    for place, said in zip(zip(lefts, rights, strict=True), headings, strict=True):
        paragraph(made, (*place, y - line * 1.5, y), said, words, size, weight="bold")
    y = top - 0.015 - line * 1.85
    for number, (row, under) in enumerate(rows):
        if y - line * (1 + 0.6 * len(under)) < LOWEST:
            return y, number
        for place, said in zip(zip(lefts, rights, strict=True), row, strict=True):
            paragraph(made, (*place, y - line * 0.8, y), said, words, size)
        y -= line * (0.72 if under else 1.0)
        for said in under:
            y = paragraph(made, (0.052, 0.965, y - line * 1.1, y), said, words, 6.6, color=MUTED)
        y -= 0.01 if under else 0.0
    return y, len(rows)


def closing(content: BriefContent, sheet: Sheet, words: Words) -> Figure:
    """Write what to keep in mind, and for whom this is."""
    made, y = blank(content, words("keep_in_mind"), sheet, words)
    frame = content.frame
    said = [*map(words.text, content.caveats)]
    said += [words.text(content.null_check)] if content.null_check else []
    said += [
        words.text(rule_of(policy(frame.audience))),
        *map(words.text, content.refused),
        words.text(DISCLAIMER),
    ]
    for line in said:
        y = paragraph(made, (0.04, 0.96, 0.05, y), line, words, 9.5) - 0.012
    return made
