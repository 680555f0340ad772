"""Presence: hours conserved, visits those of a slow second-by-second oracle, never mixed."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.cells import grid
from pocgeo.cells.presence import VisitRule, planned_presence, presence, presence_days
from pocgeo.ground.errors import BadInput, MissingColumns
from pocgeo.ground.geodesy import buffer_m, destination, distance_m

HOME_LON, HOME_LAT = 31.55, 4.85
CELLS = pd.DataFrame({"cell": grid.cover(shapely.box(31.3, 4.6, 31.8, 5.1), 8)})
INDEX = CELLS["cell"].to_numpy()
HOME = grid.cells_of([HOME_LON], [HOME_LAT], 8)
MID_LON, MID_LAT = (float(value[0]) for value in grid.centres(HOME))
JUBA = "Africa/Juba"  # UTC+3 until 2021-01-31, UTC+2 since


def fixes(*rows, unit="A", begin="2024-05-06 08:00", patrol=None) -> pd.DataFrame:
    """Rows of (minute, metres east, metres north of the middle of the home cell)."""
    minute, east, north = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    lon, lat, _ = destination(
        MID_LON, MID_LAT, np.degrees(np.arctan2(east, north)), np.hypot(east, north)
    )
    at = pd.Timestamp(begin, tz=JUBA).tz_convert("UTC") + pd.to_timedelta(minute, unit="min")
    return pd.DataFrame(
        {"unit_id": unit, "patrol_id": patrol, "fix_at": at, "lon": lon, "lat": lat}
    )


def days(given, **more) -> pd.DataFrame:
    return presence_days(given, CELLS, JUBA, **more)


def home(table) -> pd.DataFrame:
    return table[table["cell"] == HOME[0]]


def test_a_stay_of_five_minutes_is_a_visit_and_less_is_passing_by():
    for minutes, visits in ((4.9, 0), (5.0, 1), (20.0, 1)):
        seen = home(days(fixes((0, 0, 0), (minutes, 0, 0))))
        assert seen["visits"].tolist() == [visits]
        assert seen["presence_h"].tolist() == pytest.approx([minutes / 60])
        assert seen["night_visits"].tolist() == [0]
        assert seen["kind"].tolist() == ["recorded"]
        assert seen["day_on"].tolist() == [pd.Timestamp("2024-05-06")]


def test_driving_through_is_hours_but_no_visit_and_no_crossed_cell_is_missed():
    # 10 km in 10 minutes, two fixes only: about 1 minute a cell.
    table = days(fixes((0, -5_000, 0), (10, 5_000, 0)))
    assert table["presence_h"].sum() == pytest.approx(1 / 6, rel=1e-9)
    assert (table["visits"] == 0).all()
    lon, lat, _ = destination(MID_LON, MID_LAT, [-90, 90], 5_000)
    way = shapely.LineString(np.column_stack([lon, lat]))
    shapes = grid.boundaries(INDEX)
    crossed_m = shapely.length(shapely.intersection(way, shapes)) * 110_900
    assert set(table["cell"]) >= set(INDEX[crossed_m > 100])
    hours = table.set_index("cell")["presence_h"].reindex(INDEX).fillna(0).to_numpy()
    assert hours * 60 == pytest.approx(crossed_m / 1_000, abs=0.1)


def test_a_neighbour_in_sight_is_visited_without_hours_and_a_far_one_is_not():
    table = days(fixes((0, 0, 0), (10, 0, 0)), rule=VisitRule(sight_m=700))
    seen = table[table["cell"] != HOME[0]]
    far = shapely.distance(grid.boundaries(INDEX), shapely.Point(MID_LON, MID_LAT)) * 110_700
    assert set(seen["cell"]) == set(INDEX[(far < 700) & ~np.isin(INDEX, HOME)])
    assert len(seen) >= 5
    assert (seen["visits"] == 1).all()
    assert (seen["presence_h"] == 0).all()
    only = days(fixes((0, 0, 0), (10, 0, 0)), rule=VisitRule(sight_m=0))
    assert only["cell"].tolist() == HOME.tolist()


def test_gaps_and_jumps_add_nothing_but_are_counted():
    track = fixes((0, 0, 0), (10, 0, 0), (50, 0, 0), (60, 0, 0), (61, 30_000, 0), (62, 0, 0))
    table = days(track)
    assert table.attrs["hours"] == pytest.approx(
        {"own_base_h": 0, "gap_h": 40 / 60, "jump_h": 2 / 60, "patrol_h": 20 / 60, "outside_h": 0}
    )
    assert home(table)["visits"].tolist() == [2]  # the gap parts two stays


def test_an_exact_repeat_of_a_fix_parts_nothing():
    table = days(fixes((0, 0, 0), (3, 0, 0), (3, 0, 0), (6, 0, 0)))
    assert home(table)["visits"].tolist() == [1]
    assert home(table)["presence_h"].tolist() == pytest.approx([0.1])


def test_units_and_patrols_are_never_joined():
    apart = pd.concat([fixes((0, 0, 0), unit="A"), fixes((10, 0, 0), unit="B")])
    assert days(apart).empty
    apart = pd.concat([fixes((0, 0, 0), patrol="1"), fixes((10, 0, 0), patrol="2")])
    assert days(apart).empty
    nameless = fixes((0, 0, 0), (10, 0, 0), unit=None)
    assert home(days(nameless))["unit_id"].isna().tolist() == [True]


def test_midnight_parts_days_and_night_is_local():
    track = fixes((0, 0, 0), (25, 0, 0), begin="2024-05-06 23:50")
    seen = home(days(track))
    assert seen["day_on"].dt.day.tolist() == [6, 7]
    assert seen["presence_h"].tolist() == pytest.approx([10 / 60, 15 / 60])
    assert seen["night_h"].tolist() == pytest.approx([10 / 60, 15 / 60])
    assert seen["visits"].tolist() == [1, 1]
    assert seen["night_visits"].tolist() == [1, 1]
    brief = home(days(fixes((0, 0, 0), (7, 0, 0), begin="2024-05-06 23:57")))
    assert brief["visits"].tolist() == [1, 0]  # one stay, on the day it begins
    dusk = home(days(fixes((0, 0, 0), (20, 0, 0), begin="2024-05-06 17:50")))
    assert dusk["night_h"].tolist() == pytest.approx([10 / 60])
    assert dusk["night_visits"].tolist() == [0]
    later = home(days(fixes((0, 0, 0), (20, 0, 0), begin="2024-05-06 17:51")))
    assert later["night_visits"].tolist() == [1]


def test_the_zone_decides_the_day():
    track = fixes((0, 0, 0), (10, 0, 0), begin="2024-05-06 00:30")
    assert days(track)["day_on"].dt.day.unique().tolist() == [6]
    assert presence_days(track, CELLS, "UTC")["day_on"].dt.day.unique().tolist() == [5]
    with pytest.raises(BadInput, match="'Juba' is not known"):
        presence_days(track, CELLS, "Juba")
    with pytest.raises(BadInput, match="fix_at has no time zone"):
        presence_days(track.assign(fix_at=track["fix_at"].dt.tz_localize(None)), CELLS, "UTC")


def test_time_near_the_own_base_is_no_patrol_near_anothers_it_is():
    perimeter = buffer_m(shapely.Point(MID_LON, MID_LAT), 200)
    far = destination(MID_LON, MID_LAT, 0, 10_000)
    bases = gpd.GeoDataFrame(
        {"base_id": ["B1", "B2"]},
        geometry=[perimeter, shapely.Point(far[0].item(), far[1].item())],
        crs=4326,
    )
    track = fixes((0, 0, 0), (10, 0, 650), (11, 0, 850), (20, 0, 850))
    for base, near_h in (("B1", 0.17), ("B2", 0.0), (None, 0.17), ("B9", 0.17)):
        table = days(track.assign(base_id=base), bases=bases)
        assert table.attrs["hours"]["own_base_h"] == pytest.approx(near_h, abs=0.02)
        total = table["presence_h"].sum() + table.attrs["hours"]["own_base_h"]
        assert total == pytest.approx(20 / 60)
        assert table["base_id"].isna().all() if base is None else table["base_id"].eq(base).all()
    assert days(track, bases=bases[:0])["presence_h"].sum() == pytest.approx(20 / 60)


def walk(seed: int, steps: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    minute = np.cumsum(rng.choice([0.5, 1, 2, 4, 7, 45], steps, p=[0.2, 0.3, 0.2, 0.1, 0.15, 0.05]))
    pace = rng.choice([0, 0, 100, 400, 900], steps)
    angle = rng.uniform(0, 2 * np.pi, steps)
    east, north = np.cumsum(pace * np.cos(angle)), np.cumsum(pace * np.sin(angle))
    return fixes(*zip(minute, east, north, strict=True), begin="2024-05-06 17:00")


@settings(derandomize=True, max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_hours_are_conserved(seed):
    track = pd.concat([walk(seed).assign(unit_id=unit) for unit in "AB"])
    table = days(track.sample(frac=1, random_state=seed))
    took_h = track.groupby("unit_id")["fix_at"].diff().dt.total_seconds().fillna(0) / 3600
    hours = table.attrs["hours"]
    assert sum(hours.values()) == pytest.approx(took_h.sum(), rel=1e-9)
    assert table["presence_h"].sum() == pytest.approx(hours["patrol_h"], rel=1e-9)
    assert (table["night_h"] <= table["presence_h"] + 1e-12).all()
    assert (table["night_visits"] <= table["visits"]).all()
    keys = ["cell", "unit_id", "day_on", "base_id"]
    assert not table.duplicated(keys).any()
    first, second = (table[table["unit_id"] == unit].drop(columns="unit_id") for unit in "AB")
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))


def metres(points: np.ndarray) -> np.ndarray:
    """Degrees to metres near Juba, good to 1e-3: unlike the code's own tangent planes."""
    return points * np.array([np.cos(np.radians(MID_LAT)) * 111_320, 110_580.0])


