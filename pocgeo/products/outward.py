"""What of a finding leaves the mission: coarser cells, areas, open columns, suppressed counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells import grid
from pocgeo.ground.errors import Refused
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.indicator_release import indicators_outward, is_indicators
from pocgeo.products.released import Policy
from pocgeo.products.suppression import (
    coarsened,
    hidden,
    hidden_in_tree,
    protected,
    suppressed,
)

__all__ = ["Outward", "open_part", "outward", "totals_of"]

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

COORDINATES = ("lon", "lat")
REFERENCES = ("grid_reference", "mgrs")
AREAS = ("area_id", "area", "admin2_id", "admin2", "admin1_id", "admin1", "aor_id", "aor")
TIMES = ("month_on", "quarter_on")
SLICES = ("area_kind", "indicator", "perpetrator", "incident_type", *TIMES)
MEASURED = ("sum", "mean", "min", "max")
"""How a measure is joined; "first" is what names a row."""

AROUND = ("parent_id", "admin1_id", "admin1")
LEVELS_ABOVE = 3
"""H3 levels above the released one at which a reader may hold the same counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """A table fit for its audience, and the words that go with it."""

    table: pd.DataFrame | gpd.GeoDataFrame
    columns: Mapping[str, ColumnSpec]
    totals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


def outward(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    policy: Policy,
    *,
    kind: str,
    name: str,
) -> Outward:
    """Make a table fit for an audience outside the mission.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame, n rows
    columns : mapping
        Spec of every column but geometry, raised to the sensitivity of the table.
    kind, name : str
        Kind of table, and what messages call it.

    Returns
    -------
    Outward
        A wholly open table leaves as it is. Else cells are joined to H3 parents, gap areas to
        admin areas, areas and series keep their rows; counts are suppressed, values rounded.

    Raises
    ------
    Refused
        No measure of the table may be shown to this audience.
    """
    guarded = [spec for spec in columns.values() if spec.sensitivity not in policy.sees]
    if not guarded:
        return Outward(table=table, columns=columns, totals=totals_of(table, columns, kind))
    if is_indicators(table):
        return _indicators(table, columns, policy)
    joined, specs, note = _joined(table, columns, policy, kind, name)
    if not any(spec in guarded and spec.released_as in MEASURED for spec in specs.values()):
        raise Refused(
            f"{name} for {policy.audience}: nothing in it may be shown even in coarser form. "
            "Possible instead: --audience internal."
        )
    one_whole = "points" if "gap_area_id" in table else kind  # gap areas are disjoint, joined too
    out = _protected(joined, specs, policy, kind, one_whole)
    if _is_selection(table, kind):
        out = _without_counts(out)
    return replace(
        out,
        notes=(note,) if note else (),
        withheld=(*_lost(columns, specs, policy), *out.withheld),
    )


def _is_selection(table: pd.DataFrame, kind: str) -> bool:
    """Say whether rows were chosen among those that another table counts as well."""
    if "gap_area_id" in table:
        return True
    flagged = kind == "cells" and len(table) > 0 and "hotspot" in table
    return bool(flagged and table["hotspot"].fillna(value=False).astype(bool).all())


def _without_counts(out: Outward) -> Outward:
    """Leave out the counts of a selection: the table of all rows, less these, would tell others."""
    gone = [name for name, spec in out.columns.items() if spec.counts and name in out.table]
    if not gone:
        return out
    labels = ", ".join(sorted({out.columns[name].label for name in gone}))
    return replace(
        out,
        table=out.table.drop(columns=gone),
        columns={name: spec for name, spec in out.columns.items() if name not in gone},
        totals={name: total for name, total in out.totals.items() if name not in gone},
        withheld=(*out.withheld, f"Counts of chosen rows would reveal the others: {labels}."),
    )


def _protected(
    joined: pd.DataFrame,
    specs: Mapping[str, ColumnSpec],
    policy: Policy,
    kind: str,
    one_whole: str,
) -> Outward:
    """Suppress, protect, round; `one_whole` is the kind of table for the sake of totals."""
    hide = _hider(joined, kind, policy.k)
    shown, masks, tally = suppressed(joined, specs, hide, policy.k)
    totals = _safe_totals(joined, specs, masks, one_whole, policy.k)
    if tally["small"]:
        shown = _without_order(shown, specs)
    return Outward(
        table=_rounded(shown, specs, policy),
        columns=specs,
        totals=totals,
        withheld=_said(tally, policy),
    )


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
        withheld=_lost(columns, kept, policy),
    )


def _indicators(table: pd.DataFrame, columns: Mapping[str, ColumnSpec], policy: Policy) -> Outward:
    shown, tally = indicators_outward(table, policy.k, policy.withheld_indicators)
    specs = {name: spec for name, spec in columns.items() if name in shown}
    shown = shown[list(specs)]
    gone = sorted(set(table["indicator"]) & set(policy.withheld_indicators))
    words = [*_lost(columns, specs, policy), *_said(tally, policy)]
    if gone:
        words.append(f"Indicators of presence are not for {policy.audience}: {', '.join(gone)}.")
    return Outward(table=_rounded(shown, specs, policy), columns=specs, withheld=tuple(words))


def totals_of(
    table: pd.DataFrame, columns: Mapping[str, ColumnSpec], kind: str
) -> Mapping[str, float]:
    """Add up the columns whose rows are parts of one whole; a total of nothing known is absent.

    Only cells, gap areas and points are disjoint: rows of several kinds of area, of months, or
    of bases overlap, and are not added up.
    """
    disjoint = kind in {"cells", "points"} or "gap_area_id" in table
    if not disjoint or any(name in table for name in SLICES if name not in POINT_FACTS):
        return {}
    return {
        name: float(table[name].sum())
        for name, spec in columns.items()
        if spec.released_as == "sum" and name in table and table[name].notna().any()
    }


