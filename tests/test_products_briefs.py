"""The brief: one page, every figure with a unit and off a released table, nothing that runs."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, Refused, UnknownName
from pocgeo.products.briefs import BriefContent, BriefMap, BriefTable, Headline, as_html, brief
from pocgeo.products.disclosure import ReleaseContext, Released, policy, release
from pocgeo.products.maps import MapSpec, MeasureSpec, PageFrame

FRAME = PageFrame(
    title="Protection of civilians",
    aoi_name="Coast",
    marking="CONFIDENTIAL",
    audience="internal",
    cut_off_on=date(2026, 6, 30),
    made_at=datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
    boundary=box(6.8, 0.3, 7.2, 0.7),
    notes=("Synthetic.",),
    manifest={
        "versions": {"pocgeo": "0.1.0"},
        "inputs": [{"layer": "incidents", "source": "from_source_x.csv"}],
    },
)
HOSTILE = "</td></table><script>alert(1)</script>{{ 7*7 }}${x}`<!--"


def given(table: pd.DataFrame, name: str, audience: str = "internal", **attrs: object) -> Released:
    table = table.copy()
    table.attrs.update(attrs)
    context = ReleaseContext(marking="CONFIDENTIAL", cut_off_on=date(2026, 6, 30))
    return release(table, policy(audience), name=name, title=f"Table of {name}", context=context)


def gaps(audience: str = "internal") -> Released:
    table = pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "gap_area_id": ["g1", "g2", "g3"],
            "place": ["Porto", HOSTILE, "Vila"],
            "admin2": ["N", "N", "S"],
            "gap_persons": [1234.0, 20.0, 3.0],
            "children_persons": np.nan,
            "reason": "No patrol since 12 May; 2 h 40 from the nearest base.",
        }
    )
    return given(table, "gaps", audience)


def cells(audience: str = "internal") -> Released:
    found = np.sort(grid.disk(grid.cells_of([7.0], [0.5], 8), 6))
    table = pd.DataFrame(
        {
            "cell": found,
            "people_persons": 10.0,
            "gap_persons": np.arange(len(found), dtype=float),
            "hotspot": pd.array([True, pd.NA, *[False] * (len(found) - 2)], dtype="boolean"),
        }
    )
    return given(table, "coverage", audience)


def coverage(audience: str = "internal") -> Released:
    table = pd.DataFrame(
        {
            "area_kind": ["AOI", "AOR"],
            "area_id": ["AOI", "A"],
            "area": ["whole AOI", "Alpha"],
            "covered_any_persons": [800.0, np.nan],
            "covered_share": [0.637, 0.5],
        }
    )
    return given(table, "coverage", audience)


SPEC = MapSpec(
    name="coverage_gaps",
    title="Gaps",
    question="Who is out of reach?",
    table="coverage",
    measures=(MeasureSpec(column="gap_persons"),),
)


def content(**changes: object) -> BriefContent:
    headlines = (
        Headline(label="People in the gap", unit="persons", source=gaps(), column="gap_persons",
                 says="No base reaches them in time."),
        Headline(label="Gap areas", unit="areas", source=gaps(), how="rows"),
        Headline(label="Hotspots", unit="cells", source=cells(), column="hotspot", how="true"),
        Headline(label="People covered", unit="%", source=coverage(), column="covered_share",
                 how="value", where={"area_kind": "AOI"}, per_cent=True),
        Headline(label="Covered in Alpha", unit="persons", source=coverage(), how="value",
                 column="covered_any_persons", where={"area_kind": "AOR"}),
    )  # fmt: skip
    made = BriefContent(
        frame=FRAME,
        headlines=headlines,
        maps=(BriefMap(spec=SPEC, cells=cells()),),
        tables=(BriefTable(heading="Where nobody is in reach", released=gaps(), top=2),),
        null_check="On noise, 1 of 100 maps had a flag.",
        caveats=("No report is not no incident.",),
        refused=("incidents for partners: points are restricted.",),
    )
    return replace(made, **changes)


class Words(HTMLParser):
    """Visible text, and the stack of tags checked."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.quiet = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.quiet += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self.quiet -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self.quiet:
            self.words.append(data)


