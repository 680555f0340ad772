"""A slow, obvious oracle: narrow down the least distance on every single edge."""

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer

GEOD = Geod(ellps="WGS84")
GOLDEN = (5**0.5 - 1) / 2
ROUNDS = 34  # 0.618^34 of an edge: 0.1 mm in 1 km
WIDEST_M = 700.0  # of the perimeters below, from their middle


def edges_of(geometry: Any) -> list[tuple[float, float, float, float]]:
    edges = []
    for part in shapely.get_parts([geometry]):
        lines = shapely.get_rings([part]) if part.geom_type == "Polygon" else [part]
        for line in lines:
            xy = shapely.get_coordinates(line)
            ends = list(pairwise(xy)) if len(xy) > 1 else [(xy[0], xy[0])]
            edges += [(*a, *b) for a, b in ends]
    return edges


def edge_distances(lon: Any, lat: Any, edges: Any) -> Any:
    """Metres from point i to edge i: along an edge the distance has one least; narrow it down."""
    lon, lat, edges = np.asarray(lon), np.asarray(lat), np.asarray(edges, dtype=float)
    azimuth, _, length = GEOD.inv(*edges.T)

    def away(share: Any) -> Any:
        x, y, _ = GEOD.fwd(edges[:, 0], edges[:, 1], azimuth, share * length)
        return np.asarray(GEOD.inv(lon, lat, x, y)[2])

    low, high = np.zeros(len(lon)), np.ones(len(lon))
    best = np.minimum(away(low), away(high))
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = away(left), away(right)
    for _ in range(ROUNDS):
        best = np.minimum(best, np.minimum(at_left, at_right))
        lower = at_left < at_right
        low, high = np.where(lower, low, left), np.where(lower, right, high)
        new = np.where(lower, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        left, right = np.where(lower, new, right), np.where(lower, left, new)
        at_new = away(new)
        at_left, at_right = np.where(lower, at_new, at_right), np.where(lower, at_left, at_new)
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


def distances(lon: Any, lat: Any, geometries: list[Any]) -> Any:
    """Metres from point i to geometry i; 0 inside."""
    edges = [edges_of(geometry) for geometry in geometries]
    owner = np.repeat(np.arange(len(edges)), [len(e) for e in edges])
    each = edge_distances(np.asarray(lon)[owner], np.asarray(lat)[owner], np.concatenate(edges))
    answer = np.full(len(edges), np.inf)
    np.minimum.at(answer, owner, each)
    for i, geometry in enumerate(geometries):
        small = answer[i] <= WIDEST_M  # nothing deeper inside than that
        if small and "Polygon" in geometry.geom_type and holds(lon[i], lat[i], geometry):
            answer[i] = 0.0
    return answer


def random_base(rng: np.random.Generator, lon: float, lat: float) -> Any:
    """Draw a point, or a star-shaped perimeter of 50 to 700 m around a place, often with a hole."""
    if rng.random() < 0.2:
        return shapely.Point(lon, lat)
    corners = int(rng.integers(3, 12))
    angles = np.sort(rng.uniform(0, 360, corners))
    radius = rng.uniform(0.4, 1.0, corners) * rng.uniform(50, WIDEST_M)
    shell = _ring(lon, lat, angles, radius)
    holes = []
    if rng.random() < 0.4 and np.diff(np.append(angles, angles[0] + 360)).max() < 150:
        holes = [_ring(lon, lat, angles, radius * 0.4)]
    return shapely.Polygon(shell, holes)


def _ring(lon: float, lat: float, angles: Any, radius: Any) -> Any:
    n = len(angles)
    x, y, _ = GEOD.fwd(np.full(n, lon), np.full(n, lat), angles, radius)
    return np.column_stack([x, y])
