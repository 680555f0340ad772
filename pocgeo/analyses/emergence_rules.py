"""The published patterns of emerging hot spots: what a row of hot and cold steps is called."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput

__all__ = ["NO_PATTERN", "PATTERNS", "classified"]

Flags = NDArray[np.bool_]

NO_PATTERN = "no pattern"
KINDS = (
    "new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "oscillating",
    "historical",
)  # fmt: skip
PATTERNS = (
    NO_PATTERN,
    *(f"{kind} hot spot" for kind in KINDS),
    *(f"{kind} cold spot" for kind in KINDS),
)
"""Names, in the order of the codes that `classified` gives."""

MOST_SHARE = 0.9
"""Share of steps from which a place has been hot "for ninety percent of the time"."""


class Trend(NamedTuple):
    """Whether the intensity of clustering rises or falls, beyond chance."""

    rises: Flags
    falls: Flags


def classified(hot: Flags, cold: Flags, rises: Flags, falls: Flags) -> NDArray[np.int8]:
    """Name the pattern of every row of steps.

    Parameters
    ----------
    hot, cold : bool arrays, n places x t steps, the earliest step first
        Whether the place was a significant hot (cold) spot in each step.
    rises, falls : bool arrays, n places
        Whether its Gi* z rises (falls) over the steps beyond chance.

    Returns
    -------
    int8 array, n places
        Positions in `PATTERNS`. A place fits one pattern of a side at most; where it fits a hot
        and a cold one, the side of the final step decides, else the hot one.

    Notes
    -----
    Definitions of ArcGIS Pro, "How Emerging Hot Spot Analysis works": docs/methods/emergence.md.
    """
    if hot.shape != cold.shape or (hot & cold).any():
        raise BadInput("A step cannot be hot and cold at once; both tables must be alike in shape.")
    warm = _side(hot, cold, Trend(rises, falls))
    # A cold spot intensifies where z falls ever lower.
    chill = _side(cold, hot, Trend(falls, rises))
    take_cold = (chill > 0) & ((warm == 0) | cold[:, -1])
    return np.where(take_cold, chill + len(KINDS), warm).astype(np.int8)


def _side(ours: Flags, theirs: Flags, trend: Trend) -> NDArray[np.int8]:
    """Find the pattern of one side: 0 none, else its place among the kinds, from 1."""
    steps = ours.shape[1]
    number = ours.sum(axis=1)
    last = ours[:, -1]
    most = number >= MOST_SHARE * steps - 1e-9
    backwards = ours[:, ::-1]
    run = np.where(backwards.all(axis=1), steps, np.argmin(backwards, axis=1))
    once = last & (number == 1)
    one_run = last & (run >= 2) & (number == run) & ~most
    rest = last & ~once & ~one_run & ~most
    both = theirs.any(axis=1)
    conditions = [
        once,
        one_run,
        last & most & trend.rises,
        last & most & ~trend.rises & ~trend.falls,
        last & most & trend.falls,
        rest & ~both,
        rest & both,
        ~last & most,
    ]
    return np.select(conditions, list(range(1, len(KINDS) + 1)), 0).astype(np.int8)
