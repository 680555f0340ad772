"""The reach table: minutes from every site to every cell within a limit, and what follows from it.

Existing bases and candidate places are sites alike. The field, coverage, backup, and what adding,
closing or moving a base would change are reductions of this one table; no way is sought again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import dijkstra

from pocgeo.analyses.reach.graph import (
    Field,
    Ints,
    Singles,
    Sites,
    TravelGraph,
    farthest_m,
    with_sites,
)
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import earth_centred_m

__all__ = ["Changed", "ReachTable", "reach_minutes"]

BATCH = 64
"""Sites of one neighbourhood asked at once."""

TILES = 1.0
"""Side of a neighbourhood, in distances covered at top speed within the limit."""


class Changed(NamedTuple):
    """What a change of sites does, one answer per cell."""

    before_min: Singles
    after_min: Singles
    gained: NDArray[np.bool_]
    """Reached sooner, or reached at all."""

    lost: NDArray[np.bool_]


@dataclass(frozen=True)
class ReachTable:
    """Minutes by site, then cell: compressed rows, one per site. Cells not listed are too far."""

    indptr: NDArray[np.int64]
    cell: Ints
    """Positions of cells."""

    minutes: Singles
    cells_n: int
    limit_min: float

    @property
    def sites_n(self) -> int:
        """Number of sites."""
        return len(self.indptr) - 1

    @cached_property
    def site(self) -> Ints:
        """Site of every pair."""
        return np.repeat(np.arange(self.sites_n, dtype=np.int32), np.diff(self.indptr))

    @cached_property
    def by_cell(self) -> NDArray[np.int64]:
        """Order of the pairs by cell, then minutes, then site."""
        swift = np.argsort(self.minutes, kind="stable")
        return swift[np.argsort(self.cell[swift], kind="stable")]

    def pairs(self) -> pd.DataFrame:
        """Long table: `site`, `position` (of the cell), `reach_min`."""
        return pd.DataFrame({"site": self.site, "position": self.cell, "reach_min": self.minutes})

    def standing(self, sites: ArrayLike | None) -> NDArray[np.bool_]:
        """Mask of the sites asked about: all of them, a mask, or numbers.

        Raises
        ------
        BadInput
            A site that the table does not have.
        """
        if sites is None:
            return np.ones(self.sites_n, dtype=bool)
        asked = np.asarray(sites)
        if asked.dtype == bool and asked.shape == (self.sites_n,):
            return asked
        numbers = asked.astype(np.int64)
        if asked.dtype == bool or (numbers < 0).any() or (numbers >= self.sites_n).any():
            raise BadInput(f"Sites are numbered 0 to {self.sites_n - 1}; got {asked.tolist()}.")
        mask = np.zeros(self.sites_n, dtype=bool)
        mask[numbers] = True
        return mask

    def ranked(self, sites: ArrayLike | None, rank: int) -> Field:
        """Find the quickest (rank 0), second quickest (1), ... of the sites, for every cell."""
        order = self.by_cell
        order = order[self.standing(sites)[self.site[order]]]
        cell = self.cell[order]
        place = np.searchsorted(cell, np.arange(self.cells_n + 1))
        found = np.flatnonzero(np.diff(place) > rank)
        chosen = order[place[found] + rank]
        minutes = np.full(self.cells_n, np.inf, dtype=np.float32)
        owner = np.full(self.cells_n, -1, dtype=np.int32)
        minutes[found], owner[found] = self.minutes[chosen], self.site[chosen]
        return Field(minutes, owner)

    def field(self, sites: ArrayLike | None = None) -> Field:
        """Minutes from the quickest of the sites, and which it is; inf and -1 beyond the limit."""
        return self.ranked(sites, 0)

    def backup(self, sites: ArrayLike | None = None) -> Field:
        """Minutes from the second quickest of the sites: what is left if the quickest fails."""
        return self.ranked(sites, 1)

    def covers(self, within_min: float, sites: ArrayLike | None = None) -> Ints:
        """How many of the sites reach each cell within some minutes.

        Raises
        ------
        BadInput
            More minutes than the table holds.
        """
        self.held(within_min)
        near = self.standing(sites)[self.site] & (self.minutes <= within_min)
        return np.bincount(self.cell[near], minlength=self.cells_n).astype(np.int32)

    def weighed(
        self, weight: ArrayLike, within_min: float, sites: ArrayLike | None = None
    ) -> pd.DataFrame:
        """Sum a weight of cells (people, risk) by site.

        Returns
        -------
        DataFrame, one row per site asked, indexed by `site`
            `reached` (within the minutes), `alone` (reached by no other site asked: what is lost
            if this one fails).
        """
        counts = self.covers(within_min, sites)
        mask = self.standing(sites)
        load = np.asarray(weight, dtype="float64")
        near = mask[self.site] & (self.minutes <= within_min)
        cell, site = self.cell[near], self.site[near]
        only = np.where(counts[cell] == 1, load[cell], 0.0)
        told = pd.DataFrame(
            {
                "reached": np.bincount(site, load[cell], self.sites_n),
                "alone": np.bincount(site, only, self.sites_n),
            },
            index=pd.RangeIndex(self.sites_n, name="site"),
        )
        return told[mask]

    def what_if(self, now: ArrayLike, then: ArrayLike) -> Changed:
        """Compare two sets of sites: a base added, closed or moved."""
        before, after = self.field(now).minutes, self.field(then).minutes
        return Changed(before, after, after < before, after > before)

    def held(self, within_min: float) -> None:
        """Refuse minutes beyond the table's limit: they would pass for out of reach."""
        if not within_min <= self.limit_min:
            raise BadInput(
                f"The reach table holds up to {self.limit_min:g} min, not {within_min:g}. "
                "Compute it with a greater limit_min."
            )


