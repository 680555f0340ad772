"""Points, lines and areas over the cells: styles, packed geometry, the folium layer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from folium.map import Layer
from folium.template import Template
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.cellpack import pack_json
from pocgeo.products.maps.fills import packed_fills
from pocgeo.products.maps.geometry import packed_geometry
from pocgeo.products.maps.offline import OfflineFigure
from pocgeo.products.maps.palettes import CATEGORY_COLOURS, ramp
from pocgeo.products.maps.spec import OverlaySpec
from pocgeo.products.maps.styles import STYLES
from pocgeo.products.maps.wording import column_of, refuse_confidential, unique_words
from pocgeo.products.words import ENGLISH, Words

__all__ = ["Ground", "OverlayLayer", "OverlayPack", "pack_boundary", "pack_overlay"]

MARGIN = 0.5
"""Context drawn around the AOI, parts of its longer side; twice that of what lies beneath."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a page knows of the place and the day of its maps."""

    boundary: Any
    """Polygon or MultiPolygon of the AOI, EPSG:4326."""

    aoi_name: str
    cut_off_on: date
    single: bool
    """Whether the map fills the window."""

    words: Words = ENGLISH
    """Language of what is written by the way: ages, units, yes and no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayPack:
    """One overlay, packed: a head in plain JSON and one blob."""

    head: Mapping[str, Any]
    name: str
    content: str


def pack_overlay(
    spec: OverlaySpec, released: Released, ground: Ground | None = None
) -> OverlayPack:
    """Pack the geometry and the named columns of one released layer.

    Parameters
    ----------
    spec : OverlaySpec
        `label`, `kind`, `age` and `facts` name the columns; no other goes into the file.
    released : Released, n features
        GeoDataFrame in EPSG:4326, or a table with `lon`, `lat` in degrees.
    ground : Ground, optional
        What lies farther from the AOI than its margin is left out; ages count back from its day.

    Raises
    ------
    MissingColumns
        The table has no geometry. A named column that it lacks is said in the panel.
    """
    style_name = spec.style or spec.layer
    if style_name not in STYLES:
        raise UnknownName("map style", style_name, STYLES)
    style = dict(STYLES[style_name]) | ({"cluster": True} if spec.cluster else {})
    beneath = bool(style.get("beneath"))
    box = None if ground is None else around(ground.boundary, MARGIN * (1 + beneath))
    if beneath and box is not None:
        released = touching(released, box)
    table = released.table if spec.top is None else released.table.iloc[: spec.top]
    geometry = geometry_of(released, len(table))
    drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    table, geometry = table.loc[drawn], geometry[drawn]
    if spec.size in table.columns:
        order = np.argsort(-table[spec.size].to_numpy("float64", na_value=-np.inf), kind="stable")
        table, geometry = table.iloc[order], geometry[order]
    content = packed_geometry(geometry, style, box)
    words = ENGLISH if ground is None else ground.words
    content |= packed_columns(spec, released, table, words, style)
    if "fills" in style:
        content |= filled(spec, released, table, geometry, box, ground)
    classes = (
        None if spec.age is None or ground is None else aged(spec, table, ground.cut_off_on, words)
    )
    if style.get("coloured") and "kinds" in content:
        classes = by_kind(content["kinds"])
    head = overlay_head(spec, released, style, table, int((~drawn).sum()))
    if classes is not None:
        content["classes"] = {"at": classes.at, "of": classes.of}
        head |= {"classes": classes.legend(), "classed": classes.title}
    packed = pack_json(content)
    return OverlayPack(head=head | {"data": packed.name}, name=packed.name, content=packed.content)


def touching(released: Released, box: tuple[float, float, float, float]) -> Released:
    """Keep what touches a box: of a file of the whole world, little does."""
    seen = shapely.intersects(geometry_of(released, len(released.table)), shapely.box(*box))
    return replace(released, table=released.table.loc[seen])


def filled(
    spec: OverlaySpec,
    released: Released,
    table: pd.DataFrame,
    geometry: NDArray[np.object_],
    box: tuple[float, float, float, float] | None,
    ground: Ground | None,
) -> dict[str, Any]:
    """Pack the areas of a layer of lines: what is filled, and where its names stand."""
    for name in (spec.kind, spec.label):
        if name:
            refuse_confidential(released, name)
    kinds, names = (texts_of(table, name) for name in (spec.kind, spec.label))
    style, boundary = STYLES[spec.style or spec.layer], ground and ground.boundary
    fills = packed_fills(geometry, kinds, names, style, box, boundary)
    return {} if fills is None else {"fills": fills}


def texts_of(table: pd.DataFrame, name: str | None) -> list[str]:
    """Take a column as texts; empty where there is none or a value is unknown."""
    if not name or name not in table:
        return [""] * len(table)
    return [str(text) for text in table[name].astype("string").fillna("")]


def overlay_head(
    spec: OverlaySpec,
    released: Released,
    style: Mapping[str, Any],
    table: pd.DataFrame,
    unplaced: int,
) -> dict[str, Any]:
    """Say what the panel must know of one overlay."""
    named = [name for name in (spec.label, spec.kind, spec.size, spec.age) if name]
    return {
        "name": spec.name or released.title,
        "style": {key: value for key, value in style.items() if key != "tolerance_deg"},
        "show": spec.show,
        "features": len(table),
        "of": len(released.table),
        "unplaced": unplaced,
        "lacks": [name for name in named if name not in table.columns],
    }


def packed_columns(
    spec: OverlaySpec,
    released: Released,
    table: pd.DataFrame,
    words: Words,
    style: Mapping[str, Any],
) -> dict[str, Any]:
    """Pack the columns of tooltips, labels and kinds, each as words and a position per feature."""
    content: dict[str, Any] = {"facts": []}
    facts = [name for name in spec.facts if name in table.columns]
    written = None if "fills" in style else spec.label  # the fills hold their own names
    wanted = [name for name in (written, spec.kind) if name and name in table.columns]
    for name in (*facts, *wanted):
        refuse_confidential(released, name)
        text = table[name].fillna("") if name == spec.label and name not in facts else table[name]
        codes, said = unique_words(text, column_of(released, name), words)
        column = {"label": column_of(released, name).label, "at": codes.tolist(), "words": said}
        if name in facts:
            content["facts"].append(column)
        if name == spec.label:
            content["labels"] = column
        if name == spec.kind:
            content["kinds"] = column
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureClasses:
    """Classes of an overlay's features, each with a colour of its own."""

    title: str
    at: list[int]
    """Class of every feature."""

    of: list[dict[str, str]]
    """Label and colour of each class."""

    def legend(self) -> list[dict[str, Any]]:
        """Give the classes that occur, with how many features each has."""
        counts = np.bincount(self.at, minlength=len(self.of)).tolist()
        listed = zip(self.of, counts, strict=True)
        return [{**each, "features": count} for each, count in listed if count]


