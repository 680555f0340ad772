"""What of a finding leaves the mission: coarser cells, areas, open columns, counts by piece."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from pocgeo.ground.errors import Refused
from pocgeo.products.audiences import AREAS_FINEST_FIRST
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.indicator_release import indicators_outward, is_indicators
from pocgeo.products.outgoing import (
    AREAS,
    MEASURED,
    SLICES,
    TIMES,
    Asked,
    Outward,
    counted_column,
    totals_of,
)
from pocgeo.products.outward_cells import cells_outward
from pocgeo.products.pieces import Floats
from pocgeo.products.register import PlacePieces
from pocgeo.products.released import Policy
from pocgeo.products.suppression import by_area, coarsened

__all__ = ["open_part", "outward"]

COORDINATES = ("lon", "lat")
REFERENCES = ("grid_reference", "mgrs")
AREA_COLUMNS = {"AOI": None, "AOR": "aor_id", "admin 1": "admin1_id", "admin 2": "admin2_id"}


def outward(table: pd.DataFrame, columns: Mapping[str, ColumnSpec], asked: Asked) -> Outward:
    """Make a table fit for an audience outside the mission.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame, n rows
    columns : mapping
        Spec of every column but geometry, raised to the sensitivity of the table.
    asked : Asked

    Returns
    -------
    Outward
        A wholly open table leaves as it is. Else cells are joined to H3 parents, gap areas to
        admin areas, areas keep their rows; counts are those of released pieces, what rests on
        incidents goes by piece or by area, values are rounded.

    Raises
    ------
    Refused
        No measure of the table may be shown to this audience.
    """
    policy = asked.policy
    guarded = [spec for spec in columns.values() if spec.sensitivity not in policy.sees]
    if not guarded:
        totals = totals_of(table, columns, asked.kind)
        return Outward(table=table, columns=columns, totals=totals)
    if is_indicators(table):
        return _indicators(table, columns, asked)
    usable, withheld = _without_counts(columns, asked)
    lean = table.drop(columns=[name for name in columns if name not in usable])
    if asked.kind == "cells":
        out = cells_outward(lean, usable, table, asked)
    else:
        out = _areas(lean, usable, asked)
    measured = [name for name, spec in out.columns.items() if spec.released_as in MEASURED]
    if not any(name in columns and name not in asked.itself for name in measured):
        raise Refused(
            f"{asked.name} for {policy.audience}: nothing in it may be shown even in coarser form. "
            "Possible instead: --audience internal."
        )
    lost = _lost(columns, out.columns, withheld, policy)
    return replace(out, table=_rounded(out.table, out.columns, policy), withheld=lost)


def _without_counts(
    columns: Mapping[str, ColumnSpec], asked: Asked
) -> tuple[dict[str, ColumnSpec], dict[str, str]]:
    """Take out counts that no register can add up, and what the policy names."""
    withheld: dict[str, str] = {}
    counted = counted_column(columns, asked)
    for name, spec in columns.items():
        strict = [word for word, said in asked.policy.stricter.items() if word in name and said]
        if strict and (spec.counts or spec.derived_from):
            withheld[name] = f"Withheld from everybody outside: {spec.label}."
        elif spec.counts and name != counted:
            withheld[name] = (
                f"Counts of other days or other places than those released would reveal small "
                f"ones: {spec.label}."
            )
    return {name: spec for name, spec in columns.items() if name not in withheld}, withheld


def _areas(table: pd.DataFrame, columns: Mapping[str, ColumnSpec], asked: Asked) -> Outward:
    """Keep rows of areas, or join gap areas to them; what rests on incidents goes by area."""
    policy = asked.policy
    resting = {name: spec for name, spec in columns.items() if spec.derived_from}
    if "gap_area_id" in table:
        joined, specs, note = _gap_areas(table, columns, asked)
        column = policy.areas_by
    elif asked.kind in {"areas", "series"} and any(name in table for name in (*AREAS, *TIMES)):
        joined, specs = _same_rows(table, columns, policy)
        note = "" if len(joined) == len(table) else "Rows of single places are left out."
        column = None
    else:
        raise Refused(
            f"{asked.name} for {policy.audience}: a restricted table that is neither of cells nor "
            "of areas cannot be coarsened. Possible instead: --audience internal."
        )
    resting = {name: spec for name, spec in resting.items() if name in joined}
    basis = _basis(joined, column, asked) if resting else None
    if basis is None:
        specs = {name: spec for name, spec in specs.items() if name not in resting}
        joined = joined.drop(columns=list(resting))
    else:
        named = [name for name in joined if name in specs and name not in resting]
        named = [name for name in named if specs[str(name)].released_as not in {"sum", "mean"}]
        if column is not None:  # what else is said of an area may change; its name does not
            named = [column]
        keys = joined[named].astype("string").fillna("")  # a name may be unknown
        memory = asked.memory
        spoken = keys.agg(" · ".join, axis=1) if named else pd.Series("", index=joined.index)
        basis = np.where(spoken.duplicated(keep=False), np.nan, basis)  # one value, one row
        joined = by_area(joined, resting, basis, lambda row: str(spoken.iloc[row]), memory)
    joined = _in_plain_order(joined, specs)
    kind = "points" if "gap_area_id" in table else asked.kind  # gap areas are disjoint
    totals = {
        name: total for name, total in totals_of(joined, specs, kind).items() if name not in resting
    }
    return Outward(table=joined, columns=specs, totals=totals, notes=(note,) if note else ())


def _gap_areas(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], asked: Asked
) -> tuple[pd.DataFrame, dict[str, ColumnSpec], str]:
    """Join gap areas to the admin areas of the policy."""
    area = asked.policy.areas_by
    if area is None or area not in table or (len(table) and table[area].isna().all()):
        raise Refused(
            f"{asked.name} for {asked.policy.audience}: gap areas can only leave joined by {area}, "
            "and no such areas are loaded. Add the layer areas to aoi.toml."
        )
    keys = pd.Series(table[area].to_numpy(), name=area)
    flat = pd.DataFrame(table.drop(columns=["cell", "geometry"], errors="ignore"))
    finer = AREAS_FINEST_FIRST[: AREAS_FINEST_FIRST.index(area)]
    beside = {*finer, *(f"{name}_id" for name in finer)}  # one district is not its province
    usable = {name: spec for name, spec in columns.items() if name in flat and name not in beside}
    if "gap_persons" in flat:
        flat = flat.assign(people_persons=flat["gap_persons"])  # means are weighted by them
    joined = _without_mixed(coarsened(flat.reset_index(drop=True), keys, usable), flat, keys)
    specs = {str(name): columns[str(name)] for name in joined}
    return joined, specs, f"Gap areas are joined by {columns[area].label.lower()}."


def _without_mixed(joined: pd.DataFrame, flat: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """Leave the AOR out where an area lies in several."""
    names = [name for name in ("aor_id", "aor") if name in joined]
    rows = pd.factorize(keys, sort=True, use_na_sentinel=False)[0]  # as `coarsened` numbers them
    for name in names:
        words = flat[name].reset_index(drop=True).astype("string").fillna("").groupby(rows)
        joined[name] = joined[name].mask(words.min() != words.max())
    return joined


def _same_rows(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], policy: Policy
) -> tuple[pd.DataFrame, dict[str, ColumnSpec]]:
    """Keep the rows of areas or months, without what points at single places."""
    kept = {
        name: spec
        for name, spec in columns.items()
        if name not in REFERENCES
        and name != "cell"
        and (spec.sensitivity in policy.sees or spec.released_as != "none")
    }
    with_shape = "area_id" in table and "geometry" in table
    if "area_kind" in table:
        table = table[table["area_kind"].isin(list(AREA_COLUMNS))]
    return table[[*kept, *(["geometry"] if with_shape else [])]], kept


def _basis(table: pd.DataFrame, column: str | None, asked: Asked) -> Floats | None:
    """Count the incidents that each row's area holds; None where there is no record of them."""
    context = asked.context
    if context.record is None or any(name in table for name in TIMES):
        return None
    known = asked.known(context.record)
    if column is not None:
        return _looked_up(table[column], known, column)
    if not {"area_kind", "area_id"} <= set(table):
        return None
    out = np.full(len(table), np.nan)
    for kind, name in AREA_COLUMNS.items():
        rows = (table["area_kind"] == kind).to_numpy()
        ids = pd.Series("AOI", index=table.index) if name is None else table["area_id"]
        if rows.any():
            out[rows] = _looked_up(ids[rows], known, name)
    return out


