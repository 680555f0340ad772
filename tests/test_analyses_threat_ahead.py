"""Threat from the forecast: known answers by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from pocgeo.analyses.threat_ahead import threat_ahead
from pocgeo.analyses.weights import risk_weights
from pocgeo.cells import grid
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import UnknownName

WEIGHTS = risk_weights(read_toml(declared("standards") / "risk_weights.toml"))
SHARES = ("recent", "year", "older", "nearby", "population", "everywhere")
PARENT = grid.cells_of([20.0], [5.0], 5)


def asked(expected: float, grave: float, **said: float) -> pd.DataFrame:
    cells = grid.cells_of([20.0], [5.0], 6)
    record = pd.DataFrame({"cell": cells, "weight": [1.0], "severity": [grave]})
    above = pd.DataFrame({"cell": PARENT, **{f"share_{name}": [0.0] for name in SHARES}})
    above["share_recent"], above["share_nearby"] = 0.75, 0.25
    return threat_ahead(
        record, pd.DataFrame({"cell": cells}), pd.DataFrame({"cell": cells, "expected": expected}),
        above, replace(WEIGHTS, **said),
    )  # fmt: skip


def test_threat_is_expected_harm_on_the_stated_curve() -> None:
    row = asked(0.5, 4.0).iloc[0]
    assert row["threat"] == pytest.approx(2.0 / 3.0)  # load 0.5 x 4 against a half load of 1
    assert row["threat_recent"] == pytest.approx(0.75 * row["threat"])
    assert row["threat_near"] == pytest.approx(0.25 * row["threat"])
    assert row["threat_past"] == 0
    assert asked(0.5, 8.0)["threat"].iloc[0] > row["threat"]
    assert asked(0.0, 8.0)["threat"].iloc[0] == 0


def test_a_basis_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownName, match="basis of threat"):
        replace(WEIGHTS, basis="rumour")
