"""How precise the record of incidents is, in the sentences that go with its maps."""

import pandas as pd

from pocgeo.analyses.location_precision import snapping
from pocgeo.aoi.indexed import Indexed
from pocgeo.cells.spreading import PlacingRule

__all__ = ["precision_notes", "snapping_notes"]

AT_A_POINT = ("point", "near")
TREATED = {
    "spread": "dealt out over the area's cells",
    "exclude": "set aside",
    "naive": "taken at the point given, as if exact: do not believe hotspots that rest on them",
}


def precision_notes(index: Indexed, events: pd.DataFrame) -> list[str]:
    """Say how many of the incidents at hand are known only to an area, and what became of them."""
    by = events.groupby("incident_id", sort=False)["placed"].first()
    rule = PlacingRule(**index.file.standards.get("placing", {}))
    notes = []
    known = by[by != "outside"]
    counted = "set_aside" if rule.method == "exclude" else rule.method
    vague = int(known.isin(["spread", "naive"]).sum())
    if rule.method == "exclude":
        vague = int((known == counted).sum())
    if vague:
        share = vague / len(known)
        notes.append(
            f"{vague} of {len(known)} incidents ({share:.0%}) are known only to an area: "
            f"{TREATED[rule.method]}."
        )
    return [*notes, *snapping_notes(index)]


def snapping_notes(index: Indexed) -> list[str]:
    """Say what share of the points are a town's coordinates and not the incident's own."""
    incidents = index.table("incidents")
    if incidents is None or incidents.empty:
        return []
    said = incidents.get("location_precision")
    if said is not None:
        incidents = incidents[said.isna() | said.isin(AT_A_POINT)]
    towns = index.table("settlements")
    places = None if towns is None else towns.geometry
    found = snapping(
        incidents.geometry.x.to_numpy(float),
        incidents.geometry.y.to_numpy(float),
        None if places is None else places.x.to_numpy(float),
        None if places is None else places.y.to_numpy(float),
    )
    return [found.text] if found.either_n else []
