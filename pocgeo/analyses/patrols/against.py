"""Planned against actual: which stops of a plan a patrol stayed at, when, and for how long."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.patrols.order import clock
from pocgeo.cells.pieces import Pieces, pieces_of
from pocgeo.cells.presence import FIVE_MINUTES, VisitRule, zone_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.geodesy import distance_m

__all__ = ["planned_against_actual"]

QUESTION = "Which planned stops were visited, when, how long?"
NEEDED = ("patrol", "stop", "place", "lon", "lat", "plan_on", "arrive", "stay_min")
VERDICTS = ("visited", "passed by", "not visited")
MIN_S = 60.0


def planned_against_actual(
    plan: pd.DataFrame, fixes: pd.DataFrame, time_zone: str, rule: VisitRule = FIVE_MINUTES
) -> pd.DataFrame:
    """Say of every planned stop whether a patrol stayed there on the day, when and how long.

    Parameters
    ----------
    plan : DataFrame
        NEEDED, `arrive` as local "hh:mm": what `patrol_plan` gives, with the day. Start and
        return, which have no `stay_min`, are left out.
    fixes : DataFrame
        `unit_id`, `fix_at` (aware), `lon`, `lat`; `patrol_id` where known: recorded patrols.
    time_zone : str
        IANA zone of the plan's clock.
    rule : VisitRule
        A stay of `stay_min` within `sight_m` of the stop is a visit, as for presence.

    Returns
    -------
    DataFrame, one row per planned stop, in the plan's order
        `patrol`, `stop`, `place`, `plan_on`, `arrive`, `stay_min` (planned), `stop_verdict`
        ("visited", "passed by": in sight, but no stay; "not visited"; NA: no patrol was recorded
        at all that day), `arrived`, `left` (local, first arrival and last leaving of the visits),
        `stayed_min`, `late_min`, `unit_id`, `visit_order` (place in the order that visits were
        made in), `lon`, `lat`.

    Raises
    ------
    BadInput
        The plan has no stops, or a time that is none.
    """
    require_columns(plan, "plan", NEEDED)
    require_columns(fixes, "patrols", ("unit_id", "fix_at", "lon", "lat"))
    stops = plan[plan["stay_min"].notna()].reset_index(drop=True)
    if stops.empty:
        raise BadInput("The plan has no stops: nothing can be compared.")
    planned = minutes_of(stops["arrive"])
    days = pd.to_datetime(stops["plan_on"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    zone = zone_of(time_zone)
    pieces = pieces_of(around(fixes, days), rule, zone, max(rule.sight_m, 1.0) / 5)
    found = [
        visits_at(stop, pieces, (int(day), float(due)), rule)
        for stop, day, due in zip(stops.to_dict("records"), days, planned, strict=True)
    ]
    made = pd.concat([stops[list(NEEDED)], pd.DataFrame(found)], axis=1)
    made.loc[~np.isin(days, np.unique(pieces.day)), "stop_verdict"] = None
    begun = made.pop("begun")
    made["visit_order"] = begun.groupby([made["plan_on"], made["unit_id"]]).rank().astype("Int64")
    table = made[[*(name for name in made if name not in {"lon", "lat"}), "lon", "lat"]]
    return with_standard(table, QUESTION, presence=rule)


def around(fixes: pd.DataFrame, days: NDArray[np.int64]) -> pd.DataFrame:
    """Keep fixes from a day before the plan to two days after it: midnights differ by zone."""
    first = pd.Timestamp(int(days.min()) - 1, unit="D", tz="UTC")
    last = pd.Timestamp(int(days.max()) + 3, unit="D", tz="UTC")
    return fixes[(fixes["fix_at"] >= first) & (fixes["fix_at"] < last)]


def minutes_of(texts: pd.Series) -> NDArray[np.float64]:
    """Read "07:05" and "01:10 (+1)" as minutes after the midnight of the plan's day."""
    parts = texts.astype("string").str.extract(
        r"^\s*(\d{1,2}):(\d{2})(?::\d{2})?\s*(?:\(\+(\d)\))?"
    )
    hours, minutes = (pd.to_numeric(parts[column], errors="coerce") for column in (0, 1))
    wrong = texts[hours.isna() | minutes.isna()]
    if len(wrong):
        raise BadInput(f"plan: {wrong.iloc[0]!r} is no time of arrival; write it as 07:05.")
    days = pd.to_numeric(parts[2], errors="coerce").fillna(0)
    told: NDArray[np.float64] = (hours + 24 * days).to_numpy(float) * 60 + minutes.to_numpy(float)
    return told


def visits_at(
    stop: dict[Any, Any], pieces: Pieces, when: tuple[int, float], rule: VisitRule
) -> dict[str, Any]:
    """Find stays in sight of one stop on its day, and on the next if it is due after midnight."""
    day, due_min = when
    late_day = int(due_min // (24 * 60))
    clock_s = (pieces.day - day) * 86_400.0 + pieces.begin_s
    rows = np.flatnonzero((pieces.day >= day) & (pieces.day <= day + late_day))
    lon, lat = np.full(len(rows), float(stop["lon"])), np.full(len(rows), float(stop["lat"]))
    rows = rows[distance_m(lon, lat, pieces.lon[rows], pieces.lat[rows]) <= rule.sight_m]
    nothing = {
        "stop_verdict": VERDICTS[2], "arrived": None, "left": None, "stayed_min": np.nan,
        "late_min": np.nan, "unit_id": None, "begun": np.nan,
    }  # fmt: skip
    if not len(rows):
        return nothing
    goes_on = np.append(False, (np.diff(rows) == 1) & pieces.follows[rows[1:]])
    stay = np.cumsum(~goes_on) - 1
    length_s = np.bincount(stay, pieces.length_s[rows])
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:], len(rows)) - 1
    long = length_s >= rule.stay_min * MIN_S - 1e-3
    if not long.any():
        return nothing | {"stop_verdict": VERDICTS[1]}
    begin = clock_s[rows[first]][long] / MIN_S
    end = (clock_s[rows[last]] + pieces.length_s[rows[last]])[long] / MIN_S
    soonest = int(begin.argmin())
    unit = pieces.unit[rows[first]][long]
    names = sorted({str(pieces.units[number]) for number in unit if number >= 0})
    return {
        "stop_verdict": VERDICTS[0],
        "arrived": clock(float(begin[soonest])),
        "left": clock(float(end.max())),
        "stayed_min": float(length_s[long].sum() / MIN_S),
        "late_min": float(begin[soonest] - due_min),
        "unit_id": ", ".join(names) or None,
        "begun": float(begin[soonest]),
    }
