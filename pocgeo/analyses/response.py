"""Response: whether a base or a patrol on record could have been at each incident in time.

A base counts if it stood that day and reaches the incident's cell, that day's season, within the
minutes. A patrol counts if the record has a unit with time in the cell, or near it, that day. An
incident spread over an area counts as reachable once half of its weight is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import days_of, numbers_of, words_of
from pocgeo.analyses.record import known_by
from pocgeo.analyses.responders import (
    NEARLY,
    ResponseRecord,
    notice_of,
    patrolled,
    quickest_standing,
    record_span,
    share_reached_min,
)
from pocgeo.analyses.series import EVERYONE, KINDS
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["ResponseRecord", "ResponseStandard", "response", "response_series"]

AREAS = ("aor_id", "aor", "admin1_id", "admin1")
DRY = "dry"
INDICATORS = {
    "response_share": ("reachable", "Incidents that a base or a patrol on record could reach."),
    "response_by_base_share": ("by_base", "Incidents that a base could reach."),
}
WOULD_TAKE = (
    "outside the area",
    "a finer location",
    "dry season road",
    "shorter readiness",
    "a base nearer",
)
"""The first that holds is said."""

FRAME = ["month_on", "area_kind", "area_id", "category"]
SERIES = [
    "month_on", "area_kind", "area_id", "area", "indicator", "category", "value", "unit", "n",
    "n_unknown", "unknown_share", "numerator", "no_patrol_n", "method",
]  # fmt: skip
COLUMNS = ["row", "cell", "weight", "day_on", "season"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStandard:
    """How soon is in time, and how near a patrol is there."""

    minutes: float = 60.0
    """Greatest minutes from the base, readiness included; the limit itself is in time."""

    patrol_rings: int = 1
    """A patrol is there if its unit has time in the cell or within this many rings of it."""

    decided_share: float = 0.5
    """Share of the weight of a spread incident that must be reached for it to count."""

    def __post_init__(self) -> None:
        if not 0 < self.minutes < float("inf"):
            raise BadInput(f"minutes must be more than 0, got {self.minutes:g}.")
        if not (isinstance(self.patrol_rings, int) and 0 <= self.patrol_rings <= 20):
            raise BadInput(f"patrol_rings must be 0 to 20 rings, got {self.patrol_rings}.")
        if not 0 < self.decided_share <= 1:
            raise BadInput(f"decided_share must be above 0, up to 1, got {self.decided_share:g}.")


SIXTY_MINUTES = ResponseStandard()


def response(
    record: ResponseRecord,
    standard: ResponseStandard = SIXTY_MINUTES,
    *,
    as_of: pd.Timestamp | str | None = None,
) -> pd.DataFrame:
    """Say for each incident who could have been there in time, and what would have moved it.

    Parameters
    ----------
    record : ResponseRecord
        Choose the incidents (those against civilians, say) before asking.
    as_of : day, optional
        Only incidents that had occurred and been reported by then.

    Returns
    -------
    DataFrame, one row per incident, in their order
        `incident_id`, `occurred_on`, `perpetrator`, `season`; `aor_id`, `aor`, `admin1_id`,
        `admin1` (of the cell with most weight); `reach_min` (minutes from the quickest standing
        base to `decided_share` of the incident; NaN: nobody comes, or nobody can say), `base_id`
        (that base), `binding`; `reached_share` (0-1 of its weight, by base or patrol; NaN:
        unknown), `by` ("base" if one could, else "patrol", "none", "unknown"), `by_base`,
        `by_patrol` and `reachable` (boolean; NA: its place is too coarse, or outside the area;
        for `by_patrol` also: no patrol record that day), `patrol_known` (whether the patrol
        record covers the day), `short_min` (minutes too late; NaN: in time, or nobody comes) and
        `would_take` (NA where reachable): "a finer location", "outside the area", "dry season
        road", "shorter readiness", "a base nearer".

    Raises
    ------
    MissingColumns
        A table lacks a column.
    BadInput
        A season has no reach table, or one that ends before `minutes`.

    Notes
    -----
    `attrs["left_out"]` counts the incidents without a day and those not known by `as_of`. Reports
    carry no hour: that a base moves by day only is told in `binding`, not judged.
    """
    known, left_out = incidents_of(record, standard, as_of)
    parts = parts_of(known, record)
    areas = areas_of_incidents(parts, record.cells, len(known))
    answer = pd.concat([known, areas, verdicts(parts, record, standard, len(known))], axis=1)
    answer["patrol_known"] = on_record(answer["occurred_on"], record)
    answer["by_patrol"] = answer["by_patrol"].mask(~answer["patrol_known"])
    answer["would_take"] = wanting(answer, parts, record, standard)
    answer.attrs["left_out"] = left_out
    return with_standard(answer, "Who could have been there in time?", response=standard)


def on_record(day: pd.Series, record: ResponseRecord) -> pd.Series:
    """Say of each day whether the patrol record covers it."""
    span = record_span(record)
    return pd.Series(data=False, index=day.index) if span is None else day.between(*span)


def verdicts(
    parts: pd.DataFrame, record: ResponseRecord, standard: ResponseStandard, count: int
) -> pd.DataFrame:
    """Say of each of `count` incidents who could have come, and in how many minutes."""
    best = by_season(parts, record)
    found = share_reached_min(parts, best, standard.decided_share, count)
    there = patrolled(parts, record, standard.patrol_rings)
    met = best["reach_min"].le(standard.minutes).to_numpy(bool) | there
    seen = np.bincount(parts["row"], parts["weight"] * there, count)
    placed = np.bincount(parts["row"], minlength=count) > 0
    reached = np.bincount(parts["row"], parts["weight"] * met, count)
    by_base = found["reach_min"].le(standard.minutes).to_numpy(bool)
    reachable = by_base | (reached >= standard.decided_share - NEARLY)
    found["reached_share"] = np.where(placed, np.minimum(reached, 1.0), np.nan)
    by = np.select([~placed, by_base, reachable], ["unknown", "base", "patrol"], "none")
    found["by"] = by.astype(object)
    found["by_base"] = pd.Series(by_base, dtype="boolean").mask(~placed)
    by_patrol = pd.Series(seen >= standard.decided_share - NEARLY, dtype="boolean")
    found["by_patrol"] = by_patrol.mask(~placed)
    found["reachable"] = pd.Series(reachable, dtype="boolean").mask(~placed)
    found["reach_min"] = found["reach_min"].replace(np.inf, np.nan)
    found["short_min"] = (found["reach_min"] - standard.minutes).mask(reachable)
    return found


def incidents_of(
    record: ResponseRecord, standard: ResponseStandard, as_of: pd.Timestamp | str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give the incidents to judge with their season, and count those left out by reason."""
    table = record.incidents
    last = pd.Timestamp.max if as_of is None else pd.Timestamp(as_of).normalize()
    kept = known_by(table, last)
    known = pd.DataFrame(
        {
            "incident_id": kept["incident_id"].to_numpy(dtype=object),
            "occurred_on": days_of(kept, "occurred_on").to_numpy(),
            "perpetrator": words_of(kept, "perpetrator").to_numpy(dtype=object),
        }
    )
    known["season"] = np.asarray(record.season_of_day(known["occurred_on"].to_numpy()), object)
    for season in known["season"].unique():
        if season not in record.reach:
            raise BadInput(
                f"reach: no table for the season {season}, only for "
                f"{', '.join(record.reach) or 'none'}. Give one for each season of the period."
            )
        horizon = record.reach[season].attrs.get("standard", {}).get("reach", {})
        if standard.minutes > float(horizon.get("horizon_min", np.inf)):
            raise BadInput(
                f"reach, {season}: the table ends at {horizon['horizon_min']:g} minutes; "
                f"{standard.minutes:g} are asked. Raise horizon_min under [standards.reach]."
            )
    undated = int(table["occurred_on"].isna().sum())
    left = {"no day": undated, "not known by then": len(table) - len(kept) - undated}
    return known, {reason: many for reason, many in left.items() if many}


