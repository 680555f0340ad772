"""Stops, ways and the plan made of them, on a made-up plain; planned against actual."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.analyses.patrols.against import planned_against_actual
from pocgeo.analyses.patrols.order import PatrolOrder
from pocgeo.analyses.patrols.plan import Start, patrol_plan
from pocgeo.analyses.patrols.routing import RouteSearch
from pocgeo.analyses.patrols.stops import StopRule, candidate_stops, cell_worth
from pocgeo.analyses.patrols.travel import Travel, patrol_travel
from pocgeo.analyses.reach.graph import TravelGraph, field, travel_graph
from pocgeo.analyses.reach.seeds import departures
from pocgeo.cells import grid
from pocgeo.cells.lattice import Lattice, lattice
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m

WEST, SOUTH = 29.0, 7.0
STOPS = np.array([[29.16, 7.03], [29.02, 7.14], [29.16, 7.16]])
BASE = np.array([29.03, 7.03])


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    box = shapely.box(WEST, SOUTH, WEST + 0.2, SOUTH + 0.2)
    index = grid.cover(box, 8)
    lon, lat = grid.centres(index)
    rng = np.random.Generator(np.random.PCG64(4))
    table = pd.DataFrame({"cell": index, "lon": lon, "lat": lat})
    table["people_persons"] = rng.gamma(0.5, 300, len(index))
    table["risk"] = rng.random(len(index)) ** 3
    table["risk_persons"] = table["risk"] * table["people_persons"]
    table["days_since_presence"] = np.where(
        rng.random(len(index)) < 0.3, np.nan, rng.integers(0, 80, len(index))
    )
    day = pd.Timestamp("2026-06-30")
    table["last_presence_on"] = day - pd.to_timedelta(table["days_since_presence"], unit="D")
    table["incidents_n"] = rng.poisson(0.1, len(index)).astype(float)
    return table


@pytest.fixture(scope="module")
def ground(cells: pd.DataFrame) -> tuple[Lattice, TravelGraph]:
    """One road along the south and up the east; walking pace off it."""
    line = shapely.LineString([(29.01, 7.03), (29.16, 7.03), (29.16, 7.18)])
    roads = gpd.GeoDataFrame({"road_id": ["a"]}, geometry=[line], crs=4326)
    mesh = lattice(cells, roads)
    pace = np.full(len(mesh.cells), 12.0)
    return mesh, travel_graph(mesh, pace, np.full(len(mesh.network.u), 1.5))


def travel_to(ground: tuple[Lattice, TravelGraph], limit: float = 400, **more: object) -> Travel:
    return patrol_travel(*ground, np.vstack([BASE, STOPS]), limit, **more)  # type: ignore[arg-type]


def test_minutes_are_those_of_reach(ground: tuple[Lattice, TravelGraph]) -> None:
    """The field from each place, read at the seeds of the others: an independent way to ask."""
    mesh, graph = ground
    places = np.vstack([BASE, STOPS])
    travel = travel_to(ground)
    sites = departures(mesh, graph, shapely.points(places))
    for start in range(len(places)):
        one = departures(mesh, graph, shapely.points(places[start : start + 1]))
        told = field(graph, one).minutes
        for end in range(len(places)):
            seeds = slice(sites.indptr[end], sites.indptr[end + 1])
            there = (told[sites.node[seeds]] + sites.minutes[seeds]).min()
            if start != end:
                assert travel.minutes[start, end] == pytest.approx(there, rel=1e-4)


def test_a_way_is_as_long_as_it_says_and_follows_the_road(
    ground: tuple[Lattice, TravelGraph],
) -> None:
    way = travel_to(ground).way(0, 1)
    assert (way.lon[0], way.lat[0]) == pytest.approx(tuple(BASE))
    assert (way.lon[-1], way.lat[-1]) == pytest.approx(tuple(STOPS[0]))
    step = distance_m(way.lon[:-1], way.lat[:-1], way.lon[1:], way.lat[1:])
    assert way.length_m == pytest.approx(step.sum())
    assert way.road_m > 0.9 * way.length_m
    road = shapely.LineString([(29.01, 7.03), (29.16, 7.03)])
    away = shapely.distance(road, shapely.points(way.lon, way.lat))
    assert away.max() < 0.01


def test_the_shift_and_the_range_bound_the_ground(ground: tuple[Lattice, TravelGraph]) -> None:
    whole, short = travel_to(ground), travel_to(ground, limit=60)
    back = whole.minutes[0] + whole.minutes[:, 0]
    fits = back <= 60
    assert 0 < fits.sum() < len(fits)
    assert short.minutes[0, fits] == pytest.approx(whole.minutes[0, fits])
    assert len(short.lon) < len(whole.lon)
    near = travel_to(ground, range_m=15_000.0)
    count = near.places_n
    far = distance_m(
        np.full(len(near.lon) - count, BASE[0]), BASE[1], near.lon[:-count], near.lat[:-count]
    )
    assert far.max() <= 15_000
    with pytest.raises(BadInput, match="no way from place 0 to place 3"):
        short.way(0, 3)


def test_worn_ground_is_gone_round_but_the_clock_stays_true(
    ground: tuple[Lattice, TravelGraph],
) -> None:
    graph = ground[1]
    on_road = np.arange(len(graph.lon)) >= graph.cells_n
    middle = on_road & (graph.lon > 29.07) & (graph.lon < 29.12)
    plain = travel_to(ground)
    mild = travel_to(ground, worn=(middle, 0.5))
    assert mild.minutes == pytest.approx(plain.minutes, rel=1e-6)  # still the best way, felt longer
    assert mild.way(0, 1).worn_m > 3_000
    shy = travel_to(ground, worn=(middle, 50.0))
    way = shy.way(0, 1)
    assert way.worn_m < 500
    assert shy.minutes[0, 1] > plain.minutes[0, 1] + 10
    assert shy.minutes[0, 1] == pytest.approx(way.minutes)


def test_worth_is_risk_times_overdue() -> None:
    cells = pd.DataFrame(
        {"risk_persons": [10.0, 10.0, 10.0, np.nan], "days_since_presence": [7, 700, np.nan, 7]}
    )
    rule = StopRule(overdue_days=14, overdue_cap=3)
    assert cell_worth(cells, rule).tolist() == [5.0, 30.0, 30.0, 0.0]
    with pytest.raises(BadInput, match="Neither risk nor people are known"):
        cell_worth(pd.DataFrame({"risk_persons": [0.0, np.nan]}))


def places() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place": ["Alma", "Camp", "Lost", "Gap"],
            "kind": ["settlement", "site", "settlement", "gap area"],
            "lon": [29.10, 29.101, 31.0, 29.16],
            "lat": [7.10, 7.101, 7.10, 7.16],
        }
    )


def test_stops_are_apart_and_every_cell_counts_once(cells: pd.DataFrame) -> None:
    rule = StopRule(apart_m=2_000, most=500, sight_m=800)
    stops = candidate_stops(cells, places(), rule)
    lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
    for row in range(len(stops)):
        others = np.delete(np.arange(len(stops)), row)
        gap = distance_m(np.full(len(others), lon[row]), lat[row], lon[others], lat[others])
        assert gap.min() >= 2_000
    assert "Camp" in set(stops["place"])  # a site comes before the settlement beside it
    assert not {"Alma", "Lost"} & set(stops["place"])
    assert stops["stop_value"].sum() <= cell_worth(cells, rule).sum() + 1e-9
    assert stops["people_persons"].sum() <= cells["people_persons"].sum() + 1e-9
    everything = candidate_stops(cells, places(), StopRule(apart_m=0, most=5_000, sight_m=2_000))
    assert everything["stop_value"].sum() == pytest.approx(cell_worth(cells).sum())


def test_thinning_keeps_the_most_worthy_and_says_what_it_leaves(cells: pd.DataFrame) -> None:
    every = candidate_stops(cells, places(), StopRule(most=500))
    few = candidate_stops(cells, places(), StopRule(most=5))
    assert len(few) == 5
    assert few.attrs["left_out"] > 0
    assert few["stop_value"].min() >= every["stop_value"].nlargest(12).min()
    assert few["place"].str.contains(r"\d+ km [NESW]{1,2} of |near |Camp|Alma|Gap").all()


ORDER = PatrolOrder(
    patrols=2, hours=5, stay_min=15, reserve_min=20, depart_h=6.5,
    search=RouteSearch(iterations=60),
)  # fmt: skip


def plan_of(cells: pd.DataFrame, ground: tuple[Lattice, TravelGraph], order: PatrolOrder = ORDER):
    stops = candidate_stops(cells, places(), StopRule(most=25))
    shift = order.shift(night_moves=False)
    spots = np.vstack([BASE, stops[["lon", "lat"]].to_numpy()])
    travel = patrol_travel(*ground, spots, shift.limit_min)
    start = Start("B1", "Base One", *BASE)
    return stops, travel, patrol_plan(stops, travel, order, start, shift)


def test_a_plan_can_be_walked_with_a_watch(
    cells: pd.DataFrame, ground: tuple[Lattice, TravelGraph]
) -> None:
    stops, travel, plan = plan_of(cells, ground)
    where = {tuple(spot): row + 1 for row, spot in enumerate(stops[["lon", "lat"]].to_numpy())}
    seen: set[int] = set()
    assert set(plan.stops["patrol"]) == {1, 2}
    for _, rows in plan.stops.groupby("patrol"):
        assert rows["place"].iloc[[0, -1]].tolist() == ["Base One"] * 2
        now, at = 6.5 * 60, 0
        for row in rows.iloc[1:].itertuples():
            to = where.get((row.lon, row.lat), 0)
            now += travel.minutes[at, to]
            hours, minutes = map(int, row.arrive.split(":"))
            assert abs(hours * 60 + minutes - now) <= 1
            assert row.leg_min == pytest.approx(travel.minutes[at, to])
            assert row.leg_road_km <= row.leg_km + 1e-9
            now, at = now + (15 if to else 0), to
            assert to not in seen
            seen |= {to} - {0}
        assert at == 0
        assert now <= 6.5 * 60 + 5 * 60 - 20 + 1e-6
    last = plan.gains.iloc[-1]
    assert last["stops_n"] == len(seen)
    assert last["plan_value"] == pytest.approx(plan.stops["stop_value"].sum())
    assert last["hours"] == pytest.approx(5)
    lines = plan.ways[plan.ways["stop"].isna()]
    assert len(lines) == 2
    told_km = plan.stops.groupby("patrol")["leg_km"].sum().to_numpy()
    assert lines["way_km"].to_numpy() == pytest.approx(told_km)


def test_reasons_say_people_presence_and_incidents(
    cells: pd.DataFrame, ground: tuple[Lattice, TravelGraph]
) -> None:
    plan = plan_of(cells, ground)[2]
    inner = plan.stops[plan.stops["stay_min"].notna()]
    begins = r"[\d,]+ people in sight; risk (up to 0\.\d\d|below 0.01); "
    assert inner["reason"].str.match(begins).all()
    never = inner["days_since_presence"].isna()
    assert inner.loc[never, "reason"].str.contains("no patrol in the record").all()
    assert inner.loc[~never, "reason"].str.contains(r"last patrol on \d+ \w{3} 2026, \d+ day").all()
    assert "in reserve (back by nightfall at 18:00)" in plan.stops["reason"].iloc[-1]


def test_what_was_done_yesterday_counts_for_less_or_not_at_all(
    cells: pd.DataFrame, ground: tuple[Lattice, TravelGraph]
) -> None:
    stops, travel, plan = plan_of(cells, ground)
    used = set(plan.stops.loc[plan.stops["stay_min"].notna(), "place"])
    stops["recent"] = stops["place"].isin(used)
    start, shift = Start("B1", "Base One", *BASE), ORDER.shift(night_moves=False)
    repeats = {}
    for how in ("allow", "avoid", "exclude"):
        order = PatrolOrder(
            patrols=2, hours=5, stay_min=15, reserve_min=20, depart_h=6.5, repeat=how,
            stop_factor=0.05, search=RouteSearch(iterations=60),
        )  # fmt: skip
        again = patrol_plan(stops, travel, order, start, shift).stops
        repeats[how] = len(used & set(again.loc[again["stay_min"].notna(), "place"]))
    assert repeats["allow"] == len(used)
    assert repeats["avoid"] < repeats["allow"]
    assert repeats["exclude"] == 0


# planned against actual

METRE = 1 / 110_600
PLAN = pd.DataFrame(
    {
        "patrol": 1,
        "stop": [0, 1, 2, 3, 4],
        "place": ["Base", "Alma", "Brea", "Cold", "Base"],
        "lon": 29.0,
        "lat": [7.0, 7.05, 7.10, 7.15, 7.0],
        "plan_on": pd.Timestamp("2026-07-01"),
        "arrive": [None, "08:00", "09:00", "10:00", "12:00"],
        "stay_min": [np.nan, 30, 30, 30, np.nan],
    }
)


def fixes_of(rows: list[tuple[str, float, float]], unit: str = "K1") -> pd.DataFrame:
    """Fixes by local time (UTC+3), minutes interpolated by the analysis."""
    at = pd.to_datetime([f"2026-07-01T{time}:00+03:00" for time, _, _ in rows], utc=True)
    return pd.DataFrame(
        {"unit_id": unit, "patrol_id": "a", "fix_at": at,
         "lon": [lon for _, lon, _ in rows], "lat": [lat for _, _, lat in rows]}
    )  # fmt: skip


def test_planned_stops_are_found_in_the_record() -> None:
    ridden = fixes_of(
        [("07:30", 29.0, 7.0), ("07:50", 29.0, 7.045), ("08:10", 29.0, 7.05 - 200 * METRE),
         ("08:35", 29.0, 7.05 + 100 * METRE), ("08:45", 29.0, 7.08), ("08:50", 29.0, 7.13),
         ("09:10", 29.0, 7.13)]
    )  # fmt: skip
    told = planned_against_actual(PLAN, ridden, "Africa/Nairobi").set_index("place")
    assert told["stop_verdict"].tolist() == ["visited", "passed by", "not visited"]
    alma = told.loc["Alma"]
    # 7.045 to 7.05 less 200 m: 353 m in 20 min; in sight (500 m) from 53 m on, that is, from 07:53
    # (the ride is cut into pieces of 100 m at most, so to within one of them, 6 min)
    assert "07:50" <= alma["arrived"] <= "07:59"
    assert alma["unit_id"] == "K1"
    assert 38 <= alma["stayed_min"] <= 50
    assert alma["late_min"] == pytest.approx(
        int(alma["arrived"][3:]) + 60 * (int(alma["arrived"][:2]) - 8), abs=1
    )
    assert told["stayed_min"].isna().tolist() == [False, True, True]


def test_a_day_without_a_record_is_unknown_not_missed() -> None:
    other = fixes_of([("08:00", 29.0, 7.05), ("08:20", 29.0, 7.05)])
    other["fix_at"] -= pd.Timedelta(days=3)
    told = planned_against_actual(PLAN, other, "Africa/Nairobi")
    assert told["stop_verdict"].isna().all()


def test_the_order_of_fixes_does_not_matter() -> None:
    ridden = fixes_of([("07:55", 29.0, 7.05), ("08:25", 29.0, 7.05), ("09:00", 29.0, 7.10),
                       ("09:20", 29.0, 7.10)])  # fmt: skip
    told = planned_against_actual(PLAN, ridden, "Africa/Nairobi")
    mixed = planned_against_actual(PLAN, ridden.sample(frac=1, random_state=2), "Africa/Nairobi")
    pd.testing.assert_frame_equal(told, mixed)
    assert told["visit_order"].tolist()[:2] == [1, 2]


def test_a_plan_without_a_time_is_refused() -> None:
    wrong = PLAN.assign(arrive=[None, "soon", "09:00", "10:00", None])
    with pytest.raises(BadInput, match="'soon' is no time of arrival"):
        planned_against_actual(wrong, fixes_of([("08:00", 29.0, 7.0)]), "Africa/Nairobi")
