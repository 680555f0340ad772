"""The ledger of the one-kilometre rule: one row per base, what lies within its radius."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pocgeo.analyses.bases import days_of, numbers_of, standing, words_of
from pocgeo.analyses.proximity.review import review_pairs
from pocgeo.analyses.proximity.standard import (
    ONE_KILOMETRE,
    Bound,
    ProximityStandard,
    bound_bases,
)
from pocgeo.analyses.proximity.verdicts import incident_places, verdict_table
from pocgeo.analyses.record import known_by
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.nearness import pairs_within

__all__ = ["Around", "Period", "by_perpetrator", "known_incidents", "ledger", "within_radius"]

COUNTS = ("people_persons", "women_persons", "children_persons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is asked about, and what is known by when. All days inclusive."""

    as_of: pd.Timestamp | None = None
    """Only what was reported by this day; bases standing on it are marked. None: all, latest."""

    since: pd.Timestamp | None = None
    """First day of incidents; None: from the first."""

    until: pd.Timestamp | None = None
    """Last day of incidents; None: to `as_of`, or the last."""

    def __post_init__(self) -> None:
        if self.since is not None and self.last is not None and self.last < self.since:
            raise BadInput(
                f"The period ends on {self.last:%Y-%m-%d}, before it begins on "
                f"{self.since:%Y-%m-%d}. Swap or widen them."
            )

    @property
    def last(self) -> pd.Timestamp | None:
        """Last day that counts."""
        days = [day for day in (self.until, self.as_of) if day is not None]
        return min(days) if days else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The loaded layers a base is asked about; None where a layer is not loaded."""

    people: pd.DataFrame | None = None
    """What `people_within` returns."""

    sites: pd.DataFrame | None = None
    """`site_id`, geometry; `name`, `kind`, `people_persons` ... where known."""

    settlements: pd.DataFrame | None = None
    """`settlement_id`, `name`, point geometry; `people_persons` where known."""

    incidents: pd.DataFrame | None = None
    """The incident layer: `incident_id`, `occurred_on`, geometry; the rest where known."""

    verdicts: pd.DataFrame | None = None
    """What `verdict_table` returns for the incidents, if it is at hand; else it is made."""


ALWAYS = Period()


def known_incidents(incidents: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Keep the incidents of a period that were known by its `as_of`; unknown days are kept."""
    known = incidents if period.as_of is None else known_by(incidents, period.as_of)
    day = days_of(known, "occurred_on")
    kept = pd.Series(True, index=known.index)
    if period.since is not None:
        kept &= ~(days_of(known, "ended_on").fillna(day) < period.since)
    if period.last is not None:
        kept &= ~(day > period.last)
    return known[kept]


def ledger(
    bases: pd.DataFrame,
    around: Around,
    standard: ProximityStandard = ONE_KILOMETRE,
    period: Period = ALWAYS,
) -> pd.DataFrame:
    """Add up who and what lies near every bound base. Zones overlap: do not sum over bases.

    Parameters
    ----------
    bases : GeoDataFrame, m rows
        `base_id`, `kind`, geometry; `name`, `opened_on`, `closed_on` ... where known.
    around : Around
        The layers that are loaded; what is missing gives NA, not 0.
    period : Period
        Incidents of these days, as known by `as_of`; bases that stood on any of them.

    Returns
    -------
    DataFrame, by `base_id`
        `base_id`, `name`, `kind`, `perimeter`; `people_persons`, `women_persons`,
        `children_persons` (outside the perimeter), `people_low_persons`, `people_high_persons`,
        `perimeter_people_persons` (inside it); `sites_n`, `sites_persons`, `settlements_n`;
        `incidents_inside`, `incidents_undecided`, `incidents_outside_near` (within two radii);
        `killed_civilians_persons` (of those inside; NaN if no count is known); `review_n` (of
        those inside or undecided); `note`.
    """
    stood = stood_in(bases, period)
    bound = bound_bases(stood, standard)
    table = pd.DataFrame(
        {
            "base_id": bound.table["base_id"].to_numpy(),
            "name": words_of(bound.table, "name").to_numpy(),
            "kind": words_of(bound.table, "kind").to_numpy(),
            "perimeter": np.where(bound.point, "point", "polygon"),
        }
    ).set_index("base_id")
    table = table.join(people_columns(around.people, table.index)).join(
        site_columns(bound, around.sites, standard)
    )
    table["settlements_n"] = settled(bound, around.settlements, standard)
    table = table.join(incident_columns(stood, around, standard, period, table.index))
    table["note"] = notes(bound, around, table)
    return with_standard(
        table.reset_index(),
        "Who and what lies within the radius of each base?",
        proximity=standard,
        period=period,
    )


