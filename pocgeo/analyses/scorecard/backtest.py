"""The forecast's own past: made again at every origin from what was known there, and scored."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocgeo.analyses.forecast.calibration import FEWEST_ORIGINS, PAST_ORIGINS, past_origins
from pocgeo.analyses.forecast.dispersion import (
    Dispersion,
    Outcomes,
    fit_dispersion,
    joined,
    log_score,
    outcomes,
)
from pocgeo.analyses.forecast.origins import Foreseen, foresee
from pocgeo.analyses.forecast.rates import Rates
from pocgeo.analyses.scorecard.scores import crps, held_by_area, held_by_cells
from pocgeo.ground.errors import BadInput

__all__ = ["CELLS", "LAND", "MODELS", "QUIET_MONTHS", "Backtest", "Trial", "backtest"]

Floats = NDArray[np.float64]

MODELS = ("forecast", "year", "all", "kernel", "people")
"""The forecast; last 12 months; all history; decayed kernel; people alone."""

LAND = (0.01, 0.05, 0.10)
CELLS = (10, 25, 50)
QUIET_MONTHS = 12
SURE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one model did at one origin; sums over cells, in incidents where not said."""

    expected: float
    by_land: Floats
    """Incidents in the highest-ranked shares LAND."""

    by_cells: Floats
    """Incidents in the CELLS highest-ranked cells."""

    quiet: Floats
    """Of incidents in quiet places: those in the highest-ranked shares LAND."""

    log_score: float
    crps: float
    brier: float
    """Of any incident in the disk; sum over cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Every origin scored."""

    origins: tuple[int, ...]
    incidents: Floats
    """Of each origin: how many came."""

    quiet: Floats
    """Of these: in places with none in the cell or its first ring for 12 months."""

    ideal: Floats
    """origins x LAND: the most that any ranking would have held."""

    trials: Mapping[str, tuple[Trial, ...]]
    chances: Floats
    """Chance the forecast gave each disk, every origin one after another."""

    came: Floats
    """Whether an incident came in it; in parts where its place is imprecise."""

    last: Foreseen
    last_cell: Dispersion
    last_disk: Dispersion


def backtest(rates: Rates, origin: int, most: int) -> Backtest:
    """Forecast the past again and again.

    Parameters
    ----------
    rates : Rates
    origin : int
        Month at which the record ends; no outcome after it is used.
    most : int
        Origins scored, the latest.

    Raises BadInput where the record is too short to score anything.

    Notes
    -----
    At each origin weights, kernel and dispersions of every model are fitted anew, to nothing
    that was not on record there; dispersions to the models' own forecasts of the origins before.
    """
    origins = _origins(rates, origin, most)
    known: dict[tuple[str, str], list[Outcomes]] = {}
    trials: dict[str, list[Trial]] = {}
    spreads: dict[tuple[str, str], Dispersion] = {}
    facts: list[tuple[float, float, Floats]] = []
    told: list[tuple[Floats, Floats]] = []
    for number, past in enumerate(origins):
        seen, came = foresee(rates, past), rates.outcome(past)
        models = _models(rates, seen)
        if number >= FEWEST_ORIGINS:
            spreads = {key: _fitted(each, spreads.get(key)) for key, each in known.items()}
            quiet = _quiet(rates, seen)
            for name, expected in models.items():
                cell, disk = spreads[name, "cell"], spreads[name, "disk"]
                trial, chance, hit = _tried(rates, expected, came, quiet, (cell, disk))
                trials.setdefault(name, []).append(trial)
                if name == "forecast":
                    told.append((chance, hit))
            facts.append(_came(rates, came, quiet))
            last = (seen, spreads["forecast", "cell"], spreads["forecast", "disk"])
        _remember(known, rates, models, came)
    return Backtest(
        origins=tuple(origins[FEWEST_ORIGINS:]),
        incidents=np.array([each[0] for each in facts]),
        quiet=np.array([each[1] for each in facts]),
        ideal=np.array([each[2] for each in facts]),
        trials={name: tuple(each) for name, each in trials.items()},
        chances=np.concatenate([each[0] for each in told]),
        came=np.concatenate([each[1] for each in told]),
        last=last[0], last_cell=last[1], last_disk=last[2],
    )  # fmt: skip


def _origins(rates: Rates, origin: int, most: int) -> list[int]:
    """List the origins to forecast from, those that only serve the first dispersions included."""
    origins = past_origins(rates, origin, most + FEWEST_ORIGINS)
    if len(origins) <= FEWEST_ORIGINS:
        raise BadInput(
            f"The record has {origin} complete months: too few to score a forecast of "
            f"{rates.standard.months} months on its own past. It needs more than "
            f"{FEWEST_ORIGINS} past origins and has {len(origins)}."
        )
    return origins


def _came(rates: Rates, came: Floats, quiet: NDArray[np.bool_]) -> tuple[float, float, Floats]:
    """Incidents that came, those in quiet places, and the most that any ranking would hold."""
    ideal = held_by_area(came, came, rates.place.uniform, LAND)[1]
    return float(came.sum()), float(came[quiet].sum()), ideal


def _remember(
    known: dict[tuple[str, str], list[Outcomes]], rates: Rates, models: Mapping[str, Floats],
    came: Floats,
) -> None:  # fmt: skip
    """Keep what each model expected and what came, for the dispersions of later origins."""
    disks = rates.place.disks
    for name, expected in models.items():
        known.setdefault((name, "cell"), []).append(outcomes(expected, came))
        known.setdefault((name, "disk"), []).append(outcomes(disks @ expected, disks @ came))


def _models(rates: Rates, seen: Foreseen) -> dict[str, Floats]:
    """Give the expectations of every model, in the order of MODELS; people where known."""
    found = {"forecast": seen.expected}
    found |= {name: seen.baselines[:, at] for at, name in enumerate(MODELS[1:4])}
    if seen.still[:, 1].any():
        pace = seen.shot.year.sum() / min(12, seen.origin) * rates.standard.months
        found["people"] = pace * (0.95 * seen.still[:, 1] + 0.05 * seen.still[:, 0])
    return found


def _fitted(known: list[Outcomes], start: Dispersion | None) -> Dispersion:
    return fit_dispersion(joined(known[-PAST_ORIGINS:]), start=start)


def _quiet(rates: Rates, seen: Foreseen) -> NDArray[np.bool_]:
    """Cells without any incident in them or their first ring for a year, as known then."""
    lately = np.zeros(rates.place.size)
    lately[rates.active] = seen.shot.year
    quiet: NDArray[np.bool_] = rates.place.disks @ lately <= SURE
    return quiet


def _tried(
    rates: Rates, expected: Floats, came: Floats, quiet: NDArray[np.bool_],
    spreads: tuple[Dispersion, Dispersion],
) -> tuple[Trial, Floats, Floats]:  # fmt: skip
    """Score one model at one origin; give also the disks' chances and what came there."""
    area, disks = rates.place.uniform, rates.place.disks
    chance = spreads[1].any_chance(disks @ expected)
    hit = np.minimum(disks @ came, 1.0)
    due = np.maximum(expected, SURE)
    trial = Trial(
        expected=float(expected.sum()),
        by_land=held_by_area(expected, came, area, LAND)[0],
        by_cells=held_by_cells(expected, came, CELLS),
        quiet=held_by_area(expected, np.where(quiet, came, 0.0), area, LAND)[0],
        log_score=float(log_score(due, came, spreads[0]).sum()),
        crps=float(crps(due, came, spreads[0]).sum()),
        brier=float(((chance - hit) ** 2).sum()),
    )
    return trial, chance, hit
