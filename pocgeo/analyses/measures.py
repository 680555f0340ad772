"""How each indicator is worked out, month by month and area by area."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pocgeo.analyses.series import (
    EVERYONE,
    KEYS,
    IndicatorRecord,
    IndicatorStandard,
    areas_of,
    frame_of,
    incident_rows,
)
from pocgeo.ground.frames import require_columns

__all__ = ["coverage_measures", "high_risk_cells", "incident_measures", "presence_measures"]

PRECISE = ("point", "near")


def incident_measures(
    record: IndicatorRecord, standard: IndicatorStandard
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield what is counted from incidents: (indicator, months x areas x categories)."""
    rows = incident_rows(record, standard)
    both = [areas_of(record.cells), rows]  # incidents without a cell may be alone in "no area"
    areas = pd.concat([part[["area_kind", "area_id"]] for part in both if len(part)])
    plain = frame_of(standard, areas, [EVERYONE])
    against = truth(rows, "against_civilians")
    yield "incidents_against_civilians", summed(rows, against, plain)
    by_whom = perpetrators(rows)
    named = sorted(by_whom.unique())
    split = frame_of(standard, areas, [EVERYONE, *named])
    for indicator, column in (
        ("civilians_killed", "killed_civilians_persons"),
        ("civilians_harmed", "harmed_civilians_persons"),
    ):
        persons = number(rows, column)
        yield indicator, summed(rows, persons, split, by_whom)
    inside = text(rows, "verdict").map({"inside": 1.0, "outside": 0.0}).astype("float64")
    yield "incidents_inside_radius", summed(rows, inside, plain)
    yield "incidents_awaiting_review", summed(rows, truth(rows, "awaiting_review"), plain)
    directed = against == 1
    yield (
        "incidents_reachable_share",
        averaged(rows[directed], rows.loc[directed, "reached"].astype("float64"), plain),
    )
    precision = text(rows, "location_precision")
    coarse = (~precision.isin(PRECISE)).astype("float64").where(precision.notna())
    yield "coarse_location_share", averaged(rows, coarse, plain)
    yield "reporting_lag_days", lag(rows, plain)


