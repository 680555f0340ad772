"""Periods, comparisons, hatching, areas, ages: what a map declares is what goes into the page."""

import base64
import json
import re
import zlib
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.ground.errors import BadInput, MissingColumns, Refused, UnknownName
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.maps import (
    Category,
    Compare,
    MapSpec,
    MeasureSpec,
    OverlaySpec,
    draw,
    map_spec,
)
from pocgeo.products.maps.cell_layer import CellPack, pack_cells
from pocgeo.products.maps.geometry import packed_geometry
from pocgeo.products.maps.overlays import Ground, pack_overlay
from pocgeo.products.maps.periods import joined_periods, periods_of
from tests.map_samples import CELL_COLUMNS, cell_table, column, frame, island, overlays, released

COAST = island()
CELLS = cell_table(COAST, 5)
MONTHS = pd.date_range("2025-11-01", periods=4, freq="MS")
PHASES = ("prevention", "pre_emption", "response")
KINDS = tuple(Category(value=value, label=value) for value in PHASES)


def monthly(seed: int = 1) -> pd.DataFrame:
    """A value and a phase for each cell and month, in no order; one cell lacks one month."""
    rng = np.random.default_rng(seed)
    cell = np.tile(CELLS["cell"].to_numpy(), len(MONTHS))
    long = pd.DataFrame({"cell": cell, "month_on": np.repeat(MONTHS, len(CELLS))})
    long["expected"] = np.round(rng.gamma(1, 2, len(long)), 1)
    long["phase"] = rng.choice(PHASES, len(long))
    return long.drop(index=0).sample(frac=1, random_state=seed)


COLUMNS = (
    column("expected", "Expected", "incidents", digits=1),
    column("phase", "Phase"),
    column("month_on", "Month"),
)
EXPECTED = MeasureSpec(
    column="expected", table="forecast", period="month_on", breaks=(0.5, 1, 2, 5)
)
PEOPLE = MeasureSpec(column="people_persons", breaks=(10, 100))
SPEC = MapSpec(name="m", title="T", question="Q?", table="gaps", measures=(EXPECTED, PEOPLE))


def cells(table: pd.DataFrame = CELLS) -> object:
    return released(table, *CELL_COLUMNS, resolution=5, name="gaps")


def forecast(table: pd.DataFrame | None = None) -> dict:
    made = monthly() if table is None else table
    return {"forecast": released(made, *COLUMNS, resolution=5, name="forecast")}


def unpacked(pack: CellPack, name: str) -> bytes:
    content = next(blob.content for blob in pack.blobs if blob.name == name)
    return zlib.decompress(base64.b64decode(content), -15)


def values(pack: CellPack, measure: int, period: int) -> np.ndarray:
    """What the page reads for each cell: the value of its code; NaN where unknown."""
    head = pack.head["measures"][measure]
    raw = np.frombuffer(unpacked(pack, head["codes"][period]), np.uint8)
    half = len(raw) // 2
    code = raw if head["bits"] == 8 else raw[:half] + 256 * raw[half:].astype(int)
    listed = np.array(json.loads(unpacked(pack, head["values"])))
    listed = np.cumsum(listed) / head["scale"] if head["exact"] else listed
    return np.append(listed, np.nan)[np.where(code == 2 ** head["bits"] - 1, len(listed), code)]


def test_every_period_holds_its_own_values_and_a_gap_is_unknown():
    pack = pack_cells(SPEC, cells(), forecast())
    head = pack.head["measures"][0]
    assert pack.head["periods"] == ["Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026"]
    assert pack.head["start"] == 3
    assert head["at"] == [0, 1, 2, 3]
    wide = monthly().pivot_table(index="cell", columns="month_on", values="expected")
    wide = wide.reindex(np.sort(CELLS["cell"]))
    for number, month in enumerate(MONTHS):
        np.testing.assert_allclose(values(pack, 0, number), wide[month].to_numpy(), atol=1e-9)
        counted = np.bincount(np.digitize(wide[month].dropna(), (0.5, 1, 2, 5)), minlength=5)
        assert head["counts"][number] == counted.tolist()
        assert head["missingCells"][number] == (1 if number == 0 else 0)
    assert pack.head["measures"][1]["at"] == []