def second_by_second(track: pd.DataFrame, stay_s: float, sight_m: float) -> tuple[dict, dict]:
    """Seconds and visits of each cell, by walking the track one second at a time."""
    at = track["fix_at"].astype("datetime64[ns, UTC]").astype("int64").to_numpy() // 10**9
    lon, lat = track["lon"].to_numpy(), track["lat"].to_numpy()
    shapes = grid.boundaries(INDEX)
    seconds: dict = {}
    runs: dict = {}
    visits: dict = {}
    for a in range(len(track) - 1):
        took = at[a + 1] - at[a]
        way = distance_m([lon[a]], [lat[a]], [lon[a + 1]], [lat[a + 1]])[0]
        if took > 1800 or way * 3.6 > 150 * took:
            runs = {}
            continue
        part = (np.arange(took) + 0.5) / took
        x, y = lon[a] + part * (lon[a + 1] - lon[a]), lat[a] + part * (lat[a + 1] - lat[a])
        near = np.flatnonzero(
            shapely.distance(
                shapes, shapely.LineString([(lon[a], lat[a]), (lon[a + 1], lat[a + 1])])
            )
            < 2 * sight_m / 110_000
        )
        flat = shapely.transform(shapes[near], metres)
        points = shapely.points(metres(np.column_stack([x, y])))
        apart = shapely.distance(flat[:, None], points[None, :])
        for second in range(took):
            seen = near[apart[:, second] <= sight_m]
            runs = {cell: runs.get(cell, 0) + 1 for cell in seen}
            for cell, length in runs.items():
                if length == stay_s:
                    visits[cell] = visits.get(cell, 0) + 1
            for cell in near[apart[:, second] == 0]:
                seconds[cell] = seconds.get(cell, 0) + 1
    return seconds, visits


