"""What a plan does to people: covered before and after, and around the places it touches."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pocgeo.analyses.deployment.siting import Floats, Mask, Scenario, Siting
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.ground.geodesy import distance_m

__all__ = ["covered_by_step", "only_by", "reach_rows", "rings"]

METRES = 1_000.0


def reach_rows(
    table: ReachTable, sites: Mask, site_id: Sequence[str], cell: np.ndarray
) -> pd.DataFrame:
    """Give the reach table of some sites as rows: `base_id`, `cell`, `reach_min`."""
    kept = sites[table.site]
    names = np.array(site_id, dtype=object)
    return pd.DataFrame(
        {
            "base_id": names[table.site[kept]],
            "cell": cell[table.cell[kept]],
            "reach_min": table.minutes[kept].astype("float64"),
        }
    )


def covered_by_step(
    siting: Siting, plans: dict[str, Mask], people: Floats, steps_min: Sequence[float]
) -> pd.DataFrame:
    """Add up people, and demand, reached within each step by each set of sites.

    Parameters
    ----------
    siting : Siting
    plans : mapping of words to masks of sites
    people : one per cell
        Persons; NaN: unknown, not counted.
    steps_min : minutes

    Returns
    -------
    DataFrame, one row per scenario, step and plan
        `scenario`, `within_min`, `option`, `covered_persons`, `people_persons`,
        `covered_share`, `covered_risk_persons` (demand), `backup_persons` (reached by two or more).
    """
    rows = []
    known = np.nan_to_num(people)
    for scenario in siting.scenarios:
        for step in steps_min:
            for name, sites in plans.items():
                count = scenario.table.covers(step, sites)
                reached = count > 0
                covered = float(known[reached].sum())
                rows.append(
                    {
                        "scenario": scenario.name,
                        "within_min": float(step),
                        "option": name,
                        "covered_persons": covered,
                        "people_persons": float(known.sum()),
                        "covered_share": covered / known.sum() if known.sum() else np.nan,
                        "covered_risk_persons": float(scenario.demand[reached].sum()),
                        "backup_persons": float(known[count > 1].sum()),
                    }
                )
    return pd.DataFrame(rows)


def only_by(scenario: Scenario, site: int, others: Mask, step_min: float) -> Mask:
    """Cells that a site reaches within a step, and none of the others."""
    table = scenario.table
    start, end = table.indptr[site : site + 2]
    mine = np.zeros(table.cells_n, dtype=bool)
    mine[table.cell[start:end][table.minutes[start:end] <= step_min]] = True
    rest = others.copy()
    rest[site] = False
    mask: Mask = mine & (table.covers(step_min, rest) == 0)
    return mask


def rings(
    places: pd.DataFrame,
    cells: pd.DataFrame,
    incidents: pd.DataFrame | None,
    *,
    ring_km: float,
    inner_km: float = 1.0,
) -> pd.DataFrame:
    """Say who lives, and what happened, in the ring around places that are vacated or taken.

    Violence may shift to the surroundings of a base (Peitz and Reisch 2019): look there.

    Parameters
    ----------
    places : DataFrame, n rows
        `lon`, `lat`.
    cells : DataFrame
        `lon`, `lat`, `people_persons`, `covered_before`, `covered_after` (bool).
    incidents : DataFrame, optional
        `lon`, `lat`: of the last year.
    ring_km, inner_km : float
        The ring lies between the two, measured to cell centres.

    Returns
    -------
    DataFrame, n rows, indexed as `places`
        `ring_persons`, `ring_before_persons`, `ring_after_persons` (covered of them),
        `ring_incidents_n` (NA: incidents are not known).
    """
    people = cells["people_persons"].fillna(0.0).to_numpy("float64")
    rows = []
    for lon, lat in zip(places["lon"], places["lat"], strict=True):
        far = distance_m(float(lon), float(lat), cells["lon"].to_numpy(), cells["lat"].to_numpy())
        inside = (far > inner_km * METRES) & (far <= ring_km * METRES)
        row = {
            "ring_persons": people[inside].sum(),
            "ring_before_persons": people[inside & cells["covered_before"].to_numpy()].sum(),
            "ring_after_persons": people[inside & cells["covered_after"].to_numpy()].sum(),
            "ring_incidents_n": np.nan,
        }
        if incidents is not None:
            away = distance_m(
                float(lon), float(lat), incidents["lon"].to_numpy(), incidents["lat"].to_numpy()
            )
            row["ring_incidents_n"] = float(
                ((away > inner_km * METRES) & (away <= ring_km * METRES)).sum()
            )
        rows.append(row)
    columns = ["ring_persons", "ring_before_persons", "ring_after_persons", "ring_incidents_n"]
    return pd.DataFrame(rows, index=places.index, columns=columns)
