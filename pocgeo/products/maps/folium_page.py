"""Any folium map in one file that asks for nothing, marked top and bottom."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import folium
from branca.element import Element, Figure, Html, Link

from pocgeo.ground.errors import BadInput
from pocgeo.ground.markings import MARKINGS
from pocgeo.products.maps.assets import ASSETS, Asset, AssetMissing
from pocgeo.products.maps.offline import NOTHING_FROM_OUTSIDE, OfflineFigure
from pocgeo.products.maps.safe_text import SafeHtml, joined, tag

__all__ = ["CANNOT_WORK_OFFLINE", "FoliumPage", "save_folium"]

CANNOT_WORK_OFFLINE = {
    "Geocoder": "asks a server for places",
    "LocateControl": "asks the browser's location service",
    "MeasureControl": "makes code from text, which the page's policy forbids",
    "MiniMap": "asks a server for pictures",
    "Realtime": "asks a server for its features",
    "ScrollZoomToggler": "asks a server for its picture",
    "TileLayer": "asks a server for pictures, and tells it which area is studied",
    "TimestampedWmsTileLayers": "asks a server for pictures",
    "Vega": "makes code from text, which the page's policy forbids",
    "VegaLite": "makes code from text, which the page's policy forbids",
    "VectorGridProtobuf": "asks a server for tiles",
    "WmsTileLayer": "asks a server for pictures",
    "IFrame": "loads a page of its own, which the page's policy forbids",
}
"""Classes of folium and branca that no page without a network can carry, and why."""

INERT = str.maketrans({"`": "&#96;", "\\": "&#92;", "$": "&#36;"})
"""Signs that a JavaScript template literal would act on; in HTML they read as before."""

MARKER = {
    "iconUrl": "marker-icon.png",
    "iconRetinaUrl": "marker-icon-2x.png",
    "shadowUrl": "marker-shadow.png",
}
"""Leaflet looks for these beside its style sheet; the page hands them over."""


class FoliumPage(OfflineFigure):
    """The figure of a map made with plain folium.

    folium's classes write styles into the elements they make, so that styles are not held to
    hashes here; scripts are, as in every page of pocgeo.
    """

    numbered = False

    def finished(self, script: str) -> str:
        """Name the fill patterns, for which folium itself counts on a second template pass."""
        names = {element.get_name() for element in elements(self)}
        return re.sub(r"{{'(\w+)'}}", lambda said: said[1] if said[1] in names else said[0], script)

    def linked(self, script: str) -> tuple[Asset, ...]:
        """Find packaged parts, and the blocks that folium's classes write into the head."""
        links, blocks = [], []
        for name, item in self.header._children.items():
            if isinstance(item, Link):
                links.append((name, item))
            elif name != "meta_http":
                blocks += head_blocks(name, item.render())
        kept = self.header._children
        self.header._children = type(kept)(links)
        try:
            found = super().linked(script)
        finally:
            self.header._children = kept
        return (*found, leaflet_ready(), *blocks)

    def policy(self) -> str:
        """Run only the scripts written here; folium needs styles in attributes."""
        scripts = " ".join(self.hashes["script"]) or "'none'"
        return "; ".join(
            (*NOTHING_FROM_OUTSIDE, f"script-src {scripts}", "style-src 'unsafe-inline'",
             "font-src data:")
        )  # fmt: skip


class HeadBlocks(HTMLParser):
    """Takes apart what an element wrote into the head: scripts and styles, and nothing else."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=False)
        self.name, self.open, self.blocks = name, "", list[Asset]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a block; a link or an image in the head is an error."""
        if tag == "meta":
            return
        if tag not in {"script", "style"} or dict(attrs).get("src"):
            raise AssetMissing(f"{self.name}, which writes <{tag}> into the head of the page,")
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        """Close the block."""
        self.open = "" if tag == self.open else self.open

    def handle_data(self, data: str) -> None:
        """Keep the text of a block."""
        if self.open:
            self.blocks.append(Asset(f"{self.name} {len(self.blocks)}", self.open, data))


def head_blocks(name: str, written: str) -> list[Asset]:
    """Read the scripts and styles that one element writes into the head."""
    parser = HeadBlocks(name)
    parser.feed(written)
    parser.close()
    return parser.blocks


