"""One map on one sheet: the same declaration, classes and colours as the page."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.provenance import digest_of
from pocgeo.products.exports import written_atomically
from pocgeo.products.figures.colouring import Coloured, draw_pieces
from pocgeo.products.figures.furniture import (
    LegendEntry,
    grid,
    labels,
    legend,
    marking,
    north_and_scale,
    paragraph,
)
from pocgeo.products.figures.overlays import Over, draw_overlay, filled
from pocgeo.products.figures.plane import plane_of
from pocgeo.products.figures.sheet import FORMS, Sheet
from pocgeo.products.figures.words import Words
from pocgeo.products.maps.cell_layer import planes_of, present_measures, source_of, tally
from pocgeo.products.maps.chart import placed
from pocgeo.products.maps.classes import classed
from pocgeo.products.maps.mosaic import mosaic_of, values_of
from pocgeo.products.maps.page import DISCLAIMER, PageFrame
from pocgeo.products.maps.spec import BACKGROUND, MapSpec
from pocgeo.products.maps.translation import columns_of, released_in, spec_in, tables_in
from pocgeo.products.maps.wording import column_of
from pocgeo.products.released import Released

__all__ = ["STILL", "figure_bytes", "save_figure", "settings", "sheet_figure"]

FRAME, BARE_FRAME = (0.02, 0.13, 0.70, 0.735), (0.002, 0.085, 0.72, 0.913)
"""Left, bottom, width and height of the map, parts of the sheet; with a head and without."""

PANEL, BARE_PANEL = (0.735, 0.98, 0.13, 0.862), (0.735, 0.995, 0.085, 0.99)
"""Left, right, bottom and top of the legend."""

STILL = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""What would make the same map give other bytes."""


def save_figure(
    path: Path | str, spec: MapSpec, cells: Released | None, overlays: Mapping[str, Released],
    frame: PageFrame, *, sheet: Sheet | None = None,
    further: Mapping[str, Released] | None = None,
) -> Path:  # fmt: skip
    """Draw one map on one sheet and write it as PNG, SVG or PDF.

    Parameters
    ----------
    path : Path or str
        Its ending chooses the form: .png, .svg, .pdf. An older file is replaced in one step.
    spec, cells, overlays, frame, further
        As for `pocgeo.products.maps.draw`; every table has passed the gate.
    sheet : Sheet, optional
        Paper, resolution, language, measure; A4 lying, 300 dpi, English, the first measure.

    Raises
    ------
    BadInput
        The ending is none of the three.
    Refused
        A table was released for another audience, or its marking is above the sheet's.
    """
    path = Path(path)
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise BadInput(f"{path}: a figure is {', '.join(FORMS)}. Give the file such an ending.")
    content = figure_bytes(
        form, spec, cells, overlays, frame, sheet=sheet or Sheet(), further=further or {}
    )
    written_atomically(path, content)
    return path


def figure_bytes(
    form: str, spec: MapSpec, cells: Released | None, overlays: Mapping[str, Released],
    frame: PageFrame, *, sheet: Sheet, further: Mapping[str, Released],
) -> bytes:  # fmt: skip
    """Draw one map on one sheet; the same inputs give the same bytes."""
    with settings():
        made = sheet_figure(spec, cells, overlays, frame, sheet=sheet, further=further)
        buffer = io.BytesIO()
        made.savefig(buffer, format=form, metadata=STILL[form])
    return buffer.getvalue()


def sheet_figure(
    spec: MapSpec, cells: Released | None, overlays: Mapping[str, Released], frame: PageFrame, *,
    sheet: Sheet, further: Mapping[str, Released],
) -> Figure:  # fmt: skip
    """Draw one map as a figure of matplotlib, under the caller's `settings`."""
    for released in (*overlays.values(), *further.values(), *([cells] if cells else [])):
        released.refuse_unless_fit("figure", frame.audience, frame.marking)
    words = Words(sheet.language)
    named = columns_of(spec)
    spec = spec_in(spec, words)
    cells = None if cells is None else released_in(cells, named, words)
    overlays, further = tables_in(overlays, named, words), tables_in(further, named, words)
    made = Figure(figsize=sheet.size, dpi=sheet.dpi, facecolor="white")
    coloured = None if cells is None else coloured_of(spec, cells, further, sheet, words)
    entries = draw_map(made, spec, coloured, overlays, frame, sheet, words)
    frame = replace(frame, notes=(*frame.notes, *not_drawn(spec, overlays, words)))
    draw_around(made, spec, coloured, entries, frame, sheet, words)
    return made


