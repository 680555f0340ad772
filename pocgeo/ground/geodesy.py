"""Lengths, bearings and zones on the WGS84 ellipsoid. The room of PROJ.

Coordinates are lon, lat in degrees, EPSG:4326; lengths are geodesic metres. Inverse and direct
geodesics are those of Karney (2013), doi:10.1007/s00190-012-0578-z, through PROJ: accurate to
nanometres. Distances to lines and polygons live next door, in `pocgeo.ground.nearness`.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError

from pocgeo.ground.errors import BadCoordinates, BadInput

__all__ = [
    "azimuthal",
    "bearing",
    "buffer_m",
    "centre_of",
    "checked",
    "destination",
    "distance_m",
    "earth_centred_m",
    "inverse",
    "local_directions",
    "longest_arc_m",
    "reproject",
    "unit_vectors",
]

Floats = NDArray[np.float64]

WGS84 = Geod(ellps="WGS84")
EQUATOR_M = 6_378_137.0  # WGS84 semi-major axis
FLATTENING = 1 / 298.257223563  # WGS84
ECCENTRICITY2 = FLATTENING * (2 - FLATTENING)
TIGHTEST_M = EQUATOR_M * (1 - ECCENTRICITY2)  # least radius of curvature: the meridian at 0 N
FARTHEST_M = 20_003_931.459  # pole to pole, the longest shortest path on WGS84
WINDS = (
    "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
)  # fmt: skip
ARC_STEP_M = 50.0
QUARTER_SEGMENTS = 64


def checked(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes as arrays of one shape; NaN passes, nonsense does not.

    Raises
    ------
    BadCoordinates
        A latitude beyond 90 degrees, a longitude beyond 540, or an infinite one.
    """
    lon_deg, lat_deg = np.broadcast_arrays(
        np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")
    )
    wrong = (np.abs(lat_deg) > 90) | (np.abs(lon_deg) > 540)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise BadCoordinates(
            f"lon {lon_deg.flat[at]:g}, lat {lat_deg.flat[at]:g} (row {at}) is no place on Earth. "
            "Check the order (lon, lat) and that the unit is degrees."
        )
    return lon_deg, lat_deg


