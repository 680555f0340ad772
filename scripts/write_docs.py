"""Write the generated pages of docs/: layers, maps, columns, commands, errors.

python scripts/write_docs.py            write them
python scripts/write_docs.py --check    say which differ, exit 1
"""

import inspect
import sys
from pathlib import Path

import click

from pocgeo.doors.cli import main as commands
from pocgeo.ground import errors
from pocgeo.layers.catalog import layer_names, layer_spec, profile, profile_names
from pocgeo.products.columns import column_specs
from pocgeo.products.maps import map_names, map_spec

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEAD = "<!-- Written by scripts/write_docs.py (`make docs`); do not edit by hand. -->\n\n"


def cell(value: object) -> str:
    """Spell a value for a table cell."""
    return str(value or "").replace("|", "\\|").replace("\n", " ")


def table(head: list[str], rows: list[list[object]]) -> str:
    """Lay out a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def layers_page() -> str:
    """List what pocgeo knows of each input, and of each known source."""
    parts = [
        "# Layers\n\nOne TOML file in `layers/` per layer. A column of a source is found by the "
        "field's name or by one of the names under *also read from*, by the profile of the source, "
        "or because `[layers.<name>.columns]` in aoi.toml says so. A layer of your own is one more "
        "such file in `<aoi>/layers/`; see "
        "[sample_aoi/layers](../sample_aoi/layers) for one.\n"
    ]
    for name in layer_names():
        spec = layer_spec(name)
        rows: list[list[object]] = [
            [
                f"`{field.name}`",
                field.type + (f", {field.unit}" if field.unit else ""),
                "key" if field.key else "required" if field.required else "",
                field.sensitivity,
                ", ".join(field.aliases),
                ", ".join(field.categories),
            ]
            for field in spec.fields.values()
        ]
        parts.append(
            f"## {name}\n\n{spec.title}. Geometry: {spec.geometry}. Sensitivity: "
            f"{spec.sensitivity}. {spec.caveat}\n\n"
            + table(["field", "type", "", "sensitivity", "also read from", "categories"], rows)
        )
    sources: list[list[object]] = []
    for name in profile_names():
        known = profile(name)
        sources.append(
            [f"`{name}`", known.title, ", ".join(known.layers), known.terms, known.caveat]
        )
    parts.append(
        '## Profiles of known sources\n\n`profile = "..."` in aoi.toml.\n\n'
        + table(["profile", "source", "layers", "terms", "mind"], sources)
    )
    return HEAD + "\n".join(parts)


def maps_page() -> str:
    """Map products and the question each answers."""
    rows: list[list[object]] = []
    for name in map_names():
        spec = map_spec(name)
        rows.append([f"`{name}`", spec.title, spec.question])
    text = (
        "# Maps\n\nOne TOML file in `maps/` per map product, one question each. "
        "A map of your own is one more such file in `<aoi>/maps/`; "
        "[how to write one](methods/maps.md).\n\n"
    )
    return HEAD + text + table(["map", "title", "question"], rows)


def columns_page() -> str:
    """Every column of every finding."""
    rows: list[list[object]] = [
        [f"`{s.name}`", s.label, s.unit, s.sensitivity, s.released_as, s.help]
        for s in column_specs().values()
    ]
    text = (
        "# Columns\n\nThe dictionary `standards/columns.toml`. *Coarser* says how a larger cell or "
        "area gets its value when a restricted measure leaves the mission.\n\n"
    )
    head = ["column", "label", "unit", "sensitivity", "coarser", "meaning"]
    return HEAD + text + table(head, rows)


def commands_page() -> str:
    """Help of every command, as typed."""
    parts = ["# Commands\n"]
    named = dict(commands.commands)
    for name, command in commands.commands.items():
        named |= {f"{name} {own}": each for own, each in getattr(command, "commands", {}).items()}
    for name, command in sorted(named.items()):
        about = {"info_name": f"pocgeo {name}", **commands.context_settings}
        with click.Context(command, **about) as context:
            parts.append(f"## {name}\n\n```\n{command.get_help(context)}\n```\n")
    return HEAD + "\n".join(parts)


def errors_page() -> str:
    """Tell what can be wrong, and how it is said."""
    tree = (inspect.getdoc(errors) or "").split("\n\n", 1)[1]
    rows: list[list[object]] = [
        [f"`{name}`", (inspect.getdoc(getattr(errors, name)) or "").splitlines()[0]]
        for name in errors.__all__
    ]
    text = (
        "# Errors\n\nA command that cannot go on prints one line and ends with 2 (something to "
        "mend in the input), or 1 (a fault of pocgeo). `POCGEO_TRACEBACK=1` shows where.\n\n"
    )
    return HEAD + text + f"```\n{tree}\n```\n\n" + table(["error", "meaning"], rows)


PAGES = {
    "layers.md": layers_page,
    "maps.md": maps_page,
    "columns.md": columns_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
}


def main() -> int:
    """Write the pages, or say which differ."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text("utf8") != page()
    ]
    if "--check" in sys.argv:
        print("Stale, run `make docs`: " + ", ".join(stale) if stale else "All pages are fresh.")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), "utf8")
    print("Written: " + (", ".join(stale) or "nothing, all pages were fresh"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
