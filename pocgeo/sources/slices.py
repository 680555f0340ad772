"""Large files in parts: which parts there are, and the columns of a part of Parquet in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.archives import content_kind
from pocgeo.sources.parquet import one_line

__all__ = ["FileSlice", "column_batches", "open_parquet", "shared_out"]

TEXT_ROW_BYTES = 40
"""House guess: a line of a text table of fixes. Only the size of tasks depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSlice:
    """A file, or some row groups of a Parquet file."""

    path: Path
    groups: tuple[int, int] | None = None
    """First row group, and the one after the last; None: the whole file."""

    rows_before: int = 0
    """Rows of the file before the first one of the slice."""

    rows: int = 0
    """About how many it holds."""


def shared_out(paths: Sequence[Path], rows: int) -> list[tuple[FileSlice, ...]]:
    """Share files out to tasks of about so many rows, in their order.

    Small files go together; a large Parquet file is cut at its row groups.
    """
    tasks: list[tuple[FileSlice, ...]] = []
    held: list[FileSlice] = []
    for part in (part for path in paths for part in slices_of(path, rows)):
        if held and sum(each.rows for each in held) + part.rows > rows:
            tasks.append(tuple(held))
            held = []
        held.append(part)
    return [*tasks, tuple(held)] if held else tasks


def slices_of(path: Path, rows: int) -> list[FileSlice]:
    """Cut one file into slices of at most so many rows, as far as its row groups allow."""
    if content_kind(path) != "parquet":
        return [FileSlice(path=path, rows=path.stat().st_size // TEXT_ROW_BYTES)]
    with open_parquet(path) as source:
        about = source.metadata
        counts = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
    if sum(counts) <= rows:
        return [FileSlice(path=path, rows=sum(counts))]
    slices, begin = [], 0
    for group in range(1, len(counts) + 1):
        held = sum(counts[begin:group])
        if group == len(counts) or held + counts[group] > rows:
            before = sum(counts[:begin])
            slices.append(
                FileSlice(path=path, groups=(begin, group), rows_before=before, rows=held)
            )
            begin = group
    return slices


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    UnreadableSource
        It is damaged.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableSource(
            path, f"is a damaged Parquet file ({one_line(error)}). Fetch it again."
        ) from error


def column_batches(part: FileSlice, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Read some columns of a slice of Parquet, at most so many rows at a time.

    Raises
    ------
    UnreadableSource
        The file is damaged.
    """
    with open_parquet(part.path) as source:
        groups = range(*part.groups) if part.groups else range(source.metadata.num_row_groups)
        batches = source.iter_batches(
            rows, row_groups=list(groups), columns=list(columns), use_threads=False
        )
        try:
            for batch in batches:
                batch.validate(full=True)  # texts that are no UTF-8 among others
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise UnreadableSource(
                part.path, f"is a damaged Parquet file ({one_line(error)}). Fetch it again."
            ) from error
