"""People at 100 m, and the land cover that follows from where they live."""

from typing import Any

import numpy as np
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely import contains_xy, prepare

from generator.frame import (
    LAT_KM,
    NORTH,
    SHAPE,
    STEP,
    WEST,
    cell_km2,
    lon_km,
    noise,
    stream,
    to_rowcol,
)
from generator.land import Land
from generator.roads import Road
from generator.settlements import Settlement

__all__ = ["FINE", "NODATA", "make_landcover", "make_people"]

FINE = 3
"""Population pixels along one grid cell: 3 arc-seconds, about 92 m."""
NODATA = 65_535
DENSITY_KM2 = {"city": 7_500.0, "town": 4_200.0, "village": 2_300.0, "hamlet": 1_200.0}
FARMS, FARM_MEDIAN = 21_000, 15
FEMALE_SHARE, UNDER_18_SHARE = 0.507, 0.49
Grid = np.ndarray[Any, np.dtype[Any]]


def make_people(land: Land, settlements: list[Settlement], roads: list[Road]) -> Grid:
    """Place every person of every settlement, and scattered farms; three bands of uint16."""
    size = (SHAPE[0] * FINE, SHAPE[1] * FINE)
    people = np.zeros(size, dtype=np.int64)
    random = stream("people")
    fine = from_origin(WEST, NORTH, STEP / FINE, STEP / FINE)
    dry = rasterize(((land.outline, 1),), out_shape=size, transform=fine).astype(bool)
    for place in settlements:
        _settle(people, dry, place, random)
    people += np.where(dry, _farms(size, land, roads, random), 0)
    women = random.binomial(people, FEMALE_SHARE)
    children = random.binomial(people, UNDER_18_SHARE)
    bands = np.stack([people, women, children]).astype(np.uint16)
    bands[:, ~_ashore(land, size)] = NODATA
    return bands


def _settle(people: Grid, dry: Grid, place: Settlement, random: np.random.Generator) -> None:
    radius = float(np.sqrt(place.people / DENSITY_KM2[place.kind] / np.pi))
    row, col = to_rowcol(place.lon, place.lat, 1 / FINE)
    reach = int(2.6 * radius / (STEP / FINE * LAT_KM)) + 2
    rows, cols = slice(row - reach, row + reach + 1), slice(col - reach, col + reach + 1)
    north, east = np.mgrid[-reach : reach + 1, -reach : reach + 1] * (STEP / FINE)
    away = np.hypot(north * LAT_KM, east * lon_km()) / radius
    texture = random.gamma(1.6, size=away.shape) * (random.random(away.shape) < 0.75)
    patchy = gaussian_filter(random.standard_normal(away.shape), max(1.0, reach / 9))
    patchy = np.exp(0.7 * patchy / patchy.std())
    weight = np.exp(-(away**2)) * (texture * patchy + 1e-6) * dry[rows, cols]
    people[rows, cols] += random.multinomial(place.people, (weight / weight.sum()).ravel()).reshape(
        weight.shape
    )


def _farms(
    size: tuple[int, int], land: Land, roads: list[Road], random: np.random.Generator
) -> Grid:
    people = np.zeros(size, dtype=np.int64)
    transform = from_origin(WEST, NORTH, STEP, STEP)
    on_road = rasterize(((r.line, 1) for r in roads), out_shape=SHAPE, transform=transform) > 0
    road_km = distance_transform_edt(~on_road) * np.sqrt(cell_km2())
    pull = np.exp(-land.height_m / 420) * (0.12 + np.exp(-road_km / 2.2)) * (~land.flood_mask + 0.3)
    pull = np.where(land.dry & (land.coast_km > 0.4), pull * np.exp(noise("farms", (12, 5, 2))), 0)
    picks = random.choice(pull.size, size=FARMS, p=(pull / pull.sum()).ravel())
    sizes = np.maximum(random.lognormal(np.log(FARM_MEDIAN), 0.8, FARMS).astype(int), 2)
    row, col = np.divmod(picks, SHAPE[1])
    for yard in range(4):
        share = sizes // 4 + (sizes % 4 > yard)
        rows = row * FINE + random.integers(0, FINE, FARMS)
        cols = col * FINE + random.integers(0, FINE, FARMS)
        np.add.at(people, (rows, cols), share)
    return people


def _ashore(land: Land, size: tuple[int, int]) -> Grid:
    """Pixels with data: those of every grid cell that touches the land."""
    outline = land.outline.buffer(STEP)
    prepare(outline)
    lon = WEST + (np.arange(SHAPE[1]) + 0.5) * STEP
    lat = NORTH - (np.arange(SHAPE[0]) + 0.5) * STEP
    near = contains_xy(outline, *np.meshgrid(lon, lat))
    return np.repeat(np.repeat(near, FINE, axis=0), FINE, axis=1)[: size[0], : size[1]]


def make_landcover(land: Land, people: Grid) -> Grid:
    """Classes numbered as in ESA WorldCover; 0 is the sea."""
    count = np.where(people[0] == NODATA, 0, people[0]).astype(float)
    rows, cols = SHAPE
    count = count.reshape(rows, FINE, cols, FINE).sum(axis=(1, 3))
    farmed = gaussian_filter(count, 3.5) + 2.2 * np.exp(-land.height_m / 300)
    rough = noise("cover", (9, 4, 2))
    cover = np.full(SHAPE, 20, dtype=np.uint8)
    cover[(rough > 0.1) | (land.height_m > 500)] = 10
    cover[(rough < -0.9) & (land.height_m < 500)] = 30
    cover[(land.height_m > 1_250) & (rough < 1.0)] = 30
    cover[farmed * np.exp(0.5 * rough) > 3.4] = 40
    cover[land.flood_mask & (rough > -0.3)] = 90
    cover[(land.coast_km < 2.2) & (land.river_km < 6) & (land.height_m < 25)] = 95
    cover[count > 75] = 50
    cover[land.river_km == 0] = 80
    cover[~land.dry] = 0
    return cover