@pytest.mark.parametrize("seed", range(6))
def test_hours_and_visits_equal_a_walk_second_by_second(seed):
    track = walk(seed)
    track["fix_at"] = track["fix_at"].dt.floor("s")
    table = days(track)
    seconds, visits = second_by_second(track, 300, 500)
    by = table.groupby("cell")[["presence_h", "visits"]].sum().reindex(INDEX).fillna(0)
    true_h = np.zeros(len(INDEX))
    true_h[list(seconds)] = np.array(list(seconds.values())) / 3600
    # A piece is where its middle is: half a piece of a patrol that walks is under a minute.
    assert by["presence_h"].to_numpy() == pytest.approx(true_h, abs=1.5 / 60)
    assert true_h.sum() == pytest.approx(table["presence_h"].sum(), rel=1e-6)
    true_visits = np.zeros(len(INDEX))
    true_visits[list(visits)] = list(visits.values())
    apart = np.abs(by["visits"].to_numpy() - true_visits)
    assert apart.sum() <= 0.1 * true_visits.sum()  # stays within a piece of five minutes
    assert true_visits.sum() > 5


def test_presence_as_of_a_day_sees_nothing_later():
    table = pd.concat(
        [
            days(fixes((0, 0, 0), (10, 0, 0), unit="A", begin="2024-05-01 08:00")),
            days(fixes((0, 0, 0), (10, 0, 0), unit="B", begin="2024-05-10 22:00")),
            days(fixes((0, 0, 0), (1, 0, 0), unit="C", begin="2024-05-12 08:00")),
        ]
    )
    then = home(presence(table, pd.Timestamp("2024-05-09"))).iloc[0]
    assert (then["visits"], then["days_since_presence"], then["last_unit"]) == (1, 8, "A")
    now = home(presence(table, pd.Timestamp("2024-05-14"))).iloc[0]
    assert (now["visits"], now["night_visits"], now["days_since_presence"]) == (2, 1, 4)
    assert now["last_presence_on"] == pd.Timestamp("2024-05-10")
    assert now["last_unit"] == "B"  # C only passed
    assert now["presence_h"] == pytest.approx(21 / 60)
    window = home(presence(table, pd.Timestamp("2024-05-14"), window_days=4)).iloc[0]
    assert (window["visits"], window["days_since_presence"]) == (0, 4)
    assert window["presence_h"] == pytest.approx(1 / 60)
    edge = home(presence(table, pd.Timestamp("2024-05-14"), window_days=5)).iloc[0]
    assert edge["visits"] == 1
    assert presence(table, pd.Timestamp("2024-04-30")).empty


