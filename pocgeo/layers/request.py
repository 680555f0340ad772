"""What is asked of a layer: which files, and how to read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pocgeo.layers.spec import LayerSpec

__all__ = ["COORDINATE_FORMATS", "MEASURES", "LoadRequest", "SourceRequest"]

COORDINATE_FORMATS = ("decimal", "dms", "mgrs", "utm")
MEASURES = ("count", "density_per_km2", "class", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """One `[layers.<name>]` table of an aoi.toml."""

    paths: tuple[Path, ...]
    """The files; several where the path is a glob."""

    profile: str | None = None
    sheet: str | int | None = None
    table: str | None = None
    """Name of the layer in a GeoPackage or KML with several."""

    crs: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    day_first: bool | None = None
    """Whether 03/04/2024 is 3 April; never guessed."""

    time_zone: str | None = None
    """Zone of times without an offset; the AOI's where not declared."""

    lon: str | None = None
    lat: str | None = None
    coordinates: str | None = None
    """Column that holds both, such as an MGRS reference."""

    coordinate_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field to source column."""

    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field to source text to value."""

    defaults: Mapping[str, str] = field(default_factory=dict)
    """Field to the value of rows that have none."""

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source column to the texts that are asked for; other rows are counted as not asked for."""

    dissolve: str | None = None
    """Source column whose equal rows become one polygon."""

    max_speed_kmh: float | None = None
    """Faster than this between two fixes is flagged."""

    bands: Mapping[str, int] = field(default_factory=dict)
    """Field to band number of a raster, from 1."""

    measure: str | None = None
    """One of MEASURES."""

    expect_persons: tuple[float, float] | None = None
    """Least and greatest believable total of people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """One layer of an AOI, with all its sources."""

    spec: LayerSpec
    sources: tuple[SourceRequest, ...]
    time_zone: str = "UTC"
    """Zone of the AOI's days, and of times without an offset."""

    boundary: Path | None = None
    """File of the AOI's outline; None where there is none to check against."""

    period_ends_on: date | None = None
    """Last day of the AOI's period: days after it and after today are mistakes."""

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.spec.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file of the layer, in order: what its digest is made of."""
        return tuple(path for source in self.sources for path in source.paths)
