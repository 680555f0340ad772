"""DuckDB within limits: the only room of DuckDB."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pocgeo.ground.errors import BadInput

__all__ = ["connect", "copied", "literal", "query"]


@contextmanager
def connect(memory: str = "1GB", threads: int = 1, scratch: Path | None = None) -> Iterator[Any]:
    """Open an in-memory DuckDB that keeps to its limits, and close it.

    Parameters
    ----------
    memory : str
        As DuckDB spells it: "500MB", "2GB". Beyond it DuckDB spills to a scratch folder.
    threads : int
    scratch : Path, optional
        Folder in which the scratch folder is made; the system's where not given.

    Raises
    ------
    BadInput
        A limit that DuckDB does not understand.
    """
    with tempfile.TemporaryDirectory(prefix="pocgeo-", dir=scratch) as spill:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "threads": str(threads),
            "temp_directory": spill,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        try:
            connection = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise BadInput(
                f"DuckDB refuses memory {memory!r}, threads {threads}: {reason}"
            ) from error
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


def literal(path: Path | str) -> str:
    """Write a path as SQL text: quotes in it stay quotes."""
    return "'" + str(path).replace("'", "''") + "'"


def copied(connection: Any, sql: str, out: Path, row_group: int) -> None:
    """Write the answer of a query as Parquet, a row group at a time.

    DuckDB's own writer lets the bytes hang on how the rows came to it; here they hang on the rows.
    """
    answer = connection.sql(sql)
    reader = getattr(answer, "to_arrow_reader", None) or answer.fetch_arrow_reader  # before 2.0
    held: list[pa.RecordBatch] = []
    with reader(row_group) as batches:
        options = {"compression": "zstd", "write_page_checksum": True}
        with pq.ParquetWriter(out, batches.schema, **options) as writer:
            for batch in batches:
                held.append(batch)
                if sum(each.num_rows for each in held) >= row_group:
                    whole = pa.Table.from_batches(held).combine_chunks()
                    writer.write_table(whole.slice(0, row_group).combine_chunks())
                    held = whole.slice(row_group).to_batches()
            if sum(each.num_rows for each in held):
                writer.write_table(pa.Table.from_batches(held).combine_chunks())


def query(
    sql: str,
    tables: Mapping[str, Path | Sequence[Path] | pd.DataFrame],
    *,
    memory: str = "1GB",
    threads: int = 1,
) -> pd.DataFrame:
    """Answer one SQL query over tables of the store and tables in memory.

    Parameters
    ----------
    sql : str
        A SELECT. It is code: never made from a user's text.
    tables : mapping
        Name in the query to a Parquet file or several of one kind, or to a DataFrame.
    """
    with connect(memory, threads) as connection:
        for name, table in tables.items():
            if isinstance(table, pd.DataFrame):
                connection.register(name, table)
            else:
                files = [table] if isinstance(table, Path) else table
                connection.read_parquet([str(file) for file in files]).create_view(name)
        answer: pd.DataFrame = connection.execute(sql).df()
        return answer
