"""The gate: what leaves, what does not, and what cannot be worked back."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from shapely.geometry import Point, box

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, Refused, UnknownName
from pocgeo.products.columns import column_specs, read_columns
from pocgeo.products.disclosure import AUDIENCES, Policy, ReleaseContext, policy, release
from pocgeo.products.suppression import hidden, hidden_in_tree, protected

CONTEXT = ReleaseContext(
    marking="UNCLASSIFIED",
    cut_off_on=date(2026, 6, 30),
    notes=("Synthetic.",),
    manifest={
        "aoi": {"name": "Coast", "folder": "/home/analyst/coast", "marking": "UNCLASSIFIED"},
        "inputs": [{"layer": "incidents", "source": "from_source_x.csv", "digest": "ab" * 32}],
        "parameters": {"near": "Base Alpha"},
        "load_report": [{"layer": "incidents", "source": "from_source_x.csv", "rejected": 3}],
        "versions": {"pocgeo": "0.1.0"},
    },
    resolution=8,
)
QUICK = settings(derandomize=True, max_examples=60, deadline=None)


def cells_around(n: int, resolution: int = 8) -> np.ndarray:
    start = grid.cells_of([7.0], [0.5], resolution)
    return grid.disk(start, 12)[:n]


def cell_table(incidents: list[float], **extra: object) -> pd.DataFrame:
    n = len(incidents)
    return pd.DataFrame(
        {
            "cell": cells_around(n),
            "people_persons": np.arange(n) * 10.0,
            "incidents_n": incidents,
            "risk": np.linspace(0, 1, n),
            "base_id": "B1",
            "lon": 7.123456,
            "lat": 0.512345,
            **extra,
        }
    )


def given_to(audience: str, table: pd.DataFrame, name: str = "risk", **attrs: object):
    table = table.copy()
    table.attrs.update(attrs)
    return release(table, policy(audience), name=name, title=name, context=CONTEXT)


# declarations


def test_every_declared_column_and_audience_is_read() -> None:
    assert len(column_specs()) > 150
    for audience in AUDIENCES:
        rules = policy(audience)
        assert "confidential" not in rules.sees
        assert (rules.k > 1) == (audience != "internal")


def test_every_column_a_value_is_derived_from_is_a_declared_count() -> None:
    for spec in column_specs().values():
        for source in spec.derived_from:
            assert column_specs()[source].counts is not None, (spec.name, source)


def test_a_mistake_in_columns_toml_is_one_line_with_the_column(tmp_path) -> None:
    path = tmp_path / "columns.toml"
    for line, message in (
        ('gap = { label = "Gap" }', "'gap'.*no sensitivity"),
        ('gap = { label = "Gap", sensitivity = "secret" }', "'gap'.*sensitivity is 'secret'"),
        ('gap = { label = "Gap", sensitivity = "open", unitt = "m" }', "'gap'.*unknown key unitt"),
        ('gap = "Gap"', "'gap'.*write it as"),
    ):
        path.write_text(line, encoding="utf8")
        with pytest.raises(BadInput, match=message):
            read_columns(path)


def test_an_unknown_audience_and_marking_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"partnerz.*partners"):
        policy("partnerz")
    with pytest.raises(BadInput, match="SECRET"):
        ReleaseContext(marking="SECRET", cut_off_on=date(2026, 1, 1))


# who sees what


def test_internal_sees_restricted_and_undeclared_but_never_confidential() -> None:
    table = pd.DataFrame({"incident_id": ["a"], "summary": ["witness W"], "odd": [1.5]})
    out = given_to("internal", table, "incidents", sensitivity="restricted")
    assert list(out.table) == ["incident_id", "odd"]
    assert out.columns["odd"].sensitivity == "restricted"
    assert any("Summary" in line for line in out.withheld)
    with pytest.raises(Refused, match="confidential as a whole"):
        given_to("internal", table, "incidents", sensitivity="confidential")


@pytest.mark.parametrize("audience", ["partners", "public"])
def test_points_tracks_ledgers_sheets_and_presence_are_refused_with_a_way_on(audience) -> None:
    point = gpd.GeoDataFrame(
        {"incident_id": ["a"], "occurred_on": [pd.Timestamp("2026-01-01")]},
        geometry=[Point(7, 0.5)],
        crs=4326,
    )
    tracks = pd.DataFrame({"unit_id": ["u"], "fix_at": [pd.Timestamp("2026-01-01", tz="UTC")]})
    ledger = pd.DataFrame({"base_id": ["b"], "people_persons": [7.0], "verdict": ["inside"]})
    cells = cell_table([9.0, 9.0])
    for table, name, attrs in (
        (point, "incidents", {}),
        (tracks, "patrols", {}),
        (ledger, "proximity", {}),
        (ledger, "base", {"kind": "sheet"}),
        (cells, "presence", {"kind": "cells"}),
    ):
        with pytest.raises(Refused, match=rf"{name} for {audience}:.*Possible instead: `pocgeo"):
            given_to(audience, table, name, **attrs)
    level = {"partners": 6, "public": 5}[audience]
    with pytest.raises(Refused, match=f"coarsened to resolution {level}"):
        given_to(audience, point, "incidents")


def test_an_open_layer_leaves_as_it_is_and_a_restricted_one_does_not() -> None:
    places = gpd.GeoDataFrame(
        {"name": ["Porto"], "kind": ["town"]}, geometry=[Point(7.123456, 0.51)], crs=4326
    )
    out = given_to("public", places, "settlements", kind="points", sensitivity="open")
    assert out.table.geometry.iloc[0].equals(Point(7.123456, 0.51))
    with pytest.raises(Refused, match="points of incidents, bases"):
        given_to("public", places, "sites", kind="points", sensitivity="restricted")


def test_an_open_layer_loses_only_its_restricted_columns() -> None:
    roads = pd.DataFrame({"road_id": ["r"], "class": ["primary"], "informant_note": ["x"]})
    out = given_to("public", roads, "roads", kind="areas", sensitivity="open")
    assert list(out.table) == ["road_id", "class"]
    assert out.withheld == ("Not for public: informant_note.",)


def test_a_restricted_area_of_interest_is_not_served_outside() -> None:
    table = cell_table([9.0])
    for marking, audience, fits in (
        ("STRICTLY CONFIDENTIAL", "internal", True),
        ("STRICTLY CONFIDENTIAL", "partners", False),
        ("CONFIDENTIAL", "partners", True),
        ("CONFIDENTIAL", "public", False),
    ):
        context = ReleaseContext(marking=marking, cut_off_on=date(2026, 6, 30))
        if fits:
            out = release(table, policy(audience), name="risk", title="Risk", context=context)
            assert out.marking == marking
        else:
            with pytest.raises(Refused, match=f"is {marking}.*{audience}.*aoi.toml"):
                release(table, policy(audience), name="risk", title="Risk", context=context)


def test_a_named_index_and_a_second_geometry_pass_the_gate_too() -> None:
    table = cell_table([9.0, 9.0]).set_index("base_id")
    assert "base_id" in given_to("internal", table).table
    assert "base_id" not in given_to("partners", table).table


def test_partners_get_coarser_cells_and_neither_bases_nor_coordinates() -> None:
    table = cell_table([9.0] * 60, odd=1.0)
    out = given_to("partners", table)
    assert out.resolution == 6
    assert not {"base_id", "lon", "lat", "odd"} & set(out.table)
    assert out.table["people_persons"].sum() == table["people_persons"].sum()
    assert out.totals["incidents_n"] == 540
    assert given_to("public", table).resolution == 5
    assert any("Base code" in line for line in out.withheld)
    assert "resolution 6" in " ".join(out.notes)


def test_a_mean_is_weighted_by_people() -> None:
    table = pd.DataFrame(
        {
            "cell": grid.disk(grid.cells_of([7.0], [0.5], 8), 0).repeat(2),
            "people_persons": [30.0, 10.0],
            "risk": [0.2, 0.6],
            "incidents_n": [0.0, 0.0],
        }
    )
    out = given_to("partners", table, kind="cells")
    assert out.table["risk"].tolist() == [0.3]  # (30 x 0.2 + 10 x 0.6) / 40


def test_what_is_derived_from_a_suppressed_count_goes_with_it() -> None:
    table = pd.DataFrame(
        {
            "cell": cells_around(400)[[0, -1]],
            "people_persons": [10.0, 10.0],
            "incidents": [2.0, 40.0],
            "hotspot": [True, True],
            "risk": [0.123, 0.5],
        }
    )
    table = pd.concat(
        [table, table.assign(incidents=[0.0, 60.0], hotspot=False)], ignore_index=True
    )
    out = given_to("partners", table, "hotspots").table
    gone = out["incidents"].isna()
    assert gone.any()
    assert out.loc[gone, ["hotspot", "risk"]].isna().all(axis=None)


def test_flagged_cells_leave_without_counts_that_the_whole_would_complete() -> None:
    every = cell_table([7.0, 6.0, 1.0]).rename(columns={"incidents_n": "incidents"})
    every["hotspot"] = [True, True, False]
    whole = given_to("partners", every, "hotspots")
    flagged = given_to("partners", every[every["hotspot"]].reset_index(drop=True), "hotspots")
    assert "incidents" in whole.table
    assert "incidents" not in flagged.table
    assert "incidents" not in flagged.totals
    assert any("would reveal the others" in line for line in flagged.withheld)


def test_a_restricted_table_whose_rows_alone_would_speak_is_refused() -> None:
    planned = pd.DataFrame(
        {"cell": cells_around(4), "visits_per_week": 2.0, "unit_id": "K1", "admin1": "North"}
    )
    for audience in ("partners", "public"):
        with pytest.raises(Refused, match="nothing in it may be shown"):
            given_to(audience, planned, "planned_presence", sensitivity="restricted", kind="cells")


def test_gap_areas_leave_by_admin_area_only() -> None:
    table = pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "gap_area_id": ["g1", "g2", "g3"],
            "place": ["Porto", "Vila", "Praia"],
            "admin1": ["North", "North", "South"],
            "admin2": ["N1", "N1", "S1"],
            "grid_reference": ["32N PG 1 1"] * 3,
            "gap_persons": [10.0, 20.0, 5.0],
            "incidents_n": [30.0, 0.0, 1.0],
            "reason": ["2 h 40 from Base Alpha"] * 3,
            "cell": cells_around(3),
        }
    )
    out = given_to("partners", table, "gaps")
    assert out.table["admin2"].tolist() == ["N1", "S1"]
    assert out.table["gap_persons"].tolist() == [30.0, 5.0]
    assert not {"place", "grid_reference", "reason", "cell", "rank"} & set(out.table)
    assert "incidents_n" not in out.table  # all cells of N1 less its gap areas would tell the rest
    assert given_to("public", table, "gaps").table["admin1"].tolist() == ["North", "South"]
    with pytest.raises(Refused, match="Add the layer areas"):
        given_to("partners", table.drop(columns="admin2"), "gaps")


def test_admin_polygons_stay_and_their_coordinates_columns_are_rounded() -> None:
    table = gpd.GeoDataFrame(
        {"area_id": ["a"], "area": ["North"], "gap_persons": [5.0], "lon": [7.123456]},
        geometry=[box(7, 0, 8, 1)],
        crs=4326,
    )
    partners, public = given_to("partners", table, "x").table, given_to("public", table, "x").table
    assert partners["lon"].tolist() == [7.12]
    assert public["lon"].tolist() == [7.1]
    assert "geometry" in partners


def test_the_manifest_that_leaves_names_no_file_source_or_place() -> None:
    text = str(dict(given_to("partners", cell_table([9.0] * 9)).manifest))
    for secret in ("from_source_x", "analyst", "Alpha", "rejected", "abab"):
        assert secret not in text
    assert "from_source_x.csv" in str(given_to("internal", cell_table([9.0])).manifest)


def test_the_finding_is_not_changed_and_no_attrs_leave() -> None:
    table = cell_table([1.0, 9.0])
    before = table.copy()
    table.attrs["notes"] = ["3 incidents of source X set aside"]
    for audience in AUDIENCES:
        out = release(table, policy(audience), name="risk", title="Risk", context=CONTEXT)
        assert out.table.attrs == {}
        assert ("source X" in " ".join(out.notes)) == (audience == "internal")
    pd.testing.assert_frame_equal(table, before)


def test_an_empty_finding_passes() -> None:
    for audience in AUDIENCES:
        assert len(given_to(audience, cell_table([])).table) == 0


# laws


@QUICK
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=80), st.sampled_from(["partners", "public"])
)
def test_no_restricted_column_and_no_small_count_survives(counts, audience) -> None:
    table = cell_table([float(n) for n in counts], summary="witness", last_unit="3 Coy")
    out = given_to(audience, table)
    assert not {"summary", "last_unit", "base_id"} & set(out.table)
    shown = out.table["incidents_n"].dropna()
    assert not ((shown > 0) & (shown < 5)).any()
    assert "witness" not in out.table.to_csv()
    total = out.totals.get("incidents_n")
    if total is not None:
        assert total == sum(counts)
        left, unknown = total - shown.sum(), int(out.table["incidents_n"].isna().sum())
        assert unknown == 0 or (unknown >= 2 and left >= 5)


@QUICK
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(2, 6), st.integers(1, 5))
def test_a_known_total_never_fixes_a_suppressed_count(counts, k, n_groups) -> None:
    """A slow oracle: every assignment a reader could think of, counted by dynamic programming."""
    values = np.array(counts, dtype=float)
    margin = np.arange(len(values)) % n_groups
    out = hidden(values, [margin], k)
    assert (out | (values == 0) | (values >= k)).all()
    safe = protected(values, out, margin, k)
    for group in range(min(n_groups, len(values))):
        rows = out & (margin == group)
        if safe[group] and rows.any():
            total, n = int(values[rows].sum()), int(rows.sum())
            # every hidden count at least 1 (0 where a zero was hidden), the rest sum to the total
            low = 0 if (values[rows] == 0).any() else 1
            possible = [x for x in range(low, total + 1) if total - x >= low * (n - 1)]
            assert len(possible) > 1


@QUICK
@given(st.lists(st.integers(0, 12), min_size=4, max_size=48), st.integers(0, 10_000))
def test_holding_every_coarser_level_does_not_fix_a_suppressed_count(counts, seed) -> None:
    """Attack: all shown counts of three levels and the grand total, by linear programming."""
    k = 5
    rng = np.random.default_rng(seed)
    values = np.array(counts, dtype=float)
    fine = np.sort(rng.integers(0, 9, len(values)))
    fine = np.unique(fine, return_inverse=True)[1]
    coarse = np.unique(fine // 3, return_inverse=True)[1]
    out = hidden_in_tree(values, [coarse, fine], k)
    rows, right = [np.ones(len(values))], [values.sum()]
    for units, above in ((coarse, []), (fine, [coarse])):
        totals = np.bincount(units, weights=values)
        outs = hidden_in_tree(totals, [_up(units, each) for each in above], k)
        for unit in np.flatnonzero(~outs):
            rows.append((units == unit).astype(float))
            right.append(totals[unit])
    for row in np.flatnonzero(~out):
        rows.append(np.eye(len(values))[row])
        right.append(values[row])
    if 0 < values.sum() < k or not protected(values, out, np.zeros(len(values), int), k).all():
        return  # the total is not shown: nothing to attack with
    for row in np.flatnonzero(out & (values > 0) & (values < k)):
        ends = [
            linprog(sign * np.eye(len(values))[row], A_eq=np.array(rows), b_eq=right).fun * sign
            for sign in (1, -1)
        ]
        assert ends[1] - ends[0] > 0.5, (values, fine, out, row)


def _up(units: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Unit above of every unit."""
    found = np.zeros(units.max() + 1, dtype=np.int64)
    found[units] = above
    return found


