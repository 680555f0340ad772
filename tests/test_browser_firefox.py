"""Pages of pocgeo in Firefox, the other browser that sits in briefing rooms."""

import folium
import pytest

import pocgeo
from tests.firefox import offline_firefox

pytestmark = pytest.mark.browser

MAPS = ("coverage_gaps", "common_picture", "presence")
"""One of each kind of page: cells with reasons, every overlay, many measures."""


def test_products_of_the_sample_open_in_firefox(sample, tmp_path):
    pages = [sample.save_map(name, tmp_path / f"{name}.html") for name in MAPS]
    pages.append(sample.save_brief(tmp_path / "brief.html"))
    with offline_firefox(tmp_path / "firefox") as seen:
        for path in pages:
            seen.open(path)
            assert seen.state == "ready", path.name
            assert seen.outside == [], path.name
            assert seen.complaints == [], path.name
            drawn = seen.evaluate("document.querySelectorAll('canvas').length")
            assert drawn > 0, path.name


def test_a_map_of_plain_folium_opens_in_firefox(tmp_path):
    chart = folium.Map(location=[1.2, 4.3], zoom_start=8, tiles=None)
    folium.Marker([1.2, 4.3], popup="<img src=x onerror='window.pwned=1'>").add_to(chart)
    page = pocgeo.save_folium(chart, tmp_path / "plain.html", marking="UNCLASSIFIED")
    with offline_firefox(tmp_path / "firefox") as seen:
        seen.ask("WebDriver:Navigate", {"url": page.as_uri()})
        assert seen.evaluate("document.querySelectorAll('.leaflet-marker-icon').length") == 1
        seen.evaluate("document.querySelector('.leaflet-marker-icon').click()")
        assert seen.evaluate("window.pwned === undefined")
        assert seen.outside == []
