"""What a product was made from: digests of inputs, parameters, versions, UTC time."""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pocgeo.ground.frames import plain

__all__ = ["code_digest", "digest_of", "file_digest", "made_at", "versions"]

CHUNK_BYTES = 1 << 20
PACKAGES = ("pocgeo", "geopandas", "shapely", "rasterio", "folium", "h3", "pyproj", "duckdb")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of a plain value in a canonical spelling, hex."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_digest(*rooms: str) -> str:
    """SHA-256 over the source of the named rooms or modules ("cells", "aoi/recipes.py")."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for room in rooms:
        modules = [package / room] if room.endswith(".py") else (package / room).rglob("*.py")
        for source in sorted(modules):
            digest.update(source.relative_to(package).as_posix().encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()


def versions() -> Mapping[str, str]:
    """Versions of pocgeo and the packages that decide its numbers."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def made_at() -> datetime:
    """Say when a product is made (UTC, whole seconds).

    SOURCE_DATE_EPOCH, where set, fixes the moment, so that the same inputs give the same bytes.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.replace(microsecond=0)
