"""Small promises about tables: columns present, standard and provenance attached."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import pandas as pd

from pocgeo.ground.errors import MissingColumns

__all__ = ["plain", "require_columns", "with_standard"]

Frame = TypeVar("Frame", bound=pd.DataFrame)


def require_columns(table: pd.DataFrame, name: str, columns: Iterable[str]) -> None:
    """Refuse a table that lacks a column; `name` is what the message calls the table."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise MissingColumns(name, missing, table.columns)


def with_standard(table: Frame, question: str, **standards: Any) -> Frame:
    """Attach the question and the standards it was asked with to `table.attrs`.

    Values become plain text, numbers and lists, so that pandas can compare and copy them.
    """
    table.attrs["question"] = question
    table.attrs["standard"] = {key: plain(value) for key, value in standards.items()}
    return table


def plain(value: Any) -> Any:
    """Turn dataclasses, sets, dates and tuples into what JSON can hold, in a stable order."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
