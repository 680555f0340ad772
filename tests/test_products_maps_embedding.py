"""A page of ours inside another page: shown, marked, and shut in."""

import pytest

from pocgeo.ground.errors import BadInput
from pocgeo.products.maps import draw, map_spec
from pocgeo.products.maps.embedding import embed_snippet
from tests.browser import offline_browser
from tests.map_samples import CELL_COLUMNS, cell_table, frame, island, overlays, released


def test_the_snippet_names_only_the_file():
    said = embed_snippet("/home/anna/out/map gaps.html", 'Gaps "now" <b>')
    assert 'src="map%20gaps.html"' in said
    assert "anna" not in said
    assert "<b>" not in said
    assert 'sandbox="allow-scripts"' in said


def test_only_a_page_can_be_embedded():
    with pytest.raises(BadInput, match=r"gaps\.pdf"):
        embed_snippet("gaps.pdf", "Gaps")


@pytest.mark.browser
def test_an_embedded_map_is_drawn_and_asks_for_nothing(tmp_path):
    coast = island()
    cells = released(cell_table(coast, 6), *CELL_COLUMNS, resolution=6, name="gaps")
    page = draw(map_spec("coverage_gaps"), cells, overlays(coast), frame(coast))
    (tmp_path / "gaps.html").write_text(page, encoding="utf-8")
    around = f"<!DOCTYPE html><title>Site</title>{embed_snippet('gaps.html', 'Gaps')}"
    (tmp_path / "site.html").write_text(around, encoding="utf-8")
    with offline_browser() as seen:
        seen.page.goto((tmp_path / "site.html").as_uri())
        inside = seen.page.frame_locator("iframe")
        inside.locator("html[data-pocgeo=ready]").wait_for(state="attached", timeout=30_000)
        assert inside.get_by_text("UNCLASSIFIED").count() == 2
        assert seen.outside == []
        assert [said for said in seen.complaints if "error" in said] == []