def reach_minutes(graph: TravelGraph, sites: Sites, limit_min: float) -> ReachTable:
    """Minutes from every site to every cell within a limit.

    Parameters
    ----------
    graph : TravelGraph
    sites : Sites
    limit_min : float
        Pairs farther apart are left out.

    Returns
    -------
    ReachTable
        Cells of a site in order of position.

    Raises
    ------
    BadInput
        A limit that is not a number of minutes more than 0.

    Notes
    -----
    Sites are asked in neighbourhoods: nobody leaves the box that the fastest arc of the graph
    allows within the limit, so what lies outside it is left out without changing an answer.
    """
    if not 0 < limit_min < np.inf:
        raise BadInput(f"limit_min must be more than 0 and finite, got {limit_min:g}.")
    parts, times = [np.zeros((2, 0), dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    for group, nodes in neighbourhoods(graph, sites, limit_min):
        indptr, indices, minutes = within(graph, nodes)
        cells_n = int(np.searchsorted(nodes, graph.cells_n))
        for start in range(0, len(group), BATCH):
            some = group[start : start + BATCH]
            asked = seeds_within(sites, some, nodes)
            matrix = with_sites(indptr, indices, minutes, asked)
            told = dijkstra(matrix, indices=len(nodes) + np.arange(len(some)), limit=limit_min)
            site, cell = np.nonzero(np.isfinite(told[:, :cells_n]))
            parts.append(np.stack([some[site], nodes[cell]]))
            times.append(told[site, cell].astype(np.float32))
    site, cell = np.concatenate(parts, axis=1)
    order = np.argsort(site * graph.cells_n + cell)
    sites_n = len(sites.indptr) - 1
    return ReachTable(
        indptr=np.append(0, np.cumsum(np.bincount(site, minlength=sites_n))).astype(np.int64),
        cell=cell[order].astype(np.int32),
        minutes=np.concatenate(times)[order],
        cells_n=graph.cells_n,
        limit_min=limit_min,
    )


def neighbourhoods(
    graph: TravelGraph, sites: Sites, limit_min: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Group sites close together, each group with all nodes that any of it can get to, sorted."""
    count = np.diff(sites.indptr)
    alive = np.flatnonzero(count > 0)
    if not len(alive):
        return
    places = earth_centred_m(graph.lon, graph.lat)
    axes = [np.ascontiguousarray(places[:, axis]) for axis in range(3)]
    reach_m = farthest_m(graph, limit_min) + 1.0
    spot = places[sites.node[sites.indptr[alive]]]
    tile = np.floor((spot - spot.min(axis=0)) / max(TILES * reach_m, 1.0)).astype(np.int64)
    whose = np.unique(tile, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(whose, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(whose[order])) + 1):
        group = alive[rows]
        seeds = np.concatenate([np.arange(*sites.indptr[site : site + 2]) for site in group])
        box = places[sites.node[seeds]]
        low, high = box.min(axis=0) - reach_m, box.max(axis=0) + reach_m
        inside = (axes[0] >= low[0]) & (axes[0] <= high[0])
        for axis in (1, 2):
            inside &= (axes[axis] >= low[axis]) & (axes[axis] <= high[axis])
        yield group, np.flatnonzero(inside)


def within(graph: TravelGraph, nodes: NDArray[np.int64]) -> tuple[Ints, Ints, Singles]:
    """Part of the graph between some nodes, numbered anew in their order."""
    start, size = graph.indptr[nodes], np.diff(graph.indptr)[nodes]
    total = int(size.sum())
    arc = np.arange(total) + np.repeat(start - (np.cumsum(size) - size), size)
    number = np.full(len(graph.lon), -1, dtype=np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    tail = number[graph.indices[arc]]
    kept = tail >= 0
    seen = np.append(0, np.cumsum(kept))
    bounds = np.append(0, np.cumsum(size))
    return seen[bounds].astype(np.int32), tail[kept], graph.minutes[arc[kept]]


def seeds_within(sites: Sites, group: NDArray[np.int64], nodes: NDArray[np.int64]) -> Sites:
    """Seeds of a group of sites, their nodes numbered as among `nodes`."""
    size = np.diff(sites.indptr)[group]
    bounds = np.append(0, np.cumsum(size))
    at = np.arange(bounds[-1]) + np.repeat(sites.indptr[group] - bounds[:-1], size)
    number = np.searchsorted(nodes, sites.node[at]).astype(np.int32)
    return Sites(bounds.astype(np.int64), number, sites.minutes[at])
