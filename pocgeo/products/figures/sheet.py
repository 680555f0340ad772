"""The sheet a map is drawn on: paper, resolution, language, which measure."""

from dataclasses import dataclass

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.figures.words import LANGUAGES

__all__ = ["FORMS", "PAPERS", "Sheet"]

PAPERS = {"a4": (11.69, 8.27), "a3": (16.54, 11.69), "slide": (40 / 3, 7.5), "body": (12.93, 5.9)}
"""Width and height in inches, lying; body: what is left of a slide under its own title."""

FORMS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How a map is put on paper."""

    paper: str = "a4"
    """a4, a3, slide (16:9) or body (of a slide that has title and marking itself), lying."""

    dpi: int = 300
    """Dots per inch of pictures, 50 to 600."""

    language: str = "en"
    """en, fr or ar."""

    measure: str = ""
    """Name of the measure drawn; empty: the map's first."""

    period: int = -1
    """Position of the period drawn, where the measure has several; -1: the last."""

    def __post_init__(self) -> None:
        if self.paper not in PAPERS:
            raise UnknownName("paper", self.paper, PAPERS)
        if not 50 <= self.dpi <= 600:
            raise BadInput(f"dpi must lie between 50 and 600, got {self.dpi}.")
        if self.language not in LANGUAGES:
            raise UnknownName("language", self.language, LANGUAGES)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, inches."""
        return PAPERS[self.paper]

    @property
    def scale(self) -> float:
        """Size of letters and lines, 1 on A4."""
        return {"a4": 1.0, "a3": 1.3, "slide": 1.15, "body": 1.15}[self.paper]

    @property
    def bare(self) -> bool:
        """Whether title and marking are left to what the picture is put into."""
        return self.paper == "body"
