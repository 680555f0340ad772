"""What a product was made from: inputs, parameters, load report, versions, cut-off."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from math import isfinite
from typing import Any

import pandas as pd

from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import plain
from pocgeo.ground.provenance import made_at, versions
from pocgeo.products.phrasing import clean

__all__ = [
    "InputFact",
    "Making",
    "as_json",
    "manifest",
    "manifest_html",
    "outward",
    "plain_json",
]

FORMAT = 1
"""Version of the manifest's own shape."""

INWARD = ("inputs", "load_report", "aoi_folder", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFact:
    """One file that was read."""

    layer: str
    """Layer it fed."""

    source: str
    """File name, without its folder."""

    digest: str
    """SHA-256 of its bytes, hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Everything a manifest says beside the versions and the moment."""

    aoi: Mapping[str, Any]
    """Facts of the AOI: name, resolution, period, time zone, marking."""

    inputs: Sequence[InputFact] = ()
    """Files read."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What was asked: standards, filters, `as_of`."""

    load_report: pd.DataFrame | None = None
    """`LoadReport.summary`: layer, source, rows, accepted, repaired, rejected, not_asked_for."""

    cut_off_on: date | None = None
    """Last day the data could know of."""


def manifest(
    making: Making,
    *,
    at: datetime | None = None,
    packages: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write down what a product was made from, as plain JSON in a stable order.

    Parameters
    ----------
    making : Making
    at : datetime, optional
        Aware moment; now (or SOURCE_DATE_EPOCH) if left out.
    packages : mapping, optional
        Versions; those installed if left out.

    Raises
    ------
    BadInput
        `at` has no time zone.
    """
    moment = at or made_at()
    if moment.tzinfo is None:
        raise BadInput("at: a manifest needs a moment with a time zone.")
    inputs = sorted(making.inputs, key=lambda fact: (fact.layer, fact.source, fact.digest))
    report = making.load_report
    return {
        "manifest_format": FORMAT,
        "made_at": moment.isoformat(),
        "cut_off_on": plain(making.cut_off_on),
        "aoi": plain_json(making.aoi),
        "parameters": plain_json(making.parameters),
        "inputs": [plain_json(fact) for fact in inputs],
        "load_report": [] if report is None else plain_json(report.to_dict("records")),
        "versions": dict(sorted((packages or versions()).items())),
    }


def outward(made: Mapping[str, Any]) -> dict[str, Any]:
    """Strip a manifest for an audience outside the mission.

    File names, the load report and the parameters asked with can name units, sources and single
    places; what stays are the number of inputs, the standard, versions and dates.
    """
    kept = {key: value for key, value in made.items() if key not in {*INWARD, "parameters"}}
    aoi = made.get("aoi", {})
    kept["aoi"] = {key: aoi[key] for key in ("name", "period", "marking") if key in aoi}
    kept["inputs_n"] = len(made.get("inputs", ()))
    return kept


def as_json(made: Mapping[str, Any]) -> str:
    """Spell a manifest as JSON text, the same for the same content."""
    return json.dumps(plain_json(made), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def manifest_html(made: Mapping[str, Any], summary: str = "Inputs, parameters, versions") -> str:
    """Show a manifest as a collapsible part of a page; every text is escaped.

    Braces, dollars and backticks become entities too: pages are compiled as templates.
    """
    parts = []
    for key, value in plain_json(made).items():
        if value not in (None, [], {}):
            parts.append(f"<h3>{_text(_words(key))}</h3>{_html(value)}")
    return (
        f'<details class="poc-manifest" dir="ltr"><summary>{_text(summary)}</summary>'
        f"{''.join(parts)}</details>"
    )


def _html(value: Any) -> str:
    if isinstance(value, dict):
        rows = (
            f"<tr><th>{_text(key.replace('_', ' '))}</th><td>{_html(item)}</td></tr>"
            for key, item in value.items()
        )
        return f"<table>{''.join(rows)}</table>"
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(dict.fromkeys(key for row in value for key in row))
        head = "".join(f"<th>{_text(_words(name))}</th>" for name in names)
        rows = (
            "<tr>" + "".join(f"<td>{_html(row.get(name))}</td>" for name in names) + "</tr>"
            for row in value
        )
        return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    if isinstance(value, list):
        return _text(", ".join(map(str, value)))
    return _text("not stated" if value is None else value)


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize() if key.islower() else key


INERT = str.maketrans({"{": "&#123;", "}": "&#125;", "`": "&#96;", "$": "&#36;", "\\": "&#92;"})


def _text(value: Any) -> str:
    return escape(clean(value)).translate(INERT)


def plain_json(value: Any) -> Any:
    """Turn a value into what JSON can hold: NA and NaN become null, numpy numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if value is pd.NA or value is pd.NaT:
        return None
    value = plain(value.item() if hasattr(value, "item") else value)
    if isinstance(value, dict | list):
        return plain_json(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, str | bool | int | float | None) else str(value)
