"""The sample's numbers, recomputed from its raw files by slow, obvious code.

Nothing of the kernels is used here: h3, pyproj, shapely, rasterio, exactextract and loops, on the
files under data/. Rules are those of docs/methods and standards/; each test names its source.
"""

import dataclasses
import json
import math
import tomllib
from datetime import date
from pathlib import Path

import exactextract
import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import Geod, Transformer
from scipy.stats import binom, gamma, poisson

from pocgeo.aoi.area import Aoi

STANDARDS = Path(__file__).resolve().parents[1] / "standards"
GEOD = Geod(ellps="WGS84")
BEFORE = date(2025, 10, 15)
"""A day in the middle of the record: what was reported later must not be seen."""

SPEED_KMH = {"foot": 4.0, "wheeled": 30.0, "tracked": 20.0, "boat": 20.0, "air": 180.0}


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype("float64")


def day(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column.str[:10], errors="coerce")


def hexagon(cell: int) -> shapely.Polygon:
    return shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(h3.int_to_str(cell))])


def area_km2(shape) -> float:
    """Edges straight in lon, lat, cut finely enough for geodesics to follow them."""
    parts = getattr(shape, "geoms", [shape])
    cut = [shapely.segmentize(part, 0.0005) for part in parts if part.geom_type == "Polygon"]
    return sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in cut) / 1e6


def dots(shape, step_deg: float = 2e-5) -> np.ndarray:
    """Corners of a perimeter, and dots every two metres between them."""
    line = shape if shape.geom_type == "Point" else shapely.segmentize(shape.boundary, step_deg)
    return shapely.get_coordinates(line)


def distance_m(shape, perimeter: np.ndarray, lon: float, lat: float) -> float:
    """Geodesic metres to the nearest dot of a perimeter; 0 inside it."""
    if shape.geom_type != "Point" and shape.intersects(shapely.Point(lon, lat)):
        return 0.0
    here = np.full(len(perimeter), lon), np.full(len(perimeter), lat)
    return float(GEOD.inv(perimeter[:, 0], perimeter[:, 1], *here)[2].min())


@pytest.fixture(scope="module")
def data(sample_folder) -> Path:
    return sample_folder / "data"


@pytest.fixture(scope="module")
def cells(sample) -> pd.DataFrame:
    return sample.indexed.table("cells")


@pytest.fixture(scope="module")
def incidents(data, sample) -> pd.DataFrame:
    """Incidents read from the two raw files; planted faults mended or left out by hand."""
    ucdp = pd.read_csv(data / "ucdp_ged.csv", dtype=str, keep_default_na=False)
    acled = pd.read_csv(data / "acled.csv", dtype=str, keep_default_na=False)
    precision = {"1": "point", "2": "near", "4": "area1"}
    first = pd.DataFrame(
        {
            "incident_id": ucdp["id"],
            "on": day(ucdp["date_start"]),
            "end": day(ucdp["date_end"]),
            "precision": ucdp["where_prec"].map(precision | {"3": "area2"}),
            "against": ucdp["type_of_violence"] == "3",
            "killed": number(ucdp["deaths_civilians"]),
            "harmed": np.nan,
        }
    )
    targeted = acled["event_type"] == "Violence against civilians"
    second = pd.DataFrame(
        {
            "incident_id": acled["event_id_cnty"],
            "on": day(acled["event_date"]),
            "end": pd.NaT,
            "precision": acled["geo_precision"].map(precision | {"3": "area1"}),
            "against": targeted | (acled["civilian_targeting"] == "Civilian targeting"),
            "killed": number(acled["fatalities"]).where(targeted),
            "harmed": number(acled["civilians_harmed"]),
        }
    )
    for part, raw in ((first, ucdp), (second, acled)):
        part["lon"], part["lat"] = number(raw["longitude"]), number(raw["latitude"])
        part["error_m"] = number(raw["position_error_m"])
        part["reported"] = day(raw["received_on"])
    rows = pd.concat([first, second], ignore_index=True)
    swapped = (rows["lat"] > 2.9) & (rows["lon"] < 2.9)  # Ilhara lies at 3-5 E, 1-3 N
    rows.loc[swapped, ["lon", "lat"]] = rows.loc[swapped, ["lat", "lon"]].to_numpy()
    placed = rows["lon"].between(2.9, 5.1) & rows["lat"].between(1.2, 2.8)
    rows = rows[placed & (rows["on"] <= "2026-06-30")].drop_duplicates("incident_id")
    kinds = sample.layer("incidents").set_index("incident_id")["incident_type"]
    return rows.assign(kind=rows["incident_id"].map(kinds)).reset_index(drop=True)


