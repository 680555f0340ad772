import zipfile
from datetime import datetime

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocgeo.ground.errors import BadInput, MissingFile, UnreadableSource
from pocgeo.sources import archives
from pocgeo.sources.tabular import read_table
from tests.real import SHARED, needs_shared


@pytest.fixture
def write(tmp_path):
    def writer(content, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return writer


@pytest.fixture
def workbook(tmp_path):
    def writer(sheets, hidden=()):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            page = book.create_sheet(name)
            page.sheet_state = "hidden" if name in hidden else "visible"
            for row in rows:
                page.append(row)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return writer


def test_values_stay_text_and_blanks_are_missing(write):
    found = read_table(write("id,when,n\n007, 1/2/2024 ,\n , ,1.50\n"))
    assert found.frame["id"].tolist()[0] == "007"
    assert found.frame["when"].tolist()[0] == "1/2/2024"
    assert found.frame["n"].isna().tolist() == [True, False]
    assert found.frame["id"].isna().tolist() == [False, True]
    assert found.frame.index.tolist() == [2, 3]
    assert found.frame.index.name == "source_row"
    assert found.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_known_by_their_bytes(write, encoding):
    found = read_table(write("name,lat\nMalākāl,9.5\n", encoding=encoding))
    assert found.frame.columns.tolist() == ["name", "lat"]
    assert found.frame["name"].tolist() == ["Malākāl"]


def test_western_text_is_read_and_said(write):
    rows = "".join(f"Préfecture de la Haute-Kotto n° {i},Béma – Zémio\n" for i in range(20))
    found = read_table(write("name,place\n" + rows, encoding="cp1252"))
    assert found.frame["place"].iloc[0] == "Béma – Zémio"
    assert any("read as cp1252" in note for note in found.notes)


def test_a_declared_encoding_wins_and_a_wrong_one_is_refused(write):
    path = write("name\nЮба город\n", encoding="cp1251")
    assert read_table(path, encoding="cp1251").frame["name"].tolist() == ["Юба город"]
    with pytest.raises(UnreadableSource, match="is not utf-8-sig text"):
        read_table(path, encoding="utf-8")
    with pytest.raises(BadInput, match="no encoding is called 'utf-9'"):
        read_table(path, encoding="utf-9")


def test_a_few_odd_bytes_do_not_spoil_utf8(write):
    body = "é,1\n".encode() * 50
    found = read_table(write(b"name,n\n" + body + b"\xe9,2\n"))
    assert found.frame["name"].iloc[0] == "é"
    assert found.frame["name"].iloc[-1] == "\ufffd"
    assert found.notes == ("1 lines are not UTF-8 text: the odd bytes are shown as \ufffd",)


@pytest.mark.parametrize(("mark", "said"), [(";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_the_delimiter_is_found(write, mark, said):
    text = "\n".join(mark.join(row) for row in [["place", "lat", "lon"], ["Bor", "6,2", "31,5"]])
    found = read_table(write(text))
    assert found.frame.iloc[0].tolist() == ["Bor", "6,2", "31,5"]
    assert found.notes == (f"fields are separated by {said}",)


def test_quoted_line_breaks_and_delimiters_belong_to_the_field(write):
    found = read_table(write('a,b\n"one\ntwo, three",2\n"say ""so""",3\n'))
    assert found.frame["a"].tolist() == ["one\ntwo, three", 'say "so"']
    assert found.frame.index.tolist() == [2, 3]


def test_ragged_rows_are_reported_and_none_is_lost(write):
    found = read_table(write("a,b,c\n1,2,3\n1,2,3,4\n1,2\n1,2,3,,\n\n5,6,7\n\n"))
    assert found.bad_rows == ((3, "4 fields where the header has 3"),)
    assert found.frame.index.tolist() == [2, 4, 5, 7]
    assert pd.isna(found.frame.loc[4, "c"])
    assert found.notes == (
        "1 rows have fewer fields than the header (first: row 4); their last fields are read as "
        "missing",
        "1 rows have more fields than the header and are left out (first: row 3)",
        "1 blank rows between others are left out",
    )


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "x", "y z", "7"]), max_size=6), max_size=30))
def test_every_filled_row_is_kept_or_reported(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("law") / "t.csv"
    path.write_text("a,b,c\n" + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    wide = sum(any(row[3:]) for row in rows)
    if wide > sum(any(row) for row in rows) - wide:
        with pytest.raises(UnreadableSource, match="do not fit the header"):
            read_table(path, delimiter=",")
        return
    found = read_table(path, delimiter=",")
    filled = [number for number, row in enumerate(rows, 2) if any(row)]
    assert sorted([*found.frame.index, *(row for row, _ in found.bad_rows)]) == filled


def test_a_table_cut_up_wrongly_is_refused(write):
    with pytest.raises(UnreadableSource, match="2 of 2 rows do not fit the header"):
        read_table(write("a,b\n1,2,3\n4,5,6\n"))


def test_a_stray_quote_in_the_last_row_is_a_letter(write):
    assert read_table(write('a,b\n1,5" pipe')).frame["b"].tolist() == ['5" pipe']


def test_tags_of_hxl_are_no_data_and_are_kept(write):
    found = read_table(write("Place,Lat,x\n#loc +name,#geo+lat,\nBor,6.2,\n"))
    assert found.hxl == {"Place": "#loc +name", "Lat": "#geo+lat"}
    assert found.frame.index.tolist() == [3]
    assert found.notes == ("row 2 holds HXL tags and is no data",)
    alone = read_table(write("#loc+name,#geo+lat\nBor,6.2\n"))
    assert alone.frame.columns.tolist() == ["#loc+name", "#geo+lat"]
    assert alone.notes == ("row 1 holds HXL tags and is the header too",)


def test_names_are_made_unique_and_said(write):
    found = read_table(write("n,n,,n_2\n1,2,3,4\n"))
    assert found.frame.columns.tolist() == ["n", "n_3", "column_3", "n_2"]
    assert found.notes == (
        "columns without a name are called column_3",
        "column names used twice: the later ones are called n_3",
    )


def test_a_header_below_a_title_is_found(write):
    text = "Incident report\n\nid,date,place,lat\n1,2024-01-02,Bor,6.2\n"
    found = read_table(write(text))
    assert found.frame.columns.tolist() == ["id", "date", "place", "lat"]
    assert found.frame.index.tolist() == [4]
    assert found.notes == ("header found in row 3; what stands above it is left out",)


def test_a_table_without_header_is_refused_until_it_is_said(write):
    path = write("37.75 -122.39 0 1211033530\n37.76 -122.40 1 1211033614\n", "cab.txt")
    with pytest.raises(BadInput, match="row 1 holds numbers where a header should be"):
        read_table(path)
    found = read_table(path, delimiter=" ", header_row=0)
    assert found.frame.columns.tolist() == ["column_1", "column_2", "column_3", "column_4"]
    assert found.frame.index.tolist() == [1, 2]


def test_a_declared_header_row_must_exist(write):
    path = write("x\na,b\n1,2\n")
    assert read_table(path, header_row=2).frame.columns.tolist() == ["a", "b"]
    for row in (9, -1):
        with pytest.raises(BadInput, match=f"header_row = {row} is blank or beyond"):
            read_table(path, header_row=row)


def test_header_only_is_an_empty_table(write):
    found = read_table(write("id,lat,lon\n"))
    assert found.frame.columns.tolist() == ["id", "lat", "lon"]
    assert len(found.frame) == 0


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "is empty"),
        (b" \n \n", "a.csv", "every row is blank"),
        (b"abc\x00\x01\x02" * 50, "a.csv", "holds binary data"),
        (b"\x89PNG\r\n", "a.csv", "is a picture"),
        (b"%PDF-1.4", "a.pdf", "is a PDF"),
        (b"PK\x03\x04rubbish", "a.xlsx", "damaged zip"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "a.xls", "no readable .xls"),
        (b"PAR1rubbish", "a.parquet", "damaged Parquet"),
        (b"<html><table>", "a.xls", "web page named as a workbook"),
        (b'a,b\n1,"never closed\n2,3\n' * 1, "a.csv", "never closes"),
        (b"\x1f\x8b\x08", "a.csv.gz", "gzip"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(write, content, name, said):
    with pytest.raises(UnreadableSource, match=said) as caught:
        read_table(write(content, name))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(MissingFile, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UnreadableSource, match="is a folder"):
        read_table(tmp_path)


def test_cells_keep_their_types(workbook):
    day = datetime(2024, 3, 2)  # noqa: DTZ001 - a spreadsheet has no zone
    path = workbook({"S": [["id", "day", "n", day], [1, day, 2.5, " x "], [None, None, None, " "]]})
    found = read_table(path)
    assert found.frame.columns.tolist() == ["id", "day", "n", "2024-03-02"]
    assert found.frame.iloc[0].tolist() == [1, day, 2.5, "x"]
    assert found.frame.index.tolist() == [2]


READ_ME = [["About this file"], [], ["Made by us"]]
TABLE = [["id", "lat"], *([i, 4.0] for i in range(20))]


def test_the_only_table_is_taken_and_read_mes_are_not(workbook):
    found = read_table(workbook({"ReadMe": READ_ME, "Data": TABLE}))
    assert len(found.frame) == 20
    assert found.notes == ("sheet 'Data' is the only table",)


def test_the_plainly_largest_visible_table_is_taken_and_said(workbook):
    path = workbook({"Old": TABLE, "Sum": TABLE[:3], "Data": TABLE[:15]}, hidden=["Old"])
    found = read_table(path)
    assert len(found.frame) == 14
    assert "'Data' chosen among 'Old', 'Sum', 'Data'" in found.notes[0]


def test_several_tables_are_refused_with_the_list(workbook):
    path = workbook({"May": TABLE, "June": TABLE})
    with pytest.raises(BadInput, match=r"several sheets hold a table.*'May', 'June'"):
        read_table(path)
    assert len(read_table(path, sheet="june ").frame) == 20
    assert len(read_table(path, sheet=1).frame) == 20
    with pytest.raises(BadInput, match=r"no sheet 'July'\. Its sheets are 'May', 'June'"):
        read_table(path, sheet="July")
    with pytest.raises(BadInput, match="no sheet 3"):
        read_table(path, sheet=3)


def test_errors_and_formulas_without_value_are_missing_and_said(workbook):
    found = read_table(workbook({"S": [["id", "n", "m"], [1, "#N/A", "=1+1"], [2, 3, 4]]}))
    assert found.frame["n"].isna().tolist() == [True, False]
    assert found.notes == (
        "1 cells hold a spreadsheet error (#N/A ...): read as missing",
        "1 formulas in the workbook hold no computed value: read as missing",
    )


def test_a_cell_right_of_the_header_is_not_lost(workbook):
    found = read_table(workbook({"S": [["id", "n"], [1, 2], [3, 4, "stray"]]}))
    assert found.frame.columns.tolist() == ["id", "n", "column_3"]
    assert found.frame["column_3"].tolist() == [None, "stray"]


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SMALL_BYTES", 1000)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 2_000_000)
    with pytest.raises(UnreadableSource, match="a zip bomb"):
        read_table(path)
    monkeypatch.setattr(archives, "GREATEST_UNPACKED_BYTES", 1000)
    with pytest.raises(UnreadableSource, match="unpacks to more than"):
        read_table(path)


def test_a_zip_that_reaches_outside_itself_is_refused(tmp_path):
    path = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../xl/workbook.xml", "x")
    with pytest.raises(UnreadableSource, match="outside itself"):
        read_table(path)


def test_plain_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"id": ["a", "b"], "at": pd.to_datetime(["2024-01-01", None], utc=True)})
    frame.to_parquet(path)
    found = read_table(path)
    assert found.frame.index.tolist() == [1, 2]
    assert str(found.frame["at"].dtype).endswith("UTC]")
    assert found.frame["id"].tolist() == ["a", "b"]


