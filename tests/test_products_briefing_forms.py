"""The briefing as PDF and slides: the same tables, the same gate; and what the next one is told."""

import json
import re
import shutil
import subprocess
import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pptx import Presentation

from pocgeo.ground.errors import BadInput, MissingFile, Refused
from pocgeo.products.briefs import BriefContent, BriefMap, BriefTable, Headline, brief
from pocgeo.products.figures.booklet import booklet_bytes
from pocgeo.products.maps.spec import MapSpec, MeasureSpec
from pocgeo.products.records import inputs_changed, parsed, read_record, record_of
from pocgeo.products.slides import slides_bytes
from tests.map_samples import CELL_COLUMNS, cell_table, column, frame, island, released

HOSTILE = "<script>alert(1)</script> {{7*7}} =1+1"


def content(**more):
    coast = island()
    cells = released(cell_table(coast, 6), *CELL_COLUMNS, resolution=6)
    table = pd.DataFrame({"place": ["Alpha", HOSTILE], "gap_persons": [1200.0, np.nan],
                          "hidden": ["NOT-FOR-THE-PAGE"] * 2})  # fmt: skip
    gaps = released(
        table[["place", "gap_persons"]], column("place", "Place"),
        column("gap_persons", "People in the gap", "persons"), name="gaps",
    )  # fmt: skip
    spec = MapSpec(
        name="coverage_gaps", title="Coverage gaps", question="Who?", table="sample",
        measures=(MeasureSpec(column="gap_persons", breaks=(10, 50), zero="No one"),),
    )  # fmt: skip
    known = {
        "frame": frame(coast, title="Protection of civilians briefing"),
        "headlines": (Headline(label="Gap areas", unit="areas", source=gaps, how="rows"),),
        "maps": (BriefMap(spec=spec, cells=cells),),
        "tables": (BriefTable(heading="Where nobody is in reach", released=gaps, says="Ranked."),),
        "caveats": ("Covered does not mean safe.",),
    }
    return BriefContent(**(known | more))


def pdf_text(made, folder):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (poppler-utils)")
    (folder / "b.pdf").write_bytes(made)
    said = subprocess.run(["pdftotext", folder / "b.pdf", "-"], capture_output=True, check=True)
    return said.stdout.decode()


@pytest.fixture(scope="module")
def slides():
    return slides_bytes(content(), dpi=60)


def test_the_pdf_says_what_the_page_says(tmp_path):
    made = booklet_bytes(content(), dpi=60)
    assert made == booklet_bytes(content(), dpi=60)
    said = pdf_text(made, tmp_path)
    assert said.count("UNCLASSIFIED") == 2 * 4  # cover, map, table, closing
    for wanted in ("Protection of civilians briefing", "Sample Island", "2 areas", "Gap areas",
                   "Where nobody is in reach", "1,200", "Covered does not mean safe.",
                   "Coverage gaps"):  # fmt: skip
        assert wanted in said, wanted
    assert "NOT-FOR-THE-PAGE" not in said
    assert b"NOT-FOR-THE-PAGE" not in made


def test_slides_have_marking_title_picture_text_and_link(slides, tmp_path):
    path = tmp_path / "b.pptx"
    path.write_bytes(slides)
    deck = Presentation(path)
    texts = []
    for slide in deck.slides:
        said = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        assert said.count("UNCLASSIFIED") == 2
        assert slide.shapes.title.text_frame.text
        texts += said
    joined = "\n".join(texts)
    assert "2 areas" in joined
    assert "Covered does not mean safe." in joined
    pictures = [shape for slide in deck.slides for shape in slide.shapes if shape.shape_type == 13]
    assert len(pictures) == 1
    assert pictures[0].click_action.hyperlink.address == "map_coverage_gaps.html"
    assert "Coverage gaps" in pictures[0]._element.nvPicPr.cNvPr.get("descr")
    table = next(s.table for slide in deck.slides for s in slide.shapes if s.has_table)
    assert table.cell(1, 0).text == "Alpha"
    assert table.cell(2, 1).text == "–"  # unknown, never 0


def test_slides_are_the_same_bytes_and_hold_nothing_hidden(slides, tmp_path):
    assert slides == slides_bytes(content(), dpi=60)
    (tmp_path / "b.pptx").write_bytes(slides)
    with zipfile.ZipFile(tmp_path / "b.pptx") as parts:
        whole = b"".join(parts.read(name) for name in parts.namelist())
        about = parts.read("docProps/core.xml").decode()
    assert b"NOT-FOR-THE-PAGE" not in whole
    assert re.findall(r"<dc:creator>(.*?)</dc:creator>", about) == ["pocgeo"]
    assert "Steve" not in about  # of the library's own template


def test_slides_open_in_libreoffice_and_show_what_they_should(slides, tmp_path):
    office = shutil.which("soffice")
    if office is None or shutil.which("pdftoppm") is None:
        pytest.skip("LibreOffice or pdftoppm is not installed (libreoffice-impress, poppler-utils)")
    (tmp_path / "b.pptx").write_bytes(slides)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to",
         "pdf", "--outdir", tmp_path, tmp_path / "b.pptx"],
        capture_output=True, check=True, timeout=240,
    )  # fmt: skip
    subprocess.run(["pdftoppm", "-r", "40", "-png", tmp_path / "b.pdf", tmp_path / "s"], check=True)
    pages = sorted(tmp_path.glob("s-*.png"))
    assert len(pages) == 5  # cover, at a glance, map, table, keep in mind
    for page in pages:
        picture = np.asarray(Image.open(page).convert("RGB")).astype(int)
        for row in (3, -4):  # the green of the marking, head and foot
            assert (np.abs(picture[row] - (0x1E, 0x6B, 0x3A)).max(axis=1) < 12).mean() > 0.9
    colours = len(np.unique(np.asarray(Image.open(pages[2]).convert("RGB")).reshape(-1, 3), axis=0))
    assert colours > 300  # a map, not an empty frame


