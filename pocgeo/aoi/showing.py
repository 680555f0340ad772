"""Answers on their way out: named tables, the gate, maps and briefs of one AOI."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from pocgeo.aoi import briefing, obligations, patrols, quarterly, reaching, releases, warned
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.plans import PLAN_TABLES, is_asked, plan_finding
from pocgeo.aoi.standards import as_of_day
from pocgeo.aoi.travel import AS_IT_IS
from pocgeo.ground.errors import Refused, UnknownName
from pocgeo.ground.provenance import made_at
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.disclosure import ReleaseContext, Released, refuse_named, release
from pocgeo.products.exports import SUFFIXES, written_atomically
from pocgeo.products.manifest import InputFact, Making, manifest, outward
from pocgeo.products.maps import MapSpec, PageFrame, draw, map_names, map_spec

if TYPE_CHECKING:
    from pocgeo.aoi.area import Aoi

__all__ = ["out_path", "release_for", "save_map", "save_maps", "table"]

FINDINGS: Mapping[str, Callable[..., pd.DataFrame]] = {
    "gaps": lambda aoi, day: aoi.gaps(as_of=day),
    "gap_cells": lambda aoi, day: aoi.gap_cells(as_of=day),
    "coverage": lambda aoi, day: aoi.coverage(as_of=day),
    "proximity": lambda aoi, day: aoi.proximity(as_of=day),
    "verdicts": lambda aoi, day: aoi.verdicts(as_of=day),
    "inside": lambda aoi, day: obligations.inside(aoi.indexed, day),
    "review": lambda aoi, day: aoi.review(as_of=day),
    "hotspots": lambda aoi, day: aoi.hotspots(as_of=day),
    "flagged": lambda aoi, day: aoi.flagged(aoi.hotspots(as_of=day)),
    "hotspot_choice": lambda aoi, day: aoi.hotspot_choice(as_of=day),
    "emergence": lambda aoi, day: aoi.emergence(as_of=day),
    "patterned": lambda aoi, day: aoi.patterned(aoi.emergence(as_of=day)),
    "risk": lambda aoi, day: aoi.risk(as_of=day),
    "presence": lambda aoi, day: aoi.presence(as_of=day),
    "cell_days": lambda aoi, day: aoi.cell_days(as_of=day),
    "indicators": lambda aoi, day: aoi.indicators(as_of=day),
    "forecast": lambda aoi, day: aoi.forecast(as_of=day)[0],
    "forecast_areas": lambda aoi, day: aoi.forecast(as_of=day)[1],
    "scorecard": lambda aoi, day: aoi.scorecard(as_of=day)[0],
    "scorecard_differences": lambda aoi, day: aoi.scorecard(as_of=day)[1],
    "scorecard_reliability": lambda aoi, day: aoi.scorecard(as_of=day)[2],
    "scorecard_last": lambda aoi, day: aoi.scorecard(as_of=day)[3],
    "reach": lambda aoi, day: aoi.reach(as_of=day)[0],
    "reach_by_base": lambda aoi, day: aoi.reach(as_of=day)[1],
    "reach_seasons": lambda aoi, day: aoi.seasons(as_of=day),
    "reach_cells": lambda aoi, day: reaching.reach_cells(aoi.indexed, day),
    "reach_change_cells": lambda aoi, day: reaching.change_cells(aoi.indexed, day, aoi.change),
    "reach_contours": lambda aoi, day: reaching.reach_contours(aoi.indexed, day),
    "response": lambda aoi, day: aoi.response(as_of=day)[0],
    "response_months": lambda aoi, day: aoi.response(as_of=day)[1],
    "response_incidents": lambda aoi, day: aoi.response(as_of=day)[2],
    **{name: partial(plan_finding, name) for name in PLAN_TABLES},
    **{name: partial(patrols.patrol_finding, name) for name in patrols.PATROL_TABLES},
    **warned.TABLES,
    **quarterly.TABLES,
    "check": lambda aoi, _day: aoi.check()[0],
    "rings": lambda aoi, day: obligations.rings(aoi.indexed, day),
    "perimeters": lambda aoi, day: obligations.perimeters(aoi.indexed, day),
}
KIND_OF = {"point": "points", "track": "tracks", "any": "points"}
AREAS = {"areas", "aors", "floods", "waterways", "roads", "surroundings"}


def table(aoi: "Aoi", name: str, as_of: date | None) -> pd.DataFrame:
    """Fetch a finding, a cell table or a layer by name."""
    if name in FINDINGS:
        return FINDINGS[name](aoi, as_of)
    index = aoi.indexed
    if name in {"cells", "population", "own_layers", "planned_presence"} and index.has(name):
        return cell_table(index, name)
    if name in index.requests and index.requests[name].spec.geometry != "raster":
        return layer_table(index, name, as_of_day(aoi.file, as_of))
    known = [*FINDINGS, "cells", "population", *index.requests]
    raise UnknownName("table", name, known)


def cell_table(index: Indexed, name: str) -> pd.DataFrame:
    """Give a cell table with the names of its areas."""
    cells = index.known("cells")
    made = index.known(name)
    if name != "cells":
        named = cells[["cell", "lon", "lat", "settlement", "admin1", "admin2", "aor"]]
        made = made.merge(named, on="cell", how="left")
    made.attrs = {"name": name, "title": TITLES[name], "kind": "cells"}
    if name == "planned_presence":
        made.attrs["sensitivity"] = "restricted"
    return made


TITLES = {
    "cells": "Cells and their areas",
    "population": "People by cell",
    "own_layers": "Further layers by cell",
    "planned_presence": "Planned presence by cell",
}


def layer_table(index: Indexed, name: str, day: date) -> pd.DataFrame:
    """Give a layer as it stood on a day, ready for the gate."""
    spec = index.requests[name].spec
    rows = obligations.as_known(index.known(name), day)
    if "occurred_on" in rows:
        rows = rows[rows["occurred_on"] >= pd.Timestamp(index.file.period[0])]
    if spec.geometry == "track":
        rows = tracks(rows)
    rows = rows.drop(columns=["source", "source_row"], errors="ignore").reset_index(drop=True)
    kind = "areas" if name in AREAS else KIND_OF.get(spec.geometry, "areas")
    rows.attrs = {
        "name": name, "title": spec.title, "kind": kind, "sensitivity": spec.sensitivity,
        "notes": [spec.caveat] if spec.caveat else [],
    }  # fmt: skip
    return rows


def tracks(fixes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Join the fixes of each patrol into a line; a patrol of one fix is a point."""
    held = fixes.dropna(subset=["lon", "lat"])
    keys = held.groupby(["unit_id", "patrol_id"], dropna=False, sort=True).ngroup().to_numpy()
    xy = held[["lon", "lat"]].to_numpy(float)
    first = held.assign(track=keys).groupby("track")
    ends = first["fix_at"].agg(["min", "max"])
    names = first[["unit_id", "patrol_id"]].first()
    lines = {
        track: shapely.linestrings(xy[at]) if len(at) > 1 else shapely.points(*xy[at[0]])
        for track, at in first.indices.items()
    }
    made = gpd.GeoDataFrame({"track": list(lines)}, geometry=list(lines.values()), crs="EPSG:4326")
    made = made.set_index("track")
    made = made.join(names).join(ends.rename(columns={"min": "from_at", "max": "until_at"}))
    return made.reset_index(drop=True)


