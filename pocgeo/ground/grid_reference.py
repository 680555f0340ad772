"""Coordinates as people write them: degrees-minutes-seconds, MGRS, UTM; and MGRS written out."""

import re
import warnings
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

import mgrs
import numpy as np
from mgrs.core import MGRSError
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from pocgeo.ground.errors import BadInput

__all__ = [
    "mgrs_side_m", "parse_dms", "parse_mgrs", "parse_pair", "parse_utm", "to_mgrs", "utm_to_lonlat",
]  # fmt: skip

Degrees = NDArray[np.float64]
Pair = tuple[float, float]

GREATEST_DEG = {"N": 90.0, "S": 90.0, "E": 180.0, "W": 180.0, "": 180.0}
AXIS = {"N": "lat", "S": "lat", "E": "lon", "W": "lon"}
NOWHERE: Pair = (float("nan"), float("nan"))

MARKS = re.compile(
    r"DEGREES|DEG|MINUTES|MIN|SECONDS|SEC|[°º˚ᵒ'′’‘´`ʹ\"″”“ʺ*:~_]|(?<=\d)\s*[DM](?![A-Z])"
)
LETTERED = re.compile(r"(\d\s*D\s*\d+\s*M\s*\d+(?:\.\d+)?)\s*S")
"""4d51m36s: the first S after the third number is the seconds', not the south's."""

WORDS = ((re.compile(r"\bNORTH\b"), "N"), (re.compile(r"\bSOUTH\b"), "S"),
         (re.compile(r"\bEAST\b"), "E"), (re.compile(r"\bWEST\b"), "W"))  # fmt: skip
HEMISPHERE = re.compile(r"^(?:([NSEW])\s*(.*)|(.*?)\s*([NSEW]))$")
PARTS = re.compile(r"([+-]?)\s*(\d+(?:\.\d+)?)(?:\s+(\d+(?:\.\d+)?))?(?:\s+(\d+(?:\.\d+)?))?")
COMPACT = re.compile(r"(\d{2,3}?)(\d{2})(\d{2})?(\.\d+)?")
MGRS_TEXT = re.compile(
    r"(\d{1,2}[C-HJ-NP-X](?=[A-Z]{2})|[ABYZ](?=[A-Z]{2}\d))"
    r"([A-HJ-NP-Z]{2})((?:\d\d){0,5})"
)
BANDS = "CDEFGHJKLMNPQRSTUVWX"
UTM_TEXT = re.compile(
    r"(?:UTM\s*)?(?:ZONE\s*)?(\d{1,2})\s*([C-HJ-NP-X])[\s,;:]*(\d{5,7}(?:\.\d+)?)\s*(?:M?\s*E)?"
    r"[\s,;:]+(\d{1,8}(?:\.\d+)?)\s*(?:M?\s*N)?"
)
WKT_POINT = re.compile(r"POINT\s*\(\s*([-+\d.eE]+)\s+([-+\d.eE]+)\s*\)")
AMBIGUOUS_S_M = (3_500_000.0, 4_450_000.0)
"""Northings of latitude band S (32-40 N): a letter S could then be band or hemisphere."""


def parse_dms(texts: Iterable[Any], axis: str | None = None) -> Degrees:
    """Read one latitude or longitude per text, in any common spelling.

    Degrees, degrees and minutes, or all three, the last with decimals; marks (° ' " d m s : -) or
    spaces between them; a hemisphere letter or word before or after, or a sign, never both;
    or compact with a letter (045136N, 0313500E, 0451.6N). A decimal comma is read as a point.

    Parameters
    ----------
    texts : iterable of text or numbers
        Numbers are decimal degrees.
    axis : {"lat", "lon"}, optional
        Refuses letters of the other axis, and latitudes beyond 90.

    Returns
    -------
    array
        Degrees, south and west negative; NaN for what is missing or no coordinate (minutes or
        seconds beyond 60, degrees beyond 90 or 180, a sign beside a letter). A last number of
        exactly 60 is read: programs that round seconds write 7d05'60"N for 7.1.
    """
    if axis not in {None, "lat", "lon"}:
        raise BadInput(f"axis must be lat, lon or None, got {axis!r}.")
    return np.array([one_dms(text, axis) for text in texts], dtype=np.float64)


