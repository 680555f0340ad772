"""The briefing: one page for a commander: figures, maps, tables, caveats, how it was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import pandas as pd

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.markings import refuse_unknown_marking
from pocgeo.products.disclosure import Policy, Released, policy
from pocgeo.products.manifest import manifest_html, outward
from pocgeo.products.maps import MapSpec, Page, PageFrame
from pocgeo.products.maps.safe_text import SafeHtml, joined, json_block, tag
from pocgeo.products.page_tables import as_html
from pocgeo.products.phrasing import clean, figure
from pocgeo.products.records import RECORD_NAME
from pocgeo.products.words import ENGLISH, Words

__all__ = [
    "BriefContent",
    "BriefMap",
    "BriefTable",
    "Headline",
    "as_html",
    "brief",
    "check",
    "fit",
    "read_headline",
    "rule",
]

HOWS = ("total", "rows", "true", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One figure at the top, read off a released table so that it cannot say more than that."""

    label: str
    """What is counted: "People in the gap"."""

    unit: str
    """Never empty: "persons", "gap areas", "incidents"."""

    source: Released
    """The table the figure is read from."""

    column: str | None = None
    """Column it is read from; None counts rows."""

    how: str = "total"
    """total, rows, true (rows where the column is true), value (of the one row of `where`)."""

    where: Mapping[str, str] = field(default_factory=dict)
    """Column -> text: only these rows count (not for totals)."""

    says: str = ""
    """One plain sentence: what the figure means."""

    digits: int | None = None
    """Decimals; the column's own if None."""

    per_cent: bool = False
    """Whether a share (0-1) is written in per cent."""

    def __post_init__(self) -> None:
        if not self.unit:
            raise BadInput(
                f"Headline {self.label!r} has no unit. A figure without one says nothing."
            )
        if self.how not in HOWS:
            raise UnknownName("way to read a headline", self.how, HOWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefMap:
    """One map of the brief."""

    spec: MapSpec
    cells: Released | None
    overlays: Mapping[str, Released] = field(default_factory=dict)
    further: Mapping[str, Released] = field(default_factory=dict)
    """Tables that `spec.further` names, and the areas of a map drawn by area."""

    boundary: Any = None
    """Ground that is shown, polygon in degrees; None: that of the whole briefing."""

    def framed(self, frame: PageFrame) -> PageFrame:
        """Give the frame of the briefing around the ground of this map."""
        return frame if self.boundary is None else replace(frame, boundary=self.boundary)


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefTable:
    """One table of the brief."""

    heading: str
    """Heading of its section: "Where nobody is in reach"."""

    released: Released
    says: str = ""
    """One or two plain sentences before it."""

    top: int = 15
    """Rows shown; the rest is in the export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefContent:
    """Everything a brief is made of; all figures come from released tables."""

    frame: PageFrame
    headlines: tuple[Headline, ...] = ()
    maps: tuple[BriefMap, ...] = ()
    tables: tuple[BriefTable, ...] = ()
    null_check: str = ""
    """Sentence of the hotspot test about itself: how often noise alone would be flagged."""

    caveats: tuple[str, ...] = ()
    """What a reader must keep in mind, fit for the audience."""

    refused: tuple[str, ...] = ()
    """What this audience may not have, in the words of the gate."""

    record: Mapping[str, Any] = field(default_factory=dict)
    """What the next briefing is held against; see pocgeo.products.records."""


def brief(content: BriefContent) -> str:
    """Make the briefing as one HTML page that needs no network.

    Parameters
    ----------
    content : BriefContent

    Returns
    -------
    str
        HTML, UTF-8; the same content gives the same text. Marking first and last.

    Raises
    ------
    Refused
        A table was released for another audience, or is marked higher than the page.
    BadInput
        A headline cannot be read from its table.
    """
    content = fit(content)
    check(content)
    page = Page(content.frame)
    words = page.words
    if content.headlines:
        page.add_section(words("glance"), _glance(content, words))
    for item in content.maps:
        page.add_map(
            item.spec, item.cells, item.overlays, item.further,
            boundary=item.framed(content.frame).boundary,
        )  # fmt: skip
    for table in content.tables:
        before = [tag("p", clean(words.text(table.says)), dir="auto")] if table.says else []
        written = as_html(table.released, table.top, words)
        page.add_section(words.text(table.heading), joined([*before, written]))
    if content.caveats or content.null_check:
        said = [*content.caveats, *([content.null_check] if content.null_check else [])]
        page.add_section(words("keep_in_mind"), _listed(map(words.text, said)))
    page.add_section(words("who_may_see"), _disclosure(content, words))
    made = SafeHtml(manifest_html(content.frame.manifest, words("manifest")))  # escaped there
    page.add_section(words("how_made"), made)
    if content.record:
        page.figure.keep(RECORD_NAME, json_block(content.record), "application/json")
    return page.render()


def check(content: BriefContent) -> None:
    """Refuse content with a table that was not released for this briefing."""
    refuse_unknown_marking(content.frame.marking)
    for released in (*(h.source for h in content.headlines), *(t.released for t in content.tables)):
        released.refuse_unless_fit("page", content.frame.audience, content.frame.marking)


def fit(content: BriefContent) -> BriefContent:
    """Strip the page's own manifest for an audience outside the mission."""
    if "restricted" in policy(content.frame.audience).sees:
        return content
    frame = replace(content.frame, manifest=outward(content.frame.manifest))
    return replace(content, frame=frame)


def _glance(content: BriefContent, words: Words) -> SafeHtml:
    """Write the headline figures, largest type first."""
    rows = []
    for headline in content.headlines:
        number, unit = read_headline(headline, words)
        strong = tag("b", number)
        cells = [
            tag("td", joined([strong, tag("span", unit)], " "), class_="poc-number"),
            tag("td", tag("b", clean(words.text(headline.label)))),
            tag("td", clean(words.text(headline.says))),
        ]
        rows.append(tag("tr", joined(cells, "")))
    return tag("table", joined(rows), class_="poc-figures")


def read_headline(headline: Headline, words: Words = ENGLISH) -> tuple[str, str]:
    """Read a figure off its table, with its unit; what is withheld or unknown is said in words."""
    value = _value(headline)
    if value is None:
        return words("not_shown"), f"({words.text(headline.unit)})"
    spec = headline.source.columns.get(headline.column or "")
    digits = headline.digits if headline.digits is not None else (spec.digits if spec else 0)
    if headline.how in {"rows", "true"}:
        digits = 0
    if headline.per_cent:
        return words.figures(figure(100 * value, headline.digits or 0)), "%"
    said = figure(value, digits)
    if words.language != "en":
        return words.figures(said), clean(words.text(headline.unit))
    return said, clean(headline.unit.removesuffix("s") if said == "1" else headline.unit)


def _value(headline: Headline) -> float | None:
    source, column = headline.source, headline.column
    if column is not None and column not in source.table:
        return None  # withheld from this audience
    if headline.how == "total":
        total = source.totals.get(str(column))
        return None if total is None or not isfinite(total) else float(total)
    table = _selected(headline)
    if headline.how == "rows" or column is None:
        return float(len(table))
    if headline.how == "true":
        known = table[column].dropna()
        return float(known.astype(bool).sum()) if len(known) or not len(table) else None
    if len(table) != 1:
        raise BadInput(
            f"Headline {headline.label!r}: {len(table)} rows of {source.name} fit "
            f"{dict(headline.where)}; it needs exactly one."
        )
    value = table[column].iloc[0]
    return None if pd.isna(value) else float(value)


def _selected(headline: Headline) -> pd.DataFrame:
    table = pd.DataFrame(headline.source.table)
    for name, wanted in headline.where.items():
        if name not in table:
            raise BadInput(
                f"Headline {headline.label!r}: {headline.source.name} has no column {name}."
            )
        table = table[table[name].astype(str) == wanted]
    return table


def _listed(sentences: Iterable[str]) -> SafeHtml:
    return tag("ul", joined(tag("li", clean(sentence), dir="auto") for sentence in sentences))


def _disclosure(content: BriefContent, words: Words) -> SafeHtml:
    """Say for whom this was released, by which rules, and what it leaves out."""
    rules = policy(content.frame.audience)
    frame = content.frame
    lines = [words("marked", marking=words.text(frame.marking),
                   audience=words.text(frame.audience))]  # fmt: skip
    lines.append(words.text(rule(rules)))
    lines += map(words.text, content.refused)
    tables = [headline.source for headline in content.headlines]
    tables += [table.released for table in content.tables]
    for released in tables:
        title = words.text(released.title)
        lines += [f"{title}: {words.text(line)}" for line in released.withheld]
    return _listed(list(dict.fromkeys(lines)))


def rule(rules: Policy) -> str:
    """Say by which rules a product was released."""
    if "restricted" in rules.sees:
        return (
            "It holds restricted information: places of incidents and bases. It may not leave the "
            "mission. Confidential fields are in no product."
        )
    return (
        f"Cells are coarsened by {rules.coarser_by} levels, counts from 1 to {rules.k - 1} are "
        "suppressed together with what would reveal them, and single incidents, bases, patrols "
        "and sources are left out."
    )
