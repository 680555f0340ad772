"""Maps on paper: the dots lie in the right cells, the sheet says what it must, and nothing more."""

import io
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, Refused, UnknownName
from pocgeo.products.figures import Sheet, Words, save_figure
from pocgeo.products.figures import words as figure_words
from pocgeo.products.figures.cell_image import cell_image, nearest_piece, rgba
from pocgeo.products.figures.drawing import FRAME
from pocgeo.products.figures.furniture import nice_length, spot
from pocgeo.products.figures.overlays import Label, arrowheads
from pocgeo.products.figures.plane import plane_of
from pocgeo.products.figures.words import LANGUAGES, messages
from pocgeo.products.maps.classes import classed
from pocgeo.products.maps.spec import Category, MapSpec, MeasureSpec, OverlaySpec
from tests.map_samples import CELL_COLUMNS, cell_table, column, frame, island, released

SPEC = MapSpec(
    name="gaps", title="Coverage gaps", question="Who can we not reach?", table="sample",
    measures=(
        MeasureSpec(column="gap_persons", breaks=(10, 50, 200), zero="No one in the gap",
                    group="sum", missing="People unknown"),
        MeasureSpec(column="risk", breaks=(0.2, 0.4, 0.6)),
    ),
    facts=("settlement",), reason="reason",
    overlays=(OverlaySpec(layer="bases", label="name", kind="kind"),),
    notes=("A cell with no one known to live in it is not a gap.",),
)  # fmt: skip


@pytest.fixture(scope="module")
def coast():
    return island()


@pytest.fixture(scope="module")
def cells(coast):
    return released(cell_table(coast, 7), *CELL_COLUMNS, resolution=7)


def drawn(folder, form, coast, cells, **sheet):
    path = folder / f"map.{form}"
    return save_figure(path, SPEC, cells, {}, frame(coast), sheet=Sheet(dpi=100, **sheet))