def test_wide_and_long_tables_make_the_same_codes():
    wide = monthly().pivot_table(index="cell", columns="month_on", values="expected")
    wide.columns = ["a", "b", "c", "d"]
    measure = replace(
        EXPECTED, column="a", table="wide", period=None, periods=("a", "b", "c", "d"),
        period_labels=("Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026"), label="Expected",
    )  # fmt: skip
    table = released(wide.reset_index(), column("a", "A", "incidents", digits=1), resolution=5)
    one = pack_cells(SPEC, cells(), forecast())
    two = pack_cells(replace(SPEC, measures=(measure, PEOPLE)), cells(), {"wide": table})
    assert one.head["periods"] == two.head["periods"]
    assert one.head["measures"][0]["codes"] == two.head["measures"][0]["codes"]


def test_many_cells_and_periods_keep_classes_in_one_byte(monkeypatch):
    monkeypatch.setattr("pocgeo.products.maps.cell_layer.EXACT_UP_TO", 100)
    pack = pack_cells(SPEC, cells(), forecast())
    head = pack.head["measures"][0]
    assert (head["bits"], head["onlyClasses"], head["first"]) == (8, True, [0, 1, 2, 3, 4, 5])
    wide = monthly().pivot_table(index="cell", columns="month_on", values="expected")
    wanted = np.digitize(wide.reindex(np.sort(CELLS["cell"]))[MONTHS[2]], (0.5, 1, 2, 5))
    code = np.frombuffer(unpacked(pack, head["codes"][2]), np.uint8)
    assert (code == wanted).all()


def test_a_map_of_one_long_table_takes_its_facts_from_the_last_period():
    long = monthly().assign(reason=lambda t: t["month_on"].dt.strftime("seen in %b"))
    own = replace(EXPECTED, table=None)
    spec = replace(SPEC, table="forecast", reason="reason", measures=(own,))
    table = released(long, *COLUMNS, column("reason", "Why"), resolution=5, name="forecast")
    pack = pack_cells(spec, table)
    assert pack.head["cells"] == len(CELLS)
    assert json.loads(unpacked(pack, pack.head["texts"][0]["words"])) == ["seen in Feb"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (["2026-01-01", "2025-01-01"], ["2025", "2026"]),
        (["2025-10-01", "2026-01-01", "2026-04-01"], ["Q4 2025", "Q1 2026", "Q2 2026"]),
        (["2026-01-01", "2026-02-01"], ["Jan 2026", "Feb 2026"]),
        (["2026-03-02", "2026-03-09"], ["Week of 2 Mar 2026", "Week of 9 Mar 2026"]),
        (["2026-03-02", "2026-03-03"], ["2 Mar 2026", "3 Mar 2026"]),
        (["2026-06-30", "2026-03-31"], ["31 Mar 2026", "30 Jun 2026"]),
    ],
)
def test_periods_are_named_by_the_gap_between_them(days, said):
    which, periods = periods_of(pd.Series(pd.to_datetime([*days, None])), column("on", "On"))
    assert [period.label for period in periods] == said
    assert which[-1] == -1
    as_dates = pd.Series([pd.Timestamp(day).date() for day in days])
    assert [p.label for p in periods_of(as_dates, column("on", "On"))[1]] == said


def test_texts_are_periods_too_and_sliders_join():
    _, one = periods_of(pd.Series(["wet", "dry"]), column("season", "Season"))
    _, two = periods_of(pd.Series(["dry", "wet"]), column("season", "Season"))
    assert [period.label for period in joined_periods([one, two])] == ["dry", "wet"]


def test_a_cell_twice_in_one_period_is_refused():
    twice = pd.concat([monthly(), monthly().head(1)])
    with pytest.raises(BadInput, match="occurs twice"):
        pack_cells(SPEC, cells(), forecast(twice))


def test_a_measure_of_an_absent_table_is_said_or_refused():
    optional = replace(SPEC, measures=(replace(EXPECTED, optional=True), PEOPLE))
    assert "Not shown, not in this table: Expected" in pack_cells(optional, cells()).absent[0]
    with pytest.raises(MissingColumns, match="forecast"):
        pack_cells(SPEC, cells())


