"""Commands that look after what pocgeo keeps: the store and the releases."""

import click

__all__ = ["UPKEEP"]


UPKEEP: tuple[click.Command, ...] = ()