@needs_shared
@pytest.mark.parametrize(
    ("name", "rows", "columns", "first_row"),
    [
        ("incidents/ucdp_ged_south_sudan_hxl.csv", 941, 50, 3),
        ("bases/geopko_v2_monthly_unmiss_unmis_unisfa.csv", 1994, 113, 2),
        ("places/mapaction_settlements.csv", 10_959, 12, 2),
        ("messy/ssd_airports_hxl.csv", 46, 20, 3),
        ("messy/ssd_health_facilities_moh.xls", 1463, 13, 2),
        ("sites/ocha_displaced_count_2015-01-30.xlsx", 336, 104, 2),
    ],
)
def test_real_tables_are_read_whole(name, rows, columns, first_row):
    found = read_table(SHARED / "south_sudan" / name)
    assert found.frame.shape == (rows, columns)
    assert found.frame.index[0] == first_row
    assert found.bad_rows == ()


@needs_shared
def test_the_ocha_workbook_opens_at_its_site_table():
    found = read_table(SHARED / "south_sudan/sites/ocha_displaced_count_2015-01-30.xlsx")
    assert {"Site ID", "Longitude", "Latitude"} <= set(found.frame.columns)
    assert "'Displaced Count Matrix' chosen" in found.notes[0]


@needs_shared
def test_points_of_real_geoparquet_become_lon_and_lat():
    found = read_table(SHARED / "tracks/smart_patrols_mara.parquet")
    assert len(found.frame) == 32_145
    assert found.frame["lon"].between(34.7, 35.5).all()
    assert found.frame["lat"].between(-1.7, -1.2).all()


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_workbook_cut_off_in_copying_is_refused_in_one_line(workbook, cut):
    path = workbook({"S": TABLE})
    path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    with pytest.raises(UnreadableSource, match="damaged") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_a_codec_of_no_text_is_no_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="no encoding is called 'rot13'"):
        read_table(path, encoding="rot13")


def test_a_field_longer_than_a_book_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1," + "x" * 1_100_000 + "\n")
    with pytest.raises(UnreadableSource, match="field larger than"):
        read_table(path)
