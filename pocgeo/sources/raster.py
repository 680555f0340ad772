"""Rasters to windows of pixels: the only room that opens them."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.features import rasterize
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from pocgeo.ground.errors import BadInput, UnreadableSource
from pocgeo.ground.pixels import Piece, PixelWindow
from pocgeo.sources.archives import content_kind
from pocgeo.sources.mosaics import is_mosaic, tiles_of_mosaic

__all__ = [
    "RasterFacts",
    "band_sum",
    "describe",
    "pieces",
    "polygon_shares",
    "read_piece",
    "sample",
    "window_of",
    "windows",
]

DRIVERS = {".img": "HFA", ".asc": "AAIGrid", ".hgt": "SRTMHGT"}
"""Formats opened beside GeoTIFF and checked VRT; none of them can lead to other files."""

CACHE_MB = 64
"""Of decoded blocks that GDAL keeps; by itself it takes a twentieth of the machine."""

ABSURD = 1e30
"""Values beyond this, of either sign, are nodata that nobody declared (GPW: -3.4e38)."""

SAMPLE_TILE = 1024
FINE = 4
"""Sub-pixels per side when a polygon's share of a pixel is measured."""

FINE_PIXELS = 4_000_000
"""Windows up to this size are measured with sub-pixels; above, a pixel is in if its centre is."""

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterFacts:
    """What a raster says of itself."""

    path: Path
    bands: int
    descriptions: tuple[str | None, ...]
    """One per band."""

    crs: str
    """As PROJ reads it."""

    width: int
    """Columns."""

    height: int
    """Rows."""

    pixel_width: float
    """In units of the CRS."""

    pixel_height: float
    """In units of the CRS; positive."""

    nodata: tuple[float | None, ...]
    """One per band."""

    dtypes: tuple[str, ...]
    """One per band."""

    tags: Mapping[str, str]
    """Of the file; those of a band have its number in front, as in `1:STATISTICS_MEAN`."""

    bounds: Bounds
    """West, south, east, north, in units of the CRS."""

    bounds_lonlat: Bounds
    """The same in degrees, EPSG:4326."""


@contextmanager
def opened(path: Path | str) -> Iterator[Any]:
    """Open a raster that is north-up and says its CRS; refuse others in one line."""
    path = Path(path)
    kind = content_kind(path)
    driver = "GTiff" if kind == "tiff" else DRIVERS.get(path.suffix.lower())
    if kind == "text" and is_mosaic(path):
        tiles_of_mosaic(path)
        driver = "VRT"
    if driver is None:
        raise UnreadableSource(path, "is no raster pocgeo reads. Save it as GeoTIFF.")
    with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the CRS check below says more
        try:
            raster = rasterio.open(path, driver=driver)
        except (RasterioError, OSError) as error:
            raise UnreadableSource(
                path, f"is no readable raster ({first_line(error)}). Fetch it again."
            ) from error
    with raster:
        if raster.crs is None:
            raise UnreadableSource(
                path, "states no coordinate reference system. Write one into it (gdal_edit -a_srs)."
            )
        turn = raster.transform
        if turn.b or turn.d or turn.a <= 0 or turn.e >= 0:
            raise UnreadableSource(path, "is rotated or not north-up. Warp it with gdalwarp first.")
        yield raster


def describe(path: Path | str) -> RasterFacts:
    """Say what a raster is, without reading its pixels.

    Raises
    ------
    MissingFile, UnreadableSource
        No such file; not a raster; no CRS; rotated.
    """
    with opened(path) as raster:
        tags = dict(raster.tags())
        for band in raster.indexes:
            tags |= {f"{band}:{name}": value for name, value in raster.tags(band).items()}
        return RasterFacts(
            path=Path(path),
            bands=raster.count,
            descriptions=tuple(raster.descriptions),
            crs=raster.crs.to_string(),
            width=raster.width,
            height=raster.height,
            pixel_width=raster.transform.a,
            pixel_height=-raster.transform.e,
            nodata=tuple(raster.nodatavals),
            dtypes=tuple(raster.dtypes),
            tags=tags,
            bounds=tuple(raster.bounds),
            bounds_lonlat=tuple(transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)),
        )


