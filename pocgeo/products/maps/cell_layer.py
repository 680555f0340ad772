"""The coloured layer: a released table of cells or areas, packed, and the folium layer of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from folium.map import Layer
from folium.template import Template
from numpy.typing import NDArray

from pocgeo.ground.errors import MissingColumns
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.cellpack import (
    Packed,
    code_plane,
    lattice_codes,
    pack_ids,
    pack_json,
)
from pocgeo.products.maps.classes import EXACT_UP_TO, UNKNOWN_8, UNKNOWN_16, Classed, classed
from pocgeo.products.maps.geometry import packed_geometry
from pocgeo.products.maps.mosaic import Mosaic, Values, mosaic_of, values_of
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.periods import Period, joined_periods
from pocgeo.products.maps.spec import MapSpec, MeasureSpec
from pocgeo.products.maps.wording import (
    SILENT_UNITS,
    column_of,
    refuse_confidential,
    unique_words,
)
from pocgeo.products.words import ENGLISH, Words

__all__ = ["CellLayer", "CellPack", "pack_cells"]

AREA_STYLE = {"draw": "area", "tolerance_deg": 2e-4}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPack:
    """Everything the page needs to draw cells or areas and to explain them."""

    head: Mapping[str, Any]
    """Plain JSON: what each blob is, the classes, the labels."""

    blobs: tuple[Packed, ...]

    absent: tuple[str, ...]
    """Sentences: what of the declaration these tables do not have."""

    measures: tuple[MeasureSpec, ...]
    """Those that are drawn, in order."""

    notes: tuple[str, ...] = ()
    """Sentences that the way of drawing adds to those of the map."""


def pack_cells(
    spec: MapSpec, released: Released, further: Mapping[str, Released] | None = None,
    words: Words = ENGLISH,
) -> CellPack:  # fmt: skip
    """Pack the columns a map names, and no other column of the tables.

    Parameters
    ----------
    spec : MapSpec
        `measures`, `facts`, `reason` and `hatch` name the columns.
    released : Released, n rows
        `table` has `cell` (int64, one resolution, once each) or areas; NA where unknown.
    further : mapping of name to Released, optional
        Tables of measures that have one of their own, and the layer of the areas.

    Raises
    ------
    MissingColumns, BadInput, Refused
        A column that is not optional is absent; a cell or area occurs twice, or cells differ in
        resolution; the audience gets this table by area, and there are no areas to draw.
    """
    further = further or {}
    asked = spec.notes
    mosaic, spec = mosaic_of(spec, released, further, words)
    measures, absent = present_measures(spec, released, further, words)
    sources = [source_of(measure, spec, mosaic, further) for measure in measures]
    known = list(zip(measures, sources, strict=True))
    values = [values_of(mosaic, measure, source, spec, words) for measure, source in known]
    periods = joined_periods(each.periods for each in values)
    drawn = zip(measures, values, sources, strict=True)
    packed = [pack_measure(*each, mosaic, periods, words) for each in drawn]
    place, place_blobs = pack_place(mosaic)
    texts, text_blobs = pack_texts(spec, released, mosaic.table, words)
    hatch, hatch_blobs, unhatched = pack_hatch(spec, mosaic, words)
    head = place | {
        "measures": [part for part, _ in packed],
        "texts": texts,
        "hatch": hatch,
        "periods": [period.label for period in periods],
        "start": 0 if spec.period_start == "first" else max(0, len(periods) - 1),
    }
    measure_blobs = (blob for _, parts in packed for blob in parts)
    return CellPack(
        head=head,
        blobs=(*place_blobs, *measure_blobs, *text_blobs, *hatch_blobs),
        absent=(*mosaic.said, *absent, *unhatched),
        measures=tuple(measures),
        notes=tuple(note for note in spec.notes if note not in asked),
    )


def source_of(
    measure: MeasureSpec, spec: MapSpec, mosaic: Mosaic, further: Mapping[str, Released]
) -> Released:
    """Find the table that has a measure's column."""
    own = measure.table is None or measure.table == spec.table
    return mosaic.released if own else further[str(measure.table)]


def present_measures(
    spec: MapSpec, released: Released, further: Mapping[str, Released], words: Words = ENGLISH
) -> tuple[Sequence[MeasureSpec], tuple[str, ...]]:
    """Take the measures the tables have; say which optional ones they have not."""
    measures, absent = [], []
    for measure in spec.measures:
        own = measure.table is None or measure.table == spec.table
        source = released if own else further.get(str(measure.table))
        wanted = measure.periods or (measure.column,)
        if source is not None and set(wanted) <= set(source.table.columns):
            for name in (*wanted, *([measure.period] if measure.period else [])):
                refuse_confidential(source, name)
            measures.append(measure)
        elif measure.optional:
            label = measure.label or column_of(source or released, measure.column).label
            absent.append(words("no_measure", label=label))
        else:
            found = () if source is None else source.table.columns
            missing = [name for name in wanted if name not in set(found)]
            raise MissingColumns(measure.table or released.name, missing, found)
    if not measures:
        raise MissingColumns(released.name, [spec.measures[0].column], released.table.columns)
    return measures, tuple(absent)


def pack_place(mosaic: Mosaic) -> tuple[dict[str, Any], list[Packed]]:
    """Pack where the pieces are: runs of cells, or polygons and their names."""
    if mosaic.geometry is not None:
        polygons = pack_json(packed_geometry(mosaic.geometry, AREA_STYLE))
        titles = pack_json(list(mosaic.titles))
        place: dict[str, Any] = {"kind": "areas", "geometry": polygons.name, "titles": titles.name}
        return place | {"cells": len(mosaic.table)}, [polygons, titles]
    resolution = mosaic.resolution or 0
    cell = mosaic.table["cell"].to_numpy(dtype=np.int64)
    ids, runs = pack_ids(lattice_codes(cell, resolution))
    place = {"kind": "cells", "resolution": resolution, "runs": runs, "ids": ids.name}
    return place | {"cells": len(cell)}, [ids]