def release_for(aoi: "Aoi", finding: pd.DataFrame, audience: str) -> Released:
    """Pass a finding through the gate with the AOI's marking, note and manifest."""
    file, index = aoi.file, aoi.indexed
    day = date.fromisoformat(finding.attrs.get("as_of", as_of_day(file, None).isoformat()))
    context = ReleaseContext(
        marking=file.marking,
        cut_off_on=day,
        notes=(file.note,) if file.note else (),
        manifest=manifest_of(index, day),
        columns=own_columns(index, finding),
        resolution=file.resolution,
    )
    name = str(finding.attrs.get("name", "table"))
    title = str(finding.attrs.get("title", name))
    rules = releases.policy_of(aoi, audience)
    if audience == "internal":
        return release(finding, rules, name=name, title=title, context=context)
    refuse_named(rules, name, file.resolution)
    releases.refuse_filters(finding, audience, releases.usual_standards(aoi))
    with releases.kept_register(aoi) as register:
        known = replace(context, record=releases.record_of(index, day), register=register)
        released = release(finding, rules, name=name, title=title, context=known)
        releases.written_down(register, released)
    return released


def manifest_of(index: Indexed, day: date) -> dict[str, Any]:
    """Write down inputs, load report, versions and cut-off of everything this AOI makes."""
    file = index.file
    inputs = [
        InputFact(layer=layer, source=source, digest=digest)
        for layer, source, digest in index.inputs()
    ]
    about = {
        "name": file.name, "resolution": file.resolution, "period": file.period,
        "time_zone": file.time_zone, "marking": file.marking, "note": file.note,
    }  # fmt: skip
    report = None
    if index.requests:
        report = index.kept("load report", lambda: index.report().summary)
    return manifest(Making(aoi=about, inputs=inputs, load_report=report, cut_off_on=day))


