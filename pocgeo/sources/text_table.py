"""Tables as text: which encoding, which delimiter, which rows do not fit."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import charset_normalizer
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pocgeo.ground.errors import BadInput, UnreadableSource
from pocgeo.sources.layout import PEEK_ROWS, Layout, find_layout
from pocgeo.sources.raw import RawTable

__all__ = ["read_text_table"]

SAMPLE_BYTES = 1 << 20
CHUNK_ROWS = 50_000
MOST_SIGNS = 1_000_000
"""House limit of one field: what is longer is a quote in the wrong place, or no text."""

LONGEST_LINE = 16 << 20
"""House limit of a line of the file, in bytes or signs: a table has line ends."""

MOST_FILLED_UP = 50_000_000
"""House limit of missing fields at the ends of short rows: beyond, the header is not theirs."""

END = ["\ufdd0\ufdd1"]  # noncharacters: no text holds them
DELIMITERS = (",", ";", "\t", "|")
BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32-LE begins like UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LIKELY = [  # what missions' neighbours save in; cp1252 holds latin-1
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp437", "cp850",
    "mac_roman", "gb18030", "big5", "shift_jis", "euc_kr",
]  # fmt: skip
WESTERN = {"cp1252", "latin_1", "iso8859_15", "cp1254", "cp1250", "cp437", "cp850", "mac_roman"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text."""

    name: str
    errors: str = "strict"
    note: str | None = None


def read_text_table(
    path: Path, *, encoding: str | None, delimiter: str | None, header_row: int | None
) -> RawTable:
    """Read delimited text; every value stays text, blanks are missing.

    Rows with more filled fields than the header are in `bad_rows`; shorter ones are kept, their
    last fields missing, and counted in a note.
    """
    chosen = declared_encoding(path, encoding) if encoding else detected_encoding(path)
    csv.field_size_limit(MOST_SIGNS)
    if delimiter is not None and len(delimiter) != 1:
        raise BadInput(f"{path}: delimiter must be one character, got {delimiter!r}.")
    notes = [chosen.note] if chosen.note else []
    with as_text(path, chosen) as source:
        mark = delimiter or sniffed_delimiter(source.read(SAMPLE_BYTES))
        source.seek(0)
        records = reader(lines(path, source), mark)
        peeked = list(islice(records, PEEK_ROWS))
        shown = peeked[:-1] if peeked[-1] == END else peeked
        layout = find_layout(shown, path, header_row, ragged=True)
        rows = chain(peeked[layout.first_data_row - 1 :], records)
        frame, bad_rows, ragged = gathered(rows, layout)
    refuse_mostly_bad(path, len(frame), bad_rows, mark)
    if mark != ",":
        notes.append(f"fields are separated by {'tab' if mark == chr(9) else repr(mark)}")
    notes += [*layout.notes, *ragged]
    return RawTable(
        frame=frame, path=path, notes=tuple(notes), bad_rows=tuple(bad_rows), hxl=layout.hxl
    )