def test_hatching_marks_the_cells_whose_column_is_true():
    table = CELLS.assign(doubtful=pd.array([True, None, False] * 400, "boolean")[: len(CELLS)])
    pack = pack_cells(replace(SPEC, measures=(PEOPLE,), hatch="doubtful"), cells(table))
    assert pack.head["hatch"]["cells"] == int(table["doubtful"].sum())
    marks = np.frombuffer(unpacked(pack, pack.head["hatch"]["codes"]), np.uint8)
    wanted = table.sort_values("cell")["doubtful"].fillna(value=False).to_numpy(bool)
    assert (marks == wanted).all()
    without = pack_cells(replace(SPEC, measures=(PEOPLE,), hatch="doubtful"), cells())
    assert without.head["hatch"] is None
    assert any("Not hatched" in said for said in without.absent)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"compare": Compare(left="expected", right="nothing")}, UnknownName, "nothing"),
        ({"compare": Compare(left="expected", right="people_persons", how="up")}, UnknownName,
         "way to compare"),
        ({"period_start": "middle"}, BadInput, "first or last"),
        ({"measures": (PEOPLE, PEOPLE)}, BadInput, "two measures are called people_persons"),
        ({"tiles": "http://tile.example.org/{z}/{x}/{y}.png"}, BadInput, "https://"),
        ({"tiles": "https://tile.example.org/{z}/{x}.png"}, BadInput, "{y}"),
        ({"overlays": (OverlaySpec(layer="patrols", age_days=(9, 3)),)}, BadInput, "age_days"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(change, error, said):
    with pytest.raises(error, match=re.escape(said)):
        replace(SPEC, **change)


def test_periods_are_given_one_way():
    for wrong in (
        {"periods": ("a",)},
        {"period": None, "periods": ("a",), "period_labels": ("b", "c")},
    ):
        with pytest.raises(BadInput):
            replace(SPEC, measures=(replace(EXPECTED, **wrong),))


# ---- areas ----


def areas() -> gpd.GeoDataFrame:
    return overlays(COAST)["areas"].table


PHASE = MeasureSpec(column="phase", categories=KINDS, group="mode")


def by_area(table: pd.DataFrame, **more) -> object:
    return released(table, *COLUMNS, *CELL_COLUMNS, name="phases", **more)


def test_areas_take_their_polygons_from_the_layer():
    table = pd.DataFrame(
        {"area_id": ["SI02", "SI00", "XX"], "phase": ["response", None, "response"]}
    )
    spec = MapSpec(
        name="m", title="T", question="Q?", table="phases", areas="areas", measures=(PHASE,)
    )
    pack = pack_cells(spec, by_area(table), {"areas": overlays(COAST)["areas"]})
    assert (pack.head["kind"], pack.head["cells"]) == ("areas", 2)
    assert json.loads(unpacked(pack, pack.head["titles"])) == ["District 3", "District 1"]
    assert pack.head["measures"][0]["counts"] == [[0, 0, 1]]
    assert pack.head["measures"][0]["missingCells"] == [1]
    assert pack.absent == ("1 of 3 rows have no polygon and are not drawn.",)
    with pytest.raises(BadInput, match="SI02 occurs twice"):
        pack_cells(
            spec, by_area(pd.concat([table, table.head(1)])), {"areas": overlays(COAST)["areas"]}
        )
    with pytest.raises(Refused, match="polygons of layer areas"):
        pack_cells(spec, by_area(table))
    with pytest.raises(MissingColumns, match="area_id"):
        pack_cells(
            spec, by_area(table.drop(columns="area_id")), {"areas": overlays(COAST)["areas"]}
        )


def test_only_the_rows_asked_for_are_drawn():
    table = pd.DataFrame(
        {"area_id": ["SI02", "SI02"], "area_kind": ["admin2", "AOR"], "phase": "response"}
    )
    spec = MapSpec(
        name="m", title="T", question="Q?", table="phases", areas="areas", measures=(PHASE,),
        where={"area_kind": "admin2"},
    )  # fmt: skip
    assert pack_cells(spec, by_area(table), {"areas": overlays(COAST)["areas"]}).head["cells"] == 1


def test_a_table_with_polygons_needs_no_layer():
    shapes = areas().assign(phase="response")
    spec = MapSpec(name="m", title="T", question="Q?", table="phases", measures=(PHASE,))
    assert pack_cells(spec, by_area(shapes)).head["cells"] == 8


def test_an_audience_without_cells_gets_the_map_by_area():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"admin2": areas()["name"], "admin2_id": areas()["area_id"]})
    table["gap_persons"] = rng.integers(2_000, 90_000, 8)
    given = {"audience": "partners"}
    layer = {"areas": replace(overlays(COAST)["areas"], audience="partners")}
    page = draw(
        map_spec("coverage_gaps"), by_area(table, **given), {}, frame(COAST, **given), layer
    )
    assert "Drawn by area: partners have this by area, not by cell." in page
    pack = pack_cells(map_spec("coverage_gaps"), by_area(table, **given), layer)
    head = pack.head["measures"][0]
    assert head["edges"][1] > 1_000  # the classes of cells would put every area in the last
    assert sum(head["counts"][0]) == 8
    with pytest.raises(Refused, match="by area, not by cell"):
        draw(map_spec("coverage_gaps"), by_area(table, **given), {}, frame(COAST, **given))