def test_two_areas_and_their_total_do_not_give_the_small_one_away() -> None:
    table = pd.DataFrame(
        {
            "area_kind": ["AOI", "admin 1", "admin 1", "admin 1"],
            "area_id": ["AOI", "N", "S", "E"],
            "area": ["all", "North", "South", "East"],
            "incidents_n": [52.0, 2.0, 20.0, 30.0],
        }
    )
    out = given_to("partners", table, "coverage").table.set_index("area_id")["incidents_n"]
    assert out.isna().to_dict() == {"AOI": False, "N": True, "S": True, "E": False}


def test_the_order_of_rows_does_not_rank_suppressed_counts() -> None:
    table = pd.DataFrame(
        {
            "area_id": ["c", "b", "a", "d"],
            "area": ["c", "b", "a", "d"],
            "incidents_n": [9.0, 4.0, 3.0, 1.0],
        }
    )
    assert given_to("partners", table, "x").table["area_id"].tolist() == ["a", "b", "c", "d"]


def test_a_policy_without_coarsening_still_suppresses() -> None:
    rules = Policy(audience="partners", sees=frozenset({"open"}), k=5)
    out = release(cell_table([1.0, 7.0, 9.0]), rules, name="risk", title="", context=CONTEXT)
    assert out.table["incidents_n"].isna().sum() == 2


