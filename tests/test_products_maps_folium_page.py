"""Any folium map as one file: every class is carried or refused, and no text runs."""

import inspect
import os
import re
from pathlib import Path

import folium
import folium.features
import folium.map
import folium.plugins
import pytest
from branca.element import Element, Figure

from pocgeo.ground.errors import BadInput
from pocgeo.products.maps.assets import AssetMissing
from pocgeo.products.maps.folium_page import CANNOT_WORK_OFFLINE, folium_page, save_folium
from tests.browser import offline_browser
from tests.folium_parts import BOX, BUILDING_BLOCKS, INSIDE_OTHERS, PARTS, POINT

PWNED = "POCGEO_PWNED"
PYTHON = "cycler.__init__.__globals__.os.environ.__setitem__('POCGEO_PWNED','1')"
HOSTILE = (
    "{{ " + PYTHON + " }}{% raw %}${window.pwned=1}`+(window.pwned=1)+`"
    "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script></script><!-- \\"
)


def every_class() -> set[str]:
    found = {}
    for room in (folium, folium.plugins, folium.features, folium.map):
        for name, kind in vars(room).items():
            if inspect.isclass(kind) and issubclass(kind, Element):
                found[name] = kind
    return {name for name in found if not name.startswith("_")}


def test_every_folium_class_is_carried_or_on_the_list_of_those_that_cannot_be():
    known = set(PARTS) | INSIDE_OTHERS | BUILDING_BLOCKS | set(CANNOT_WORK_OFFLINE)
    assert every_class() - known == set()
    assert not (set(PARTS) | INSIDE_OTHERS) & set(CANNOT_WORK_OFFLINE)


def chart() -> folium.Map:
    return folium.Map(location=POINT, zoom_start=8, tiles=None)


def saved(name: str, note: str, folder: Path) -> str:
    made = chart()
    PARTS[name](made, note)
    return save_folium(made, folder / "m.html", marking="UNCLASSIFIED").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_part_is_written_into_the_file(name, tmp_path):
    os.environ.pop(PWNED, None)
    page, calm = saved(name, HOSTILE, tmp_path), saved(name, "calm", tmp_path)
    assert PWNED not in os.environ
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)
    assert page.count("</script") == calm.count("</script")
    assert page.count(">UNCLASSIFIED<") == 2


@pytest.mark.browser
def test_every_part_runs_without_a_network_and_no_text_runs(tmp_path):
    with offline_browser() as seen:
        for name in sorted(PARTS):
            made = chart()
            PARTS[name](made, HOSTILE)
            path = save_folium(made, tmp_path / f"{name}.html", marking="UNCLASSIFIED")
            seen.requests.clear()
            seen.complaints.clear()
            seen.page.goto(path.as_uri(), wait_until="load")
            assert seen.outside == [], name
            policy = "Content Security Policy"  # what stops the hostile text says so
            errors = [said for said in seen.complaints if not said.startswith("warning")]
            assert [said for said in errors if policy not in said] == [], name
            assert seen.page.evaluate("window.pwned === undefined"), name
            assert seen.page.locator(".leaflet-container").count() >= 1, name


@pytest.mark.browser
def test_two_maps_side_by_side_move_together(tmp_path):
    both = folium.plugins.DualMap(location=POINT, zoom_start=8, tiles=None)
    folium.Rectangle(BOX).add_to(both.m1)
    folium.Marker(POINT, popup="here").add_to(both.m2)
    path = save_folium(both, tmp_path / "both.html", marking="CONFIDENTIAL", note="Cut-off: today")
    with offline_browser() as seen:
        seen.page.goto(path.as_uri(), wait_until="load")
        assert seen.complaints == []
        assert seen.page.locator(".leaflet-container").count() == 2
        centres = (
            "[...document.querySelectorAll('.folium-map')].map(m => window[m.id].getCenter().lat)"
        )
        seen.page.evaluate("window[document.querySelector('.folium-map').id].setView([2, 5], 9)")
        first, second = seen.page.evaluate(centres)
    assert first == pytest.approx(2) == second


@pytest.mark.parametrize(
    "part",
    [
        folium.TileLayer("OpenStreetMap"),
        folium.WmsTileLayer("https://example.org", layers="a"),
        folium.plugins.Geocoder(),
        folium.plugins.LocateControl(),
        folium.plugins.MeasureControl(),
        folium.plugins.Realtime("https://example.org"),
        folium.plugins.VectorGridProtobuf("https://example.org"),
    ],
)
def test_what_cannot_work_is_refused_by_name(part, tmp_path):
    made = chart()
    part.add_to(made)
    with pytest.raises(BadInput, match=type(part).__name__):
        save_folium(made, tmp_path / "m.html", marking="UNCLASSIFIED")
    assert not (tmp_path / "m.html").exists()


def test_what_the_list_says_cannot_work_has_no_test_that_it_does():
    for name, why in CANNOT_WORK_OFFLINE.items():
        assert name not in PARTS
        assert why.split()[0] in {"asks", "makes", "loads"}


def test_an_unknown_link_in_the_head_is_an_error(tmp_path):
    made = chart()
    made.get_root().header.add_child(Element("<link rel='stylesheet' href='https://a.example'>"))
    with pytest.raises(AssetMissing, match="link"):
        save_folium(made, tmp_path / "m.html", marking="UNCLASSIFIED")
    other = chart()
    other.get_root().header.add_child(Element("<script src='https://a.example'></script>"))
    with pytest.raises(AssetMissing, match="script"):
        save_folium(other, tmp_path / "m.html", marking="UNCLASSIFIED")


def test_a_marking_must_be_one_of_ours(tmp_path):
    with pytest.raises(BadInput, match="STRICTLY CONFIDENTIAL"):
        save_folium(chart(), tmp_path / "m.html", marking="SECRET")


def test_what_was_added_to_the_figure_comes_along(tmp_path):
    figure = Figure()
    made = chart().add_to(figure)
    figure.html.add_child(Element("<p>beside the map</p>"))
    page = folium_page(made, title="T").render()
    assert "<p>beside the map</p>" in page
    assert "<title>T</title>" in page
