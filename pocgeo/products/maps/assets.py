"""The scripts, styles and pictures that ship with pocgeo: found by address, never fetched."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import folium

from pocgeo.ground.errors import BadInput

__all__ = ["ASSETS", "Asset", "AssetMissing", "answers", "asset", "left_out"]

ASSETS = Path(__file__).resolve().parents[1] / "assets"
MANIFEST = ASSETS / "vendor" / "manifest.json"
OWN = "pocgeo:"
FOLIUM = Path(folium.__file__).parent


class AssetMissing(BadInput):
    """A map asks for a script or style that does not ship with pocgeo."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(
            f"{address}: does not ship with pocgeo, and a map may not fetch anything. "
            "Use a folium class whose parts are in pocgeo/products/assets/vendor/manifest.json."
        )


@dataclass(frozen=True, slots=True)
class Asset:
    """One text to be written into a page."""

    name: str
    """File, below assets/."""

    kind: str
    """"script" or "style"."""

    content: str


@cache
def manifest() -> dict[str, Any]:
    """Read what ships: packages, their files, and the addresses they answer."""
    listed: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return listed


@cache
def vendored() -> tuple[tuple[str, dict[str, str]], ...]:
    """Address patterns of folium's links, each with a packaged file that answers it."""
    return tuple(
        (pattern, entry)
        for package in manifest()["packages"]
        for entry in package["files"]
        for pattern in entry.get("answers", ())
    )


@cache
def optional_parts() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Parts that folium links and our pages leave out, each with the signs of a script in need."""
    listed = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return tuple((part["answers"], tuple(part.get("needed_by", ()))) for part in listed["left_out"])


def left_out(address: str, script: str) -> bool:
    """Say whether a linked part may be left out of a page whose body runs `script`."""
    return any(
        fnmatchcase(address, pattern) and not any(sign in script for sign in signs)
        for pattern, signs in optional_parts()
    )


@cache
def asset(address: str) -> Asset:
    """Find the one packaged text that answers an address; see `answers`."""
    return answers(address)[0]


@cache
def answers(address: str) -> tuple[Asset, ...]:
    """Find the packaged texts that answer an address: one script, one style, or both.

    Parameters
    ----------
    address : str
        `pocgeo:<file>` for our own, else an address as folium links it.

    Raises
    ------
    AssetMissing
        Nothing that ships answers the address.
    """
    if fnmatchcase(address, manifest()["shipped_by_folium"]):
        return (own_of_folium(address),)
    if address.startswith(OWN):
        return (packaged(address.removeprefix(OWN), {}, address),)
    entries = [entry for pattern, entry in vendored() if fnmatchcase(address, pattern)]
    if not entries:
        raise AssetMissing(address)
    return tuple(packaged(f"vendor/{entry['file']}", entry, address) for entry in entries)


def packaged(file: str, entry: Mapping[str, str], address: str) -> Asset:
    """Read one packaged file, with the pictures and fonts it names written into it."""
    path = ASSETS / file
    if not path.is_file() or ASSETS not in path.resolve().parents:
        raise AssetMissing(address)
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        chosen = rules(content, entry["rules"]) if "rules" in entry else content
        return Asset(file, "style", with_pictures(chosen, path.parent))
    # A source map is a second file that a debugger would ask for.
    script = re.sub(r"^//# sourceMappingURL=.*$", "", content, flags=re.M)
    return Asset(file, "script", COMMONJS % script if entry.get("form") == "commonjs" else script)


def own_of_folium(address: str) -> Asset:
    """Read a script that folium ships itself, though it links it from elsewhere."""
    path = FOLIUM / "templates" / address.rsplit("/", 1)[1]
    if path.suffix != ".js" or not path.is_file():
        raise AssetMissing(address)
    return Asset(f"folium/{path.name}", "script", path.read_text(encoding="utf-8"))


COMMONJS = (
    "(function(){var module={exports:{}},exports={},require=function(){return window.L;};%s\n})();"
)
"""Around a script that was written for a bundler and asks it for Leaflet and for styles."""

MEDIA = {
    ".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif", ".woff2": "font/woff2",
}  # fmt: skip


def rules(style: str, name: str) -> str:
    """Keep only the rules of a style sheet that speak of a name, and its font."""
    faces = [face for face in re.findall(r"@font-face\s*{[^}]*}", style) if name in face.lower()]
    bare = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    return "\n".join([*faces, *re.findall(rf"\.{name}[^{{}}]*{{[^}}]*}}", bare)])


def with_pictures(style: str, folder: Path) -> str:
    """Write the pictures and fonts a style sheet names into it.

    Of a font in several forms the packaged one is kept; a picture that another server would have
    to give is taken out, and one of the package's own that does not ship is an error.
    """

    def inlined(match: re.Match[str]) -> str:
        named = match.group(1).strip("'\" ")
        if named.startswith(("#", "data:")):
            return match.group(0)
        file = re.split(r"[?#]", named)[0]
        picture = folder / file
        if picture.suffix in MEDIA and picture.is_file():
            kept = base64.b64encode(picture.read_bytes()).decode()
            return f"url(data:{MEDIA[picture.suffix]};base64,{kept})"
        if named.startswith("//") or picture.suffix in {".eot", ".ttf", ".woff", ".svg"}:
            return "url(data:,)"
        raise AssetMissing(named)

    return re.sub(r"""url\(\s*('[^']*'|"[^"]*"|[^)'"]*)\s*\)""", inlined, style)
