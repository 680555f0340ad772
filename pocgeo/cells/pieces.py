"""Fixes of patrols cut into short pieces of believed way, each at one place on one local day."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.cells.grid import Cells, cells_of
from pocgeo.ground.frames import require_columns
from pocgeo.ground.geodesy import buffer_m, distance_m

if TYPE_CHECKING:
    from pocgeo.cells.presence import VisitRule

__all__ = ["Pieces", "pieces_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY_S = 86_400.0
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Short stretches of patrol in order of unit, patrol and time."""

    lon: Floats
    """Middle of the piece, degrees."""

    lat: Floats
    length_s: Floats
    """Seconds."""

    begin_s: Floats
    """Seconds since local midnight at which it begins."""

    day: Ints
    """Local day, days since 1970."""

    unit: Ints
    """Row in `units`; -1 where the fixes name none."""

    base: Ints
    """Row in `base_ids`; -1 where the fixes name none."""

    follows: NDArray[np.bool_]
    """Whether it begins where and when the piece before it ends."""

    units: NDArray[np.object_]
    base_ids: NDArray[np.object_]
    gap_h: float
    """Hours of segments that were too long to be believed."""

    jump_h: float
    """Hours of segments that were too fast to be believed."""

    def cells(self, resolution: int) -> Cells:
        """Cell of each piece."""
        return cells_of(self.lon, self.lat, resolution)

    def night_s(self, from_h: float, until_h: float) -> Floats:
        """Seconds of each piece that are night: from one hour of the day until another."""
        end_s = self.begin_s + self.length_s
        if from_h == until_h:
            return np.zeros(len(end_s))
        night = [(from_h, until_h)] if from_h < until_h else [(0.0, until_h), (from_h, 24.0)]
        total = np.zeros(len(end_s))
        for first, last in night:
            within = np.minimum(end_s, last * HOUR_S) - np.maximum(self.begin_s, first * HOUR_S)
            total += np.maximum(within, 0)
        return total

    def labels(self, rows: Ints) -> dict[str, Ints]:
        """Give unit, day and base of some pieces, as numbers to group by."""
        return {"unit": self.unit[rows], "day": self.day[rows], "base": self.base[rows]}

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace the numbers of a table by names and days."""
        base = with_none(self.base_ids)
        day = table["day"].to_numpy(dtype=np.int64).astype("datetime64[D]")
        return table.assign(
            unit_id=with_none(self.units)[table["unit"].to_numpy()],
            base_id=base[table["base"].to_numpy()],
            day_on=day.astype("datetime64[ns]"),
            visits=table["visits"].astype(np.int64),
            night_visits=table["night_visits"].astype(np.int64),
        )

    def away_from(
        self, bases: gpd.GeoDataFrame | None, own_base_m: float
    ) -> tuple["Pieces", dict[str, float]]:
        """Leave out what is within a distance of the unit's own base.

        Own is the base the fix names, else those of its unit, else (nothing known) any base.

        Returns
        -------
        pieces, hours
            `hours` holds `own_base_h`, `gap_h` and `jump_h`.
        """
        hours = {"own_base_h": 0.0, "gap_h": self.gap_h, "jump_h": self.jump_h}
        if bases is None or len(bases) == 0 or len(self.lon) == 0:
            return self, hours
        require_columns(bases, "bases", ("base_id", "geometry"))
        near = np.zeros(len(self.lon), dtype=bool)
        listed = set(bases["base_id"])
        known = np.array([name in listed for name in self.base_ids] + [False], dtype=bool)
        own = with_none(self.base_ids)
        unit_of = (
            bases["unit"] if "unit" in bases else pd.Series(None, index=bases.index, dtype=object)
        )
        housed = np.isin(with_none(self.units), unit_of.dropna().to_list())[self.unit]
        units = with_none(self.units)[self.unit]
        for name, unit, shape in zip(bases["base_id"], unit_of, bases.geometry, strict=True):
            if shape is None or shape.is_empty:
                continue
            zone = buffer_m(shape, own_base_m)
            by_unit = ~known[self.base] & (~housed | (units == unit))
            bound = by_unit | (own[self.base] == name)
            rows = np.flatnonzero(bound & boxed(self.lon, self.lat, zone.bounds))
            shapely.prepare(zone)
            near[rows] |= shapely.intersects_xy(zone, self.lon[rows], self.lat[rows])
        hours["own_base_h"] = float(self.length_s[near].sum() / HOUR_S)
        kept = ~near
        follows = self.follows & np.append(False, kept[:-1])
        parts = {name: getattr(self, name)[kept] for name in EACH if name != "follows"}
        return replace(self, **parts, follows=follows[kept]), hours


EACH = ("lon", "lat", "length_s", "begin_s", "day", "unit", "base", "follows")


def boxed(lon: Floats, lat: Floats, bounds: tuple[float, ...]) -> NDArray[np.bool_]:
    """Say which points lie in a box."""
    west, south, east, north = bounds
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def pieces_of(fixes: pd.DataFrame, rule: "VisitRule", zone: ZoneInfo, step_m: float) -> Pieces:
    """Cut the believed ways between fixes into pieces.

    Parameters
    ----------
    fixes : DataFrame
        `unit_id`, `fix_at` (aware), `lon`, `lat`; `patrol_id`, `base_id` where known.
    rule : VisitRule
    zone : ZoneInfo
        Of the local days.
    step_m : float
        Greatest length of a piece, metres; a fifth of the sight distance if that is less.
    """
    track = Track.of(fixes)
    lon, lat = track.lon, track.lat
    took_s, way_m = track.steps()
    timed = took_s > 0
    short = took_s <= rule.max_gap_min * 60
    slow = way_m * 3.6 <= rule.max_speed_kmh * took_s
    believed = timed & short & slow
    first = np.flatnonzero(believed)
    step_m = min(step_m, rule.sight_m / 5) if rule.sight_m > 0 else step_m
    count = np.maximum(1, np.ceil(way_m[first] / step_m)).astype(np.int64)
    segment, parts = np.repeat(first, count), np.repeat(count, count)
    place = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    part_s = took_s[segment] / parts
    local_s = track.at_s + offsets_s(track.at_s, zone)
    cut = cut_at_midnight(local_s[segment] + part_s * place, part_s)
    middle = (place[cut.source] + cut.middle) / parts[cut.source]
    segment = segment[cut.source]
    east = lon[segment] + turned(lon[segment + 1] - lon[segment]) * middle
    opening = np.append(True, np.diff(segment) != 0)[: len(segment)]
    return Pieces(
        lon=turned(east),
        lat=lat[segment] + (lat[segment + 1] - lat[segment]) * middle,
        length_s=cut.length_s,
        begin_s=cut.begin_s,
        day=cut.day,
        unit=track.unit[segment],
        base=track.base[segment],
        follows=~opening | np.append(False, believed[:-1])[segment],
        units=track.units,
        base_ids=track.base_ids,
        gap_h=float(took_s[timed & ~short].sum() / HOUR_S),
        jump_h=float(took_s[timed & short & ~slow].sum() / HOUR_S),
    )


class Track(NamedTuple):
    """Fixes in order of unit, patrol and time, exact repeats left out."""

    unit: Ints
    patrol: Ints
    base: Ints
    at_s: Floats
    """Seconds since 1970, UTC."""

    lon: Floats
    lat: Floats
    units: NDArray[np.object_]
    base_ids: NDArray[np.object_]

    @classmethod
    def of(cls, fixes: pd.DataFrame) -> "Track":
        """Put fixes in order."""
        unit, units = factor(fixes, "unit_id")
        base, base_ids = factor(fixes, "base_id")
        patrol, _ = factor(fixes, "patrol_id")
        at = fixes["fix_at"].dt.tz_convert("UTC").astype("datetime64[ns, UTC]")
        at_s = at.astype(np.int64).to_numpy() / 1e9
        lon, lat = fixes["lon"].to_numpy(float), fixes["lat"].to_numpy(float)
        order = np.lexsort((lat, lon, at_s, patrol, unit))  # whatever file stood first
        order = order[~repeated(unit[order], patrol[order], at_s[order], lon[order], lat[order])]
        where = lon[order], lat[order]
        return cls(unit[order], patrol[order], base[order], at_s[order], *where, units, base_ids)

    def steps(self) -> tuple[Floats, Floats]:
        """Seconds and metres from each fix to the next; 0 s from one track to another."""
        if len(self.lon) == 0:
            return np.zeros(0), np.zeros(0)
        together = self.unit[1:] == self.unit[:-1]
        together &= self.patrol[1:] == self.patrol[:-1]
        way_m = distance_m(self.lon[:-1], self.lat[:-1], self.lon[1:], self.lat[1:])
        return np.where(together, np.diff(self.at_s), 0.0), way_m


def turned(degrees: Floats) -> Floats:
    """Longitudes, or their differences, the short way round."""
    return degrees - 360 * np.round(degrees / 360)


def repeated(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows equal the one before them."""
    same = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    return np.append(False, same)[: len(columns[0])]


