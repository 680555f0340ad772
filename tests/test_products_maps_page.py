"""A page asks for nothing, runs nothing but our own blocks, and holds only what its map names."""

import base64
import hashlib
import html
import json
import os
import re
import zlib
from pathlib import Path

import folium
import folium.plugins
import pandas as pd
import pytest
import shapely
from branca.element import Element, JavascriptLink

from pocgeo.ground.errors import BadInput, MissingColumns, Refused, UnknownName
from pocgeo.products.maps import (
    AssetMissing,
    MapSpec,
    MeasureSpec,
    OfflineFigure,
    OfflineMap,
    OverlaySpec,
    Page,
    SafeHtml,
    draw,
    map_spec,
    tag,
    text,
)
from pocgeo.products.maps.assets import ASSETS, asset
from pocgeo.products.phrasing import clean
from tests.map_samples import CELL_COLUMNS, cell_table, column, frame, island, overlays, released

PWNED = "POCGEO_TEST_PWNED"
HOSTILE = (
    "<img src=x onerror=\"window.pwned='img'\">",
    "</script><script>window.pwned='script'</script>",
    "<!--<script>",
    "--><svg onload=\"window.pwned='svg'\">",
    "${window.pwned='dollar'}",
    "`+(window.pwned='backtick')+`",
    "'+(window.pwned='quote')+'",
    '"+(window.pwned="double")+"',
    "\\'+(window.pwned='backslash')+\\'",
    "{{ 7*7 }}",
    f"{{{{ cycler.__init__.__globals__.os.environ.__setitem__('{PWNED}', '1') }}}}",
    "{% raw %} {% endraw",
    "{# comment",
    "javascript:window.pwned='link'",
    "</style><style>*{display:none}</style>",
    "</title><script>window.pwned='title'</script>",
    "\u2028window.pwned='line'\u2029",
    "&lt;script&gt;window.pwned='entity'&lt;/script&gt;\x00",
)


@pytest.fixture(scope="module")
def coast():
    return island()


@pytest.fixture(scope="module")
def cells(coast):
    return released(cell_table(coast, 6), *CELL_COLUMNS, resolution=6, name="gaps")


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)


def unpacked(page: str) -> str:
    """Everything the page holds, its packed data opened."""
    data = re.findall(r'<script type="application/octet-stream" id="\w+">([^<]*)<', page)
    opened = [zlib.decompress(base64.b64decode(item), -15) for item in data]
    return page + "".join(part.decode("utf-8", "replace") for part in opened)


def hostile_page(hostile: str) -> str:
    """A page with the hostile text in every place that data can reach."""
    coast = island()
    table = cell_table(coast, 5)
    table["reason"] = table["settlement"] = table["kind"] = hostile
    label = column("settlement", hostile, hostile, help=hostile)
    spec = MapSpec(
        name="m", title=hostile, question=hostile, table="gaps", reason="reason", notes=(hostile,),
        measures=(MeasureSpec(column="risk", missing=hostile, zero=hostile, label=hostile),),
        facts=("settlement",),
        overlays=(
            OverlaySpec(layer="bases", name=hostile, label="name", kind="kind", facts=("unit",)),
        ),
    )  # fmt: skip
    bases = pd.DataFrame(
        {"name": [hostile], "kind": [hostile], "unit": [hostile], "lon": [4.6], "lat": [1.4]}
    )
    over = {
        "bases": released(bases, column("unit", hostile), title=hostile, withheld=(hostile,)),
    }
    around = frame(
        coast, title=hostile, aoi_name=hostile, method=hostile, notes=(hostile,),
        manifest={"note": hostile},
    )  # fmt: skip
    cell = released(table, label, *CELL_COLUMNS[4:5], resolution=5, notes=(hostile,))
    page = Page(around, single=True)
    page.add_map(spec, cell, over)
    page.add_section(hostile, tag("p", hostile, title=hostile))
    return page.render()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(hostile):
    os.environ.pop(PWNED, None)
    page = hostile_page(hostile)
    assert PWNED not in os.environ
    assert ">49<" not in page
    calm = hostile_page("calm")
    assert page.count("<script") == calm.count("<script")
    assert page.count("</script") == calm.count("</script")
    assert PWNED not in "".join(blocks(page, "script"))
    assert "window.pwned" not in "".join(blocks(page, "script"))
    same = [a == b for a, b in zip(blocks(page, "script"), blocks(calm, "script"), strict=True)]
    assert same == [True] * (len(same) - 1) + [False]  # the last names the data blocks


