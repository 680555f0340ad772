"""Time asked at exact places: the last leg runs to the place itself, not to its cell's centre.

A cell of resolution 8 is a kilometre across: on foot through bush half of it is ten minutes. The
answer at a place is the least, over the centres and road vertices near it, of the minutes there
and the straight way on. The band says how far the answer hangs on the cells' own size.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocgeo.analyses.reach.graph import Field, Floats, Ints, TravelGraph
from pocgeo.cells.barriers import crossed
from pocgeo.cells.grid import cells_of, positions, resolution_of, rings
from pocgeo.cells.lattice import Lattice
from pocgeo.ground.geodesy import earth_centred_m
from pocgeo.ground.nearness import pairs_within

__all__ = ["Origins", "cell_bands", "reach_at"]

CENTRES, VERTICES, BASES = 7, 4, 2
"""Nodes of each kind that a place is asked from."""

WIDTHS = 2.5
"""Nodes farther away than this many cell widths are not asked."""

CHUNK = 100_000
"""Places asked at once."""

RIM = 0.8
"""Points of a cell's band lie this far out towards its corners."""


BANK_M = 50.0
"""House default: for a place this near a water no map knows the bank, so it is on either."""


class Origins(NamedTuple):
    """Where sites depart from exactly, so that the first kilometre is not told by cells."""

    lon: Floats
    lat: Floats
    minutes: NDArray[np.floating]
    """When people set out (readiness)."""

    site: Ints


class Near(NamedTuple):
    """Pairs of place and node near it."""

    place: NDArray[np.int64]
    lon: Floats
    lat: Floats
    length_m: Floats
    minutes: Floats
    site: NDArray[np.int64]
    pace: Floats
    """Of the ground at the node, minutes a kilometre; NaN: as at the place."""


