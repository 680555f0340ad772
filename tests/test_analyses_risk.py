"""Risk: threat that only grows with violence, vulnerability that knows what it does not know."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.record import known_by
from pocgeo.analyses.risk import risk, severity, threat, vulnerability
from pocgeo.analyses.stability import Draws, rank_stability, severity_mix
from pocgeo.analyses.trend import TrendTest, trend
from pocgeo.analyses.weights import Indicator, PerPerson, RiskWeights, risk_weights
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, MissingColumns

FEW = settings(derandomize=True, max_examples=25, deadline=None)
TODAY = pd.Timestamp("2026-06-30")

# Nine cells in a row: ring distance is the difference of positions.
CELLS = pd.DataFrame({"cell": np.arange(1, 10, dtype=np.int64), "people_persons": 100.0})
ROWS, COLUMNS = (side.ravel() for side in np.meshgrid(range(9), range(9), indexing="ij"))
PAIRS = (ROWS, COLUMNS, abs(ROWS - COLUMNS))


def weights(**changes):
    given = {
        "severity": {"killing": 3.0, "threat": 1.0, "unknown": 1.0},
        "per_person": (),
        "half_saturation": 10.0,
        "half_life_recent_days": 90.0,
        "half_life_past_days": 730.0,
        "recent": 1.0,
        "past": 0.2,
        "nearness": (1.0, 0.5, 0.25),
        "indicators": (
            Indicator(name="far", column="reach_min", weight=2.0, low=0.0, high=100.0),
            Indicator(
                name="no_alert",
                column="alert",
                weight=1.0,
                direction="lower",
                scale="threshold",
                threshold=0.5,
            ),
        ),
        "floor": 0.1,
    }
    return RiskWeights(**(given | changes))


def incidents(*rows):
    """Rows of (cell, days ago, type)."""
    cells, ago, kinds = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "cell": np.array(cells, dtype=np.int64),
            "weight": np.ones(len(cells)),
            "occurred_on": TODAY - pd.to_timedelta(np.array(ago, dtype=np.int64), unit="D"),
            "incident_type": np.array(kinds, dtype=object),
        }
    )


# Threat by hand


def test_one_killing_today_by_hand():
    found = threat(incidents((5, 0, "killing")), CELLS, weights(), TODAY, pairs=PAIRS)
    load = 3 * (1.0 + 0.2)
    assert found.loc[4, "threat"] == pytest.approx(load / (load + 10))
    assert found.loc[4, "threat_recent"] == pytest.approx(3.0 / (load + 10))
    assert found.loc[4, "threat_past"] == pytest.approx(0.6 / (load + 10))
    assert found.loc[4, "threat_near"] == 0
    assert found.loc[3, "threat"] == pytest.approx(load / 2 / (load / 2 + 10))
    assert found.loc[2, "threat_near"] == pytest.approx(load / 4 / (load / 4 + 10))
    assert found.loc[1, "threat"] == 0


def test_the_recent_part_halves_in_its_half_life():
    flat = weights(past=0.0, nearness=(1.0,))
    load = [
        found.loc[4, "threat"] / (1 - found.loc[4, "threat"])
        for ago in (0, 90, 180)
        for found in [threat(incidents((5, ago, "killing")), CELLS, flat, TODAY, pairs=PAIRS)]
    ]
    assert load[1] == pytest.approx(load[0] / 2)
    assert load[2] == pytest.approx(load[0] / 4)


def test_severity_counts_persons_up_to_a_cap_and_unknown_as_nothing():
    table = pd.DataFrame(
        {
            "incident_type": ["killing", "killing", "killing", None, "new_kind"],
            "killed_civilians_persons": [2.0, 500.0, np.nan, np.nan, 0.0],
        }
    )
    shipped = risk_weights(read_toml(declared("standards") / "risk_weights.toml"))
    assert list(severity(table, shipped)) == [4.0, 13.0, 3.0, 1.0, 1.0]


def test_as_of_honours_what_was_known():
    record = incidents((5, 10, "killing"), (5, 40, "killing"), (5, 0, "killing"))
    record["reported_on"] = [TODAY, pd.NaT, TODAY + pd.Timedelta(days=3)]
    assert len(known_by(record, TODAY)) == 2
    assert list(known_by(record, TODAY - pd.Timedelta(days=1)).index) == [1]
    assert len(known_by(record, TODAY + pd.Timedelta(days=3))) == 3
    past = TODAY - pd.Timedelta(days=50)
    assert (threat(record, CELLS, weights(), past, pairs=PAIRS)["threat"] == 0).all()


# Laws of threat


@st.composite
def records(draw):
    rows = st.tuples(
        st.integers(1, 9), st.integers(0, 1500), st.sampled_from(["killing", "threat", "odd"])
    )
    return incidents(*draw(st.lists(rows, min_size=1, max_size=12)))


@FEW
@given(records(), records())
def test_adding_incidents_never_lowers_threat_anywhere(record, more):
    less = threat(record, CELLS, weights(), TODAY, pairs=PAIRS)["threat"]
    both = pd.concat([record, more], ignore_index=True)
    assert (threat(both, CELLS, weights(), TODAY, pairs=PAIRS)["threat"] >= less - 1e-12).all()


@FEW
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(record, random):
    order = list(range(len(record)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        threat(record.iloc[order], CELLS, weights(), TODAY, pairs=PAIRS),
        threat(record, CELLS, weights(), TODAY, pairs=PAIRS),
        check_exact=True,
    )


@FEW
@given(records())
def test_the_parts_add_up_and_threat_stays_below_one(record):
    found = threat(record, CELLS, weights(), TODAY, pairs=PAIRS)
    parts = found[["threat_recent", "threat_past", "threat_near"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(found["threat"].to_numpy())
    assert found["threat"].between(0, 1, inclusive="left").all()


@FEW
@given(records())
def test_a_cell_elsewhere_changes_nothing_here(record):
    """Comparable between maps and dates: no division by the day's maximum."""
    more = pd.concat([record, incidents((99, 0, "killing"))], ignore_index=True)
    assert (
        threat(more, CELLS, weights(), TODAY, pairs=PAIRS)["threat"]
        == threat(record, CELLS, weights(), TODAY, pairs=PAIRS)["threat"]
    ).all()


