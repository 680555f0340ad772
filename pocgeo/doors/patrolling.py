"""The command patrols: where patrols should go, and whether a plan was carried out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pocgeo.doors.durations import DAY, MINUTES
from pocgeo.doors.options import Delivery, aoi_argument, opened, product_options
from pocgeo.doors.running import suffix_format

__all__ = ["patrols"]

PLACES = {"geojson", "gpkg", "geoparquet", "kml", "gpx"}
FILE = click.Path(path_type=Path, dir_okay=False)
GROUND = ["foot", "wheeled", "tracked", "boat"]


@click.command()
@aoi_argument
@click.option("--base", help="Code of the base that patrols set out from.")
@click.option("--patrols", "count", type=int, default=2, show_default=True, help="How many go out.")
@click.option("--hours", type=float, default=8.0, show_default=True, help="From gate to gate.")
@click.option("--stay", type=MINUTES, default="30min", show_default=True, help="At each stop.")
@click.option("--reserve", type=MINUTES, default="30min", show_default=True, help="Kept free.")
@click.option("--depart", default="07:00", show_default=True, help="Local time, hh:mm.")
@click.option("--night", is_flag=True, help="Allow moves by night, where the base may move then.")
@click.option("--on", type=DAY, help="Day of the patrols.  [default: the day after the last known]")
@click.option("--season", type=click.Choice(["dry", "wet"]), help="[default: that of the day]")
@click.option("--mobility", type=click.Choice(GROUND), help="[default: as the base says]")
@click.option("--closed", multiple=True, help="This road (code or name) is closed; may repeat.")
@click.option(
    "--beyond", is_flag=True, help="Let stops lie in other AORs and nearer to other bases."
)
@click.option("--previous", type=FILE, help="A plan (csv) whose pattern is not to be repeated.")
@click.option(
    "--repeat",
    type=click.Choice(["avoid", "exclude", "allow"]),
    default="avoid",
    show_default=True,
    help="What to do with stops and ground of yesterday and of --previous.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the search for routes.")
@click.option("--iterations", type=int, help="Of the search, for each number of patrols.")
@click.option("--map", "page", type=FILE, help="Also draw the plan on a map: FILE.html.")
@click.option("--gpx", type=FILE, help="Also write stops and ways for a GPS: FILE.gpx.")
@click.option("--compare", type=FILE, help="Compare this plan (csv) with recorded patrols instead.")
@product_options
def patrols(aoi: Path, delivery: Delivery, compare: Path | None, **asked: Any) -> None:
    """Plan patrols from a base: stops, times, ways and reasons; or compare a plan with the record.

    Example: pocgeo patrols sample_aoi --base B03 --patrols 2 --hours 8 --out order.csv
    """
    area = opened(aoi)
    if compare is not None:
        delivery.deliver(area, area.patrols_against(compare, as_of=delivery.as_of))
        return
    page, gpx = asked.pop("page"), asked.pop("gpx")
    wanted = asked_patrols(asked)
    plan, ways, gains = area.patrols(wanted, as_of=delivery.as_of)
    form = suffix_format(delivery.out, delivery.form)
    tables = (ways,) if form in PLACES else (plan, gains)
    delivery.deliver(area, *tables)
    if gpx is not None:
        replace(delivery, form="gpx", out=gpx, top=None).deliver(area, ways)
    if page is not None:
        made = area.patrolled(wanted).save_map(
            "patrol_plan", page, as_of=delivery.as_of, audience=delivery.audience
        )
        click.echo(f"Wrote {made}")


def asked_patrols(asked: dict[str, Any]) -> Any:
    """Turn the words typed into an order."""
    import pocgeo

    if asked["base"] is None:
        raise click.UsageError("Say which base: --base B01 (or --compare plan.csv).")
    if asked["stay"] is None:
        raise click.UsageError("--stay must be minutes, for example 30min.")
    search = pocgeo.RouteSearch(seed=asked["seed"])
    if asked["iterations"] is not None:
        search = replace(search, iterations=asked["iterations"])
    order = pocgeo.PatrolOrder(
        patrols=asked["count"],
        hours=asked["hours"],
        stay_min=asked["stay"],
        reserve_min=asked["reserve"] or 0.0,
        depart_h=hour(asked["depart"]),
        night=asked["night"],
        repeat=asked["repeat"],
        search=search,
    )
    return pocgeo.PatrolsAsked(
        base_id=asked["base"],
        order=order,
        on=asked["on"],
        season=asked["season"],
        mobility=asked["mobility"],
        beyond=asked["beyond"],
        change=pocgeo.Change(closed_roads=asked["closed"]),
        previous=asked["previous"],
    )


def hour(text: str) -> float:
    """Read 07:30 as 7.5."""
    parts = text.strip().split(":")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise click.UsageError(f"--depart {text}: write the local time as 07:00.")
    hours, minutes = (int(part) for part in parts)
    if hours > 23 or minutes > 59:
        raise click.UsageError(f"--depart {text}: hours are 0 to 23 and minutes 0 to 59.")
    return hours + minutes / 60
