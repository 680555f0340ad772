"""A new AOI folder with an aoi.toml that explains itself."""

from pathlib import Path

from pocgeo.ground.errors import BadInput
from pocgeo.layers import aoi_file
from pocgeo.products.exports import written_atomically

__all__ = ["new_aoi"]


def new_aoi(folder: Path | str) -> Path:
    """Write a commented aoi.toml into a folder, made if need be.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BadInput
        The folder holds an aoi.toml already, or is a file.
    """
    folder = Path(folder)
    path = folder / "aoi.toml"
    if path.exists():
        raise BadInput(f"{path} exists already. Edit it, or name another folder.")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Name a folder.")
    text = aoi_file.new_aoi(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written_atomically(path, text.encode())
    return path
