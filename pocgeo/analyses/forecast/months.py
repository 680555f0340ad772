"""The record as months: how much fell in each forecast cell when, and when it became known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.record import known_by
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["Months", "month_number", "month_on", "months"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Incidents by cell and month. Month 0 is the first of the record."""

    cell: Ints
    """Row of the cell; sorted by month."""

    month: Ints
    known: Ints
    """Month in which the report came."""

    weight: Floats
    spread: NDArray[np.bool_]
    """Whether the place is known only to an area."""

    start: int
    """Calendar month of month 0, counted from year 0."""

    count: int
    """Complete months on record."""

    notes: tuple[str, ...] = ()

    def between(self, first: int, last: int, known_before: int) -> slice | NDArray[np.intp]:
        """Select rows of the months `first` to `last`, both included, known before a month."""
        rows = slice(
            int(np.searchsorted(self.month, first, side="left")),
            int(np.searchsorted(self.month, last, side="right")),
        )
        late = self.known[rows] >= known_before
        if not late.any():
            return rows
        return np.arange(rows.start, rows.stop)[~late]

    def sums(self, first: int, last: int, known_before: int, size: int) -> Floats:
        """Add up incidents per forecast cell in a stretch of months."""
        rows = self.between(first, last, known_before)
        return np.bincount(self.cell[rows], self.weight[rows], minlength=size).astype(float)


def month_number(days: pd.Series) -> Ints:
    """Count calendar months from year 0."""
    number: Ints = (days.dt.year * 12 + days.dt.month - 1).to_numpy(dtype=np.int64)
    return number


def month_on(number: int) -> pd.Timestamp:
    """First day of a calendar month counted from year 0."""
    return pd.Timestamp(year=number // 12, month=number % 12 + 1, day=1)


def months(
    events: pd.DataFrame, cells: NDArray[np.int64], of: Ints, as_of_on: pd.Timestamp
) -> Months:
    """Read incidents, as known on a day, into months.

    Parameters
    ----------
    events : DataFrame, one row per incident and cell of the AOI
        `cell`, `weight` (NA is set aside), `occurred_on`; optional `reported_on`, `placed`.
    cells, of : int64 arrays, n
        The AOI's cells, and the row of the forecast cell that each is part of.
    as_of_on : Timestamp
        The record ends with the last month complete on this day.

    Raises BadInput where a weight is below 0 or nothing is on record in a complete month.
    """
    require_columns(events, "incident_cells", ["cell", "weight", "occurred_on"])
    kept = known_by(events, as_of_on)
    weight = kept["weight"].to_numpy(dtype=float, na_value=np.nan)
    if (weight < 0).any():
        raise BadInput("incident_cells: a weight is below 0. Weights are shares of an incident.")
    at = pd.Index(cells).get_indexer(pd.Index(kept["cell"].to_numpy(dtype=np.int64)))
    ends = month_number(pd.Series([as_of_on + pd.Timedelta(days=1)]))[0]
    month = month_number(kept["occurred_on"])
    use = ~np.isnan(weight) & (weight > 0) & (at >= 0) & (month < ends)
    if not use.any():
        raise BadInput(
            f"No incident with a place is on record in a complete month before {as_of_on:%Y-%m-%d}:"
            " there is nothing to forecast from."
        )
    start = int(month[month < ends].min())
    reported, spread = _reported(kept, month), _spread(kept)
    table = pd.DataFrame(
        {
            "month": month[use] - start, "cell": of[at[use]],
            "known": np.maximum(reported[use], month[use]) - start,
            "spread": spread[use], "weight": weight[use],
        }
    )  # fmt: skip
    keys = ["month", "cell", "known", "spread"]
    # Sorted to the last column, so that the order of the rows does not reach the last digit.
    sums = table.sort_values([*keys, "weight"]).groupby(keys)["weight"].sum()
    table = pd.DataFrame(sums).reset_index()
    return Months(
        cell=table["cell"].to_numpy(np.int64), month=table["month"].to_numpy(np.int64),
        known=table["known"].to_numpy(np.int64), weight=table["weight"].to_numpy(float),
        spread=table["spread"].to_numpy(bool), start=start, count=int(ends - start),
        notes=tuple(_left_out(kept, weight, at)),
    )  # fmt: skip


def _reported(kept: pd.DataFrame, month: Ints) -> Ints:
    """Month in which each report came; that of the incident where it is not known."""
    if "reported_on" not in kept.columns:
        return month
    return month_number(kept["reported_on"].fillna(kept["occurred_on"]))


def _spread(kept: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which places are known only to an area."""
    if "placed" not in kept.columns:
        return np.zeros(len(kept), dtype=bool)
    return kept["placed"].eq("spread").fillna(False).to_numpy(dtype=bool)


def _left_out(kept: pd.DataFrame, weight: Floats, at: NDArray[np.intp]) -> list[str]:
    """Say what is not in the forecast."""
    notes = []
    aside = int(np.isnan(weight).sum())
    if aside:
        notes.append(f"{aside} incidents without a place in a cell are not in the forecast.")
    outside = float(weight[~np.isnan(weight) & (at < 0)].sum())
    if outside > 1e-9:
        notes.append(f"{outside:g} incidents lie outside the cells and are not in the forecast.")
    return notes
