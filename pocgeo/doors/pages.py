"""Commands that make pages and files: map, maps, brief, export."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.durations import DAY
from pocgeo.doors.options import AUDIENCES, FORMATS, Delivery, aoi_argument, opened

__all__ = ["PAGES"]

page_options = (
    click.option("--as-of", type=DAY, help="See only what was known and standing on this day."),
    click.option("--audience", type=click.Choice(AUDIENCES), default="internal", show_default=True),
)


language_option = click.option(
    "--language",
    type=click.Choice(["en", "fr", "ar"]),
    default="en",
    show_default=True,
    help="Of pages, sheets and slides; what has no translation stays English.",
)


embed_option = click.option(
    "--embed", is_flag=True, help="Print the lines that put the page into another page."
)


def page_option(command: Any) -> Any:
    """Add --as-of and --audience to a command that makes pages."""
    for option in page_options:
        command = option(command)
    return command


@click.command(name="map")
@aoi_argument
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File.html to write.")
@click.option("--without-base", multiple=True, help="For reach_change: this base does not answer.")
@click.option("--closed", multiple=True, help="For reach_change: this road is closed.")
@click.option("--paper", default="a4", show_default=True, help="Of a sheet: a4, a3, slide.")
@click.option("--dpi", default=300, show_default=True, help="Of a sheet: dots per inch.")
@click.option("--measure", default="", help="Of a sheet: which measure.  [default: the first]")
@embed_option
@language_option
@page_option
def map_(
    aoi: Path, name: str, out: Path | None, as_of: Any, audience: str, **asked: Any
) -> None:  # fmt: skip
    """Make one map: an HTML file that opens without a network, or a sheet: .png, .svg, .pdf.

    Example: pocgeo map sample_aoi coverage_gaps --out gaps.html
    """
    import pocgeo

    change = pocgeo.Change(
        without_bases=asked.pop("without_base"), closed_roads=asked.pop("closed")
    )
    area = opened(aoi).changed(change)
    embed = asked.pop("embed")
    sheet = pocgeo.Sheet(**asked)
    path = area.save_map(name, out, as_of=as_of, audience=audience, sheet=sheet)
    click.echo(f"Wrote {path}" + (f"\n{pocgeo.embed_snippet(path, name)}" if embed else ""))


@click.command()
@aoi_argument
@language_option
@page_option
def maps(aoi: Path, **asked: Any) -> None:
    """Make every map that maps/*.toml declares.

    Example: pocgeo maps sample_aoi
    """
    for line in opened(aoi).save_maps(**asked):
        click.echo(line)


@click.command()
@aoi_argument
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: .html, .pdf or .pptx.",
)  # fmt: skip
@click.option(
    "--earlier", type=click.Path(path_type=Path, dir_okay=False),
    help="HTML of an earlier briefing: say what changed since.",
)  # fmt: skip
@embed_option
@language_option
@page_option
def brief(
    aoi: Path, out: Path | None, as_of: Any, audience: str, embed: bool, **asked: Any
) -> None:  # fmt: skip
    """Make the briefing with maps, tables, caveats and manifest: a page, a PDF or slides.

    Example: pocgeo brief sample_aoi --out brief.html
    """
    import pocgeo

    path = opened(aoi).save_brief(out, as_of=as_of, audience=audience, **asked)
    click.echo(f"Wrote {path}" + (f"\n{pocgeo.embed_snippet(path, 'Briefing')}" if embed else ""))


@click.command()
@aoi_argument
@click.argument("table", metavar="TABLE")
@click.option("--format", "form", type=click.Choice(FORMATS[1:]), required=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@page_option
def export(aoi: Path, table: str, form: str, out: Path | None, as_of: Any, audience: str) -> None:
    """Write one table to a file: a finding (gaps, proximity ...) or a layer (bases, sites ...).

    Example: pocgeo export sample_aoi gaps --format xlsx
    """
    area = opened(aoi)
    Delivery(audience=audience, as_of=as_of, form=form, out=out, top=None).deliver(
        area, area.table(table, as_of=as_of)
    )


PAGES = (map_, maps, brief, export)
"""In the order of their use."""
