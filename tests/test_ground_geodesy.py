"""Lengths, bearings, zones and nearest perimeters against known answers and a slow oracle."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from pocgeo.ground.errors import BadCoordinates, BadInput
from pocgeo.ground.geodesy import (
    azimuthal,
    bearing,
    buffer_m,
    centre_of,
    destination,
    distance_m,
    earth_centred_m,
    local_directions,
    longest_arc_m,
    reproject,
    unit_vectors,
)
from pocgeo.ground.nearness import distance_to_geometry_m, nearest, pairs_within
from pocgeo.ground.perimeters import perimeters
from tests import geodesic_oracle as oracle

ONE_DEGREE_NORTH_M = 110_574.3886  # WGS84 meridian arc, 0 to 1 N, by quadrature
ONE_DEGREE_EAST_M = 6_378_137.0 * np.pi / 180  # the equator is a circle of the semi-major axis
QUARTER_MERIDIAN_M = 10_001_965.7293  # WGS84, Karney (2013), doi:10.1007/s00190-012-0578-z
JFK, LHR = (-73.8, 40.6), (-0.5, 51.6)  # worked example of GeographicLib's Geod page
JFK_LHR_M = 5_551_759.400

SETTINGS = settings(derandomize=True, max_examples=60, deadline=None)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-89.9, 89.9))


def test_known_lengths() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(ONE_DEGREE_NORTH_M, abs=1e-4)
    assert distance_m(0, 0, 1, 0) == pytest.approx(ONE_DEGREE_EAST_M, abs=1e-6)
    assert distance_m(30, 0, 30, 90) == pytest.approx(QUARTER_MERIDIAN_M, abs=1e-3)
    assert distance_m(*JFK, *LHR) == pytest.approx(JFK_LHR_M, abs=1e-2)
    assert distance_m(179.9, 0, -179.9, 0) == pytest.approx(0.2 * ONE_DEGREE_EAST_M, abs=1e-6)


def test_web_mercator_would_fail_the_one_kilometre_rule() -> None:
    """A place 1,000 m away is told to be 9 m (Wau) to 190 m (Tyre) farther."""
    move = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    errors = []
    for lat in (7.7, 33.2):  # Wau, South Sudan; Tyre, Lebanon
        lon2, lat2, _ = destination(30.0, lat, 90.0, 1000.0)
        (x1, y1), (x2, y2) = move.transform(30.0, lat), move.transform(float(lon2), float(lat2))
        errors.append(np.hypot(x2 - x1, y2 - y1) - float(distance_m(30.0, lat, lon2, lat2)))
    assert 8 < errors[0] < 10
    assert 190 < errors[1] < 200


def test_unknown_stays_unknown_and_nonsense_is_refused() -> None:
    assert np.isnan(distance_m([0.0, np.nan], 0, 0, [1, 1])).tolist() == [False, True]
    with pytest.raises(BadCoordinates, match=r"lat 91 \(row 1\).*Check the order"):
        distance_m([0, 0], [0, 91], 0, 0)
    with pytest.raises(BadInput, match="Geometry 1 is missing"):
        perimeters([shapely.Point(0, 0), None])


def test_bearings_and_winds() -> None:
    assert bearing(0, 0, [0, 1, 0, -1], [1, 0, -1, 0]).tolist() == [0, 90, 180, 270]
    assert np.isnan(bearing(5, 5, 5, 5))
    words = local_directions(30, 5, [30, 30.1, 30.1, 29.9, 29.9], [6, 5.1, 4.9, 5.1, 5])
    assert list(words) == ["north", "north-east", "south-east", "north-west", "west"]
    assert local_directions(30, 5, [30, np.nan], [5, 5]).tolist() == [None, None]
    assert local_directions(179.99, 0, -179.99, 0).tolist() == ["east"]


@SETTINGS
@given(anywhere, st.floats(0, 360), st.floats(0, 9e6))
def test_destination_undoes_distance(
    place: tuple[float, float], turn: float, length: float
) -> None:
    lon, lat, _ = destination(*place, turn, length)
    assert distance_m(*place, lon, lat) == pytest.approx(length, abs=1e-6)


@SETTINGS
@given(anywhere, anywhere)
def test_chord_bounds_the_geodesic(a: tuple[float, float], b: tuple[float, float]) -> None:
    length = float(distance_m(*a, *b))
    chord = float(np.linalg.norm(earth_centred_m(*a) - earth_centred_m(*b)))
    assert chord <= length + 1e-6
    assert length <= float(longest_arc_m(chord)) + 1e-6
    assert np.linalg.norm(unit_vectors(*a)) == pytest.approx(1)


def test_buffer_is_a_kilometre_everywhere() -> None:
    rng = np.random.default_rng(3)
    for lon, lat in [(31.5, 4.8), (179.999, -17.0), (-180.0, 70.0), (20.0, 89.5), (0, -85)]:
        camp = oracle.random_base(rng, lon, lat)
        zone = buffer_m(camp, 1000.0)
        west, south, east, north = zone.bounds
        assert west >= -180 and east <= 180 and south >= -90 and north <= 90
        rim = shapely.get_coordinates(zone)
        rim = rim[np.abs(np.abs(rim[:, 0]) - 180) > 1e-9]  # not the cut at 180 E
        away = distance_to_geometry_m(rim[:, 0], rim[:, 1], camp)
        assert away.max() <= 1000.001
        assert away.min() >= 999.9


def test_buffer_area_and_limits() -> None:
    zone = buffer_m(shapely.Point(31.5, 4.8), 1000.0)
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(zone)[0])
    assert area == pytest.approx(np.pi * 1e6, rel=2e-4)
    assert buffer_m(shapely.Point(31.5, 4.8), 0.0).is_empty
    split = buffer_m(shapely.Point(180.0, 0.0), 1000.0)
    assert split.geom_type == "MultiPolygon" and len(split.geoms) == 2
    with pytest.raises(BadInput, match="holds a pole"):
        buffer_m(shapely.Point(0, 89.999), 1000.0)
    with pytest.raises(BadInput, match="0 metres or more"):
        buffer_m(shapely.Point(0, 0), -1.0)
    with pytest.raises(BadInput, match="No coordinate system"):
        reproject(shapely.Point(0, 0), "EPSG:4326", "no such system")


def test_azimuthal_keeps_lengths_from_its_centre() -> None:
    lon, lat, _ = destination(30.0, 5.0, [10.0, 200.0], [700.0, 5000.0])
    drawn = reproject(shapely.points(lon, lat), "EPSG:4326", azimuthal(30.0, 5.0))
    xy = shapely.get_coordinates(drawn)
    assert np.hypot(xy[:, 0], xy[:, 1]) == pytest.approx([700.0, 5000.0], abs=1e-6)


def test_centre_across_the_antimeridian() -> None:
    lon, lat = centre_of(shapely.LineString([(179.9, 1.0), (-179.9, 1.0)]))
    assert abs(lon) == pytest.approx(180, abs=1e-9)
    assert lat == pytest.approx(1.0, abs=1e-3)


def cases(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Bases all over the Earth, with points from inside to far away."""
    rng = np.random.default_rng(seed)
    lons, lats, shapes = [], [], []
    for i in range(count):
        lon, lat = rng.uniform(-180, 180), rng.uniform(-60, 60)
        if i % 4 == 0:
            lon = ((180 + rng.uniform(-0.005, 0.005)) + 180) % 360 - 180
        if i % 5 == 0:
            lat = rng.choice([-1, 1]) * rng.uniform(80, 89.99)
        away = 10 ** rng.uniform(1, 6.5)
        x, y, _ = oracle.GEOD.fwd(lon, lat, rng.uniform(0, 360), away)
        lons.append(x)
        lats.append(y)
        shapes.append(oracle.random_base(rng, lon, lat))
    return np.array(lons), np.array(lats), shapes


