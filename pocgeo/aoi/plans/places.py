"""Places a base might go to: named by the planner, listed in a layer, or proposed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pocgeo.analyses.bases import standing
from pocgeo.analyses.deployment.candidates import thinned_places
from pocgeo.analyses.deployment.question import DeploymentStandard
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.travel import ground_of
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.grid_reference import parse_mgrs, parse_pair, to_mgrs
from pocgeo.ground.nearness import nearest
from pocgeo.layers.catalog import layer_spec
from pocgeo.layers.load import load
from pocgeo.layers.request import LoadRequest, SourceRequest

__all__ = ["PROPOSED", "candidate_places", "named_place", "no_places"]

PROPOSED = ("settlements", "junctions", "landing_sites", "ground")
"""Kinds of places that are proposed where none are named."""

FILES = {".csv", ".xlsx", ".geojson", ".json", ".gpkg", ".kml", ".kmz", ".shp", ".parquet", ".tsv"}
KEYS = {
    "settlements": ("settlement_id", "name", "settlement"),
    "sites": ("site_id", "name", "site"),
    "landing_sites": ("landing_site_id", "name", "landing site"),
    "candidate_sites": ("candidate_id", "name", "candidate"),
}
COLUMNS = ["site_id", "name", "kind", "lon", "lat", "mobility", "qrf_notice_min"]
JUNCTION_ROADS = 3
GROUND_LEVELS = 2
BASE_KM = 1.0
GROUND = "open ground"


def candidate_places(
    index: Indexed,
    asked: Sequence[str],
    propose: Sequence[str],
    standard: DeploymentStandard,
    scene: tuple[Moment, pd.DataFrame],
) -> tuple[pd.DataFrame, list[str]]:
    """Gather candidate places, thinned to a declared number.

    Parameters
    ----------
    index : Indexed
    asked : texts
        Files, names, codes, grid references or coordinates; empty: the layer candidate_sites,
        and where there is none, proposals.
    propose : kinds of PROPOSED
    standard : DeploymentStandard
        `candidates_n`, `spacing_km`, and how people move from a new place.
    scene : Moment, and cells with `lon`, `lat`, `demand`

    Returns
    -------
    DataFrame with `site_id`, `name`, `kind`, `lon`, `lat`, `mobility`, `qrf_notice_min`;
    and notes.
    """
    moment, cells = scene
    notes: list[str] = []
    if asked:
        parts = [listed(index, text, notes) for text in asked]
        found = pd.concat(parts, ignore_index=True).drop_duplicates("site_id")
        said = f"{len(found)} candidate places, as listed."
    elif index.has("candidate_sites"):
        found = of_layer(index.known("candidate_sites"), "candidate_sites")
        said = f"{len(found)} candidate places of the layer candidate_sites."
    else:
        found, notes = proposed(index, propose, moment, cells, standard.spacing_km)
        many = len(found)
        found = thinned_places(found, cells, standard.candidates_n, standard.spacing_km)
        kinds = found["kind"].value_counts(sort=False)
        words = ", ".join(
            f"{kinds[kind]} {kind}{'' if kind == GROUND or kinds[kind] == 1 else 's'}"
            for kind in sorted(kinds.index)
        )
        said = f"{len(found)} of {many:,} proposed places weighed: {words or 'none'}."
    found = found.reindex(columns=COLUMNS).reset_index(drop=True)
    if found.empty:
        raise BadInput("There is no candidate place. Name some with --candidates.")
    return found, [said, *notes]


def listed(index: Indexed, text: str, notes: list[str]) -> pd.DataFrame:
    """Read one thing that the planner listed: a file of places, or one place."""
    path = Path(text)
    if path.suffix.lower() in FILES:
        request = LoadRequest(
            spec=layer_spec("candidate_sites"),
            sources=(SourceRequest(paths=(path,)),),
            time_zone=index.file.time_zone,
            boundary=index.file.boundary,
        )
        if not path.is_file():
            raise BadInput(f"{text}: there is no such file of candidate places. Check the path.")
        loaded = load(request)
        rejected = int(loaded.report.summary["rejected"].sum())
        if rejected:
            notes.append(f"{path.name}: {rejected} rows are no places and are left out.")
        return of_layer(loaded.frame, "candidate_sites")
    return named_place(index, text)


def of_layer(rows: Any, layer: str) -> pd.DataFrame:
    """Turn the rows of a layer into places."""
    code, name, kind = KEYS[layer]
    points = shapely.centroid(rows.geometry.to_numpy())
    codes = rows[code].astype(str)
    table = pd.DataFrame(
        {
            "site_id": kind + " " + codes,
            "name": rows[name].astype(object).where(rows[name].notna(), codes),
            "kind": kind,
            "lon": shapely.get_x(points),
            "lat": shapely.get_y(points),
        }
    )
    for column in ("mobility", "qrf_notice_min"):
        if column in rows and layer == "candidate_sites":
            table[column] = rows[column].to_numpy()
    return table.dropna(subset=["lon", "lat"]).reset_index(drop=True)


def named_place(index: Indexed, text: str) -> pd.DataFrame:
    """Find one place by code, name, grid reference or coordinates.

    Raises
    ------
    UnknownName, BadInput
        Nothing is called so, or several places are.
    """
    known: list[str] = []
    wanted = text.strip().casefold()
    found = []
    for layer in KEYS:
        rows = index.table(layer)
        if rows is None or rows.empty:
            continue
        places = of_layer(rows, layer)
        code = rows.loc[rows.geometry.notna(), KEYS[layer][0]].astype(str).to_numpy()
        same = places["name"].str.casefold().to_numpy() == wanted
        same |= (places["site_id"].str.casefold() == wanted).to_numpy()
        same |= np.array([each.casefold() == wanted for each in code[: len(places)]])
        found.append(places[same])
        known += places["name"].tolist()
    hits = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)
    if len(hits) > 1:
        codes = ", ".join(hits["site_id"].head(6))
        raise BadInput(f"{len(hits)} places are called {text!r}: {codes}. Use the code.")
    if len(hits) == 1:
        return hits
    for read in (parse_mgrs, parse_pair):
        lon, lat = read([text])
        if np.isfinite(lon[0] + lat[0]):
            return spot(float(lon[0]), float(lat[0]), "place")
    raise UnknownName("place, grid reference or coordinates", text, known)


def no_places() -> pd.DataFrame:
    """Give no candidate place at all."""
    return pd.DataFrame(columns=COLUMNS).astype({"lon": "float64", "lat": "float64"})


def spot(lon: float, lat: float, kind: str) -> pd.DataFrame:
    """Make a place of a position."""
    reference = str(to_mgrs(lon, lat)[0])
    row = {"site_id": f"{kind} {reference}", "name": reference, "kind": kind}
    return pd.DataFrame([{**row, "lon": lon, "lat": lat}])


def proposed(
    index: Indexed, propose: Sequence[str], moment: Moment, cells: pd.DataFrame,
    spacing_km: float,
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Propose settlements, road junctions, landing sites and open ground, out of floods."""
    for kind in propose:
        if kind not in PROPOSED:
            raise UnknownName("kind of place to propose", kind, PROPOSED)
    parts = []
    for layer in ("settlements", "landing_sites"):
        rows = index.table(layer)
        if layer in propose and rows is not None and len(rows):
            parts.append(of_layer(rows, layer))
    if "junctions" in propose and index.table("roads") is not None:
        parts.append(junctions(index, moment))
    if "ground" in propose:
        parts.append(open_ground(index, cells, parts, spacing_km))
    found = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=COLUMNS)])
    found = found.drop_duplicates("site_id").reset_index(drop=True)
    inside = grid.positions(
        index.known("cells")["cell"].to_numpy(),
        grid.cells_of(found["lon"], found["lat"], index.file.resolution),
    )
    found = found[inside >= 0].reset_index(drop=True)
    return dry_and_free(found, index, moment)


