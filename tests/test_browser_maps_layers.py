"""Time, comparison, areas, clusters and tracks with mouse and keyboard, offline."""

import io
from dataclasses import replace

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.ground.errors import Refused
from pocgeo.products.maps import (
    Category,
    Compare,
    MapSpec,
    MeasureSpec,
    OverlaySpec,
    Page,
    draw,
)
from pocgeo.products.maps.palettes import NOTHING
from pocgeo.products.maps.spec import BACKGROUND
from tests.browser import offline_browser
from tests.map_samples import CELL_COLUMNS, cell_table, column, frame, island, overlays, released

pytestmark = pytest.mark.browser

COAST = island()
CELLS = cell_table(COAST, 6)
MONTHS = pd.date_range("2026-01-01", periods=6, freq="MS")
PHASES = (
    Category(value="prevention", label="Prevention", colour=NOTHING),
    Category(value="response", label="Response", colour="#9c2a10"),
)
REACH = MeasureSpec(column="reach_min", palette="tide", breaks=(30, 60))
AFTER = MeasureSpec(column="after_min", palette="tide", breaks=(30, 60))
SPEC = MapSpec(name="m", title="T", question="Q?", table="gaps", measures=(REACH, AFTER))


@pytest.fixture(scope="module")
def browser():
    with offline_browser(1280, 800) as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers")

    def show(spec, cells, over=None, further=None):
        path = folder / f"{spec.name}.html"
        page = draw(spec, cells, over or {}, frame(COAST), further or {})
        path.write_text(page, encoding="utf-8")
        browser.open(path)
        assert browser.complaints == []
        assert browser.requests == [path.as_uri()]
        return browser.page

    return show


def cells(**more) -> object:
    table = CELLS.assign(
        after_min=np.where(CELLS["reach_min"] > 60, 20.0, CELLS["reach_min"]), **more
    )
    specs = (
        *CELL_COLUMNS,
        column("after_min", "Minutes after", "min"),
        column("doubtful", "Doubt"),
    )
    return released(table, *specs, resolution=6, name="gaps")


def shot(page) -> np.ndarray:
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def near(shown: np.ndarray, colour: str) -> np.ndarray:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.abs(shown - wanted).max(axis=-1) <= 3


def legend(page) -> dict[str, str]:
    return dict(
        row.split("\n")[:2] for row in page.locator(".poc-legend .poc-row").all_inner_texts()
    )


def centre_of(page) -> tuple[float, float]:
    box = page.locator(".poc-chart").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_slider_goes_through_the_months_by_key_button_and_play(opened):
    rng = np.random.default_rng(2)
    long = pd.concat([CELLS[["cell"]].assign(month_on=month) for month in MONTHS])
    long["expected"] = rng.gamma(1, 2, len(long))
    further = {"f": released(long, column("expected", "Expected"), resolution=6)}
    rising = MeasureSpec(column="expected", table="f", period="month_on", breaks=(1, 2))
    page = opened(replace(SPEC, name="time", measures=(rising, REACH)), cells(), {}, further)
    wide = long.pivot_table(index="month_on", columns="cell", values="expected")

    def agrees(month: int) -> None:
        for _ in range(60):  # waiting in the page would need eval, which it forbids
            page.wait_for_timeout(50)
            if page.evaluate("pocgeo.maps[0].cells.period") == month:
                break
        assert page.locator(".poc-period").inner_text() == f"{MONTHS[month]:%b %Y}"
        share = 100 * (wide.loc[MONTHS[month]] >= 2).mean()
        assert legend(page)["2 and over"] == f"{share:.0f} %"

    agrees(5)
    page.locator(".poc-time input").focus()
    page.keyboard.press("ArrowLeft")
    agrees(4)
    page.keyboard.press("Home")
    agrees(0)
    page.get_by_label("Later").click()
    agrees(1)
    page.get_by_label("Play").click()
    agrees(2)
    page.get_by_label("Pause").click()
    page.select_option(
        "select[aria-label='Measure shown']", "1"
    )  # the switch works with the slider
    assert "Minutes" in page.locator(".poc-measure").inner_text()
    page.mouse.move(*centre_of(page))
    page.wait_for_selector(".poc-tip")
    assert "Expected, Mar 2026" in page.locator(".poc-tip").inner_text()


