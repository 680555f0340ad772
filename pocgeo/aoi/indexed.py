"""The tables of one AOI: layers and cells, from the store where they are fresh."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from pocgeo.aoi.recipes import RECIPES
from pocgeo.cells.speeds import TerrainRules
from pocgeo.cells.telemetry import Telemetry
from pocgeo.cells.terrain_file import overlaid, terrain_rules
from pocgeo.engine.store import Store
from pocgeo.engine.team import Engine
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import plain
from pocgeo.ground.provenance import code_digest, digest_of, file_digest
from pocgeo.layers.aoi_file import AoiFile
from pocgeo.layers.boundary import read_boundary
from pocgeo.layers.load import Loaded, load
from pocgeo.layers.rasters import RasterLayer
from pocgeo.layers.report import LoadReport
from pocgeo.sources.mosaics import whole_of

__all__ = ["Indexed", "Progress", "stored_name"]

Progress = Callable[[str, int, int], None]
LAYER_ROOMS = ("ground", "sources", "layers")
CELL_ROOMS = ("ground", "cells", "aoi/recipes.py")
REPORTS = ("summary", "details", "rejected")
TELEMETRY = "telemetry"
"""The layer whose rows are never all in memory: it is summed up file by file."""

MOST_NAMED = 50
"""Files of telemetry that are named one by one where inputs are listed."""


class Indexed:
    """Layers and cell tables of one AOI. Nothing is read or built before it is asked for."""

    def __init__(self, file: AoiFile, progress: Progress | None = None) -> None:
        self.file = file
        folder = file.folder / ".pocgeo"
        own = folder if file.path.name == "aoi.toml" else folder / file.path.stem
        self.store = Store(own, unchanged=self.refuse_changed)
        self.progress = progress
        self.requests = {request.layer: request for request in file.requests}
        self._loaded: dict[str, Loaded] = {}
        self._tables: dict[str, pd.DataFrame] = {}
        self._keys: dict[str, str] = {}
        self._held: dict[str, pd.DataFrame] = {}
        self._kept: dict[str, Any] = {}
        self._traces: dict[Path, tuple[int, ...]] = {}

    @cached_property
    def boundary(self) -> Any:
        """Outline of the AOI, EPSG:4326."""
        return read_boundary(self.file.boundary)

    @cached_property
    def digests(self) -> Mapping[Path, str]:
        """SHA-256 of the boundary and of every file of every layer."""
        paths = [self.file.boundary]
        for name, request in self.requests.items():
            if name != TELEMETRY:
                paths += [part for path in request.paths for part in whole_of(path)]
        self._traces = {path: trace_of(path) for path in dict.fromkeys(paths)}
        return {path: file_digest(path) for path in self._traces}

    def refuse_changed(self) -> None:
        """Refuse to keep a table under a key whose inputs were changed since it was taken."""
        for path, trace in self._traces.items():
            if trace_of(path) == trace:
                continue
            if not path.is_file() or file_digest(path) != self.digests[path]:
                raise BadInput(
                    f"{path}: changed since this area was opened. Nothing was kept of what was "
                    "being made of it. Open the area, or run the command, again."
                )

    @cached_property
    def engine(self) -> Engine:
        """Where tasks run, as POCGEO_ENGINE and POCGEO_MEMORY have it."""
        return Engine.chosen()

    @cached_property
    def telemetry(self) -> Telemetry:
        """Cell-days of the fixes of patrols, brought up to date with their files."""
        self._telemetry.update(self.engine)
        return self._telemetry

    @cached_property
    def _telemetry(self) -> Telemetry:
        """Cell-days as they stand: of the layer telemetry, else of patrols."""
        request = self.requests.get(TELEMETRY) or self.requests.get("patrols")
        if request is None:
            raise self.lacks("patrols")
        folder = self.store.folder / TELEMETRY
        return Telemetry(request, folder, self.file.resolution, progress=self.progress)

    def inputs(self) -> list[tuple[str, str, str]]:
        """List what all is made from: layer, file and its SHA-256.

        Of telemetry in many files the line says how many, and has the digest of all of theirs.
        """
        found = [
            (name, part.name, self.digests[part])
            for name, request in self.requests.items()
            if name != TELEMETRY
            for path in request.paths
            for part in whole_of(path)
        ]
        if TELEMETRY in self.requests:
            listed = self._telemetry.listed()
            files = [(Path(path).name, made) for path, (*_, made) in listed.items()]
            if len(files) > MOST_NAMED:
                files = [(f"{len(files)} files", digest_of(sorted(made for _, made in files)))]
            found += [(TELEMETRY, *each) for each in files]
        return found

    @property
    def indexed_layers(self) -> list[str]:
        """Layers whose declaration says how they become columns of the cells."""
        return [name for name, request in self.requests.items() if request.spec.index]

    def has(self, name: str) -> bool:
        """Whether there is such a layer or table."""
        if name.startswith("raster:"):
            return name.removeprefix("raster:") in self.requests
        if name == "own:layers":
            return bool(self.indexed_layers)
        if name in RECIPES:
            either = RECIPES[name].either
            found = not either or any(self.has(need) for need in either)
            return found and all(self.has(need) for need in RECIPES[name].needs)
        return name in self.requests

    def table(self, name: str) -> Any:
        """Rows of a layer, or a cell table; None where the AOI has no such thing."""
        if not self.has(name):
            return None
        if name not in self._tables:
            build = (
                (lambda: RECIPES[name].build(self))
                if name in RECIPES
                else (lambda: self._rows(name))
            )
            key = {"key": self.key(name)}
            self._tables[name] = self.store.table(stored_name(name), key, build)
        return self._tables[name]

    def known(self, name: str) -> Any:
        """Return a table that must be there; say which layer to add where it is not."""
        table = self.table(name)
        if table is None:
            raise self.lacks(name)
        return table

    def lacks(self, name: str) -> BadInput:
        """Say which layer a question needs."""
        layer = {"presence_days": "patrols", "incident_cells": "incidents"}.get(name, name)
        return BadInput(
            f"{self.file.path}: this question needs the layer {layer}. "
            f"Add [layers.{layer}] with a path."
        )

    @cached_property
    def terrain_rules(self) -> TerrainRules:
        """Terrain rules of the house, changed by the file that [standards.terrain] names."""
        said = self.file.standards.get("terrain", {})
        house = read_toml(declared("standards") / "terrain.toml")
        if "rules" not in said:
            return terrain_rules(house, "standards/terrain.toml")
        path = self.file.folder / str(said["rules"])
        return terrain_rules(overlaid(house, read_toml(path), path.name), path.name)

    def kept(self, key: str, build: Callable[[], Any]) -> Any:
        """Give what several questions share, worked out once; nobody changes it."""
        if key not in self._kept:
            self._kept[key] = build()
        return self._kept[key]

    def held(self, key: str, build: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Give a copy of a table that several questions share, worked out once."""
        if key not in self._held:
            self._held[key] = build()
        return self._held[key].copy()

    def rasters(self, name: str) -> tuple[RasterLayer, ...]:
        """Return the rasters of a layer, checked; empty where aoi.toml does not name it."""
        return self.loaded(name).rasters if name in self.requests else ()

    def _rows(self, name: str) -> pd.DataFrame:
        """Rows of a vector layer, loaded."""
        if name == TELEMETRY:
            raise BadInput("telemetry has too many rows for one table. Ask for its cell-days.")
        frame = self.loaded(name).frame
        if frame is None:
            raise BadInput(f"{name} is a raster: it has pixels, not rows.")
        return frame

    def loaded(self, name: str) -> Loaded:
        """Load a layer from its sources, once."""
        if name not in self._loaded:
            self._loaded[name] = load(self.requests[name])
        return self._loaded[name]

    def report(self) -> LoadReport:
        """Say what became of every row of every layer."""
        parts: list[LoadReport] = []
        for name in self.requests:
            tables = {part: self._report_part(name, part) for part in REPORTS}
            parts.append(LoadReport(**tables))
        if not parts:
            raise BadInput(f"{self.file.path}: names no layer. Add [layers.incidents] and others.")
        return parts[0].joined(parts[1:])

    def _report_part(self, name: str, part: str) -> pd.DataFrame:
        key = {"key": self.source_key(name)}
        return self.store.table(
            f"report_{name}_{part}", key, lambda: getattr(self._report_of(name), part)
        )

    def _report_of(self, name: str) -> LoadReport:
        return self.telemetry.report() if name == TELEMETRY else self.loaded(name).report

    def key(self, name: str) -> str:
        """Digest of all that decides a table: inputs, declarations, parameters, code."""
        if name not in self._keys:
            self._keys[name] = self._derived_key(name) if name in RECIPES else self._layer_key(name)
        return self._keys[name]

    def source_key(self, name: str) -> str:
        """Digest of all that decides the load report of a layer."""
        raster = self.requests[name].spec.geometry == "raster"
        return self.key(f"raster:{name}" if raster else name)

    def _layer_key(self, name: str) -> str:
        if name == "own:layers":
            return digest_of([self.key(layer) for layer in self.indexed_layers])
        if name == TELEMETRY:
            return self._telemetry.key()
        request = self.requests[name.removeprefix("raster:")]
        files = [
            [part.name, self.digests[part]] for path in request.paths for part in whole_of(path)
        ]
        asked = [plain(replace(source, paths=())) for source in request.sources]
        outline = self.digests[self.file.boundary]
        return digest_of(
            [files, asked, plain(request.spec), request.time_zone, plain(request.period_ends_on),
             outline, code_digest(*LAYER_ROOMS)]
        )  # fmt: skip

    def _derived_key(self, name: str) -> str:
        recipe = RECIPES[name]
        below = [item for item in (*recipe.needs, *recipe.either, *recipe.uses) if self.has(item)]
        keys = [[item, self.key(item)] for item in below]
        own = [self.file.resolution, self.file.time_zone, self.digests[self.file.boundary]]
        own += [plain(self.file.standards.get(section)) for section in recipe.standards]
        own += [digest_of(self.terrain_rules)] if "terrain" in recipe.standards else []
        return digest_of([name, keys, own, code_digest(*CELL_ROOMS)])

    def index(self) -> list[str]:
        """Bring every table up to date; return the names of those that were built.

        Cell-days of patrols are summed up when they are asked for, or here on a cluster.
        """
        _ = self.engine  # refused before any work, if it is none
        self.store.sweep()
        stale = [name for name in self.wanted() if self.is_stale(name)]
        reports = [name for name in self.requests if self._report_is_stale(name)]
        steps = len(stale) + len(reports)
        for done, name in enumerate(reports):
            self.say(f"checking {name}", done, steps)
            for part in REPORTS:
                self._report_part(name, part)
        for done, name in enumerate(stale, len(reports)):
            self.say(f"indexing {name}", done, steps)
            self.table(name)
        if self.engine.name.startswith("dask:") and self.has("patrols"):
            stale += ["cell_days"] if self._telemetry.update(self.engine) else []
        if steps:
            self.say("index complete", steps, steps)
        return stale

    def wanted(self) -> list[str]:
        """Name the tables that an index has: rows of layers, then cells."""
        layers = [
            name
            for name, request in self.requests.items()
            if request.spec.geometry != "raster" and name != TELEMETRY
        ]
        return [name for name in (*layers, *RECIPES) if self.has(name)]

    def is_stale(self, name: str) -> bool:
        """Whether the store has no such table, or one made from something else."""
        stored = stored_name(name)
        return name not in self._tables and self.store.stale(stored, {"key": self.key(name)})

    def _report_is_stale(self, name: str) -> bool:
        key = {"key": self.source_key(name)}
        return any(self.store.stale(f"report_{name}_{part}", key) for part in REPORTS)

    def say(self, what: str, done: int, steps: int) -> None:
        """Report long work, if anybody listens."""
        if self.progress is not None:
            self.progress(what, done, steps)


def stored_name(name: str) -> str:
    """Say how the store calls a layer's rows, or a cell table."""
    return name if name in RECIPES else f"layer_{name}"


def trace_of(path: Path) -> tuple[int, ...]:
    """Take what a change of a file leaves behind; contents decide where it differs."""
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns
