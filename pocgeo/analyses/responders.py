"""Who could have come: the quickest base that stood on a day, and the patrols on record nearby."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import days_of, numbers_of, standing_on
from pocgeo.cells.grid import disk_pairs
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["ResponseRecord", "patrolled", "quickest_standing", "record_span", "share_reached_min"]

NEARLY = 1e-9
"""Weights add up to 1 but for rounding."""

A_DAY = pd.Timedelta(days=1)
BEST = ["reach_min", "base_id", "binding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRecord:
    """Everything that response is read from."""

    incidents: pd.DataFrame
    """`incident_id` (unique), `occurred_on`; `reported_on`, `perpetrator` where known."""

    incident_cells: pd.DataFrame
    """`incident_id`, `cell`, `weight` (NA: set aside); `placed` where known."""

    reach: Mapping[str, pd.DataFrame]
    """Reach table of each season, of all bases that ever stood: `base_id`, `cell`, `reach_min`
    (NaN: not reached); `binding` where known."""

    season_of_day: Callable[[Any], NDArray[np.object_]]
    """Season of each of an array of days: a key of `reach`."""

    bases: pd.DataFrame
    """`base_id` (unique); `opened_on`, `closed_on`, `qrf_notice_min` where known."""

    cells: pd.DataFrame | None = None
    """`cell` and the area columns `aor_id`, `aor`, `admin1_id`, `admin1`."""

    presence_days: pd.DataFrame | None = None
    """`cell`, `day_on`, `presence_h`; `kind` where known (only "recorded" counts). None: patrols
    are not asked."""

    presence_from_on: pd.Timestamp | None = None
    """First day of the patrol record; the first presence where absent."""

    presence_until_on: pd.Timestamp | None = None
    """Last day of the patrol record; the last presence where absent."""

    def __post_init__(self) -> None:
        require_columns(self.incidents, "incidents", ["incident_id", "occurred_on"])
        require_columns(self.incident_cells, "incident_cells", ["incident_id", "cell", "weight"])
        require_columns(self.bases, "bases", ["base_id"])
        for table, key in ((self.incidents, "incident_id"), (self.bases, "base_id")):
            twice = table.loc[table[key].duplicated(), key]
            if len(twice):
                raise BadInput(f"{key} {twice.iloc[0]} is listed twice. Give one row for each.")
        for season, table in self.reach.items():
            require_columns(table, f"reach, {season}", ["base_id", "cell", "reach_min"])
            strange = set(table["base_id"].dropna().unique()) - set(self.bases["base_id"])
            if strange:
                raise BadInput(
                    f"reach, {season}: base {min(strange)} is not among the bases. "
                    "Give every base that ever stood, with its days."
                )


def quickest_standing(parts: pd.DataFrame, record: ResponseRecord, season: str) -> pd.DataFrame:
    """Find the quickest base to each cell among those standing on its day.

    Parameters
    ----------
    parts : DataFrame, n rows
        `cell`, `day_on`.
    record : ResponseRecord
    season : str
        Whose reach table is asked.

    Returns
    -------
    DataFrame, n rows, indexed as `parts`
        `reach_min` (inf: nobody comes), `base_id` (None), `binding` (None).

    Notes
    -----
    The bases standing change on few days: each cell is asked once for each spell between them.
    """
    opened, closed = days_of(record.bases, "opened_on"), days_of(record.bases, "closed_on")
    changes = pd.concat([opened, closed + A_DAY]).dropna().unique()
    starts = np.sort(np.asarray(changes, dtype="datetime64[ns]"))
    day = parts["day_on"].to_numpy("datetime64[ns]")
    asked = pd.DataFrame({"cell": parts["cell"].to_numpy(), "day": day})
    asked["spell"] = np.searchsorted(starts, day, side="right")
    spells = asked.drop_duplicates(["cell", "spell"])
    table = record.reach[season]
    table = table[table["reach_min"].notna() & table["cell"].isin(spells["cell"])]
    if "binding" not in table.columns:
        table = table.assign(binding=None)
    pairs = spells.merge(table[["cell", *BEST]], on="cell", how="inner")
    days = spells.drop_duplicates("spell").set_index("spell")["day"].sort_index()
    stood = standing_on(record.bases, days.to_numpy(), days.to_numpy())(slice(None))
    spell = days.index.get_indexer(pd.Index(pairs["spell"]))
    base = pd.Index(record.bases["base_id"]).get_indexer(pd.Index(pairs["base_id"]))
    pairs = pairs[stood[spell, base]]
    pairs = pairs.sort_values(["reach_min", "base_id"], kind="stable")
    best = pairs.drop_duplicates(["cell", "spell"])[["cell", "spell", *BEST]]
    found = asked.merge(best, on=["cell", "spell"], how="left")[BEST].set_axis(parts.index)
    found["reach_min"] = found["reach_min"].astype("float64").fillna(np.inf)
    for column in ("base_id", "binding"):
        found[column] = found[column].astype(object).where(found[column].notna(), None)
    return found


def share_reached_min(
    parts: pd.DataFrame, best: pd.DataFrame, share: float, count: int
) -> pd.DataFrame:
    """Minutes within which a share of the weight of each incident is reached, and by whom.

    Parameters
    ----------
    parts : DataFrame
        `row` (0 to count - 1), `weight` (of one row they add up to 1).
    best : DataFrame, as `parts`
        What `quickest_standing` returns.
    share : float, 0-1
    count : int

    Returns
    -------
    DataFrame, `count` rows
        `reach_min` (inf: not at all), `base_id`, `binding`.
    """
    held = best.assign(row=parts["row"].to_numpy(), weight=parts["weight"].to_numpy())
    held = held.sort_values(["row", "reach_min", "base_id"], kind="stable")
    enough = held.groupby("row")["weight"].cumsum() >= share - NEARLY
    first = held[enough].drop_duplicates("row").set_index("row")[BEST]
    found = first.reindex(np.arange(count))
    found["reach_min"] = found["reach_min"].astype("float64").fillna(np.inf)
    for column in ("base_id", "binding"):
        found[column] = found[column].astype(object).where(found[column].notna(), None)
    return found


def patrolled(parts: pd.DataFrame, record: ResponseRecord, rings: int) -> NDArray[np.bool_]:
    """Say of each cell if a unit on record had time in it, or within some rings, on its day.

    Parameters
    ----------
    parts : DataFrame, n rows
        `cell`, `day_on`.
    record : ResponseRecord
    rings : int

    Returns
    -------
    bool array, n; False throughout without a record
    """
    days = recorded(record)
    days = days[days["presence_h"].astype("float64") > 0]
    days = days[days["day_on"].isin(parts["day_on"].unique())]
    present = days[["cell", "day_on"]].drop_duplicates().rename(columns={"cell": "near"})
    cells = np.union1d(present["near"].to_numpy("int64"), parts["cell"].to_numpy("int64"))
    row, column, _ = disk_pairs(cells, rings)
    pairs = pd.DataFrame({"cell": cells[row], "near": cells[column]})
    pairs = pairs[pairs["cell"].isin(parts["cell"])]
    there = pairs.merge(present, on="near", how="inner")[["cell", "day_on"]].drop_duplicates()
    met: NDArray[np.bool_] = (
        parts[["cell", "day_on"]]
        .merge(there.assign(met=True), on=["cell", "day_on"], how="left")["met"]
        .notna()
        .to_numpy()
    )
    return met


def recorded(record: ResponseRecord) -> pd.DataFrame:
    """Give recorded presence with its days; no row without a record."""
    days = record.presence_days
    if days is None:
        days = pd.DataFrame({"cell": [], "day_on": [], "presence_h": []})
    require_columns(days, "presence_days", ["cell", "day_on", "presence_h"])
    days = days.assign(day_on=days_of(days, "day_on"), cell=days["cell"].astype("int64"))
    return days[days["kind"] == "recorded"] if "kind" in days.columns else days


def record_span(record: ResponseRecord) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """First and last day of the patrol record; None without one."""
    if record.presence_days is None:
        return None
    days = recorded(record)["day_on"]
    first = record.presence_from_on or (days.min() if len(days) else None)
    last = record.presence_until_on or (days.max() if len(days) else None)
    return None if first is None or last is None else (first, last)


def notice_of(base_id: pd.Series, bases: pd.DataFrame) -> pd.Series:
    """Minutes of readiness of each base named; NaN where unknown or none is named."""
    notice = pd.Series(numbers_of(bases, "qrf_notice_min").to_numpy(), index=bases["base_id"])
    return base_id.map(notice).astype("float64")
