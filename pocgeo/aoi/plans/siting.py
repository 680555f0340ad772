"""From the layers of an AOI to a siting: sites, reach by season, demand, what must be kept."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.bases import standing
from pocgeo.analyses.deployment import DeploymentStandard, Scenario, Siting
from pocgeo.analyses.reach import STRAIGHT_LINE
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment, picture
from pocgeo.aoi.plans.caveats import words_of_new, words_of_unknown, words_of_ways
from pocgeo.aoi.plans.needs import known_bases, requirements
from pocgeo.aoi.plans.places import PROPOSED, candidate_places, no_places
from pocgeo.aoi.plans.reach import march_table, site_minutes
from pocgeo.aoi.travel import reach_method
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.geodesy import centre_of, distance_m

__all__ = ["DEMAND_WORDS", "PlanScene", "PlanWishes", "plan_scene"]

DEMAND_WORDS = {
    "risk": "risk",
    "people": "people",
    "recent": "threat of recent months",
    "past": "threat of long memory",
}
"""Pictures of the threat that a plan can be held against."""

TOLD = ("unit", "caveat")
"""Facts of a base that an order repeats."""

NEW_KIND = "TOB"
"""What is opened is a temporary operating base."""

COVERED_PART = 0.25
"""House default: in thinning proposals, people within reach today count a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWishes:
    """What a planner adds to the numbers: places, and what may not change."""

    candidates: tuple[str, ...] = ()
    """Files, names, codes, grid references; empty: the layer candidate_sites, or proposals."""

    propose: tuple[str, ...] = PROPOSED
    """Kinds of places proposed where none are named."""

    keep: tuple[str, ...] = ()
    """Bases that may neither move nor close."""

    protect: tuple[str, ...] = ()
    """Places whose cell must stay within `protect_min` of a base, if it is so today."""

    may_leave: tuple[str, ...] = ()
    """Bases whose obligation within the radius may be abandoned."""

    seasons: tuple[str, ...] = ()
    """dry, wet or both; empty: that of [standards.reach]."""

    demands: tuple[str, ...] = ()
    """Pictures of the threat (risk, people, recent, past); empty: that of the standard."""

    def __post_init__(self) -> None:
        for name, known in (("seasons", ("dry", "wet")), ("demands", tuple(DEMAND_WORDS))):
            for value in getattr(self, name):
                if value not in known:
                    raise UnknownName(name.removesuffix("s"), value, known)


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanScene:
    """All that the answers about a plan are made from."""

    moment: Moment
    sites: pd.DataFrame
    """`site_id`, `name`, `kind`, `lon`, `lat`, `existing`, `notice_min`, `grid_reference`."""

    siting: Siting
    cells: pd.DataFrame
    """The picture."""

    notes: tuple[str, ...]

    march_min: NDArray[np.float64] | None = None
    """On the way from a base to a place, sites x sites; NaN: no way. None: nobody moves."""

    @property
    def people(self) -> NDArray[np.float64]:
        """People of each cell; NaN: unknown."""
        if "people_persons" not in self.cells:
            return np.full(len(self.cells), np.nan)
        return self.cells["people_persons"].to_numpy("float64")


