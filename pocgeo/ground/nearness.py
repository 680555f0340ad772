"""Exact geodesic distance from points to points, lines and polygon perimeters, and the nearest.

Straight-line (chord) bounds in space thin out the candidates and cannot lose the nearest: a chord
is never longer than its geodesic, and `longest_arc_m` bounds the geodesic from above. What
remains is solved on the ellipsoid by iterating the foot of the perpendicular (Baselga and
Martinez-Llario 2018, doi:10.1007/s11200-017-1020-z) over Karney's geodesics, to 1e-6 m.
Inside a polygon the distance is 0.
"""

from collections.abc import Callable, Iterator, Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pocgeo.ground.geodesy import (
    checked,
    destination,
    earth_centred_m,
    inverse,
    longest_arc_m,
)
from pocgeo.ground.perimeters import BLOCK_EDGES, Perimeters, perimeters

__all__ = ["Nearest", "Pairs", "distance_to_geometry_m", "nearest", "pairs_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Allowed = Callable[[slice], NDArray[np.bool_]]

EARTH_M = 6_371_008.8  # mean radius, for the step of the iteration only
CHUNK = 1_000_000  # pairs of point and block (or edge) held in memory at once
PAD_M = 1e-3  # covers rounding in the chord bounds
TOLERANCE_M = 1e-6
HEMISPHERE_M = 10_000_000.0
MOST_STEPS = 40


class Nearest(NamedTuple):
    """One answer per point."""

    position: Ints
    """Position of the nearest geometry; -1 where there is none."""

    distance_m: Floats
    """Metres to it; NaN where there is none."""


class Pairs(NamedTuple):
    """Pairs of point and geometry, sorted by point, then geometry."""

    point: Ints
    geometry: Ints
    distance_m: Floats


def distance_to_geometry_m(lon: ArrayLike, lat: ArrayLike, geometry: Any) -> Floats:
    """Geodesic metres from each point to one geometry; 0 inside a polygon; NaN if unknown."""
    return nearest(lon, lat, [geometry]).distance_m


def nearest(
    lon: ArrayLike,
    lat: ArrayLike,
    geometries: Any,
    *,
    within_m: float = np.inf,
    allowed: Allowed | None = None,
    offset_m: ArrayLike = 0.0,
) -> Nearest:
    """Find, for every point, the nearest geometry and its geodesic distance.

    Parameters
    ----------
    lon, lat : arrays, n
        Degrees, EPSG:4326; NaN where unknown: no answer there.
    geometries : Perimeters, or a sequence of shapely geometries, m
    within_m : float
        No answer for points with nothing so near.
    allowed : function of a slice of the points, optional
        Boolean array (points in the slice, m): which geometries count for which point.
    offset_m : array, m
        Added to the distance to each geometry when the nearest is chosen (not when told).

    Returns
    -------
    Nearest
        `position` (-1 where none) and `distance_m` (NaN where none). Ties go to the lower index.
    """
    east, north = (np.ravel(part) for part in checked(lon, lat))
    if isinstance(geometries, Sized) and not len(geometries):
        return Nearest(np.full(len(east), -1), np.full(len(east), np.nan))
    laid = geometries if isinstance(geometries, Perimeters) else perimeters(geometries)
    offset = np.broadcast_to(np.asarray(offset_m, dtype="float64"), (laid.count,))
    position, found = np.full(len(east), -1), np.full(len(east), np.nan)
    radius = laid.whole.radius_m + PAD_M
    size = max(1, CHUNK // max(laid.count, 4 * BLOCK_EDGES))
    blocks = np.diff(laid.whole.first)
    for rows, places, straight in chunked(east, north, laid, allowed, size):
        first = np.argmin(straight + (radius + offset), axis=1)
        reach = longest_arc_m(straight[np.arange(len(rows)), first] + radius[first])
        row, geometry = np.nonzero(straight + (offset - radius) <= (reach + offset[first])[:, None])
        for piece in pieces(row, blocks[geometry]):
            line, shape = row[piece], geometry[piece]
            point = rows[line]
            at = east[point], north[point]
            length = pair_distances(laid, at, places[line], shape, offset[shape], line)
            best = leaders(line, shape, length + offset[shape])
            best = best[length[best] <= within_m]
            position[point[best]], found[point[best]] = shape[best], length[best]
    return Nearest(position, found)


def pairs_within(
    lon: ArrayLike,
    lat: ArrayLike,
    geometries: Any,
    within_m: ArrayLike,
    *,
    allowed: Allowed | None = None,
) -> Pairs:
    """Find every pair of point and geometry not more than `within_m` (one, or n) metres apart.

    Other parameters as in `nearest`. Points with unknown coordinates make no pair.
    """
    east, north = (np.ravel(part) for part in checked(lon, lat))
    if isinstance(geometries, Sized) and not len(geometries):
        return Pairs(np.empty(0, "int64"), np.empty(0, "int64"), np.empty(0))
    laid = geometries if isinstance(geometries, Perimeters) else perimeters(geometries)
    limit = np.broadcast_to(np.asarray(within_m, dtype="float64"), east.shape)
    found: list[tuple[Ints, Ints, Floats]] = []
    radius = laid.whole.radius_m + PAD_M
    size = max(1, CHUNK // len(laid.length_m))
    for rows, places, straight in chunked(east, north, laid, allowed, size):
        near = (straight - radius <= limit[rows][:, None]) & np.isfinite(straight)
        row, geometry = np.nonzero(near)
        point = rows[row]
        length = pair_distances(
            laid, (east[point], north[point]), places[row], geometry, 0.0, np.arange(len(row))
        )
        kept = length <= limit[point]
        found.append((point[kept], geometry[kept], length[kept]))
    if not found:  # no points at all
        return Pairs(np.empty(0, "int64"), np.empty(0, "int64"), np.empty(0))
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def leaders(line: Ints, shape: Ints, cost: Floats) -> Ints:
    """Find the cheapest candidate of every line; the lower shape where two cost the same."""
    order = np.lexsort((shape, cost, line))
    first: Ints = order[np.unique(line[order], return_index=True)[1]]
    return first


def pieces(row: Ints, blocks: Ints) -> Iterator[slice]:
    """Cut sorted rows into runs of bounded work, never inside a row."""
    if not len(row):
        return
    first = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    work = np.cumsum(np.add.reduceat(blocks, first)) // CHUNK
    cuts = first[np.flatnonzero(np.append(True, work[1:] != work[:-1]))]
    for begin, end in zip(cuts, np.append(cuts[1:], len(row)), strict=True):
        yield slice(begin, end)


def chunked(
    lon: Floats, lat: Floats, laid: Perimeters, allowed: Allowed | None, size: int
) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Yield rows, their places in space, and chords (rows, m) to the centres; inf if barred."""
    for begin in range(0, len(lon), size):
        part = slice(begin, min(begin + size, len(lon)))
        known = ~np.isnan(lon[part] + lat[part])
        rows = np.flatnonzero(known) + begin
        places = earth_centred_m(lon[rows], lat[rows])
        straight = np.zeros((len(rows), laid.count))
        for axis in range(3):
            away = np.subtract.outer(places[:, axis], laid.whole.centre[:, axis])
            straight += np.square(away, out=away)
        np.sqrt(straight, out=straight)
        if allowed is not None:
            straight[~allowed(part)[known]] = np.inf
            some = np.isfinite(straight).any(axis=1)
            rows, places, straight = rows[some], places[some], straight[some]
        yield rows, places, straight


def pair_distances(
    laid: Perimeters,
    at: tuple[Floats, Floats],
    places: Floats,
    geometry: Ints,
    offset: Floats | float,
    group: Ints,
) -> Floats:
    """Geodesic metres of each pair of place and geometry; inf where it cannot lead its group."""
    length = np.full(len(geometry), np.inf)
    if not len(geometry):
        return length
    extra = np.broadcast_to(offset, length.shape)
    pair, block = expanded(laid.whole.first, geometry)
    straight = np.linalg.norm(places[pair] - laid.blocks.centre[block], axis=1)
    radius = laid.blocks.radius_m[block]
    low, high = straight - radius, longest_arc_m(straight + radius)
    kept = leading(low + extra[pair], high + extra[pair], group[pair])
    pair, block = pair[kept], block[kept]
    run, edge = expanded(laid.blocks.first, block)
    pair = pair[run]
    straight, along = chord_foot(places[pair], laid.chord[edge])
    sagitta = laid.sagitta_m[edge]
    low, high = straight - sagitta, longest_arc_m(straight + sagitta)
    kept = leading(low + extra[pair], high + extra[pair], group[pair])
    pair, edge, along = pair[kept], edge[kept], along[kept]
    exact = edge_distances(laid, at[0][pair], at[1][pair], edge, along)
    np.minimum.at(length, pair, exact)
    lon, lat = at
    within = np.linalg.norm(places - laid.whole.centre[geometry], axis=1)
    maybe = np.flatnonzero(within <= laid.whole.radius_m[geometry] + PAD_M)
    length[maybe[inside(laid, lon[maybe], lat[maybe], geometry[maybe])]] = 0.0
    return length


def expanded(first: Ints, owner: Ints) -> tuple[Ints, Ints]:
    """Every member of every owner's run: position in `owner`, and the member."""
    counts = first[owner + 1] - first[owner]
    position = np.repeat(np.arange(len(owner)), counts)
    behind = np.repeat(np.cumsum(counts) - counts, counts)
    return position, np.arange(len(position)) - behind + first[owner][position]


def leading(low: Floats, high: Floats, group: Ints) -> NDArray[np.bool_]:
    """Tell which candidates could be the nearest of their group (groups lie in runs)."""
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    best = np.minimum.reduceat(high, first)
    return low <= np.repeat(best, np.diff(np.append(first, len(group)))) + PAD_M


def chord_foot(places: Floats, chord: Floats) -> tuple[Floats, Floats]:
    """Straight-line distance to each chord, and the share of it where the foot lies."""
    start, run = chord[:, 0], chord[:, 1] - chord[:, 0]
    square = np.einsum("ij,ij->i", run, run)
    along = np.einsum("ij,ij->i", places - start, run) / np.where(square > 0, square, 1.0)
    along = np.clip(along, 0.0, 1.0)
    return np.linalg.norm(places - start - along[:, None] * run, axis=1), along


def edge_distances(laid: Perimeters, lon: Floats, lat: Floats, edge: Ints, along: Floats) -> Floats:
    """Geodesic metres from points to geodesic edges, starting from the foot on the chord."""
    best = np.full(len(edge), np.inf)
    place = along * laid.length_m[edge]
    active = np.arange(len(edge))
    for _ in range(MOST_STEPS):
        on = edge[active]
        foot_lon, foot_lat, heading = destination(
            laid.start[on, 0], laid.start[on, 1], laid.azimuth[on], place[active]
        )
        azimuth, length = inverse(foot_lon, foot_lat, lon[active], lat[active])
        best[active] = np.minimum(best[active], length)
        turn, angle = np.radians(azimuth - heading), length / EARTH_M
        step = EARTH_M * np.arctan2(np.sin(angle) * np.cos(turn), np.cos(angle))
        goal = np.clip(place[active] + step, 0.0, laid.length_m[on])
        moved = np.abs(goal - place[active])
        place[active] = goal
        # A foot off by x lengthens the perpendicular d by at most min(x, x^2 / 2d).
        active = active[np.minimum(moved, moved**2 / (2 * length + 1e-12)) > TOLERANCE_M / 10]
        if not len(active):
            break
    return best


def inside(laid: Perimeters, lon: Floats, lat: Floats, geometry: Ints) -> NDArray[np.bool_]:
    """Tell whether points lie inside polygons whose edges are geodesics.

    Seen from the point, a geodesic edge sweeps the difference of the azimuths of its ends; the
    sweeps around a ring add up to a full turn exactly if the point is inside.
    """
    answer = np.zeros(len(lon), dtype=bool)
    rings = laid.rings
    pair, ring = expanded(rings.of_geometry, geometry)
    weight = np.diff(rings.first)[ring]
    part = np.cumsum(weight) // CHUNK
    for begin in np.flatnonzero(np.append(True, part[1:] != part[:-1])) if len(part) else ():
        chosen = part == part[begin]
        mine, whose = ring[chosen], pair[chosen]
        run, vertex = expanded(rings.first, mine)
        at = whose[run]
        azimuth, length = inverse(lon[at], lat[at], rings.lon[vertex], rings.lat[vertex])
        sweep = np.append(np.mod(np.diff(azimuth) + 180.0, 360.0) - 180.0, 0.0)
        last = np.append(run[1:] != run[:-1], True)
        sweep[last] = 0.0
        starts = np.flatnonzero(np.append(True, last[:-1]))
        turns = np.rint(np.add.reduceat(sweep, starts) / 360.0).astype("int64")
        near = np.minimum.reduceat(length, starts) < HEMISPHERE_M
        around = (turns % 2 != 0) & near
        key, which = np.unique(np.stack([whose, rings.polygon[mine]]), axis=1, return_inverse=True)
        odd = np.bincount(which.ravel(), weights=around, minlength=key.shape[1]) % 2 == 1
        answer[key[0][odd]] = True
    return answer
