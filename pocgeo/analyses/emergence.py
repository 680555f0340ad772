"""Emerging hot spots: the pattern of each place over a dozen quarters, by the published rules."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtr, ndtri

from pocgeo.analyses.disks import Pairs, at_the_rim, cell_positions, disk_matrix, known_cells
from pocgeo.analyses.emergence_rules import NO_PATTERN, PATTERNS, classified
from pocgeo.analyses.location_precision import IMPRECISE, imprecise_columns
from pocgeo.analyses.mann_kendall import Trends, mann_kendall
from pocgeo.analyses.statistics import SLACK, false_discovery_cut
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["EmergenceTest", "emergence", "patterns_of", "space_time_gi", "starts"]

Floats = NDArray[np.float64]

FEWEST_STEPS, MOST_STEPS, WIDEST_DISK = 4, 120, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergenceTest:
    """How time and space are cut, and how sure a hot step must be."""

    steps: int = 12
    """Steps of time that are judged. Fewer where the record is shorter."""

    step_months: int = 3
    """Calendar months in a step."""

    disk: int = 1
    """Rings of neighbours summed with the cell."""

    time_lag: int = 1
    """Earlier steps summed with each step."""

    fdr: float = 0.05
    """False-discovery level of hot and cold steps, over all cells and steps."""

    level: float = 0.05
    """Two-sided level of the trend."""

    min_incidents: float = 3.0
    """Fewest incidents in the neighbourhood of a hot step. The published rules have no such
    guard (1), and call a lone incident hot."""

    populated_persons: float = 1.0
    """People from which a cell belongs to the cube; one with an incident always does."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("steps", FEWEST_STEPS, MOST_STEPS), ("step_months", 1, 60), ("disk", 0, WIDEST_DISK),
            ("time_lag", 0, 12),
        ):  # fmt: skip
            value = getattr(self, name)
            if int(value) != value or not low <= value <= high:
                raise BadInput(f"{name} must be a whole number from {low} to {high}, got {value}.")
            object.__setattr__(self, name, int(value))
        for name in ("fdr", "level"):
            if not 0 < getattr(self, name) < 1:
                raise BadInput(f"{name} must lie between 0 and 1, got {getattr(self, name):g}.")
        if not self.min_incidents >= 1:
            raise BadInput(f"min_incidents must be at least 1, got {self.min_incidents:g}.")


def starts(end_on: pd.Timestamp, test: EmergenceTest) -> pd.DatetimeIndex:
    """First days of the steps, those that only serve as the past of the first one included."""
    after = end_on + pd.Timedelta(days=1)
    back = range(test.steps + test.time_lag, 0, -1)
    return pd.DatetimeIndex([after - pd.DateOffset(months=test.step_months * n) for n in back])


