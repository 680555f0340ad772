"""Who is covered by reach: by area, by base, by two bases or more, and who has no road.

Everything is a reduction of the reach table. The people of an area are those covered within the
minutes, those beyond them, and those whom no base reaches at all (no row in the table, or only
rows without minutes): they add up. Cells whose people are unknown add nothing to any total.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pocgeo.analyses.bases import numbers_of
from pocgeo.analyses.coverage import AREA_KINDS, share, totals
from pocgeo.analyses.disks import known_cells
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["MINUTES", "backup", "by_base", "within_minutes", "without_roads"]

MINUTES = (30.0, 60.0, 120.0)
"""House default: half an hour, an hour, two hours."""

ROAD_M = 2_000.0
"""House default: people farther than this from a road have no road access, metres."""

GROUPS = ("people", "women", "children", "risk")
SCENARIO = "scenario"
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def within_minutes(
    table: pd.DataFrame, cells: pd.DataFrame, minutes: float | Sequence[float] = MINUTES
) -> pd.DataFrame:
    """Add up who is reached within each number of minutes, by AOI, AOR and admin area.

    Parameters
    ----------
    table : DataFrame
        A reach table: `base_id`, `cell`, `reach_min` (minutes; NaN: not reached). With a column
        `scenario` every scenario is answered; a categorical one may hold some without any row.
    cells : DataFrame, n rows, one per cell
        `cell`; `people_persons`, `women_persons`, `children_persons`, `risk_persons`, `aor_id`,
        `aor`, `admin1_id`, `admin1`, `admin2_id`, `admin2` where known.
    minutes : float or several
        Readiness included; the limit itself is inside.

    Returns
    -------
    DataFrame, one row per (scenario,) number of minutes and area
        `area_kind`, `area_id`, `area`, `within_min`; `people_persons`, `covered_persons`,
        `beyond_persons` (reached, but later), `unreachable_persons` (by no base in the table),
        `covered_share` (0-1); for women, children and risk `covered_<group>_persons`, the whole
        `<group>_persons` and `covered_<group>_share`. NA: unknown. Areas of one kind add up to
        the AOI; cells in none are in "no area".

    Raises
    ------
    MissingColumns
        A table lacks `cell`, `base_id` or `reach_min`.
    BadInput
        Minutes of 0 or less, or more than the table was made for.
    """
    limits, persons = limits_of(minutes, table), persons_of(cells)
    parts = []
    for scenario, rows in scenarios(table):
        quickest = quickest_min(rows, cells)
        for limit in limits:
            sums = covered_sums(persons, quickest <= limit)
            reached = np.isfinite(quickest)
            sums["beyond_persons"] = persons["people"].where(reached & (quickest > limit), 0.0)
            sums["unreachable_persons"] = persons["people"].where(~reached, 0.0)
            known = persons["people"].notna()
            late = ["beyond_persons", "unreachable_persons"]
            sums[late] = sums[late].where(known)
            parts.append(labelled(by_area(sums, cells), scenario, limit))
    return with_standard(shared(parts), "Who is reached in how many minutes?", within_min=limits)


def by_base(
    table: pd.DataFrame,
    cells: pd.DataFrame,
    minutes: float = 60.0,
    *,
    bases: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say of every base whom it reaches in time, and whom it alone reaches.

    Parameters
    ----------
    table, cells, minutes
        As in `within_minutes`.
    bases : DataFrame, optional
        `base_id`: those that reach nobody are then listed too.

    Returns
    -------
    DataFrame, one row per (scenario and) base, most people reached by it alone first
        `base_id`, `within_min`, `reached_cells_n`; `reached_persons`, `reached_women_persons`,
        `reached_children_persons`, `reached_risk_persons`; `alone_cells_n`, `alone_persons`,
        `alone_risk_persons` (whom no other base reaches in time: lost if it closes).
    """
    (limit,) = limits_of(minutes, table)
    persons = persons_of(cells)
    parts = []
    for scenario, rows in scenarios(table):
        pairs = pairs_in_time(rows, cells, limit)
        alone = pairs[~pairs["row"].duplicated(keep=False)]
        everyone = set(rows["base_id"].dropna())
        everyone |= set() if bases is None else set(bases["base_id"])
        answer = pd.DataFrame({"base_id": sorted(everyone)}, dtype=object)
        answer["within_min"] = limit
        for name, mine in (("reached", pairs), ("alone", alone)):
            answer = answer.join(held_by(answer["base_id"], mine, persons, name))
        answer = answer.sort_values(
            ["alone_persons", "base_id"], ascending=[False, True], ignore_index=True
        )
        parts.append(answer if scenario is None else named(answer, scenario))
    found = pd.concat(parts, ignore_index=True)
    found = found.drop(columns=["alone_women_persons", "alone_children_persons"])
    return with_standard(found, "Which base reaches whom, and whom alone?", within_min=limit)