def manifest_for(aoi: "Aoi", day: date, audience: str) -> Mapping[str, Any]:
    """Write the manifest of a page without a table of its own, fit for its audience."""
    made = manifest_of(aoi.indexed, day)
    return made if audience == "internal" else outward(made)


def own_columns(index: Indexed, finding: pd.DataFrame) -> dict[str, ColumnSpec]:
    """Describe the columns that layers of the AOI declare, for the gate."""
    specs: dict[str, ColumnSpec] = {}
    name = str(finding.attrs.get("name", ""))
    for layer, request in index.requests.items():
        for rule in request.spec.index:
            specs[rule.column] = ColumnSpec(
                name=rule.column, label=f"{request.spec.title}: {rule.method.replace('_', ' ')}",
                unit=None, sensitivity=request.spec.sensitivity, released_as="none", counts=None,
            )  # fmt: skip
        if request.spec.vulnerability is not None:
            specs[f"vulnerability_{layer}"] = ColumnSpec(
                name=f"vulnerability_{layer}", label=f"Vulnerability, {request.spec.title.lower()}",
                unit="0–1", sensitivity="restricted", released_as="none", counts=None, digits=2,
                priority=3,
            )  # fmt: skip
        if layer == name:
            for field in request.spec.fields.values():
                specs[field.name] = ColumnSpec(
                    name=field.name, label=field.label, unit=field.unit,
                    sensitivity=field.sensitivity, released_as="none", counts=None,
                )  # fmt: skip
    return specs


def out_path(aoi: "Aoi", released: Released, form: str) -> Path:
    """Name a product's file."""
    outside = "" if released.audience == "internal" else f"-{released.audience}"
    aoi.out_folder.mkdir(parents=True, exist_ok=True)
    return aoi.out_folder / f"{released.name}{outside}{SUFFIXES[form]}"


def save_map(
    aoi: "Aoi", name: str, out: Path | None, as_of: date | None, audience: str,
    language: str = "en",
) -> Path:  # fmt: skip
    """Draw one map and write it."""
    spec = map_spec(name, aoi.file.folder)
    path = out or page_path(aoi, f"map_{name}", audience, language)
    written_atomically(path, drawn(aoi, spec, as_of, audience, {}, language).encode())
    return path


def save_maps(aoi: "Aoi", as_of: date | None, audience: str, language: str = "en") -> list[str]:
    """Draw every map; a map that this audience or these layers do not allow says why."""
    lines = []
    tables: dict[str, Released | str] = {}
    names = map_names(aoi.file.folder)
    for done, name in enumerate(names):
        aoi.indexed.say(f"drawing {name}", done, len(names))
        spec = map_spec(name, aoi.file.folder)
        if spec.table == "reach_change_cells" and aoi.change == AS_IT_IS:
            continue  # a map of a change is asked for by name, with the change
        if spec.table == "plan_cells" and not is_asked(aoi):
            continue  # no plan is asked for, and none declared
        if spec.table == "patrol_cells" and patrols.wanted_patrols(aoi) is None:
            continue  # none asked for, and none declared
        missing = missing_table(aoi, spec)
        if missing:
            lines.append(f"Not made: {name} (no layer {missing})")
            continue
        try:
            page = drawn(aoi, spec, as_of, audience, tables, language)
        except Refused as reason:
            lines.append(f"Not made: {name} ({reason})")
            continue
        path = page_path(aoi, f"map_{name}", audience, language)
        written_atomically(path, page.encode())
        lines.append(f"Wrote {path}")
    aoi.indexed.say("maps complete", len(names), len(names))
    return lines


NEEDS = {
    "gap_cells": "population", "population": "population", "hotspots": "incidents",
    "forecast": "incidents", "emergence": "incidents",
    "risk": "incidents", "presence": "patrols", "reach_cells": "bases",
    "alarm_cells": "incidents", "phase_cells": "incidents",
}  # fmt: skip


def missing_table(aoi: "Aoi", spec: MapSpec) -> str | None:
    """Name the layer without which a map has no cells."""
    need = NEEDS.get(spec.table or "")
    made = "presence_days" if need == "patrols" else need  # telemetry will do
    return need if made and not aoi.indexed.has(made) else None


def page_path(aoi: "Aoi", stem: str, audience: str, language: str = "en") -> Path:
    """Name a page's file."""
    outside = "" if audience == "internal" else f"-{audience}"
    outside += "" if language == "en" else f"-{language}"
    aoi.out_folder.mkdir(parents=True, exist_ok=True)
    return aoi.out_folder / f"{stem}{outside}.html"


