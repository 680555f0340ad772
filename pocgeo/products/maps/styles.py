"""What each kind of overlay looks like; shared with whatever draws the same map elsewhere."""

from collections.abc import Mapping
from typing import Any

__all__ = ["STYLES"]

ROAD = "#7a6248"
WATER = "#3f7fb5"

STYLES: Mapping[str, Mapping[str, Any]] = {
    # draw: line, area, dot, symbol or place. order: 0 lowest. tolerance_deg: how far lines give.
    "boundary": {"draw": "area", "colour": "#20303f", "weight": 1.8, "tolerance_deg": 1e-4},
    "floods": {"draw": "area", "colour": WATER, "weight": 0.6, "fill": WATER, "opacity": 0.28,
               "tolerance_deg": 2e-4},
    "lakes": {"draw": "area", "colour": WATER, "weight": 0.8, "fill": "#bcd7ea", "opacity": 0.9,
              "tolerance_deg": 1e-4},
    "waterways": {"draw": "line", "colour": WATER, "weight": 1.3, "tolerance_deg": 1e-4,
                  "kinds": {"river": {"weight": 1.9}, "stream": {"weight": 0.9}}},
    "areas": {"draw": "line", "colour": "#4c5763", "weight": 0.9, "dash": [4, 3],
              "tolerance_deg": 1e-4, "kinds": {"1": {"weight": 1.5, "dash": [7, 3]}},
              "label": {"size": 12, "colour": "#4c5763", "spaced": True, "priority": 8}},
    "aors": {"draw": "line", "colour": "#5b2a86", "weight": 2.0, "dash": [10, 4, 2, 4],
             "tolerance_deg": 1e-4,
             "label": {"size": 13, "colour": "#5b2a86", "spaced": True, "priority": 4}},
    "roads": {"draw": "line", "colour": ROAD, "weight": 1.0, "tolerance_deg": 1e-4,
              "kinds": {"primary": {"weight": 2.2}, "secondary": {"weight": 1.6},
                        "track": {"weight": 0.8, "dash": [4, 3]},
                        "path": {"weight": 0.7, "dash": [1, 3]}}},
    "rings": {"draw": "area", "colour": "#12395c", "weight": 1.6, "dash": [5, 4],
              "fill": "#12395c", "opacity": 0.10},
    "perimeters": {"draw": "area", "colour": "#12395c", "weight": 1.2, "fill": "#12395c",
                   "opacity": 0.35},
    "contours": {"draw": "line", "colour": "#101820", "weight": 1.6, "tolerance_deg": 5e-4,
                 "hover": True},
    "alerts": {"draw": "symbol", "symbol": "alert"},
    "patrols": {"draw": "line", "colour": "#1d6b52", "weight": 1.3, "opacity": 0.75,
                "tolerance_deg": 5e-5, "hover": True},
    "planned_patrols": {"draw": "line", "colour": "#1d6b52", "weight": 1.8, "dash": [7, 5],
                        "tolerance_deg": 5e-5, "hover": True},
    "lines": {"draw": "line", "colour": "#334e68", "weight": 1.4, "tolerance_deg": 5e-5,
              "hover": True},
    "moves": {"draw": "line", "colour": "#0b2a45", "weight": 2.6, "arrow": True, "hover": True,
              "tolerance_deg": 1e-5},
    "routes": {"draw": "line", "colour": "#0d5c4a", "weight": 2.4, "dash": [8, 4], "arrow": True,
               "hover": True, "tolerance_deg": 2e-5, "coloured": True},
    "zones": {"draw": "area", "colour": "#8a2f0d", "weight": 1.8, "fill": "#c4562f",
              "opacity": 0.14, "tolerance_deg": 1e-4, "hover": True,
              "label": {"size": 12, "colour": "#7a2a0c", "priority": 4}},
    "incidents": {"draw": "dot", "colour": "#ffffff", "weight": 1, "fill": "#7d1128",
                  "opacity": 0.92, "radius": 3.6, "hover": True},
    "dots": {"draw": "dot", "colour": "#ffffff", "weight": 1, "fill": "#334e68",
             "opacity": 0.92, "radius": 3.6, "hover": True},
    "points": {"draw": "dot", "colour": "#ffffff", "weight": 1, "fill": "#334e68",
               "opacity": 0.92, "radius": 3.6, "hover": True},
    "settlements": {"draw": "place", "hover": True,
                    "kinds": {"city": {"rank": 0}, "town": {"rank": 1}, "village": {"rank": 2},
                              "hamlet": {"rank": 3}, "other": {"rank": 3}}},
    "sites": {"draw": "symbol", "symbol": "site", "hover": True,
              "label": {"size": 11, "colour": "#6a3d00", "priority": 3}},
    "bases": {"draw": "symbol", "symbol": "base", "hover": True,
              "label": {"size": 11, "weight": 650, "colour": "#12395c", "priority": 1}},
    "bases_planned": {"draw": "symbol", "symbol": "base", "status": "planned", "hover": True,
                      "label": {"size": 11, "weight": 650, "colour": "#12395c", "priority": 1}},
    "bases_closed": {"draw": "symbol", "symbol": "base", "status": "closed", "hover": True,
                     "label": {"size": 11, "weight": 600, "colour": "#4c5763", "priority": 2}},
    "candidates": {"draw": "symbol", "symbol": "candidate", "hover": True,
                   "label": {"size": 10.5, "colour": "#12395c", "priority": 5}},
    "ranked": {"draw": "symbol", "symbol": "rank", "hover": True},
}  # fmt: skip
"""Named looks; an overlay of maps/*.toml takes the one of its layer's name, or its `style`."""
