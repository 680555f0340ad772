"""Incidents placed in cells as known on a day, their weights, and where it is unsafe."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pocgeo.analyses.record import known_by
from pocgeo.analyses.risk import threat
from pocgeo.analyses.weights import Indicator, RiskWeights, risk_weights
from pocgeo.aoi.indexed import Indexed
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import UnknownName

__all__ = ["incidents_placed", "insecurity", "weights_of"]

SCALE_OF = {"rank": "quantile", "linear": "minmax", "log": "quantile"}

LEVELS = ("low", "moderate", "high", "severe")
LEVELS_FROM = (0.25, 0.5, 0.75)
"""House default: threat from which on a cell is of the next level."""


def incidents_placed(index: Indexed, at: pd.Timestamp) -> pd.DataFrame | None:
    """Incidents known on the day, one row per incident and cell; None without incidents."""
    placed = index.table("incident_cells")
    if placed is None:
        return None
    known = known_by(index.known("incidents"), at)
    facts = known.drop(columns=["geometry", "source", "source_row"], errors="ignore")
    return placed.merge(pd.DataFrame(facts), on="incident_id", how="inner")


def weights_of(index: Indexed) -> RiskWeights:
    """Weights of risk: the file that `[standards.risk] weights` names, else the house's."""
    named = index.file.standards.get("risk", {})
    keys = ["weights", "threat"]
    for name in named:
        if name not in keys:
            raise UnknownName(f"key of [standards.risk] in {index.file.path}", name, keys)
    path = declared("standards") / "risk_weights.toml"
    if "weights" in named:
        path = index.file.folder / Path(str(named["weights"]))
    weights = risk_weights(read_toml(path), path.name)
    if "threat" in named:
        weights = replace(weights, basis=str(named["threat"]))
    return with_own_indicators(weights, index)


def with_own_indicators(weights: RiskWeights, index: Indexed) -> RiskWeights:
    """Add the user's own layers that declare themselves indicators of vulnerability."""
    own = []
    for name, request in index.requests.items():
        use = request.spec.vulnerability
        if use is not None:
            own.append(
                Indicator(
                    name=name,
                    column=use.column,
                    weight=1.0,
                    label=request.spec.title,
                    direction="higher" if use.higher_is_worse else "lower",
                    scale=SCALE_OF[use.scale],
                )
            )
    return replace(weights, indicators=(*weights.indicators, *own)) if own else weights


def insecurity(index: Indexed, at: pd.Timestamp) -> pd.Series | None:
    """Level of insecurity of each cell from its threat on a day; None where it is not asked for.

    `[standards.terrain] insecurity = true` asks for it; `[insecurity]` of the terrain rules says
    by how much a level slows people.
    """
    asked = index.file.standards.get("terrain", {}).get("insecurity", False)
    placed = incidents_placed(index, at) if asked else None
    if placed is None:
        return None
    cells = index.known("cells")
    known = threat(placed, cells, weights_of(index), at)["threat"].to_numpy()
    steps = np.searchsorted(LEVELS_FROM, known, side="right")
    return pd.Series(np.array(LEVELS, dtype=object)[steps], index=cells.index)