def test_an_incident_spread_over_two_cells_is_two_halves():
    whole = incidents((5, 0, "killing"), (6, 0, "killing"))
    halves = whole.assign(weight=0.5)
    alone = weights(nearness=(1.0,))
    one, half = (threat(r, CELLS, alone, TODAY, pairs=PAIRS)["threat"] for r in (whole, halves))
    load = half / (1 - half)
    assert (load * 2).to_numpy() == pytest.approx((one / (1 - one)).to_numpy())


def test_what_is_set_aside_is_said():
    record = incidents((5, 0, "killing"), (0, 0, "killing"))
    record.loc[1, "weight"] = np.nan
    assert (
        "1 incidents too coarse"
        in threat(record, CELLS, weights(), TODAY, pairs=PAIRS).attrs["notes"][0]
    )


# Vulnerability


def test_unknown_indicators_are_left_out_and_the_rest_reweighted():
    cells = pd.DataFrame(
        {
            "cell": np.arange(4, dtype=np.int64),
            "reach_min": [50.0, np.nan, 200.0, np.nan],
            "alert": pd.array([True, False, pd.NA, pd.NA], dtype="boolean"),
        }
    )
    found = vulnerability(cells, weights())
    assert list(found["vulnerability_known_share"]) == pytest.approx([1.0, 1 / 3, 2 / 3, 0.0])
    assert found["vulnerability"][:3].tolist() == pytest.approx([0.1 + 0.9 / 3, 1.0, 1.0])
    assert np.isnan(found["vulnerability"][3])
    assert np.isnan(found["vulnerability_far"][1])
    parts = found[["vulnerability_far", "vulnerability_no_alert"]].sum(axis=1) + 0.1
    assert parts[:3].tolist() == pytest.approx(found["vulnerability"][:3].tolist())


