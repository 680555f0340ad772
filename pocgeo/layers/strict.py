"""Tables of a TOML file read strictly: every key known, every type right, one line when not."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pocgeo.ground.errors import BadInput

__all__ = ["StrictTable"]

LARGEST = 1e15
"""Of any number in a file of settings; floats hold whole numbers exactly up to it."""


class StrictTable:
    """One table of a TOML file; what is taken is checked, what is left over is refused.

    Parameters
    ----------
    path : Path
        The file, for messages.
    place : str
        The table's name as written in the file, such as `fields.kind`; "" for the top of the file.
    table : Mapping
        What was parsed.
    """

    def __init__(self, path: Path, place: str, table: object) -> None:
        self.path, self.place = path, place
        if not isinstance(table, Mapping):
            raise self.wrong("", f"must be a table, got {spelled(table)}.")
        self.values: Mapping[str, Any] = table
        self.taken: list[str] = []

    def wrong(self, key: str, why: str) -> BadInput:
        """Make the error for a key: file, table, key, reason."""
        where = " ".join(part for part in (f"[{self.place}]" if self.place else "", key) if part)
        return BadInput(f"{self.path}: {where}: {why}" if where else f"{self.path}: {why}")

    def has(self, key: str) -> bool:
        """Say whether the key is written."""
        return key in self.values

    def take(self, key: str, kinds: tuple[type, ...], said: str, default: Any) -> Any:
        """Take one value of the given types, or the default where the key is not written."""
        self.taken.append(key)
        if key not in self.values:
            return default
        value = self.values[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise self.wrong(key, f"must be {said}, got {spelled(value)}.")
        return value

    def text(self, key: str, default: str | None = None) -> str | None:
        """Take a text."""
        value: str | None = self.take(key, (str,), "a text in quotes", default)
        if value is not None and not value.strip():
            raise self.wrong(key, "is empty. Write a value or take the line out.")
        if value is not None and "\0" in value:
            raise self.wrong(key, "holds a null character, which no name or path has.")
        return value

    def needed_text(self, key: str, example: str) -> str:
        """Take a text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.wrong(key, f'is missing. Write for example {key} = "{example}".')
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Take true or false."""
        value: bool = self.take(key, (bool,), "true or false", default)
        return value

    def optional_flag(self, key: str) -> bool | None:
        """Take true or false, or None where it is not written."""
        value: bool | None = self.take(key, (bool,), "true or false", None)
        return value

    def number(self, key: str, default: float | None = None) -> float | None:
        """Take a number."""
        value = self.take(key, (int, float), "a number", default)
        return None if value is None else self.finite(key, value)

    def finite(self, key: str, value: float) -> float:
        """Take a number as a float; refuse one that is none, or too large to be one."""
        if not -LARGEST <= value <= LARGEST:
            raise self.wrong(key, f"must be a finite number, got {spelled(value)}.")
        return float(value)

    def whole(self, key: str, default: int | None = None) -> int | None:
        """Take a whole number."""
        value: int | None = self.take(key, (int,), "a whole number", default)
        if value is not None:
            self.finite(key, value)
        return value

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str | None:
        """Take one of a few words."""
        value = self.text(key, default)
        words = list(known)
        if value is not None and value not in words:
            raise self.wrong(key, f"{value!r} is not known. {hint(value, words)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; a single text counts as a list of one."""
        value = self.take(key, (list, str), "a list of texts", [])
        items = [value] if isinstance(value, str) else value
        if any(not isinstance(item, str) for item in items):
            raise self.wrong(key, "must be a list of texts in quotes.")
        return tuple(items)

    def pair(self, key: str) -> tuple[float, float] | None:
        """Take two numbers, the lower first."""
        value = self.take(key, (list,), "a list of two numbers", None)
        if value is None:
            return None
        right = len(value) == 2 and all(
            isinstance(item, int | float) and not isinstance(item, bool) for item in value
        )
        if not right or value[0] > value[1]:
            raise self.wrong(key, "must be two numbers, the lower first, for example [0, 100].")
        return self.finite(key, value[0]), self.finite(key, value[1])

    def mapping(self, key: str) -> dict[str, str]:
        """Take a table of text to text; numbers and booleans become text."""
        value = self.take(key, (dict,), "a table", {})
        found: dict[str, str] = {}
        for name, item in value.items():
            if not isinstance(item, str | int | float | bool):
                raise self.wrong(
                    f"{key}.{name}", f"must be a text or a number, got {spelled(item)}."
                )
            found[name] = as_text(item)
        return found

    def lists(self, key: str) -> dict[str, tuple[str, ...]]:
        """Take a table of text to list of texts; single values count as lists of one."""
        return self.inner(key, self.take(key, (dict,), "a table", {})).lists_all()

    def lists_all(self) -> dict[str, tuple[str, ...]]:
        """Take the whole of this table as text to list of texts."""
        found: dict[str, tuple[str, ...]] = {}
        for name, item in self.values.items():
            self.taken.append(name)
            items = item if isinstance(item, list) else [item]
            if not items or any(not isinstance(one, str | int | float | bool) for one in items):
                raise self.wrong(name, "must be a list of texts or numbers, not empty.")
            found[name] = tuple(as_text(one) for one in items)
        return found

    def table(self, key: str) -> "StrictTable":
        """Take a table within this one; an empty one where it is not written."""
        return self.inner(key, self.take(key, (dict,), "a table", {}))

    def tables(self, key: str) -> dict[str, "StrictTable"]:
        """Take a table of tables, by name."""
        value = self.take(key, (dict,), "a table of tables", {})
        return {name: self.inner(f"{key}.{name}", item) for name, item in value.items()}

    def listed(self, key: str) -> tuple["StrictTable", ...]:
        """Take a list of tables; a single table counts as a list of one."""
        value = self.take(key, (list, dict), "a table, or a list of tables", [])
        items = [value] if isinstance(value, dict) else value
        return tuple(self.inner(key, item) for item in items)

    def inner(self, key: str, value: object) -> "StrictTable":
        """Wrap a table that lies within this one."""
        return StrictTable(self.path, f"{self.place}.{key}" if self.place else key, value)

    def finish(self) -> None:
        """Refuse every key that nothing asked for."""
        for key in self.values:
            if key not in self.taken:
                where = f"[{self.place}] has" if self.place else "there is"
                raise BadInput(f"{self.path}: {where} no key {key!r}. {hint(key, self.taken)}")


def hint(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant."""
    words = sorted(set(known))
    near = get_close_matches(name, words, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(words) or 'none'}."


def spelled(value: object) -> str:
    """Spell a value for a message, shortened."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return "a vast number"
    try:
        shown = repr(value)
    except ValueError:  # a vast number within
        shown = f"a {type(value).__name__}"
    return shown if len(shown) <= 40 else shown[:37] + "..."


def as_text(value: str | float | bool) -> str:
    """Write a TOML value as the text a source would hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if not -LARGEST <= value <= LARGEST:
        return spelled(value)
    return str(int(value)) if float(value).is_integer() else repr(value)
