"""Violence as a self-exciting process whose parameters are known: see README.md."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generator.frame import stream, to_rowcol
from generator.land import Land
from generator.mission import Base, Site, offset
from generator.settlements import Settlement

__all__ = ["BRANCHING", "DAYS", "DELAY_DAYS", "NEARNESS_KM", "SOURCES", "Event", "make_events"]

DAYS = 1_096
"""2023-07-01 is day 0, 2026-06-30 is day 1,095."""
BRANCHING, DELAY_DAYS, NEARNESS_KM = 0.35, 12.0, 3.0
"""Expected direct offspring of an event, their mean delay, standard deviation of their offset."""
KEEP_CATEGORY = 0.85
DRY_MONTHS = (11, 12, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One origin of background events."""

    name: str
    places: tuple[str, ...]
    """Settlements it sits at; none: wherever people are."""

    spread_km: float
    expected: float
    """Background events in 36 months."""

    rate: Callable[[np.ndarray], np.ndarray]
    """Relative intensity by day."""

    mix: dict[str, float]
    """Shares of perpetrator categories."""


def steady(day: np.ndarray) -> np.ndarray:
    """Keep one level."""
    return np.ones_like(day)


def fading(day: np.ndarray) -> np.ndarray:
    """Strong at first, falling to 1/e in 170 days."""
    return np.exp(-day / 170)


def rising(day: np.ndarray) -> np.ndarray:
    """Nothing until 2026-03-01 (day 974), then growing day by day."""
    return np.where(day >= 974, 1 + (day - 974) / 60, 0.0)


def dry_season(day: np.ndarray) -> np.ndarray:
    """November to April, when herds move: ten times the other months."""
    days = np.datetime64("2023-07-01") + day.astype("timedelta64[D]")
    months = days.astype("datetime64[M]").astype(int)
    return np.where(np.isin(months % 12 + 1, DRY_MONTHS), 1.0, 0.1)


def later(day: np.ndarray) -> np.ndarray:
    """From 2024-09-01 (day 428)."""
    return np.where(day >= 428, 1.0, 0.0)


SOURCES = (
    Source(name="ridge war", places=("Ulmaque", "Jorvand", "Fonquelle", "Mervault"), spread_km=7.0,
           expected=110, rate=steady, mix={"non_state_armed_group": 0.8, "state_forces": 0.2}),
    Source(name="old front", places=("Lumbry", "Sennoud"), spread_km=4.5, expected=85, rate=fading,
           mix={"non_state_armed_group": 0.6, "self_defence_group": 0.2, "state_forces": 0.2}),
    Source(name="north shore", places=("Farrault", "Wendrou", "Immarit"), spread_km=2.0,
           expected=34, rate=rising,
           mix={"non_state_armed_group": 0.7, "unknown": 0.2, "criminal": 0.1}),
    Source(name="plain feuds", places=("Gendary", "Kurvelle", "Doruna", "Adrevo"), spread_km=6.0,
           expected=78, rate=dry_season, mix={"community": 0.75, "self_defence_group": 0.25}),
    Source(name="horn", places=("Sarnou", "Jesquade", "Lasquin"), spread_km=5.0, expected=48,
           rate=later, mix={"extremist_group": 0.85, "unknown": 0.15}),
    Source(name="crime", places=(), spread_km=1.5, expected=90, rate=steady,
           mix={"criminal": 0.8, "unknown": 0.2}),
    Source(name="state abuse", places=(), spread_km=4.0, expected=45, rate=steady,
           mix={"state_forces": 1.0}),
    Source(name="ordnance", places=("Lumbry", "Ulmaque", "Talvo"), spread_km=6.0, expected=30,
           rate=steady, mix={"explosive_ordnance": 1.0}),
    Source(name="at the gates", places=("gates",), spread_km=0.35, expected=30, rate=steady,
           mix={"criminal": 0.4, "state_forces": 0.25, "non_state_armed_group": 0.35}),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Event:
    """What happened, before anyone reports it."""

    day: float
    lon: float
    lat: float
    category: str
    origin: str
    generation: int


def make_events(
    land: Land, settlements: list[Settlement], bases: list[Base], sites: list[Site]
) -> list[Event]:
    """Draw background events, then their offspring, generation by generation."""
    events: list[Event] = []
    for source in SOURCES:
        random = stream(f"incidents {source.name}")
        anchors = _anchors(source, settlements, bases, sites)
        parents = _background(source, land, anchors, random)
        while parents:
            events += parents
            parents = [c for p in parents for c in _offspring(p, land, source.mix, random)]
    return sorted(events, key=lambda e: (e.day, e.lon))


def _background(
    source: Source,
    land: Land,
    anchors: list[tuple[float, float, float]],
    random: np.random.Generator,
) -> list[Event]:
    weight = source.rate(np.arange(DAYS).astype(float))
    out = []
    for _ in range(int(random.poisson(source.expected))):
        day = float(random.choice(DAYS, p=weight / weight.sum())) + float(random.random())
        lon, lat = _ashore(land, anchors, source.spread_km, random)
        category = _draw(source.mix, random)
        out.append(
            Event(day=day, lon=lon, lat=lat, category=category, origin=source.name, generation=0)
        )
    return out


def _offspring(
    parent: Event, land: Land, mix: dict[str, float], random: np.random.Generator
) -> list[Event]:
    if parent.category == "explosive_ordnance":
        return []
    out = []
    for _ in range(int(random.poisson(BRANCHING))):
        day = parent.day + float(random.exponential(DELAY_DAYS))
        lon, lat = _ashore(land, [(parent.lon, parent.lat, 1.0)], NEARNESS_KM, random)
        same = random.random() < KEEP_CATEGORY
        category = parent.category if same else _draw(mix, random)
        if day < DAYS:
            out.append(
                Event(
                    day=day, lon=lon, lat=lat, category=category, origin=parent.origin,
                    generation=parent.generation + 1,
                )
            )  # fmt: skip
    return out


def _anchors(
    source: Source, settlements: list[Settlement], bases: list[Base], sites: list[Site]
) -> list[tuple[float, float, float]]:
    """Centres with weights."""
    if source.places == ("gates",):
        gates = [(b.lon, b.lat, 1.0) for b in bases if b.kind != "TOB"]
        return gates + [(s.shape.centroid.x, s.shape.centroid.y, 1.0) for s in sites]
    if not source.places:
        return [(s.lon, s.lat, s.people**0.55) for s in settlements]
    return [(s.lon, s.lat, 1.0) for s in settlements if s.name in source.places]


def _ashore(
    land: Land,
    anchors: list[tuple[float, float, float]],
    spread_km: float,
    random: np.random.Generator,
) -> tuple[float, float]:
    weight = np.array([w for _, _, w in anchors])
    lon, lat, _ = anchors[int(random.choice(len(anchors), p=weight / weight.sum()))]
    for _ in range(200):
        x, y = offset(lon, lat, *random.normal(0, spread_km, 2))
        row, col = to_rowcol(x, y)
        if land.coast_km[row, col] > 0.5:
            return x, y
    return lon, lat


def _draw(mix: dict[str, float], random: np.random.Generator) -> str:
    return str(random.choice(list(mix), p=np.array(list(mix.values()))))
