"""Loading a layer: the account of rows, repeats, keys, geometry, tracks, rasters."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import load
from pocgeo.layers.report import write_rejected
from pocgeo.layers.request import LoadRequest, SourceRequest
from tests.layer_samples import SQUARE, counts, features, loaded, reasons, table

HEADER = "id,date,lon,lat,killed,perpetrator,kind"
cell = st.sampled_from
ROWS = st.lists(
    st.tuples(
        cell(["1", "2", "3", ""]),
        cell(["2024-01-01", "1900-01-01", "", "junk", "5 Feb 2024"]),
        cell(["31", "5", "0", "", "x", "287", "40", '"31,5"']),
        cell(["5", "31", "0", "95"]),
        cell(["1", "-1", "unknown", "many"]),
        cell(["state forces", "odd", ""]),
        cell(["asked", "not"]),
    ),
    max_size=25,
)


@given(ROWS)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_every_row_is_accounted_for_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    path = table(folder, "\n".join([HEADER, *(",".join(row) for row in rows)]))
    found = loaded("incidents", path, where={"kind": ("asked",)})
    total = counts(found)
    assert total["rows"] == len(rows)
    parts = ("accepted", "repaired", "rejected", "not_asked_for")
    assert total["rows"] == sum(total[part] for part in parts)
    assert found.frame is not None
    assert len(found.frame) == total["accepted"] + total["repaired"]
    assert len(found.rejected) == total["rejected"]
    kept, lost = set(found.frame["source_row"]), set(found.rejected["source_row"])
    assert not kept & lost
    asked = {number for number, row in enumerate(rows, 2) if row[-1] == "asked"}
    assert kept | lost == asked
    assert found.frame["incident_id"].is_unique
    assert found.frame["occurred_on"].notna().all()
    assert shapely.intersects(SQUARE, found.frame.geometry.to_numpy()).all()


def test_exact_duplicates_and_contradictions(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id,date,lon,lat,extra\n1,2024-01-01,31,5,a\n1,2024-01-01,31,5,a\n1,2024-01-01,31,5,b\n"
        "1,2024-01-02,31,5,a",
    )
    found = loaded("incidents", path)
    assert reasons(found, "rejected") == {"exact duplicate": 2, "the key of an earlier row": 1}
    assert found.frame is not None
    assert found.frame["source_row"].tolist() == [2]


def test_rejected_rows_are_written_without_what_they_say(tmp_path: Path) -> None:
    path = table(tmp_path, "id,date,lon,lat,notes\n1,2024-01-01,40,5,secret")
    written = write_rejected(loaded("incidents", path).report, tmp_path / "out" / "rejected.csv")
    assert written.read_text() == (
        "layer,source,source_row,field,reason\n"
        "incidents,rows.csv,2,lon,outside the area of interest\n"
    )


def test_rows_without_a_key_get_one_of_file_and_row(tmp_path: Path) -> None:
    path = table(tmp_path, "date,lon,lat\n2024-01-01,31,5\n2024-01-02,31,5")
    found = loaded("incidents", path)
    assert found.frame is not None
    assert found.frame["incident_id"].tolist() == ["rows-2", "rows-3"]
    assert "no incident_id: made of file name and row number" in reasons(found, "note")


def test_two_sources_with_the_same_keys_are_told_apart(tmp_path: Path) -> None:
    one = table(tmp_path, "id,date,lon,lat\n1,2024-01-01,31,5", "one.csv")
    two = table(tmp_path, "id,date,lon,lat\n1,2024-02-01,31,5\n2,2024-02-01,31,5", "two.csv")
    request = LoadRequest(
        spec=layer_spec("incidents"),
        sources=(SourceRequest(paths=(one,)), SourceRequest(paths=(two,))),
    )
    frame = load(request, boundary=SQUARE).frame
    assert frame is not None
    assert frame["incident_id"].tolist() == ["1", "two:1", "2"]
    assert frame["source"].tolist() == ["one.csv", "two.csv", "two.csv"]


def test_an_empty_table_is_an_empty_layer(tmp_path: Path) -> None:
    found = loaded("incidents", table(tmp_path, "id,date,lon,lat"))
    assert found.frame is not None
    assert len(found.frame) == 0
    assert list(found.frame)[:2] == ["incident_id", "occurred_on"]
    assert counts(found)["rows"] == 0


def test_geometry_is_made_valid_or_rejected_by_kind(tmp_path: Path) -> None:
    bow = shapely.Polygon([(30, 4), (31, 5), (31, 4), (30, 5)])
    path = features(
        tmp_path,
        [
            (shapely.box(30, 4, 31, 5), {"id": "a", "name": "A"}),
            (bow, {"id": "b", "name": "B"}),
            (shapely.Point(31, 5), {"id": "c", "name": "C"}),
            (None, {"id": "d", "name": "D"}),
            (shapely.box(50, 4, 51, 5), {"id": "e", "name": "E"}),
        ],
        "aors.geojson",
    )
    found = loaded("aors", path)
    assert reasons(found, "repaired") == {"invalid outline made valid": 1}
    assert reasons(found, "rejected") == {
        "no geometry": 1, "not a polygon, which the layer holds": 1,
    }  # fmt: skip
    assert reasons(found, "flagged") == {"outside the area of interest: kept": 1}
    assert found.frame is not None
    assert found.frame.geometry.is_valid.all()
    assert found.frame["aor_id"].tolist() == ["a", "b", "e"]


def test_swapped_points_of_a_vector_file_are_mended(tmp_path: Path) -> None:
    path = features(
        tmp_path,
        [(shapely.Point(5, 31), {"id": "a"}), (shapely.box(30, 4, 30.1, 4.1), {"id": "b"})],
        "sites.geojson",
    )
    found = loaded("sites", path)
    assert reasons(found, "repaired") == {"lon and lat were swapped": 1}
    assert counts(found)["repaired"] == 1
    assert found.frame is not None
    assert found.frame.geometry[0].equals(shapely.Point(31, 5))


def test_polygons_joined_by_a_column(tmp_path: Path) -> None:
    path = features(
        tmp_path,
        [
            (shapely.box(30, 4, 31, 5), {"state": "S", "county": "A"}),
            (shapely.box(31, 4, 32, 5), {"state": "S", "county": "B"}),
            (shapely.box(30, 5, 31, 6), {"state": "T", "county": "C"}),
        ],
        "areas.geojson",
    )
    found = loaded(
        "areas",
        path,
        dissolve="state",
        columns={"area_id": "state", "name": "state"},
        defaults={"admin_level": "1"},
    )
    assert found.frame is not None
    assert found.frame["area_id"].tolist() == ["S", "T"]
    assert found.frame.geometry[0].equals(shapely.box(30, 4, 32, 5))
    assert counts(found)["accepted"] == 3


FIXES = (
    "unit,patrol,time,lon,lat\n"
    "U1,P1,2024-01-01T06:10:00Z,30.00,4.00\n"
    "U1,P1,2024-01-01T06:00:00Z,30.00,4.01\n"  # out of order
    "U1,P1,2024-01-01T06:00:00Z,30.00,4.01\n"  # exact duplicate
    "U1,P1,2024-01-01T06:11:00Z,31.00,4.00\n"  # 111 km in a minute
    "U1,P1,2024-01-01T09:00:00Z,31.00,4.00\n"  # a gap
    "U1,P2,2024-01-01T09:00:01Z,30.00,4.00\n"  # another patrol: no jump
    "U1,P1,2024-01-01T09:00:00Z,31.50,4.00\n"  # two places at one time
    "U1,P1,,30.00,4.00\n"
)


def test_fixes_are_sorted_unique_and_their_jumps_and_gaps_flagged(tmp_path: Path) -> None:
    found = loaded("patrols", table(tmp_path, FIXES))
    assert reasons(found, "rejected") == {"exact duplicate": 1, "no value where one is needed": 1}
    flagged = reasons(found, "flagged")
    # one degree of longitude at 4 N is 111.05 km (WGS84: cos 4 x 111.320 km), in one minute
    assert flagged == {
        "faster than 150 km/h (up to 6,663 km/h): a jump of the receiver": 1,
        "in two places at one time": 1,
        "after a gap of more than 60 minutes (the longest 2.8 hours)": 1,
    }
    assert "1 fixes stood before an earlier one: sorted by time" in reasons(found, "note")
    fixes = found.frame
    assert fixes is not None
    assert fixes["fix_at"].is_monotonic_increasing
    assert fixes["spike"].sum() == 2
    assert list(fixes) == [
        "unit_id", "patrol_id", "base_id", "fix_at", "lon", "lat", "source_row", "source", "spike",
    ]  # fmt: skip


def test_the_order_of_fixes_in_the_file_does_not_matter(tmp_path: Path) -> None:
    header, *lines = FIXES.strip().split("\n")
    shuffled = [lines[at] for at in np.random.default_rng(3).permutation(len(lines))]
    one = loaded("patrols", table(tmp_path, FIXES)).frame
    other = loaded("patrols", table(tmp_path, "\n".join([header, *shuffled]), "b.csv")).frame
    assert one is not None
    assert other is not None
    columns = ["unit_id", "patrol_id", "fix_at", "lon", "lat"]
    pd.testing.assert_frame_equal(
        one[columns].sort_values(columns, ignore_index=True),
        other[columns].sort_values(columns, ignore_index=True),
    )


def test_a_speed_limit_of_the_aoi_is_taken(tmp_path: Path) -> None:
    found = loaded("patrols", table(tmp_path, FIXES), max_speed_kmh=20_000.0)
    assert not [reason for reason in reasons(found, "flagged") if "faster" in reason]


GPX = (
    '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><rte><name>R1</name>'
    '<rtept lat="4.0" lon="30.0"/><rtept lat="4.1" lon="30.0"/></rte></gpx>'
)


def test_a_gpx_route_is_a_planned_patrol(tmp_path: Path) -> None:
    path = table(tmp_path, GPX, "routes.gpx")
    found = loaded("planned_patrols", path)
    assert found.frame is not None
    assert found.frame["name"].tolist() == ["R1"]
    assert found.frame.geometry[0].equals(shapely.LineString([(30, 4), (30, 4.1)]))


def test_a_profile_of_another_layer_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "id,lon,lat\n1,31,5")
    with pytest.raises(BadInput, match=r"Profile acled is for incidents, not for sites"):
        loaded("sites", path, profile="acled")
