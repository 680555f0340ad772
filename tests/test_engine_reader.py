"""Questions to stored tables: the answers of pandas, of one state, for known columns only."""

import numpy as np
import pandas as pd
import pytest

from pocgeo.engine.reader import StoreReader
from pocgeo.engine.store import Store
from pocgeo.ground.errors import BadInput, MissingFile, UnknownName

KEY = {"digest": "a"}
ROWS = 2_000


def cells(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cell": np.arange(ROWS) * 7 + 3,
            "lon": rng.uniform(-180, 180, ROWS),
            "lat": rng.uniform(-10, 10, ROWS),
            "admin2": rng.choice(["Orseth", "Lumbry", None], ROWS),
            "gap_persons": rng.integers(0, 40, ROWS).astype(float),
            'odd "name"': rng.random(ROWS),
        }
    )
    table.loc[::5, "gap_persons"] = np.nan
    return table


@pytest.fixture
def store(tmp_path) -> Store:
    made = Store(tmp_path)
    made.table("cells", KEY, cells)
    return made


def test_top_is_sorted_ties_by_cell_and_without_the_unknown(store):
    with StoreReader(store) as reader:
        found = reader.top("cells", "gap_persons", 30)
    by = ["gap_persons", "cell"]
    expected = cells().dropna(subset="gap_persons").sort_values(by, ascending=[False, True])
    pd.testing.assert_frame_equal(
        found, expected.head(30).reset_index(drop=True), check_dtype=False
    )


def test_sums_add_up_and_unknown_areas_are_not_dropped(store):
    with StoreReader(store) as reader:
        found = reader.sums("cells", "admin2", ["gap_persons", 'odd "name"'])
    table = cells()
    expected = table.groupby("admin2", dropna=False)["gap_persons"].sum(min_count=1)
    assert found["admin2"].tolist()[:2] == ["Lumbry", "Orseth"]
    assert found["gap_persons"].to_numpy() == pytest.approx(expected.to_numpy())
    assert found["cells_n"].sum() == ROWS
    assert found['odd "name"'].sum() == pytest.approx(table['odd "name"'].sum())


@pytest.mark.parametrize("bounds", [(10, -5, 40, 5), (170, -10, -170, 10)])
def test_a_box_holds_its_rim_and_may_cross_the_date_line(store, bounds):
    west, south, east, north = bounds
    table = cells()
    lon = table["lon"]
    inside = lon.between(west, east) if west <= east else (lon >= west) | (lon <= east)
    with StoreReader(store) as reader:
        found = reader.box("cells", bounds)
    assert found["cell"].tolist() == table.loc[
        inside & table["lat"].between(south, north), "cell"
    ].tolist()  # fmt: skip
    assert len(found)


def test_one_cell_and_its_history(store):
    days = pd.DataFrame({"cell": [3, 3, 10], "day_on": pd.to_datetime(["2026-01-01"] * 3)})
    store.table("presence_days", KEY, lambda: days)
    with StoreReader(store) as reader:
        assert reader.of_cell("cells", 10)["lat"].tolist() == [cells()["lat"][1]]
        assert len(reader.of_cell("presence_days", 3)) == 2
        assert reader.of_cell("cells", 4).empty


def test_a_reader_keeps_to_the_state_that_it_opened(store):
    with StoreReader(store) as reader:
        before = reader.top("cells", "gap_persons", 5)
        store.table("cells", {"digest": "b"}, lambda: cells(2))
        pd.testing.assert_frame_equal(reader.top("cells", "gap_persons", 5), before)
        pd.testing.assert_frame_equal(
            reader.box("cells", (-180, -10, 180, 10))[["cell", "lon"]], cells()[["cell", "lon"]]
        )
    with StoreReader(store) as reader:
        assert reader.of_cell("cells", 3)["lon"].tolist() == [cells(2)["lon"][0]]


def test_no_column_table_or_word_leads_into_the_query(store, tmp_path):
    with StoreReader(store) as reader:
        for word in ("gap", "cell; DROP TABLE x", 'cell" --'):
            with pytest.raises(UnknownName, match="column of cells"):
                reader.top("cells", word)
        with pytest.raises(MissingFile, match="Table peple"):
            reader.top("peple", "cell")
        with pytest.raises(BadInput, match="cannot name a table"):
            reader.of_cell("../cells", 3)
        (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
        with pytest.raises(BadInput, match="damaged"):
            reader.columns("torn")