def inverse(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> tuple[Floats, Floats]:
    """Azimuth at the first point (degrees, -180 to 180) and geodesic length (m) to the second.

    All four broadcast. Where any coordinate is NaN, so are the answers.
    """
    first, second = checked(lon1, lat1), checked(lon2, lat2)
    parts = np.broadcast_arrays(*first, *second)
    shape = parts[0].shape
    flat = [np.ravel(part) for part in parts]
    known = ~np.isnan(flat[0] + flat[1] + flat[2] + flat[3])
    if known.all():  # the common case, without copies
        azimuth, _, length = WGS84.inv(flat[0], flat[1], flat[2], flat[3])
        return np.reshape(azimuth, shape), np.reshape(length, shape)
    azimuth, length = np.full((2, known.size), np.nan)
    if known.any():
        answer = WGS84.inv(*(part[known] for part in flat))
        azimuth[known], length[known] = answer[0], answer[2]
    return azimuth.reshape(shape), length.reshape(shape)


def distance_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Geodesic distance between points, metres; arguments broadcast; NaN where one is unknown.

    Raises
    ------
    BadCoordinates
        A pair is no place on Earth.

    Notes
    -----
    Karney (2013), doi:10.1007/s00190-012-0578-z, through PROJ.
    """
    return inverse(lon1, lat1, lon2, lat2)[1]


def bearing(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Give the initial bearing from the first point to the second, degrees 0 to 360 from north.

    NaN where a point is unknown or both are the same place.
    """
    azimuth, length = inverse(lon1, lat1, lon2, lat2)
    return np.where(length > 0, np.mod(azimuth, 360.0), np.nan)


def destination(
    lon: ArrayLike, lat: ArrayLike, bearing_deg: ArrayLike, length_m: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Where a geodesic leads: lon, lat, and its bearing on arrival (degrees, -180 to 180)."""
    ahead = np.asarray(bearing_deg, dtype="float64"), np.asarray(length_m, dtype="float64")
    parts = np.broadcast_arrays(*checked(lon, lat), *ahead)
    shape = parts[0].shape
    a, b, c, d = (np.ravel(part) for part in parts)
    end_lon, end_lat, back = WGS84.fwd(a, b, c, d)
    arrival = np.mod(np.asarray(back) + 360.0, 360.0) - 180.0
    return np.reshape(end_lon, shape), np.reshape(end_lat, shape), np.reshape(arrival, shape)


def local_directions(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> NDArray[np.object_]:
    """Say in words where the second point lies from the first, to eight winds ("north-east").

    None where a point is unknown or both are the same place.
    """
    degrees = np.atleast_1d(bearing(lon1, lat1, lon2, lat2))
    known = ~np.isnan(degrees)
    sector = np.zeros(degrees.shape, dtype="int64")
    sector[known] = np.floor(np.mod(degrees[known] + 22.5, 360.0) / 45.0).astype("int64")
    words: NDArray[np.object_] = np.array(WINDS, dtype=object)[sector]
    words[~known] = None
    return words


def unit_vectors(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """Outward normals of the ellipsoid, shape (n, 3): for sums and means of directions."""
    lon_deg, lat_deg = checked(lon, lat)
    along, up = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(up) * np.cos(along), np.cos(up) * np.sin(along), np.sin(up)], axis=-1)


def earth_centred_m(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """Earth-centred, Earth-fixed coordinates of points on the ellipsoid, metres, shape (n, 3).

    The straight chord between two of them is never longer than the geodesic: a safe lower bound.
    """
    normal = unit_vectors(lon, lat)
    radius = EQUATOR_M / np.sqrt(1 - ECCENTRICITY2 * normal[..., 2:] ** 2)
    places: Floats = radius * normal * np.array([1.0, 1.0, 1 - ECCENTRICITY2])
    return places


def longest_arc_m(chord_m: ArrayLike) -> Floats:
    """Greatest length a geodesic can have when its ends are `chord_m` apart in a straight line.

    A geodesic curves nowhere more than the meridian does at the equator, so by Schur's theorem
    its chord is at least that of a circle of that radius: a safe upper bound.
    """
    half = np.asarray(chord_m, dtype="float64") / (2 * TIGHTEST_M)
    arc = 2 * TIGHTEST_M * np.arcsin(np.minimum(half, 1.0))
    return np.where(half < 1.0, np.minimum(arc, FARTHEST_M), FARTHEST_M)


def centre_of(geometry: Any) -> tuple[float, float]:
    """Lon, lat of the mean of a geometry's vertices, taken in space: right at 180 E and poles."""
    vertices = shapely.get_coordinates(geometry)
    if not len(vertices):
        raise BadInput("An empty geometry has no centre. Remove the row or give it coordinates.")
    x, y, z = earth_centred_m(vertices[:, 0], vertices[:, 1]).mean(axis=0)
    lat = np.arctan2(z, (1 - ECCENTRICITY2) * np.hypot(x, y))
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(lat))


def azimuthal(lon: float, lat: float) -> str:
    """PROJ text of the azimuthal equidistant system centred on a point, metres, WGS84.

    Lengths from the centre are exact; at distance d across the radius they are too long by the
    factor 1 + (d/R)^2 / 6: 0.4 mm in 1 km at 10 km from the centre.
    """
    return f"+proj=aeqd +lon_0={lon:.12g} +lat_0={lat:.12g} +datum=WGS84 +units=m +no_defs"


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Make the transformation between two systems, x (lon) first."""
    try:
        return Transformer.from_crs(CRS.from_user_input(source), target, always_xy=True)
    except CRSError as error:
        raise BadInput(
            f"No coordinate system {source!r} or {target!r} is known to PROJ. "
            "Name it as EPSG:number."
        ) from error


def reproject(geometry: Any, source: str, target: str) -> Any:
    """Move a geometry's vertices from one coordinate system to another; x (lon) first."""
    move = transformer(source, target)

    def moved(vertices: Floats) -> Floats:
        return np.column_stack(move.transform(vertices[:, 0], vertices[:, 1]))

    return shapely.transform(geometry, moved)


def buffer_m(geometry: Any, radius_m: float) -> Any:
    """Everything within `radius_m` of a geometry a few kilometres wide, as lon, lat polygons.

    Drawn in the azimuthal equidistant system of the geometry's centre, arcs of 1.4 degrees.
    A zone that crosses 180 E is cut there, so that all longitudes lie in -180 to 180.

    Parameters
    ----------
    geometry : shapely geometry, EPSG:4326
    radius_m : float
        Metres; 0 gives the geometry's own area.

    Raises
    ------
    BadInput
        The radius is negative, or the zone holds a pole.

    Notes
    -----
    Chords lie inside the true arc by at most 7.5e-5 of the radius (8 cm in 1 km, 0.01 % of the
    area). For a geometry of width w the projection adds at most (w/R)^2/24 of the radius.
    """
    if not 0 <= radius_m < np.inf:
        raise BadInput(f"radius_m must be 0 metres or more, got {radius_m:g}.")
    lon, lat = centre_of(geometry)

    def drawn(vertices: Floats) -> Floats:
        azimuth, length = inverse(lon, lat, vertices[:, 0], vertices[:, 1])
        turn = np.radians(azimuth)
        return np.column_stack([length * np.sin(turn), length * np.cos(turn)])

    def put_back(vertices: Floats) -> Floats:
        turn = np.degrees(np.arctan2(vertices[:, 0], vertices[:, 1]))
        away = np.hypot(vertices[:, 0], vertices[:, 1])
        return beside(np.column_stack(destination(lon, lat, turn, away)[:2]), lon)

    zone = shapely.buffer(shapely.transform(geometry, drawn), radius_m, quad_segs=QUARTER_SEGMENTS)
    poles = shapely.points(drawn(np.array([[lon, 90.0], [lon, -90.0]])))
    if shapely.intersects(zone, poles).any():
        raise BadInput(f"The zone of {radius_m:g} m around lon {lon:g}, lat {lat:g} holds a pole.")
    return cut_at_180(shapely.transform(shapely.segmentize(zone, ARC_STEP_M), put_back))


def beside(vertices: Floats, lon: float) -> Floats:
    """Shift longitudes by whole turns to within 180 degrees of `lon`."""
    turned = vertices.copy()
    turned[:, 0] = lon + np.mod(vertices[:, 0] - lon + 180.0, 360.0) - 180.0
    return turned


def cut_at_180(geometry: Any) -> Any:
    """Fold what lies beyond 180 E or W back, as separate parts."""
    west, _, east, _ = shapely.bounds(geometry)
    if west >= -180 and east <= 180:
        return geometry
    pieces = [
        shapely.affinity.translate(
            shapely.intersection(geometry, shapely.box(turn - 180, -90, turn + 180, 90)), -turn
        )
        for turn in (-360.0, 0.0, 360.0)
    ]
    return shapely.union_all([piece for piece in pieces if not piece.is_empty])