def reach_at(
    ground: Lattice,
    graph: TravelGraph,
    answer: Field,
    places: pd.DataFrame,
    *,
    origins: Origins | None = None,
    crossing_min: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Minutes to exact places.

    Parameters
    ----------
    ground, graph : Lattice, TravelGraph
    answer : Field
        Of `field` on that graph: every node's minutes.
    places : DataFrame, n rows
        `lon`, `lat`, degrees, EPSG:4326; NaN: unknown.
    origins : Origins, optional
        Exact places of the sites: asked directly where near.
    crossing_min : array, one per row of the waterways, optional
        As in `travel_graph`; without it no last leg crosses water.

    Returns
    -------
    DataFrame, n rows, indexed as `places`
        `reach_min` (inf: nobody comes; NaN: place unknown), `low_min`, `high_min` (the last leg
        at the quickest and the slowest pace of the cells it joins), `site` (-1: none).

    Notes
    -----
    The last leg is a straight line, half at the pace of the place's cell; slope is left out of it.
    """
    lon, lat = (places[name].to_numpy("float64") for name in ("lon", "lat"))
    trees = nodes_of(ground, answer, origins)
    wide = width_m(trees[0][0])
    found = np.full((3, len(lon)), np.inf)
    site = np.full(len(lon), -1, dtype=np.int32)
    known = np.flatnonzero(np.isfinite(lon + lat))
    for start in range(0, len(known), CHUNK):
        rows = known[start : start + CHUNK]
        near = nearby(trees, graph.pace, lon[rows], lat[rows], wide)
        best, owner = last_legs(ground, graph, near, (lon[rows], lat[rows]), crossing_min)
        found[:, rows], site[rows] = best, owner
    found[:, np.isnan(lon + lat)] = np.nan
    columns = {"reach_min": found[0], "low_min": found[1], "high_min": found[2], "site": site}
    return pd.DataFrame(columns, index=places.index)


def nodes_of(
    ground: Lattice, answer: Field, origins: Origins | None
) -> list[tuple[KDTree, NDArray[np.int64], tuple[Floats, ...], int]]:
    """Trees of centres, road vertices and origins: tree, pace row, (lon, lat, minutes, site)."""
    cells_n = len(ground.cells)
    told = np.asarray(answer.minutes, dtype="float64"), np.asarray(answer.site, dtype="float64")
    every = (ground.lon, ground.lat, *told)
    sets = [
        (tuple(part[:cells_n] for part in every), np.arange(cells_n), CENTRES),
        (tuple(part[cells_n:] for part in every), np.full(len(ground.lon) - cells_n, -1), VERTICES),
    ]
    if origins is not None:
        exact = tuple(np.asarray(part, dtype="float64") for part in origins)
        sets.append((exact, np.full(len(exact[0]), -1), BASES))
    return [
        (KDTree(earth_centred_m(part[0], part[1]), balanced_tree=False), row, part, count)
        for part, row, count in sets
        if len(part[0])
    ]


def width_m(centres: KDTree) -> float:
    """Give the distance beyond which a node is not asked."""
    if centres.n < 2:
        return float("inf")
    sample = centres.data[:: max(1, centres.n // 1000)]
    apart = np.asarray(centres.query(sample, k=2)[0])
    return WIDTHS * float(np.median(apart[:, 1]))


def nearby(
    trees: list[tuple[KDTree, NDArray[np.int64], tuple[Floats, ...], int]],
    pace: NDArray[np.float32],
    lon: Floats,
    lat: Floats,
    wide_m: float,
) -> Near:
    """Pairs of places and the nodes of each kind nearest to them."""
    spots = earth_centred_m(lon, lat)
    parts = []
    for tree, row, (node_lon, node_lat, minutes, site), count in trees:
        many = [*range(1, min(count, tree.n) + 1)]
        found = tree.query(spots, k=many, distance_upper_bound=wide_m)
        length, node = (np.asarray(part) for part in found)
        place, rank = np.nonzero(np.isfinite(length))
        at = node[place, rank]
        some = np.isfinite(minutes[at])
        place, at, length = place[some], at[some], length[place, rank][some]
        own = np.where(row[at] >= 0, pace[row[at]], np.nan)
        parts.append(
            Near(place, node_lon[at], node_lat[at], length, minutes[at], site[at].astype(int), own)
        )
    return Near(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def last_legs(
    ground: Lattice,
    graph: TravelGraph,
    near: Near,
    place: tuple[Floats, Floats],
    crossing_min: NDArray[np.floating] | None,
) -> tuple[Floats, Ints]:
    """Least minutes (told, quickest, slowest pace) at each place, and the site they are from."""
    lon, lat = place
    home = positions(ground.cells, cells_of(lon, lat, resolution_of(ground.cells)))
    here = np.where(home >= 0, graph.pace[home], np.nan).astype("float64")[near.place]
    here = np.where(np.isnan(here), near.pace, here)
    there = np.where(np.isnan(near.pace), here, near.pace)
    water = np.zeros(len(here))
    if ground.waterways is not None:
        ends = lon[near.place], lat[near.place], near.lon, near.lat
        edge, row = crossed(*ends, ground.waterways)
        extra = np.full(len(row), np.inf) if crossing_min is None else crossing_min[row]
        np.add.at(water, edge, np.where(on_bank(ground, place, near.place[edge], row), 0.0, extra))
    best = np.full((3, len(lon)), np.inf)
    paces = (here + there) / 2, np.minimum(here, there), np.maximum(here, there)
    told = [near.minutes + water + leg_minutes(near.length_m, pace) for pace in paces]
    for kind in range(3):
        np.fmin.at(best[kind], near.place, told[kind])
    owner = np.full(len(lon), -1, dtype=np.int32)
    chosen = (told[0] <= best[0][near.place]) & np.isfinite(told[0])
    owner[near.place[chosen][::-1]] = near.site[chosen][::-1]
    return best, owner


def on_bank(
    ground: Lattice, place: tuple[Floats, Floats], number: NDArray[Any], row: NDArray[Any]
) -> NDArray[np.bool_]:
    """Say of pairs of place and water whether the place lies on its bank."""
    found = pairs_within(*place, ground.waterways.geometry.to_numpy(), BANK_M)
    width = len(ground.waterways) + 1
    near = found.point * width + found.geometry
    told: NDArray[np.bool_] = np.isin(np.asarray(number, dtype=np.int64) * width + row, near)
    return told


def leg_minutes(length_m: Floats, pace: Floats) -> Floats:
    """Minutes over open ground; none over no distance, be the ground impassable."""
    minutes: Floats = np.where(length_m > 0, np.maximum(length_m, 1e-9) * pace / 1000, 0.0)
    return minutes


def cell_bands(
    ground: Lattice,
    graph: TravelGraph,
    answer: Field,
    rows: NDArray[np.integer],
    *,
    origins: Origins | None = None,
    crossing_min: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Ask the least and greatest minutes within cells: at their centre and towards their corners.

    Parameters
    ----------
    rows : int array
        Positions of the cells asked.
    ground, graph, answer, origins, crossing_min
        As in `reach_at`.

    Returns
    -------
    DataFrame, one row per cell asked, indexed by `cell`
        `reach_min` (at the centre), `low_min`, `high_min`. Where a threshold lies between low and
        high, the size of the cell decides, not the ground.
    """
    cells = ground.cells[rows]
    lon, lat, starts = rings(cells)
    owner = np.repeat(np.arange(len(cells)), np.diff(np.append(starts, len(lon))))
    centre_lon, centre_lat = ground.lon[rows], ground.lat[rows]
    turned = np.mod(lon - centre_lon[owner] + 180, 360) - 180
    asked = pd.DataFrame(
        {
            "lon": np.append(centre_lon, centre_lon[owner] + RIM * turned),
            "lat": np.append(centre_lat, centre_lat[owner] + RIM * (lat - centre_lat[owner])),
        }
    )
    asked["lon"] = np.mod(asked["lon"] + 180, 360) - 180
    told = reach_at(ground, graph, answer, asked, origins=origins, crossing_min=crossing_min)[
        "reach_min"
    ].groupby(np.append(np.arange(len(cells)), owner))
    band = pd.DataFrame({"reach_min": told.first(), "low_min": told.min(), "high_min": told.max()})
    band["reach_min"] = answer.minutes[rows]
    return band.set_axis(pd.Index(cells, name="cell"))
