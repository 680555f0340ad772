"""People of population rasters to cells against exactextract on the cells' polygons, in one run.

Run: python benchmarks/bench_population.py [--full] [--resolution 8] [--engine serial]

Kernel: windows of 100 m (1/1200 degree), 10 % and 100 % populated, at two sizes and resolutions.
Prints CPU seconds of ours and of exactextract (its polygons made and read included, and without
them), how many people each sum misses, and the share of people that ours puts into another cell.

Raster: a GeoTIFF of 10 % populated pixels is written (2,000 x 2,000; 20,000 x 20,000 with --full),
and its people summed up window by window, reading included. exactextract is asked for the cells
of a strip of 1,000 rows of it, their polygons made in the same time; its seconds are those of the
strip, scaled to the raster by pixels. Peak memory is that of our process and each worker.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from rasterio.windows import Window

from pocgeo.cells import grid
from pocgeo.cells.people import people_of_rasters
from pocgeo.cells.population import people_of_pixels
from pocgeo.engine.team import Engine
from pocgeo.ground.pixels import PixelWindow
from pocgeo.sources.counts import PeopleRaster

SMALL, FULL = (500, 1_000), (500, 1_000, 2_000)
SIDE, FULL_SIDE = 2_000, 20_000
STRIP, SEA = 1_000, 0.05
PIXEL_DEG = 1 / 1200
WEST, NORTH = 24.0, 12.0
FIELD = "people_persons"


def raster(size, density, west=WEST, north=NORTH):
    rng = np.random.default_rng(size)
    values = rng.lognormal(0, 1.5, (1, size, size))
    values[:, rng.random((size, size)) > density] = 0
    return PixelWindow(
        fields=(FIELD,), values=values, west=west, north=north,
        pixel_width=PIXEL_DEG, pixel_height=PIXEL_DEG,
    )  # fmt: skip


def cpu_s():
    own, workers = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def timed(work, repeats=2):
    """Best CPU seconds of a few, workers included, and the result."""
    best, found = np.inf, None
    for _ in range(repeats):
        start = cpu_s()
        found = work()
        best = min(best, cpu_s() - start)
    return best, found


def polygons(bounds, resolution):
    cells = grid.cover(shapely.box(*bounds), resolution)
    rows = {"row": np.arange(len(cells))}
    return cells, gpd.GeoDataFrame(rows, geometry=grid.boundaries(cells), crs=4326)


def exactly(source, outlines):
    found = exact_extract(
        source, outlines, ["sum"], include_cols=["row"], output="pandas",
        strategy="raster-sequential",
    )  # fmt: skip
    people = np.zeros(len(outlines))
    people[found["row"].to_numpy(int)] = found["sum"].fillna(0)
    return people


def in_memory(pixels, crs):
    return NumPyRasterSource(pixels.values[0], *pixels.bounds, srs_wkt=crs.to_wkt())


def misplaced(cells, exact, table):
    """Share of people in another cell: half the absolute differences."""
    people = np.zeros(len(cells))
    at = grid.positions(cells, table["cell"].to_numpy())
    people[at[at >= 0]] = table[FIELD].to_numpy()[at >= 0]
    return np.abs(people - exact).sum() / 2 / exact.sum()


def compare(size, density, resolution):
    pixels = raster(size, density)
    ours_s, table = timed(lambda: people_of_pixels(pixels, resolution))
    shapes_s, (cells, outlines) = timed(lambda: polygons(pixels.bounds, resolution), 1)
    exact_s, exact = timed(lambda: exactly(in_memory(pixels, outlines.crs), outlines))
    total = pixels.values.sum()
    print(
        f"{resolution:>4} {size:>6} {density:>6.0%} {len(cells):>8,} {ours_s:>8.2f} "
        f"{exact_s:>8.2f} {shapes_s + exact_s:>8.2f} {exact_s / ours_s:>6.2f} "
        f"{(shapes_s + exact_s) / ours_s:>6.2f} {table[FIELD].sum() / total - 1:>9.0e} "
        f"{exact.sum() / total - 1:>9.0e} {misplaced(cells, exact, table):>9.5%}",
        flush=True,
    )


def write(path, side):
    """Write the raster, strip by strip: 10 % populated, 5 % without data; give its people."""
    rng, total = np.random.default_rng(side), 0.0
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=side, width=side, dtype="float32", tiled=True,
        blockxsize=512, blockysize=512, compress="deflate", predictor=3, nodata=-99999.0,
        crs="EPSG:4326", transform=rasterio.Affine(PIXEL_DEG, 0, WEST, 0, -PIXEL_DEG, NORTH),
    ) as out:  # fmt: skip
        for row in range(0, side, 512):
            rows = min(512, side - row)
            values = rng.lognormal(0, 1.5, (rows, side)).astype("float32")
            chance = rng.random((rows, side), dtype="float32")
            values[chance > 0.1] = 0
            values[chance > 1 - SEA] = -99999.0
            total += values[values > 0].sum(dtype="float64")
            out.write(values, 1, window=Window(0, row, side, rows))
    return total


def strip_of(path, side, resolution):
    """CPU seconds of exactextract on some rows of the file, its cells, and their people."""
    top, rows = side // 2, min(STRIP, side // 2)
    with rasterio.open(path) as file:
        values = file.read(1, window=Window(0, top, side, rows), masked=True).filled(0)
    pixels = PixelWindow(
        fields=(FIELD,), values=values[None].astype(float), west=WEST,
        north=NORTH - top * PIXEL_DEG, pixel_width=PIXEL_DEG, pixel_height=PIXEL_DEG,
    )  # fmt: skip
    shapes_s, (cells, outlines) = timed(lambda: polygons(pixels.bounds, resolution), 1)
    exact_s, exact = timed(lambda: exactly(in_memory(pixels, outlines.crs), outlines), 1)
    inside = shapely.contains(shapely.box(*pixels.bounds), outlines.geometry.to_numpy())
    return shapes_s, exact_s, rows / side, cells[inside], exact[inside]


def from_file(side, resolution, engine):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.tif"
        total = write(path, side)
        asked = [PeopleRaster(path=path, bands={FIELD: 1})]
        before, wall = peak_mb(), time.perf_counter()
        ours_s, table = timed(
            lambda: people_of_rasters(asked, resolution, Engine(name=engine), Path(folder)), 1
        )
        wall, own, worker = time.perf_counter() - wall, *peak_mb()
        shapes_s, exact_s, part, cells, exact = strip_of(path, side, resolution)
    print(
        f"\n{side:,} x {side:,} pixels from a file, resolution {resolution}, {engine}: "
        f"{len(table):,} cells, ours {ours_s:.1f} CPU s ({wall:.1f} s wall)\n"
        f"peak memory {own:.0f} MB (before: {before[0]:.0f} MB), largest worker {worker:.0f} MB\n"
        f"exactextract, from 1/{1 / part:.0f} of it: {exact_s / part:.1f} CPU s, with polygons "
        f"{(exact_s + shapes_s) / part:.1f}: ratio {exact_s / part / ours_s:.1f}, with polygons "
        f"{(exact_s + shapes_s) / part / ours_s:.1f}\n"
        f"lost {table[FIELD].sum() / total - 1:.0e}, misplaced "
        f"{misplaced(cells, exact, table):.5%} of the people of {len(cells):,} cells"
    )


def peak_mb():
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return tuple(resource.getrusage(kind).ru_maxrss / 1024 for kind in kinds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=8, help="of the raster from a file")
    parser.add_argument("--engine", default="serial", help="for the raster from a file")
    parser.add_argument("--full", action="store_true", help="400 million pixels: takes minutes")
    asked = parser.parse_args()
    from_file(FULL_SIDE if asked.full else SIDE, asked.resolution, asked.engine)
    print(
        "\n res   side people    cells   ours s  exact s  +shapes  ratio  +shap      lost  its lost"
        " misplaced"
    )
    for resolution in (7, 8):
        for density in (0.1, 1.0):
            for size in FULL if asked.full else SMALL:
                compare(size, density, resolution)


if __name__ == "__main__":
    main()
