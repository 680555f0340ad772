"""Small builders for the tests of layers: a square area of interest, tables, requests."""

import json
from pathlib import Path
from typing import Any

import shapely

from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import Loaded, load
from pocgeo.layers.request import LoadRequest, SourceRequest

SQUARE = shapely.box(30.0, 4.0, 32.0, 6.0)


def table(folder: Path, text: str, name: str = "rows.csv") -> Path:
    """Write lines as a text table."""
    path = folder / name
    path.write_text(text.strip() + "\n", encoding="utf-8")
    return path


def features(folder: Path, items: list[tuple[Any, dict[str, Any]]], name: str) -> Path:
    """Write shapes with properties as GeoJSON."""
    path = folder / name
    rows = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": None if shape is None else json.loads(shapely.to_geojson(shape)),
        }
        for shape, properties in items
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return path


def loaded(layer: str, path: Path, boundary: Any = SQUARE, **source: Any) -> Loaded:
    """Load one file into a layer."""
    request = LoadRequest(
        spec=layer_spec(layer),
        sources=(SourceRequest(paths=(path,), **source),),
        time_zone="Africa/Juba",
    )
    return load(request, boundary=boundary)


def counts(found: Loaded) -> dict[str, int]:
    """Add up the summary over all sources."""
    columns = ["rows", "accepted", "repaired", "rejected", "not_asked_for"]
    return {name: int(found.report.summary[name].sum()) for name in columns}


def reasons(found: Loaded, outcome: str) -> dict[str, int]:
    """Rows by reason, for one outcome."""
    details = found.report.details
    return details[details["outcome"] == outcome].groupby("reason")["rows"].sum().to_dict()
