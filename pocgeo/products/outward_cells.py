"""Cells for those outside: coarser, counts by piece, and what rests on incidents with them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pocgeo.cells import grid
from pocgeo.ground.errors import Refused
from pocgeo.products.columns import ColumnSpec, column_specs
from pocgeo.products.outgoing import AREAS, TIMES, Asked, Outward, counted_column, totals_of
from pocgeo.products.register import IncidentRecord, PlacePieces, table_record
from pocgeo.products.released import Policy
from pocgeo.products.suppression import by_piece, coarsened

__all__ = ["cells_outward"]

JOINED = "joined_n"
"""Column that says how many released cells share a count."""


def cells_outward(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], whole: pd.DataFrame, asked: Asked
) -> Outward:
    """Join cells to parents; counts and what rests on them go by piece."""
    policy = asked.policy
    if any(name in table for name in TIMES) or whole["cell"].duplicated().any():
        raise Refused(
            f"{asked.name} for {policy.audience}: a place and a month together point at single "
            f"incidents. Possible instead: `pocgeo indicators --audience {policy.audience}`, by "
            "month, or `pocgeo hotspots`, by place."
        )
    specs = {name: spec for name, spec in columns.items() if spec.released_as != "none"}
    resting = {name: spec for name, spec in specs.items() if spec.derived_from}
    counted = counted_column(specs, asked)
    record = asked.context.record
    chosen = _is_chosen(table, record)
    if chosen if record is None else (counted or resting) and _in_part(table, record):
        raise Refused(
            f"{asked.name} for {policy.audience}: chosen rows alone would reveal the others. "
            "Possible instead: the table of all cells."
        )
    known = _known(table, counted, asked) if counted or resting else None
    if known is None:
        specs = {name: spec for name, spec in specs.items() if name not in resting}
        resting = {}
    elif chosen:  # what was not chosen is judged too: a missing row would speak
        table, specs = _completed(table, specs, resting, known)
        resting = {name: spec for name, spec in resting.items() if name in specs}
    cells = table["cell"].to_numpy(dtype=np.int64)
    level = max(grid.resolution_of(cells) - policy.coarser_by, 0) if len(cells) else 0
    if known is not None:
        table = by_piece(table, resting, known, asked.memory)
        table, specs = _with_counts(table, specs, known, counted, level)
    keys = pd.Series(grid.parents(cells, level), name="cell")
    joined = coarsened(table.reset_index(drop=True), keys, specs)
    if chosen and "hotspot" in joined:
        flag = joined["hotspot"].astype("boolean").fillna(value=False).astype(bool)
        joined = joined[flag].reset_index(drop=True)
    specs = {str(name): specs[str(name)] for name in joined}
    return Outward(
        table=joined,
        columns=specs,
        totals={} if chosen else _totals(joined, specs),
        notes=(f"Cells are joined to H3 resolution {level}.", *_words(counted, policy)),
    )


def _totals(table: pd.DataFrame, specs: Mapping[str, ColumnSpec]) -> dict[str, float]:
    """Add up; counts that were shared out become whole again."""
    totals = totals_of(table, specs, "cells")
    return {name: round(total, 6) for name, total in totals.items()}


def _words(counted: str | None, policy: Policy) -> tuple[str, ...]:
    """Say how counts of places are to be read."""
    if not counted:
        return ()
    return (
        f"Where fewer than {policy.k} incidents stand alone, neighbouring cells are joined and "
        "each shows its share of their common count: an average, not a report. Later incidents "
        f"are added where {policy.k} or more are new.",
    )


def _is_chosen(table: pd.DataFrame, record: IncidentRecord | None) -> bool:
    """Say whether rows are the flagged ones among all."""
    if "hotspot" not in table or (record is None and not len(table)):
        return False
    return bool(table["hotspot"].fillna(value=False).astype(bool).all())


def _in_part(table: pd.DataFrame, record: IncidentRecord) -> bool:
    """Say whether cells are missing, other than those that are not hotspots."""
    if _is_chosen(table, record):
        return False
    cells = table["cell"].to_numpy(dtype=np.int64)
    level = grid.resolution_of(cells) if len(cells) else 0
    return not np.isin(grid.parents(record.cells, level), cells).all()


def _completed(
    table: pd.DataFrame,
    specs: Mapping[str, ColumnSpec],
    resting: Mapping[str, ColumnSpec],
    known: PlacePieces,
) -> tuple[pd.DataFrame, dict[str, ColumnSpec]]:
    """Add the cells that were not chosen, and drop what is known of the chosen ones only."""
    kept = {
        name: spec
        for name, spec in specs.items()
        if name == "cell" or (name in resting and name == "hotspot") or spec.counts
    }
    every = pd.DataFrame({"cell": known.record.cells})
    areas = known.record.areas.reset_index(drop=True)
    names = [name for name in areas if name in specs]
    every = pd.concat([every, areas[names]], axis=1)
    made = every.merge(pd.DataFrame(table[list(kept)]), on="cell", how="left")
    made["hotspot"] = made["hotspot"].astype("boolean").fillna(value=False).astype(bool)
    order = [name for name in specs if name in made]
    return made[order], {name: specs[name] for name in order}


def _known(table: pd.DataFrame, counted: str | None, asked: Asked) -> PlacePieces | None:
    """Find the pieces: of the AOI's record, or of the table's own count."""
    context = asked.context
    record = context.record
    if record is None:
        if counted is None:
            return None
        cells = table["cell"].to_numpy(dtype=np.int64)
        names = [name for name in AREAS if name in table]
        counts = np.asarray(table[counted].astype("float64"), dtype=np.float64)
        record = table_record(cells, counts, pd.DataFrame(table[names]), context.cut_off_on)
    return asked.known(record)


def _with_counts(
    table: pd.DataFrame,
    specs: Mapping[str, ColumnSpec],
    known: PlacePieces,
    counted: str | None,
    level: int,
) -> tuple[pd.DataFrame, dict[str, ColumnSpec]]:
    """Put the released count in the place of the true one, and say how many cells share it."""
    rows = known.rows_of(table["cell"].to_numpy(dtype=np.int64))
    table = table.assign(**{JOINED: np.where(rows >= 0, known.together[rows], 0)})
    spec = column_specs()[JOINED]
    if counted is None:
        return table, {**specs, JOINED: spec}
    table[counted] = np.where(rows >= 0, known.count[rows], np.nan)
    shown: dict[str, ColumnSpec] = {}
    for name, each in specs.items():
        shown[name] = replace(each, digits=2) if name == counted else each
        if name == counted:
            shown[JOINED] = spec
    return table, shown
