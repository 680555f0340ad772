"""Points, lines and areas over the cells: styles, packed geometry, the folium layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from folium.map import Layer
from folium.template import Template
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.cellpack import pack_json
from pocgeo.products.maps.geometry import packed_geometry
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.spec import OverlaySpec
from pocgeo.products.maps.styles import STYLES
from pocgeo.products.maps.wording import column_of, refuse_confidential, unique_words

__all__ = ["STYLES", "OverlayLayer", "OverlayPack", "pack_boundary", "pack_overlay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayPack:
    """One overlay, packed: a head in plain JSON and one blob."""

    head: Mapping[str, Any]
    name: str
    content: str


def pack_overlay(
    spec: OverlaySpec, released: Released, cut_off_on: date | None = None
) -> OverlayPack:
    """Pack the geometry and the named columns of one released layer.

    Parameters
    ----------
    spec : OverlaySpec
        `label`, `kind` and `facts` name the columns; no other goes into the file.
    released : Released, n features
        GeoDataFrame in EPSG:4326, or a table with `lon`, `lat` in degrees.

    Raises
    ------
    MissingColumns
        The table has no geometry. A named column that it lacks is said in the panel.
    """
    table = released.table if spec.top is None else released.table.iloc[: spec.top]
    style_name = spec.style or spec.layer
    if style_name not in STYLES:
        raise UnknownName("map style", style_name, STYLES)
    style = STYLES[style_name]
    named = [name for name in (spec.label, spec.kind) if name]
    wanted = [name for name in named if name in table.columns]
    geometry = geometry_of(released, len(table))
    drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    table, geometry = table.loc[drawn], geometry[drawn]
    facts = [name for name in spec.facts if name in table.columns]
    content: dict[str, Any] = packed_geometry(geometry, style) | {"facts": []}
    for name in (*facts, *wanted):
        refuse_confidential(released, name)
        codes, words = unique_words(table[name], column_of(released, name))
        column = {"label": column_of(released, name).label, "at": codes.tolist(), "words": words}
        if name in facts:
            content["facts"].append(column)
        if name == spec.label:
            content["labels"] = column
        if name == spec.kind:
            content["kinds"] = column
    total = len(released.table)
    head = {
        "name": spec.name or released.title,
        "style": {key: value for key, value in style.items() if key != "tolerance_deg"},
        "show": spec.show,
        "features": len(table),
        "of": total,
        "unplaced": int((~drawn).sum()),
        "lacks": [name for name in named if name not in wanted],
    }
    packed = pack_json(content)
    return OverlayPack(head=head | {"data": packed.name}, name=packed.name, content=packed.content)


def pack_boundary(boundary: Any) -> OverlayPack:
    """Pack the outline of the AOI: the land beneath the cells and the line above them."""
    style = STYLES["boundary"]
    packed = pack_json(packed_geometry(np.array([boundary]), style) | {"facts": []})
    head = {"name": "Area of interest", "style": dict(style), "show": True, "features": 1, "of": 1}
    return OverlayPack(
        head=head | {"unplaced": 0, "lacks": [], "data": packed.name},
        name=packed.name,
        content=packed.content,
    )


def geometry_of(released: Released, rows: int) -> NDArray[np.object_]:
    """Take the geometry of the first rows, or make points of `lon` and `lat`."""
    table = released.table
    if isinstance(table, gpd.GeoDataFrame):
        if table.crs is not None and table.crs.to_epsg() != 4326:
            raise BadInput(f"{released.name} is not in EPSG:4326. Load it through its layer.")
        return np.asarray(table.geometry.values[:rows])
    if not {"lon", "lat"} <= set(table.columns):
        raise MissingColumns(released.name, ["lon", "lat"], table.columns)
    places = table.iloc[:rows]
    lon, lat = (places[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("lon", "lat"))
    known = np.isfinite(lon) & np.isfinite(lat)
    points = np.full(rows, None, dtype=object)
    points[known] = shapely.points(lon[known], lat[known])
    return points


class OverlayLayer(Layer):
    """An overlay as a folium layer."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = pocgeo.overlay({{ this.head_name|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, pack: OverlayPack, figure: OfflineFigure) -> None:
        super().__init__(name="Overlay", overlay=True, control=True, show=bool(pack.head["show"]))
        self._name = "OverlayLayer"
        figure.keep(pack.name, pack.content)
        self.head_name = figure.keep_json(pack.head)
