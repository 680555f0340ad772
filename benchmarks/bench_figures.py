"""Sheets of cells on A4: CPU seconds and peak memory, beside drawing every hexagon as a polygon.

`python benchmarks/bench_figures.py [--full] [cells ...]` (default 30000 100000; full: 30000 100000
850000). The peer is matplotlib's PolyCollection of the cells' outlines, up to 100,000 cells.
"""

import io
import sys
import time

import numpy as np
import shapely
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from benchmarks.bench_maps import LABELS, SPEC, cells_of, table_of
from pocgeo.cells import grid
from pocgeo.products.figures import Sheet, figure_bytes
from tests.map_samples import column, frame, released

SMALL, FULL = [30_000, 100_000], [30_000, 100_000, 850_000]
POLYGONS_UP_TO = 100_000


def sheet_s(form: str, cell: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> tuple[float, float]:
    """CPU seconds to draw an A4 sheet of 300 dpi, and its megabytes."""
    table = table_of(cell, lon, lat)
    cells = released(table, *[column(name, name) for name in LABELS], resolution=8)
    outline = shapely.box(lon.min(), lat.min(), lon.max(), lat.max())
    begun = time.process_time()
    made = figure_bytes(form, SPEC, cells, {}, frame(outline), sheet=Sheet(), further={})
    return time.process_time() - begun, len(made) / 1e6


def polygons_s(cell: np.ndarray) -> float:
    """CPU seconds of the same cells as polygons."""
    begun = time.process_time()
    made = Figure(figsize=(11.69, 8.27), dpi=300)
    axes = made.add_axes((0, 0, 1, 1))
    outlines = [shapely.get_coordinates(shape) for shape in grid.boundaries(cell)]
    axes.add_collection(PolyCollection(outlines, array=np.arange(len(cell)) % 5))
    axes.autoscale()
    made.savefig(io.BytesIO(), format="png")
    return time.process_time() - begun


def main() -> None:
    """Run the sizes asked for."""
    asked = [int(word) for word in sys.argv[1:] if word.isdigit()]
    print("cells      png s   MB    pdf s   MB    polygons s   ratio")
    for count in asked or (FULL if "--full" in sys.argv else SMALL):
        cell, lon, lat = cells_of(count)
        png, png_mb = sheet_s("png", cell, lon, lat)
        pdf, pdf_mb = sheet_s("pdf", cell, lon, lat)
        peer = polygons_s(cell) if count <= POLYGONS_UP_TO else float("nan")
        print(
            f"{count:>9,} {png:>7.2f} {png_mb:>5.2f} {pdf:>7.2f} {pdf_mb:>5.2f} "
            f"{peer:>10.2f} {peer / png:>8.1f}"
        )


if __name__ == "__main__":
    main()
