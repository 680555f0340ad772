"""The door: commands as typed, what they print, and how they end."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import SAMPLE

ENV = {name: value for name, value in os.environ.items() if name != "POCGEO_TRACEBACK"}


def typed(
    *words: str | Path, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run pocgeo as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "pocgeo", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=cwd or SAMPLE.parent,
        env={**ENV, "COLUMNS": "160", **env},
    )  # fmt: skip


def refused(*words: str | Path, says: str, cwd: Path | None = None) -> str:
    """Run what must end with 2 and one line that says `says`; return the line."""
    done = typed(*words, cwd=cwd)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pocgeo: ")
    assert says in lines[0], lines[0]
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A small AOI of one's own to break: the sample without its heavy layers."""
    folder = tmp_path / "aoi"
    (folder / "data").mkdir(parents=True)
    for name in ("coast.geojson", "ucdp_ged.csv", "bases.geojson"):
        shutil.copy2(SAMPLE / "data" / name, folder / "data" / name)
    write_aoi(folder, '[layers.incidents]\npath = "data/ucdp_ged.csv"\nprofile = "ucdp_ged"\n')
    return folder


def write_aoi(folder: Path, layers: str, **about: str) -> None:
    head = {
        "name": '"Test"', "boundary": '"data/coast.geojson"', "resolution": "6",
        "period": '["2023-07-01", "2026-06-30"]', "time_zone": '"Africa/Lagos"', **about,
    }  # fmt: skip
    text = "[aoi]\n" + "\n".join(f"{key} = {value}" for key, value in head.items())
    (folder / "aoi.toml").write_text(text + "\n" + layers, "utf8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gaps", "no/such/folder"), "no/such/folder does not exist"),
        (("gapz", "x"), "No such command"),
        (("gaps", SAMPLE, "--reach", "soon"), "'soon' is no duration"),
        (("gaps", SAMPLE, "--presence", "often"), "no number of days"),
        (("gaps", SAMPLE, "--as-of", "30/06/2026"), "write it as 2026-06-30"),
        (("gaps", SAMPLE, "--as-of", "1999-01-01"), "before the period"),
        (("gaps", SAMPLE, "--reach", "none", "--presence", "none"), "No standard is asked for"),
        (("gaps", SAMPLE, "--top", "0"), "0 is not in the range"),
        (("gaps", SAMPLE, "--colour", "red"), "No such option"),
        (("gaps",), "Missing argument"),
        (("proximity", SAMPLE, "--radius-m", "-5"), "radius_m must be more than 0"),
        (("proximity", SAMPLE, "--since", "2026-05-01", "--until", "2026-01-01"), "Swap them"),
        (("map", SAMPLE, "coverage_gap"), "Did you mean coverage_gaps?"),
    ],
    ids=lambda value: " ".join(map(str, value[:1] + value[2:])) if isinstance(value, tuple) else "",
)
def test_what_is_typed_wrongly_is_one_line(words: tuple, says: str, sample_folder: Path) -> None:
    refused(*[sample_folder if word is SAMPLE else word for word in words], says=says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("base", "B99"), "B99"),
        (("gaps", "--aor", "Sector Northh"), "Did you mean Sector North?"),
        (("gaps", "--near", "Dorruna"), "Did you mean Doruna?"),
        (("hotspots", "--perpetrator", "rebels"), "perpetrator"),
        (("export", "gapz", "--format", "csv"), "gapz"),
        (("presence", "--audience", "public"), "pocgeo risk --audience public"),
        (("proximity", "--verdicts", "--audience", "partners"), "restricted"),
        (("gaps", "--out", "/no/such/dir/gaps.csv"), "/no/such/dir"),
        (("gaps", "--out", "gaps.doc"), "no known ending"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_the_sample_lacks_is_one_line(
    words: tuple[str, ...], says: str, sample_folder: Path, sample: object
) -> None:
    refused(words[0], sample_folder, *words[1:], says=says)


def test_a_toml_that_is_none_is_named_with_its_line(broken: Path) -> None:
    (broken / "aoi.toml").write_text("[aoi\nname = 1", "utf8")
    refused("check", broken, says="aoi.toml: not valid TOML")


def test_an_unknown_key_is_named(broken: Path) -> None:
    write_aoi(broken, "", resolutoin="8")
    refused("check", broken, says="resolutoin")


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"resolution": "15"}, "resolution"),
        ({"resolution": '"eight"'}, "resolution"),
        ({"time_zone": '"Mars/Olympus"'}, "time_zone"),
        ({"marking": '"SECRET"'}, "marking"),
        ({"period": '["2026-06-30", "2023-07-01"]'}, "period"),
        ({"boundary": '"data/coat.geojson"'}, "coat.geojson does not exist"),
        ({"boundary": '"../../etc/passwd"'}, "above"),
    ],
)
def test_what_aoi_toml_says_is_checked(broken: Path, about: dict[str, str], says: str) -> None:
    write_aoi(broken, "", **about)
    refused("index", broken, says=says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x03" * 500, "incidents.csv"),
        (b"name;colour\nA;red\n", "no column"),
        (b"id,date,latitude,longitude\n1,03/04/2024,2.0,4.0\n2,05/06/2024,2.1,4.1\n", "day_first"),
    ],
    ids=["empty", "binary", "other columns", "ambiguous dates"],
)
def test_a_file_that_is_no_incident_table_is_one_line(
    broken: Path, content: bytes, says: str
) -> None:
    (broken / "data" / "incidents.csv").write_bytes(content)
    write_aoi(broken, '[layers.incidents]\npath = "data/incidents.csv"\n')
    refused("check", broken, says=says)
    assert not list((broken / ".pocgeo").glob("layer_incidents*"))


