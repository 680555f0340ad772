"""One map, one question, one file."""

from collections.abc import Mapping

from pocgeo.products.disclosure import Released
from pocgeo.products.maps.page import Page, PageFrame
from pocgeo.products.maps.spec import MapSpec

__all__ = ["draw"]


def draw(
    spec: MapSpec,
    cells: Released | None,
    overlays: Mapping[str, Released],
    frame: PageFrame,
    further: Mapping[str, Released] | None = None,
) -> str:
    """Draw one map as a complete HTML page that needs no network.

    Parameters
    ----------
    spec : MapSpec
        The question, and which columns and layers are drawn.
    cells : Released, optional
        The finding drawn as cells, n rows; None where the map has none, or where it is withheld.
    overlays : mapping of layer name to Released
        Those the AOI has; the page says which of the map's overlays are absent.
    further : mapping of name to Released, optional
        The tables that `spec.further` names; `areas`, to draw by area what is not had by cell.
    frame : PageFrame
        Marking, cut-off, method, notes, boundary.

    Returns
    -------
    str
        HTML, UTF-8; the same inputs give the same text.

    Raises
    ------
    Refused
        A table was released for another audience, or its marking is above the page's.
    MissingColumns
        A table lacks a column the map needs.
    """
    page = Page(frame, single=True)
    page.add_map(spec, cells, overlays, further)
    return page.render()
