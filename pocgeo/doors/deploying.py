"""The commands plan and whatif: where bases should go, and what an idea of one's own is worth."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.options import Delivery, aoi_argument, opened, product_options

__all__ = ["plan", "whatif"]

FILE = click.Path(path_type=Path, dir_okay=False)
PROPOSE = ["settlements", "junctions", "landing_sites", "ground"]


class Step(click.ParamType):
    """Minutes and their weight, 60=0.6."""

    name = "MIN=WEIGHT"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float]:
        """Read one step."""
        try:
            minutes, weight = str(value).removesuffix(" ").split("=")
            return float(minutes.removesuffix("min")), float(weight)
        except ValueError:
            self.fail(f"{value!r} is no step. Write minutes and weight, for example 60=0.6.")


class Pair(click.ParamType):
    """A base and the place it moves to, B02:Kelmora."""

    name = "BASE:PLACE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        """Read one move."""
        base, colon, place = str(value).partition(":")
        if not (base.strip() and colon and place.strip()):
            self.fail(f"{value!r} is no move. Write base and place, for example B02:Kelmora.")
        return base.strip(), place.strip()


JUDGING = (
    click.option(
        "--gap",
        type=click.FloatRange(0, 1, max_open=True),
        help="Greatest share by which the best plan may be better.  [default: 0.005]",
    ),
    click.option(
        "--persons-per-platoon",
        type=click.FloatRange(0, min_open=True),
        help="People (by demand) for whom one platoon suffices.",
    ),
    click.option(
        "--platoons",
        "platoons_n",
        type=click.IntRange(1),
        help="Platoons there are: strength is then asked.",
    ),
    click.option(
        "--equity",
        type=click.FloatRange(0, 1),
        help="0: people alike; 1: areas with little cover first.",
    ),
    click.option(
        "--backup",
        "backup_weight",
        type=click.FloatRange(0),
        help="Worth of a second base within 60 min, for example 0.2.",
    ),
    click.option(
        "--step",
        "steps",
        type=Step(),
        multiple=True,
        help="For example 60=0.6; may repeat.  [default: 30=1, 60=0.6, 120=0.25]",
    ),
    click.option(
        "--demand",
        "demands",
        type=click.Choice(["risk", "people", "recent", "past"]),
        multiple=True,
        help="Who counts; several are scenarios.  [default: risk]",
    ),
    click.option(
        "--season",
        "seasons",
        type=click.Choice(["dry", "wet"]),
        multiple=True,
        help="Both: the plan with the least worst shortfall.",
    ),
    click.option(
        "--may-leave", multiple=True, help="This base's obligation may be abandoned; may repeat."
    ),
    click.option(
        "--protect", multiple=True, help="This place stays within 30 min of a base; may repeat."
    ),
    click.option(
        "--moves-by",
        type=click.Choice(["ground", "air"]),
        help="air: a base may move where no way leads.  [default: ground]",
    ),
    click.option("--keep", multiple=True, help="This base neither moves nor closes; may repeat."),
    click.option(
        "--candidates-n",
        type=click.IntRange(1),
        help="Proposed places are thinned to this.  [default: 300]",
    ),
    click.option(
        "--propose", type=click.Choice(PROPOSE), multiple=True, help="Kinds of places to propose."
    ),
    click.option(
        "--candidates",
        multiple=True,
        help="A file of places, a name, a code or a grid reference; may repeat.",
    ),
    click.option("--map", "page", type=FILE, help="Also draw before and after: FILE.html."),
)
"""What counts, and what must be kept."""


def judging_options(command: Any) -> Any:
    """Add the options that say what counts, and what must be kept."""
    for option in JUDGING:
        command = option(command)
    return command


@click.command()
@aoi_argument
@click.option("--new", type=click.IntRange(0), help="New temporary bases, at most.")
@click.option("--move", "moves", type=click.IntRange(0), help="Bases that move, at most.")
@click.option("--close", "closures", type=click.IntRange(0), help="Bases that close, exactly.")
@click.option(
    "--move-limit", "move_limit_km", type=float, help="Greatest km of a move.  [default: 150]"
)
@judging_options
@product_options
def plan(aoi: Path, delivery: Delivery, page: Path | None, **asked: Any) -> None:
    """Deploy, redeploy or draw down: orders with reasons, losers by name, and the gap.

    Example: pocgeo plan sample_aoi --new 2 --move 1 --keep B01 --top 20
    """
    area = opened(aoi)
    asked["steps"] = dict(asked["steps"]) or None
    delivery.deliver(area, *area.plan(as_of=delivery.as_of, **asked))
    drawn(area.planned(**asked), page, delivery)


@click.command()
@aoi_argument
@click.option("--add", multiple=True, help="Open a base at this place; may repeat.")
@click.option("--move", "moves", type=Pair(), multiple=True, help="Move a base; may repeat.")
@click.option("--close", multiple=True, help="Close this base; may repeat.")
@judging_options
@product_options
def whatif(aoi: Path, delivery: Delivery, page: Path | None, **asked: Any) -> None:
    """Hold your own idea against today and against the best plan of the same size.

    Example: pocgeo whatif sample_aoi --add Belquor --move B06:Jorvand --top 20
    """
    area = opened(aoi)
    asked["steps"] = dict(asked["steps"]) or None
    idea = {name: asked.pop(name) for name in ("add", "moves", "close")}
    delivery.deliver(area, *area.what_if(as_of=delivery.as_of, **idea, **asked))
    drawn(area.planned(idea=idea, **asked), page, delivery)


def drawn(area: Any, page: Path | None, delivery: Delivery) -> None:
    """Draw the map that was asked for."""
    if page is not None:
        made = area.save_map("redeployment", page, as_of=delivery.as_of, audience=delivery.audience)
        click.echo(f"Wrote {made}")
