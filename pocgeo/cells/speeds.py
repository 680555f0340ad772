"""How fast who moves over what, in which season: the rules of standards/terrain.toml, as objects.

`pocgeo.cells.terrain_file` reads them. Nothing here knows a cell or a road.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pocgeo.ground.errors import BadInput, UnknownName

__all__ = [
    "MOBILITIES",
    "SEASONS",
    "UNKNOWN",
    "AirRule",
    "Crossing",
    "Seasonal",
    "SlopeRule",
    "Speeds",
    "Surface",
    "TerrainRules",
    "season_on",
]

MOBILITIES = ("foot", "wheeled", "tracked", "boat")
"""Means of moving over the ground. Air is a mode of its own (AirRule)."""

SEASONS = ("dry", "wet")
UNKNOWN = "unknown"
"""Land cover that no legend names: it moves at the table's default, and the notes say so."""

MIN_PER_H = 60.0
Floats = NDArray[np.float64]


class Seasonal(NamedTuple):
    """One number for each season."""

    dry: float
    wet: float

    def of(self, season: str) -> float:
        """Take the number of a season."""
        return self.wet if known_season(season) == "wet" else self.dry


def known_season(season: str) -> str:
    """Refuse what is no season."""
    if season not in SEASONS:
        raise UnknownName("season", season, SEASONS)
    return season


