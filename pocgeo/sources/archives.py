"""What a file is by its first bytes, and whether a zip is safe to open."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pocgeo.ground.errors import MissingFile, UnreadableSource

__all__ = ["content_kind", "member_bytes", "safe_members"]

GREATEST_UNPACKED_BYTES = 4 << 30
"""House limit: what one archive may unpack to."""

GREATEST_RATIO = 300
"""House limit: unpacked to packed bytes of a member above SMALL_BYTES (text packs to about 20)."""

SMALL_BYTES = 32 << 20
"""Members smaller than this cannot hurt, whatever their ratio."""

MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0": "ole",
    b"PAR1": "parquet",
    b"SQLite format 3\x00": "sqlite",
    b"\x00\x00\x27\x0a": "shapefile",
    b"fgb\x03": "flatgeobuf",
    b"\x1f\x8b": "gzip",
    b"%PDF": "pdf",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",  # BigTIFF
    b"MM\x00+": "tiff",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
}


def content_kind(path: Path) -> str:
    """Say what a file is by its first bytes, whatever its name.

    Returns
    -------
    str
        "zip", "ole", "parquet", "sqlite", "shapefile", "flatgeobuf", "gzip", "pdf", "tiff",
        "picture", or "text" for anything else.

    Raises
    ------
    MissingFile
        There is no such file.
    UnreadableSource
        The file is a folder, is empty, or may not be read.
    """
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFile("Source", path) from error
    except (OSError, ValueError) as error:  # ValueError: a name that holds a NUL
        raise UnreadableSource(path, f"cannot be read ({error}).") from error
    if stat.S_ISDIR(kind):
        raise UnreadableSource(path, "is a folder. Name a file in it.")
    if not stat.S_ISREG(kind):  # to open a pipe or a device may wait for ever
        raise UnreadableSource(path, "is a pipe or a device, not a file. Save it as a file.")
    try:
        with path.open("rb") as source:
            head = source.read(16)
    except OSError as error:
        raise UnreadableSource(path, f"cannot be read ({error.strerror}).") from error
    if not head:
        raise UnreadableSource(path, "is empty. Check that it was saved or copied whole.")
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "text")


def safe_members(path: Path) -> list[str]:
    """List the files in a zip after checking that unpacking it is harmless.

    Raises
    ------
    UnreadableSource
        It is damaged or encrypted, names paths outside itself, or unpacks to more than the house
        limits (4 GB in all; 300 times its size for any member over 32 MB).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise UnreadableSource(path, f"is a damaged zip ({error}). Fetch it again.") from error
    if sum(member.file_size for member in members) > GREATEST_UNPACKED_BYTES:
        limit_gb = GREATEST_UNPACKED_BYTES >> 30
        raise UnreadableSource(path, f"unpacks to more than {limit_gb} GB. Unpack and trim it.")
    for member in members:
        if member.flag_bits & 0x1:
            raise UnreadableSource(path, f"{member.filename} is encrypted. Unlock it first.")
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise UnreadableSource(path, f"names {member.filename!r} outside itself. Pack it anew.")
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > SMALL_BYTES and ratio > GREATEST_RATIO:
            raise UnreadableSource(
                path,
                f"{member.filename} unpacks to {ratio:,.0f} times its size: a zip bomb? Unpack it.",
            )
    return [member.filename for member in members]


def member_bytes(path: Path, name: str, most: int = -1) -> bytes:
    """Read one member of a zip, or its first bytes; call `safe_members` before.

    Raises
    ------
    UnreadableSource
        It is damaged, packed in a way that is not known, or not what the zip's list says of it.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            return member.read(most)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, *UNPACKING) as error:
        raise UnreadableSource(
            path, f"holds a damaged {name} ({error}). Fetch it again."
        ) from error


UNPACKING = (NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for packings and locks it does not know."""
