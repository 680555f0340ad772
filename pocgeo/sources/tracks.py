"""Tracks of patrols to rows of fixes: GPX, telemetry tables, GeoParquet."""

from pathlib import Path

from pocgeo.sources.archives import content_kind
from pocgeo.sources.gpx import read_gpx
from pocgeo.sources.raw import RawTable
from pocgeo.sources.tabular import read_table

__all__ = ["read_tracks"]


def read_tracks(
    path: Path | str,
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
    crs: str | None = None,
) -> RawTable:
    """Read fixes from a file, whatever its format.

    GPX comes with the columns of `pocgeo.sources.gpx.read_gpx`. Anything else is a table whose
    columns keep their own names (point geometry of Parquet also becomes `lon`, `lat`); which of
    them is the time or the unit is for the layer to say. A file of bare `lat lon occupied
    unixtime` is read with delimiter = " " and header_row = 0, its columns called column_1 ...

    Raises
    ------
    MissingFile, UnreadableSource, BadInput
        One line: what, where, what to do.
    """
    path = Path(path)
    if content_kind(path) == "text" and (path.suffix.lower() == ".gpx" or begins_with_tag(path)):
        return read_gpx(path)
    return read_table(
        path, sheet=sheet, encoding=encoding, delimiter=delimiter, header_row=header_row, crs=crs
    )


def begins_with_tag(path: Path) -> bool:
    """Say whether a text file begins as XML does."""
    with path.open("rb") as source:
        return source.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
