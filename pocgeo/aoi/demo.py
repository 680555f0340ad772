"""The sample from any install: copied, indexed, and every product made."""

import shutil
from pathlib import Path

from pocgeo.aoi.area import Aoi, open_aoi
from pocgeo.aoi.indexed import Progress
from pocgeo.ground.declarations import declared
from pocgeo.ground.errors import BadInput
from pocgeo.products.exports import export
from pocgeo.products.tables import as_text, save_text

__all__ = ["run_demo"]

PARTS = ("aoi.toml", "README.md", "data", "layers", "maps")
MARK = "aoi.toml"


def run_demo(folder: Path, *, progress: Progress | None = None) -> str:
    """Copy the synthetic sample, index it, make every product.

    Parameters
    ----------
    folder : Path
        Where the copy goes. An earlier demo there is brought up to date.

    Returns
    -------
    str
        The first gap areas, and where everything lies.

    Raises
    ------
    BadInput
        The folder holds something else.
    """
    copied(Path(folder))
    aoi = open_aoi(folder, progress=progress)
    aoi.indexed.index()
    lines = aoi.save_maps()
    brief = aoi.save_brief()
    tables = saved_tables(aoi)
    first = as_text(aoi.release(aoi.gaps()), top=5)
    return "\n".join(
        [
            first,
            "",
            *lines,
            f"Wrote {brief}",
            *[f"Wrote {path}" for path in tables],
            "",
            f"Open first: {brief}",
            f"Then ask:   pocgeo gaps {folder} --near {NEAR} --top 5",
        ]
    )


NEAR = "Doruna"
TABLES = (("gaps", "xlsx"), ("gaps", "kml"), ("proximity", "xlsx"), ("indicators", "csv"))


def copied(folder: Path) -> None:
    """Copy the sample's declarations and data; refuse a folder that holds something else."""
    sample = declared("sample_aoi")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder}: is a file. Name a folder for the demo.")
    held = [path.name for path in folder.iterdir()] if folder.exists() else []
    if held and MARK not in held:
        raise BadInput(f"{folder}: is not empty. Name a new folder for the demo.")
    if held and (folder / MARK).read_bytes() != (sample / MARK).read_bytes():
        raise BadInput(f"{folder}: holds another AOI. Name a new folder for the demo.")
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = sample / part
        if source.is_dir():
            shutil.copytree(source, folder / part, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy2(source, folder / part)


def saved_tables(aoi: Aoi) -> list[Path]:
    """Write the tables a reader will want first."""
    made = []
    for name, form in (
        ("gaps", "xlsx"),
        ("gaps", "kml"),
        ("proximity", "xlsx"),
        ("indicators", "csv"),
    ):
        released = aoi.release(aoi.table(name))
        made.append(export(released, aoi.out_path(released, form), form))
    report = [aoi.release(table) for table in aoi.check()]
    path = aoi.out_folder / "load_report.txt"
    save_text(report, path)
    return [*made, path]
