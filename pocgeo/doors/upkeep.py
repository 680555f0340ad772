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


@click.group()
def store() -> None:
    """Look after the store, the folder .pocgeo of an area.

    Example: pocgeo store verify sample_aoi
    """


@store.command()
@aoi_argument
def verify(aoi: Path) -> None:
    """Hold each stored table against the digest of its bytes and the totals of its inputs.

    One line a table; nothing is built or changed. Ends with 2 if a table is wrong.

    Example: pocgeo store verify sample_aoi
    """
    import pocgeo

    said, wrong = opened(aoi).verify_store()
    click.echo(said)
    if wrong is not None:
        raise pocgeo.BadInput(wrong)


UPKEEP: tuple[click.Command, ...] = (releases, store)