def test_a_missing_column_is_said_not_guessed():
    found = vulnerability(CELLS.assign(reach_min=10.0), weights())
    assert "alert" in found.attrs["notes"][0]
    assert found["vulnerability_known_share"].tolist() == pytest.approx([2 / 3] * 9)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ({"scale": "quantile"}, [0.125, 0.5, 0.5, 0.875]),
        ({"scale": "minmax"}, [0.0, 0.5, 0.5, 1.0]),
        ({"scale": "minmax", "low": 0.0, "high": 2.0}, [0.0, 1.0, 1.0, 1.0]),
        ({"scale": "threshold", "threshold": 2.0}, [0.0, 1.0, 1.0, 1.0]),
        ({"scale": "minmax", "per": "people_persons", "low": 0.0, "high": 1.0}, [0, 0.2, 0.2, 0.4]),
    ],
)
@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_scales(scale, expected, direction):
    cells = pd.DataFrame(
        {"cell": [1, 2, 3, 4], "x": [0.0, 2.0, 2.0, 4.0], "people_persons": [10.0] * 4}
    )
    one = weights(
        indicators=(Indicator(name="x", column="x", weight=3.0, direction=direction, **scale),),
        floor=0.0,
    )
    want = np.array(expected) if direction == "higher" else 1 - np.array(expected)
    assert vulnerability(cells, one)["vulnerability"].to_numpy() == pytest.approx(want)


def test_a_column_that_tells_nobody_apart_reads_the_middle():
    one = weights(indicators=(Indicator(name="x", column="x", weight=1.0),), floor=0.0)
    cells = pd.DataFrame({"cell": [1, 2], "x": [5.0, 5.0]})
    assert (vulnerability(cells, one)["vulnerability"] == 0.5).all()


# Risk


def test_risk_is_the_product_and_people_multiply_afterwards():
    cells = CELLS.assign(reach_min=50.0, alert=False)
    cells.loc[4, "people_persons"] = np.nan
    cells.loc[3, "people_persons"] = 0.0
    found = risk(incidents((5, 0, "killing")), cells, weights(), TODAY, pairs=PAIRS)
    assert found["risk"].to_numpy() == pytest.approx(found["threat"] * found["vulnerability"])
    assert np.isnan(found.loc[4, "risk_persons"])
    assert found.loc[3, "risk_persons"] == 0
    assert found.loc[3, "risk"] > 0
    assert found.loc[5, "risk_persons"] == pytest.approx(100 * found.loc[5, "risk"])
    assert found.attrs["standard"]["weights"]["half_saturation"] == 10.0


def test_nobody_under_attack_is_invulnerable():
    cells = CELLS.assign(reach_min=0.0, alert=True)
    found = risk(incidents((5, 0, "killing")), cells, weights(), TODAY, pairs=PAIRS)
    assert found.loc[4, "risk"] == pytest.approx(0.1 * found.loc[4, "threat"])


def test_ranks_hold_where_one_place_dominates_and_not_where_two_differ_by_weights_alone():
    cells = pd.DataFrame({"cell": np.arange(1, 10, dtype=np.int64), "people_persons": 100.0})
    cells["reach_min"], cells["alert"] = 50.0, True
    record = incidents(*[(cell, 5, "threat") for cell in range(1, 10)], *[(7, 1, "killing")] * 9)
    alone = weights(nearness=(1.0,))
    clear = rank_stability(
        risk(record, cells, alone, TODAY, pairs=PAIRS), alone, draws=Draws(count=50)
    )
    assert clear[7] == 1.0
    assert clear.drop(7).eq(0.0).all()
    # Two rivals: one far from help with an alert network, one near help without.
    record = incidents(*[(cell, 5, "threat") for cell in range(1, 10)], (3, 1, "killing"),
                       (7, 1, "killing"))  # fmt: skip
    cells["reach_min"] = np.where(cells["cell"] == 3, 50.0, 0.0)
    cells["alert"] = cells["cell"] != 7
    torn = rank_stability(
        risk(record, cells, alone, TODAY, pairs=PAIRS), alone, draws=Draws(count=200)
    )
    assert 0.2 < torn[3] < 0.8
    assert torn[3] + torn[7] == pytest.approx(1.0)
    again = rank_stability(
        risk(record, cells, alone, TODAY, pairs=PAIRS), alone, draws=Draws(count=200)
    )
    pd.testing.assert_series_equal(torn, again)


