"""Load a layer: every row of every source accepted, repaired, rejected or not asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput, UnknownName, shortened
from pocgeo.ground.provenance import made_at
from pocgeo.layers.boundary import read_boundary
from pocgeo.layers.catalog import profile
from pocgeo.layers.columns import first_column, require_fields, resolve_columns, unread
from pocgeo.layers.coordinates import Placement, grid_error_m, placement_of
from pocgeo.layers.fields import FieldReading, flag_disorder, read_field
from pocgeo.layers.fixes import MAX_SPEED_KMH, checked_fixes, routes_of
from pocgeo.layers.repeats import (
    reject_exact_duplicates,
    reject_repeated_keys,
    unlike_keys,
    with_keys,
)
from pocgeo.layers.report import LoadReport, report_of
from pocgeo.layers.request import LoadRequest, SourceRequest
from pocgeo.layers.reshape import Joined, collapse, dissolve, latest_counts
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.shapes import geometry_of
from pocgeo.layers.spec import LayerSpec, ProfileSpec
from pocgeo.layers.texts import matches, rows_where
from pocgeo.sources.raw import RawTable
from pocgeo.sources.tabular import read_table
from pocgeo.sources.tracks import read_tracks
from pocgeo.sources.vector import read_vector

if TYPE_CHECKING:
    from pocgeo.layers.rasters import RasterLayer

__all__ = ["Loaded", "load"]

TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".parquet")
VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".zip", ".kml", ".kmz", ".fgb")
LATEST_COUNT, LATEST_DAY = "latest dated count", "day of the latest dated count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A layer that can be trusted, and the account of how it came to be."""

    name: str
    spec: LayerSpec
    frame: gpd.GeoDataFrame | pd.DataFrame | None
    """Fields, then geometry (EPSG:4326), or lon and lat for tracks, then source_row and source;
    None for rasters."""

    rasters: tuple["RasterLayer", ...]
    """The files of a raster layer, in the order of their names; empty for other layers."""

    report: LoadReport

    @property
    def raster(self) -> "RasterLayer":
        """The only file of a raster layer."""
        if len(self.rasters) != 1:
            raise BadInput(f"{self.name}: {len(self.rasters)} rasters where one is needed.")
        return self.rasters[0]

    @property
    def rejected(self) -> pd.DataFrame:
        """Rejected rows: layer, source, source_row, field, reason."""
        return self.report.rejected


def load(request: LoadRequest, *, boundary: Any = None) -> Loaded:
    """Load one layer from all its sources.

    Parameters
    ----------
    request : LoadRequest
        Layer, files and how to read them, as `read_aoi` makes it.
    boundary : shapely geometry, optional
        Outline of the area of interest, EPSG:4326; read from `request.boundary` where not given.

    Returns
    -------
    Loaded

    Raises
    ------
    BadInput
        A source cannot be read, lacks a needed column, holds dates that may be day or month
        first, or a raster that cannot be what the layer is. One line: file, column, what to do.
    """
    if boundary is None and request.boundary is not None:
        boundary = read_boundary(request.boundary)
    elif boundary is not None:
        shapely.prepare(boundary)
    if request.spec.geometry == "raster":
        return loaded_rasters(request, boundary)
    parts = [
        load_source(request, source, path, boundary)
        for source in request.sources
        for path in source.paths
    ]
    accounts = [account for _, account in parts]
    frame = joined([frame for frame, _ in parts], request.spec, accounts)
    return Loaded(
        name=request.layer, spec=request.spec, frame=frame, rasters=(), report=report_of(accounts)
    )


def loaded_rasters(request: LoadRequest, boundary: Any) -> Loaded:
    """Check every raster of a layer."""
    # Tables need no GDAL: workers that read fixes start without it.
    from pocgeo.layers.rasters import load_raster  # noqa: PLC0415

    parts = [
        load_raster(request.spec, source, profile_of(source, request.spec), path, boundary)
        for source in request.sources
        for path in source.paths
    ]
    return Loaded(
        name=request.layer,
        spec=request.spec,
        frame=None,
        rasters=tuple(raster for raster, _ in parts),
        report=report_of([account for _, account in parts]),
    )


