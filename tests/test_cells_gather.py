"""The lattice and what its cells belong to."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.cells import grid
from pocgeo.cells.closest import closest
from pocgeo.cells.gather import lattice, with_areas
from pocgeo.ground.areas import areas_km2
from pocgeo.ground.errors import BadInput, MissingColumns
from pocgeo.ground.geodesy import distance_m

AOI = shapely.box(31, 4, 31.4, 4.3) - shapely.box(31.1, 4.1, 31.2, 4.15)


def frame(geometry, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs="EPSG:4326")


def areas() -> gpd.GeoDataFrame:
    west, east = shapely.box(31, 4, 31.2, 4.3), shapely.box(31.2, 4, 31.39, 4.3)
    return frame(
        [west | east, west, east],
        area_id=["S", "SW", "SE"],
        name=["State", "West", "East"],
        admin_level=[1, 2, 2],
        parent_id=[None, "S", "S"],
    )


def test_the_lattice_covers_the_boundary_and_its_shares_are_the_boundarys_area():
    cells = lattice(AOI, 8)
    assert cells["cell"].is_monotonic_increasing
    outlines = grid.boundaries(cells["cell"].to_numpy())
    assert shapely.difference(AOI, shapely.union_all(outlines)).area < 1e-12
    inside_km2 = (cells["inside_share"] * cells["area_km2"]).sum()
    assert inside_km2 == pytest.approx(areas_km2([AOI])[0], rel=1e-8)
    whole = shapely.covers(AOI, outlines)
    assert (cells["edge"] == ~whole).all()
    assert (cells.loc[~cells["edge"], "inside_share"] == 1).all()
    assert ((cells["inside_share"] > 0) & (cells["inside_share"] <= 1)).all()


def test_an_area_smaller_than_a_cell_is_still_held():
    tiny = lattice(shapely.Point(31.58, 4.85).buffer(1e-4), 7)
    assert tiny["inside_share"].sum() > 0
    assert tiny["edge"].all()
    with pytest.raises(BadInput, match="covers no cell"):
        lattice(shapely.Polygon(), 7)


def test_a_cell_belongs_to_the_area_that_covers_most_of_it_else_to_the_nearest():
    cells = with_areas(lattice(AOI, 7), areas())
    outlines = grid.boundaries(cells["cell"].to_numpy())
    for row, outline in enumerate(outlines):
        km2 = areas_km2(shapely.intersection(outline, areas().geometry.to_numpy()[1:]))
        if km2.max() > 0 and abs(km2[0] - km2[1]) > 1e-9:
            assert cells["admin2_id"][row] == ["SW", "SE"][int(np.argmax(km2))]
    beyond = ~shapely.intersects(outlines, shapely.box(31, 4, 31.39, 4.3))
    assert beyond.sum() > 0
    assert (cells.loc[beyond, "admin2_id"] == "SE").all()
    assert cells["admin1_id"].eq("S").all()
    assert cells["admin1"].eq("State").all()
    assert cells["admin2"].map({"West": "SW", "East": "SE"}).equals(cells["admin2_id"])
    assert cells[["aor", "aor_id", "settlement", "settlement_id"]].isna().all().all()


def test_the_first_level_follows_the_second_levels_parent():
    given = areas()
    given.loc[1, "parent_id"] = "T"
    given = pd.concat([given, frame([shapely.box(40, 4, 41, 5)], area_id=["T"], name=["Other"],
                                    admin_level=[1], parent_id=[None])])  # fmt: skip
    cells = with_areas(lattice(AOI, 7), given)
    assert cells.loc[cells["admin2_id"] == "SW", "admin1"].eq("Other").all()
    assert cells.loc[cells["admin2_id"] == "SE", "admin1"].eq("State").all()
    missing = given.assign(parent_id=None)
    assert with_areas(lattice(AOI, 7), missing)["admin1"].eq("State").all()


def test_aors_and_settlements():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(30.9, 31.5, 80), rng.uniform(3.9, 4.4, 80)
    towns = frame(
        gpd.points_from_xy(lon, lat),
        settlement_id=[f"T{i}" for i in range(80)],
        name=[f"Town {i}" for i in range(79)] + [None],
    )
    aor = frame([shapely.box(30, 3, 32, 5)], aor_id=["A1"], name=["North"])
    cells = with_areas(lattice(AOI, 8), None, aor, towns)
    assert cells["aor"].eq("North").all()
    far_m = distance_m(cells["lon"].to_numpy()[:, None], cells["lat"].to_numpy()[:, None], lon, lat)
    assert cells["settlement_m"].to_numpy() == pytest.approx(far_m.min(axis=1))
    best = np.argmin(far_m, axis=1)
    assert cells["settlement_id"].tolist() == [f"T{i}" for i in best]
    assert cells.loc[best == 79, "settlement"].isna().all()


def test_closest_across_the_antimeridian_in_polygons_and_of_nothing():
    shapes = np.array([shapely.Point(-179.99, 0), None, shapely.Point(179.5, 0)], dtype=object)
    at, far_m = closest(np.array([179.99]), np.array([0.0]), shapes)
    assert at.tolist() == [0]
    assert far_m == pytest.approx(distance_m([179.99], [0.0], [-179.99], [0.0]))
    outline = np.array([None, shapely.box(0, 0, 1, 1)], dtype=object)
    at, far_m = closest(np.array([0.5]), np.array([0.5]), outline)
    assert (at.tolist(), far_m.tolist()) == ([1], [0.0])
    at, far_m = closest(np.array([0.5]), np.array([0.5]), outline[:1])
    assert at.tolist() == [-1]
    assert np.isnan(far_m).all()


def test_a_layer_without_its_columns_is_named():
    with pytest.raises(MissingColumns, match="no column admin_level"):
        with_areas(lattice(AOI, 6), areas().drop(columns="admin_level"))
