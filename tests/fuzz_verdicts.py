"""What became of a file thrown at the readers: taken in, refused in a line, or a fault of ours."""

import csv
import io
import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import shapely

from pocgeo.ground.errors import PocgeoError
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import Loaded, load
from pocgeo.layers.request import LoadRequest, SourceRequest
from pocgeo.layers.spec import LayerSpec
from tests.fuzz_files import Fuzzed

SQUARE = shapely.box(30.0, 4.0, 32.0, 6.0)
PARTS = ["accepted", "repaired", "rejected", "not_asked_for"]
LONGEST_MESSAGE = 1_500
THINGS = """
name = "things"
title = "Things"
geometry = "any"
sensitivity = "open"
caveat = "Made to be odd."
[fields.thing_id]
type = "text"
key = true
label = "Thing"
from = ["id"]
[fields.seen_on]
type = "date"
past = true
label = "Seen"
from = ["date"]
[fields.people_persons]
type = "count"
unit = "persons"
range = [0, 5000]
label = "People"
from = ["people"]
[fields.kind]
type = "category"
label = "Kind"
categories = ["a", "b", "unknown"]
[fields.opened]
type = "flag"
label = "Open"
from = ["open"]
[fields.length_m]
type = "number"
unit = "m"
label = "Length"
from = ["metres"]
"""


class Unsound(AssertionError):
    """A file that was taken in wrongly."""


@cache
def things(folder: Path) -> LayerSpec:
    """Declare a layer with a field of every type."""
    (folder / "layers").mkdir(exist_ok=True)
    (folder / "layers" / "things.toml").write_text(THINGS, encoding="utf-8")
    return layer_spec("things", folder)


def judged(found: Fuzzed, folder: Path) -> str:
    """Load a file; say "refused", or "taken" where every row is accounted for.

    Raises
    ------
    Unsound
        Rows are unaccounted for, a place is none, or a message is no line of text.
    Exception
        Whatever else a reader raises: a fault of ours.
    """
    path = folder / found.name
    path.write_bytes(found.data)
    spec = layer_spec("patrols") if found.tracks else things(folder)
    request = LoadRequest(
        spec=spec,
        sources=(SourceRequest(paths=(path,), **found.options),),
        time_zone="Africa/Juba",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loaded = load(request, boundary=SQUARE)
        except PocgeoError as error:
            refuse_unreadable_message(str(error))
            return "refused"
    refuse_loss(loaded, found, path)
    return "taken"


def refuse_unreadable_message(said: str) -> None:
    """Hold a message to one printable line."""
    if not said.isprintable() or not 0 < len(said) <= LONGEST_MESSAGE:
        raise Unsound(f"message is no line: {said[:300]!r} ({len(said)} signs)")


def refuse_loss(loaded: Loaded, found: Fuzzed, path: Path) -> None:
    """Hold the account to the rows of the file, and the table to the account."""
    summary, frame = loaded.report.summary, loaded.frame
    rows, parts = int(summary["rows"].sum()), int(summary[PARTS].sum().sum())
    if rows != parts:
        raise Unsound(f"{parts} rows accounted for of {rows}")
    expected = found.rows if found.rows is not None else counted(path)
    if expected is not None and rows != expected:
        raise Unsound(f"{rows} rows in the account, {expected} in the file")
    assert frame is not None
    kept = int(summary["accepted"].sum() + summary["repaired"].sum())
    if len(frame) != kept or len(loaded.rejected) != int(summary["rejected"].sum()):
        raise Unsound(f"{len(frame)} rows loaded, {kept} accepted or repaired")
    numbers = [*frame["source_row"], *loaded.rejected["source_row"]]
    if len(set(numbers)) != len(numbers):
        raise Unsound("a row of the file stands twice")
    if "geometry" in frame:
        bounds = shapely.bounds(frame.geometry.to_numpy())
    else:
        bounds = frame[["lon", "lat", "lon", "lat"]].to_numpy("float64")
    if not (np.abs(bounds) <= [180, 90, 180, 90]).all():
        raise Unsound("a place that is none was accepted")


def counted(path: Path) -> int | None:
    """Count the rows of a file in another way than the readers do; None where that is unsure."""
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            return int(pq.read_metadata(path).num_rows)
        if ending == ".geojson":
            return len(json.loads(path.read_bytes(), object_pairs_hook=single_keys)["features"])
        if ending in {".gpx", ".kml"}:
            names = {".gpx": {"trkpt", "rtept"}, ".kml": {"Placemark"}}[ending]
            tree = ElementTree.fromstring(path.read_bytes())
            return sum(str(each.tag).rpartition("}")[2] in names for each in tree.iter())
        if ending == ".csv":
            return counted_lines(path.read_bytes())
    except Exception:  # what cannot be counted is left to the account alone
        return None
    return None


def single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse objects that hold a key twice: readers may take either."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def counted_lines(data: bytes) -> int | None:
    """Count the filled records of plain text below a header in row 1; None for odder text."""
    text = data.decode("ascii")
    if '"' in text or not text.startswith("id,date,lon,lat,people,kind,open,metres,remark"):
        return None
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if any(map(str.strip, row))]
    return len(rows) - 1
