"""The map of a declaration on paper: PNG, SVG and PDF, drawn from what the page draws."""

from pocgeo.products.figures.drawing import figure_bytes, save_figure
from pocgeo.products.figures.sheet import FORMS, PAPERS, Sheet
from pocgeo.products.figures.words import LANGUAGES, Words

__all__ = ["FORMS", "LANGUAGES", "PAPERS", "Sheet", "Words", "figure_bytes", "save_figure"]
