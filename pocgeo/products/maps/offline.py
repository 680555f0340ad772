"""Folium in one file: every link becomes the packaged text, and the page can ask for nothing."""

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import branca.element
import folium
from branca.element import Element, Figure, Link
from folium.template import Template

from pocgeo.products.maps.assets import Asset, AssetMissing, answers, left_out
from pocgeo.products.maps.safe_text import SafeHtml, joined, json_block, script_safe, text

__all__ = ["OfflineFigure", "OfflineMap", "literal_elements"]

ONE_AT_A_TIME = threading.Lock()
"""branca's template class is a global; two pages are never rendered at once."""

NOTHING_FROM_OUTSIDE = (
    "default-src 'none'",
    "img-src data: blob:",
    "connect-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
)


class LiteralText:
    """Stands in for a template: text that is already rendered is never compiled again."""

    def __init__(self, content: str, *_: Any, **__: Any) -> None:
        self.content = content

    def render(self, **_: Any) -> str:
        """Give the text as it is."""
        return self.content


@contextmanager
def literal_elements() -> Iterator[None]:
    """Keep branca from compiling what it has rendered.

    branca 0.8 makes an Element of every rendered macro, and an Element compiles its text: without
    this, `{{ ... }}` in a note or a GeoJSON property runs as Python when the map is saved.
    """
    with ONE_AT_A_TIME:
        kept = vars(branca.element)["Template"]
        vars(branca.element)["Template"] = LiteralText
        try:
            yield
        finally:
            vars(branca.element)["Template"] = kept


class OfflineMap(folium.Map):
    """A folium map that writes only its script; the page makes its place and its styles."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map(
                {{ this.get_name()|tojson }},
                {center: {{ this.location|tojson }}, crs: L.CRS.EPSG3857,
                ...{{ this.options|tojavascript }}}
            );
        {% endmacro %}
        """
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(
            location=(0, 0), tiles=None, attribution_control=False, zoom_control=True, **options
        )


class OfflineFigure(Figure):
    """A branca figure rendered to one complete page.

    Data is kept in elements that no browser runs; scripts find them by their name.

    Scripts and styles come from what ships with pocgeo; an address that nothing answers is an
    error. The page carries a Content-Security-Policy with the hashes of exactly the blocks this
    class wrote, collected while writing them: a block that data smuggled in has no hash.
    """

    numbered = True
    """Whether elements are named by their order, so that the same page has the same bytes."""

    def __init__(self, *, title: str, language: str = "en", direction: str = "ltr") -> None:
        super().__init__(title=title)
        self.language, self.direction = language, direction
        self.body: Callable[[], SafeHtml] | None = None
        self.data: dict[str, SafeHtml] = {}
        self.hashes: dict[str, list[str]] = {"script": [], "style": []}
        self.tile_hosts: list[str] = []

    def render(self, **kwargs: Any) -> str:
        """Render the page; `body` makes its body, or else it is what the children wrote.

        Raises
        ------
        AssetMissing
            An element links something that does not ship, or writes a block of its own
            into the head.
        """
        self.hashes = {"script": [], "style": []}
        if self.numbered:
            number_elements(self)
        with literal_elements():
            for child in list(self._children.values()):
                child.render(**kwargs)
            body = self.body() if self.body else SafeHtml(self.html.render(**kwargs))
            script = self.finished(
                "\n".join(item.render(**kwargs) for item in self.script._children.values())
            )
        assets = self.linked(script)
        head = "\n".join(self.block(item.kind, item.content) for item in assets)
        last = self.block("script", script_safe(script))
        return self.page(head, joined([body, *self.data.values()]), last)

    def allow_tiles(self, address: str) -> None:
        """Let the page ask one host for pictures: the caller has seen to it that it may."""
        self.tile_hosts.append("/".join(address.split("/")[:3]))

    def keep(self, name: str, content: str, kind: str = "application/octet-stream") -> None:
        """Keep data in the page under a name; the same data under the same name is kept once."""
        if not re.fullmatch(r"[\w-]+", name) or "<" in content:
            raise ValueError(f"{name}: not data that may stand in a page as it is.")
        self.data[name] = SafeHtml(f'<script type="{kind}" id="{name}">{content}</script>')

    def keep_json(self, value: Any) -> str:
        """Keep plain data as JSON; gives the name it is kept under."""
        content = json_block(value)
        name = "j" + hashlib.sha256(content.encode()).hexdigest()[:16]
        self.keep(name, content, "application/json")
        return name

    def finished(self, script: str) -> str:
        """Give the script of the body as the elements wrote it."""
        return script

    def linked(self, script: str) -> Sequence[Asset]:
        """Find the packaged text of every link the elements put into the head, each once."""
        found: dict[str, Asset] = {}
        for name, item in self.header._children.items():
            if isinstance(item, Link):
                if not left_out(item.url, script):
                    found |= {answer.name: answer for answer in answers(item.url)}
            elif name != "meta_http":
                raise AssetMissing(f"{name}, which writes into the head of the page,")
        return tuple(found.values())

    def block(self, kind: str, content: str) -> str:
        """Write one script or style element, and note its hash."""
        if f"</{kind}" in content.lower():
            raise AssetMissing(f"A {kind} that closes itself")
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        self.hashes[kind].append(f"'sha256-{digest}'")
        return f"<{kind}>{content}</{kind}>"

    def policy(self) -> str:
        """Say what the page may do: run and apply the blocks written here, and nothing else."""
        hosts = "".join(f" {host}" for host in dict.fromkeys(self.tile_hosts))
        nothing = (rule + hosts if rule.startswith("img-src") else rule
                   for rule in NOTHING_FROM_OUTSIDE)  # fmt: skip
        return "; ".join(
            (
                *nothing,
                *(
                    f"{kind}-src {' '.join(hashes) or chr(39) + 'none' + chr(39)}"
                    for kind, hashes in self.hashes.items()
                ),
            )
        )

    def page(self, head: str, body: str, last: str) -> str:
        """Put the page together."""
        return (
            f'<!DOCTYPE html>\n<html lang="{text(self.language)}" dir="{text(self.direction)}">\n'
            "<head>\n"
            '<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{self.policy()}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{text(self.title)}</title>\n{head}\n</head>\n"
            f"<body>\n{body}\n{last}\n</body>\n</html>\n"
        )


def number_elements(root: Element) -> None:
    """Name elements by their order, not at random, so that the same page has the same bytes."""
    waiting, number = [root], 0
    while waiting:
        element = waiting.pop()
        element._id = f"{number:04d}"
        number += 1
        waiting.extend(reversed(list(element._children.values())))
