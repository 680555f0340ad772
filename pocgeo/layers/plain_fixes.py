"""Fixes in numbers, as many at a time as memory allows: the way in of telemetry by the million.

Parquet whose columns already are what they mean (instants, degrees, names) is checked in columns,
without a table of every row. Whatever else a layer of tracks can be made of (GPX, text tables,
odd columns) is loaded file by file by `pocgeo.layers.load`. Both reject, mend and count alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.layers.boundary import read_boundary
from pocgeo.layers.columns import resolve_columns
from pocgeo.layers.coordinates import place_points, placement_of
from pocgeo.layers.load import latest_day, load_source, profile_of
from pocgeo.layers.request import LoadRequest, SourceRequest
from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import ProfileSpec
from pocgeo.layers.texts import as_text, said_unknown
from pocgeo.sources.archives import content_kind
from pocgeo.sources.parquet import geometry_column
from pocgeo.sources.slices import FileSlice, column_batches, open_parquet
from pocgeo.sources.text_parts import text_parts

__all__ = ["Fixes", "fixes_of"]

NAMES = ("unit_id", "patrol_id", "base_id")
UNIX_S, UNIX_MS = (10**8, 10**10), (10**12, 10**13)
"""Whole numbers that are seconds or milliseconds since 1970, as `pocgeo.layers.dates` has it."""

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """Accepted fixes, and what became of the other rows."""

    at_us: NDArray[np.int64]
    """UTC, microseconds since 1970."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    codes: Mapping[str, NDArray[np.int32]]
    """Unit, patrol and base of each fix: a row of `names`, -1 where it is not known."""

    names: Mapping[str, NDArray[np.object_]]
    summary: list[dict[str, Any]] = field(default_factory=list)
    """Rows by outcome, of each source."""

    details: list[dict[str, Any]] = field(default_factory=list)

    def taken(self, rows: NDArray[Any]) -> "Fixes":
        """Take some rows, or all in another order."""
        return Fixes(
            at_us=self.at_us[rows], lon=self.lon[rows], lat=self.lat[rows],
            codes={name: codes[rows] for name, codes in self.codes.items()},
            names=self.names, summary=self.summary, details=self.details,
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence["Fixes"]) -> "Fixes":
        """Put several under each other."""
        if len(parts) == 1:
            return parts[0]
        codes, names = {}, {}
        for name in NAMES:
            known: dict[Any, int] = {}
            moved = []
            for part in parts:
                place = [known.setdefault(text, len(known)) for text in part.names[name]]
                moved.append(np.array([*place, -1], dtype=np.int32)[part.codes[name]])
            codes[name] = np.concatenate(moved)
            names[name] = np.array(list(known), dtype=object)
        return cls(
            at_us=np.concatenate([part.at_us for part in parts]),
            lon=np.concatenate([part.lon for part in parts]),
            lat=np.concatenate([part.lat for part in parts]),
            codes=codes, names=names,
            summary=[line for part in parts for line in part.summary],
            details=[line for part in parts for line in part.details],
        )  # fmt: skip


def fixes_of(request: LoadRequest, slices: Sequence[FileSlice], rows: int) -> Iterator[Fixes]:
    """Read the fixes of some files, at most so many at a time where the file allows it.

    Raises
    ------
    BadInput
        A file cannot be read, lacks a needed column, or holds dates that may be day or month
        first. One line: file, column, what to do.
    """
    boundary = read_boundary(request.boundary) if request.boundary else None
    if boundary is not None:
        shapely.prepare(boundary)
    for part in slices:
        source = next(each for each in request.sources if part.path in each.paths)
        plain = plain_columns(request, source, part)
        if plain is None:
            yield from loaded_fixes(request, source, part.path, boundary)
        else:
            reader = Reader(request, source, part, plain, boundary)
            for batch in column_batches(part, list(plain.values()), rows):
                yield reader.read(batch)


