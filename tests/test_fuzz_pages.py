"""Any text in any field: nothing runs, nothing breaks, in Python or in the page."""

import html
import json
import os
import re
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pocgeo.products.maps.safe_text import json_block, script_safe, tag, text
from pocgeo.products.phrasing import clean
from tests.browser import offline_browser
from tests.test_products_maps_page import HOSTILE, PWNED, blocks, hostile_page

FRAGMENTS = (
    "<", ">", "</", "script", "</script>", "<!--", "-->", "]]>", "{{", "}}", "{%", "%}", "{#", "#}",
    "${", "`", "'", '"', "\\", "\\u003c", "\u2028", "\u2029", "\u202e", "\x00", "\ud800", "&lt;",
    "&#", ";", "window.pwned=1", "alert(1)", "onerror=", "style=", "<img src=x ", "<svg onload=",
    "javascript:", "data:text/html,", "\n", "\t", "é", "ع", "𐍈", "__globals__", "os.system",
    "raw", "endraw", "=", "(", ")", "//", "/*", "*/",
)  # fmt: skip

hostile_text = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=14).map("".join),
    st.tuples(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE)).map("".join),
)


@cache
def calm_page() -> str:
    return hostile_page("calm")


TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Signs that turn text round; they are taken out of pages."""


@given(hostile_text)
@settings(derandomize=True, max_examples=60, deadline=None)
@example("{{ cycler.__init__.__globals__.os.environ.__setitem__('POCGEO_TEST_PWNED', '1') }}")
def test_no_text_changes_what_a_page_runs(hostile):
    calm = calm_page()
    os.environ.pop(PWNED, None)
    page = hostile_page(hostile or "x")
    assert PWNED not in os.environ
    assert page.count("<script") == calm.count("<script")
    assert page.count("</script") == calm.count("</script")
    assert blocks(page, "style") == blocks(calm, "style")
    ours, theirs = blocks(calm, "script"), blocks(page, "script")
    assert theirs[:-1] == ours[:-1]
    # the last block differs only in the names of the data blocks, which are digests
    assert re.sub(r"\b[jp]?[0-9a-f]{16}\b", "#", theirs[-1]) == re.sub(
        r"\b[jp]?[0-9a-f]{16}\b", "#", ours[-1]
    )
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S):
        json.loads(block)


@given(hostile_text)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_escaped_text_is_inert_and_reads_as_it_was(hostile):
    said = text(hostile)
    assert not set("<>\"'{}`$\\") & set(said)
    assert html.unescape(said) == clean(hostile)
    element = tag("p", hostile, title=hostile)
    assert element.count("<") == 2


@given(st.recursive(hostile_text, lambda inner: st.lists(inner, max_size=4), max_leaves=8))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_json_in_a_page_closes_nothing_and_reads_back(value):
    value = json.loads(json.dumps(value).replace("\\ud800", ""))
    block = json_block(value)
    assert "<" not in block
    assert ">" not in block
    assert json.loads(block) == json.loads(TURNS.sub("", json.dumps(value, ensure_ascii=False)))


@given(hostile_text)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_script_can_be_closed_by_nobody_but_us(hostile):
    said = script_safe(f"var x = {json.dumps(hostile.replace(chr(0xD800), ''))};")
    assert not re.search(r"</script|<!--|<script", said, flags=re.IGNORECASE)


@pytest.mark.browser
def test_pages_of_random_texts_run_nothing_in_the_browser(tmp_path):
    texts = [
        "".join(FRAGMENTS[(7 * seed + 11 * i * i + 3 * i) % len(FRAGMENTS)] for i in range(12))
        for seed in range(10)
    ]
    with offline_browser() as seen:
        for number, hostile in enumerate(texts):
            path = tmp_path / f"{number}.html"
            path.write_text(hostile_page(hostile), encoding="utf-8")
            seen.open(path)
            assert seen.page.evaluate("window.pwned === undefined"), hostile
            assert seen.outside == [], hostile
            assert seen.complaints == [], hostile
            assert seen.page.get_attribute("html", "data-pocgeo") == "ready", hostile
