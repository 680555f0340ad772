"""The pieces of a map that carry its colours: cells or areas; and each measure's values on them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput, MissingColumns, Refused
from pocgeo.products.disclosure import Released
from pocgeo.products.maps.periods import Period, periods_of, wide_periods
from pocgeo.products.maps.spec import MapSpec, MeasureSpec
from pocgeo.products.maps.wording import column_of, written
from pocgeo.products.words import ENGLISH, Words

__all__ = ["Mosaic", "Values", "mosaic_of", "values_of"]

JOINED_BY = ("admin2", "admin1", "aor")
"""Names of areas by which the gate joins cells, the finest first."""

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """Cells or areas, one row each, in the order in which they are packed."""

    released: Released
    """The map's own table, as the gate let it out."""

    table: pd.DataFrame
    """One row a piece."""

    key: str
    """Column that names a piece: `cell`, or the key of an area."""

    resolution: int | None
    """H3 resolution; None for areas."""

    geometry: NDArray[np.object_] | None = None
    """Polygons of areas, EPSG:4326; None for cells."""

    titles: tuple[str, ...] = ()
    """Names of areas; empty for cells."""

    said: tuple[str, ...] = ()
    """Sentences the page must print: what could not be placed."""

    @property
    def keys(self) -> "pd.Index[Any]":
        """What names each piece."""
        named: pd.Index[Any] = pd.Index(self.table[self.key])
        return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One measure: values in any order, the piece and the period each belongs to."""

    flat: pd.Series
    piece: Positions
    """Piece of each value; -1: none of this map's."""

    period: Positions
    """Period of each value; all 0 where there are none."""

    periods: tuple[Period, ...] = ()
    """In order of time; empty: the measure does not change."""


def mosaic_of(
    spec: MapSpec, released: Released, further: Mapping[str, Released], words: Words = ENGLISH
) -> tuple[Mosaic, MapSpec]:
    """Find what carries the colours; gives it with the declaration that fits it.

    A table of cells that the gate joined to admin areas is drawn by area.

    Raises
    ------
    Refused
        The audience has the table by area, and no areas are there to draw.
    BadInput
        The table has neither cells nor areas, or an area occurs twice.
    MissingColumns
        A column named by `where` or `by` is absent.
    """
    table = chosen(spec, released)
    if spec.areas is None and "cell" in table and released.resolution is not None:
        table = last_periods(spec, table, "cell").sort_values("cell", kind="stable")
        return (
            Mosaic(
                released=released, table=table.reset_index(drop=True), key="cell",
                resolution=released.resolution,
            ),
            spec,
        )  # fmt: skip
    if spec.areas is None and not isinstance(table, gpd.GeoDataFrame):
        spec = by_area(spec, released, further, words)
    if spec.by not in table:
        raise MissingColumns(released.name, [spec.by], table.columns)
    table = last_periods(spec, table, spec.by)
    return areal(spec, released, table, further, words), spec


def chosen(spec: MapSpec, released: Released) -> pd.DataFrame:
    """Keep the rows that `where` asks for."""
    table = released.table
    for name, wanted in spec.where.items():
        if name not in table:
            raise MissingColumns(released.name, [name], table.columns)
        table = table[table[name].astype("string").eq(wanted).fillna(value=False)]
    return table


