"""The briefing as slides: figures, a picture of each map with a link to the map itself, tables."""

import io
from collections.abc import Sequence
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from pocgeo.products.briefs import BriefContent, BriefMap, BriefTable, check, fit, read_headline
from pocgeo.products.briefs import rule as rule_of
from pocgeo.products.disclosure import policy
from pocgeo.products.figures import Sheet, Words, figure_bytes
from pocgeo.products.maps.page import DISCLAIMER
from pocgeo.products.page_tables import chosen_texts, row_sentences
from pocgeo.products.phrasing import clean
from pocgeo.products.still_zip import still_zip

__all__ = ["slides_bytes"]

WIDE, HIGH = 40 / 3, 7.5
BAND = 0.3
INK, MUTED = RGBColor(0x20, 0x30, 0x3F), RGBColor(0x4C, 0x57, 0x63)
MARKING_FILL = {
    "UNCLASSIFIED": RGBColor(0x1E, 0x6B, 0x3A),
    "CONFIDENTIAL": RGBColor(0x8A, 0x5A, 0x00),
    "STRICTLY CONFIDENTIAL": RGBColor(0x9C, 0x1C, 0x1C),
}
TABLE_ROWS = 10


def slides_bytes(content: BriefContent, *, language: str = "en", dpi: int = 150) -> bytes:
    """Make the briefing as a PPTX file; the same content gives the same bytes.

    Parameters
    ----------
    content : BriefContent
        As for `brief`: every table has passed the gate.
    language : str
        en, fr or ar.
    dpi : int
        Dots per inch of the maps' pictures.

    Notes
    -----
    A click on a map opens `map_<name>.html`, looked for beside the slides; each picture has a
    text for people who do not see it. Marking first and last on every slide.
    """
    content = fit(content)
    check(content)
    words = Words(language)
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDE), Inches(HIGH)
    cover(deck, content, words)
    if content.headlines:
        glance(deck, content, words)
    for item in content.maps:
        map_slide(deck, content, item, words, dpi)
    for table in content.tables:
        table_slide(deck, content, table, words)
    closing(deck, content, words)
    frame = content.frame
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = words.text(frame.title), "pocgeo", "pocgeo"
    about.subject, about.keywords, about.comments = frame.aoi_name, frame.marking, ""
    about.created = about.modified = frame.made_at.replace(tzinfo=None)
    buffer = io.BytesIO()
    deck.save(buffer)
    return still_zip(buffer.getvalue(), frame.made_at)


def new_slide(deck: Any, content: BriefContent, title: str, words: Words) -> Any:
    """Add a slide with its title and the marking at its head and foot."""
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    marking = content.frame.marking
    for top in (0.0, HIGH - BAND):
        band = slide.shapes.add_shape(
            MSO_SHAPE.RECTANGLE, 0, Inches(top), Inches(WIDE), Inches(BAND)
        )
        band.fill.solid()
        band.fill.fore_color.rgb = MARKING_FILL[marking]
        band.line.fill.background()
        said = band.text_frame.paragraphs[0]
        said.alignment = PP_ALIGN.CENTER
        write(said, words.text(marking), 12, RGBColor(0xFF, 0xFF, 0xFF), bold=True)
    head = slide.shapes.title
    head.left, head.top, head.width, head.height = (
        Inches(0.2), Inches(0.36), Inches(WIDE - 0.4), Inches(0.62),
    )  # fmt: skip
    head.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    line = head.text_frame.paragraphs[0]
    begin(line, words)
    said = words.text(title)
    write(line, said, 24 if len(said) < 62 else 17, INK, bold=True)
    return slide


def begin(line: Any, words: Words) -> None:
    """Begin a paragraph on the side where the language does; its full stop stands at its end."""
    line.alignment = PP_ALIGN.RIGHT if words.right_to_left else PP_ALIGN.LEFT
    if words.right_to_left:
        line._p.get_or_add_pPr().set("rtl", "1")


def write(line: Any, text: str, size: float, colour: RGBColor, *, bold: bool = False) -> None:
    """Write one run of text into a paragraph."""
    run = line.add_run()
    run.text = clean(text)
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour


def lines(
    slide: Any, texts: Sequence[tuple[str, float, RGBColor, bool]], place: Sequence[float],
    words: Words,
) -> None:  # fmt: skip
    """Write paragraphs into a box: left, top, width, height in inches."""
    box = slide.shapes.add_textbox(*(Inches(part) for part in place)).text_frame
    box.word_wrap = True
    for number, (text, size, colour, bold) in enumerate(texts):
        line = box.paragraphs[0] if number == 0 else box.add_paragraph()
        begin(line, words)
        line.space_after = Pt(4)
        write(line, text, size, colour, bold=bold)


def cover(deck: Any, content: BriefContent, words: Words) -> None:
    """Write the first slide: what, where, when, for whom."""
    frame = content.frame
    slide = new_slide(deck, content, frame.title, words)
    said = [(frame.aoi_name, 30.0, INK, True)]
    if frame.period:
        period = f"{words.day(frame.period[0])} – {words.day(frame.period[1])}"
        said.append((f"{words('period')}{words('colon')}{period}", 18.0, INK, False))
    said.append(
        (f"{words('data_to')}{words('colon')}{words.day(frame.cut_off_on)}", 18.0, INK, False)
    )
    said.append(
        (f"{words('audience')}{words('colon')}{words.text(frame.audience)}", 18.0, INK, False)
    )
    said += [(words.text(note), 14.0, MUTED, False) for note in frame.notes]
    lines(slide, said, (0.6, 1.8, WIDE - 1.2, 4.5), words)


