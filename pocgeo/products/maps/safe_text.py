"""Text from data that cannot run: not in the page, not in a script, not in folium's templates."""

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from pocgeo.products.phrasing import clean

__all__ = ["SafeHtml", "joined", "json_block", "script_safe", "tag", "text"]

INERT = str.maketrans({"{": "&#123;", "}": "&#125;", "`": "&#96;", "$": "&#36;", "\\": "&#92;"})
"""Signs that a template engine or a JavaScript template literal would act on."""

JSON_INERT = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    | dict.fromkeys(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))  # turn text round
)


class SafeHtml(str):
    """HTML that our own code wrote, every text in it escaped by `text`."""

    __slots__ = ()


def text(value: object) -> SafeHtml:
    """Escape any value for HTML text, attributes and folium's popups, tooltips and names.

    Besides the five signs of HTML, braces, backticks, dollars and backslashes become entities:
    branca compiles text twice as a template, and folium puts it into JavaScript literals.
    """
    return SafeHtml(html.escape(clean(value), quote=True).translate(INERT))


def joined(parts: Iterable[SafeHtml], between: str = "\n") -> SafeHtml:
    """Join pieces of HTML; `between` is ours, never data."""
    return SafeHtml(between.join(parts))


def tag(name: str, content: object = "", **attributes: object) -> SafeHtml:
    """Write one element: plain text in it is escaped, SafeHtml is kept.

    Parameters
    ----------
    name : str
        Ours, never data.
    content : object
        SafeHtml as it is, anything else through `text`.
    **attributes : object
        `class_` gives class, underscores become hyphens; values are escaped; None is left out.
    """
    inside = content if isinstance(content, SafeHtml) else text(content)
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return SafeHtml(f"<{name}{written}>{inside}</{name}>")


def json_block(value: Any) -> SafeHtml:
    """Write plain data as JSON that may stand inside a script element of any type."""
    return SafeHtml(
        json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).translate(
            JSON_INERT
        )
    )


def script_safe(script: str) -> str:
    """Make it impossible for the text of a script to close it or to open a comment in it."""
    return re.sub(r"<(?=/?script|!--)", r"\\x3c", script, flags=re.IGNORECASE)
