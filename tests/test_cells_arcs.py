"""Arcs in 12 directions against neighbours asked of H3 one by one, and geodesics of PROJ."""

import h3.api.basic_int as h3
import numpy as np
import pytest
import shapely

from pocgeo.cells.arcs import Arcs, arcs
from pocgeo.cells.grid import Cells, cells_of, centres, cover, neighbours
from pocgeo.ground.errors import BadInput
from pocgeo.ground.geodesy import distance_m

PENTAGON = h3.get_pentagons(6)[3]
BASE_CORNER = h3.cell_to_children(h3.get_res0_cells()[20], 6)[0]


def disk(cell: int, k: int) -> Cells:
    return np.unique(np.array(h3.grid_disk(cell, k), dtype=np.int64))


def scattered() -> Cells:
    rng = np.random.default_rng(0)
    return np.unique(cells_of(rng.uniform(25, 27, 800), rng.uniform(4, 6, 800), 7))


SETS = {
    "a pentagon": disk(PENTAGON, 12),
    "border of a base cell": disk(BASE_CORNER, 10),
    "a box with corners": cover(shapely.box(25, 4, 25.6, 4.5), 7),
    "odd resolution far north": cover(shapely.box(10, 62, 13, 64), 5),
    "scattered": scattered(),
    "antimeridian": disk(h3.latlng_to_cell(-17, 180, 8), 6),
    "one cell": np.array([PENTAGON], dtype=np.int64),
}


def asked_one_by_one(cells: Cells) -> set[tuple[int, int, int, int]]:
    place = {cell: row for row, cell in enumerate(cells.tolist())}
    found = set()
    for cell, row in place.items():
        ring = set(h3.grid_disk(cell, 1)) - {cell}
        for other in ring & set(place):
            found.add((min(row, place[other]), max(row, place[other]), -1, -1))
        for other in (set(h3.grid_disk(cell, 2)) - ring - {cell}) & set(place):
            shared = ring & set(h3.grid_disk(other, 1))
            if len(shared) == 2 and shared <= set(place):
                via = sorted(place[each] for each in shared)
                found.add((min(row, place[other]), max(row, place[other]), *via))
    return found


def as_set(found: Arcs) -> set[tuple[int, int, int, int]]:
    via = np.sort(np.stack([found.via_a, found.via_b]), axis=0)
    return set(zip(found.u.tolist(), found.v.tolist(), *via.tolist(), strict=True))


@pytest.mark.parametrize("name", SETS)
def test_arcs_are_the_neighbours_and_knights_that_h3_lists(name: str) -> None:
    cells = SETS[name]
    found = arcs(cells)
    assert as_set(found) == asked_one_by_one(cells)
    assert len(found.u) == len(as_set(found))
    assert (found.u < found.v).all()
    assert ((found.kind == 2) == (found.via_a >= 0)).all()


@pytest.mark.parametrize("name", SETS)
def test_lengths_are_geodesics_between_centres(name: str) -> None:
    cells = SETS[name]
    found, (lon, lat) = arcs(cells), centres(cells)
    exact = distance_m(lon[found.u], lat[found.u], lon[found.v], lat[found.v])
    np.testing.assert_allclose(found.length_m, exact, rtol=1e-6)  # float32 holds 6e-8


def test_a_cell_in_the_middle_has_twelve_partners() -> None:
    cells = cover(shapely.box(25, 4, 25.3, 4.3), 8)
    found = arcs(cells)
    degree = np.bincount(np.append(found.u, found.v))
    lon, lat = centres(cells)
    middle = np.argmin(np.hypot(lon - 25.15, lat - 4.15))
    assert degree[middle] == degree.max() == 12


def test_centres_given_are_used_and_no_cells_give_no_arcs() -> None:
    cells = SETS["a box with corners"]
    lon, lat = centres(cells)
    np.testing.assert_array_equal(arcs(cells, lon, lat).length_m, arcs(cells).length_m)
    assert len(arcs(cells[:0]).u) == 0


def test_neighbours_of_a_pentagon_are_five() -> None:
    rows = neighbours(np.array([PENTAGON, BASE_CORNER], dtype=np.int64))
    assert [set(row) - {0} for row in rows.tolist()] == [
        set(h3.grid_ring(cell, 1)) for cell in (PENTAGON, BASE_CORNER)
    ]


def test_unsorted_cells_are_refused() -> None:
    with pytest.raises(BadInput, match="sorted cells without repeats"):
        arcs(SETS["scattered"][::-1])
