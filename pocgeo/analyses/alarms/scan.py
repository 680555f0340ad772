"""Scan statistics: where, in the last periods, more happened than the null explains."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.alarms.likelihood import Score
from pocgeo.analyses.alarms.noise import Noise, alone
from pocgeo.analyses.alarms.simulation import (
    Draw,
    Drawn,
    forecast_draws,
    population_draws,
    shuffled_draws,
)
from pocgeo.analyses.alarms.zones import Zones
from pocgeo.ground.errors import BadInput

__all__ = ["ScanResult", "Simulations", "forecast_scan", "permutation_scan", "population_scan"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

BATCH_VALUES = 500_000
"""Counts held at a time: a few MB, near what a processor's cache holds (measured)."""

DENSE_GAIN = 12.0
"""A sparse product costs about this many times a dense one per number (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulations:
    """How many records are drawn, from where on, and how many clusters are listed."""

    count: int = 999
    """Records drawn. The smallest p is 1 / (count + 1)."""

    seed: int = 20_260_701
    """Where the drawing starts: the same seed gives the same p."""

    most_clusters: int = 10
    """Clusters listed at most; they share no place."""

    def __post_init__(self) -> None:
        if self.count < 1 or int(self.count) != self.count:
            raise BadInput(f"Simulations must be 1 or more whole ones, got {self.count}.")
        if self.most_clusters < 1:
            raise BadInput(f"most_clusters must be at least 1, got {self.most_clusters}.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScanResult:
    """What a scan found, and what chance alone would have found."""

    clusters: pd.DataFrame
    """`zone`, `windows` (periods back), `observed`, `expected`, `llr`, `p`; the strongest
    first, no two with a place in common."""

    maxima: Floats
    """Greatest statistic of each simulated record."""

    zones: Zones
    """Where it looked."""


def permutation_scan(
    place: Places, age: Places, zones: Zones, windows: int, simulations: Simulations | None = None
) -> ScanResult:
    """Find places whose recent share of the incidents is above their own share of all.

    Adjusts for what is always violent and for rises everywhere; sees only shifts.

    Parameters
    ----------
    place : int array, one position of a place an incident
    age : int array, periods ago, 0 the latest
    windows : int
        The last 1, 2, ... of so many periods are looked at.

    Notes
    -----
    Kulldorff and others (2005), PLoS Med. 2, e59.
    """
    _check_windows(windows)
    places = zones.matrix.shape[1]
    ever = zones.matrix @ np.bincount(place, minlength=places).astype(float)
    recent = np.array([(age < window).sum() for window in range(1, windows + 1)], dtype=float)
    total = float(place.size)
    score = Score(expected=np.outer(ever, recent) / max(total, 1.0), total=total)
    seen = _window_counts(place, age, zones, windows)
    draw = shuffled_draws(np.asarray(place, dtype=np.intp), np.asarray(age), windows)
    return _scanned(seen, score, draw, zones, simulations or Simulations())


def population_scan(
    counts: Floats,
    weight: Floats,
    zones: Zones,
    *,
    periods: int | None = None,
    older_incidents: int = 0,
    simulations: Simulations | None = None,
    min_incidents: float = 2.0,
) -> ScanResult:
    """Find places with more than their share by people (or any weight), Poisson.

    Parameters
    ----------
    counts : array, places x windows (one column: purely spatial), the latest period first
    weight : array, places: people, or any exposure; not negative
    periods : int, optional
        Length of the record in periods; the windows' own where left out.
    older_incidents : int
        Incidents of the record before the widest window.

    Notes
    -----
    Kulldorff (1997), Commun. Stat. 26, 1481-1496.
    """
    table = counts[:, None] if counts.ndim == 1 else counts
    if not (weight >= 0).all() or not weight.sum() > 0:
        raise BadInput("A population scan needs weights of 0 or more that are not all 0.")
    windows = table.shape[1]
    length = windows if periods is None else periods
    if length < windows or (length == windows and older_incidents):
        raise BadInput(f"A record of {length} periods cannot hold {windows} windows and a past.")
    total = float(table.sum()) + older_incidents
    share = zones.matrix @ (weight / weight.sum())
    due = np.outer(share, np.arange(1, windows + 1) / length) * total
    score = Score(expected=due, total=total, min_incidents=min_incidents)
    seen = np.cumsum(zones.matrix @ table, axis=1)
    draw = population_draws(weight, round(total), windows, length)
    return _scanned(seen, score, draw, zones, simulations or Simulations())


def forecast_scan(
    counts: Floats,
    expected: Floats,
    noise: Noise | float,
    zones: Zones,
    *,
    simulations: Simulations | None = None,
    min_incidents: float = 2.0,
) -> ScanResult:
    """Find places where more happened than was forecast, whatever happened in total.

    Expectations are scaled to the total of the record, observed or drawn: the question is
    where, not how much.

    Parameters
    ----------
    counts, expected : array, places x windows, the latest period first
        What happened, and what was forecast before it happened.
    noise : Noise, or a number
        How far counts stray, alone and together; a number is the a of variance = m + a m2 of
        every place alone, 0: Poisson noise.

    Notes
    -----
    Expectation-based scan after Neill (2009) and, over-dispersed, Tango and others (2011); the
    size of a zone's negative binomial has the variance of the sum of its places.
    """
    seen, due = np.asarray(counts, float), np.asarray(expected, float)
    if seen.shape != due.shape or seen.ndim != 2:
        raise BadInput(
            f"counts and expected must be places x windows alike, got {seen.shape}, {due.shape}."
        )
    if not (due >= 0).all() or not due.sum() > 0:
        raise BadInput("A forecast must be 0 or more everywhere and not 0 throughout.")
    held = noise if isinstance(noise, Noise) else alone(np.full(due.shape[0], float(noise)))
    if not (held.own >= 0).all() or not (held.shared >= 0).all():
        raise BadInput("The dispersion of a forecast must be 0 or more.")
    due = due * (max(seen.sum(), 1.0) / due.sum())
    windows = np.cumsum(due, axis=1)
    mean = zones.matrix @ windows
    size = _sizes(mean, windows, held, zones)
    score = Score(expected=mean, size=size, min_incidents=min_incidents)
    draw = forecast_draws(due, held)
    found = np.cumsum(zones.matrix @ seen, axis=1)
    whole = float(due.sum())
    return _scanned(found, score, draw, zones, simulations or Simulations(), whole)


def _sizes(mean: Floats, windows: Floats, noise: Noise, zones: Zones) -> Floats | None:
    """Give the size of every zone's negative binomial: the variance of the sum of its places."""
    if not noise.own.any() and not noise.shared.any():
        return None
    matrix = zones.matrix.astype(np.float64)
    extra = matrix @ (noise.own[:, None] * windows**2)
    if noise.shared.any():
        shape = (noise.block.size, noise.shared.size)
        rows = np.arange(noise.block.size)
        for window in range(windows.shape[1]):
            parts = sparse.csr_array((windows[:, window], (rows, noise.block)), shape)
            within = matrix @ parts
            within.data **= 2
            extra[:, window] += within @ noise.shared
    size: Floats = np.divide(mean**2, extra, out=np.full(mean.shape, 1e12), where=extra > 0)
    return size


