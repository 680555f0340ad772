"""Response: known answers, a slow obvious oracle, laws of minutes and bases, the series."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.analyses.response import (
    ResponseRecord,
    ResponseStandard,
    response,
    response_series,
)
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, MissingColumns

FEW = settings(derandomize=True, max_examples=10, deadline=None)
SEEDS = st.integers(0, 10_000)
CELLS = np.sort(grid.disk(grid.cells_of(np.array([4.1]), np.array([2.1]), 8), 4))
AT, BESIDE = grid.disk(CELLS[:1], 1)[:2]
DRY, WET = "2026-02-10", "2026-07-10"


def season_of_day(days: Any) -> np.ndarray:
    """July to September are wet."""
    month = pd.DatetimeIndex(days).month
    return np.where(month.isin([7, 8, 9]), "wet", "dry").astype(object)


def incident(name: str, day: str | None, **columns: Any) -> dict[str, Any]:
    return {"incident_id": name, "occurred_on": pd.Timestamp(day), **columns}


def at(name: str, cell: int, weight: float = 1.0, placed: str = "point") -> tuple[Any, ...]:
    return name, cell, weight, placed


def record(
    incidents: list[dict[str, Any]],
    placed: list[tuple[Any, ...]],
    dry: list[tuple[Any, ...]],
    wet: list[tuple[Any, ...]] = [],  # noqa: B006
    **more: Any,
) -> ResponseRecord:
    columns = ["base_id", "cell", "reach_min"]
    given = {
        "bases": pd.DataFrame({"base_id": ["A", "B"], "qrf_notice_min": [30.0, None]}),
        **more,
    }
    return ResponseRecord(
        incidents=pd.DataFrame(incidents),
        incident_cells=pd.DataFrame(placed, columns=["incident_id", "cell", "weight", "placed"]),
        reach={
            "dry": pd.DataFrame(dry, columns=columns),
            "wet": pd.DataFrame(wet, columns=columns),
        },
        season_of_day=season_of_day,
        **given,
    )


def told(found: pd.DataFrame, *columns: str) -> list[Any]:
    """Values of the first row, None for what is missing."""
    row = found.iloc[0]
    return [None if pd.isna(row[column]) else row[column] for column in columns]


WORDS = ("base_id", "reach_min", "by", "reachable", "short_min", "would_take")


def test_the_season_of_the_day_decides() -> None:
    dry, wet = [("A", AT, 60.0), ("B", AT, 61.0)], [("A", AT, 130.0)]
    one = response(record([incident("i", DRY)], [at("i", AT)], dry, wet))
    assert told(one, *WORDS) == ["A", 60, "base", True, None, None]  # the limit is in time
    other = response(record([incident("i", WET)], [at("i", AT)], dry, wet))
    assert told(other, *WORDS) == ["A", 130, "none", False, 70, "dry season road"]
    assert told(other, "season") == ["wet"]


def test_only_bases_standing_that_day_count() -> None:
    bases = pd.DataFrame(
        {
            "base_id": ["A", "B"],
            "opened_on": pd.to_datetime(["2026-02-10", None]),
            "closed_on": pd.to_datetime(["2026-02-12", None]),
        }
    )
    days = ["2026-02-09", "2026-02-10", "2026-02-12", "2026-02-13"]  # both ends stand
    found = response(
        record(
            [incident(day, day) for day in days],
            [at(day, AT) for day in days],
            [("A", AT, 20.0), ("B", AT, 50.0)],
            bases=bases,
        )
    )
    assert found["base_id"].tolist() == ["B", "A", "A", "B"]
    assert found["reach_min"].tolist() == [50, 20, 20, 50]


@pytest.mark.parametrize(
    ("minutes", "word"),
    [(85.0, "shorter readiness"), (90.0, "shorter readiness"), (91.0, "a base nearer")],
)
def test_what_it_would_take(minutes: float, word: str) -> None:
    """Base A needs 30 minutes to set out: without them 90 would be 60."""
    found = response(record([incident("i", DRY)], [at("i", AT)], [("A", AT, minutes)]))
    assert told(found, *WORDS) == ["A", minutes, "none", False, minutes - 60, word]
    nobody = response(record([incident("i", DRY)], [at("i", AT)], [("A", AT, np.nan)]))
    assert told(nobody, *WORDS) == [None, None, "none", False, None, "a base nearer"]


def test_a_place_too_coarse_or_outside_is_unknown_not_missed() -> None:
    found = response(
        record(
            [incident("aside", DRY), incident("out", DRY), incident("nowhere", DRY)],
            [at("aside", 0, np.nan, "set_aside"), at("out", 0, np.nan, "outside")],
            [("A", AT, 20.0)],
        )
    )
    assert found["reachable"].isna().all() and found["by_base"].isna().all()
    assert found["reached_share"].isna().all()
    assert found["by"].tolist() == ["unknown"] * 3
    words = ["a finer location", "outside the area", "a finer location"]
    assert found["would_take"].tolist() == words


def test_a_spread_incident_counts_by_its_weight() -> None:
    first, second, third = (int(cell) for cell in CELLS[:3])
    placed = [at("i", first, 0.3), at("i", second, 0.25), at("i", third, 0.45)]
    table = [("A", first, 20.0), ("B", second, 50.0), ("B", third, 90.0)]
    found = response(record([incident("i", DRY)], placed, table))
    assert told(found, *WORDS[:4]) == ["B", 50, "base", True]
    assert found["reached_share"].iloc[0] == pytest.approx(0.55)
    strict = response(
        record([incident("i", DRY)], placed, table), ResponseStandard(decided_share=0.9)
    )
    assert told(strict, *WORDS) == ["B", 90, "none", False, 30, "a finer location"]


def patrols(*rows: tuple[Any, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["cell", "day_on", "presence_h", "kind"])
    return table.assign(day_on=pd.to_datetime(table["day_on"]), unit_id="u")


@pytest.mark.parametrize(
    ("patrol", "rings", "by"),
    [
        ((AT, DRY, 0.1, "recorded"), 0, "patrol"),
        ((BESIDE, DRY, 0.1, "recorded"), 0, "none"),
        ((BESIDE, DRY, 0.1, "recorded"), 1, "patrol"),
        ((AT, "2026-02-11", 0.1, "recorded"), 1, "none"),  # the day after
        ((AT, DRY, 0.0, "recorded"), 1, "none"),  # in sight only, no time in the cell
        ((AT, DRY, 5.0, "planned"), 1, "none"),  # a plan is no presence
    ],
)
def test_a_patrol_on_record_that_day_counts(patrol: tuple[Any, ...], rings: int, by: str) -> None:
    found = response(
        record([incident("i", DRY)], [at("i", AT)], [], presence_days=patrols(patrol)),
        ResponseStandard(patrol_rings=rings),
    )
    assert told(found, "by", "reachable", "by_base") == [by, by == "patrol", False]


def test_the_days_of_the_patrol_record_are_told() -> None:
    days = ["2026-02-09", "2026-02-10", "2026-02-11"]
    asked = {
        "incidents": [incident(day, day) for day in days],
        "placed": [at(day, AT) for day in days],
        "dry": [],
    }
    seen = patrols((AT, DRY, 1.0, "recorded"))
    found = response(record(**asked, presence_days=seen))
    assert found["patrol_known"].tolist() == [False, True, False]
    assert [None if pd.isna(each) else each for each in found["by_patrol"]] == [None, True, None]
    longer = record(**asked, presence_days=seen, presence_until_on=pd.Timestamp("2026-03-01"))
    assert response(longer)["patrol_known"].tolist() == [False, True, True]
    assert not response(record(**asked))["patrol_known"].any()


def test_what_was_not_yet_reported_is_left_out_and_counted() -> None:
    rows = [
        incident("early", DRY, reported_on=pd.Timestamp(DRY)),
        incident("late", DRY, reported_on=pd.Timestamp("2026-03-01")),
        incident("undated", None, reported_on=pd.Timestamp(DRY)),
    ]
    found = response(record(rows, [at("early", AT)], []), as_of="2026-02-28")
    assert found["incident_id"].tolist() == ["early"]
    assert found.attrs["left_out"] == {"no day": 1, "not known by then": 1}


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(BadInput, match="incident_id i is listed twice"):
        record([incident("i", DRY)] * 2, [], [])
    with pytest.raises(BadInput, match="base Z is not among the bases"):
        record([incident("i", DRY)], [], [("Z", AT, 1.0)])
    with pytest.raises(MissingColumns):
        record([incident("i", DRY)], [], [], bases=pd.DataFrame({"name": ["A"]}))
    whole = record([incident("i", WET)], [at("i", AT)], [])
    half = ResponseRecord(
        incidents=whole.incidents,
        incident_cells=whole.incident_cells,
        reach={"dry": whole.reach["dry"]},
        season_of_day=season_of_day,
        bases=whole.bases,
    )
    with pytest.raises(BadInput, match="no table for the season wet, only for dry"):
        response(half)
    whole.reach["wet"].attrs["standard"] = {"reach": {"horizon_min": 45.0}}
    with pytest.raises(BadInput, match="ends at 45 minutes; 60 are asked"):
        response(whole)
    with pytest.raises(BadInput, match="minutes must be more than 0"):
        ResponseStandard(minutes=0)


def land(seed: int, incidents: int = 40) -> ResponseRecord:
    """Invent bases that open and close, incidents sharp, spread and coarse, and patrols."""
    random = np.random.default_rng(seed)
    days = pd.date_range("2026-05-01", "2026-08-31")
    names = [f"B{k}" for k in range(5)]
    opened, closed = (random.choice(days.to_numpy(), 5) for _ in range(2))
    bases = pd.DataFrame({"base_id": names, "opened_on": opened, "closed_on": closed})
    bases.loc[0, ["opened_on", "closed_on"]] = pd.NaT
    bases["qrf_notice_min"] = 20.0
    rows, placed = [], []
    for k in range(incidents):
        whom = random.choice(np.array(["criminal", "state_forces", None], object))
        rows.append(incident(f"i{k}", str(random.choice(days))[:10], perpetrator=whom))
        many = int(random.integers(0, 5))
        if many == 0:
            placed.append(at(f"i{k}", 0, np.nan, "set_aside"))
        weights = random.dirichlet(np.ones(max(many, 1)))
        for cell, weight in zip(random.choice(CELLS, many, replace=False), weights, strict=False):
            placed.append(at(f"i{k}", int(cell), float(weight)))
    pairs = [(name, int(cell)) for name in names for cell in CELLS]
    tables = [
        [(*pair, random.uniform(5, 200)) for pair in pairs if random.random() < 0.6]
        for _ in range(2)
    ]
    there = [
        (int(random.choice(CELLS)), random.choice(days), random.choice([0.0, 1.0]), "recorded")
        for _ in range(300)
    ]
    cells = pd.DataFrame({"cell": CELLS})
    cells["aor_id"] = cells["aor"] = random.choice(np.array(["N", "S", None], object), len(CELLS))
    cells["admin1_id"] = cells["admin1"] = "P"
    return record(rows, placed, *tables, bases=bases, cells=cells, presence_days=patrols(*there))


def slowly(given: ResponseRecord, standard: ResponseStandard) -> list[bool | None]:
    """Judge one incident, one cell, one base, one patrol at a time."""
    answers: list[bool | None] = []
    disks = {int(cell): set(grid.disk(np.array([cell]), standard.patrol_rings)) for cell in CELLS}
    bases = given.bases.set_index("base_id")
    assert given.presence_days is not None
    for one in given.incidents.itertuples():
        day = one.occurred_on
        table = given.reach[season_of_day([day])[0]]
        mine = given.incident_cells.query("incident_id == @one.incident_id").dropna()
        total = 0.0
        for part in mine.itertuples():
            met = False
            for way in table[table["cell"] == part.cell].itertuples():
                opened, closed = bases.loc[way.base_id, ["opened_on", "closed_on"]]
                stood = not (opened > day) and not (closed < day)
                met |= stood and way.reach_min <= standard.minutes
            today = given.presence_days[given.presence_days["day_on"] == day]
            for stay in today.itertuples():
                met |= stay.presence_h > 0 and stay.cell in disks[part.cell]
            total += part.weight * met
        answers.append(None if mine.empty else total >= standard.decided_share - 1e-9)
    return answers


@settings(derandomize=True, max_examples=4, deadline=None)
@given(SEEDS)
def test_the_answer_is_that_of_one_at_a_time(seed: int) -> None:
    given_, standard = land(seed), ResponseStandard(minutes=40)
    found = response(given_, standard)
    verdict = [None if pd.isna(each) else bool(each) for each in found["reachable"]]
    assert verdict == slowly(given_, standard)
    assert True in verdict and False in verdict and None in verdict


@FEW
@given(SEEDS, st.floats(5, 90), st.integers(0, 2))
def test_more_minutes_and_more_rings_never_reach_less(
    seed: int, minutes: float, rings: int
) -> None:
    given_ = land(seed)
    near = response(given_, ResponseStandard(minutes=minutes, patrol_rings=rings))
    for wider in (
        ResponseStandard(minutes=2 * minutes, patrol_rings=rings),
        ResponseStandard(minutes=minutes, patrol_rings=rings + 1),
    ):
        far = response(given_, wider)
        assert (near["reached_share"].dropna() <= far["reached_share"].dropna() + 1e-9).all()
        assert (near["reachable"].dropna() <= far["reachable"].dropna()).all()
        low, high = response_series(near), response_series(far)
        assert (low["value"].dropna() <= high["value"].dropna() + 1e-9).all()


@FEW
@given(SEEDS, st.integers(0, 4))
def test_removing_a_base_never_reaches_more(seed: int, which: int) -> None:
    given_ = land(seed)
    gone = f"B{which}"
    fewer = ResponseRecord(
        incidents=given_.incidents,
        incident_cells=given_.incident_cells,
        reach={name: table[table["base_id"] != gone] for name, table in given_.reach.items()},
        season_of_day=season_of_day,
        bases=given_.bases[given_.bases["base_id"] != gone],
        presence_days=given_.presence_days,
    )
    before, after = response(given_), response(fewer)
    assert (after["reached_share"].dropna() <= before["reached_share"].dropna() + 1e-9).all()
    assert (after["reach_min"].fillna(np.inf) >= before["reach_min"].fillna(np.inf)).all()


@FEW
@given(SEEDS)
def test_by_reachable_and_what_it_would_take_agree(seed: int) -> None:
    found = response(land(seed))
    assert (found["reachable"].isna() == (found["by"] == "unknown")).all()
    assert (found["would_take"].isna() == found["reachable"].fillna(value=False)).all()
    assert found.loc[found["by"] == "base", "reach_min"].le(60).all()
    assert found["short_min"].dropna().gt(0).all()


@FEW
@given(SEEDS)
def test_the_series_can_be_counted_back_from_the_list(seed: int) -> None:
    found = response(land(seed))
    series = response_series(found)
    mine = series[(series["indicator"] == "response_share") & (series["category"] == "all")]
    for _, rows in mine.groupby("area_kind"):
        assert rows["numerator"].sum() == found["reachable"].sum()
        assert rows["n"].sum() == found["reachable"].notna().sum()
        assert rows["n_unknown"].sum() == found["reachable"].isna().sum()
    split = series[(series["indicator"] == "response_share") & (series["category"] != "all")]
    aoi = split[split["area_kind"] == "AOI"]
    assert aoi["n"].sum() == found["reachable"].notna().sum()
    assert "unknown" in set(aoi["category"])


def test_the_series_has_every_month_and_says_when_there_is_nothing() -> None:
    days = ["2026-02-10", "2026-02-11", "2026-04-01", "2026-04-02"]
    given_ = record(
        [incident(day, day, perpetrator="criminal") for day in days],
        [at(days[0], AT), at(days[1], int(CELLS[-1])), at(days[2], 0, np.nan, "set_aside")],
        [("A", AT, 30.0)],
    )
    series = response_series(response(given_), until_on=pd.Timestamp("2026-05-31"))
    mine = series[(series["indicator"] == "response_share") & (series["category"] == "criminal")]
    assert mine["month_on"].dt.month.tolist() == [2, 3, 4, 5]
    assert mine["value"].iloc[0] == 0.5 and mine["value"].iloc[1:].isna().all()
    assert mine["n"].tolist() == [2, 0, 0, 0]
    assert mine["n_unknown"].tolist() == [0, 0, 2, 0]
    assert mine["unknown_share"].iloc[2] == 1 and np.isnan(mine["unknown_share"].iloc[3])
    assert mine["no_patrol_n"].tolist() == [2, 0, 0, 0]


def test_no_incident_at_all_is_an_empty_answer() -> None:
    given_ = record([incident("i", DRY)], [at("i", AT)], [("A", AT, 30.0)])
    found = response(given_, as_of="2020-01-01")
    assert len(found) == 0 and len(response_series(found)) == 0
