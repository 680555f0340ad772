"""Indicators: sums by hand, unknown that stays unknown, areas that add up, breaks that show."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.indicators import (
    IndicatorRecord,
    IndicatorStandard,
    indicator_definitions,
    indicators,
)
from pocgeo.analyses.measures import high_risk_cells
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, MissingColumns, UnknownName

FEW = settings(derandomize=True, max_examples=12, deadline=None)
DEFINED = indicator_definitions(read_toml(declared("standards") / "indicators.toml"))
STANDARD = IndicatorStandard(
    from_on=pd.Timestamp("2026-01-01"), as_of_on=pd.Timestamp("2026-04-10"), high_risk_share=0.5
)

CELLS = pd.DataFrame(
    {
        "cell": np.arange(1, 7, dtype=np.int64),
        "admin1_id": ["A", "A", "A", "B", "B", None],
        "admin1": ["North", "North", "North", "South", "South", None],
        "aor_id": ["1", "1", "2", "2", "2", "2"],
        "aor": ["Sector 1", "Sector 1", "Sector 2", "Sector 2", "Sector 2", "Sector 2"],
        "people_persons": [100.0, 200.0, 300.0, 400.0, np.nan, 0.0],
        "risk_persons": [50.0, 40.0, 0.0, 10.0, np.nan, 0.0],
        "reach_min": [30.0, 90.0, np.nan, 20.0, 20.0, 20.0],
    }
)


def incident_tables(*rows):
    """Rows of (id, day, cells with weights, fields)."""
    facts = [{"incident_id": key, "occurred_on": day, **fields} for key, day, _, fields in rows]
    parts = [
        {"incident_id": key, "cell": cell, "weight": weight}
        for key, _, cells, _ in rows
        for cell, weight in cells
    ]
    incidents = pd.DataFrame(facts)
    for name in ("occurred_on", "reported_on"):
        if name in incidents.columns:
            incidents[name] = pd.to_datetime(incidents[name])
    if "against_civilians" in incidents.columns:
        incidents["against_civilians"] = incidents["against_civilians"].astype("boolean")
    return {"incidents": incidents, "incident_cells": pd.DataFrame(parts)}


def fields(against=True, killed=1.0, by="state_forces", lag=2, verdict="outside", near="point"):
    return {
        "against_civilians": against,
        "killed_civilians_persons": killed,
        "perpetrator": by,
        "reported_on": pd.Timestamp("2026-01-10") + pd.Timedelta(days=lag),
        "verdict": verdict,
        "location_precision": near,
    }


RECORD = incident_tables(
    ("a", "2026-01-10", [(1, 1.0)], fields(killed=3.0, verdict="inside")),
    ("b", "2026-01-10", [(4, 0.5), (2, 0.5)], fields(killed=2.0, by=None, lag=6, near="area2")),
    ("c", "2026-01-10", [(0, np.nan)], fields(killed=np.nan, by="criminal", lag=30, near="area1",
                                               verdict="undecided")),
    ("d", "2026-03-01", [(5, 1.0)], fields(against=None, killed=np.nan, lag=55, near=None)),
    ("late", "2026-03-02", [(5, 1.0)], fields(lag=365)),
)  # fmt: skip

PRESENCE = pd.DataFrame(
    [
        (1, "2026-02-02", 4.0, 1.0, "recorded"),
        (1, "2026-02-20", 2.0, 2.0, "recorded"),
        (4, "2026-02-02", 1.0, 0.0, "recorded"),
        (2, "2026-02-03", 9.0, 9.0, "planned"),
        (2, "2026-04-09", 3.0, 0.0, "recorded"),
        (4, "2026-04-20", 3.0, 0.0, "recorded"),
    ],
    columns=["cell", "day_on", "presence_h", "night_h", "kind"],
)


def asked(**changes):
    given = {"cells": CELLS, **RECORD, "presence_days": PRESENCE}
    return indicators(IndicatorRecord(**(given | changes)), STANDARD, DEFINED)


def value(table, indicator, month=1, area="AOI", category="all", column="value"):
    row = table[
        (table["indicator"] == indicator)
        & (table["month_on"] == pd.Timestamp(2026, month, 1))
        & (table["area_id"] == area)
        & (table["category"] == category)
    ]
    assert len(row) == 1, f"{len(row)} rows"
    return row[column].iloc[0]


def test_every_definition_is_worked_out_and_every_indicator_defined():
    assert set(asked()["indicator"]) == set(DEFINED)


def test_counts_by_hand():
    table = asked()
    assert value(table, "incidents_against_civilians") == 3
    assert value(table, "incidents_against_civilians", area="A") == 1.5
    assert value(table, "incidents_against_civilians", area="2") == 0.5
    assert value(table, "incidents_against_civilians", month=2) == 0
    assert value(table, "incidents_against_civilians", month=3, column="n_unknown") == 1
    assert value(table, "civilians_killed") == 5
    assert value(table, "civilians_killed", column="n_unknown") == 1
    assert value(table, "civilians_killed", category="state_forces") == 3
    assert value(table, "civilians_killed", category="unknown", area="B") == 1
    assert value(table, "incidents_inside_radius") == 1
    assert value(table, "incidents_inside_radius", column="n_unknown") == 1
    assert value(table, "reporting_lag_days") == 6
    assert value(table, "coarse_location_share") == pytest.approx(2 / 3)


def test_the_share_reachable_in_time_counts_placed_incidents():
    table = asked()
    assert value(table, "incidents_reachable_share") == pytest.approx(1.5 / 2)
    assert value(table, "incidents_reachable_share", column="n_unknown") == 1
    assert value(table, "incidents_reachable_share", area="A") == pytest.approx(1 / 1.5)
    assert np.isnan(value(table, "incidents_reachable_share", month=2))


def test_unknown_stays_unknown():
    table = asked()
    assert np.isnan(value(table, "civilians_killed", category="criminal"))
    assert np.isnan(value(table, "civilians_killed", month=3))
    assert np.isnan(value(table, "civilians_harmed"))  # no such column at all
    assert value(table, "civilians_harmed", month=2) == 0  # no incident, nobody harmed on record
    assert np.isnan(value(table, "incidents_awaiting_review"))
    assert np.isnan(value(table, "coarse_location_share", month=3))
    bare = asked(
        incidents=RECORD["incidents"][["incident_id", "occurred_on"]],
        cells=CELLS[["cell"]],
        presence_days=None,
    )
    happened = bare["month_on"].isin([pd.Timestamp(2026, 1, 1), pd.Timestamp(2026, 3, 1)])
    assert bare.loc[happened, "value"].isna().all()
    assert set(bare["area_kind"]) == {"AOI"}


def test_what_was_reported_after_the_cut_off_is_not_there():
    table = asked()
    assert value(table, "incidents_against_civilians", month=3, column="n") == 0
    later = IndicatorStandard(from_on=STANDARD.from_on, as_of_on=pd.Timestamp("2027-06-30"))
    known = indicators(IndicatorRecord(cells=CELLS, **RECORD), later, DEFINED)
    assert value(known, "incidents_against_civilians", month=3) == 1


def test_presence_by_hand():
    table = asked()
    # Populated cells 1, 2, 3, 4; half of them with most risk-weighted people: 1 and 2.
    assert value(table, "presence_high_risk_h", month=2) == 6
    assert value(table, "presence_high_risk_days", month=2) == 2
    assert value(table, "patrol_effort_h", month=2) == 7
    assert value(table, "patrol_effort_h", month=2, area="2") == 1
    assert value(table, "night_share", month=2) == pytest.approx(3 / 7)
    assert value(table, "high_risk_visited_share", month=2) == 0.5
    assert value(table, "high_risk_visited_share", month=4) == 0.5
    assert value(table, "high_risk_visited_share", month=3) == 0
    assert value(table, "patrol_effort_h", month=3) == 0
    assert np.isnan(value(table, "night_share", month=3))
    assert np.isnan(value(table, "patrol_effort_h", month=1))  # before the record
    assert np.isnan(value(table, "high_risk_visited_share", month=1))
    assert np.isnan(value(table, "presence_high_risk_h", month=2, area="B"))  # no such cell there


def test_cells_of_highest_risk():
    assert high_risk_cells(CELLS, 0.05).tolist() == [1]
    assert high_risk_cells(CELLS, 1.0).tolist() == [1, 2, 4]
    assert high_risk_cells(CELLS[["cell"]], 0.5).empty


def test_coverage_by_standard():
    covered = pd.DataFrame(
        {
            "cell": CELLS["cell"],
            "covered_reach": pd.array([True, False, None, True, True, False], dtype="boolean"),
            "covered_alert": pd.array([None] * 6, dtype="boolean"),
        }
    )
    table = asked(covered=covered)
    assert value(table, "people_covered_share", month=4, category="reach") == pytest.approx(0.5)
    assert value(table, "risk_covered_share", month=4, category="reach") == pytest.approx(0.6)
    assert np.isnan(value(table, "people_covered_share", month=4, category="alert"))
    assert np.isnan(value(table, "people_covered_share", month=3, category="reach"))
    monthly = asked(
        covered=pd.concat(
            [covered.assign(month_on=month) for month in STANDARD.months], ignore_index=True
        )
    )
    assert value(monthly, "people_covered_share", month=2, category="reach") == 0.5


def test_breaks_and_the_running_month_are_marked():
    changes = pd.DataFrame(
        {
            "changed_on": pd.to_datetime(["2026-02-14", "2026-02-20", "2026-03-01"]),
            "indicator": ["all", "night_share", "reporting_lag_days"],
            "what": ["new source of incidents", "night redefined", "x"],
        }
    )
    table = asked(changes=changes)
    assert value(table, "patrol_effort_h", month=2, column="break") == "new source of incidents"
    both = value(table, "night_share", month=2, column="break")
    assert both == "new source of incidents; night redefined"
    assert pd.isna(value(table, "night_share", month=3, column="break"))
    assert "Month to date, up to 2026-04-10" in value(
        table, "night_share", month=4, column="method"
    )
    assert "to date" not in value(table, "night_share", month=3, column="method")


def test_no_incidents_at_all_is_a_table_of_zeros():
    none = {name: table[:0] for name, table in RECORD.items()}
    table = asked(**none)
    assert (table.loc[table["indicator"] == "civilians_killed", "value"] == 0).all()
    assert table.loc[table["indicator"] == "reporting_lag_days", "value"].isna().all()


@FEW
@given(st.integers(0, 10_000))
def test_areas_add_up_and_the_order_of_rows_means_nothing(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (
            str(number),
            pd.Timestamp("2026-01-01") + pd.Timedelta(days=int(rng.integers(0, 99))),
            [(0, np.nan)] if rng.random() < 0.2 else [(int(c), 0.5) for c in rng.choice(6, 2) + 1],
            fields(killed=float(rng.integers(0, 9)), by=rng.choice(["criminal", "community"])),
        )
        for number in range(20)
    ]
    tables = incident_tables(*rows)
    one = asked(**tables)
    turned = {name: table.sample(frac=1, random_state=seed) for name, table in tables.items()}
    pd.testing.assert_frame_equal(asked(**turned), one)
    additive = one[one["indicator"].isin(["incidents_against_civilians", "civilians_killed"])]
    wide = additive.pivot_table(
        index=["indicator", "month_on", "category"],
        columns="area_kind",
        values="value",
        aggfunc="sum",
    )
    for left, right in itertools.pairwise(wide.columns):
        assert wide[left].to_numpy() == pytest.approx(wide[right].to_numpy())
    killed = one[one["indicator"] == "civilians_killed"].set_index("category")["value"]
    assert killed["all"].sum() == pytest.approx(killed.drop("all").sum())


def test_messages():
    with pytest.raises(BadInput, match="after its cut-off"):
        IndicatorStandard(from_on=pd.Timestamp("2026-05-01"), as_of_on=pd.Timestamp("2026-04-01"))
    with pytest.raises(UnknownName, match="No indicator definition is called"):
        indicators(IndicatorRecord(cells=CELLS, **RECORD), STANDARD, {})
    with pytest.raises(MissingColumns, match="weight"):
        asked(incident_cells=RECORD["incident_cells"][["incident_id", "cell"]])
    with pytest.raises(UnknownName, match="Did you mean night_share"):
        asked(
            changes=pd.DataFrame(
                {"changed_on": [STANDARD.from_on], "indicator": ["night_shar"], "what": ["x"]}
            )
        )
    with pytest.raises(BadInput, match=r"mine.toml: indicator 'x': missing"):
        indicator_definitions({"x": {"title": "X"}}, "mine.toml")
