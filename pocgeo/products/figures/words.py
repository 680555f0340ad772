"""Words as they are drawn: letters of Arabic joined and put into the order of the sheet."""

import arabic_reshaper
import matplotlib.ft2font
from bidi.algorithm import get_display

from pocgeo.products.words import LANGUAGES, messages
from pocgeo.products.words import Words as Written

__all__ = ["LANGUAGES", "Words", "messages"]

DRAWS_SHAPED = hasattr(matplotlib.ft2font, "__libraqm_version__")
"""Whether matplotlib joins and orders letters itself (3.11 and later): twice would undo it."""


class Words(Written):
    """Texts in one language, ready for the hand that draws them."""

    def shaped(self, text: str) -> str:
        """Put letters into the form and order in which they are drawn, unless matplotlib does."""
        if DRAWS_SHAPED or not any("\u0600" <= letter <= "\u06ff" for letter in text):
            return text
        return str(get_display(arabic_reshaper.reshape(text)))
