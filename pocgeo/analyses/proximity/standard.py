"""The standard of the one-kilometre rule, and the bases it binds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.analyses.bases import days_of, numbers_of, words_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["ONE_KILOMETRE", "Bound", "ProximityStandard", "bound_bases"]

FARTHEST_M = 100_000.0
"""House limit of an obligation around a base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProximityStandard:
    """How near is near, and which bases it binds."""

    radius_m: float = 1_000.0
    """Greatest geodesic distance from the base perimeter, metres. The rim itself is inside."""

    kinds: frozenset[str] = frozenset({"HQ", "COB", "TOB"})
    """Base kinds that carry the obligation. A base of unknown kind is taken as bound, and said."""

    assumed_error_m: float = 1_000.0
    """Location error of a place that states none, metres (house default; unknown is not 0)."""

    assumed_base_error_m: float = 500.0
    """Location error of a base drawn as a point that states none, metres (house default)."""

    def __post_init__(self) -> None:
        if not 0 < self.radius_m <= FARTHEST_M:
            raise BadInput(
                f"radius_m must be more than 0 and at most {FARTHEST_M:,.0f} metres, got "
                f"{self.radius_m:g}."
            )
        if not self.kinds:
            raise BadInput("kinds is empty: a standard that binds no base has no meaning.")
        for name in ("assumed_error_m", "assumed_base_error_m"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise BadInput(f"{name} must be 0 metres or more, got {getattr(self, name):g}.")


ONE_KILOMETRE = ProximityStandard()


@dataclass(frozen=True, slots=True)
class Bound:
    """The bases a standard binds, in the order of their codes."""

    table: pd.DataFrame
    """Rows of the base layer, RangeIndex."""

    shapes: NDArray[np.object_]
    """Perimeters or points."""

    error_m: NDArray[np.float64]
    """Location error, assumed where a point states none."""

    point: NDArray[np.bool_]
    """No perimeter is known."""

    assumed: NDArray[np.bool_]
    """The location error is assumed."""

    undated: NDArray[np.bool_]
    """Neither opening nor closing day is known."""

    kindless: NDArray[np.bool_]
    """The kind is unknown."""


def bound_bases(bases: pd.DataFrame, standard: ProximityStandard) -> Bound:
    """Pick the bases a standard binds.

    A perimeter is taken at its word: its location error is 0 unless `location_error_m` says
    otherwise. A point is not: where it states no error, `assumed_base_error_m` stands in.

    Raises
    ------
    MissingColumns
        `base_id`, `kind` or `geometry` is absent.
    BadInput
        Two bases share a code, or a base has no geometry.
    """
    require_columns(bases, "bases", ["base_id", "kind", "geometry"])
    kind = words_of(bases, "kind").replace({"unknown": None})
    chosen = (kind.isna() | kind.isin(standard.kinds)).to_numpy()
    table = bases[chosen].sort_values("base_id", kind="stable").reset_index(drop=True)
    twice = table["base_id"].duplicated()
    if twice.any():
        raise BadInput(
            f"bases: base_id {table.loc[twice, 'base_id'].iloc[0]} stands in more than one row. "
            "Give every base one row and its own code."
        )
    shapes = np.asarray(table["geometry"].array, dtype=object)
    void = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if void.any():
        raise BadInput(f"bases: {table['base_id'][void].iloc[0]} has no geometry. Give it one.")
    point = shapely.get_dimensions(shapes) < 2
    stated = numbers_of(table, "location_error_m").to_numpy()
    assumed = point & np.isnan(stated)
    error = np.where(assumed, standard.assumed_base_error_m, np.nan_to_num(stated))
    no_days = days_of(table, "opened_on").isna() & days_of(table, "closed_on").isna()
    kindless = words_of(table, "kind").replace({"unknown": None}).isna()
    return Bound(table, shapes, error, point, assumed, no_days.to_numpy(), kindless.to_numpy())
