"""Releases of one AOI: what incidents are counted from, what went to whom, what is not answered."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pocgeo.analyses.forecast import ForecastStandard
from pocgeo.analyses.hotspots import HotspotTest
from pocgeo.analyses.scorecard import ScorecardStandard
from pocgeo.aoi import answers, reaching
from pocgeo.aoi.standards import as_of_day, moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.ground.errors import BadInput, PocgeoError, Refused, UnreadableSource
from pocgeo.ground.frames import plain
from pocgeo.ground.provenance import made_at
from pocgeo.products.audiences import OUTSIDE, policy
from pocgeo.products.disclosure import Released
from pocgeo.products.exports import written_atomically
from pocgeo.products.register import IncidentRecord, Register, as_json, from_json
from pocgeo.products.released import Policy

if TYPE_CHECKING:
    from pocgeo.aoi.area import Aoi
    from pocgeo.aoi.indexed import Indexed

__all__ = [
    "kept_register", "policy_of", "record_of", "refuse_filters", "releases", "usual_standards",
    "written_down",
]  # fmt: skip

FOLDER, FILE = "releases", "register.json"
FORMAT = 1
README = """What pocgeo released to readers outside the mission. Keep this folder with the data of
the area, and keep it inside: without it, two releases can be subtracted from each other and
reveal single incidents. It is not safe to delete, unlike .pocgeo/ and out/.
"""

AREA_COLUMNS = ("admin2_id", "admin2", "admin1_id", "admin1", "aor_id", "aor", "settlement")

FILTERS = {
    "since": "--since", "until": "--until", "perpetrator": "--perpetrator",
    "incident_type": "--incident-type", "narrowed": "--aor, --admin, --near or --min-people",
    "without_bases": "--without-base", "closed_roads": "--closed",
    "only_bases": "--base",
}  # fmt: skip
"""Words of a finding's standard that say it answers a narrower question -> the options."""


def policy_of(aoi: "Aoi", audience: str) -> Policy:
    """Read what an audience may see: the house's rules, and the AOI's own stricter ones."""
    own = aoi.file.standards.get("disclosure", {}).get("audiences")
    if own is None:
        return policy(audience)
    path = aoi.file.folder / Path(str(own))
    return policy(audience, path)


def record_of(index: "Indexed", day: date) -> IncidentRecord | None:
    """Lay out the incidents known on a day for the gate; None without incidents.

    An incident whose place is spread counts in parts, as the questions count it.
    """
    if not index.has("incidents"):
        return None
    cells = index.known("cells")
    placed = incidents_placed(index, pd.Timestamp(day))
    if placed is None:
        return None
    ids = cells["cell"].to_numpy(dtype=np.int64)
    held = placed[placed["weight"].notna() & placed["occurred_on"].notna()]
    held = held[held["occurred_on"] >= pd.Timestamp(index.file.period[0])]
    at = np.searchsorted(ids, held["cell"].to_numpy(dtype=np.int64))
    return IncidentRecord(
        cells=ids,
        areas=cells[[name for name in AREA_COLUMNS if name in cells]].reset_index(drop=True),
        at=np.asarray(at, dtype=np.int64),
        day=held["occurred_on"].to_numpy().astype("datetime64[D]"),
        weight=np.asarray(held["weight"], dtype=np.float64),
    )


def usual_standards(aoi: "Aoi") -> dict[str, Any]:
    """Give the standards of aoi.toml and the house: the only ones answered outside."""
    file, index = aoi.file, aoi.indexed
    usual: dict[str, Any] = {
        "coverage": answers.coverage_standard(index, {}),
        "hotspots": standard(HotspotTest, file, "hotspots"),
        "forecast": standard(ForecastStandard, file, "forecast"),
        "scorecard": standard(ScorecardStandard, file, "scorecard"),
        "within_min": reaching.STEPS_MIN,
        "reach": answers.standards_of(index, moment(index, None)),
        "since": pd.Timestamp(file.period[0]),
    }
    said: dict[str, Any] = plain(usual)
    return said


def refuse_filters(finding: pd.DataFrame, audience: str, usual: Mapping[str, Any]) -> None:
    """Refuse a narrower question to those outside: two answers would differ by a few incidents.

    Parameters
    ----------
    finding : DataFrame
    audience : str
    usual : mapping
        Section of standards -> what aoi.toml or the house says, as `usual_standards` gives it.

    Raises
    ------
    Refused
        The finding was asked for with a filter, or with standards that aoi.toml does not set.
    """
    said = plain(finding.attrs.get("standard", {}))
    name = str(finding.attrs.get("name", "table"))
    asked = [FILTERS[word] for word in FILTERS if _named(said, word, usual.get(word))]
    for section, declared in usual.items():
        both_seasons = section == "reach" and name == BOTH_SEASONS
        if section in said and not both_seasons and said[section] != declared:
            asked.append(f"{SECTIONS[section]} other than aoi.toml's or the house's")
    if asked:
        raise Refused(
            f"{name} for {audience}: {', '.join(dict.fromkeys(asked))} would let two answers be "
            "subtracted, down to single incidents. Possible instead: the whole table without them "
            f"(rows may be picked from the file), or `pocgeo indicators --audience {audience}` by "
            "month."
        )
    if said.get("coverage", {}).get("min_risk"):
        raise Refused(
            f"{name} for {audience}: with min_risk above 0 in aoi.toml, who counts depends on "
            "single incidents. Possible instead: the same with min_risk = 0."
        )


