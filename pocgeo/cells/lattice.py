"""The ground as a mesh: cells, road vertices, the ways between them, and the water these cross.

Nothing here depends on who moves or when; `pocgeo.analyses.reach.graph` puts minutes on it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.arcs import Arcs, arcs
from pocgeo.cells.barriers import Crossed, crossed
from pocgeo.cells.grid import Cells
from pocgeo.cells.roads import EDGE_M, Connectors, RoadNetwork, connectors, no_roads, road_network
from pocgeo.ground.frames import require_columns

__all__ = ["Lattice", "lattice"]

Floats = NDArray[np.float64]

NEAREST = 7
"""Cell centres that a road vertex is joined to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Nodes are the cells in order, then the road vertices."""

    cells: Cells
    lon: Floats
    """Of every node, degrees, EPSG:4326."""

    lat: Floats
    arcs: Arcs
    network: RoadNetwork
    connectors: Connectors
    arcs_crossed: Crossed
    """Arcs and the waterways they cross."""

    connectors_crossed: Crossed
    waterways: Any
    """GeoDataFrame whose rows the crossings count; None where none is known."""


def lattice(
    cells: pd.DataFrame, roads: Any = None, waterways: Any = None, max_edge_m: float = EDGE_M
) -> Lattice:
    """Make the mesh of an area.

    Parameters
    ----------
    cells : DataFrame, n rows, sorted by `cell`
        `cell` (int64), `lon`, `lat` (centre, degrees, EPSG:4326).
    roads : GeoDataFrame of lines, optional
    waterways : GeoDataFrame of lines and polygons, optional
    max_edge_m : float
        Longest road edge, metres.

    Raises
    ------
    MissingColumns
        A table lacks a column named above, or its geometry.
    BadInput
        Cells unsorted or repeated; a road that is no line.
    """
    require_columns(cells, "cells", ["cell", "lon", "lat"])
    cell = cells["cell"].to_numpy(dtype="int64")
    lon, lat = cells["lon"].to_numpy("float64"), cells["lat"].to_numpy("float64")
    mesh = arcs(cell, lon, lat)
    network = no_roads() if roads is None else road_network(roads, max_edge_m)
    joins = connectors(network, cell, NEAREST, lon=lon, lat=lat)
    vertex, centre = joins.vertex, joins.cell
    return Lattice(
        cells=cell,
        lon=np.concatenate([lon, network.lon]),
        lat=np.concatenate([lat, network.lat]),
        arcs=mesh,
        network=network,
        connectors=joins,
        arcs_crossed=wet((lon, lat, mesh.u), (lon, lat, mesh.v), waterways),
        connectors_crossed=wet((network.lon, network.lat, vertex), (lon, lat, centre), waterways),
        waterways=waterways,
    )


def wet(
    start: tuple[Floats, Floats, NDArray[np.int32]],
    end: tuple[Floats, Floats, NDArray[np.int32]],
    waterways: Any,
) -> Crossed:
    """Find the waterways between ends given as lon, lat and rows of these."""
    if waterways is None:
        return Crossed(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    (lon, lat, row), (far_lon, far_lat, far_row) = start, end
    return crossed(lon[row], lat[row], far_lon[far_row], far_lat[far_row], waterways)
