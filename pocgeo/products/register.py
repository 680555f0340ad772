"""What was released before: the memory of the gate, so that no two releases can be subtracted.

Every incident leaves once, in the piece it was first counted in. Days are cut into slices, one a
release that brought enough that is new; each slice has pieces of its own, fixed for good. A count
of any place is the sum of its share of whole pieces, whatever the product, the audience and the
level: whoever holds all of them holds no more than the pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.products.pieces import Codes, Floats, enclosed, pieces

__all__ = [
    "OTHER_AREA",
    "IncidentRecord",
    "PlacePieces",
    "Register",
    "Slice",
    "as_json",
    "from_json",
    "last_whole_month",
    "places",
    "table_record",
]

OTHER_AREA = (
    "The register of releases was kept for another outline, resolution or other admin areas: what "
    "was released then and what would be released now could be subtracted. Restore those, or, if "
    "nobody outside still holds the old products, move the folder releases/ away and begin anew."
)

LEVELS_ABOVE = 3
"""H3 levels above the released one through which small counts are joined inside an area."""

NESTED = (("admin2_id", "admin2"), ("admin1_id", "admin1"))
"""Areas through which pieces are joined, finest first: code, else name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """Incidents by cell and day: what counts of places are made from."""

    cells: Codes
    """Every cell of the AOI, sorted."""

    areas: pd.DataFrame
    """Areas of each cell, in the same order: admin2_id, admin1_id, aor_id and their names."""

    at: Codes
    """Row of `cells` of every part of an incident."""

    day: np.ndarray[Any, np.dtype[np.datetime64]]
    """Day of it."""

    weight: Floats
    """Share of the incident, 0 to 1."""

    laid: dict[int, tuple[Codes, list[Codes]]] = field(default_factory=dict, compare=False)
    """Atoms and the levels above them by `coarser_by`, once they are laid out."""

    def counted(self, after: date | None, until: date) -> Floats:
        """Count incidents by cell, after one day and until another, the latter included."""
        kept = self.day <= np.datetime64(until)
        if after is not None:
            kept &= self.day > np.datetime64(after)
        counts = np.bincount(self.at[kept], self.weight[kept], minlength=len(self.cells))
        return np.asarray(counts, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Incidents of some days, released together."""

    until: date
    """Last day; the first is the day after the slice before."""

    piece: Codes
    """Piece of every atom of the AOI."""

    value: Floats
    """Count of every piece, whole incidents."""


@dataclass(slots=True, kw_only=True)
class Register:
    """Everything that was released to those outside. Changed by the gate, kept by the AOI."""

    k: int
    """Smallest count shown to any audience outside."""

    coarser_by: int
    """H3 levels by which the finest cells shown to any of them are coarser."""

    slices: list[Slice] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Table -> indicator -> month -> row -> value: monthly figures, fixed once released."""

    frozen: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Table -> column -> row -> (value, count it rests on): values that rest on incidents."""

    log: list[dict[str, Any]] = field(default_factory=list)
    """What went to whom, the oldest first."""

    def kept(self, table: str, column: str, row: str, value: Any, basis: float, k: int) -> Any:
        """Give the value released before, unless k or more incidents are new since."""
        column_of = self.frozen.setdefault(table, {}).setdefault(column, {})
        before = column_of.get(row)
        if before is None or basis - before[1] >= k:
            column_of[row] = before = [value, basis]
        return before[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePieces:
    """Where pieces lie, and what may be said of every cell."""

    record: IncidentRecord
    piece: Codes
    """Piece of the first slice that each cell lies in: what values resting on incidents go by."""

    basis: Floats
    """Incidents counted so far in each of these pieces; NaN where nothing may be said."""

    count: Floats
    """Released count of each cell: its share of the pieces it lies in; NaN where withheld."""

    together: Codes
    """Number of atoms joined in the largest piece that each cell lies in."""

    def rows_of(self, cells: Codes) -> Codes:
        """Find cells in the record; -1 where it has no such cell."""
        at = np.searchsorted(self.record.cells, cells)
        at = np.minimum(at, max(len(self.record.cells) - 1, 0))
        found = self.record.cells[at] == cells if len(self.record.cells) else np.zeros(0, bool)
        return np.where(found, at, -1)

    def of_areas(self, column: str | None) -> tuple[pd.Index, Floats]:
        """Count incidents by area of one kind, for those that pieces do not straddle.

        Parameters
        ----------
        column : str or None
            Column of the record's areas; None is the whole AOI.

        Returns
        -------
        names : Index
        basis : array
            Incidents counted; NaN where a piece lies partly outside, or nothing may be said.
        """
        n = len(self.record.cells)
        if column is None:
            codes, names = np.zeros(n, dtype=np.int64), pd.Index(["AOI"])
        elif column in self.record.areas:
            codes, names = pd.factorize(self.record.areas[column], sort=True)
        else:
            return pd.Index([]), np.zeros(0)
        whole = enclosed(self.piece, np.asarray(codes, dtype=np.int64))
        share = self.basis / np.bincount(self.piece, minlength=len(self.basis))
        inside = codes >= 0
        sums = np.bincount(codes[inside], share[self.piece][inside], minlength=len(names))
        return names, np.where(whole[: len(names)], np.round(sums), np.nan)


def places(record: IncidentRecord, register: Register, until: date, k: int) -> PlacePieces:
    """Bring the register up to a day, and say what may be shown of every cell.

    Parameters
    ----------
    record : IncidentRecord
    register : Register
        A slice is added if k or more incidents are new; days before it are never counted again.
    until : date
        Cut-off of the product; slices that end later stay out.
    k : int
        Smallest count of this audience: pieces are joined further where it is stricter.
    """
    if register.coarser_by not in record.laid:
        record.laid[register.coarser_by] = _atoms(record, register.coarser_by)
    atom, tree = record.laid[register.coarser_by]
    last = register.slices[-1].until if register.slices else None
    if last is None or until > last:
        _add_slice(record, register, (atom, tree), until)
    size = np.bincount(atom)
    n_atoms = len(size)
    first: Codes = np.zeros(n_atoms, dtype=np.int64)
    basis = np.full(1 if n_atoms else 0, np.nan)
    count = np.full(n_atoms, np.nan)
    together = np.full(n_atoms, n_atoms, dtype=np.int64)
    for number, part in enumerate(part for part in register.slices if part.until <= until):
        if len(part.piece) != n_atoms:
            raise BadInput(OTHER_AREA)
        piece, value = _stricter(part, tree, k) if k > register.k else (part.piece, part.value)
        share = value / np.bincount(piece, weights=size, minlength=len(value))
        if number == 0:
            first, basis = piece, value.copy()
            count, together = np.zeros(n_atoms), np.ones(n_atoms, dtype=np.int64)
        else:
            basis += _gained(first, piece, value, len(basis))
        count = count + share[piece] * size
        together = np.maximum(together, np.bincount(piece)[piece])
    return PlacePieces(
        record=record,
        piece=first[atom],
        basis=basis,
        count=(count / size)[atom] if n_atoms else np.zeros(0),
        together=together[atom],
    )


def _add_slice(
    record: IncidentRecord, register: Register, laid: tuple[Codes, list[Codes]], until: date
) -> None:
    """Cut the days since the last slice into pieces, if k or more incidents are in them."""
    atom, tree = laid
    after = register.slices[-1].until if register.slices else None
    counts = np.bincount(atom, record.counted(after, until)).astype(np.float64)
    piece, shown = pieces(counts, tree, register.k)
    if not len(counts) or not shown.all() or (register.slices and counts.sum() < register.k):
        return
    value = np.bincount(piece, counts, minlength=len(shown)).astype(np.float64).round()
    register.slices.append(Slice(until=until, piece=piece, value=value))


def _stricter(part: Slice, tree: list[Codes], k: int) -> tuple[Codes, Floats]:
    """Join whole pieces further, until each has k or more."""
    _, lead = np.unique(part.piece, return_index=True)
    joined, shown = pieces(part.value, [level[lead] for level in tree], k)
    value = np.bincount(joined, part.value, minlength=len(shown)).astype(np.float64)
    return joined[part.piece], np.where(shown, value, np.nan)


def _gained(first: Codes, piece: Codes, value: Floats, n_first: int) -> Floats:
    """Count what a later slice adds to pieces of the first, where its own lie wholly inside."""
    pairs = np.unique(np.stack([piece, first]), axis=1)
    inside = np.bincount(pairs[0])[pairs[0]] == 1
    gained = np.nan_to_num(value)[pairs[0][inside]]
    return np.bincount(pairs[1][inside], gained, minlength=n_first).astype(np.float64)


def _atoms(record: IncidentRecord, coarser_by: int) -> tuple[Codes, list[Codes]]:
    """Cut the AOI into atoms (released cells, split at area borders) and the levels above them.

    Returns
    -------
    atom : array
        Atom of each cell.
    tree : list of arrays
        Group of each atom: H3 parents inside its area, the area, the area around it, the AOI.
    """
    areas = _nested_areas(record.areas)
    finest = areas[0] if areas else np.zeros(len(record.cells), dtype=np.int64)
    level = grid.resolution_of(record.cells) if len(record.cells) else 0
    top = max(level - coarser_by, 0)
    keys = [finest, grid.parents(record.cells, top)]
    atom = _together(keys)
    _, lead = np.unique(atom, return_index=True)
    cells, inside = record.cells[lead], finest[lead]
    tree = [
        _together([inside, grid.parents(cells, above)])
        for above in range(top - 1, max(top - LEVELS_ABOVE, 0) - 1, -1)
    ]
    tree += [_together([codes[lead]]) for codes in areas]
    return atom, [*tree, np.zeros(len(lead), dtype=np.int64)]


def _nested_areas(areas: pd.DataFrame) -> list[Codes]:
    """Codes of the areas that pieces respect, finest first; each lies in one of the next."""
    found: list[Codes] = []
    for names in NESTED:
        column = next((name for name in names if name in areas), None)
        if column is None:
            continue
        codes = np.asarray(pd.factorize(areas[column], sort=True)[0], dtype=np.int64) + 1
        if found:  # where borders disagree, an area goes with the one around most of it
            codes = _mode(found[-1], codes)
        found.append(codes)
    return found


def _mode(groups: Codes, codes: Codes) -> Codes:
    """Most frequent code of each group, for every row."""
    pairs, n = np.unique(np.stack([groups, codes]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -n, pairs[0]))
    found, first = np.unique(pairs[0][order], return_index=True)
    return np.asarray(pairs[1][order][first][np.searchsorted(found, groups)], dtype=np.int64)


def _together(keys: list[Codes]) -> Codes:
    """Give each combination of keys a number from 0."""
    if not len(keys[0]):
        return np.zeros(0, dtype=np.int64)
    inverse = np.unique(np.stack(keys), axis=1, return_inverse=True)[1]
    return np.asarray(inverse, dtype=np.int64).ravel()


def last_whole_month(day: date) -> date:
    """Give the last day of the last month that is over on a day."""
    after = day + timedelta(days=1)
    return day if after.day == 1 else day.replace(day=1) - timedelta(days=1)


def table_record(cells: Codes, counts: Floats, areas: pd.DataFrame, day: date) -> IncidentRecord:
    """Make a record of a table that counts by itself: all on one day."""
    order = np.argsort(cells, kind="stable")
    return IncidentRecord(
        cells=cells[order],
        areas=areas.iloc[order].reset_index(drop=True),
        at=np.arange(len(cells), dtype=np.int64),
        day=np.full(len(cells), np.datetime64(day)),
        weight=np.nan_to_num(counts[order]),
    )


def as_json(register: Register) -> Mapping[str, Any]:
    """Turn a register into what JSON can hold."""
    return {
        "k": register.k,
        "coarser_by": register.coarser_by,
        "slices": [
            {
                "until": part.until.isoformat(),
                "piece": part.piece.tolist(),
                "value": [int(count) for count in part.value],
            }
            for part in register.slices
        ],
        "rows": register.rows,
        "frozen": register.frozen,
        "log": register.log,
    }


def from_json(said: Mapping[str, Any]) -> Register:
    """Read a register back."""
    return Register(
        k=int(said["k"]),
        coarser_by=int(said["coarser_by"]),
        slices=[
            Slice(
                until=date.fromisoformat(part["until"]),
                piece=np.array(part["piece"], dtype=np.int64),
                value=np.array(part["value"], dtype=np.float64),
            )
            for part in said["slices"]
        ],
        rows=said["rows"],
        frozen=said["frozen"],
        log=said["log"],
    )