def text_of(path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (poppler-utils)")
    said = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return said.stdout.decode()


def test_a_dot_lies_in_the_cell_that_h3_gives(cells):
    cell = np.sort(cells.table["cell"].to_numpy())
    lon, lat = grid.centres(cell)
    plane, window = plane_of((lon.min(), lat.min(), lon.max(), lat.max()), 1.4)
    x, y = plane.km(lon, lat)
    piece = nearest_piece(x, y, 1.45, window, (300, 420))
    left, right, bottom, top = window
    across = left + (np.arange(420) + 0.5) * (right - left) / 420
    down = top - (np.arange(300) + 0.5) * (top - bottom) / 300
    dot_lon, dot_lat = plane.degrees(np.tile(across, 300), np.repeat(down, 420))
    truth = grid.positions(cell, grid.cells_of(dot_lon, dot_lat, 7)).reshape(300, 420)
    inside = truth >= 0
    assert inside.sum() > 40_000
    # the cells of H3 are nearest-centre only nearly: dots beside an edge may differ
    assert (piece[inside] == truth[inside]).mean() > 0.97
    dot_x, dot_y = (part.reshape(300, 420) for part in np.meshgrid(across, down))
    other = inside & (piece >= 0) & (piece != truth)
    chosen, right_one = piece[other], truth[other]
    gained = np.hypot(dot_x[other] - x[right_one], dot_y[other] - y[right_one]) - np.hypot(
        dot_x[other] - x[chosen], dot_y[other] - y[chosen]
    )
    assert gained.max() < 0.15  # kilometres, of cells 2.4 km across
    assert (piece[~inside] >= 0).mean() < 0.02


def test_the_picture_has_the_colours_of_the_classes(coast, cells, tmp_path):
    picture = np.asarray(Image.open(drawn(tmp_path, "png", coast, cells)).convert("RGB"))
    high, wide = picture.shape[:2]
    assert (wide, high) == (1169, 827)
    cell = cells.table["cell"].to_numpy()
    parts = classed(cells.table["gap_persons"], SPEC.measures[0], cells.columns["gap_persons"])
    klass = np.searchsorted(parts.first_code, parts.codes, side="right") - 1
    known = parts.codes < parts.first_code[-1]
    plane, (left, right, bottom, top) = plane_of(coast.bounds, FRAME[2] * 11.69 / (FRAME[3] * 8.27))
    x, y = plane.km(*grid.centres(cell))
    column_ = (FRAME[0] + FRAME[2] * (x - left) / (right - left)) * wide
    row = (1 - FRAME[1] - FRAME[3] * (y - bottom) / (top - bottom)) * high
    seen = picture[row.astype(int), column_.astype(int)]
    wanted = np.array([rgba(colour)[:3] for colour in parts.colours])[np.minimum(klass, 3)]
    same = (np.abs(seen.astype(int) - wanted) <= 2).all(axis=1)
    assert same[known].mean() > 0.9  # lines, the scale bar and their like cover the rest


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_same_inputs_give_the_same_bytes(form, coast, cells, tmp_path):
    first = drawn(tmp_path, form, coast, cells).read_bytes()
    assert drawn(tmp_path, form, coast, cells).read_bytes() == first
    assert b"NOT-FOR-THE-PAGE" not in first
    assert b"Town 3" not in first  # a fact of the tooltip


def test_the_sheet_says_what_every_product_must(coast, cells, tmp_path):
    said = text_of(drawn(tmp_path, "pdf", coast, cells))
    assert said.count("UNCLASSIFIED") == 2
    for wanted in (
        "Coverage gaps", "Who can we not reach?", "Data to: 30 June 2026", "internal",
        "1 July 2023 – 30 June 2026", "Sample Island", "People in the gap (persons)",
        "200 and over", "No one in the gap", "People unknown", "Synthetic data.",
        "do not imply official endorsement", "Made 1 July 2026, 09:30 UTC", "km", "straight line",
    ):  # fmt: skip
        assert wanted in said, wanted
    shares = [float(part) for part in re.findall(r"\((\d+\.\d) %\)", said)]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_a_sheet_in_french_and_in_arabic(coast, cells, tmp_path, monkeypatch):
    french = text_of(drawn(tmp_path, "pdf", coast, cells, language="fr"))
    assert "NON CLASSIFIÉ" in french
    assert "30 juin 2026" in french
    words = Words("ar")
    assert words.right_to_left
    assert words.text("CONFIDENTIAL") == "سري"
    if figure_words.DRAWS_SHAPED:  # matplotlib 3.11 does it; done twice, lines run backwards
        assert words.shaped("سري 12") == "سري 12"
    monkeypatch.setattr(figure_words, "DRAWS_SHAPED", False)
    shaped = words.shaped("سري 12")
    assert shaped.startswith("12 ")  # from left to right: the number comes first
    assert shaped[-1] in "ﺳﺱ"  # the first letter stands last, in its initial form
    monkeypatch.undo()
    drawn(tmp_path, "pdf", coast, cells, language="ar")


def test_every_language_has_every_sentence():
    keys = set(messages("en")["words"])
    for language in LANGUAGES:
        known = messages(language)
        assert set(known["words"]) == keys, language
        assert len(known["months"]) == 12
        for key, said in known["words"].items():
            filled = set(re.findall(r"{\w+}", said))
            assert filled == set(re.findall(r"{\w+}", messages("en")["words"][key])), (
                language,
                key,
            )


def test_what_is_not_translated_stays_english_and_is_remembered():
    words = Words("fr")
    assert words.text("A sentence of nobody") == "A sentence of nobody"
    assert words.untranslated == {"A sentence of nobody"}


def test_the_gate_holds_on_paper_too(coast, cells, tmp_path):
    with pytest.raises(Refused, match="partners"):
        save_figure(tmp_path / "m.png", SPEC, cells, {}, frame(coast, audience="partners"))
    secret = released(cells.table, *CELL_COLUMNS, resolution=7, marking="CONFIDENTIAL")
    with pytest.raises(Refused, match="CONFIDENTIAL"):
        save_figure(tmp_path / "m.png", SPEC, secret, {}, frame(coast))
    assert not list(tmp_path.iterdir())


def test_mistakes_are_one_line(coast, cells, tmp_path):
    with pytest.raises(BadInput, match=r"\.png, \.svg, \.pdf"):
        save_figure(tmp_path / "m.jpg", SPEC, cells, {}, frame(coast))
    with pytest.raises(UnknownName, match="gap_persons"):
        save_figure(tmp_path / "m.png", SPEC, cells, {}, frame(coast), sheet=Sheet(measure="x"))
    with pytest.raises(UnknownName, match="a4"):
        Sheet(paper="letter")
    with pytest.raises(BadInput, match="dpi"):
        Sheet(dpi=5000)
    with pytest.raises(UnknownName, match="fr"):
        Sheet(language="de")


def test_areas_and_categories_are_drawn(coast, tmp_path):
    halves = [shapely.box(3, 0, 4.6, 3), shapely.box(4.6, 0, 6, 3)]
    table = shapely_table(coast, halves)
    spec = MapSpec(
        name="phases", title="Phases", question="Which phase?", table="sample", by="area_id",
        measures=(MeasureSpec(column="phase", categories=(
            Category(value="response", label="Response", colour="#9c2a10"),
            Category(value="prevention", label="Prevention", colour="#d8e2ea"),
        )),),
    )  # fmt: skip
    made = released(table, column("area_id", "Area"), column("phase", "Phase"))
    path = save_figure(tmp_path / "a.png", spec, made, {}, frame(coast), sheet=Sheet(dpi=80))
    picture = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    for colour in ("#9c2a10", "#d8e2ea"):
        share = (np.abs(picture.astype(int) - rgba(colour)[:3]) <= 2).all(axis=1).mean()
        assert share > 0.05, colour


def shapely_table(coast, halves):
    import geopandas as gpd

    return gpd.GeoDataFrame(
        {"area_id": ["w", "e"], "phase": ["response", "prevention"]},
        geometry=[half.intersection(coast) for half in halves], crs="EPSG:4326",
    )  # fmt: skip


def test_symbols_and_their_names_are_drawn(coast, cells, tmp_path):
    import pandas as pd

    bases = pd.DataFrame({"name": ["Alpha <b>", "Bravo"], "kind": ["HQ", "TOB"],
                          "lon": [4.6, 4.3], "lat": [1.4, 1.5]})  # fmt: skip
    over = {"bases": released(bases, column("name", "Name"), column("kind", "Kind"))}
    path = save_figure(tmp_path / "b.svg", SPEC, cells, over, frame(coast), sheet=Sheet(dpi=80))
    said = path.read_text("utf-8")
    for wanted in (">HQ<", ">TOB<", "Bravo", "Alpha &lt;b&gt;"):
        assert wanted in said, wanted


def test_unknown_is_striped_and_never_a_class():
    piece = np.array([[0, 1, 2, -1]] * 12)
    image = cell_image(piece, np.array([0, 1, 2]), ["#112233", "#445566"], "#aeb6bd")
    assert (image[:, 0] == rgba("#112233")).all()
    assert (image[:, 1] == rgba("#445566")).all()
    assert {tuple(dot) for dot in image[:, 2]} == {(255, 255, 255, 255), rgba("#aeb6bd")}
    assert (image[:, 3] == 0).all()


@given(
    st.lists(
        st.tuples(st.floats(5, 95), st.floats(5, 95), st.integers(1, 20)), min_size=2, max_size=30
    )
)
@settings(derandomize=True, max_examples=40, deadline=None)
def test_no_label_lies_on_another_or_over_the_edge(places):
    taken = []
    for x, y, letters in places:
        label = Label(x=x, y=y, text="a" * letters, size=6, colour="#000", priority=1)
        box = spot(label, letters * 1.0, 2.0, 0.5, taken, (0, 100, 0, 100))
        if box is not None:
            for other in taken:
                apart = (
                    box[0] >= other[1] or box[1] <= other[0]
                    or box[2] >= other[3] or box[3] <= other[2]
                )  # fmt: skip
                assert apart
            assert 0 < box[0] < box[1] < 100
            assert 0 < box[2] < box[3] < 100
            taken.append(box)


@pytest.mark.parametrize(
    ("wanted", "round_km"), [(23, 20), (49, 20), (51, 50), (9.9, 5), (0.3, 0.2)]
)
def test_the_scale_bar_has_a_round_length(wanted, round_km):
    assert nice_length(wanted) == pytest.approx(round_km)


def test_a_picture_is_a_png_whatever_the_size_of_the_sheet(coast, cells, tmp_path):
    path = save_figure(tmp_path / "s.png", SPEC, cells, {}, frame(coast),
                       sheet=Sheet(paper="slide", dpi=96, measure="risk"))  # fmt: skip
    assert Image.open(io.BytesIO(path.read_bytes())).size == (1280, 720)


@pytest.mark.parametrize(("resolution", "larger"), [(8, True), (6, False)])
def test_rare_kinds_are_drawn_larger_where_cells_are_small(coast, resolution, larger, tmp_path):
    table = cell_table(coast, resolution)[["cell"]]
    table["hotspot"] = np.where(np.arange(len(table)) == len(table) // 2, "yes", "no")
    spec = MapSpec(
        name="hot", title="Hot", question="Where?", table="sample",
        measures=(MeasureSpec(column="hotspot", categories=(
            Category(value="no", label="Not beyond chance", colour="#eceae4"),
            Category(value="yes", label="Beyond chance", colour="#9c2a10", loud=True),
        )),),
    )  # fmt: skip
    made = released(table, column("hotspot", "Hotspot"), resolution=resolution)
    path = save_figure(tmp_path / "a.svg", spec, made, {}, frame(coast), sheet=Sheet(dpi=100))
    assert ("Beyond chance: drawn larger than it is" in path.read_text("utf-8")) == larger
    save_figure(tmp_path / "a.png", spec, made, {}, frame(coast), sheet=Sheet(dpi=100))
    picture = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    left, _, width, _ = FRAME
    part = picture[:, int(left * picture.shape[1]) : int((left + width) * picture.shape[1])]
    red = (np.abs(part.astype(int) - rgba("#9c2a10")[:3]) <= 8).all(axis=2).sum()
    assert red >= 8


def test_large_cells_end_at_their_edges(coast, tmp_path):
    table = cell_table(coast, 4)[["cell", "risk"]].assign(risk=0.9)
    spec = MapSpec(name="r", title="R", question="Q?", table="sample",
                   measures=(MeasureSpec(column="risk", breaks=(0.5,)),))  # fmt: skip
    made = released(table, *CELL_COLUMNS, resolution=4)
    path = save_figure(tmp_path / "r.png", spec, made, {}, frame(coast), sheet=Sheet(dpi=100))
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    high, wide, _ = picture.shape
    left, bottom, width, height = FRAME
    plane, window = plane_of(coast.bounds, width * wide / (height * high))
    rows, columns = np.indices((high, wide))
    x = window[0] + ((columns + 0.5) / wide - left) / width * (window[1] - window[0])
    y = window[3] - ((rows + 0.5) / high - (1 - bottom - height)) / height * (window[3] - window[2])
    lon, lat = plane.degrees(x, y)
    cells = shapely.union_all(grid.boundaries(table["cell"].to_numpy()))
    inside = shapely.contains_xy(cells, lon, lat)
    colour = np.median(picture[inside], axis=0)
    same = (np.abs(picture - colour) <= 2).all(axis=2)
    on_map = (x > window[0]) & (x < window[1]) & (y > window[2]) & (y < window[3])
    assert same[inside].mean() > 0.7
    assert (same & ~inside & on_map).sum() < 0.002 * same.sum()


def test_lines_that_lead_somewhere_point_there():
    over = SimpleNamespace(axes=Figure().add_subplot(), scale=1.0)
    way = shapely.LineString([(0, 0), (10, 0)])
    arrowheads(over, np.array([way, way.reverse()], dtype=object), "#d9480f", 3.0)
    heads = [(head.xyann[0], head.xy[0]) for head in over.axes.texts]
    assert np.allclose(heads, [(2.9, 3.0), (7.4, 7.5), (7.1, 7.0), (2.6, 2.5)])