def plan_scene(
    index: Indexed,
    moment: Moment,
    standard: DeploymentStandard,
    wishes: PlanWishes,
    further: pd.DataFrame | None = None,
    *,
    opens: bool = True,
    moves: bool = False,
) -> PlanScene:
    """Gather sites, reach, demand and obligations.

    Parameters
    ----------
    index, moment, standard, wishes
    further : DataFrame, optional
        Places that must be among the candidates: those of a planner's own idea.
    opens : bool
        Whether any base may open anywhere. In a draw-down none does: nothing is proposed.
    moves : bool
        Whether any base may move: only where it has a way.
    """
    cells = picture(index, moment)
    index.known("population")
    bases = standing(index.known("bases"), moment.at)
    if bases.empty:
        raise BadInput(f"{index.file.path}: no base stands on {moment.as_of}. Ask for another day.")
    demands = {name: demand_of(cells, name, index) for name in wanted(standard, wishes)}
    weighed = cells.assign(demand=next(iter(demands.values())))
    places, notes = no_places(), list[str]()
    if opens or wishes.candidates:
        places, notes = candidates_of(index, moment, wishes, standard, weighed)
    if further is not None:
        places = pd.concat([further, places], ignore_index=True).drop_duplicates("site_id")
    sites = site_rows(index, bases, places, standard, moment)
    scenarios = scenarios_of(index, moment, sites, (standard, wishes), demands)
    march = None
    if moves:
        first = (wishes.seasons or (moment.reach.season,))[0]
        march = march_table(index, moment, sites, standard, first)
    siting, more = bound(index, moment, sites, scenarios, (standard, wishes), march)
    more += [*words_of_unknown(cells), *(words_of_new(sites, standard) if opens else ())]
    bare = sites.drop(columns="geometry")
    return PlanScene(
        moment=moment, sites=bare, siting=siting, cells=cells, notes=(*notes, *more),
        march_min=march,
    )  # fmt: skip


def bound(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, scenarios: tuple[Scenario, ...],
    asked: tuple[DeploymentStandard, PlanWishes], march: NDArray[np.float64] | None,
) -> tuple[Siting, list[str]]:  # fmt: skip
    """Say what binds a plan: bases kept, obligations, distances, ways."""
    standard, wishes = asked
    rules = (standard.protect_min, wishes.protect, known_bases(wishes.may_leave, sites))
    needs, notes = requirements(index, moment, sites, scenarios[0].table, rules)
    siting = Siting(
        site_id=tuple(sites["site_id"]),
        existing=sites["existing"].to_numpy(bool),
        scenarios=scenarios,
        fixed=sites["site_id"].isin(known_bases(wishes.keep, sites)).to_numpy(),
        barred=np.zeros(len(sites), dtype=bool),
        requirements=needs,
        distance_km=distances_km(sites),
        passable=None if march is None else np.isfinite(march),
    )
    return siting, [*notes, *words_of_ways(sites, siting, standard)]


