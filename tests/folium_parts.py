"""One small map for every class of folium that pocgeo's offline pages carry."""

from collections.abc import Callable

import folium
import pandas as pd
from folium import plugins
from folium.template import Template

BOX = [[1.0, 4.0], [1.5, 4.6]]
LINE = [[1.0, 4.0], [1.2, 4.3], [1.5, 4.6]]
POINT = [1.2, 4.3]
ENCODED = "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
TIMES = ["2026-01-01", "2026-02-01", "2026-03-01"]


def area(note: str, **properties: object) -> dict:
    ring = [[4.0, 1.0], [4.6, 1.0], [4.6, 1.5], [4.0, 1.0]]
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": "a", "properties": {"note": note, **properties},
             "geometry": {"type": "Polygon", "coordinates": [ring]}},
        ],
    }  # fmt: skip


def timed_points(note: str) -> dict:
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"times": [day], "popup": "calm", "note": note},
             "geometry": {"type": "MultiPoint", "coordinates": [[4.3, 1.2]]}}
            for day in TIMES
        ],
    }  # fmt: skip


def timeline(note: str) -> dict:
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"start": day, "end": "2026-04-01", "note": note},
             "geometry": {"type": "Point", "coordinates": [4.3, 1.2]}}
            for day in TIMES
        ],
    }  # fmt: skip


TOPOLOGY = {
    "type": "Topology",
    "transform": {"scale": [0.01, 0.01], "translate": [4.0, 1.0]},
    "arcs": [[[0, 0], [50, 0], [0, 50], [-50, -50]]],
    "objects": {"areas": {"type": "GeometryCollection",
                          "geometries": [{"type": "Polygon", "arcs": [[0]]}]}},
}  # fmt: skip


def with_marker_pattern(kind: type, chart: folium.Map) -> None:
    pattern = kind(color="#222")
    pattern.add_to(chart)
    style = {"fillPattern": pattern}
    folium.features.GeoJson(area("calm"), style_function=lambda _: style).add_to(chart)


def with_groups(kind: str, chart: folium.Map) -> None:
    group = folium.FeatureGroup("Group", show=True).add_to(chart)
    folium.CircleMarker(POINT).add_to(group)
    if kind == "grouped":
        plugins.GroupedLayerControl({"Groups": [group]}).add_to(chart)
    else:
        tree = {"label": "All", "children": [{"label": "Group", "layer": group}]}
        plugins.TreeLayerControl(overlay_tree=tree).add_to(chart)


class Grid(folium.map.Layer):
    """A layer with a container of its own, which swiping asks for; pocgeo's cell layer has one."""

    _template = Template(
        "{% macro script(this, kwargs) %}var {{ this.get_name() }} = L.gridLayer()"
        ".addTo({{ this._parent.get_name() }});{% endmacro %}"
    )


def swipe(chart: folium.Map) -> None:
    left, right = Grid("left").add_to(chart), Grid("right").add_to(chart)
    plugins.SideBySideLayers(left, right).add_to(chart)


def sub_group(chart: folium.Map) -> None:
    cluster = plugins.MarkerCluster().add_to(chart)
    part = plugins.FeatureGroupSubGroup(cluster, "part").add_to(chart)
    folium.Marker(POINT).add_to(part)


def search(chart: folium.Map, note: str) -> None:
    layer = folium.GeoJson(area(note)).add_to(chart)
    plugins.Search(layer, search_label="note").add_to(chart)


def text_path(chart: folium.Map) -> None:
    line = folium.PolyLine(LINE).add_to(chart)
    plugins.PolyLineTextPath(line, "text", repeat=True).add_to(chart)


def slider(chart: folium.Map, note: str) -> None:
    styles = {"a": {"1767225600": {"color": "#aa0000", "opacity": 0.6}}}
    plugins.TimeSliderChoropleth(area(note), styledict=styles).add_to(chart)


def timeline_slider(chart: folium.Map, note: str) -> None:
    line = plugins.Timeline(timeline(note)).add_to(chart)
    plugins.TimelineSlider().add_timelines(line).add_to(chart)


def choropleth(chart: folium.Map, note: str) -> None:
    data = pd.DataFrame({"note": [note], "people": [3.0]})
    folium.Choropleth(
        area(note), data=data, columns=["note", "people"], key_on="feature.properties.note",
        bins=[0, 2, 4, 6], legend_name=note,
    ).add_to(chart)  # fmt: skip


def geojson(chart: folium.Map, note: str) -> None:
    folium.GeoJson(
        area(note), name=note, tooltip=folium.GeoJsonTooltip(["note"]),
        popup=folium.GeoJsonPopup(["note"]),
    ).add_to(chart)  # fmt: skip
    folium.LayerControl(collapsed=False).add_to(chart)