POINT_FACTS = ("perpetrator", "incident_type")


def _joined(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    policy: Policy,
    kind: str,
    name: str,
) -> tuple[pd.DataFrame, dict[str, ColumnSpec], str]:
    """Join rows to what this audience may see; return also the specs left, and a note."""
    if kind == "cells":
        cells = table["cell"].to_numpy(dtype=np.int64)
        level = max(grid.resolution_of(cells) - policy.coarser_by, 0) if len(cells) else 0
        keys = pd.Series(grid.parents(cells, level), name="cell")
        return *_by(table, keys, columns), f"Cells are joined to H3 resolution {level}."
    if "gap_area_id" in table:
        area = policy.areas_by
        if area is None or area not in table:
            raise Refused(
                f"{name} for {policy.audience}: gap areas can only leave joined by {area}, and no "
                "such areas are loaded. Add the layer areas to aoi.toml."
            )
        keys = pd.Series(table[area].to_numpy(), name=area)
        plain = pd.DataFrame(table.drop(columns=["cell", "geometry"], errors="ignore"))
        label = columns[area].label.lower()
        return *_by(plain, keys, columns), f"Gap areas are joined by {label}."
    if kind in {"areas", "series"} and any(column in table for column in (*AREAS, *TIMES)):
        kept = {
            column: spec
            for column, spec in columns.items()
            if column not in REFERENCES
            and column != "cell"
            and (spec.sensitivity in policy.sees or spec.released_as != "none")
        }
        with_shape = "area_id" in table and "geometry" in table
        return table[[*kept, *(["geometry"] if with_shape else [])]], kept, ""
    raise Refused(
        f"{name} for {policy.audience}: a restricted table that is neither of cells nor of areas "
        "cannot be coarsened. Possible instead: --audience internal."
    )


def _by(
    table: pd.DataFrame, keys: pd.Series, columns: Mapping[str, ColumnSpec]
) -> tuple[pd.DataFrame, dict[str, ColumnSpec]]:
    usable = {name: spec for name, spec in columns.items() if name in table}
    joined = coarsened(table.reset_index(drop=True), keys, usable)
    return joined, {str(name): columns[str(name)] for name in joined}


def _hider(table: pd.DataFrame, kind: str, k: int) -> Callable[[NDArray[np.float64]], Mask]:
    """Choose how small counts of this table are protected."""
    if kind == "cells":
        levels = _levels(table["cell"].to_numpy(dtype=np.int64))
        return lambda values: hidden_in_tree(values, levels, k)
    margins = _margins(table)
    return lambda values: hidden(values, margins, k)


def _levels(cells: NDArray[np.int64]) -> list[Codes]:
    """H3 parents of each cell, coarsest first, as codes."""
    if not len(cells):
        return []
    finest = grid.resolution_of(cells)
    coarser = range(max(finest - LEVELS_ABOVE, 0), finest)
    return [
        np.asarray(pd.factorize(grid.parents(cells, level), sort=True)[0], dtype=np.int64)
        for level in coarser
    ]


def _margins(table: pd.DataFrame) -> list[Codes]:
    """Totals a reader may know: of each slice, of the area around, of an area over time."""
    slices = [column for column in SLICES if column in table]
    around = [column for column in AROUND if column in table][:1]
    timeless = [column for column in slices if column not in TIMES]
    margins = [slices]
    if around:
        margins.append([*slices, *around])
    if len(timeless) < len(slices):
        areas = [column for column in ("area_id", "area") if column in table][:1]
        margins.append([*timeless, *areas])
    return [_codes(table, columns) for columns in margins]


def _codes(table: pd.DataFrame, columns: Sequence[str]) -> Codes:
    if not columns:
        return np.zeros(len(table), dtype=np.int64)
    groups = pd.DataFrame(table[list(columns)]).groupby(list(columns), dropna=False, sort=True)
    return np.asarray(groups.ngroup(), dtype=np.int64)


def _safe_totals(
    table: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    masks: Mapping[str, Mask],
    kind: str,
    k: int,
) -> Mapping[str, float]:
    """Keep the totals from which no suppressed count can be worked back."""
    totals = dict(totals_of(table, columns, kind))
    whole = np.zeros(len(table), dtype=np.int64)
    for name, mask in masks.items():
        values = np.asarray(table[name].astype("float64"), dtype=np.float64)
        small = 0 < np.nansum(values) < k
        if small or not protected(values, mask, whole, k).all():
            totals.pop(name, None)
    for name, spec in columns.items():
        if any(masks[source].any() for source in spec.derived_from if source in masks):
            totals.pop(name, None)
    return {name: round(total, columns[name].digits) for name, total in totals.items()}


def _without_order(table: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Sort by what the rows are, so that their order tells nothing of a suppressed count."""
    keys = [name for name in ("cell", *SLICES, *AREAS) if name in table and name in columns]
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
    before: Mapping[str, ColumnSpec], after: Mapping[str, ColumnSpec], policy: Policy
) -> tuple[str, ...]:
    """Name the columns that are not shown."""
    lost = sorted({spec.label for name, spec in before.items() if name not in after})
    return (f"Not for {policy.audience}: {', '.join(lost)}.",) if lost else ()


def _said(tally: Mapping[str, int], policy: Policy) -> tuple[str, ...]:
    """Say how many counts are suppressed."""
    if not tally["small"]:
        return ()
    rest = f", and {tally['others']} more that would reveal them" if tally["others"] else ""
    return (f"Counts from 1 to {policy.k - 1} are suppressed: {tally['small']} values{rest}.",)
