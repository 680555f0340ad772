"""What leaves an AOI for readers outside: nothing hidden in any file, and all of it remembered."""

import io
import json
import re
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pocgeo
from pocgeo.aoi.briefed import content_of
from pocgeo.aoi.showing import FINDINGS
from pocgeo.ground.errors import BadInput, Refused, UnreadableSource
from pocgeo.products.briefs import brief
from pocgeo.products.disclosure import ReleaseContext, policy, release
from pocgeo.products.exports import FORMATS, SUFFIXES, export
from pocgeo.products.figures import Sheet
from pocgeo.products.figures.booklet import booklet_bytes
from pocgeo.products.slides import slides_bytes
from tests.conftest import SAMPLE
from tests.leaks import (
    betrayed,
    finest_cell,
    finest_drawn,
    open_points,
    references,
    referred,
    restricted_points,
    small_counts,
)
from tests.test_products_maps_page import unpacked

REGISTER = Path("releases", "register.json")


TERRAIN = ("landcover", "elevation", "roads", "waterways", "floods", "water_points")

OPEN_CELLS = ("map_common_picture", "map_proximity", "brief")
"""Pages that draw people by cell, which are open."""

LEAVE = {
    "gaps", "gap_cells", "coverage", "hotspots", "flagged", "risk", "indicators", "forecast_areas",
    "scorecard", "scorecard_differences", "reach", "reach_seasons",
}  # fmt: skip
"""Findings of which a form leaves the mission. Whoever adds a finding decides here, or in
standards/audiences.toml, what becomes of it."""


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """The sample without terrain, in large cells: quick, and its releases are nobody else's."""
    folder = tmp_path_factory.mktemp("releases") / "sample"
    ignored = shutil.ignore_patterns("out", "releases", ".pocgeo", "generator", "build.py")
    shutil.copytree(SAMPLE, folder, ignore=ignored)
    toml = folder / "aoi.toml"
    text = toml.read_text("utf8").replace("resolution = 8", "resolution = 6")
    for layer in TERRAIN:
        text = re.sub(rf"(?ms)^\[layers\.{layer}\].*?(?=^\[|\Z)", "", text)
    toml.write_text(text, encoding="utf8")
    aoi = pocgeo.open_aoi(folder)
    aoi.index()
    return aoi


@pytest.fixture(scope="module")
def hidden(area) -> list[str]:
    """Everything that names a case, a source, a unit, a base, an actor or an input file."""
    words: set[str] = set()
    for layer, columns in {
        "incidents": ("incident_id", "actor", "source_name", "summary", "source"),
        "bases": ("base_id", "name", "source"),
        "patrols": ("unit_id", "patrol_id", "source"),
        "sites": ("site_id", "source"),
        "alerts": ("alert_id", "name", "source"),
    }.items():
        table = area.layer(layer)
        for column in columns:
            if column in table:
                words |= {str(word) for word in table[column].dropna().unique()}
    words |= {path.name for path in area.indexed.digests} | set(area.indexed.digests.values())
    words -= {str(name) for name in area.layer("settlements")["name"]}
    kept = sorted(word for word in words if len(word) > 4)
    assert len(kept) > 100
    return kept


def named_in(text: str, words: list[str]) -> list[str]:
    """Words of which all parts, and the whole, stand in a text."""
    parts = set(re.findall(r"\w+", text))
    held = (word for word in words if parts.issuperset(re.findall(r"\w+", word)))
    return [word for word in held if word in text]


def text_of(path: Path) -> str:
    """All that a file holds, its metadata too, as text."""
    raw = path.read_bytes()
    if zipfile.is_zipfile(path):
        return text_of_zip(raw)
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        said = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        return f"{said}\n{table.drop_columns(['geometry']).to_pandas().to_csv()}"
    if path.suffix == ".gpkg":
        with closing(sqlite3.connect(path)) as held:
            return "\n".join(held.iterdump()) + raw.decode("utf8", "replace")
    if path.suffix == ".html":
        page = raw.decode()
        return f"{page}\n{unpacked(page)}"
    if path.suffix == ".png":
        with Image.open(path) as image:
            return str(image.info) + raw.decode("latin1")
    said = raw.decode("utf8", "replace")
    if path.suffix == ".svg":  # digits of coordinates are no words
        return re.sub(r"\d+\.\d+", "", said)
    if path.suffix == ".pdf" and shutil.which("pdftotext"):
        for command in (["pdftotext", str(path), "-"], ["pdfinfo", str(path)]):
            said += subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said


