"""Findings of one AOI: the analyses, fed with its tables as of a day."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from pocgeo.analyses import coverage as coverages
from pocgeo.analyses import indicators as series
from pocgeo.analyses.gaps import gap_areas, with_gap_areas, with_reasons
from pocgeo.analyses.reach import STRAIGHT_LINE
from pocgeo.analyses.stability import Draws, rank_stability
from pocgeo.analyses.trend import trend
from pocgeo.aoi import obligations
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment, mix_of, picture
from pocgeo.aoi.precision import snapping_notes
from pocgeo.aoi.standards import Period, StandardAsked, moment, standard
from pocgeo.aoi.threats import incidents_placed
from pocgeo.aoi.travel import method_words
from pocgeo.cells import grid
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import with_standard

__all__ = [
    "coverage", "gap_cells", "gaps", "indicators", "load_report",
    "presence", "risk",
]  # fmt: skip

NAMED = ["admin1", "admin2", "aor", "settlement"]


def load_report(index: Indexed) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the load report as two findings: by source, and what was found."""
    report = index.report()
    summary, details = report.summary.copy(), report.details.copy()
    summary.attrs = {"name": "check", "title": f"Load report of {index.file.name}: rows by source"}
    details.attrs = {"name": "check_details", "title": "What was found, and what became of it"}
    for table in (summary, details):
        table.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
    if index.has("incidents"):
        summary.attrs["notes"] = [*summary.attrs.get("notes", ()), *snapping_notes(index)]
    return summary, details


def gap_cells(index: Indexed, as_of: date | None, asked: StandardAsked) -> pd.DataFrame:
    """Judge every cell of the picture, with the reason of each gap."""
    at = moment(index, as_of, asked.get("season"))
    index.known("population")
    judge = coverage_standard(index, asked)
    known = picture(index, at)
    judged = coverages.judged(known, judge)
    cells = with_reasons(with_gap_areas(judged), judge)
    cells.attrs["notes"] = known.attrs["notes"]
    return finished(cells, index, at, "gap_cells", "Coverage gaps by cell", coverage=judge)


def gaps(index: Indexed, as_of: date | None, asked: StandardAsked) -> pd.DataFrame:
    """Rank gap areas, with the trend of incidents in each."""
    at = moment(index, as_of, asked.get("season"))
    judge = coverage_standard(index, asked)
    cells = gap_cells(index, as_of, asked)
    table = gap_areas(cells, judge, settlements_in_cells(index))
    table = with_trend(table, cells, index, at)
    table.attrs |= {"notes": cells.attrs.get("notes", []), "order": ["risk_persons", "gap_persons"]}
    return finished(table, index, at, "gaps", title_of(judge), coverage=judge)


def coverage(index: Indexed, as_of: date | None, asked: StandardAsked) -> pd.DataFrame:
    """Add up who is covered."""
    judge = coverage_standard(index, asked)
    cells = gap_cells(index, as_of, asked)
    table = coverages.coverage(cells, judge)
    at = moment(index, as_of, asked.get("season"))
    table.attrs["notes"] = [*cells.attrs["notes"], EDGE_NOTE]
    return finished(table, index, at, "coverage", "Who is covered, by area", coverage=judge)


EDGE_NOTE = (
    "People are those of all cells that overlap the boundary: at its edge some of them live just "
    "outside, so the total may exceed that of the outline."
)


def coverage_standard(index: Indexed, asked: StandardAsked) -> coverages.CoverageStandard:
    """Take thresholds from the question, else [standards.coverage], [reach] and [presence]."""
    file = index.file
    house: dict[str, Any] = {}
    for section, key in (("reach", "reach_min"), ("presence", "presence_days")):
        if key in file.standards.get(section, {}):
            house[key] = file.standards[section][key]
    values = house | file.standards.get("coverage", {}) | dict(asked)
    if values.get("min_risk") is None:
        values.pop("min_risk", None)
    return standard(coverages.CoverageStandard, file, "coverage", values)


def title_of(judge: coverages.CoverageStandard) -> str:
    """Say in words what was asked."""
    words = []
    if judge.reach_min is not None:
        words.append(f"within {judge.reach_min:g} minutes of a base")
    if judge.presence_days is not None:
        words.append(f"visited in the last {judge.presence_days:g} days")
    if judge.alert:
        words.append("covered by an alert network")
    if judge.require == "any" and len(words) > 1:
        return f"Gap areas: people at risk who are neither {' nor '.join(words)}"
    return f"Gap areas: people at risk who are not {' and '.join(words)}"


def settlements_in_cells(index: Indexed) -> pd.DataFrame | None:
    """Settlements with the cell each lies in."""
    places = index.table("settlements")
    if places is None or places.empty:
        return None
    return pd.DataFrame(
        {
            "settlement": places["name"],
            "cell": grid.cells_of(places.geometry.x, places.geometry.y, index.file.resolution),
            "people_persons": places.get("people_persons"),
            "kind": places.get("kind"),
        }
    ).dropna(subset=["settlement"])


def with_trend(
    table: pd.DataFrame, cells: pd.DataFrame, index: Indexed, at: Moment
) -> pd.DataFrame:
    """Add whether violence in each gap area rises or falls."""
    placed = incidents_placed(index, at.at)
    if placed is None or table.empty:
        return table
    area_of = cells.loc[cells["gap_persons"] > 0, ["cell", "gap_area_id"]]
    judged = trend(placed.merge(area_of, on="cell"), "gap_area_id", at.at)
    kept = table.merge(judged[["gap_area_id", "trend"]], on="gap_area_id", how="left")
    kept["trend"] = kept["trend"].fillna("none")
    kept.attrs = table.attrs
    return kept


