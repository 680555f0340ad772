"""Points, lines and polygons laid out as geodesic edges with bounding spheres.

Edges are geodesics between their vertices; a straight line on a lon-lat map differs from them by
about L^2 tan(lat) / 8R: 2 cm for an edge of 1 km, 2 m for one of 10 km, at 45 degrees. Nothing
breaks at 180 E or near the poles. `pocgeo.ground.nearness` asks the questions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import checked, earth_centred_m, inverse

__all__ = ["Perimeters", "Rings", "Spheres", "perimeters"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK_EDGES = 8


@dataclass(frozen=True, slots=True)
class Perimeters:
    """Geometries laid out as geodesic edges, with bounding spheres; made by `perimeters`."""

    count: int
    """Number of geometries."""

    start: Floats
    """Shape (edges, 2): lon, lat where each edge starts. A point is an edge of length 0."""

    azimuth: Floats
    """Azimuth at the start of each edge, degrees."""

    length_m: Floats
    """Geodesic length of each edge."""

    chord: Floats
    """Shape (edges, 2, 3): both ends in space, metres."""

    sagitta_m: Floats
    """No point of an edge is farther than this from its chord."""

    blocks: "Spheres"
    """Runs of at most 8 edges, in the order of the edges."""

    whole: "Spheres"
    """One sphere per geometry, interior included; its members are blocks."""

    rings: "Rings"
    """Polygon rings, for the inside test."""


@dataclass(frozen=True, slots=True)
class Spheres:
    """Balls in space, each holding a run of members."""

    centre: Floats
    radius_m: Floats
    first: Ints
    """First member of each, and one past the last at the end: shape (n + 1,)."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Vertices of polygon rings, ring by ring, polygon by polygon, geometry by geometry."""

    lon: Floats
    lat: Floats
    first: Ints
    """First vertex of each ring, and the end: shape (rings + 1,)."""

    polygon: Ints
    """Which polygon each ring belongs to."""

    of_geometry: Ints
    """First ring of each geometry, and the end: shape (geometries + 1,)."""


def perimeters(geometries: Any) -> Perimeters:
    """Lay geometries out for the questions below; do it once where many are asked.

    Parameters
    ----------
    geometries : sequence of shapely geometries, EPSG:4326
        Points, lines, polygons (holes allowed) and collections of them; none missing or empty.

    Raises
    ------
    BadInput
        A geometry is missing or empty.
    BadCoordinates
        A vertex is no place on Earth.
    """
    shapes = np.atleast_1d(np.asarray(geometries, dtype=object))
    void = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if void.any():
        at = int(np.flatnonzero(void)[0])
        raise BadInput(f"Geometry {at} is missing or empty. Remove the row or give coordinates.")
    parts, owner = shapes, np.arange(len(shapes))
    while (shapely.get_type_id(parts) > 3).any():
        parts, of = shapely.get_parts(parts, return_index=True)
        owner = owner[of]
    areal = shapely.get_type_id(parts) == 3
    rings, polygon = shapely.get_rings(parts[areal], return_index=True)
    lines = np.concatenate([parts[~areal], rings])
    of = np.concatenate([owner[~areal], owner[areal][polygon]])
    order = np.argsort(of, kind="stable")
    edge_owner, start, end = edges_of(lines[order], of[order])
    azimuth, length = inverse(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    chord = earth_centred_m(*np.stack([start, end], axis=1).transpose(2, 0, 1))
    straight = np.linalg.norm(chord[:, 1] - chord[:, 0], axis=1)
    sagitta = np.sqrt(np.maximum(length**2 - straight**2, 0.0)) / 2 + 1e-3
    blocks, whole = spheres_of(chord, sagitta, edge_owner, len(shapes))
    return Perimeters(
        len(shapes), start, azimuth, length, chord, sagitta, blocks, whole,
        rings_of(rings, polygon, owner[areal], len(shapes)),
    )  # fmt: skip


def edges_of(lines: NDArray[np.object_], owner: Ints) -> tuple[Ints, Floats, Floats]:
    """Owner, start and end (lon, lat) of every edge; a lone vertex is an edge to itself."""
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    checked(vertices[:, 0], vertices[:, 1])
    if np.isnan(vertices).any():
        raise BadInput("A geometry has a vertex without coordinates. Repair or remove it.")
    joined = np.append(line[1:] == line[:-1], False)
    lone = ~joined & ~np.insert(joined[:-1], 0, False)
    begin = np.flatnonzero(joined | lone)
    finish = np.where(lone[begin], begin, begin + 1)
    return owner[line[begin]], vertices[begin], vertices[finish]


def spheres_of(chord: Floats, sagitta: Floats, owner: Ints, count: int) -> tuple[Spheres, Spheres]:
    """Bounding spheres of blocks of edges and of whole geometries."""
    run = np.searchsorted(owner, np.arange(count + 1))
    place = np.arange(len(owner)) - run[owner]
    first = np.flatnonzero(place % BLOCK_EDGES == 0)
    blocks = sphere(chord, sagitta, np.append(first, len(owner)))
    whole = sphere(chord, sagitta, run)
    members = np.searchsorted(first, run)
    return blocks, Spheres(whole.centre, whole.radius_m, members)


def sphere(chord: Floats, sagitta: Floats, first: Ints) -> Spheres:
    """Balls around runs of edges: centre at the mean of starts, radius to the farthest end."""
    centre = np.add.reduceat(chord[:, 0], first[:-1]) / np.diff(first)[:, None]
    away = np.linalg.norm(chord - np.repeat(centre, np.diff(first), axis=0)[:, None], axis=2)
    radius = np.maximum.reduceat(away.max(axis=1) + sagitta, first[:-1])
    return Spheres(centre, radius, first)


def rings_of(rings: Any, polygon: Ints, owner: Ints, count: int) -> Rings:
    """Vertices of rings, sorted by geometry; `owner` says whose each polygon is."""
    order = np.argsort(owner[polygon], kind="stable")
    vertices, ring = shapely.get_coordinates(rings[order], return_index=True)
    first = np.searchsorted(ring, np.arange(len(rings) + 1))
    of_geometry = np.searchsorted(owner[polygon][order], np.arange(count + 1))
    return Rings(vertices[:, 0], vertices[:, 1], first, polygon[order], of_geometry)