def text_of_zip(raw: bytes) -> str:
    """Text of every part of a zip, and of the zips in it."""
    said = []
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        for name in parts.namelist():
            part = parts.read(name)
            inner = part.startswith(b"PK")
            said += [name, text_of_zip(part) if inner else part.decode("utf8", "replace")]
    return "\n".join(said)


@pytest.mark.parametrize("audience", ["partners", "public"])
def test_no_file_of_any_form_holds_a_hidden_word(area, hidden, tmp_path, audience) -> None:
    files = []
    hotspots = area.release(area.hotspots(), audience=audience)
    for form in FORMATS:
        files.append(export(hotspots, tmp_path / f"hotspots{SUFFIXES[form]}", form))
    for name in sorted(LEAVE - {"reach_seasons", "hotspots"}):
        released = area.release(area.table(name), audience=audience)
        files.append(export(released, tmp_path / f"{name}.csv", "csv"))
    made = area.save_maps(audience=audience)
    drawn = [Path(line.removeprefix("Wrote ")) for line in made if line.startswith("Wrote")]
    assert len(drawn) >= 4, made
    files += [*drawn, *papers(area, tmp_path, audience)]
    files += sorted(tmp_path.glob("*.manifest.json"))
    points, known = restricted_points(area), open_points(area)
    grid = references(points)
    coarsest = area.file.resolution - policy(audience).coarser_by
    for path in files:
        text = text_of(path)
        found = named_in(text, hidden)
        assert not found, (path.name, found[:5])
        assert finest_cell(text) <= coarsest, path.name
        if not path.stem.startswith(OPEN_CELLS):
            assert finest_drawn(text) <= coarsest, path.name
        assert not referred(text, grid), path.name
        assert not betrayed(path, text, points, known), path.name
        assert not small_counts(re.sub(r"<[^>]*>", " ", text)), path.name


def papers(area, folder: Path, audience: str) -> list[Path]:
    """Sheets and briefings for readers outside, in every form."""
    sheet = Sheet(dpi=50)
    made = [
        area.save_map("hotspots", folder / f"sheet{ending}", audience=audience, sheet=sheet)
        for ending in (".png", ".svg", ".pdf")
    ]
    whole = content_of(area, None, audience, None)
    content = replace(whole, maps=whole.maps[:1], tables=whole.tables[:3])
    for path, raw in (
        (folder / "brief.html", brief(whole).encode()),
        (folder / "brief.pdf", booklet_bytes(content, dpi=50)),
        (folder / "brief.pptx", slides_bytes(content, dpi=50)),
    ):
        path.write_bytes(raw)
        made.append(path)
    return made


@pytest.mark.parametrize("audience", ["partners", "public"])
@pytest.mark.parametrize(
    "name", sorted({*FINDINGS, "planned_patrols", "whatif", "changes", "releases"})
)
def test_every_finding_leaves_in_a_form_or_is_refused_with_a_way_out(area, name, audience) -> None:
    rules = policy(audience)
    if any(fnmatchcase(name, given) for given in rules.refused):
        refused_by_name(name, rules)
    elif name == "reach_seasons":
        return  # needs terrain: see the test of reach
    elif name in LEAVE:
        table = area.release(area.table(name), audience=audience).table
        assert len(table)
        assert not {"base_id", "base", "unit_id", "incident_id", "lon", "reason"} & set(table)
    elif name == "reach_change_cells":
        with pytest.raises(BadInput, match="Say what changes"):
            area.table(name)
    else:
        with pytest.raises(Refused, match=r"Possible instead: .*`pocgeo"):
            area.release(area.table(name), audience=audience)


def refused_by_name(name, rules) -> None:
    """Refused whatever the table says of itself and of its columns."""
    table = pd.DataFrame({"area_kind": ["AOI"], "area_id": ["AOI"], "people_persons": [9.0]})
    table.attrs = {"kind": "areas", "sensitivity": "open"}
    context = ReleaseContext(marking="UNCLASSIFIED", cut_off_on=date(2026, 6, 30))
    with pytest.raises(Refused, match=rf"^{name} for {rules.audience}: .*Possible instead"):
        release(table, rules, name=name, title="", context=context)


def test_plans_never_leave(area) -> None:
    for finding in area.plan(new=1):
        for audience in ("partners", "public"):
            with pytest.raises(Refused, match="plans of bases and routes never leave"):
                area.release(finding, audience=audience)


