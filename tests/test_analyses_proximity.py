"""Proximity: verdicts against a slow geodesic oracle, laws, days, unknowns and messages."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.proximity import (
    ProximityStandard,
    incident_places,
    proximity,
    standing,
    verdict_table,
)
from pocgeo.ground.errors import BadInput, MissingColumns
from pocgeo.ground.geodesy import destination
from tests import geodesic_oracle as oracle
from tests.real import SHARED, needs_shared

SETTINGS = settings(derandomize=True, max_examples=25, deadline=None)
RANK = {"outside": 0, "undecided": 1, "inside": 2}


def a_base(shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    codes = [f"B{i:03}" for i in range(len(shapes))]
    table = pd.DataFrame({"base_id": codes, "kind": "COB", **columns})
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


def some_places(lon: Any, lat: Any, error_m: Any = 0.0, **columns: Any) -> pd.DataFrame:
    lon = np.atleast_1d(np.asarray(lon, dtype=float))
    frame = {"place_id": [f"P{i}" for i in range(len(lon))], "lon": lon, "lat": lat}
    return pd.DataFrame({**frame, "location_error_m": error_m, **columns})


def near_the_rim(count: int, seed: int) -> tuple[Any, Any, list[Any]]:
    """One base per case, most places between 900 and 1,700 m off; 180 E and high latitudes."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-180, 180, count), rng.uniform(-60, 60, count)
    lon[::5] = (360 + rng.uniform(-0.01, 0.01, count)[::5]) % 360 - 180
    lat[::7] = rng.choice([-1, 1], count)[::7] * rng.uniform(75, 89.99, count)[::7]
    lat[::70] = rng.choice([-1, 1], count)[::70] * rng.uniform(89.99, 89.9999, count)[::70]
    shapes = [oracle.random_base(rng, x, y) for x, y in zip(lon, lat, strict=True)]
    away = np.where(
        rng.random(count) < 0.8, rng.uniform(900, 1700, count), rng.uniform(0, 900, count)
    )
    x, y, _ = oracle.GEOD.fwd(lon, lat, rng.uniform(0, 360, count), away)
    return np.asarray(x), np.asarray(y), shapes


def test_verdicts_equal_the_oracle_on_ten_thousand_cases() -> None:
    count = 10_000
    lon, lat, shapes = near_the_rim(count, 2026)
    rng = np.random.default_rng(1)
    error = np.where(rng.random(count) < 0.5, 0.0, rng.uniform(0, 400, count))
    expected = oracle.distances(lon, lat, shapes)
    wanted = np.where(
        expected + error <= 1000,
        "inside",
        np.where(expected - error > 1000, "outside", "undecided"),
    )
    day = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(count), unit="D")
    bases = a_base(shapes, opened_on=day, closed_on=day, location_error_m=0.0)
    bases["base_id"] = [f"B{i:05}" for i in range(count)]
    found = []
    for part in np.array_split(np.arange(count), 20):  # each place has a base of its own day
        places = some_places(lon[part], lat[part], error[part], occurred_on=day[part])
        found.append(proximity(places, bases.iloc[part]))
    table = pd.concat(found, ignore_index=True)
    assert (table["base_id"] == bases["base_id"]).all()
    assert np.abs(table["distance_m"] - expected).max() < 1e-3
    assert (table["verdict"].to_numpy() == wanted).all()
    share = pd.Series(wanted).value_counts(normalize=True)
    assert share.min() > 0.05  # all three verdicts are put to the test


def test_the_rim_itself_is_inside() -> None:
    lon, lat, _ = destination(30.0, 5.0, 0.0, [999.999, 1000.0 - 1e-7, 1000.001])
    base = a_base([shapely.Point(30.0, 5.0)], location_error_m=0.0)
    assert proximity(some_places(lon, lat), base)["verdict"].tolist() == [
        "inside", "inside", "outside",
    ]  # fmt: skip


places_and_bases = st.integers(0, 10_000).map(
    lambda seed: (np.random.default_rng(seed), np.random.default_rng(seed + 1))
)


def scene(rngs: Any) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    rng, _ = rngs
    shapes = [
        oracle.random_base(rng, rng.uniform(30, 30.05), rng.uniform(5, 5.05)) for _ in range(6)
    ]
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 6), unit="D")
    bases = a_base(
        shapes,
        location_error_m=rng.choice([np.nan, 0.0, 200.0, 900.0], 6),
        opened_on=pd.Series(days).where(rng.random(6) < 0.7),
        kind=rng.choice(["HQ", "COB", "other", None], 6),
    )
    happened = pd.Series(
        pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, 40), unit="D")
    )
    places = some_places(
        rng.uniform(29.98, 30.07, 40),
        rng.uniform(4.98, 5.07, 40),
        rng.choice([np.nan, 0.0, 50.0, 500.0, 5000.0], 40),
        occurred_on=happened.where(rng.random(40) < 0.9),
    )
    return places, bases


