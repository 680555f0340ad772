"""Tables of a plan: orders, cover, ladder, alternatives, what is left behind, rings, shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.deployment import DeploymentStandard, Plan
from pocgeo.analyses.deployment.demand import Cover
from pocgeo.analyses.deployment.orders import Order
from pocgeo.analyses.deployment.outcome import covered_by_step, reach_rows, rings
from pocgeo.analyses.deployment.solving import worth_of
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi import obligations
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plan_reach import march_minutes
from pocgeo.aoi.plan_siting import PlanScene
from pocgeo.aoi.plan_words import (
    gained_and_lost,
    instead_of,
    joined,
    place_of,
    why_left,
    why_taken,
)
from pocgeo.ground.geodesy import distance_m
from pocgeo.ground.grid_reference import to_mgrs

__all__ = [
    "alike", "alternative_table", "cell_table", "cover_table", "ladder_table", "left_behind",
    "losers_first", "order_shapes", "order_table", "ring_table", "rows_of", "strength_table",
]  # fmt: skip

Mask = NDArray[np.bool_]
YEAR_DAYS = 365
LADDER_WORDS = {"new": "new bases", "moves": "moves", "closures": "closures"}
LEFT = ["base_id", "people_persons", "people_high_persons", "sites_n", "sites_persons",
        "settlements_n", "incidents_inside", "incidents_undecided", "note"]  # fmt: skip


def losers_first(table: pd.DataFrame, middle_min: float) -> pd.DataFrame:
    """Put the whole AOI first, then settlements that lose, those that gain, then areas."""
    settled, whole = table["area_kind"].eq("settlement"), table["area_kind"].eq("AOI")
    moved = table["lost_persons"].gt(0) | table["gained_persons"].gt(0)
    kept = table[whole | (settled & moved) | (~settled & table["within_min"].eq(middle_min))]
    group = np.select(
        [kept["area_kind"].eq("AOI"), ~kept["area_kind"].eq("settlement"),
         kept["lost_persons"].gt(0)], [0, 3, 1], 2,
    )  # fmt: skip
    keys = pd.DataFrame(
        {
            "group": group,
            "middle": kept["within_min"].ne(middle_min) & (group > 0),
            "within": kept["within_min"],
            "lost": -kept["lost_persons"].fillna(0),
            "gained": -kept["gained_persons"].fillna(0),
            "code": kept["area_id"].astype(str),
        },
        index=kept.index,
    )
    made = kept.loc[keys.sort_values(list(keys.columns), kind="stable").index]
    return made.reset_index(drop=True)


def rows_of(scene: PlanScene, table: ReachTable, sites: Mask) -> pd.DataFrame:
    """Reach table of some sites, as rows."""
    return reach_rows(table, sites, scene.siting.site_id, scene.cells["cell"].to_numpy("int64"))


def marches(
    index: Indexed, scene: PlanScene, orders: Sequence[Order], standard: DeploymentStandard
) -> dict[int, float]:
    """Minutes on the way of each base that moves, by its position, in the first season asked."""
    moves = [order for order in orders if order.action == "move"]
    ends = scene.sites.iloc[[order.base for order in moves]][["lon", "lat"]].reset_index(drop=True)
    ends["cell"] = scene.sites["cell"].to_numpy()[[order.place for order in moves]]
    season = scene.siting.scenarios[0].name.split(" ")[0]
    minutes = march_minutes(index, scene.moment, standard, ends, season)
    return {order.base: float(each) for order, each in zip(moves, minutes, strict=True)}


def order_table(
    scene: PlanScene, orders: Sequence[Order], plan: Plan, others: pd.DataFrame | None,
    standard: DeploymentStandard, around: pd.DataFrame,
    beside: tuple[pd.DataFrame | None, Mapping[int, float]],
) -> pd.DataFrame:  # fmt: skip
    """Write the orders: who goes where, how far, how long, for whom, and why."""
    cells = gained_and_lost(scene, plan.chosen, standard.middle_min)
    left, march = beside
    by_site = {} if others is None else {int(r["site"]): r for _, r in others.iterrows()}
    behind = {} if left is None else left.set_index("base_id")["left_behind"].to_dict()
    ring = around.set_index("site")
    rows = []
    for number, order in enumerate(orders, 1):
        row = order_row(scene, order) | {"order_n": number}
        place, base = order.place, order.base
        said = []
        row["gained_persons"] = row["lost_persons"] = 0.0
        if place >= 0:
            row["gained_persons"] = people_in(scene, cells[place])
            said.append(why_taken(scene, place, cells[place], by_site.get(place), standard))
        if base >= 0:
            row["march_min"] = march.get(base)
            if order.action == "move" and not row["march_min"] >= 0:
                said.append("No way there was found within two days.")
            row["lost_persons"] = people_in(scene, cells[base])
            said.append(
                why_left(scene, base, cells[base], plan.chosen, by_site.get(base), standard)
            )
            row["left_behind"] = behind.get(scene.siting.site_id[base])
        row["why"] = " ".join(said)
        at = place if place >= 0 else base
        row["ring_persons"] = ring.loc[at, "ring_persons"]
        row["ring_incidents_n"] = ring.loc[at, "ring_incidents_n"]
        if plan.platoons is not None and place >= 0:
            row["platoons_n"] = plan.platoons[place]
        rows.append(row)
    columns = ["order_n", "action", "base_id", "base", "from_grid_reference", "place",
               "grid_reference", "move_km", "march_min", "gained_persons", "lost_persons",
               "platoons_n", "left_behind", "ring_persons", "ring_incidents_n", "lon", "lat",
               "why"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    for column in ("move_km", "march_min", "gained_persons", "lost_persons", "platoons_n"):
        table[column] = pd.to_numeric(table[column]).astype("float64")
    empty = [name for name in ("platoons_n", "left_behind") if table[name].isna().all()]
    return table.drop(columns=empty)


def order_row(scene: PlanScene, order: Order) -> dict[str, Any]:
    """Say who goes from where to where."""
    siting, sites = scene.siting, scene.sites
    row: dict[str, Any] = {"action": order.action}
    if order.base >= 0:
        base = sites.iloc[order.base]
        row |= {"base_id": base["site_id"], "base": base["name"]}
        row["from_grid_reference"] = str(to_mgrs(base["lon"], base["lat"])[0])
        row |= {"lon": base["lon"], "lat": base["lat"]}
    if order.place >= 0:
        place = sites.iloc[order.place]
        row["place"] = place_of(scene, order.place)
        row["grid_reference"] = str(to_mgrs(place["lon"], place["lat"])[0])
        row |= {"lon": place["lon"], "lat": place["lat"]}
    if order.action == "move" and siting.distance_km is not None:
        row["move_km"] = siting.distance_km[order.base, order.place]
    return row


def people_in(scene: PlanScene, cells: Mask) -> float:
    """People of some cells, as far as known."""
    return float(np.nansum(scene.people[cells]))


def cover_table(
    scene: PlanScene, options: Mapping[str, Mask], standard: DeploymentStandard, cover: Cover
) -> pd.DataFrame:
    """Say who is covered under each option, by scenario and step."""
    table = covered_by_step(scene.siting, dict(options), scene.people, standard.steps_min)
    first = table.groupby(["scenario", "within_min"])["covered_persons"].transform("first")
    table.insert(4, "change_persons", table["covered_persons"] - first)
    worth = {
        name: worth_of(sites, scene.siting, standard, cover) for name, sites in options.items()
    }
    number = {each.name: at for at, each in enumerate(scene.siting.scenarios)}
    table["worth_share"] = [
        float(worth[option][number[name]])
        for option, name in zip(table["option"], table["scenario"], strict=True)
    ]
    return table


def ladder_table(
    scene: PlanScene, steps: pd.DataFrame, standard: DeploymentStandard
) -> pd.DataFrame:
    """Put people beside the worth of each step of the ladder."""
    table = steps.copy()
    people = np.nan_to_num(scene.people)
    first = scene.siting.scenarios[0].table
    table["covered_persons"] = [
        float(people[first.covers(standard.middle_min, sites) > 0].sum())
        for sites in table["chosen"]
    ]
    table["gained_persons"] = table.groupby("change", sort=False)["covered_persons"].diff()
    table["change"] = table["change"].map(LADDER_WORDS)
    table["within_min"] = standard.middle_min
    columns = ["change", "changes_n", "asked", "covered_persons", "gained_persons", "within_min",
               "worth_share", "gain_share", "gap_share"]  # fmt: skip
    made = table[columns].rename(columns={"gained_persons": "step_persons"})
    made.attrs = {
        "notes": [
            "Each kind of change is varied by itself, the others as asked. Plans are chosen by "
            "worth (demand within each step, by its weight), so people within one step may fall "
            "where worth rises."
        ]
    }
    return made


def alternative_table(
    scene: PlanScene, plan: Plan, others: pd.DataFrame, standard: DeploymentStandard
) -> pd.DataFrame:
    """Name the next best plans and what they cost."""
    first, people = scene.siting.scenarios[0].table, np.nan_to_num(scene.people)
    rows = []
    for _, other in others.iterrows():
        site = int(other["site"])
        stays = bool(scene.siting.existing[site])
        words = f"{place_of(scene, site)} stays" if stays else f"not {place_of(scene, site)}"
        row: dict[str, Any] = {"instead": words, "takes": None, "lets_go": None}
        if other["chosen"] is not None:
            takes, lets_go = instead_of(scene, plan.chosen, other["chosen"])
            row |= {"takes": takes or None, "lets_go": lets_go or None}
            row["covered_persons"] = float(
                people[first.covers(standard.middle_min, other["chosen"]) > 0].sum()
            )
        for name in ("worth_share", "loss_share", "gap_share"):
            row[name] = other[name]
        rows.append(row)
    columns = ["instead", "takes", "lets_go", "covered_persons", "worth_share", "loss_share",
               "gap_share"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table.attrs = {
        "notes": [
            f"Places within {standard.spacing_km:g} km of the one left out are left out with it. "
            "A row without a plan: nothing else keeps to all that is asked."
        ]
    }
    return table


def alike(scene: PlanScene, chosen: Mask, spacing_km: float) -> dict[int, list[int]]:
    """Find, for each place taken, the places so near that they are the same choice."""
    sites, existing = scene.sites, scene.siting.existing
    lon, lat = sites["lon"].to_numpy("float64"), sites["lat"].to_numpy("float64")
    made = {}
    for site in np.flatnonzero(chosen & ~existing).tolist():
        near = distance_m(lon[site], lat[site], lon, lat) <= spacing_km * 1000
        made[site] = np.flatnonzero(near & ~existing & ~chosen).tolist()
    return made


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


PRECISE_M = 5_000.0


def incidents_of_year(index: Indexed, scene: PlanScene) -> pd.DataFrame | None:
    """Positions of the incidents of the last year; None without incidents."""
    known = obligations.as_known(index.table("incidents"), scene.moment.as_of)
    if known is None:
        return None
    age = (scene.moment.at - known["occurred_on"]).dt.days
    sure = ~(known["location_error_m"] > PRECISE_M) if "location_error_m" in known else True
    some = known[(age >= 0) & (age < YEAR_DAYS) & sure & known.geometry.notna()]
    return pd.DataFrame({"lon": some.geometry.x, "lat": some.geometry.y})


def strength_table(scene: PlanScene, plan: Plan) -> pd.DataFrame:
    """Platoons of every base after the plan."""
    assert plan.platoons is not None
    sites = np.flatnonzero(plan.chosen)
    table = pd.DataFrame({"base": [place_of(scene, int(site)) for site in sites]})
    table.insert(0, "base_id", [scene.siting.site_id[site] for site in sites])
    return table.assign(platoons_n=plan.platoons[sites])


def cell_table(scene: PlanScene, chosen: Mask, standard: DeploymentStandard) -> pd.DataFrame:
    """Minutes by cell before and after, and what changes."""
    reach = scene.siting.scenarios[0].table
    before, after = reach.field(scene.siting.today), reach.field(chosen)
    names = ["cell", "settlement", "admin2", "aor", "people_persons", "lon", "lat"]
    table = scene.cells[[name for name in names if name in scene.cells]].copy()
    for name, field in (("before_min", before), ("after_min", after)):
        table[name] = np.where(np.isfinite(field.minutes), field.minutes, np.nan)
    table["base"] = [joined(scene, [site]) if site >= 0 else None for site in after.site]
    was, now = before.minutes <= standard.middle_min, after.minutes <= standard.middle_min
    table["cover_change"] = np.select(
        [was & ~now, now & ~was, was & now], ["lost", "gained", "kept"], "none"
    )
    table["change_min"] = table["after_min"] - table["before_min"]
    return table


def order_shapes(
    scene: PlanScene, orders: Sequence[Order], table: pd.DataFrame, which: str
) -> gpd.GeoDataFrame:
    """Draw the orders: the ways of moves ("moves"), places "taken", or bases "left"."""
    sites = scene.sites
    points: Any = shapely.points(sites["lon"], sites["lat"])
    rows, shapes = [], []
    for number, order in enumerate(orders):
        if which == "moves" and order.action == "move":
            shape: Any = shapely.LineString([points[order.base], points[order.place]])
        elif which == "taken" and order.place >= 0:
            shape = points[order.place]
        elif which == "left" and order.base >= 0:
            shape = points[order.base]
        else:
            continue
        rows.append(number)
        shapes.append(shape)
    columns = ["order_n", "action", "base", "place", "grid_reference", "move_km", "march_min",
               "why"]  # fmt: skip
    facts = table.iloc[rows].reindex(columns=columns).reset_index(drop=True)
    if which == "left":
        facts["grid_reference"] = table["from_grid_reference"].iloc[rows].to_numpy()
    return gpd.GeoDataFrame(facts, geometry=shapes, crs="EPSG:4326")
