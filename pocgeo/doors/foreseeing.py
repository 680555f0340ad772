"""Commands that look ahead: the forecast, and how it did before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pocgeo.doors.options import Delivery, aoi_argument, opened, product_options

__all__ = ["forecast", "scorecard"]


def ahead_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what a forecast and its scorecard are both asked with."""
    for option in (
        click.option(
            "--resolution", type=click.IntRange(0, 15), help="H3 resolution of the forecast cells."
        ),
        click.option(
            "--lag-months", type=int, help="Last complete months not yet trusted.  [default: 0]"
        ),
        click.option("--months", type=int, help="Months ahead.  [default: 3]"),
        click.option(
            "--incident-type", multiple=True, help="Only this type; may be given several times."
        ),
        click.option(
            "--perpetrator", multiple=True, help="Only this category; may be given several times."
        ),
    ):
        command = option(command)
    return command


@click.command()
@aoi_argument
@ahead_options
@click.option("--all-cells", is_flag=True, help="List every cell, not only the 20 highest.")
@click.option("--areas", is_flag=True, help="Give the areas only.")
@product_options
def forecast(aoi: Path, all_cells: bool, areas: bool, delivery: Delivery, **asked: Any) -> None:
    """Say how many incidents to expect where in the next months, how sure, and why.

    Example: pocgeo forecast sample_aoi --months 3
    """
    area = opened(aoi)
    cells, totals = area.forecast(as_of=delivery.as_of, **asked)
    if areas:
        delivery.deliver(area, totals)
        return
    # Outside the mission coarser cells leave whole: chosen ones would tell of the others.
    whole = all_cells or delivery.audience != "internal"
    delivery.deliver(area, cells if whole else area.top_places(cells), totals)


@click.command()
@aoi_argument
@ahead_options
@product_options
def scorecard(aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """Score the forecast on its own past, beside simpler rules; say how last time went.

    Example: pocgeo scorecard sample_aoi
    """
    area = opened(aoi)
    delivery.deliver(area, *area.scorecard(as_of=delivery.as_of, **asked))