def parse_pair(texts: Iterable[Any]) -> tuple[Degrees, Degrees]:
    """Read latitude and longitude from one text each; returns (lon, lat).

    Latitude comes first unless hemisphere letters say otherwise; WKT points, `POINT (lon lat)`,
    are read as the standard has them. Separators: comma, semicolon, slash, bar, or white space
    where it is not ambiguous.
    """
    return columns(texts, one_pair)


def parse_mgrs(texts: Iterable[Any]) -> tuple[Degrees, Degrees]:
    """Read MGRS references, spaces allowed; returns (lon, lat) of the centre of each square.

    A reference names a square, not a point (`mgrs_side_m` says how large): its south-west corner
    would be biased by half a side. Right to half a metre. Polar (UPS) squares are read too; NaN
    for what is no reference.
    """
    grid = mgrs.MGRS()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the band, which is judged below
        return columns(texts, lambda text: one_mgrs(grid, text))


def mgrs_side_m(texts: Iterable[Any]) -> Degrees:
    """Say how long the side of each MGRS square is, metres; NaN for what is no reference."""
    found = (MGRS_TEXT.fullmatch(squeezed(text)) for text in texts)
    sides = [100_000.0 / 10 ** (len(m[3]) // 2) if m else float("nan") for m in found]
    return np.array(sides, dtype=np.float64)


def parse_utm(texts: Iterable[Any]) -> tuple[Degrees, Degrees]:
    """Read `36N 345678 536789`, `36 P 345678mE 1104321mN` ...; returns (lon, lat).

    N and S after the zone are hemispheres, other letters latitude bands. S with a northing between
    3.5 and 4.45 million metres could be either, and is NaN.
    """
    parts = [utm_parts(text) for text in texts]
    table = np.array(parts, dtype=np.float64).reshape(-1, 4)
    zone, easting, northing, south = table.T
    return utm_to_lonlat(zone, easting, northing, south == 1)


def utm_to_lonlat(
    zone: ArrayLike, easting: ArrayLike, northing: ArrayLike, south: ArrayLike = False
) -> tuple[Degrees, Degrees]:
    """Convert UTM on WGS84 to degrees, EPSG:4326; returns (lon, lat).

    Parameters
    ----------
    zone : array
        1 to 60.
    easting, northing : array
        Metres; 100,000 to 900,000 and 0 to 10,000,000.
    south : array of bool
        Southern hemisphere (false northing 10,000,000 m).

    Returns
    -------
    lon, lat : arrays
        NaN where a value is missing or out of range.
    """
    zone, easting, northing, south = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in (zone, easting, northing)),
        np.atleast_1d(np.asarray(south, dtype=bool)),
    )
    lon, lat = np.full(zone.shape, np.nan), np.full(zone.shape, np.nan)
    fits = (zone >= 1) & (zone <= 60) & (zone == np.floor(zone))
    fits &= (easting >= 100_000) & (easting <= 900_000) & (northing >= 0) & (northing <= 10_000_000)
    code = np.where(fits, 32600 + 100 * south + np.nan_to_num(zone), 0).astype(np.int64)
    for epsg in np.unique(code[fits]):
        here = code == epsg
        move = Transformer.from_crs(int(epsg), 4326, always_xy=True)
        lon[here], lat[here] = move.transform(easting[here], northing[here])
    return lon, lat


