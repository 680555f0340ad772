"""The island itself: coast, heights, rivers, wet-season flood plain."""

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.features import rasterize, shapes
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from shapely.geometry import LineString, MultiPolygon, Polygon, shape

from generator.frame import (
    EAST,
    NORTH,
    SHAPE,
    SOUTH,
    STEP,
    WEST,
    cell_km2,
    centres,
    noise,
    to_lonlat,
)

__all__ = ["Land", "chaikin", "make_land"]

MAIN_KM2 = 18_100.0
ISLETS = ((3.32, 2.50, 0.085), (4.90, 1.56, 0.10), (3.40, 1.50, 0.055))
"""Longitude, latitude and radius in degrees of the islets asked for."""
SPINE = ((3.42, 2.02), (3.62, 2.20), (3.90, 2.26), (4.22, 2.40), (4.42, 2.42))
TRANSFORM = from_origin(WEST, NORTH, STEP, STEP)
STREAM_KM2, RIVER_KM2 = 110.0, 420.0
Grid = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """What the ground is before anyone lives on it."""

    outline: MultiPolygon
    """Main island first, islets by size."""
    dry: Grid
    """True where the centre of a grid cell is land."""
    coast_km: Grid
    """Distance from the coast, 0 at sea."""
    height_m: Grid
    rivers: tuple[tuple[LineString, float], ...]
    """Line running downstream and the area it drains, km2."""
    river_km: Grid
    """Distance from the nearest river (not stream)."""
    flooded: MultiPolygon
    flood_mask: Grid


def make_land() -> Land:
    """Draw the island from the seed."""
    outline = _outline(_land_mask())
    dry = _burn(outline.geoms)
    coast_km = _distance_km(~dry)
    height = _heights(dry, coast_km)
    rivers = _rivers(height, dry)
    large = [line for line, drained in rivers if drained >= RIVER_KM2]
    river_km = _distance_km(_burn(large))
    valley = 1 - 0.55 * np.exp(-river_km / 1.6)
    height = np.where(dry, np.maximum(height * valley, 1.0), 0.0)
    flooded = _flood(height, river_km, dry, large)
    return Land(
        outline=outline, dry=dry, coast_km=coast_km, height_m=height, rivers=rivers,
        river_km=river_km, flooded=flooded, flood_mask=_burn(flooded.geoms),
    )  # fmt: skip


