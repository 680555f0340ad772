"""Whether a band is people per pixel, and how a density becomes one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from pocgeo.ground.errors import BadInput, NotCounts
from pocgeo.ground.pixels import Piece, PixelWindow
from pocgeo.sources.raster import Bounds, describe, polygon_shares, read_piece, windows

__all__ = [
    "CountCheck",
    "PeopleRaster",
    "people_of_piece",
    "people_windows",
    "pixel_areas_km2",
    "refuse_if_not_counts",
    "to_counts",
]

WGS84_A_M = 6_378_137.0
WGS84_E2 = 0.006_694_379_990_141_316_5  # NIMA TR8350.2
WGS84_E = WGS84_E2**0.5

FEWEST_PERSONS_KM2 = 1.0
"""House default: no mission's area is emptier on average; band 1-2 of a resampled sum are."""

MOST_PERSONS_KM2 = 2_000.0
"""House default over LARGE_KM2: twice the densest large country (Bangladesh, about 1,200)."""

LARGE_KM2 = 10_000.0

DENSITY_WORDS = ("density", "per km", "per sq", "/km", "km-2", "km^-2", "persons_km2")
MEASURES = ("count", "density_per_km2")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRaster:
    """A raster of people: the whole of it, or what touches some bounds."""

    path: Path
    bands: Mapping[str, int]
    """Field to band number, from 1."""

    measure: str = "count"
    """Persons per pixel ("count"), or "density_per_km2"."""

    bounds: Bounds | None = None
    """West, south, east, north in degrees; only pixels that touch them are read."""

    def __post_init__(self) -> None:
        refuse_unknown_measure(self.path, self.measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCheck:
    """What a band implies over an area, had it been checked."""

    persons: float
    """Sum of the band's non-negative values over the area."""

    area_km2: float
    """Of the part of the area that the raster spans, nodata included."""

    negative_pixels: int
    """Pixels below 0: taken for missing, never for people."""

    missing_share: float
    """Share of the spanned area without data."""

    notes: tuple[str, ...]
    """The same in words, for the load report."""

    @property
    def persons_km2(self) -> float:
        """Mean density that the band implies."""
        return self.persons / self.area_km2 if self.area_km2 else float("nan")


def refuse_if_not_counts(
    path: Path | str,
    band: int,
    polygon: Any,
    *,
    field: str = "people_persons",
    measure: str = "count",
    expect_persons: Sequence[float] | None = None,
) -> CountCheck:
    """Refuse a band that cannot be people per pixel over the area of interest.

    House defaults: the mean density that the band implies over the part of the area it spans must
    be at least 1 person/km2, and at most 2,000 where that part exceeds 10,000 km2; and neither
    its file name, description nor tags may call it a density. `expect_persons` overrides all
    three with the user's own range.

    Parameters
    ----------
    path, band
        The raster, and the band's number from 1.
    polygon : shapely polygon or multipolygon
        The area of interest, EPSG:4326.
    field : str
        For the message; women and children are checked against half and a twentieth of the floor.
    measure : {"count", "density_per_km2"}
        What the user declares the values to be.
    expect_persons : (low, high), optional
        People the user expects in the area.

    Raises
    ------
    NotCounts
        With file, band, implied people, why, and what to do.
    """
    check = totals(path, band, polygon, measure)
    if not np.isfinite(check.persons):
        raise NotCounts(f"{path} band {band}: no value inside the area. Check file and band.")
    if expect_persons is not None:
        why = unexpected(check, expect_persons, path)
    else:
        why = (measure == "count" and called_density(path, band)) or implausible(check, field)
    if why:
        remedy = 'declare measure = "density_per_km2", ' if measure == "count" else ""
        raise NotCounts(
            f"{path} band {band}: implies {check.persons:,.0f} {field} over "
            f"{check.area_km2:,.0f} km2 ({check.persons_km2:.3g} per km2), and {why}. "
            f"If it is no count, {remedy}choose another band, or declare expect_persons."
        )
    return check


def people_windows(
    path: Path | str,
    bands: Mapping[str, int],
    *,
    measure: str = "count",
    size: int = 2048,
    bounds: Bounds | None = None,
) -> Iterator[PixelWindow]:
    """Walk a population raster as people per pixel, whatever it measures.

    As `raster.windows`; negative values are NaN, densities are multiplied by exact pixel areas.
    """
    refuse_unknown_measure(path, measure)
    for window in windows(path, bands, size, bounds):
        yield as_people(window, measure)


def people_of_piece(piece: Piece, measure: str) -> PixelWindow:
    """Read one window of a population raster, as `people_windows` gives it."""
    return as_people(read_piece(piece), measure)


def as_people(window: PixelWindow, measure: str) -> PixelWindow:
    """Make people per pixel of what a raster holds; what is negative is missing."""
    held = replace(window, values=np.where(window.values < 0, np.nan, window.values))
    return to_counts(held) if measure == "density_per_km2" else held


def refuse_unknown_measure(path: Path | str, measure: str) -> None:
    """Refuse a measure that is not people."""
    if measure not in MEASURES:
        raise BadInput(f"{path}: measure must be one of {', '.join(MEASURES)}, got {measure!r}.")


def to_counts(window: PixelWindow) -> PixelWindow:
    """Turn persons per km2 into persons per pixel."""
    return replace(window, values=window.values * pixel_areas_km2(window))


def pixel_areas_km2(window: PixelWindow) -> NDArray[np.float64]:
    """Compute the area of each pixel on the WGS84 ellipsoid.

    Returns
    -------
    array, shape (rows, 1) for a geographic CRS, (rows, columns) for a projected one
        Square kilometres.

    Notes
    -----
    Geographic: the exact area between two parallels and two meridians (Snyder 1987, eq. 3-12).
    Projected: corners moved to the Lambert cylindrical equal-area projection, shoelace there; for
    pixels up to 10 km within 1e-6 of the geodesic polygon.
    """
    _, rows, columns = window.values.shape
    crs = CRS.from_user_input(window.crs)
    y = window.north - window.pixel_height * np.arange(rows + 1)
    if crs.is_geographic:
        q = authalic_q(np.radians(np.clip(y, -90, 90)))
        strip_km2 = 0.5 * WGS84_A_M**2 * np.radians(window.pixel_width) * (q[:-1] - q[1:]) / 1e6
        return np.asarray(strip_km2, dtype=np.float64)[:, np.newaxis]
    x = window.west + window.pixel_width * np.arange(columns + 1)
    flat = Transformer.from_crs(crs, "EPSG:6933", always_xy=True)
    corner_x, corner_y = np.meshgrid(x, y)
    east, north = flat.transform(corner_x, corner_y)
    d1x, d1y = east[1:, 1:] - east[:-1, :-1], north[1:, 1:] - north[:-1, :-1]
    d2x, d2y = east[1:, :-1] - east[:-1, 1:], north[1:, :-1] - north[:-1, 1:]
    return np.asarray(0.5 * np.abs(d1x * d2y - d2x * d1y) / 1e6, dtype=np.float64)


def authalic_q(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute q of Snyder (1987), eq. 3-12, for latitudes in radians."""
    s = np.sin(latitude)
    term = s / (1 - WGS84_E2 * s**2)
    result = (1 - WGS84_E2) * (term + np.arctanh(WGS84_E * s) / WGS84_E)
    return np.asarray(result, dtype=np.float64)


def totals(path: Path | str, band: int, polygon: Any, measure: str) -> CountCheck:
    """Sum people, area and faults over the polygon."""
    persons = area_km2 = missing_km2 = 0.0
    negative = held = 0
    for window in windows(path, {"value": band}, 1024, tuple(polygon.bounds)):
        share = polygon_shares(window, polygon)
        areas = np.broadcast_to(pixel_areas_km2(window), share.shape)
        values = window.values[0]
        below = (values < 0) & (share > 0)
        negative += int(below.sum())
        valid = np.isfinite(values) & ~below
        held += int((valid & (share > 0)).sum())
        amount = values * areas if measure == "density_per_km2" else values
        persons += float(np.sum(np.where(valid, amount, 0.0) * share))
        area_km2 += float(np.sum(areas * share))
        missing_km2 += float(np.sum(areas * share * ~valid))
    missing_share = missing_km2 / area_km2 if area_km2 else 1.0
    notes = [f"band {band} holds {persons:,.0f} people inside the area"] if held else []
    if negative:
        notes.append(f"band {band}: {negative} negative pixels are read as missing")
    if missing_share > 0.001:
        notes.append(f"band {band}: {missing_share:.1%} of the area it spans has no data")
    return CountCheck(
        persons=persons if held else float("nan"),
        area_km2=area_km2,
        negative_pixels=negative,
        missing_share=missing_share,
        notes=tuple(notes),
    )


def unexpected(check: CountCheck, bounds: Sequence[float], path: Path | str) -> str | None:
    """Say whether the people implied lie outside the range the user declares."""
    if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1]:
        raise BadInput(f"{path}: expect_persons must be [low, high], got {list(bounds)}.")
    low, high = bounds
    return (
        None if low <= check.persons <= high else f"expect_persons says {low:,.0f} to {high:,.0f}"
    )


def called_density(path: Path | str, band: int) -> str | None:
    """Find a word that calls the band a density: in its name, description or tags."""
    facts = describe(path)
    own = [facts.descriptions[band - 1] or "", Path(path).stem]
    tagged = [f"{k} {v}" for k, v in facts.tags.items() if ":" not in k or k.startswith(f"{band}:")]
    for text in (*own, *tagged):
        word = next((word for word in DENSITY_WORDS if word in text.lower()), None)
        if word:
            return f"it is called a density ({text[:60]!r})"
    return None


def implausible(check: CountCheck, field: str) -> str | None:
    """Say why the implied density cannot be, by the house defaults."""
    floor = FEWEST_PERSONS_KM2 * {"women_persons": 0.5, "children_persons": 0.05}.get(field, 1.0)
    if check.persons_km2 < floor:
        return f"fewer than {floor:g} per km2 is not believed unasked"
    if check.area_km2 > LARGE_KM2 and check.persons_km2 > MOST_PERSONS_KM2:
        return f"more than {MOST_PERSONS_KM2:,.0f} per km2 is not believed unasked"
    return None