def to_mgrs(lon: ArrayLike, lat: ArrayLike, digits: int = 4) -> NDArray[np.object_]:
    """Write positions as MGRS, grouped for reading: "35N KG 1234 5678".

    Parameters
    ----------
    lon, lat : array
        Degrees, EPSG:4326.
    digits : int
        Of easting and northing each: 5 is 1 m, 4 is 10 m, 3 is 100 m, 0 the 100 km square.
        Cut off, not rounded, as MGRS is: the position lies in the square named.

    Returns
    -------
    array of text
        None where a coordinate is missing or beyond 180 or 90.
    """
    if not 0 <= digits <= 5:
        raise BadInput(f"digits must be 0 to 5, got {digits}.")
    lon, lat = np.broadcast_arrays(
        np.atleast_1d(np.asarray(lon, dtype=np.float64)),
        np.atleast_1d(np.asarray(lat, dtype=np.float64)),
    )
    grid = mgrs.MGRS()
    written = np.full(lon.shape, None, dtype=object)
    on_earth = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    for place in np.flatnonzero(on_earth):
        text = str(grid.toMGRS(float(lat.flat[place]), float(lon.flat[place]), True, digits))
        written.flat[place] = spaced(text, digits)
    return written


def spaced(reference: str, digits: int) -> str:
    """Group a reference: zone and band, square, easting, northing."""
    head = reference[: len(reference) - 2 * digits]
    numbers = reference[len(head) :]
    zone = head[:-2].lstrip("0") if head[:-2].startswith("0") else head[:-2]
    return " ".join(filter(None, [zone, head[-2:], numbers[:digits], numbers[digits:]]))


