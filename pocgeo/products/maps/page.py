"""The page around the maps: marking, question, data cut-off, method, notes, manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pocgeo.ground.errors import BadInput, Refused
from pocgeo.ground.provenance import digest_of
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.chart import Chart, charted
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.overlays import Ground
from pocgeo.products.maps.safe_text import SafeHtml, joined, tag, text
from pocgeo.products.maps.spec import MapSpec
from pocgeo.products.maps.wording import day

__all__ = ["DISCLAIMER", "Page", "PageFrame"]

MARKINGS = ("UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY CONFIDENTIAL")
"""Low to high."""

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
    """Language of the page, BCP 47."""


class Page:
    """One self-contained page: a single map that fills it, or sections and maps that follow on.

    Parameters
    ----------
    frame : PageFrame
    single : bool
        Whether the page is one map that fills the window.
    """

    def __init__(self, frame: PageFrame, *, single: bool = False) -> None:
        if frame.marking not in MARKINGS:
            raise BadInput(f"marking is {frame.marking!r}. Use one of: {', '.join(MARKINGS)}.")
        self.frame, self.single = frame, single
        self.figure = OfflineFigure(
            title=f"{frame.title} · {frame.aoi_name}", language=frame.language
        )
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
    ) -> None:
        """Add one map; of the tables, only the columns that `spec` names go into the page.

        `further` are the tables that `spec.further` names, and the layer `areas` for an audience
        that has cells by area.

        Raises
        ------
        Refused
            A table was released for another audience, or its marking is above the page's.
        MissingColumns
            A table lacks a column the map needs.
        """
        for released in (*overlays.values(), *(further or {}).values()):
            self.check(released)
        if cells is not None:
            self.check(cells)
        frame = self.frame
        if spec.tiles is not None:
            if frame.marking != MARKINGS[0]:
                raise Refused(
                    f"maps/{spec.name}.toml asks for online tiles and the page is {frame.marking}: "
                    "requests tell their host which area is studied. Take tiles out of the file."
                )
            self.figure.allow_tiles(spec.tiles)
        ground = Ground(
            boundary=frame.boundary, aoi_name=frame.aoi_name, cut_off_on=frame.cut_off_on,
            single=self.single,
        )  # fmt: skip
        self.blocks.append(charted(self.figure, spec, ground, cells, overlays, further or {}))

    def check(self, released: Released) -> None:
        """Refuse a table that was not released for this page."""
        frame = self.frame
        if released.audience != frame.audience:
            raise Refused(
                f"{released.name} was released for {released.audience}, the page is for "
                f"{frame.audience}. Release it again for {frame.audience}."
            )
        if MARKINGS.index(released.marking) > MARKINGS.index(frame.marking):
            raise Refused(
                f"{released.name} is {released.marking}, the page {frame.marking}. "
                "Give the page the higher marking."
            )

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
        return tag("div", self.frame.marking, class_=f"poc-marking poc-level-{level} poc-{place}")

    def header(self, question: str) -> SafeHtml:
        """Write title and question on the left; place, period and cut-off on the right."""
        frame = self.frame
        facts = [("Area", frame.aoi_name)]
        if frame.period:
            facts.append(("Period", f"{day(frame.period[0])} – {day(frame.period[1])}"))
        facts.append(("Data to", day(frame.cut_off_on)))
        facts.append(("Audience", frame.audience))
        right = joined(
            tag("div", joined([tag("dt", name), tag("dd", value)], "")) for name, value in facts
        )
        left = [tag("h1", frame.title)] + ([tag("p", question)] if question else [])
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
            tag("aside", "", id=panel, class_="poc-panel", aria_label="Legend"),
        ]
        drawn = tag("div", joined(stage), class_="poc-stage")
        if self.single:
            return drawn
        before = [tag("h2", spec.title), tag("p", spec.question, class_="poc-question")]
        return tag(
            "section",
            joined([*before, drawn, notes(chart.said)]),
            class_="poc-section poc-map-section",
        )

    def footer(self) -> SafeHtml:
        """Write method, notes, disclaimer, and where the page comes from."""
        frame = self.frame
        said = list(frame.notes)
        if self.single:
            said += [
                line for block in self.blocks if isinstance(block, Chart) for line in block.said
            ]
        parts = [notes(dict.fromkeys(said))]
        if frame.method:
            parts.append(tag("p", joined([tag("b", "Method."), text(frame.method)], " ")))
        made = (
            f"Made {day(frame.made_at)}, {frame.made_at:%H:%M} UTC by pocgeo · "
            f"manifest {digest_of(frame.manifest)[:12]}"
        )
        parts.append(tag("p", joined([text(DISCLAIMER), text(made)], " "), class_="poc-small"))
        return tag("footer", joined(parts), class_="poc-footer", data_manifest=self.manifest_name)


def notes(said: Iterable[str]) -> SafeHtml:
    """Write sentences as one paragraph."""
    lines = [tag("span", line) for line in said]
    return tag("p", joined(lines, " "), class_="poc-notes") if lines else SafeHtml("")