def marker(chart: folium.Map, note: str) -> None:
    folium.Marker(POINT, popup=note, tooltip=note, icon=folium.Icon(color="red")).add_to(chart)
    folium.Marker(BOX[0], popup=folium.Popup(note, lazy=True), icon=folium.Icon(
        icon="flag", prefix="fa")).add_to(chart)  # fmt: skip
    folium.Marker(BOX[1], icon=folium.DivIcon(html="calm")).add_to(chart)
    folium.Marker(POINT, icon=plugins.BeautifyIcon(icon="star")).add_to(chart)


PARTS: dict[str, Callable[[folium.Map, str], object]] = {
    "AntPath": lambda m, _: plugins.AntPath(LINE).add_to(m),
    "BoatMarker": lambda m, _: plugins.BoatMarker(POINT, heading=30).add_to(m),
    "Choropleth": choropleth,
    "CircleMarker": lambda m, note: folium.CircleMarker(POINT, popup=note, tooltip=note).add_to(m),
    "CirclePattern": lambda m, _: with_marker_pattern(plugins.CirclePattern, m),
    "ClickForLatLng": lambda m, _: folium.ClickForLatLng(alert=False).add_to(m),
    "ClickForMarker": lambda m, _: folium.ClickForMarker("calm").add_to(m),
    "ColorLine": lambda m, _: folium.ColorLine(LINE, colors=[0, 1], colormap=["g", "r"]).add_to(m),
    "Draw": lambda m, _: plugins.Draw().add_to(m),
    "FastMarkerCluster": lambda m, _: plugins.FastMarkerCluster([POINT]).add_to(m),
    "FeatureGroupSubGroup": lambda m, _: sub_group(m),
    "FitOverlays": lambda m, _: folium.FitOverlays().add_to(m),
    "Fullscreen": lambda m, _: plugins.Fullscreen().add_to(m),
    "GeoJson": geojson,
    "GeoMan": lambda m, _: plugins.GeoMan().add_to(m),
    "GroupedLayerControl": lambda m, _: with_groups("grouped", m),
    "HeatMap": lambda m, _: plugins.HeatMap([POINT, BOX[0]]).add_to(m),
    "HeatMapWithTime": lambda m, _: plugins.HeatMapWithTime([[POINT], [POINT]]).add_to(m),
    "LatLngPopup": lambda m, _: folium.LatLngPopup().add_to(m),
    "Marker": marker,
    "MarkerCluster": lambda m, note: plugins.MarkerCluster(
        [POINT, BOX[0]], popups=[note, note]
    ).add_to(m),
    "MousePosition": lambda m, _: plugins.MousePosition().add_to(m),
    "OverlappingMarkerSpiderfier": lambda m, _: plugins.OverlappingMarkerSpiderfier().add_to(m),
    "PolyLineFromEncoded": lambda m, _: plugins.PolyLineFromEncoded(ENCODED).add_to(m),
    "PolyLineOffset": lambda m, _: plugins.PolyLineOffset(LINE, offset=5).add_to(m),
    "PolyLineTextPath": lambda m, _: text_path(m),
    "PolygonFromEncoded": lambda m, _: plugins.PolygonFromEncoded(ENCODED).add_to(m),
    "Rectangle": lambda m, note: folium.Rectangle(BOX, tooltip=note).add_to(m),
    "RegularPolygonMarker": lambda m, _: folium.RegularPolygonMarker(POINT).add_to(m),
    "Search": search,
    "SemiCircle": lambda m, _: plugins.SemiCircle(POINT, 9000, 30, 90).add_to(m),
    "SideBySideLayers": lambda m, _: swipe(m),
    "StripePattern": lambda m, _: with_marker_pattern(plugins.StripePattern, m),
    "TagFilterButton": lambda m, _: plugins.TagFilterButton(["calm"]).add_to(m),
    "Terminator": lambda m, _: plugins.Terminator().add_to(m),
    "TimeSliderChoropleth": slider,
    "TimelineSlider": timeline_slider,
    "TimestampedGeoJson": lambda m, note: plugins.TimestampedGeoJson(timed_points(note)).add_to(m),
    "TopoJson": lambda m, _: folium.TopoJson(TOPOLOGY, "objects.areas").add_to(m),
    "TreeLayerControl": lambda m, _: with_groups("tree", m),
}
"""By class: what puts it on a map, and takes a text that may be hostile."""

INSIDE_OTHERS = {  # drawn by one of the above, or with no script of its own
    "BeautifyIcon", "Circle", "CustomIcon", "DivIcon", "DualMap", "FeatureGroup", "FitBounds",
    "FloatImage", "GeoJsonPopup", "GeoJsonTooltip", "Icon", "LayerControl", "Map", "PolyLine",
    "Polygon", "Popup", "Tooltip", "Timeline", "ColorMap", "LinearColormap", "StepColormap",
    "Control", "ImageOverlay", "VideoOverlay", "CustomPane",
}  # fmt: skip

BUILDING_BLOCKS = {  # no feature of a map
    "Class", "CssLink", "Div", "Element", "ElementAddToElement", "EventHandler",
    "Evented", "Figure", "IncludeStatement", "GeoJsonDetail", "Html", "JSCSSMixin",
    "JavascriptLink", "Layer", "Link", "MacroElement",
}  # fmt: skip