def with_none(values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Add None at the end, where -1 finds it."""
    found = np.empty(len(values) + 1, dtype=object)
    found[:-1] = values
    return found


def factor(fixes: pd.DataFrame, column: str) -> tuple[Ints, NDArray[np.object_]]:
    """Numbers for the values of a column, -1 where it has none, and the values."""
    if column not in fixes:
        return np.full(len(fixes), -1, dtype=np.int64), np.zeros(0, dtype=object)
    number, values = pd.factorize(fixes[column].astype(object), sort=True, use_na_sentinel=True)
    return np.asarray(number, dtype=np.int64), np.asarray(values, dtype=object)


def offsets_s(at_s: Floats, zone: ZoneInfo) -> Floats:
    """Seconds that local time is ahead of UTC at each instant."""
    instants = pd.DatetimeIndex(pd.to_datetime(np.floor(at_s), unit="s", utc=True))
    local = instants.tz_convert(zone).tz_localize(None)
    ahead = local - instants.tz_localize(None)
    return np.asarray(ahead.total_seconds(), dtype=float)


@dataclass(frozen=True, slots=True)
class Cut:
    """Stretches of time cut at midnight."""

    source: Ints
    """Row of the stretch before the cut."""

    middle: Floats
    """Middle of the part, 0-1 along the stretch."""

    day: Ints
    begin_s: Floats
    length_s: Floats


def cut_at_midnight(local_s: Floats, length_s: Floats) -> Cut:
    """Cut stretches of at most a day at local midnight.

    Parameters
    ----------
    local_s : float array
        Beginning, seconds of local time since 1970.
    length_s : float array
        Seconds, more than 0.
    """
    day = np.floor(local_s / DAY_S).astype(np.int64)
    begin_s = local_s - day * DAY_S
    over_s = np.maximum(begin_s + length_s - DAY_S, 0)
    rows = np.arange(len(local_s))
    late = np.flatnonzero(over_s > 0)
    source = np.concatenate([rows, late])
    kept_s = length_s - over_s
    part_s = np.concatenate([kept_s, over_s[late]])
    middle = np.concatenate([kept_s / length_s / 2, 1 - over_s[late] / length_s[late] / 2])
    order = np.argsort(source, kind="stable")
    return Cut(
        source[order],
        middle[order],
        np.concatenate([day, day[late] + 1])[order],
        np.concatenate([begin_s, np.zeros(len(late))])[order],
        part_s[order],
    )
