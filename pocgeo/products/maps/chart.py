"""One map of a page: the folium elements of one declaration, on one chart or on two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from folium.elements import JSCSSMixin
from folium.template import Template

from pocgeo.products.disclosure import Released
from pocgeo.products.maps.cell_layer import CellLayer, CellPack, pack_cells
from pocgeo.products.maps.offline import OfflineFigure, OfflineMap
from pocgeo.products.maps.overlays import (
    Ground,
    OverlayLayer,
    OverlayPack,
    pack_boundary,
    pack_overlay,
)
from pocgeo.products.maps.safe_text import json_block
from pocgeo.products.maps.spec import MapSpec
from pocgeo.products.words import Words

__all__ = ["Chart", "charted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One map as it stands in a page: where it is drawn, and what must be said under it."""

    spec: MapSpec
    maps: tuple[OfflineMap, ...]
    said: tuple[str, ...]


class Furniture(JSCSSMixin):
    """All that is around one map: panel, scale, north, grid, read-out; and our scripts."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            pocgeo.furnish({{ this.settings|tojson }}, [{% for view in this.views %}
                {map: {{ view.map.get_name() }},
                 cells: [{% for layer in view.cells %}{{ layer.get_name() }}, {% endfor %}],
                 overlays: [{% for layer in view.overlays %}{{ layer.get_name() }}, {% endfor %}]},
            {% endfor %}]);
        {% endmacro %}
        """
    )
    default_js = [  # noqa: RUF012 - folium's own attribute
        ("h3-js", "vendor:h3-js"),
        ("pocgeo-pack", "pocgeo:pocgeo-pack.js"),
        ("pocgeo-grid", "pocgeo:pocgeo-grid.js"),
        ("pocgeo-store", "pocgeo:pocgeo-store.js"),
        ("pocgeo-cells", "pocgeo:pocgeo-cells.js"),
        ("pocgeo-symbols", "pocgeo:pocgeo-symbols.js"),
        ("pocgeo-marks", "pocgeo:pocgeo-marks.js"),
        ("pocgeo-overlays", "pocgeo:pocgeo-overlays.js"),
        ("pocgeo-time", "pocgeo:pocgeo-time.js"),
        ("pocgeo-page", "pocgeo:pocgeo-page.js"),
    ]
    default_css = [("pocgeo", "pocgeo:pocgeo.css")]  # noqa: RUF012 - folium's own attribute

    def __init__(self, settings: str, views: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Furniture"
        self.settings, self.views = settings, views


def charted(
    figure: OfflineFigure,
    spec: MapSpec,
    ground: Ground,
    cells: Released | None,
    overlays: Mapping[str, Released],
    further: Mapping[str, Released],
) -> Chart:
    """Add one map to a figure; of the tables, only the columns that `spec` names.

    Raises
    ------
    MissingColumns
        A table lacks a column the map needs.
    """
    words = ground.words
    credit = [words("background", credit=spec.tiles_credit)] if spec.tiles_credit else []
    said = [*spec.notes, *credit]
    pack = None
    if spec.table is not None and cells is None:
        said.append(words("no_cells", table=spec.table))
    elif spec.table is not None and cells is not None:
        pack = pack_cells(spec, cells, further, words)
        said += [*pack.notes, *cells.notes, *cells.withheld, *pack.absent]
    packs = [pack_boundary(ground.boundary, words("aoi"))]
    for item in spec.overlays:
        if item.layer in overlays:
            released = overlays[item.layer]
            said += released.withheld
            if released.audience != "internal" and not placed(released):
                said.append(
                    words("not_drawn", audience=words.text(released.audience), name=item.name)
                )
                continue
            packs.append(pack_overlay(item, released, ground))
    compare = compared(spec, pack)
    beside = compare is not None and spec.compare is not None and spec.compare.how == "beside"
    views = [viewed(figure, spec, pack, packs, side) for side in sides(compare, beside=beside)]
    settings = keep_settings(figure, spec, ground, overlays, compare)
    views[-1]["map"].add_child(Furniture(settings, views))
    maps = tuple(view["map"] for view in views)
    return Chart(spec=spec, maps=maps, said=tuple(dict.fromkeys(said)))


def keep_settings(
    figure: OfflineFigure,
    spec: MapSpec,
    ground: Ground,
    overlays: Mapping[str, Released],
    compare: Mapping[str, str] | None,
) -> str:
    """Keep what the panel must know of a map, and the words of the scripts."""
    keep_words(figure, ground.words)
    return figure.keep_json(
        {
            "title": spec.title,
            "bounds": list(ground.boundary.bounds),
            "absent": [
                item.name or item.layer
                for item in spec.overlays
                if item.layer not in overlays and not item.optional
            ],
            "single": ground.single,
            "aoi": ground.aoi_name,
            "tiles": spec.tiles,
            "credit": spec.tiles_credit,
            "compare": compare and {"left": compare["left_label"], "right": compare["right_label"]},
        }
    )


def keep_words(figure: OfflineFigure, words: Words) -> None:
    """Keep what the scripts say, once a page, under the name that they ask for."""
    figure.keep("pocgeo-words", json_block(words.browser()), "application/json")


def placed(released: Released) -> bool:
    """Say whether rows have a place of their own."""
    return "geometry" in released.table or {"lon", "lat"} <= set(released.table.columns)


def compared(spec: MapSpec, pack: CellPack | None) -> dict[str, str] | None:
    """Say which measures stand against one another, where both are there."""
    if spec.compare is None or pack is None:
        return None
    names = {measure.called for measure in pack.measures}
    if not {spec.compare.left, spec.compare.right} <= names:
        return None
    return {
        "left": spec.compare.left, "right": spec.compare.right,
        "left_label": spec.compare.left_label, "right_label": spec.compare.right_label,
    }  # fmt: skip


def sides(compare: Mapping[str, str] | None, *, beside: bool) -> list[list[tuple[str, str]]]:
    """Give the measure and side of each coloured layer, map by map."""
    if compare is None:
        return [[("", "")]]
    if beside:
        return [[(compare["left"], "")], [(compare["right"], "")]]
    return [[(compare["left"], "left"), (compare["right"], "right")]]


def viewed(
    figure: OfflineFigure,
    spec: MapSpec,
    pack: CellPack | None,
    packs: list[OverlayPack],
    layers: list[tuple[str, str]],
) -> dict[str, Any]:
    """Make one chart with its layers, the coloured ones under the others."""
    beside = spec.compare is not None and spec.compare.how == "beside"
    chart = OfflineMap(
        zoom_snap=0.25, zoom_delta=0.5, max_zoom=17, wheel_px_per_zoom_level=90,
        zoom_animation=not beside,
    )  # fmt: skip
    figure.add_child(chart)
    cells = [] if pack is None else [CellLayer(pack, figure, *layer) for layer in layers]
    outline, *over = [OverlayLayer(each, figure) for each in packs]
    for layer in (outline, *cells, *over):
        chart.add_child(layer)
    return {"map": chart, "cells": cells, "overlays": [outline, *over]}