def last_periods(spec: MapSpec, table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Keep one row a piece of a long table: that of its last period."""
    column = next(
        (m.period for m in spec.measures if m.period and m.table in {None, spec.table}), None
    )
    if column is None or column not in table:
        return table
    ordered = table.sort_values(column, kind="stable", na_position="first")
    return ordered.drop_duplicates(key, keep="last")


def by_area(
    spec: MapSpec, released: Released, further: Mapping[str, Released], words: Words
) -> MapSpec:
    """Turn a map of cells into one of areas, for an audience that has its table by area."""
    first = next((name for name in released.table.columns[:1] if name in JOINED_BY), None)
    if first is None or "areas" not in further:
        if released.audience != "internal":
            raise Refused(
                f"{released.name} is released to {released.audience} by area, not by cell. "
                "Load the layer areas to draw it, or export the table instead."
            )
        raise BadInput(f"{released.name} has no cells to draw. Name a table of cells in maps/.")
    key = f"{first}_id" if f"{first}_id" in released.table else first
    return replace(
        spec, areas="areas", by=key, areas_by="area_id" if key != first else "name",
        facts=(), reason=None, hatch=None,
        measures=tuple(coarse(measure) for measure in spec.measures),
        notes=(*spec.notes, words("drawn_by_area", audience=words.text(released.audience))),
    )  # fmt: skip


def coarse(measure: MeasureSpec) -> MeasureSpec:
    """Let the classes of a sum come from the areas' own figures: those of cells are too low."""
    return replace(measure, breaks=(), shares=()) if measure.group == "sum" else measure


def areal(
    spec: MapSpec, released: Released, table: pd.DataFrame, further: Mapping[str, Released],
    words: Words,
) -> Mosaic:  # fmt: skip
    """Put the table's rows on their polygons."""
    twice = table[spec.by].dropna()
    if twice.duplicated().any():
        name = twice[twice.duplicated()].iloc[0]
        raise BadInput(f"{released.name}: area {name} occurs twice. Give one row per area.")
    shapes: NDArray[np.object_]
    if spec.areas is None:
        shapes = np.asarray(table.geometry.values)
        titles = names_of(table, released, spec.by)
    else:
        layer = polygons_of(spec, further)
        at = pd.Index(layer[spec.areas_by or spec.by]).get_indexer(pd.Index(table[spec.by]))
        held = np.asarray(layer.geometry.values)
        shapes = held[at].copy()
        shapes[at < 0] = None
        names = layer["name"].astype("string").to_numpy() if "name" in layer else None
        titles = (
            names_of(table, released, spec.by)
            if names is None
            else ["" if i < 0 or pd.isna(names[i]) else str(names[i]) for i in at]
        )
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    lost = int((~drawn).sum())
    said = (words("no_polygon", lost=lost, rows=len(table)),) if lost else ()
    return Mosaic(
        released=released, table=table.loc[drawn].reset_index(drop=True), key=spec.by,
        resolution=None, geometry=shapes[drawn],
        titles=tuple(title for title, kept in zip(titles, drawn, strict=True) if kept), said=said,
    )  # fmt: skip


def polygons_of(spec: MapSpec, further: Mapping[str, Released]) -> gpd.GeoDataFrame:
    """Take the layer that has the polygons."""
    layer = further.get(spec.areas or "")
    if layer is None or not isinstance(layer.table, gpd.GeoDataFrame):
        raise Refused(f"{spec.title}: the polygons of layer {spec.areas} are not there to draw.")
    key = spec.areas_by or spec.by
    if key not in layer.table:
        raise MissingColumns(layer.name, [key], layer.table.columns)
    return layer.table.drop_duplicates(key)


def names_of(table: pd.DataFrame, released: Released, key: str) -> list[str]:
    """Name areas by the table itself."""
    name = next((name for name in ("name", "area", "place") if name in table), key)
    column = column_of(released, name)
    return ["" if pd.isna(value) else written(value, column) for value in table[name]]


def values_of(
    mosaic: Mosaic, measure: MeasureSpec, source: Released, spec: MapSpec, words: Words = ENGLISH
) -> Values:
    """Find where each value of a measure belongs.

    Parameters
    ----------
    mosaic : Mosaic
    measure : MeasureSpec
    source : Released
        The table that has the column: the mosaic's own, or another one.
    spec : MapSpec
        For `where`, which holds for the map's own table.
    """
    own = source is mosaic.released
    if own and not measure.period and not measure.periods:
        at = np.arange(len(mosaic.table))
        return Values(flat=mosaic.table[measure.column], piece=at, period=np.zeros_like(at))
    table = chosen(spec, source) if own else source.table
    if mosaic.key not in table:
        raise MissingColumns(source.name, [mosaic.key], table.columns)
    at = mosaic.keys.get_indexer(pd.Index(table[mosaic.key])).astype(np.int64)
    if measure.periods:
        return wide_values(table, at, measure, source)
    if not measure.period:
        return Values(flat=table[measure.column], piece=once(at, source), period=np.zeros_like(at))
    if measure.period not in table:
        raise MissingColumns(source.name, [measure.period], table.columns)
    which, periods = periods_of(table[measure.period], column_of(source, measure.period), words)
    at = np.where(which < 0, -1, at)
    taken = which * len(mosaic.table) + at
    once(np.where(at < 0, -1, taken), source)
    return Values(flat=table[measure.column], piece=at, period=which, periods=periods)


def wide_values(
    table: pd.DataFrame, at: Positions, measure: MeasureSpec, source: Released
) -> Values:
    """Stack the columns of the periods."""
    missing = [name for name in measure.periods if name not in table]
    if missing:
        raise MissingColumns(source.name, missing, table.columns)
    once(at, source)
    flat: Any = pd.concat([table[name] for name in measure.periods], ignore_index=True)
    labels = measure.period_labels or [column_of(source, name).label for name in measure.periods]
    return Values(
        flat=flat,
        piece=np.tile(at, len(measure.periods)),
        period=np.repeat(np.arange(len(measure.periods)), len(at)),
        periods=wide_periods(labels),
    )


def once(at: Positions, source: Released) -> Positions:
    """Refuse a table in which a piece occurs twice."""
    known = at[at >= 0]
    if known.size and np.bincount(known).max() > 1:
        raise BadInput(
            f"{source.name}: a cell or area occurs twice. Give one row for each, or name its "
            "column of periods."
        )
    return at
