"""Raster layers: which file, which bands, what they measure; refused where they cannot be that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.layers.request import SourceRequest
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import LayerSpec, ProfileSpec
from pocgeo.sources.counts import CountCheck, refuse_if_not_counts
from pocgeo.sources.raster import RasterFacts, describe

__all__ = ["RasterLayer", "load_raster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterLayer:
    """A raster that passed: pixels are read later, window by window."""

    path: Path
    bands: Mapping[str, int]
    """Field to band number, from 1."""

    measure: str
    """"count", "density_per_km2", "class" or "value"."""

    facts: RasterFacts
    checks: Mapping[str, CountCheck]
    """Field to what its band implies over the area of interest; empty for other than people."""


def load_raster(
    spec: LayerSpec,
    source: SourceRequest,
    profile: ProfileSpec | None,
    path: Path,
    boundary: Any,
) -> tuple[RasterLayer, RowAccount]:
    """Check one raster against its layer and the area of interest.

    Raises
    ------
    NotCounts
        A band cannot be people per pixel over the area.
    BadInput
        A band does not exist or is not declared, or the raster lies elsewhere.
    UnreadableSource
        No raster, no CRS, rotated.
    """
    facts = describe(path)
    bands = bands_of(spec, source, profile, facts)
    people = spec.name == "population"
    measure = source.measure or (profile.measure if profile else None)
    measure = measure or ("count" if people else "value")
    if people and measure not in ("count", "density_per_km2"):
        raise BadInput(f"{path}: measure = {measure!r} is not people: count or density_per_km2.")
    account = RowAccount(spec.name, path.name, ())
    overlap_or_refuse(facts, boundary, path)
    checks = {}
    if people and boundary is not None:
        for field, band in bands.items():
            expect = source.expect_persons if field == first(spec) else None
            checks[field] = refuse_if_not_counts(
                path, band, boundary, field=field, measure=measure, expect_persons=expect
            )
            for note in checks[field].notes:
                account.note(note, field=field)
    parts_or_refuse(checks, path)
    layer = RasterLayer(path=path, bands=bands, measure=measure, facts=facts, checks=checks)
    return layer, account


def bands_of(
    spec: LayerSpec, source: SourceRequest, profile: ProfileSpec | None, facts: RasterFacts
) -> dict[str, int]:
    """Say which band holds which field; the only band of a file needs no declaration."""
    bands = dict(source.bands) or (dict(profile.bands) if profile else {})
    if not bands:
        if facts.bands > 1:
            raise BadInput(
                f"{facts.path}: has {facts.bands} bands. Say which: "
                f"bands = {{ {first(spec)} = 1 }}."
            )
        bands = {first(spec): 1}
    for field, band in bands.items():
        if field not in spec.fields:
            raise UnknownName(f"field of {spec.name}", field, spec.fields)
        if not 1 <= band <= facts.bands:
            raise BadInput(
                f"{facts.path}: no band {band} for {field}; it has {facts.bands}, numbered from 1."
            )
    return bands


def first(spec: LayerSpec) -> str:
    """Name the first field of a layer."""
    return next(iter(spec.fields))


def overlap_or_refuse(facts: RasterFacts, boundary: Any, path: Path) -> None:
    """Refuse a raster that lies elsewhere."""
    if boundary is not None and not shapely.box(*facts.bounds_lonlat).intersects(boundary):
        west, south, east, north = facts.bounds_lonlat
        raise BadInput(
            f"{path}: lies outside the area of interest (it spans {west:.2f} {south:.2f} to "
            f"{east:.2f} {north:.2f}). Check file and CRS."
        )


def parts_or_refuse(checks: Mapping[str, CountCheck], path: Path) -> None:
    """Refuse women or children who are more than all people."""
    total = checks.get("people_persons")
    for field, check in checks.items():
        if total is not None and check.persons > total.persons * 1.001:
            raise BadInput(
                f"{path}: {field} ({check.persons:,.0f}) exceeds people_persons "
                f"({total.persons:,.0f}). Check the bands."
            )