def windows(
    path: Path | str, bands: Mapping[str, int], size: int = 2048, bounds: Bounds | None = None
) -> Iterator[PixelWindow]:
    """Walk a raster in windows, row by row.

    Parameters
    ----------
    path : Path
        The raster.
    bands : mapping
        Field to band number, from 1; the order of fields is kept.
    size : int
        Greatest rows and columns of a window; of a raster stored in whole rows that is wider, the
        root of the pixels in one.
    bounds : west, south, east, north in degrees (EPSG:4326), optional
        Only pixels that touch them.

    Yields
    ------
    PixelWindow
        In the raster's own CRS; scale and offset applied; nodata, infinite and absurd (beyond
        1e30) values are NaN. Negative values are left as they are.

    Raises
    ------
    BadInput
        No such band, or the raster and the bounds do not overlap.
    """
    with opened(path) as raster:
        for piece in cut(raster, path, bands, size, bounds):
            yield pixels(raster, piece)


def pieces(
    path: Path | str, bands: Mapping[str, int], size: int = 2048, bounds: Bounds | None = None
) -> list[Piece]:
    """Say which windows `windows` would walk, without reading them; the errors are the same."""
    with opened(path) as raster:
        return cut(raster, path, bands, size, bounds)


def read_piece(piece: Piece) -> PixelWindow:
    """Read one window."""
    with opened(piece.path) as raster:
        checked_bands(raster, piece.path, dict(piece.bands))
        return pixels(raster, piece)


