"""Alert cover and people near: known distances, unknown that stays unknown."""

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.cells.nearby import alerted, persons_near

ONE_DEGREE_NORTH_M = 110_574.3886  # WGS84 meridian arc, 0 to 1 N, by quadrature


def centres() -> pd.DataFrame:
    """Four centres, 0 to 30 km north of a point on the equator."""
    return pd.DataFrame({"lon": 4.0, "lat": np.array([0, 10, 20, 30]) * 1_000 / ONE_DEGREE_NORTH_M})


def at_equator(**columns: list) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(
        columns, geometry=gpd.points_from_xy([4.0] * n, [0.0] * n), crs="EPSG:4326"
    )


def test_the_rim_of_a_radius_is_inside() -> None:
    answer = alerted(centres(), at_equator(radius_m=[10_001.0]))
    assert answer.tolist() == [True, True, False, False]


def test_a_network_of_unknown_extent_leaves_cells_unknown_not_covered() -> None:
    answer = alerted(centres(), at_equator(radius_m=[np.nan, 500.0]))
    assert answer.iloc[0] is True or answer.iloc[0] == True  # noqa: E712
    assert answer.iloc[2:].tolist() == [False, False]
    only_unknown = alerted(centres(), at_equator(radius_m=[np.nan]))
    assert only_unknown.isna().tolist()[0]


def test_people_near_are_added_and_unknown_is_not_zero() -> None:
    near = persons_near(centres(), at_equator(people_persons=[100.0, 40.0, np.nan]), 15_000)
    assert near.tolist()[:2] == [140, 140]
    assert near.tolist()[2:] == [0, 0]
    unknown = persons_near(centres(), at_equator(people_persons=[np.nan]), 15_000)
    assert unknown.isna().tolist() == [True, True, False, False]