def test_a_swipe_shows_the_left_measure_left_and_the_right_one_right(opened):
    spec = replace(SPEC, name="swipe", compare=Compare(left="reach_min", right="after_min"))
    page = opened(spec, cells())
    page.select_option("select[aria-label='Grid']", "")
    colours = page.evaluate("pocgeo.maps[0].cells.measure().classes.map(c => c.colour)")
    before = shot(page)
    line = page.locator(".poc-swipe").bounding_box()
    at = int(line["x"] + line["width"] / 2)
    late = near(before[100:700], colours[2])  # only before, so only on the left
    assert late[:, : at - 4].sum() > 500
    assert late[:, at + 4 : 950].sum() == 0
    page.mouse.move(at, line["y"] + 200)
    page.mouse.down()
    page.mouse.move(at - 200, line["y"] + 200, steps=4)
    page.mouse.up()
    page.wait_for_timeout(80)
    assert near(shot(page)[100:700], colours[2])[:, at - 190 : 950].sum() == 0
    page.locator(".poc-swipe").focus()
    page.keyboard.press("End")
    page.wait_for_timeout(80)
    assert near(shot(page)[100:700], colours[2]).sum() > late.sum()
    assert page.locator(".poc-side").all_inner_texts() == ["Before", "After"]


def test_two_maps_move_together_and_their_layers_switch_together(opened):
    how = Compare(left="reach_min", right="after_min", how="beside", left_label="Now")
    spec = replace(
        SPEC, name="beside", compare=how, overlays=(OverlaySpec(layer="bases", kind="kind"),)
    )
    page = opened(spec, cells(), overlays(COAST))
    assert page.evaluate("pocgeo.maps.length") == 2
    x, y = centre_of(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=5)
    page.mouse.up()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(600)
    views = page.evaluate(
        "pocgeo.maps.map(({map}) => [map.getZoom(), map.getCenter().lat, map.getCenter().lng])"
    )
    np.testing.assert_allclose(views[0], views[1], atol=2e-3)
    assert page.locator(".poc-symbol svg").count() == 12
    page.locator("label.poc-row", has_text="Bases").locator("input").uncheck()
    assert page.locator(".poc-symbol svg").count() == 0


def test_areas_are_coloured_explained_and_hatched(opened):
    shapes = overlays(COAST)["areas"]
    table = pd.DataFrame(
        {"area_id": shapes.table["area_id"], "phase": "prevention", "doubtful": False}
    )
    table.loc[3, ["phase", "doubtful"]] = ["response", True]
    spec = MapSpec(
        name="areas", title="T", question="Q?", table="p", areas="areas", hatch="doubtful",
        hatch_label="Doubtful",
        measures=(MeasureSpec(column="phase", categories=PHASES, group="mode"),),
    )  # fmt: skip
    made = released(table, column("phase", "Phase"), column("doubtful", "Doubt"), name="p")
    page = opened(spec, made, {}, {"areas": shapes})
    assert legend(page)["Response"] == "13 %"
    assert legend(page)["Doubtful"] == "13 %"
    middle = shapes.table.geometry[3].representative_point()
    point = page.evaluate(
        "at => {const m = pocgeo.maps[0].map, p = m.latLngToContainerPoint(at), "
        "b = m.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y]}",
        [middle.y, middle.x],
    )
    around = shot(page)[
        int(point[1]) - 30 : int(point[1]) + 30, int(point[0]) - 30 : int(point[0]) + 30
    ]
    red = near(around, "#9c2a10").mean()
    assert 0.5 < red < 0.95  # the rest is hatching
    page.mouse.move(point[0] - 3, point[1])
    page.mouse.move(*point)
    said = page.locator(".poc-tip").inner_text()
    assert "District 4" in said
    assert "Response" in said
    assert "Doubtful" in said
    page.mouse.click(*point)
    assert "District 4" in page.locator(".poc-toast").inner_text()


def test_hatched_cells_are_counted_and_drawn(opened):
    rng = np.random.default_rng(0)
    spec = replace(SPEC, name="hatch", measures=(REACH,), hatch="doubtful", hatch_label="Doubtful")
    plain = shot(opened(replace(spec, hatch=None), cells(doubtful=False)))
    doubtful = rng.uniform(size=len(CELLS)) < 0.4
    page = opened(spec, cells(doubtful=doubtful))
    assert legend(page)["Doubtful"] == f"{100 * doubtful.mean():.0f} %"

    def lines(shown: np.ndarray) -> float:
        seen = shown[100:700, 60:900]
        return (near(seen, "#1b1b1b") | near(seen, "#f4f4f4")).mean()

    assert lines(shot(page)) > lines(plain) + 0.01


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(8)
    where = np.c_[4.6 + rng.normal(0, 0.2, 4_000), 1.4 + rng.normal(0, 0.15, 4_000)]
    table = gpd.GeoDataFrame({"kind": "village", "name": "x", "on": "1 Jun"}, index=range(4_000),
                             geometry=list(shapely.points(where)), crs=4326)  # fmt: skip
    table.loc[2_000, ["kind", "name"]] = ["city", "Capital"]
    return released(
        table, column("kind", "Kind"), column("name", "Name"), column("on", "On"), title="Crowd"
    )


