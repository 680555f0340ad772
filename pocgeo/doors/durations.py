"""Words on the command line that become numbers: "60min", "1h30", "14d", dates."""

import re
from datetime import date
from typing import Any

import click

__all__ = ["DAY", "DAYS", "MINUTES", "NONE_WORDS"]

NONE_WORDS = {"none", "off", "no"}
HOURS_AND_MINUTES = re.compile(r"(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*(?:min|m)?)?")
DAYS_OR_WEEKS = re.compile(r"(\d+(?:\.\d+)?)\s*(d|w)?")


class Minutes(click.ParamType):
    """Minutes, as "60", "60min", "2h" or "1h30"; "none" asks for no such standard."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn the words into minutes (float) or None."""
        text = str(value).strip().lower()
        if text in NONE_WORDS:
            return None
        match = HOURS_AND_MINUTES.fullmatch(text)
        if not text or match is None or not any(match.groups()):
            self.fail(f"{value!r} is no duration; write 60min, 2h, 1h30 or none.", param, ctx)
        return 60 * float(match[1] or 0) + float(match[2] or 0)


class Days(click.ParamType):
    """Days, as "14", "14d" or "2w"; "none" asks for no such standard."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn the words into days (float) or None."""
        text = str(value).strip().lower()
        if text in NONE_WORDS:
            return None
        match = DAYS_OR_WEEKS.fullmatch(text)
        if match is None:
            self.fail(f"{value!r} is no number of days; write 14d, 2w or none.", param, ctx)
        return float(match[1]) * (7 if match[2] == "w" else 1)


class Day(click.ParamType):
    """A day, as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn ISO text into a date."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-06-30.", param, ctx)


MINUTES, DAYS, DAY = Minutes(), Days(), Day()
