"""A slow, obvious oracle: sample every edge densely, zoom in on the best, again and again."""

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer

GEOD = Geod(ellps="WGS84")
FIRST, NEXT, ROUNDS = 33, 9, 9


def edges_of(geometry: Any) -> list[tuple[float, float, float, float]]:
    edges = []
    for part in shapely.get_parts([geometry]):
        lines = shapely.get_rings([part]) if part.geom_type == "Polygon" else [part]
        for line in lines:
            xy = shapely.get_coordinates(line)
            ends = list(pairwise(xy)) if len(xy) > 1 else [(xy[0], xy[0])]
            edges += [(*a, *b) for a, b in ends]
    return edges


def edge_distances(lon: Any, lat: Any, edges: Any) -> np.ndarray:
    """Metres from point i to edge i."""
    lon, lat, edges = np.asarray(lon), np.asarray(lat), np.asarray(edges, dtype=float)
    azimuth, _, length = GEOD.inv(*edges.T)
    low, high = np.zeros(len(lon)), np.ones(len(lon))
    best = np.full(len(lon), np.inf)
    for count in [FIRST] + [NEXT] * ROUNDS:
        share = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count)
        wide = [np.repeat(v, count) for v in (edges[:, 0], edges[:, 1], azimuth)]
        x, y, _ = GEOD.fwd(*wide, (share * length[:, None]).ravel())
        d = GEOD.inv(np.repeat(lon, count), np.repeat(lat, count), x, y)[2]
        d = np.asarray(d).reshape(share.shape)
        at = d.argmin(axis=1)
        rows = np.arange(len(lon))
        best = np.minimum(best, d[rows, at])
        low, high = (
            share[rows, np.maximum(at - 1, 0)],
            share[rows, np.minimum(at + 1, count - 1)],
        )
    return best


def holds(lon: float, lat: float, geometry: Any) -> bool:
    """Tell whether a polygon holds a point: planar, in a projection centred on the point."""
    local = Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +datum=WGS84", always_xy=True
    )
    drawn = shapely.transform(
        geometry, lambda xy: np.column_stack(local.transform(xy[:, 0], xy[:, 1]))
    )
    return bool(shapely.covers(drawn, shapely.Point(0, 0)))


def distances(lon: Any, lat: Any, geometries: list[Any]) -> np.ndarray:
    """Metres from point i to geometry i; 0 inside."""
    edges = [edges_of(geometry) for geometry in geometries]
    owner = np.repeat(np.arange(len(edges)), [len(e) for e in edges])
    each = edge_distances(np.asarray(lon)[owner], np.asarray(lat)[owner], np.concatenate(edges))
    answer = np.full(len(edges), np.inf)
    np.minimum.at(answer, owner, each)
    for i, geometry in enumerate(geometries):
        if "Polygon" in geometry.geom_type and holds(lon[i], lat[i], geometry):
            answer[i] = 0.0
    return answer


def random_base(rng: np.random.Generator, lon: float, lat: float) -> Any:
    """Draw a point, or a star-shaped perimeter of 50 to 700 m around a place, often with a hole."""
    if rng.random() < 0.2:
        return shapely.Point(lon, lat)
    corners = int(rng.integers(3, 12))
    angles = np.sort(rng.uniform(0, 360, corners))
    radius = rng.uniform(0.4, 1.0, corners) * rng.uniform(50, 700)
    shell = _ring(lon, lat, angles, radius)
    holes = []
    if rng.random() < 0.4 and np.diff(np.append(angles, angles[0] + 360)).max() < 150:
        holes = [_ring(lon, lat, angles, radius * 0.4)]
    return shapely.Polygon(shell, holes)


def _ring(lon: float, lat: float, angles: Any, radius: Any) -> np.ndarray:
    n = len(angles)
    x, y, _ = GEOD.fwd(np.full(n, lon), np.full(n, lat), angles, radius)
    return np.column_stack([x, y])
