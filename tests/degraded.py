"""The degraded-precision experiment: known places made vague, and what each treatment makes of it.

Incidents whose place is known are degraded at random, as if only their area were known, to the
area's inner point. Each treatment places them anew; its hotspots are compared with those of the
truth, and its ranking with where the next quarter's incidents truly were.
"""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.analyses.disks import disk_matrix
from pocgeo.analyses.hotspots import HotspotTest, hotspots
from pocgeo.cells import grid
from pocgeo.cells.placing import place_incidents
from pocgeo.cells.spreading import PlacingRule

DEGRADED, TO_SECOND_LEVEL = 0.39, 0.65  # measured on South Sudan: UCDP GED, precision 3 and worse
OURS = PlacingRule()
TREATMENTS = {
    "naive": replace(OURS, method="naive"),
    "exclude": replace(OURS, method="exclude"),
    "population only": replace(OURS, past=0.0, uniform=0.001, population=1.0),
    "second level only": replace(OURS, widest="area2"),
    "spread": OURS,
}


class World:
    """Cells, people, areas and precise incidents of one area of interest."""

    def __init__(self, cells, people, areas, incidents, test=None):
        self.cells, self.people, self.areas = cells, people, areas
        self.incidents = incidents.reset_index(drop=True)
        self.test = test or HotspotTest()
        known = cells["cell"].to_numpy()
        self.pairs = grid.disk_pairs(known, 1)
        self.near = disk_matrix(known, (0.8, 0.2 / 6), self.pairs)
        self.table = cells.merge(people, on="cell", how="left")
        self.persons = self.table["people_persons"].fillna(0).to_numpy()
        self.inner = {level: inner_points(areas, level) for level in (1, 2)}
        lon, lat = incidents.geometry.x.to_numpy(), incidents.geometry.y.to_numpy()
        self.at = grid.positions(known, grid.cells_of(lon, lat, grid.resolution_of(known)))

    def degraded(self, rng):
        """Incidents of which some are known only to an area, at its inner point."""
        made = self.incidents.assign(location_precision="point", location_error_m=100.0)
        vague = rng.random(len(made)) < DEGRADED
        level = np.where(rng.random(len(made)) < TO_SECOND_LEVEL, 2, 1)
        geometry = made.geometry.to_numpy().copy()
        for rank, column in ((2, "admin2_id"), (1, "admin1_id")):
            code = self.cells[column].to_numpy()[self.at]
            rows = np.flatnonzero(vague & (level == rank) & pd.notna(code))
            geometry[rows] = self.inner[rank].reindex(code[rows]).to_numpy()
            made.loc[rows, "location_precision"] = f"area{rank}"
        return made.set_geometry(gpd.GeoSeries(geometry, crs=4326))

    def placed(self, incidents, rule):
        table = place_incidents(incidents, self.cells, self.areas, self.people, rule)
        return table.merge(self.incidents[["incident_id", "occurred_on"]], on="incident_id")

    def hot(self, events):
        return hotspots(events, self.table, self.test, pairs=self.pairs)

    def recall(self, counts, future, share=0.05):
        """Share of the future in the first cells of a ranking by kernel and people."""
        score = self.near @ counts + 1e-6 * self.persons / self.persons.max()
        first = np.argsort(-score, kind="stable")[: int(share * len(counts))]
        return future[first].sum() / future.sum()


def inner_points(areas, level):
    ours = areas[areas["admin_level"].astype(float) == level]
    return pd.Series(ours.representative_point().to_numpy(), index=ours["area_id"].to_numpy())


def run(world, origins, runs=10, seed=0, window_months=12):
    """Mean hot cells, falsely hot, missed, and recall next quarter, by treatment."""
    rng = np.random.default_rng(seed)
    found = []
    truth = world.incidents.assign(location_precision="point", location_error_m=100.0)
    true_places = world.placed(truth, OURS)
    for _ in range(runs):
        vague = world.degraded(rng)
        tables = {name: world.placed(vague, rule) for name, rule in TREATMENTS.items()}
        for origin in origins:
            since = origin - pd.DateOffset(months=window_months)
            until = origin + pd.DateOffset(months=3)
            day = true_places["occurred_on"]
            future = world.hot(true_places[(day >= origin) & (day < until)])["incidents"]
            real = world.hot(true_places[(day >= since) & (day < origin)])
            if future.sum() < 3 or real["incidents"].sum() < 10:
                continue
            for name, table in {"truth": true_places, **tables}.items():
                day_of = table["occurred_on"]
                made = world.hot(table[(day_of >= since) & (day_of < origin)])
                hot, truly = made["hotspot"].to_numpy(), real["hotspot"].to_numpy()
                counts = made["incidents"].to_numpy()
                recall = world.recall(counts, future.to_numpy())
                found.append((name, hot.sum(), (hot & ~truly).sum(), (truly & ~hot).sum(), recall))
    columns = ["treatment", "hot", "false", "missed", "recall_5"]
    return pd.DataFrame(found, columns=columns).groupby("treatment", sort=False).mean()
