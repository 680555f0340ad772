"""Scans of 999 simulations against a plain numpy loop over simulations, at three sizes.

Run: python benchmarks/bench_alarms.py [--full]

Prints CPU seconds and peak memory of the shuffled-times scan and of the scan against a forecast,
the same by a loop that treats one simulated record at a time, and how often each kind of noise
raises an alarm although the forecast is right (200 records, over-dispersed, level 5 %).
"""

import numpy as np
from contest import Contestant, contest, sizes_asked

SIMULATIONS = 999
WINDOWS, PERIODS = 6, 52
SMALL, FULL = (500, 5_000, 20_000), (500, 5_000, 20_000, 50_000)


def town_cells(many):
    """Cells that ever had an incident: clumps, as towns and roads make them."""
    from pocgeo.cells import grid

    lon, lat = np.meshgrid(np.arange(20, 27, 0.5), np.arange(4, 11, 0.5))
    seeds = grid.cells_of(lon.ravel(), lat.ravel(), 5)
    width = 1 if many <= 600 else 2
    return grid.disk(seeds, width)[:many]


def record(incidents):
    """Incidents with place and age; about one place to seven incidents."""
    rng = np.random.default_rng(7)
    cells = town_cells(min(max(incidents // 7, 60), 3_000))
    weight = rng.gamma(0.5, 1, cells.size)
    place = rng.choice(cells.size, incidents, p=weight / weight.sum())
    return cells, place, rng.integers(0, PERIODS, incidents)


def foreseen(incidents):
    """Make a forecast of as many incidents in three months on 2,600 cells, and what happened."""
    rng = np.random.default_rng(7)
    cells = town_cells(2_600)
    mean = rng.gamma(0.1, 1, cells.size) + 1e-4
    expected = np.outer(mean / mean.sum() * incidents, np.full(3, 1 / 3))
    counts = rng.poisson(expected * rng.gamma(1, 1, cells.size)[:, None]).astype(float)
    return cells, counts, expected


def ours_shuffled(scene):
    from pocgeo.analyses.alarms import Simulations, disk_zones, permutation_scan

    cells, place, age = scene
    zones = disk_zones(cells, 3)
    found = permutation_scan(place, age, zones, WINDOWS, Simulations(count=SIMULATIONS))
    return [found.clusters["llr"].iloc[0]]


def ours_forecast(scene):
    from pocgeo.analyses.alarms import Simulations, disk_zones, forecast_scan

    cells, counts, expected = scene
    zones = disk_zones(cells, 3)
    found = forecast_scan(counts, expected, 1.0, zones, simulations=Simulations(count=SIMULATIONS))
    return [found.clusters["llr"].iloc[0]]


def loop_shuffled(scene):
    """One record at a time: shuffle, count, multiply, score every zone and window."""
    from pocgeo.analyses.alarms import disk_zones

    cells, place, age = scene
    matrix = disk_zones(cells, 3).matrix.astype(float)
    total = place.size
    ever = matrix @ np.bincount(place, minlength=cells.size)
    recent = np.array([(age < d).sum() for d in range(1, WINDOWS + 1)])
    due = np.outer(ever, recent) / total
    rng = np.random.default_rng(1)

    def best(ages):
        table = np.zeros((cells.size, WINDOWS))
        for d in range(WINDOWS):
            table[:, d] = np.bincount(place[ages <= d], minlength=cells.size)
        c = matrix @ table
        with np.errstate(divide="ignore", invalid="ignore"):
            llr = c * np.log(c / due) + (total - c) * np.log((total - c) / (total - due))
        return np.nanmax(np.where((c > due) & (c >= 2), llr, 0))

    seen = best(age)
    for _ in range(SIMULATIONS):
        best(rng.permutation(age))
    return [seen]


def loop_forecast(scene):
    """One record at a time: draw every cell, multiply, score every zone and window."""
    from pocgeo.analyses.alarms import disk_zones

    cells, counts, expected = scene
    matrix = disk_zones(cells, 3).matrix.astype(float)
    scaled = expected * counts.sum() / expected.sum()
    windows = np.cumsum(scaled, axis=1)
    mean, extra = matrix @ windows, matrix @ windows**2
    size = mean**2 / extra
    rng = np.random.default_rng(1)

    def best(table):
        c = matrix @ np.cumsum(table, axis=1)
        m = mean * table.sum() / scaled.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            llr = c * np.log(c / m) - (c + size) * np.log((c + size) / (m + size))
        return np.nanmax(np.where((c > m) & (c >= 2), llr, 0))

    seen = best(counts)
    for _ in range(SIMULATIONS):
        luck = rng.gamma(1, 1, cells.size)[:, None]
        best(rng.poisson(scaled * luck).astype(float))
    return [seen]


def alarm_rates():
    """Print how often a right forecast is called wrong, by kind of noise."""
    from pocgeo.analyses.alarms import Simulations, disk_zones, forecast_scan

    cells = town_cells(250)
    zones = disk_zones(cells, 2)
    called = {"negative binomial": 0, "Poisson": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        mean = rng.gamma(0.3, 1, cells.size) + 1e-3
        expected = np.outer(mean / mean.sum() * 40, np.full(3, 1 / 3))
        counts = rng.poisson(expected * rng.gamma(1, 1, cells.size)[:, None]).astype(float)
        for noise, dispersion in (("negative binomial", 1.0), ("Poisson", 0.0)):
            asked = Simulations(count=199, seed=seed)
            found = forecast_scan(counts, expected, dispersion, zones, simulations=asked)
            called[noise] += bool((found.clusters["p"] <= 0.05).any())
    bound = 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / 200)
    said = ", ".join(f"{noise} noise {many / 200:.1%}" for noise, many in called.items())
    print(
        f"Alarms in 200 records drawn from a right forecast (level 5 %, bound {bound:.1%}): {said}"
    )


def main():
    sizes = sizes_asked(SMALL, FULL, __doc__)
    contest(
        f"Shuffled times, {SIMULATIONS} simulations, incidents in two years; bar: 20,000 in 5 s",
        sizes,
        record,
        [
            Contestant(name="ours", work=ours_shuffled, repeats=1),
            Contestant(name="numpy loop", work=loop_shuffled, most=20_000, repeats=1),
        ],
    )
    contest(
        f"Against a forecast, {SIMULATIONS} simulations, incidents in the last three months",
        sizes,
        foreseen,
        [
            Contestant(name="ours", work=ours_forecast, repeats=1),
            Contestant(name="numpy loop", work=loop_forecast, most=20_000, repeats=1),
        ],
    )
    alarm_rates()


if __name__ == "__main__":
    main()
