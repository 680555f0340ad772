"""The words of a product in English, French or Arabic, from standards/messages."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import UnknownName

__all__ = ["ENGLISH", "LANGUAGES", "Words", "messages"]

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}

RIGHT_TO_LEFT = frozenset({"ar"})

DECIMAL_COMMA = frozenset({"fr"})
"""Languages that write 1 234,5 (with narrow spaces that do not break) for 1,234.5."""

HOLE = re.compile(r"{(\w+)}")
NUMBER = re.compile(r"[\d.,]*\d")

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
DAY_TEXT = rf"(?:\d{{1,2}} )?(?:{MONTHS}) \d{{4}}"
DAY = re.compile(rf"(?P<day>\b\d{{1,2}} )?\b(?P<month>{MONTHS}) (?P<year>\d{{4}})\b")
SPAN = re.compile(rf"({DAY_TEXT}) to ({DAY_TEXT})")

NOTHING = frozenset({"", "–"})
WHOLE = frozenset({"whole AOI", "Whole area"})

FRENCH_SIGNS = str.maketrans({",": "\u202f", ".": ","})


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


@cache
def patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Give the sentences of a message file that have holes: what they look like, what they say."""
    found = []
    for english, said in messages(language)["texts"].items():
        if HOLE.search(english):
            parts = HOLE.split(english)
            shape = "".join(
                f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
            )
            found.append((re.compile(shape, re.DOTALL), str(said)))
    return tuple(found)


class Words:
    """Texts in one language; what the file does not have stays English, and is remembered."""

    def __init__(self, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise UnknownName("language", language, LANGUAGES)
        self.language = language
        self.untranslated: set[str] = set()
        self.given: set[str] = set()

    @property
    def known(self) -> Mapping[str, Any]:
        """What the message file of the language has."""
        return messages(self.language)

    @property
    def right_to_left(self) -> bool:
        """Whether lines begin on the right."""
        return self.language in RIGHT_TO_LEFT

    @property
    def direction(self) -> str:
        """As HTML writes it: ltr or rtl."""
        return "rtl" if self.right_to_left else "ltr"

    def __call__(self, key: str, **values: object) -> str:
        """Give a sentence of ours by its key, with its values filled in."""
        found = self.known["words"].get(key) or messages("en")["words"][key]
        said = str(found).format(**values)
        self.given.add(said)
        return said

    def text(self, english: str) -> str:
        """Translate a label or sentence of a declaration; English where there is none."""
        if self.language == "en" or not english or english in self.given:
            return english
        found = self.known["texts"].get(english) or self.filled(english)
        if found is None:
            self.untranslated.add(english)
            return english
        self.given.add(str(found))
        return str(found)

    def values(self, said: list[str]) -> list[str]:
        """Translate a column if all its texts are words of the house; one of names stays whole.

        The name of the whole area is a word of ours wherever it stands.
        """
        own = self.known.get("values", {})
        whole = set(said) - NOTHING <= set(own)
        return [own.get(each, each) if whole or each in WHOLE else each for each in said]

    def filled(self, english: str) -> str | None:
        """Translate a sentence made of a known one and of numbers or names; None: not known."""
        for shape, said in patterns(self.language):
            found = shape.fullmatch(english)
            if found is not None:
                return said.format(
                    **{key: self.part(value) for key, value in found.groupdict().items()}
                )
        return None

    def part(self, value: str) -> str:
        """Write what stands in a hole: numbers in the language's signs, known labels in words."""
        if NUMBER.fullmatch(value):
            return self.figures(value)
        span = SPAN.fullmatch(value)
        if span is not None:
            low, high = (DAY.sub(self.named_day, end) for end in span.groups())
            return self("from_to", low=low, high=high)
        value = DAY.sub(self.named_day, value)
        texts = self.known["texts"]
        return str(self.known["words"]["comma"]).join(
            str(texts.get(each, each)) for each in value.split(", ")
        )

    def named_day(self, found: re.Match[str]) -> str:
        """Write a day or month, as 30 Jun 2026 or Jun 2026, with the month of the language."""
        month = list(messages("en")["short_months"]).index(found["month"])
        return f"{found['day'] or ''}{self.known['short_months'][month]} {found['year']}"

    def figures(self, number: str) -> str:
        """Write a number made as 1,234.5 with the language's own signs."""
        return number.translate(FRENCH_SIGNS) if self.language in DECIMAL_COMMA else number

    def day(self, value: date) -> str:
        """Write a day with the month in words."""
        return f"{value.day} {self.known['months'][value.month - 1]} {value.year}"

    def short_day(self, value: date) -> str:
        """Write a day as 30 Jun 2026: no reader takes the month for the day."""
        return f"{value.day} {self.month(value)}"

    def month(self, value: date) -> str:
        """Write a month as Jun 2026."""
        return f"{self.known['short_months'][value.month - 1]} {value.year}"

    def browser(self) -> dict[str, str]:
        """Give what the page's scripts say, and how they write numbers."""
        own = {**messages("en")["page"], **self.known["page"]}
        return {key: str(said) for key, said in own.items()}


ENGLISH = Words("en")
"""What is said where nobody asks for another language."""