def known(incidents: pd.DataFrame, on: date) -> pd.DataFrame:
    """What had occurred and been reported by a day (docs/methods/risk.md, As of)."""
    at = pd.Timestamp(on)
    return incidents[(incidents["on"] <= at) & ~(incidents["reported"] > at)]


@pytest.fixture(scope="module")
def weights(incidents, cells, data, sample) -> pd.DataFrame:
    """Incident, cell and weight, one incident after the other (pocgeo.cells.placing)."""
    inside = set(cells["cell"].tolist())
    areas = {
        "area2": (gpd.read_file(data / "admin2.geojson"), "adm2_pcode", "admin2_id"),
        "area1": (gpd.read_file(data / "admin1.geojson"), "adm1_pcode", "admin1_id"),
    }
    people = sample.indexed.table("population").set_index("cell")["people_persons"]
    people = people.reindex(cells["cell"]).fillna(0).to_numpy()
    land = np.where(people >= 1, cells["area_km2"] * cells["inside_share"], 0)
    exact = incidents[incidents["precision"].isin(["point", "near"])]
    rows: list[tuple[str, int, float]] = []
    pasts: dict[pd.Timestamp, np.ndarray] = {}
    names = cells["cell"].to_numpy()
    for item in incidents.itertuples():
        if item.precision in {"point", "near"}:
            name = h3.latlng_to_cell(item.lat, item.lon, 8)
            rows.append((item.incident_id, h3.str_to_int(name), 1.0))
        elif item.precision in areas:
            shapes, code, column = areas[item.precision]
            holds = shapes[shapes.intersects(shapely.Point(item.lon, item.lat))][code].iloc[0]
            month = item.on.replace(day=1)
            if month not in pasts:
                held = kernel_of_the_past(exact, month, inside)
                pasts[month] = cells["cell"].map(held).fillna(0).to_numpy()
            before = pasts[month]
            mix = 0.30 * people / people.sum() + 0.02 * land / land.sum()
            mix += 0.68 * before / before.sum() if before.sum() else 0
            here = np.where(cells[column] == holds, mix, 0)
            here /= here.sum()
            here[here < 1e-4] = 0  # docs/methods/location_precision.md: crumbs go to the others
            there = np.flatnonzero(here)
            shares = here[there] / here.sum()
            rows += [
                (item.incident_id, int(cell), float(share))
                for cell, share in zip(names[there], shares, strict=True)
            ]
    table = pd.DataFrame(rows, columns=["incident_id", "cell", "weight"])
    return table[table["cell"].isin(inside)]


def kernel_of_the_past(
    exact: pd.DataFrame, first: pd.Timestamp, inside: set[int]
) -> dict[int, float]:
    """What was on record before a month, of five years: 0.8 here, 0.2 around."""
    seen = exact[(exact["on"] < first) & (exact["on"] >= first - pd.DateOffset(months=60))]
    held: dict[int, float] = {}
    for item in seen[(seen["reported"] < first) | seen["reported"].isna()].itertuples():
        own = h3.latlng_to_cell(item.lat, item.lon, 8)
        for name in h3.grid_disk(own, 1):
            cell = h3.str_to_int(name)
            if cell in inside:
                held[cell] = held.get(cell, 0.0) + (0.8 if name == own else 0.2 / 6)
    return held


