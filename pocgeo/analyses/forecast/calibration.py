"""How far the forecast's own past was off: dispersions at every level it is read at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.forecast.dispersion import Dispersion, fit_dispersion, joined, outcomes
from pocgeo.analyses.forecast.ground import Ground
from pocgeo.analyses.forecast.handed import Handing
from pocgeo.analyses.forecast.origins import Foreseen, enough_record, foresee
from pocgeo.analyses.forecast.rates import Rates

__all__ = [
    "AREA_KINDS", "FEWEST_ORIGINS", "PAST_ORIGINS", "Calibration", "area_codes", "area_names",
    "calibrated", "ground_note", "past_origins",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAST_ORIGINS = 16
"""Forecasts of its own past that a dispersion is fitted to; four years of quarters."""

MANY_PAIRS = 4_000_000
"""Pairs of expectation and outcome beyond which half as many origins tell as much."""

FEWEST_ORIGINS = 3
FEWEST_OUTCOMES = 40
"""Pairs of expectation and outcome below which only a scale is fitted."""

AREA_KINDS = {"admin 1": ("admin1_id", "admin1"), "admin 2": ("admin2_id", "admin2"),
              "AOR": ("aor_id", "aor")}  # fmt: skip
"""Kind of area -> its columns of the cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Dispersions, and the past they rest on."""

    cell: Dispersion
    disk: Dispersion
    areas: Mapping[str, Dispersion]
    """By kind of area; "AOI" is the whole."""

    origins: tuple[int, ...]
    """Past origins it rests on."""

    expected: float
    """Incidents expected from these origins, and how many came."""

    came: float
    learnt_there: bool
    """Whether each was forecast with what was known then; else with today's weights."""


def past_origins(rates: Rates, origin: int, most: int = PAST_ORIGINS) -> list[int]:
    """List origins whose outcomes are on record at `origin`, months apart, the latest last."""
    standard = rates.standard
    last = origin - standard.months - standard.lag_months
    found = range(last, -1, -standard.months)
    return [past for past in found if enough_record(rates, past)][:most][::-1]


def calibrated(rates: Rates, handing: Handing, codes: Mapping[str, Ints],
               now: Foreseen) -> Calibration:  # fmt: skip
    """Forecast the past as it would have been forecast, and measure how far it was off.

    Where fewer than three past origins had enough record, today's weights are applied to the
    origins they were learnt from: such a dispersion is too small, and `learnt_there` says so.
    """
    enough = max(PAST_ORIGINS // 2, min(PAST_ORIGINS, MANY_PAIRS // rates.place.size))
    origins = past_origins(rates, now.origin, enough)
    learnt = len(origins) >= FEWEST_ORIGINS
    if learnt:
        past = [foresee(rates, each, beside=False) for each in origins]
    else:
        origins = _learnt_from(rates, now.origin)
        past = [_as_now(rates, now, each) for each in origins]
    came = [rates.outcome(each) for each in origins]
    expected = [each.expected for each in past]
    own_came = [_own_outcome(rates, handing, each) for each in origins]
    own_due = [handing.down(rates, each) for each in past]
    disks = rates.place.disks
    areas = {
        kind: _fitted([_sums(code, each) for each in own_due],
                      [_sums(code, each) for each in own_came])
        for kind, code in codes.items()
    }  # fmt: skip
    return Calibration(
        cell=_fitted(expected, came),
        disk=_fitted([disks @ each for each in expected], [disks @ each for each in came]),
        areas=areas, origins=tuple(origins), expected=float(np.sum(expected)),
        came=float(np.sum(came)), learnt_there=learnt,
    )  # fmt: skip


def area_codes(cells: pd.DataFrame) -> dict[str, Ints]:
    """Give each of the AOI's cells the number of its area, by kind; in order of ids, -1: none."""
    codes: dict[str, Ints] = {"AOI": np.zeros(len(cells), dtype=np.int64)}
    for kind, (column, _) in AREA_KINDS.items():
        if column in cells.columns and cells[column].notna().any():
            codes[kind] = np.asarray(pd.factorize(cells[column], sort=True)[0], dtype=np.int64)
    return codes


def _sums(code: Ints, values: Floats) -> Floats:
    # Cells of no area go to one place more, which is cut off again.
    found: Floats = np.bincount(code + 1, weights=values).astype(float)[1:]
    return found


def _fitted(expected: list[Floats], came: list[Floats]) -> Dispersion:
    known = joined([outcomes(due, seen) for due, seen in zip(expected, came, strict=True)])
    return fit_dispersion(known, one=sum(map(len, came)) < FEWEST_OUTCOMES)


def _own_outcome(rates: Rates, handing: Handing, origin: int) -> Floats:
    first = origin + rates.standard.lag_months
    last = first + rates.standard.months - 1
    return handing.own.sums(first, last, np.iinfo(np.int64).max, rates.place.of.size)


def _learnt_from(rates: Rates, origin: int) -> list[int]:
    last = origin - rates.standard.months - rates.standard.lag_months
    return list(range(last, 0, -rates.standard.months))[:PAST_ORIGINS][::-1]


def _as_now(rates: Rates, now: Foreseen, origin: int) -> Foreseen:
    """Apply today's weights to what was known at an earlier origin."""
    shot = rates.snapshot(origin, beside=False)
    total = now.by_month.sum(axis=0)
    expected = now.still @ total[:2]
    expected[rates.active] += shot.rates @ total[2:]
    return Foreseen(
        origin=origin, by_month=now.by_month, still=now.still, shot=shot, expected=expected,
        baselines=now.baselines, fitted=now.fitted, kernel=now.kernel,
    )  # fmt: skip


def area_names(cells: pd.DataFrame, kind: str) -> tuple[list[str], list[str]]:
    """Ids and names of the areas of a kind, in the order of their codes."""
    identity, name = AREA_KINDS[kind]
    ids = sorted(cells[identity].dropna().unique())
    named = cells.drop_duplicates(identity).set_index(identity)[name]
    return [str(each) for each in ids], [str(named[each]) for each in ids]


def ground_note(place: Ground, own: int) -> str:
    """Say on which grid the forecast stands."""
    mean = float(place.cells["area_km2"].mean())
    coarser = "" if place.resolution == own else f", coarser than the AOI's own ({own})"
    return (
        f"Forecast cells are H3 resolution {place.resolution}{coarser}: {place.size:,} cells of "
        f"{mean:,.0f} km² on average."
    )
