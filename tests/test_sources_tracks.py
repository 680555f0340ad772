import pandas as pd
import pytest

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.tracks import read_tracks
from tests.real import SHARED, needs_shared

GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="1" lon="2"><time>2024-01-01T00:00:00Z</time></wpt>
<rte><name>plan</name><rtept lat="4" lon="31"/></rte>
<trk><name> Alpha
 1 </name>
 <trkseg><trkpt lat="4.1" lon="31.1"><ele>450</ele><time>2024-01-02T03:04:05.250Z</time></trkpt>
  <trkpt lat="4.2" lon="31.2"><time>2024-01-02T06:04:05+03:00</time></trkpt></trkseg>
 <trkseg/>
 <trkseg><trkpt lat="4.3" lon="31.3"/><trkpt lat="north" lon="31.4"/>
  <trkpt lat="4.4" lon="31.4"><time>yesterday</time></trkpt></trkseg></trk>
<trk><name>twin</name><trkseg><trkpt lat="5" lon="32"/></trkseg></trk>
<trk><name>twin</name><trkseg><trkpt lat="6" lon="33"/></trkseg></trk>
</gpx>"""


@pytest.fixture
def gpx(tmp_path):
    def writer(text, name="patrol_7.gpx", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return writer


def test_every_fix_comes_with_unit_patrol_time_and_segment(gpx):
    found = read_tracks(gpx(GPX))
    frame = found.frame
    assert frame.columns.tolist() == [
        "unit_id", "patrol_id", "fix_at", "lon", "lat", "segment", "kind",
    ]  # fmt: skip
    assert set(frame["unit_id"]) == {"patrol_7"}
    assert frame["patrol_id"].tolist() == [
        "plan", *["Alpha 1"] * 4, "patrol_7:3", "patrol_7:4",
    ]  # fmt: skip
    assert frame["segment"].tolist() == [1, 1, 1, 3, 3, 1, 1]
    assert frame["kind"].tolist() == ["route", *["track"] * 6]
    assert frame["lat"].tolist() == [4, 4.1, 4.2, 4.3, 4.4, 5, 6]
    assert frame["lon"].tolist() == [31, 31.1, 31.2, 31.3, 31.4, 32, 33]
    assert frame.index.tolist() == [1, 2, 3, 4, 6, 7, 8]
    assert found.bad_rows == ((5, "lat or lon is no number"),)


def test_times_are_utc_whatever_their_offset_and_missing_ones_are_said(gpx):
    found = read_tracks(gpx(GPX))
    times = found.frame["fix_at"]
    assert times.iloc[1] == pd.Timestamp("2024-01-02T03:04:05.250", tz="UTC")
    assert times.iloc[2] == pd.Timestamp("2024-01-02T03:04:05", tz="UTC")
    assert times.isna().sum() == 5
    assert found.notes == (
        "5 fixes have no time",
        "1 fixes have a time that is none: read as missing",
        "1 fixes belong to routes, which are planned, not recorded",
        "1 waypoints are not fixes: left out",
    )


def test_gpx_without_namespace_or_fixes_or_in_utf16_is_read(gpx):
    bare = "<gpx><trk><trkseg><trkpt lat='1' lon='2'/></trkseg></trk></gpx>"
    assert len(read_tracks(gpx(bare)).frame) == 1
    assert len(read_tracks(gpx('<?xml version="1.0"?>' + bare, encoding="utf-16")).frame) == 1
    assert len(read_tracks(gpx("\ufeff" + bare)).frame) == 1
    empty = read_tracks(gpx("<gpx/>")).frame
    assert len(empty) == 0
    assert str(empty["fix_at"].dtype).endswith("UTC]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<gpx><trk></gpx>", "broken XML"),
        ("<kml/>", "no GPX"),
        ("lat,lon\n1,2\n", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><gpx>&a;</gpx>', "DOCTYPE"),
    ],
)
def test_what_is_no_gpx_is_refused_in_one_line(gpx, text, said):
    with pytest.raises(UnreadableSource, match=said) as caught:
        read_tracks(gpx(text))
    assert "\n" not in str(caught.value)


def test_telemetry_keeps_its_own_columns(gpx):
    found = read_tracks(gpx("unit;time;lat;lon\nA;1211033530;4,5;31\n", "t.csv"))
    assert found.frame.columns.tolist() == ["unit", "time", "lat", "lon"]
    assert found.frame.iloc[0].tolist() == ["A", "1211033530", "4,5", "31"]


@needs_shared
@pytest.mark.parametrize(
    ("name", "fixes", "untimed"),
    [  # points counted with grep -c '<trkpt\|<rtept'
        ("Mojstrovka", 184, 0),
        ("cerknicko-without-times", 296, 291),
        ("gpx1.0_with_all_fields", 6, 4),
        ("korita-zbevnica", 871, 358),
        ("track-with-empty-segment", 9, 0),
        ("track-with-less-sec-time", 2, 0),
        ("unicode_with_bom", 0, 0),
    ],
)
def test_awkward_real_gpx_is_read(name, fixes, untimed):
    found = read_tracks(SHARED / "tracks/gpx" / f"{name}.gpx")
    assert len(found.frame) == fixes
    assert found.frame["fix_at"].isna().sum() == untimed
    assert found.bad_rows == ()


@needs_shared
def test_taxi_files_are_read_once_they_are_declared():
    found = read_tracks(SHARED / "tracks/cab_new_abboip.txt", delimiter=" ", header_row=0)
    assert found.frame.iloc[0].tolist() == ["37.75153", "-122.39447", "0", "1211033530"]
    assert found.bad_rows == ()


@needs_shared
def test_ranger_patrols_come_with_times_and_places():
    found = read_tracks(SHARED / "tracks/earthranger_patrols_demo.parquet")
    assert found.frame["patrol_id"].nunique() == 59
    assert found.frame[["lon", "lat", "fixtime"]].notna().all(axis=None)
