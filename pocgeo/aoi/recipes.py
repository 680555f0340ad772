"""What each cell table is made from, and how: the recipes that the index follows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from pocgeo.cells import grid
from pocgeo.cells.gather import lattice, with_areas
from pocgeo.cells.index import layer_cells
from pocgeo.cells.placing import place_incidents
from pocgeo.cells.population import population
from pocgeo.cells.presence import planned_presence, presence_days
from pocgeo.ground.pixels import PixelWindow
from pocgeo.sources.counts import people_windows

if TYPE_CHECKING:
    from pocgeo.aoi.indexed import Indexed

__all__ = ["RECIPES", "Recipe", "pixel_windows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One table of the store."""

    build: Callable[["Indexed"], pd.DataFrame]
    """Makes the table from the layers and tables below."""

    needs: tuple[str, ...] = ()
    """Layers and tables without which there is no such table."""

    uses: tuple[str, ...] = ()
    """Layers and tables that are taken where the AOI has them."""


def cells(index: "Indexed") -> pd.DataFrame:
    """Cells that overlap the boundary, with their admin areas, AORs and nearest settlement."""
    bare = lattice(index.boundary, index.file.resolution)
    return with_areas(bare, index.table("areas"), index.table("aors"), index.table("settlements"))


def pixel_windows(
    index: "Indexed", bounds: tuple[float, float, float, float]
) -> Iterator[PixelWindow]:
    """People per pixel, window by window, of every population raster that touches the bounds."""
    for raster in index.rasters("population"):
        west, south, east, north = raster.facts.bounds_lonlat
        if west >= bounds[2] or east <= bounds[0] or south >= bounds[3] or north <= bounds[1]:
            continue
        yield from people_windows(raster.path, raster.bands, measure=raster.measure, bounds=bounds)


def people(index: "Indexed") -> pd.DataFrame:
    """People of each cell; those who live in the rasters but in no cell are in the attrs."""
    cells = index.known("cells")
    whole = shapely.total_bounds(grid.boundaries(cells["cell"].to_numpy()))
    windows = pixel_windows(index, tuple(whole))
    table, outside = population(windows, cells, index.file.resolution)
    table.attrs["outside_persons"] = {name: float(number) for name, number in outside.items()}
    return table


def incident_cells(index: "Indexed") -> pd.DataFrame:
    """Where each incident counts, and with what weight."""
    return place_incidents(
        index.known("incidents"), index.known("cells"), index.table("areas"),
        index.table("population"),
    )  # fmt: skip


def recorded(index: "Indexed") -> pd.DataFrame:
    """Visits and hours of each cell, unit and local day."""
    return presence_days(
        index.known("patrols"), index.known("cells"), time_zone=index.file.time_zone,
        bases=index.table("bases"),
    )  # fmt: skip


def planned(index: "Indexed") -> pd.DataFrame:
    """Visits per week of each cell by planned routes."""
    return planned_presence(index.known("planned_patrols"), index.known("cells"))


def own_layers(index: "Indexed") -> pd.DataFrame:
    """Columns that the user's own layers add to the cells."""
    cells = index.known("cells")
    table = cells[["cell"]].copy()
    for name in index.indexed_layers:
        for rule in index.requests[name].spec.index:
            made = layer_cells(index.known(name), rule, cells)
            table[rule.column] = table["cell"].map(made.set_index("cell")[rule.column])
    return table


RECIPES: Mapping[str, Recipe] = {
    "cells": Recipe(build=cells, uses=("areas", "aors", "settlements")),
    "population": Recipe(build=people, needs=("cells", "raster:population")),
    "incident_cells": Recipe(
        build=incident_cells, needs=("cells", "incidents"), uses=("areas", "population")
    ),
    "presence_days": Recipe(build=recorded, needs=("cells", "patrols"), uses=("bases",)),
    "planned_presence": Recipe(build=planned, needs=("cells", "planned_patrols")),
    "own_layers": Recipe(build=own_layers, needs=("cells", "own:layers")),
}