def backup(
    table: pd.DataFrame, cells: pd.DataFrame, minutes: float | Sequence[float] = 60.0
) -> pd.DataFrame:
    """Add up people by how many bases reach them in time, by AOI, AOR and admin area.

    Returns
    -------
    DataFrame, one row per (scenario,) number of minutes and area
        `area_kind`, `area_id`, `area`, `within_min`, `people_persons`, `uncovered_persons` (by
        no base), `covered_once_persons` (one: a single point of failure),
        `covered_twice_persons` (two or more), `backup_share` (the last, of all people).
    """
    limits, people = limits_of(minutes, table), persons_of(cells)["people"]
    known = people.notna()
    parts = []
    for scenario, rows in scenarios(table):
        for limit in limits:
            row = pairs_in_time(rows, cells, limit)["row"].to_numpy()
            count = np.bincount(row, minlength=len(cells))
            sums = pd.DataFrame({"people_persons": people})
            sums["uncovered_persons"] = people.where(count == 0, 0.0).where(known)
            sums["covered_once_persons"] = people.where(count == 1, 0.0).where(known)
            sums["covered_twice_persons"] = people.where(count > 1, 0.0).where(known)
            parts.append(labelled(by_area(sums, cells), scenario, limit))
    found = pd.concat(parts, ignore_index=True)
    found["backup_share"] = share(found["covered_twice_persons"], found["people_persons"])
    return with_standard(found, "Who is reached by one base only?", within_min=limits)


def without_roads(
    cells: pd.DataFrame, nearest_road_m: ArrayLike, *, beyond_m: float = ROAD_M
) -> pd.DataFrame:
    """Add up the people without road access apart, by AOI, AOR and admin area.

    Parameters
    ----------
    cells : DataFrame, n rows
        As in `within_minutes`.
    nearest_road_m : n floats, or n booleans
        Metres to the nearest road (inf: none; NaN: unknown); or whether there is road access.
    beyond_m : float
        Farther than this is without access.

    Returns
    -------
    DataFrame, one row per area
        `area_kind`, `area_id`, `area`, `people_persons`, `roadless_persons`, `roadless_share`
        (of all people), `road_unknown_persons`; `roadless_women_persons`,
        `roadless_children_persons`, `roadless_risk_persons`.
    """
    if not 0 <= beyond_m < np.inf:
        raise BadInput(f"beyond_m must be 0 metres or more, got {beyond_m:g}.")
    given = np.asarray(nearest_road_m)
    if given.shape != (len(cells),):
        raise BadInput(f"nearest_road_m needs one value per cell: {len(cells)}, got {given.shape}.")
    far = ~given if given.dtype == bool else given.astype("float64") > beyond_m
    unknown = np.zeros(len(cells), bool) if given.dtype == bool else np.isnan(given.astype(float))
    persons = persons_of(cells)
    sums = pd.DataFrame({"people_persons": persons["people"]})
    sums["road_unknown_persons"] = kept(persons["people"], unknown)
    for group in GROUPS:
        column = "roadless_persons" if group == "people" else f"roadless_{group}_persons"
        sums[column] = kept(persons[group], far).mask(unknown)
    found = by_area(sums, cells)
    found["roadless_share"] = share(found["roadless_persons"], found["people_persons"])
    return with_standard(found, "Who has no road access?", beyond_m=beyond_m)


def limits_of(minutes: float | Sequence[float], *tables: pd.DataFrame) -> tuple[float, ...]:
    """Sort the minutes asked for; refuse those that a table cannot answer."""
    limits = tuple(sorted({float(each) for each in np.atleast_1d(np.asarray(minutes))}))
    if not limits or not all(0 < limit < np.inf for limit in limits):
        raise BadInput(f"minutes must be more than 0, got {minutes}.")
    for table in tables:
        horizon = table.attrs.get("standard", {}).get("reach", {}).get("horizon_min")
        if horizon is not None and limits[-1] > float(horizon):
            raise BadInput(
                f"The reach table ends at {float(horizon):g} minutes; {limits[-1]:g} are asked. "
                "Set horizon_min under [standards.reach] to at least that."
            )
    return limits


