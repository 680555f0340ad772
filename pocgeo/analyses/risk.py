"""Risk as the doctrine has it: threat times vulnerability, both shown with their parts."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from pocgeo.analyses.disks import Pairs, cell_positions, disk_matrix, known_cells
from pocgeo.analyses.record import known_by
from pocgeo.analyses.weights import PARTS, Indicator, RiskWeights
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["risk", "severity", "threat", "vulnerability"]

Floats = NDArray[np.float64]


def severity(incidents: pd.DataFrame, weights: RiskWeights) -> pd.Series:
    """Weigh each incident by its type and the persons killed and harmed, capped.

    An unknown number of persons adds nothing: the type alone then speaks.

    Returns
    -------
    Series of float, named "severity", index of `incidents`
    """
    require_columns(incidents, "incidents", ["incident_type"])
    kind = incidents["incident_type"].astype(object)
    worth = kind.map(dict(weights.severity)).astype(float)
    total = worth.fillna(weights.severity["unknown"])
    for item in weights.per_person:
        if item.column in incidents.columns:
            persons = incidents[item.column].astype(float).fillna(0.0)
            total = total + item.weight * persons.clip(0.0, item.cap_persons)
    return total.rename("severity")


def threat(
    incident_cells: pd.DataFrame,
    cells: pd.DataFrame,
    weights: RiskWeights,
    as_of_on: pd.Timestamp,
    *,
    pairs: Pairs | None = None,
) -> pd.DataFrame:
    """Say how much violence bears on each cell, as known on a day.

    Parameters
    ----------
    incident_cells : DataFrame
        `cell`, `weight` (NA is set aside), `occurred_on`, optional `reported_on`; `severity`,
        or what `severity()` needs to work it out.
    cells : DataFrame, n rows
        `cell`.
    as_of_on : Timestamp
        Only what had occurred and been reported by then counts; ages run from it.
    pairs : optional
        Neighbours at least as far as `weights.nearness` goes.

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`, `threat` (0-1) and its parts `threat_recent`, `threat_past` (in the cell
        itself), `threat_near` (in the rings around), which add up to it.

    Notes
    -----
    threat = load / (load + half_saturation): a stated curve, not a rank of the day, so that
    dates compare. One more incident never lowers it anywhere. See docs/methods/risk.md.
    """
    require_columns(incident_cells, "incident_cells", ["cell", "weight", "occurred_on"])
    known = known_cells(cells)
    record = known_by(incident_cells, as_of_on)
    loads, aside = _loads(record, known, weights, as_of_on, pairs)
    table = pd.DataFrame({"cell": known})
    whole = loads.sum(axis=1)
    table["threat"] = whole / (whole + weights.half_saturation)
    for number, part in enumerate(PARTS):
        table[f"threat_{part}"] = loads[:, number] / (whole + weights.half_saturation)
    table.attrs["notes"] = (
        [f"{aside} incidents too coarse for a cell are in no cell's threat."] if aside else []
    )
    return with_standard(table, "threat", weights=weights, as_of_on=as_of_on)


def _loads(
    record: pd.DataFrame,
    cells: NDArray[np.int64],
    weights: RiskWeights,
    as_of_on: pd.Timestamp,
    pairs: Pairs | None,
) -> tuple[Floats, int]:
    """Add up recent, past and near load per cell (n x 3); count what was set aside."""
    share = record["weight"].to_numpy(dtype=float, na_value=np.nan)
    at = cell_positions(record["cell"], cells)
    use = ~np.isnan(share) & (at >= 0)
    given = record["severity"] if "severity" in record.columns else severity(record, weights)
    load = given.to_numpy(dtype=float)[use] * share[use]
    age_days = (as_of_on - record["occurred_on"]).dt.days.to_numpy(dtype=float)[use]
    kept_recent = weights.recent * _left(age_days, weights.half_life_recent_days)
    kept_past = weights.past * _left(age_days, weights.half_life_past_days)
    own = np.column_stack(
        [_sums(at[use], load * kept, cells.size) for kept in (kept_recent, kept_past)]
    )
    loads = np.zeros((cells.size, 3))
    loads[:, :2] = weights.nearness[0] * own
    if len(weights.nearness) > 1:
        around = disk_matrix(cells, (0.0, *weights.nearness[1:]), pairs)
        loads[:, 2] = around @ own.sum(axis=1)
    return loads, int(np.isnan(share).sum())


def vulnerability(cells: pd.DataFrame, weights: RiskWeights) -> pd.DataFrame:
    """Say how exposed to harm the people of each cell are, from the declared indicators.

    Parameters
    ----------
    cells : DataFrame, n rows
        `cell` and the columns the indicators read; a column that is absent is unknown.

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`; `vulnerability` (0-1, NA where nothing is known): the floor plus the weighted
        mean of what is known; `vulnerability_known_share`: weight of the known indicators
        over the weight of all; and one part `vulnerability_<name>` per indicator, NA where
        unknown. The floor and the parts add up to it.
    """
    known = known_cells(cells)
    values = np.column_stack([_scaled(cells, indicator) for indicator in weights.indicators])
    weight = np.array([indicator.weight for indicator in weights.indicators])
    seen = ~np.isnan(values)
    heard = seen @ weight
    part = (1 - weights.floor) * np.divide(
        values * weight, heard[:, None], out=np.full(values.shape, np.nan), where=seen
    )
    index = np.where(heard > 0, weights.floor + np.nansum(part, axis=1), np.nan)
    table = pd.DataFrame(
        {
            "cell": known,
            "vulnerability": np.minimum(index, 1.0),
            "vulnerability_known_share": heard / weight.sum(),
        }
    )
    for number, indicator in enumerate(weights.indicators):
        table[f"vulnerability_{indicator.name}"] = part[:, number]
    absent = [
        item.label or item.column for item in weights.indicators if item.column not in cells.columns
    ]
    table.attrs["notes"] = (
        [f"Not known, so not weighed in vulnerability: {', '.join(absent)}."] if absent else []
    )
    return with_standard(table, "vulnerability", weights=weights)


def risk(
    incident_cells: pd.DataFrame,
    cells: pd.DataFrame,
    weights: RiskWeights,
    as_of_on: pd.Timestamp,
    *,
    pairs: Pairs | None = None,
    violence: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Multiply threat by vulnerability; people exposed multiply afterwards.

    `violence` is a table of threat made elsewhere, such as from the forecast; else `threat`.

    Returns
    -------
    DataFrame, n rows in the order of `cells`
        `cell`, `risk` (0-1), `risk_persons` (risk x people, NA where people are unknown),
        then every column of `threat` and `vulnerability`.
    """
    if violence is None:
        violence = threat(incident_cells, cells, weights, as_of_on, pairs=pairs)
    exposed = vulnerability(cells, weights)
    product = violence["threat"] * exposed["vulnerability"]
    people: pd.Series | float = np.nan
    if "people_persons" in cells.columns:
        people = cells["people_persons"].astype(float).reset_index(drop=True)
    table = pd.DataFrame({"cell": violence["cell"], "risk": product})
    table["risk_persons"] = product * people
    table = pd.concat([table, violence.drop(columns="cell"), exposed.drop(columns="cell")], axis=1)
    table.attrs = {"notes": [*violence.attrs.get("notes", ()), *exposed.attrs["notes"]]}
    return with_standard(table, "risk", weights=weights, as_of_on=as_of_on)


