"""The gate: what leaves, what does not, and what cannot be worked back."""

from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, Refused, UnknownName
from pocgeo.products.columns import column_specs, read_columns
from pocgeo.products.disclosure import AUDIENCES, Policy, ReleaseContext, policy, release
from pocgeo.products.register import Register, table_record

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


def with_record(table: pd.DataFrame, context: ReleaseContext) -> ReleaseContext:
    order = np.argsort(table["cell"].to_numpy())
    record = table_record(
        table["cell"].to_numpy()[order],
        table["incidents"].to_numpy()[order],
        pd.DataFrame({"admin1": ["N"] * len(table)}),
        context.cut_off_on,
    )
    register = Register(k=5, coarser_by=2)
    return replace(context, record=record, register=register)


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
    children = cells_around(400)
    children = children[grid.parents(children, 6) == grid.parents(children[:1], 6)[0]][:2]
    table = pd.DataFrame(
        {
            "cell": children,
            "people_persons": [30.0, 10.0],
            "risk": [0.2, 0.6],
            "incidents_n": [0.0, 0.0],
        }
    )
    out = given_to("partners", table, kind="cells")
    assert out.table["risk"].tolist() == [0.3]  # (30 x 0.2 + 10 x 0.6) / 40


def test_what_rests_on_a_small_count_goes_by_the_piece_it_is_joined_to() -> None:
    cells = cells_around(400)
    parents = grid.parents(cells, 6)
    each = [cells[parents == parent][0] for parent in np.unique(parents)[:4]]
    table = pd.DataFrame(
        {
            "cell": np.sort(each),
            "people_persons": [10.0, 30.0, 10.0, 10.0],
            "incidents": [2.0, 40.0, 8.0, 0.0],
            "hotspot": [True, False, True, False],
            "risk": [0.8, 0.4, 0.5, 0.0],
        }
    )
    out = given_to("partners", table, "hotspots").table
    joined = out[out["joined_n"] > 1]
    assert len(joined) >= 2
    assert len(joined[["incidents", "risk", "hotspot"]].drop_duplicates()) == 1
    assert out["incidents"].sum() == pytest.approx(50, abs=0.02)
    assert 2.0 not in out["incidents"].tolist()
    with pytest.raises(Refused, match="nothing in it may be shown"):  # on how many does risk rest?
        given_to("partners", table[["cell", "risk", "hotspot"]].head(3), "risk", kind="cells")


