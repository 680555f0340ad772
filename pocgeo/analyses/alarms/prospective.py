"""Alarms: clusters of the last months that the forecast did not see coming, new or ongoing."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.alarms.noise import Noise, alone, shared_noise
from pocgeo.analyses.alarms.scan import ScanResult, Simulations, forecast_scan
from pocgeo.analyses.alarms.simulation import forecast_draws
from pocgeo.analyses.alarms.zones import WIDEST, disk_zones
from pocgeo.analyses.disks import Pairs
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns, with_standard

__all__ = [
    "AlarmStandard", "Alarms", "alarm_rows", "alarms", "ended_alarms", "total_p", "with_status",
]  # fmt: skip

Floats = NDArray[np.float64]

NOISES = ("shared", "alone", "poisson")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStandard:
    """How wide an alarm looks, how sure it must be, and against what noise."""

    widest_rings: int = 3
    """Rings of cells of the widest disk that is looked at."""

    level: float = 0.05
    """Share of runs that would raise an alarm although the forecast is right."""

    min_incidents: float = 3.0
    """Fewest incidents of an alarm: two are a pair of reports."""

    noise: str = "shared"
    """shared (the forecast's own dispersion of cells and of disks), alone (of cells only) or
    poisson; the last two are for comparison."""

    simulations: int = 999
    """Records drawn from the forecast."""

    seed: int = 20_260_701
    """Where the drawing starts."""

    period_days: int = 14
    """Length of a period of the comparison scans, days."""

    windows: int = 6
    """Widest window of the comparison scans, periods."""

    past_periods: int = 52
    """Record of the comparison scans, periods: two years."""

    def __post_init__(self) -> None:
        if self.noise not in NOISES:
            raise UnknownName("noise of an alarm", self.noise, NOISES)
        if not 0 < self.level < 1:
            raise BadInput(f"level must lie between 0 and 1, got {self.level:g}.")
        if not 0 <= self.widest_rings <= WIDEST or int(self.widest_rings) != self.widest_rings:
            raise BadInput(f"widest_rings must be 0 to {WIDEST}, got {self.widest_rings}.")
        if not self.min_incidents >= 1:
            raise BadInput(f"min_incidents must be at least 1, got {self.min_incidents:g}.")
        if (self.simulations + 1) * self.level < 1 - 1e-9:
            raise BadInput(
                f"{self.simulations} simulations cannot show a level of {self.level:g}: "
                f"ask for at least {int(np.ceil(1 / self.level - 1e-9)) - 1}."
            )
        if not 1 <= self.windows < self.past_periods or self.period_days < 1:
            raise BadInput("windows must be at least 1 and fewer than past_periods.")

    @property
    def simulated(self) -> Simulations:
        """How the records are drawn."""
        return Simulations(count=self.simulations, seed=self.seed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alarms:
    """One run: its clusters, where they are, and what the forecast said of the whole."""

    table: pd.DataFrame
    """One row a cluster, the strongest first: see `alarm_rows`."""

    members: pd.DataFrame
    """`alarm_id`, `cell`: the cells of every cluster."""

    observed: float
    """Incidents in all cells and months."""

    expected: float
    """Incidents forecast for them."""

    total_p: float
    """Chance of as many incidents in all, or more, if the forecast is right."""


def alarms(
    counts: Floats,
    expected: Floats,
    cells: pd.DataFrame,
    standard: AlarmStandard | None = None,
    *,
    pairs: Pairs | None = None,
) -> Alarms:
    """Raise an alarm where more happened than was forecast for the place and the months.

    Parameters
    ----------
    counts, expected : array, n cells x months, the latest month first
        Whole incidents; and the forecast made before the first of the months.
    cells : DataFrame, n rows, sorted by cell
        `cell` (int64), `dispersion` (variance = m + dispersion m2 over all months); for shared
        noise `disk_dispersion` too, the same of the cell and its first ring.
    pairs : optional, neighbours within the widest rings

    Returns
    -------
    Alarms

    Notes
    -----
    An alarm says that the forecast is surprised, not that the place is the most dangerous, nor
    that more will come: docs/methods/alarms.md.
    """
    test = standard or AlarmStandard()
    wanted = ["cell", "dispersion", *(["disk_dispersion"] if test.noise == "shared" else [])]
    require_columns(cells, "forecast", wanted)
    known = cells["cell"].to_numpy(dtype=np.int64)
    noise = noise_of(cells, np.asarray(expected, float), test, pairs)
    zones = disk_zones(known, test.widest_rings, pairs)
    found = forecast_scan(
        counts, expected, noise, zones, simulations=test.simulated,
        min_incidents=test.min_incidents,
    )  # fmt: skip
    rows, members = alarm_rows(found, known, test)
    seen, due = float(np.sum(counts)), float(np.sum(expected))
    return Alarms(
        table=with_standard(rows, "alarms", alarms=test),
        members=members,
        observed=seen,
        expected=due,
        total_p=total_p(seen, expected, noise, test.simulated),
    )


def noise_of(
    cells: pd.DataFrame, expected: Floats, test: AlarmStandard, pairs: Pairs | None
) -> Noise:
    """Take the noise that the standard names from the forecast's dispersions."""
    loose = cells["dispersion"].to_numpy(dtype=float)
    if test.noise == "poisson":
        return alone(np.zeros(loose.size))
    if test.noise == "alone":
        return alone(loose)
    return shared_noise(
        cells["cell"].to_numpy(dtype=np.int64), expected.sum(axis=1), loose,
        cells["disk_dispersion"].to_numpy(dtype=float), pairs,
    )  # fmt: skip


def alarm_rows(
    found: ScanResult, cells: NDArray[np.int64], standard: AlarmStandard
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn the clusters of a scan into rows for people, and the cells of each.

    Returns
    -------
    rows : DataFrame
        `alarm_id` (1 the strongest), `cell` (the middle), `rings`, `cells_n`, `windows` (months
        or periods back), `incidents_n`, `alarm_expected`, `alarm_ratio`, `llr`, `alarm_p`,
        `recurrence_runs` (runs between chance findings of this strength), `alarm` (bool).
    members : DataFrame
        `alarm_id`, `cell`.
    """
    clusters, zones = found.clusters, found.zones
    at = clusters["zone"].to_numpy(dtype=np.intp)
    inside = [zones.members(int(zone)) for zone in at]
    size = np.array([part.size for part in inside], dtype=np.int64)
    names = np.arange(1, at.size + 1, dtype=np.int64)
    expected = clusters["expected"].to_numpy()
    rows = pd.DataFrame(
        {
            "alarm_id": names,
            "cell": cells[zones.centre[at]],
            "rings": zones.rings[at],
            "cells_n": size,
            "windows": clusters["windows"].to_numpy(dtype=np.int64),
            "incidents_n": clusters["observed"].to_numpy(),
            "alarm_expected": expected,
            "alarm_ratio": clusters["observed"].to_numpy() / np.maximum(expected, 1e-9),
            "llr": clusters["llr"].to_numpy(),
            "alarm_p": clusters["p"].to_numpy(),
            "recurrence_runs": 1 / clusters["p"].to_numpy(),
            "alarm": clusters["p"].to_numpy() <= standard.level,
        }
    )
    flat = np.concatenate(inside) if inside else np.zeros(0, dtype=np.intp)
    members = pd.DataFrame({"alarm_id": np.repeat(names, size), "cell": cells[flat]})
    return rows, members


def total_p(observed: float, expected: Floats, noise: Noise, simulations: Simulations) -> float:
    """Give the chance of as many incidents in all, or more, if the forecast is right."""
    draw = forecast_draws(np.asarray(expected, float), noise)
    drawn = draw(np.random.default_rng(simulations.seed), simulations.count)
    return float((1 + (drawn.totals >= observed - 1e-9).sum()) / (1 + simulations.count))


def ended_alarms(now: Alarms, before: Alarms) -> Alarms:
    """Keep the alarms of the run before of which no cell is in an alarm now.

    Their numbers go on from those of now, so that both lists can stand in one table.
    """
    raised = now.table.loc[now.table["alarm"], "alarm_id"]
    still = now.members.loc[now.members["alarm_id"].isin(raised), "cell"]
    again = before.members.loc[before.members["cell"].isin(still), "alarm_id"]
    table = before.table[before.table["alarm"] & ~before.table["alarm_id"].isin(again)].copy()
    known = table["alarm_id"].to_numpy()
    first = len(now.table) + 1
    number = dict(zip(known, range(first, first + known.size), strict=True))
    members = before.members[before.members["alarm_id"].isin(known)].copy()
    for part in (table, members):
        part["alarm_id"] = part["alarm_id"].map(number).astype("int64")
    return replace(
        before, table=table.reset_index(drop=True), members=members.reset_index(drop=True)
    )


def with_status(now: Alarms, before: Alarms | None) -> pd.DataFrame:
    """Say of every alarm whether the run before raised one there already.

    Returns
    -------
    DataFrame
        The rows of `now` with `status`: "new", "ongoing" (shares a cell with an alarm of the run
        before), "no alarm" (chance alone would do as much too often), or NA: no run before.
    """
    table = now.table.copy()
    table.attrs = dict(now.table.attrs)
    status = np.where(table["alarm"], "new", "no alarm").astype(object)
    if before is None:
        status[table["alarm"].to_numpy()] = pd.NA
    else:
        raised = before.table.loc[before.table["alarm"], "alarm_id"]
        known = before.members.loc[before.members["alarm_id"].isin(raised), "cell"]
        again = now.members.loc[now.members["cell"].isin(known), "alarm_id"]
        status[(table["alarm"] & table["alarm_id"].isin(again)).to_numpy()] = "ongoing"
    table["status"] = status
    return table
