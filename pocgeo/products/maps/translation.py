"""A map in another language: its declaration and the columns it names, before anything is drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.maps.spec import Compare, MapSpec, MeasureSpec, OverlaySpec
from pocgeo.products.released import Released
from pocgeo.products.words import Words

__all__ = ["column_in", "columns_of", "released_in", "spec_in", "tables_in"]


def spec_in(spec: MapSpec, words: Words) -> MapSpec:
    """Translate every text of a declaration; values and names of columns stay."""
    said = words.text
    return replace(
        spec,
        title=said(spec.title),
        question=said(spec.question),
        notes=tuple(map(said, spec.notes)),
        hatch_label=said(spec.hatch_label) if spec.hatch else spec.hatch_label,
        measures=tuple(measure_in(measure, words) for measure in spec.measures),
        overlays=tuple(overlay_in(overlay, words) for overlay in spec.overlays),
        compare=None if spec.compare is None else compare_in(spec.compare, words),
    )


def measure_in(measure: MeasureSpec, words: Words) -> MeasureSpec:
    """Translate a measure and its categories."""
    said = words.text
    return replace(
        measure,
        label=said(measure.label or "") or None,
        help=said(measure.help or "") or None,
        zero=None if measure.zero is None else said(measure.zero),
        missing=said(measure.missing),
        period_labels=tuple(map(said, measure.period_labels)),
        categories=tuple(replace(each, label=said(each.label)) for each in measure.categories),
    )


def overlay_in(overlay: OverlaySpec, words: Words) -> OverlaySpec:
    """Translate what the panel calls a layer."""
    return replace(overlay, name=words.text(overlay.name or "") or None)


def compare_in(compare: Compare, words: Words) -> Compare:
    """Translate what is written on the two sides."""
    return replace(
        compare,
        left_label=words.text(compare.left_label),
        right_label=words.text(compare.right_label),
    )


def columns_of(spec: MapSpec) -> set[str]:
    """Name the columns of which a map writes label, unit, help or the word for unknown."""
    named = {*spec.facts, *([spec.reason] if spec.reason else [])}
    for measure in spec.measures:
        named |= {measure.column, *measure.periods}
    for overlay in spec.overlays:
        named |= {*overlay.facts, *filter(None, (overlay.label, overlay.kind))}
    return named


def tables_in(
    tables: Mapping[str, Released], named: Iterable[str], words: Words
) -> dict[str, Released]:
    """Translate the named columns of several tables, of which no notes are printed."""
    names = set(named)
    return {key: released_in(released, names, words, notes=False)
            for key, released in tables.items()}  # fmt: skip


def released_in(
    released: Released, named: Iterable[str], words: Words, *, notes: bool = True
) -> Released:
    """Translate the named columns of a table, its notes, and what it says is withheld."""
    if words.language == "en":
        return released
    own = {name: column_in(released.columns[name], words)
           for name in named if name in released.columns and name in released.table}  # fmt: skip
    return replace(
        released,
        columns={**released.columns, **own},
        notes=tuple(map(words.text, released.notes)) if notes else released.notes,
        withheld=tuple(map(words.text, released.withheld)),
    )


def column_in(column: ColumnSpec, words: Words) -> ColumnSpec:
    """Translate what people read of a column: label, unit, and the word for unknown."""
    return replace(
        column,
        label=words.text(column.label),
        unit=words.text(column.unit or "") or None,
        missing=column.missing if column.missing == "–" else words.text(column.missing),
    )
