"""What a reader outside may find in a file: finer cells, places of their own, small counts."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.ground.grid_reference import to_mgrs

CELL = re.compile(r"(?<![.\w])8[0-9a-f]{14}\b")
CELL_NUMBER = re.compile(r"(?<![.\w])[56]\d{17}\b")
RESOLUTION = re.compile(r'"kind":\s*"cells",\s*"resolution":\s*(\d+)')
NUMBER = re.compile(r"-?\d{1,3}\.\d{3,}")
SMALL = re.compile(r"(?<![\d.,–-])[1-4] (?:incidents?|persons?|people|patrols?|civilians?)\b")
REFERENCE = re.compile(r"\b\d{1,2}[A-Z] ?[A-Z]{2} ?\d{3} ?\d{3}\b")
PACKED = re.compile(r'<script type="application/octet-stream" id="\w+">([^<]*)<')


def finest_cell(text: str) -> int:
    """The finest resolution of the H3 cells that a text names; -1 where it names none."""
    found = [int(cell, 16) for cell in CELL.findall(text)]
    found += [int(number) for number in CELL_NUMBER.findall(text)]
    real = [cell for cell in found if h3.is_valid_cell(h3.int_to_str(cell))]
    return max([(cell >> 52) & 15 for cell in real], default=-1)


def finest_drawn(text: str) -> int:
    """The finest resolution of the cells that a page draws; -1 where it draws none."""
    return max(map(int, RESOLUTION.findall(text)), default=-1)


def small_counts(text: str) -> list[str]:
    """Sentences' numbers of incidents or people that no release may name."""
    return SMALL.findall(text)


def places_of(table: pd.DataFrame) -> NDArray[np.float64]:
    """Lon and lat of every point, corner or fix of a layer."""
    if "geometry" in table:
        return np.asarray(shapely.get_coordinates(table.geometry.to_numpy()))
    return table[["lon", "lat"]].to_numpy(dtype=float, na_value=np.nan)


def restricted_points(aoi: Any) -> NDArray[np.float64]:
    """Lon and lat of everything whose place is restricted."""
    layers = ("incidents", "bases", "sites", "alerts", "patrols")
    points = np.vstack([places_of(aoi.layer(name)) for name in layers])
    return np.unique(points[np.isfinite(points).all(axis=1)], axis=0)


def places_in(path: Path, text: str) -> Iterator[NDArray[np.float64]]:
    """Pairs of numbers that may be places, as written or as packed in a page."""
    if path.suffix == ".html":
        for item in PACKED.findall(text):
            try:
                held = json.loads(zlib.decompress(base64.b64decode(item), -15))
            except ValueError:
                continue  # cells and their values, which are no text
            for part in (held, held.get("fills") or {}) if isinstance(held, dict) else ():
                if "xy" in part:
                    steps = np.array(part["xy"], dtype=float).reshape(-1, 2)
                    yield np.cumsum(steps, axis=0) / part["perDegree"]
    numbers = np.array(NUMBER.findall(text), dtype=float)
    if numbers.size > 1:
        yield np.c_[numbers[:-1], numbers[1:]]


def betrayed(
    path: Path, text: str, points: NDArray[np.float64], known: set[tuple[float, ...]]
) -> list[tuple[float, ...]]:
    """Restricted places that a file holds to 10 m; those that anybody may know are none."""
    wanted = {tuple(place) for place in np.round(points, 4).tolist()} - known
    return [
        place
        for pairs in places_in(path, text)
        for place in map(tuple, np.round(pairs, 4).tolist())
        if place in wanted or place[::-1] in wanted
    ]


def references(points: NDArray[np.float64]) -> set[str]:
    """Grid references of places to 100 m, as every product writes them."""
    return {str(each) for each in to_mgrs(points[:, 0], points[:, 1], 3)}


def referred(text: str, named: set[str]) -> set[str]:
    """Grid references of a text that are those of restricted places."""
    return named & set(REFERENCE.findall(text.replace("\u00a0", " ")))


def open_points(aoi: Any) -> set[tuple[float, ...]]:
    """Places that anybody may know: settlements, corners of outlines, bends of roads and rivers."""
    names = ("settlements", "areas", "aors", "roads", "waterways", "floods")
    held = (name for name in names if name in aoi.indexed.requests)
    shapes = [places_of(aoi.layer(name)) for name in held]
    return {tuple(place) for place in np.round(np.vstack(shapes), 4).tolist()}