def _looked_up(ids: pd.Series, known: PlacePieces, column: str | None) -> Floats:
    names, basis = known.of_areas(column)
    found = pd.Series(basis, index=names, dtype="float64")
    return np.asarray(ids.map(found[~found.index.duplicated()]), dtype=np.float64)


def open_part(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], policy: Policy, kind: str
) -> Outward:
    """Keep the open columns of a layer that is declared open as a whole."""
    kept = {name: spec for name, spec in columns.items() if spec.sensitivity in policy.sees}
    shown = table.drop(columns=[name for name in columns if name not in kept])
    return Outward(
        table=shown,
        columns=kept,
        totals=totals_of(shown, kept, kind),
        withheld=_lost(columns, kept, {}, policy),
    )


def _indicators(table: pd.DataFrame, columns: Mapping[str, ColumnSpec], asked: Asked) -> Outward:
    """Release a monthly series: rows already released stay as they were."""
    policy, register = asked.policy, asked.register
    memory = register.rows.setdefault(asked.name, {})
    ends: tuple[date, ...] = (asked.until,)
    if asked.context.record is not None:
        asked.known(asked.context.record)
        ends = tuple(part.until for part in register.slices if part.until <= asked.until)
    shown, words = indicators_outward(table, policy, memory, ends)
    specs = {name: spec for name, spec in columns.items() if name in shown}
    lost = _lost(columns, specs, {}, policy)
    return Outward(
        table=_rounded(shown[list(specs)], specs, policy), columns=specs, withheld=(*lost, *words)
    )


def _in_plain_order(table: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Sort by what the rows are, so that their order tells nothing of what is withheld."""
    keys = [name for name in (*SLICES, *AREAS) if name in table and name in columns]
    return table.sort_values(keys, kind="stable", ignore_index=True) if keys else table


def _rounded(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], policy: Policy
) -> pd.DataFrame:
    """Round measures to the digits they are shown with, and coordinates to the policy's."""
    table = table.copy()
    for name, spec in columns.items():
        if name in COORDINATES and policy.decimals is not None:
            table[name] = table[name].round(policy.decimals)
        elif pd.api.types.is_float_dtype(table[name]):
            table[name] = table[name].round(spec.digits)
    return table


def _lost(
    before: Mapping[str, ColumnSpec],
    after: Mapping[str, ColumnSpec],
    said: Mapping[str, str],
    policy: Policy,
) -> tuple[str, ...]:
    """Name the columns that are not shown."""
    others = {spec.label for name, spec in before.items() if name not in after}
    others -= {before[name].label for name in said}
    first = (f"Not for {policy.audience}: {', '.join(sorted(others))}.",) if others else ()
    return (*first, *dict.fromkeys(said.values()))
