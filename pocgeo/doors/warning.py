"""Commands that warn: where the last months surprised the forecast, and which phase is where."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.options import Delivery, aoi_argument, opened, period_options, product_options

__all__ = ["alarms", "near_repeat", "phases"]

METHODS = ["forecast", "permutation", "population"]


@click.command()
@aoi_argument
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="forecast",
    show_default=True,
    help="Against the forecast; the other two are scans for comparison.",
)
@click.option(
    "--perpetrator", multiple=True, help="Only this category; may be given several times."
)
@click.option("--incident-type", multiple=True, help="Only this type; may be given several times.")
@click.option("--all", "every", is_flag=True, help="List the strongest clusters, alarm or not.")
@product_options
def alarms(aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """Raise an alarm where more happened than was forecast; list its incidents.

    Example: pocgeo alarms sample_aoi
    """
    area = opened(aoi)
    delivery.deliver(area, *area.alarms(as_of=delivery.as_of, **asked))


@click.command(name="near-repeat")
@aoi_argument
@click.option(
    "--perpetrator", multiple=True, help="Only this category; may be given several times."
)
@click.option("--incident-type", multiple=True, help="Only this type; may be given several times.")
@period_options
@product_options
def near_repeat(aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """Test whether an incident makes another soon and near more likely (Knox).

    Example: pocgeo near-repeat sample_aoi --since 2025-07-01
    """
    area = opened(aoi)
    delivery.deliver(area, area.near_repeat(as_of=delivery.as_of, **asked))


@click.command()
@aoi_argument
@click.option("--cells", is_flag=True, help="List places instead, those in prevention left out.")
@click.option("--all-cells", is_flag=True, help="List every place.")
@product_options
def phases(aoi: Path, cells: bool, all_cells: bool, delivery: Delivery) -> None:
    """Put areas into the phases of Policy 36, with people's decisions and the record beside.

    Example: pocgeo phases sample_aoi
    """
    area = opened(aoi)
    if cells or all_cells:
        delivery.deliver(area, area.phase_cells(every=all_cells, as_of=delivery.as_of))
        return
    delivery.deliver(area, *area.phases(as_of=delivery.as_of))