@contextmanager
def as_text(path: Path, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    """Open a text table; what its bytes or its rows break is said with the file."""
    try:
        with path.open(encoding=encoding.name, errors=encoding.errors, newline="") as source:
            yield source
    except UnicodeError as error:
        raise UnreadableSource(
            path, f"is not {encoding.name} text ({error}). Declare its encoding."
        ) from error
    except csv.Error as error:
        raise UnreadableSource(
            path, f"cannot be read as a table ({error}). Mend the row."
        ) from error


def declared_encoding(path: Path, name: str) -> Encoding:
    """Take the encoding the user declares; refuse a name Python does not know."""
    try:
        known = codecs.lookup(name).name
        io.TextIOWrapper(io.BytesIO(), encoding=known)  # refuses codecs of no text, as rot13
    except LookupError as error:
        raise BadInput(
            f"{path}: no encoding is called {name!r}. Use utf-8, cp1252, latin-1 ..."
        ) from error
    return Encoding("utf-8-sig" if known == "utf-8" else known)


def detected_encoding(path: Path) -> Encoding:
    """Find the encoding: byte-order mark, then strict UTF-8, then the likeliest other."""
    with path.open("rb") as source:
        head = source.read(SAMPLE_BYTES)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return Encoding(name, note=None if name == "utf-8-sig" else f"text is {name.upper()}")
    for name, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if high.count(0) > 0.4 * len(high) and readable(head, name):
            return Encoding(name, note="text is UTF-16 without a byte-order mark")
    if b"\x00" in head:
        raise UnreadableSource(path, "is not a text table: it holds binary data. Check the file.")
    foreign, accented, odd = bytearray(), 0, 0
    with path.open("rb") as source:
        while line := source.readline(LONGEST_LINE):
            refuse_endless(path, line)
            try:
                accented += not line.isascii() and bool(line.decode("utf-8"))
            except UnicodeDecodeError:
                odd += 1
                foreign += line[: SAMPLE_BYTES - len(foreign)]
    if not odd:
        return Encoding("utf-8")
    if accented > 20 * odd:
        return Encoding(
            "utf-8", "replace", f"{odd} lines are not UTF-8 text: the odd bytes are shown as \ufffd"
        )
    return guessed_encoding(path, bytes(foreign))


def readable(head: bytes, name: str) -> bool:
    """Whether bytes decode to text with line ends and hardly a control character."""
    text = head[: len(head) // 2 * 2].decode(name, "replace")
    control = sum(not sign.isprintable() and sign not in "\t\r\n\f\ufeff" for sign in text)
    return "\n" in text and control <= 0.02 * len(text)


def guessed_encoding(path: Path, foreign: bytes) -> Encoding:
    """Guess among 8-bit encodings from the lines that are not UTF-8."""
    control = sum(foreign.count(code) for code in range(32) if code not in b"\t\n\r\f")
    best = charset_normalizer.from_bytes(foreign, cp_isolation=LIKELY).best()
    if control > 0.02 * len(foreign):
        raise UnreadableSource(path, "is not a text table: it holds binary data. Check the file.")
    name = best.encoding if best else "cp1252"
    if name in WESTERN:
        name = "latin-1" if any(code in foreign for code in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    return Encoding(
        name, note=f"text is not UTF-8; read as {name}. Declare encoding if names look wrong"
    )


def sniffed_delimiter(sample: str) -> str:
    """Choose the delimiter under which most rows have one and the same number of fields."""

    def score(mark: str) -> tuple[float, int]:
        rows = [row for row in islice(lenient(sample, mark), PEEK_ROWS) if row]
        widths = Counter(len(row) for row in rows)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        return (count / max(len(rows), 1) if width > 1 else 0.0, width)

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] > 0 else ","


def lenient(sample: str, mark: str) -> Iterator[list[str]]:
    """Read a sample that may end inside a quoted field."""
    return csv.reader(sample.splitlines(keepends=True), delimiter=mark)


def lines(path: Path, source: io.TextIOBase) -> Iterable[str]:
    """Walk the lines of a text; one that could be endless is refused before it is all read."""
    if path.stat().st_size < LONGEST_LINE:
        return source
    return bounded_lines(path, source)


def bounded_lines(path: Path, source: io.TextIOBase) -> Iterator[str]:
    """Walk lines, none longer than a table has."""
    while line := source.readline(LONGEST_LINE):
        refuse_endless(path, line)
        yield line


def refuse_endless(path: Path, line: str | bytes) -> None:
    """Refuse a line that was cut because it would not end."""
    if len(line) >= LONGEST_LINE:
        raise UnreadableSource(
            path, f"has a line of more than {LONGEST_LINE >> 20} million signs: no text table."
        )


def reader(source: Iterable[str], mark: str) -> Iterator[list[str]]:
    """Read records, END last; a quote that never closes swallows END, and so betrays itself."""
    return csv.reader(chain(source, END), delimiter=mark)


def gathered(
    rows: Iterator[list[str]], layout: Layout
) -> tuple[pd.DataFrame, list[tuple[int, str]], list[str]]:
    """Turn records into columns of stripped text, a chunk at a time."""
    width, number = len(layout.names), layout.first_data_row
    found = Ragged()
    chunks: list[pa.Table] = []
    schema = pa.schema([(str(i), pa.string()) for i in range(width)] + [("row", pa.int64())])
    closed = False
    while chunk := list(islice(rows, CHUNK_ROWS)):
        closed = chunk[-1] == END
        if closed:
            chunk.pop()
        kept, numbers = found.fitted(chunk, number, width)
        number += len(chunk)
        columns = [trimmed(pa.array(column, pa.string())) for column in zip(*kept, strict=True)]
        if kept:
            chunks.append(pa.table([*columns, pa.array(numbers, pa.int64())], schema=schema))
    if not closed:
        raise csv.Error(f"row {number - 1}: a quote opens that never closes")
    table = pa.concat_tables(chunks) if chunks else schema.empty_table()
    frame = table.drop_columns(["row"]).to_pandas()
    frame.columns = pd.Index(layout.names)
    frame.index = pd.Index(table["row"].to_numpy(), name="source_row", dtype="int64")
    return frame, found.bad, found.notes()


class Ragged:
    """Rows that do not have the header's width, as they are met."""

    def __init__(self) -> None:
        self.bad: list[tuple[int, str]] = []
        self.short: list[int] = []
        self.blank = 0
        self.trailing = 0
        self.filled_up = 0

    def fitted(
        self, chunk: list[list[str]], first: int, width: int
    ) -> tuple[list[list[str]], Sequence[int]]:
        """Keep the rows that fit or can be filled up, with their numbers."""
        if set(map(len, chunk)) == {width} and all(map(any, chunk)):
            self.blank, self.trailing = self.blank + self.trailing, 0
            return chunk, range(first, first + len(chunk))
        kept, numbers = [], []
        for number, row in enumerate(chunk, first):
            filled = max((i for i, cell in enumerate(row, 1) if cell.strip()), default=0)
            if not filled:
                self.trailing += 1
                continue
            self.blank, self.trailing = self.blank + self.trailing, 0
            if filled > width:
                self.bad.append((number, f"{len(row)} fields where the header has {width}"))
                continue
            if len(row) < width:
                self.short.append(number)
                self.filled_up += width - len(row)
                if self.filled_up > MOST_FILLED_UP:
                    raise csv.Error(
                        f"row {number}: rows are far shorter than the {width} columns of the header"
                    )
            kept.append([*row[:width], *[""] * (width - len(row))])
            numbers.append(number)
        return kept, numbers

    def notes(self) -> list[str]:
        """Say what did not fit."""
        notes = []
        if self.short:
            notes.append(
                f"{len(self.short)} rows have fewer fields than the header (first: row "
                f"{self.short[0]}); their last fields are read as missing"
            )
        if self.bad:
            notes.append(
                f"{len(self.bad)} rows have more fields than the header and are left out "
                f"(first: row {self.bad[0][0]})"
            )
        if self.blank:
            notes.append(f"{self.blank} blank rows between others are left out")
        return notes


def refuse_mostly_bad(path: Path, good: int, bad: list[tuple[int, str]], mark: str) -> None:
    """Refuse a table most of whose rows do not fit its header: it was cut up wrongly."""
    if len(bad) > good:
        row, why = bad[0]
        raise UnreadableSource(
            path,
            f"{len(bad)} of {len(bad) + good} rows do not fit the header (row {row}: {why}, cut at "
            f"{mark!r}). Declare delimiter or header_row.",
        )


def trimmed(column: pa.Array) -> pa.Array:
    """Strip white space; what is left empty is missing."""
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
