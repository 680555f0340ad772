"""Cell-days: equal to presence and to a slow loop, wherever files are cut, mixed or repeated."""

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pocgeo.cells import grid
from pocgeo.cells.clock import Clock
from pocgeo.cells.presence import FIVE_MINUTES, presence_days, zone_of
from pocgeo.cells.presence_parts import presence_from
from pocgeo.cells.telemetry import Telemetry
from pocgeo.engine.team import Engine
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.request import LoadRequest, SourceRequest

ZONE = "Africa/Juba"  # UTC+3 until 2021-01-31 24:00, UTC+2 since
SERIAL = Engine(name="serial")


def patrols(seed=1, count=3_000, begin="2021-01-29 05:00", units=3) -> pd.DataFrame:
    """Fixes of vehicles that stop, drive on, fall silent and, now and then, jump."""
    rng = np.random.default_rng(seed)
    parts = []
    for unit in range(units):
        each = count // units
        step_s = rng.choice([15, 30, 60, 240, 1_900], each, p=[0.3, 0.4, 0.2, 0.08, 0.02])
        moving = np.repeat(rng.random(each // 20 + 1) < 0.6, 20)[:each]
        pace = moving * np.minimum(step_s, 300) * 1.2e-4
        lon = 31.5 + 0.02 * unit + np.cumsum(rng.normal(0, 0.4, each) * pace)
        lat = 4.8 + np.cumsum(rng.normal(0.1, 0.4, each) * pace)
        jumps = rng.random(each) < 0.003
        lon, lat = lon + jumps * 0.5, lat + jumps * 0.5
        at = pd.Timestamp(begin, tz="UTC") + pd.to_timedelta(np.cumsum(step_s), unit="s")
        parts.append(pd.DataFrame({"unit": f"U{unit}", "fix_at": at, "lon": lon, "lat": lat}))
    return pd.concat(parts, ignore_index=True)


def saved(folder: Path, *tables: pd.DataFrame) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, table in enumerate(tables, len(list(folder.iterdir()))):
        paths.append(folder / f"fixes{number:03}.parquet")
        table.to_parquet(paths[-1], row_group_size=700)
    return paths


def telemetry(paths, folder, **more) -> Telemetry:
    request = LoadRequest(
        spec=layer_spec("patrols"), sources=(SourceRequest(paths=tuple(paths)),), time_zone=ZONE
    )
    return Telemetry(request, folder, 8, **more)


def summed(folder: Path, *tables, engine=SERIAL) -> pd.DataFrame:
    made = telemetry(saved(folder / "in", *tables), folder / "store")
    made.update(engine)
    return made.cell_days(by_unit=True)


def months(folder: Path) -> dict[str, bytes]:
    """What stands, to the byte."""
    made = telemetry([], folder)
    assert made.state.months
    files = made.state.months.items()
    return {month: (folder / "months" / name).read_bytes() for month, name in files}


def by_hand(fixes: pd.DataFrame) -> dict[tuple, list]:
    """Walk the fixes one by one: fixes, entries, last instant of every cell, day and unit."""
    rows: dict[tuple, list] = {}
    fixes = fixes.drop_duplicates().sort_values(["unit", "fix_at", "lon", "lat"])
    for unit, track in fixes.groupby("unit"):
        before = None
        for fix in track.itertuples():
            cell = int(grid.cells_of([fix.lon], [fix.lat], 8)[0])
            day = fix.fix_at.tz_convert(ZONE).tz_localize(None).normalize()
            row = rows.setdefault((cell, day, unit), [0, 0, pd.NaT])
            row[0] += 1
            fresh, jump, moved = True, False, True
            if before is not None:
                took_s = (fix.fix_at - before.fix_at).total_seconds()
                way_m = float(distance_m(before.lon, before.lat, fix.lon, fix.lat))
                fresh = took_s > 1_800
                jump = not fresh and way_m * 3.6 > 150 * took_s
                moved = cell != int(grid.cells_of([before.lon], [before.lat], 8)[0])
            row[1] += fresh or (moved and not jump)
            if not jump:
                row[2] = fix.fix_at
            before = fix
    return rows


def test_fixes_entries_and_last_visits_are_those_of_a_loop(tmp_path):
    fixes = patrols()
    table = summed(tmp_path, fixes)
    wanted = by_hand(fixes)
    seen = table[table["fixes"] > 0]
    found = {
        (row.cell, row.day_on, row.unit_id): [row.fixes, row.entries] for row in seen.itertuples()
    }
    assert found == {key: value[:2] for key, value in wanted.items()}
    # The way out of a cell, or a later one through it, ends after the last fix, never before.
    last = seen.set_index(["cell", "day_on", "unit_id"])["last_at"]
    by_loop = pd.Series({key: value[2] for key, value in wanted.items()}).reindex(last.index)
    assert (last.isna() <= by_loop.isna()).all()
    assert (by_loop.isna() | (last >= by_loop)).all()
    assert (last - by_loop < pd.Timedelta(minutes=30)).mean() > 0.9


def test_dwell_is_the_time_of_presence(tmp_path):
    fixes = patrols()
    table = summed(tmp_path, fixes)
    cells = pd.DataFrame({"cell": np.unique(table["cell"])})
    known = fixes.rename(columns={"unit": "unit_id"})
    presence = presence_days(known, cells, ZONE)
    keys = ["cell", "day_on", "unit_id"]
    wanted = presence.set_index(keys)[["presence_h", "night_h"]]
    wanted = wanted[wanted["presence_h"] > 0].sort_index()
    found = table[table["dwell_s"] > 0].set_index(keys)[["dwell_s", "night_s"]].sort_index()
    assert found.index.tolist() == wanted.index.tolist()
    assert found.to_numpy() / 3_600 == pytest.approx(wanted.to_numpy(), abs=1e-8)
    assert presence["night_h"].sum() > 1  # the days hold a night, so that it is tested


def test_where_files_are_cut_and_in_which_order_they_come_changes_no_byte(tmp_path):
    fixes = patrols()
    summed(tmp_path / "one", fixes)
    shuffled = fixes.sample(frac=1, random_state=3)
    pieces = [shuffled[part::7] for part in range(7)]
    pieces += [fixes[fixes["unit"] == "U1"], fixes[500:900]]  # repeats, in files of their own
    summed(tmp_path / "many", *pieces)
    assert months(tmp_path / "one/store") == months(tmp_path / "many/store")


def test_memory_changes_the_cut_of_the_work_but_no_byte(tmp_path, monkeypatch):
    fixes = patrols(count=9_000)
    summed(tmp_path / "one", fixes)
    monkeypatch.setattr("pocgeo.cells.telemetry.LEAST_ROWS", 500)
    monkeypatch.setattr("pocgeo.cells.telemetry.ROW_BYTES", 10**6)
    small = telemetry(saved(tmp_path / "in", fixes), tmp_path / "small")
    small.update(SERIAL)
    assert len(small.state.parts) > 4
    assert max(shares for *_, shares in small.state.parts.values()) > 1  # days shared out by unit
    assert months(tmp_path / "one/store") == months(tmp_path / "small")


@pytest.mark.parametrize("late", ["a later day", "an earlier day", "in between"])
def test_new_files_make_what_a_full_build_makes_without_reading_the_old(tmp_path, late):
    fixes = patrols(count=6_000).sort_values("fix_at")
    days = [day for _, day in fixes.groupby(fixes["fix_at"].dt.floor("D"))]
    left = {"a later day": len(days) - 1, "an earlier day": 0, "in between": 2}[late]
    new = days.pop(left)
    if late == "in between":  # half of the day came in time
        days.append(new[::2])
        new = new[1::2]
    paths = saved(tmp_path / "in", *days)
    first = telemetry(paths, tmp_path / "store")
    first.update(SERIAL)
    for path in paths:  # to be read is to fail
        about = path.stat()
        path.write_bytes(b"no Parquet".ljust(about.st_size))
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    again = telemetry([*paths, *saved(tmp_path / "in", new)], tmp_path / "store")
    changed = again.update(SERIAL)
    assert changed
    summed(tmp_path / "full", *days, new)
    assert months(tmp_path / "store") == months(tmp_path / "full/store")


def test_clocks_change_at_the_second():
    zone = zone_of("Europe/London")
    first, last = (
        pd.Timestamp(day, tz="UTC").value // 1000 for day in ("2021-01-01", "2021-12-31")
    )
    clock = Clock.of(zone, first, last)
    turns = pd.to_datetime(clock.since_us[1:], unit="us").astype(str).tolist()
    assert turns == ["2021-03-28 01:00:00", "2021-10-31 01:00:00"]
    assert (clock.ahead_us / 3.6e9).tolist() == [0, 1, 0]
    begin, end = clock.span_us(18_714, 18_714)  # 2021-03-28, which has 23 hours
    at = np.arange(first, last, 600_000_000)
    on_the_day = at[clock.days(at) == 18_714]
    assert len(on_the_day) == 23 * 6
    assert begin <= on_the_day.min() < on_the_day.max() < end


def test_an_empty_store_says_what_to_do(tmp_path):
    with pytest.raises(BadInput, match="Index the AOI first"):
        telemetry([], tmp_path / "store").cell_days()


def test_the_house_rule_is_that_of_presence():
    assert (FIVE_MINUTES.max_gap_min, FIVE_MINUTES.max_speed_kmh) == (30, 150)


def test_presence_from_parts_is_presence_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("pocgeo.cells.telemetry.LEAST_ROWS", 400)
    monkeypatch.setattr("pocgeo.cells.telemetry.ROW_BYTES", 10**7)
    fixes = patrols(count=4_000)
    fixes["base_id"] = np.where(fixes["unit"] == "U1", None, "B1")
    fixes["patrol"] = "P" + (np.arange(len(fixes)) // 500).astype(str)
    fixes = pd.concat([fixes, fixes[100:120].assign(lon=31.6)])  # in two places at one time
    made = telemetry(saved(tmp_path / "in", fixes[1::2], fixes[::2]), tmp_path / "store")
    made.update(SERIAL)
    assert len(made.state.parts) > 4
    cells = pd.DataFrame({"cell": grid.disk(np.unique(made.cell_days()["cell"])[20:], 1)})
    place = shapely.Point(*fixes[["lon", "lat"]].iloc[0])
    bases = gpd.GeoDataFrame({"base_id": ["B1"], "unit": ["U0"]}, geometry=[place], crs=4326)
    known = fixes.rename(columns={"unit": "unit_id", "patrol": "patrol_id"})
    known["unit_id"] = known["unit_id"].astype(object)
    wanted = presence_days(known, cells, ZONE, bases)
    order = ["cell", "unit_id", "day_on", "base_id"]
    wanted = wanted.sort_values(order, na_position="first", ignore_index=True)
    for _ in range(2):  # made, then found
        table = presence_from(made, cells, bases, SERIAL)
        pd.testing.assert_frame_equal(table, wanted, check_exact=True)
    hours = wanted.attrs["hours"]
    assert table.attrs["hours"]["patrol_h"] == pytest.approx(hours["patrol_h"])
    elsewhere_h = hours["outside_h"] + hours["own_base_h"]
    assert table.attrs["hours"]["elsewhere_h"] == pytest.approx(elsewhere_h, abs=1e-6)
    assert elsewhere_h > 0.1
