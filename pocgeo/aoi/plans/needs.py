"""What a plan must keep: bases named, obligations within the radius, protected places."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from pocgeo.analyses.deployment import Requirement
from pocgeo.analyses.proximity.ledger import within_radius
from pocgeo.analyses.reach.table import ReachTable
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.obligations import as_known
from pocgeo.aoi.obligations import asked as proximity_asked
from pocgeo.aoi.picture import Moment
from pocgeo.aoi.plans.places import named_place
from pocgeo.cells import grid
from pocgeo.ground.errors import BadInput, UnknownName

__all__ = ["known_bases", "requirements"]


def known_bases(codes: tuple[str, ...], sites: pd.DataFrame) -> list[str]:
    """Check codes of bases; names do too."""
    bases = sites[sites["existing"]]
    by_name = dict(zip(bases["name"].str.casefold(), bases["site_id"], strict=True))
    by_name |= {code.casefold(): code for code in bases["site_id"]}
    made = []
    for code in codes:
        if code.casefold() not in by_name:
            raise UnknownName("standing base", code, [*bases["site_id"], *bases["name"]])
        made.append(by_name[code.casefold()])
    return made


def requirements(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, table: ReachTable,
    rules: tuple[float, Sequence[str], list[str]],
) -> tuple[tuple[Requirement, ...], list[str]]:  # fmt: skip
    """Turn obligations within the radius, and protected places, into what must be kept."""
    protect_min, protect, leave = rules
    needs, notes = obligations(index, moment, sites, leave)
    cells = index.known("cells")
    existing = sites["existing"].to_numpy(bool)
    near = table.minutes <= protect_min
    for text in protect:
        place = named_place(index, text).iloc[0]
        cell = grid.cells_of([place["lon"]], [place["lat"]], index.file.resolution)
        at = int(pd.Index(cells["cell"]).get_indexer(cell)[0])
        if at < 0:
            raise BadInput(f"{text}: lies outside the area of interest, so it cannot be protected.")
        reached = np.unique(table.site[near & (table.cell == at)])
        if not existing[reached].any():
            notes.append(
                f"{place['name']} is not within {protect_min:g} min of a base today: "
                "there is nothing to protect."
            )
            continue
        needs.append(
            Requirement(
                kind="protected place", name=str(place["name"]), sites=tuple(reached.tolist())
            )
        )
    return tuple(needs), notes


def obligations(
    index: Indexed, moment: Moment, sites: gpd.GeoDataFrame, leave: list[str]
) -> tuple[list[Requirement], list[str]]:
    """Hold a base where displaced people shelter within the radius of its perimeter."""
    rule = proximity_asked(index, None)
    shelters = as_known(index.table("sites"), moment.as_of)
    if shelters is None or shelters.empty:
        return [], []
    shelters = shelters.reset_index(drop=True)
    pairs = within_radius(sites.geometry.array, shelters.geometry.array, rule.radius_m)
    existing = sites["existing"].to_numpy(bool)
    gone = sites["site_id"].isin(leave).to_numpy()
    needs, notes = [], []
    for shelter, rows in pairs.groupby("other", sort=True):
        near = rows["base"].to_numpy()
        held = near[existing[near]]
        if not len(held):
            continue
        known = shelters["name"].iloc[shelter]
        name = "a site without a name" if pd.isna(known) else str(known)
        codes = ", ".join(sites["site_id"].iloc[held])
        if gone[held].all():
            notes.append(f"The obligation to {name} beside {codes} may be abandoned, as asked.")
            continue
        needs.append(
            Requirement(
                kind=f"{rule.radius_m:,.0f} m obligation", name=f"to {name} beside {codes}",
                sites=tuple(int(each) for each in near),
            )
        )  # fmt: skip
    if needs:
        named = "; ".join(need.name for need in needs)
        notes.append(f"Obligations not to be abandoned (--may-leave BASE lets one go): {named}.")
    return needs, notes