def test_rank_stability_of_areas_and_of_the_unknown():
    cells = CELLS.assign(reach_min=50.0, alert=True)
    cells.loc[0, "people_persons"] = np.nan
    found = risk(incidents((5, 0, "killing"), (1, 0, "killing")), cells, weights(), TODAY,
                 pairs=PAIRS)  # fmt: skip
    assert np.isnan(rank_stability(found, weights(), draws=Draws(count=5))[1])
    areas = rank_stability(
        found.assign(admin1=["a"] * 3 + ["b"] * 6), weights(), group="admin1", draws=Draws(count=5)
    )
    assert areas.to_dict() == {"a": 0.0, "b": 1.0}


def test_the_parts_recover_the_loads_and_values_they_came_from():
    """With weights that never move (a huge concentration) every draw ranks as declared."""
    rng = np.random.default_rng(8)
    cells = CELLS.assign(reach_min=rng.uniform(0, 100, 9), alert=rng.random(9) < 0.5)
    record = incidents(*[(cell, 20 * cell, "killing") for cell in range(1, 10)])
    found = risk(record, cells, weights(), TODAY, pairs=PAIRS)
    held = rank_stability(found, weights(), draws=Draws(count=20, concentration=1e9))
    assert held[found.loc[found["risk_persons"].idxmax(), "cell"]] == 1.0
    assert held.sum() == 1.0


def test_severities_taken_apart_add_up_to_the_loads_of_threat():
    """Law: kinds of severity share out the load, so threat follows from their sum."""
    rng = np.random.default_rng(3)
    kinds = rng.choice(["killing", "threat", "never heard of"], 60)
    record = incidents(*zip(rng.integers(1, 10, 60), rng.integers(0, 900, 60), kinds, strict=True))
    record["killed_civilians_persons"] = rng.integers(0, 40, 60)
    people = PerPerson(column="killed_civilians_persons", weight=0.5, cap_persons=20)
    asked = weights(per_person=(people,))
    mix = severity_mix(record, CELLS, asked, TODAY, pairs=PAIRS)
    assert mix.kinds == ("killing", "threat", "unknown", "killed_civilians_persons")
    load = mix.loads.sum(axis=1)
    found = threat(record, CELLS, asked, TODAY, pairs=PAIRS)
    np.testing.assert_allclose(load / (load + asked.half_saturation), found["threat"], rtol=1e-12)


def test_ranks_that_rest_on_one_severity_do_not_hold_when_severities_move():
    cells = pd.DataFrame({"cell": np.arange(1, 10, dtype=np.int64), "people_persons": 100.0})
    cells["reach_min"], cells["alert"] = 50.0, True
    record = incidents(*[(cell, 5, "threat") for cell in range(1, 10)], (3, 1, "killing"),
                       *[(7, 1, "threat")] * 3, (7, 5, "threat"))  # fmt: skip
    alone = weights(nearness=(1.0,))
    found = risk(record, cells, alone, TODAY, pairs=PAIRS)
    mix = severity_mix(record, cells, alone, TODAY, pairs=PAIRS)
    assert rank_stability(found, alone, draws=Draws(count=100))[7] == 1.0
    torn = rank_stability(found, alone, draws=Draws(count=100), mix=mix)
    assert 0.2 < torn[3] < 0.8
    assert torn[3] + torn[7] == pytest.approx(1.0)
    still = rank_stability(found, alone, draws=Draws(count=20, concentration=1e9), mix=mix)
    assert still[7] == 1.0


