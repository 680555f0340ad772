"""Straight-line reach: arithmetic on known distances, limits honoured, assumptions said."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.analyses.reach import ReachStandard, reach_field, reach_table
from pocgeo.ground.errors import BadInput, MissingColumns
from pocgeo.ground.geodesy import destination, distance_m


def bases(**columns: Any) -> gpd.GeoDataFrame:
    shapes = [shapely.Point(30.0, 5.0), shapely.Point(31.0, 5.0)]
    table = pd.DataFrame({"base_id": ["A", "B"], **columns})
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


def cells(*places: tuple[float, float]) -> pd.DataFrame:
    lon, lat = zip(*places, strict=True)
    return pd.DataFrame({"cell": np.arange(len(places)) + 7, "lon": lon, "lat": lat})


def test_minutes_are_readiness_plus_distance_over_speed() -> None:
    lon, lat, _ = destination(30.0, 5.0, 0.0, 15_000.0)
    table = reach_table(
        cells((float(lon), float(lat))),
        bases(mobility=["wheeled", "foot"], qrf_notice_min=[20.0, 0.0]),
    )
    row = table[table["base_id"] == "A"].iloc[0]
    assert row["reach_min"] == pytest.approx(20 + 30)  # 15 km at 30 km/h
    assert row["distance_m"] == pytest.approx(15_000)
    assert pd.isna(row["assumed"]) and pd.isna(row["binding"])


def test_unknown_readiness_and_mobility_are_assumed_and_said() -> None:
    table = reach_table(
        cells((30.0, 5.0)), bases(mobility=[None, "unknown"], qrf_notice_min=[None, 15.0])
    )
    said = table.set_index("base_id")["assumed"]
    assert said["A"] == "mobility wheeled, readiness 30 min"
    assert said["B"] == "mobility wheeled"
    assert table.set_index("base_id")["reach_min"]["A"] == 30


def test_range_and_night_limits_bind() -> None:
    place = cells((30.2, 5.0))
    both = bases(max_range_km=[10.0, None], night_moves=[True, False])
    table = reach_table(place, both).set_index("base_id")
    assert table["binding"].to_dict() == {"A": "max_range", "B": "by day only"}
    assert np.isnan(table["reach_min"]["A"])
    assert reach_field(table.reset_index(), place)["base_id"].tolist() == ["B"]
    none = reach_table(place, bases(max_range_km=[10.0, 10.0]))
    field = reach_field(none, place)
    assert field["base_id"].isna().all() and field["binding"].tolist() == ["max_range"]


def test_the_quickest_base_is_kept_beyond_the_horizon_and_is_the_true_one() -> None:
    rng = np.random.default_rng(1)
    n, m = 200, 12
    lon, lat = rng.uniform(25, 33, m), rng.uniform(2, 9, m)
    many = gpd.GeoDataFrame(
        {
            "base_id": [f"B{i:02}" for i in range(m)],
            "mobility": rng.choice(["foot", "wheeled", "air"], m),
            "qrf_notice_min": rng.choice([15.0, 60.0, np.nan], m),
            "max_range_km": rng.choice([150.0, np.nan], m),
        },
        geometry=shapely.points(lon, lat),
        crs="EPSG:4326",
    )
    places = cells(*zip(rng.uniform(24, 34, n), rng.uniform(1, 10, n), strict=True))
    standard = ReachStandard(horizon_min=90)
    field = reach_field(reach_table(places, many, standard), places)
    d = distance_m(places[["lon"]].to_numpy(), places[["lat"]].to_numpy(), lon, lat)
    speed = many["mobility"].map(standard.speed_kmh).to_numpy(float)
    minutes = many["qrf_notice_min"].fillna(30).to_numpy() + d / speed * 60 / 1000
    minutes[d > many["max_range_km"].fillna(np.inf).to_numpy() * 1000] = np.inf
    assert field["reach_min"].to_numpy() == pytest.approx(minutes.min(axis=1))
    assert field["base_id"].tolist() == many["base_id"].to_numpy()[minutes.argmin(axis=1)].tolist()
    turned = reach_field(reach_table(places, many[::-1], standard), places)
    pd.testing.assert_frame_equal(turned, field)


def test_reach_starts_at_the_perimeter_and_inside_is_readiness_only() -> None:
    camp = gpd.GeoDataFrame(
        {"base_id": ["A"]}, geometry=[shapely.box(30, 5, 30.1, 5.1)], crs="EPSG:4326"
    )
    table = reach_table(cells((30.05, 5.05), (30.05, 5.2)), camp)
    assert table["distance_m"].iloc[0] == 0 and table["reach_min"].iloc[0] == 30
    assert table["distance_m"].iloc[1] == pytest.approx(11_057, abs=5)


def test_closed_bases_reach_nothing() -> None:
    place = cells((30.5, 5.0))
    shut = bases(closed_on=[pd.Timestamp("2025-01-31"), pd.NaT])
    assert set(reach_table(place, shut, as_of="2025-01-31")["base_id"]) == {"A", "B"}
    assert set(reach_table(place, shut, as_of="2025-02-01")["base_id"]) == {"B"}
    none = reach_table(place, shut.iloc[:1], as_of="2025-02-01")
    assert none.empty
    field = reach_field(none, place)
    assert len(field) == 1 and field["base_id"].isna().all() and field["reach_min"].isna().all()


def test_messages() -> None:
    with pytest.raises(BadInput, match="no speed for camel"):
        reach_table(cells((30.0, 5.0)), bases(mobility=["camel", None]))
    with pytest.raises(MissingColumns, match="cells: no column lon"):
        reach_table(cells((30.0, 5.0)).drop(columns="lon"), bases())
    with pytest.raises(BadInput, match="reach_min must be more than 0"):
        ReachStandard(reach_min=0)
    with pytest.raises(BadInput, match="speed_kmh of foot"):
        ReachStandard(speed_kmh={"foot": 0, "wheeled": 30})
    with pytest.raises(BadInput, match="season"):
        ReachStandard(season="monsoon")
