"""Markings of documents, low to high."""

from pocgeo.ground.errors import BadInput

__all__ = ["MARKINGS", "above", "refuse_unknown_marking"]

MARKINGS = ("UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY CONFIDENTIAL")
"""Low to high."""


def above(marking: str, other: str) -> bool:
    """Say whether a marking is higher than another."""
    return MARKINGS.index(marking) > MARKINGS.index(other)


def refuse_unknown_marking(marking: str) -> None:
    """Refuse what is no marking.

    Raises
    ------
    BadInput
        Names the markings there are.
    """
    if marking not in MARKINGS:
        raise BadInput(f"marking is {marking!r}. Use one of: {', '.join(MARKINGS)}.")
