"""Presence of patrols in cells: recorded, from fixes; planned, from routes; never mixed.

From fixes to presence, by stated rules:

1. Two fixes of one unit and patrol that follow each other make a segment. It counts if the time
   between them is more than 0 and at most `max_gap_min`, and the speed at most `max_speed_kmh`.
   The unit is taken to have gone straight, at one speed.
2. A segment is cut into equal pieces shorter than a tenth of a cell and a fifth of the sight
   distance, and at local midnight. A piece is where its middle is.
3. Pieces within `own_base_m` of the unit's own base are no patrol.
4. `presence_h` and `night_h` are the time in the cell itself: they add up to the time of rule 1
   less that of rule 3.
5. A visit is a stay of at least `stay_min` without a break, with the cell in sight: the unit in
   it, or within `sight_m` of it. It counts on the local day it begins and on each further day on
   which it lasts `stay_min`. A visit is by night if most of it, that day, is.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pocgeo.cells.grid import Cells, boundaries, cell_size_km2, positions, resolution_of
from pocgeo.cells.pieces import Pieces, pieces_of
from pocgeo.cells.sight import in_sight
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["VisitRule", "planned_presence", "presence", "presence_days"]

COLUMNS = (
    "cell", "unit_id", "day_on", "visits", "presence_h", "night_h", "night_visits", "kind",
    "base_id",
)  # fmt: skip
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRule:
    """What counts as a visit, and which fixes are believed."""

    stay_min: float = 5.0
    """Least time without a break, the cell in sight, that is a visit, minutes."""

    sight_m: float = 500.0
    """How far from a patrol a cell may be and still be visited, metres."""

    max_gap_min: float = 30.0
    """Longest time between two fixes over which the unit's way is believed, minutes."""

    max_speed_kmh: float = 150.0
    """Greatest believable speed between two fixes, km/h."""

    night_from_h: float = 18.0
    """Hour of the local day at which night begins."""

    night_until_h: float = 6.0
    """Hour of the local day at which it ends."""

    own_base_m: float = 500.0
    """Time within this distance of the unit's own base's perimeter is no patrol, metres."""

    def __post_init__(self) -> None:
        for name in ("stay_min", "max_gap_min", "max_speed_kmh"):
            if not 0 < getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be more than 0, got {getattr(self, name):g}.")
        for name in ("sight_m", "own_base_m"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be 0 metres or more, got {getattr(self, name):g}.")
        if self.max_gap_min > 24 * 60:
            raise BadInput(f"max_gap_min must be at most 1440, a day, got {self.max_gap_min:g}.")
        for name in ("night_from_h", "night_until_h"):
            if not 0 <= getattr(self, name) <= 24:
                raise BadInput(f"{name} is an hour, 0 to 24, got {getattr(self, name):g}.")


FIVE_MINUTES = VisitRule()


def presence_days(
    fixes: pd.DataFrame,
    cells: pd.DataFrame,
    time_zone: str,
    bases: gpd.GeoDataFrame | None = None,
    rule: VisitRule = FIVE_MINUTES,
) -> pd.DataFrame:
    """Sum up recorded patrols by cell, unit, base and local day.

    Parameters
    ----------
    fixes : DataFrame
        `unit_id`, `fix_at` (aware), `lon`, `lat` in degrees; `patrol_id`, `base_id` where known.
        Any order.
    cells : DataFrame
        `cell`, sorted: the cells of the area of interest.
    time_zone : str
        Name of the IANA zone whose days and nights count.
    bases : GeoDataFrame, optional
        `base_id`, perimeter or point, EPSG:4326. A unit whose fixes name no base is not on patrol
        near any base. Without bases all time counts.
    rule : VisitRule

    Returns
    -------
    DataFrame, one row per cell, unit, base and day, sorted so
        `cell`, `unit_id`, `day_on`, `visits`, `presence_h`, `night_h`, `night_visits`, `kind`
        ("recorded"), `base_id`. Passing traffic has hours, but no visit; a cell seen from its
        neighbour has visits, but no hours.
        `attrs["hours"]`: `patrol_h` (counted, in the cells), `outside_h` (counted, in no cell),
        `own_base_h`, `gap_h` (segments too long), `jump_h` (too fast); together the whole record.

    Raises
    ------
    BadInput
        The time zone is unknown, or instants have no zone.
    """
    require_columns(fixes, "patrols", ("unit_id", "fix_at", "lon", "lat"))
    require_columns(cells, "cells", ("cell",))
    if getattr(fixes["fix_at"].dtype, "tz", None) is None:
        raise BadInput("patrols: fix_at has no time zone. Load the patrols with a time zone.")
    index = cells["cell"].to_numpy(dtype=np.int64)
    step_m = 100 * np.sqrt(cell_size_km2(resolution_of(index)))
    pieces = pieces_of(fixes, rule, zone_of(time_zone), step_m)
    pieces, hours = pieces.away_from(bases, rule.own_base_m)
    return summed(pieces, index, rule, hours)


def summed(pieces: Pieces, index: Cells, rule: VisitRule, hours: dict[str, float]) -> pd.DataFrame:
    """Sum up time and visits of pieces by cell, unit, base and day."""
    own = pieces.cells(resolution_of(index))
    inside = positions(index, own)
    rows = np.flatnonzero(inside >= 0)
    time = pd.DataFrame(
        {
            "at": inside[rows],
            **pieces.labels(rows),
            "presence_h": pieces.length_s[rows] / HOUR_S,
            "night_h": pieces.night_s(rule.night_from_h, rule.night_until_h)[rows] / HOUR_S,
        }
    )
    table = pd.concat([time, visits_of(pieces, own, index, rule)], ignore_index=True)
    by = table.groupby(["at", "unit", "day", "base"], as_index=False, sort=True)
    table = by[["visits", "presence_h", "night_h", "night_visits"]].sum()
    table = pieces.named(table).assign(cell=index[table["at"]], kind="recorded")
    table = table[list(COLUMNS)]
    table.attrs["hours"] = {
        **hours,
        "patrol_h": float(pieces.length_s[rows].sum() / HOUR_S),
        "outside_h": float(pieces.length_s[inside < 0].sum() / HOUR_S),
    }
    return table


def visits_of(pieces: Pieces, own: Cells, index: Cells, rule: VisitRule) -> pd.DataFrame:
    """Find the stays that are visits, one row per cell, stay and day."""
    piece, at = in_sight(pieces.lon, pieces.lat, own, index, rule.sight_m)
    # In order of cell, then time: a stay goes on where the next piece is the next in time.
    order = np.lexsort((piece, at))
    piece, at = piece[order], at[order]
    if len(piece) == 0:
        names = ("at", "unit", "day", "base", "visits", "night_visits")
        return pd.DataFrame({name: [] for name in names}, dtype=np.int64)
    goes_on = (at[1:] == at[:-1]) & (piece[1:] == piece[:-1] + 1) & pieces.follows[piece[1:]]
    same = goes_on & (pieces.day[piece[1:]] == pieces.day[piece[:-1]])
    same &= pieces.base[piece[1:]] == pieces.base[piece[:-1]]
    part = np.flatnonzero(np.append(True, ~same))
    begins = np.append(True, ~goes_on)[part]
    length_s = np.add.reduceat(pieces.length_s[piece], part)
    night_s = pieces.night_s(rule.night_from_h, rule.night_until_h)
    night_s = np.add.reduceat(night_s[piece], part)
    first = np.flatnonzero(begins)
    stay_s = np.repeat(np.add.reduceat(length_s, first), np.diff(np.append(first, len(part))))
    # A thousandth of a second: sums of pieces are not exact.
    long_s = rule.stay_min * 60 - 1e-3
    counted = np.flatnonzero((stay_s >= long_s) & (begins | (length_s >= long_s)))
    labels = pieces.labels(piece[part[counted]])
    night = (night_s > length_s / 2)[counted].astype(int)
    return pd.DataFrame({"at": at[part[counted]], **labels, "visits": 1, "night_visits": night})


def planned_presence(routes: gpd.GeoDataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Say how often a week planned routes lead through each cell.

    Parameters
    ----------
    routes : GeoDataFrame of lines, EPSG:4326
        `route_id`, `unit_id`, `times_per_week` (NA: not known), `night` (NA: not known).
    cells : DataFrame
        `cell`, sorted.

    Returns
    -------
    DataFrame, one row per cell and route, sorted
        `cell`, `route_id`, `unit_id`, `base_id`, `visits_per_week`, `night`, `kind` ("planned"). A
        plan: it is never added to what was recorded.
    """
    require_columns(routes, "planned_patrols", ("route_id", "times_per_week", "geometry"))
    require_columns(cells, "cells", ("cell",))
    index = cells["cell"].to_numpy(dtype=np.int64)
    lines = routes.geometry.to_numpy()
    row, at = shapely.STRtree(boundaries(index)).query(lines, predicate="intersects")
    order = np.lexsort((row, at))
    row, at = row[order], at[order]
    unknown = pd.Series(pd.NA, index=routes.index, dtype=object)
    taken = {
        name: routes.get(name, unknown).to_numpy(dtype=object)[row]
        for name in ("route_id", "unit_id", "base_id")
    }
    return pd.DataFrame(
        {
            "cell": index[at],
            **taken,
            "visits_per_week": routes["times_per_week"].to_numpy(float, na_value=np.nan)[row],
            "night": routes.get("night", unknown).astype("boolean").array[row],
            "kind": "planned",
        }
    )


def presence(
    presence_days: pd.DataFrame, as_of: pd.Timestamp, window_days: int | None = None
) -> pd.DataFrame:
    """Sum up recorded presence per cell as it was known at the end of a day.

    Parameters
    ----------
    presence_days : DataFrame
        What `presence_days` returns.
    as_of : day
        Later rows are not seen.
    window_days : int, optional
        Sum only the last so many days, the day itself included. The last presence is looked for
        in the whole record, whatever the window.

    Returns
    -------
    DataFrame, one row per cell that has any row by then, sorted by cell
        `cell`, `visits`, `presence_h`, `night_h`, `night_visits` in the window;
        `days_since_presence`, `last_presence_on`, `last_unit`: the last visit in the record,
        missing where there never was one (passing traffic is none).

    Raises
    ------
    BadInput
        Planned presence is among the rows, or window_days is less than 1.
    """
    names = ["visits", "presence_h", "night_h", "night_visits"]
    require_columns(presence_days, "presence_days", ("cell", "unit_id", "day_on", "kind", *names))
    if (presence_days["kind"] != "recorded").any():
        raise BadInput("presence_days: planned presence is never added to recorded presence.")
    if window_days is not None and window_days < 1:
        raise BadInput(f"window_days must be 1 or more, got {window_days}.")
    day = pd.Timestamp(as_of).normalize().tz_localize(None)
    seen = presence_days[presence_days["day_on"] <= day]
    known = seen["cell"].drop_duplicates().sort_values()
    recent = seen
    if window_days is not None:
        recent = seen[seen["day_on"] > day - pd.Timedelta(days=window_days)]
    table = recent.groupby("cell")[names].sum().reindex(known).fillna(0).reset_index()
    table = table.astype({"visits": int, "night_visits": int})
    visited = seen[seen["visits"] > 0].sort_values(["day_on", "visits", "unit_id"], kind="stable")
    last = visited.drop_duplicates("cell", keep="last").set_index("cell")
    last = last[["day_on", "unit_id"]].reindex(table["cell"]).reset_index(drop=True)
    return table.assign(
        days_since_presence=(day - last["day_on"]).dt.days.astype(float),
        last_presence_on=last["day_on"],
        last_unit=last["unit_id"],
    )


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone by its name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"time_zone {name!r} is not known. Write it as in Africa/Juba (IANA names)."
        ) from error
