"""The gate: a finding becomes a product only as a Released, made by release()."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, Refused
from pocgeo.ground.frames import plain
from pocgeo.products.audiences import AUDIENCES, policy
from pocgeo.products.columns import SENSITIVITIES, ColumnSpec, column_specs, undeclared
from pocgeo.products.manifest import outward as outward_manifest
from pocgeo.products.outgoing import Asked, Outward, totals_of
from pocgeo.products.outward import open_part, outward
from pocgeo.products.released import Policy, ReleaseContext, Released

__all__ = [
    "AUDIENCES",
    "ColumnSpec",
    "Policy",
    "ReleaseContext",
    "Released",
    "policy",
    "refuse_named",
    "release",
]

SECRET = "confidential"
LAYER_KINDS = ("points", "areas")
"""Kinds of a layer of things, whose rows are open where the layer is declared open."""


def release(
    finding: pd.DataFrame | gpd.GeoDataFrame,
    policy: Policy,
    *,
    name: str,
    title: str,
    context: ReleaseContext,
) -> Released:
    """Turn a finding into what its audience may see.

    Parameters
    ----------
    finding : DataFrame or GeoDataFrame
        A table of a layer or an analysis. `attrs["kind"]` ("cells", "areas", "points", "tracks",
        "ledger", "sheet", "series") and `attrs["sensitivity"]` (a floor for every column) speak
        where they are given; `attrs["notes"]` are for internal readers.
    policy : Policy
    name, title : str
        Short name ("gaps") and heading of the product.
    context : ReleaseContext

    Returns
    -------
    Released
        Internal: all but confidential columns. Others: open columns; restricted measures only in
        coarser cells or areas, small counts suppressed and protected, values rounded.

    Raises
    ------
    Refused
        This audience may not have this product; the message says what is possible instead.
    """
    floor = str(finding.attrs.get("sensitivity", "open"))
    _check_marking(policy, name, context)
    _check_secret(floor, name)
    out = _ordered(_passed(finding, policy, name, context, floor), finding, policy)
    return Released(
        name=name,
        title=title,
        table=out.table,
        columns=MappingProxyType(dict(out.columns)),
        resolution=_resolution(out.table),
        audience=policy.audience,
        marking=context.marking,
        cut_off_on=context.cut_off_on,
        notes=(*context.notes, *out.notes),
        withheld=out.withheld,
        manifest=_manifest(finding, policy, context),
        totals=out.totals,
    )


def _passed(
    finding: pd.DataFrame, policy: Policy, name: str, context: ReleaseContext, floor: str
) -> Outward:
    """Take out what is confidential, and hand over what the audience may see of the rest."""
    table = _flat(finding)
    every = {str(column): _spec(str(column), context) for column in table if column != "geometry"}
    specs = {column: spec for column, spec in every.items() if spec.sensitivity != SECRET}
    table = table.drop(columns=[column for column in every if column not in specs])
    gone = [spec.label for column, spec in every.items() if column not in specs]
    secret = (f"Confidential, in no product: {', '.join(gone)}.",) if gone else ()
    kind = str(finding.attrs.get("kind") or _kind(table))
    notes = tuple(str(note) for note in finding.attrs.get("notes", ()))
    if "restricted" in policy.sees:
        totals = totals_of(table, specs, kind)
        return Outward(table=table, columns=specs, totals=totals, notes=notes, withheld=secret)
    refuse_named(policy, name, context.resolution)
    itself = frozenset(column for column, spec in specs.items() if spec.sensitivity in policy.sees)
    specs = {column: _at_least(spec, floor) for column, spec in specs.items()}
    if finding.attrs.get("sensitivity") == "open" and kind in LAYER_KINDS:
        out = open_part(table, specs, policy, kind)
    else:
        _check_kind(policy, name, kind, specs, context)
        standard = finding.attrs.get("standard", {})
        asked = Asked(
            name=name, kind=kind, policy=policy, context=context, standard=standard, itself=itself
        )  # fmt: skip
        out = outward(table, specs, asked)
    inward = ("Notes on the records behind this are for internal readers.",) if notes else ()
    return replace(out, withheld=(*secret, *out.withheld, *inward))


def _ordered(out: Outward, finding: pd.DataFrame, policy: Policy) -> Outward:
    """Rank coarser rows anew by what the finding is ranked by; what is withheld comes last."""
    by = [name for name in finding.attrs.get("order", ()) if name in out.table]
    if "restricted" in policy.sees or not by:
        return out
    table = out.table.sort_values(by, ascending=False, na_position="last", kind="stable")
    return replace(out, table=table.reset_index(drop=True))


def _flat(finding: pd.DataFrame) -> pd.DataFrame:
    """Copy without attrs; a named index becomes a column, so that the gate sees it too."""
    named = finding.index.names != [None]
    table = finding.reset_index(drop=not named) if named else finding.reset_index(drop=True)
    table = table.copy()
    if isinstance(table, gpd.GeoDataFrame) and table.geometry.name != "geometry":
        table = table.rename_geometry("geometry")
    table.attrs = {}
    return table


def _spec(name: str, context: ReleaseContext) -> ColumnSpec:
    return context.columns.get(name) or column_specs().get(name) or undeclared(name)


def _at_least(spec: ColumnSpec, floor: str) -> ColumnSpec:
    """Raise a column to the sensitivity of its table."""
    higher = max(spec.sensitivity, floor, key=SENSITIVITIES.index)
    return replace(spec, sensitivity=higher)


def _check_marking(policy: Policy, name: str, context: ReleaseContext) -> None:
    if context.marking not in policy.markings:
        raise Refused(
            f"{name}: this area of interest is {context.marking}, and {policy.audience} may have "
            f"products of {' or '.join(policy.markings)} ones only. Change `marking` in aoi.toml "
            f"if the data allow it, or make the product for --audience internal."
        )


def _check_secret(floor: str, name: str) -> None:
    if floor not in SENSITIVITIES:
        raise BadInput(f"{name}: sensitivity {floor!r} is none of {', '.join(SENSITIVITIES)}.")
    if floor == SECRET:
        raise Refused(f"{name} is confidential as a whole: it is in no product.")


def refuse_named(policy: Policy, name: str, resolution: int | None) -> None:
    """Refuse what the policy names, open or not: known before anything is worked out.

    Raises
    ------
    Refused
        With the policy's reason and what is possible instead.
    """
    for given, reason in policy.refused.items():
        if fnmatchcase(name, given):
            raise _refused(policy, name, reason, resolution)


def _check_kind(
    policy: Policy,
    name: str,
    kind: str,
    specs: Mapping[str, ColumnSpec],
    context: ReleaseContext,
) -> None:
    """Refuse the kinds of tables that the policy names, with its reason."""
    guarded = any(spec.sensitivity not in policy.sees for spec in specs.values())
    if guarded and kind in policy.refused:
        raise _refused(policy, name, policy.refused[kind], context.resolution)


def _refused(policy: Policy, name: str, reason: str, level: int | None) -> Refused:
    coarser = (
        "coarser cells" if level is None else f"resolution {max(level - policy.coarser_by, 0)}"
    )
    return Refused(f"{name} for {policy.audience}: " + reason.replace("{resolution}", coarser))


def _kind(table: pd.DataFrame) -> str:
    """Tell the kind of a table from its columns; the stricter reading where in doubt."""
    for column, kind in (
        ("fix_at", "tracks"),
        ("gap_area_id", "areas"),
        ("cell", "cells"),
        ("base_id", "ledger"),
        ("verdict", "ledger"),
        ("incident_id", "points"),
        ("month_on", "series"),
        ("area_id", "areas"),
    ):
        if column in table:
            return kind
    return "points" if isinstance(table, gpd.GeoDataFrame) else "ledger"


def _resolution(table: pd.DataFrame) -> int | None:
    if "cell" not in table or not len(table):
        return None
    return grid.resolution_of(table["cell"].to_numpy(dtype=np.int64))


def _manifest(finding: pd.DataFrame, policy: Policy, context: ReleaseContext) -> Mapping[str, Any]:
    """Add the question, its standards and the audience to what the AOI says."""
    made = {
        **context.manifest,
        "question": finding.attrs.get("question"),
        "standard": plain(finding.attrs.get("standard", {})),
        "disclosure": {"audience": policy.audience, "smallest_count": policy.k},
    }
    return MappingProxyType(made if "restricted" in policy.sees else outward_manifest(made))
