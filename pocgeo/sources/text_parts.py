"""Large text tables cut into files of a bearable size, record by record."""

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.archives import content_kind
from pocgeo.sources.layout import PEEK_ROWS, find_layout
from pocgeo.sources.text_table import (
    MOST_SIGNS,
    SAMPLE_BYTES,
    as_text,
    declared_encoding,
    detected_encoding,
    sniffed_delimiter,
)
from pocgeo.sources.tracks import begins_with_tag

__all__ = ["TextPart", "text_parts"]

MOST_BYTES = 32 << 20
"""House limit: text that is loaded at one time. A loaded row takes ten to twenty times its text."""

LONGEST_LINE = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A file of its own with some records of a text table, under its head."""

    path: Path
    """Of the same name as the table."""

    rows_before: int = 0
    """Records of the table that came before."""

    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    """How to read it: as the whole table is read."""

    note: str | None = None
    """What was odd about the encoding; said once."""


def text_parts(
    path: Path, *, encoding: str | None, delimiter: str | None, header_row: int | None
) -> Iterator[TextPart]:
    """Cut a text table; a file that is small, or no text table, is its own only part.

    One part exists at a time, in the system's folder for passing files.

    Raises
    ------
    UnreadableSource, BadInput
        As `pocgeo.sources.text_table.read_text_table` raises them.
    """
    large = path.stat().st_size > MOST_BYTES
    if not large or content_kind(path) != "text" or begins_with_tag(path):
        yield TextPart(path=path, encoding=encoding, delimiter=delimiter, header_row=header_row)
        return
    chosen = declared_encoding(path, encoding) if encoding else detected_encoding(path)
    csv.field_size_limit(MOST_SIGNS)
    with as_text(path, chosen) as source:
        mark = delimiter or sniffed_delimiter(source.read(SAMPLE_BYTES))
        source.seek(0)
        layout = find_layout(
            list(islice(csv.reader(Lines(path, source), delimiter=mark), PEEK_ROWS)),
            path, header_row, ragged=True,
        )  # fmt: skip
        source.seek(0)
        lines = Lines(path, source)
        records = csv.reader(lines, delimiter=mark)
        head = layout.first_data_row - 1
        for _ in islice(records, head):
            pass
        said_once = chosen.note
        for piece, before in pieces(path, lines, records):
            yield TextPart(
                path=piece, rows_before=before, encoding="utf-8", delimiter=mark,
                header_row=layout.header_row, note=said_once,
            )  # fmt: skip
            said_once = None


class Lines:
    """Lines of a text, kept until somebody takes them: those of the record just read."""

    def __init__(self, path: Path, source: IO[str]) -> None:
        self.path, self.source = path, source
        self.held: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self.source.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) >= LONGEST_LINE:
            raise UnreadableSource(self.path, "has a line without an end: it is no text table.")
        self.held.append(line)
        return line

    def taken(self) -> list[str]:
        """Take the lines that are held."""
        held, self.held = self.held, []
        return held


def pieces(path: Path, lines: Lines, records: Iterator[list[str]]) -> Iterator[tuple[Path, int]]:
    """Write records to one file after another, each under the lines of the head."""
    head, before, count = lines.taken(), 0, 0
    more = True
    with tempfile.TemporaryDirectory(prefix="pocgeo-") as folder:
        piece = Path(folder) / path.name
        while more:
            size = 0
            more = False
            with piece.open("w", encoding="utf-8", newline="") as out:
                out.writelines(head)
                for _ in records:
                    record = lines.taken()
                    size += sum(map(len, record))
                    count += 1
                    out.writelines(record)
                    if size >= MOST_BYTES:
                        more = True
                        break
            if count > before or before == 0:
                yield piece, before
            before = count
