"""Cell-days: what units did in each cell on each day, as telemetry or patrols tell it."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import as_of_day
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import with_standard

__all__ = ["cell_days"]

RENAMED = {"fixes": "fixes_n", "entries": "entries_n", "units": "units_n", "last_at": "last_fix_at"}
NAMED = ("settlement", "admin2", "aor")
SHOWN = (
    "cell", "day_on", *NAMED, "dwell_min", "night_dwell_min", "units_n", "entries_n", "fixes_n",
    "last_fix_at", "lon", "lat",
)  # fmt: skip


def cell_days(
    index: Indexed,
    as_of: date | None,
    *,
    cells: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> pd.DataFrame:
    """List cells of the area by day, the latest day and the longest stay first.

    Parameters
    ----------
    index : Indexed
        Of an area with `telemetry` or `patrols`.
    as_of : date, optional
        Later days are not seen; the end of the period where not given.
    cells : sequence of str
        H3 indexes: only these; all where there is none.
    since, until : date, optional
        First and last local day.

    Raises
    ------
    BadInput
        There are no fixes, a cell is none of this area, or the days are the wrong way round.
    """
    day = as_of_day(index.file, as_of)
    first, last = since or index.file.period[0], min(until or day, day)
    if first > last:
        raise BadInput(f"--since {first} is later than {last}, the last day. Swap them.")
    known = index.known("cells")
    wanted = asked_cells(cells, index) if cells else known["cell"].to_numpy()
    table = index.telemetry.cell_days(cells=wanted, since=first, until=last)
    table = table.rename(columns=RENAMED).assign(
        dwell_min=table["dwell_s"] / 60, night_dwell_min=table["night_s"] / 60
    )
    facts = known[["cell", *(name for name in (*NAMED, "lon", "lat") if name in known)]]
    table = table.merge(facts, on="cell", how="left", validate="many_to_one")
    table = table[[name for name in SHOWN if name in table]].sort_values(
        ["day_on", "dwell_min", "cell"], ascending=[False, False, True], ignore_index=True
    )
    asked = {"since": since, "until": until, "cells": list(cells)}
    made = with_standard(table, "Where were units on which day, and how long?", cell_days=asked)
    made.attrs |= {
        "name": "cell_days", "kind": "cells", "sensitivity": "restricted",
        "title": f"Fixes by cell and day, {first:%d %b %Y} to {last:%d %b %Y}",
        "as_of": day.isoformat(), "aoi": index.file.name, "order": ["day_on", "dwell_min"],
        "notes": [NOTE],
    }  # fmt: skip
    return made


NOTE = (
    "Time in the cell itself, at the unit's own base too: not presence. Cells outside the area are "
    "left out."
)


def asked_cells(cells: Sequence[str], index: Indexed) -> grid.Cells:
    """Read cells as they were typed; refuse those that are not of this area."""
    numbers = grid.from_text(cells)
    known = grid.positions(index.known("cells")["cell"].to_numpy(), numbers) >= 0
    for text, found in zip(cells, known.tolist(), strict=True):
        if not found:
            raise BadInput(
                f"{text} is no cell of {index.file.name}, whose cells are of resolution "
                f"{index.file.resolution}. Copy one from a table or a map."
            )
    return numbers
