"""What lies around bases that go and places that are taken: obligations left, and rings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard
from pocgeo.analyses.deployment.orders import Order
from pocgeo.analyses.deployment.outcome import rings
from pocgeo.aoi import obligations
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans.siting import PlanScene
from pocgeo.aoi.plans.words import (
    place_of,
)
from pocgeo.ground.grid_reference import to_mgrs

__all__ = ["left_behind", "nothing_left", "ring_table"]

Mask = NDArray[np.bool_]
YEAR_DAYS = 365
PRECISE_M = 5_000.0
LEFT = ["base_id", "people_persons", "people_high_persons", "sites_n", "sites_persons",
        "settlements_n", "incidents_inside", "incidents_undecided", "note"]  # fmt: skip


def left_behind(index: Indexed, scene: PlanScene, orders: Sequence[Order]) -> pd.DataFrame | None:
    """List what lies within the radius of each base that goes; None where none goes."""
    gone = [scene.siting.site_id[order.base] for order in orders if order.base >= 0]
    if not gone:
        return None
    ledger = obligations.ledger(index, None, scene.moment.as_of, {})
    rows = ledger[ledger["base_id"].isin(gone)].set_index("base_id").reindex(gone).reset_index()
    table = rows.reindex(columns=LEFT)
    names = scene.sites.set_index("site_id")["name"]
    table.insert(1, "base", table["base_id"].map(names))
    table["left_behind"] = [behind_words(row) for _, row in table.iterrows()]
    chosen = scene.siting.today.copy()
    for order in orders:
        if order.base >= 0:
            chosen[order.base] = False
        if order.place >= 0:
            chosen[order.place] = True
    after = scene.siting.scenarios[0].table.field(chosen)
    cell = pd.Index(scene.cells["cell"])
    of = scene.sites.set_index("site_id")["cell"]
    at = cell.get_indexer(of.loc[gone].to_numpy())
    minutes = np.where(at >= 0, after.minutes[np.maximum(at, 0)], np.inf)
    owner = np.where(at >= 0, after.site[np.maximum(at, 0)], -1)
    table["after_min"] = np.where(np.isfinite(minutes), minutes, np.nan)
    table["next_base"] = [place_of(scene, int(site)) if site >= 0 else None for site in owner]
    return table


def nothing_left() -> pd.DataFrame:
    """Make the table of a plan by which no base goes: no rows."""
    names = [LEFT[0], "base", *LEFT[1:], "left_behind", "after_min", "next_base"]
    return pd.DataFrame({name: pd.Series(dtype="object") for name in names})


def behind_words(row: pd.Series) -> str:
    """Say in words what a base leaves behind."""
    said = []
    if pd.notna(row["people_persons"]):
        said.append(f"{row['people_persons']:,.0f} people")
    if pd.notna(row["sites_n"]) and row["sites_n"] > 0:
        many = "" if pd.isna(row["sites_persons"]) else f" ({row['sites_persons']:,.0f} people)"
        said.append(f"{row['sites_n']:.0f} displacement site{'s' * (row['sites_n'] > 1)}{many}")
    if pd.notna(row["settlements_n"]) and row["settlements_n"] > 0:
        said.append(f"{row['settlements_n']:.0f} settlement{'s' * (row['settlements_n'] > 1)}")
    return ", ".join(said) or "unknown"


def ring_table(
    index: Indexed, scene: PlanScene, orders: Sequence[Order], chosen: Mask,
    standard: DeploymentStandard,
) -> pd.DataFrame:  # fmt: skip
    """Say who lives, and what happened last year, around each place that is left or taken."""
    rows = []
    for number, order in enumerate(orders, 1):
        if order.base >= 0:
            rows.append((number, "left", order.base))
        if order.place >= 0:
            rows.append((number, "taken", order.place))
    table = pd.DataFrame(rows, columns=["order_n", "becomes", "site"])
    at = table["site"].to_numpy("int64")
    table["place"] = [place_of(scene, int(site)) for site in at]
    spots = scene.sites.iloc[at].reset_index(drop=True)
    table["grid_reference"] = to_mgrs(spots["lon"], spots["lat"]) if len(spots) else None
    reach, step = scene.siting.scenarios[0].table, standard.middle_min
    cells = scene.cells[["lon", "lat", "people_persons"]].assign(
        covered_before=reach.covers(step, scene.siting.today) > 0,
        covered_after=reach.covers(step, chosen) > 0,
    )
    made = rings(spots, cells, incidents_of_year(index, scene), ring_km=standard.ring_km)
    table = pd.concat([table, made], axis=1)
    table.attrs = {
        "notes": [
            f"The ring is from 1 to {standard.ring_km:g} km around the place; covered means within "
            f"{step:g} min. Incidents are those of the last {YEAR_DAYS} days with a place known to "
            "5 km; violence may shift to the surroundings of a base (Peitz and Reisch 2019)."
        ]
    }
    return table


def incidents_of_year(index: Indexed, scene: PlanScene) -> pd.DataFrame | None:
    """Positions of the incidents of the last year; None without incidents."""
    known = obligations.as_known(index.table("incidents"), scene.moment.as_of)
    if known is None:
        return None
    age = (scene.moment.at - known["occurred_on"]).dt.days
    sure = ~(known["location_error_m"] > PRECISE_M) if "location_error_m" in known else True
    some = known[(age >= 0) & (age < YEAR_DAYS) & sure & known.geometry.notna()]
    return pd.DataFrame({"lon": some.geometry.x, "lat": some.geometry.y})
