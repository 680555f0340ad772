"""One row per cell, joined as of a day: people, reach, presence, risk, incidents, alerts."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from pocgeo.analyses.bases import standing
from pocgeo.analyses.reach import ReachStandard, reach_field
from pocgeo.analyses.risk import risk, severity
from pocgeo.analyses.stability import SeverityMix, severity_mix
from pocgeo.analyses.threat_ahead import threat_ahead
from pocgeo.analyses.weights import RiskWeights
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.threats import incidents_placed
from pocgeo.aoi.travel import method_words, minutes_table
from pocgeo.cells.nearby import alerted, persons_near
from pocgeo.cells.presence import presence
from pocgeo.ground.provenance import digest_of

__all__ = ["RECENT_DAYS", "Moment", "mix_of", "picture", "reach_of"]

RECENT_DAYS = 90
"""House default: a quarter (Policy 77), compared with the quarter before it."""

SITES_NEAR_M = 5_000.0
"""House default: displaced people within an hour's walk bear on a cell's vulnerability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """As of which day, by which standards of reach and weights of risk."""

    as_of: date
    """Only what was known and standing on this day."""

    reach: ReachStandard
    """Speeds and readiness."""

    weights: RiskWeights
    """What is weighed in threat and vulnerability."""

    @property
    def at(self) -> pd.Timestamp:
        """The day as pandas holds it."""
        return pd.Timestamp(self.as_of)


def picture(index: Indexed, moment: Moment) -> pd.DataFrame:
    """Join all that is known of each cell on a day.

    Returns
    -------
    DataFrame, one row per cell, sorted
        The lattice; people; `base_id`, `base`, `reach_min`, `reach_method` (if bases are known);
        presence (if patrols are); `alert` (if networks are); `site_persons`; the user's own
        columns; `incidents_n`, `incidents_before_n`; risk, threat, vulnerability and their parts.
        A column whose layer is absent is absent: unknown, not zero.
    """
    return index.held("picture " + digest_of(moment), lambda: joined(index, moment))


def joined(index: Indexed, moment: Moment) -> pd.DataFrame:
    """Join the tables of the picture, one after the other."""
    table = index.known("cells")
    for name in ("population", "own_layers"):
        extra = index.table(name)
        if extra is not None:
            table = table.merge(extra, on="cell", how="left", validate="one_to_one")
    notes: list[str] = []
    for join in (with_reach, with_presence, with_alerts, with_sites, with_incidents, with_risk):
        table = join(table, index, moment)
        notes += [note for note in table.attrs.pop("notes", []) if note not in notes]
    table.attrs["notes"] = notes
    return table


def reach_of(index: Indexed, moment: Moment) -> pd.DataFrame | None:
    """Minutes from every standing base to every cell within the horizon; None without bases."""
    return minutes_table(index, moment.reach, moment.at)


def with_reach(table: pd.DataFrame, index: Indexed, moment: Moment) -> pd.DataFrame:
    """Add the quickest base of each cell."""
    minutes = reach_of(index, moment)
    if minutes is None:
        return table
    field = reach_field(minutes, table)
    field["reach_method"] = method_words(index, moment.reach)
    names = standing(index.known("bases"), moment.at).set_index("base_id")["name"]
    counts = minutes.groupby("assumed")["base_id"].nunique()
    notes = [f"Assumed of {n} bases that do not state it: {said}." for said, n in counts.items()]
    notes += minutes.attrs.get("notes", [])
    field["base"] = field["base_id"].map(names).fillna(field["base_id"])
    table = table.merge(field, on="cell", how="left", validate="one_to_one")
    table.attrs["notes"] = notes
    return table


def with_presence(table: pd.DataFrame, index: Indexed, moment: Moment) -> pd.DataFrame:
    """Add recorded presence up to the day; no visit in the record is NA days, 0 visits."""
    days = index.table("presence_days")
    if days is None:
        return table
    table = table.merge(presence(days, moment.at), on="cell", how="left", validate="one_to_one")
    counted = [
        name for name in ("visits", "presence_h", "night_h", "night_visits") if name in table
    ]
    return table.assign(**{name: table[name].fillna(0) for name in counted})


def with_alerts(table: pd.DataFrame, index: Indexed, _moment: Moment) -> pd.DataFrame:
    """Add whether an alert network covers the cell."""
    alerts = index.table("alerts")
    return table if alerts is None else table.assign(alert=alerted(table, alerts))


def with_sites(table: pd.DataFrame, index: Indexed, moment: Moment) -> pd.DataFrame:
    """Add the people of displacement sites near each cell, counted by the day."""
    sites = index.table("sites")
    if sites is None:
        return table
    known = sites[~(sites["counted_on"] > moment.at)] if "counted_on" in sites else sites
    return table.assign(site_persons=persons_near(table, known, SITES_NEAR_M))


def with_incidents(table: pd.DataFrame, index: Indexed, moment: Moment) -> pd.DataFrame:
    """Add incidents of the last quarter and of the one before it."""
    placed = incidents_placed(index, moment.at)
    if placed is None:
        return table
    age_days = (moment.at - placed["occurred_on"]).dt.days
    for name, first, last in (
        ("incidents_n", 0, RECENT_DAYS),
        ("incidents_before_n", RECENT_DAYS, 2 * RECENT_DAYS),
    ):
        inside = placed[(age_days >= first) & (age_days < last) & placed["weight"].notna()]
        counts = inside.groupby("cell")["weight"].sum()
        table = table.assign(**{name: table["cell"].map(counts).fillna(0.0)})
    return table


def with_risk(table: pd.DataFrame, index: Indexed, moment: Moment) -> pd.DataFrame:
    """Add risk, threat, vulnerability and their parts; absent without incidents."""
    placed = incidents_placed(index, moment.at)
    if placed is None:
        return table
    violence = ahead(placed, table, index, moment) if moment.weights.basis == "forecast" else None
    made = risk(placed, table, moment.weights, moment.at, violence=violence)
    table = table.merge(made, on="cell", how="left", validate="one_to_one")
    table.attrs["notes"] = list(made.attrs.get("notes", ()))
    return table


def mix_of(index: Indexed, moment: Moment, table: pd.DataFrame) -> SeverityMix | None:
    """Take threat apart by kind of severity; None where it rests on the forecast."""
    placed = incidents_placed(index, moment.at)
    if placed is None or moment.weights.basis == "forecast":
        return None
    return severity_mix(placed, table, moment.weights, moment.at)


def ahead(
    placed: pd.DataFrame, table: pd.DataFrame, index: Indexed, moment: Moment
) -> pd.DataFrame:
    """Take threat from the forecast, weighed by how grave incidents on record were."""
    from pocgeo.aoi.foreseen import outlook  # noqa: PLC0415 - it asks this module for the day

    made = outlook(index, moment.as_of)
    grave = placed.assign(severity=severity(placed, moment.weights))
    found = threat_ahead(grave, table, made.own, made.cells, moment.weights)
    found.attrs["notes"] = ["Threat from the forecast of the next months, by severity."]
    return found
