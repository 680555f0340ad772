"""Where layers/, maps/, standards/ and sample_aoi/ lie, in a checkout or a wheel."""

import tomllib
from pathlib import Path
from typing import Any

from pocgeo.ground.errors import BadInput, MissingFile, UnreadableSource

__all__ = ["declared", "read_toml"]

MOST_BYTES = 256 << 10
"""House limit of a TOML file."""

MOST_DOTS = 1_000
"""House limit of a line: the time for a key of many parts grows with their square."""

PACKAGE = Path(__file__).resolve().parents[1]


def declared(folder: str) -> Path:
    """Find one of the folders of declarations.

    Parameters
    ----------
    folder : str
        "layers", "maps", "standards" or "sample_aoi".

    Raises
    ------
    MissingFile
        The installation is incomplete.
    """
    for root in (PACKAGE / "_declared", PACKAGE.parent):
        if (root / folder).is_dir():
            return root / folder
    raise MissingFile("This installation of pocgeo is incomplete", PACKAGE / "_declared" / folder)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a mistake in it is one line with the file's name."""
    if not path.is_file():
        raise MissingFile("TOML file", path)
    try:
        large = path.stat().st_size > MOST_BYTES
        text = "" if large else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSource(
            path, f"is not UTF-8 text ({error.reason}). Save it as UTF-8."
        ) from error
    except OSError as error:
        raise UnreadableSource(path, f"cannot be read ({error.strerror}).") from error
    if large:
        raise UnreadableSource(path, f"is over {MOST_BYTES >> 10} KB: no file of settings.")
    if any(line.count(".") > MOST_DOTS for line in text.split("\n")):
        raise BadInput(f"{path}: a line holds more than {MOST_DOTS:,} dots. Mend that line.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: not valid TOML: {error}. Mend that line.") from error
    except (RecursionError, ValueError) as error:  # brackets or numbers without end
        raise BadInput(f"{path}: not valid TOML: nested too deep, or a vast number.") from error