def _scaled(cells: pd.DataFrame, indicator: Indicator) -> Floats:
    """Bring one indicator to 0-1, 1 the more vulnerable; NaN where unknown."""
    value = _column(cells, indicator.column)
    if indicator.per is not None:
        whole = _column(cells, indicator.per)
        value = np.divide(value, whole, out=np.full(value.shape, np.nan), where=whole > 0)
    known = ~np.isnan(value)
    if not known.any():
        return value
    if indicator.scale == "threshold":
        scaled = np.where(known, value >= _number(indicator.threshold, np.inf), np.nan)
    elif indicator.scale == "quantile":
        scaled = np.full(value.shape, np.nan)
        scaled[known] = (rankdata(value[known]) - 0.5) / known.sum()
    else:
        low = _number(indicator.low, float(np.nanmin(value)))
        high = _number(indicator.high, float(np.nanmax(value)))
        # A column that is everywhere the same tells nobody apart: the middle.
        scaled = np.clip((value - low) / (high - low), 0, 1) if high > low else value * 0 + 0.5
    return 1 - scaled if indicator.direction == "lower" else scaled


def _number(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)


def _column(cells: pd.DataFrame, name: str) -> Floats:
    if name not in cells.columns:
        return np.full(len(cells), np.nan)
    column = cells[name]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise BadInput(
            f"cells: the vulnerability indicator column {name!r} holds no numbers. "
            "Name a column of numbers or of true and false."
        )
    values: Floats = np.asarray(column.astype("Float64").to_numpy(float, na_value=np.nan), float)
    return values


def _left(age_days: Floats, half_life_days: float) -> Floats:
    left: Floats = np.exp2(-age_days / half_life_days)
    return left


def _sums(at: NDArray[np.intp], load: Floats, size: int) -> Floats:
    """Add up loads per position; the order of the rows does not reach the last digit."""
    order = np.lexsort((load, at))
    sums: Floats = np.bincount(at[order], weights=load[order], minlength=size).astype(float)
    return sums