def pack_measure(
    measure: MeasureSpec,
    values: Values,
    source: Released,
    mosaic: Mosaic,
    periods: Sequence[Period],
    words: Words,
) -> tuple[dict[str, Any], list[Packed]]:
    """Pack one column: a code per piece and period, and the value of each code."""
    column = column_of(source, measure.column)
    many = bool(values.periods) and len(values.flat) > EXACT_UP_TO
    parts = classed(values.flat, measure, column, only_classes=many, words=words)
    planes = planes_of(parts, values, mosaic)
    tallies = [tally(codes, parts) for codes in planes]
    packed = [code_plane(codes, parts.bits) for codes in planes]
    scale = 10**parts.digits
    if parts.exact:
        whole = np.round(parts.code_values * scale).astype(np.int64)
        listed = pack_json(np.diff(whole, prepend=0).tolist())
    else:
        listed = pack_json([float(f"{value:.7g}") for value in parts.code_values])
    stops = {period.label: i for i, period in enumerate(values.periods)}
    head = measure_head(measure, parts) | {
        "help": measure.help or words.text(column.help),
        "unit": None if column.unit in SILENT_UNITS else column.unit,
        "codes": [each.name for each in packed],
        "at": [stops.get(period.label, -1) for period in periods] if stops else [],
        "counts": [counts for counts, _ in tallies],
        "missingCells": [missing for _, missing in tallies],
        "values": listed.name,
        "scale": scale,
        "onlyClasses": many and not measure.categories,
    }
    return head, [*packed, listed]


def planes_of(parts: Classed, values: Values, mosaic: Mosaic) -> NDArray[np.int64]:
    """Put the codes of each period on their pieces; a piece without a value is unknown."""
    unknown = UNKNOWN_8 if parts.bits == 8 else UNKNOWN_16
    codes = np.full((max(1, len(values.periods)), len(mosaic.table)), unknown, dtype=np.int64)
    taken = slice(None) if (values.piece >= 0).all() else values.piece >= 0
    codes[values.period[taken], values.piece[taken]] = parts.codes[taken]
    return codes


def tally(codes: NDArray[np.int64], parts: Classed) -> tuple[list[int], int]:
    """Count the pieces of each class, and those that are unknown."""
    edges = parts.first_code
    counts = np.bincount(codes, minlength=edges[-1] + 1)
    ends = np.concatenate([[0], np.cumsum(counts)])
    classes = [int(ends[b] - ends[a]) for a, b in pairwise(edges)]
    return classes, int(codes.size - sum(classes))


def measure_head(measure: MeasureSpec, parts: Classed) -> dict[str, Any]:
    """Say what the page must know of one measure."""
    return {
        "id": measure.called,
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
        "classes": [
            {"label": label, "colour": colour}
            for label, colour in zip(parts.labels, parts.colours, strict=True)
        ],
    }


def pack_texts(
    spec: MapSpec, released: Released, table: pd.DataFrame, words: Words
) -> tuple[list[dict[str, Any]], list[Packed]]:
    """Pack the columns of the tooltip: each a dictionary of words, and a position per cell."""
    heads: list[dict[str, Any]] = []
    blobs: list[Packed] = []
    named = [(name, False) for name in spec.facts] + ([(spec.reason, True)] if spec.reason else [])
    for name, is_reason in named:
        if name not in table:
            continue
        refuse_confidential(released, name)
        column = column_of(released, name)
        if is_reason:
            codes, said = unique_words(table[name].astype("string").fillna(""), column, words)
        else:
            codes, said = unique_words(table[name], column, words)
        low, high = code_plane(codes & 0xFFFF, 16), code_plane(codes >> 16, 8)
        listed = pack_json(said)
        blobs += [low, high, listed]
        heads.append(
            {"label": column.label, "reason": is_reason, "low": low.name, "high": high.name}
            | {"words": listed.name}
        )
    return heads, blobs


def pack_hatch(
    spec: MapSpec, mosaic: Mosaic, words: Words
) -> tuple[dict[str, Any] | None, list[Packed], tuple[str, ...]]:
    """Pack which pieces are hatched."""
    if spec.hatch is None:
        return None, [], ()
    if spec.hatch not in mosaic.table:
        return None, [], (words("no_hatch", label=spec.hatch_label),)
    refuse_confidential(mosaic.released, spec.hatch)
    hatched = mosaic.table[spec.hatch].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    packed = code_plane(hatched.astype(np.int64), 8)
    head = {"label": spec.hatch_label, "codes": packed.name, "cells": int(hatched.sum())}
    return head, [packed], ()


class CellLayer(Layer):
    """Cells or areas as a folium layer: layer controls and swipes work with it."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = pocgeo.cells(
                {{ this.head_name|tojson }}, {{ this.options|tojson }});
        {% endmacro %}
        """
    )

    def __init__(
        self, pack: CellPack, figure: OfflineFigure, shown: str = "", side: str = ""
    ) -> None:
        """Keep the pack in the page; `shown` is a measure, `side` left or right of a swipe."""
        super().__init__(name="Cells", overlay=True, control=True, show=True)
        self._name = "CellLayer"
        for packed in pack.blobs:
            figure.keep(packed.name, packed.content)
        self.head_name = figure.keep_json(pack.head)
        names = [measure.called for measure in pack.measures]
        self.options = {"shown": names.index(shown) if shown in names else 0, "side": side}
