"""A made-up island in the open Gulf of Guinea, its cells, bases and incidents: enough to draw."""

from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.disclosure import Released
from pocgeo.products.maps import PageFrame

LON, LAT = 4.6, 1.4


def island(radius_deg: float = 0.68, seed: int = 5) -> shapely.Polygon:
    """A wavy coast about a middle in the sea."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = radius_deg * (1 + 0.05 * np.sin(7 * angle + 1))
    for wave in range(2, 6):
        radius += radius_deg * rng.normal(0, 0.07) * np.sin(wave * angle + rng.uniform(0, 6))
    return shapely.Polygon(np.c_[LON + 1.25 * radius * np.cos(angle), LAT + radius * np.sin(angle)])


def column(name: str, label: str, unit: str | None = None, **more: Any) -> ColumnSpec:
    """A column that may be shown."""
    known = {"sensitivity": "open", "released_as": "sum", "counts": None}
    return ColumnSpec(name=name, label=label, unit=unit, **(known | more))


def released(table: pd.DataFrame, *columns: ColumnSpec, **more: Any) -> Released:
    """A table that passed the gate."""
    known: dict[str, Any] = {
        "name": "sample",
        "title": "Sample",
        "resolution": None,
        "audience": "internal",
        "marking": "UNCLASSIFIED",
        "cut_off_on": date(2026, 6, 30),
        "notes": (),
        "withheld": (),
        "manifest": {},
    }
    return Released(table=table, columns={spec.name: spec for spec in columns}, **(known | more))


def frame(boundary: shapely.Geometry | None = None, **more: Any) -> PageFrame:
    """What every page says."""
    known: dict[str, Any] = {
        "title": "Coverage gaps",
        "aoi_name": "Sample Island",
        "marking": "UNCLASSIFIED",
        "audience": "internal",
        "cut_off_on": date(2026, 6, 30),
        "period": (date(2023, 7, 1), date(2026, 6, 30)),
        "made_at": datetime(2026, 7, 1, 9, 30, tzinfo=UTC),
        "method": "People at risk outside every standard asked for: 60 minutes from a base, "
        "straight line at 40 km/h; a patrol within 14 days.",
        "notes": ("Synthetic data. No real place, base or incident.",),
        "boundary": boundary or island(),
        "manifest": {"version": "0.1.0"},
    }
    return PageFrame(**(known | more))


CELL_COLUMNS = (
    column("gap_persons", "People in the gap", "persons", help="People whom no standard covers."),
    column("people_persons", "People", "persons"),
    column("reach_min", "Minutes from the quickest base", "min", released_as="min"),
    column("days_since_presence", "Days since a patrol", "days", released_as="min"),
    column("risk", "Risk", None, digits=2, released_as="mean"),
    column("settlement", "Nearest settlement"),
    column("admin2", "Admin area"),
    column("reason", "Why"),
)


def cell_table(boundary: shapely.Geometry, resolution: int = 8, seed: int = 7) -> pd.DataFrame:
    """One row per cell: smooth made-up fields, some unknown, some nothing."""
    rng = np.random.default_rng(seed)
    names = h3.geo_to_cells(boundary, resolution)
    cell = np.sort(np.array([h3.str_to_int(name) for name in names], dtype=np.int64))
    lat, lon = np.array([h3.cell_to_latlng(h3.int_to_str(int(c))) for c in cell]).T
    bases = np.c_[LON + rng.uniform(-0.6, 0.6, 6), LAT + rng.uniform(-0.45, 0.45, 6)]
    km = 111 * np.min(np.hypot(lon[:, None] - bases[:, 0], lat[:, None] - bases[:, 1]), axis=1)
    towns = np.c_[LON + rng.uniform(-0.7, 0.7, 40), LAT + rng.uniform(-0.55, 0.55, 40)]
    away = np.hypot(lon[:, None] - towns[:, 0], lat[:, None] - towns[:, 1])
    people = (900 * np.exp(-((away / 0.03) ** 2))).sum(axis=1) * rng.gamma(2, 0.5, cell.size)
    people = np.round(people, 3) * (people > 1)
    reach = 20 + km * 1.7 * rng.uniform(0.97, 1.03, cell.size)
    days = np.where(km > 32, np.nan, np.round(km * 1.4 + rng.gamma(1, 4, cell.size)))
    risk = np.clip(
        0.45 + 0.4 * np.sin(5 * lon) * np.cos(6 * lat) + rng.normal(0, 0.05, cell.size), 0, 1
    )
    gap = np.where((reach > 60) & ~(days <= 14), people, 0.0)
    gap = np.where(rng.uniform(size=cell.size) < 0.01, np.nan, gap)
    nearest = away.argmin(axis=1)
    reason = [
        f"{m // 60:.0f} h {m % 60:02.0f} min from the nearest base; "
        + ("no patrol within the record." if np.isnan(d) else f"last patrol {d:.0f} days ago.")
        for m, d in zip(np.round(reach), days, strict=True)
    ]
    return pd.DataFrame(
        {
            "cell": cell,
            "gap_persons": gap,
            "people_persons": people,
            "reach_min": reach,
            "days_since_presence": days,
            "risk": risk,
            "settlement": [f"Town {i + 1}" for i in nearest],
            "admin2": [f"District {i % 8 + 1}" for i in nearest],
            "reason": np.where(gap > 0, reason, None),
            "secret_name": "NOT-FOR-THE-PAGE",
        }
    )


def overlays(boundary: shapely.Geometry, seed: int = 7) -> dict[str, Released]:
    """Bases with rings, settlements, incidents, admin lines, roads, a river, sites."""
    rng = np.random.default_rng(seed)
    bases = np.c_[LON + rng.uniform(-0.6, 0.6, 6), LAT + rng.uniform(-0.45, 0.45, 6)]
    towns = np.c_[LON + rng.uniform(-0.7, 0.7, 40), LAT + rng.uniform(-0.55, 0.55, 40)]
    west, south, east, north = boundary.bounds
    cut = [
        shapely.box(x, y, x + (east - west) / 4, y + (north - south) / 2).intersection(boundary)
        for x in np.linspace(west, east, 5)[:-1]
        for y in (south, (south + north) / 2)
    ]
    when = pd.date_range("2023-07-01", "2026-06-30", periods=500)
    where = np.c_[LON + rng.normal(0, 0.3, 500), LAT + rng.normal(0, 0.22, 500)]
    layers = {
        "areas": ({"area_id": [f"SI{i:02d}" for i in range(8)],
                   "name": [f"District {i + 1}" for i in range(8)], "admin_level": 2}, cut),
        "roads": ({"road_id": list("abc"), "class": ["primary", "secondary", "track"]},
                  [shapely.LineString(towns[rng.permutation(40)[:5]]) for _ in range(3)]),
        "waterways": ({"waterway_id": ["r"], "name": ["Long River"], "kind": ["river"]},
                      [shapely.LineString([(LON, LAT), (LON + 0.2, LAT + 0.2), (LON, north)])]),
        "rings": ({"base_id": range(6)}, list(shapely.buffer(shapely.points(bases), 0.009))),
        "settlements": ({"name": [f"Town {i + 1}" for i in range(40)],
                         "kind": ["city"] + ["town"] * 5 + ["village"] * 34,
                         "people_persons": rng.integers(200, 60_000, 40)},
                        list(shapely.points(towns))),
        "incidents": ({"occurred_on": when, "incident_type": "battle",
                       "perpetrator": "unknown"}, list(shapely.points(where))),
        "sites": ({"name": ["Harbour site", "North site"], "people_persons": [5200.0, np.nan]},
                  list(shapely.points(towns[:2] + 0.02))),
        "bases": ({"name": [f"Base {i + 1}" for i in range(6)],
                   "kind": ["HQ", "COB", "COB", "TOB", "TOB", "other"],
                   "unit": [f"{i + 1} Coy" for i in range(6)]}, list(shapely.points(bases))),
    }  # fmt: skip
    titles = {"areas": "Admin areas", "rings": "1 km around a base"}
    specs = (
        column("name", "Name"), column("kind", "Kind"), column("unit", "Unit"),
        column("people_persons", "People", "persons"), column("occurred_on", "Occurred"),
        column("incident_type", "Type"), column("perpetrator", "Perpetrator"),
    )  # fmt: skip
    return {
        name: released(
            gpd.GeoDataFrame(columns, geometry=shapes, crs=4326),
            *specs,
            name=name,
            title=titles.get(name, name.capitalize()),
        )
        for name, (columns, shapes) in layers.items()
    }