def test_a_file_with_a_header_only_is_taken_and_said(broken: Path) -> None:
    (broken / "data" / "incidents.csv").write_bytes(b"id,date,latitude,longitude\n")
    write_aoi(broken, '[layers.incidents]\npath = "data/incidents.csv"\n')
    done = typed("check", broken)
    assert done.returncode == 0, done.stderr
    assert "holds no row of data" in done.stdout


def test_a_layer_that_nobody_declared_suggests_the_nearest(broken: Path) -> None:
    write_aoi(broken, '[layers.incident]\npath = "data/ucdp_ged.csv"\n')
    refused("check", broken, says="Did you mean incidents?")


def test_a_question_without_its_layer_names_the_layer(broken: Path) -> None:
    refused("gaps", broken, says="layer population")
    refused("presence", broken, says="layer patrols")
    refused("proximity", broken, says="layer bases")


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="no folder that even root cannot write"
)
def test_a_read_only_folder_is_one_line(broken: Path) -> None:
    (broken / ".pocgeo").symlink_to("/sys/kernel", target_is_directory=True)
    refused("index", broken, says=".pocgeo")


def test_init_makes_a_folder_that_explains_itself(tmp_path: Path) -> None:
    done = typed("init", tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert "pocgeo check" in done.stdout
    assert "[aoi]" in (tmp_path / "mine" / "aoi.toml").read_text("utf8")
    refused("init", tmp_path / "mine", says="aoi.toml")
    refused("check", tmp_path / "mine", says="does not exist")


def test_check_accounts_for_every_row_and_index_is_fresh_after(sample_folder: Path, sample) -> None:
    done = typed("check", sample_folder, "--format", "csv", "--out", sample_folder / "check.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(sample_folder / "check.csv")
    parts = table[["accepted", "repaired", "rejected", "not_asked_for"]].sum(axis=1)
    assert (table["rows"] == parts).all()
    assert table["rows"].sum() > 20_000
    assert "fresh" in typed("index", sample_folder).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("gaps", "--reach", "60min", "--presence", "14d", "--top", "3"),
        ("gaps", "--near", "Doruna", "--require", "all", "--as-of", "2026-01-31", "--top", "3"),
        ("coverage", "--reach", "1h30"),
        ("proximity",),
        ("proximity", "--verdicts", "--review", "--since", "2026-01-01"),
        ("base", "B01"),
        ("hotspots", "--since", "2026-01-01"),
        ("hotspots", "--perpetrator", "state_forces"),
        ("risk", "--top", "3"),
        ("presence", "--top", "3"),
        ("indicators", "--top", "3"),
        ("risk", "--audience", "partners", "--top", "3"),
        ("gaps", "--audience", "public"),
    ],
    ids=" ".join,
)
def test_a_question_prints_a_marked_table(
    words: tuple[str, ...], sample_folder: Path, sample: object
) -> None:
    done = typed(words[0], sample_folder, *words[1:])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.rstrip().splitlines()
    assert lines[0].strip() == lines[-1].strip() == "UNCLASSIFIED"
    assert "data to" in done.stdout
    assert "Synthetic" in done.stdout


def test_help_is_light() -> None:
    """The bar is 0.4 s for `--help`: it must not pull in the stack."""
    code = (
        "import sys\nfrom pocgeo.doors.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = ('pandas', 'numpy', 'geopandas', 'scipy', 'folium')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_interrupted_output_is_quiet(sample_folder: Path, sample: object) -> None:
    """`pocgeo ... | head -1` ends without a word on stderr."""
    done = subprocess.run(
        f"{sys.executable} -m pocgeo gaps {sample_folder} | head -1",
        shell=True, capture_output=True, text=True, check=False, env=ENV, cwd=SAMPLE.parent,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "fault" not in done.stderr


def test_what_an_audience_may_not_have_is_said_beside_what_it_may(
    sample_folder: Path, sample: object
) -> None:
    done = typed("reach", sample_folder, "--audience", "partners")
    assert done.returncode == 0, done.stderr
    assert "Who is reached in time" in done.stdout
    assert "Withheld: reach_by_base for partners" in done.stderr
    assert "Camp Doruna" not in done.stdout
    assert "B02" not in done.stdout
