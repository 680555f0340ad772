"""Points, lines and areas of a map on paper, in the styles of the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path
from numpy.typing import NDArray

from pocgeo.products.figures.plane import Plane
from pocgeo.products.figures.words import Words
from pocgeo.products.maps.chart import placed
from pocgeo.products.maps.fills import areal, name_places
from pocgeo.products.maps.overlays import geometry_of
from pocgeo.products.maps.spec import OverlaySpec
from pocgeo.products.maps.styles import STYLES
from pocgeo.products.maps.wording import refuse_confidential
from pocgeo.products.released import Released

__all__ = ["Label", "Over", "draw_overlay"]

Box = tuple[float, float, float, float]

GAPS = {"base": 9.5, "site": 4.5, "alert": 3.5, "rank": 5.5}
"""Half the width of a symbol, points."""

CROWDED, SMALLER = 0.04, 0.6
"""Part of the map that symbols may cover at full size, and their size beyond that."""

APART = 24.0
"""Points between two places that are drawn."""

PLACE_PRIORITY = (2.0, 5.0, 6.0, 7.0)
AFTER_PLACES = 5.0
"""Order of labels, 1 the first; names of crowded sites come after those of places."""

BENEATH = 0.5
"""Order of what lies under the land of the AOI."""

NAVY = "#0b2a45"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name beside a feature, in kilometres on the sheet."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    priority: float
    bold: bool = False
    gap: float = 4.5
    """From the point to the letters, points."""

    centred: bool = False
    """Whether it stands on the point, not beside it."""


@dataclass(slots=True, kw_only=True)
class Over:
    """Where overlays are drawn, and the labels they want."""

    axes: Axes
    plane: Plane
    window: Box
    """left, right, bottom, top; kilometres"""

    scale: float
    words: Words
    shore: Any
    """Outline of the AOI on the sheet."""

    unit: float
    """Kilometres of a typographic point."""

    labels: list[Label] = field(default_factory=list)
    marks: list[tuple[float, float, float]] = field(default_factory=list)
    """x, y in kilometres and half a width in points: symbols that no letter may cover."""


def draw_overlay(over: Over, spec: OverlaySpec, released: Released, order: float) -> bool:
    """Draw one released layer; says whether anything of it lies on the sheet.

    What readers outside have by area only has no place of its own, and is not drawn.

    Raises
    ------
    MissingColumns
        The table has neither geometry nor lon and lat.
    """
    if released.audience != "internal" and not placed(released):
        return False
    style = STYLES[spec.style or spec.layer]
    rows = len(released.table) if spec.top is None else min(spec.top, len(released.table))
    geometry = geometry_of(released, rows)
    drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    shapes = over.plane.geometry(geometry[drawn])
    for name in (spec.kind, spec.label):
        if name:
            refuse_confidential(released, name)
    table, shapes = larger_first(released.table.iloc[:rows].loc[drawn], shapes, spec.size)
    kinds = column(table, spec.kind, len(shapes))
    names = column(table, spec.label, len(shapes))
    seen = in_window(shapes, over.window)
    if style["draw"] == "place":
        seen[seen] = with_room(over, shapes[seen], style, kinds[seen])
    shapes, kinds, names = shapes[seen], kinds[seen], names[seen]
    if not shapes.size:
        return False
    how = str(style["draw"])
    order = BENEATH if style.get("beneath") else order
    if "fills" in style:
        lakes_and_neighbours(over, shapes, kinds, names, style, order)
    if how in {"line", "area"}:
        lines_and_areas(over, shapes, kinds, style, order)
    else:
        marks(over, shapes, kinds, style, order)
    wanted_labels(over, shapes, kinds, names, style)
    return True


def larger_first(
    table: pd.DataFrame, shapes: NDArray[np.object_], size: str | None
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Put the larger before the smaller, as the page does."""
    if size not in table.columns:
        return table, shapes
    sizes = table[size].to_numpy("float64", na_value=-np.inf)
    order = np.argsort(-sizes, kind="stable")
    return table.iloc[order], shapes[order]


