"""Reach in a straight line: minutes from each base to each cell at a declared speed.

A straight line flatters: roads wind, rivers bar, tracks flood. The result says so in
`reach_method`; what matters is what even a straight line cannot reach in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import numbers_of, standing, words_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.nearness import nearest, pairs_within

__all__ = ["ReachStandard", "reach_field", "reach_table"]

STRAIGHT_LINE = "straight line"
METRES_PER_MIN = 1000 / 60  # in one kilometre an hour
Floats = NDArray[np.float64]

SPEED_KMH = {"foot": 4.0, "wheeled": 30.0, "tracked": 20.0, "boat": 20.0, "air": 180.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachStandard:
    """How soon is in time, and how fast a base's quick reaction force moves."""

    reach_min: float = 60.0
    """Greatest minutes from the order to the arrival, readiness included."""

    speed_kmh: Mapping[str, float] = field(default_factory=lambda: dict(SPEED_KMH))
    """Kilometres an hour by mobility; house defaults."""

    assumed_notice_min: float = 30.0
    """Minutes of readiness where a base states none (house default, said in `assumed`)."""

    assumed_mobility: str = "wheeled"
    """Mobility where a base states none (house default, said in `assumed`)."""

    horizon_min: float = 240.0
    """Pairs of base and cell farther apart than this are left out, save each cell's quickest."""

    season: str = "dry"
    """"dry" or "wet": printed only, a straight line knows no season."""

    def __post_init__(self) -> None:
        for name in ("reach_min", "horizon_min"):
            if not 0 < getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be more than 0 minutes, got {getattr(self, name):g}.")
        if not 0 <= self.assumed_notice_min < float("inf"):
            raise BadInput(f"assumed_notice_min must be 0 or more, got {self.assumed_notice_min}.")
        for mobility, speed in self.speed_kmh.items():
            if not 0 < speed < float("inf"):
                raise BadInput(f"speed_kmh of {mobility} must be more than 0, got {speed:g}.")
        if self.assumed_mobility not in self.speed_kmh:
            raise BadInput(f"speed_kmh has no speed for {self.assumed_mobility}. Add one.")
        if self.season not in {"dry", "wet"}:
            raise BadInput(f"season must be dry or wet, got {self.season!r}.")


SIXTY_MINUTES = ReachStandard()


def reach_table(
    cells: pd.DataFrame,
    bases: pd.DataFrame,
    standard: ReachStandard = SIXTY_MINUTES,
    *,
    as_of: pd.Timestamp | str | None = None,
) -> pd.DataFrame:
    """Minutes from the perimeter of every base to the centre of every cell within the horizon.

    Minutes are readiness (`qrf_notice_min`) plus straight-line (geodesic) distance over speed.

    Parameters
    ----------
    cells : DataFrame, n rows
        `cell`, `lon`, `lat` (centre, degrees, EPSG:4326).
    bases : GeoDataFrame, m rows
        `base_id`, point or polygon geometry, EPSG:4326; `mobility`, `qrf_notice_min`,
        `max_range_km`, `night_moves`, `opened_on`, `closed_on` where known.
    as_of : day, optional
        Only bases standing on that day.

    Returns
    -------
    DataFrame, sorted by cell, then minutes
        `base_id`, `cell`, `distance_m`, `reach_min` (NaN: beyond the base's range), `binding`
        ("max_range": not reached for that reason; "by day only"; NA), `assumed` (words; NA).

    Raises
    ------
    MissingColumns
        A table lacks a column named above as given.
    BadInput
        A base's mobility has no speed.
    """
    require_columns(cells, "cells", ["cell", "lon", "lat"])
    require_columns(bases, "bases", ["base_id", "geometry"])
    stood = bases if as_of is None else standing(bases, as_of)
    means = means_of(stood.sort_values("base_id", kind="stable"), standard)
    lon, lat = cells["lon"].to_numpy("float64"), cells["lat"].to_numpy("float64")
    table = quickest_and_near(lon, lat, means, standard)
    table = table.assign(cell=cells["cell"].to_numpy()[table["row"].to_numpy()])
    table = table.sort_values(["cell", "reach_min", "base_id"], kind="stable", ignore_index=True)
    columns = ["base_id", "cell", "distance_m", "reach_min", "binding", "assumed"]
    return with_standard(
        table[columns], "How many minutes from each base to each cell?", reach=standard
    )