def test_reach_leaves_by_area_with_its_minutes_and_without_settlements(sample, tmp_path) -> None:
    aoi = copied(sample, tmp_path)
    reach = aoi.release(aoi.reach()[0], audience="partners").table
    of_all = reach[reach["area_kind"] == "AOI"]
    assert of_all["within_min"].tolist() == [30.0, 60.0, 120.0]
    assert of_all["covered_risk_persons"].is_monotonic_increasing
    assert of_all["covered_risk_persons"].nunique() == 3
    seasons = aoi.seasons()
    out = aoi.release(seasons, audience="partners")
    assert "settlement" in set(seasons["area_kind"])
    assert set(out.table["area_kind"]) == {"AOI", "AOR", "admin 1", "admin 2"}
    assert "Rows of single places are left out." in " ".join(out.notes + out.withheld)


def test_late_reports_of_a_released_month_change_no_figure_that_left(area, tmp_path) -> None:
    aoi, march = copied(area, tmp_path), date(2026, 3, 31)
    key = ["month_on", "area_kind", "area_id", "indicator", "category"]
    then, now = (aoi.indicators(as_of=day).set_index(key)["value"] for day in (march, None))
    both = pd.DataFrame({"then": then, "now": now}).dropna()
    incidents = both.index.get_level_values("indicator") == "incidents_against_civilians"
    assert (both["then"] != both["now"])[incidents].any()  # else the test tries nothing
    first = aoi.release(aoi.indicators(as_of=march), audience="public").table.set_index(key)
    aoi.release(aoi.hotspots(as_of=march), audience="public")
    later = aoi.release(aoi.indicators(), audience="partners").table.set_index(key)
    assert len(later) > len(first)
    of_people = first.index.get_level_values("indicator") == "people_covered_share"
    same = first[~of_people]["value"]
    pd.testing.assert_series_equal(later.loc[same.index, "value"], same)
    said = json.loads((aoi.file.folder / REGISTER).read_text("utf8"))
    assert [part["until"] for part in said["slices"]] == ["2026-03-31", "2026-06-30"]


def of_months(table: pd.DataFrame, months: int) -> pd.DataFrame:
    """The same table, as if asked for other months."""
    said = table.attrs["standard"]
    table.attrs["standard"] = {**said, "forecast": {**said["forecast"], "months": months}}
    return table


def copied(aoi, folder: Path):
    """The same area with no release made yet."""
    ignored = shutil.ignore_patterns("out", "releases", ".pocgeo")
    shutil.copytree(aoi.file.folder, folder / "copy", ignore=ignored)
    other = pocgeo.open_aoi(folder / "copy")
    other.__dict__["indexed"] = aoi.indexed
    return other


def test_the_search_finds_what_an_internal_file_holds(area, tmp_path) -> None:
    inside = area.release(area.proximity())
    for form in ("csv", "xlsx", "json"):
        text = text_of(export(inside, tmp_path / f"ledger{SUFFIXES[form]}", form))
        assert any(base in text for base in area.layer("bases")["name"].astype(str))
    points, known = restricted_points(area), open_points(area)
    page = area.save_map("hotspots", tmp_path / "inside.html")
    text = text_of(page)
    assert finest_drawn(text) == area.file.resolution
    assert len(betrayed(page, text, points, known)) > 10
    table = export(area.release(area.hotspots()), tmp_path / "inside.csv", "csv")
    assert finest_cell(text_of(table)) == area.file.resolution
    assert betrayed(table, "lon,lat\n{:.5f},{:.5f}".format(*points[0]), points, set())
    assert referred(f"at {sorted(references(points))[0]}.", references(points))
    assert small_counts("In all 3 incidents, and 14 persons") == ["3 incidents"]


def test_a_file_says_no_more_than_the_table_that_was_released(area, tmp_path) -> None:
    out = area.release(area.hotspots(), audience="partners")
    true = area.hotspots()
    assert out.totals["incidents"] == pytest.approx(true["incidents"].sum(), rel=0.01)
    alone = out.table.loc[out.table["joined_n"] == 1, "incidents"]
    assert (alone >= 5).all()
    rows = json.loads(export(out, tmp_path / "h.json", "json").read_text())["records"]
    assert sum(row["incidents"] for row in rows) == pytest.approx(out.totals["incidents"], abs=1)


def test_what_is_released_again_is_the_same_and_is_listed_once(area) -> None:
    first = area.release(area.hotspots(), audience="partners")
    again = area.release(area.hotspots(), audience="partners")
    pd.testing.assert_frame_equal(first.table, again.table)
    listed = area.releases()
    assert ((listed["released"] == "hotspots") & (listed["audience"] == "partners")).any()
    assert not listed.duplicated(["released", "audience", "cut_off_on", "digest"]).any()
    assert "Counts up to 30 Jun 2026" in " ".join(listed.attrs["notes"])
    with pytest.raises(Refused, match="releases for partners"):
        area.release(listed, audience="partners")