def hexagons(cells: pd.DataFrame) -> np.ndarray:
    return np.array([hexagon(int(cell)) for cell in cells["cell"]], dtype=object)


def test_cells_cover_the_coast_and_their_areas_are_exact(cells, data):
    coast = gpd.read_file(data / "coast.geojson").geometry.union_all()
    shapes = hexagons(cells)
    assert coast.difference(shapely.union_all(shapes)).area == 0
    assert shapely.area(shapely.intersection(shapes, coast)).min() > 0
    rng = np.random.default_rng(1)
    rim = rng.choice(np.flatnonzero(cells["edge"]), 60, replace=False)
    for row in [*rng.choice(len(cells), 60, replace=False), *rim]:
        whole = area_km2(shapes[row])
        assert cells["area_km2"].iloc[row] == pytest.approx(whole, rel=1e-8)
        inside = area_km2(shapes[row].intersection(coast))
        assert cells["inside_share"].iloc[row] == pytest.approx(inside / whole, abs=1e-8)


def test_people_are_conserved_and_hardly_misplaced(sample, cells, data):
    # docs/methods/population.md: at most 0.2 % of people misplaced against exact area weights.
    table = sample.indexed.table("population").set_index("cell")
    some = np.random.default_rng(2).choice(cells["cell"], 3_000, replace=False)
    shapes = [hexagon(int(cell)) for cell in some]
    frame = gpd.GeoDataFrame(geometry=shapes, crs=4326)
    source = str(data / "population.tif")
    exact = exactextract.exact_extract(source, frame, ["sum"], output="pandas")
    columns = ("people_persons", "women_persons", "children_persons")
    with rasterio.open(source) as raster:
        for band, column in enumerate(columns, start=1):
            total = raster.read(band, masked=True).astype("float64").sum()
            assert table[column].sum() == pytest.approx(total, rel=1e-9)
            expected = exact[f"band_{band}_sum"].fillna(0).to_numpy()
            off = np.abs(table[column].reindex(some).fillna(0).to_numpy() - expected)
            assert off.sum() / 2 < 0.002 * expected.sum()


def test_cells_belong_to_the_area_that_covers_most_of_them(cells, data):
    rng = np.random.default_rng(3)
    cells = cells.iloc[rng.choice(len(cells), 4_000, replace=False)]
    shapes = hexagons(cells)
    for file, code, column in (
        ("admin2.geojson", "adm2_pcode", "admin2_id"),
        ("aors.geojson", "aor_id", "aor_id"),
    ):
        areas = gpd.read_file(data / file)
        parts = np.array([shapely.area(shapely.intersection(shapes, a)) for a in areas.geometry])
        expected = areas[code].to_numpy()[parts.argmax(axis=0)]
        covered = parts.max(axis=0) > 0
        assert (cells[column].to_numpy()[covered] == expected[covered]).all()
    places = pd.read_csv(data / "settlements.csv")
    for row in range(300):
        here = [np.full(len(places), cells[name].iloc[row]) for name in ("lon", "lat")]
        far_m = GEOD.inv(*here, places["longitude"], places["latitude"])[2]
        assert cells["settlement_m"].iloc[row] == pytest.approx(far_m.min(), abs=1e-3)
        assert cells["settlement_id"].iloc[row] == places["settlement_id"].iloc[far_m.argmin()]


