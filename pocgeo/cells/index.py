"""A layer of the user's own as a column of the cells."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.cells.closest import closest
from pocgeo.cells.grid import boundaries, cells_of, positions, resolution_of
from pocgeo.cells.overlay import on_earth, shares
from pocgeo.ground.areas import areas_km2
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns
from pocgeo.layers.spec import IndexRule

__all__ = ["layer_cells"]

Floats = NDArray[np.float64]


def layer_cells(layer: gpd.GeoDataFrame, rule: IndexRule, cells: pd.DataFrame) -> pd.DataFrame:
    """Make one column of the cells from a layer.

    Parameters
    ----------
    layer : GeoDataFrame, m rows
        Points, lines or polygons, EPSG:4326. Rows without a geometry are in no cell.
    rule : IndexRule
        Method, field and name of the column.
    cells : DataFrame, n rows
        `cell` (sorted int64), `lon`, `lat` of the centre.

    Returns
    -------
    DataFrame, n rows in the order of the cells
        `cell` and `rule.column`:

        - count: features that lie in the cell, wholly or in part (a feature in three cells counts
          in each of them);
        - sum: the field, added up: a point's in its cell, a line's or polygon's shared among the
          cells by length or area, so that the total is that of the features. Known values only;
          NA where features lie in the cell and no value is known; 0 where none lies;
        - area_weighted: the field of polygons shared by exact area, likewise;
        - nearest_distance: metres from the cell's centre to the nearest feature, geodesic, 0
          inside a polygon; NA if the layer is empty;
        - presence: whether any feature lies in the cell.

        What lies outside the cells is in none of them; `attrs["outside"]` holds how many features
        (count, presence) or how much of the field (sum, area_weighted) that is.

    Raises
    ------
    UnknownName
        The method is none of these.
    BadInput
        area_weighted of features that are not polygons.
    """
    require_columns(cells, "cells", ("cell", "lon", "lat"))
    if rule.method not in METHODS:
        raise UnknownName("index method", rule.method, METHODS)
    if rule.field is not None:
        require_columns(layer, "layer", (rule.field,))
    values, outside = METHODS[rule.method](layer, rule, cells)
    table = pd.DataFrame({"cell": cells["cell"].to_numpy(dtype=np.int64), rule.column: values})
    table.attrs["outside"] = outside
    return table


def counted(layer: gpd.GeoDataFrame, _rule: IndexRule, cells: pd.DataFrame) -> tuple[Floats, float]:
    """Count the features of each cell."""
    row, at, _ = parts(layer, cells)
    touched = np.bincount(at, minlength=len(cells)).astype(float)
    return touched, float(placeable(layer).sum() - len(np.unique(row)))


def present(
    layer: gpd.GeoDataFrame, rule: IndexRule, cells: pd.DataFrame
) -> tuple[NDArray[np.bool_], float]:
    """Say whether any feature lies in each cell."""
    touched, outside = counted(layer, rule, cells)
    return touched > 0, outside


def summed(layer: gpd.GeoDataFrame, rule: IndexRule, cells: pd.DataFrame) -> tuple[Floats, float]:
    """Share a field of the features among cells, and add it up."""
    amount = layer[rule.field].to_numpy(dtype=float, na_value=np.nan)
    row, at, share = parts(layer, cells)
    known = ~np.isnan(amount[row])
    total = np.bincount(at[known], (amount[row] * share)[known], len(cells))
    touched = np.bincount(at, minlength=len(cells)) > 0
    unknown = touched & (np.bincount(at[known], minlength=len(cells)) == 0)
    everything = float(np.nansum(np.where(placeable(layer), amount, 0)))
    return np.where(unknown, np.nan, total), everything - float(total.sum())


def weighted(layer: gpd.GeoDataFrame, rule: IndexRule, cells: pd.DataFrame) -> tuple[Floats, float]:
    """Share a field of polygons among cells by area."""
    flat = placeable(layer) & (shapely.get_dimensions(layer.geometry.to_numpy()) != 2)
    if flat.any():
        raise BadInput(
            f"{rule.column}: {int(flat.sum())} features are no polygons, the first in row "
            f"{int(np.argmax(flat)) + 1}. Use sum for points and lines."
        )
    return summed(layer, rule, cells)


def distance(
    layer: gpd.GeoDataFrame, _rule: IndexRule, cells: pd.DataFrame
) -> tuple[Floats, float]:
    """Measure from each cell's centre to the nearest feature."""
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    return closest(lon, lat, layer.geometry.to_numpy())[1], 0.0


