"""What stands of telemetry, and how its days are shared out to parts and months."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.engine.store import forced

__all__ = ["State", "days_of", "months_of", "stretches"]

FORMAT = 1


@dataclass(slots=True)
class State:
    """What stands in the folder."""

    files: dict[str, list[Any]] = field(default_factory=dict)
    """Path to size, time of change (ns) and digest."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Run to the slices it is made of, and `days`: local day to fixes."""

    parts: dict[str, list[int]] = field(default_factory=dict)
    """Part to first day, last day, number of its share of the units, and shares."""

    months: dict[str, str] = field(default_factory=dict)
    """Month, as 2024-05, to its file."""

    @classmethod
    def read(cls, path: Path) -> "State":
        """Read what stands; nothing where there is no such file, or one of another format."""
        try:
            found = json.loads(path.read_text("utf8"))
            if found.pop("format") != FORMAT:
                return cls()
            return cls(**found)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, path: Path) -> None:
        """Replace what stands, in one step."""
        names = ("files", "runs", "parts", "months")
        said = {"format": FORMAT, **{name: getattr(self, name) for name in names}}
        passing = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        passing.write_text(json.dumps(said, ensure_ascii=False, sort_keys=True), "utf8")
        forced(passing)
        passing.replace(path)
        forced(path.parent)


def days_of(month: str) -> tuple[int, int]:
    """First and last day of a month, since 1970."""
    ends = pd.Period(month, "M").start_time, pd.Period(month, "M").end_time
    first, last = ((end.normalize() - pd.Timestamp(0)).days for end in ends)
    return first, last


def months_of(days: Mapping[Any, int]) -> set[str]:
    """Months in which fixes of some days can have time: it may last until the next day."""
    number = np.array([int(day) for day in days], dtype="int64")
    found = np.concatenate([number, number + 1]).astype("datetime64[D]")
    return set(found.astype("datetime64[M]").astype(str).tolist())


def stretches(
    fixes: Mapping[int, int], known: Iterable[Sequence[int]], rows: int
) -> list[tuple[int, int, int, int]]:
    """Share days out to parts of about so many fixes.

    Days that are in a part already stay there, unless it has outgrown its size twice: else one
    late file would make all parts after it anew. A day of too many fixes is shared out by unit.

    Returns
    -------
    list of first day, last day, number of the share, shares
    """
    spans = sorted({(first, last) for first, last, *_ in known})
    held = {day: span for span in spans for day in range(span[0], span[1] + 1)}
    kept = {
        span for span in spans
        if 0 < sum(fixes.get(day, 0) for day in range(span[0], span[1] + 1)) <= 2 * rows
    }  # fmt: skip
    found = sorted(kept)
    begin, count, before = None, 0, None
    for day in sorted(fixes):
        if held.get(day) in kept:
            continue
        apart = before is None or any(other in held and held[other] in kept
                                      for other in range(before, day))  # fmt: skip
        if begin is None or apart or count + fixes[day] > rows:
            found += [(begin, before)] if begin is not None and before is not None else []
            begin, count = day, 0
        count, before = count + fixes[day], day
    found += [(begin, before)] if begin is not None and before is not None else []
    shared = []
    for first, last in sorted(found):
        size = sum(fixes.get(day, 0) for day in range(first, last + 1))
        shares = max(1, -(-size // (2 * rows)))
        shared += [(first, last, share, shares) for share in range(shares)]
    return shared
