"""A fuzzer that keeps what reaches new lines of our parsers, and changes that further."""

import random
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

import pocgeo
from pocgeo.ground.errors import PocgeoError
from pocgeo.ground.grid_reference import mgrs_side_m, parse_dms, parse_mgrs, parse_pair, parse_utm
from pocgeo.layers.aoi_file import read_aoi
from pocgeo.layers.dates import parse_days, parse_instants
from pocgeo.sources.gpx import read_gpx
from pocgeo.sources.kml import read_kml
from tests.fuzz_files import DAYS, HURTFUL, ODD, PAIRS, PLACES, gpx, kml, mutated
from tests.fuzz_verdicts import refuse_unreadable_message

OURS = (str(Path(pocgeo.__file__).parent), str(Path(tomllib.__file__).parent))
Line = tuple[str, int]
Target = Callable[[bytes, Path], None]


class Lines:
    """The lines of our own code, and of the TOML parser, that a call reaches."""

    def __init__(self) -> None:
        self.reached: set[Line] = set()

    def enter(self, frame: FrameType, event: str, _: Any) -> Any:
        """Follow the frames of our modules only."""
        return self.line if frame.f_code.co_filename.startswith(OURS) else None

    def line(self, frame: FrameType, event: str, _: Any) -> Any:
        """Note a line."""
        self.reached.add((frame.f_code.co_filename, frame.f_lineno))
        return self.line

    def of(self, call: Callable[[], None]) -> set[Line]:
        """Make the call; say which lines it reached."""
        before = sys.gettrace()
        self.reached = set()
        sys.settrace(self.enter)
        try:
            call()
        finally:
            sys.settrace(before)
        return self.reached


def coordinates(data: bytes, _: Path) -> None:
    """Read texts as positions in every way; what is read lies on Earth."""
    texts = data.decode("utf-8", "replace").split("\x1f")
    for read in (parse_pair, parse_mgrs, parse_utm):
        lon, lat = read(texts)
        on_earth = (np.abs(lon) <= 180.01) & (np.abs(lat) <= 90)
        assert (on_earth | np.isnan(lon)).all(), texts
        assert (np.isnan(lon) == np.isnan(lat)).all(), texts
    for axis, most in (("lon", 180), ("lat", 90)):
        read_deg = parse_dms(texts, axis)
        assert (np.isnan(read_deg) | (np.abs(read_deg) <= most)).all(), texts
    assert len(mgrs_side_m(texts)) == len(texts)


def dates(data: bytes, _: Path) -> None:
    """Read texts as days and instants; every text is read or said to be unreadable."""
    texts = pd.Series(data.decode("utf-8", "replace").split("\x1f"))
    for parse in (parse_days, parse_instants):
        found = parse(texts, day_first=True, zone="Africa/Juba", where="x")
        empty = texts.str.strip() == ""
        assert (found.times.notna() | found.unreadable | empty).all(), list(texts)


def settings(data: bytes, folder: Path) -> None:
    """Read an aoi.toml."""
    (folder / "aoi.toml").write_bytes(data)
    read_aoi(folder)


def tracks(data: bytes, folder: Path) -> None:
    """Read GPX."""
    path = folder / "track.gpx"
    path.write_bytes(data)
    read_gpx(path)


def places(data: bytes, folder: Path) -> None:
    """Read KML."""
    path = folder / "places.kml"
    path.write_bytes(data)
    read_kml(path)


SETTINGS = b"""[aoi]
name = "A"
boundary = "b.geojson"
resolution = 4
period = ["2024-01-01", 2024-12-31]
time_zone = "UTC"
[[layers.incidents]]
path = "r*.csv"
where = { id = ["1", 2.5, true] }
[layers.incidents.values.perpetrator]
"A" = "state_forces"
[standards.proximity]
radius_m = 1_000.0
"""
WORDS = tuple(text.encode("utf-8", "surrogatepass") for text in (*ODD, *DAYS, *PAIRS)) + HURTFUL
TARGETS: dict[str, tuple[Target, list[bytes]]] = {
    "coordinates": (
        coordinates, [text.encode() for text in (*PAIRS, *(one for pair in PLACES for one in pair))]
    ),
    "dates": (dates, ["\x1f".join(DAYS).encode(), *(day.encode() for day in DAYS)]),
    "settings": (settings, [SETTINGS]),
    "gpx": (tracks, [gpx(random.Random(seed)).data for seed in range(3)]),
    "kml": (places, [kml(random.Random(seed)).data for seed in range(3)]),
}  # fmt: skip


def explore(name: str, inputs: int, seed: int, folder: Path) -> tuple[int, int]:
    """Try inputs on a parser; say how many were kept, and how many lines they reach together.

    Raises
    ------
    Exception
        Whatever the parser raises that is no PocgeoError; the input is in its notes.
    """
    target, known = TARGETS[name]
    rng, lines = random.Random(seed), Lines()
    kept, reached = list(known), set[Line]()
    for number in range(inputs):
        data = kept[number] if number < len(known) else changed(kept, rng)
        found = lines.of(lambda data=data: refused_in_a_line(target, data, folder))  # type: ignore[misc]
        if number >= len(known) and found - reached:
            kept.append(data)
        reached |= found
    return len(kept) - len(known), len(reached)


def changed(kept: list[bytes], rng: random.Random) -> bytes:
    """Change one that was kept: break it, put a word in, or join it to another."""
    data = rng.choice(kept)
    way = rng.randrange(4)
    at = rng.randrange(len(data) + 1)
    if way == 0:
        return data[:at] + rng.choice(WORDS) + data[at:]
    if way == 1:
        other = rng.choice(kept)
        return (data[:at] + other[rng.randrange(len(other) + 1) :])[:100_000]
    return mutated(data, rng)[:100_000]


def refused_in_a_line(target: Target, data: bytes, folder: Path) -> None:
    """Try one input; a refusal is as good as a reading."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(data, folder)
    except PocgeoError as error:
        refuse_unreadable_message(str(error))
    except Exception as error:
        error.add_note(f"input: {data[:2_000]!r}")
        raise
