"""Maps of cells against plain folium GeoJson, in one run: bytes, seconds to make, seconds to draw.

`python benchmarks/bench_maps.py [--full] [cells ...]` (default 30000; full: 30000 100000 850000
2800000; plain folium up to 100,000). Each size also with 24 months of classes; and a page of
100,000 pieces of track, 11,000 settlements and 50,000 incidents. Needs a Chromium; all pages are
opened from a file with the network cut. Plain folium is given its scripts by an offline figure,
so that it can draw at all. Peak memory is that of this process when the page was made.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

from pocgeo.products.maps import (
    MapSpec,
    MeasureSpec,
    OfflineFigure,
    OfflineMap,
    OverlaySpec,
    draw,
)
from tests.browser import offline_browser
from tests.map_samples import column, frame, released

PLAIN_UP_TO = 100_000
SMALL, FULL = [30_000], [30_000, 100_000, 850_000, 2_800_000]
MONTHS = 24
WITH_MONTHS_UP_TO = 850_000
COARSER = 4
LABELS = ("risk", "threat", "people", "reach", "days")
SPEC = MapSpec(
    name="bench",
    title="Benchmark",
    question="How large, how fast?",
    table="bench",
    measures=tuple(MeasureSpec(column=name) for name in LABELS),
)


def cells_of(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """About `count` cells of resolution 8 round a point of the Gulf of Guinea, sorted.

    Children of coarser cells, so that millions take seconds; places are those of the parents'
    children four levels up, spread by their order: smooth enough for made-up fields.
    """
    rings = round(((4 * count / 7**COARSER - 1) / 12) ** 0.5) + 1
    parents = h3.grid_disk(h3.latlng_to_cell(1.4, 4.6, 8 - COARSER), rings)
    children = [h3.cell_to_children(parent, 8) for parent in parents]
    cell = np.fromiter((int(name, 16) for part in children for name in part), dtype=np.int64)
    near = np.array([h3.cell_to_latlng(parent) for parent in parents])
    lat, lon = np.repeat(near, [len(part) for part in children], axis=0).T
    order = np.argsort(cell)[:count]
    step = np.arange(order.size) % 343 / 343 * 0.1
    return cell[order], lon[order] + step, lat[order] + step[::-1]


def table_of(cell: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> pd.DataFrame:
    """Five measures: smooth, noisy, sparse."""
    rng = np.random.default_rng(1)
    smooth = 0.5 + 0.5 * np.sin(3 * lon) * np.cos(4 * lat)
    return pd.DataFrame(
        {
            "cell": cell,
            "risk": np.clip(smooth + rng.normal(0, 0.03, cell.size), 0, 1),
            "threat": smooth,
            "people": np.where(
                rng.uniform(size=cell.size) < 0.7, 0, rng.lognormal(3, 1.5, cell.size)
            ),
            "reach": 30 + 200 * (1 - smooth) + rng.normal(0, 2, cell.size),
            "days": np.where(smooth > 0.9, np.nan, np.round(90 * (1 - smooth))),
        }
    )


def monthly(table: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and month: a smooth field that moves, with noise."""
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-07-01", periods=MONTHS, freq="MS")
    moved = [np.roll(table["threat"].to_numpy(), 977 * i) for i in range(MONTHS)]
    values = np.concatenate(moved) + rng.normal(0, 0.01, MONTHS * len(table))
    cell = np.tile(table["cell"].to_numpy(), MONTHS)
    return pd.DataFrame({"cell": cell, "month_on": np.repeat(days, len(table)), "expected": values})


def ours(table: pd.DataFrame, outline: shapely.Geometry, long: pd.DataFrame | None = None) -> str:
    """Make the page as pocgeo does; with `long`, with a slider over its months."""
    digits = {"risk": 2, "threat": 2}
    specs = [column(name, name, digits=digits.get(name, 0)) for name in LABELS]
    cells = released(table, *specs, resolution=8)
    if long is None:
        return draw(SPEC, cells, {}, frame(outline))
    moving = MeasureSpec(
        column="expected", table="months", period="month_on", breaks=(0.2, 0.4, 0.6, 0.8)
    )
    spec = replace(SPEC, measures=(moving, *SPEC.measures))
    months = released(long, column("expected", "Expected", digits=2), column("month_on", "Month"))
    return draw(spec, cells, {}, frame(outline), {"months": months})


def tracks() -> str:
    """Make a page of 2,000 tracks of 50 pieces, 11,000 settlements and 50,000 incidents."""
    rng = np.random.default_rng(5)
    around = np.array([4.6, 1.4])
    starts = (around + rng.normal(0, (0.3, 0.2), (2_000, 2)))[:, None]
    lines = shapely.linestrings(starts + np.cumsum(rng.normal(0, 0.006, (2_000, 51, 2)), axis=1))
    ends = pd.Timestamp("2026-06-30") - pd.to_timedelta(np.arange(2_000) % 120, unit="D")
    towns = {"name": [f"Town {i}" for i in range(11_000)], "people": rng.lognormal(6, 1.5, 11_000)}
    layers = {
        "patrols": gpd.GeoDataFrame({"until_at": ends}, geometry=list(lines), crs=4326),
        "settlements": pd.DataFrame(towns | points(rng, 11_000)),
        "incidents": pd.DataFrame(points(rng, 50_000)),
    }
    spec = MapSpec(
        name="tracks", title="Tracks", question="How fluid?",
        overlays=(
            OverlaySpec(layer="patrols", age="until_at"),
            OverlaySpec(layer="settlements", label="name", size="people"),
            OverlaySpec(layer="incidents", cluster=True),
        ),
    )  # fmt: skip
    over = {name: released(table, column("name", "Name")) for name, table in layers.items()}
    return draw(spec, None, over, frame(shapely.box(3.6, 0.8, 5.6, 2.0)))


