"""Maps that open anywhere: folium in one file, with our own layer for cells. The room of folium."""

from pocgeo.products.maps.assets import AssetMissing
from pocgeo.products.maps.draw import draw
from pocgeo.products.maps.offline import OfflineFigure, OfflineMap
from pocgeo.products.maps.page import Page, PageFrame
from pocgeo.products.maps.reading import map_names, map_spec
from pocgeo.products.maps.safe_text import SafeHtml, joined, tag, text
from pocgeo.products.maps.spec import Category, Compare, MapSpec, MeasureSpec, OverlaySpec

__all__ = [
    "AssetMissing",
    "Category",
    "Compare",
    "MapSpec",
    "MeasureSpec",
    "OfflineFigure",
    "OfflineMap",
    "OverlaySpec",
    "Page",
    "PageFrame",
    "SafeHtml",
    "draw",
    "joined",
    "map_names",
    "map_spec",
    "tag",
    "text",
]
