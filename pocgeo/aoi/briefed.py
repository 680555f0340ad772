"""The briefing of an area in its forms: a page, a PDF, slides; and what changed since the last."""

from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pocgeo.analyses.changes import what_changed
from pocgeo.aoi import answers, briefing, showing
from pocgeo.aoi.standards import moment
from pocgeo.ground.errors import BadInput, Refused
from pocgeo.products.briefs import BriefContent, BriefTable, brief
from pocgeo.products.exports import written_atomically
from pocgeo.products.figures.booklet import booklet_bytes
from pocgeo.products.maps import PageFrame
from pocgeo.products.records import Record, inputs_changed, parsed, read_record, record_of
from pocgeo.products.released import Released
from pocgeo.products.slides import slides_bytes

if TYPE_CHECKING:
    from pocgeo.aoi.area import Aoi

__all__ = ["save_brief"]

FORMS = (".html", ".pdf", ".pptx")
TITLE = "What changed since the last briefing"


def save_brief(
    aoi: "Aoi",
    out: Path | None,
    as_of: date | None,
    audience: str,
    *,
    earlier: Path | None = None,
    language: str = "en",
) -> Path:
    """Make the briefing; the ending of the file decides its form."""
    path = out or showing.page_path(aoi, "brief", audience, language)
    if path.suffix.lower() not in FORMS:
        raise BadInput(f"{path}: a briefing is {', '.join(FORMS)}. Give the file such an ending.")
    then = read_record(earlier) if earlier is not None else None
    content = content_of(aoi, as_of, audience, then)
    form = path.suffix.lower()
    if form == ".pdf":
        made = booklet_bytes(content, language=language)
    elif form == ".pptx":
        made = slides_bytes(content, language=language)
    else:
        content = replace(content, frame=replace(content.frame, language=language))
        made = brief(content).encode()
    written_atomically(path, made)
    return path


def content_of(aoi: "Aoi", as_of: date | None, audience: str, then: Record | None) -> BriefContent:
    """Assemble the briefing from released tables, with what the next one will ask."""
    tables: dict[str, Released | str] = {}
    fetch = partial(showing.fetched, aoi, as_of, audience, tables)
    frame = showing.frame_of(aoi, "", as_of, audience, None, [])
    frame = replace(frame, title="Protection of civilians briefing")
    content = briefing.content(aoi, frame, fetch, showing.overlays_of)
    said = record(aoi, frame, content)
    content = replace(content, record=said)
    if then is None:
        return content
    return with_changes(aoi, content, then, parsed(said))


def record(aoi: "Aoi", frame: PageFrame, content: BriefContent) -> dict[str, object]:
    """Write down what this briefing says."""
    inputs: dict[str, tuple[str, ...]] = {}
    if frame.audience == "internal":
        for name, _, digest in aoi.indexed.inputs():
            inputs[name] = tuple(sorted((*inputs.get(name, ()), digest)))
    return record_of(
        {table.released.name: table.released for table in content.tables},
        audience=frame.audience,
        cut_off_on=frame.cut_off_on,
        period=frame.period or (frame.cut_off_on, frame.cut_off_on),
        inputs=inputs,
    )


def with_changes(aoi: "Aoi", content: BriefContent, then: Record, now: Record) -> BriefContent:
    """Put what changed first among the tables."""
    if {then.audience, now.audience} != {"internal"}:
        raise Refused(
            f"What changed is for internal briefings: one of the two was made for "
            f"{min({then.audience, now.audience} - {'internal'})}. Leave --earlier out."
        )
    days = (now.cut_off_on - then.cut_off_on).days
    if days < 0:
        raise BadInput(
            f"The earlier briefing has data to {then.cut_off_on}, this one to {now.cut_off_on}. "
            "Name one that is older."
        )
    before = max(1, (then.period[1] - then.period[0]).days)
    found = what_changed(then.tables, now.tables, days_before=before, days_since=days)
    at = moment(aoi.indexed, now.cut_off_on)
    finding = answers.finished(found, aoi.indexed, at, "changes", TITLE)
    released = showing.release_for(aoi, finding, "internal")
    says = (
        f"Against the briefing with data to {then.cut_off_on.isoformat()}, {days} days before. "
        + (inputs_changed(then, now) if now.inputs else "")
    )
    table = BriefTable(heading=TITLE, released=released, says=says, top=25)
    return replace(content, tables=(table, *content.tables))
