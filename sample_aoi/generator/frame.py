"""The sheet of open ocean the island is drawn on: one grid, one seed, plain distances."""

import hashlib
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = [
    "EAST", "NORTH", "SEED", "SHAPE", "SOUTH", "STEP", "WEST", "cell_km2", "centres", "km_between",
    "lon_km", "noise", "stream", "to_lonlat", "to_rowcol",
]  # fmt: skip

SEED = 20260630
WEST, SOUTH, EAST, NORTH = 2.9, 1.2, 5.1, 2.8
STEP = 1 / 400
"""Degrees; about 277 m. The grid of elevation and land cover, row 0 in the north."""
SHAPE = (640, 880)
LAT_KM = 110.58
MID_LAT = (SOUTH + NORTH) / 2
Floats = np.ndarray[Any, np.dtype[np.float64]]


def stream(name: str) -> np.random.Generator:
    """One independent random stream per purpose, so that a change in one leaves the others."""
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([SEED, word])))


def lon_km() -> float:
    """Kilometres of one degree of longitude in the middle of the sheet."""
    return 111.32 * float(np.cos(np.radians(MID_LAT)))


def km_between(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    """Kilometres on a flat sheet; good to 0.1 % here, and only used to invent things."""
    return np.hypot((np.subtract(lon2, lon1)) * lon_km(), (np.subtract(lat2, lat1)) * LAT_KM)


def centres(factor: int = 1) -> tuple[Floats, Floats]:
    """Longitudes and latitudes of the cell centres of the grid coarsened by `factor`."""
    rows, cols = SHAPE[0] // factor, SHAPE[1] // factor
    step = STEP * factor
    lon = WEST + (np.arange(cols) + 0.5) * step
    lat = NORTH - (np.arange(rows) + 0.5) * step
    grid_lon, grid_lat = np.meshgrid(lon, lat)
    return grid_lon, grid_lat


def to_rowcol(lon: Any, lat: Any, factor: float = 1) -> tuple[Any, Any]:
    """Row and column of the cell that holds a point."""
    step = STEP * factor
    row = np.floor((NORTH - np.asarray(lat)) / step).astype(int)
    col = np.floor((np.asarray(lon) - WEST) / step).astype(int)
    return row, col


def to_lonlat(row: Any, col: Any, factor: float = 1) -> tuple[Any, Any]:
    """Centre of a cell, degrees."""
    step = STEP * factor
    return WEST + (np.asarray(col) + 0.5) * step, NORTH - (np.asarray(row) + 0.5) * step


def cell_km2(factor: int = 1) -> float:
    """Area of one cell in the middle of the sheet."""
    return (STEP * factor * lon_km()) * (STEP * factor * LAT_KM)


def noise(name: str, sigmas: tuple[float, ...], fall: float = 0.55) -> Floats:
    """Smooth noise of unit standard deviation: octaves of blurred white noise."""
    random = stream(name)
    total = np.zeros(SHAPE)
    for octave, sigma in enumerate(sigmas):
        layer = gaussian_filter(random.standard_normal(SHAPE), sigma, mode="reflect")
        total += fall**octave * layer / layer.std()
    return (total - total.mean()) / total.std()