def save_folium(
    chart: Element, path: Path | str, *, marking: str, title: str = "Map", note: str = ""
) -> Path:
    """Save any folium map as one HTML file that opens without a network.

    The data in it is the caller's: what folium is given goes into the file, shown or not, and has
    not passed the disclosure gate. For data of an AOI use `Aoi.save_map`.

    Parameters
    ----------
    chart : folium.Map, folium.plugins.DualMap or a figure that holds one
        Made with `tiles=None`. It may not be saved twice with different parents.
    path : Path or str
        File to write.
    marking : str
        UNCLASSIFIED, CONFIDENTIAL or STRICTLY CONFIDENTIAL; printed top and bottom.
    title : str
        Of the window and the page.
    note : str
        Printed under the map: source, data cut-off.

    Raises
    ------
    AssetMissing
        A class of the map needs a script that does not ship with pocgeo.
    BadInput
        The map holds a class that cannot work without a network, or the marking is unknown.
    """
    if marking not in MARKINGS:
        raise BadInput(f"marking {marking!r}: one of {', '.join(MARKINGS)} is needed.")
    page = folium_page(chart, title=title)
    body = page.body
    banner = tag("div", marking, class_="marking")

    def marked() -> SafeHtml:
        inside = body() if body else SafeHtml(page.html.render())
        return joined([banner, inside, tag("p", note, class_="note"), banner])

    page.body = marked
    path = Path(path)
    content = page.render()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def folium_page(chart: Element, *, title: str) -> FoliumPage:
    """Move a folium map into a page of ours, after a look at everything in it."""
    old = chart.get_root()
    page = FoliumPage(title=title)
    children = dict(old._children) if isinstance(old, Figure) else {}
    for name, child in (children or {chart.get_name(): chart}).items():
        page.add_child(child, name=name)
    for part in ("header", "html", "script") if isinstance(old, Figure) else ():
        for name, child in getattr(old, part)._children.items():
            getattr(page, part).add_child(child, name=name)
    for element in elements(page):
        made_safe(element)
    page.header.add_child(Element(PAGE_STYLE), name="pocgeo_style")
    return page


@cache
def leaflet_ready() -> Asset:
    """Give Leaflet its marker pictures, and take the flag out of its attribution."""
    pictures = {
        option: "data:image/png;base64,"
        + base64.b64encode((ASSETS / "vendor/leaflet/images" / file).read_bytes()).decode()
        for option, file in MARKER.items()
    }
    return Asset(
        "leaflet ready", "script",
        "delete L.Icon.Default.prototype._getIconUrl;"
        f"L.Icon.Default.mergeOptions({json.dumps(pictures)});"
        "L.Control.Attribution.prototype.options.prefix=false;",
    )  # fmt: skip


PAGE_STYLE = (
    "<style>html,body{margin:0;height:100%;font-family:sans-serif}body{display:flex;"
    "flex-direction:column}.folium-map{flex:1;min-height:20rem}.marking{background:#222;color:#fff;"
    "text-align:center;font-weight:bold;padding:.2rem}.note{margin:.2rem .6rem;font-size:.85rem}"
    "</style>"
)


def elements(root: Element) -> Iterator[Element]:
    """Walk over an element, its children, and what its popups hold."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        yield element
        waiting += element._children.values()
        if isinstance(element, folium.Popup):
            waiting += element.html._children.values()


def made_safe(element: Element) -> None:
    """Refuse what needs a network; keep text out of reach of templates and template literals."""
    for kind in type(element).__mro__:
        why = CANNOT_WORK_OFFLINE.get(kind.__name__)
        if why is not None and kind.__module__.startswith(("folium", "branca")):
            raise BadInput(f"folium's {kind.__name__} {why}. Take it off the map (tiles=None).")
    if isinstance(element, folium.Map):
        element.options.setdefault("maxZoom", 18)  # clusters ask for it, and no tiles say it
    if isinstance(element, folium.Tooltip):
        element.text = inert(element.text)
    elif isinstance(element, Html):
        element.data = inert(element.data)


def inert(html: str) -> str:
    """Turn signs of template literals and of templates into entities, whatever the HTML."""
    plain = re.sub(r"\\(`|\$)", r"\1", html)  # folium has escaped some of them already
    return plain.translate(INERT).replace("{{", "&#123;{").replace("{%", "&#123;%")