def chaikin(points: Grid, rounds: int = 2, *, closed: bool = False) -> Grid:
    """Cut corners; the ends of an open line stay where they are."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0) if closed else points[1:]
        current = points if closed else points[:-1]
        cut = np.empty((2 * len(current), 2))
        cut[0::2] = 0.75 * current + 0.25 * following
        cut[1::2] = 0.25 * current + 0.75 * following
        points = cut if closed else np.vstack([points[:1], cut, points[-1:]])
    return points


def _burn(shapes_: Any) -> Grid:
    return rasterize(((g, 1) for g in shapes_), out_shape=SHAPE, transform=TRANSFORM).astype(bool)


def _distance_km(mask: Grid) -> Grid:
    return distance_transform_edt(~mask) * np.sqrt(cell_km2())


def _land_mask() -> Grid:
    lon, lat = centres()
    turn = np.radians(14)
    east, north = lon - 4.06, lat - 2.03
    along = east * np.cos(turn) + north * np.sin(turn)
    across = -east * np.sin(turn) + north * np.cos(turn)
    field = 1 - np.hypot(along / 0.93, across / 0.56)
    rough = noise("coast", (44, 22, 11, 5, 2.5), fall=0.62)
    edge = np.minimum.reduce([lon - WEST, EAST - lon, lat - SOUTH, NORTH - lat])
    field = field + 0.13 * rough - np.clip((0.14 - edge) / 0.14, 0, 1)
    low, high = -0.5, 0.8
    for _ in range(40):
        middle = (low + high) / 2
        enough = _largest(field > middle).sum() * cell_km2() > MAIN_KM2
        low, high = (middle, high) if enough else (low, middle)
    main = _largest(field > low)
    clear = distance_transform_edt(~main) * STEP > 0.035
    for x, y, radius in ISLETS:
        bump = 1 - np.hypot(lon - x, lat - y) / radius + 0.22 * rough
        main |= _largest((bump > 0.25) & clear & (np.hypot(lon - x, lat - y) < 2 * radius))
    return main


def _largest(mask: Grid) -> Grid:
    parts, _ = label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (parts == sizes.argmax()) & mask


def _outline(mask: Grid) -> MultiPolygon:
    rings = shapes(mask.astype("uint8"), mask=mask, transform=TRANSFORM, connectivity=4)
    parts = []
    for geometry, _ in rings:
        ring = np.array(Polygon(shape(geometry).exterior).simplify(1.1 * STEP).exterior.coords)
        smooth = Polygon(chaikin(ring[:-1], closed=True)).simplify(STEP / 8)
        parts.append(Polygon(np.round(smooth.exterior.coords, 5)).buffer(0))
    parts.sort(key=lambda part: -part.area)
    return MultiPolygon([p.normalize().reverse() for p in parts if p.area > 20 * STEP**2])


def _heights(dry: Grid, coast_km: Grid) -> Grid:
    lon, lat = centres()
    spine = _distance_km(_burn([LineString(SPINE)]))
    rough = noise("height", (30, 15, 7, 3.5), fall=0.6)
    ridged = 1 - np.abs(noise("ridge", (20, 10, 5), fall=0.6)) / 2.2
    range_m = 1_650 * np.exp(-((spine / 17) ** 2)) * np.clip(ridged, 0.15, 1)
    cone_m = 900 * np.exp(-((np.hypot(lon - 4.36, lat - 1.78) / 0.075) ** 2))
    hills_m = 70 * np.exp(0.7 * rough) * np.clip(coast_km / 18, 0, 1)
    plain_m = 2.2 * coast_km + 6
    rise = 1 - np.exp(-coast_km / 6)
    return np.where(dry, np.maximum((range_m + cone_m + hills_m) * rise + plain_m * rise, 0.5), 0)


def _rivers(height: Grid, dry: Grid) -> tuple[tuple[LineString, float], ...]:
    """Drain the land by priority flood on the grid halved; keep what drains enough."""
    rows, cols = SHAPE[0] // 2, SHAPE[1] // 2
    low = gaussian_filter(height, 1.2).reshape(rows, 2, cols, 2).mean(axis=(1, 3))
    land = dry.reshape(rows, 2, cols, 2).mean(axis=(1, 3)) > 0.5
    low = low + 4 * stream_noise((rows, cols))
    order, parent = _priority_flood(low, land)
    drained = np.where(land, cell_km2(2), 0.0).ravel()
    for cell in reversed(order):
        if parent[cell] >= 0:
            drained[parent[cell]] += drained[cell]
    return _trace(order, parent, drained, land.ravel(), cols)


def stream_noise(size: tuple[int, int]) -> Grid:
    """Small bumps that make rivers wander across plains."""
    rough = noise("meander", (9, 4, 2), fall=0.8)
    return rough.reshape(size[0], 2, size[1], 2).mean(axis=(1, 3))


def _priority_flood(low: Grid, land: Grid) -> tuple[list[int], Grid]:
    """Return land cells from the sea upwards, and the cell each drains to (-1: the sea)."""
    rows, cols = low.shape
    parent = np.full(rows * cols, -1)
    seen = ~land.ravel()
    level = low.ravel()
    shore = np.flatnonzero(land.ravel() & (distance_transform_edt(land).ravel() <= 1))
    heap = [(float(level[cell]), int(cell)) for cell in shore]
    seen[shore] = True
    heapq.heapify(heap)
    order = []
    steps = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
    while heap:
        water, cell = heapq.heappop(heap)
        order.append(cell)
        row, col = divmod(cell, cols)
        for up, right in steps:
            if 0 <= row + up < rows and 0 <= col + right < cols:
                other = (row + up) * cols + col + right
                if not seen[other]:
                    seen[other] = True
                    parent[other] = cell
                    heapq.heappush(heap, (max(water, float(level[other])), other))
    return order, parent


def _trace(
    order: list[int], parent: Grid, drained: Grid, land: Grid, cols: int
) -> tuple[tuple[LineString, float], ...]:
    """Cut the drainage tree into stems: each runs from its source to the sea or to a larger one."""
    feeders: dict[int, list[int]] = {}
    for cell in order:
        if drained[cell] >= STREAM_KM2 and parent[cell] >= 0:
            feeders.setdefault(int(parent[cell]), []).append(cell)
    mouths = [c for c in order if parent[c] < 0 and drained[c] >= STREAM_KM2]
    todo = [(mouth, mouth) for mouth in mouths]
    lines = []
    while todo:
        start, cell = todo.pop(0)
        path = [start] if start == cell else [start, cell]
        while cell in feeders:
            ups = sorted(feeders[cell], key=lambda c: (-drained[c], c))
            todo += [(cell, up) for up in ups[1:]]
            cell = ups[0]
            path.append(cell)
        if len(path) > 8:
            rows, columns = np.divmod(np.array(path[::-1]), cols)
            points = np.column_stack(to_lonlat(rows, columns, 2))
            line = LineString(chaikin(points, 3)).simplify(STEP / 6)
            lines.append((line, float(drained[path[1]])))
    lines.sort(key=lambda pair: -pair[1])
    return tuple(lines)


def _flood(height: Grid, river_km: Grid, dry: Grid, large: list[LineString]) -> MultiPolygon:
    """Low, level ground near rivers, smoothed; only patches above 6 km2."""
    steep = np.hypot(*np.gradient(gaussian_filter(height, 1.5)))
    wide = 4.2 + 2.0 * noise("flood", (10, 5))
    wet = dry & (river_km < wide) & (height < 105) & (steep < 8)
    wet = gaussian_filter(wet.astype(float), 2.2) > 0.5
    patches = []
    for geometry, _ in shapes(wet.astype("uint8"), mask=wet, transform=TRANSFORM):
        ring = np.array(shape(geometry).simplify(1.3 * STEP).exterior.coords)
        patch = Polygon(chaikin(ring[:-1], closed=True)).simplify(STEP / 4).buffer(0)
        if patch.geom_type == "Polygon" and patch.area > 6 / 12_300:
            patches.append(patch.normalize())
    patches.sort(key=lambda patch: -patch.area)
    return MultiPolygon(patches)
