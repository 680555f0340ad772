"""Indicators by month and area, each with a written definition, comparable between periods."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pandas as pd

from pocgeo.analyses.measures import coverage_measures, incident_measures, presence_measures
from pocgeo.analyses.series import KEYS, IndicatorRecord, IndicatorStandard, areas_of
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns, with_standard

__all__ = [
    "IndicatorDefinition",
    "IndicatorRecord",
    "IndicatorStandard",
    "indicator_definitions",
    "indicators",
]

UNITS = ("persons", "incidents", "hours", "days", "share")
BETTER = ("higher", "lower", "neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorDefinition:
    """What an indicator counts, in words that outlast whoever drew it up."""

    name: str
    """Id in tables."""

    title: str
    """Heading for people."""

    definition: str
    """What is counted, over what."""

    unit: str
    """persons, incidents, hours, days or share."""

    better: str
    """Which way is better for civilians: higher, lower, neither."""

    source: str
    """Paragraph of the doctrine that asks for it, or "house"."""

    method: str
    """How it is worked out, and what it does not see."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UnknownName("unit of an indicator", self.unit, UNITS)
        if self.better not in BETTER:
            raise UnknownName("direction of an indicator", self.better, BETTER)


def indicator_definitions(
    declared: Mapping[str, Any], where: str = "standards/indicators.toml"
) -> dict[str, IndicatorDefinition]:
    """Read the definitions, once parsed.

    Raises
    ------
    BadInput
        A definition lacks an entry or has one that is not known; the message names `where`.
    """
    found = {}
    for name, entry in declared.items():
        try:
            found[name] = IndicatorDefinition(name=name, **entry)
        except TypeError as error:
            said = str(error).partition("__init__() ")[2] or str(error)
            raise BadInput(f"{where}: indicator {name!r}: {said}. Mend that entry.") from error
    return found


def indicators(
    record: IndicatorRecord,
    standard: IndicatorStandard,
    definitions: Mapping[str, IndicatorDefinition],
) -> pd.DataFrame:
    """Work out every indicator for every month and area.

    Parameters
    ----------
    record : IndicatorRecord
    standard : IndicatorStandard
    definitions : mapping of id to definition
        standards/indicators.toml through `indicator_definitions`.

    Returns
    -------
    DataFrame, one row per month, area, indicator and category, sorted by them
        `month_on` (first day), `area_kind` (AOI, AOR, admin 1), `area_id`, `area`,
        `indicator`, `category` (perpetrator or standard; "all"), `value` (NA: unknown),
        `unit`, `n` (records or cells it rests on), `n_unknown` (records it could not use),
        `method`, `break` (what changed in input or method that month; NA: nothing).

    Raises
    ------
    UnknownName
        An indicator has no definition.
    MissingColumns
        A table lacks its keys.
    """
    table = laid_out(record, standard, definitions)
    last = standard.months[-1]
    if standard.as_of_on < last + pd.offsets.MonthEnd(0):
        running = table["month_on"] == last
        table.loc[running, "method"] += f" Month to date, up to {standard.as_of_on:%Y-%m-%d}."
    table["break"] = breaks(table, record.changes)
    order = [*KEYS, "area", "indicator", "category", "value", "unit"]
    table = table[[*order, "n", "n_unknown", "method", "break"]]
    table = table.sort_values([*KEYS, "indicator", "category"], ignore_index=True)
    return with_standard(table, "indicators", standard=standard)


def laid_out(
    record: IndicatorRecord,
    standard: IndicatorStandard,
    definitions: Mapping[str, IndicatorDefinition],
) -> pd.DataFrame:
    """Put every measure under the next, with its definition and the names of its areas."""
    parts = []
    for name, table in chain(
        incident_measures(record, standard),
        presence_measures(record, standard),
        coverage_measures(record, standard),
    ):
        if name not in definitions:
            raise UnknownName("indicator definition", name, definitions)
        said = definitions[name]
        parts.append(table.reset_index().assign(indicator=name, unit=said.unit, method=said.method))
    table = pd.concat(parts, ignore_index=True)
    table[["n", "n_unknown"]] = table[["n", "n_unknown"]].fillna(0.0)
    names = areas_of(record.cells)[["area_kind", "area_id", "area"]]
    names = names.drop_duplicates(["area_kind", "area_id"])
    table = table.merge(names, on=["area_kind", "area_id"], how="left", validate="many_to_one")
    return table.assign(area=table["area"].fillna("no area"))


def breaks(table: pd.DataFrame, changes: pd.DataFrame | None) -> pd.Series:
    """Say in the month of a change what changed, on every series it touches."""
    said = pd.Series(None, index=table.index, dtype=object)
    if changes is None:
        return said
    require_columns(changes, "changes", ["changed_on", "indicator", "what"])
    known = set(table["indicator"])
    ordered = changes.sort_values(["changed_on", "what"])
    month = pd.to_datetime(ordered["changed_on"]).dt.to_period("M").dt.to_timestamp()
    for month_on, name, what in zip(month, ordered["indicator"], ordered["what"], strict=True):
        if name != "all" and name not in known:
            raise UnknownName("indicator", str(name), known)
        here = table["month_on"] == month_on
        if name != "all":
            here &= table["indicator"] == name
        said[here] = [str(what) if pd.isna(old) else f"{old}; {what}" for old in said[here]]
    return said
