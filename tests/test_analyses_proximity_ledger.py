"""People, ledger, review list and base sheet on scenes small enough to count by hand."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from pocgeo.analyses.proximity import (
    Around,
    Period,
    ProximityStandard,
    base_sheet,
    by_perpetrator,
    incident_places,
    ledger,
    people_within,
    review_list,
    verdict_table,
    zones,
)
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.geodesy import buffer_m, destination, reproject
from pocgeo.ground.pixels import PixelWindow

LON, LAT = 31.5, 4.8
CAMP = buffer_m(shapely.Point(LON, LAT), 300.0)


def at(bearing: float, length_m: float) -> shapely.Point:
    lon, lat, _ = destination(LON, LAT, bearing, length_m)
    return shapely.Point(float(lon), float(lat))


def bases(**columns: Any) -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        {"base_id": ["A", "B"], "name": ["Alpha", "Bravo"], "kind": ["HQ", "TOB"], **columns}
    )
    return gpd.GeoDataFrame(table, geometry=[CAMP, at(90, 20_000)], crs="EPSG:4326")


def window(density: float = 1.0, size: int = 80, data_columns: int = 80) -> PixelWindow:
    """Pixels of 3 arc-seconds, uniform, around the camp."""
    step = 3 / 3600
    values = np.full((2, size, size), density)
    values[1] /= 2
    values[:, :, data_columns:] = np.nan
    return PixelWindow(
        fields=("people_persons", "women_persons"),
        values=values,
        west=LON - size / 2 * step,
        north=LAT + size / 2 * step,
        pixel_width=step,
        pixel_height=step,
    )


def pixel_area() -> float:
    w, s, e, n = window(size=2).bounds
    box = Geod(ellps="WGS84").polygon_area_perimeter([w, e, e, w], [s, s, n, n])[0]
    return abs(box) / 4


def test_people_within_a_uniform_density_is_area_over_pixel_area() -> None:
    table = people_within(bases(), {"A": window()}).set_index("base_id")
    zone, inner = np.pi * 1300**2 / pixel_area(), np.pi * 300**2 / pixel_area()
    row = table.loc["A"]
    assert row["people_persons"] == pytest.approx(zone - inner, rel=5e-4)
    assert row["women_persons"] == pytest.approx((zone - inner) / 2, rel=5e-4)
    assert row["perimeter_people_persons"] == pytest.approx(inner, rel=5e-4)
    assert np.isnan(row["children_persons"])  # the raster has no such band: unknown, not 0
    assert row["raster_share"] == pytest.approx(1.0) and row["perimeter"] == "polygon"
    assert row["people_low_persons"] == row["people_high_persons"] == row["people_persons"]
    assert pd.isna(row["note"])
    assert np.isnan(table.loc["B", "people_persons"])
    assert table.loc["B", "note"] == "no population raster given"


def test_people_equal_fine_sub_pixels() -> None:
    rng = np.random.default_rng(4)
    base = window()
    patchy = rng.gamma(0.3, 30.0, (80, 80))
    each = PixelWindow(
        fields=("people_persons",), values=patchy[None], west=base.west, north=base.north,
        pixel_width=base.pixel_width, pixel_height=base.pixel_height,
    )  # fmt: skip
    found = people_within(bases(), {"A": each})["people_persons"].iloc[0]
    fine = 16
    step = base.pixel_width / fine
    x = base.west + (np.arange(80 * fine) + 0.5) * step
    y = base.north - (np.arange(80 * fine) + 0.5) * step
    lon, lat = np.meshgrid(x, y)
    away = Geod(ellps="WGS84").inv(
        np.full(lon.size, LON), np.full(lon.size, LAT), lon.ravel(), lat.ravel()
    )[2]
    inside = ((away <= 1300) & (away > 300)).reshape(lon.shape)
    expected = (np.kron(patchy, np.ones((fine, fine))) * inside).sum() / fine**2
    assert found == pytest.approx(expected, rel=2e-3)


def test_people_around_a_vague_point_are_a_band() -> None:
    vague = bases().assign(location_error_m=[np.nan, 400.0]).set_geometry([CAMP, at(0, 0)])
    row = people_within(vague, {"B": window()}).set_index("base_id").loc["B"]
    disc = np.pi / pixel_area()
    assert row["people_low_persons"] == pytest.approx(disc * 600**2, rel=5e-4)
    assert row["people_persons"] == pytest.approx(disc * 1000**2, rel=5e-4)
    assert row["people_high_persons"] == pytest.approx(disc * 1400**2, rel=5e-4)
    assert np.isnan(row["perimeter_people_persons"])
    assert row["note"].startswith("perimeter unknown: people within the radius of a point")
    narrow = people_within(vague, {"B": window(size=26)}).set_index("base_id").loc["B"]
    assert np.isnan(narrow["people_high_persons"])  # the window is too narrow to tell
    silent = people_within(vague.drop(columns="location_error_m"), {"B": window()}).set_index(
        "base_id"
    )
    assert "base error unknown: 500 m assumed" in silent.loc["B", "note"]


def test_people_where_the_raster_ends() -> None:
    row = people_within(bases(), {"A": window(data_columns=40)}).iloc[0]
    assert row["raster_share"] == pytest.approx(0.5, abs=0.01)
    assert row["note"] == "the raster has data for 50% of the zone only"
    row = people_within(bases(), {"A": window(data_columns=0)}).iloc[0]
    assert np.isnan(row["people_persons"])
    assert row["note"] == "no population raster covers the zone"
    far = PixelWindow(
        fields=("people_persons",), values=np.ones((1, 2, 2)), west=0, north=0,
        pixel_width=1, pixel_height=1,
    )  # fmt: skip
    assert np.isnan(people_within(bases(), {"A": far})["people_persons"].iloc[0])
    odd = PixelWindow(
        fields=("cattle",), values=np.ones((1, 2, 2)), west=0, north=0,
        pixel_width=1, pixel_height=1,
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"base A has no band people_persons; it has cattle"):
        people_within(bases(), {"A": odd})


def test_people_on_a_projected_raster() -> None:
    xy = reproject(shapely.Point(LON, LAT), "EPSG:4326", "EPSG:32636")
    utm = PixelWindow(
        fields=("people_persons",), values=np.full((1, 40, 40), 1.0), west=xy.x - 2000,
        north=xy.y + 2000, pixel_width=100, pixel_height=100, crs="EPSG:32636",
    )  # fmt: skip
    found = people_within(bases(), {"A": utm})["people_persons"].iloc[0]
    assert found == pytest.approx(np.pi * (1300**2 - 300**2) / 1e4, rel=2e-3)  # UTM scale 1.0004


def test_zones_hold_the_perimeter() -> None:
    table = zones(bases())
    assert table["perimeter"].tolist() == ["polygon", "point"]
    assert table["error_m"].tolist() == [0.0, 500.0]
    assert table.geometry.iloc[0].covers(CAMP)


def incidents() -> gpd.GeoDataFrame:
    rows = [  # id, day, reported, bearing, distance to the camp's centre, error, killed, against
        ("i1", "2024-01-10", "2024-01-12", 0, 800, 0, 0, True),
        ("i2", "2024-02-01", "2024-06-01", 0, 900, 0, 3, True),
        ("i3", "2024-02-20", None, 10, 1000, 0, 0, False),
        ("i4", "2024-03-01", "2024-03-01", 20, 500, 50, 2, True),
        ("i5", "2024-03-02", "2024-03-05", 30, 1290, 100, 1, None),
        ("i6", "2024-03-03", "2024-03-03", 40, 2000, 0, 9, True),
        ("i7", "2024-07-15", "2024-07-15", 40, 200, 0, np.nan, True),
        ("i8", "2024-07-15", "2024-07-15", 40, 9000, 0, 4, True),
    ]
    table = pd.DataFrame(
        rows, columns=["incident_id", "on", "told", "turn", "away", "error", "killed", "against"]
    )
    return gpd.GeoDataFrame(
        {
            "incident_id": table["incident_id"],
            "occurred_on": pd.to_datetime(table["on"]),
            "reported_on": pd.to_datetime(table["told"]),
            "location_error_m": table["error"].astype(float),
            "perpetrator": ["state_forces", "non_state_armed_group"] * 3 + [None, "unknown"],
            "killed_civilians_persons": table["killed"],
            "harmed_civilians_persons": [0.0, np.nan, 0, 0, 0, 0, np.nan, 0],
            "against_civilians": table["against"].astype("boolean"),
        },
        geometry=[at(t, d) for t, d in zip(table["turn"], table["away"], strict=True)],
        crs="EPSG:4326",
    )


def around(**layers: Any) -> Around:
    site = gpd.GeoDataFrame(
        {"site_id": ["S1", "S2", "S3"], "people_persons": [1200.0, np.nan, 50.0]},
        geometry=[at(180, 1200), at(180, 1350).buffer(0.001), at(180, 1400)],
        crs="EPSG:4326",
    )
    towns = gpd.GeoDataFrame(
        {
            "settlement_id": [f"T{i:02}" for i in range(12)],
            "name": [f"Town {i}" for i in range(12)],
        },
        geometry=[at(270, 1000.0 * (i + 1)) for i in range(12)],
        crs="EPSG:4326",
    )
    given = {"sites": site, "settlements": towns, "incidents": incidents(), **layers}
    return Around(**given)


def test_ledger_counts_by_hand() -> None:
    people = people_within(bases(), {"A": window()})
    table = ledger(bases(), around(people=people)).set_index("base_id")
    row = table.loc["A"]
    assert row["people_persons"] == people["people_persons"].iloc[0]
    assert row["sites_n"] == 2  # S1, and S2 whose rim is within; S3 is 1,100 m off
    assert row["sites_persons"] == 1200
    assert row["settlements_n"] == 1
    assert row["incidents_inside"] == 5  # i1 i2 i3 i4 i7
    assert row["incidents_undecided"] == 1  # i5
    assert row["incidents_outside_near"] == 1  # i6
    assert row["killed_civilians_persons"] == 5
    assert row["review_n"] == 4  # i2 i4 i5 i7 (harm unknown, against civilians)
    assert "no dates: taken as standing throughout" in str(row["note"])
    other = table.loc["B"]
    assert other["incidents_inside"] == 0 and other["killed_civilians_persons"] == 0
    assert other["perimeter"] == "point" and "perimeter unknown" in other["note"]
    assert np.isnan(other["people_persons"])


def test_what_is_not_loaded_is_not_zero() -> None:
    table = ledger(bases(), Around())
    unknown = [
        c for c in table.columns if c not in {"base_id", "name", "kind", "perimeter", "note"}
    ]
    assert table[unknown].isna().all().all()


def test_ledger_of_a_period_as_known_by_a_day() -> None:
    asked = Period(since=pd.Timestamp("2024-02-01"), as_of=pd.Timestamp("2024-03-04"))
    row = ledger(bases(), around(), period=asked).iloc[0]
    # i2 was reported in June, i5 the day after; i3 has no report day and counts as told at once
    assert (row["incidents_inside"], row["incidents_undecided"]) == (2, 0)
    shut = bases(closed_on=[pd.Timestamp("2023-12-31"), pd.NaT])
    assert ledger(shut, around(), period=asked)["base_id"].tolist() == ["B"]
    with pytest.raises(BadInput, match="ends on 2024-01-01, before it begins on 2024-02-01"):
        Period(since=pd.Timestamp("2024-02-01"), until=pd.Timestamp("2024-01-01"))


def test_a_site_that_surrounds_the_base_is_within() -> None:
    wide = gpd.GeoDataFrame(
        {"site_id": ["S"], "people_persons": [9.0]},
        geometry=[buffer_m(shapely.Point(LON, LAT), 5000.0)], crs="EPSG:4326",
    )  # fmt: skip
    row = ledger(bases(), around(sites=wide)).iloc[0]
    assert row["sites_n"] == 1
    sheet = base_sheet("A", bases(), around(sites=wide))
    assert sheet["sites"]["distance_m"].tolist() == [0.0]


def test_review_list_says_what_was_known_before() -> None:
    events = incidents()
    pairs = verdict_table(incident_places(events), bases())
    table = review_list(pairs, events).set_index("incident_id")
    assert table.index.tolist() == ["i2", "i4", "i7", "i5"]
    fourth = table.loc["i4"]  # before it: i1 (told in January), i2 (told in June), i3 (never)
    assert (fourth["before_n"], fourth["known_before_n"], fourth["unknown_when_n"]) == (3, 1, 1)
    assert fourth["days_since_known"] == 51  # 10 January to 1 March 2024
    assert table.loc["i2", "before_n"] == 1
    assert table.loc["i7", "before_n"] == 0 and np.isnan(table.loc["i7", "days_since_known"])
    assert table.loc["i5", "verdict"] == "undecided"
    assert table.loc["i7", "harm"] == "unknown" and table.loc["i4", "harm"] == "recorded"
    assert table["days_since_presence"].isna().all()
    seen = review_list(pairs, events, days_since_presence=pd.Series({"i4": 6.0}))
    assert seen.set_index("incident_id")["days_since_presence"]["i4"] == 6
    short = review_list(pairs, events, watch_days=10).set_index("incident_id")
    assert short.loc["i4", "before_n"] == 1


def test_review_list_equals_a_slow_count() -> None:
    rng = np.random.default_rng(9)
    n = 300
    on = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    events = gpd.GeoDataFrame(
        {
            "incident_id": [f"i{i}" for i in range(n)],
            "occurred_on": on,
            "reported_on": pd.Series(on + pd.to_timedelta(rng.integers(0, 60, n), unit="D")).where(
                rng.random(n) < 0.8
            ),
            "location_error_m": rng.choice([0.0, 300.0, 2000.0], n),
            "killed_civilians_persons": rng.choice([0.0, 1.0, np.nan], n),
            "against_civilians": True,
        },
        geometry=[
            at(t, d) for t, d in zip(rng.uniform(0, 360, n), rng.uniform(0, 25000, n), strict=True)
        ],
        crs="EPSG:4326",
    )
    pairs = verdict_table(incident_places(events), bases())
    facts = events.set_index("incident_id")
    for row in review_list(pairs, events).itertuples():
        near = pairs[(pairs["base_id"] == row.base_id) & (pairs["verdict"] != "outside")]
        before = facts.loc[near["place_id"]]
        gap = (row.occurred_on - before["occurred_on"]).dt.days
        before = before[(gap > 0) & (gap <= 90)]
        assert row.before_n == len(before)
        assert row.known_before_n == (before["reported_on"] <= row.occurred_on).sum()
        assert row.unknown_when_n == before["reported_on"].isna().sum()


def test_every_perpetrator_is_told_apart() -> None:
    events = incidents()
    table = by_perpetrator(verdict_table(incident_places(events), bases()), events)
    inside = table[(table["base_id"] == "A") & (table["verdict"] == "inside")]
    assert inside.set_index("perpetrator")["incidents_n"].to_dict() == {
        "state_forces": 2, "non_state_armed_group": 2, "unknown": 1,
    }  # fmt: skip
    deaths = inside.set_index("perpetrator")["killed_civilians_persons"]
    assert deaths["non_state_armed_group"] == 5 and np.isnan(deaths["unknown"])


def test_base_sheet() -> None:
    sheet = base_sheet(
        "A",
        bases(caveat=["no night moves", None], opened_on=pd.to_datetime(["2023-01-01", None])),
        around(),
        period=Period(since=pd.Timestamp("2024-01-01"), until=pd.Timestamp("2024-12-31")),
    )
    assert set(sheet) == {
        "facts", "ledger", "sites", "settlements", "incidents", "months", "neighbours",
    }  # fmt: skip
    facts = sheet["facts"].set_index("fact")["value"]
    assert facts["Caveat"] == "no night moves" and facts["Opened"] == "2023-01-01"
    assert facts["Perimeter"] == "polygon" and pd.isna(facts["Mobility"])
    assert len(sheet["settlements"]) == 10
    assert sheet["settlements"]["direction"].eq("west").all()
    assert sheet["settlements"]["distance_m"].iloc[0] == pytest.approx(700, abs=0.5)
    assert sheet["sites"]["direction"].eq("south").all()
    assert sheet["incidents"]["incident_id"].tolist() == ["i7", "i5", "i4", "i3", "i2", "i1"]
    months = sheet["months"].set_index("month_on")
    assert len(months) == 12 and months["incidents_inside"].sum() == 5
    assert months.loc["2024-05-01", "incidents_inside"] == 0
    assert np.isnan(months.loc["2024-07-01", "killed_civilians_persons"])
    assert sheet["neighbours"]["base_id"].tolist() == ["B"]
    assert sheet["neighbours"]["distance_m"].iloc[0] == pytest.approx(19_700, abs=1)
    assert sheet["ledger"]["incidents_inside"].tolist() == [5.0]


def test_base_sheet_of_a_base_without_obligation_or_layers() -> None:
    sheet = base_sheet("B", bases(kind=["HQ", "other"]), Around())
    assert sheet["ledger"]["kind"].tolist() == ["other"]
    assert sheet["incidents"].empty and sheet["months"].empty and sheet["sites"].empty
    with pytest.raises(UnknownName, match="No base is called 'C'"):
        base_sheet("C", bases(), Around())
    assert ledger(bases(kind="other"), around()).empty
    wide = ProximityStandard(radius_m=5000, kinds=frozenset({"other"}))
    assert len(ledger(bases(kind="other"), around(), wide)) == 2