def test_distance_equals_the_oracle() -> None:
    lon, lat, shapes = cases(1000, 11)
    expected = oracle.distances(lon, lat, shapes)
    pairs = pairs_within(lon, lat, shapes, 1e9, allowed=lambda part: own(part, len(shapes)))
    assert (pairs.point == pairs.geometry).all() and len(pairs.point) == len(shapes)
    assert (expected == 0).sum() > 100
    assert np.abs(pairs.distance_m - expected).max() < 1e-4


def own(part: slice, count: int) -> Any:
    return np.equal.outer(np.arange(part.start, part.stop), np.arange(count))


def test_long_edges_are_geodesics() -> None:
    rng = np.random.default_rng(5)
    lines, lon, lat = [], [], []
    for _ in range(150):
        a, turn = (rng.uniform(-180, 180), rng.uniform(-85, 85)), rng.uniform(0, 360)
        b = oracle.GEOD.fwd(*a, turn, 10 ** rng.uniform(4, 6.5))[:2]
        lines.append(shapely.LineString([a, b]))
        x, y, _ = oracle.GEOD.fwd(*a, rng.uniform(0, 360), 10 ** rng.uniform(2, 6))
        lon.append(x)
        lat.append(y)
    expected = oracle.distances(lon, lat, lines)
    found = [
        distance_to_geometry_m(x, y, line)[0] for x, y, line in zip(lon, lat, lines, strict=True)
    ]
    assert np.abs(np.array(found) - expected).max() < 0.01


