"""People of pixels to cells against exactextract on the cells' polygons, in one run.

Run: python benchmarks/bench_population.py [--full] [--resolution 8]

A raster of 100 m (1/1200 degree) at three sizes, 10 % and 100 % populated. Prints, for each: CPU
seconds of ours and of exactextract (its polygons made and read included, and without them), how
many people each sum misses, and the share of people that ours puts into another cell than
exactextract does. The last line is the grid itself: points, disks, covers a second.
"""

import argparse
import time

import geopandas as gpd
import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from pocgeo.cells import grid
from pocgeo.cells.population import people_of_pixels
from pocgeo.ground.pixels import PixelWindow

SMALL, FULL = (500, 1_000), (500, 1_000, 2_000)
PIXEL_DEG = 1 / 1200


def raster(size, density):
    rng = np.random.default_rng(size)
    values = rng.lognormal(0, 1.5, (1, size, size))
    values[:, rng.random((size, size)) > density] = 0
    return PixelWindow(
        fields=("people_persons",), values=values, west=31.0, north=5.0,
        pixel_width=PIXEL_DEG, pixel_height=PIXEL_DEG,
    )  # fmt: skip


def timed(work, repeats=2):
    """Best CPU seconds of a few, and the result."""
    best, found = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        found = work()
        best = min(best, time.process_time() - start)
    return best, found


def polygons(pixels, resolution):
    cells = grid.cover(shapely.box(*pixels.bounds), resolution)
    rows = {"row": np.arange(len(cells))}
    return cells, gpd.GeoDataFrame(rows, geometry=grid.boundaries(cells), crs=4326)


def exactly(pixels, outlines):
    source = NumPyRasterSource(pixels.values[0], *pixels.bounds, srs_wkt=outlines.crs.to_wkt())
    found = exact_extract(
        source, outlines, ["sum"], include_cols=["row"], output="pandas",
        strategy="raster-sequential",
    )  # fmt: skip
    people = np.zeros(len(outlines))
    people[found["row"].to_numpy(int)] = found["sum"].fillna(0)
    return people


def compare(size, density, resolution):
    pixels = raster(size, density)
    ours_s, table = timed(lambda: people_of_pixels(pixels, resolution))
    polygons_s, (cells, outlines) = timed(lambda: polygons(pixels, resolution), 1)
    exact_s, exact = timed(lambda: exactly(pixels, outlines))
    people = np.zeros(len(cells))
    people[grid.positions(cells, table["cell"].to_numpy())] = table["people_persons"]
    total = pixels.values.sum()
    print(
        f"{size:>6} {density:>6.0%} {len(cells):>8,} {ours_s:>8.2f} {exact_s:>8.2f} "
        f"{polygons_s + exact_s:>8.2f} {exact_s / ours_s:>6.2f} "
        f"{(polygons_s + exact_s) / ours_s:>6.2f} {people.sum() / total - 1:>9.0e} "
        f"{exact.sum() / total - 1:>9.0e} {np.abs(people - exact).sum() / 2 / total:>9.4%}"
    )


def grid_figures():
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(24, 36, 1_000_000), rng.uniform(3, 12, 1_000_000)
    points_s, _ = timed(lambda: grid.cells_of(lon, lat, 8))
    cover_s, cells = timed(lambda: grid.cover(shapely.box(28, 4, 31.2, 7.2), 8), 1)
    disks_s, (rows, _, _) = timed(lambda: grid.disk_pairs(cells, 1))
    areas_s, _ = timed(lambda: grid.areas_km2(cells))
    print(
        f"points to cells {1 / points_s:.1f} M/s; cover of {len(cells):,} cells {cover_s:.2f} s; "
        f"their {len(rows):,} neighbour pairs {disks_s:.2f} s; their areas {areas_s:.2f} s"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=8)
    parser.add_argument("--full", action="store_true", help="4 million pixels too")
    asked = parser.parse_args()
    print(
        "  side people    cells   ours s  exact s  +shapes  ratio  +shap      lost  its lost"
        " misplaced"
    )
    for density in (0.1, 1.0):
        for size in FULL if asked.full else SMALL:
            compare(size, density, asked.resolution)
    grid_figures()


if __name__ == "__main__":
    main()