def drawn(
    aoi: "Aoi", spec: MapSpec, as_of: date | None, audience: str,
    tables: dict[str, Released | str], language: str,
) -> str:  # fmt: skip
    """Draw one map from released tables."""
    fetch = partial(fetched, aoi, as_of, audience, tables)
    cells = fetch(spec.table) if spec.table else None
    if isinstance(cells, str):
        raise Refused(cells)
    overlays, withheld = overlays_of(aoi, spec, fetch)
    further = briefing.further_of(aoi, spec, cells, fetch)
    frame = frame_of(aoi, spec.title, as_of, audience, cells, withheld)
    frame = replace(frame, language=language)
    if spec.table == "patrol_cells" and cells is not None:
        frame = replace(frame, boundary=patrols.ground_shown(frame.boundary, cells.table))
    return draw(spec, cells, overlays, frame, further)


OF_BASES = {"rings", "perimeters", "proximity", "reach_contours"}


def overlays_of(
    aoi: "Aoi", spec: MapSpec, fetch: Callable[[str], Released | str]
) -> tuple[dict[str, Released], list[str]]:
    """Fetch the layers over the cells; those withheld from the audience are said, not drawn."""
    overlays: dict[str, Released] = {}
    withheld = []
    for item in spec.overlays:
        if item.layer not in FINDINGS and not aoi.indexed.has(item.layer):
            continue
        if item.layer in OF_BASES and not aoi.indexed.has("bases"):
            continue
        made = fetch(item.layer)
        if isinstance(made, str):
            withheld.append(item.name or item.layer)
        else:
            overlays[item.layer] = made
    said = [f"Withheld from this audience: {', '.join(withheld)}."] if withheld else []
    return overlays, said


def fetched(
    aoi: "Aoi", as_of: date | None, audience: str, tables: dict[str, Released | str], name: str
) -> Released | str:
    """Release a table once for all maps; the reason where it is refused."""
    if name not in tables:
        try:
            if audience != "internal":
                refuse_named(releases.policy_of(aoi, audience), name, aoi.file.resolution)
            tables[name] = release_for(aoi, table(aoi, name, as_of), audience)
        except Refused as reason:
            tables[name] = str(reason)
    return tables[name]


def frame_of(
    aoi: "Aoi", title: str, as_of: date | None, audience: str, cells: Released | None,
    withheld: list[str],
) -> PageFrame:  # fmt: skip
    """Put together what every page says around its maps."""
    file = aoi.file
    day = as_of_day(file, as_of)
    made = cells.manifest if cells is not None else manifest_for(aoi, day, audience)
    return PageFrame(
        title=title,
        aoi_name=file.name,
        marking=file.marking,
        audience=audience,
        cut_off_on=day,
        made_at=made_at(),
        boundary=aoi.indexed.boundary,
        period=(file.period[0], day),
        method=METHODS.get(cells.name if cells is not None else "", METHOD),
        notes=(*([file.note] if file.note else []), *withheld),
        manifest=made,
    )


METHODS = {
    "gap_cells": "People from the population raster, conserved. Reach over roads, land cover and "
    "water in the season named in the reason (a straight line where no terrain is loaded), "
    "readiness included. Presence from recorded tracks: a stay of 5 minutes, cell in sight.",
    "hotspots": "Poisson test of each cell and its neighbours against the stated expectation, with "
    "false-discovery control and a minimum count. Gi* z is descriptive only.",
    "emergence": "Gi* of each cell, its neighbours and the step before, over all cells and steps, "
    "with false-discovery control and a minimum count; Mann-Kendall trend; patterns by "
    "the published rules. Describes the past; the forecast looks ahead.",
    "risk": "Threat (incidents by severity, age and nearness) times vulnerability (declared "
    "indicators), each 0 to 1; weights in standards/risk_weights.toml.",
    "forecast": "Additive self-exciting count of incidents, weights learnt anew from this area's "
    "own record; negative binomial chances held against its past (pocgeo scorecard).",
    "presence": "Recorded tracks: hours lie in the cell of the position; a visit is a stay of 5 "
    "minutes with the cell in sight (500 m). A unit's own base is not a patrol.",
    "reach_cells": "Minutes over the ground: 12 directions between cells, exact road vertices, "
    "rivers cut except at crossings, slope on foot, readiness included; speeds in "
    "standards/terrain.toml. Without roads or land cover: a straight line.",
    "population": "People from the population raster, conserved from pixels to cells.",
    **warned.TABLE_METHODS,
}
METHOD = "H3 cells that overlap the boundary; every question as of the day the data end."