def column(table: pd.DataFrame, name: str | None, rows: int) -> NDArray[np.object_]:
    """Take a column as text; empty where there is none or a value is unknown."""
    if not name or name not in table:
        return np.full(rows, "", dtype=object)
    return np.asarray(table[name].astype("string").fillna("").to_numpy(), dtype=object)


def in_window(shapes: NDArray[np.object_], window: Box) -> NDArray[np.bool_]:
    """Say which shapes touch the sheet."""
    left, right, bottom, top = window
    touched: NDArray[np.bool_] = shapely.intersects(shapes, shapely.box(left, bottom, right, top))
    return touched


def of_kind(style: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Give the style of one kind of feature."""
    return {**style, **style.get("kinds", {}).get(kind.removesuffix(".0"), {})}


HEADS = (0.3, 0.75)
"""Where on its way a line that leads somewhere has heads, parts of its length."""


def lines_and_areas(
    over: Over,
    shapes: NDArray[np.object_],
    kinds: NDArray[np.object_],
    style: Mapping[str, Any],
    order: float,
) -> None:
    """Draw lines and outlines, a collection for each kind."""
    for kind in dict.fromkeys(kinds):
        own, part = of_kind(style, str(kind)), shapes[kinds == kind]
        width = float(own.get("weight", 1)) * 0.55 * over.scale
        dash = (0, tuple(float(n) * 0.8 for n in own["dash"])) if own.get("dash") else "solid"
        if own["draw"] == "area" and own.get("fill"):
            paths = [path for shape in part for path in filled(shape)]
            over.axes.add_collection(
                PathCollection(paths, facecolors=own["fill"], alpha=own.get("opacity", 0.3),
                               edgecolors="none", zorder=order)
            )  # fmt: skip
        over.axes.add_collection(
            LineCollection(
                list(strokes(part)),
                colors=own["colour"],
                linewidths=width,
                linestyles=dash,
                alpha=1.0 if own["draw"] == "area" else own.get("opacity", 1.0),
                zorder=order + 0.1,
                capstyle="butt",
            )
        )
        if own.get("arrow"):
            arrowheads(over, part, own["colour"], order + 0.2)


def arrowheads(over: Over, shapes: NDArray[np.object_], colour: str, order: float) -> None:
    """Say which way lines lead: heads on the way, clear of the symbols at its ends."""
    for line in map(shapely.linestrings, strokes(shapes)):
        for part in HEADS:
            ends = shapely.line_interpolate_point(line, [part - 0.01, part], normalized=True)
            tail, tip = shapely.get_coordinates(ends)
            over.axes.annotate(
                "", tip, tail, zorder=order, annotation_clip=True,
                arrowprops={"arrowstyle": "-|>,head_width=0.4,head_length=0.9", "fc": colour,
                            "ec": "white", "lw": 0.4 * over.scale, "shrinkA": 0, "shrinkB": 0,
                            "mutation_scale": 10 * over.scale},
            )  # fmt: skip


def lakes_and_neighbours(
    over: Over,
    shapes: NDArray[np.object_],
    kinds: NDArray[np.object_],
    names: NDArray[np.object_],
    style: Mapping[str, Any],
    order: float,
) -> None:
    """Fill the areas of a layer of lines, and note their names where there is room for them."""
    left, right, bottom, top = over.window
    beyond = over.shore if style.get("beneath") else None
    look = style["fills"]
    for shape, kind, name in zip(*(each[areal(shapes)] for each in (shapes, kinds, names)),
                                 strict=True):  # fmt: skip
        own = {**look, **look.get("kinds", {}).get(str(kind), {})}
        over.axes.add_collection(
            PathCollection(list(filled(shape)), facecolors=own["fill"], alpha=own["opacity"],
                           edgecolors="none", zorder=order - 0.05)
        )  # fmt: skip
        places = name_places(shape, [(left, bottom, right, top)], beyond) if name else []
        over.labels += [a_label(over, place, str(name), look["label"]) for place in places]


def a_label(over: Over, place: tuple[float, float], text: str, look: Mapping[str, Any]) -> Label:
    """Make the label of an area, around its middle."""
    return Label(
        x=place[0], y=place[1], text=text, size=look["size"] * 0.58 * over.scale,
        colour=look["colour"], priority=look["priority"], bold=look["weight"] >= 600, centred=True,
    )  # fmt: skip


def strokes(shapes: NDArray[np.object_]) -> Iterator[NDArray[np.float64]]:
    """Give every line and ring of some shapes as points."""
    parts = shapely.get_parts(shapes)
    areas = np.isin(shapely.get_type_id(parts), [3, 6])
    rings = shapely.get_rings(parts[areas])
    for line in (*parts[~areas], *rings):
        yield shapely.get_coordinates(line)


def filled(shape: Any) -> Iterator[Path]:
    """Give a shape's polygons as paths with their holes."""
    for polygon in shapely.get_parts(shape):
        if shapely.get_type_id(polygon) != 3:
            continue
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]
        if rings:
            yield Path.make_compound_path(*(Path(ring, closed=True) for ring in rings))