REASON = "No base can be there within 60 minutes, and no patrol has come by for 30 days."


def told(rows=12, *, only=False):
    """A table whose rows have a reason each; `only`: nothing else."""
    table = pd.DataFrame({"place": [f"Place {i}" for i in range(rows)],
                          "gap_persons": np.arange(rows, dtype=float),
                          "reason": [f"{REASON} ({i})" for i in range(rows)]})  # fmt: skip
    columns = [column("place", "Place"), column("gap_persons", "People in the gap", "persons"),
               column("reason", "Reason")]  # fmt: skip
    if only:
        table, columns = table[["reason"]], columns[2:]
    made = released(table, *columns, name="gaps")
    return content(maps=(), tables=(BriefTable(heading="Gaps", released=made, says=""),))


@pytest.mark.parametrize("only", [False, True])
def test_the_reason_of_a_row_stands_under_it_on_paper_and_slides(only, tmp_path):
    said = " ".join(pdf_text(booklet_bytes(told(only=only), dpi=60), tmp_path).split())
    assert said.count(f"Reason. {REASON}") == 12
    assert "12 of 12 rows" in said
    assert "No rows" not in said
    path = tmp_path / "told.pptx"
    path.write_bytes(slides_bytes(told(only=only), dpi=60))
    texts = [
        cell.text
        for slide in Presentation(str(path)).slides
        for shape in slide.shapes
        for cell in (shape.table.iter_cells() if shape.has_table else [shape])
        if getattr(cell, "text", "")
    ]
    assert sum(text.count(REASON) for text in texts) == 5
    assert any(text.startswith("5 of 12 rows") for text in texts)


def test_rows_that_find_no_room_on_a_sheet_are_not_counted(tmp_path):
    said = " ".join(pdf_text(booklet_bytes(told(20), dpi=60), tmp_path).split())
    shown = said.count(REASON)
    assert 10 <= shown < 20
    assert f"{shown} of 20 rows" in said


def test_arabic_tables_and_figures_begin_on_the_right(tmp_path):
    path = tmp_path / "ar.pptx"
    path.write_bytes(slides_bytes(told(), language="ar", dpi=60))
    (table,) = (shape.table for slide in Presentation(str(path)).slides
                for shape in slide.shapes if shape.has_table)  # fmt: skip
    assert [cell.text for cell in table.rows[1].cells] == ["0", "Place 0"]
    line = table.cell(1, 1).text_frame.paragraphs[0]
    assert line._p.pPr.get("rtl") == "1"
    english = tmp_path / "en.pptx"
    english.write_bytes(slides_bytes(told(), dpi=60))
    assert b'rtl="1"' not in b"".join(
        zipfile.ZipFile(english).read(name)
        for name in zipfile.ZipFile(english).namelist() if "slides/slide" in name
    )  # fmt: skip


def test_a_table_for_others_is_refused_in_every_form():
    partners = content(frame=frame(island(), audience="partners"))
    for form in (brief, booklet_bytes, slides_bytes):
        with pytest.raises(Refused, match="partners"):
            form(partners)


def record(inputs=(("incidents", ("a1",)),)):
    gaps = pd.DataFrame({"gap_area_id": ["x"], "place": [HOSTILE], "gap_persons": [1200.5]})
    made = released(gaps, column("gap_area_id", "Id"), name="gaps")
    return record_of(
        {"gaps": made, "review": made}, audience="internal", cut_off_on=date(2026, 6, 30),
        period=(date(2023, 7, 1), date(2026, 6, 30)), inputs=dict(inputs),
    )  # fmt: skip


def test_a_record_goes_into_the_page_and_comes_out_again(tmp_path):
    path = tmp_path / "brief.html"
    path.write_text(brief(content(record=record())), encoding="utf-8")
    read = read_record(path)
    assert read.cut_off_on == date(2026, 6, 30)
    assert set(read.tables) == {"gaps"}
    assert read.tables["gaps"].loc[0, "place"] == HOSTILE
    assert read.tables["gaps"].loc[0, "gap_persons"] == 1200.5


def test_it_is_said_which_inputs_are_other_files():
    then, now = parsed(record()), parsed(record((("incidents", ("b2",)), ("bases", ("c",)))))
    assert inputs_changed(then, now).startswith("Other data than then: bases, incidents.")
    assert "same files as then" in inputs_changed(then, then)


@pytest.mark.parametrize(
    "page",
    [
        "no briefing at all",
        '<script type="application/json" id="pocgeo-record">{broken</script>',
        '<script type="application/json" id="pocgeo-record">[]</script>',
        '<script type="application/json" id="pocgeo-record">{"format": 9}</script>',
    ],
)
def test_a_file_that_is_no_briefing_is_one_line(page, tmp_path):
    path = tmp_path / "old.html"
    path.write_text(page, encoding="utf-8")
    with pytest.raises(BadInput, match=r"old\.html"):
        read_record(path)


def test_columns_that_no_record_has_are_not_taken(tmp_path):
    said = record()
    said["tables"]["gaps"]["columns"] = ["gap_area_id", "place", "summary"]
    path = tmp_path / "old.html"
    block = json.dumps(said).replace("<", "\\u003c")
    path.write_text(f'<script type="application/json" id="pocgeo-record">{block}</script>')
    with pytest.raises(BadInput, match="shape"):
        read_record(path)


def test_an_earlier_briefing_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MissingFile, match=r"gone\.html"):
        read_record(tmp_path / "gone.html")
