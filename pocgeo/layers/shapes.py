"""The geometry of each row: of the right kind, valid, inside or outside the area of interest."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m
from pocgeo.layers.coordinates import lonlat_of, place_points, placement_of
from pocgeo.layers.request import SourceRequest
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import LayerSpec, ProfileSpec

__all__ = ["geometry_of"]

KIND_OF = np.array(
    ["point", "line", "line", "polygon", "point", "line", "polygon", "collection"], dtype=object
)
"""Kind by shapely's type number."""

AGREE_M = 50.0
"""House tolerance: coordinates in columns and the file's own geometry agree within it."""

WIDEST_DEG = 180.0
"""A single shape wider than this is one that crosses the antimeridian, read the long way round."""

Shapes = NDArray[np.object_]


def geometry_of(
    frame: pd.DataFrame,
    spec: LayerSpec,
    source: SourceRequest,
    profile: ProfileSpec | None,
    boundary: Any,
    account: RowAccount,
    path: Path,
) -> Shapes:
    """Read the geometry of every row and settle rows that have none or a wrong one.

    The file's geometry is taken, unless aoi.toml names columns; then both are compared.

    Returns
    -------
    array of shapely geometry
        EPSG:4326; None in rejected rows.

    Raises
    ------
    BadInput
        The file says nowhere where its rows lie.
    """
    placement = placement_of(frame, source, profile, path)
    own = frame["geometry"].to_numpy() if "geometry" in frame else None
    if own is not None and not (placement and placement.declared):
        return checked_shapes(own, spec, boundary, account)
    if placement is None:
        raise BadInput(
            f"{path}: no column says where rows lie. Declare lon and lat, or coordinates, "
            f"under [layers.{spec.name}] in aoi.toml."
        )
    lon, lat = lonlat_of(frame, placement, source, account, path)
    if own is not None:
        compare_with_own(lon, lat, own, account)
    lon, lat = place_points(lon, lat, boundary, account, outside=spec.outside)
    if spec.geometry in ("line", "polygon"):
        raise BadInput(f"{path}: has points, but {spec.name} are {spec.geometry}s. Check the file.")
    shapes: Shapes = np.full(len(frame), None, dtype=object)
    known = ~np.isnan(lon)
    shapes[known] = shapely.points(lon[known], lat[known])
    return shapes


def compare_with_own(lon: Any, lat: Any, own: Shapes, account: RowAccount) -> None:
    """Say how far the coordinates in columns lie from the file's own points."""
    points = (shapely.get_type_id(own) == 0) & np.isfinite(lon) & np.isfinite(lat)
    if not points.any():
        return
    apart_m = np.full(len(own), np.nan)
    x, y = shapely.get_x(own), shapely.get_y(own)
    beyond = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    points &= ~beyond
    apart_m[points] = distance_m(lon[points], lat[points], x[points], y[points])
    agree = points & (apart_m <= AGREE_M)
    account.note(
        f"coordinates in columns agree with the geometry in {int(agree.sum())} of "
        f"{int(points.sum())} rows (within {AGREE_M:g} m; the farthest of these "
        f"{float(np.max(apart_m[agree], initial=0.0)):.1f} m)"
    )
    account.flag(points & ~agree, "lon", f"more than {AGREE_M:g} m from the file's own geometry")


