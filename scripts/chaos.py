"""kill -9 at random moments of a thousand index builds (tests/chaos.py says how).

Run: python scripts/chaos.py [--kills 1000] [--seed 1] [--tracks patrols|telemetry|none]
"""

import argparse
import os
import resource
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.chaos import Tally, World, chaos


def said(tally: Tally) -> None:
    """Say how far it has come."""
    if tally.builds % 25 == 0:
        print(f"{tally.kills} kills, {tally.builds} builds after them", flush=True)


def main() -> None:
    """Kill, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tracks", choices=["patrols", "telemetry", "none"], default="none")
    asked = parser.parse_args()
    os.environ["POCGEO_ENGINE"] = "serial"
    pa.set_cpu_count(1)
    tracks = None if asked.tracks == "none" else asked.tracks
    with tempfile.TemporaryDirectory(prefix="pocgeo-chaos-") as folder:
        tally = chaos(World(Path(folder) / "aoi", tracks=tracks), asked.kills, asked.seed, said)
    spent = sum(
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"{tally.kills} builds killed at random moments ({tally.late} more were done too soon), "
        f"{tally.unfinished} left a file half written, {sum(kept > 0 for kept in tally.kept)} had "
        f"finished some tables. Every time the last good store opened; {tally.builds} builds "
        f"after them completed with the bytes of an undisturbed one. {spent:.0f} CPU seconds."
    )


if __name__ == "__main__":
    main()
