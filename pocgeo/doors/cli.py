"""The command line: words in, one question, words out."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.cell_days import cell_days
from pocgeo.doors.durations import DAYS, MINUTES
from pocgeo.doors.options import (
    Delivery,
    aoi_argument,
    engine_options,
    opened,
    period_options,
    product_options,
)
from pocgeo.doors.pages import PAGES
from pocgeo.doors.plans import PLANS
from pocgeo.doors.running import progress_on, run_command
from pocgeo.doors.threat import THREAT
from pocgeo.doors.upkeep import UPKEEP

__all__ = ["main", "run"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pocgeo", message="pocgeo %(version)s")
def main() -> None:
    """Coverage gaps, 1 km obligations and hotspots for the protection of civilians.

    AOI is a folder with an aoi.toml in it, or the path of such a file.
    Start with: pocgeo demo
    """


def run() -> None:
    """Enter here from the shell."""
    run_command(main)


@main.command()
@click.argument(
    "folder", type=click.Path(path_type=Path), default=Path("pocgeo-demo"), metavar="[DIR]"
)
def demo(folder: Path) -> None:
    """Copy the synthetic sample into DIR, index it, make every product, say where they are.

    Example: pocgeo demo /tmp/pocgeo-demo
    """
    import pocgeo

    click.echo(pocgeo.run_demo(folder, progress=progress_on()))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def init(folder: Path) -> None:
    """Make a new AOI folder with a commented aoi.toml.

    Example: pocgeo init my_area
    """
    import pocgeo

    click.echo(
        f"Wrote {pocgeo.new_aoi(folder)}. Name your files in it, then: pocgeo check {folder}"
    )


@main.command()
@aoi_argument
@product_options
def check(aoi: Path, delivery: Delivery) -> None:
    """Load every layer and report rows accepted, repaired and rejected, and why.

    Example: pocgeo check sample_aoi
    """
    area = opened(aoi)
    summary, details = area.check()
    delivery.deliver(area, summary, details)
    try:
        rejected = area.save_rejected()
    except OSError as error:
        click.echo(f"The rejected rows could not be listed in a file: {error}", err=True)
        return
    if rejected is not None:
        click.echo(f"Rejected rows are listed in {rejected}", err=True)


@main.command()
@aoi_argument
@click.option("--resume", is_flag=True, help="Say what a stopped run had finished, and go on.")
@engine_options
def index(aoi: Path, resume: bool) -> None:
    """Build the cell store; only what changed or is missing is built.

    Example: pocgeo index sample_aoi
    """
    click.echo(opened(aoi).index(resume=resume))


def standard_options(command: Any) -> Any:
    """Add the options that say which standard a cell must meet."""
    for option in (
        click.option(
            "--min-risk",
            type=click.FloatRange(0, 1),
            help="Count only people at this risk or above (0-1).",
        ),
        click.option(
            "--require",
            type=click.Choice(["any", "all"]),
            default="any",
            show_default=True,
            help="Covered by any standard, or only by all of them.",
        ),
        click.option(
            "--season", type=click.Choice(["dry", "wet"]), help="State of roads, ground and water."
        ),
        click.option("--alert/--no-alert", default=False, help="Ask for an alert network too."),
        click.option(
            "--presence",
            type=DAYS,
            default=None,
            help="Days since a patrol stayed in sight, for example 14d; none: not asked.",
        ),
        click.option(
            "--reach",
            type=MINUTES,
            default=None,
            help="Minutes from a base, for example 60min; none: not asked.",
        ),
    ):
        command = option(command)
    return command


def asked_standard(ctx: click.Context, **given: Any) -> dict[str, Any]:
    """Keep what was typed; what was not comes from aoi.toml or the house default."""
    typed = click.core.ParameterSource.COMMANDLINE
    names = {"reach": "reach_min", "presence": "presence_days"}
    return {
        names.get(name, name): value
        for name, value in given.items()
        if ctx.get_parameter_source(name) is typed
    }


@main.command()
@aoi_argument
@standard_options
@click.option("--aor", help="Only this AOR (id or name).")
@click.option("--admin", help="Only this admin area (P-code or name).")
@click.option(
    "--min-people", type=click.FloatRange(0), help="Only gap areas with at least this many people."
)
@click.option("--near", help="Only gap areas within --within-km of this settlement, site or base.")
@click.option(
    "--within-km", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True
)
@product_options
@click.pass_context
def gaps(ctx: click.Context, /, aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """Rank the places where people at risk meet none of the standards, with the reason.

    Example: pocgeo gaps sample_aoi --reach 60min --presence 14d --top 20
    """
    area = opened(aoi)
    narrowed = {
        name: asked.pop(name) for name in ("aor", "admin", "min_people", "near", "within_km")
    }
    standard = asked_standard(ctx, **asked)
    delivery.deliver(area, area.gaps(as_of=delivery.as_of, **narrowed, **standard))


@main.command()
@aoi_argument
@standard_options
@product_options
@click.pass_context
def coverage(ctx: click.Context, /, aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """Add up who is covered, by AOI, AOR and admin area.

    Example: pocgeo coverage sample_aoi --reach 30min
    """
    area = opened(aoi)
    standard = asked_standard(ctx, **asked)
    delivery.deliver(area, area.coverage(as_of=delivery.as_of, **standard))


@main.command()
@aoi_argument
@click.option(
    "--radius-m", type=float, help="Metres from the perimeter.  [default: 1000, or aoi.toml]"
)
@click.option(
    "--verdicts", is_flag=True, help="List every incident's verdict instead of the ledger."
)
@click.option(
    "--review", is_flag=True, help="List the incidents that call for a review (Policy 87)."
)
@period_options
@product_options
def proximity(
    aoi: Path,
    radius_m: float | None,
    verdicts: bool,
    review: bool,
    since: Any,
    until: Any,
    delivery: Delivery,
) -> None:
    """List what lies within the radius of each base, and every incident's verdict.

    Example: pocgeo proximity sample_aoi --since 2026-01-01 --verdicts
    """
    area = opened(aoi)
    asked = {"radius_m": radius_m, "since": since, "until": until, "as_of": delivery.as_of}
    if verdicts or review:
        tables = ([area.verdicts(**asked)] if verdicts else []) + (
            [area.review(**asked)] if review else []
        )
        delivery.deliver(area, *tables)
        return
    delivery.deliver(area, area.proximity(**asked))


@main.command()
@aoi_argument
@click.argument("base_id", metavar="BASE_ID")
@product_options
def base(aoi: Path, base_id: str, delivery: Delivery) -> None:
    """Print the sheet of one base: people, sites, settlements, incidents, reach, neighbours.

    Example: pocgeo base sample_aoi B01
    """
    area = opened(aoi)
    delivery.deliver(area, *area.base(base_id, as_of=delivery.as_of))


@main.command()
@aoi_argument
@click.option(
    "--perpetrator", multiple=True, help="Only this category; may be given several times."
)
@click.option("--incident-type", multiple=True, help="Only this type; may be given several times.")
@click.option(
    "--by", type=click.Choice(["perpetrator", "incident_type"]), help="Test each category alone."
)
@click.option("--severity", is_flag=True, help="Judge how grave incidents are, not how many.")
@click.option(
    "--expectation",
    type=click.Choice(["populated", "uniform", "population", "baseline"]),
    help="What to compare with.  [default: populated, or aoi.toml]",
)
@click.option("--disk", type=click.IntRange(0, 20), help="Rings around a cell.  [default: 1]")
@click.option("--choose", is_flag=True, help="Try every radius and expectation on the record.")
@click.option("--all-cells", is_flag=True, help="List every cell, not only the flagged ones.")
@period_options
@product_options
def hotspots(
    aoi: Path, choose: bool, severity: bool, all_cells: bool, delivery: Delivery, **asked: Any
) -> None:
    """Flag cells where incidents are high beyond chance, with the null check.

    Example: pocgeo hotspots sample_aoi --since 2026-01-01
    """
    area = opened(aoi)
    if choose:
        delivery.deliver(area, area.hotspot_choice(as_of=delivery.as_of))
        return
    asked = {name: value for name, value in asked.items() if value not in (None, ())}
    if severity:
        asked["measure"] = "severity"
    table = area.hotspots(as_of=delivery.as_of, **asked)
    delivery.deliver(area, table if all_cells else area.flagged(table))


@main.command()
@aoi_argument
@click.option("--season", type=click.Choice(["dry", "wet"]), help="State of roads and ground.")
@click.option("--minutes", type=MINUTES, multiple=True, help="For example 60min; may repeat.")
@click.option("--base", "bases", multiple=True, help="Only this base answers; may repeat.")
@click.option("--without-base", multiple=True, help="This base does not answer; may repeat.")
@click.option("--closed", multiple=True, help="This road (code or name) is closed; may repeat.")
@click.option("--seasons", is_flag=True, help="Compare the wet season with the dry instead.")
@product_options
def reach(aoi: Path, delivery: Delivery, seasons: bool, **asked: Any) -> None:
    """Say who is reached in time over the ground, by whom, and what a change costs.

    Example: pocgeo reach sample_aoi --season wet --minutes 60min --without-base B02
    """
    import pocgeo

    area = opened(aoi)
    if seasons:
        delivery.deliver(area, area.seasons(minutes=asked["minutes"], as_of=delivery.as_of))
        return
    change = pocgeo.Change(
        without_bases=asked["without_base"], closed_roads=asked["closed"], only_bases=asked["bases"]
    )
    tables = area.reach(
        minutes=asked["minutes"], season=asked["season"], change=change, as_of=delivery.as_of
    )
    delivery.deliver(area, *tables)


@main.command()
@aoi_argument
@click.option("--minutes", type=MINUTES, help="For example 60min.  [default: 60min]")
@period_options
@product_options
def response(aoi: Path, minutes: float | None, since: Any, until: Any, delivery: Delivery) -> None:
    """Say who could have been there in time when civilians were attacked.

    Example: pocgeo response sample_aoi --minutes 60min --since 2026-01-01
    """
    area = opened(aoi)
    asked = {"minutes": minutes, "since": since, "until": until, "as_of": delivery.as_of}
    delivery.deliver(area, *area.response(**asked))


@main.command()
@aoi_argument
@product_options
def risk(aoi: Path, delivery: Delivery) -> None:
    """Rank cells by risk = threat x vulnerability, with both and their parts.

    Example: pocgeo risk sample_aoi --top 20
    """
    area = opened(aoi)
    delivery.deliver(area, area.risk(as_of=delivery.as_of))


@main.command()
@aoi_argument
@product_options
def presence(aoi: Path, delivery: Delivery) -> None:
    """Show where patrols stayed, how long, by night, and how long ago.

    Example: pocgeo presence sample_aoi --top 20
    """
    area = opened(aoi)
    delivery.deliver(area, area.presence(as_of=delivery.as_of))


@main.command()
@aoi_argument
@product_options
def indicators(aoi: Path, delivery: Delivery) -> None:
    """Print the monitoring indicators by month, AOI, AOR and admin area.

    Example: pocgeo indicators sample_aoi --format xlsx --out indicators.xlsx
    """
    area = opened(aoi)
    delivery.deliver(area, area.indicators(as_of=delivery.as_of))


for command in (cell_days, *PAGES, *THREAT, *PLANS, *UPKEEP):
    main.add_command(command)