def test_crowded_points_are_joined_and_a_click_opens_them(opened, crowd):
    points = OverlaySpec(layer="incidents", cluster=True, facts=("on", "kind"))
    spec = replace(SPEC, name="cluster", measures=(REACH,), overlays=(points,))
    page = opened(spec, cells(), {"incidents": crowd})
    sizes = page.evaluate("pocgeo.maps[0].overlays[1].member.groups(9).map(g => g.points.length)")
    assert sum(sizes) == 4_000
    assert len(sizes) < 400
    spot = page.evaluate(
        "() => {const {map, overlays} = pocgeo.maps[0], "
        "n = g => g.points.length, "
        "g = overlays[1].member.groups(map.getZoom()).sort((a, b) => n(b) - n(a))[0], "
        "s = 256 * 2 ** map.getZoom(), "
        "p = map.getPixelBounds().min, b = map.getContainer().getBoundingClientRect(); "
        "return [g.x * s - p.x + b.x, g.y * s - p.y + b.y, g.points.length]}"
    )
    page.mouse.move(spot[0] - 2, spot[1])
    page.mouse.move(*spot[:2])
    page.wait_for_selector(".poc-tip")
    assert f"{spot[2]:,}" in page.locator(".poc-tip").inner_text()
    zoom = page.evaluate("pocgeo.maps[0].map.getZoom()")
    page.mouse.click(*spot[:2])
    page.wait_for_timeout(600)
    assert page.evaluate("pocgeo.maps[0].map.getZoom()") > zoom + 1


def test_places_thin_out_and_the_city_is_always_there(opened, crowd):
    places = OverlaySpec(layer="settlements", label="name", kind="kind")
    spec = replace(SPEC, name="places", measures=(REACH,), overlays=(places,))
    page = opened(spec, cells(), {"settlements": crowd})
    seen = "z => pocgeo.maps[0].overlays[1].member.from.reduce((n, f) => n + (f <= z), 0)"
    counts = [page.evaluate(seen, zoom) for zoom in (8, 10, 12, 17)]
    assert counts == sorted(counts)
    assert counts[0] < 400
    assert counts[-1] == 4_000
    assert page.evaluate("pocgeo.maps[0].overlays[1].member.from[2000]") == 2


def test_a_hundred_thousand_pieces_of_track_are_drawn_found_and_explained(opened):
    rng = np.random.default_rng(5)
    starts = np.c_[4.6 + rng.normal(0, 0.3, 2_000), 1.4 + rng.normal(0, 0.2, 2_000)][:, None]
    lines = shapely.linestrings(starts + np.cumsum(rng.normal(0, 0.006, (2_000, 51, 2)), axis=1))
    ends = pd.Timestamp("2026-06-30") - pd.to_timedelta(np.arange(2_000) % 120, unit="D")
    table = gpd.GeoDataFrame({"until_at": ends, "unit_id": "U1"}, geometry=list(lines), crs=4326)
    tracks = released(
        table, column("until_at", "Until"), column("unit_id", "Unit"), title="Patrol tracks"
    )
    spec = replace(SPEC, name="tracks", measures=(REACH,),
                   overlays=(OverlaySpec(layer="patrols", age="until_at",
                                         facts=("unit_id",)),))  # fmt: skip
    page = opened(spec, cells(), {"patrols": tracks})
    said = page.locator(".poc-under").all_inner_texts()
    assert len(said) == 5
    assert said[0].startswith("up to 7 days")
    assert sum(int(row.split("\n")[1].replace(",", "")) for row in said) == 2_000
    lon, lat = shapely.get_coordinates(lines[0])[25]
    point = page.evaluate(
        "at => {const m = pocgeo.maps[0].map, p = m.latLngToContainerPoint(at), "
        "b = m.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y]}",
        [lat, lon],
    )
    page.mouse.move(point[0], point[1] - 1)
    page.mouse.move(*point)
    assert "U1" in page.locator(".poc-tip").inner_text()


def test_tiles_are_asked_of_one_host_only_when_the_map_says_so(browser, tmp_path):
    spec = replace(SPEC, tiles="https://tile.example.org/{z}/{x}/{y}.png", tiles_credit="Example")
    with pytest.raises(Refused, match="tell their host which area is studied"):
        draw(spec, cells(), {}, frame(COAST, marking="CONFIDENTIAL"))
    path = tmp_path / "tiles.html"
    path.write_text(draw(spec, cells(), {}, frame(COAST)), encoding="utf-8")
    browser.open(path)
    assert browser.outside
    assert all(url.startswith("https://tile.example.org/") for url in browser.outside)
    assert not any("Content Security Policy" in said for said in browser.complaints)
    assert "Background: Example." in browser.page.locator(".poc-footer").inner_text()


