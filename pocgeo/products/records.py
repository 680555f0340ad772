"""What a briefing remembers of itself, so that the next one can say what changed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pocgeo.ground.errors import BadInput, MissingFile, UnreadableSource
from pocgeo.products.manifest import plain_json
from pocgeo.products.released import Released

__all__ = ["RECORD_NAME", "Record", "inputs_changed", "parsed", "read_record", "record_of"]

RECORD_NAME = "pocgeo-record"
"""Under this name the record lies in the page, as JSON."""

RECORDED = {
    "coverage": ("area_key", "area", "gap_persons"),
    "gaps": ("gap_area_id", "place", "gap_persons"),
    "proximity": ("base_id", "name", "people_persons", "incidents_inside"),
    "flagged": ("cell", "settlement", "disk_incidents"),
}
"""Finding -> columns kept. All have passed the gate for the audience of the briefing."""

MOST_ROWS = 2_000
MOST_BYTES = 200_000_000
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an earlier briefing said."""

    audience: str
    cut_off_on: date
    period: tuple[date, date]
    inputs: Mapping[str, tuple[str, ...]]
    """Layer -> digests of its files."""

    tables: Mapping[str, pd.DataFrame]


def record_of(
    tables: Mapping[str, Released],
    *,
    audience: str,
    cut_off_on: date,
    period: tuple[date, date],
    inputs: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Write down what a briefing says, as plain JSON.

    Parameters
    ----------
    tables : mapping of finding to Released
        Others than those of `RECORDED` are left out.
    period : first and last day over which incidents are counted
    inputs : layer -> digests of its files
    """
    kept = {}
    for name, columns in RECORDED.items():
        if name not in tables:
            continue
        table = keyed(name, pd.DataFrame(tables[name].table))
        there = [column for column in columns if column in table]
        if columns[0] in there:
            rows = table[there].head(MOST_ROWS)
            kept[name] = {"columns": there, "rows": plain_json(rows.to_numpy().tolist())}
    return {
        "format": FORMAT,
        "audience": audience,
        "cut_off_on": cut_off_on.isoformat(),
        "period": [day.isoformat() for day in period],
        "inputs": {name: list(digests) for name, digests in inputs.items()},
        "tables": kept,
    }


def keyed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Give a table the column that names its rows for good."""
    if name == "coverage" and {"area_kind", "area_id"} <= set(table):
        key = table["area_kind"].astype(str) + ":" + table["area_id"].astype(str)
        return table.assign(area_key=key)
    if "cell" in table:
        return table.assign(cell=table["cell"].astype(str))
    return table


def read_record(path: Path | str) -> Record:
    """Read what an earlier briefing said, from its HTML.

    The file may come from anywhere: it is parsed as JSON, never run, and every part is checked.

    Raises
    ------
    MissingFile, UnreadableSource
        There is no such file, or it cannot be a briefing.
    BadInput
        It has no record, or one of another shape.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile("Earlier briefing", path)
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableSource(path, "is larger than any briefing. Name the HTML of a briefing.")
    try:
        page = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableSource(path, "is not UTF-8 text. Name the HTML of a briefing.") from error
    found = re.search(rf'<script type="application/json" id="{RECORD_NAME}">([^<]*)</script>', page)
    if found is None:
        raise BadInput(
            f"{path}: no record of an earlier briefing in it. Name an HTML that pocgeo brief made."
        )
    try:
        return parsed(json.loads(found[1]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{path}: its record has a shape this version does not know. Make the earlier briefing "
            "again with this version (--as-of its day)."
        ) from error


def parsed(said: Mapping[str, Any]) -> Record:
    """Turn a record's JSON into tables; raises a ValueError of Python where it does not fit."""
    if said["format"] != FORMAT:
        raise ValueError("another format")
    tables = {}
    for name, columns in RECORDED.items():
        if name not in said["tables"]:
            continue
        part = said["tables"][name]
        there = [column for column in part["columns"] if column in columns]
        if len(there) != len(part["columns"]):
            raise ValueError("columns of no record")
        tables[name] = pd.DataFrame(part["rows"], columns=there)
    first, last = (date.fromisoformat(day) for day in said["period"])
    return Record(
        audience=str(said["audience"]),
        cut_off_on=date.fromisoformat(said["cut_off_on"]),
        period=(first, last),
        inputs={str(k): tuple(map(str, v)) for k, v in said["inputs"].items()},
        tables=tables,
    )


def inputs_changed(then: Record, now: Record) -> str:
    """Say in one sentence which layers have other data than the earlier briefing had."""
    names = sorted({*then.inputs, *now.inputs})
    changed = [name for name in names if then.inputs.get(name) != now.inputs.get(name)]
    if not changed:
        return "All layers are the same files as then."
    words = ", ".join(name.replace("_", " ") for name in changed)
    return f"Other data than then: {words}. All other layers are the same files."