# Weights file


def test_the_shipped_weights_parse():
    shipped = risk_weights(read_toml(declared("standards") / "risk_weights.toml"))
    assert shipped.nearness == (1.0, 0.5, 0.25)
    assert {item.column for item in shipped.indicators} >= {"site_persons", "reach_min", "alert"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w["threat"].pop("severity"), "no entry 'severity'"),
        (lambda w: w["threat"].update(half_live=3), "half_live"),
        (lambda w: w["threat"].update(half_saturation=0), "half_saturation must be more than 0"),
        (lambda w: w["threat"].update(nearness=[0.5, 1.0]), "never grow with distance"),
        (lambda w: w["vulnerability"].update(floor=1.5), "floor must be"),
        (lambda w: w["vulnerability"]["indicators"][0].update(scale="sqrt"), "scale"),
        (lambda w: w["vulnerability"]["indicators"][0].update(weight="much"), "must be a number"),
        (lambda w: w["vulnerability"]["indicators"][0].update(low=2e4), "low must be below"),
        (lambda w: w["vulnerability"].update(indicators=[]), "at least one"),
    ],
)
def test_a_mistake_in_a_weights_file_is_one_line(change, message):
    given = read_toml(declared("standards") / "risk_weights.toml")
    change(given)
    with pytest.raises(BadInput, match=message) as caught:
        risk_weights(given, "my.toml")
    assert "\n" not in str(caught.value)


def test_messages_name_the_column():
    with pytest.raises(MissingColumns, match="incident_type"):
        threat(incidents().drop(columns="incident_type"), CELLS, weights(), TODAY, pairs=PAIRS)
    with pytest.raises(BadInput, match="'reach_min' holds no numbers"):
        vulnerability(CELLS.assign(reach_min="far"), weights())
    with pytest.raises(BadInput, match="by must be"):
        rank_stability(pd.DataFrame(), weights(), by="people")


# Trend


def test_trends_in_words():
    rows = (
        [("up", ago) for ago in range(1, 60, 4)]
        + [("up", 200)]
        + [("down", ago) for ago in range(100, 400, 8)]
        + [("same", ago) for ago in range(1, 450, 12)]
        + [("rare", 10), ("rare", 300), ("old", 3000)]
    )
    record = pd.DataFrame(rows, columns=["area_id", "ago"])
    record["occurred_on"] = TODAY - pd.to_timedelta(record["ago"], unit="D")
    found = trend(record, "area_id", TODAY).set_index("area_id")
    assert found["trend"].to_dict() == {
        "up": "rising", "down": "falling", "same": "steady", "rare": "none", "old": "none"
    }  # fmt: skip
    assert found.loc["up", ["incidents_n", "incidents_before_n"]].tolist() == [15, 1]
    assert np.isnan(found.loc["old", "trend_p"])
    earlier = trend(record, "area_id", TODAY - pd.Timedelta(days=200)).set_index("area_id")
    assert earlier.loc["up", "trend"] == "none"


def test_on_steady_violence_few_trends_are_called():
    rng = np.random.default_rng(6)
    count = rng.poisson(12, 400)
    record = pd.DataFrame({"cell": np.repeat(np.arange(400), count)})
    ago = pd.to_timedelta(rng.integers(0, 456, len(record)), unit="D")
    record["occurred_on"] = TODAY - ago
    found = trend(record, "cell", TODAY, TrendTest(level=0.1))
    assert found["trend"].isin(["rising", "falling"]).mean() <= 0.1 + 1.645 * np.sqrt(0.09 / 400)


def test_late_reports_are_waited_for_if_asked():
    record = pd.DataFrame({"cell": [1] * 12, "occurred_on": TODAY - pd.Timedelta(days=5)})
    assert trend(record, "cell", TODAY)["trend"].tolist() == ["rising"]
    assert trend(record, "cell", TODAY, TrendTest(lag_days=30))["trend"].tolist() == ["none"]
