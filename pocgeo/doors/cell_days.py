"""The command that lists what units did in each cell, day by day."""

from pathlib import Path
from typing import Any

import click

from pocgeo.doors.options import (
    Delivery,
    aoi_argument,
    engine_options,
    opened,
    period_options,
    product_options,
)

__all__ = ["cell_days"]


@click.command(name="cell-days")
@aoi_argument
@click.option("--cell", "cells", multiple=True, help="Only this cell (H3 index); may repeat.")
@period_options
@engine_options
@product_options
def cell_days(aoi: Path, delivery: Delivery, **asked: Any) -> None:
    """List cells by day: fixes, entries, time by day and night, units, last seen.

    Example: pocgeo cell-days sample_aoi --since 2026-05-01 --top 20
    """
    area = opened(aoi)
    delivery.deliver(area, area.cell_days(as_of=delivery.as_of, **asked))