def plain_columns(
    request: LoadRequest, source: SourceRequest, part: FileSlice
) -> dict[str, str] | None:
    """Name the columns of a file that can be taken as they are; None where it cannot."""
    known = profile_of(source, request.spec)
    asked = source.where or source.value_maps or source.defaults or source.crs
    if content_kind(part.path) != "parquet" or asked or source.coordinate_format not in (
        None, "decimal",
    ) or (known is not None and not is_plain(known)):  # fmt: skip
        return None
    with open_parquet(part.path) as opened:
        schema, about = opened.schema_arrow, opened.metadata
    if b"geo" in (schema.metadata or {}) or geometry_column(schema, None) is not None:
        return None
    fields = resolve_columns(schema.names, request.spec, known, source.columns, part.path)
    place = placement_of(pd.DataFrame(columns=schema.names), source, known, part.path)
    single = all(len(columns) == 1 for name, columns in fields.items())
    if not single or "fix_at" not in fields or place is None or not place.lon or not place.lat:
        return None
    named = {name: fields[name][0] for name in (*NAMES, "fix_at") if name in fields}
    named |= {"lon": place.lon, "lat": place.lat}
    kinds = {name: schema.field(column).type for name, column in named.items()}
    sound = all(pa.types.is_floating(kinds[name]) for name in ("lon", "lat"))
    sound &= all(is_name(kinds[name]) for name in NAMES if name in kinds)
    sound &= pa.types.is_timestamp(kinds["fix_at"]) or is_unix(about, named["fix_at"])
    return named if sound and len(set(named.values())) == len(named) else None


def is_plain(known: ProfileSpec) -> bool:
    """Say whether a profile does no more than name columns."""
    return not (
        known.where or known.where_any or known.wide or known.collapse or known.join or known.crs
        or known.only_when or known.defaults or known.value_maps or known.rules or known.missing
    )  # fmt: skip


def is_name(kind: pa.DataType) -> bool:
    """Say whether a column holds texts, or whole numbers that stand for names."""
    if pa.types.is_dictionary(kind):
        return is_name(kind.value_type)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(text or pa.types.is_integer(kind))


def is_unix(about: Any, column: str) -> bool:
    """Say whether all of a column's numbers are seconds, or all milliseconds, since 1970."""
    ends: list[int] = []
    for group in range(about.num_row_groups):
        chunks = (about.row_group(group).column(i) for i in range(about.num_columns))
        stats = next(chunk.statistics for chunk in chunks if chunk.path_in_schema == column)
        if stats is None or not stats.has_min_max or not isinstance(stats.min, int):
            return False
        ends += [stats.min, stats.max]
    within = [low <= min(ends) and max(ends) < high for low, high in (UNIX_S, UNIX_MS) if ends]
    return any(within)


