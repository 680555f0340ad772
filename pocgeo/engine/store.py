"""The store: one Parquet file per table, rebuilt only when what it was made from has changed.

A table is written under a temporary name, forced to disk and renamed, so a reader sees the old
table or the new one, never half of one. The key a table was made from and the digest of its bytes
travel inside the file: there is no second file that could tell another story, and no clock is
asked. Pages carry checksums; a damaged file is built again, never trusted.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from pocgeo.engine.seals import seal_holds, write_sealed
from pocgeo.ground.errors import BadInput, MissingFile, StoreBusy
from pocgeo.ground.frames import plain

__all__ = ["Store"]

FORMAT = 2
"""Raised when the layout of the files changes: older tables are then built again."""

ABOUT = b"pocgeo"
GEO = b"geo"
SUFFIX = ".parquet"
PASSING = re.compile(r"\.([a-z0-9][a-z0-9_]*)\.\d+\.tmp")
"""Name of a file that is being written: table and process."""

ROW_GROUP = 32_768
"""Rows: smaller groups are skipped oftener by a question for few rows; fewer cost less to list."""
NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
RETRY_S = 0.05


class Store:
    """Tables of one area of interest, in one folder."""

    def __init__(
        self,
        folder: Path,
        patience_s: float = 600.0,
        unchanged: Callable[[], None] = lambda: None,
    ) -> None:
        """Name the folder; nothing is read or made before a table is asked for.

        Parameters
        ----------
        folder : Path
            Made when the first table is written. Safe to delete.
        patience_s : float
            Seconds to wait for another process that is building the same table.
        unchanged : callable, optional
            Called between the building of a table and its writing. It raises where the inputs are
            no longer those of the key: the table is then not written.
        """
        self.folder = Path(folder)
        self.patience_s = patience_s
        self.unchanged = unchanged

    def table(
        self, name: str, key: Mapping[str, Any], build: Callable[[], pd.DataFrame]
    ) -> pd.DataFrame:
        """Return a table, built only if the stored one was not made from this key.

        Parameters
        ----------
        name : str
            Lower-case letters, digits and underscores.
        key : mapping
            All that decides the table: digests of inputs, parameters, version of the code.
        build : callable without arguments
            Makes the table. `attrs` of plain values are kept.

        Returns
        -------
        DataFrame, or GeoDataFrame in EPSG:4326
            As read back from the file, so that a fresh table and a stored one are the same.

        Raises
        ------
        BadInput
            The folder cannot be written, or a geometry is not in EPSG:4326.
        StoreBusy
            Another process is still building this table.
        """
        wanted = spelled(key)
        stored = self.fresh(name, wanted)
        if stored is not None:
            return stored
        with self.lock(name):
            stored = self.fresh(name, wanted)
            if stored is None:
                made = build()
                self.unchanged()
                self.write(name, wanted, made)
                stored = self.read(name)
        return stored

    def read(self, name: str) -> pd.DataFrame:
        """Read a stored table, whatever it was made from.

        Raises
        ------
        MissingFile
            There is no such table.
        BadInput
            The file is damaged.
        """
        found = self.opened(name)
        if found is None:
            raise MissingFile(f"Table {name} of the store", self.path(name))
        return found

    def opened(self, name: str, wanted: str | None = None) -> pd.DataFrame | None:
        """Read a table if it is there and was made from the wanted key, if there is one.

        Key and rows come from one opening of the file: it may be replaced between two.
        """
        path = self.path(name)
        try:
            with pa.OSFile(str(path)) as source:
                file = pq.ParquetFile(source, page_checksum_verification=True)
                if wanted not in (None, key_of(file)):
                    return None
                return frame_of(file.read())
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise BadInput(
                f"{path}: the table is damaged ({one_line(error)}). "
                "Delete the file: it is built again."
            ) from error

    def stale(self, name: str, key: Mapping[str, Any]) -> bool:
        """Say whether the table is absent, damaged at its end, or made from another key."""
        about = self.about(name)
        return about is None or about.get("key") != spelled(key)

    def names(self) -> list[str]:
        """Names of the tables in the store, sorted."""
        if not self.folder.is_dir():
            return []
        found = (path.stem for path in self.folder.glob(f"*{SUFFIX}"))
        return sorted(name for name in found if NAME.fullmatch(name))

    def verify(self) -> pd.DataFrame:
        """Read every table to its last page, and hold its bytes against their digest.

        Returns
        -------
        DataFrame, one row per table
            `table`, `rows` (NA if it cannot be read), `sound`, `problem` (NA if sound).
        """
        found: list[tuple[str, Any, bool, str | None]] = []
        for name in self.names():
            try:
                rows = len(self.read(name))
                self.refuse_altered(name)
                found.append((name, rows, True, None))
            except BadInput as error:
                found.append((name, pd.NA, False, str(error)))
        table = pd.DataFrame(found, columns=["table", "rows", "sound", "problem"])
        return table.astype({"rows": "Int64", "sound": bool, "table": object})

    def refuse_altered(self, name: str) -> None:
        """Refuse a table whose bytes are not those that were written."""
        path = self.path(name)
        try:
            sound = seal_holds(path)
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({one_line(error)}).") from error
        if not sound:
            raise BadInput(
                f"{path}: the table is damaged (its bytes are not those that were written). "
                "Delete the file: it is built again."
            )

    def sweep(self) -> list[str]:
        """Remove the unfinished files of killed processes; return their names.

        A file whose table is locked is being written now, and stays.
        """
        swept: list[str] = []
        for path in sorted(self.folder.glob(".*.tmp")):
            found = PASSING.fullmatch(path.name)
            if found is None:
                continue
            try:
                with self.lock(found[1], patience_s=0):
                    path.unlink(missing_ok=True)
                    swept.append(path.name)
            except (StoreBusy, BadInput, OSError):  # being written, or not ours to remove
                continue
        return swept

    def path(self, name: str) -> Path:
        """Say where a table's file is, or would be."""
        if not NAME.fullmatch(name):
            raise BadInput(
                f"{name!r} cannot name a table. Use lower-case letters, digits and underscores."
            )
        return self.folder / f"{name}{SUFFIX}"

    def about(self, name: str) -> dict[str, Any] | None:
        """Return what the file says of itself; None where it is absent, damaged or foreign."""
        try:
            return about_of(pq.read_metadata(self.path(name)).metadata)
        except (OSError, pa.ArrowException):
            return None

    def fresh(self, name: str, wanted: str) -> pd.DataFrame | None:
        """Read the table if it was made from the wanted key and is sound."""
        try:
            return self.opened(name, wanted)
        except BadInput:
            return None

    def write(self, name: str, key: str, table: pd.DataFrame) -> None:
        """Write under a temporary name, force to disk, rename. The caller holds the lock."""
        path = self.path(name)
        arrow = arrow_of(name, key, table)
        passing = path.with_name(f".{name}.{os.getpid()}.tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(f".{name}.*.tmp"):  # of a process that was killed
                left.unlink(missing_ok=True)
            with passing.open("xb+") as file:  # new: a link of that name is not followed
                write_sealed(arrow, file, ROW_GROUP)
                os.fsync(file.fileno())
            os.replace(passing, path)  # noqa: PTH105 (the atomic one, named as such)
            forced(self.folder)
        except (OSError, pa.ArrowException) as error:
            raise BadInput(
                f"{path}: cannot be written ({one_line(error)}). "
                "Make room or give write permission, and run again."
            ) from error
        finally:
            passing.unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str, patience_s: float | None = None) -> Iterator[None]:
        """Hold a table for building; the system frees the lock of a process that dies."""
        path = self.path(name).with_name(f".{name}.lock")
        patience_s = self.patience_s if patience_s is None else patience_s
        until = time.monotonic() + patience_s
        while (handle := self.locked(path)) is None:
            if time.monotonic() >= until:
                raise StoreBusy(
                    f"{self.folder}: another process has been building {name} for more than "
                    f"{patience_s:g} s. Wait for it, or end it, and run again."
                )
            time.sleep(RETRY_S)
        try:
            yield
        finally:
            os.close(handle)

    def locked(self, path: Path) -> int | None:
        """Try to take a lock; None where another process has it.

        A lock on a file that was deleted meanwhile, with its folder perhaps, locks nobody out.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise BadInput(
                f"{self.folder}: the store cannot be written ({one_line(error)}). "
                "Give write permission, or copy the AOI folder to where you may write."
            ) from error
        if taken(handle) and standing(handle, path):
            return handle
        os.close(handle)
        return None


def taken(descriptor: int) -> bool:
    """Try to take the lock."""
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def standing(descriptor: int, path: Path) -> bool:
    """Say whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def forced(path: Path) -> None:
    """Force a file, or a folder's list of files, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def spelled(key: Mapping[str, Any]) -> str:
    """Spell a key canonically."""
    return json.dumps(plain(key), sort_keys=True, ensure_ascii=False, default=str)


def arrow_of(name: str, key: str, table: pd.DataFrame) -> pa.Table:
    """Turn a table into Arrow, sorted by cell, with key and attrs in its metadata."""
    attrs = plain(table.attrs)
    geo = geo_of(name, table)
    bare = pd.DataFrame(table, copy=False)
    bare.attrs = {}
    if "cell" in bare.columns and not bare["cell"].is_monotonic_increasing:
        bare = bare.sort_values("cell", kind="stable", ignore_index=True)
    if geo is not None:
        column = geo["primary_column"]
        bare = bare.assign(**{column: shapely.to_wkb(bare[column].to_numpy())})
    arrow = pa.Table.from_pandas(bare)
    about = {"format": FORMAT, "key": key, "attrs": attrs}
    metadata = dict(arrow.schema.metadata or {})
    metadata[ABOUT] = json.dumps(about, sort_keys=True, ensure_ascii=False, default=str).encode()
    if geo is not None:
        metadata[GEO] = json.dumps(geo, sort_keys=True).encode()
    return arrow.replace_schema_metadata(metadata)


def geo_of(name: str, table: pd.DataFrame) -> dict[str, Any] | None:
    """Metadata of GeoParquet 1.0 for a table with geometry; longitude and latitude are its CRS."""
    if not isinstance(table, gpd.GeoDataFrame):
        return None
    if table.crs is not None and table.crs.to_epsg() != 4326:
        raise BadInput(f"Table {name}: geometry is in {table.crs}; the store holds EPSG:4326 only.")
    column = table.geometry.name
    return {
        "version": "1.0.0",
        "primary_column": column,
        "columns": {column: {"encoding": "WKB", "geometry_types": []}},
    }


def about_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any] | None:
    """Read what a file says of itself; None where it is not of this format."""
    try:
        about = json.loads((metadata or {})[ABOUT])
    except (ValueError, KeyError):
        return None
    return about if isinstance(about, dict) and about.get("format") == FORMAT else None


def key_of(file: pq.ParquetFile) -> str:
    """Read the key a file was made from."""
    about = about_of(file.metadata.metadata)
    if about is None:
        raise ValueError("another version of pocgeo wrote it, or something else")
    return str(about.get("key"))


def frame_of(arrow: pa.Table) -> pd.DataFrame:
    """Turn stored Arrow back into a table."""
    metadata = arrow.schema.metadata or {}
    about = json.loads(metadata[ABOUT])
    table: pd.DataFrame = arrow.to_pandas()
    if GEO in metadata:
        column = json.loads(metadata[GEO])["primary_column"]
        table[column] = shapely.from_wkb(table[column].to_numpy())
        table = gpd.GeoDataFrame(table, geometry=column, crs="EPSG:4326")
    table.attrs = about["attrs"]
    return table


def one_line(error: BaseException) -> str:
    """First line of another library's message."""
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:200]
