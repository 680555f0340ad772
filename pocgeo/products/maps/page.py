"""The page around the maps: marking, question, data cut-off, method, notes, manifest."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from typing import Any

from pocgeo.ground.errors import Refused
from pocgeo.ground.markings import MARKINGS, refuse_unknown_marking
from pocgeo.ground.provenance import digest_of
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.chart import Chart, charted
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.overlays import Ground
from pocgeo.products.maps.safe_text import SafeHtml, joined, tag, text
from pocgeo.products.maps.spec import MapSpec
from pocgeo.products.maps.translation import columns_of, released_in, spec_in, tables_in
from pocgeo.products.words import Words

__all__ = ["DISCLAIMER", "Page", "PageFrame"]

UNFOLDED = 420
"""Letters of notes that are always open; what follows is a click away, and open on paper."""

DISCLAIMER = (
    "The boundaries, names and designations shown do not imply official endorsement "
    "or acceptance by the United Nations."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What every page says around its maps, and the outline of the area of interest."""

    title: str
    """Heading of the page."""

    aoi_name: str
    """Name of the area of interest."""

    marking: str
    """Printed first and last, on the screen and on every sheet of paper."""

    audience: str
    """internal, partners or public."""

    cut_off_on: date
    """Last day the data could know of."""

    made_at: datetime
    """When the page was made, UTC."""

    boundary: Any
    """Polygon or MultiPolygon of the AOI, lon, lat in degrees, EPSG:4326."""

    period: tuple[date, date] | None = None
    """First and last day the question is about."""

    method: str = ""
    """One line: how the numbers were made, and the standard."""

    notes: tuple[str, ...] = ()
    """Sentences printed on the page, the AOI's note among them."""

    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Inputs' digests, parameters, versions; kept in the page as JSON."""

    language: str = "en"
    """en, fr or ar; what has no translation stays English, and the page says how much."""


class Page:
    """One self-contained page: a single map that fills it, or sections and maps that follow on.

    Parameters
    ----------
    frame : PageFrame
    single : bool
        Whether the page is one map that fills the window.
    """

    def __init__(self, frame: PageFrame, *, single: bool = False) -> None:
        refuse_unknown_marking(frame.marking)
        self.frame, self.single = frame, single
        self.words = Words(frame.language)
        self.figure = OfflineFigure(
            title=f"{self.words.text(frame.title)} · {frame.aoi_name}", language=frame.language,
            direction=self.words.direction,
        )  # fmt: skip
        self.figure.body = self.body
        self.blocks: list[SafeHtml | Chart] = []
        self.manifest_name = self.figure.keep_json(dict(frame.manifest))

    def add_section(self, title: str, html: SafeHtml) -> None:
        """Add a section; its HTML is made with `text` and `tag`, without style attributes."""
        if not isinstance(html, SafeHtml):
            raise TypeError("add_section takes SafeHtml: make it with text() and tag().")
        heading = tag("h2", title) if title else SafeHtml("")
        self.blocks.append(tag("section", joined([heading, html]), class_="poc-section"))

    def add_map(
        self,
        spec: MapSpec,
        cells: Released | None,
        overlays: Mapping[str, Released],
        further: Mapping[str, Released] | None = None,
        *,
        boundary: Any = None,
    ) -> None:
        """Add one map; of the tables, only the columns that `spec` names go into the page.

        `further` are the tables that `spec.further` names, and the layer `areas` for an audience
        that has cells by area. `boundary`: ground shown in place of the frame's.

        Raises
        ------
        Refused
            A table was released for another audience, or its marking is above the page's.
        MissingColumns
            A table lacks a column the map needs.
        """
        frame, words = self.frame, self.words
        shown = (*overlays.values(), *(further or {}).values(), *([] if cells is None else [cells]))
        for released in shown:
            released.refuse_unless_fit("page", frame.audience, frame.marking)
        named = columns_of(spec)
        spec = spec_in(spec, words)
        cells = None if cells is None else released_in(cells, named, words)
        overlays = tables_in(overlays, named, words)
        further = tables_in(further or {}, named, words)
        if spec.tiles is not None:
            if frame.marking != MARKINGS[0]:
                raise Refused(
                    f"maps/{spec.name}.toml asks for online tiles and the page is {frame.marking}: "
                    "requests tell their host which area is studied. Take tiles out of the file."
                )
            self.figure.allow_tiles(spec.tiles)
        ground = Ground(
            boundary=frame.boundary if boundary is None else boundary, aoi_name=frame.aoi_name,
            cut_off_on=frame.cut_off_on, single=self.single, words=words,
        )  # fmt: skip
        self.blocks.append(charted(self.figure, spec, ground, cells, overlays, further))

    def render(self) -> str:
        """Render the whole page, ready to be written to one file."""
        return str(self.figure.render())

    def body(self) -> SafeHtml:
        """Write what stands between the markings."""
        kind = "poc-single" if self.single else "poc-document"
        main = joined(block if isinstance(block, SafeHtml) else self.map_block(block)
                      for block in self.blocks)  # fmt: skip
        question = next((b.spec.question for b in self.blocks if isinstance(b, Chart)), "")
        parts = [
            self.banner("first"),
            self.header(question if self.single else ""),
            tag("main", main),
            self.footer(),
            self.banner("last"),
        ]
        return tag("div", joined(parts), class_=f"poc-page {kind}")

    def banner(self, place: str) -> SafeHtml:
        """Write the marking."""
        level = MARKINGS.index(self.frame.marking)
        said = self.words.text(self.frame.marking)
        return tag("div", said, class_=f"poc-marking poc-level-{level} poc-{place}")

    def header(self, question: str) -> SafeHtml:
        """Write title and question on the left; place, period and cut-off on the right."""
        frame, words = self.frame, self.words
        facts = [(words("area"), frame.aoi_name)]
        if frame.period:
            first, last = map(words.short_day, frame.period)
            facts.append((words("period"), words("from_to", low=first, high=last)))
        facts.append((words("data_to"), words.short_day(frame.cut_off_on)))
        facts.append((words("audience"), words.text(frame.audience)))
        right = joined(
            tag("div", joined([tag("dt", name), tag("dd", value)], "")) for name, value in facts
        )
        left = [tag("h1", words.text(frame.title))] + ([tag("p", question)] if question else [])
        return tag(
            "header", joined([tag("div", joined(left)), tag("dl", right)]), class_="poc-header"
        )

    def map_block(self, chart: Chart) -> SafeHtml:
        """Write the place of one map, or of two that are compared, and of their panel."""
        spec = chart.spec
        places = [
            tag("div", "", id=each.get_name(), class_="poc-chart", role="application",
                aria_label=spec.title)
            for each in chart.maps
        ]  # fmt: skip
        panel = f"panel-{chart.maps[0].get_name()}"
        stage = [
            tag("div", joined(places), class_="poc-charts"),
            tag("aside", "", id=panel, class_="poc-panel", aria_label=self.words("legend")),
        ]
        drawn = tag("div", joined(stage), class_="poc-stage")
        if self.single:
            return drawn
        before = [tag("h2", spec.title), tag("p", spec.question, class_="poc-question")]
        return tag(
            "section",
            joined([*before, drawn, notes(chart.said, self.words)]),
            class_="poc-section poc-map-section",
        )

    def footer(self) -> SafeHtml:
        """Write method, notes, disclaimer, and where the page comes from."""
        frame, words = self.frame, self.words
        said = [words.text(line) for line in frame.notes]
        if self.single:
            said += [
                line for block in self.blocks if isinstance(block, Chart) for line in block.said
            ]
        parts = [notes(dict.fromkeys(said), words)]
        if frame.method:
            parts.append(
                tag(
                    "p",
                    joined([tag("b", words("method") + "."), text(words.text(frame.method))], " "),
                )
            )
        last = [words.text(DISCLAIMER)]
        last.append(words("made", day=words.short_day(frame.made_at),
                          time=f"{frame.made_at:%H:%M}",
                          digest=digest_of(frame.manifest)[:12]))  # fmt: skip
        if words.untranslated:
            last.append(words("untranslated", texts=len(words.untranslated)))
        parts.append(tag("p", joined(map(text, last), " "), class_="poc-small"))
        return tag("footer", joined(parts), class_="poc-footer", data_manifest=self.manifest_name)


def notes(said: Iterable[str], words: Words) -> SafeHtml:
    """Write sentences as one paragraph; what is more than a few lines is folded."""
    lines = list(said)
    lengths = list(accumulate(map(len, lines)))
    shown = max(1, bisect_right(lengths, UNFOLDED)) if lines else 0
    first = [tag("span", line, dir="auto") for line in lines[:shown]]
    rest = [tag("span", line, dir="auto") for line in lines[shown:]]
    if not first:
        return SafeHtml("")
    part = tag("p", joined(first, " "), class_="poc-notes")
    if not rest:
        return part
    more = tag("summary", words("more_notes", notes=len(rest)))
    folded = joined([more, tag("p", joined(rest, " "), class_="poc-notes poc-further")])
    return joined([part, tag("details", folded, class_="poc-more")])
