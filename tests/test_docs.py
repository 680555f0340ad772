"""Documentation is held by the code: commands, layers, maps, errors, words, links."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import write_docs  # noqa: E402

from pocgeo.doors.cli import main  # noqa: E402

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])


@pytest.mark.parametrize("name", sorted(write_docs.PAGES))
def test_generated_pages_are_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf8") == write_docs.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name}: {target} does not exist"


def typed_commands() -> list[str]:
    """Every `pocgeo ...` line in a code block of the README and the tour."""
    found = []
    for page in (ROOT / "README.md", ROOT / "docs" / "tour.md"):
        for block in re.findall(r"```(?:sh|console|bash)?\n(.*?)```", page.read_text("utf8"), re.S):
            for line in block.splitlines():
                if line.strip().startswith("pocgeo "):
                    found.append(line.split(" #")[0].strip())
    return sorted(set(found))


@pytest.mark.parametrize("line", typed_commands())
def test_every_typed_command_is_one(line: str) -> None:
    words = shlex.split(line)[1:]
    command = main.commands[words[0]]
    with command.make_context(words[0], list(words[1:]), **main.context_settings):
        pass


@pytest.mark.parametrize("name", sorted(main.commands))
def test_help_has_a_worked_example(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert re.search(rf"Example: pocgeo {name}\b", done.output)


def test_every_analysis_has_a_methods_page() -> None:
    methods = {path.stem for path in (ROOT / "docs" / "methods").glob("*.md")}
    assert {"coverage", "proximity", "hotspots", "risk", "presence"} <= methods
    assert {"reach", "indicators", "population", "disclosure"} <= methods


def test_words_of_the_field_are_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf8")
    for word in ("AOI", "AOR", "base", "gap area", "presence", "reach", "undecided", "unknown"):
        assert f"| {word}" in glossary


def test_every_key_of_a_layer_is_explained() -> None:
    from dataclasses import fields

    from pocgeo.layers.request import SourceRequest

    page = (ROOT / "docs" / "aoi_toml.md").read_text("utf8")
    named = {"paths": "path", "value_maps": "values"}
    for field in fields(SourceRequest):
        assert f"`{named.get(field.name, field.name)}`" in page, field.name
