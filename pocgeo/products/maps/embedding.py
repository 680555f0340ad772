"""The few lines that put one of our pages into another page."""

from pathlib import Path
from urllib.parse import quote

from pocgeo.ground.errors import BadInput
from pocgeo.products.maps.safe_text import text

__all__ = ["embed_snippet"]


def embed_snippet(path: Path | str, title: str) -> str:
    """Write an iframe that shows a page lying beside the page it is put into.

    Parameters
    ----------
    path : Path or str
        The .html file; only its name is used, so that the folder can be moved.
    title : str
        For people who do not see the frame.

    Notes
    -----
    The page may run its own scripts and nothing else: `sandbox` gives it no place of its own on
    the site, no forms, no windows. Its marking stays in it.
    """
    name = Path(path).name
    if not name.lower().endswith(".html"):
        raise BadInput(f"{name}: only an HTML page can be embedded. Give --out an .html file.")
    return (
        f'<iframe src="{quote(name)}" title="{text(title)}" sandbox="allow-scripts" '
        'referrerpolicy="no-referrer" width="100%" height="640" style="border:0"></iframe>'
    )
