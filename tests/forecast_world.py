"""Worlds whose rates are known: incidents drawn month by month from the forecast's own model."""

import numpy as np
import pandas as pd

from pocgeo.analyses.disks import disk_matrix
from pocgeo.cells import grid

WEIGHTS = np.array([1.0, 2.0, 0.25, 0.15, 0.2, 0.1, 0.1, 0.05])
"""Everywhere, population, own 1-3, 4-12, 13-60, 61+, rings 1-3, rings 4-12: stationary."""

WINDOWS = ((1, 3), (4, 12), (13, 60), (61, 1_200))
START = pd.Timestamp("2010-01-01")


def world_cells(rings: int = 8, resolution: int = 6) -> pd.DataFrame:
    """A hexagon of cells with people of very different density."""
    middle = grid.cells_of([30.0], [7.0], resolution)
    cells = grid.disk(middle, rings)
    people = 100.0 * np.exp(np.random.Generator(np.random.PCG64(5)).normal(0, 1.5, cells.size))
    return pd.DataFrame(
        {
            "cell": cells, "area_km2": grid.areas_km2(cells), "people_persons": people,
            "admin1_id": np.where(np.arange(cells.size) % 2, "A", "B"),
            "admin1": np.where(np.arange(cells.size) % 2, "Aru", "Bem"),
        }
    )  # fmt: skip


def slow_rates(counts: np.ndarray, cells: pd.DataFrame, origin: int) -> np.ndarray:
    """The eight rates written out from their definition; counts is cells x months."""
    names = cells["cell"].to_numpy()
    pairs = grid.disk_pairs(names, 2)
    around = disk_matrix(names, (0.0, 1.0, 1.0), pairs)
    area = cells["area_km2"].to_numpy()
    people = cells["people_persons"].to_numpy()
    columns = [area / area.sum(), people / people.sum()]
    own = []
    for near, far in WINDOWS:
        months = [m for m in range(origin) if near <= origin - m <= far]
        total = counts[:, months].sum(axis=1) if months else np.zeros(len(cells))
        own.append(total / max(len(months), 1))
    near = [around @ own[0] / 18, around @ own[1] / 18]
    return np.column_stack([*columns, *own, *near])


def drawn(cells: pd.DataFrame, months: int, seed: int, weights: np.ndarray = WEIGHTS):
    """Incidents of a self-exciting world: one row each, on the 10th of their month; counts too."""
    random = np.random.Generator(np.random.PCG64(seed))
    counts = np.zeros((len(cells), months))
    for month in range(months):
        counts[:, month] = random.poisson(slow_rates(counts, cells, month) @ weights)
    return rows_of(counts, cells), counts


def rows_of(counts: np.ndarray, cells: pd.DataFrame) -> pd.DataFrame:
    """One row per incident."""
    cell, month = np.nonzero(counts)
    times = counts[cell, month].astype(int)
    cell, month = np.repeat(cell, times), np.repeat(month, times)
    days = pd.to_datetime({"year": 2010 + month // 12, "month": month % 12 + 1, "day": 10})
    return pd.DataFrame(
        {"cell": cells["cell"].to_numpy()[cell], "weight": 1.0, "occurred_on": days.to_numpy()}
    )


def last_day(months: int) -> pd.Timestamp:
    """Last day of the given number of months from the start."""
    return START + pd.DateOffset(months=months) - pd.Timedelta(days=1)
