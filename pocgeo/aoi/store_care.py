"""Care of the store: what a stopped run had finished, and whether all that stands is right."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pocgeo.aoi.indexed import REPORTS, TELEMETRY, stored_name
from pocgeo.aoi.recipes import pixel_windows, raster_bounds
from pocgeo.cells import grid
from pocgeo.engine.seals import refuse_torn
from pocgeo.ground.errors import BadInput

if TYPE_CHECKING:
    from pocgeo.aoi.indexed import Indexed

__all__ = ["in_lines", "resumed", "verified", "wrong_tables"]

TOLERANCE = 1e-9
"""Relative: sums of the same numbers in another order."""


def resumed(index: "Indexed") -> str:
    """Remove the unfinished files of stopped runs; say how far these had come."""
    swept = index.store.sweep()
    keys = keys_of(index)
    done = [name for name, key in keys.items() if not index.store.stale(name, {"key": key})]
    said = f"{len(done)} of {len(keys)} tables were finished"
    kept = sum(1 for _ in telemetry_pieces(index))
    if kept:
        said += f", and {kept} pieces of telemetry"
    if swept:
        left = "file" if len(swept) == 1 else "files"
        said += f"; removed {len(swept)} unfinished {left} of stopped runs"
    return said


def telemetry_pieces(index: "Indexed") -> Iterator[Path]:
    """List the finished pieces of telemetry, in use or to be."""
    folder = index.store.folder / TELEMETRY
    for kind in ("runs", "parts", "months"):
        yield from sorted((folder / kind).glob("*.parquet"))


def keys_of(index: "Indexed") -> dict[str, str]:
    """Give the key that every table of an index should have, by its name in the store."""
    keys = {stored_name(name): index.key(name) for name in index.wanted()}
    for name in index.requests:
        for part in REPORTS:
            keys[f"report_{name}_{part}"] = index.source_key(name)
    return keys


def verified(index: "Indexed") -> pd.DataFrame:
    """Hold every table against the digest of its bytes and the totals of its inputs.

    Nothing is built or changed.

    Returns
    -------
    DataFrame, one row per table
        `table`; `rows` (NA if it cannot be read); `state`: "fresh", "stale" (made
        from something else: built again when asked for), "absent" (not built yet), "extra" (no
        part of the index: answers kept), "pieces" (rows counts files of telemetry);
        `problem`, NA where nothing is wrong.
    """
    keys = keys_of(index)
    found: list[dict[str, Any]] = []
    for name in sorted({*keys, *index.store.names()}):
        state, rows, problem = state_of(index, name, keys), None, None
        if state != "absent":
            try:
                table = index.store.read(name)
                rows = len(table)
                index.store.refuse_altered(name)
                problem = totals_wrong(index, name, table) if state == "fresh" else None
            except BadInput as error:
                problem = str(error)
        found.append({"table": name, "rows": rows, "state": state, "problem": problem})
    found += [telemetry_line(index)] if (index.store.folder / TELEMETRY).is_dir() else []
    table = pd.DataFrame(found, columns=["table", "rows", "state", "problem"])
    return table.astype({"rows": "Int64", "problem": "string"})


def state_of(index: "Indexed", name: str, keys: Mapping[str, str]) -> str:
    """Say how a table stands to what it would be made from today."""
    if not index.store.path(name).exists():
        return "absent"
    if name not in keys:
        return "extra"
    return "stale" if index.store.stale(name, {"key": keys[name]}) else "fresh"


def wrong_tables(table: pd.DataFrame) -> str | None:
    """Say which tables of a verified store are wrong, and what to do; None if none is."""
    wrong = table.loc[table["problem"].notna(), "table"]
    if wrong.empty:
        return None
    return (
        f"{len(wrong)} of {len(table)} tables of the store are wrong: {', '.join(wrong)}. "
        "Delete their files in .pocgeo, then: pocgeo index"
    )


def in_lines(table: pd.DataFrame) -> str:
    """Write a verified store, one line a table."""
    wide = max((len(name) for name in table["table"]), default=0)
    lines = []
    for name, rows, state, problem in table.itertuples(index=False):
        if state == "absent":
            said = "not built yet"
        else:
            count = "?" if pd.isna(rows) else f"{rows:,}"
            unit = "files" if state == "pieces" else "rows"
            said = f"{count:>10} {unit}  {STATES[state]:<16}"
            said += "right" if pd.isna(problem) else f"WRONG: {problem}"
        lines.append(f"{name:<{wide}}  {said}")
    return "\n".join(lines)


STATES = {
    "fresh": "up to date",
    "stale": "to be rebuilt",
    "extra": "an answer kept",
    "pieces": "of telemetry",
}


def telemetry_line(index: "Indexed") -> dict[str, Any]:
    """Read every piece of telemetry to its last page."""
    pieces, problem = list(telemetry_pieces(index)), None
    for path in pieces:
        try:
            refuse_torn(path)
        except BadInput as error:
            problem = str(error)
            break
    return {"table": TELEMETRY, "rows": len(pieces), "state": "pieces", "problem": problem}


def totals_wrong(index: "Indexed", name: str, table: pd.DataFrame) -> str | None:
    """Say which total of a fresh table does not agree with its inputs; None if all do."""
    said = TOTALS[name](index, table) if name in TOTALS else None
    if said is None and name.startswith("layer_"):
        said = rows_wrong(index, name.removeprefix("layer_"), table)
    if said is None and name != "cells" and "cell" in table:
        said = strangers(index, table)
    return said


def rows_wrong(index: "Indexed", layer: str, table: pd.DataFrame) -> str | None:
    """Hold the rows of a layer against its load report."""
    name = f"report_{layer}_summary"
    if index.store.stale(name, {"key": index.source_key(layer)}):
        return None
    told = int(index.store.read(name)[["accepted", "repaired"]].to_numpy().sum())
    return None if len(table) == told else f"{len(table)} rows; the load report says {told}."


def strangers(index: "Indexed", table: pd.DataFrame) -> str | None:
    """Look for cells that the area does not have; 0 stands for no cell."""
    cells = stored_cells(index)
    if cells is None:
        return None
    own = table["cell"].dropna().to_numpy(dtype=np.int64)
    number = int((~np.isin(own, cells) & (own != 0)).sum())
    return f"{number} rows are of cells that the area does not have." if number else None


def stored_cells(index: "Indexed") -> Any:
    """Cells of the store; None where they are not fresh, or not right themselves."""
    return index.kept("cells of the store", lambda: right_cells(index))


def right_cells(index: "Indexed") -> Any:
    """Read the cells; None where nothing else can be held against them."""
    if index.store.stale("cells", {"key": index.key("cells")}):
        return None
    try:
        table = index.store.read("cells")
    except BadInput:
        return None
    return None if cells_wrong(index, table) else table["cell"].to_numpy(dtype=np.int64)


def cells_wrong(index: "Indexed", table: pd.DataFrame) -> str | None:
    """Cover the boundary anew: the same cells, each once."""
    cells = table["cell"].to_numpy(dtype=np.int64)
    expected = grid.cover(index.boundary, index.file.resolution)
    if len(cells) != len(expected):
        return f"{len(cells)} cells; the boundary overlaps {len(expected)}."
    same = np.array_equal(cells, np.sort(expected))
    return None if same else "other cells than those that overlap the boundary."


def people_wrong(index: "Indexed", table: pd.DataFrame) -> str | None:
    """Add up the pixels anew: people of cells and outside of them are those of the rasters."""
    if stored_cells(index) is None:
        return None
    pixels: dict[str, float] = {}
    for window in pixel_windows(index, raster_bounds(index)):
        sums = np.nansum(window.values, axis=(1, 2))
        for field, persons in zip(window.fields, sums.tolist(), strict=True):
            pixels[field] = pixels.get(field, 0.0) + persons
    outside = table.attrs.get("outside_persons", {})
    for field, persons in sorted(pixels.items()):
        held = float(table[field].sum()) + float(outside.get(field, 0.0))
        if not np.isclose(held, persons, rtol=TOLERANCE, atol=TOLERANCE):
            return f"{field}: {held:,.3f} in cells and outside; the rasters hold {persons:,.3f}."
    return None


def weights_wrong(index: "Indexed", table: pd.DataFrame) -> str | None:
    """Each incident that counts must count once in all, and every incident must be there."""
    totals = table.groupby("incident_id")["weight"].sum(min_count=1).dropna()
    off = totals.index[~np.isclose(totals, 1.0, rtol=TOLERANCE, atol=TOLERANCE)]
    if len(off):
        return f"{len(off)} incidents do not count as 1 in all, {off[0]} among them."
    key = {"key": index.key("incidents")}
    if index.store.stale("layer_incidents", key):
        return None
    known = set(index.store.read("layer_incidents")["incident_id"])
    missing = len(known.symmetric_difference(table["incident_id"]))
    return f"{missing} incidents are in the layer or in the cells alone." if missing else None


def hours_wrong(_index: "Indexed", table: pd.DataFrame) -> str | None:
    """Hours are 0 or more, and those by night are no more than all."""
    hours = table["presence_h"]
    if not ((hours >= 0) & np.isfinite(hours)).all():
        return "hours of presence below 0, or unknown."
    if "night_h" in table and (table["night_h"] > hours * (1 + TOLERANCE) + TOLERANCE).any():
        return "more hours by night than in all."
    return None


TOTALS: Mapping[str, Callable[["Indexed", pd.DataFrame], str | None]] = {
    "cells": cells_wrong,
    "population": people_wrong,
    "incident_cells": weights_wrong,
    "presence_days": hours_wrong,
}
