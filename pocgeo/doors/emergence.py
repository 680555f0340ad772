"""The command that names the pattern of each place over the last quarters."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.options import Delivery, aoi_argument, opened, product_options

__all__ = ["emergence"]


@click.command()
@aoi_argument
@click.option(
    "--perpetrator", multiple=True, help="Only this category; may be given several times."
)
@click.option("--incident-type", multiple=True, help="Only this type; may be given several times.")
@click.option("--steps", type=click.IntRange(4, 120), help="Steps of time.  [default: 12]")
@click.option("--step-months", type=click.IntRange(1, 60), help="Months a step.  [default: 3]")
@click.option("--disk", type=click.IntRange(0, 20), help="Rings around a cell.  [default: 1]")
@click.option(
    "--min-incidents",
    type=click.FloatRange(1),
    help="Fewest incidents of a hot step; 1 is the published rule.  [default: 3]",
)
@click.option("--all-cells", is_flag=True, help="List every cell, not only those with a pattern.")
@product_options
def emergence(aoi: Path, all_cells: bool, delivery: Delivery, **asked: Any) -> None:
    """Name where hot spots are new, persistent, fading or past, quarter by quarter.

    Example: pocgeo emergence sample_aoi --steps 8 --top 20
    """
    area = opened(aoi)
    asked = {name: value for name, value in asked.items() if value not in (None, ())}
    table = area.emergence(as_of=delivery.as_of, **asked)
    delivery.deliver(area, table if all_cells else area.patterned(table))