def known_mobility(mobility: str) -> str:
    """Refuse what does not move over the ground."""
    if mobility not in MOBILITIES:
        raise UnknownName("mobility", mobility, MOBILITIES)
    return mobility


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """One mobility's speeds by class: of land cover, of road, of water."""

    default: Seasonal
    """km/h where the class is not known."""

    classes: Mapping[str, Seasonal]
    """km/h by class; 0 cannot pass."""

    dismounts: bool = False
    """Troops go on foot where that is quicker, or where the vehicle cannot pass."""

    def kmh(self, names: Iterable[object], season: str) -> Floats:
        """Speed of each class named; the default where a name is missing or not listed."""
        known_season(season)
        table = {name: pair.of(season) for name, pair in self.classes.items()}
        default = self.default.of(season)
        return np.array([table.get(str(name), default) for name in names], dtype=np.float64)

    def never_faster_wet(self) -> bool:
        """Say whether no wet speed is above its dry one."""
        pairs = (self.default, *self.classes.values())
        return all(pair.wet <= pair.dry for pair in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A road surface and the fastest one goes on it."""

    words: frozenset[str]
    """What sources call it, lower case."""

    ceiling_kmh: Mapping[str, Seasonal]
    """By mobility; a mobility not listed is not slowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What it takes to cross a line of water."""

    minutes: Mapping[str, Seasonal]
    """By mobility; infinite where there is no crossing."""

    words: frozenset[str] = frozenset()
    """What sources call a stated crossing, lower case; none for a kind of water."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeRule:
    """How slope (rise over run, uphill positive, outbound) changes minutes."""

    rule: str
    """"tobler", "curve" or "none"."""

    steepness: float = 3.5
    """tobler: how fast speed falls with slope."""

    ease: float = 0.05
    """tobler: the downhill slope that is walked quickest."""

    slope: tuple[float, ...] = ()
    """curve: slopes, rising."""

    factor: tuple[float, ...] = ()
    """curve: share of the flat speed at each slope; linear between, constant outside."""

    on_roads: bool = False
    """Whether roads are slowed too."""

    def __post_init__(self) -> None:
        if self.rule not in {"tobler", "curve", "none"}:
            raise UnknownName("rule of slope", self.rule, ("tobler", "curve", "none"))
        if self.rule == "tobler" and not (0 < self.steepness < inf and 0 <= self.ease < inf):
            raise BadInput("slope: steepness must be more than 0, and ease 0 or more.")
        if self.rule == "curve":
            self.refuse_bad_curve()

    def refuse_bad_curve(self) -> None:
        """Refuse a curve that is none, or that changes the speed on the flat."""
        rising = all(np.diff(self.slope) > 0) and len(self.slope) >= 2
        if not rising or len(self.slope) != len(self.factor):
            raise BadInput("slope: a curve needs slopes that rise, and one factor for each.")
        if not all(0 <= factor < inf for factor in self.factor):
            raise BadInput("slope: every factor must be 0 or more.")
        flat = float(np.interp(0.0, self.slope, self.factor))
        if abs(flat - 1) > 1e-9:
            raise BadInput(
                f"slope: the curve gives {flat:g} on the flat; it must give 1 "
                "(speeds are declared for flat ground)."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AirRule:
    """How aircraft get people to a place."""

    speed_kmh: float
    landing_min: float
    """Minutes for approach, landing and dismounting."""

    lands_anywhere: bool
    """Helicopters; else only at landing sites."""

    least_runway_m: float
    """Landing sites with a shorter runway are left out; 0 takes any."""

    onward_kmh: float
    """From the landing site, straight line."""

    onward_km: float
    """Farthest one goes on from a landing site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainRules:
    """All that is declared of moving over ground: one checked terrain.toml."""

    name: str
    """What messages and notes call it."""

    wet_months: frozenset[int]
    legends: Mapping[str, Mapping[int, str]]
    """Legend to code of the raster to land-cover class."""

    least_passable_share: float
    """A cell with less of it passable is impassable."""

    off_road: Mapping[str, Speeds]
    """By mobility, classes of land cover."""

    friction: Mapping[str, Seasonal]
    """By mobility: factor on a friction raster's speed; 0: the raster does not speak of it."""

    friction_slope_included: bool
    roads: Mapping[str, Speeds]
    """By mobility, classes of road."""

    surfaces: Mapping[str, Surface]
    closures: frozenset[str]
    """Mobilities that a closed road stops."""

    flooded_off_road: Mapping[str, float]
    """By mobility: share of the speed left under flood."""

    flooded_roads: Mapping[str, float]
    crossings: Mapping[str, Crossing]
    """By kind of water."""

    stated_crossings: Mapping[str, Crossing]
    """By what the layer's `crossing` says."""

    waterways: Mapping[str, Speeds]
    """By mobility (boat), kinds of water: along it."""

    slope: Mapping[str, SlopeRule]
    insecurity: Mapping[str, float]
    """Level to factor on minutes, 1 or more."""

    air: AirRule
    provenance: Mapping[str, str]
    """Table to its source; "house" where the numbers are ours."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Land-cover classes that have speeds."""
        return tuple(self.off_road["foot"].classes)

    def legend(
        self, name: str = "worldcover", own: Mapping[str, str] | None = None
    ) -> Mapping[int, str]:
        """Say which class each code of a raster means.

        Parameters
        ----------
        name : str
            A legend of the rules.
        own : mapping of code (text of a whole number) to class, optional
            What aoi.toml says; it goes before the legend.

        Raises
        ------
        UnknownName
            No such legend, or a class that has no speed.
        BadInput
            A code that is no whole number.
        """
        if name not in self.legends:
            raise UnknownName("legend of land cover", name, self.legends)
        return MappingProxyType({**self.legends[name], **codes_of(own or {}, self.classes)})


def codes_of(written: Mapping[str, object], classes: Iterable[str]) -> dict[int, str]:
    """Read codes and their classes; refuse a class that has no speed."""
    known = tuple(classes)
    found: dict[int, str] = {}
    for code, name in written.items():
        if not str(code).strip().lstrip("-").isdecimal():
            raise BadInput(f"code {code!r} of land cover is no whole number.")
        if name not in known:
            raise UnknownName("land-cover class", str(name), known)
        found[int(code)] = str(name)
    return found


def season_on(days: ArrayLike, rules: TerrainRules) -> NDArray[np.object_]:
    """Say the season of each day: "dry" or "wet" by its month, None where the day is missing."""
    month = pd.DatetimeIndex(np.asarray(days, dtype="datetime64[ns]")).month.to_numpy(float)
    wet = np.isin(month, sorted(rules.wet_months))
    season: NDArray[np.object_] = np.where(wet, "wet", "dry").astype(object)
    season[np.isnan(month)] = None
    return season