def test_passing_traffic_alone_is_never_presence():
    table = days(fixes((0, 0, 0), (2, 0, 0)))
    seen = home(presence(table, pd.Timestamp("2024-06-01")))
    assert seen["visits"].tolist() == [0]
    assert seen[["days_since_presence", "last_presence_on", "last_unit"]].isna().all().all()


def routes() -> gpd.GeoDataFrame:
    lon, lat, _ = destination(MID_LON, MID_LAT, [-90, 90], 3_000)
    line = shapely.LineString(np.column_stack([lon, lat]))
    return gpd.GeoDataFrame(
        {
            "route_id": ["R1", "R2"], "unit_id": ["A", None], "times_per_week": [3.0, np.nan],
            "night": pd.array([True, pd.NA], dtype="boolean"),
        },
        geometry=[line, line], crs=4326,
    )  # fmt: skip


def test_plans_stay_plans():
    table = planned_presence(routes(), CELLS)
    line = routes().geometry[0]
    assert set(table["cell"]) == set(INDEX[shapely.intersects(grid.boundaries(INDEX), line)])
    first = table[table["route_id"] == "R1"]
    assert (first["visits_per_week"] == 3).all()
    assert table.loc[table["route_id"] == "R2", "visits_per_week"].isna().all()
    assert (table["kind"] == "planned").all()
    assert first["night"].all()
    mixed = pd.concat([days(fixes((0, 0, 0), (10, 0, 0))), table])
    with pytest.raises(BadInput, match="never added"):
        presence(mixed, pd.Timestamp("2024-06-01"))


def test_nothing_recorded():
    empty = days(fixes((0, 0, 0))[:0])
    assert empty.empty
    assert "last_unit" in presence(empty, pd.Timestamp("2024-06-01"))
    assert days(fixes((0, 0, 0))).empty
    abroad = days(fixes((0, 900_000, 0), (10, 900_000, 0)))
    assert abroad.empty
    assert abroad.attrs["hours"]["outside_h"] == pytest.approx(10 / 60)


def test_rules_that_make_no_sense_are_refused():
    for bad in (
        {"stay_min": 0}, {"sight_m": -1}, {"max_gap_min": 2_000}, {"max_speed_kmh": float("nan")},
        {"night_from_h": 25}, {"own_base_m": float("inf")},
    ):  # fmt: skip
        with pytest.raises(BadInput, match=next(iter(bad))):
            VisitRule(**bad)
    with pytest.raises(BadInput, match="window_days must be 1"):
        presence(days(fixes((0, 0, 0), (9, 0, 0))), pd.Timestamp("2024-06-01"), window_days=0)
    with pytest.raises(MissingColumns, match="patrols: no column fix_at"):
        presence_days(pd.DataFrame({"unit_id": ["A"], "lon": [0.0], "lat": [0.0]}), CELLS, "UTC")
