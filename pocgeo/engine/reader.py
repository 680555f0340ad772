"""Short questions to the tables of a store, answered by DuckDB from the files themselves.

A reader opens each table once and keeps to it: a table that is replaced meanwhile is the new one's
business, and all answers of one reader are of one state.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import pandas as pd

from pocgeo.engine.duck import connect
from pocgeo.engine.store import Store
from pocgeo.ground.errors import BadInput, MissingFile, UnknownName

__all__ = ["StoreReader"]

OPEN_FILES = "/dev/fd"
"""Where the system shows what a process holds open: the file, whatever its name leads to now."""


class StoreReader:
    """Answers questions to stored tables; use it in a `with` statement."""

    def __init__(self, store: Store, *, memory: str = "1GB", threads: int = 2) -> None:
        """Open DuckDB; tables are opened when first asked for.

        Parameters
        ----------
        store : Store
        memory : str
            As DuckDB spells it.
        threads : int
        """
        self.store = store
        self._open = ExitStack()
        self._connection = self._open.enter_context(connect(memory, threads))
        # A table is held open by its handle and its bytes never change: its layout is read once.
        self._connection.execute("SET parquet_metadata_cache = true")
        self._columns: dict[str, list[str]] = {}

    def __enter__(self) -> "StoreReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of DuckDB and the files."""
        self._open.close()

    def columns(self, table: str) -> list[str]:
        """Name the columns of a table; opens it.

        Raises
        ------
        MissingFile
            There is no such table.
        BadInput
            The file is damaged.
        """
        if table not in self._columns:
            path = self.store.path(table)
            try:
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise MissingFile(f"Table {table} of the store", path) from None
            self._open.callback(os.close, handle)
            try:
                held = self._connection.read_parquet(f"{OPEN_FILES}/{handle}")
            except Exception as error:  # DuckDB's own, of many kinds
                reason = str(error).splitlines()[0][:200]
                raise BadInput(f"{path}: the table is damaged ({reason}). Index again.") from error
            held.create_view(f"stored_{table}")
            self._columns[table] = list(held.columns)
        return self._columns[table]

    def top(self, table: str, by: str, count: int = 20) -> pd.DataFrame:
        """Give the rows with the greatest values of a column, all columns of them.

        Equal values come in the order of their cells; missing values never come.
        """
        by = self.quoted(table, by)
        ties = ", cell" if "cell" in self.columns(table) else ""
        return self.answer(
            f"SELECT * FROM stored_{table} WHERE {by} IS NOT NULL "
            f"ORDER BY {by} DESC{ties} LIMIT {int(count)}"
        )

    def sums(self, table: str, by: str, of: Sequence[str]) -> pd.DataFrame:
        """Add up columns by the values of another (admin area, AOR), sorted by it.

        A sum is missing where every value is.
        """
        by = self.quoted(table, by)
        added = ", ".join(f"sum({self.quoted(table, name)}) AS {quote(name)}" for name in of)
        return self.answer(
            f"SELECT {by}, count(*) AS cells_n, {added} FROM stored_{table} GROUP BY {by} "
            f"ORDER BY {by} NULLS LAST"
        )

    def box(self, table: str, bounds: tuple[float, float, float, float]) -> pd.DataFrame:
        """Give the cells whose centres lie in a box.

        Parameters
        ----------
        bounds : west, south, east, north; degrees, EPSG:4326. West of 180 E and east of it: a
            box with west greater than east crosses that line.
        """
        west, south, east, north = map(float, bounds)
        lon, lat = self.quoted(table, "lon"), self.quoted(table, "lat")
        inside = f"{lon} BETWEEN ? AND ?" if west <= east else f"({lon} >= ? OR {lon} <= ?)"
        found = self.answer(
            f"SELECT * FROM stored_{table} WHERE {inside} AND {lat} BETWEEN ? AND ?",
            [west, east, south, north],
        )
        return found.sort_values("cell", kind="stable", ignore_index=True)

    def of_cell(self, table: str, cell: int) -> pd.DataFrame:
        """Give all rows of one cell: its line of a cell table, or its days, its incidents."""
        self.quoted(table, "cell")
        return self.answer(f"SELECT * FROM stored_{table} WHERE cell = ?", [int(cell)])

    def quoted(self, table: str, column: str) -> str:
        """Write a column's name as SQL; refuse one that the table does not have."""
        known = self.columns(table)
        if column not in known:
            raise UnknownName(f"column of {table}", column, known)
        return quote(column)

    def answer(self, sql: str, given: Sequence[Any] = ()) -> pd.DataFrame:
        """Run a query of this module."""
        found: pd.DataFrame = self._connection.execute(sql, list(given)).df()
        return found


def quote(name: str) -> str:
    """Write a name as SQL: quotes in it stay quotes."""
    return '"' + name.replace('"', '""') + '"'
