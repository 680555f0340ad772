"""Cells in few bytes: ids as runs, values as codes; deflated and written as base64."""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput

__all__ = ["Packed", "blob", "code_plane", "lattice_codes", "pack_ids", "pack_json"]

BASE_CELL_BITS, DIGIT_BITS, FINEST = 45, 3, 15
"""Layout of an H3 index: base cell from bit 45, then 15 digits of 3 bits."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One blob: its name in the page (the digest of its content) and its text."""

    name: str
    content: str


def blob(raw: bytes, level: int = 6) -> Packed:
    """Deflate (no header) and write as base64; named by content, so equal blobs are one."""
    machine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = base64.b64encode(machine.compress(raw) + machine.flush()).decode()
    return Packed("p" + hashlib.sha256(content.encode()).hexdigest()[:16], content)


def pack_json(value: Any) -> Packed:
    """Pack plain data as JSON."""
    return blob(
        json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    )


def lattice_codes(cell: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    """Turn H3 indexes into counting numbers: base cell, then one base-7 digit a level.

    The order is kept, the seven children of a cell follow one another, and a parent's code is
    the quotient by 7. At resolution 15 a code is below 2**50, so JavaScript holds it exactly.

    Parameters
    ----------
    cell : array of int64, n
    resolution : int
        The one resolution of all cells.

    Raises
    ------
    BadInput
        A cell has another resolution.
    """
    bits = np.asarray(cell, dtype=np.int64)
    wrong = ((bits >> 52) & 15) != resolution
    if wrong.any():
        raise BadInput(
            f"{int(wrong.sum())} cells are not of resolution {resolution}. "
            "Draw one resolution at a time."
        )
    code = (bits >> BASE_CELL_BITS) & 127
    for level in range(1, resolution + 1):
        code = code * 7 + ((bits >> (DIGIT_BITS * (FINEST - level))) & 7)
    return code


def pack_ids(code: NDArray[np.int64]) -> tuple[Packed, int]:
    """Pack ascending codes as runs; gives the blob and how many runs there are.

    Three columns of uint32: the gap to the run's first code (high, low word) and its length.
    """
    if code.size and (np.diff(code) <= 0).any():
        raise BadInput("A cell occurs twice, or cells are not sorted. Give one row per cell.")
    starts = np.flatnonzero(np.r_[True, np.diff(code) != 1][: code.size])
    lengths = np.diff(np.r_[starts, code.size])
    gaps = np.diff(np.r_[0, code[starts]])
    columns = np.concatenate([gaps >> 32, gaps & 0xFFFFFFFF, lengths]).astype("<u4")
    return blob(columns.tobytes()), int(starts.size)


def code_plane(codes: NDArray[np.int64], bits: int) -> Packed:
    """Pack one code per cell; 16-bit codes as a plane of low and a plane of high bytes."""
    if bits == 8:
        return blob(codes.astype(np.uint8).tobytes())
    low, high = (codes & 255).astype(np.uint8), (codes >> 8).astype(np.uint8)
    return blob(low.tobytes() + high.tobytes())
