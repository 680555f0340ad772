"""Incidents in cells: no vague place becomes a false hotspot, none is dropped in silence."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.cells import grid
from pocgeo.cells.gather import lattice, place_incidents, with_areas
from pocgeo.ground.errors import BadInput

AOI = shapely.box(31, 4, 31.4, 4.3)
WEST, EAST = shapely.box(31, 4, 31.2, 4.3), shapely.box(31.2, 4, 31.4, 4.3)
AREAS = gpd.GeoDataFrame(
    {
        "area_id": ["W", "E", "F"],
        "name": ["West", "East", "Far"],
        "admin_level": 2,
        "parent_id": None,
    },
    geometry=[WEST, EAST, shapely.box(40, 4, 41, 5)],
    crs=4326,
)
CELLS = with_areas(lattice(AOI, 7), AREAS)


def incidents(*rows) -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        rows, columns=["incident_id", "lon", "lat", "location_precision", "location_error_m"]
    )
    points = [
        None if np.isnan(lon) else shapely.Point(lon, lat)
        for lon, lat in zip(table["lon"], table["lat"], strict=True)
    ]
    return gpd.GeoDataFrame(table, geometry=points, crs=4326)


def people(persons) -> pd.DataFrame:
    return pd.DataFrame({"cell": CELLS["cell"], "people_persons": persons})


def test_each_precision_has_its_rule():
    given = incidents(
        ("a", 31.1, 4.1, "point", 100.0),
        ("b", 31.1, 4.1, "near", 5_000.0),
        ("c", 31.1, 4.1, None, np.nan),
        ("d", 31.1, 4.1, "unknown", 20_000.0),
        ("e", 31.1, 4.1, "area1", np.nan),
        ("f", 31.1, 4.1, "route", np.nan),
        ("g", 31.1, 4.1, "country", np.nan),
        ("h", 33.0, 4.1, "point", np.nan),
        ("i", np.nan, np.nan, "point", np.nan),
        ("j", 33.0, 4.1, "area2", np.nan),
        ("k", 40.5, 4.5, "area2", np.nan),
        ("l", np.nan, np.nan, "area2", np.nan),
    )
    table = place_incidents(given, CELLS, AREAS, None).set_index("incident_id")
    cell = grid.cells_of([31.1], [4.1], 7)[0]
    assert table["placed"].to_dict() == {
        "a": "point", "b": "point", "c": "point", "d": "set_aside", "e": "set_aside",
        "f": "set_aside", "g": "set_aside", "h": "outside", "i": "set_aside", "j": "set_aside",
        "k": "outside", "l": "set_aside",
    }  # fmt: skip
    exact = table["placed"] == "point"
    assert (table.loc[exact, "cell"] == cell).all()
    assert (table.loc[exact, "weight"] == 1).all()
    assert (table.loc[~exact, "cell"] == 0).all()
    assert table.loc[~exact, "weight"].isna().all()


def test_a_second_level_incident_is_spread_by_people_or_evenly():
    given = incidents(("w", 31.1, 4.1, "area2", np.nan), ("e", 31.3, 4.1, "area2", np.nan))
    west = (CELLS["admin2_id"] == "W").to_numpy()
    persons = np.where(west, np.arange(len(CELLS)), np.nan)
    table = place_incidents(given, CELLS, AREAS, people(persons))
    assert (table["placed"] == "spread").all()
    assert table.groupby("incident_id")["weight"].sum().tolist() == pytest.approx([1, 1])
    by = table[table["incident_id"] == "w"].set_index("cell")["weight"]
    expected = pd.Series(persons / np.nansum(persons), index=CELLS["cell"])
    assert by.to_numpy() == pytest.approx(expected.loc[by.index].to_numpy())
    assert set(by.index) == set(CELLS.loc[west & (persons > 0), "cell"])
    even = table[table["incident_id"] == "e"].set_index("cell")["weight"]
    surface = (CELLS["area_km2"] * CELLS["inside_share"]).set_axis(CELLS["cell"])
    assert set(even.index) == set(CELLS.loc[~west, "cell"])
    assert even.to_numpy() == pytest.approx((surface / surface[even.index].sum())[even.index])


def test_without_areas_a_second_level_incident_is_set_aside():
    given = incidents(("w", 31.1, 4.1, "area2", np.nan))
    for areas in (None, AREAS[:0], AREAS.assign(admin_level=1)):
        assert place_incidents(given, CELLS, areas, None)["placed"].tolist() == ["set_aside"]


def test_every_incident_comes_out_in_order_and_none_twice():
    rng = np.random.default_rng(2)
    kinds = ["point", "near", "area2", "area1", "route", "country", "unknown", None]
    given = incidents(
        *(
            (f"i{n}", rng.uniform(30.9, 31.5), rng.uniform(3.9, 4.4), rng.choice(kinds), np.nan)
            for n in range(300)
        )
    )
    table = place_incidents(given, CELLS, AREAS, people(rng.uniform(0, 9, len(CELLS))))
    assert table["incident_id"].drop_duplicates().tolist() == given["incident_id"].tolist()
    assert not table.duplicated(["incident_id", "cell"]).any()
    total = table.groupby("incident_id")["weight"].sum(min_count=1).dropna()
    assert total.to_numpy() == pytest.approx(1)
    assert set(table["placed"]) == {"point", "spread", "set_aside", "outside"}


def test_a_plain_list_without_precision_counts_at_its_points():
    given = incidents(("a", 31.1, 4.1, None, np.nan))[["incident_id", "geometry"]]
    assert place_incidents(given, CELLS)["placed"].tolist() == ["point"]
    assert place_incidents(given[:0], CELLS).empty


def test_an_incident_that_is_no_point_is_refused():
    given = incidents(("a", 31.1, 4.1, None, np.nan)).set_geometry([shapely.box(0, 0, 1, 1)])
    with pytest.raises(BadInput, match="a is a Polygon, not a point"):
        place_incidents(given.set_crs(4326), CELLS)