def quickest_and_near(
    lon: Floats, lat: Floats, means: pd.DataFrame, standard: ReachStandard
) -> pd.DataFrame:
    """Tell the pairs within the horizon, and each place's quickest base whatever the horizon."""
    parts = []
    for _, alike in means.groupby(["pace", "notice_min", "range_m"], sort=False):
        travel_min = standard.horizon_min - float(alike["notice_min"].iloc[0])
        ground = max(travel_min * float(alike["pace"].iloc[0]), 0.0)
        shapes = alike["geometry"].to_numpy()
        pairs = pairs_within(lon, lat, shapes, ground)
        parts.append(told(alike, pairs.point, pairs.geometry, pairs.distance_m))
        far = np.setdiff1d(np.arange(len(lon)), pairs.point)
        quickest = nearest(lon[far], lat[far], shapes)
        some = quickest.position >= 0
        parts.append(told(alike, far[some], quickest.position[some], quickest.distance_m[some]))
    table = pd.concat(parts, ignore_index=True) if parts else told(means, *np.empty((3, 0)))
    table = table.sort_values(["row", "reach_min", "base_id"], kind="stable", ignore_index=True)
    seen = table.duplicated("row")
    return table[(table["within_min"] <= standard.horizon_min) | ~seen]


def means_of(bases: pd.DataFrame, standard: ReachStandard) -> pd.DataFrame:
    """Pace (m/min), notice, range and what had to be assumed, per base."""
    mobility = words_of(bases, "mobility").replace({"unknown": None})
    unknown = mobility.isna()
    mobility = mobility.where(~unknown, standard.assumed_mobility)
    strange = sorted(set(mobility) - set(standard.speed_kmh))
    if strange:
        raise BadInput(
            f"speed_kmh has no speed for {', '.join(strange)}. "
            "Add it under [standards.reach.speed_kmh], or correct `mobility` of the base."
        )
    notice = numbers_of(bases, "qrf_notice_min")
    by_day = words_of(bases, "night_moves").map(lambda moves: moves is not None and not moves)
    speed = f"mobility {standard.assumed_mobility}"
    wait = f"readiness {standard.assumed_notice_min:g} min"
    assumed = [
        ", ".join(words for words, is_so in ((speed, no_speed), (wait, no_wait)) if is_so) or None
        for no_speed, no_wait in zip(unknown, notice.isna(), strict=True)
    ]
    return pd.DataFrame(
        {
            "base_id": bases["base_id"].to_numpy(),
            "geometry": bases["geometry"].to_numpy(),
            "pace": mobility.map(dict(standard.speed_kmh)).to_numpy("float64") * METRES_PER_MIN,
            "notice_min": notice.fillna(standard.assumed_notice_min).to_numpy(),
            "range_m": numbers_of(bases, "max_range_km").fillna(np.inf).to_numpy() * 1000,
            "by_day": by_day.to_numpy(bool),
            "assumed": assumed,
        }
    )


def told(means: pd.DataFrame, row: object, base: object, distance_m: object) -> pd.DataFrame:
    """Rows of the table for pairs of cell row and base position."""
    of = np.asarray(base, dtype="int64")
    length = np.asarray(distance_m, dtype="float64")
    minutes = means["notice_min"].to_numpy()[of] + length / means["pace"].to_numpy()[of]
    beyond = length > means["range_m"].to_numpy()[of]
    binding = np.full(len(of), None, dtype=object)
    binding[means["by_day"].to_numpy(bool)[of]] = "by day only"
    binding[beyond] = "max_range"
    return pd.DataFrame(
        {
            "row": np.asarray(row, dtype="int64"),
            "base_id": means["base_id"].to_numpy()[of],
            "distance_m": length,
            "within_min": minutes,
            "reach_min": np.where(beyond, np.nan, minutes),
            "binding": binding,
            "assumed": means["assumed"].to_numpy(object)[of],
        }
    )


def reach_field(table: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Find the quickest base of every cell.

    Parameters
    ----------
    table : DataFrame
        What `reach_table` returns.
    cells : DataFrame, n rows
        `cell`.

    Returns
    -------
    DataFrame, n rows, in the order of `cells`
        `cell`, `base_id` (NA: no base can reach it), `reach_min`, `reach_method`, `binding`
        ("max_range": every base near enough in time is held back by its range), `assumed`.
    """
    require_columns(cells, "cells", ["cell"])
    first = table.drop_duplicates("cell")[["cell", "base_id", "reach_min", "binding", "assumed"]]
    answer = cells[["cell"]].reset_index(drop=True).merge(first, on="cell", how="left")
    reached = answer["reach_min"].notna()
    answer["base_id"] = answer["base_id"].astype(object).where(reached, None)
    answer.insert(3, "reach_method", STRAIGHT_LINE)
    answer.attrs.update(table.attrs)
    return answer