def test_nearest_is_the_least_of_all_and_ignores_order() -> None:
    rng = np.random.default_rng(8)
    shapes = [
        oracle.random_base(rng, rng.uniform(25, 25.2), rng.uniform(4, 4.2)) for _ in range(40)
    ]
    shapes.append(
        shapely.MultiPolygon([shapely.box(25, 4, 25.01, 4.01), shapely.box(25.1, 4.1, 25.11, 4.12)])
    )
    shapes.append(shapely.LineString([(25.0, 4.2), (25.2, 4.0)]).segmentize(0.001))
    lon, lat = rng.uniform(24.9, 25.3, 400), rng.uniform(3.9, 4.3, 400)
    every = np.column_stack([distance_to_geometry_m(lon, lat, shape) for shape in shapes])
    found = nearest(lon, lat, shapes)
    assert found.distance_m == pytest.approx(every.min(axis=1), abs=1e-6)
    assert (every[np.arange(400), found.position] <= every.min(axis=1) + 1e-6).all()
    back = nearest(lon, lat, shapes[::-1])
    assert back.distance_m == pytest.approx(found.distance_m, abs=1e-9)
    offset = rng.uniform(0, 5000, len(shapes))
    shifted = nearest(lon, lat, shapes, offset_m=offset)
    assert (shifted.position == (every + offset).argmin(axis=1)).mean() > 0.99
    assert shifted.distance_m + offset[shifted.position] == pytest.approx(
        (every + offset).min(axis=1), abs=1e-6
    )
    pairs = pairs_within(lon, lat, shapes, 3000.0)
    assert len(pairs.point) == (every <= 3000).sum()
    assert pairs.distance_m == pytest.approx(every[every <= 3000], abs=1e-6)


def test_small_portions_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(21)
    shapes = [
        oracle.random_base(rng, rng.uniform(25, 25.1), rng.uniform(4, 4.1)) for _ in range(30)
    ]
    shapes.append(shapely.box(25.02, 4.02, 25.08, 4.08).segmentize(0.001))
    lon, lat = rng.uniform(25, 25.1, 200), rng.uniform(4, 4.1, 200)
    whole, pairs = nearest(lon, lat, shapes), pairs_within(lon, lat, shapes, 2000.0)
    monkeypatch.setattr("pocgeo.ground.nearness.CHUNK", 50)
    portions = nearest(lon, lat, shapes)
    assert (portions.position == whole.position).all()
    assert (portions.distance_m == whole.distance_m).all()
    fewer = pairs_within(lon, lat, shapes, 2000.0)
    assert all((a == b).all() for a, b in zip(fewer, pairs, strict=True))


def test_nearest_without_an_answer() -> None:
    base = [shapely.Point(30, 5)]
    assert nearest([30.0, np.nan], [5.1, 5.0], base).position.tolist() == [0, -1]
    assert nearest([30.0], [5.1], base, within_m=1000).position.tolist() == [-1]
    none = nearest([30.0], [5.1], [])
    assert none.position.tolist() == [-1] and np.isnan(none.distance_m).all()
    barred = nearest([30.0], [5.1], base, allowed=lambda part: np.zeros((1, 1), dtype=bool))
    assert barred.position.tolist() == [-1]
    assert len(pairs_within([30.0], [5.1], [], 1e6).point) == 0


def test_inside_a_hole_is_outside() -> None:
    camp = shapely.Polygon(
        shapely.box(0, 0, 0.02, 0.02).exterior, [shapely.box(0.005, 0.005, 0.015, 0.015).exterior]
    )
    away = distance_to_geometry_m([0.01, 0.002, 0.01], [0.01, 0.01, 0.003], camp)
    assert away[0] == pytest.approx(0.005 * ONE_DEGREE_NORTH_M, rel=1e-4)  # lat edge is nearer
    assert away[1:].tolist() == [0, 0]


def test_a_polygon_over_the_pole_holds_the_pole() -> None:
    cap = shapely.Polygon([(0, 89), (90, 89), (180, 89), (-90, 89)])
    assert distance_to_geometry_m([10, 45], [90, 89.5], cap).tolist() == [0, 0]
    assert distance_to_geometry_m([0.0], [-89.5], cap)[0] > 1e7