def only_of(events: pd.DataFrame, only: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Keep the categories asked for; refuse one that the layer does not know."""
    for column, wanted in only.items():
        if not wanted:
            continue
        known = {str(name) for name in events[column].dropna().unique()}
        for name in wanted:
            if name not in known:
                raise UnknownName(column.replace("_", " "), name, known)
        events = events[events[column].isin(wanted)]
    return events


def within(events: pd.DataFrame, period: Period, index: Indexed, at: Moment) -> pd.DataFrame:
    """Keep the incidents of the period; refuse one that is the wrong way round."""
    since, until = period.get("since"), period.get("until")
    if since and until and since > until:
        raise BadInput(f"--since {since} is later than --until {until}. Swap them.")
    kept = events[events["occurred_on"] >= pd.Timestamp(since or index.file.period[0])]
    return kept[kept["occurred_on"] <= (pd.Timestamp(until) if until else at.at)]


def days_in_words(period: Period, index: Indexed, at: Moment) -> str:
    """First and last day of the question."""
    since = period.get("since") or index.file.period[0]
    until = min(period.get("until") or at.as_of, at.as_of)
    return f"{since:%d %b %Y} to {until:%d %b %Y}"


def risk(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Rank cells by people at risk, with parts and stability under other weights."""
    at = moment(index, as_of)
    index.known("incidents")
    table = picture(index, at)
    notes = table.attrs.get("notes", [])
    stable = rank_stability(table, at.weights, draws=Draws(count=50), mix=mix_of(index, at, table))
    table["top_decile_share"] = table["cell"].map(stable)
    order = ["risk_persons", "risk"] if table["risk_persons"].notna().any() else ["risk"]
    parts = [str(n) for n in table if str(n).startswith(("threat_", "vulnerability_"))]
    columns = ["cell", "lon", "lat", *NAMED, "people_persons", "risk_persons", "risk", "threat"]
    columns += ["vulnerability", "top_decile_share", *parts]
    table = table[[name for name in columns if name in table]]
    table = table.sort_values([*order, "cell"], ascending=[False] * len(order) + [True])
    table.attrs = {"notes": notes, "order": order}
    return finished(
        table.reset_index(drop=True), index, at, "risk", "Risk = threat x vulnerability, by cell",
        weights=at.weights,
    )  # fmt: skip


def presence(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Give recorded presence by cell, the longest first."""
    at = moment(index, as_of)
    index.known("presence_days")
    cells = picture(index, at)
    facts = ["visits", "presence_h", "night_h", "night_visits", "days_since_presence"]
    facts += ["last_presence_on", "last_unit", "people_persons", "risk"]
    columns = ["cell", *reversed(NAMED), *facts, "lon", "lat"]
    table = cells[[name for name in columns if name in cells]].sort_values(
        ["presence_h", "cell"], ascending=[False, True], ignore_index=True
    )
    return finished(table, index, at, "presence", "Recorded presence of patrols, by cell")


def indicators(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Work out the series by month and area, with written definitions."""
    at = moment(index, as_of)
    known = pd.DataFrame(index.known("incidents").drop(columns="geometry"))
    judge = coverage_standard(index, {})
    cells = coverages.judged(picture(index, at), judge) if index.has("population") else None
    verdict = obligations.verdict_by_incident(index, as_of)
    if verdict is not None:
        known = known.merge(verdict, on="incident_id", how="left")
    asked = partial(standard, series.IndicatorStandard, index.file, "indicators")
    record = series.IndicatorRecord(
        cells=picture(index, at) if cells is None else cells,
        incidents=known,
        incident_cells=index.known("incident_cells"),
        presence_days=index.table("presence_days"),
        covered=None if cells is None else cells.filter(regex="^(cell$|covered_)"),
    )
    quoted = {"from_on": pd.Timestamp(index.file.period[0]), "as_of_on": at.at}
    for name in ("reach_min", "presence_days"):
        threshold = getattr(judge, name)
        if threshold is not None and name not in index.file.standards.get("indicators", {}):
            quoted[name] = threshold
    days = asked(quoted)
    definitions = series.indicator_definitions(read_toml(declared("standards") / "indicators.toml"))
    table = series.indicators(record, days, definitions)
    return finished(table, index, at, "indicators", "Indicators by month and area")


def finished(
    table: pd.DataFrame, index: Indexed, at: Moment, name: str, title: str, **standards: Any
) -> pd.DataFrame:
    """Attach name, title, day and standards: what the gate and the manifest need."""
    attrs = dict(table.attrs)
    said = dict(attrs.get("standard", {}))
    made = with_standard(table, str(attrs.get("question", title)), **standards)
    made.attrs["standard"] = {**said, **made.attrs["standard"], "reach": standards_of(index, at)}
    made.attrs |= {"name": name, "title": title, "as_of": at.as_of.isoformat()}
    made.attrs["aoi"] = index.file.name
    for kept in ("notes", "order"):
        if kept in attrs:
            made.attrs[kept] = attrs[kept]
    return made


def standards_of(index: Indexed, at: Moment) -> dict[str, Any]:
    """Say how reach was measured, in plain words for the manifest."""
    method = method_words(index, at.reach)
    if method == STRAIGHT_LINE:
        return {"method": method, "speed_kmh": dict(at.reach.speed_kmh)}
    return {"method": method, "rules": index.terrain_rules.name}
