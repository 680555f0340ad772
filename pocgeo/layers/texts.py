"""Raw columns as plain text: stripped, missing where nothing is known, matched against lists."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.layers.columns import find_column, first_column
from pocgeo.layers.spec import ValueRule

__all__ = ["as_text", "matches", "one_of", "rows_where", "said_unknown", "truth", "written"]

NOTHING = ("", "na", "n/a", "nan", "none", "null", "nat", "<na>")
"""Texts that mean an empty cell in any column, lower case."""

UNKNOWN = ("unknown", "not known", "unk", "?", "-", "--", "n.a.", "tbd", "tbc", "inconnu")
"""Texts that mean not known in a column of numbers or dates, lower case."""

Mask = NDArray[np.bool_]
BYTES = ("bytes", "mixed")


def as_text(column: pd.Series) -> pd.Series:
    """Write a column as text without white space around; whole floats without a point; NA if empty.

    Cells may be of any type, as workbooks and Parquet have them. Booleans become true and false.
    """
    if isinstance(column.dtype, pd.StringDtype):
        text = column.astype("string")
    elif pd.api.types.is_bool_dtype(column.dtype):
        text = column.map({True: "true", False: "false"}).astype("string")
    elif pd.api.types.is_integer_dtype(column.dtype):
        text = column.astype("string")
    else:
        try:
            text = written(column.map(cell_text, na_action="ignore"))
        except UnicodeError:
            text = written(column)
    text = text.str.strip()
    return text.mask(text.str.lower().isin(NOTHING))


def written(column: pd.Series) -> pd.Series:
    """Take cells as text; bytes and halves of a character are shown as far as they are text."""
    try:
        if column.dtype == object and pd.api.types.infer_dtype(column) in BYTES:
            column = column.map(decoded, na_action="ignore")
        return column.astype("string")
    except UnicodeError:
        whole = [None if pd.isna(cell) else whole_signs(decoded(cell)) for cell in column]
        return pd.Series(whole, index=column.index, dtype="string")


def decoded(cell: object) -> object:
    """Read bytes as UTF-8, odd ones replaced."""
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell


def whole_signs(cell: object) -> str:
    """Replace halves of a character, which no encoding can hold."""
    return str(cell).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cell_text(cell: object) -> object:
    """Write one cell of a mixed column."""
    if isinstance(cell, bytes):
        return decoded(cell)
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def truth(claims: pd.Series) -> Mask:
    """Turn a boolean column into a mask of its own; unknown counts as false."""
    return np.array(claims.fillna(value=False), dtype=bool)


def said_unknown(text: pd.Series, more: Iterable[str] = ()) -> Mask:
    """Mark the texts that say that a number or day is not known."""
    known = [*UNKNOWN, *(word.lower() for word in more)]
    return truth(text.str.lower().isin(known))


def one_of(text: pd.Series, wanted: Iterable[str]) -> Mask:
    """Mark the texts that equal one of several, case aside."""
    words = [word.lower() for word in wanted]
    return truth(text.str.lower().isin(words))


def rows_where(
    frame: pd.DataFrame, where: Mapping[str, Iterable[str]], key: str, path: object
) -> Mask:
    """Mark the rows in which every named column holds one of its texts.

    Raises
    ------
    BadInput
        A named column does not exist.
    """
    chosen = np.ones(len(frame), dtype=bool)
    for name, wanted in where.items():
        column = find_column(name, frame.columns, path, key)  # type: ignore[arg-type]
        chosen &= one_of(as_text(frame[column]), wanted)
    return chosen


def matches(frame: pd.DataFrame, rule: ValueRule) -> Mask:
    """Mark the rows in which a rule holds; a column that the file lacks holds nothing."""
    chosen = np.ones(len(frame), dtype=bool)
    for name, wanted in rule.when.items():
        column = first_column([name], map(str, frame.columns))
        chosen &= one_of(as_text(frame[column]), wanted) if column else False
    if rule.column is None:
        return chosen
    column = first_column([rule.column], map(str, frame.columns))
    if column is None:
        return np.zeros(len(frame), dtype=bool)
    text = as_text(frame[column])
    found = one_of(text, rule.equals)
    if rule.prefix:
        starts = text.str.lower().str.startswith(tuple(word.lower() for word in rule.prefix))
        found |= truth(starts)
    folded = text.str.lower()
    for word in rule.contains:
        holds = folded.str.contains(word.lower(), regex=False)
        found |= truth(holds)
    return chosen & found
