"""Reach over the ground: minutes from each base by roads, land cover, slope, water and season."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import numbers_of, standing, words_of
from pocgeo.analyses.reach.air import AIR, air_table
from pocgeo.analyses.reach.graph import Field, TravelGraph, field, travel_graph
from pocgeo.analyses.reach.places import reach_at
from pocgeo.analyses.reach.seeds import departures, origins_of
from pocgeo.analyses.reach.straight import ReachStandard
from pocgeo.analyses.reach.table import reach_minutes
from pocgeo.cells.lattice import Lattice
from pocgeo.cells.slopes import slope_minutes
from pocgeo.cells.speeds import TerrainRules
from pocgeo.cells.terrain import Terrain, pace, pace_notes, relief_m
from pocgeo.cells.ways import crossing_minutes, road_notes, road_pace
from pocgeo.ground.frames import require_columns, with_standard
from pocgeo.ground.nearness import distance_to_geometry_m

__all__ = ["Ground", "ground_reach_at", "ground_reach_table"]

FARTHER = 4
"""How many horizons away a base is looked for where nearer ones may not go so far."""

DISMOUNTED = 5.0
"""House default: who dismounts climbs at a fifth of the vehicle's flat speed at worst."""

MOST_PAIRS = 20_000_000
"""Pairs of base and cell up to which that is done."""