def candidates_of(
    index: Indexed, moment: Moment, wishes: PlanWishes, standard: DeploymentStandard,
    cells: pd.DataFrame,
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Gather candidates; in thinning, people whom a base reaches today count for less."""
    near = cells.get("reach_min", pd.Series(np.nan, index=cells.index)) <= standard.middle_min
    weighed = cells.assign(demand=cells["demand"] * np.where(near, COVERED_PART, 1.0))
    asked = (wishes.candidates, wishes.propose)
    return candidate_places(index, *asked, standard, (moment, weighed))


def scenarios_of(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame,
    asked: tuple[DeploymentStandard, PlanWishes], demands: dict[str, NDArray[np.float64]],
) -> tuple[Scenario, ...]:  # fmt: skip
    """Cross the seasons with the pictures of the threat."""
    standard, wishes = asked
    seasons = wishes.seasons or (moment.reach.season,)
    if len(seasons) > 1 and reach_method(index) == STRAIGHT_LINE:
        raise BadInput("A straight line knows no season: ask for one, or add terrain layers.")
    tables = {season: site_minutes(index, moment, sites, standard, season) for season in seasons}
    return tuple(
        Scenario(
            name=f"{season} season, {DEMAND_WORDS[name]}", table=tables[season], demand=demand,
            area=area_codes(index.known("cells")),
        )
        for season in seasons
        for name, demand in demands.items()
    )  # fmt: skip


def wanted(standard: DeploymentStandard, wishes: PlanWishes) -> tuple[str, ...]:
    """Pictures of the threat asked for."""
    return wishes.demands or (standard.demand,)


def demand_of(cells: pd.DataFrame, name: str, index: Indexed) -> NDArray[np.float64]:
    """People of each cell, weighted by risk as one picture of the threat has it; unknown: 0."""
    people = cells["people_persons"].to_numpy("float64")
    if name == "people":
        return np.nan_to_num(people)
    if "risk" not in cells:
        raise index.lacks("incidents")
    column = {"risk": "threat", "recent": "threat_recent", "past": "threat_past"}[name]
    risk = cells[column].to_numpy("float64") * cells["vulnerability"].to_numpy("float64")
    demand = np.nan_to_num(people * risk)
    if demand.sum() <= 0:
        raise BadInput(
            f"{index.file.path}: nobody is at {DEMAND_WORDS[name]} on this day. "
            "Ask with --demand people."
        )
    return demand


def site_rows(
    index: Indexed, bases: Any, places: pd.DataFrame, standard: DeploymentStandard, moment: Moment
) -> gpd.GeoDataFrame:
    """Put bases and places in one table, as reach asks for them."""
    bases = bases.sort_values("base_id", kind="stable").reset_index(drop=True)
    middle = [centre_of(shape) for shape in bases.geometry]
    now = pd.DataFrame(
        {
            "site_id": bases["base_id"].astype(str),
            "name": bases["name"].where(bases["name"].notna(), bases["base_id"]),
            "kind": "base",
            "lon": [float(lon) for lon, _ in middle],
            "lat": [float(lat) for _, lat in middle],
            "existing": True,
        }
    )
    for column in ("mobility", "qrf_notice_min", "max_range_km", "night_moves", *TOLD):
        now[column] = bases[column].astype(object) if column in bases else None
    now["geometry"] = bases.geometry.to_numpy()
    then = places.copy()
    then["existing"] = False
    then["max_range_km"] = standard.range_km
    then[["night_moves", *TOLD]] = None
    known = then["mobility"].notna() & then["mobility"].ne("unknown")
    then["mobility"] = then["mobility"].astype(object).where(known, standard.mobility)
    then["qrf_notice_min"] = pd.to_numeric(then["qrf_notice_min"]).fillna(standard.notice_min)
    spots: Any = shapely.points(then["lon"], then["lat"])
    then["geometry"] = spots
    now["base_kind"] = bases["kind"].astype(object) if "kind" in bases else None
    then["base_kind"] = NEW_KIND
    both = pd.DataFrame({name: [*now[name], *then[name]] for name in now.columns})
    for column in ("qrf_notice_min", "max_range_km"):
        both[column] = pd.to_numeric(both[column]).astype("float64")
    twice = both.loc[both["site_id"].duplicated(), "site_id"]
    if len(twice):
        raise BadInput(f"A base and a candidate have the same code {twice.iloc[0]!r}. Rename one.")
    both["notice_min"] = both["qrf_notice_min"].fillna(moment.reach.assumed_notice_min)
    both["cell"] = grid.cells_of(both["lon"], both["lat"], index.file.resolution)
    return gpd.GeoDataFrame(both, geometry="geometry", crs="EPSG:4326")


def distances_km(sites: pd.DataFrame) -> NDArray[np.float64]:
    """Geodesic kilometres from every base to every site; from places they are not needed."""
    count = len(sites)
    lon, lat = sites["lon"].to_numpy("float64"), sites["lat"].to_numpy("float64")
    made = np.full((count, count), np.inf)
    bases = np.flatnonzero(sites["existing"].to_numpy(bool))
    made[bases] = distance_m(lon[bases, None], lat[bases, None], lon[None, :], lat[None, :]) / 1000
    return made


def area_codes(cells: pd.DataFrame) -> NDArray[np.int64] | None:
    """Give each area a number, for cover to be fair between them: admin 2, else 1, else AOR."""
    for column in ("admin2_id", "admin1_id", "aor_id"):
        if column in cells and cells[column].notna().any():
            return pd.factorize(cells[column], sort=True)[0].astype(np.int64)
    return None
