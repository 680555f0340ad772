"""Commands that look after what pocgeo keeps: the store and the releases."""

from pathlib import Path

import click

from pocgeo.doors.options import Delivery, aoi_argument, opened, product_options

__all__ = ["UPKEEP"]


@click.command()
@aoi_argument
@product_options
def releases(aoi: Path, delivery: Delivery) -> None:
    """List what was released to readers outside, to whom and when.

    Example: pocgeo releases sample_aoi
    """
    area = opened(aoi)
    delivery.deliver(area, area.releases())


UPKEEP: tuple[click.Command, ...] = (releases,)