def plain_folium(note: str) -> str:
    figure, chart = OfflineFigure(title=note), OfflineMap()
    figure.add_child(chart)
    folium.CircleMarker([1, 4], popup=text(note), tooltip=text(note)).add_to(chart)
    point = {"type": "Point", "coordinates": [4.6, 1.4]}
    feature = {"type": "Feature", "properties": {"note": note}, "geometry": point}
    folium.GeoJson(feature, marker=folium.CircleMarker(), tooltip=text(note)).add_to(chart)
    return figure.render()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_plain_folium_in_an_offline_figure_runs_nothing_while_it_is_saved(hostile):
    os.environ.pop(PWNED, None)
    page = plain_folium(hostile)
    assert PWNED not in os.environ
    assert page.count("</script") == plain_folium("calm").count("</script")


def test_text_is_inert_and_readable():
    for hostile in HOSTILE:
        assert html.unescape(text(hostile)) == clean(hostile)
        assert not set("<>\"'{}`$\\") & set(text(hostile))


def test_only_the_blocks_we_wrote_have_a_hash(coast, cells):
    page = draw(map_spec("coverage_gaps"), cells, overlays(coast), frame(coast))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        granted = set(re.search(rf"{kind}-src ([^;]*)", policy)[1].split())
        made = {
            "'sha256-" + base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() + "'"
            for b in blocks(page, kind)
        }
        assert granted == made