class Links(HTMLParser):
    """What a page would fetch or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {value}" for name, value in attrs if name in {"src", "href"}]


def words_of(page: str) -> str:
    parser = Words()
    parser.feed(page)
    return " ".join(" ".join(parser.words).split())


def test_the_page_says_what_a_commander_needs() -> None:
    page = brief(content())
    words = words_of(page)
    for needed in (
        "At a glance", "1,257 persons People in the gap No base reaches them in time.",
        "3 areas Gap areas", "1 cell Hotspots", "64 % People covered",
        "not shown (persons) Covered in Alpha", "Where nobody is in reach",
        "People in the gap (persons)", "The first 2 of 3 rows", "Unknown throughout: Children.",
        "No report is not no incident.", "On noise, 1 of 100 maps had a flag.",
        "points are restricted", "Inputs, parameters, versions", "Who may see this",
    ):  # fmt: skip
        assert needed in words, needed
    body = words_of(page[page.index("<body") :])
    assert body.startswith("CONFIDENTIAL")
    assert re.sub(r"\W+$", "", body).endswith("CONFIDENTIAL")


def test_the_same_content_gives_the_same_text() -> None:
    assert brief(content()) == brief(content())


def test_hostile_text_neither_runs_nor_breaks_the_page() -> None:
    page = brief(content(caveats=(HOSTILE,), null_check=HOSTILE))
    assert "<script>alert(1)" not in page
    assert "alert(1)" in words_of(page)
    assert page.count("<table") == page.count("</table>")
    assert "49" not in words_of(page[page.index("What to keep in mind") :])[:200]


def test_nothing_is_fetched() -> None:
    parser = Links()
    parser.feed(brief(content()))
    assert parser.found == []


def test_the_table_of_a_page_has_units_totals_and_escapes() -> None:
    html = as_html(gaps(), 2)
    assert "<caption>Table of gaps</caption>" in html
    assert "People in the gap (persons)" in html
    assert 'title="People at risk outside every standard asked for."' in html
    assert "1,257" in html
    assert "<script" not in html
    assert "No rows." in as_html(replace(gaps(), table=gaps().table.head(0)))


def test_a_brief_for_partners_takes_only_what_was_released_for_them() -> None:
    frame = replace(FRAME, audience="partners")
    with pytest.raises(Refused, match="released for internal"):
        brief(content(frame=frame))
    out = content(
        frame=frame,
        headlines=(
            Headline(label="People in the gap", unit="persons", source=gaps("partners"),
                     column="gap_persons"),
            Headline(label="Hours of presence", unit="hours", source=gaps("partners"),
                     column="presence_h"),
        ),
        maps=(BriefMap(spec=SPEC, cells=cells("partners")),),
        tables=(BriefTable(heading="Gaps", released=gaps("partners")),),
    )  # fmt: skip
    words = words_of(brief(out))
    assert "1,257 persons" in words
    assert "not shown (hours) Hours of presence" in words
    assert "Porto" not in words
    assert "from_source_x" not in brief(out)
    assert "Counts from 1 to 4" in words or "counts from 1 to 4" in words


def test_a_figure_without_a_unit_or_with_two_rows_is_refused() -> None:
    with pytest.raises(BadInput, match="no unit"):
        Headline(label="People", unit="", source=gaps())
    with pytest.raises(UnknownName, match="totl"):
        Headline(label="People", unit="persons", source=gaps(), how="totl")
    two = Headline(label="People", unit="persons", source=coverage(), column="covered_share",
                   how="value")  # fmt: skip
    with pytest.raises(BadInput, match="2 rows of coverage"):
        brief(content(headlines=(two,)))
    odd = replace(two, where={"nothing": "x"})
    with pytest.raises(BadInput, match="no column nothing"):
        brief(content(headlines=(odd,)))