def emergence(
    events: pd.DataFrame,
    cells: pd.DataFrame,
    end_on: pd.Timestamp,
    test: EmergenceTest | None = None,
    *,
    pairs: Pairs | None = None,
) -> pd.DataFrame:
    """Name the pattern of every cell over the steps of time.

    Parameters
    ----------
    events : DataFrame with `cell`, `weight` (NA is set aside), `occurred_on`; optional `placed`
    cells : DataFrame, n rows, with `cell`; optional `people_persons`, `edge`
    end_on : Timestamp
        Last day of the last step.

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`; `pattern` (one of PATTERNS); `hot_steps`, `cold_steps` of `steps`; `gi_z` of the
        last step; `kendall_z`, `kendall_p` of the trend of z (NA: no incident around);
        `disk_incidents` of all steps, `recent_incidents` of the last one, in the disk;
        `imprecise_share`, `mostly_imprecise`; `edge`.

    Notes
    -----
    Mean and variance are those of the whole cube, so a cell with nothing around it has the same
    z in every step and no trend: docs/methods/emergence.md.
    """
    test = test or EmergenceTest()
    known = known_cells(cells)
    cube, imprecise, exact = _cube(events, known, end_on, test)
    reached = _reached(cells, exact, test)
    disks = disk_matrix(known, (1.0,) * (test.disk + 1), pairs)
    among = disks[reached][:, reached]
    sums, z = space_time_gi(cube[reached], among, test.time_lag)
    hot, cold = _significant(sums, z, test)
    trends = _trends(sums)
    pattern = classified(hot, cold, trends.rises(test.level), trends.falls(test.level))
    told = _told(pattern, (hot, cold), z, trends, test)
    table = pd.DataFrame({name: _over_all(column, reached) for name, column in told.items()})
    table.insert(0, "cell", known)
    held = disks @ cube[:, test.time_lag :]
    table["disk_incidents"] = held.sum(axis=1)
    table["recent_incidents"] = held[:, -1]
    table = table.join(imprecise_columns(disks @ imprecise, held.sum(axis=1)))
    table["edge"] = at_the_rim(cells, disks, test.disk)
    table.attrs["notes"] = _notes(table, events, starts(end_on, test)[0], end_on)
    return with_standard(table, "emergence", test=test, end_on=end_on)


def patterns_of(cube: Floats, disks: sparse.csr_array, test: EmergenceTest) -> NDArray[np.int8]:
    """Name the pattern of every row of a cube: positions in PATTERNS."""
    sums, z = space_time_gi(cube, disks, test.time_lag)
    hot, cold = _significant(sums, z, test)
    trends = _trends(sums)
    return classified(hot, cold, trends.rises(test.level), trends.falls(test.level))


def space_time_gi(
    cube: Floats, disks: sparse.csr_array, time_lag: int = 1
) -> tuple[Floats, Floats]:
    """Sum every bin's neighbourhood in space and time, and standardise it: Gi* of a cube.

    Parameters
    ----------
    cube : array, n cells x (time_lag + t) steps
        The first `time_lag` steps only serve as the past of the first step that is judged.
    disks : sparse array of zeros and ones, n x n, ones on the diagonal

    Returns
    -------
    sums, z : arrays, n cells x t steps
        z is NaN where all bins are equal.

    Notes
    -----
    Ord and Getis (1995), equation 14, over all bins of the cube.
    """
    steps = cube.shape[1] - time_lag
    moved = cube[:, time_lag:].copy()
    for back in range(1, time_lag + 1):
        moved += cube[:, time_lag - back : time_lag - back + steps]
    sums: Floats = disks @ moved
    bins = float(cube.size)
    mean = cube.mean() if cube.size else 0.0
    deviation = cube.std() if cube.size and np.ptp(cube) > 0 else np.nan
    within = np.diff(disks.indptr) * (time_lag + 1.0)
    scale = deviation * np.sqrt(np.maximum(bins * within - within**2, 0) / max(bins - 1, 1))
    scale[scale == 0] = np.nan
    z = sums - (within * mean)[:, None]
    z /= scale[:, None]
    return sums, z


