"""The scripts, styles and pictures that ship with pocgeo: found by address, never fetched."""

import base64
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from pocgeo.ground.errors import BadInput

__all__ = ["ASSETS", "Asset", "AssetMissing", "asset", "left_out"]

ASSETS = Path(__file__).resolve().parents[1] / "assets"
MANIFEST = ASSETS / "vendor" / "manifest.json"
OWN = "pocgeo:"


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
def vendored() -> dict[str, str]:
    """Address patterns of folium's links, each with the packaged file that answers it."""
    listed = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return {
        pattern: entry["file"]
        for package in listed["packages"]
        for entry in package["files"]
        for pattern in entry.get("answers", ())
    }


@cache
def optional_parts() -> tuple[tuple[str, str | None], ...]:
    """Parts that folium links and our pages leave out, each with the sign of a script in need."""
    listed = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return tuple((part["answers"], part.get("needed_by")) for part in listed["left_out"])


def left_out(address: str, script: str) -> bool:
    """Say whether a linked part may be left out of a page whose body runs `script`."""
    return any(
        fnmatchcase(address, pattern) and (sign is None or sign not in script)
        for pattern, sign in optional_parts()
    )


@cache
def asset(address: str) -> Asset:
    """Find the packaged text that answers an address.

    Parameters
    ----------
    address : str
        `pocgeo:<file>` for our own, else an address as folium links it.

    Raises
    ------
    AssetMissing
        Nothing that ships answers the address.
    """
    if address.startswith(OWN):
        file = address.removeprefix(OWN)
    else:
        files = [file for pattern, file in vendored().items() if fnmatchcase(address, pattern)]
        if not files:
            raise AssetMissing(address)
        file = f"vendor/{files[0]}"
    path = ASSETS / file
    if not path.is_file() or ASSETS not in path.resolve().parents:
        raise AssetMissing(address)
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        return Asset(file, "style", with_pictures(content, path.parent))
    # A source map is a second file that a debugger would ask for.
    return Asset(file, "script", re.sub(r"^//# sourceMappingURL=.*$", "", content, flags=re.M))


def with_pictures(style: str, folder: Path) -> str:
    """Write the pictures a style sheet names into it."""

    def inlined(match: re.Match[str]) -> str:
        named = match.group(1).strip("'\" ")
        if named.startswith(("#", "data:")):
            return match.group(0)
        picture = folder / named
        if not picture.is_file():
            raise AssetMissing(named)
        kept = base64.b64encode(picture.read_bytes()).decode()
        return f"url(data:image/png;base64,{kept})"

    return re.sub(r"url\(([^)]*)\)", inlined, style)