def columns(texts: Iterable[Any], read: Callable[[Any], Pair]) -> tuple[Degrees, Degrees]:
    """Read each text, and turn pairs into two columns."""
    pairs = np.array([read(text) for text in texts], dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def one_dms(value: Any, axis: str | None) -> float:
    """Read one latitude or longitude; NaN where it is none."""
    letter, sign, numbers = dms_parts(value)
    if not numbers or (letter and sign) or (letter and axis and AXIS[letter] != axis):
        return float("nan")
    degrees, minutes, seconds = (*numbers, 0.0, 0.0)[:3]
    whole = all(number.is_integer() for number in numbers[:-1])
    greatest = 90.0 if axis == "lat" else GREATEST_DEG[letter]
    total = (degrees * 3600 + minutes * 60 + seconds) / 3600
    sixty = any(number > 60 for number in numbers[1:]) or 60 in numbers[1:-1]
    if not whole or sixty or not total <= greatest:
        return float("nan")
    return -total if letter in {"S", "W"} or sign == "-" else total


def dms_parts(value: Any) -> tuple[str, str, tuple[float, ...]]:
    """Take a text apart: hemisphere letter, sign, one to three numbers (none: not read)."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        number = float(value)
        return "", "-" if number < 0 else "", (abs(number),) if np.isfinite(number) else ()
    if not isinstance(value, str):
        return "", "", ()
    text = value.strip().upper().replace("−", "-").replace("''", '"')
    for word, letter in WORDS:
        text = word.sub(letter, text)
    text = LETTERED.sub(r"\1 ", re.sub(r"(?<=\d),(?=\d)", ".", text)).strip()
    letter = ""
    if found := HEMISPHERE.fullmatch(text):
        letter = found[1] or found[4]
        text = (found[2] if found[1] else found[3]).strip(" ,;")
    text = re.sub(r"(?<=\d)\s*S$", "", text)  # seconds, the hemisphere being taken off
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", " ", MARKS.sub(" ", text)).strip()
    if letter and (compact := COMPACT.fullmatch(text)) and len(text.partition(".")[0]) >= 4:
        return letter, "", compact_numbers(compact)
    parts = PARTS.fullmatch(" ".join(text.split()))
    if not parts:
        return "", "", ()
    return letter, parts[1], tuple(float(number) for number in parts.groups()[1:] if number)


def compact_numbers(found: re.Match[str]) -> tuple[float, ...]:
    """Split DDMM, DDDMM, DDMMSS or DDDMMSS, the last with decimals."""
    degrees, minutes, seconds, decimals = found.groups()
    if seconds is None:
        return float(degrees), float(minutes + (decimals or ""))
    return float(degrees), float(minutes), float(seconds + (decimals or ""))


def one_pair(value: Any) -> Pair:
    """Read (lon, lat) from one text."""
    if not isinstance(value, str):
        return NOWHERE
    text = value.strip().upper()
    if point := WKT_POINT.fullmatch(text):
        lon, lat = one_dms(point[1], "lon"), one_dms(point[2], "lat")
        return (lon, lat) if isfinite(lon + lat) else NOWHERE
    for halves in splits(text.strip("()[] ")):
        first, second = (dms_parts(half) for half in halves)
        swapped = AXIS.get(first[0]) == "lon" or AXIS.get(second[0]) == "lat"
        north, east = (halves[1], halves[0]) if swapped else halves
        lat, lon = one_dms(north, "lat"), one_dms(east, "lon")
        if isfinite(lat + lon):
            return lon, lat
    return NOWHERE


def splits(text: str) -> list[tuple[str, str]]:
    """Offer the ways to cut a pair in two, the surest first."""
    for mark in (r"[;/|]", r",\s", r","):
        halves = re.split(mark, text)
        if len(halves) == 2:
            return [(halves[0], halves[1])]
    if after := re.fullmatch(r"(.+?[NSEW])\s+(.+[NSEW])|(.+?[NSEW])(\d.*[NSEW])", text):
        return [(after[1] or after[3], after[2] or after[4])]
    if before := re.fullmatch(r"([NSEW].*?)\s*([NSEW].*)", text):
        return [(before[1], before[2])]
    words = text.split()
    half = len(words) // 2
    if len(words) in {2, 4, 6}:
        return [(" ".join(words[:half]), " ".join(words[half:]))]
    return []


def squeezed(value: Any) -> str:
    """Write a reference without spaces, in capitals; what is no text is empty."""
    return re.sub(r"[\s\-_,]+", "", value).upper() if isinstance(value, str) else ""


def one_mgrs(grid: Any, value: Any) -> Pair:
    """Read (lon, lat) of the centre of one MGRS square."""
    found = MGRS_TEXT.fullmatch(squeezed(value))
    if not found:
        return NOWHERE
    digits = len(found[3]) // 2
    # Written out to the metre, the centre is the same whether the library takes a reference for
    # the corner of its square (as mgrs before 1.6) or for its middle.
    east = (found[3][:digits] + "5").ljust(5, "0")[:5]
    north = (found[3][digits:] + "5").ljust(5, "0")[:5]
    try:
        lat, lon = grid.toLatLon(f"{found[1]}{found[2]}{east}{north}")
    except (MGRSError, UnicodeError):
        return NOWHERE
    return (float(lon), float(lat)) if in_band(found[1][-1], lat, digits) else NOWHERE


def in_band(letter: str, lat: float, digits: int) -> bool:
    """Say whether a square can lie in its latitude band; its centre may lie just beyond the edge.

    The margin is that of GEOTRANS: a degree over ten to the digits.
    """
    if letter not in BANDS:
        return True  # a polar square, which has no band
    south = -80.0 + 8 * BANDS.index(letter)
    margin = 10.0**-digits
    north = 84.0 if letter == "X" else south + 8
    return south - margin <= lat <= north + margin


def utm_parts(value: Any) -> tuple[float, float, float, float]:
    """Take a UTM text apart: zone, easting, northing, 1 where southern."""
    found = (
        UTM_TEXT.fullmatch(" ".join(str(value).upper().split())) if isinstance(value, str) else None
    )
    if not found:
        return (float("nan"),) * 4
    zone, letter, easting, northing = int(found[1]), found[2], float(found[3]), float(found[4])
    if letter == "S" and AMBIGUOUS_S_M[0] <= northing <= AMBIGUOUS_S_M[1]:
        return (float("nan"),) * 4
    return zone, easting, northing, float(letter < "N" or letter == "S")