def presence_measures(
    record: IndicatorRecord, standard: IndicatorStandard
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield what is counted from recorded presence; months outside the record are unknown."""
    frame = frame_of(standard, areas_of(record.cells), [EVERYONE])
    risky = high_risk_cells(record.cells, standard.high_risk_share)
    rows, first, last = presence_rows(record, standard)
    month = frame.get_level_values("month_on")
    start, end = first.to_period("M").to_timestamp(), last
    seen = pd.Series((month >= start) & (month <= end), index=frame)
    in_risky = rows["cell"].isin(risky)
    hours = number(rows, "presence_h")
    at_night = number(rows, "night_h")
    held = risky_cells_of(record, risky, frame)
    here = summed(rows[in_risky], hours[in_risky], frame)
    yield "presence_high_risk_h", blanked(here, seen & (held > 0))
    days = rows[in_risky].groupby(KEYS)["day_on"].nunique()
    yield "presence_high_risk_days", blanked(counted(days, frame), seen & (held > 0))
    yield "high_risk_visited_share", visited(rows[in_risky], frame, held, standard, first, seen)
    night = summed(rows, at_night, frame)
    whole = summed(rows, hours.where(at_night.notna()), frame)
    part = night["value"] / whole["value"].where(whole["value"] > 0)
    yield "night_share", blanked(night.assign(value=part), seen)
    yield "patrol_effort_h", blanked(summed(rows, hours, frame), seen)


def coverage_measures(
    record: IndicatorRecord, standard: IndicatorStandard
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield shares of people and of risk that meet each standard."""
    covered = record.covered
    if covered is None:
        covered = pd.DataFrame({"cell": record.cells["cell"][:0]})
    require_columns(covered, "covered", ["cell"])
    names = [name for name in covered.columns if str(name).startswith("covered_")]
    if "month_on" not in covered.columns:
        covered = covered.assign(month_on=standard.months[-1])
    areas = areas_of(record.cells)
    weights = [name for name in ("people_persons", "risk_persons") if name in record.cells.columns]
    rows = covered[["cell", "month_on", *names]].merge(record.cells[["cell", *weights]], on="cell")
    rows = rows.merge(areas.drop(columns="area"), on="cell")
    standards = [str(name).removeprefix("covered_") for name in names] or [EVERYONE]
    frame = frame_of(standard, areas, standards)
    for indicator, weight in (
        ("people_covered_share", "people_persons"),
        ("risk_covered_share", "risk_persons"),
    ):
        parts = [
            shares(rows, name, number(rows, weight), called)
            for name, called in zip(names, standards, strict=bool(names))
        ]
        yield indicator, pd.concat(parts).reindex(frame) if parts else blank(frame)


def high_risk_cells(cells: pd.DataFrame, share: float) -> pd.Series:
    """Choose the populated cells with the most risk-weighted people: this share of them.

    Returns
    -------
    Series of cells; fewer than the share where fewer have any risk; empty where none is known
    """
    if not {"people_persons", "risk_persons"} <= set(cells.columns):
        return cells["cell"][:0]
    populated = cells[cells["people_persons"].astype("float64") >= 1]
    wanted = int(np.ceil(share * len(populated)))
    risky = populated[populated["risk_persons"].astype("float64") > 0]
    return risky.sort_values(["risk_persons", "cell"], ascending=[False, True])["cell"][:wanted]


def summed(
    rows: pd.DataFrame, value: pd.Series, frame: pd.MultiIndex, category: pd.Series | None = None
) -> pd.DataFrame:
    """Add up share x value; nothing recorded is 0, nothing known of what was recorded is NA."""
    share = rows["share"] if "share" in rows.columns else pd.Series(1.0, rows.index)
    table = rows[KEYS].assign(
        category=EVERYONE,
        value=share * value.fillna(0.0),
        n=share.where(value.notna(), 0.0),
        n_unknown=share.where(value.isna(), 0.0),
    )
    if category is not None:
        table = pd.concat([table, table.assign(category=category)], ignore_index=True)
    sums = table.groupby([*KEYS, "category"])[["value", "n", "n_unknown"]].sum()
    sums = sums.reindex(frame).fillna(0.0)
    return sums.assign(value=sums["value"].where((sums["n"] > 0) | (sums["n_unknown"] == 0)))


def averaged(rows: pd.DataFrame, value: pd.Series, frame: pd.MultiIndex) -> pd.DataFrame:
    """Mean of what is known, weighted by share; NA where nothing is."""
    sums = summed(rows, value, frame)
    return sums.assign(value=sums["value"] / sums["n"].where(sums["n"] > 0))


def lag(rows: pd.DataFrame, frame: pd.MultiIndex) -> pd.DataFrame:
    """Median days from occurrence to report; every incident once per area."""
    days = pd.Series(np.nan, index=rows.index)
    if "reported_on" in rows.columns:
        reported = pd.to_datetime(rows["reported_on"])
        days = (reported - rows["occurred_on"]).dt.days.astype("float64")
    table = rows[KEYS].assign(category=EVERYONE, value=days)
    groups = table.groupby([*KEYS, "category"])["value"]
    n = groups.count().reindex(frame).fillna(0.0)
    n_unknown = groups.size().reindex(frame).fillna(0.0) - n
    middle = groups.median().reindex(frame)
    return pd.DataFrame({"value": middle, "n": n, "n_unknown": n_unknown})


def presence_rows(
    record: IndicatorRecord, standard: IndicatorStandard
) -> tuple[pd.DataFrame, pd.Timestamp, pd.Timestamp]:
    """Give recorded presence up to the cut-off, by month and area, and the span of the record."""
    days = record.presence_days
    if days is None:
        days = pd.DataFrame({"cell": [], "day_on": [], "presence_h": []})
    require_columns(days, "presence_days", ["cell", "day_on", "presence_h"])
    days = days.assign(day_on=pd.to_datetime(days["day_on"]), cell=days["cell"].astype("int64"))
    if "kind" in days.columns:
        days = days[days["kind"] == "recorded"]
    days = days[days["day_on"] <= standard.as_of_on]
    # Without any record nothing is seen: a span that ends before it begins.
    first = standard.presence_from_on or (days["day_on"].min() if len(days) else None)
    last = standard.presence_until_on or (days["day_on"].max() if len(days) else None)
    first = standard.as_of_on if first is None else first
    last = standard.from_on - pd.Timedelta(days=32) if last is None else last
    rows = days.merge(areas_of(record.cells).drop(columns="area"), on="cell")
    rows["month_on"] = rows["day_on"].dt.to_period("M").dt.to_timestamp()
    return rows, first, last


def visited(
    rows: pd.DataFrame,
    frame: pd.MultiIndex,
    held: pd.Series,
    standard: IndicatorStandard,
    first: pd.Timestamp,
    seen: pd.Series,
) -> pd.DataFrame:
    """Share of the high-risk cells of each area visited within the standard of the month's end."""
    parts, told = [], []
    stayed = rows["visits"] > 0 if "visits" in rows else rows["presence_h"] > 0
    for month_on in standard.months:
        end = min(month_on + pd.offsets.MonthEnd(0), standard.as_of_on)
        begin = end - pd.Timedelta(days=standard.presence_days)
        if begin < first - pd.Timedelta(days=1):
            continue
        told.append(month_on)
        late = rows[(rows["day_on"] > begin) & (rows["day_on"] <= end) & stayed]
        found = late.groupby(["area_kind", "area_id"])["cell"].nunique().reset_index()
        parts.append(found.assign(month_on=month_on))
    cells = pd.concat(parts).groupby(KEYS)["cell"].sum() if parts else None
    table = counted(cells, frame)
    table = table.assign(value=table["value"] / held.where(held > 0), n=held)
    reach_back = pd.Series(frame.get_level_values("month_on").isin(told), index=frame)
    return blanked(table, seen & reach_back)


def risky_cells_of(record: IndicatorRecord, risky: pd.Series, frame: pd.MultiIndex) -> pd.Series:
    """Count the high-risk cells of each area, for every row of the frame."""
    areas = areas_of(record.cells)
    count = areas[areas["cell"].isin(risky)].groupby(["area_kind", "area_id"]).size()
    found = count.reindex(frame.droplevel(["month_on", "category"])).fillna(0.0)
    return pd.Series(found.to_numpy(), index=frame)


def shares(rows: pd.DataFrame, verdict: str, weight: pd.Series, called: str) -> pd.DataFrame:
    """Share of a weight in cells with the verdict, by month and area."""
    claim = rows[verdict].astype("boolean")
    met = claim.fillna(value=False).to_numpy(dtype=bool)
    table = rows[KEYS].assign(
        category=called, met=weight.where(met, 0.0), whole=weight, judged=claim.notna()
    )
    sums = table.groupby([*KEYS, "category"]).agg(
        met=("met", "sum"), whole=("whole", "sum"), n=("judged", "sum"), size=("judged", "size")
    )
    value = sums["met"] / sums["whole"].where((sums["whole"] > 0) & (sums["n"] > 0))
    n = sums["n"].astype("float64")
    return pd.DataFrame({"value": value, "n": n, "n_unknown": sums["size"] - n})


def counted(found: pd.Series | None, frame: pd.MultiIndex) -> pd.DataFrame:
    """Lay counts on the frame; nothing found is 0."""
    value = pd.Series(0.0, index=frame)
    if found is not None and len(found):
        plain = frame.droplevel("category")
        value = pd.Series(found.reindex(plain).fillna(0.0).to_numpy(dtype=float), index=frame)
    return pd.DataFrame({"value": value, "n": value, "n_unknown": 0.0})


def blanked(table: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Make unknown what the record cannot say."""
    return table.assign(value=table["value"].where(known))


def blank(frame: pd.MultiIndex) -> pd.DataFrame:
    """Rows of which nothing is known."""
    return pd.DataFrame({"value": np.nan, "n": 0.0, "n_unknown": 0.0}, index=frame)


def perpetrators(rows: pd.DataFrame) -> pd.Series:
    """Category of perpetrator, the missing ones "unknown"."""
    found = text(rows, "perpetrator")
    return found.where(found.notna(), "unknown").astype(str)


def text(rows: pd.DataFrame, name: str) -> pd.Series:
    """Read a column of words; all missing where there is none."""
    if name not in rows.columns:
        return pd.Series(None, index=rows.index, dtype=object)
    return rows[name].astype(object)


def number(rows: pd.DataFrame, name: str) -> pd.Series:
    """Read a column of numbers; all missing where there is none."""
    if name not in rows.columns:
        return pd.Series(np.nan, index=rows.index)
    return rows[name].astype("float64")


def truth(rows: pd.DataFrame, name: str) -> pd.Series:
    """Read a column of claims as 1, 0 and NaN; all missing where there is none."""
    if name not in rows.columns:
        return pd.Series(np.nan, index=rows.index)
    return rows[name].astype("boolean").astype("Float64").astype("float64")
