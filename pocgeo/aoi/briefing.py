"""What goes into the briefing of one AOI, in the order a commander asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pocgeo.aoi.patrols import ground_shown, wanted_patrols
from pocgeo.aoi.plans import is_asked
from pocgeo.ground.errors import Refused
from pocgeo.products.briefs import BriefContent, BriefMap, BriefTable, Headline
from pocgeo.products.disclosure import Released
from pocgeo.products.maps import MapSpec, PageFrame, map_spec

if TYPE_CHECKING:
    from pocgeo.aoi.area import Aoi

__all__ = ["content", "further_of"]

Fetch = Callable[[str], Released | str]
Overlays = Callable[["Aoi", MapSpec, Fetch], tuple[dict[str, Released], list[str]]]

NULL_WORDS = "Null check"
MAPS = ("coverage_gaps", "proximity", "hotspots", "risk", "forecast")

TABLES = (  # finding, what it needs, heading, sentence, rows
    ("gaps", "population", "Where nobody is in reach and nobody has been",
     "People at risk who meet none of the standards, joined into areas and ranked by "
     "risk-weighted people. The reason is under each row.", 15),
    ("coverage", "population", "Who is covered, by area",
     "Each kind of area adds up to the whole area of interest.", 20),
    ("proximity", "bases", "What we owe around our bases",
     "People, sites and incidents within the radius of each perimeter. Zones may overlap, so "
     "rows must not be added up.", 30),
    ("review", "incidents", "Incidents that call for a review",
     "Incidents against civilians inside the radius, or where the location error leaves it "
     "undecided, with what was on record before them.", 15),
    ("flagged", "incidents", "Where violence is high beyond chance",
     "Cells whose surroundings hold more incidents than the expectation explains.", 15),
    ("quarter_new", "incidents", "Quarterly threat assessment: what is new",
     "Alarms, and areas in another phase than a quarter ago.", 15),
    ("quarter_areas", "incidents", "Quarterly threat assessment: what to expect next quarter",
     "The whole area, then by perpetrator, then by area.", 20),
    ("quarter_trust", "incidents", "Quarterly threat assessment: how sure we are",
     "Every past quarter was forecast again from what was known then, and held against what came.",
     10),
    ("quarter_last", "incidents", "Quarterly threat assessment: what we said last time, "
     "and what came", "Areas where the forecast missed come first.", 15),
    ("plan", "bases", "What a plan of deployment would do: orders",
     "Who goes where, for whom, and why, with the gap to the best plan there could be.", 30),
    ("plan_cover", "bases", "Who is covered, today and by the plan",
     "Within each step of minutes, by scenario.", 30),
    ("plan_changes", "bases", "Who loses and who gains cover by the plan",
     "The whole area first, then the settlements that lose, then those that gain.", 25),
    ("plan_obligations", "bases", "What the plan leaves behind",
     "People, sites and settlements within the radius of every base that goes, and who is nearest "
     "then.", 30),
    ("plan_rings", "bases", "Around the places that the plan leaves and takes",
     "Violence may shift to the surroundings of a base: look there.", 30),
    ("patrol_plan", "bases", "Where patrols go: the order, stop by stop",
     "Stops, times and ways of each patrol, why each stop is worth it, and what binds them.", 40),
    ("patrol_gains", "bases", "What fewer patrols and shorter shifts collect",
     "More patrols never collect less, nor do longer shifts.", 25),
)  # fmt: skip

CAVEATS = (
    "Minutes of reach rest on declared speeds; a third more or less in speed moves them as much.",
    "Covered means that a standard is met on paper. It does not mean safe.",
    "Incidents are those reported. No report is not no incident.",
    "Population is a model. Unknown is shown as unknown, never as zero.",
)


def content(aoi: "Aoi", frame: PageFrame, fetch: Fetch, overlays_of: Overlays) -> BriefContent:
    """Assemble the briefing from released tables; what is refused is said."""
    refused: list[str] = []

    def released(name: str, need: str) -> Released | None:
        if not aoi.indexed.has(need) or (
            name in {"review", "inside"} and not aoi.indexed.has("bases")
        ):
            return None
        made = fetch(name)
        if isinstance(made, str):
            refused.append(made)
            return None
        return made

    tables = []
    found: dict[str, Released] = {}
    for name, need, heading, says, top in TABLES:
        made = released(name, need) if asked_for(aoi, name) else None
        if made is not None and not (name == "plan_obligations" and made.table.empty):
            found[name] = made
            tables.append(BriefTable(heading=heading, released=made, says=says, top=top))
    inside = released("inside", "incidents")
    if inside is not None:
        found["inside"] = inside
    return BriefContent(
        frame=frame,
        headlines=tuple(headlines(found)),
        maps=tuple(maps(aoi, released, fetch, overlays_of, refused)),
        tables=tuple(tables),
        null_check=null_sentence(found),
        caveats=CAVEATS,
        refused=tuple(dict.fromkeys(refused)),
    )


def asked_for(aoi: "Aoi", name: str) -> bool:
    """Whether a table is of the briefing: a plan or patrols are only if somebody wants them."""
    if name.startswith("patrol_"):
        return wanted_patrols(aoi) is not None
    return is_asked(aoi) if name.startswith("plan") else True


def headlines(found: dict[str, Released]) -> list[Headline]:
    """Pick the figures at the top, from tables that passed the gate."""
    picked: list[tuple[str, dict[str, Any]]] = [
        ("coverage", {"label": "People covered", "unit": "persons", "column": "covered_any_persons",
                      "how": "value", "where": {"area_kind": "AOI"}}),
        ("coverage", {"label": "People in the gap", "unit": "persons", "column": "gap_persons",
                      "how": "value", "where": {"area_kind": "AOI"}}),
        ("gaps", {"label": "Gap areas", "unit": "areas", "how": "rows"}),
        ("inside", {"label": "Incidents within the radius of a base", "unit": "incidents",
                    "how": "rows"}),
        ("review", {"label": "Incidents to review: inside, or undecided", "unit": "incidents",
                    "how": "rows"}),
        ("quarter_areas", {"label": "Incidents expected next quarter", "unit": "incidents",
                           "column": "forecast_incidents", "how": "value", "digits": 0,
                           "where": {"area": "Whole area"}}),
        ("flagged", {"label": "Cells flagged as hotspots", "unit": "cells", "how": "rows"}),
    ]  # fmt: skip
    return [Headline(source=found[name], **said) for name, said in picked if name in found]


def maps(
    aoi: "Aoi",
    released: Callable[[str, str], Released | None],
    fetch: Fetch,
    overlays_of: Overlays,
    refused: list[str],
) -> list[BriefMap]:
    """Draw the maps that the layers and the audience allow."""
    needs = {
        "gap_cells": "population", "population": "population", "plan_cells": "bases",
        "patrol_cells": "bases",
    }  # fmt: skip
    made = []
    for name in (*MAPS, "redeployment", "patrol_plan"):
        spec = map_spec(name, aoi.file.folder)
        table = spec.table or ""
        if not asked_for(aoi, table):
            continue
        cells = released(table, needs.get(table, "incidents"))
        if cells is None:
            continue
        if "cell" not in cells.table and not aoi.indexed.has("areas"):
            refused.append(f"{spec.title}: this audience has it by area, and areas is not loaded.")
            continue
        try:
            overlays, withheld = overlays_of(aoi, spec, fetch)
        except Refused as reason:
            refused.append(str(reason))
            continue
        refused += withheld
        further = further_of(aoi, spec, cells, fetch)
        ground = None
        if table == "patrol_cells":
            ground = ground_shown(aoi.indexed.boundary, cells.table)
        made.append(
            BriefMap(spec=spec, cells=cells, overlays=overlays, further=further, boundary=ground)
        )
    return made


def further_of(
    aoi: "Aoi", spec: MapSpec, cells: Released | None, fetch: Fetch
) -> dict[str, Released]:
    """Fetch the tables of single measures, and the areas of a map drawn by area."""
    by_area = cells is not None and "cell" not in cells.table and spec.areas is None
    names = [*spec.further, *(["areas"] if by_area else [])]
    there = [name for name in names if name != "areas" or aoi.indexed.has("areas")]
    made = {name: fetch(name) for name in dict.fromkeys(there)}
    return {name: table for name, table in made.items() if not isinstance(table, str)}


def null_sentence(found: dict[str, Released]) -> str:
    """Repeat the null check that the hotspot table carries among its notes."""
    notes = found["flagged"].notes if "flagged" in found else ()
    said = [note for note in notes if NULL_WORDS in note]
    return said[0] if said else ""
