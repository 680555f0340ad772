"""kill -9 at random moments of index builds: the last good store opens, the next build completes.

The short form is tests/test_chaos.py; the long one `make chaos`, scripts/chaos.py.

A small area whose boundary has two versions is indexed again and again, each time to the other
version, so that every table is rebuilt. A build runs in a child forked from this warm process and
is killed after a random part of the time an undisturbed one takes, or, half of the times, a moment
after a file has begun to be written. After each kill every table must be one of those that an
undisturbed build of either version made, to the byte; one in three kills is followed by another
kill at once. Then an undisturbed build must give the bytes that it gives from nothing.
"""

import hashlib
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd

import pocgeo
from pocgeo.engine.store import Store
from tests.children import ended, forked

__all__ = ["Tally", "World", "chaos"]

SAMPLE = Path(__file__).resolve().parents[1] / "sample_aoi" / "data"
VERSIONS = ("whole", "west")
POLL_S = 0.001
AGAIN_SHARE = 1 / 3

AOI = """
[aoi]
name = "Chaos"
boundary = "data/boundary.geojson"
resolution = 5
period = ["2023-07-01", "2026-06-30"]
time_zone = "Africa/Lagos"
[layers.incidents]
path = "data/incidents.csv"
[layers.bases]
path = "data/bases.geojson"
"""
TRACKS = """
[layers.{layer}]
path = "data/tracks.csv"
profile = "telemetry_csv"
"""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of it."""

    kills: int = 0
    """Children killed before they were done."""

    late: int = 0
    """Children that were done before their moment came."""

    unfinished: int = 0
    """Kills that left a file half written."""

    builds: int = 0
    """Undisturbed builds afterwards, all with the right bytes."""

    kept: list[int] = field(default_factory=list)
    """Tables of the new version that each kill left finished."""


class World:
    """A small area in a folder of its own, and what its store should hold.

    `tracks`: the layer that patrols' tracks are, "patrols" or "telemetry"; none where not said.
    """

    def __init__(self, folder: Path, *, tracks: str | None = None) -> None:
        self.folder = folder
        self.store = folder / ".pocgeo"
        (folder / "data").mkdir(parents=True)
        incidents = pd.read_csv(SAMPLE / "ucdp_ged.csv").iloc[::6]
        named = incidents[["id", "date_start", "longitude", "latitude", "side_a"]]
        named.set_axis(["incident_id", "occurred_on", "lon", "lat", "perpetrator"], axis=1).assign(
            perpetrator="unknown"
        ).to_csv(folder / "data" / "incidents.csv", index=False)
        fixes = pd.read_csv(SAMPLE / "patrols.csv", nrows=1_500)
        fixes.to_csv(folder / "data" / "tracks.csv", index=False)
        shutil.copy(SAMPLE / "bases.geojson", folder / "data")
        whole = gpd.read_file(SAMPLE / "coast.geojson")
        west, south, east, north = whole.total_bounds
        half = whole.clip((west, south, (west + east) / 2, north))
        for name, outline in zip(VERSIONS, (whole, half), strict=True):
            outline.to_file(folder / f"{name}.geojson", driver="GeoJSON")
        layer = TRACKS.format(layer=tracks) if tracks else ""
        (folder / "aoi.toml").write_text(AOI + layer, "utf8")
        self.right: dict[str, dict[str, str]] = {}
        self.takes_s = 0.0
        for name in VERSIONS:
            self.turn(name)
            shutil.rmtree(self.store, ignore_errors=True)
            started = time.monotonic()
            self.build()
            self.takes_s = time.monotonic() - started  # the second: nothing is loaded any more
            self.right[name] = self.held()

    def turn(self, version: str) -> None:
        """Let the boundary be of this version."""
        shutil.copy(self.folder / f"{version}.geojson", self.folder / "data" / "boundary.geojson")

    def build(self) -> None:
        """Index the area."""
        pocgeo.open_aoi(self.folder).index()

    def held(self) -> dict[str, str]:
        """Digests of all tables, of telemetry what questions read."""
        files = [*self.store.glob("*.parquet"), *self.store.glob("telemetry/months/*.parquet")]
        return {
            str(path.relative_to(self.store)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
        }

    def half_written(self) -> bool:
        """Say whether a file of the store is being written, or was when its writer died."""
        return bool(self.writing())

    def writing(self) -> set[str]:
        """Name the files that are being written, or were when their writer died."""
        return {path.name for path in self.store.iterdir() if path.suffix == ".tmp"}

    def check_killed(self, new: str) -> int:
        """Hold a store after a kill against both versions; count the new one's tables."""
        held, finished = self.held(), 0
        for name in Store(self.store).names():
            file = f"{name}.parquet"
            versions = {version: right.get(file) for version, right in self.right.items()}
            assert held[file] in versions.values(), f"{file} is of no version"
            finished += held[file] == versions[new]
        missing = set(self.right[VERSIONS[0]]) & set(self.right[VERSIONS[1]]) - set(held)
        assert not [name for name in missing if "/" not in name], f"lost: {missing}"
        return finished

    def check_whole(self, version: str) -> None:
        """Hold a store after an undisturbed build against the one made from nothing."""
        held = self.held()
        wrong = [name for name, digest in self.right[version].items() if held.get(name) != digest]
        assert not wrong, f"after the next build: other bytes in {wrong}"
        assert not self.half_written(), "the next build left an unfinished file"
        report = Store(self.store).verify()
        assert report["sound"].all(), report[~report["sound"]]


def killed(world: World, delay_s: float, *, at_a_write: bool, tally: Tally) -> bool:
    """Start a build and kill it; say whether it was still running."""
    child = forked(world.build)
    until = time.monotonic() + (10 * world.takes_s if at_a_write else delay_s)
    before = world.writing()
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        if at_a_write and world.writing() - before:
            time.sleep(delay_s / 100)
            break
        time.sleep(POLL_S if at_a_write else min(0.01, max(0.0, until - time.monotonic())))
    code = ended(child)
    assert code in (0, -9), f"the build ended with {code}"
    tally.kills += code == -9
    tally.late += code == 0
    tally.unfinished += code == -9 and world.half_written()
    return code == -9


def chaos(
    world: World, kills: int, seed: int, said: Callable[[Tally], None] = lambda tally: None
) -> Tally:
    """Kill so many builds; after each the store must be good, and after the last of a row whole."""
    rng, tally, turns = random.Random(seed), Tally(), 0
    while tally.kills < kills:
        turns += 1
        new = VERSIONS[turns % 2 - 1]  # the store holds the other one
        world.turn(new)
        again = True
        while again and tally.kills < kills:
            delay_s, at_a_write = rng.uniform(0, 1.1 * world.takes_s), rng.random() < 0.5
            again = rng.random() < AGAIN_SHARE
            if killed(world, delay_s, at_a_write=at_a_write, tally=tally):
                tally.kept.append(world.check_killed(new))
        assert ended(forked(world.build), kill=False) == 0, "the next build failed"
        world.check_whole(new)
        tally.builds += 1
        said(tally)
    return tally