def joined(
    frames: list[pd.DataFrame], spec: LayerSpec, accounts: list[RowAccount]
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Put the sources of a layer under each other; a key that two sources use is told apart."""
    frames = unlike_keys(frames, spec, accounts)
    frame = pd.concat(frames, ignore_index=True)
    if spec.geometry == "track":
        order = ["unit_id", "fix_at"]
        return frame.sort_values(order, kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceJob:
    """One file on its way into a layer."""

    spec: LayerSpec
    source: SourceRequest
    known: ProfileSpec | None
    """The source's profile."""

    path: Path
    account: RowAccount


def load_source(
    request: LoadRequest, source: SourceRequest, path: Path, boundary: Any, rows_before: int = 0
) -> tuple[pd.DataFrame, RowAccount]:
    """Load one file, or a part of one: read, choose rows, read fields, place, settle repeats."""
    spec, known = request.spec, profile_of(source, request.spec)
    raw = read_raw(path, spec, source, known).later(rows_before)
    account = RowAccount(spec.name, path.name, raw.frame.index)
    for note in raw.notes:
        account.note(note)
    if raw.frame.empty:
        account.note("holds no row of data")
    account.refuse_unreadable(raw.bad_rows)
    frame = raw.frame.copy()
    choose_rows(frame, source, known, account, path)
    frame, columns = columns_of(frame, spec, source, known, account, path)
    if known is None and path.suffix.lower() in TABLES:
        note_unread(frame, columns, placement_of(frame, source, known, path), source, account)
    reading = FieldReading(
        path=path,
        zone=source.time_zone or request.time_zone,
        day_first=declared_day_first(source, known),
        not_after=latest_day(request),
        profile=known,
        value_maps=source.value_maps,
        defaults=source.defaults,
        declared=frozenset(source.columns),
    )
    if spec.geometry != "track":
        reject_exact_duplicates(frame, frame, spec, account)
    read = partial(read_field, frame, reading=reading, account=account)
    fields = pd.DataFrame(
        {name: read(field, columns.get(name, ())) for name, field in spec.fields.items()},
        index=frame.index,
    )
    flag_disorder(fields, account)
    if "location_error_m" in fields:
        square_m = grid_error_m(frame, placement_of(frame, source, known, path))
        unknown = fields["location_error_m"].isna()
        fields["location_error_m"] = fields["location_error_m"].where(~unknown, square_m)
    shapes = geometry_of(frame, spec, source, known, boundary, account, path)
    finish = finished_fixes if spec.geometry == "track" else finished_places
    job = SourceJob(spec=spec, source=source, known=known, path=path, account=account)
    return finish(frame, fields, shapes, job), account


def note_unread(
    frame: pd.DataFrame,
    columns: Mapping[str, tuple[str, ...]],
    placement: Placement | None,
    source: SourceRequest,
    account: RowAccount,
) -> None:
    """Name the columns of a table that no field is read from: one may be a field misspelt."""
    place = () if placement is None else (placement.lon, placement.lat, placement.pair)
    found = [str(name) for name in frame.columns if name != "geometry" and name not in place]
    left = unread(found, columns, source)
    if left:
        account.note(f"columns not read: {shortened(left)}")


def profile_of(source: SourceRequest, spec: LayerSpec) -> ProfileSpec | None:
    """Find the source's profile; refuse one that is of another layer."""
    if source.profile is None:
        return None
    found = profile(source.profile)
    if spec.name not in found.layers and not spec.own:
        raise BadInput(
            f"Profile {found.name} is for {', '.join(found.layers)}, not for {spec.name}. "
            f"Check [layers.{spec.name}] in aoi.toml."
        )
    return found


def declared_day_first(source: SourceRequest, known: ProfileSpec | None) -> bool | None:
    """Take what aoi.toml declares, else what the profile knows."""
    if source.day_first is not None:
        return source.day_first
    return known.day_first if known else None


def latest_day(request: LoadRequest) -> Any:
    """Find the last day that can be past: today, or the end of the period where that is later."""
    today = made_at().date()
    return max(today, request.period_ends_on) if request.period_ends_on else today


def read_raw(
    path: Path, spec: LayerSpec, source: SourceRequest, known: ProfileSpec | None
) -> RawTable:
    """Read a file with the reader that its name asks for."""
    if path.suffix.lower() in VECTOR_SUFFIXES:
        crs = source.crs or (known.crs if known else None)
        return read_vector(path, layer=source.table, crs=crs, encoding=source.encoding)
    if path.suffix.lower() == ".gpx" and spec.geometry == "line":
        return routes_of(read_tracks(path))
    sheet = source.sheet or (known.sheet if known else None)
    workbook = path.suffix.lower() in (".xlsx", ".xlsm", ".xls")
    read = read_tracks if spec.geometry == "track" else read_table
    return read(
        path,
        sheet=sheet if workbook else None,
        encoding=source.encoding,
        delimiter=source.delimiter,
        header_row=source.header_row,
        crs=source.crs if path.suffix.lower() in (".parquet", ".geoparquet") else None,
    )


def choose_rows(
    frame: pd.DataFrame,
    source: SourceRequest,
    known: ProfileSpec | None,
    account: RowAccount,
    path: Path,
) -> None:
    """Pass over the rows that aoi.toml or the profile does not ask for."""
    names = [str(column) for column in frame.columns]
    if known:
        where = {name: words for name, words in known.where.items() if first_column([name], names)}
        if where:
            asked = rows_where(frame, where, "the profile", path)
            account.pass_over(~asked, ", ".join(where), f"not asked for by profile {known.name}")
        if known.where_any:
            any_rule = np.zeros(len(frame), dtype=bool)
            for rule in known.where_any:
                any_rule |= matches(frame, rule)
            account.pass_over(~any_rule, "", f"not asked for by profile {known.name}")
    if source.where:
        asked = rows_where(frame, source.where, "where", path)
        account.pass_over(~asked, ", ".join(source.where), "not asked for by aoi.toml")


def columns_of(
    frame: pd.DataFrame,
    spec: LayerSpec,
    source: SourceRequest,
    known: ProfileSpec | None,
    account: RowAccount,
    path: Path,
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Say which columns hold which field; counts by date become two columns first."""
    for name in (*source.value_maps, *source.defaults):
        if name not in spec.fields:
            raise UnknownName(f"field of {spec.name}", name, spec.fields)
    for name, mapping in source.value_maps.items():
        for wanted in mapping.values():
            if spec.fields[name].categories and wanted not in spec.fields[name].categories:
                raise UnknownName(
                    f"category of {name}, in aoi.toml", wanted, spec.fields[name].categories
                )
    found = [str(column) for column in frame.columns]
    columns = resolve_columns(found, spec, known, source.columns, path)
    if known and known.wide:
        latest = latest_counts(frame, known.wide, path)
        frame[LATEST_COUNT], frame[LATEST_DAY] = latest.counts, latest.days
        columns |= {known.wide.field: (LATEST_COUNT,), known.wide.on: (LATEST_DAY,)}
        account.note(
            f"{latest.columns} dated columns, {latest.first_on:%Y-%m-%d} to "
            f"{latest.last_on:%Y-%m-%d}: the latest number of each row is taken",
            field=known.wide.field,
        )
        if latest.texts:
            account.note(f"{latest.texts} dated cells hold words, not numbers: passed over")
    given = {*source.defaults, *(known.defaults if known else ())}
    require_fields(spec, columns, given, found)
    return frame, columns


def finished_fixes(
    frame: pd.DataFrame, fields: pd.DataFrame, shapes: NDArray[np.object_], job: SourceJob
) -> pd.DataFrame:
    """Make the table of fixes: without repeats, sorted, with jumps marked."""
    known, account, path = job.known, job.account, job.path
    places = gpd.GeoSeries(shapes, index=fields.index, crs="EPSG:4326")
    fields = fields.assign(lon=places.x.astype("float64"), lat=places.y.astype("float64"))
    nameless = fields["unit_id"].isna()
    if nameless.any():
        account.note(f"{int(nameless.sum())} fixes name no unit: the file's name is taken")
        fields["unit_id"] = fields["unit_id"].where(~nameless, path.stem)
    reject_exact_duplicates(frame, fields, job.spec, account)
    live = account.live
    kept = fields[live].assign(source_row=account.source_rows[live], source=path.name)
    limit_kmh = job.source.max_speed_kmh or (known.max_speed_kmh if known else None)
    return checked_fixes(
        kept.reset_index(drop=True), account, np.flatnonzero(live), limit_kmh or MAX_SPEED_KMH
    )


def finished_places(
    frame: pd.DataFrame, fields: pd.DataFrame, shapes: NDArray[np.object_], job: SourceJob
) -> gpd.GeoDataFrame:
    """Make the table of places: rows of one thing joined, keys single."""
    spec, source, known, account, path = job.spec, job.source, job.known, job.account, job.path
    placed = fields.assign(geometry=gpd.GeoSeries(shapes, index=fields.index, crs="EPSG:4326"))
    keeps = account.live.copy()
    if known and known.collapse:
        one = collapse(frame, account.live, known.collapse, path)
        placed, keeps = with_joined(placed, one, account)
    if source.dissolve:
        one = dissolve(frame, placed["geometry"], account.live, source.dissolve, path)
        placed, keeps = with_joined(placed, one, account)
    placed = with_keys(placed, spec, account, path.stem)
    reject_repeated_keys(placed, keeps, spec, account)
    keeps &= account.live
    kept = placed[keeps].assign(source_row=account.source_rows[keeps], source=path.name)
    return gpd.GeoDataFrame(kept.reset_index(drop=True), geometry="geometry", crs="EPSG:4326")


def with_joined(
    placed: pd.DataFrame, one: Joined, account: RowAccount
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Take over the rows that stand for others, and what they gained."""
    for note in one.notes:
        account.note(note)
    if one.opened_on is not None and "opened_on" in placed:
        placed["opened_on"] = placed["opened_on"].fillna(one.opened_on)
    if one.closed_on is not None and "closed_on" in placed:
        placed["closed_on"] = placed["closed_on"].fillna(one.closed_on)
    if one.geometry is not None:
        placed["geometry"] = one.geometry
    return placed, one.keeps & account.live