def cut(
    raster: Any, path: Path | str, bands: Mapping[str, int], size: int, bounds: Bounds | None
) -> list[Piece]:
    """Cut a raster into windows of about size x size pixels, along the blocks it is stored in.

    A raster stored in whole rows is cut into bands of rows: each is then decoded once.
    """
    checked_bands(raster, path, bands)
    whole = window_within(raster, path, bounds)
    high, wide = (min(edges) for edges in zip(*raster.block_shapes, strict=True))
    in_rows = wide >= raster.width and whole.width > size
    across = whole.width if in_rows else along_blocks(size, wide)
    down = along_blocks(max(1, size * size // across), high)
    bottom, right = whole.row_off + whole.height, whole.col_off + whole.width
    rows = [whole.row_off, *range((whole.row_off // down + 1) * down, bottom, down), bottom]
    columns = [whole.col_off, right]
    if not in_rows:
        inner = range((whole.col_off // across + 1) * across, right, across)
        columns = [whole.col_off, *inner, right]
    return [
        Piece(
            path=Path(path), bands=tuple(bands.items()), row=top, column=left,
            rows=bottom - top, columns=right - left,
        )
        for top, bottom in pairwise(rows) for left, right in pairwise(columns)
    ]  # fmt: skip


def along_blocks(size: int, block: int) -> int:
    """Greatest whole number of blocks in a size; the size itself if a block is larger."""
    return size // block * block or size


def window_of(path: Path | str, bands: Mapping[str, int], bounds_lonlat: Bounds) -> PixelWindow:
    """Read the pixels that touch bounds given in degrees, as one window.

    See `windows` for parameters and errors.
    """
    with opened(path) as raster:
        checked_bands(raster, path, bands)
        return pixels(raster, piece_of(path, bands, window_within(raster, path, bounds_lonlat)))


def band_sum(path: Path | str, band: int, polygon: Any = None) -> float:
    """Sum a band, inside a polygon (EPSG:4326) where one is given.

    A pixel on the outline counts by the share of it inside, measured on 4 x 4 sub-pixels. Nodata
    is left out; a raster wholly nodata there sums to NaN.
    """
    bounds = None if polygon is None else tuple(polygon.bounds)
    total, seen = 0.0, 0
    for window in windows(path, {"value": band}, 1024, bounds):
        values = window.values[0]
        share = 1.0 if polygon is None else polygon_shares(window, polygon)
        held = np.isfinite(values) & (np.asarray(share) > 0)
        seen += int(held.sum())
        total += float(np.nansum(values * share))
    return total if seen else float("nan")


def polygon_shares(window: PixelWindow, polygon: Any) -> NDArray[np.float64]:
    """Measure the share of each pixel that lies in a polygon.

    Returns
    -------
    array, shape (rows, columns)
        0 to 1, on 4 x 4 sub-pixels (windows over 4 million pixels: 0 or 1 by the centre).
    """
    _, rows, columns = window.values.shape
    fine = FINE if rows * columns <= FINE_PIXELS else 1
    step_x, step_y = window.pixel_width / fine, window.pixel_height / fine
    transform = Affine(step_x, 0, window.west, 0, -step_y, window.north)
    placed = polygon
    if window.crs != "EPSG:4326":
        placed = gpd.GeoSeries([polygon], crs="EPSG:4326").to_crs(window.crs).iloc[0]
    mask = rasterize(
        [(placed, 1)], out_shape=(rows * fine, columns * fine), transform=transform, dtype="uint8"
    )
    blocks = mask.reshape(rows, fine, columns, fine)
    share: NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
    return share


def sample(path: Path | str, band: int, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Read the pixel under each point (elevation, land cover).

    Parameters
    ----------
    lon, lat : array, n
        Degrees, EPSG:4326.

    Returns
    -------
    array, n
        NaN where a point is missing or outside the raster, or the pixel has no data.
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    found = np.full(lon.shape, np.nan)
    with opened(path) as raster:
        checked_bands(raster, path, {"value": band})
        crs = raster.crs.to_string()
        x, y = lon, lat
        if crs != "EPSG:4326":
            x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
        with np.errstate(invalid="ignore"):
            column = np.floor((x - raster.transform.c) / raster.transform.a)
            row = np.floor((y - raster.transform.f) / raster.transform.e)
            inside = (column >= 0) & (column < raster.width) & (row >= 0) & (row < raster.height)
        where = np.flatnonzero(inside)
        rows, columns = row[where].astype(np.int64), column[where].astype(np.int64)
        tiles_across = raster.width // SAMPLE_TILE + 1
        tile = (rows // SAMPLE_TILE) * tiles_across + columns // SAMPLE_TILE
        order = np.argsort(tile, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(tile[order])) + 1):
            if not len(group):
                continue
            top, left = rows[group].min(), columns[group].min()
            height, width = np.ptp(rows[group]) + 1, np.ptp(columns[group]) + 1
            piece = piece_of(path, {"value": band}, Window(left, top, width, height))
            values = pixels(raster, piece).values[0]
            found[where[group]] = values[rows[group] - top, columns[group] - left]
    return found


def piece_of(path: Path | str, bands: Mapping[str, int], window: Window) -> Piece:
    """Name a window as rasterio has it."""
    return Piece(
        path=Path(path), bands=tuple(bands.items()), row=int(window.row_off),
        column=int(window.col_off), rows=int(window.height), columns=int(window.width),
    )  # fmt: skip


def checked_bands(raster: Any, path: Path | str, bands: Mapping[str, int]) -> None:
    """Refuse an empty choice of bands and bands that do not exist."""
    if not bands:
        raise BadInput(f"{path}: no band is asked for. Declare bands, as in people_persons = 1.")
    for field, band in bands.items():
        if isinstance(band, bool) or not isinstance(band, int) or not 1 <= band <= raster.count:
            raise BadInput(
                f"{path}: no band {band!r} for {field}; it has {raster.count}, numbered from 1."
            )


def window_within(raster: Any, path: Path | str, bounds: Bounds | None) -> Window:
    """Find the pixels that touch bounds in degrees."""
    if bounds is None:
        return Window(0, 0, raster.width, raster.height)
    west, south, east, north = transform_bounds("EPSG:4326", raster.crs, *bounds)
    left, top, right, bottom = (
        max((west - raster.transform.c) / raster.transform.a, 0),
        max((north - raster.transform.f) / raster.transform.e, 0),
        min((east - raster.transform.c) / raster.transform.a, raster.width),
        min((south - raster.transform.f) / raster.transform.e, raster.height),
    )
    if not (left < right and top < bottom):
        inside = ", ".join(f"{edge:.3f}" for edge in bounds)
        raise BadInput(
            f"{path}: does not overlap the area asked for (west, south, east, north {inside}). "
            "Check the file."
        )
    left, top = floor(left), floor(top)
    return Window(left, top, ceil(right) - left, ceil(bottom) - top)


def pixels(raster: Any, piece: Piece) -> PixelWindow:
    """Read one window; what is no data becomes NaN."""
    bands = [band for _, band in piece.bands]
    window = Window(piece.column, piece.row, piece.columns, piece.rows)
    try:
        read = raster.read(list(bands), window=window, masked=True, out_dtype="float64")
    except (RasterioError, OSError) as error:
        raise UnreadableSource(raster.name, f"is damaged ({first_line(error)}).") from error
    values: NDArray[np.float64] = read.filled(np.nan)
    with np.errstate(invalid="ignore"):
        values[~(np.abs(values) < ABSURD)] = np.nan
    for position, band in enumerate(bands):
        scale, offset = raster.scales[band - 1], raster.offsets[band - 1]
        if (scale, offset) != (1.0, 0.0):
            values[position] = values[position] * scale + offset
    return PixelWindow(
        fields=tuple(field for field, _ in piece.bands),
        values=values,
        west=raster.transform.c + piece.column * raster.transform.a,
        north=raster.transform.f + piece.row * raster.transform.e,
        pixel_width=raster.transform.a,
        pixel_height=-raster.transform.e,
        crs=raster.crs.to_string(),
    )


def first_line(error: BaseException) -> str:
    """Shorten a library's message."""
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