def _check_windows(windows: int) -> None:
    if windows < 1:
        raise BadInput(f"A scan needs at least one window, got {windows}.")


def _window_counts(place: Places, age: Places, zones: Zones, windows: int) -> Floats:
    """Count the observed incidents in every zone over the last 1, 2, ... periods."""
    inside = age < windows
    flat = np.asarray(place)[inside] * windows + np.asarray(age)[inside]
    counts = np.bincount(flat, minlength=zones.matrix.shape[1] * windows).astype(float)
    found: Floats = np.cumsum(zones.matrix @ counts.reshape(-1, windows), axis=1)
    return found


def _scanned(
    seen: Floats,
    score: Score,
    draw: Draw,
    zones: Zones,
    simulations: Simulations,
    whole: float | None = None,
) -> ScanResult:
    """Score the record, draw others, and rank the record's clusters among their maxima."""
    rng = np.random.default_rng(simulations.seed)
    maxima = np.concatenate(list(_maxima(score, draw, zones, rng, simulations.count, whole)))
    found = score.everywhere(seen)
    rows = _apart(found, zones, simulations.most_clusters)
    best = found.argmax(axis=1)
    at = (rows, best[rows])
    table = pd.DataFrame(
        {
            "zone": rows,
            "windows": best[rows] + 1,
            "observed": seen[at],
            "expected": score.expected[at],
            "llr": found[at],
        }
    )
    beyond = (maxima[None, :] >= found[at][:, None] - 1e-9).sum(axis=1)
    table["p"] = (1 + beyond) / (1 + maxima.size)
    return ScanResult(clusters=table, maxima=maxima, zones=zones)


