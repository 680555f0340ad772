"""Demand, collapsed: cells that the same sites reach are one row; nothing is lost by it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, vstack

from pocgeo.analyses.deployment.question import DeploymentStandard
from pocgeo.analyses.deployment.siting import Floats, Ints, Mask, Scenario, Siting

__all__ = ["Block", "Cover", "collapsed", "cover_of"]

HASH_SEED = 20_240_229


class Collapsed(NamedTuple):
    """Rows of equal sites, merged."""

    matrix: Any
    """Sparse, rows x sites, ones."""

    weight: Floats
    row: Ints
    """Merged row of every row given; -1: no site reaches it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Demand of one scenario within one step."""

    scenario: int
    step_min: float
    matrix: Any
    """Sparse, rows x sites: who reaches whom."""

    weight: Floats
    """Worth of a row's being reached."""

    second: Floats
    """Worth of its being reached twice."""

    people: Floats
    """Demand of the row, unweighted."""

    area: Ints
    """Area of the row; -1: none, or not asked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cover:
    """All blocks of a siting."""

    blocks: tuple[Block, ...]
    total: Floats
    """Worth of reaching everybody within the first step, by scenario."""

    def values(self, chosen: Mask) -> Floats:
        """Worth of a set of sites, by scenario; equity and strength apart."""
        worth = np.zeros(len(self.total))
        taken = chosen.astype(np.float64)
        for block in self.blocks:
            count = block.matrix @ taken
            worth[block.scenario] += block.weight[count > 0].sum() + block.second[count > 1].sum()
        return worth

    @cached_property
    def stacked(self) -> Block:
        """All rows of the first scenario as one block."""
        some = [block for block in self.blocks if block.scenario == 0]
        return Block(
            scenario=0,
            step_min=0.0,
            matrix=vstack([block.matrix for block in some]).tocsr(),
            weight=np.concatenate([block.weight for block in some]),
            second=np.concatenate([block.second for block in some]),
            people=np.concatenate([block.people for block in some]),
            area=np.concatenate([block.area for block in some]),
        )

    def lessened(self, fixed: Mask, barred: Mask) -> tuple["Cover", Floats]:
        """Take out what fixed sites settle, and the columns of sites that decide nothing.

        Returns
        -------
        Cover, and the worth by scenario that is settled.
        """
        settled = np.zeros(len(self.total))
        blocks = []
        for block in self.blocks:
            made, worth = lessened(block, fixed, fixed | barred)
            settled[block.scenario] += worth
            blocks.append(made)
        return Cover(blocks=tuple(blocks), total=self.total), settled

    @property
    def nonzeros(self) -> int:
        """Pairs of row and site."""
        return sum(block.matrix.nnz for block in self.blocks)


def cover_of(siting: Siting, standard: DeploymentStandard) -> Cover:
    """Collapse the demand of every scenario and step.

    Raises
    ------
    BadInput
        A reach table ends before the last step.
    """
    blocks = []
    for number, scenario in enumerate(siting.scenarios):
        for step, gain in zip(standard.steps_min, standard.gains, strict=True):
            area = scenario.area if standard.equity else None
            found = collapsed(*reached(scenario, step), area)
            backed = standard.backup_weight if step == standard.middle_min else 0.0
            blocks.append(
                Block(
                    scenario=number,
                    step_min=step,
                    matrix=found[0].matrix,
                    weight=gain * found[0].weight,
                    second=backed * found[0].weight,
                    people=found[0].weight,
                    area=found[1],
                )
            )
    worth = sum(standard.gains) + standard.backup_weight
    total = np.array([float(each.demand.sum()) * worth for each in siting.scenarios])
    return Cover(blocks=tuple(blocks), total=total)


def reached(scenario: Scenario, step_min: float) -> tuple[Any, Floats, Ints]:
    """Say which sites reach which cells with demand within a step: matrix, demand, cells."""
    table, demand = scenario.table, scenario.demand
    table.held(step_min)
    near = (table.minutes <= step_min) & (demand[table.cell] > 0)
    cell, site = table.cell[near], table.site[near]
    has = np.zeros(table.cells_n, dtype=bool)
    has[cell] = True
    cells = np.flatnonzero(has)
    number = np.cumsum(has) - 1
    ones = np.ones(len(cell))
    matrix = csr_matrix((ones, (number[cell], site)), shape=(len(cells), table.sites_n))
    matrix.sort_indices()
    return matrix, demand[cells], cells


def collapsed(
    matrix: Any, weight: Floats, cells: Ints | None = None, area: Ints | None = None
) -> tuple[Collapsed, Ints]:
    """Merge rows that the same sites reach (and that lie in the same area); drop those of none.

    Parameters
    ----------
    matrix : sparse, n rows x sites
        Sorted indices.
    weight : n floats
    cells, area : optional
        Area of cell `cells[i]` keeps rows apart.

    Returns
    -------
    Collapsed, and the area of each merged row (-1: none).
    """
    size = np.diff(matrix.indptr)
    held = np.flatnonzero(size > 0)
    label = np.full(len(weight), -1, dtype=np.int64)
    if area is not None and cells is not None:
        label = area[cells].astype(np.int64)
    first, second = (hashes(matrix, held, stream) for stream in (0, 1))
    first = first + label[held].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    _, at, inverse = np.unique(first, return_index=True, return_inverse=True)
    alike = (second == second[at][inverse]) & (size[held] == size[held][at][inverse])
    if not (alike & (label[held] == label[held][at][inverse])).all():
        keys = np.stack([first, second, label[held].astype(np.uint64)], axis=1)
        _, at, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    row = np.full(len(weight), -1, dtype=np.int64)
    row[held] = inverse
    merged: Floats = np.bincount(inverse, weight[held], minlength=len(at)).astype(np.float64)
    return Collapsed(matrix[held[at]], merged, row), label[held[at]]


def lessened(block: Block, fixed: Mask, idle: Mask) -> tuple[Block, float]:
    """Take out of one block what fixed sites settle; give what they are worth."""
    count = block.matrix @ fixed.astype(np.float64)
    settled = block.weight[count > 0].sum() + block.second[count > 1].sum()
    first = np.where(count == 0, block.weight, np.where(count == 1, block.second, 0.0))
    second = np.where(count == 0, block.second, 0.0)
    kept = np.flatnonzero(first > 0)
    matrix = (block.matrix[kept] @ diags_array((~idle).astype(np.float64))).tocsr()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    found, _ = collapsed(matrix, first[kept])
    made = Block(
        scenario=block.scenario,
        step_min=block.step_min,
        matrix=found.matrix,
        weight=found.weight,
        second=summed(found, second[kept]),
        people=summed(found, block.people[kept]),
        area=np.full(len(found.weight), -1, dtype=np.int64),
    )
    return made, float(settled)


def summed(found: Collapsed, values: Floats) -> Floats:
    """Add up values of rows over the rows they were merged into."""
    held = found.row >= 0
    total: Floats = np.bincount(found.row[held], values[held], minlength=len(found.weight)).astype(
        np.float64
    )
    return total


def hashes(matrix: Any, rows: Ints, stream: int) -> NDArray[np.uint64]:
    """Add up a random number per site over each row: equal for equal sets of sites."""
    rng = np.random.Generator(np.random.PCG64([HASH_SEED, stream]))
    number = rng.integers(0, 2**63, matrix.shape[1], dtype=np.uint64)
    if not len(rows):
        return np.zeros(0, dtype=np.uint64)
    sums: NDArray[np.uint64] = np.add.reduceat(number[matrix.indices], matrix.indptr[:-1][rows])
    return sums