# indicators: many units under one column


def indicator_rows(values: list[tuple[str, str, str, float, str, float]]) -> pd.DataFrame:
    names = ["area_id", "indicator", "category", "value", "unit", "n"]
    table = pd.DataFrame(values, columns=names)
    return table.assign(
        month_on=pd.Timestamp("2026-01-01"),
        area_kind=np.where(table["area_id"] == "AOI", "AOI", "admin 1"),
        area=table["area_id"],
        n_unknown=0.0,
        method="Sum.",
    )


def test_indicators_leave_without_presence_small_counts_and_what_rests_on_few() -> None:
    table = indicator_rows(
        [
            ("AOI", "civilians_killed", "all", 60.0, "persons", 20.0),
            ("N", "civilians_killed", "all", 58.0, "persons", 18.0),
            ("S", "civilians_killed", "all", 2.0, "persons", 2.0),
            ("N", "civilians_killed", "criminal", 3.0, "persons", 18.0),
            ("N", "civilians_killed", "community", 5.0, "persons", 18.0),
            ("N", "civilians_killed", "state_forces", 50.0, "persons", 18.0),
            ("N", "incidents_reachable_share", "all", 0.5, "share", 40.0),
            ("S", "incidents_reachable_share", "all", 0.5, "share", 2.0),
            ("AOI", "incidents_reachable_share", "all", 0.05, "share", 42.0),
            ("N", "people_covered_share", "reach", 0.7, "share", 3.0),
            ("N", "patrol_effort_h", "all", 400.0, "hours", 99.0),
        ]
    )
    out = given_to("partners", table, "indicators")
    shown = out.table.set_index(["area_id", "indicator", "category"])["value"]
    assert "patrol_effort_h" not in out.table["indicator"].tolist()
    assert not {"n", "n_unknown", "method"} & set(out.table)
    killed = "civilians_killed"
    assert shown["AOI", killed, "all"] == 60
    assert shown[[("S", killed, "all"), ("N", killed, "all")]].isna().all()  # 60 - 58 = 2
    assert shown[[("N", killed, "criminal"), ("N", killed, "community")]].isna().all()
    assert shown["N", killed, "state_forces"] == 50
    reached = "incidents_reachable_share"
    assert shown["N", reached, "all"] == 0.5
    assert shown[[("S", reached, "all"), ("AOI", reached, "all")]].isna().all()
    assert shown["N", "people_covered_share", "reach"] == 0.7
    assert any("patrol_effort_h" in line for line in out.withheld)
    assert len(given_to("internal", table, "indicators").table) == len(table)
