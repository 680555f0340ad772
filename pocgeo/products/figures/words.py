"""Words as they are drawn: letters of Arabic joined and put into the order of the sheet."""

import arabic_reshaper
from bidi.algorithm import get_display

from pocgeo.products.words import LANGUAGES, messages
from pocgeo.products.words import Words as Written

__all__ = ["LANGUAGES", "Words", "messages"]


class Words(Written):
    """Texts in one language, for a hand that draws from left to right and joins nothing."""

    def shaped(self, text: str) -> str:
        """Put letters into the form and order in which they are drawn from left to right."""
        if not any("\u0600" <= letter <= "\u06ff" for letter in text):
            return text
        return str(get_display(arabic_reshaper.reshape(text)))
