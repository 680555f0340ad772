"""How events reach a desk: kind, deaths, precision, delay, and which of two files tells of it."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from generator.borders import Borders
from generator.frame import km_between, stream
from generator.incidents import Event
from generator.names import ACTORS
from generator.settlements import Settlement

__all__ = ["FIRST_DAY", "LAST_DAY", "Report", "make_reports"]

FIRST_DAY, LAST_DAY = date(2023, 7, 1), date(2026, 6, 30)
KINDS = {
    "state_forces": {"battle": 0.3, "killing": 0.22, "injury": 0.23, "looting": 0.1,
                     "threat": 0.15},
    "non_state_armed_group": {"battle": 0.24, "killing": 0.3, "abduction": 0.16, "looting": 0.14,
                              "injury": 0.08, "sexual_violence": 0.08},
    "extremist_group": {"killing": 0.42, "abduction": 0.2, "ordnance": 0.16, "battle": 0.14,
                        "looting": 0.08},
    "self_defence_group": {"battle": 0.45, "killing": 0.3, "injury": 0.25},
    "community": {"battle": 0.42, "killing": 0.24, "looting": 0.18, "mob": 0.16},
    "criminal": {"killing": 0.2, "injury": 0.3, "abduction": 0.2, "looting": 0.3},
    "explosive_ordnance": {"ordnance": 1.0},
    "unknown": {"killing": 0.4, "injury": 0.3, "abduction": 0.3},
}  # fmt: skip
"""What each category does, as shares."""
DEADLY = {"killing": 1.0, "battle": 0.72, "ordnance": 0.55, "mob": 0.4}
ORGANISED = ("state_forces", "non_state_armed_group", "extremist_group", "community",
             "self_defence_group")  # fmt: skip
IN_GED = 0.85
"""Share of deadly organised events that the UCDP-shaped file tells; the other file has the rest."""
PRECISION = {1: 0.76, 2: 0.11, 3: 0.09, 4: 0.04}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One event as reported."""

    event: Event
    ged: bool
    kind: str
    actor: str
    civilians_targeted: bool
    killed: int
    killed_civilians: int
    harmed: int | None
    women: int | None
    children: int | None
    precision: int
    lon: float
    lat: float
    error_m: int | None
    place: str
    area1: str
    area2: str
    occurred: date
    ended: date
    received: date


def make_reports(
    events: list[Event], borders: Borders, settlements: list[Settlement]
) -> list[Report]:
    """Report every event once."""
    random = stream("reports")
    return [_report(event, borders, settlements, random) for event in events]


def _report(
    event: Event, borders: Borders, settlements: list[Settlement], random: np.random.Generator
) -> Report:
    kind = _pick(KINDS[event.category], random)
    deadly = random.random() < DEADLY.get(kind, 0)
    killed = int(random.geometric(0.38)) if deadly else 0
    if deadly and random.random() < 0.03:
        killed += int(random.integers(8, 40))
    targeted = kind not in {"battle", "ordnance", "mob"}
    civilians = killed if kind != "battle" else int(random.binomial(killed, 0.25))
    harmed = None
    if targeted and random.random() < 0.7:
        harmed = int(random.geometric(0.3)) - (kind == "killing")
    known = civilians > 0 and random.random() < 0.55
    women = int(random.binomial(civilians, 0.27)) if known else None
    children = int(random.binomial(civilians - (women or 0), 0.2)) if known else None
    ged = killed > 0 and event.category in ORGANISED and kind != "ordnance"
    ged = bool(ged and random.random() < IN_GED)
    precision, lon, lat, error_m, place = _where(event, ged, borders, settlements, random)
    occurred = FIRST_DAY + timedelta(days=int(event.day))
    lasts = int(random.integers(1, 5)) if kind == "battle" and random.random() < 0.12 else 0
    late = random.random() < 0.08
    lag = int(random.integers(45, 150)) if late else int(random.geometric(0.28)) - 1
    ended = min(occurred + timedelta(days=lasts), LAST_DAY)
    received = min(ended + timedelta(days=lag), LAST_DAY)
    actors = ACTORS[event.category]
    return Report(
        event=event, ged=ged, kind=kind, civilians_targeted=targeted, killed=killed,
        actor=actors[int(random.random() ** 2 * len(actors))], killed_civilians=civilians,
        harmed=harmed, women=women, children=children, precision=precision, lon=lon, lat=lat,
        error_m=error_m, place=place, occurred=occurred, ended=ended, received=received,
        area1=borders.at(event.lon, event.lat, 1).name,
        area2=borders.at(event.lon, event.lat, 2).name,
    )  # fmt: skip


def _where(
    event: Event,
    ged: bool,
    borders: Borders,
    settlements: list[Settlement],
    random: np.random.Generator,
) -> tuple[int, float, float, int | None, str]:
    """Precision code, point, its error and the place written down.

    Codes 1 and 2 mean the same in both files. An area's point (3 and 4 in the UCDP shape, 3 in the
    other) says nothing finer than the area, and has no error radius.
    """
    near = min(settlements, key=lambda s: float(km_between(s.lon, s.lat, event.lon, event.lat)))
    away = float(km_between(near.lon, near.lat, event.lon, event.lat))
    if event.origin == "at the gates" and event.generation == 0:
        return 1, event.lon, event.lat, int(random.integers(3, 16)) * 10, near.name
    code = int(random.choice(list(PRECISION), p=list(PRECISION.values())))
    if code == 1:
        if random.random() < 0.4:
            return 1, event.lon, event.lat, int(random.integers(5, 26)) * 10, near.name
        if away < 4:
            return 1, near.lon, near.lat, 1_000, near.name
        return 1, round(event.lon, 3), round(event.lat, 3), 1_000, f"near {near.name}"
    if code == 2:
        return 2, near.lon, near.lat, 25_000, near.name
    area = borders.at(event.lon, event.lat, 2 if ged and code == 3 else 1)
    point = area.shape.representative_point()
    code = code if ged else 3
    return code, round(point.x, 4), round(point.y, 4), None, area.name


def _pick(shares: dict[str, float], random: np.random.Generator) -> str:
    return str(random.choice(list(shares), p=np.array(list(shares.values()))))
