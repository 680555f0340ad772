"""The cells of an area of interest, and what each belongs to."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.cells.closest import closest
from pocgeo.cells.grid import areas_km2, boundaries, centres, cover
from pocgeo.cells.index import layer_cells
from pocgeo.cells.overlay import shares
from pocgeo.cells.placing import place_incidents
from pocgeo.ground.areas import areas_km2 as polygon_areas_km2
from pocgeo.ground.frames import require_columns

__all__ = ["lattice", "layer_cells", "place_incidents", "with_areas"]

WHOLE = 1 - 1e-9
"""Share of a cell above which it is wholly inside: what the arithmetic of areas can carry."""


def lattice(boundary: Any, resolution: int) -> pd.DataFrame:
    """List the cells that overlap a boundary.

    Parameters
    ----------
    boundary : shapely polygon or multipolygon, EPSG:4326
    resolution : int, 0-15

    Returns
    -------
    DataFrame, one row per cell, sorted by cell
        `cell` (int64); `lon`, `lat` of its centre, degrees; `area_km2` on the ellipsoid;
        `inside_share`, the part of its area inside the boundary (0-1); `edge`, not wholly inside.
        A cell that only touches the boundary is left out.

    Raises
    ------
    BadInput
        The boundary is empty.

    Notes
    -----
    Cells are chosen by overlap, not by their centres: a town on a border must not fall out.
    """
    cells = cover(boundary, resolution)
    shapes = boundaries(cells)
    _, at, inside_km2 = shares(np.array([boundary], dtype=object), shapes)
    cells, share = cells[at], inside_km2 / polygon_areas_km2(shapes[at])
    lon, lat = centres(cells)
    edge = share < WHOLE
    return pd.DataFrame(
        {
            "cell": cells,
            "lon": lon,
            "lat": lat,
            "area_km2": areas_km2(cells),
            "inside_share": np.where(edge, share, 1.0),
            "edge": edge,
        }
    )


def with_areas(
    cells: pd.DataFrame,
    areas: gpd.GeoDataFrame | None = None,
    aors: gpd.GeoDataFrame | None = None,
    settlements: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Add what each cell belongs to, and its nearest settlement.

    Parameters
    ----------
    cells : DataFrame, n rows
        `cell`, `lon`, `lat`.
    areas : GeoDataFrame, optional
        `area_id`, `name`, `admin_level` (1 or 2), `parent_id`; polygons, EPSG:4326.
    aors : GeoDataFrame, optional
        `aor_id`, `name`; polygons, EPSG:4326.
    settlements : GeoDataFrame, optional
        `settlement_id`, `name`; any geometry, EPSG:4326.

    Returns
    -------
    DataFrame, n rows in the order given
        Adds `admin1_id`, `admin1`, `admin2_id`, `admin2`, `aor_id`, `aor`, `settlement_id`,
        `settlement`, `settlement_m` (geodesic from the cell's centre; 0 inside a settlement's
        outline); all NA where the layer is absent.

    Notes
    -----
    A cell belongs to the area that covers most of it; a cell that none covers (a coast drawn
    twice, a gap between two AORs) to the nearest one: every cell has an area if any is given.
    The first level is that of the second level's parent where that is known, so that totals by
    county and by state agree.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    table = cells.reset_index(drop=True).copy()
    shapes = boundaries(table["cell"].to_numpy(dtype=np.int64))
    first = second = None
    if areas is not None and len(areas):
        require_columns(areas, "areas", ("area_id", "name", "admin_level", "geometry"))
        level = areas["admin_level"].to_numpy(dtype=float, na_value=np.nan)
        first, second = areas[level == 1], areas[level == 2]
    table = belonging(table, shapes, first, ("area_id", "name"), ("admin1_id", "admin1"))
    table = belonging(table, shapes, second, ("area_id", "name"), ("admin2_id", "admin2"))
    if second is not None and "parent_id" in second:
        table = with_parents(table, second, first)
    table = belonging(table, shapes, aors, ("aor_id", "name"), ("aor_id", "aor"))
    return with_settlements(table, settlements)


def belonging(
    table: pd.DataFrame,
    shapes: NDArray[np.object_],
    areas: gpd.GeoDataFrame | None,
    fields: tuple[str, str],
    columns: tuple[str, str],
) -> pd.DataFrame:
    """Add two fields of the area that covers most of each cell, else of the nearest area."""
    if areas is None or len(areas) == 0:
        return table.assign(**{column: empty(len(table)) for column in columns})
    require_columns(areas, columns[1], (*fields, "geometry"))
    polygons = areas.geometry.to_numpy()
    of = largest(*shares(polygons, shapes), len(table))
    alone = np.flatnonzero(of < 0)
    if len(alone):
        lon, lat = table["lon"].to_numpy()[alone], table["lat"].to_numpy()[alone]
        of[alone] = closest(lon, lat, polygons)[0]
    return table.assign(
        **{column: taken(areas[field], of) for field, column in zip(fields, columns, strict=True)}
    )


def largest(
    of: NDArray[np.int64], cell: NDArray[np.int64], area_km2: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Row of the polygon with the largest part of each cell; -1 where there is none.

    Equal parts go to the polygon that comes first.
    """
    order = np.lexsort((-of, area_km2, cell))  # the last of each cell wins
    found = np.full(count, -1, dtype=np.int64)
    found[cell[order]] = of[order]
    return found


def with_parents(
    table: pd.DataFrame, second: gpd.GeoDataFrame, first: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """Take the first level from the second level's parent, where that is known."""
    parent = table["admin2_id"].map(
        second.drop_duplicates("area_id").set_index("area_id")["parent_id"]
    )
    names = pd.Series(dtype=object)
    if first is not None and len(first):
        names = first.drop_duplicates("area_id").set_index("area_id")["name"]
    known = parent.isin(names.index) | (parent.notna() & table["admin1_id"].isna())
    name = parent.map(names)
    return table.assign(
        admin1_id=table["admin1_id"].mask(known, parent),
        admin1=table["admin1"].mask(known, name),
    )


def with_settlements(table: pd.DataFrame, settlements: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Add the settlement nearest to each cell's centre."""
    if settlements is None or len(settlements) == 0:
        return table.assign(
            settlement_id=empty(len(table)), settlement=empty(len(table)), settlement_m=np.nan
        )
    require_columns(settlements, "settlements", ("settlement_id", "name", "geometry"))
    places = settlements.geometry.to_numpy()
    at, far_m = closest(table["lon"].to_numpy(), table["lat"].to_numpy(), places)
    return table.assign(
        settlement_id=taken(settlements["settlement_id"], at),
        settlement=taken(settlements["name"], at),
        settlement_m=far_m,
    )


def taken(values: pd.Series, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Values at the rows; None at -1 and where the value itself is missing."""
    held = values.astype(object).where(values.notna(), None).to_numpy(dtype=object)
    found: NDArray[np.object_] = held[np.maximum(rows, 0)]
    found[rows < 0] = None
    return found


def empty(count: int) -> NDArray[np.object_]:
    """Make a text column of unknowns."""
    return np.full(count, None, dtype=object)