def marks(
    over: Over,
    shapes: NDArray[np.object_],
    kinds: NDArray[np.object_],
    style: Mapping[str, Any],
    order: float,
) -> None:
    """Draw points: dots, places by rank, symbols of our own."""
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    ax = over.axes
    symbol = style.get("symbol", style["draw"])
    smaller = SMALLER if crowded(over, symbol, len(shapes)) else 1.0
    x, y, s = centres[:, 0], centres[:, 1], over.scale * smaller
    over.marks += [(px, py, GAPS[symbol] * smaller) for px, py in centres if symbol in GAPS]
    if symbol == "base":
        for (px, py), kind in zip(centres, kinds, strict=True):
            base_mark(over.axes, (px, py), str(kind), str(style.get("status", "")), order, s)
    elif symbol == "site":
        ax.scatter(x, y, s=34 * s, marker="^", c="#ffd58a", edgecolors="#6a3d00",
                   linewidths=0.9 * s, zorder=order)  # fmt: skip
    elif symbol == "alert":
        ax.scatter(x, y, s=26 * s, marker="o", facecolors="none", edgecolors="#0d6b6b",
                   linewidths=1.0 * s, zorder=order)  # fmt: skip
        ax.scatter(x, y, s=5 * s, marker="o", c="#0d6b6b", linewidths=0, zorder=order)
    elif symbol == "rank":
        ax.scatter(x, y, s=70 * s, marker="o", c="white", edgecolors="#111111", linewidths=1.0 * s,
                   zorder=order)  # fmt: skip
        for (px, py), kind in zip(centres, kinds, strict=True):
            ax.text(px, py, str(kind), fontsize=5.6 * s, weight="bold", ha="center", va="center",
                    zorder=order + 0.1)  # fmt: skip
    elif symbol == "place":
        ranks = ranks_of(style, kinds)
        ax.scatter(x, y, s=(13 - 3 * ranks) * s, marker="o", c="white",
                   edgecolors="#222222", linewidths=0.7 * s, zorder=order)  # fmt: skip
    else:
        size = float(style.get("radius", 3)) ** 2 * 0.9 * s
        ax.scatter(x, y, s=size, marker="s" if symbol == "square" else "o",
                   c=style.get("fill", "#334e68"), edgecolors=style.get("colour", "white"),
                   linewidths=0.4 * s, alpha=style.get("opacity", 1), zorder=order)  # fmt: skip


def ranks_of(style: Mapping[str, Any], kinds: NDArray[np.object_]) -> NDArray[np.int64]:
    """Give the rank of places: 0 the first, 3 the least."""
    return np.array([of_kind(style, str(kind)).get("rank", 3) for kind in kinds], dtype=np.int64)