def _apart(found: Floats, zones: Zones, most: int) -> Places:
    """Take the strongest zones one after the other, passing over those that touch one taken."""
    best = found.max(axis=1) if found.size else np.zeros(0)
    order = np.argsort(-best, kind="stable")
    order = order[best[order] > 0]
    used = np.zeros(zones.matrix.shape[1], dtype=bool)
    taken: list[int] = []
    for zone in order.tolist():
        members = zones.members(zone)
        if used[members].any():
            continue
        used[members] = True
        taken.append(zone)
        if len(taken) == most:
            break
    return np.array(taken, dtype=np.intp)


def _maxima(
    score: Score,
    draw: Draw,
    zones: Zones,
    rng: np.random.Generator,
    count: int,
    whole: float | None,
) -> Iterator[Floats]:
    """Draw records batch by batch and give the greatest statistic of each.

    `whole` is the total of the expectation where it is scaled to that of each record.
    """
    rows, windows = score.expected.shape
    first = draw(rng, 1)
    per_record = first.place.size
    dense = _dense_is_cheaper(per_record, zones, windows)
    values = (
        rows * windows
        if dense
        else max(per_record, 1) * zones.matrix.nnz * windows / max(zones.matrix.shape[1], 1)
    )
    step = int(np.clip(BATCH_VALUES // max(values, 1), 1, count))
    for start in range(0, count, step):
        records = min(step, count - start)
        drawn = draw(rng, records)
        scale = np.ones(records) if whole is None else np.maximum(drawn.totals, 1.0) / whole
        product = _dense_counts if dense else _sparse_counts
        where, record, seen = product(drawn, zones, score, scale)
        found = score.at(seen, where, scale[record])
        greatest = np.zeros(records)
        np.maximum.at(greatest, record, found)
        yield greatest


def _dense_is_cheaper(per_record: int, zones: Zones, windows: int) -> bool:
    """Compare the work of a full product with that of one over the drawn incidents only."""
    places = max(zones.matrix.shape[1], 1)
    full = zones.matrix.nnz * windows
    sparse_work = per_record * zones.matrix.nnz / places * (windows + 1) / 2
    return bool(full < DENSE_GAIN * sparse_work)


def _dense_counts(
    drawn: Drawn, zones: Zones, score: Score, scale: Floats
) -> tuple[Places, Places, Floats]:
    """Count in all zones and windows, and give those that are above their expectation."""
    places, windows = zones.matrix.shape[1], score.expected.shape[1]
    records = drawn.totals.size
    flat = (drawn.place * windows + drawn.age) * records + drawn.record
    size = places * windows * records
    counts = np.bincount(flat, weights=drawn.number, minlength=size).astype(np.float32)
    table = counts.reshape(places, windows, records)
    for window in range(1, windows):
        table[:, window] += table[:, window - 1]
    seen = (zones.matrix @ table.reshape(places, -1)).reshape(-1, records)
    due = score.expected.astype(np.float32).reshape(-1, 1) * scale.astype(np.float32)
    np.maximum(due, np.float32(score.min_incidents - 1e-4), out=due)
    high = np.flatnonzero(seen > due)
    where, record = np.divmod(high, records)
    return where, record, seen.ravel()[high].astype(float)


def _sparse_counts(
    drawn: Drawn, zones: Zones, score: Score, scale: Floats
) -> tuple[Places, Places, Floats]:
    """Count only where something was drawn."""
    places, windows = zones.matrix.shape[1], score.expected.shape[1]
    records = drawn.totals.size
    reach = windows - drawn.age
    index = np.repeat(np.arange(drawn.place.size), reach)
    first = np.repeat(np.cumsum(reach) - reach, reach)
    window = np.arange(index.size) - first + drawn.age[index]
    column = drawn.record[index] * windows + window
    number = np.ones(drawn.place.size) if drawn.number is None else drawn.number
    counts = sparse.csr_array(
        (number[index].astype(np.float32), (drawn.place[index], column)),
        shape=(places, records * windows),
    )
    sums = (zones.matrix @ counts).tocoo()
    high = sums.data >= np.float32(score.min_incidents - 1e-4)
    zone, column, seen = sums.row[high], sums.col[high], sums.data[high].astype(float)
    return (
        zone.astype(np.intp) * windows + column % windows,
        (column // windows).astype(np.intp),
        seen,
    )
