"""Optional packages: asked for by name, missed with an instruction."""

from importlib import import_module
from types import ModuleType

from pocgeo.ground.errors import MissingExtra

__all__ = ["optional"]


def optional(package: str, extra: str) -> ModuleType:
    """Import a package that only the named extra installs.

    Raises
    ------
    MissingExtra
        It is not installed; the message is the command that installs it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingExtra(package, extra) from error
