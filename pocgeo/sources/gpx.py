"""GPX 1.0 and 1.1: every fix of every track and route, with or without a time."""

from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.markup import document, local_name, refuse_large
from pocgeo.sources.raw import RawTable

__all__ = ["read_gpx"]

KINDS = {"trk": "track", "rte": "route"}
POINTS = {"trkpt", "rtept"}
ASTRAY = "outside any segment of a track and any route (numbered after the others)"
COLUMNS = ["unit_id", "patrol_id", "fix_at", "lon", "lat", "segment", "kind"]

Fix = tuple[str, str, str | None, str | None, str | None, int, str]


def read_gpx(path: Path) -> RawTable:
    """Read the fixes of a GPX file in document order.

    Columns: `unit_id` (the file's name without its ending), `patrol_id` (the track's name, or
    file name and number where it has none or shares it), `fix_at` (aware UTC, as GPX defines its
    times; NaT where there is none), `lon`, `lat` (degrees, EPSG:4326), `segment` (from 1, per
    track), `kind` ("track": recorded; "route": planned). The index counts the fixes from 1.
    Waypoints are not fixes and are counted in a note; points outside any segment of a track and any
    route are bad rows, numbered after the others.

    Raises
    ------
    UnreadableSource
        Not XML, broken, not GPX, or carries a DOCTYPE.
    """
    refuse_large(path, path.stat().st_size)
    root = document(path, path.read_bytes())
    if local_name(root) != "gpx":
        raise UnreadableSource(path, "is XML but no GPX. Check the file.")
    lines = [line for line in root if local_name(line) in KINDS]
    fixes: list[Fix] = []
    for line, patrol_id in zip(lines, patrol_ids(lines, path.stem), strict=True):
        kind = KINDS[local_name(line)]
        segments = children(line, "trkseg") if kind == "track" else [line]
        for number, segment in enumerate(segments, 1):
            fixes += [
                (path.stem, patrol_id, text_of(point, "time"),
                 point.get("lon"), point.get("lat"), number, kind)
                for point in children(segment, "trkpt" if kind == "track" else "rtept")
            ]  # fmt: skip
    astray = sum(local_name(point) in POINTS for point in root.iter()) - len(fixes)
    return fix_table(path, fixes, waypoints=len(children(root, "wpt")), astray=astray)


def children(element: Element, name: str) -> list[Element]:
    """List the children of a name, whatever their namespace."""
    return [child for child in element if local_name(child) == name]


def text_of(element: Element, name: str) -> str | None:
    """Read the text of the first child of a name; None where there is none."""
    return next((child.text or "" for child in element if local_name(child) == name), None)


def patrol_ids(lines: list[Element], stem: str) -> list[str]:
    """Name each line: by its own name where no other has it, else by file and number."""
    names = [" ".join((text_of(line, "name") or "").split()) for line in lines]
    times = Counter(names)
    return [
        name if name and times[name] == 1 else f"{stem}:{number}"
        for number, name in enumerate(names, 1)
    ]


def fix_table(path: Path, fixes: list[Fix], *, waypoints: int, astray: int) -> RawTable:
    """Turn fixes into typed columns, and say what has no time, is planned or was left out."""
    index = pd.RangeIndex(1, len(fixes) + 1, name="source_row")
    frame = pd.DataFrame(fixes, columns=COLUMNS, index=index)
    given = frame["fix_at"].notna()
    times = frame["fix_at"].astype("string").str.strip()
    frame["fix_at"] = pd.to_datetime(times, format="ISO8601", utc=True, errors="coerce")
    for name in ("lon", "lat"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    frame["segment"] = frame["segment"].astype("int64")
    misplaced = ~np.isfinite(frame[["lon", "lat"]].to_numpy()).all(axis=1)
    counts = {
        "fixes have no time": int((~given).sum()),
        "fixes have a time that is none: read as missing": int(
            (given & frame["fix_at"].isna()).sum()
        ),
        "fixes belong to routes, which are planned, not recorded": int(
            (frame["kind"] == "route").sum()
        ),
        "waypoints are not fixes: left out": waypoints,
    }
    return RawTable(
        frame=frame[~misplaced],
        path=path,
        notes=tuple(f"{count} {what}" for what, count in counts.items() if count),
        bad_rows=(
            *((int(row), "lat or lon is no number") for row in frame.index[misplaced]),
            *((len(fixes) + number, ASTRAY) for number in range(1, astray + 1)),
        ),
    )