def test_foliums_own_layer_control_switches_the_cells(browser, tmp_path):
    page = Page(frame(COAST), single=True)
    page.add_map(replace(SPEC, measures=(REACH,)), cells(), {})
    folium.LayerControl(collapsed=False).add_to(page.blocks[0].maps[0])
    path = tmp_path / "control.html"
    path.write_text(page.render(), encoding="utf-8")
    browser.open(path)
    assert browser.complaints == []
    shown = "pocgeo.maps[0].map.hasLayer(pocgeo.maps[0].cells)"
    assert browser.page.evaluate(shown)
    browser.page.locator(".leaflet-control-layers label", has_text="Cells").click()
    assert not browser.page.evaluate(shown)
    browser.page.locator(".leaflet-control-layers label", has_text="Cells").click()
    browser.page.wait_for_timeout(100)
    colours = browser.page.evaluate("pocgeo.maps[0].cells.measure().classes.map(c => c.colour)")
    assert near(shot(browser.page), colours[1]).sum() > 1_000


def test_what_a_click_copies_is_in_the_clipboard(browser, tmp_path):
    path = tmp_path / "copy.html"
    path.write_text(
        draw(replace(SPEC, measures=(REACH,)), cells(), {}, frame(COAST)), encoding="utf-8"
    )
    page = browser.open(path).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.mouse.click(*centre_of(page))
    page.wait_for_selector(".poc-toast")
    said = page.locator(".poc-toast").inner_text()
    assert said.startswith("Copied: ")
    assert page.evaluate("navigator.clipboard.readText()") == said.removeprefix("Copied: ")


COLOURS_AT = """(places) => {
    const map = pocgeo.maps[0].map, frame = map.getContainer().getBoundingClientRect();
    return places.map(([lon, lat]) => {
        const point = map.latLngToContainerPoint([lat, lon]), seen = [];
        for (const canvas of map.getContainer().querySelectorAll('canvas')) {
            const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
            const x = (point.x + frame.left - box.left) * scale;
            const y = (point.y + frame.top - box.top) * scale;
            const [r, g, b, a] = canvas.getContext('2d').getImageData(x, y, 1, 1).data;
            const pane = canvas.parentNode.className.match(/poc-[a-z-]+?(?=-pane)/);
            if (a > 200) seen.push([pane[0], r, g, b]);
        }
        return seen;
    });
}"""


def test_lakes_lie_over_the_cells_and_neighbours_beneath_with_their_names(opened):
    west, south, east, north = COAST.bounds
    middle = COAST.representative_point()
    lake = shapely.box(middle.x - 0.1, middle.y - 0.1, middle.x + 0.1, middle.y + 0.1)
    beyond = shapely.box(west - 3, south - 3, east + 3, north + 3)
    layers = {
        name: released(gpd.GeoDataFrame({"name": [said], "kind": [kind]}, geometry=[shape],
                                        crs=4326), name=name)
        for name, said, kind, shape in (("waterways", "Lake Ilva", "lake", lake),
                                        ("surroundings", "Vesk", "country", beyond))
    }  # fmt: skip
    asked = (BACKGROUND, OverlaySpec(layer="waterways", label="name", kind="kind"))
    cells = released(CELLS, *CELL_COLUMNS, resolution=6)
    page = opened(replace(SPEC, name="water", measures=(REACH,), overlays=asked), cells, layers)
    colours = page.evaluate(COLOURS_AT, [[middle.x - 0.09, middle.y - 0.09],
                                         [west - 0.02, (south + north) / 2]])  # fmt: skip
    inside, outside = ({pane: dot for pane, *dot in seen} for seen in colours)
    assert {"poc-cells", "poc-water"} <= set(inside)
    assert inside["poc-water"] == pytest.approx([0xC9, 0xDE, 0xEC], abs=3)
    assert set(outside) == {"poc-far"}
    assert outside["poc-far"] == pytest.approx([0xF0, 0xEE, 0xE7], abs=2)
    order = page.evaluate(
        "['far', 'land', 'cells', 'water', 'lines', 'labels']"
        ".map((name) => Number(pocgeo.maps[0].map.getPane('poc-' + name).style.zIndex))"
    )
    assert order == sorted(order)
    said = page.evaluate(
        "pocgeo.maps[0].overlays.flatMap((each) => each.named.map((mark) => mark.text))"
    )
    assert said == ["Vesk", "Vesk", "Lake Ilva"]
    rows = page.locator(".poc-panel label.poc-row")
    assert rows.count() == 2
    rows.nth(1).click()
    gone = page.evaluate(
        "[...pocgeo.maps[0].map.getPane('poc-water').querySelectorAll('canvas')].every((one) => "
        "one.getContext('2d').getImageData(0, 0, one.width, one.height).data.every((v) => !v))"
    )
    assert gone