def not_drawn(spec: MapSpec, overlays: Mapping[str, Released], words: Words) -> list[str]:
    """Name the layers that readers outside have by area only."""
    return [
        words("not_drawn", audience=words.text(overlays[item.layer].audience), name=item.name)
        for item in spec.overlays
        if item.layer in overlays
        and overlays[item.layer].audience != "internal"
        and not placed(overlays[item.layer])
    ]


@contextmanager
def settings() -> Iterator[None]:
    """Hold matplotlib to what gives the same bytes everywhere, whatever the user has set."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"font.family": "DejaVu Sans", "svg.hashsalt": "pocgeo", "svg.fonttype": "none",
             "pdf.fonttype": 42, "hatch.linewidth": 0.5}
        )  # fmt: skip
        yield


def coloured_of(
    spec: MapSpec, cells: Released, further: Mapping[str, Released], sheet: Sheet, words: Words
) -> Coloured:
    """Put the measure of the sheet into classes, as the page does."""
    mosaic, spec = mosaic_of(spec, cells, further, words)
    measures, _ = present_measures(spec, cells, further)
    names = [measure.called for measure in measures]
    if sheet.measure and sheet.measure not in names:
        raise UnknownName(f"measure of map {spec.name}", sheet.measure, names)
    measure = measures[names.index(sheet.measure) if sheet.measure else 0]
    source = source_of(measure, spec, mosaic, further)
    values = values_of(mosaic, measure, source, spec, words)
    column = column_of(source, measure.column)
    parts = classed(values.flat, measure, column, words=words)
    periods = values.periods
    if periods and not -len(periods) <= sheet.period < len(periods):
        raise BadInput(f"period {sheet.period}: map {spec.name} has {len(periods)} periods.")
    at = sheet.period % len(periods) if periods else 0
    codes = planes_of(parts, values, mosaic)[at]
    counts, missing = tally(codes, parts)
    first = np.array(parts.first_code)
    classes = np.searchsorted(first, codes, side="right") - 1
    classes = np.where(codes >= first[-1], len(parts.labels), classes)
    hatched = None
    if spec.hatch and spec.hatch in mosaic.table:
        said = mosaic.table[spec.hatch].astype("boolean").fillna(value=False)
        hatched = said.to_numpy(dtype=bool)
    return Coloured(
        mosaic=mosaic, measure=measure, parts=parts, classes=classes, counts=tuple(counts),
        missing=missing, period=periods[at].label if periods else "", spec=spec, hatched=hatched,
    )  # fmt: skip


def draw_map(
    made: Figure, spec: MapSpec, coloured: Coloured | None, overlays: Mapping[str, Released],
    frame: PageFrame, sheet: Sheet, words: Words,
) -> list[LegendEntry]:  # fmt: skip
    """Draw the map itself; gives the legend of what lies over the cells."""
    wide, high = sheet.size
    place = BARE_FRAME if sheet.bare else FRAME
    width, height = place[2:]
    plane, window = plane_of(frame.boundary.bounds, width * wide / (height * high))
    axes = made.add_axes(place)
    axes.set(xlim=window[:2], ylim=window[2:], xticks=[], yticks=[], facecolor="#f4f6f7")
    shore = plane.geometry(np.array([frame.boundary]))
    over = Over(axes=axes, plane=plane, window=window, scale=sheet.scale, words=words,
                shore=shore[0], unit=(window[1] - window[0]) / (width * wide * 72))  # fmt: skip
    axes.add_collection(PathCollection(list(filled(shore[0])), facecolors="white",
                                       edgecolors="none", zorder=1))  # fmt: skip
    entries = []
    if coloured is not None:
        dots = (round(height * high * sheet.dpi), round(width * wide * sheet.dpi))
        entries += draw_pieces(over, coloured, dots)
    grid(axes, plane, window, 4.6 * sheet.scale)
    for number, item in enumerate(spec.overlays):
        if item.layer not in overlays or not item.show:
            continue
        drawn = draw_overlay(over, item, overlays[item.layer], 3 + 0.2 * number)
        if drawn and item.layer != BACKGROUND.layer:
            name = item.name or overlays[item.layer].title
            entries.append(LegendEntry(label=name, style=item.style or item.layer))
    outline = [
        shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shore))
    ]
    for ring in outline:
        axes.plot(ring[:, 0], ring[:, 1], color="#20303f", lw=1.1 * sheet.scale, zorder=2.9)
    labels(over)
    north_and_scale(axes, window, words, 5.6 * sheet.scale)
    return entries


def draw_around(
    made: Figure, spec: MapSpec, coloured: Coloured | None, entries: Sequence[LegendEntry],
    frame: PageFrame, sheet: Sheet, words: Words,
) -> None:  # fmt: skip
    """Write title, facts, legend, notes and marking."""
    s = sheet.scale
    left, right, bottom, top = BARE_PANEL if sheet.bare else PANEL
    if not sheet.bare:
        draw_head(made, spec, frame, words, s)
    y = top if sheet.bare else 0.958
    for key, said in facts(frame, words):
        y = paragraph(
            made, (left, right, 0.0, y), f"{words(key)}{words('colon')}{said}", words, 6.8 * s
        )
    top = min(top, y - 0.02)
    if coloured is not None:
        heading = coloured.parts.label
        heading += f" · {coloured.period}" if coloured.period else ""
        top = legend(made, (left, right, bottom, top), heading, class_entries(coloured),
                     words, 6.8 * s)  # fmt: skip
        top = paragraph(made, (left, right, bottom, top), coloured.measure.help or "",
                        words, 5.8 * s, color="#3a4650") - 0.012  # fmt: skip
    if entries:
        legend(made, (left, right, bottom, top), words("also_shown"), entries, words, 6.8 * s)
    footer(made, spec, coloured, frame, sheet, words)


def draw_head(made: Figure, spec: MapSpec, frame: PageFrame, words: Words, s: float) -> None:
    """Write the marking, the title and the question."""
    marking(made, frame.marking, words, 9 * s)
    head = paragraph(made, (0.02, 0.70, 0.90, 0.963), words.text(frame.title), words, 14 * s,
                     weight="bold")  # fmt: skip
    paragraph(made, (0.02, 0.70, 0.87, head), spec.question, words, 8.2 * s,
              color="#3a4650")  # fmt: skip


def facts(frame: PageFrame, words: Words) -> Iterator[tuple[str, str]]:
    """Say place, period, cut-off and audience."""
    yield "area", frame.aoi_name
    if frame.period:
        first, last = map(words.day, frame.period)
        yield "period", words("from_to", low=first, high=last)
    yield "data_to", words.day(frame.cut_off_on)
    yield "audience", words.text(frame.audience)


def class_entries(coloured: Coloured) -> list[LegendEntry]:
    """Write the legend of the classes, the highest first, with their shares of the cells."""
    total = max(1, sum(coloured.counts) + coloured.missing)
    parts = coloured.parts
    made = [
        LegendEntry(label=label, colour=colour, share=share_of(count / total))
        for label, colour, count in zip(parts.labels, parts.colours, coloured.counts, strict=True)
    ]
    if not coloured.measure.categories:
        made.reverse()
    if coloured.missing:
        made.append(LegendEntry(label=coloured.measure.missing, hatch="////",
                                share=share_of(coloured.missing / total)))  # fmt: skip
    if coloured.hatched is not None and coloured.hatched.any():
        made.append(LegendEntry(label=coloured.spec.hatch_label, hatch="xx"))
    return made


def share_of(part: float) -> str:
    """Write a part of the cells."""
    return "<0.1 %" if 0 < part < 0.001 else f"{100 * part:.1f} %"


def footer(
    made: Figure, spec: MapSpec, coloured: Coloured | None, frame: PageFrame, sheet: Sheet,
    words: Words,
) -> None:  # fmt: skip
    """Write notes, method, the disclaimer of boundaries, and where the sheet comes from."""
    s = sheet.scale
    left, right, low = (0.002, 0.998, 0.0) if sheet.bare else (0.02, 0.98, 0.03)
    released = coloured.mosaic.released if coloured else None
    said = [*frame.notes, *spec.notes]
    if released is not None:
        said += [*released.withheld, *released.notes]
    text = " ".join(words.text(line) for line in dict.fromkeys(said))
    y = paragraph(made, (left, right, low + 0.044, low + 0.08 if sheet.bare else 0.122), text,
                  words, 5.8 * s)  # fmt: skip
    if frame.method:
        method = f"{words('method')}{words('colon')}{words.text(frame.method)}"
        y = paragraph(made, (left, right, low + 0.018, min(y, low + 0.058)), method, words, 5.8 * s,
                      color="#3a4650")  # fmt: skip
    made_line = words("made", day=words.day(frame.made_at), time=f"{frame.made_at:%H:%M}",
                      digest=digest_of(frame.manifest)[:12])  # fmt: skip
    paragraph(made, (left, right, low - 0.002, min(y, low + 0.03)),
              f"{words.text(DISCLAIMER)} {made_line}", words, 5.4 * s, color="#3a4650")  # fmt: skip