def points(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Scatter places about the middle."""
    return {"lon": 4.6 + rng.normal(0, 0.3, count), "lat": 1.4 + rng.normal(0, 0.2, count)}


def plain(table: pd.DataFrame) -> str:
    """Draw the same cells through folium.GeoJson, numbers rounded, one measure coloured."""
    features = [
        {
            "type": "Feature",
            "properties": {name: round(getattr(row, name), 2) for name in LABELS},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        (round(lon, 6), round(lat, 6))
                        for lat, lon in h3.cell_to_boundary(h3.int_to_str(row.cell))
                    ]
                ],
            },
        }
        for row in table.fillna(-1).itertuples()
    ]
    figure, chart = OfflineFigure(title="plain"), OfflineMap(prefer_canvas=True)
    figure.add_child(chart)
    chart.options.update(center=[1.4, 4.6], zoom=8, preferCanvas=True)
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda feature: {
            "color": f"#{int(255 * feature['properties']['risk']):02x}4040",
            "weight": 0,
        },
    ).add_to(chart)
    page = figure.render()
    done = "requestAnimationFrame(() => requestAnimationFrame(() => " + (
        "{document.documentElement.dataset.pocgeo = 'ready'}))"
    )
    place = f'<div id="{chart.get_name()}"></div>'
    sheet = "<style>html,body,div{height:100%;margin:0}</style>"
    page = page.replace("Content-Security-Policy", "X-None")  # the timing block below is not ours
    return page.replace("<body>", f"<body>{sheet}{place}").replace(
        "</body>", f"<script>{done}</script></body>"
    )


def drawn_s(page: str, moves: bool) -> dict[str, float]:
    """Seconds until the page is complete; for our own also a zoom step and a pan, milliseconds."""
    with tempfile.TemporaryDirectory() as folder, offline_browser() as view:
        path = Path(folder) / "page.html"
        path.write_text(page, encoding="utf-8")
        view.page.set_default_timeout(300_000)
        started = time.perf_counter()
        view.page.goto(path.as_uri(), wait_until="commit", timeout=300_000)
        view.page.wait_for_selector("html[data-pocgeo=ready]", state="attached", timeout=300_000)
        seen = {"open_s": time.perf_counter() - started}
        if not moves:
            return seen
        step = """async (zoom) => {
            const {map} = pocgeo.maps[0], from = performance.now();
            map.setZoom(map.getZoom() + zoom, {animate: false});
            await new Promise(requestAnimationFrame);
            return performance.now() - from; }"""
        zooms = [view.page.evaluate(step, by) for by in (1, 1, 1, -1, -1, -1)]
        seen["zoom_ms"] = float(np.max(zooms))
        seen["pan_p95_ms"] = float(np.quantile(panned(view.page), 0.95))
        return seen


def panned(page: Any) -> list[float]:
    """Drag the map three times with the mouse; gives the time of every frame, milliseconds."""
    frames = []
    for _ in range(3):
        page.mouse.move(500, 400)
        page.mouse.down()
        page.evaluate(
            """() => { window.frames_ms = []; window.timed = true; let last = performance.now();
            (function tick(now) { frames_ms.push(now - last); last = now;
            if (timed) requestAnimationFrame(tick); })(last); }"""
        )
        for i in range(60):
            page.mouse.move(500 + 4 * i, 400 + 2 * i)
        frames += page.evaluate("() => { window.timed = false; return frames_ms.slice(1); }")
        page.mouse.up()
    return frames


HEAD = ("cells", "page", "MB", "made s (CPU)", "peak MB", "open s", "zoom ms (worst)", "pan p95 ms")


def measured(label: str, cells: int, make: Callable[[], str], *, moves: bool) -> list[float]:
    """Make one page, open it, print its line; gives bytes, CPU seconds, seconds to open."""
    started = time.process_time()
    page = make()
    made = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seen = drawn_s(page, moves)
    size = len(page.encode())
    told = [f"{cells:,}", label, f"{size / 1e6:.2f}", f"{made:.2f}", f"{peak:.0f}"]
    told += [f"{seen['open_s']:.2f}"]
    told += [f"{seen.get(name, float('nan')):.0f}" for name in ("zoom_ms", "pan_p95_ms")]
    sys.stdout.write(f"| {' | '.join(told)} |\n")
    sys.stdout.flush()
    return [size, made, seen["open_s"]]


def main(sizes: list[int]) -> None:
    """Print one line per size and kind."""
    sys.stdout.write(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}\n")
    for size in sizes:
        cell, lon, lat = cells_of(size)
        table = table_of(cell, lon, lat)
        outline = shapely.box(lon.min(), lat.min(), lon.max(), lat.max())
        mine = measured("pocgeo", len(table), lambda t=table, o=outline: ours(t, o), moves=True)
        if size <= WITH_MONTHS_UP_TO:
            long = monthly(table)
            measured("pocgeo, 24 months", len(table),
                     lambda t=table, o=outline, m=long: ours(t, o, m), moves=True)  # fmt: skip
        if size <= PLAIN_UP_TO:
            other = measured("folium GeoJson", len(table), lambda t=table: plain(t), moves=False)
            words = ("smaller", "made faster", "opened faster")
            times = [f"{word} {b / a:.1f}x" for word, a, b in zip(words, mine, other, strict=True)]
            sys.stdout.write(f"{len(table):,} cells: {', '.join(times)}\n")
    measured("tracks, places, points", 0, tracks, moves=True)


if __name__ == "__main__":
    asked = sys.argv[1:]
    main(FULL if "--full" in asked else [int(size) for size in asked] or SMALL)
