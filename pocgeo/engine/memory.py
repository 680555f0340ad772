"""Memory as a parameter: how much there is, and the share of each worker."""

import ctypes
import re
import sys

from pocgeo.ground.errors import BadInput

__all__ = ["LEAST_EACH", "bytes_of", "keep_freed", "share_of", "spelled_bytes"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of malloc.h."""

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]I?B)", re.IGNORECASE | re.ASCII)

LEAST_EACH = 300 * 10**6
"""House limit: a worker with its libraries takes about 150 MB before it has read a row."""


def bytes_of(memory: str) -> int:
    """Read an amount of memory such as "2GB" or "512MiB", in bytes.

    Raises
    ------
    BadInput
        The text is no amount of memory.
    """
    found = AMOUNT.fullmatch(memory.strip())
    if found is None or found[2].upper() not in UNITS:
        raise BadInput(f"memory {memory!r} is no amount. Write it as in 2GB or 800MB.")
    return int(float(found[1]) * UNITS[found[2].upper()])


def share_of(memory: str, workers: int) -> int:
    """Give each worker its part, in bytes.

    Raises
    ------
    BadInput
        The part is too small to work with.
    """
    each = bytes_of(memory) // workers
    if each < LEAST_EACH:
        need = spelled_bytes(LEAST_EACH * workers)
        raise BadInput(
            f"memory {memory} is too small for {workers} worker{'s' * (workers > 1)}: at least "
            f"{spelled_bytes(LEAST_EACH)} for each, {need} here. Give more, or fewer workers with "
            "--engine local:1."
        )
    return each


def spelled_bytes(amount: int) -> str:
    """Spell an amount as DuckDB reads it, in whole MB."""
    return f"{amount // 10**6}MB"


def keep_freed() -> None:
    """Let this process keep memory that it frees, up to 128 MB, and use it again.

    Dask starts workers with MALLOC_TRIM_THRESHOLD_ set, upon which glibc no longer learns how large
    arrays are (mallopt(3), M_MMAP_THRESHOLD): each is mapped and unmapped anew, which takes a third
    of the time of such work. Where there is no mallopt, nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 128 << 20)
