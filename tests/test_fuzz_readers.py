"""Files by number through every reader: no traceback, no row unaccounted for.

The long form is `make fuzz`.
"""

from pathlib import Path

import pytest

from tests.fuzz_coverage import TARGETS, explore
from tests.fuzz_files import MAKERS, made
from tests.fuzz_verdicts import judged

SHARES = 6


@pytest.mark.parametrize("share", range(SHARES))
def test_made_and_broken_files_are_taken_in_whole_or_refused_in_a_line(
    tmp_path: Path, share: int
) -> None:
    verdicts = []
    for number in range(share, 240, SHARES):
        try:
            verdicts.append(judged(made(number), tmp_path))
        except Exception as error:
            error.add_note(f"again with: scripts/fuzz.py --files 1 --first {number}")
            raise
    assert set(verdicts) == {"taken", "refused"}  # the maker makes both


def test_every_reader_has_its_files() -> None:
    names = {made(number).name.rpartition(".")[2] for number in range(len(MAKERS))}
    assert names == {
        "csv", "xlsx", "parquet", "geojson", "kml", "kmz", "gpx", "gpkg", "zip", "fgb",
    }  # fmt: skip


@pytest.mark.parametrize("parser", TARGETS)
def test_what_reaches_new_lines_of_a_parser_is_read_or_refused_in_a_line(
    tmp_path: Path, parser: str
) -> None:
    folder = tmp_path / "aoi"
    folder.mkdir()
    outline = '{"type":"Polygon","coordinates":[[[30,4],[31,4],[31,5],[30,4]]]}'
    (folder / "b.geojson").write_text(outline, encoding="utf-8")
    (folder / "rows.csv").write_text("id,date,lon,lat\n1,2024-01-01,31,5\n", encoding="utf-8")
    _, lines = explore(parser, inputs=40 if parser == "dates" else 150, seed=0, folder=folder)
    assert lines > 40