def _significant(
    sums: Floats, z: Floats, test: EmergenceTest
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which bins are hot or cold, with the false-discovery rate held over the cube."""
    least = -float(ndtri(test.fdr / 2))
    far = z[np.abs(z) >= least]
    cut = false_discovery_cut(2 * ndtr(-np.abs(far)), z.size, test.fdr)
    if cut < 0:
        nothing: NDArray[np.bool_] = np.zeros(z.shape, dtype=bool)
        return nothing, nothing.copy()
    # Rounding must not lose the bin that sets the cut.
    beyond = -float(ndtri(cut / 2)) - SLACK
    return (z >= beyond) & (sums >= test.min_incidents - SLACK), z <= -beyond


def _trends(sums: Floats) -> Trends:
    """Test the trend of each cell's z, which rises and falls with its sums; NaN without any."""
    count = sums.shape[0]
    active = np.flatnonzero(sums.max(axis=1, initial=0.0) > SLACK)
    found = mann_kendall(np.round(sums[active], 9))
    s: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    z, p = np.full(count, np.nan), np.full(count, np.nan)
    s[active], z[active], p[active] = found.s, found.z, found.p
    return Trends(s=s, z=z, p=p)


def _told(
    pattern: NDArray[np.int8],
    spots: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    z: Floats,
    trends: Trends,
    test: EmergenceTest,
) -> dict[str, tuple[NDArray[Any], Any]]:
    """Columns of the cells of the cube, and what the others have instead."""
    hot, cold = spots
    return {
        "pattern": (np.array(PATTERNS, dtype=object)[pattern], NO_PATTERN),
        "hot_steps": (hot.sum(axis=1), 0),
        "cold_steps": (cold.sum(axis=1), 0),
        "steps": (np.full(pattern.size, test.steps), test.steps),
        "gi_z": (z[:, -1], np.nan),
        "kendall_z": (trends.z, np.nan),
        "kendall_p": (trends.p, np.nan),
    }


def _over_all(column: tuple[NDArray[Any], Any], reached: NDArray[np.bool_]) -> NDArray[Any]:
    values, otherwise = column
    full = np.full(reached.size, otherwise, dtype=values.dtype)
    full[reached] = values
    return full


def _cube(
    events: pd.DataFrame, cells: NDArray[np.int64], end_on: pd.Timestamp, test: EmergenceTest
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Count incidents by cell and step; those known to an area by cell; cells hit at a point."""
    require_columns(events, "incident_cells", ["cell", "weight", "occurred_on"])
    first = starts(end_on, test)
    weight = events["weight"].to_numpy(dtype=float, na_value=np.nan)
    day = pd.to_datetime(events["occurred_on"])
    step = first.searchsorted(day.to_numpy(), side="right") - 1
    at = cell_positions(events["cell"], cells)
    use = (at >= 0) & (step >= 0) & (day <= end_on).to_numpy() & ~np.isnan(weight)
    placed = events.get("placed", pd.Series("point", events.index)).astype(object)
    vague = placed.isin(IMPRECISE).to_numpy()
    size = cells.size * first.size
    order = np.lexsort((weight, step, at))
    order = order[use[order]]
    cube = np.bincount(at[order] * first.size + step[order], weights=weight[order], minlength=size)
    judged = use & (step >= test.time_lag) & vague
    imprecise = np.bincount(at[judged], weights=weight[judged], minlength=cells.size)
    exact = np.bincount(at[use & ~placed.eq("spread").to_numpy()], minlength=cells.size) > 0
    return cube.astype(float).reshape(cells.size, first.size), imprecise.astype(float), exact


def _reached(
    cells: pd.DataFrame, exact: NDArray[np.bool_], test: EmergenceTest
) -> NDArray[np.bool_]:
    """Cells of the cube: where people live or may live, and where something happened."""
    if "people_persons" not in cells.columns:
        return np.ones(len(cells), dtype=bool)
    people = cells["people_persons"].to_numpy(dtype=float, na_value=np.nan)
    reached: NDArray[np.bool_] = ~(people < test.populated_persons) | exact
    return reached


def _notes(
    table: pd.DataFrame, events: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp
) -> list[str]:
    """Say how little of the scheme sparse data use, and what was left out."""
    found = table.loc[table["pattern"] != NO_PATTERN, "pattern"].value_counts()
    names = ", ".join(f"{name} {number}" for name, number in found.items())
    notes = [
        f"{len(found)} of the 16 patterns occur{': ' + names if names else ''}. In sparse records "
        "few ever do, and none of them looks ahead: use the forecast for what comes."
    ]
    aside = int((events["weight"].isna() & events["occurred_on"].between(since, until)).sum())
    if aside:
        notes.append(f"{aside} incidents too coarse for a cell were set aside.")
    return notes