@SETTINGS
@given(places_and_bases, st.floats(1, 4_000))
def test_a_wider_radius_never_drops_an_obligation(rngs: Any, radius_m: float) -> None:
    places, bases = scene(rngs)
    near = proximity(places, bases, ProximityStandard(radius_m=radius_m))["verdict"].map(RANK)
    wide = proximity(places, bases, ProximityStandard(radius_m=2 * radius_m))["verdict"].map(RANK)
    assert (wide >= near).all()


@SETTINGS
@given(places_and_bases)
def test_the_order_of_bases_and_places_does_not_matter(rngs: Any) -> None:
    places, bases = scene(rngs)
    one = proximity(places, bases)
    other = proximity(places.iloc[::-1], bases.iloc[rngs[1].permutation(len(bases))])
    pd.testing.assert_frame_equal(one, other.loc[one.index])


@SETTINGS
@given(places_and_bases, st.floats(0, 3_000))
def test_more_error_never_decides(rngs: Any, more_m: float) -> None:
    places, bases = scene(rngs)
    places["location_error_m"] = places["location_error_m"].fillna(0.0)
    sure = proximity(places, bases)["verdict"]
    places["location_error_m"] += more_m
    vague = proximity(places, bases)["verdict"]
    assert ((vague == sure) | (vague == "undecided")).all()


@SETTINGS
@given(places_and_bases)
def test_the_table_of_pairs_agrees_with_the_verdict_of_each_place(rngs: Any) -> None:
    places, bases = scene(rngs)
    one = proximity(places, bases)["verdict"]
    pairs = verdict_table(places, bases)
    best = pairs["verdict"].map(RANK).groupby(pairs["place_id"]).max()
    assert (best.reindex(one.index, fill_value=0) == one.map(RANK)).all()
    decided = proximity(places, bases).reset_index().merge(pairs, on=["place_id", "base_id"])
    assert (decided["verdict_x"] == decided["verdict_y"]).all()
    assert (decided["why_x"] == decided["why_y"]).all()


def test_an_incident_is_judged_against_the_bases_of_its_day() -> None:
    base = a_base(
        [shapely.Point(30, 5)] * 2,
        location_error_m=0.0,
        opened_on=[pd.Timestamp("2024-03-01"), pd.NaT],
        closed_on=[pd.Timestamp("2024-06-30"), pd.Timestamp("2023-12-31")],
    )
    days = pd.to_datetime(
        ["2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01", "2024-06-30", "2024-07-01"]
    )
    table = proximity(some_places([30.001] * 6, 5.0, occurred_on=days), base)
    assert table["base_id"].fillna("-").tolist() == ["B001", "-", "-", "B000", "B000", "-"]
    assert table["verdict"].tolist() == [
        "inside",
        "outside",
        "outside",
        "inside",
        "inside",
        "outside",
    ]
    assert "no base that carries the obligation stood" in table["why"].iloc[1]
    long = some_places([30.001], 5.0, occurred_on=days[1:2], ended_on=[pd.Timestamp("2024-03-05")])
    assert proximity(long, base)["verdict"].tolist() == ["inside"]
    assert standing(base, "2024-03-01")["base_id"].tolist() == ["B000"]
    assert standing(base, "2023-12-01", "2024-12-31")["base_id"].tolist() == ["B000", "B001"]


def test_an_unknown_day_is_inside_only_of_bases_without_dates() -> None:
    dated = a_base(
        [shapely.Point(30, 5)], location_error_m=0.0, opened_on=[pd.Timestamp("2024-01-01")]
    )
    place = some_places([30.001, 30.1], 5.0, occurred_on=[pd.NaT, pd.NaT])
    table = proximity(place, dated)
    assert table["verdict"].tolist() == ["undecided", "outside"]
    assert "whether the base stood on that day is unknown" in table["why"].iloc[0]
    table = proximity(place, dated.drop(columns="opened_on"))
    assert table["verdict"].tolist() == ["inside", "outside"]
    assert "base without dates: taken as standing" in table["why"].iloc[0]


def test_unknown_is_not_zero() -> None:
    base = a_base([shapely.Point(30, 5)], location_error_m=0.0)
    table = proximity(some_places([30.001, np.nan], 5.0, np.nan), base)
    assert table["verdict"].tolist() == ["undecided", "undecided"]
    assert table["why"].iloc[0] == (
        "the rim at 1,000 m lies within the location error; place error unknown: 1,000 m assumed; "
        "perimeter unknown: distance measured to a point"
    )
    assert table["why"].iloc[1] == "the place has no coordinates"
    assert pd.isna(table["base_id"].iloc[1]) and np.isnan(table["error_m"].iloc[1])
    vague = proximity(some_places([30.006], 5.0), base.drop(columns="location_error_m"))
    assert vague["verdict"].tolist() == ["undecided"]  # 666 m from a point good to 500 m
    assert "base error unknown: 500 m assumed" in vague["why"].iloc[0]
    assert vague["error_m"].tolist() == [500.0]


