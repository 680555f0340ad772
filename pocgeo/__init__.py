"""pocgeo: coverage gaps, 1 km obligations and hotspots for the protection of civilians.

The names below are the public API. Each is fetched from its room when it is first used, so that
`import pocgeo` and `pocgeo --help` stay fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pocgeo.analyses.alarms import AlarmStandard as AlarmStandard
    from pocgeo.analyses.coverage import CoverageStandard as CoverageStandard
    from pocgeo.analyses.deployment import DeploymentQuestion as DeploymentQuestion
    from pocgeo.analyses.deployment import DeploymentStandard as DeploymentStandard
    from pocgeo.analyses.forecast import ForecastStandard as ForecastStandard
    from pocgeo.analyses.hotspots import HotspotTest as HotspotTest
    from pocgeo.analyses.patrols.order import PatrolOrder as PatrolOrder
    from pocgeo.analyses.patrols.routing import RouteSearch as RouteSearch
    from pocgeo.analyses.patrols.stops import StopRule as StopRule
    from pocgeo.analyses.proximity import ProximityStandard as ProximityStandard
    from pocgeo.analyses.reach import ReachStandard as ReachStandard
    from pocgeo.aoi.area import Aoi as Aoi
    from pocgeo.aoi.area import open_aoi as open_aoi
    from pocgeo.aoi.demo import run_demo as run_demo
    from pocgeo.aoi.patrols import PatrolsAsked as PatrolsAsked
    from pocgeo.aoi.starting import new_aoi as new_aoi
    from pocgeo.aoi.travel import Change as Change
    from pocgeo.ground.errors import BadInput as BadInput
    from pocgeo.ground.errors import PocgeoError as PocgeoError
    from pocgeo.ground.errors import Refused as Refused
    from pocgeo.products.exports import export as export
    from pocgeo.products.figures.sheet import Sheet as Sheet
    from pocgeo.products.maps.embedding import embed_snippet as embed_snippet
    from pocgeo.products.maps.folium_page import save_folium as save_folium
    from pocgeo.products.tables import as_text as as_text
    from pocgeo.products.tables import save_text as save_text

ROOM_OF = {
    "AlarmStandard": "pocgeo.analyses.alarms",
    "Aoi": "pocgeo.aoi.area",
    "BadInput": "pocgeo.ground.errors",
    "Change": "pocgeo.aoi.travel",
    "CoverageStandard": "pocgeo.analyses.coverage",
    "DeploymentQuestion": "pocgeo.analyses.deployment",
    "DeploymentStandard": "pocgeo.analyses.deployment",
    "ForecastStandard": "pocgeo.analyses.forecast",
    "HotspotTest": "pocgeo.analyses.hotspots",
    "PatrolOrder": "pocgeo.analyses.patrols.order",
    "PatrolsAsked": "pocgeo.aoi.patrols",
    "PocgeoError": "pocgeo.ground.errors",
    "ProximityStandard": "pocgeo.analyses.proximity",
    "ReachStandard": "pocgeo.analyses.reach",
    "Refused": "pocgeo.ground.errors",
    "RouteSearch": "pocgeo.analyses.patrols.routing",
    "Sheet": "pocgeo.products.figures.sheet",
    "StopRule": "pocgeo.analyses.patrols.stops",
    "as_text": "pocgeo.products.tables",
    "embed_snippet": "pocgeo.products.maps.embedding",
    "export": "pocgeo.products.exports",
    "new_aoi": "pocgeo.aoi.starting",
    "open_aoi": "pocgeo.aoi.area",
    "run_demo": "pocgeo.aoi.demo",
    "save_folium": "pocgeo.products.maps.folium_page",
    "save_text": "pocgeo.products.tables",
}

__all__ = [
    "AlarmStandard",
    "Aoi",
    "BadInput",
    "Change",
    "CoverageStandard",
    "DeploymentQuestion",
    "DeploymentStandard",
    "ForecastStandard",
    "HotspotTest",
    "PatrolOrder",
    "PatrolsAsked",
    "PocgeoError",
    "ProximityStandard",
    "ReachStandard",
    "Refused",
    "RouteSearch",
    "Sheet",
    "StopRule",
    "as_text",
    "embed_snippet",
    "export",
    "new_aoi",
    "open_aoi",
    "run_demo",
    "save_folium",
    "save_text",
]


def __getattr__(name: str) -> Any:
    if name not in ROOM_OF:
        raise AttributeError(f"pocgeo has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(ROOM_OF[name]), name)
