"""Where a base's people set out: the centres and road vertices within and around its perimeter."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from pocgeo.analyses.reach.graph import Floats, Sites, TravelGraph
from pocgeo.analyses.reach.places import CENTRES, VERTICES, Origins, leg_minutes, width_m
from pocgeo.cells.barriers import crossed
from pocgeo.cells.lattice import Lattice
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import centre_of, earth_centred_m
from pocgeo.ground.nearness import distance_to_geometry_m

__all__ = ["departures", "origins_of"]

RIM_STEP_DEG = 0.001
"""Exact origins along a perimeter lie at most this far apart: 110 m."""

Ints = NDArray[np.int64]


def departures(
    ground: Lattice,
    graph: TravelGraph,
    bases: ArrayLike,
    notice_min: ArrayLike = 0.0,
    *,
    crossing_min: NDArray[np.floating] | None = None,
) -> Sites:
    """Seeds of each base: nodes inside its perimeter, and the nearest ones around it.

    Parameters
    ----------
    ground, graph : Lattice, TravelGraph
    bases : sequence of m shapely points or polygons, EPSG:4326
    notice_min : float, or one per base
        Readiness, minutes.
    crossing_min : array, one per row of the waterways, optional
        As in `travel_graph`; without it no first leg crosses water.

    Returns
    -------
    Sites
        m sites in the order given; one outside the cells has no seed.
    """
    shapes = np.asarray(bases, dtype=object)
    notice = np.broadcast_to(np.asarray(notice_min, dtype="float64"), shapes.shape)
    if not (notice >= 0).all():
        raise BadInput(f"notice_min must be 0 or more, got {float(np.min(notice)):g}.")
    cells_n = len(ground.cells)
    places = earth_centred_m(ground.lon, ground.lat)
    kinds = [(np.arange(cells_n), CENTRES), (np.arange(cells_n, len(places)), VERTICES)]
    trees = [
        (KDTree(places[nodes], balanced_tree=False), nodes, many)
        for nodes, many in kinds
        if len(nodes)
    ]
    if not trees or not len(shapes):
        return packed(np.zeros((2, 0), dtype=np.int64), np.zeros(0), len(shapes))
    wide = width_m(trees[0][0])
    found = [
        around(ground, shape, tree, nodes, (many, wide))
        for shape in shapes
        for tree, nodes, many in trees
    ]
    size = np.array([len(node) for node, _ in found]).reshape(len(shapes), -1).sum(axis=1)
    site = np.repeat(np.arange(len(shapes)), size)
    node, length = (np.concatenate(part) for part in zip(*found, strict=True))
    minutes = notice[site] + legs(ground, graph, shapes[site], node, length, crossing_min)
    kept = np.isfinite(minutes)
    return packed(np.stack([site, node])[:, kept], minutes[kept], len(shapes))


def origins_of(bases: ArrayLike, notice_min: ArrayLike = 0.0) -> Origins:
    """Exact places that bases depart from: the point, or points all along the perimeter.

    Parameters
    ----------
    bases : sequence of m shapely points or polygons, EPSG:4326
    notice_min : float, or one per base
        Readiness, minutes.
    """
    shapes = np.asarray(bases, dtype=object)
    notice = np.broadcast_to(np.asarray(notice_min, dtype="float64"), shapes.shape)
    fine = shapely.segmentize(shapes, RIM_STEP_DEG)
    spots, site = shapely.get_coordinates(fine, return_index=True)
    return Origins(spots[:, 0].copy(), spots[:, 1].copy(), notice[site], site.astype(np.int32))


def around(
    ground: Lattice, shape: Any, tree: KDTree, nodes: Ints, how: tuple[int, float]
) -> tuple[Ints, Floats]:
    """Nodes of one kind inside a base and the nearest ones outside, with metres to them."""
    many, wide_m = how
    if shape.geom_type == "Point":
        spot = earth_centred_m(shape.x, shape.y)
        near_m, at = tree.query(spot, k=[*range(1, many + 1)], distance_upper_bound=wide_m)
        near_m, at = np.asarray(near_m), np.asarray(at)
        some = np.isfinite(near_m)
        return nodes[at[some]], near_m[some]
    middle = earth_centred_m(*centre_of(shape))
    rim = shapely.get_coordinates(shape)
    radius = float(np.linalg.norm(earth_centred_m(rim[:, 0], rim[:, 1]) - middle, axis=1).max())
    chosen = nodes[np.array(tree.query_ball_point(middle, radius + wide_m), dtype=np.int64)]
    length = distance_to_geometry_m(ground.lon[chosen], ground.lat[chosen], shape)
    order = np.argsort(length, kind="stable")
    order = order[: max(many, int((length == 0).sum()))]
    order = order[length[order] <= wide_m]
    return chosen[order], length[order]


def legs(
    ground: Lattice,
    graph: TravelGraph,
    shapes: NDArray[np.object_],
    node: Ints,
    length_m: Floats,
    crossing_min: NDArray[np.floating] | None,
) -> Floats:
    """Minutes from the perimeter to each node in a straight line over open ground."""
    cells_n = len(ground.cells)
    home = node.copy()
    far = node >= cells_n
    home[far] = ground.connectors.home[node[far] - cells_n]
    pace = np.where(home >= 0, graph.pace[home], np.inf).astype("float64")
    minutes = leg_minutes(length_m, pace)
    if ground.waterways is not None and len(node):
        lines = shapely.shortest_line(shapes, shapely.points(ground.lon[node], ground.lat[node]))
        ends = shapely.get_coordinates(lines).reshape(-1, 4)
        edge, row = crossed(ends[:, 0], ends[:, 1], ends[:, 2], ends[:, 3], ground.waterways)
        extra = np.full(len(row), np.inf) if crossing_min is None else crossing_min[row]
        np.add.at(minutes, edge, np.where(length_m[edge] > 0, extra, 0.0))
    return minutes


def packed(pairs: Ints, minutes: Floats, sites_n: int) -> Sites:
    """Sites of sorted pairs of site and node."""
    indptr = np.searchsorted(pairs[0], np.arange(sites_n + 1))
    return Sites(indptr, pairs[1].astype(np.int32), minutes.astype(np.float32))
