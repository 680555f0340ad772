"""From any CRS that PROJ knows to EPSG:4326, never assumed."""

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from pocgeo.ground.errors import BadInput

__all__ = ["crs_name", "crs_of", "in_degrees", "same_crs"]

WGS84 = CRS.from_epsg(4326)
POOR_SHIFT_M = 2.0
"""A datum shift worse than this is said in a note."""


def crs_of(text: Any, where: Path | str) -> CRS:
    """Read a CRS in any spelling PROJ knows; refuse others in one line."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise BadInput(
            f"{where}: PROJ knows no CRS {str(text)[:80]!r}. Write it as in EPSG:32636."
        ) from error


def crs_name(crs: CRS) -> str:
    """Name a CRS shortly: EPSG:32636, or its title where no authority lists it."""
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.name)


def same_crs(one: CRS, other: CRS) -> bool:
    """Say whether two CRS put the same numbers in the same place, axis order aside."""
    if one.equals(other, ignore_axis_order=True) or crs_name(one) == crs_name(other):
        return True
    return crs_name(one) in LONLAT and crs_name(other) in LONLAT


LONLAT = {"EPSG:4326", "OGC:CRS84", "WGS 84", "WGS 84 (CRS84)"}


def in_degrees(
    frame: gpd.GeoDataFrame, path: Path, *, declared: str | None, assumed: CRS | None
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Convert to EPSG:4326, x = lon, y = lat.

    Parameters
    ----------
    frame : GeoDataFrame
        With the CRS its file states, or none.
    declared : str or None
        What the user says the CRS is.
    assumed : CRS or None
        What the format defines where the file states none (GeoJSON, KML: EPSG:4326).

    Raises
    ------
    BadInput
        No CRS is known, the declared one differs from the file's, or most coordinates lie outside
        the degrees the CRS promises.
    """
    stated = crs_of(frame.crs, path) if frame.crs is not None else None
    wanted = crs_of(declared, path) if declared is not None else None
    if wanted is not None and stated is not None and not same_crs(wanted, stated):
        raise BadInput(
            f"{path}: declared crs {crs_name(wanted)}, but the file says {crs_name(stated)}. "
            "Remove the declaration, or mend the file."
        )
    source = stated or wanted or assumed
    if source is None:
        raise BadInput(
            f"{path}: states no coordinate reference system. Declare it: crs = 'EPSG:32636'."
        )
    refuse_wrong_unit(frame, source, path)
    if crs_name(source) in LONLAT:
        return frame.set_crs(WGS84, allow_override=True), []
    notes = [f"{crs_name(source)} converted to EPSG:4326{shift_note(source)}"]
    moved = frame.set_crs(source, allow_override=True).to_crs(WGS84)
    return without_infinities(moved, notes)


def refuse_wrong_unit(frame: gpd.GeoDataFrame, crs: CRS, path: Path) -> None:
    """Refuse metres called degrees and degrees called metres, judged by most of the geometries."""
    bounds = shapely.bounds(frame.geometry.array)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return
    beyond = (np.abs(bounds) > np.array([360.0, 180.0, 360.0, 180.0])).any(axis=1)
    x, y = bounds[0][:2]
    if crs.is_geographic and beyond.mean() > 0.5:
        raise BadInput(
            f"{path}: {beyond.sum()} of {len(bounds)} geometries lie outside degrees (the first at "
            f"x {x:.0f}, y {y:.0f}). Declare the true CRS, as in crs = 'EPSG:32636'."
        )
    if crs.is_projected and not beyond.any():
        raise BadInput(
            f"{path}: {crs_name(crs)} counts in metres, but all coordinates look like degrees (the "
            f"first at x {x:.4f}, y {y:.4f}). Remove the crs, or mend the file."
        )


def shift_note(crs: CRS) -> str:
    """Say how good the datum shift is, where it is worse than 2 m or not known."""
    if crs.datum == WGS84.datum or "WGS 84" in str(crs.name) or "WGS_1984" in str(crs.name):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of finer grids not installed: the note says
        found = TransformerGroup(crs, WGS84, always_xy=True).transformers
    accuracy_m = found[0].accuracy if found else -1
    if 0 <= accuracy_m <= POOR_SHIFT_M:
        return ""
    return (
        f" (datum shift good to {accuracy_m:g} m)" if accuracy_m > 0 else " (datum shift unknown)"
    )


def without_infinities(
    frame: gpd.GeoDataFrame, notes: list[str]
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Make missing what the projection cannot place."""
    bounds = shapely.bounds(frame.geometry.array)
    lost = np.isinf(bounds).any(axis=1)
    if lost.any():
        frame = frame.copy()
        frame.loc[lost, frame.geometry.name] = None
        notes = [
            *notes,
            f"{int(lost.sum())} geometries lie outside the CRS's domain: read as missing",
        ]
    return frame, notes
