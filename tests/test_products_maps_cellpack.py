"""Packed cells come back as they were; a parent is a quotient; nothing changes its class."""

import base64
import zlib

import h3
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput
from pocgeo.products.maps.cellpack import blob, code_plane, lattice_codes, pack_ids, pack_json
from pocgeo.products.maps.classes import classed, nice_breaks
from pocgeo.products.maps.spec import Category, MeasureSpec
from tests.map_samples import column


def unpacked(content: str) -> bytes:
    return zlib.decompress(base64.b64decode(content), -15)


def cells_about(lat: float, lon: float, resolution: int, rings: int = 12) -> np.ndarray:
    names = h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), rings)
    return np.sort(np.array([h3.str_to_int(name) for name in names], dtype=np.int64))


def ids_read(content: str) -> np.ndarray:
    words = np.frombuffer(unpacked(content), "<u4").astype(np.int64).reshape(3, -1)
    starts = np.cumsum((words[0] << 32) + words[1])
    return np.concatenate([np.arange(a, a + n) for a, n in zip(starts, words[2], strict=True)])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.floats(-85, 85), st.floats(-180, 180), st.integers(0, 15))
def test_ids_come_back_and_parents_are_quotients(lat, lon, resolution):
    cell = cells_about(lat, lon, resolution, 4)
    code = lattice_codes(cell, resolution)
    packed, _ = pack_ids(code)
    assert (ids_read(packed.content) == code).all()
    if resolution:
        parents = [h3.cell_to_parent(h3.int_to_str(int(c)), resolution - 1) for c in cell]
        above = np.array([h3.str_to_int(parent) for parent in parents], dtype=np.int64)
        assert (lattice_codes(above, resolution - 1) == code // 7).all()


def test_pentagons_keep_their_order():
    cell = np.sort([h3.str_to_int(name) for name in h3.get_pentagons(5)]).astype(np.int64)
    assert (np.diff(lattice_codes(cell, 5)) > 0).all()


def test_a_neighbourhood_packs_into_less_than_a_byte_a_cell():
    packed, runs = pack_ids(lattice_codes(cells_about(1.4, 4.6, 8, 60), 8))
    assert len(packed.content) < 3 * 60 * 61 + 1
    assert runs < 1_500


def test_mixed_resolutions_and_double_cells_are_refused():
    cell = cells_about(1, 4, 7)
    with pytest.raises(BadInput, match="not of resolution 8"):
        lattice_codes(cell, 8)
    with pytest.raises(BadInput, match="occurs twice"):
        pack_ids(np.r_[lattice_codes(cell, 7)[:3], lattice_codes(cell, 7)[2]])


def test_equal_blobs_have_one_name_and_planes_come_back():
    assert blob(b"abc") == blob(b"abc")
    assert unpacked(pack_json({"a": [1, "é"]}).content).decode() == '{"a":[1,"é"]}'
    codes = np.array([0, 255, 256, 65_535])
    planes = np.frombuffer(unpacked(code_plane(codes, 16).content), np.uint8)
    assert (planes[:4].astype(int) + 256 * planes[4:].astype(int) == codes).all()


NUMBERS = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.integers(0, 9).map(float), st.just(np.nan)), min_size=1
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(NUMBERS, st.integers(0, 3), st.sampled_from(["No one", None]))
def test_no_cell_ever_changes_its_class(numbers, digits, zero):
    measure = MeasureSpec(column="a", breaks=(1, 10, 1000), zero=zero)
    values = pd.Series(numbers, dtype="float64")
    made = classed(values, measure, column("a", "A", digits=digits))
    unknown = 255 if made.bits == 8 else 65_535
    klass = np.searchsorted(made.first_code, made.codes, side="right") - 1
    known = values.notna().to_numpy()
    assert ((made.codes == unknown) == ~known).all()
    slow = [sum(v >= edge for edge in made.edges) for v in values[known]]
    if zero:
        slow = [0 if v <= 0 else k for v, k in zip(values[known], slow, strict=True)]
    assert klass[known].tolist() == slow
    assert sum(made.counts) + made.missing == len(values)
    shown = made.code_values[made.codes[known]]
    assert np.abs(shown - values.to_numpy()[known]).max(initial=0) <= 0.5000001 * 10.0**-digits


def test_many_cells_take_steps_but_keep_their_class():
    rng = np.random.default_rng(3)
    values = pd.Series(rng.gamma(0.5, 100, 260_000))
    made = classed(values, MeasureSpec(column="a", breaks=(1, 50, 500)), column("a", "A", digits=3))
    assert (made.bits, made.exact) == (8, False)
    klass = np.searchsorted(made.first_code, made.codes, side="right") - 1
    assert (klass == np.digitize(values, (1, 50, 500))).all()
    inside = made.code_values[made.codes]
    assert (np.digitize(inside, (1, 50, 500)) == klass).all()


def test_unknown_is_never_zero():
    made = classed(pd.Series([0.0, np.nan]), MeasureSpec(column="a", zero="None"), column("a", "A"))
    assert made.counts[0] == 1
    assert made.missing == 1


def test_categories_keep_their_order_and_refuse_strangers():
    measure = MeasureSpec(
        column="phase",
        categories=(Category(value="a", label="A"), Category(value="b", label="B")),
    )
    made = classed(pd.Series(["b", None, "a", "b"]), measure, column("phase", "Phase"))
    assert made.codes.tolist() == [1, 255, 0, 1]
    assert (made.counts, made.missing) == ((1, 2), 1)
    with pytest.raises(BadInput, match="does not declare: c"):
        classed(pd.Series(["c"]), measure, column("phase", "Phase"))
    truth = classed(
        pd.Series([True, pd.NA, False], dtype="boolean"), MeasureSpec(column="h"), column("h", "H")
    )
    assert (truth.codes.tolist(), truth.labels) == ([1, 255, 0], ("No", "Yes"))


def test_breaks_are_numbers_people_say():
    rng = np.random.default_rng(1)
    breaks = nice_breaks(rng.lognormal(3, 1, 5_000), (0.2, 0.4, 0.6, 0.8))
    assert breaks == (8.0, 15.0, 25.0, 50.0)
    assert nice_breaks(np.array([]), (0.5,)) == ()