BOTH_SEASONS = "reach_seasons"
"""The table that compares the seasons, whatever season aoi.toml names."""

SECTIONS = {
    "coverage": "standards of coverage (--reach, --presence, --alert, --require, --min-risk)",
    "hotspots": "a hotspot test (--disk, --expectation, --severity)",
    "forecast": "a forecast (--months, --lag-months, --resolution)",
    "scorecard": "a scorecard",
    "within_min": "--minutes",
    "reach": "--season",
}


def _named(said: Any, word: str, usual: Any = None) -> bool:
    """Say whether a standard, at any depth, gives another value than the usual to a word."""
    if not isinstance(said, Mapping):
        return False
    return any(
        (key == word and value not in (None, "", [], {}, (), usual)) or _named(value, word, usual)
        for key, value in said.items()
    )


# the register


@contextmanager
def kept_register(aoi: "Aoi") -> Iterator[Register]:
    """Open the register of releases, and write it back when the product has passed the gate.

    Raises
    ------
    BadInput
        The folder cannot be written: what nobody remembers must not leave.
    """
    folder = aoi.file.folder / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        with (folder / ".lock").open("a") as lock:
            flock(lock.fileno(), LOCK_EX)
            register = _read(folder / FILE) or _new_register(aoi)
            yield register
            written_atomically(folder / "README.txt", README.encode())
            content = {"format": FORMAT, **as_json(register)}
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            written_atomically(folder / FILE, (text + "\n").encode())
    except OSError as error:
        if isinstance(error, PocgeoError):
            raise
        raise BadInput(
            f"{folder}: cannot be written, and what leaves the mission must be remembered there. "
            "Give write permission, or copy the AOI folder to where you may write."
        ) from error


def _new_register(aoi: "Aoi") -> Register:
    """Begin a register with the finest rules of all audiences outside."""
    rules = [policy_of(aoi, audience) for audience in OUTSIDE]
    return Register(
        k=min(rule.k for rule in rules), coarser_by=min(rule.coarser_by for rule in rules)
    )


def _read(path: Path) -> Register | None:
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf8"))
        if said["format"] != FORMAT:
            raise BadInput(f"{path}: made by another version of pocgeo. Use that version.")
        return from_json(said)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BadInput):
            raise
        raise UnreadableSource(
            path, "is damaged. Restore it from a copy: without it, releases can be subtracted."
        ) from error


def written_down(register: Register, released: Released) -> None:
    """Add a line to the log: what went to whom."""
    table = pd.DataFrame(released.table.drop(columns=["geometry"], errors="ignore"))
    digest = int(pd.util.hash_pandas_object(table.astype(str), index=False).sum())
    entry = {
        "audience": released.audience,
        "table": released.name,
        "cut_off_on": released.cut_off_on.isoformat(),
        "rows": len(table),
        "resolution": released.resolution,
        "digest": f"{digest & (2**64 - 1):016x}",
    }
    if not any({**line, "released_at": None} == {**entry, "released_at": None}
               for line in register.log):  # fmt: skip
        register.log.append({"released_at": made_at().isoformat(), **entry})


def releases(aoi: "Aoi") -> pd.DataFrame:
    """List what was released to readers outside, the latest first.

    Returns
    -------
    DataFrame
        `released_on`, `audience`, `released`, `cut_off_on`, `rows`, `level`, `digest`.
    """
    register = _read(aoi.file.folder / FOLDER / FILE)
    log = pd.DataFrame(
        register.log if register else [],
        columns=["released_at", "audience", "table", "cut_off_on", "rows", "resolution", "digest"],
    )
    table = pd.DataFrame(
        {
            "released_on": pd.to_datetime(log["released_at"], utc=True).dt.tz_localize(None),
            "audience": log["audience"].astype("string"),
            "released": log["table"].astype("string"),
            "cut_off_on": pd.to_datetime(log["cut_off_on"]),
            "rows": log["rows"],
            "level": pd.to_numeric(log["resolution"]).astype("float64"),
            "digest": log["digest"].astype("string"),
        }
    )
    table["released_on"] = table["released_on"].dt.normalize()
    table = table.iloc[::-1].reset_index(drop=True)
    pieces = [
        f"Counts up to {part.until:%d %b %Y}: {int(np.nansum(part.value)):,} incidents in "
        f"{len(part.value)} pieces."
        for part in (register.slices if register else ())
    ]
    table.attrs = {
        "name": "releases", "title": f"Released to readers outside: {aoi.file.name}",
        "kind": "ledger", "sensitivity": "restricted", "notes": pieces,
        "as_of": as_of_day(aoi.file, None).isoformat(),
    }  # fmt: skip
    return table
