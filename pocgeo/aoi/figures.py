"""Maps of an area of interest on paper."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pocgeo.aoi import briefing, showing
from pocgeo.ground.errors import BadInput, Refused
from pocgeo.products.figures import FORMS, Sheet, save_figure
from pocgeo.products.maps import map_spec
from pocgeo.products.released import Released

if TYPE_CHECKING:
    from pocgeo.aoi.area import Aoi

__all__ = ["save_map"]


def save_map(
    aoi: "Aoi", name: str, out: Path | None, as_of: date | None, audience: str,
    sheet: Sheet | None,
) -> Path:  # fmt: skip
    """Draw one map as a page, or as a sheet where the file's ending asks for one."""
    known = (".html", *FORMS)
    if out is not None and out.suffix.lower() not in known:  # never over a file of another kind
        raise BadInput(f"{out}: a map is {', '.join(known)}. Give the file such an ending.")
    if out is None or out.suffix.lower() not in FORMS:
        language = "en" if sheet is None else sheet.language
        return showing.save_map(aoi, name, out, as_of, audience, language)
    return save_sheet(aoi, name, out, as_of, audience, sheet or Sheet())


def save_sheet(
    aoi: "Aoi", name: str, path: Path, as_of: date | None, audience: str, sheet: Sheet
) -> Path:
    """Draw one map of the area on one sheet, from tables that passed the gate."""
    spec = map_spec(name, aoi.file.folder)
    tables: dict[str, Released | str] = {}
    fetch = partial(showing.fetched, aoi, as_of, audience, tables)
    cells = fetch(spec.table) if spec.table else None
    if isinstance(cells, str):
        raise Refused(cells)
    overlays, withheld = showing.overlays_of(aoi, spec, fetch)
    further = briefing.further_of(aoi, spec, cells, fetch)
    frame = showing.frame_of(aoi, spec.title, as_of, audience, cells, withheld)
    return save_figure(path, spec, cells, overlays, frame, sheet=sheet, further=further)