def persons_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Persons of each group in every cell; NaN where unknown."""
    known_cells(cells)
    return pd.DataFrame({group: numbers_of(cells, f"{group}_persons") for group in GROUPS})


def scenarios(table: pd.DataFrame) -> list[tuple[object, pd.DataFrame]]:
    """Split a table by scenario; one that has none is (None, table)."""
    require_columns(table, "reach table", ["base_id", "cell", "reach_min"])
    if SCENARIO not in table.columns:
        return [(None, table)]
    return list(table.groupby(SCENARIO, sort=True, observed=False))


def quickest_min(table: pd.DataFrame, cells: pd.DataFrame) -> Floats:
    """Minutes of the quickest base to every cell; inf where none comes."""
    best = table.groupby("cell")["reach_min"].min()
    minutes: Floats = best.reindex(cells["cell"]).to_numpy("float64")
    return np.where(np.isnan(minutes), np.inf, minutes)


def pairs_in_time(table: pd.DataFrame, cells: pd.DataFrame, limit: float) -> pd.DataFrame:
    """List each pair of base and row of `cells` that is within the minutes, once."""
    near = table[table["reach_min"] <= limit]
    row = pd.Index(cells["cell"]).get_indexer(pd.Index(near["cell"]))
    pairs = pd.DataFrame({"row": row, "base_id": near["base_id"].to_numpy(dtype=object)})
    return pairs[pairs["row"] >= 0].drop_duplicates(ignore_index=True)


def held_by(
    base_id: pd.Series, pairs: pd.DataFrame, persons: pd.DataFrame, name: str
) -> pd.DataFrame:
    """Count the cells of each base and add up their persons: `<name>_cells_n`, ..."""
    held = persons.iloc[pairs["row"].to_numpy()]
    groups = held.groupby(pairs["base_id"].to_numpy())
    count = groups.size().reindex(base_id).fillna(0.0)
    total = groups.sum(min_count=1).reindex(base_id)
    answer = pd.DataFrame({f"{name}_cells_n": count.to_numpy("float64")}, index=base_id.index)
    for group in GROUPS:
        known = bool(persons[group].notna().any())
        column = f"{name}_persons" if group == "people" else f"{name}_{group}_persons"
        answer[column] = total[group].mask(count.eq(0) & known, 0.0).to_numpy("float64")
    return answer


def kept(persons: pd.Series, mask: Mask) -> pd.Series:
    """Persons where the mask holds, 0 elsewhere, NA where they are unknown."""
    return persons.where(mask, 0.0).where(persons.notna())


def covered_sums(persons: pd.DataFrame, covered: Mask) -> pd.DataFrame:
    """Persons of each group, and those of them who are covered."""
    sums = pd.DataFrame(index=persons.index)
    for group in GROUPS:
        column = "covered_persons" if group == "people" else f"covered_{group}_persons"
        sums[f"{group}_persons"] = persons[group]
        sums[column] = kept(persons[group], covered)
    return sums


def shared(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join the parts and add the share of each group that is covered."""
    found = pd.concat(parts, ignore_index=True)
    for group in GROUPS:
        of = "covered" if group == "people" else f"covered_{group}"
        found[f"{of}_share"] = share(found[f"{of}_persons"], found[f"{group}_persons"])
    return found


def areas_in(
    cells: pd.DataFrame, kinds: dict[str, tuple[str, str]]
) -> list[tuple[str, pd.DataFrame]]:
    """Area of every cell, for the AOI and each kind that the cells know."""
    whole = pd.DataFrame({"area_id": "AOI", "area": "whole AOI"}, index=cells.index)
    found = [("AOI", whole)]
    for kind, (code, name) in kinds.items():
        if code in cells.columns and cells[code].notna().any():
            label = cells[name] if name in cells.columns else cells[code]
            label = label.astype(object).where(label.notna() & cells[code].notna(), "no area")
            at = cells[code].astype(object).where(cells[code].notna(), "none")
            found.append((kind, pd.DataFrame({"area_id": at, "area": label})))
    return found


def by_area(
    sums: pd.DataFrame, cells: pd.DataFrame, kinds: dict[str, tuple[str, str]] = AREA_KINDS
) -> pd.DataFrame:
    """Add up by AOI, AOR and admin area."""
    parts = [totals(sums.join(area), kind) for kind, area in areas_in(cells, kinds)]
    return pd.concat(parts, ignore_index=True)


def labelled(table: pd.DataFrame, scenario: object, limit: float) -> pd.DataFrame:
    """Say of a table which scenario and how many minutes it is about."""
    table.insert(3, "within_min", limit)
    return table if scenario is None else named(table, scenario)


def named(table: pd.DataFrame, scenario: object) -> pd.DataFrame:
    """Put the scenario first."""
    table.insert(0, SCENARIO, str(scenario))
    return table
