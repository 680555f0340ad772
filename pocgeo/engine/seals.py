"""Parquet files that carry the digest of their own bytes.

Pages have checksums, but the end of a Parquet file, which says where pages lie and what their
smallest and largest values are, has none. So the digest of the whole file stands in the file
itself, in a place of fixed length that counts as zeros: no second file could tell another story.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pocgeo.ground.errors import BadInput

__all__ = ["refuse_torn", "seal_holds", "write_sealed"]

SEAL = b"pocgeo-sha256"
BLANK = b"0" * 64
PLACE = SEAL + b"\x18\x40"
"""Name of the entry, then what Thrift's compact protocol puts before a text of 64 signs."""

END_BYTES = 8
CHUNK_BYTES = 1 << 20


def write_sealed(table: pa.Table, file: BinaryIO, row_group: int) -> None:
    """Write a table to a file open for reading and writing, with its digest in it.

    Raises
    ------
    OSError
        No room, or no right.
    """
    options = {"compression": "zstd", "write_page_checksum": True}
    with pq.ParquetWriter(file, table.schema, **options) as writer:
        writer.write_table(table, row_group_size=row_group)
        writer.add_key_value_metadata({SEAL: BLANK})
    file.flush()
    at = seal_at(file)
    if at is None:
        raise OSError("the written file has no place for its digest")
    digest = digest_but(file, at)
    file.seek(at)
    file.write(digest.encode())
    file.flush()


def seal_holds(path: Path) -> bool:
    """Say whether a file's bytes are those that were written.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        at = seal_at(file)
        if at is None:
            return False
        file.seek(at)
        said = file.read(len(BLANK))
        return said == digest_but(file, at).encode()


def seal_at(file: BinaryIO) -> int | None:
    """Find where the digest stands; None where it does not."""
    size = file.seek(0, 2)
    if size < END_BYTES:
        return None
    file.seek(size - END_BYTES)
    length = int.from_bytes(file.read(4), "little")
    start = size - END_BYTES - length
    if start < 0:
        return None
    file.seek(start)
    found = file.read(length).rfind(PLACE)
    return None if found < 0 else start + found + len(PLACE)


def digest_but(file: BinaryIO, at: int) -> str:
    """SHA-256 of a file in which the digest's place counts as zeros, hex."""
    digest = hashlib.sha256()
    file.seek(0)
    left = at
    while left:
        chunk = file.read(min(left, CHUNK_BYTES))
        if not chunk:
            break
        digest.update(chunk)
        left -= len(chunk)
    digest.update(BLANK)
    file.seek(at + len(BLANK))
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def refuse_torn(path: Path) -> None:
    """Read a Parquet file, sealed or not, to its last page.

    Raises
    ------
    BadInput
        It cannot be read, or a page is not what its checksum says.
    """
    try:
        with pa.OSFile(str(path)) as source:
            file = pq.ParquetFile(source, page_checksum_verification=True)
            for group in range(file.num_row_groups):
                file.read_row_group(group)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadInput(f"{path}: is damaged ({reason}). Delete it: it is made again.") from error