def crowded(over: Over, symbol: str, count: int) -> bool:
    """Say whether so many symbols of full size would cover the map."""
    left, bottom, right, top = over.shore.bounds
    room = max((right - left) * (top - bottom), 1e-9) / (over.unit * over.scale) ** 2
    return bool(count * (2 * GAPS.get(symbol, 0.0)) ** 2 > CROWDED * room)


def with_room(
    over: Over, shapes: NDArray[np.object_], style: Mapping[str, Any], kinds: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Keep the places that stand apart from each more important one; every city is kept."""
    ranks = ranks_of(style, kinds)
    centres = shapely.get_coordinates(shapely.centroid(shapes)) / (APART * over.scale * over.unit)
    kept = np.zeros(len(shapes), dtype=bool)
    held: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for row in np.argsort(ranks, kind="stable").tolist():
        x, y = centres[row].tolist()
        i, j = int(x // 1), int(y // 1)
        around = (held.get((i + a, j + b), ()) for a in (-1, 0, 1) for b in (-1, 0, 1))
        free = all((x - u) ** 2 + (y - v) ** 2 >= 1 for near in around for u, v in near)
        if free or ranks[row] == 0:
            kept[row] = True
            held.setdefault((i, j), []).append((x, y))
    return kept


def base_mark(
    axes: Axes, place: tuple[float, float], kind: str, status: str, order: float, scale: float
) -> None:
    """Draw a base as a framed box with its kind in it; a headquarters stands on a staff."""
    said = kind[:4] if kind and kind != "other" else "•"
    closed = status == "closed"
    axes.annotate(
        said, place, fontsize=5.2 * scale, weight="bold", ha="center", va="center",
        color="#5b6570" if closed else NAVY, zorder=order + 0.1, annotation_clip=True,
        bbox={"boxstyle": "square,pad=0.25", "fc": "#e4e7ea" if closed else "#bfe0ff",
              "ec": "#5b6570" if closed else NAVY, "lw": 0.9 * scale,
              "ls": "--" if status == "planned" else "-"},
    )  # fmt: skip
    if kind == "HQ":
        axes.plot(
            [place[0]], [place[1]], marker=[(-1.0, 0.6), (-1.0, -1.6)], markersize=13 * scale,
            color=NAVY, markeredgewidth=1.0 * scale, zorder=order,
        )  # fmt: skip


def wanted_labels(
    over: Over,
    shapes: NDArray[np.object_],
    kinds: NDArray[np.object_],
    names: NDArray[np.object_],
    style: Mapping[str, Any],
) -> None:
    """Note the names that want room, the more important first."""
    said: Mapping[str, Any] = style.get("label", {})
    place = style["draw"] == "place"
    if not said and not place:
        return
    left, right, bottom, top = over.window
    symbol = str(style.get("symbol", ""))
    late = AFTER_PLACES if crowded(over, symbol, len(shapes)) and symbol == "site" else 0.0
    points = shapely.get_coordinates(shapely.point_on_surface(shapes))
    for (x, y), name, kind in zip(points, names, kinds, strict=True):
        if not name or not (left < x < right and bottom < y < top):
            continue
        rank = of_kind(style, str(kind)).get("rank", 3) if place else 0
        over.labels.append(
            Label(
                x=float(x),
                y=float(y),
                text=str(name),
                size=(7.4 - 0.7 * rank if place else said.get("size", 11) * 0.58) * over.scale,
                colour=str(said.get("colour", "#1a1a1a")),
                priority=float(PLACE_PRIORITY[rank] if place else said.get("priority", 6) + late),
                bold=bool(said.get("weight")) or (place and rank == 0),
                gap=GAPS.get(symbol, 3.5) * (SMALLER if late else 1.0) + 1.0,
                centred=style["draw"] in {"line", "area"},
            )
        )
