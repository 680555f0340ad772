"""The layer of cells: a released table, packed, and the folium layer that draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from folium.map import Layer
from folium.template import Template

from pocgeo.ground.errors import BadInput, MissingColumns, Refused
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.cellpack import (
    Packed,
    code_plane,
    lattice_codes,
    pack_ids,
    pack_json,
)
from pocgeo.products.maps.classes import Classed, classed
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.spec import MapSpec, MeasureSpec
from pocgeo.products.maps.wording import SILENT_UNITS, column_of, unique_words

__all__ = ["CellLayer", "CellPack", "pack_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPack:
    """Everything the page needs to draw cells and to explain them."""

    head: Mapping[str, Any]
    """Plain JSON: what each blob is, the classes, the labels."""

    blobs: tuple[Packed, ...]

    absent: tuple[str, ...]
    """Sentences: which optional measures the table does not have."""


def pack_cells(spec: MapSpec, released: Released) -> CellPack:
    """Pack the columns a map names, and no other column of the table.

    Parameters
    ----------
    spec : MapSpec
        `measures`, `facts` and `reason` name the columns.
    released : Released, n cells
        `table` has `cell` (int64, one resolution, once each); NA where unknown.

    Raises
    ------
    MissingColumns
        The table lacks a column that is not optional.
    BadInput
        A cell occurs twice or has another resolution.
    Refused
        The audience gets this table by area, not by cell.
    """
    resolution = cells_of(released)
    measures, absent = present_measures(spec, released)
    cell = released.table["cell"].to_numpy(dtype=np.int64)
    order = np.argsort(cell, kind="stable")
    table = released.table.iloc[order]
    ids, runs = pack_ids(lattice_codes(cell[order], resolution))
    packed = [pack_measure(measure, released, table) for measure in measures]
    texts, text_blobs = pack_texts(spec, released, table)
    head = {
        "resolution": resolution,
        "cells": len(table),
        "runs": runs,
        "ids": ids.name,
        "measures": [part for part, _ in packed],
        "texts": texts,
    }
    blobs = [ids, *(blob for _, parts in packed for blob in parts), *text_blobs]
    return CellPack(head=head, blobs=tuple(blobs), absent=absent)


def cells_of(released: Released) -> int:
    """Give the resolution of a table of cells; refuse any other table."""
    if "cell" in released.table and released.resolution is not None:
        return released.resolution
    if released.audience != "internal":
        raise Refused(
            f"{released.name} is released to {released.audience} by area, not by cell. "
            "Export the table instead."
        )
    raise BadInput(f"{released.name} has no cells to draw. Name a table of cells in maps/.")


def pack_measure(
    measure: MeasureSpec, released: Released, table: pd.DataFrame
) -> tuple[dict[str, Any], list[Packed]]:
    """Pack one column: a code per cell, and the value of each code."""
    column = column_of(released, measure.column)
    parts = classed(table[measure.column], measure, column)
    scale = 10**parts.digits
    if parts.exact:
        whole = np.round(parts.code_values * scale).astype(np.int64)
        values = pack_json(np.diff(whole, prepend=0).tolist())
    else:
        values = pack_json([float(f"{value:.7g}") for value in parts.code_values])
    codes = code_plane(parts.codes, parts.bits)
    head = measure_head(measure, parts) | {
        "help": measure.help or column.help,
        "unit": None if column.unit in SILENT_UNITS else column.unit,
        "codes": codes.name,
        "values": values.name,
        "scale": scale,
    }
    return head, [codes, values]


def present_measures(
    spec: MapSpec, released: Released
) -> tuple[Sequence[MeasureSpec], tuple[str, ...]]:
    """Take the measures the table has; say which optional ones it has not."""
    has = set(released.table.columns)
    needed = [measure.column for measure in spec.measures if not measure.optional]
    missing = [name for name in needed if name not in has]
    measures = [measure for measure in spec.measures if measure.column in has]
    if missing or not measures:
        raise MissingColumns(released.name, missing or [spec.measures[0].column], has)
    for measure in measures:
        refuse_confidential(released, measure.column)
    absent = [measure for measure in spec.measures if measure.column not in has]
    labels = (column_of(released, m.column) if m.label is None else m for m in absent)
    said = tuple(f"Not shown, not in this table: {item.label}." for item in labels)
    return measures, said


def refuse_confidential(released: Released, name: str) -> None:
    """Hold the house rule once more: confidential fields appear in no product."""
    if column_of(released, name).sensitivity == "confidential":
        raise BadInput(f"{released.name}.{name} is confidential and is drawn on no map.")


def measure_head(measure: MeasureSpec, parts: Classed) -> dict[str, Any]:
    """Say what the page must know of one measure."""
    return {
        "column": measure.column,
        "label": parts.label,
        "name": parts.label.rsplit(" (", 1)[0],
        "group": measure.group,
        "categories": bool(measure.categories) or not parts.edges,
        "bits": parts.bits,
        "digits": parts.digits,
        "exact": parts.exact,
        "loud": list(parts.loud),
        "edges": list(parts.edges),
        "first": list(parts.first_code),
        "missing": measure.missing,
        "missingCells": parts.missing,
        "classes": [
            {"label": label, "colour": colour, "cells": cells}
            for label, colour, cells in zip(parts.labels, parts.colours, parts.counts, strict=True)
        ],
    }


def pack_texts(
    spec: MapSpec, released: Released, table: pd.DataFrame
) -> tuple[list[dict[str, Any]], list[Packed]]:
    """Pack the columns of the tooltip: each a dictionary of words, and a position per cell."""
    heads, blobs = [], []
    named = [(name, False) for name in spec.facts] + ([(spec.reason, True)] if spec.reason else [])
    for name, is_reason in named:
        if name not in table:
            continue
        refuse_confidential(released, name)
        column = column_of(released, name)
        if is_reason:
            codes, words = unique_words(table[name].fillna(""), column)
        else:
            codes, words = unique_words(table[name], column)
        low, high = code_plane(codes & 0xFFFF, 16), code_plane(codes >> 16, 8)
        listed = pack_json(words)
        blobs += [low, high, listed]
        heads.append(
            {"label": column.label, "reason": is_reason, "low": low.name, "high": high.name}
            | {"words": listed.name}
        )
    return heads, blobs


class CellLayer(Layer):
    """Cells as a folium layer: an L.Layer, so that layer controls and swipes work with it."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = pocgeo.cells({{ this.head_name|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, pack: CellPack, figure: OfflineFigure) -> None:
        super().__init__(name="Cells", overlay=True, control=True, show=True)
        self._name = "CellLayer"
        for packed in pack.blobs:
            figure.keep(packed.name, packed.content)
        self.head_name = figure.keep_json(pack.head)