def test_an_earlier_day_gets_no_slice_of_a_later_one(area) -> None:
    area.release(area.hotspots(), audience="partners")
    before = area.release(area.hotspots(as_of=date(2026, 3, 31)), audience="partners").table
    assert before["incidents"].isna().all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda aoi: aoi.hotspots(perpetrator=("state_forces",)), "--perpetrator"),
        (lambda aoi: aoi.gaps(near="Doruna"), "--near"),
        (lambda aoi: aoi.coverage(reach_min=30.0), "standards of coverage"),
        (lambda aoi: aoi.gaps(presence_days=3.0), "standards of coverage"),
        (lambda aoi: aoi.gaps(min_risk=0.1), "standards of coverage"),
        (lambda aoi: aoi.hotspots(disk=0), "a hotspot test"),
        (lambda aoi: aoi.hotspots(measure="severity"), "a hotspot test"),
        (lambda aoi: aoi.reach(minutes=(45.0,))[0], "--minutes"),
        (lambda aoi: of_months(aoi.forecast()[1], 1), r"a forecast \(--months"),
    ],
)
def test_a_narrower_question_is_not_answered_outside(area, asked, message) -> None:
    with pytest.raises(Refused, match=rf"{message}.*subtracted.*Possible instead"):
        area.release(asked(area), audience="public")


def test_another_season_and_chosen_rows_are_not_answered_outside(sample, tmp_path) -> None:
    aoi = copied(sample, tmp_path)
    with pytest.raises(Refused, match=r"--season.*subtracted"):
        aoi.release(aoi.reach(season="wet")[0], audience="partners")
    risk = aoi.risk()
    few = risk.head(10)
    few.attrs = risk.attrs
    with pytest.raises(Refused, match="chosen rows alone would reveal the others"):
        aoi.release(few, audience="partners")


def test_internal_products_leave_no_trace(area, tmp_path) -> None:
    aoi = copied(area, tmp_path)
    aoi.release(aoi.coverage())
    assert not (aoi.file.folder / "releases").exists()
    assert aoi.releases().empty


def test_a_register_that_is_damaged_or_of_another_outline_stops_the_release(area) -> None:
    area.release(area.hotspots(), audience="partners")
    path = area.file.folder / REGISTER
    kept = path.read_text("utf8")
    try:
        path.write_text(kept[:-50], encoding="utf8")
        with pytest.raises(UnreadableSource, match=r"damaged\. Restore it"):
            area.release(area.hotspots(), audience="partners")
        said = json.loads(kept)
        said["slices"][0]["piece"] = [0, 1, 2]
        path.write_text(json.dumps(said), encoding="utf8")
        with pytest.raises(BadInput, match=r"another outline.*move the folder releases"):
            area.release(area.hotspots(), audience="partners")
    finally:
        path.write_text(kept, encoding="utf8")


def test_what_cannot_be_remembered_does_not_leave(area, tmp_path) -> None:
    aoi = copied(area, tmp_path)
    (aoi.file.folder / "releases").write_text("in the way", encoding="utf8")
    with pytest.raises(BadInput, match="must be remembered there"):
        aoi.release(aoi.hotspots(), audience="partners")


def test_an_aoi_may_name_a_stricter_policy_and_no_looser_one(area, tmp_path) -> None:
    folder = copied(area, tmp_path).file.folder
    toml = folder / "aoi.toml"
    text = toml.read_text("utf8")
    toml.write_text(f'{text}\n[standards.disclosure]\naudiences = "own.toml"\n', encoding="utf8")
    (folder / "own.toml").write_text("[partners]\nk = 20\n", encoding="utf8")
    aoi = pocgeo.open_aoi(folder)
    aoi.__dict__["indexed"] = area.indexed
    table = aoi.hotspots()
    out = aoi.release(table, audience="partners")
    assert out.manifest["disclosure"]["smallest_count"] == 20
    assert (out.table.loc[out.table["joined_n"] == 1, "incidents"] >= 20).all()
    assert out.totals["incidents"] == pytest.approx(table["incidents"].sum(), rel=0.01)
    (folder / "own.toml").write_text("[partners]\nk = 2\n", encoding="utf8")
    with pytest.raises(BadInput, match="k would be looser"):
        aoi.release(table, audience="partners")
