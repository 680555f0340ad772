"""DuckDB within limits: the only room of DuckDB."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pocgeo.ground.errors import BadInput

__all__ = ["connect", "query"]


@contextmanager
def connect(memory: str = "1GB", threads: int = 1) -> Iterator[Any]:
    """Open an in-memory DuckDB that keeps to its limits, and close it.

    Parameters
    ----------
    memory : str
        As DuckDB spells it: "500MB", "2GB". Beyond it DuckDB spills to a scratch folder.
    threads : int

    Raises
    ------
    BadInput
        A limit that DuckDB does not understand.
    """
    with tempfile.TemporaryDirectory(prefix="pocgeo-") as scratch:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "threads": str(threads),
            "temp_directory": scratch,
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


def query(
    sql: str, tables: Mapping[str, Path | pd.DataFrame], *, memory: str = "1GB", threads: int = 1
) -> pd.DataFrame:
    """Answer one SQL query over tables of the store and tables in memory.

    Parameters
    ----------
    sql : str
        A SELECT. It is code: never made from a user's text.
    tables : mapping
        Name in the query to a Parquet file, or to a DataFrame.
    """
    with connect(memory, threads) as connection:
        for name, table in tables.items():
            if isinstance(table, pd.DataFrame):
                connection.register(name, table)
            else:
                connection.read_parquet(str(table)).create_view(name)
        answer: pd.DataFrame = connection.execute(sql).df()
        return answer