def stood_in(bases: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Keep the bases that stood on any day of a period."""
    first = pd.Timestamp.min if period.since is None else period.since
    last = pd.Timestamp.max if period.last is None else period.last
    if period.since is None and period.as_of is not None:
        first = period.as_of
    return standing(bases, first, max(first, last))


def people_columns(people: pd.DataFrame | None, codes: pd.Index) -> pd.DataFrame:
    """Carry over the people within the radius; NaN where they were not asked for."""
    columns = [*COUNTS, "people_low_persons", "people_high_persons", "perimeter_people_persons"]
    if people is None:
        return pd.DataFrame(np.nan, index=codes, columns=columns)
    return people.set_index("base_id").reindex(codes)[columns].astype("float64")


def within_radius(perimeters: Any, shapes: Any, radius_m: float) -> pd.DataFrame:
    """Find the geometries (points or areas) within a radius of each perimeter.

    Two areas are as near as the nearest vertex of either is to the other; 0 where they meet.

    Returns
    -------
    DataFrame
        `base` and `other` (positions), `distance_m`.
    """
    bases, others = np.asarray(perimeters, dtype=object), np.asarray(shapes, dtype=object)
    owner = np.repeat(np.arange(len(others)), shapely.get_num_coordinates(others))
    vertices = shapely.get_coordinates(others)
    near = pairs_within(vertices[:, 0], vertices[:, 1], bases, radius_m)
    parts = [(near.geometry, owner[near.point], near.distance_m)]
    wide = np.flatnonzero(shapely.get_dimensions(others) > 0)
    if len(wide):
        corner = np.repeat(np.arange(len(bases)), shapely.get_num_coordinates(bases))
        corners = shapely.get_coordinates(bases)
        back = pairs_within(corners[:, 0], corners[:, 1], others[wide], radius_m)
        parts.append((corner[back.point], wide[back.geometry], back.distance_m))
        crossing = shapely.STRtree(others[wide]).query(bases, predicate="intersects")
        parts.append((crossing[0], wide[crossing[1]], np.zeros(crossing.shape[1])))
    base, other, length = (np.concatenate(part) for part in zip(*parts, strict=True))
    table = pd.DataFrame({"base": base, "other": other, "distance_m": length})
    return table.groupby(["base", "other"])["distance_m"].min().reset_index()


def site_columns(
    bound: Bound, sites: pd.DataFrame | None, standard: ProximityStandard
) -> pd.DataFrame:
    """Sites within the radius, and their people; a site counts whole if any part is within."""
    codes = pd.Index(bound.table["base_id"], name="base_id")
    table = pd.DataFrame(np.nan, index=codes, columns=["sites_n", "sites_persons"])
    if sites is None:
        return table
    require_columns(sites, "sites", ["site_id", "geometry"])
    near = within_radius(bound.shapes, sites["geometry"].array, standard.radius_m)
    people = numbers_of(sites, "people_persons").to_numpy()[near["other"].to_numpy()]
    near["persons"] = people
    groups = near.groupby("base")
    table["sites_n"] = groups.size().reindex(range(len(codes)), fill_value=0).to_numpy("float64")
    persons = groups["persons"].sum(min_count=1).reindex(range(len(codes)))
    table["sites_persons"] = persons.where(table["sites_n"].to_numpy() > 0, 0.0).to_numpy()
    return table


def settled(
    bound: Bound, settlements: pd.DataFrame | None, standard: ProximityStandard
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Count settlements within the radius of each base; NaN where none are loaded."""
    if settlements is None:
        return np.full(len(bound.shapes), np.nan)
    near = within_radius(bound.shapes, settlements["geometry"].array, standard.radius_m)
    return np.bincount(near["base"], minlength=len(bound.shapes)).astype("float64")


def incident_columns(
    bases: pd.DataFrame,
    around: Around,
    standard: ProximityStandard,
    period: Period,
    codes: pd.Index,
) -> pd.DataFrame:
    """Count incidents by verdict, the dead inside, and the reviews due."""
    columns = [
        "incidents_inside", "incidents_undecided", "incidents_outside_near",
        "killed_civilians_persons", "review_n",
    ]  # fmt: skip
    if around.incidents is None:
        return pd.DataFrame(np.nan, index=codes, columns=columns)
    known = known_incidents(around.incidents, period)
    pairs = around.verdicts
    if pairs is None:
        pairs = verdict_table(incident_places(known), bases, standard)
    pairs = pairs[pairs["place_id"].isin(known["incident_id"])]
    counts = pd.crosstab(pairs["base_id"], pairs["verdict"]).reindex(
        index=codes, columns=["inside", "undecided", "outside"], fill_value=0
    )
    table = counts.astype("float64").set_axis(columns[:3], axis=1)
    killed = pd.Series(
        numbers_of(known, "killed_civilians_persons").to_numpy(), index=known["incident_id"]
    )
    inside = pairs[pairs["verdict"] == "inside"]
    dead = inside["place_id"].map(killed).groupby(inside["base_id"]).sum(min_count=1)
    none = table["incidents_inside"] == 0
    table["killed_civilians_persons"] = dead.reindex(codes).mask(none, 0.0)
    due = review_pairs(pairs, known)["base_id"].value_counts()
    table["review_n"] = due.reindex(codes, fill_value=0).astype("float64")
    return table


def notes(bound: Bound, around: Around, table: pd.DataFrame) -> list[str | None]:
    """Say what a reader must know, base by base."""
    said = (
        pd.Series(dtype=object)
        if around.people is None
        else around.people.set_index("base_id")["note"].reindex(table.index)
    )
    texts = []
    for at, code in enumerate(table.index):
        parts = [
            "perimeter unknown: distances measured to a point" if bound.point[at] else None,
            "kind unknown: taken as bound" if bound.kindless[at] else None,
            "no dates: taken as standing throughout" if bound.undated[at] else None,
            "sites without a count" if np.isnan(table["sites_persons"].iloc[at])
            and table["sites_n"].iloc[at] > 0 else None,
            said.get(code),
        ]  # fmt: skip
        texts.append("; ".join(part for part in parts if isinstance(part, str)) or None)
    return texts


def by_perpetrator(verdicts: pd.DataFrame, incidents: pd.DataFrame) -> pd.DataFrame:
    """Split the verdicts of every base by perpetrator category; no category is dropped.

    Returns
    -------
    DataFrame, one row per base, perpetrator category and verdict
        `base_id`, `perpetrator` ("unknown" where none is given), `verdict`, `incidents_n`,
        `killed_civilians_persons` (NaN if no count is known).
    """
    require_columns(verdicts, "verdicts", ["place_id", "base_id", "verdict"])
    facts = pd.DataFrame(
        {
            "place_id": incidents["incident_id"].to_numpy(),
            "perpetrator": words_of(incidents, "perpetrator").fillna("unknown").to_numpy(),
            "killed": numbers_of(incidents, "killed_civilians_persons").to_numpy(),
        }
    )
    keys = ["base_id", "perpetrator", "verdict"]
    groups = verdicts.merge(facts, on="place_id").groupby(keys)["killed"]
    table = pd.DataFrame(
        {"incidents_n": groups.size(), "killed_civilians_persons": groups.sum(min_count=1)}
    )
    return table.reset_index()
