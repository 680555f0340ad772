"""Incidents in cells: no vague place becomes a false hotspot, none is dropped in silence."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.cells import grid
from pocgeo.cells.gather import lattice, place_incidents, with_areas
from pocgeo.cells.spreading import PlacingRule
from pocgeo.ground.errors import BadInput, UnknownName

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
    by_people = PlacingRule(population=1, past=0, uniform=0)
    table = place_incidents(given, CELLS, AREAS, people(persons), by_people)
    assert (table["placed"] == "spread").all()
    assert table.groupby("incident_id")["weight"].sum().tolist() == pytest.approx([1, 1])
    by = table[table["incident_id"] == "w"].set_index("cell")["weight"]
    same(by, pd.Series(np.where(west, persons, 0), index=CELLS["cell"]))
    even = table[table["incident_id"] == "e"].set_index("cell")["weight"]
    surface = (CELLS["area_km2"] * CELLS["inside_share"]).set_axis(CELLS["cell"])
    same(even, surface.where(~west, 0.0))


def same(got: pd.Series, mix: pd.Series) -> None:
    """Weights are the mix made to add up to 1, without what is below a ten-thousandth."""
    share = mix / mix.sum()
    share = share[share >= 1e-4]
    pd.testing.assert_series_equal(
        got, share / share.sum(), check_names=False, check_index_type=False, rtol=1e-12
    )


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


# Where the past says


def dated(rows, days, reported=None) -> gpd.GeoDataFrame:
    made = incidents(*rows).assign(occurred_on=pd.to_datetime(days))
    return made if reported is None else made.assign(reported_on=pd.to_datetime(reported))


PAST = [("p", 31.05, 4.1, "point", 100.0), ("v", 31.1, 4.1, "area2", np.nan)]


def test_the_weights_of_people_past_and_land_add_up_as_written():
    persons = np.arange(1.0, len(CELLS) + 1)
    table = place_incidents(
        dated(PAST, ["2024-01-10", "2024-03-20"]), CELLS, AREAS, people(persons)
    )
    got = table[table["incident_id"] == "v"].set_index("cell")["weight"]
    own = grid.cells_of([31.05], [4.1], 7)[0]
    ring = set(grid.neighbours(np.array([own]))[0].tolist()) & set(CELLS["cell"])
    past = CELLS["cell"].map(lambda cell: 0.8 if cell == own else 0.2 / 6 * (cell in ring))
    land = CELLS["area_km2"] * CELLS["inside_share"]
    mix = 0.30 * persons / persons.sum() + 0.68 * past / past.sum() + 0.02 * land / land.sum()
    same(got, mix.where(CELLS["admin2_id"] == "W", 0.0).set_axis(CELLS["cell"]))
    assert got.idxmax() == own
    assert got[own] > 0.5


@pytest.mark.parametrize(
    ("day", "reported"),
    [
        ("2024-03-02", None),
        ("2024-05-01", None),
        ("2018-12-01", None),
        ("2024-01-10", "2024-03-05"),
    ],
)
def test_what_came_later_was_known_later_or_lies_too_far_back_decides_nothing(day, reported):
    reports = None if reported is None else [reported, None]
    given = dated(PAST, [day, "2024-03-20"], reports)
    without = dated(PAST[1:], ["2024-03-20"])
    persons = people(np.arange(1.0, len(CELLS) + 1))
    got = place_incidents(given, CELLS, AREAS, persons)
    alone = place_incidents(without, CELLS, AREAS, persons)
    got = got[got["incident_id"] == "v"].reset_index(drop=True)
    pd.testing.assert_frame_equal(got, alone)


def test_the_switch_excludes_or_takes_the_point_as_if_exact():
    given = dated(PAST, ["2024-01-10", "2024-03-20"])
    out = place_incidents(given, CELLS, AREAS, None, PlacingRule(method="exclude"))
    assert out["placed"].tolist() == ["point", "set_aside"]
    naive = place_incidents(given, CELLS, AREAS, None, PlacingRule(method="naive"))
    assert naive["placed"].tolist() == ["point", "naive"]
    assert naive["cell"].iloc[1] == grid.cells_of([31.1], [4.1], 7)[0]


def test_a_first_level_incident_is_spread_unless_the_rule_stops_short():
    both = pd.concat([AREAS, AREAS[:1].assign(area_id="ONE", admin_level=1)])
    cells = with_areas(lattice(AOI, 7), both)
    given = incidents(("o", 31.1, 4.1, "area1", np.nan))
    wide = place_incidents(given, cells, both, None)
    surface = (cells["area_km2"] * cells["inside_share"]).set_axis(cells["cell"])
    inside = (cells["admin1_id"] == "ONE").to_numpy()
    same(wide.set_index("cell")["weight"], surface.where(inside, 0.0))
    assert wide["weight"].sum() == pytest.approx(1)
    narrow = place_incidents(given, cells, both, None, PlacingRule(widest="area2"))
    assert narrow["placed"].tolist() == ["set_aside"]


def test_crumbs_go_to_the_cells_with_more():
    persons = np.full(len(CELLS), 1e-3)
    west = np.flatnonzero(CELLS["admin2_id"] == "W")
    persons[west[:2]] = 1e4
    given = incidents(("w", 31.1, 4.1, "area2", np.nan))
    rule = PlacingRule(population=1, past=0, uniform=0)
    table = place_incidents(given, CELLS, AREAS, people(persons), rule)
    assert table["cell"].tolist() == sorted(CELLS["cell"].to_numpy()[west[:2]])
    assert table["weight"].tolist() == pytest.approx([0.5, 0.5])


def test_a_rule_refuses_nonsense():
    with pytest.raises(UnknownName, match="Did you mean exclude"):
        PlacingRule(method="exclud")
    with pytest.raises(UnknownName, match="widest area of placing"):
        PlacingRule(widest="area9")
    with pytest.raises(BadInput, match="not all 0"):
        PlacingRule(population=0, past=0, uniform=0)
    with pytest.raises(BadInput, match="whole months"):
        PlacingRule(history_months=0.5)
