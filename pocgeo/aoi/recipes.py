"""What each cell table is made from, and how: the recipes that the index follows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from pocgeo.cells import grid
from pocgeo.cells.averages import cell_means, cover_shares
from pocgeo.cells.gather import lattice, with_areas
from pocgeo.cells.index import layer_cells
from pocgeo.cells.people import people_of_cells
from pocgeo.cells.placing import place_incidents
from pocgeo.cells.presence import planned_presence, presence_days
from pocgeo.cells.presence_parts import presence_from
from pocgeo.cells.spreading import PlacingRule
from pocgeo.ground.errors import BadInput
from pocgeo.ground.pixels import PixelWindow
from pocgeo.sources.counts import PeopleRaster, people_windows
from pocgeo.sources.raster import windows

if TYPE_CHECKING:
    from pocgeo.aoi.indexed import Indexed

__all__ = ["RECIPES", "Recipe", "pixel_windows"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One table of the store."""

    build: Callable[["Indexed"], pd.DataFrame]
    """Makes the table from the layers and tables below."""

    needs: tuple[str, ...] = ()
    """Layers and tables without which there is no such table."""

    either: tuple[str, ...] = ()
    """Layers of which one is enough."""

    uses: tuple[str, ...] = ()
    """Layers and tables that are taken where the AOI has them."""

    standards: tuple[str, ...] = ()
    """Sections of [standards] that decide the table."""


def cells(index: "Indexed") -> pd.DataFrame:
    """Cells that overlap the boundary, with their admin areas, AORs and nearest settlement."""
    bare = lattice(index.boundary, index.file.resolution)
    return with_areas(bare, index.table("areas"), index.table("aors"), index.table("settlements"))


def pixel_windows(index: "Indexed", bounds: Box) -> Iterator[PixelWindow]:
    """People per pixel, window by window, of every population raster that touches the bounds."""
    for raster in index.rasters("population"):
        if touches(raster.facts.bounds_lonlat, bounds):
            yield from people_windows(
                raster.path, raster.bands, measure=raster.measure, bounds=bounds
            )


def touches(one: Box, other: Box) -> bool:
    """Say whether two boxes (west, south, east, north) have ground in common."""
    apart = one[0] >= other[2] or one[2] <= other[0] or one[1] >= other[3] or one[3] <= other[1]
    return not apart


def people(index: "Indexed") -> pd.DataFrame:
    """People of each cell; those who live in the rasters but in no cell are in the attrs."""
    cells, bounds = index.known("cells"), raster_bounds(index)
    rasters = [
        PeopleRaster(path=raster.path, bands=raster.bands, measure=raster.measure, bounds=bounds)
        for raster in index.rasters("population")
        if touches(raster.facts.bounds_lonlat, bounds)
    ]
    found = people_of_cells(rasters, cells, index.file.resolution, index.engine, index.store.folder)
    table = found.table
    table.attrs["outside_persons"] = {name: float(n) for name, n in found.outside.items()}
    if found.notes:
        table.attrs["notes"] = list(found.notes)
    return table


def incident_cells(index: "Indexed") -> pd.DataFrame:
    """Where each incident counts, and with what weight."""
    rule = PlacingRule(**index.file.standards.get("placing", {}))
    return place_incidents(
        index.known("incidents"), index.known("cells"), index.table("areas"),
        index.table("population"), rule,
    )  # fmt: skip


def recorded(index: "Indexed") -> pd.DataFrame:
    """Visits and hours of each cell, unit and local day."""
    cells, bases = index.known("cells"), index.table("bases")
    if not index.has("telemetry"):
        fixes = index.known("patrols")
        return presence_days(fixes, cells, time_zone=index.file.time_zone, bases=bases)
    if index.has("patrols"):
        raise BadInput(
            f"{index.file.path}: has both [layers.patrols] and [layers.telemetry]: a fix in both "
            "would count twice. Name all files of fixes under telemetry."
        )
    return presence_from(index.telemetry, cells, bases, index.engine)


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


def raster_bounds(index: "Indexed") -> Box:
    """West, south, east and north of all cells: more than the outline's."""
    west, south, east, north = shapely.total_bounds(
        grid.boundaries(index.known("cells")["cell"].to_numpy())
    )
    return float(west), float(south), float(east), float(north)


def raster_windows(index: "Indexed", name: str) -> Iterator[PixelWindow]:
    """Walk the pixels of a raster layer that touch the cells."""
    bounds = raster_bounds(index)
    for raster in index.rasters(name):
        yield from windows(raster.path, raster.bands, bounds=bounds)


def land_cover(index: "Indexed") -> pd.DataFrame:
    """Share of each cell by class; what the legend does not name is in the attrs."""
    said = index.file.standards.get("terrain", {})
    legend = index.terrain_rules.legend(said.get("legend", "worldcover"), said.get("codes"))
    cover = cover_shares(raster_windows(index, "landcover"), index.known("cells"), legend)
    table = cover.shares.reset_index(drop=True)
    table.insert(0, "cell", index.known("cells")["cell"].to_numpy())
    table.attrs["notes"] = list(cover.notes)
    return table


def means_of(layer: str, column: str) -> Callable[["Indexed"], pd.DataFrame]:
    """Make the builder of a table of a raster's mean in each cell."""

    def build(index: "Indexed") -> pd.DataFrame:
        means = cell_means(raster_windows(index, layer), index.known("cells"))
        return pd.DataFrame({"cell": index.known("cells")["cell"], column: means.to_numpy()})

    return build


RECIPES: Mapping[str, Recipe] = {
    "cells": Recipe(build=cells, uses=("areas", "aors", "settlements")),
    "population": Recipe(build=people, needs=("cells", "raster:population")),
    "incident_cells": Recipe(
        build=incident_cells,
        needs=("cells", "incidents"),
        uses=("areas", "population"),
        standards=("placing",),
    ),
    "presence_days": Recipe(
        build=recorded, needs=("cells",), either=("patrols", "telemetry"), uses=("bases",)
    ),
    "planned_presence": Recipe(build=planned, needs=("cells", "planned_patrols")),
    "own_layers": Recipe(build=own_layers, needs=("cells", "own:layers")),
    "land_cover": Recipe(
        build=land_cover, needs=("cells", "raster:landcover"), standards=("terrain",)
    ),
    "elevation_means": Recipe(
        build=means_of("elevation", "elevation_m"), needs=("cells", "raster:elevation")
    ),
    "friction_means": Recipe(
        build=means_of("friction", "friction_min_per_m"), needs=("cells", "raster:friction")
    ),
}