def test_incidents_count_where_and_when_the_rules_say(sample, incidents, weights):
    placed = sample.indexed.table("incident_cells").dropna(subset=["weight"])
    both = weights.merge(placed, on=["incident_id", "cell"], how="outer", suffixes=("_slow", ""))
    slow = both["weight_slow"].fillna(0).to_numpy()
    assert both["weight"].fillna(0).to_numpy() == pytest.approx(slow, rel=1e-9)
    sums = placed.groupby("incident_id")["weight"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
    aside = incidents[~incidents["precision"].isin(["point", "near", "area2", "area1"])]
    assert set(aside["incident_id"]).isdisjoint(sums.index)
    assert len(sums) + len(aside) == len(incidents)
    for as_of in (date(2026, 6, 30), BEFORE):
        picture = sample.picture(as_of=as_of)
        age = (pd.Timestamp(as_of) - known(incidents, as_of)["on"]).dt.days
        for column, first, last in (("incidents_n", 0, 90), ("incidents_before_n", 90, 180)):
            recent = known(incidents, as_of)[(age >= first) & (age < last)]["incident_id"]
            expected = placed[placed["incident_id"].isin(recent)].groupby("cell")["weight"].sum()
            assert picture[column].sum() == pytest.approx(len(set(recent) & set(sums.index)))
            got = picture.set_index("cell")[column]
            assert got[got > 0].to_numpy() == pytest.approx(expected.sort_index().to_numpy())


def test_straight_reach_is_the_quickest_standing_base(sample, cells, data):
    straight = {"reach": {"method": "straight line"}}
    sample = Aoi(dataclasses.replace(sample.file, standards=straight))
    # docs/methods/reach.md: notice + distance / speed; beyond its range a base cannot go.
    bases = gpd.read_file(data / "bases.geojson")
    opened, closed = pd.to_datetime(bases["opened"]), pd.to_datetime(bases["closed"])
    rims = [dots(shape) for shape in bases.geometry]
    rows = np.random.default_rng(6).choice(len(cells), 60, replace=False)
    for as_of in (date(2026, 6, 30), date(2024, 2, 1)):
        at = pd.Timestamp(as_of)
        stood = np.flatnonzero((opened <= at) & ~(closed < at))
        picture = sample.picture(as_of=as_of)
        for row in rows:
            best, quickest = math.inf, None
            for one in stood:
                far_m = distance_m(
                    bases.geometry[one], rims[one], cells["lon"].iloc[row], cells["lat"].iloc[row]
                )
                if far_m > bases["max_range_km"][one] * 1000:
                    continue
                pace = SPEED_KMH[bases["mobility"][one]] * 1000 / 60
                minutes = bases["qrf_notice_min"][one] + far_m / pace
                if minutes < best:
                    best, quickest = minutes, bases["base_id"][one]
            got = picture["reach_min"].iloc[row]
            assert (math.inf if pd.isna(got) else got) == pytest.approx(best, abs=0.01)
            assert quickest is None or picture["base_id"].iloc[row] == quickest


def test_gap_areas_are_the_connected_gap_cells(sample):
    # docs/methods/coverage.md, with the house thresholds of 60 minutes and 14 days.
    for as_of in (date(2026, 6, 30), BEFORE):
        picture, judged = sample.picture(as_of=as_of), sample.gap_cells(as_of=as_of)
        covered = (picture["reach_min"] <= 60) | (picture["days_since_presence"] <= 14)
        people = picture["people_persons"]
        gap = people.where(~covered, 0.0).where(people.notna())
        pd.testing.assert_series_equal(judged["gap_persons"], gap, check_names=False)
        inside = picture[gap > 0]
        label = {
            h3.int_to_str(int(cell)): (admin, aor)
            for cell, admin, aor in inside[["cell", "admin2_id", "aor_id"]].itertuples(index=False)
        }
        groups = flooded(label)
        assert set(groups) == {
            frozenset(h3.int_to_str(int(cell)) for cell in part["cell"])
            for _, part in judged[gap > 0].groupby("gap_area_id")
        }
        areas, totals = sample.gaps(as_of=as_of), sample.coverage(as_of=as_of)
        assert len(areas) == len(groups)
        assert areas["gap_persons"].sum() == pytest.approx(gap.sum(), rel=1e-12)
        assert (totals.groupby("area_kind")["gap_persons"].sum() - gap.sum()).abs().max() < 1e-6
        aoi = totals[totals["area_kind"] == "AOI"].iloc[0]
        assert aoi["covered_share"] == pytest.approx(people[covered].sum() / people.sum())
        risky = picture["risk_persons"]
        assert aoi["covered_risk_share"] == pytest.approx(risky[covered].sum() / risky.sum())


def flooded(label: dict[str, tuple[str, str]]) -> list[frozenset[str]]:
    """Groups of neighbours with one label, by flood fill."""
    groups, seen = [], set()
    for start in label:
        if start in seen:
            continue
        group, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for there in h3.grid_disk(here, 1):
                if there not in group and label.get(there) == label[here]:
                    group.add(there)
                    waiting.append(there)
        seen |= group
        groups.append(frozenset(group))
    return groups


def test_the_trend_is_the_binomial_of_two_periods(sample, weights, incidents):
    # docs/methods/hotspots.md, Trend: 3 months against the 12 before; whole counts only here.
    at = pd.Timestamp(2026, 6, 30)
    middle, start = at - pd.DateOffset(months=3), at - pd.DateOffset(months=15)
    share = (at - middle).days / (at - start).days
    judged = sample.gap_cells()
    rows = weights[weights["weight"] == 1].merge(known(incidents, at.date()), on="incident_id")
    rows = rows.merge(judged.loc[judged["gap_persons"] > 0, ["cell", "gap_area_id"]], on="cell")
    spread = weights.merge(judged[["cell", "gap_area_id"]], on="cell").query("weight < 1")
    told = sample.gaps().set_index("gap_area_id")["trend"].drop(spread["gap_area_id"].dropna())
    assert len(told) > 100
    for area, word in told.items():
        on = rows.loc[rows["gap_area_id"] == area, "on"]
        now, before = int((on > middle).sum()), int(((on > start) & (on <= middle)).sum())
        n = now + before
        rise, fall = binom.sf(now - 1, n, share), binom.cdf(now, n, share)
        sharpest = 2 * min(share**n, (1 - share) ** n)
        change = "rising" if rise < fall else "falling"
        certain = change if 2 * min(rise, fall) <= 0.05 else "steady"
        assert word == ("none" if sharpest > 0.05 else certain)


def test_verdicts_and_review_list_follow_from_the_distances(sample, incidents, data):
    # docs/methods/proximity.md: inside if d + e <= r, outside if d - e > r; place error 1,000 m
    # and point base error 500 m where none is stated; Policy 87 for the list.
    bases = gpd.read_file(data / "bases.geojson")
    for as_of in (date(2026, 6, 30), BEFORE):
        rows = known(incidents, as_of)
        last = rows["end"].fillna(rows["on"])
        pairs = {}
        for base in bases.itertuples():
            rim = dots(base.geometry)
            point = base.geometry.geom_type == "Point"
            own_m = base.location_error_m if base.location_error_m >= 0 else 500.0 * point
            stood = (last >= base.opened) & ~(rows["on"] > pd.Timestamp(base.closed))
            near = stood & (rows["lon"] - rim[:, 0].mean()).abs().lt(0.35)
            near &= (rows["lat"] - rim[:, 1].mean()).abs().lt(0.35)
            for item in rows[near].itertuples():
                d = distance_m(base.geometry, rim, item.lon, item.lat)
                e = own_m + (item.error_m if item.error_m >= 0 else 1000.0)
                verdict = "inside" if d + e <= 1000 else "outside" if d - e > 1000 else "undecided"
                if verdict != "outside" or d <= 2000:
                    pairs[item.incident_id, base.base_id] = (verdict, d)
        got = sample.verdicts(as_of=as_of).set_index(["incident_id", "base_id"])
        assert set(got.index) == set(pairs)
        for key, (verdict, d) in pairs.items():
            assert got.loc[key, "verdict"] == verdict
            assert got.loc[key, "distance_m"] == pytest.approx(d, abs=0.1)
        harm = (rows["killed"] > 0) | (rows["harmed"] > 0)
        none = (rows["killed"] == 0) & (rows["harmed"] == 0)
        asked = set(rows.loc[harm | (~none & rows["against"]), "incident_id"])
        close = {one for (one, _), (verdict, _) in pairs.items() if verdict != "outside"}
        assert set(sample.review(as_of=as_of)["incident_id"]) == asked & close


def test_people_within_a_kilometre_by_fine_dots(sample, data):
    # Pixels cut 12 x 12 in an azimuthal equidistant system about the base; perimeter left out.
    ledger = sample.proximity().set_index("base_id")
    bases = gpd.read_file(data / "bases.geojson").set_index("base_id")
    with rasterio.open(data / "population.tif") as raster:
        west, north, pixel = raster.bounds.left, raster.bounds.top, raster.res[0]
        for code, base in bases.geometry.items():
            about = base.centroid
            flat = Transformer.from_crs(
                4326, f"+proj=aeqd +lat_0={about.y} +lon_0={about.x} +datum=WGS84", always_xy=True
            )
            perimeter = shapely.transform(
                shapely.segmentize(base, 1e-4),
                lambda xy, flat=flat: np.column_stack(flat.transform(xy[:, 0], xy[:, 1])),
            )
            zone = perimeter.buffer(1000, quad_segs=128)
            if perimeter.geom_type != "Point":
                zone = zone.difference(perimeter)
            box = about.x - 0.03, about.y - 0.03, about.x + 0.03, about.y + 0.03
            window = rasterio.windows.from_bounds(*box, raster.transform)
            window = window.round_offsets().round_lengths()
            people = raster.read(1, window=window, masked=True).filled(0).astype(float)
            row, column = np.nonzero(people)
            part = (np.arange(12) + 0.5) / 12
            east, south = np.meshgrid(part, part)
            x = west + (window.col_off + column[:, None] + east.ravel()) * pixel
            y = north - (window.row_off + row[:, None] + south.ravel()) * pixel
            hit = shapely.contains_xy(zone, *flat.transform(x, y)).mean(axis=1)
            expected = (people[row, column] * hit).sum()
            assert ledger.loc[code, "people_persons"] == pytest.approx(expected, rel=2e-3)


def test_hotspots_are_poisson_tails_under_benjamini_and_hochberg(sample, cells):
    # docs/methods/hotspots.md: disks of seven cells, expectation even over populated land.
    placed = sample.indexed.table("incident_cells").dropna(subset=["weight"])
    count = placed.groupby("cell")["weight"].sum().reindex(cells["cell"]).fillna(0).to_numpy()
    people = sample.indexed.table("population").set_index("cell")["people_persons"]
    happened = set(placed.loc[placed["placed"] == "point", "cell"])  # somebody was there
    lived_in = ~(people.reindex(cells["cell"]) < 1).to_numpy() | cells["cell"].isin(happened)
    land = cells["area_km2"] * cells["inside_share"].clip(lower=1e-3)
    land = np.where(lived_in, land, 0.0)
    at = {h3.int_to_str(int(cell)): row for row, cell in enumerate(cells["cell"])}
    disks = [[at[n] for n in h3.grid_disk(name, 1) if n in at] for name in at]
    observed = np.array([count[disk].sum() for disk in disks])
    expected = np.array([land[disk].sum() for disk in disks]) * count.sum() / land.sum()
    tail = {
        row: 1.0
        if observed[row] < 1e-9
        else poisson.sf(round(observed[row]) - 1, expected[row])
        if abs(observed[row] - round(observed[row])) < 1e-9
        else gamma.cdf(expected[row], observed[row])
        for row in np.flatnonzero(land > 0)
    }
    least, q = 1.0, np.full(len(cells), np.nan)
    ranked = sorted(tail, key=tail.__getitem__)
    for rank in range(len(ranked), 0, -1):
        least = min(least, tail[ranked[rank - 1]] * len(ranked) / rank)
        q[ranked[rank - 1]] = least
    got = sample.hotspots().set_index("cell").reindex(cells["cell"])
    assert got["expected"].to_numpy() == pytest.approx(expected, rel=1e-9)
    assert got["q"].to_numpy() == pytest.approx(q, abs=1e-9, nan_ok=True)
    flagged = (q <= 0.05) & (observed >= 3 - 1e-9)
    assert (got["hotspot"].to_numpy() == flagged).all()
    assert flagged.sum() > 50


def test_threat_by_hand(sample, cells, incidents, weights):
    # docs/methods/risk.md with standards/risk_weights.toml.
    rule = tomllib.loads((STANDARDS / "risk_weights.toml").read_text())["threat"]
    placed = sample.indexed.table("incident_cells").dropna(subset=["weight"])
    at, picture = pd.Timestamp(BEFORE), sample.picture(as_of=BEFORE).set_index("cell")
    rows = placed.merge(known(incidents, BEFORE), on="incident_id")
    killed = rule["per_person"]["killed_civilians_persons"]
    harmed = rule["per_person"]["harmed_civilians_persons"]
    severity = rows["kind"].map(rule["severity"])
    severity += killed["weight"] * rows["killed"].fillna(0).clip(upper=killed["cap_persons"])
    severity += harmed["weight"] * rows["harmed"].fillna(0).clip(upper=harmed["cap_persons"])
    age = (at - rows["on"]).dt.days
    lasting = rule["recent"] * 0.5 ** (age / rule["half_life_recent_days"])
    lasting += rule["past"] * 0.5 ** (age / rule["half_life_past_days"])
    load = (severity * rows["weight"] * lasting).groupby(rows["cell"]).sum().to_dict()
    rng = np.random.default_rng(10)
    busiest = picture["threat"].nlargest(25).index
    for cell in [*rng.choice(cells["cell"], 100, replace=False), *busiest]:
        whole = 0.0
        for ring, nearness in enumerate(rule["nearness"]):
            names = h3.grid_ring(h3.int_to_str(int(cell)), ring)
            whole += nearness * sum(load.get(h3.str_to_int(name), 0.0) for name in names)
        threat = whole / (whole + rule["half_saturation"])
        assert picture.loc[cell, "threat"] == pytest.approx(threat, abs=1e-12)
        parts = picture.loc[cell, ["threat", "vulnerability", "people_persons"]]
        product = parts["threat"] * parts["vulnerability"] * parts["people_persons"]
        assert picture.loc[cell, "risk_persons"] == pytest.approx(product, nan_ok=True)


def test_indicators_of_incidents_by_hand(sample, incidents):
    # standards/indicators.toml, whole AOI.
    series = sample.indicators()
    series = series[series["area_kind"] == "AOI"]
    series = series.set_index(["month_on", "indicator", "category"])["value"]
    rows = known(incidents, date(2026, 6, 30))
    for month in pd.to_datetime(["2024-02-01", "2025-11-01", "2026-06-01"]):
        these = rows[rows["on"].dt.to_period("M") == month.to_period("M")]
        coarse = ~these["precision"].isin(["point", "near"])
        expected = {
            "incidents_against_civilians": these["against"].sum(),
            "civilians_killed": these["killed"].sum(min_count=1),
            "civilians_harmed": these["harmed"].sum(min_count=1),
            "coarse_location_share": coarse.mean(),
            "reporting_lag_days": (these["reported"] - these["on"]).dt.days.median(),
        }
        for name, value in expected.items():
            assert series[month, name, "all"] == pytest.approx(value)


def test_every_released_format_says_the_same(sample, tmp_path):
    import pocgeo

    table = sample.gaps().set_index("gap_area_id")
    released = sample.release(sample.gaps())
    text = pd.read_csv(pocgeo.export(released, tmp_path / "gaps.csv", "csv"))
    pack = json.loads(pocgeo.export(released, tmp_path / "gaps.geojson", "geojson").read_text())
    shown = pd.DataFrame([feature["properties"] for feature in pack["features"]])
    for made in (text, shown):
        rows = made.set_index("gap_area_id").reindex(table.index)
        for column in ("gap_persons", "women_persons", "risk_persons", "reach_min", "area_km2"):
            expected = table[column].to_numpy(dtype=float)
            assert number(rows[column]).to_numpy() == pytest.approx(expected, nan_ok=True)