def test_the_page_names_no_other_file(coast, cells):
    page = draw(map_spec("coverage_gaps"), cells, overlays(coast), frame(coast))
    without_code = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href|action|srcset)\s*=""", without_code)
    assert not re.findall(r"url\((?!data:|#|\s*['\"]?data:)", "".join(blocks(page, "style")))
    assert "sourceMappingURL" not in page
    assert "@import" not in page


def test_columns_the_map_does_not_name_are_not_in_the_file(coast, cells):
    page = unpacked(draw(map_spec("coverage_gaps"), cells, overlays(coast), frame(coast)))
    assert "from the nearest base" in page
    assert "NOT-FOR-THE-PAGE" not in page
    assert "SI01" not in page  # area_id, not named


def test_the_same_inputs_give_the_same_bytes(coast, cells):
    made = [draw(map_spec("risk"), cells, overlays(coast), frame(coast)) for _ in range(2)]
    assert made[0] == made[1]


def test_two_maps_share_one_copy_of_the_scripts_and_of_the_data(coast, cells):
    one, two = Page(frame(coast)), Page(frame(coast))
    for page, times in ((one, 1), (two, 2)):
        for _ in range(times):
            page.add_map(map_spec("coverage_gaps"), cells, overlays(coast))
    assert len(two.render()) < len(one.render()) + 4_000


def test_what_every_page_says(coast, cells):
    around = frame(coast, marking="STRICTLY CONFIDENTIAL")
    withheld = released(
        cells.table, *CELL_COLUMNS, resolution=6, name="gaps", withheld=("Sources are withheld.",)
    )
    page = draw(map_spec("coverage_gaps"), withheld, {}, around)
    assert len(re.findall(r'class="poc-marking[^"]*">STRICTLY CONFIDENTIAL<', page)) == 2
    for said in ("30 Jun 2026", "Synthetic data.", "Method.", "do not imply official endorsement",
                 "Sources are withheld.", "Who at risk can we neither reach", "internal",
                 "Not shown, not in this table: Risk-weighted people."):  # fmt: skip
        assert said in page
    name = re.search(r'data-manifest="(\w+)"', page)[1]
    kept = re.search(rf'application/json" id="{name}">(.*?)<', page)[1]
    assert json.loads(kept) == {"version": "0.1.0"}


def test_a_table_for_others_or_of_a_higher_marking_is_refused(coast, cells):
    public = released(cells.table, *CELL_COLUMNS, resolution=6, audience="public")
    with pytest.raises(Refused, match="was released for public"):
        draw(map_spec("risk"), public, {}, frame(coast))
    higher = released(cells.table, *CELL_COLUMNS, resolution=6, marking="CONFIDENTIAL")
    with pytest.raises(Refused, match="higher marking"):
        draw(map_spec("risk"), higher, {}, frame(coast))
    with pytest.raises(BadInput, match="marking is 'SECRET'"):
        Page(frame(coast, marking="SECRET"))


def test_confidential_columns_are_drawn_on_no_map(coast, cells):
    hidden = column("risk", "Risk", sensitivity="confidential")
    table = released(cells.table, hidden, resolution=6)
    with pytest.raises(BadInput, match="confidential"):
        draw(map_spec("risk"), table, {}, frame(coast))


def test_a_missing_measure_is_an_error_and_an_optional_one_is_said(coast, cells):
    table = released(cells.table.drop(columns="gap_persons"), *CELL_COLUMNS, resolution=6)
    with pytest.raises(MissingColumns, match="gap_persons"):
        draw(map_spec("coverage_gaps"), table, {}, frame(coast))


def test_a_table_without_cells_is_refused_outside_and_a_mistake_inside(coast, cells):
    by_area = cells.table.drop(columns="cell")
    with pytest.raises(Refused, match="by area, not by cell"):
        draw(map_spec("risk"), released(by_area, audience="public"), {},
             frame(coast, audience="public"))  # fmt: skip
    with pytest.raises(BadInput, match="no cells to draw"):
        draw(map_spec("risk"), released(by_area), {}, frame(coast))


def test_cells_that_were_withheld_are_said(coast):
    page = draw(map_spec("risk"), None, overlays(coast), frame(coast))
    assert "Not shown: the cells of risk." in page


def test_every_geometry_can_be_an_overlay(coast):
    collection = shapely.MultiPolygon([coast, shapely.box(6, 3, 6.1, 3.1)])
    spec = MapSpec(
        name="m", title="T", question="Q?",
        overlays=(OverlaySpec(layer="floods"), OverlaySpec(layer="x", style="points"),
                  OverlaySpec(layer="areas", label="name")),
    )  # fmt: skip
    import geopandas as gpd

    shapes = gpd.GeoDataFrame(
        {"name": ["a", None]}, geometry=[collection, shapely.box(0, 0, 1, 1)], crs=4326
    )
    points = pd.DataFrame({"lon": [4.6, None], "lat": [1.4, None]})
    over = {"floods": released(shapes), "areas": released(shapes), "x": released(points)}
    page = draw(spec, None, over, frame(collection))
    assert '"features":1,"of":2,"unplaced":1' in page
    with pytest.raises(UnknownName, match="map style"):
        draw(MapSpec(name="m", title="T", question="Q?", overlays=(OverlaySpec(layer="y"),)),
             None, {"y": released(points)}, frame(coast))  # fmt: skip


def test_an_unknown_asset_is_an_error_never_a_link():
    figure, chart = OfflineFigure(title="t"), OfflineMap()
    figure.add_child(chart)
    figure.header.add_child(JavascriptLink("https://cdn.example.org/thing.js"))
    with pytest.raises(AssetMissing, match=r"cdn\.example\.org"):
        figure.render()


def test_folium_parts_that_do_not_ship_are_refused():
    figure, chart = OfflineFigure(title="t"), OfflineMap()
    figure.add_child(chart)
    folium.plugins.MeasureControl().add_to(chart)
    with pytest.raises(AssetMissing):
        figure.render()


def test_a_block_in_the_head_is_refused():
    figure = OfflineFigure(title="t")
    figure.header.add_child(Element("<script>1</script>"), name="smuggled")
    with pytest.raises(AssetMissing, match="smuggled"):
        figure.render()


def test_assets_stay_in_their_folder():
    for address in ("pocgeo:../maps/page.py", "pocgeo:/etc/passwd", "pocgeo:nothing.js"):
        with pytest.raises(AssetMissing):
            asset(address)


def test_sections_take_only_safe_html(coast):
    with pytest.raises(TypeError, match="SafeHtml"):
        Page(frame(coast)).add_section("t", "<p>plain</p>")
    assert isinstance(tag("p", "a<b"), SafeHtml)
    assert tag("p", tag("b", "x"), class_="y z") == '<p class="y z"><b>x</b></p>'


def test_vendored_files_are_the_recorded_ones():
    manifest = json.loads((ASSETS / "vendor" / "manifest.json").read_text())
    notice = (Path(__file__).resolve().parents[1] / "NOTICE").read_text()
    listed = set()
    for package in manifest["packages"]:
        assert f"npm: {package['npm']}" in notice
        assert package["version"] in notice
        for entry in package["files"]:
            content = (ASSETS / "vendor" / entry["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            listed.add(entry["file"])
    found = {p.relative_to(ASSETS / "vendor").as_posix() for p in (ASSETS / "vendor").rglob("*.*")}
    assert {name for name in found if "/" in name} - {"leaflet/images"} <= listed