def aged(spec: OverlaySpec, table: pd.DataFrame, day: date, words: Words) -> FeatureClasses | None:
    """Put features into classes of age; the darkest are the latest."""
    if spec.age is None or spec.age not in table.columns:
        return None
    at = pd.to_datetime(table[spec.age], utc=True, errors="coerce")
    end = pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1)
    days = ((end - at) / pd.Timedelta(days=1)).to_numpy(dtype="float64", na_value=np.nan)
    edges = [f"{edge:g}" for edge in spec.age_days]
    labels = [words("age_up_to", days=edges[0])]
    labels += [words("age_from_to", low=young, high=old) for young, old in pairwise(edges)]
    labels += [words("age_over", days=edges[-1])]
    colours = ramp("moss", len(labels) + 2)[:1:-1]
    of = [{"label": label, "colour": colour} for label, colour in zip(labels, colours, strict=True)]
    of.append({"label": words("age_unknown"), "colour": "#8d959c"})
    classes = np.digitize(days, spec.age_days, right=True)
    at_class = np.where(np.isnan(days), len(labels), classes)
    return FeatureClasses(title=words("age"), at=at_class.tolist(), of=of)


def by_kind(kinds: Mapping[str, Any]) -> FeatureClasses:
    """Give every kind a colour of its own."""
    of = [
        {"label": str(word), "colour": CATEGORY_COLOURS[i % len(CATEGORY_COLOURS)]}
        for i, word in enumerate(kinds["words"])
    ]
    return FeatureClasses(title=str(kinds["label"]), at=list(kinds["at"]), of=of)


def around(boundary: Any, part: float = MARGIN) -> tuple[float, float, float, float]:
    """Give the box of the AOI with a margin: what lies beyond is not drawn."""
    west, south, east, north = boundary.bounds
    margin = part * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def pack_boundary(boundary: Any, name: str = "Area of interest") -> OverlayPack:
    """Pack the outline of the AOI: the land beneath the cells and the line above them."""
    style = STYLES["boundary"]
    packed = pack_json(packed_geometry(np.array([boundary]), style) | {"facts": []})
    head = {"name": name, "style": dict(style), "show": True, "features": 1, "of": 1}
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
        return np.asarray(table.geometry)[:rows]
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