COLUMNS = ["base_id", "cell", "reach_min", "binding", "assumed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that reach over the ground is worked out from, whoever moves."""

    lattice: Lattice
    """Cells, road vertices, ways between them, water they cross."""

    terrain: Terrain
    """What the ground of each cell is."""

    rules: TerrainRules
    """Speeds, crossings and seasons."""

    roads: Any = None
    """The layer whose rows the network counts; None where there is none."""

    road_flooded: NDArray[np.float64] | None = None
    """Part of each road's length under the wet season's floods."""

    landing_sites: Any = None
    """Where aircraft may land; None where none is known."""


def ground_reach_table(
    ground: Ground, bases: Any, standard: ReachStandard, *, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Minutes over the ground from every base to every cell within the horizon.

    Parameters
    ----------
    ground : Ground
    bases : GeoDataFrame, m rows
        `base_id`, point or polygon geometry, EPSG:4326; `mobility`, `qrf_notice_min`,
        `max_range_km`, `night_moves`, `opened_on`, `closed_on` where known.
    standard : ReachStandard
        `season` chooses the state of roads, ground and water; `horizon_min` bounds the pairs,
        save each cell's quickest.
    as_of : day
        Only bases standing and roads open on that day.

    Returns
    -------
    DataFrame, sorted by cell, then minutes
        `base_id`, `cell`, `reach_min` (NaN: beyond the base's range), `binding` ("max_range",
        "by day only", NA), `assumed` (words, NA).
    """
    require_columns(bases, "bases", ["base_id", "geometry"])
    stood = standing(bases, as_of).sort_values("base_id", kind="stable", ignore_index=True)
    mobility = words_of(stood, "mobility").replace({"unknown": None})
    means = mobility.fillna(standard.assumed_mobility)
    parts = []
    for way, alike in stood.groupby(means, sort=True):
        if way == AIR:
            table = air_table(
                ground.terrain.cells, alike, ground.rules.air, landing_sites=ground.landing_sites,
                horizon_min=standard.horizon_min, assumed_notice_min=standard.assumed_notice_min,
            )  # fmt: skip
        else:
            table = by_mobility(ground, alike.reset_index(drop=True), str(way), standard, as_of)
        parts.append(table[COLUMNS])
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    unsaid = stood.loc[mobility.isna(), "base_id"]
    table["assumed"] = joined_words(
        table["assumed"], table["base_id"].isin(unsaid), f"mobility {standard.assumed_mobility}"
    )
    near = table["reach_min"] <= standard.horizon_min
    table = table.sort_values(["cell", "reach_min", "base_id"], kind="stable", ignore_index=True)
    near = table["reach_min"] <= standard.horizon_min
    table = table[near | ~table.duplicated("cell")].reset_index(drop=True)
    table.attrs["notes"] = list(ground_notes(ground, sorted(set(means) - {AIR})))
    return with_standard(table, "How many minutes from each base to each cell?", reach=standard)


def ground_notes(ground: Ground, means: Sequence[str]) -> Iterator[str]:
    """Say which speeds are defaults because nothing is known of ground or road."""
    said = [note for way in means for note in pace_notes(ground.terrain, ground.rules, way)]
    if ground.roads is not None:
        said += road_notes(ground.roads, ground.rules)
    yield from dict.fromkeys(said)


def joined_words(words: pd.Series, rows: pd.Series, more: str) -> pd.Series:
    """Add a phrase to what is said of some rows."""
    said = words.astype(object).where(words.notna(), None)
    both = said.map(lambda text: f"{more}, {text}" if text else more)
    return both.where(rows, said)


def by_mobility(
    ground: Ground, bases: Any, mobility: str, standard: ReachStandard, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Reach of bases that move alike: one graph, one table, and each cell's quickest beyond it."""
    crossing = crossing_of(ground, mobility, standard.season)
    graph = graph_of(ground, mobility, standard.season, as_of, crossing)
    notice = numbers_of(bases, "qrf_notice_min")
    known = notice.fillna(standard.assumed_notice_min).to_numpy()
    shapes = bases["geometry"].to_numpy()
    sites = departures(ground.lattice, graph, shapes, known, crossing_min=crossing)
    table = reach_minutes(graph, sites, standard.horizon_min).pairs()
    table = pd.concat([table, beyond(field(graph, sites), table, graph)], ignore_index=True)
    answer = told(table, bases, ground, standard)
    barred = ~answer["cell"].isin(answer.loc[answer["reach_min"].notna(), "cell"])
    if barred.any() and len(bases) * graph.cells_n <= MOST_PAIRS:
        # the quickest base may not go so far: a slower one that may is looked for farther out
        wider = reach_minutes(graph, sites, FARTHER * standard.horizon_min).pairs()
        cells = ground.lattice.cells[wider["position"].to_numpy()]
        wider = wider[np.isin(cells, answer.loc[barred, "cell"].unique())]
        late = told(wider.reset_index(drop=True), bases, ground, standard)
        late = late[late["reach_min"] > standard.horizon_min]
        late = late.sort_values(["cell", "reach_min"], kind="stable").drop_duplicates("cell")
        kept = ~answer["cell"].isin(late["cell"])
        answer = pd.concat([answer[kept], late], ignore_index=True)
    return answer


def told(table: pd.DataFrame, bases: Any, ground: Ground, standard: ReachStandard) -> pd.DataFrame:
    """Put base, cell, limits and what was assumed beside the minutes of pairs."""
    notice = numbers_of(bases, "qrf_notice_min")
    code = table["site"].to_numpy()
    answer = pd.DataFrame(
        {
            "base_id": bases["base_id"].to_numpy()[code],
            "cell": ground.lattice.cells[table["position"].to_numpy()],
            "reach_min": table["reach_min"].astype("float64"),
        }
    )
    wait = f"readiness {standard.assumed_notice_min:g} min"
    assumed = np.full(len(answer), None, dtype=object)
    assumed[notice.isna().to_numpy()[code]] = wait
    answer["assumed"] = assumed
    return with_limits(answer, bases, table, ground)


def beyond(quickest: Field, table: pd.DataFrame, graph: TravelGraph) -> pd.DataFrame:
    """Rows for cells that no base reaches within the horizon, but some base in time."""
    minutes = quickest.minutes[: graph.cells_n]
    missing = np.isfinite(minutes)
    missing[table["position"].to_numpy()] = False
    position = np.flatnonzero(missing)
    return pd.DataFrame(
        {
            "site": quickest.site[position],
            "position": position.astype(np.int32),
            "reach_min": minutes[position],
        }
    )


def graph_of(
    ground: Ground,
    mobility: str,
    season: str,
    as_of: pd.Timestamp,
    crossing: NDArray[np.floating] | None,
) -> TravelGraph:
    """Put the minutes of a mobility and a season on the mesh."""
    network, rules = ground.lattice.network, ground.rules
    per_edge = np.zeros(0)
    if ground.roads is not None and len(network.u):
        flooded = ground.road_flooded if season == "wet" else None
        per_road = road_pace(
            ground.roads, rules, mobility, season, as_of=as_of, flooded_share=flooded
        )
        per_edge = per_road[network.row] * slowed(ground)
    return travel_graph(
        ground.lattice,
        pace(ground.terrain, rules, mobility, season),
        per_edge,
        crossing_min=crossing,
        elevation_m=relief_m(ground.terrain, rules),
        slope=slope_of(rules, mobility),
        slope_on_roads=rules.slope[mobility].on_roads,
    )


def slope_of(rules: TerrainRules, mobility: str) -> Callable[[Any], Any]:
    """Minutes on a slope over minutes on the flat; who dismounts climbs on foot at worst."""
    declared = slope_minutes(mobility, rules)
    if not rules.off_road[mobility].dismounts:
        return declared
    return lambda rise: np.minimum(declared(rise), DISMOUNTED)


def slowed(ground: Ground) -> NDArray[np.float64]:
    """Factor of insecurity on each road edge, that of the cell where it begins."""
    lattice, insecurity = ground.lattice, ground.terrain.insecurity
    if insecurity is None:
        return np.ones(len(lattice.network.u))
    home = lattice.connectors.home[lattice.network.u]
    factor = insecurity.fillna(1.0).to_numpy(dtype=np.float64)
    return np.where(home >= 0, factor[home], 1.0)


def with_limits(
    answer: pd.DataFrame, bases: Any, table: pd.DataFrame, ground: Ground
) -> pd.DataFrame:
    """Hold each base to its declared range, and say which of its limits binds."""
    binding = np.full(len(answer), None, dtype=object)
    code = table["site"].to_numpy()
    by_day = words_of(bases, "night_moves").map(lambda moves: moves is not None and not moves)
    binding[by_day.to_numpy(bool)[code]] = "by day only"
    range_m = numbers_of(bases, "max_range_km").to_numpy() * 1000
    for site in np.flatnonzero(np.isfinite(range_m)):
        rows = np.flatnonzero(code == site)
        at = table["position"].to_numpy()[rows]
        lon, lat = ground.lattice.lon[at], ground.lattice.lat[at]
        far = distance_to_geometry_m(lon, lat, bases["geometry"].iloc[site]) > range_m[site]
        binding[rows[far]] = "max_range"
    answer["binding"] = binding
    answer.loc[answer["binding"] == "max_range", "reach_min"] = np.nan
    return answer


def ground_reach_at(
    ground: Ground,
    bases: Any,
    standard: ReachStandard,
    places: pd.DataFrame,
    *,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """Minutes over the ground to exact places, from the quickest base that may go so far.

    Parameters
    ----------
    ground, bases, standard, as_of
        As in `ground_reach_table`; aircraft are left out.
    places : DataFrame, n rows
        `lon`, `lat`, degrees, EPSG:4326.

    Returns
    -------
    DataFrame, n rows, indexed as `places`
        `base_id` (NA: none), `reach_min`, and the band `low_min`, `high_min` that the last leg
        leaves open (NaN: nobody comes).
    """
    require_columns(places, "places", ["lon", "lat"])
    stood = standing(bases, as_of).sort_values("base_id", kind="stable", ignore_index=True)
    means = words_of(stood, "mobility").replace({"unknown": None}).fillna(standard.assumed_mobility)
    best = pd.DataFrame(np.nan, index=places.index, columns=["reach_min", "low_min", "high_min"])
    best.insert(0, "base_id", pd.Series(None, index=places.index, dtype=object))
    for way, alike in stood.groupby(means, sort=True):
        if way == AIR:
            continue
        for found in by_range(
            ground, alike.reset_index(drop=True), str(way), standard, places, as_of
        ):
            sooner = found["reach_min"].notna() & ~(found["reach_min"] >= best["reach_min"])
            best = best.where(~sooner, found)
    return best


def by_range(
    ground: Ground, bases: Any, mobility: str, standard: ReachStandard, places: pd.DataFrame,
    as_of: pd.Timestamp,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Ask bases without a range together, and each base with one by itself: it may bind."""
    crossing = crossing_of(ground, mobility, standard.season)
    graph = graph_of(ground, mobility, standard.season, as_of, crossing)
    range_m = numbers_of(bases, "max_range_km").to_numpy() * 1000
    free = np.flatnonzero(~np.isfinite(range_m))
    groups = ([free] if len(free) else []) + [
        [site] for site in np.flatnonzero(np.isfinite(range_m))
    ]
    for rows in groups:
        some = bases.iloc[rows].reset_index(drop=True)
        notice = numbers_of(some, "qrf_notice_min").fillna(standard.assumed_notice_min).to_numpy()
        shapes = some["geometry"].to_numpy()
        sites = departures(ground.lattice, graph, shapes, notice, crossing_min=crossing)
        found = reach_at(
            ground.lattice, graph, field(graph, sites), places,
            origins=origins_of(shapes, notice), crossing_min=crossing,
        )  # fmt: skip
        reached = np.isfinite(found["reach_min"].to_numpy())
        if len(rows) == 1 and np.isfinite(range_m[rows[0]]):
            far = distance_to_geometry_m(places["lon"], places["lat"], shapes[0])
            reached &= far <= range_m[rows[0]]
        names = some["base_id"].to_numpy(object)[np.maximum(found["site"].to_numpy(), 0)]
        found = found.drop(columns="site").where(pd.Series(reached, index=found.index))
        found.insert(0, "base_id", np.where(reached, names, None))
        yield found


def crossing_of(ground: Ground, mobility: str, season: str) -> NDArray[np.float64] | None:
    """Minutes to cross each waterway; None where none is known."""
    water = ground.lattice.waterways
    return None if water is None else crossing_minutes(water, ground.rules, mobility, season)
