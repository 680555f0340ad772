"""What a planner must know beside a plan: what is unknown, assumed, barred, and of whom."""

import numpy as np
import pandas as pd

from pocgeo.analyses.deployment import DeploymentStandard, Siting
from pocgeo.ground.errors import shortened

__all__ = [
    "caveats_of",
    "march_words",
    "words_of_means",
    "words_of_new",
    "words_of_unknown",
    "words_of_ways",
]


def caveats_of(base: pd.Series, *, moves: bool) -> str | None:
    """Say what a base declares that binds an order; None where it declares nothing."""
    said = [] if pd.isna(base["caveat"]) else [str(base["caveat"]).rstrip(".")]
    if moves and not pd.isna(base["night_moves"]) and not base["night_moves"]:
        said.append("no moves by night")
    return "; ".join(said) or None


def march_words(standard: DeploymentStandard) -> str:
    """Say how long a march may be."""
    hours = standard.march_limit_min / 60
    return f"{hours / 24:g} days" if hours % 24 == 0 else f"{hours:.1f} hours"


def words_of_unknown(cells: pd.DataFrame) -> list[str]:
    """Say in how many cells people are unknown."""
    unknown = int(cells["people_persons"].isna().sum())
    if not unknown:
        return []
    return [f"People are unknown in {unknown:,} cells: nothing there counts in the plan."]


def words_of_new(sites: pd.DataFrame, standard: DeploymentStandard) -> list[str]:
    """Say what is assumed of whoever goes to a new place."""
    limit = "" if standard.range_km is None else f", at most {standard.range_km:g} km"
    others = sites[sites["existing"] & sites["mobility"].notna()]
    slower = others[~others["mobility"].isin([standard.mobility, "unknown"])]
    notes = [
        f"From a new place people move {words_of_means(standard.mobility)} after "
        f"{standard.notice_min:g} min of readiness{limit}, whoever is sent there."
    ]
    if len(slower):
        codes = ", ".join(
            f"{code} ({way})"
            for code, way in zip(slower["site_id"], slower["mobility"], strict=True)
        )
        notes.append(f"Not so mobile today, to be looked at before they are moved: {codes}.")
    return notes


def words_of_ways(sites: pd.DataFrame, siting: Siting, standard: DeploymentStandard) -> list[str]:
    """Say which bases have no way to any place that they might move to."""
    if siting.passable is None:
        return []
    near = siting.freed.movable(standard.move_limit_km)
    near = np.ones_like(siting.passable) if near is None else near
    near = near & ~(siting.existing | siting.barred)
    some = siting.removable & near.any(axis=1)
    stuck = some & ~(near & siting.passable).any(axis=1)
    if not stuck.any():
        return []
    days = march_words(standard)
    where = "" if standard.move_limit_km is None else f" within {standard.move_limit_km:g} km"
    lifts = "" if standard.moves_by == "air" else " (--moves-by air lets bases be flown)"
    if (stuck == some).all():
        return [
            f"No base has a way of at most {days} to any candidate place{where}, so no move is "
            f"proposed: look at the roads that are loaded{lifts}."
        ]
    names = shortened(sites["name"].astype(str).to_numpy()[stuck].tolist())
    return [f"Not moved, no way of at most {days} to any candidate place{where}: {names}{lifts}."]


def words_of_means(mobility: str) -> str:
    """Say how people move."""
    return {"foot": "on foot", "wheeled": "on wheels", "tracked": "on tracks"}.get(
        mobility, f"by {mobility}"
    )
