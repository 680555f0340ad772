"""The words of a product in English, French or Arabic, from standards/messages."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import arabic_reshaper
from bidi.algorithm import get_display

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import UnknownName

__all__ = ["LANGUAGES", "Words", "messages"]

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}

RIGHT_TO_LEFT = frozenset({"ar"})


@cache
def messages(language: str) -> Mapping[str, Any]:
    """Read the message file of a language.

    Raises
    ------
    UnknownName
        There is no such file.
    """
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    return read_toml(declared("standards") / "messages" / f"{language}.toml")


class Words:
    """Texts in one language; what the file does not have stays English, and is remembered."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self.known = messages(language)
        self.untranslated: set[str] = set()

    @property
    def right_to_left(self) -> bool:
        """Whether lines begin on the right."""
        return self.language in RIGHT_TO_LEFT

    def __call__(self, key: str, **values: object) -> str:
        """Give a sentence of ours by its key, with its values filled in."""
        found = self.known["words"].get(key) or messages("en")["words"][key]
        return str(found).format(**values)

    def text(self, english: str) -> str:
        """Translate a label or sentence of a declaration; English where there is none."""
        if self.language == "en" or not english:
            return english
        found = self.known["texts"].get(english)
        if found is None:
            self.untranslated.add(english)
            return english
        return str(found)

    def day(self, value: date) -> str:
        """Write a day with the month in words."""
        return f"{value.day} {self.known['months'][value.month - 1]} {value.year}"

    def shaped(self, text: str) -> str:
        """Put letters into the form and order in which they are drawn from left to right."""
        if not any("\u0600" <= letter <= "\u06ff" for letter in text):
            return text
        return str(get_display(arabic_reshaper.reshape(text)))