class Reader:
    """Turns batches of plain columns into fixes."""

    def __init__(
        self, request: LoadRequest, source: SourceRequest, part: FileSlice,
        columns: Mapping[str, str], boundary: Any,
    ) -> None:  # fmt: skip
        self.layer, self.outside = request.layer, request.spec.outside
        self.zone = ZoneInfo(source.time_zone or request.time_zone)
        self.not_after_us = pd.Timestamp(latest_day(request)).value // 1000 + 2 * DAY_US
        self.part, self.columns, self.boundary = part, columns, boundary
        self.row = part.rows_before

    def read(self, batch: pa.RecordBatch) -> Fixes:
        """Check a batch: every row is accepted, mended or rejected, and counted."""
        count = batch.num_rows
        rejected: dict[tuple[str, str], int] = {}
        live = np.ones(count, dtype=bool)

        def reject(where: NDArray[np.bool_], name: str, reason: str) -> None:
            number = int((where & live).sum())
            if number:
                rejected[name, reason] = rejected.get((name, reason), 0) + number
                live[where] = False

        at_us, timed = self.instants(batch.column(self.columns["fix_at"]))
        reject(timed & (at_us >= self.not_after_us), "fix_at", "in the future")
        reject(~timed, "fix_at", "no value where one is needed")
        lon, lat = (
            np.array(batch.column(self.columns[name]).to_numpy(zero_copy_only=False), dtype=float)
            for name in ("lon", "lat")
        )
        account, at = self.placed(lon, lat, live)
        codes, names = {}, {}
        for name in NAMES:
            codes[name], names[name] = self.named(name, batch)
        details = [line for line in account.entries if line["outcome"] != "flagged"]
        details += [
            account.entry("rejected", name, reason, number, "")
            for (name, reason), number in rejected.items()
        ]
        counted = account.summary()
        lost = counted["rejected"]
        live[at[~account.live]] = False
        summary = account.summary() | {
            "rows": count, "accepted": int(live.sum()) - counted["repaired"],
            "rejected": sum(rejected.values()) + lost,
        }  # fmt: skip
        self.row += count
        fixes = Fixes(
            at_us=at_us, lon=lon, lat=lat, codes=codes, names=names,
            summary=[summary], details=details,
        )  # fmt: skip
        return fixes if live.all() else fixes.taken(np.flatnonzero(live))

    def instants(self, column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Read instants: UTC microseconds, and where there is one."""
        timed = ~np.asarray(column.is_null())
        if not pa.types.is_timestamp(column.type):
            whole = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.int64)
            return np.where(whole < UNIX_S[1], whole * 1_000_000, whole * 1_000), timed
        at = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        at_us = np.asarray(pc.fill_null(at.cast(pa.int64()), 0))
        if column.type.tz is None and self.zone.key not in ("UTC", "Etc/UTC"):
            local = pd.DatetimeIndex(at_us.astype("datetime64[us]"))
            first = np.ones(len(local), dtype=bool)
            zoned = local.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")
            at_us = zoned.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]").astype(
                np.int64
            )  # fmt: skip
        return at_us, timed

    def placed(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], live: NDArray[np.bool_]
    ) -> tuple[RowAccount, NDArray[np.int64]]:
        """Mend or reject odd places, in the arrays; only rows that may be odd are looked at."""
        odd = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)) | ((lon == 0) & (lat == 0))
        if self.boundary is not None:
            west, south, east, north = self.boundary.bounds
            inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
            turned = (lat >= west) & (lat <= east) & (lon >= south) & (lon <= north)
            odd |= ~inside | turned
        at = np.flatnonzero(odd & live)
        account = RowAccount(self.layer, self.part.path.name, self.row + at + 1)
        lon[at], lat[at] = place_points(
            lon[at], lat[at], self.boundary, account, outside=self.outside
        )
        return account, at

    def named(
        self, name: str, batch: pa.RecordBatch
    ) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
        """Read names; fixes without a unit have the file's."""
        stem = self.part.path.stem
        if name not in self.columns:
            if name == "unit_id":
                return np.zeros(batch.num_rows, dtype=np.int32), np.array([stem], dtype=object)
            return np.full(batch.num_rows, -1, dtype=np.int32), np.zeros(0, dtype=object)
        column = batch.column(self.columns[name])
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        place = np.asarray(pc.fill_null(column.indices, -1)).astype(np.int32)
        said = column.dictionary
        order, names = known_names(str(said.type), tuple(said.to_pylist()))
        codes = order[place]
        if name == "unit_id" and (codes < 0).any():
            codes = np.where(codes < 0, len(names), codes).astype(np.int32)
            names = np.append(names, stem)
        return codes, names


@lru_cache(maxsize=32)
def known_names(kind: str, said: tuple[Any, ...]) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Read the names of a batch: the next one, and the next file, mostly have the same.

    Parameters
    ----------
    kind : str
        Type of the column: 1 and 1.0 are written apart.
    said : tuple
        Its different values.

    Returns
    -------
    order, names
        Row in `names` of each value, -1 where it is none (and, last, for -1); nobody changes them.
    """
    text = as_text(pd.Series(said, dtype=object))
    text = text.where(text.notna() & ~said_unknown(text))
    known = text.notna().to_numpy()
    order = np.append(np.where(known, np.cumsum(known) - 1, -1), -1).astype(np.int32)
    return order, text[known].to_numpy(dtype=object)


def loaded_fixes(
    request: LoadRequest, source: SourceRequest, path: Path, boundary: Any
) -> Iterator[Fixes]:
    """Load a file as any layer is loaded; a large text table a part at a time."""
    how = {name: getattr(source, name) for name in ("encoding", "delimiter", "header_row")}
    for part in text_parts(path, **how):
        how = {name: getattr(part, name) for name in how}
        read_so = replace(source, **how)
        frame, account = load_source(request, read_so, part.path, boundary, part.rows_before)
        if part.note:
            account.note(part.note)
        yield loaded_part(path, frame, account)


def loaded_part(path: Path, frame: pd.DataFrame, account: RowAccount) -> Fixes:
    """Take the columns of fixes from a loaded table."""
    at = frame["fix_at"].dt.tz_convert("UTC").dt.tz_localize(None)
    codes, names = {}, {}
    for name in NAMES:
        column = frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)
        place, found = pd.factorize(column.astype(object), use_na_sentinel=True)
        codes[name] = np.asarray(place, dtype=np.int32)
        names[name] = np.array([str(text) for text in found], dtype=object)
    if frame[["lon", "lat"]].isna().any(axis=None):
        raise BadInput(f"{path}: fixes without a place were accepted.")
    return Fixes(
        at_us=at.to_numpy("datetime64[us]").astype(np.int64),
        lon=frame["lon"].to_numpy(float), lat=frame["lat"].to_numpy(float),
        codes=codes, names=names, summary=[account.summary()], details=account.entries,
    )  # fmt: skip