def test_a_table_of_a_measure_is_checked_like_the_others():
    other = {"forecast": replace(forecast()["forecast"], audience="public")}
    with pytest.raises(Refused, match="released for public"):
        draw(SPEC, cells(), {}, frame(COAST), other)
    secret = ColumnSpec(name="expected", label="E", unit=None, sensitivity="confidential",
                        released_as="none", counts=None)  # fmt: skip
    hidden = {"forecast": replace(forecast()["forecast"], columns={"expected": secret})}
    with pytest.raises(BadInput, match="confidential"):
        draw(SPEC, cells(), {}, frame(COAST), hidden)


def test_two_sides_share_one_copy_of_the_data():
    spec = replace(SPEC, compare=Compare(left="expected", right="people_persons"))
    plain, swipe = (
        draw(s, cells(), overlays(COAST), frame(COAST), forecast()) for s in (SPEC, spec)
    )
    beside = draw(replace(spec, compare=replace(spec.compare, how="beside")), cells(),
                  overlays(COAST), frame(COAST), forecast())  # fmt: skip
    assert len(swipe) < len(plain) + 1_000
    assert len(beside) < len(plain) + 4_000
    assert swipe.count('class="poc-chart"') == 1
    assert beside.count('class="poc-chart"') == 2


# ---- overlays ----


def content(pack) -> dict:
    return json.loads(zlib.decompress(base64.b64decode(pack.content), -15))


def ground(**more) -> Ground:
    known = {"boundary": COAST, "aoi_name": "X", "cut_off_on": frame().cut_off_on, "single": True}
    return Ground(**(known | more))


def tracks(ends: list) -> object:
    lines = [shapely.LineString([(4.5, 1.4), (4.6, 1.5 + i / 100)]) for i in range(len(ends))]
    table = gpd.GeoDataFrame({"until_at": pd.to_datetime(ends, utc=True)}, geometry=lines, crs=4326)
    return released(table, column("until_at", "Until"), title="Tracks")


def test_lines_are_classed_by_their_age_at_the_cut_off():
    ends = ["2026-06-30T12:00", "2026-06-24T12:00", "2026-06-20T00:00", "2026-01-01T00:00", None]
    pack = pack_overlay(OverlaySpec(layer="patrols", age="until_at"), tracks(ends), ground())
    assert content(pack)["classes"]["at"] == [0, 0, 1, 4, 5]
    assert [row["label"] for row in pack.head["classes"]] == [
        "up to 7 days", "7 – 14 days", "more than 90 days", "age unknown"
    ]  # fmt: skip
    assert [row["features"] for row in pack.head["classes"]] == [2, 1, 1, 1]
    assert "until_at" not in pack.head["lacks"]


def test_the_larger_come_first_and_the_unknown_last():
    table = pd.DataFrame({"name": list("abc"), "people": [5, None, 9], "lon": 4.6, "lat": 1.4})
    spec = OverlaySpec(layer="settlements", label="name", size="people")
    packed = content(pack_overlay(spec, released(table, column("name", "N")), ground()))
    assert [packed["labels"]["words"][i] for i in packed["labels"]["at"]] == ["c", "a", "b"]
    assert "people" not in json.dumps(packed)


def test_kinds_of_routes_have_colours_of_their_own():
    table = tracks(["2026-06-01"] * 3)
    table.table["unit"] = ["A", "B", "A"]
    pack = pack_overlay(OverlaySpec(layer="r", style="routes", kind="unit"), table, ground())
    assert [(row["label"], row["features"]) for row in pack.head["classes"]] == [("A", 2), ("B", 1)]


def test_context_is_cut_at_the_margin_and_totals_stay():
    far = shapely.LineString([(4.6, 1.4), (60, 1.4)])
    box = (4.0, 1.0, 5.0, 2.0)
    packed = packed_geometry(np.array([far, shapely.box(4.9, 1.9, 9, 9)]), {"draw": "line"}, box)
    xy = np.cumsum(np.array(packed["xy"]).reshape(-1, 2), axis=0) / packed["perDegree"]
    assert (xy[:, 0] <= 5.0).all()
    assert len(packed["parts"]) == 2
