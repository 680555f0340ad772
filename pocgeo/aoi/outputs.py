"""Where products may be written: never over what the AOI is read from."""

from pathlib import Path

from pocgeo.ground.errors import BadInput
from pocgeo.layers.aoi_file import AoiFile
from pocgeo.products.exports import refuse_place

__all__ = ["refuse_output"]

OWN = (".pocgeo", "releases")
"""Folders of an AOI that pocgeo keeps for itself."""


def refuse_output(file: AoiFile, place: Path) -> None:
    """Refuse a place that cannot be written to, or that holds what answers are made from.

    Parameters
    ----------
    file : AoiFile
    place : Path
        Of a file to be written.

    Raises
    ------
    BadInput
        The folder does not exist, the place is a folder, an input of the AOI, or lies among
        pocgeo's own files.
    """
    refuse_place(place)
    found = place.resolve()
    inputs = {file.path: "aoi.toml", file.boundary: "the outline"}
    inputs |= {path: f"the layer {one.layer}" for one in file.requests for path in one.paths}
    read = {path.resolve(): what for path, what in inputs.items()}
    if found in read:
        raise BadInput(f"{place}: {read[found]} is read from this file. Choose another place.")
    if any((file.folder / name).resolve() in found.parents for name in OWN):
        raise BadInput(f"{place}: pocgeo keeps its own files there. Choose another place.")