Method = Callable[[gpd.GeoDataFrame, IndexRule, pd.DataFrame], tuple[NDArray[Any], float]]
METHODS: dict[str, Method] = {
    "area_weighted": weighted,
    "count": counted,
    "nearest_distance": distance,
    "presence": present,
    "sum": summed,
}


def placeable(layer: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Say which features have a geometry."""
    shapes = layer.geometry.to_numpy()
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))


def parts(
    layer: gpd.GeoDataFrame, cells: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Which features lie in which cells, and with what share of themselves.

    Returns
    -------
    row, at : positions in the layer and in the cells
    share : part of the feature's points, length or area in the cell
    """
    index = cells["cell"].to_numpy(dtype=np.int64)
    shapes = layer.geometry.to_numpy()
    dimension = np.where(placeable(layer), shapely.get_dimensions(shapes), -1)
    found = [of_points(shapes, np.flatnonzero(dimension == 0), index)]
    if (dimension > 0).any():
        outlines = boundaries(index)
        found.append(of_lines(shapes, np.flatnonzero(dimension == 1), outlines))
        found.append(of_polygons(shapes, np.flatnonzero(dimension == 2), outlines))
    row, at, share = (np.concatenate(part) for part in zip(*found, strict=True))
    return row, at, share


def of_points(
    shapes: NDArray[np.object_], rows: NDArray[np.int64], index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Share points (and the members of multipoints) among cells."""
    single, owner = shapely.get_parts(shapes[rows], return_index=True)
    cell = cells_of(shapely.get_x(single), shapely.get_y(single), resolution_of(index))
    at = positions(index, cell)
    size = np.bincount(owner, minlength=len(rows))
    row, at, share = rows[owner][at >= 0], at[at >= 0], (1 / size[owner])[at >= 0]
    pair, inverse = np.unique(row * len(index) + at, return_inverse=True)
    total = np.bincount(inverse, share, len(pair)).astype(float)
    return pair // len(index), pair % len(index), total


def of_lines(
    shapes: NDArray[np.object_], rows: NDArray[np.int64], outlines: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Share lines among cells by length (in degrees of the cell's own latitude)."""
    lines = np.array([on_earth(shape) for shape in shapes[rows]], dtype=object)
    at_line, at = shapely.STRtree(outlines).query(lines, predicate="intersects")
    pieces = shapely.intersection(lines[at_line], outlines[at])
    whole = lengths(lines)[at_line]
    share = np.divide(lengths(pieces), whole, out=np.zeros(len(whole)), where=whole > 0)
    inside = share > 0
    return rows[at_line[inside]], at[inside].astype(np.int64), share[inside]


def lengths(lines: NDArray[np.object_]) -> Floats:
    """Length of each line with its longitudes shrunk to its latitude, degrees."""
    pieces, of = shapely.get_parts(lines, return_index=True)
    points, owner = shapely.get_coordinates(pieces, return_index=True)
    step = np.diff(points, axis=0)
    middle = np.radians((points[1:, 1] + points[:-1, 1]) / 2)
    length = np.hypot(step[:, 0] * np.cos(middle), step[:, 1])
    same = owner[1:] == owner[:-1]
    return np.bincount(of[owner[1:][same]], length[same], len(lines)).astype(float)


def of_polygons(
    shapes: NDArray[np.object_], rows: NDArray[np.int64], outlines: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Share polygons among cells by exact area."""
    of, at, area_km2 = shares(shapes[rows], outlines)
    whole = areas_km2(np.array([on_earth(shape) for shape in shapes[rows]], dtype=object))
    return rows[of], at, area_km2 / whole[of]
