"""The cells a forecast stands on: coarser than the AOI's own, made of them, totals kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import disk_matrix, known_cells
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["ENOUGH_CELLS", "Ground", "chosen_resolution", "ground"]

Floats = NDArray[np.float64]

ENOUGH_CELLS = 1_000
"""House default, measured: docs/methods/forecast.md."""

COARSEST = 5
"""House limit: 253 km2 on average; a coarser cell is no place to send anybody."""

NAMED = (
    "admin1_id", "admin1", "admin2_id", "admin2", "aor_id", "aor", "settlement_id", "settlement",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Forecast cells, and what of the expectation does not depend on incidents."""

    cells: pd.DataFrame
    """One row per forecast cell, sorted: `cell`, `area_km2` (inside the AOI), `people_persons`,
    and the names of the AOI's cell with most people in it."""

    of: NDArray[np.int64]
    """Row of the forecast cell of each of the AOI's cells."""

    uniform: Floats
    """Share of the land in each forecast cell; adds up to 1."""

    people: Floats
    """Share of the people; adds up to 1, or 0 throughout where no population is known."""

    land_km2: Floats
    """Land of each of the AOI's cells, inside the boundary."""

    persons: Floats
    """People of each of the AOI's cells, unknown ones at the mean density; 0 where none is."""

    disks: sparse.csr_array
    """Ones at each cell and its first ring."""

    resolution: int
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of forecast cells."""
        return len(self.cells)


def chosen_resolution(cells: NDArray[np.int64], asked: int | None = None) -> int:
    """Choose the coarsest resolution that gives the AOI enough cells, or take the one asked.

    Raises
    ------
    BadInput
        The resolution asked is finer than the cells are.
    """
    own = grid.resolution_of(cells)
    if asked is not None:
        if asked > own:
            raise BadInput(
                f"A forecast at resolution {asked} cannot be made of cells of resolution {own}. "
                f"Ask for {own} or coarser."
            )
        return asked
    for level in range(min(COARSEST, own), own):
        if np.unique(grid.parents(cells, level)).size >= ENOUGH_CELLS:
            return level
    return own


def ground(cells: pd.DataFrame, resolution: int | None = None) -> Ground:
    """Join the AOI's cells to forecast cells.

    Parameters
    ----------
    cells : DataFrame, n rows
        `cell`, `area_km2`; optional `inside_share`, `people_persons` and names of areas.
    resolution : int, optional
        As in ForecastStandard.

    Returns
    -------
    Ground
        Land and people are those of the AOI's cells, so totals are conserved. A cell of unknown
        population is given the mean density of the others, and the notes say so.
    """
    require_columns(cells, "cells", ["cell"])
    own = cells["cell"].to_numpy(dtype=np.int64)
    if not (np.diff(own) > 0).all():  # sorted ones are told apart at a glance
        own = known_cells(cells)
    require_columns(cells, "cells", ["area_km2"])
    level = chosen_resolution(own, resolution)
    names, of = np.unique(grid.parents(own, level), return_inverse=True)
    of = of.astype(np.int64)
    area = cells["area_km2"].to_numpy(dtype=float)
    if "inside_share" in cells.columns:
        # A cell that only grazes the boundary can still hold an incident: never exactly none.
        area = area * np.maximum(cells["inside_share"].to_numpy(dtype=float), 1e-3)
    land = np.bincount(of, weights=area, minlength=names.size)
    people, known, notes = _people(cells, area)
    held = np.bincount(of, weights=people, minlength=names.size)
    whole = held.sum()
    lon, lat = grid.centres(names)
    table = pd.DataFrame({"cell": names, "lon": lon, "lat": lat, "area_km2": land})
    told = np.bincount(of, weights=np.where(known, people, 0.0), minlength=names.size)
    any_told = np.bincount(of, weights=known, minlength=names.size) > 0
    table["people_persons"] = np.where(any_told, told, np.nan)
    chief = _chief(of, people if whole > 0 else area)
    for name in NAMED:
        if name in cells.columns:
            table[name] = cells[name].to_numpy(dtype=object)[chief]
    return Ground(
        cells=table, of=of, uniform=land / land.sum(),
        people=held / whole if whole > 0 else np.zeros(names.size),
        land_km2=area, persons=people,
        disks=disk_matrix(names, (1.0, 1.0)), resolution=level, notes=tuple(notes),
    )  # fmt: skip


def _people(cells: pd.DataFrame, area: Floats) -> tuple[Floats, NDArray[np.bool_], list[str]]:
    """Give people per cell, unknown ones filled at the mean density; which are known; notes."""
    if "people_persons" not in cells.columns:
        none = np.zeros(len(cells))
        return none, none > 0, ["No population layer: the forecast has no population term."]
    said = cells["people_persons"].to_numpy(dtype=float, na_value=np.nan)
    known = ~np.isnan(said)
    if known.all():
        return said, known, []
    if not known.any():
        return np.zeros(len(cells)), known, ["Population unknown: no population term."]
    density = said[known].sum() / area[known].sum()
    filled = np.where(known, said, area * density)
    note = f"{int((~known).sum())} cells of unknown population count at the mean density."
    return filled, known, [note]


def _chief(of: NDArray[np.int64], weight: Floats) -> NDArray[np.int64]:
    """Row of the heaviest of the AOI's cells in each forecast cell; the first where equal."""
    order = np.lexsort((-np.arange(of.size), weight, of))
    last = np.flatnonzero(np.append(np.diff(of[order]) > 0, True))
    return order[last]
