"""The eight rates of every cell at a moment, and what came after: what weights are learnt from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import disk_matrix
from pocgeo.analyses.forecast.ground import Ground
from pocgeo.analyses.forecast.months import Months
from pocgeo.analyses.forecast.standard import ForecastStandard
from pocgeo.cells import grid

__all__ = ["HALF_LIVES", "Lesson", "Rates", "Snapshot"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOWS = ((1, 3), (4, 12), (13, 60), (61, 1_200))
"""Months before the moment, both ends included."""

OWN, NEAR = 4, 2
RING_CELLS = 18
"""Cells of rings 1 and 2 around a hexagon."""

HALF_LIVES = (3, 6, 12, 24, 48)
"""Months; of the decayed kernel that stands beside the forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was known at an origin: rates per month, in the active cells."""

    rates: Floats
    """a x 6: own in four windows, rings 1-2 in two; incidents a month."""

    decayed: Floats
    """a x 15: own, ring 1 and ring 2, each decayed with the five half-lives."""

    year: Floats
    """a: incidents in the last 12 months."""

    ever: Floats
    """a: incidents on record, per month of the record."""

    origin: int
    known_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A past origin: rates of the cells where incidents followed, and sums over all cells."""

    rates: Floats
    """m x 8."""

    totals: Floats
    decayed: Floats
    decayed_totals: Floats
    year_total: float
    active: Ints
    """m: position of each row among the active cells."""

    row: Ints
    """Row of `rates` of each piece of the outcome."""

    ahead: Ints
    """Month ahead, 0 the first."""

    known: Ints
    weight: Floats


@dataclass(slots=True, kw_only=True)
class Rates:
    """Rates at any origin, from one record on one ground. Origins and months count alike."""

    place: Ground
    record: Months
    standard: ForecastStandard
    active: Ints
    """Cells within two rings of any incident: elsewhere only land and people count."""

    rings: tuple[sparse.csr_array, sparse.csr_array]
    """Ring 1 and ring 2 among the active cells."""

    at_active: Months
    """The record with cells numbered among the active ones."""

    still: Floats
    """N x 2: shares of land and of people."""

    still_totals: Floats
    degrees: tuple[Floats, Floats]
    """How many active cells have each active cell in their ring 1, and in their ring 2."""

    _lessons: dict[int, Lesson] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Ground, record: Months, standard: ForecastStandard) -> "Rates":
        """Find the active cells and their neighbours."""
        known = place.cells["cell"].to_numpy(dtype=np.int64)
        around = grid.disk(known[np.unique(record.cell)], 2)
        at = grid.positions(known, around)
        active = np.sort(at[at >= 0])
        near = known[active]
        pairs = grid.disk_pairs(near, 2)
        rings = (
            disk_matrix(near, (0.0, 1.0), pairs),
            disk_matrix(near, (0.0, 0.0, 1.0), pairs),
        )
        renumbered = np.searchsorted(active, record.cell)
        at_active = Months(
            cell=renumbered, month=record.month, known=record.known, weight=record.weight,
            spread=record.spread, start=record.start, count=record.count,
        )  # fmt: skip
        still = np.column_stack([place.uniform, place.people])
        ones = np.ones(active.size)
        return cls(
            place=place, record=record, standard=standard, active=active, rings=rings,
            at_active=at_active, still=still, still_totals=still.sum(axis=0),
            degrees=(rings[0].T @ ones, rings[1].T @ ones),
        )  # fmt: skip

    def snapshot(self, origin: int, *, beside: bool = True) -> Snapshot:
        """Work out what was known at an origin: months before it, reported before the lag ended.

        Without `beside`, what only the baselines need is left out.
        """
        size, known = self.active.size, self._known_before(origin)
        own = self._own(origin, known)
        near = (self.rings[0] @ own[:, :NEAR] + self.rings[1] @ own[:, :NEAR]) / RING_CELLS
        decayed = np.zeros((size, 0))
        if beside:
            faded = self._faded(origin, known)
            rings = [self.rings[0] @ faded / 6, self.rings[1] @ faded / 12]
            decayed = np.column_stack([faded, *rings])
        return Snapshot(
            rates=np.column_stack([own, near]), decayed=decayed, origin=origin,
            known_before=known,
            year=self.at_active.sums(origin - 12, origin - 1, known, size),
            ever=self.at_active.sums(0, origin - 1, known, size) / max(origin, 1),
        )  # fmt: skip

    def _known_before(self, origin: int) -> int:
        known = origin + self.standard.lag_months
        return known if known < self.record.count else int(np.iinfo(np.int64).max)

    def _own(self, origin: int, known: int) -> Floats:
        """Incidents a month in each active cell, in the four windows."""
        own = np.zeros((self.active.size, OWN))
        for column, (near, far) in enumerate(WINDOWS):
            if near > origin:
                continue
            first = max(origin - far, 0)
            length = origin - near + 1 - first
            sums = self.at_active.sums(first, origin - near, known, self.active.size)
            own[:, column] = sums / length
        return own

    def _faded(self, origin: int, known: int) -> Floats:
        """Incidents a month in each active cell, faded with each half-life."""
        rows = self.at_active.between(0, origin - 1, known)
        cell, weight = self.at_active.cell[rows], self.at_active.weight[rows]
        age = origin - 1 - self.at_active.month[rows]
        faded = np.zeros((self.active.size, len(HALF_LIVES)))
        for column, half in enumerate(HALF_LIVES):
            kept = 0.5 ** (age / half)
            norm = (1 - 0.5 ** (origin / half)) / (1 - 0.5 ** (1 / half))
            sums = np.bincount(cell, weight * kept, minlength=self.active.size)
            faded[:, column] = sums / norm
        return faded

    def lesson(self, origin: int) -> Lesson:
        """Pair what was known at an origin with what followed."""
        if origin not in self._lessons:
            self._lessons[origin] = self._learnt(origin)
        return self._lessons[origin]

    def _learnt(self, origin: int) -> Lesson:
        """Rates of the cells where incidents followed; of all others only the sums are needed."""
        known, first = self._known_before(origin), origin + self.standard.lag_months
        last = first + self.standard.months - 1
        rows = self.at_active.between(first, last, np.iinfo(np.int64).max)
        cells, row = np.unique(self.at_active.cell[rows], return_inverse=True)
        own, faded = self._own(origin, known), self._faded(origin, known)
        one, two = (ring[cells] for ring in self.rings)
        near = (one @ own[:, :NEAR] + two @ own[:, :NEAR]) / RING_CELLS
        by_one, by_two = self.degrees
        near_totals = (by_one + by_two) @ own[:, :NEAR] / RING_CELLS
        return Lesson(
            rates=np.column_stack([self.still[self.active[cells]], own[cells], near]),
            totals=np.concatenate([self.still_totals, own.sum(axis=0), near_totals]),
            decayed=np.column_stack([faded[cells], one @ faded / 6, two @ faded / 12]),
            decayed_totals=np.concatenate(
                [faded.sum(axis=0), by_one @ faded / 6, by_two @ faded / 12]
            ),
            year_total=float(
                self.at_active.sums(origin - 12, origin - 1, known, self.active.size).sum()
            ),
            active=cells, row=row.astype(np.int64),
            ahead=self.at_active.month[rows] - first,
            known=self.at_active.known[rows], weight=self.at_active.weight[rows],
        )  # fmt: skip

    def outcome(self, origin: int) -> Floats:
        """n: incidents in the months forecast from an origin, as known in the end."""
        first = origin + self.standard.lag_months
        last = first + self.standard.months - 1
        return self.record.sums(first, last, np.iinfo(np.int64).max, self.place.size)