def parts_of(known: pd.DataFrame, record: ResponseRecord) -> pd.DataFrame:
    """Weighted cells of the incidents: `row` (of the incident), `cell`, `weight`, day, season."""
    parts = record.incident_cells
    row = pd.Index(known["incident_id"]).get_indexer(pd.Index(parts["incident_id"]))
    weight = numbers_of(parts, "weight").to_numpy()
    used = (row >= 0) & (weight > 0)
    row = row[used]
    columns = (
        row,
        parts["cell"].to_numpy("int64")[used],
        weight[used],
        known["occurred_on"].to_numpy()[row],
        known["season"].to_numpy()[row],
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def by_season(parts: pd.DataFrame, record: ResponseRecord) -> pd.DataFrame:
    """Find the quickest standing base to each part, in the season of its day."""
    found = [
        quickest_standing(rows, record, str(season)) for season, rows in parts.groupby("season")
    ]
    if not found:
        return pd.DataFrame({"reach_min": [], "base_id": [], "binding": []})
    return pd.concat(found).sort_index()


def areas_of_incidents(parts: pd.DataFrame, cells: pd.DataFrame | None, count: int) -> pd.DataFrame:
    """Areas of the cell that holds most of each incident; None where it has none."""
    order = parts.sort_values(["row", "weight", "cell"], ascending=[True, False, True])
    cell = order.drop_duplicates("row").set_index("row")["cell"].reindex(np.arange(count))
    found = pd.DataFrame(index=cell.index)
    for column in AREAS:
        found[column] = np.full(count, None, dtype=object)
        if cells is not None and column in cells.columns:
            area = cell.map(words_of(cells, column).set_axis(cells["cell"])).astype(object)
            found[column] = area.where(area.notna(), None)
    return found


def wanting(
    answer: pd.DataFrame, parts: pd.DataFrame, record: ResponseRecord, standard: ResponseStandard
) -> NDArray[np.object_]:
    """Say what would have brought somebody there in time; the first that holds."""
    share = answer["reached_share"].to_numpy()
    missed = ~answer["reachable"].fillna(value=True).to_numpy(bool)
    beyond = words_of(record.incident_cells, "placed") == "outside"
    out = answer["incident_id"].isin(record.incident_cells.loc[beyond, "incident_id"])
    dry_min = np.full(len(answer), np.inf)
    if DRY in record.reach:
        late = parts[missed[parts["row"]] & (parts["season"] != DRY)]
        dry = quickest_standing(late, record, DRY)
        dry_min = share_reached_min(late, dry, standard.decided_share, len(answer))[
            "reach_min"
        ].to_numpy()
    notice = notice_of(answer["base_id"], record.bases)
    conditions = [
        np.isnan(share) & out.to_numpy(bool),
        np.isnan(share) | (missed & (share > 0)),
        missed & (dry_min <= standard.minutes),
        missed & (answer["short_min"] <= notice).to_numpy(bool),
        missed,
    ]
    text = [np.array(word, dtype=object) for word in WOULD_TAKE]
    found: NDArray[np.object_] = np.select(conditions, text, np.array(None, dtype=object))
    return found


def response_series(
    found: pd.DataFrame,
    *,
    from_on: pd.Timestamp | None = None,
    until_on: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Share of incidents reachable in time per month, area and perpetrator category.

    Parameters
    ----------
    found : DataFrame
        What `response` returns.
    from_on, until_on : day, optional
        First and last month of the series; those of the first and last incident where absent.

    Returns
    -------
    DataFrame, one row per month, area, indicator and category, sorted by them
        `month_on`, `area_kind` (AOI, AOR, admin 1), `area_id`, `area`, `indicator`
        ("response_share": base or patrol on record; "response_by_base_share"), `category`
        (perpetrator; "all"), `value` (0-1 of the incidents that can be judged; NA: none can),
        `unit`, `n` (judged), `n_unknown`, `unknown_share` (0-1; NA: no incident), `numerator`
        (reachable), `no_patrol_n` (judged by bases alone: no patrol record that day), `method`.
    """
    require_columns(found, "response", ["occurred_on", "reachable", "by_base", "patrol_known"])
    standard = found.attrs.get("standard", {})
    rows = in_areas(found)
    if from_on is not None:
        rows = rows[rows["month_on"] >= pd.Timestamp(from_on).to_period("M").to_timestamp()]
    if until_on is not None:
        rows = rows[rows["month_on"] <= pd.Timestamp(until_on)]
    frame = frame_over(rows, from_on, until_on)
    parts = []
    for indicator, (column, said) in INDICATORS.items():
        table = tallied(rows, column).reindex(frame).fillna(0.0).reset_index()
        parts.append(table.assign(indicator=indicator, method=said))
    table = pd.concat(parts, ignore_index=True)
    table["value"] = table["numerator"] / table["n"].where(table["n"] > 0)
    whole = table["n"] + table["n_unknown"]
    table["unknown_share"] = table["n_unknown"] / whole.where(whole > 0)
    names = rows[["area_kind", "area_id", "area"]].drop_duplicates(["area_kind", "area_id"])
    table = table.merge(names, on=["area_kind", "area_id"], how="left").assign(unit="share")
    table = table[SERIES].sort_values(SERIES[:6], ignore_index=True)
    return with_standard(table, "What share of incidents could be reached in time?", **standard)


def tallied(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count the incidents judged, unknown, reachable, and judged without a patrol record."""
    verdict = rows[column].astype("boolean")
    judged = verdict.notna()
    counts = rows[FRAME].assign(
        n=judged.astype("float64"),
        n_unknown=(~judged).astype("float64"),
        numerator=verdict.fillna(value=False).astype("float64"),
        no_patrol_n=(judged & ~rows["patrol_known"].astype(bool)).astype("float64"),
    )
    return counts.groupby(FRAME).sum()


def in_areas(found: pd.DataFrame) -> pd.DataFrame:
    """Repeat each incident for every kind of area, and for its perpetrator and all."""
    month = found["occurred_on"].dt.to_period("M").dt.to_timestamp()
    rows = found.assign(month_on=month, category=EVERYONE, area_kind="AOI", area_id="AOI")
    parts = [rows.assign(area="whole AOI")]
    for kind, (code, name) in KINDS.items():
        if code in found.columns and found[code].notna().any():
            area = words_of(found, code)
            label = words_of(found, name)
            parts.append(
                rows.assign(
                    area_kind=kind, area_id=area.fillna("none"), area=label.fillna("no area")
                )
            )
    everyone = pd.concat(parts, ignore_index=True)
    whom = words_of(everyone, "perpetrator").fillna("unknown")
    return pd.concat([everyone, everyone.assign(category=whom)], ignore_index=True)


def frame_over(
    rows: pd.DataFrame, from_on: pd.Timestamp | None, until_on: pd.Timestamp | None
) -> pd.MultiIndex:
    """Every month, area and category: what the series must have a row for."""
    first = rows["month_on"].min() if from_on is None else pd.Timestamp(from_on)
    last = rows["month_on"].max() if until_on is None else pd.Timestamp(until_on)
    if pd.isna(first) or pd.isna(last):
        span = pd.DatetimeIndex([])
    else:
        span = pd.date_range(first.to_period("M").to_timestamp(), last, freq="MS")
    months = pd.DataFrame({"month_on": span})
    areas = rows[["area_kind", "area_id"]].drop_duplicates()
    categories = rows[["category"]].drop_duplicates()
    return pd.MultiIndex.from_frame(months.merge(areas, how="cross").merge(categories, how="cross"))
