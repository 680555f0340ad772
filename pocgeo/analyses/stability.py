"""How far ranks by risk rest on the weights: the ranking again under other weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pocgeo.analyses.disks import Pairs, cell_positions, disk_matrix, known_cells
from pocgeo.analyses.record import known_by
from pocgeo.analyses.weights import PARTS, RiskWeights
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["Draws", "SeverityMix", "rank_stability", "severity_mix"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How many other weights are drawn, and how far from the declared ones."""

    count: int = 200
    """Draws."""

    seed: int = 20_260_701
    """Seed of PCG64."""

    concentration: float = 20.0
    """At 20 a share of a third, and every severity, moves by a third (one standard deviation)."""

    def __post_init__(self) -> None:
        if self.count < 1 or not self.concentration > 0:
            raise BadInput("draws must be at least 1 and concentration more than 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityMix:
    """What every kind of severity adds to the load of every cell."""

    cells: NDArray[np.int64]
    """Cells, n."""

    loads: sparse.csr_array
    """n x 3k: for recent, past and near in turn, the load of each of k kinds."""

    kinds: tuple[str, ...]
    """Incident types, then the columns that count persons."""


def severity_mix(
    incident_cells: pd.DataFrame,
    cells: pd.DataFrame,
    weights: RiskWeights,
    as_of_on: pd.Timestamp,
    *,
    pairs: Pairs | None = None,
) -> SeverityMix:
    """Take the loads of `threat` apart by kind of severity; see there for the parameters.

    The kinds add up to the loads, so that other severities need no second look at incidents.
    """
    known = known_cells(cells)
    record = known_by(incident_cells, as_of_on)
    share = record["weight"].to_numpy(dtype=float, na_value=np.nan)
    at = cell_positions(record["cell"], known)
    use = ~np.isnan(share) & (at >= 0)
    rows, columns, worth, kinds = _kinds(record[use], weights)
    cell, worth = at[use][rows], worth * share[use][rows]
    age_days = (as_of_on - record["occurred_on"]).dt.days.to_numpy(dtype=float)[use][rows]
    own = [
        sparse.csr_array(
            (worth * factor * np.exp2(-age_days / half_life), (cell, columns)),
            shape=(known.size, len(kinds)),
        )
        for factor, half_life in (
            (weights.recent, weights.half_life_recent_days),
            (weights.past, weights.half_life_past_days),
        )
    ]
    near = sparse.csr_array((known.size, len(kinds)))
    if len(weights.nearness) > 1:
        near = disk_matrix(known, (0.0, *weights.nearness[1:]), pairs) @ (own[0] + own[1])
    loads = sparse.hstack([*(weights.nearness[0] * part for part in own), near], format="csr")
    return SeverityMix(cells=known, loads=sparse.csr_array(loads), kinds=kinds)


def _kinds(
    record: pd.DataFrame, weights: RiskWeights
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats, tuple[str, ...]]:
    """List what each incident weighs by kind: its row, the kind's number, the severity."""
    types = list(weights.severity)
    itself = np.arange(len(record))
    kind = pd.Index(types).get_indexer(pd.Index(record["incident_type"].astype(object)))
    kind[kind < 0] = types.index("unknown")
    rows, columns = [itself], [kind]
    worth = [np.array(list(weights.severity.values()))[kind]]
    people = [item for item in weights.per_person if item.column in record.columns]
    for number, item in enumerate(people, start=len(types)):
        persons = record[item.column].astype(float).fillna(0.0).clip(0.0, item.cap_persons)
        rows.append(itself)
        columns.append(np.full(len(record), number))
        worth.append(item.weight * persons.to_numpy(dtype=float))
    names = (*types, *(item.column for item in people))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(worth), names


def rank_stability(
    table: pd.DataFrame,
    weights: RiskWeights,
    *,
    by: str = "risk_persons",
    group: str | None = None,
    draws: Draws | None = None,
    mix: SeverityMix | None = None,
) -> pd.Series:
    """Say how often each cell or area stays in the top decile when the weights are others.

    Indicator weights, and those of the recent, past and near parts of threat, are drawn
    around the declared ones (Dirichlet), severities too where their `mix` is given (gamma of
    mean 1 and the same relative spread). The decile is of what has any risk.

    Parameters
    ----------
    table : DataFrame
        What `risk` returned, with the `group` column added if one is asked for.
    by : str
        "risk_persons" or "risk"; areas are ranked by their sums.
    mix : optional
        What `severity_mix` made of the same incidents; severities stand as declared without.

    Returns
    -------
    Series of float 0-1, named "top_decile_share", indexed by cell or by `group`
        NA where the risk is unknown.
    """
    if by not in ("risk_persons", "risk"):
        raise BadInput(f"by must be 'risk_persons' or 'risk', got {by!r}.")
    asked = draws or Draws()
    require_columns(table, "risk", ["cell", by, *([group] if group else [])])
    name = group or "cell"
    rows = table[table[by].notna() & (table["threat"] > 0) & table[name].notna()]
    places, at = np.unique(rows[name].to_numpy(), return_inverse=True)
    people = np.ones(len(rows)) if by == "risk" else _people(rows)
    top = int(np.ceil(0.1 * places.size))
    kept = np.zeros(places.size)
    for score in _drawn_scores(rows, weights, asked, mix) if top else ():
        sums = np.bincount(at, weights=score * people, minlength=places.size)
        kept += sums >= np.partition(sums, places.size - top)[places.size - top]
    found = pd.Series(kept / asked.count, index=pd.Index(places), name="top_decile_share")
    judged = pd.Index(table.loc[table[by].notna() & table[name].notna(), name].unique())
    everyone = pd.Index(table[name].dropna().unique(), name=name)
    return found.reindex(judged).fillna(0.0).reindex(everyone)


def _drawn_scores(
    rows: pd.DataFrame, weights: RiskWeights, draws: Draws, mix: SeverityMix | None
) -> Iterator[Floats]:
    """Work out risk again under each draw of weights."""
    loads, values = _recovered(rows, weights)
    known = ~np.isnan(values)
    # Sparse products and einsum keep to one thread: spinning threads cost more than they save.
    values, seen = np.where(known, values, 0.0), known.astype(float)
    held = sparse.csr_array(loads)
    if mix is not None:
        held = mix.loads[cell_positions(rows["cell"], mix.cells)]
    rng = np.random.default_rng(draws.seed)
    declared = np.array([indicator.weight for indicator in weights.indicators])
    spread = draws.concentration
    for _ in range(draws.count):
        share = rng.dirichlet(spread * declared / declared.sum())
        part = rng.dirichlet(np.full(3, spread / 3)) * 3
        if mix is not None:
            part = np.outer(part, rng.gamma(spread / 2, 2 / spread, len(mix.kinds))).ravel()
        load: Floats = np.asarray(held @ part)
        exposed = np.einsum("ij,j->i", values, share) / np.einsum("ij,j->i", seen, share)
        index = weights.floor + (1 - weights.floor) * exposed
        yield load / (load + weights.half_load) * index


def _people(rows: pd.DataFrame) -> Floats:
    """Recover people from risk_persons and risk; no risk, no people needed."""
    product = rows["risk"].to_numpy(dtype=float)
    people = np.zeros(len(rows))
    np.divide(rows["risk_persons"].to_numpy(dtype=float), product, out=people, where=product > 0)
    return people


def _recovered(rows: pd.DataFrame, weights: RiskWeights) -> tuple[Floats, Floats]:
    """Recover loads (n x 3) and indicator values (n x k, NaN unknown) from the parts."""
    parts = rows[[f"threat_{part}" for part in PARTS]].to_numpy(dtype=float)
    total = weights.half_load / (1 - parts.sum(axis=1))
    names = [f"vulnerability_{indicator.name}" for indicator in weights.indicators]
    require_columns(rows, "risk", names)
    weight = np.array([indicator.weight for indicator in weights.indicators])
    heard = rows["vulnerability_known_share"].to_numpy(dtype=float) * weight.sum()
    values = rows[names].to_numpy(dtype=float) * heard[:, None] / (weight * (1 - weights.floor))
    return parts * total[:, None], values
