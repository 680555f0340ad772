"""Phases of Policy 36: the rules, their memory, admin areas, people's decisions, the record."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pocgeo.analyses.phases import (
    PHASES,
    PhaseHistory,
    PhaseRules,
    Quarter,
    area_phases,
    capacity,
    checked_decisions,
    decline_certainty,
    phase_record,
    phase_rules,
    phases,
    with_decisions,
)
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName

RULES = PhaseRules()
DAYS = pd.date_range("2023-03-31", periods=12, freq="QE")


def quarters(*steps: list[tuple[float, float, float, float]]) -> list[Quarter]:
    """Make quarters: per cell (last 3 months, 12 months, 24 months, chance)."""
    names = ["disk_incidents_3m", "disk_incidents_12m", "disk_incidents_24m", "disk_probability"]
    made = []
    for on, rows in zip(DAYS, steps, strict=False):
        evidence = pd.DataFrame(rows, columns=names, dtype=float)
        evidence.insert(0, "cell", np.arange(1, len(rows) + 1))
        made.append(Quarter(on=on, evidence=evidence))
    for quarter, later in pairwise(made):  # what came is what the next quarter looks back on
        came = later.evidence["disk_incidents_3m"]
        quarter.evidence["came_n"], quarter.evidence["came_around_n"] = came, came
    return made


def course(*steps: tuple[float, float, float, float], rules: PhaseRules = RULES) -> list[str]:
    """Phases of one cell over quarters."""
    codes = phases(quarters(*[[one] for one in steps]), rules).codes[0]
    return [PHASES[code] for code in codes]


@pytest.mark.parametrize(
    ("evidence", "phase"),
    [
        ((0, 0, 0, 0.02), "prevention"),
        ((1, 1, 1, 0.09), "prevention"),
        ((0, 0, 0, 0.10), "pre-emption"),
        ((1, 2, 2, 0.30), "pre-emption"),
        ((2, 2, 2, 0.02), "response"),
        ((0, 0, 0, 0.50), "response"),
        ((0, 6, 6, 0.20), "consolidation"),  # decline certain
        ((0, 1, 2, 0.20), "pre-emption"),  # too few to be sure of a decline
        ((0, 9, 9, 0.60), "response"),  # however quiet, the chance decides
        ((0, 6, 6, 0.01), "consolidation"),  # subsiding comes before prevention
        ((np.nan, 1, 1, np.nan), None),
    ],
)
def test_each_rule_as_written(evidence: tuple[float, ...], phase: str | None) -> None:
    found = phases(quarters([evidence])).latest["phase"].iloc[0]
    assert (pd.isna(found) and phase is None) or found == phase


def test_pre_emption_is_left_below_half_of_what_it_is_entered_at() -> None:
    chances = [0.09, 0.11, 0.07, 0.051, 0.049, 0.07]
    assert course(*[(0, 0, 0, chance) for chance in chances]) == [
        "prevention", "pre-emption", "pre-emption", "pre-emption", "prevention", "prevention",
    ]  # fmt: skip


def test_response_does_not_fall_straight_to_prevention_above_the_lower_threshold() -> None:
    assert course((2, 2, 2, 0.2), (0, 2, 2, 0.06), (0, 1, 2, 0.04)) == [
        "response", "pre-emption", "prevention",
    ]  # fmt: skip


def test_consolidation_lasts_two_quarters_unless_response_calls() -> None:
    calm, gone = (0, 6, 6, 0.2), (1, 1, 2, 0.02)
    assert course(calm, gone, gone) == ["consolidation", "consolidation", "prevention"]
    assert course(calm, (3, 6, 6, 0.2)) == ["consolidation", "response"]
    longer = PhaseRules(least_quarters=3)
    assert course(calm, gone, gone, gone, rules=longer)[:3] == ["consolidation"] * 3


def test_the_decline_is_a_gamma_poisson_posterior() -> None:
    """Against draws: rates with Jeffreys priors, 3 months against 9."""
    rng = np.random.default_rng(1)
    for recent, before in ((0, 6), (1, 4), (3, 3)):
        now, then = rng.gamma(recent + 0.5, 1 / 3, 400_000), rng.gamma(before + 0.5, 1 / 9, 400_000)
        drawn = (now < 0.5 * then).mean()
        exact = decline_certainty(np.array([recent]), np.array([before]), 3, 9, 0.5)[0]
        assert exact == pytest.approx(drawn, abs=0.004)
        x = 0.5 * 3 / 9
        known = stats.beta.cdf(x / (1 + x), recent + 0.5, before + 0.5)
        assert exact == pytest.approx(known, abs=1e-12)


def test_since_when_before_and_why() -> None:
    found = phases(
        quarters(
            [(0, 0, 0, 0.02), (3, 3, 3, 0.4)],
            [(0, 0, 0, 0.20), (2, 5, 5, 0.4)],
            [(0, 0, 0, 0.07), (4, 9, 9, 0.4)],
        )
    ).latest
    assert found["phase"].tolist() == ["pre-emption", "response"]
    assert found["phase_since_on"].iloc[0] == DAYS[1]
    assert pd.isna(found["phase_since_on"].iloc[1])  # it held from the first
    assert found["phase_changed"].tolist() == [False, False]
    assert found["phase_before"].tolist() == ["pre-emption", "response"]
    assert found["phase_reason"].tolist() == [
        "chance of an incident around next quarter 7 % (left only below 5 %)",
        "4 incidents around in 3 months; chance of an incident around next quarter 40 %",
    ]


def test_consolidation_says_that_it_is_not_safe() -> None:
    reason = phases(quarters([(0, 6, 8, 0.2)])).latest["phase_reason"].iloc[0]
    assert reason.startswith("8 incidents in months 4 to 24, 0 in the last 3 (decline ")
    assert reason.endswith("not safe")


evidences = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 6), st.integers(0, 6), st.floats(0, 1, width=16)
    ).map(lambda v: (v[0], v[0] + v[1], v[0] + v[1] + v[2], v[3])),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=60)
@given(evidences, st.floats(0.01, 0.09))
def test_a_lower_threshold_never_moves_a_place_into_prevention(
    steps: list[tuple[float, float, float, float]], lower: float
) -> None:
    here = course(*steps)
    wider = course(*steps, rules=PhaseRules(probability=lower))
    for now, then in zip(here, wider, strict=True):
        assert not (then == "prevention" and now != "prevention")


@settings(max_examples=60)
@given(evidences)
def test_response_asks_nothing_of_the_past(
    steps: list[tuple[float, float, float, float]],
) -> None:
    for now, (recent, _, _, chance) in zip(course(*steps), steps, strict=True):
        assert (now == "response") == (recent >= 2 or chance >= 0.5)


def places(rows: list[tuple[int, str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["cell", "area_id", "people_persons"])
    table["area_kind"], table["area"], table["area_km2"] = "admin2", table["area_id"], 1.0
    return table


def history(*codes: list[int]) -> PhaseHistory:
    """A history with these phases per quarter."""
    table = np.array(codes, dtype=np.int8).T
    steps = quarters(*[[(0, 0, 0, 0.0)] * table.shape[0]] * table.shape[1])
    return PhaseHistory(
        cells=np.arange(1, table.shape[0] + 1), quarters=tuple(steps), codes=table,
        latest=pd.DataFrame(),
    )  # fmt: skip


def test_an_area_takes_the_phase_that_enough_of_its_people_live_in() -> None:
    past = history([2, 1, 3, 0, 0])
    where = places([
        (1, "A", 10), (4, "A", 90),  # a tenth in response
        (1, "B", 9), (4, "B", 91),  # less than a tenth, but a cell of it is in response
        (2, "C", 20), (3, "C", 30), (4, "C", 50),  # together half; subsiding is the larger
        (2, "D", 49), (5, "D", 51),
    ])  # fmt: skip
    found = area_phases(past, where).set_index("area_id")
    assert found["phase"].to_dict() == {
        "A": "response", "B": "pre-emption", "C": "consolidation", "D": "prevention",
    }  # fmt: skip
    assert found.loc["A", "response_persons"] == 10
    assert found.loc["C", "preemption_persons"] == 20
    assert found.loc["B", "response_cells_n"] == 1
    parts = found.filter(regex="(response|preemption|consolidation|prevention)_persons")
    assert (parts.sum(axis=1) == found["people_persons"]).all()


def test_an_area_leaves_a_phase_only_below_half_the_share() -> None:
    past = history([2, 2, 0], [2, 0, 0], [0, 0, 0])
    where = places([(1, "A", 6), (2, "A", 20), (3, "A", 74)])
    found = [
        area_phases(PhaseHistory(
            cells=past.cells, quarters=past.quarters[:n], codes=past.codes[:, :n],
            latest=pd.DataFrame(),
        ), where)["phase"].iloc[0]
        for n in (1, 2, 3)
    ]  # fmt: skip
    assert found == ["response", "response", "prevention"]  # 26 %, 6 %, 0 % of the people


def test_an_area_without_known_people_is_weighed_by_land() -> None:
    where = places([(1, "A", np.nan), (2, "A", np.nan)])
    found = area_phases(history([2, 0]), where).iloc[0]
    assert found["phase"] == "response"
    assert found["weighed_by"] == "area"
    assert pd.isna(found["people_persons"])


def test_the_record_says_what_followed_each_phase() -> None:
    steps = quarters(
        [(3, 3, 3, 0.4), (0, 0, 0, 0.01), (0, 0, 0, 0.01), (0, 6, 6, 0.2)],
        [(2, 5, 5, 0.4), (0, 0, 0, 0.01), (1, 1, 1, 0.01), (0, 6, 6, 0.2)],
        [(0, 5, 5, 0.4), (0, 0, 0, 0.01), (0, 1, 1, 0.01), (1, 6, 6, 0.2)],
    )
    found = phase_record(phases(steps), np.array([1.0, 1, 1, 3])).set_index("phase")
    assert found.loc["response", "followed_share"] == 0.5
    assert found.loc["consolidation", "followed_share"] == 0.5
    assert found.loc["prevention", "followed_share"] == 0.25
    assert found.loc["consolidation", "times_prevention"] == 2
    assert found.loc["prevention", "phase_area_share"] == pytest.approx(2 / 6)
    assert found.loc["consolidation", "phase_area_share"] == pytest.approx(0.5)
    assert found["next_incidents_share"].sum() == pytest.approx(1)
    assert found.loc["response", "next_incidents_share"] == pytest.approx(2 / 4)
    assert pd.isna(found.loc["pre-emption", "followed_share"])
    assert "2 quarters" in phase_record(phases(steps), np.ones(4)).attrs["notes"][0]


def test_a_lower_threshold_covers_more_ground_and_more_of_what_came() -> None:
    rng = np.random.default_rng(1)
    steps = []
    for _ in range(6):
        chance = rng.beta(0.4, 4, 200)
        recent = rng.poisson(chance * 0.8)
        steps.append([(n, n, n, p) for n, p in zip(recent, chance, strict=True)])
    found = capacity(quarters(*steps), np.ones(200))
    assert found["preemption_probability"].tolist() == [0.10, 0.05, 0.03]
    assert found["in_use"].tolist() == [True, False, False]
    assert found["phase_area_share"].is_monotonic_increasing
    assert found["next_incidents_share"].is_monotonic_increasing


def test_one_quarter_has_no_record_and_says_so() -> None:
    steps = quarters([(0, 0, 0, 0.2)])
    found = phases(steps)
    assert found.latest["phase_changed"].isna().all()
    record = phase_record(found, np.ones(1))
    assert record["followed_share"].isna().all()
    assert "No quarter with an outcome" in record.attrs["notes"][0]


DECISION = {
    "area_id": "A", "phase": "response", "by": "POC adviser", "on": "2026-06-30", "reason": "seen",
}  # fmt: skip


def decided(*rows: dict[str, str], as_of: str = "2026-12-31") -> pd.DataFrame:
    table = pd.DataFrame([{**DECISION, **row} for row in rows])
    return checked_decisions(table, ["A", "B"], pd.Timestamp(as_of), "phases_confirmed.csv")


def test_the_latest_decision_known_on_the_day_stands() -> None:
    rows = [{}, {"phase": "pre-emption", "on": "2026-09-01"}]
    assert decided(*rows)["confirmed_phase"].tolist() == ["pre-emption"]
    assert decided(*rows, as_of="2026-08-31")["confirmed_phase"].tolist() == ["response"]
    assert decided(*rows, as_of="2026-01-01").empty


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"area_id": "Z"}, UnknownName, "row 2, area_id"),
        ({"phase": "responce"}, UnknownName, "Did you mean response"),
        ({"by": " "}, BadInput, "row 2: by is empty"),
        ({"reason": ""}, BadInput, "row 2: reason is empty"),
        ({"on": "30.06.2026"}, BadInput, "Write the day as 2026-07-01"),
    ],
)
def test_a_wrong_decision_is_refused(
    row: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        decided(row)
    with pytest.raises(BadInput, match="two decisions of the same day"):
        decided({}, {})


def test_decisions_stand_beside_and_replace_nothing() -> None:
    areas = pd.DataFrame({
        "area_id": ["A", "B", "C", "D"],
        "phase": ["response", "prevention", "pre-emption", "response"],
        "phase_since_on": pd.to_datetime(["2026-01-01", "2026-01-01", None, "2026-09-30"]),
    })  # fmt: skip
    rows = [
        {},
        {"area_id": "B", "phase": "pre-emption"},
        {"area_id": "D", "phase": "prevention"},
    ]
    table = pd.DataFrame([{**DECISION, **row} for row in rows])
    decisions = checked_decisions(table, "ABCD", pd.Timestamp("2026-12-31"), "file")
    found = with_decisions(areas, decisions)
    assert found["phase"].tolist() == areas["phase"].tolist()
    assert found["decision"].tolist() == [
        "confirmed", "overridden", "not yet confirmed", "to be looked at again",
    ]  # fmt: skip


def test_the_file_of_the_house_is_the_default() -> None:
    content = read_toml(declared("standards") / "phases.toml")
    assert phase_rules(content, "phases.toml") == PhaseRules()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"respons": {}}, "Did you mean response"),
        ({"response": {"probabilty": 0.5}}, "Did you mean probability"),
        ({"response": {"probability": "half"}}, "must be a number"),
        ({"quarters": {"count": 2.5}}, "must be a whole number"),
        ({"preemption": {"probability": 0}}, "above 0 and at most 1"),
        ({"preemption": {"probability": 0.8}}, "must not exceed"),
        ({"capacity": {"probabilities": 0.1}}, "list of numbers"),
        ({"capacity": {"probabilities": [2]}}, "capacity.probabilities"),
        ({"response": 3}, "as a section"),
    ],
)
def test_rules_refuse_nonsense(content: dict[str, object], message: str) -> None:
    with pytest.raises((BadInput, UnknownName), match=message):
        phase_rules(content, "phases.toml")


def test_evidence_must_be_whole() -> None:
    steps = quarters([(0, 0, 0, 0.1)], [(0, 0, 0, 0.1)])
    with pytest.raises(MissingColumns, match="disk_probability"):
        phases([Quarter(on=DAYS[0], evidence=pd.DataFrame({"cell": [1]}))])
    with pytest.raises(BadInput, match="follow each other"):
        phases(steps[::-1])
    with pytest.raises(BadInput, match="at least one quarter"):
        phases([])
