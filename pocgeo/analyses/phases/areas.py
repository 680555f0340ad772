"""The phase of an admin area from the places its people live in."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.phases.history import (
    CONSOLIDATION,
    PREEMPTION,
    PREVENTION,
    RESPONSE,
    PhaseHistory,
    changed,
    named,
    since,
)
from pocgeo.analyses.phases.rules import PhaseRules
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["area_phases"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

NEEDED = ("cell", "area_kind", "area_id", "area", "people_persons", "area_km2")

PEOPLE_IN = {
    RESPONSE: "response_persons",
    PREEMPTION: "preemption_persons",
    CONSOLIDATION: "consolidation_persons",
    PREVENTION: "prevention_persons",
}


def area_phases(
    history: PhaseHistory, places: pd.DataFrame, rules: PhaseRules | None = None
) -> pd.DataFrame:
    """Give every admin area the phase in which enough of its people live, with hysteresis.

    Response where at least `area_response_share` of the people live in cells of response; else,
    where at least `area_threatened_share` live in cells of any phase but prevention, or where
    any cell is in response, the larger of pre-emption and consolidation (pre-emption where they
    are equal); else prevention.

    Parameters
    ----------
    history : PhaseHistory
    places : DataFrame, the parts of areas in cells; several rows of one part are added up
        `cell`, `area_kind`, `area_id`, `area`, `people_persons` (NA: unknown), `area_km2`.

    Returns
    -------
    DataFrame, one row per area
        `area_kind`, `area_id`, `area`, `phase`, `phase_since_on`, `phase_before`,
        `phase_changed`, `people_persons`, the people in cells of each phase, `weighed_by`
        ("people", or "area" where nobody is known to live), `response_cells_n`.
    """
    rules = rules or PhaseRules()
    require_columns(places, "places of areas", NEEDED)
    row = pd.Index(history.cells).get_indexer(pd.Index(places["cell"]))
    held, row = places[row >= 0], row[row >= 0]
    keys = held[["area_kind", "area_id", "area"]]
    of = keys.groupby(list(keys), sort=True, dropna=False)
    area = of.ngroup().to_numpy(dtype=np.int64)
    count = int(area.max()) + 1 if area.size else 0
    table = keys.groupby(area, sort=True).first().reset_index(drop=True)
    people = held["people_persons"].to_numpy(dtype=float, na_value=np.nan)
    weight, by_people = weights(people, held["area_km2"].to_numpy(dtype=float), area, count)
    codes = np.full((count, history.codes.shape[1]), PREVENTION, dtype=np.int8)
    before = codes[:, 0].copy() if count else np.zeros(0, dtype=np.int8)
    for at in range(history.codes.shape[1]):
        shares = shares_of(history.codes[row, at], weight, area, count)
        before = codes[:, at] = leading(shares, before, rules)
    table["phase"] = named(codes[:, -1])
    days = [quarter.on for quarter in history.quarters]
    table["phase_since_on"] = since(codes, days) if count else pd.NaT
    table["phase_before"] = named(codes[:, -2] if codes.shape[1] > 1 else codes[:, -1] * 0 - 1)
    table["phase_changed"] = changed(codes)
    told = people_in(history.codes[row, -1], people, area, count)
    table = pd.concat([table, told], axis=1)
    table["weighed_by"] = np.where(by_people, "people", "area")
    calls = pd.DataFrame({"of": area, "row": row})[history.codes[row, -1] == RESPONSE]
    table["response_cells_n"] = np.bincount(calls.drop_duplicates()["of"], minlength=count)
    return with_standard(table, "phase_areas", phases=rules)


def people_in(now: Codes, people: Floats, area: NDArray[np.integer], count: int) -> pd.DataFrame:
    """Add up people of every area, in all and by phase; NA where nobody is known."""
    known = np.nan_to_num(people)
    blind = np.bincount(area, weights=~np.isnan(people), minlength=count) == 0
    sums = {"people_persons": summed(known, area, count)}
    sums |= {name: summed(known * (now == code), area, count) for code, name in PEOPLE_IN.items()}
    return pd.DataFrame({name: np.where(blind, np.nan, total) for name, total in sums.items()})


def weights(
    people: Floats, area_km2: Floats, area: NDArray[np.integer], count: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weigh the parts of an area by people, or by land where nobody is known to live."""
    known = np.nan_to_num(people)
    by_people = summed(known, area, count) > 0
    return np.where(by_people[area], known, area_km2), by_people


def summed(values: Floats, area: NDArray[np.integer], count: int) -> Floats:
    """Add up by area."""
    return np.asarray(np.bincount(area, weights=values, minlength=count), dtype=np.float64)


def shares_of(codes: Codes, weight: Floats, area: NDArray[np.integer], count: int) -> Floats:
    """Give the share of every phase (rows) in every area (columns); a fifth row: any cell at all.

    The fifth row is 1 where a cell of the area is in response.
    """
    whole = np.maximum(summed(weight, area, count), 1e-300)
    shares = np.zeros((5, count))
    for code in range(4):
        shares[code] = summed(weight * (codes == code), area, count) / whole
    shares[4] = summed((codes == RESPONSE).astype(float), area, count) > 0
    return shares


def leading(shares: Floats, before: Codes, rules: PhaseRules) -> Codes:
    """Choose the phase of every area from the shares of its people, given the phase before."""
    left = rules.area_leave_share
    called = rules.area_response_share * np.where(before == RESPONSE, left, 1.0)
    feared = rules.area_threatened_share * np.where(before != PREVENTION, left, 1.0)
    response = shares[RESPONSE] >= called
    beyond = shares[RESPONSE] + shares[PREEMPTION] + shares[CONSOLIDATION]
    threatened = beyond >= feared
    threatened |= shares[4] > 0
    subsiding = shares[CONSOLIDATION] > shares[PREEMPTION]
    chosen: Codes = np.select(
        [response, threatened & subsiding, threatened],
        [RESPONSE, CONSOLIDATION, PREEMPTION],
        PREVENTION,
    ).astype(np.int8)
    return chosen
