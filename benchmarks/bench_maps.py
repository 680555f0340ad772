"""Maps of cells against plain folium GeoJson, in one run: bytes, seconds to make, seconds to draw.

`python benchmarks/bench_maps.py [--full] [cells ...]` (default 30000; full: 30000 100000 850000;
plain folium up to 100,000). Needs a Chromium; both kinds of page are opened from a file with the
network cut. Plain folium is given its scripts by an offline figure, so that it can draw at all.
"""

import sys
import tempfile
import time
from pathlib import Path

import folium
import h3
import numpy as np
import pandas as pd
import shapely

from pocgeo.products.maps import MapSpec, MeasureSpec, OfflineFigure, OfflineMap, draw
from tests.browser import offline_browser
from tests.map_samples import column, frame, released

PLAIN_UP_TO = 100_000
SMALL, FULL = [30_000], [30_000, 100_000, 850_000]
LABELS = ("risk", "threat", "people", "reach", "days")
SPEC = MapSpec(
    name="bench",
    title="Benchmark",
    question="How large, how fast?",
    table="bench",
    measures=tuple(MeasureSpec(column=name) for name in LABELS),
)


def cells_of(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """About `count` cells of resolution 8 round a point of the Gulf of Guinea, sorted."""
    rings = round(((4 * count - 1) / 12) ** 0.5)
    names = h3.grid_disk(h3.latlng_to_cell(1.4, 4.6, 8), rings)
    cell = np.sort(np.array([h3.str_to_int(name) for name in names], dtype=np.int64))
    lat, lon = np.array([h3.cell_to_latlng(h3.int_to_str(int(c))) for c in cell]).T
    return cell, lon, lat


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


def ours(table: pd.DataFrame, outline: shapely.Geometry) -> str:
    """Make the page as pocgeo does."""
    digits = {"risk": 2, "threat": 2}
    specs = [column(name, name, digits=digits.get(name, 0)) for name in LABELS]
    return draw(SPEC, released(table, *specs, resolution=8), {}, frame(outline))


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
            const {map, cells} = pocgeo.maps[0], from = performance.now();
            map.setZoom(map.getZoom() + zoom, {animate: false});
            await new Promise(requestAnimationFrame);
            return performance.now() - from; }"""
        zooms = [view.page.evaluate(step, by) for by in (1, 1, 1, -1, -1, -1)]
        seen["zoom_ms"] = float(np.max(zooms))
        view.page.mouse.move(500, 400)
        view.page.mouse.down()
        view.page.evaluate(
            """() => { window.frames_ms = []; let last = performance.now();
            (function tick(now) { window.frames_ms.push(now - last); last = now;
            requestAnimationFrame(tick); })(last); }"""
        )
        for i in range(60):
            view.page.mouse.move(500 + 4 * i, 400 + 2 * i)
        frames = view.page.evaluate("window.frames_ms.slice(1)")
        view.page.mouse.up()
        seen["pan_p95_ms"] = float(np.quantile(frames, 0.95))
        return seen


def main(sizes: list[int]) -> None:
    """Print one line per size and kind."""
    print("| cells | page | MB | made s | open s | zoom ms (worst) | pan p95 ms |")
    print("|---|---|---|---|---|---|---|")
    for size in sizes:
        table = table_of(*cells_of(size))
        outline = shapely.box(4.6 - 0.01 * size**0.5, 1.4 - 0.005 * size**0.5, 4.6, 1.4).buffer(0.1)
        kinds = {"pocgeo": lambda t=table, o=outline: ours(t, o)}
        if size <= PLAIN_UP_TO:
            kinds["folium GeoJson"] = lambda t=table: plain(t)
        found = {}
        for kind, make in kinds.items():
            started = time.perf_counter()
            page = make()
            made = time.perf_counter() - started
            seen = drawn_s(page, kind == "pocgeo")
            found[kind] = (len(page.encode()), made, seen["open_s"])
            print(
                f"| {len(table):,} | {kind} | {len(page.encode()) / 1e6:.2f} | {made:.2f} "
                f"| {seen['open_s']:.2f} | {seen.get('zoom_ms', float('nan')):.0f} "
                f"| {seen.get('pan_p95_ms', float('nan')):.0f} |",
                flush=True,
            )
        if len(found) == 2:
            a, b = found["pocgeo"], found["folium GeoJson"]
            times = ", ".join(
                f"{word} {y / x:.1f}x"
                for word, x, y in zip(
                    ("smaller", "made faster", "opened faster"), a, b, strict=True
                )
            )
            print(f"{len(table):,} cells: {times}")


if __name__ == "__main__":
    asked = sys.argv[1:]
    main(FULL if "--full" in asked else [int(size) for size in asked] or SMALL)
