"""Cells on the pixels of a raster: which lie on a part of a window, and their rings in pixels."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from pocgeo.cells.grid import Cells, cell_size_km2, cover, in_box, rings
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m, transformer
from pocgeo.ground.pixels import PixelWindow

__all__ = ["LONLAT", "Tile", "tile_side", "tiles_of", "to_degrees"]

LONLAT = frozenset({"EPSG:4326", "OGC:CRS84", "WGS84"})

SIDE = 512
"""Greatest side of a tile, pixels: its arrays stay in the processor's cache."""

CELLS = 20_000
"""Cells a tile should hold at most."""

MOST_CELLS = 1_000_000
"""Cells a pixel may hold at most."""

WIDEST_DEG = 30.0
"""Greatest width of a tile of a raster in degrees."""

NEAR_POLE_DEG = 85.0
SAMPLES = 9
"""Points per side at which a tile of a projected raster is looked up."""

BENT = 0.005
"""Greatest distance of an edge from its straight line, pixels."""

BROKEN = 8.0
"""A ring so many times as wide as its fellows is torn by the rim of the projection."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A rectangle of a window's pixels."""

    window: PixelWindow
    top: int
    left: int
    rows: int
    columns: int

    def places(self, row: Floats, column: Floats) -> tuple[Floats, Floats]:
        """Lon, lat of places given in pixels from the tile's north-west corner."""
        x = self.window.west + (self.left + column) * self.window.pixel_width
        y = self.window.north - (self.top + row) * self.window.pixel_height
        return to_degrees(x, y, self.window.crs)

    def cells(self, resolution: int) -> Cells:
        """Cells that overlap the tile; some beyond it may be among them."""
        bounds = self.bounds_lonlat()
        if bounds is None:
            return np.zeros(0, dtype=np.int64)
        west, south, east, north = bounds
        plain = west >= -180 and east <= 180 and max(abs(south), abs(north)) < NEAR_POLE_DEG
        if plain:
            return in_box(west, south, east, north, resolution)
        return cover(shapely.box(west, max(south, -90), east, min(north, 90)), resolution)

    def bounds_lonlat(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees, a little more than the tile; None off the map."""
        if self.window.crs in LONLAT:
            west = self.window.west + self.left * self.window.pixel_width
            north = self.window.north - self.top * self.window.pixel_height
            east = west + self.columns * self.window.pixel_width
            return west, north - self.rows * self.window.pixel_height, east, north
        part = np.linspace(0, 1, SAMPLES)
        row, column = np.meshgrid(part * self.rows, part * self.columns)
        lon, lat = self.places(row.ravel(), column.ravel())
        known = np.isfinite(lon) & np.isfinite(lat)
        if not known.any():
            return None
        lon, lat = lon[known], lat[known]
        lon = lon[0] + turned(lon - lon[0])
        hem_x, hem_y = np.ptp(lon) / (SAMPLES - 1), np.ptp(lat) / (SAMPLES - 1)
        west, east = float(lon.min() - hem_x), float(lon.max() + hem_x)
        south, north = float(lat.min() - hem_y), float(lat.max() + hem_y)
        if east - west > 180:  # round a pole
            west, east = -180.0, 180.0
            south, north = (south, 90.0) if lat.mean() > 0 else (-90.0, north)
        return west, south, east, north

    def rings(self, cells: Cells) -> tuple[Floats, Floats, Ints, Cells]:
        """Rings of cells in pixels of the tile.

        Returns
        -------
        x, y, starts, cells
            As `pixel_shares.shared_pixels` takes them; cells whose ring is torn by a pole, the
            antimeridian or the rim of a projection are left out.
        """
        lon, lat, starts = rings(cells)
        window = self.window
        if len(cells) and window.crs not in LONLAT:
            lon, lat, starts = self.followed(lon, lat, starts)
        x, y = self.in_pixels(lon, lat)
        if len(cells) == 0:
            return x, y, starts, cells
        wide = np.maximum.reduceat(x, starts) - np.minimum.reduceat(x, starts)
        high = np.maximum.reduceat(y, starts) - np.minimum.reduceat(y, starts)
        extent = np.maximum(wide, high)
        sound = np.isfinite(extent)
        if geographic(window.crs):
            sound &= wide * window.pixel_width < 180
        elif sound.any():
            sound &= extent < BROKEN * np.median(extent[sound])
        if sound.all():
            return x, y, starts, cells
        size = np.diff(np.append(starts, len(x)))
        kept = np.repeat(sound, size)
        return x[kept], y[kept], np.cumsum(size[sound]) - size[sound], cells[sound]

    def in_pixels(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Places in pixels from the tile's north-west corner: x eastward, y southward."""
        window = self.window
        x, y = lon, lat
        if window.crs not in LONLAT:
            x, y = transformer("EPSG:4326", window.crs).transform(lon, lat)
        west = window.west + self.left * window.pixel_width
        if geographic(window.crs):
            middle = west + self.columns * window.pixel_width / 2
            x = middle + turned(x - middle)
        north = window.north - self.top * window.pixel_height
        return (x - west) / window.pixel_width, (north - y) / window.pixel_height

    def followed(self, lon: Floats, lat: Floats, starts: Ints) -> tuple[Floats, Floats, Ints]:
        """Add points along edges, straight in lon, lat, that are bent on the raster's map."""
        following = np.arange(1, len(lon) + 1)
        following[np.append(starts[1:], len(lon)) - 1] = starts
        step_lon, step_lat = turned(lon[following] - lon), lat[following] - lat
        few = np.arange(0, len(lon), max(1, len(lon) // 500))
        ends = [self.in_pixels(lon[few] + at * step_lon[few], lat[few] + at * step_lat[few])
                for at in (0, 0.5, 1)]  # fmt: skip
        (x0, y0), (x1, y1), (x2, y2) = ends
        bent = np.hypot(x1 - (x0 + x2) / 2, y1 - (y0 + y2) / 2)
        sound = bent[np.isfinite(bent)]
        typical = float(np.quantile(sound, 0.95)) if len(sound) else 0.0
        parts = int(np.clip(np.ceil(np.sqrt(typical / BENT)), 1, 32))
        if parts == 1:
            return lon, lat, starts
        along = np.arange(parts) / parts
        longer = (lon[:, None] + step_lon[:, None] * along).ravel()
        return longer, (lat[:, None] + step_lat[:, None] * along).ravel(), starts * parts


def tiles_of(window: PixelWindow, wanted: NDArray[np.bool_], resolution: int) -> list[Tile]:
    """Cut a window into tiles, each trimmed to its wanted pixels; those without any are left out.

    Parameters
    ----------
    window : PixelWindow
    wanted : bool array, shape (rows, columns)
    resolution : int
        Of the cells: a tile holds some thousands at most.
    """
    rows, columns = wanted.shape
    if not wanted.any():
        return []
    side = tile_side(window, resolution)
    found = []
    for top in range(0, rows, side):
        strip = wanted[top : top + side]
        if not strip.any():
            continue
        for left in range(0, columns, side):
            part = strip[:, left : left + side]
            down, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            if len(down):
                found.append(
                    Tile(
                        window=window, top=top + int(down[0]), left=left + int(across[0]),
                        rows=int(np.ptp(down)) + 1, columns=int(np.ptp(across)) + 1,
                    )
                )  # fmt: skip
    return found


def tile_side(window: PixelWindow, resolution: int) -> int:
    """Pixels on a side of a tile.

    Raises
    ------
    BadInput
        A pixel holds a million cells or more.
    """
    west, south, east, north = window.bounds
    wide, high = window.pixel_width, window.pixel_height
    x = np.array([west, east - wide, (west + east - wide) / 2])
    y = np.array([north, south + high, (south + north + high) / 2])
    lon, lat = to_degrees(x, y, window.crs)
    sides_m = []
    for step_x, step_y in ((wide, 0.0), (0.0, -high)):
        end_lon, end_lat = to_degrees(x + step_x, y + step_y, window.crs)
        sides_m.append(distance_m(lon, lat, end_lon, end_lat))
    area_km2 = sides_m[0] * sides_m[1] / 1e6
    area_km2 = area_km2[np.isfinite(area_km2)]
    largest = float(area_km2.max()) if len(area_km2) else 0.0
    cells = largest / cell_size_km2(resolution)
    if cells > MOST_CELLS:
        raise BadInput(
            f"A pixel of {largest:,.0f} km2 holds {cells:,.0f} cells of resolution {resolution}. "
            "Choose a coarser resolution, or a finer raster."
        )
    side = min(SIDE, int(np.sqrt(CELLS / cells))) if cells > 0 else SIDE
    if geographic(window.crs):
        side = min(side, int(WIDEST_DEG / wide))
    return max(1, side)


def geographic(crs: str) -> bool:
    """Say whether a CRS is in degrees."""
    return crs in LONLAT or bool(CRS.from_user_input(crs).is_geographic)


def to_degrees(x: Floats, y: Floats, crs: str) -> tuple[Floats, Floats]:
    """Lon, lat of coordinates in a CRS; a whole turn beyond 180 is taken off."""
    lon, lat = (x, y) if crs in LONLAT else transformer(crs, "EPSG:4326").transform(x, y)
    with np.errstate(invalid="ignore"):
        lon = np.where(np.abs(lon) > 180, (lon + 180) % 360 - 180, lon)
    return lon, np.clip(lat, -90, 90)


def turned(difference: Floats) -> Floats:
    """Longitude differences the short way round."""
    with np.errstate(invalid="ignore"):
        return difference - 360 * np.round(difference / 360)
