"""Which standard a question is asked with: what was said, else aoi.toml, else the house default."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any, TypedDict, TypeVar

from pocgeo.analyses.hotspots import HotspotTest
from pocgeo.analyses.reach import SPEED_KMH, ReachStandard
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.threats import weights_of
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.provenance import made_at
from pocgeo.layers.aoi_file import AoiFile

__all__ = ["Narrowing", "Period", "StandardAsked", "as_of_day", "moment", "standard"]

Standard = TypeVar("Standard")

LAST_DAY = date(2199, 12, 31)
"""House limit: days are kept in nanoseconds, which end in 2262, and rules look ahead from them."""


class StandardAsked(TypedDict, total=False):
    """What may be said about coverage; what is not said comes from aoi.toml."""

    reach_min: float | None
    presence_days: float | None
    alert: bool
    require: str
    min_risk: float | None
    season: str | None


class Narrowing(TypedDict, total=False):
    """Which gap areas are wanted."""

    aor: str | None
    admin: str | None
    min_people: float | None
    near: str | None
    within_km: float


class Period(TypedDict, total=False):
    """First and last day, both included."""

    since: date | None
    until: date | None


def as_of_day(file: AoiFile, as_of: date | None) -> date:
    """Take the day asked for, else the end of the period, never a day to come."""
    today = made_at().date()
    day = as_of or min(file.period[1], today)
    if day > LAST_DAY:
        raise BadInput(
            f"as of {day}: after {LAST_DAY} nothing is reckoned. Ask for an earlier day."
        )
    if day < file.period[0]:
        raise BadInput(
            f"as of {day}: before the period of {file.path.name} begins ({file.period[0]}). "
            "Ask for a later day."
        )
    return day


def standard(
    kind: type[Standard], file: AoiFile, section: str, asked: Mapping[str, Any] | None = None
) -> Standard:
    """Make a standard from `[standards.<section>]` of aoi.toml and what was asked.

    Raises
    ------
    UnknownName
        The section has a key that the standard does not have.
    BadInput
        A value is of the wrong type.
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    values = dict(file.standards.get(section, {}))
    if section == "reach":
        values.pop("method", None)  # says how minutes are measured, not what is in time
    for name in values:
        if name not in known:
            raise UnknownName(f"key of [standards.{section}] in {file.path}", name, known)
    values |= {name: value for name, value in (asked or {}).items() if name in known}
    values = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in values.items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise BadInput(
            f"{file.path}: [standards.{section}]: a value has the wrong type ({error})."
        ) from error


def moment(index: Indexed, as_of: date | None, season: str | None = None) -> Moment:
    """Set the day, the standard of reach and the weights that every question starts from."""
    said = {} if season is None else {"season": season}
    reach = standard(ReachStandard, index.file, "reach", said)
    full = SPEED_KMH | dict(reach.speed_kmh)
    if full != dict(reach.speed_kmh):
        reach = standard(ReachStandard, index.file, "reach", said | {"speed_kmh": full})
    return Moment(as_of=as_of_day(index.file, as_of), reach=reach, weights=weights_of(index))


def hotspot_test(file: AoiFile) -> HotspotTest:
    """Take the hotspot test of aoi.toml or the house."""
    return standard(HotspotTest, file, "hotspots")
