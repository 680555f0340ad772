"""Slope to minutes: Tobler's hiking function on foot, declared curves for vehicles."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pocgeo.cells.speeds import SlopeRule, TerrainRules, known_mobility

__all__ = ["slope_factor", "slope_minutes", "slope_multiplier"]

STEEPEST = 20.0
"""Slopes are taken for no steeper than this (87 degrees), so that nothing overflows."""

Floats = NDArray[np.float64]


def slope_factor(slope: ArrayLike, rule: SlopeRule) -> Floats:
    """Share of the flat speed at a slope.

    Parameters
    ----------
    slope : array
        Rise over run in the direction of movement: uphill positive. NaN (not known) gives 1.
    rule : SlopeRule

    Returns
    -------
    float array
        1 on the flat; 0 cannot pass.

    Notes
    -----
    Tobler (1993), Three presentations on geographical analysis and modeling, NCGIA technical
    report 93-1: speed = 6 exp(-3.5 |slope + 0.05|) km/h, here over its value on the flat.
    """
    steep = np.clip(np.asarray(slope, dtype=np.float64), -STEEPEST, STEEPEST)
    if rule.rule == "tobler":
        share = np.exp(-rule.steepness * (np.abs(steep + rule.ease) - rule.ease))
    elif rule.rule == "curve":
        share = np.interp(steep, rule.slope, rule.factor)
    else:
        share = np.ones_like(steep)
    found: Floats = np.where(np.isnan(steep), 1.0, share)
    return found


def slope_minutes(mobility: str, rules: TerrainRules) -> Callable[[Floats], Floats]:
    """Make the function of slope (rise over run, outbound) that multiplies minutes."""
    rule = rules.slope[known_mobility(mobility)]

    def minutes(slope: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return 1.0 / slope_factor(slope, rule)

    return minutes


def slope_multiplier(
    rise_m: ArrayLike, length_m: ArrayLike, mobility: str, rules: TerrainRules
) -> Floats:
    """Factor on the minutes of the flat, outbound.

    Parameters
    ----------
    rise_m : array, n
        Height of the end less height of the start, metres; NaN where not known.
    length_m : array, n
        Metres between them on the map (run). 0 counts as flat.
    mobility : str

    Returns
    -------
    float array, n
        1 on the flat, below 1 on an easy descent on foot, infinite where it cannot be climbed.
    """
    rise, run = np.broadcast_arrays(
        np.asarray(rise_m, dtype=np.float64), np.asarray(length_m, dtype=np.float64)
    )
    slope = np.divide(rise, run, out=np.zeros(rise.shape), where=run > 0)
    return slope_minutes(mobility, rules)(slope)