def checked_shapes(own: Shapes, spec: LayerSpec, boundary: Any, account: RowAccount) -> Shapes:
    """Check the file's own geometry: present, valid, of the layer's kind, where it should be."""
    shapes = own.copy()
    bounds = shapely.bounds(shapes)
    finite = np.isfinite(bounds).all(axis=1)
    account.reject(~finite, "geometry", "no geometry")
    crossed = finite & ~shapely.is_valid(shapes)
    if crossed.any():
        shapes[crossed] = shapely.make_valid(shapes[crossed])
        account.repair(crossed, "geometry", "invalid outline made valid")
        bounds = shapely.bounds(shapes)
    kinds = np.where(finite, KIND_OF[np.where(finite, shapely.get_type_id(shapes), 0)], "none")
    shapes = fitted(shapes, kinds, spec, account)
    wild = finite & (
        (bounds[:, 0] < -180) | (bounds[:, 2] > 180) | (bounds[:, 1] < -90) | (bounds[:, 3] > 90)
    )
    points = account.live & (shapely.get_type_id(shapes) == 0)
    wide = np.zeros(len(shapes), dtype=bool)
    wide[finite] = bounds[finite, 2] - bounds[finite, 0] > WIDEST_DEG
    account.reject(wide, "geometry", "wider than 180 degrees: split it at the antimeridian")
    account.reject(wild & ~points, "geometry", "no place on Earth: beyond 180 or 90 degrees")
    if points.any():
        lon = np.where(points, shapely.get_x(shapes), np.nan)
        lat = np.where(points, shapely.get_y(shapes), np.nan)
        placed = place_own_points(lon, lat, points, boundary, account, spec.outside)
        shapes[points] = placed[points]
    others = account.live & ~points
    if boundary is not None and others.any():
        away = others & ~shapely.intersects(shapes, boundary)
        if spec.outside == "reject":
            account.reject(away, "geometry", "outside the area of interest")
        elif spec.outside == "keep":
            account.flag(away, "geometry", "outside the area of interest: kept")
    shapes[~account.live] = None
    return shapes


def place_own_points(
    lon: Any, lat: Any, points: NDArray[np.bool_], boundary: Any, account: RowAccount, outside: str
) -> Shapes:
    """Settle the points of a file that may hold other kinds too."""
    part = RowAccount(account.layer, account.source, account.source_rows[points])
    new_lon, new_lat = place_points(lon[points], lat[points], boundary, part, outside=outside)
    account.absorb(part, points)
    shapes: Shapes = np.full(len(lon), None, dtype=object)
    known = ~np.isnan(new_lon)
    placed: Shapes = np.full(int(points.sum()), None, dtype=object)
    placed[known] = shapely.points(new_lon[known], new_lat[known])
    shapes[points] = placed
    return shapes


def fitted(shapes: Shapes, kinds: NDArray[Any], spec: LayerSpec, account: RowAccount) -> Shapes:
    """Turn geometries into the layer's kind where that is plain; reject the others."""
    several = account.live & (shapely.get_type_id(shapes) == 4)
    if several.any():
        shapes[several] = shapely.centroid(shapes[several])
        account.repair(several, "geometry", "several points replaced by their middle")
    if spec.geometry in ("point", "track"):
        drawn = account.live & (kinds == "polygon")
        if drawn.any():
            shapes[drawn] = shapely.point_on_surface(shapes[drawn])
            account.repair(drawn, "geometry", "outline replaced by a point inside it")
        account.reject(
            (kinds != "point") & ~drawn, "geometry", "a line where the layer holds points"
        )
        return shapes
    mixed = account.live & (kinds == "collection")
    if mixed.any():
        wanted = 2 if spec.geometry == "polygon" else 1
        shapes[mixed] = [largest_dimension(shape, wanted) for shape in shapes[mixed]]
        account.repair(mixed, "geometry", "parts of another kind left out")
        account.reject(
            mixed & shapely.is_missing(shapes), "geometry", "no part of the layer's kind"
        )
    elif spec.geometry == "any":
        return shapes
    if spec.geometry != "any":
        other = (kinds != spec.geometry) & (kinds != "collection")
        account.reject(other, "geometry", f"not a {spec.geometry}, which the layer holds")
    return shapes


def largest_dimension(shape: Any, wanted: int) -> Any:
    """Keep the parts of a collection that are lines (1) or polygons (2); None if there are none."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) >= wanted]
    return shapely.union_all(parts) if parts else None