def dry_and_free(
    found: pd.DataFrame, index: Indexed, moment: Moment
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out places under floods, and those where a base stands already."""
    notes = []
    floods, bases = index.table("floods"), index.table("bases")
    if floods is not None and len(floods) and len(found):
        tree = shapely.STRtree(floods.geometry.to_numpy())
        points = shapely.points(found["lon"], found["lat"])
        wet = np.unique(tree.query(points, predicate="intersects")[0])
        notes.append(f"{len(wet)} proposed places lie in floods and are left out.")
        found = found.drop(index=found.index[wet]).reset_index(drop=True)
    if bases is not None and len(found):
        shapes = standing(bases, moment.at).geometry.to_numpy()
        if len(shapes):
            near = nearest(found["lon"], found["lat"], shapes, within_m=BASE_KM * 1000)
            found = found[near.position < 0].reset_index(drop=True)
    return found, notes


def junctions(index: Indexed, moment: Moment) -> pd.DataFrame:
    """Find where three roads or more meet."""
    network = ground_of(index, moment.at).lattice.network
    ends = np.concatenate([network.u, network.v]).astype(np.int64)
    others = np.concatenate([network.v, network.u]).astype(np.int64)
    pairs = np.unique(np.stack([ends, others]), axis=1)
    ways = np.bincount(pairs[0], minlength=len(network.lon))
    at = np.flatnonzero(ways >= JUNCTION_ROADS)
    lon, lat = network.lon[at], network.lat[at]
    return positions(lon, lat, "road junction")


def open_ground(
    index: Indexed, cells: pd.DataFrame, others: Sequence[pd.DataFrame], spacing_km: float
) -> pd.DataFrame:
    """Take the cell of most demand in every parent cell two levels up, far from other places."""
    held = cells[cells["demand"] > 0]
    if held.empty or index.file.resolution < GROUND_LEVELS:
        return pd.DataFrame(columns=COLUMNS)
    above = grid.parents(held["cell"].to_numpy(), index.file.resolution - GROUND_LEVELS)
    ranked = held.assign(above=above).sort_values(["demand", "cell"], ascending=[False, True])
    best = ranked.drop_duplicates("above").sort_values("cell")
    named = pd.concat(others, ignore_index=True) if others else pd.DataFrame()
    if len(named):
        points = shapely.points(named["lon"], named["lat"])
        near = nearest(best["lon"], best["lat"], points, within_m=spacing_km * 1000)
        best = best[near.position < 0]
    return positions(best["lon"].to_numpy(), best["lat"].to_numpy(), GROUND)


def positions(lon: Any, lat: Any, kind: str) -> pd.DataFrame:
    """Make places of positions."""
    reference = to_mgrs(lon, lat).astype(str)
    table = pd.DataFrame({"site_id": [f"{kind} {each}" for each in reference], "name": reference})
    return table.assign(kind=kind, lon=lon, lat=lat).drop_duplicates("site_id")
