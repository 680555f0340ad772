"""GPX 1.0 and 1.1: every fix of every track and route, with or without a time."""

from pathlib import Path
from xml.etree.ElementTree import Element

import pandas as pd

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.markup import document, local_name
from pocgeo.sources.raw import RawTable

__all__ = ["read_gpx"]

KINDS = {"trk": "track", "rte": "route"}
COLUMNS = ["unit_id", "patrol_id", "fix_at", "lon", "lat", "segment", "kind"]

Fix = tuple[str, str, str | None, str | None, str | None, int, str]


def read_gpx(path: Path) -> RawTable:
    """Read the fixes of a GPX file in document order.

    Columns: `unit_id` (the file's name without its ending), `patrol_id` (the track's name, or
    file name and number where it has none or shares it), `fix_at` (aware UTC, as GPX defines its
    times; NaT where there is none), `lon`, `lat` (degrees, EPSG:4326), `segment` (from 1, per
    track), `kind` ("track": recorded; "route": planned). The index counts the fixes from 1.
    Waypoints are not fixes and are counted in a note.

    Raises
    ------
    UnreadableSource
        Not XML, broken, not GPX, or carries a DOCTYPE.
    """
    root = document(path, path.read_bytes())
    if local_name(root) != "gpx":
        raise UnreadableSource(path, "is XML but no GPX. Check the file.")
    space = root.tag.removesuffix("gpx")
    lines = [line for line in root if local_name(line) in KINDS]
    fixes: list[Fix] = []
    for line, patrol_id in zip(lines, patrol_ids(lines, space, path.stem), strict=True):
        kind = KINDS[local_name(line)]
        segments = line.findall(f"{space}trkseg") if kind == "track" else [line]
        for number, segment in enumerate(segments, 1):
            points = segment.findall(space + ("trkpt" if kind == "track" else "rtept"))
            fixes += [
                (path.stem, patrol_id, point.findtext(f"{space}time"),
                 point.get("lon"), point.get("lat"), number, kind)
                for point in points
            ]  # fmt: skip
    return fix_table(path, fixes, waypoints=len(root.findall(f"{space}wpt")))


def patrol_ids(lines: list[Element], space: str, stem: str) -> list[str]:
    """Name each line: by its own name where no other has it, else by file and number."""
    names = [" ".join((line.findtext(f"{space}name") or "").split()) for line in lines]
    return [
        name if name and names.count(name) == 1 else f"{stem}:{number}"
        for number, name in enumerate(names, 1)
    ]


def fix_table(path: Path, fixes: list[Fix], *, waypoints: int) -> RawTable:
    """Turn fixes into typed columns, and say what has no time, is planned or was left out."""
    index = pd.RangeIndex(1, len(fixes) + 1, name="source_row")
    frame = pd.DataFrame(fixes, columns=COLUMNS, index=index)
    given = frame["fix_at"].notna()
    times = frame["fix_at"].astype("string").str.strip()
    frame["fix_at"] = pd.to_datetime(times, format="ISO8601", utc=True, errors="coerce")
    for name in ("lon", "lat"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    frame["segment"] = frame["segment"].astype("int64")
    misplaced = frame[["lon", "lat"]].isna().any(axis=1)
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
        bad_rows=tuple((int(row), "lat or lon is no number") for row in frame.index[misplaced]),
    )