def test_only_bound_kinds_count_and_unknown_kinds_do() -> None:
    shapes = [shapely.Point(30, 5), shapely.Point(30.5, 5)]
    bases = a_base(shapes, location_error_m=0.0, kind=["other", None])
    table = proximity(some_places([30.0, 30.5], 5.0), bases)
    assert table["base_id"].tolist() == ["B001", "B001"]
    assert table["verdict"].tolist() == ["outside", "inside"]
    assert "base of unknown kind: taken as bound" in table["why"].iloc[1]
    empty = proximity(some_places([30.0], 5.0), bases.iloc[:1])
    assert empty["verdict"].tolist() == ["outside"] and empty["base_id"].isna().all()
    assert verdict_table(some_places([30.0], 5.0), bases.iloc[:1]).empty
    assert proximity(some_places([], []), bases).empty


def test_a_nearer_vague_base_does_not_hide_a_sure_one() -> None:
    """500 m from a point good to 800 m, 900 m from a surveyed one: inside, thanks to the second."""
    lon, lat, _ = destination(30.0, 5.0, [90.0, 270.0], [500.0, 900.0])
    bases = a_base(list(shapely.points(lon, lat)), location_error_m=[800.0, 0.0])
    table = proximity(some_places([30.0], 5.0), bases)
    assert table["base_id"].tolist() == ["B001"] and table["verdict"].tolist() == ["inside"]


def test_web_mercator_would_give_another_verdict() -> None:
    """950 m off at 33 N is 1,134 m of Web Mercator: a planar ledger would drop the obligation."""
    lon, lat, _ = destination(35.2, 33.1, 45.0, 950.0)
    base = a_base([shapely.Point(35.2, 33.1)], location_error_m=0.0)
    planar = base.to_crs(3857).distance(
        gpd.GeoSeries(shapely.points([lon], [lat]), crs=4326).to_crs(3857).iloc[0]
    )
    assert planar.iloc[0] > 1100
    assert proximity(some_places(float(lon), float(lat)), base)["verdict"].tolist() == ["inside"]


def test_incidents_become_places() -> None:
    incidents = gpd.GeoDataFrame(
        {"incident_id": ["a", "b"], "occurred_on": pd.to_datetime(["2024-01-01", "2024-01-02"])},
        geometry=[shapely.Point(30, 5), None],
        crs="EPSG:4326",
    )
    places = incident_places(incidents)
    assert places["place_id"].tolist() == ["a", "b"]
    assert np.isnan(places["lon"].iloc[1]) and places["location_error_m"].isna().all()


def test_messages() -> None:
    base = a_base([shapely.Point(30, 5)])
    place = some_places([30.0], 5.0)
    with pytest.raises(MissingColumns, match="places: no column location_error_m"):
        proximity(place.drop(columns="location_error_m"), base)
    with pytest.raises(MissingColumns, match="bases: no column kind"):
        proximity(place, base.drop(columns="kind"))
    with pytest.raises(BadInput, match="place_id P0 stands in more than one row"):
        proximity(pd.concat([place, place]), base)
    with pytest.raises(BadInput, match="base_id B000 stands in more than one row"):
        proximity(place, pd.concat([base, base]))
    with pytest.raises(BadInput, match="location_error_m is -5; it must be 0 or more"):
        proximity(some_places([30.0], 5.0, -5.0), base)
    with pytest.raises(BadInput, match="B000 has no geometry"):
        proximity(place, a_base([None]))
    with pytest.raises(
        BadInput, match="radius_m must be more than 0 and at most 100,000 metres, got -1"
    ):
        ProximityStandard(radius_m=-1)
    with pytest.raises(BadInput, match="binds no base"):
        ProximityStandard(kinds=frozenset())


@needs_shared
def test_real_perimeters_and_events_equal_the_oracle() -> None:
    folder = SHARED / "south_sudan"
    camps = gpd.read_file(folder / "bases" / "osm_military_polygons.geojson")
    events = pd.read_csv(folder / "incidents" / "ucdp_ged_south_sudan_hxl.csv", skiprows=[1])
    events = events.drop_duplicates(["longitude", "latitude"]).iloc[::8].reset_index()
    lon, lat = events["longitude"].to_numpy(), events["latitude"].to_numpy()
    table = proximity(some_places(lon, lat), a_base(list(camps.geometry)))
    position = table["base_id"].str[1:].astype(int)
    shapes = [camps.geometry.iloc[at] for at in position]
    assert table["distance_m"].to_numpy() == pytest.approx(
        oracle.distances(lon, lat, shapes), abs=1e-3
    )
    drawn = camps.geometry.to_numpy()  # the nearest in degrees is a rival, not always the winner
    rough = shapely.distance(shapely.points(lon, lat)[:, None], drawn).argmin(axis=1)
    other = oracle.distances(lon, lat, [drawn[at] for at in rough])
    assert (table["distance_m"].to_numpy() <= other + 1e-3).all()
