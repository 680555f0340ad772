"""What can be wrong, and how it is said.

PocgeoError
├── BadInput (also ValueError)         the user can mend it: one line, exit code 2
│   ├── MissingColumns                 a table lacks columns its layer declares
│   ├── MissingFile (also FileNotFoundError)
│   ├── UnknownName (also KeyError)    a name that no declaration carries
│   ├── UnreadableSource               bytes that are not what the name promises
│   ├── BadCoordinates                 a text or pair that is no place on Earth
│   ├── NotCounts                      a raster that cannot be people per pixel
│   └── Refused (also PermissionError) the disclosure policy forbids this product
├── MissingExtra (also ImportError)    an optional package is not installed
├── StoreBusy                          another process is building this store
└── WorkersLost                        workers died again and again at one task
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

__all__ = [
    "BadCoordinates",
    "BadInput",
    "MissingColumns",
    "MissingExtra",
    "MissingFile",
    "NotCounts",
    "PocgeoError",
    "Refused",
    "StoreBusy",
    "UnknownName",
    "UnreadableSource",
    "WorkersLost",
]


LONGEST, LONGEST_PATH = 1_500, 500
"""Signs of a message; what a file put into it beyond that is cut off."""


class PocgeoError(Exception):
    """Anything pocgeo refuses to do, said in one line."""

    def __str__(self) -> str:
        said = str(self.args[0]) if self.args else type(self).__name__
        return clipped(" ".join(said.split()), LONGEST)


class BadInput(PocgeoError, ValueError):
    """Something given by the user is wrong; the message says what, where, and what to do."""


class MissingColumns(BadInput):
    """A table lacks columns its layer declares."""

    def __init__(self, table: str, missing: Sequence[str], found: Iterable[object]) -> None:
        self.table, self.missing = table, tuple(missing)
        self.found = tuple(str(name) for name in found)
        super().__init__(
            f"{table}: no column {', '.join(self.missing)}; found {shortened(self.found)}. "
            f"Rename the column, name it under [layers.{table}.columns] in aoi.toml, or give all "
            f"rows one value under [layers.{table}.defaults]."
        )


class MissingFile(BadInput, FileNotFoundError):
    """A file or folder that was named does not exist."""

    def __init__(self, what: str, path: Path | str) -> None:
        self.what, self.path = what, Path(path)
        super().__init__(
            f"{what}: {clipped(str(path), LONGEST_PATH)} does not exist. Check the path."
        )


class UnknownName(BadInput, KeyError):
    """A name that no declaration carries."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        folded = {known.casefold(): known for known in self.known}
        near = [folded[match] for match in get_close_matches(name.casefold(), folded, n=1)]
        hint = f"Did you mean {near[0]}?" if near else f"Known: {shortened(self.known)}."
        super().__init__(f"No {kind} is called {name!r}. {hint}")


class UnreadableSource(BadInput):
    """A file that is not what its name promises, or is damaged."""

    def __init__(self, path: Path | str, why: str) -> None:
        self.path, self.why = Path(path), why
        super().__init__(f"{clipped(str(path), LONGEST_PATH)}: {why}")


class BadCoordinates(BadInput):
    """A text or a pair of numbers that is no place on Earth."""


class NotCounts(BadInput):
    """A raster band that cannot be people per pixel."""


class Refused(BadInput, PermissionError):
    """The disclosure policy forbids this product for this audience."""


class MissingExtra(PocgeoError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"{package} is not installed. Install it with: pip install 'pocgeo[{extra}]'"
        )


class StoreBusy(PocgeoError):
    """Another process is building this store."""


class WorkersLost(PocgeoError):
    """Workers died again and again at one task."""

    def __init__(self, times: int) -> None:
        self.times = times
        super().__init__(
            f"A worker died {times} times at one task, most likely for want of memory. Ask for "
            "fewer workers (--engine local:1) or less memory (--memory), and run again: what was "
            "done is kept."
        )


def clipped(name: str, limit: int = 40) -> str:
    """Make a name fit for a message: one line, printable, not endless."""
    plain = "".join(sign if sign.isprintable() else "\ufffd" for sign in name)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def shortened(names: Sequence[str], limit: int = 12) -> str:
    """Join names for a message, the first `limit` of them."""
    shown = ", ".join(clipped(name) for name in names[:limit]) or "none"
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