def test_flagged_cells_leave_with_the_values_of_the_whole_and_not_by_themselves() -> None:
    every = cell_table([7.0, 6.0, 1.0]).rename(columns={"incidents_n": "incidents"})
    every["hotspot"] = [True, True, False]
    flagged = every[every["hotspot"]].reset_index(drop=True)
    with pytest.raises(Refused, match="chosen rows alone would reveal the others"):
        given_to("partners", flagged, "hotspots")
    context = with_record(every, CONTEXT)
    whole = release(every, policy("partners"), name="hotspots", title="", context=context).table
    out = release(flagged, policy("partners"), name="hotspots", title="", context=context)
    expected = whole.loc[whole["hotspot"], ["cell", "incidents"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(out.table[["cell", "incidents"]], expected, check_dtype=False)
    assert "people_persons" not in out.table  # of the chosen ones alone: how many they are
    assert out.totals == {}


def test_a_restricted_table_whose_rows_alone_would_speak_is_refused() -> None:
    planned = pd.DataFrame(
        {"cell": cells_around(4), "visits_per_week": 2.0, "unit_id": "K1", "admin1": "North"}
    )
    for audience in ("partners", "public"):
        with pytest.raises(Refused, match="nothing in it may be shown"):
            given_to(audience, planned, "visits", sensitivity="restricted", kind="cells")


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


def joined_gaps(audience: str, **extra: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "gap_area_id": ["g1", "g2"],
            "admin1": ["N", "N"],
            "admin2": ["N1", "N2"],
            "gap_persons": [900.0, 100.0],
            "risk_persons": [450.0, 0.0],
            "risk": [0.5, 0.0],
            "vulnerability": [0.6, 0.1],
            "cell": cells_around(2),
            **extra,
        }
    )
    cells = pd.DataFrame({"cell": cells_around(400), "incidents": 1.0})
    context = with_record(cells, CONTEXT)
    return release(table, policy(audience), name="gaps", title="gaps", context=context).table


def test_joined_gap_areas_carry_means_weighted_by_their_people_and_no_finer_area() -> None:
    out = joined_gaps("public", admin2_id=["A", "B"])
    assert out["vulnerability"].tolist() == pytest.approx([0.55])
    assert not {"admin2", "admin2_id"} & set(out)  # N1 is not N


def test_a_joined_gap_area_names_an_aor_only_if_it_lies_in_one() -> None:
    assert joined_gaps("partners", admin2=["N1", "N1"], aor=["S", "S"])["aor"].tolist() == ["S"]
    assert joined_gaps("partners", admin2=["N1", "N1"], aor=["S", "T"])["aor"].isna().all()
    assert joined_gaps("partners", admin2=["N1", "N1"], aor=["S", None])["aor"].isna().all()


def test_gap_areas_leave_where_some_names_are_unknown_and_not_where_all_areas_are() -> None:
    out = joined_gaps("public", aor=[None, None])
    assert out["admin1"].tolist() == ["N"]
    with pytest.raises(Refused, match="no such areas are loaded"):
        joined_gaps("public", admin1=[None, None])


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
def test_no_restricted_column_survives_and_counts_are_shares_of_large_pieces(
    counts, audience
) -> None:
    table = cell_table([float(n) for n in counts], summary="witness", last_unit="3 Coy")
    out = given_to(audience, table)
    assert not {"summary", "last_unit", "base_id"} & set(out.table)
    assert "witness" not in out.table.to_csv()
    shown = out.table["incidents_n"]
    if 0 < sum(counts) < 5:
        assert shown.isna().all()
        return
    alone = shown[out.table["joined_n"] == 1]
    assert ((alone == 0) | (alone >= 5)).all()
    assert shown.sum() == pytest.approx(sum(counts), abs=0.005 * len(shown))
    assert out.totals["incidents_n"] == sum(counts)


def test_the_order_of_rows_tells_nothing_of_what_is_withheld() -> None:
    table = pd.DataFrame(
        {
            "area_id": ["c", "b", "a", "d"],
            "area": ["c", "b", "a", "d"],
            "incidents_n": [9.0, 4.0, 3.0, 1.0],
            "gap_persons": [7.0, 8.0, 9.0, 5.0],
        }
    )
    out = given_to("partners", table, "x")
    assert out.table["area_id"].tolist() == ["a", "b", "c", "d"]
    assert "incidents_n" not in out.table  # nobody remembers which counts of areas left before
    assert any("Counts of other days or other places" in line for line in out.withheld)


def test_a_policy_without_coarsening_still_joins() -> None:
    rules = Policy(audience="partners", sees=frozenset({"open"}), k=5)
    out = release(cell_table([1.0, 7.0, 9.0]), rules, name="risk", title="", context=CONTEXT)
    assert out.table["incidents_n"].nunique() < 3
    assert out.table["incidents_n"].sum() == pytest.approx(17, abs=0.02)


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


def test_monthly_figures_leave_without_presence_small_counts_and_what_rests_on_few() -> None:
    table = indicator_rows(
        [
            ("AOI", "civilians_killed", "all", 67.0, "persons", 20.0),
            ("N", "civilians_killed", "all", 58.0, "persons", 18.0),
            ("S", "civilians_killed", "all", 2.0, "persons", 2.0),
            ("E", "civilians_killed", "all", 7.0, "persons", 2.0),
            ("N", "civilians_killed", "state_forces", 50.0, "persons", 18.0),
            ("AOI", "civilians_killed", "criminal", 3.0, "persons", 18.0),
            ("AOI", "civilians_killed", "community", 8.0, "persons", 18.0),
            ("AOI", "civilians_killed", "state_forces", 56.0, "persons", 18.0),
            ("AOI", "incidents_against_civilians", "all", 30.0, "incidents", 30.0),
            ("N", "incidents_against_civilians", "all", 30.0, "incidents", 30.0),
            ("AOI", "incidents_reachable_share", "all", 0.5, "share", 42.0),
            ("N", "incidents_reachable_share", "all", 0.5, "share", 40.0),
            ("S", "incidents_reachable_share", "all", 0.5, "share", 2.0),
            ("AOI", "incidents_inside_share", "all", 0.05, "share", 42.0),
            ("N", "people_covered_share", "reach", 0.7, "share", 3.0),
            ("N", "patrol_effort_h", "all", 400.0, "hours", 99.0),
        ]
    )
    out = given_to("partners", table, "indicators")
    shown = out.table.set_index(["area_id", "indicator", "category"])["value"]
    assert "patrol_effort_h" not in out.table["indicator"].tolist()
    assert not {"n", "n_unknown", "method"} & set(out.table)
    killed = "civilians_killed"
    assert shown["AOI", killed, "all"] == 67
    assert shown["AOI", killed, "state_forces"] == 56
    # S is small; what fills the remainder up is the first by the order of rows, not the least
    assert shown[[("S", killed, "all"), ("N", killed, "all")]].isna().all()
    assert shown["E", killed, "all"] == 7
    assert shown[[("AOI", killed, "criminal"), ("AOI", killed, "community")]].isna().all()
    assert ("N", killed, "state_forces") not in shown.index  # an area and a category at once
    against = "incidents_against_civilians"
    assert shown["AOI", against, "all"] == 30
    assert ("N", against, "all") not in shown.index  # by place they leave summed over all days
    reached = "incidents_reachable_share"
    assert shown["AOI", reached, "all"] == 0.5
    assert shown[[("S", reached, "all"), ("N", reached, "all")]].isna().all()
    assert np.isnan(shown["AOI", "incidents_inside_share", "all"])  # 0.05 x 42 = 2
    assert shown["N", "people_covered_share", "reach"] == 0.7
    assert any("patrol_effort_h" in line for line in out.withheld)
    assert len(given_to("internal", table, "indicators").table) == len(table)


def test_what_a_policy_is_stricter_about_needs_more_or_is_withheld() -> None:
    rows = [
        ("AOI", "civilians_killed", "all", 90.0, "persons", 20.0),
        ("AOI", "civilians_killed", "state_forces", 60.0, "persons", 18.0),
        ("AOI", "civilians_killed", "sexual_violence", 30.0, "persons", 18.0),
        ("AOI", "children_killed", "all", 9.0, "persons", 9.0),
        ("AOI", "sexual_violence_survivors", "all", 99.0, "persons", 99.0),
    ]
    out = given_to("partners", indicator_rows(rows), "indicators").table
    shown = out.set_index(["indicator", "category"])["value"]
    assert shown["civilians_killed", "all"] == 90
    # the whole less the other categories would give it: another one goes with it
    assert shown[["civilians_killed"]].isna().sum() == 2
    assert np.isnan(shown["children_killed", "all"])  # 9 is fewer than 10
    assert np.isnan(shown["sexual_violence_survivors", "all"])


def test_a_month_stays_as_it_was_released_and_an_open_month_waits() -> None:
    register = Register(k=5, coarser_by=2)
    first = indicator_rows([("AOI", "civilians_killed", "all", 60.0, "persons", 20.0)])
    later = first.assign(value=61.0)
    for table, day, expected in (
        (first, date(2026, 1, 30), []),
        (first, date(2026, 1, 31), [60.0]),
        (later, date(2026, 2, 28), [60.0]),
    ):
        context = replace(CONTEXT, register=register, cut_off_on=day)
        out = release(table, policy("public"), name="indicators", title="", context=context)
        assert out.table["value"].tolist() == expected


# policies


def test_a_users_own_policy_may_tighten(tmp_path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[partners]\nk = 10\nmarkings = ["UNCLASSIFIED"]\nstricter = { killed = 20 }\n')
    rules = policy("partners", own)
    assert (rules.k, rules.markings, rules.coarser_by) == (10, ("UNCLASSIFIED",), 2)
    assert dict(rules.stricter) == {**policy("partners").stricter, "killed": 20}
    assert rules.refused == policy("partners").refused
    assert policy("public", own) == policy("public")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[partners]\nk = 4", "partners.*k would be looser.*5 or more"),
        ("[public]\ncoarser_by = 2", "public.*coarser_by would be looser"),
        ('[public]\nareas_by = "admin2"', "areas_by would be looser"),
        ("[public]\ndecimals = 2", "decimals would be looser.*1 or fewer"),
        ('[public]\nsees = ["open", "restricted"]', "sees would be looser"),
        ('[public]\nmarkings = ["CONFIDENTIAL"]', "markings would be looser"),
        ("[partners]\nstricter = { sexual = 5 }", "stricter.sexual would be looser"),
        ("[partners]\nstricter = { sexual = true }", "stricter.sexual is True"),
        ("[partners]\nk = 5.5", "k must be a whole number"),
        ("[partners]\nkk = 7", "kk.*Mend"),
        ('[partners]\nsees = "open"', "sees must be a list"),
        ('[partners]\nmarkings = ["TOP"]', "'TOP' is no marking"),
        ("[partnerz]\nk = 7", "partnerz.*partners"),
        ("partners = 5", "partners must be a section"),
    ],
)
def test_a_users_own_policy_may_not_loosen(tmp_path, text, message) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(BadInput, match=message):
        for audience in AUDIENCES:
            policy(audience, own)
