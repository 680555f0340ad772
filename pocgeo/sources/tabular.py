"""Tables of any common format to rows of raw values: CSV, TSV, XLSX, XLS, Parquet."""

from pathlib import Path

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.archives import content_kind
from pocgeo.sources.parquet import read_parquet
from pocgeo.sources.raw import RawTable
from pocgeo.sources.text_table import read_text_table
from pocgeo.sources.workbook import read_workbook

__all__ = ["RawTable", "read_table"]

NO_TABLE = {
    "gzip": "is gzip-compressed. Unpack it first.",
    "pdf": "is a PDF. Ask for the table behind it, or copy it into a spreadsheet.",
    "tiff": "is a raster, not a table.",
    "picture": "is a picture, not a table.",
    "sqlite": "is a database, not a table. A GeoPackage is read as a vector layer.",
    "shapefile": "is a Shapefile, not a table. It is read as a vector layer.",
    "flatgeobuf": "is a FlatGeobuf, not a table. It is read as a vector layer.",
}


def read_table(
    path: Path | str,
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
    crs: str | None = None,
) -> RawTable:
    """Read a table, whatever its format, without saying what its columns mean.

    The format is known by the bytes, not by the name. Text stays text (stripped; blank is
    missing); cells of workbooks and Parquet columns keep their types. What was detected, assumed
    or left out is in `notes`; rows that do not fit the header are in `bad_rows`.

    Parameters
    ----------
    path : Path
        CSV, TSV or other delimited text; XLSX; XLS; Parquet or GeoParquet.
    sheet : str or int, optional
        Name or number (from 1) of the sheet.
    encoding, delimiter : str, optional
        For text. What is declared wins over what is detected.
    header_row : int, optional
        Row of the header, from 1; 0 where there is none (columns are then column_1 ...).
    crs : str, optional
        For Parquet with geometry that states no CRS.

    Raises
    ------
    MissingFile, UnreadableSource, BadInput
        One line: what, where, what to do.
    """
    path = Path(path)
    kind = content_kind(path)
    if kind == "parquet":
        return read_parquet(path, crs=crs)
    if kind in {"zip", "ole"}:
        return read_workbook(path, kind, sheet=sheet, header_row=header_row)
    if kind in NO_TABLE:
        raise UnreadableSource(path, NO_TABLE[kind])
    if path.suffix.lower() in {".xls", ".xlsx", ".xlsm"}:
        refuse_disguise(path)
    return read_text_table(path, encoding=encoding, delimiter=delimiter, header_row=header_row)


def refuse_disguise(path: Path) -> None:
    """Refuse web pages that call themselves workbooks, as some systems export them."""
    with path.open("rb") as source:
        head = source.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<"):
        raise UnreadableSource(path, "is a web page named as a workbook. Open it, save as .xlsx.")
