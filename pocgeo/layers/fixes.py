"""Fixes of patrols: in order of time, without repeats, with jumps and gaps pointed at."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.geodesy import distance_m
from pocgeo.layers.rows import RowAccount
from pocgeo.sources.raw import RawTable

__all__ = ["GAP_MIN", "MAX_SPEED_KMH", "checked_fixes", "routes_of"]

MAX_SPEED_KMH = 150.0
"""House default: faster than this over land is a jump of the receiver."""

GAP_MIN = 60.0
"""House default: minutes without a fix, inside one patrol, that are worth saying."""

TRACK = ["unit_id", "patrol_id"]


def checked_fixes(
    fixes: pd.DataFrame, account: RowAccount, positions: NDArray[np.int64], max_speed_kmh: float
) -> pd.DataFrame:
    """Sort the fixes of one source and point at jumps, gaps and disorder.

    Parameters
    ----------
    fixes : DataFrame
        `unit_id`, `patrol_id`, `fix_at` (UTC), `lon`, `lat`; accepted rows only.
    account : RowAccount
        The account of the source.
    positions : array of int
        Position of each fix among all rows of the account.
    max_speed_kmh : float
        Greatest believable speed between two fixes.

    Returns
    -------
    DataFrame
        Sorted by unit, patrol and time, with `spike` (bool): reached faster than believable, or
        one of two places at one time.
    """
    groups = fixes.groupby(TRACK, dropna=False, sort=True).ngroup()
    before = fixes["fix_at"].groupby(groups).shift()
    backwards = int((fixes["fix_at"] < before).sum())
    if backwards:
        account.note(
            f"{backwards} fixes stood before an earlier one: sorted by time", field="fix_at"
        )
    order = np.lexsort((fixes["fix_at"].to_numpy("datetime64[ns]"), groups.to_numpy()))
    fixes, positions = fixes.iloc[order].reset_index(drop=True), positions[order]
    same = groups.to_numpy()[order]
    follows = np.r_[False, same[1:] == same[:-1]]
    at_s = fixes["fix_at"].to_numpy("datetime64[ns]").astype("int64") / 1e9
    lon, lat = fixes["lon"].to_numpy("float64"), fixes["lat"].to_numpy("float64")
    step_s = np.r_[0.0, np.diff(at_s)]
    step_m = np.zeros(len(fixes))
    if len(fixes) > 1:
        step_m[1:] = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        speed_kmh = np.where(step_s > 0, step_m / step_s * 3.6, np.where(step_m > 1, np.inf, 0.0))
    spike = follows & (speed_kmh > max_speed_kmh)
    flag_jumps(account, positions, spike, speed_kmh, max_speed_kmh)
    gap = follows & (step_s > GAP_MIN * 60)
    if gap.any():
        longest_h = float(step_s[gap].max()) / 3600
        flag_at(account, positions[gap], f"after a gap of more than {GAP_MIN:g} minutes "
                f"(the longest {longest_h:,.1f} hours)")  # fmt: skip
    return fixes.assign(spike=spike)


def flag_jumps(
    account: RowAccount,
    positions: NDArray[np.int64],
    spike: NDArray[np.bool_],
    speed_kmh: NDArray[np.float64],
    max_speed_kmh: float,
) -> None:
    """Point at fixes that were reached faster than believable."""
    timed = spike & np.isfinite(speed_kmh)
    fastest = float(speed_kmh[timed].max(initial=0.0))
    said = f"faster than {max_speed_kmh:g} km/h (up to {fastest:,.0f} km/h): a jump of the receiver"
    flag_at(account, positions[timed], said)
    flag_at(account, positions[spike & ~timed], "in two places at one time")


def routes_of(raw: RawTable) -> RawTable:
    """Draw a line through the fixes of each track or route of a GPX file, in the file's order.

    Returns
    -------
    RawTable
        `name` and geometry, one row per line, numbered by the line's first fix; lines of a single
        fix have no geometry.
    """
    fixes = raw.frame
    names = fixes["patrol_id"].astype("string").fillna(raw.path.stem)
    numbers, distinct = pd.factorize(names)
    lines = np.full(len(distinct), None, dtype=object)
    vertices = fixes[["lon", "lat"]].to_numpy("float64")
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=len(distinct)))
    for number, rows in enumerate(np.split(order, ends[:-1]) if len(distinct) else ()):
        if len(rows) > 1:
            lines[number] = shapely.LineString(vertices[rows])
    first = ~pd.Series(numbers).duplicated().to_numpy()
    frame = gpd.GeoDataFrame(
        {"name": list(distinct)}, geometry=lines, crs="EPSG:4326", index=fixes.index[first]
    )
    notes = (*raw.notes, f"{len(fixes)} fixes drawn as {len(distinct)} lines")
    return RawTable(frame=frame, path=raw.path, notes=notes, bad_rows=raw.bad_rows)


def flag_at(account: RowAccount, positions: NDArray[np.int64], reason: str) -> None:
    """Flag rows by their position."""
    rows = np.zeros(len(account.state), dtype=bool)
    rows[positions] = True
    account.flag(rows, "fix_at", reason)