def glance(deck: Any, content: BriefContent, words: Words) -> None:
    """Write the headline figures, two columns of large type."""
    slide = new_slide(deck, content, words("glance"), words)
    for number, headline in enumerate(content.headlines[:8]):
        value, unit = read_headline(headline, words)
        left = 0.6 + (number % 2 != words.right_to_left) * (WIDE / 2 - 0.2)
        place = (left, 1.2 + (number // 2) * 1.42, WIDE / 2 - 0.8, 1.4)
        said = [
            (f"{value} {words.text(unit)}", 28.0, INK, True),
            (words.text(headline.label), 15.0, MUTED, False),
        ]
        if headline.says:
            said.append((words.text(headline.says), 11.0, MUTED, False))
        lines(slide, said, place, words)


def map_slide(deck: Any, content: BriefContent, item: BriefMap, words: Words, dpi: int) -> None:
    """Show one map as a picture that opens the map itself."""
    spec = item.spec
    slide = new_slide(
        deck, content, f"{words.text(spec.title)}{words('colon')}{words.text(spec.question)}", words
    )
    sheet = Sheet(paper="body", dpi=dpi, language=words.language)
    picture = figure_bytes(
        "png", spec, item.cells, item.overlays, item.framed(content.frame), sheet=sheet,
        further=item.further,
    )  # fmt: skip
    shown = slide.shapes.add_picture(
        io.BytesIO(picture), Inches((WIDE - 12.93) / 2), Inches(1.02), Inches(12.93), Inches(5.9)
    )
    shown.click_action.hyperlink.address = f"map_{spec.name}.html"
    named = shown._element.nvPicPr.cNvPr
    named.set(
        "descr",
        clean(f"{words.text(spec.title)}. {words.text(spec.question)} {content.frame.aoi_name}."),
    )
    named.set("title", clean(words.text(spec.title)))
    hint = words("open_map", file=f"map_{spec.name}.html")
    lines(slide, [(hint, 9.0, MUTED, False)], (0.2, 6.88, WIDE - 0.4, 0.3), words)


def table_slide(deck: Any, content: BriefContent, table: BriefTable, words: Words) -> None:
    """Show the first rows of one table, its weightiest columns."""
    slide = new_slide(deck, content, table.heading, words)
    if table.says:
        lines(slide, [(words.text(table.says), 12.0, MUTED, False)],
              (0.4, 0.98, WIDE - 0.8, 0.6), words)  # fmt: skip
    first = table.released.first(TABLE_ROWS)
    headings, rows = chosen_texts(first, 7, words)
    under = row_sentences(first, words)
    if rows:
        under = under if any(under) else []
        rows = rows[: TABLE_ROWS // 2] if under else rows
        table_grid(slide, headings, rows, under[: len(rows)], words)
    elif any(under):
        told = [(line, 13.0, INK, False) for row in under[: TABLE_ROWS // 2] for line in row]
        lines(slide, told, (0.4, 1.6, WIDE - 0.8, 5), words)
    else:
        lines(slide, [(words("no_rows"), 16.0, INK, False)], (0.4, 1.8, WIDE - 0.8, 1), words)
        return
    shown, total = len(rows or under[: TABLE_ROWS // 2]), len(table.released.table)
    said = words("first_rows", shown=shown, rows=words.figures(f"{total:,}"))
    withheld = [words.text(line) for line in table.released.withheld[:2]]
    lines(slide, [(" ".join([said, *withheld]), 9.0, MUTED, False)],
          (0.4, 6.75, WIDE - 0.8, 0.4), words)  # fmt: skip


def table_grid(
    slide: Any, headings: list[str], rows: list[list[str]], under: list[list[str]], words: Words
) -> None:
    """Write a table; where rows have sentences, these go across the row below."""
    steps = 2 if under else 1
    count = len(rows) * steps + 1
    shape = slide.shapes.add_table(
        count, len(headings), Inches(0.4), Inches(1.65), Inches(WIDE - 0.8),
        Emu(int(Inches(0.42)) * count),
    )  # fmt: skip
    grid = shape.table
    widths = [max(len(row[i]) for row in [headings, *rows]) ** 0.6 for i in range(len(headings))]
    for i, part in enumerate(widths):
        grid.columns[i].width = Emu(int(Inches(WIDE - 0.8) * part / sum(widths)))
    for c, said in enumerate(headings):
        fill(grid.cell(0, c), said, 11, RGBColor(0xFF, 0xFF, 0xFF), words, bold=True)
    for r, row in enumerate(rows):
        for c, said in enumerate(row):
            fill(grid.cell(1 + r * steps, c), said, 11, INK, words)
        if under:
            across = grid.cell(2 + r * steps, 0)
            across.merge(grid.cell(2 + r * steps, len(headings) - 1))
            fill(across, " ".join(under[r]), 9.5, MUTED, words)


def fill(
    cell: Any, said: str, size: float, colour: RGBColor, words: Words, *, bold: bool = False
) -> None:
    """Write into one cell of a table."""
    cell.margin_top = cell.margin_bottom = Inches(0.03)
    line = cell.text_frame.paragraphs[0]
    begin(line, words)
    write(line, said, size, colour, bold=bold)


def closing(deck: Any, content: BriefContent, words: Words) -> None:
    """Write what to keep in mind, and for whom this is."""
    slide = new_slide(deck, content, words("keep_in_mind"), words)
    frame = content.frame
    said = [(words.text(line), 14.0, INK, False) for line in content.caveats]
    if content.null_check:
        said.append((words.text(content.null_check), 14.0, INK, False))
    said.append((words.text(rule_of(policy(frame.audience))), 12.0, MUTED, False))
    said += [(words.text(line), 12.0, MUTED, False) for line in content.refused[:6]]
    said.append((words.text(DISCLAIMER), 11.0, MUTED, False))
    lines(slide, said, (0.6, 1.3, WIDE - 1.2, 5.4), words)
