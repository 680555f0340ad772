"""One area of interest: one short method per question asked of it."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from pocgeo.aoi import (
    answers,
    briefed,
    figures,
    foreseen,
    hot_places,
    obligations,
    patrols,
    phased,
    reaching,
    releases,
    responding,
    showing,
    store_care,
    warned,
)
from pocgeo.aoi.cell_days import cell_days
from pocgeo.aoi.hot_places import EmergenceAsked, HotspotAsked
from pocgeo.aoi.indexed import Indexed, Progress
from pocgeo.aoi.narrowed import narrowed
from pocgeo.aoi.patrols import PatrolsAsked
from pocgeo.aoi.picture import picture
from pocgeo.aoi.plans import planned, tried
from pocgeo.aoi.standards import Narrowing, Period, StandardAsked, moment
from pocgeo.aoi.travel import AS_IT_IS, Change
from pocgeo.ground.errors import UnknownName
from pocgeo.layers.aoi_file import AoiFile, read_aoi
from pocgeo.layers.report import write_rejected
from pocgeo.products.disclosure import Released
from pocgeo.products.figures import Sheet

__all__ = ["Aoi", "open_aoi"]


def open_aoi(path: Path | str, *, progress: Progress | None = None) -> "Aoi":
    """Open an area of interest.

    Parameters
    ----------
    path : Path or str
        A folder with an aoi.toml, or the path of such a file.
    progress : callable, optional
        Called with what is done, steps done and steps in all, when tables are built.

    Raises
    ------
    MissingFile, BadInput
        No such AOI, or aoi.toml says something impossible.
    """
    return Aoi(read_aoi(Path(path)), progress=progress)


class Aoi:
    """Every question of the field, asked of one area. Tables are built when first needed."""

    def __init__(self, file: AoiFile, *, progress: Progress | None = None) -> None:
        self.file = file
        self.change = AS_IT_IS
        self.plan_said: dict[str, Any] = {}
        self.patrols_asked: PatrolsAsked | None = None
        self._progress = progress

    def changed(self, change: Change) -> "Aoi":
        """Give the same area with bases taken away or roads closed, for the map of a change."""
        other = Aoi(self.file, progress=self._progress)
        other.__dict__["indexed"] = self.indexed
        other.change = change
        return other

    def patrolled(self, asked: PatrolsAsked) -> "Aoi":
        """Give the same area with an order for patrols, for their map."""
        other = Aoi(self.file, progress=self._progress)
        other.__dict__["indexed"] = self.indexed
        other.patrols_asked = asked
        return other

    @cached_property
    def indexed(self) -> Indexed:
        """Layers and cell tables, brought up to date."""
        index = Indexed(self.file, self._progress)
        index.index()
        return index

    def index(self, *, resume: bool = False) -> str:
        """Bring every table up to date; say in one line which were built.

        What a stopped run had finished is never built again; `resume` says how much that was.
        """
        index = Indexed(self.file, self._progress)
        before = f"{store_care.resumed(index)}; " if resume else ""
        built = index.index()
        self.__dict__["indexed"] = index
        now = f"built {', '.join(built)}" if built else "everything was fresh"
        return f"{index.store.folder}: {before}{now}"

    def verify_store(self) -> tuple[str, str | None]:
        """Say of each stored table whether digest and totals hold; then what is wrong, if any."""
        table = store_care.verified(Indexed(self.file))
        return store_care.in_lines(table), store_care.wrong_tables(table)

    def check(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Report what became of every row: a summary by source, and the details."""
        return answers.load_report(self.indexed)

    def save_rejected(self) -> Path | None:
        """Write the rejected rows as CSV beside the other products; None if there are none."""
        report = self.indexed.report()
        if report.rejected.empty:
            return None
        return write_rejected(report, self.out_folder / "rejected_rows.csv")

    def layer(self, name: str) -> Any:
        """Rows of a layer as they passed the checks; a (Geo)DataFrame in EPSG:4326."""
        if name not in self.indexed.requests:
            raise UnknownName("layer of this AOI", name, self.indexed.requests)
        return self.indexed.table(name)

    def picture(self, *, as_of: date | None = None) -> pd.DataFrame:
        """Join all that is known of each cell on a day: people, reach, presence, risk ..."""
        return picture(self.indexed, moment(self.indexed, as_of))

    def gap_cells(
        self, *, as_of: date | None = None, **asked: Unpack[StandardAsked]
    ) -> pd.DataFrame:
        """Judge every cell by the standards; `gap_persons`, verdicts and the reason in words."""
        return answers.gap_cells(self.indexed, as_of, asked)

    def gaps(self, *, as_of: date | None = None, **asked: Any) -> pd.DataFrame:
        """Rank gap areas: places where people at risk meet none of the standards, and why.

        Parameters
        ----------
        as_of : date, optional
            Only what was known and standing on this day; the end of the period if left out.
        reach_min, presence_days : float or None, optional
            Standards; None: not asked for. Left out: aoi.toml, else 60 minutes and 14 days.
        alert, require, min_risk : optional
            See CoverageStandard.
        aor, admin, min_people, near, within_km : optional
            Narrow the list; ranks stay those of the whole.

        Returns
        -------
        DataFrame, one row per gap area
            See pocgeo.analyses.gaps.gap_areas.
        """
        wanted: Narrowing = {name: asked.pop(name) for name in NARROWING if name in asked}  # type: ignore[assignment]
        return narrowed(answers.gaps(self.indexed, as_of, checked(asked)), self.indexed, wanted)

    def coverage(
        self, *, as_of: date | None = None, **asked: Unpack[StandardAsked]
    ) -> pd.DataFrame:
        """Add up who is covered, by AOI, AOR and admin area."""
        return answers.coverage(self.indexed, as_of, asked)

    def proximity(
        self, *, radius_m: float | None = None, as_of: date | None = None, **period: Unpack[Period]
    ) -> pd.DataFrame:
        """Draw up the ledger: who and what lies within the radius of each base."""
        return obligations.ledger(self.indexed, radius_m, as_of, period)

    def verdicts(
        self, *, radius_m: float | None = None, as_of: date | None = None, **period: Unpack[Period]
    ) -> pd.DataFrame:
        """Say of every incident near a base whether it was inside the radius."""
        return obligations.verdicts(self.indexed, radius_m, as_of, period)

    def review(
        self, *, radius_m: float | None = None, as_of: date | None = None, **period: Unpack[Period]
    ) -> pd.DataFrame:
        """List the incidents that call for a review (Policy 87), with what was known before."""
        return obligations.review(self.indexed, radius_m, as_of, period)

    def base(self, base_id: str, *, as_of: date | None = None) -> tuple[pd.DataFrame, ...]:
        """Give the sheet of one base: people, sites, settlements, incidents, reach, neighbours."""
        return obligations.sheet(self.indexed, base_id, as_of)

    def hotspots(
        self, *, perpetrator: Sequence[str] = (), incident_type: Sequence[str] = (),
        by: str | None = None, as_of: date | None = None, **asked: Unpack[HotspotAsked],
    ) -> pd.DataFrame:  # fmt: skip
        """Flag cells where incidents are high beyond chance; the null check is in the notes."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return hot_places.hotspots(self.indexed, as_of, only, by, asked)

    def flagged(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep the flagged cells of a hotspot table, the most surprising first."""
        return hot_places.flagged(table)

    def hotspot_choice(self, *, as_of: date | None = None) -> pd.DataFrame:
        """Try every radius and expectation of the hotspot test on the area's own record."""
        return hot_places.choice(self.indexed, as_of, {})

    def emergence(
        self, *, perpetrator: Sequence[str] = (), incident_type: Sequence[str] = (),
        as_of: date | None = None, **asked: Unpack[EmergenceAsked],
    ) -> pd.DataFrame:  # fmt: skip
        """Name the pattern of each cell over the last quarters: new, persistent, historical ..."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return hot_places.emergence(self.indexed, as_of, only, asked)

    def patterned(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep the cells of an emergence table that have a pattern."""
        return hot_places.patterned(table)

    def forecast(
        self,
        *,
        perpetrator: Sequence[str] = (),
        incident_type: Sequence[str] = (),
        as_of: date | None = None,
        **asked: Any,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Say what to expect in the next months, by cell and by area, how sure, and why."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return foreseen.forecasts(self.indexed, as_of, only, asked)

    def scorecard(
        self,
        *,
        perpetrator: Sequence[str] = (),
        incident_type: Sequence[str] = (),
        as_of: date | None = None,
        **asked: Any,
    ) -> tuple[pd.DataFrame, ...]:
        """Score the forecast on its own past: scores, differences, reliability, last time."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return foreseen.scorecards(self.indexed, as_of, only, asked)

    def top_places(self, table: pd.DataFrame, count: int = foreseen.TOP) -> pd.DataFrame:
        """Keep the places of a forecast where most is expected."""
        return foreseen.top_places(table, count)

    def reach(
        self,
        *,
        minutes: Sequence[float] = (),
        season: str | None = None,
        change: Change = AS_IT_IS,
        as_of: date | None = None,
    ) -> tuple[pd.DataFrame, ...]:
        """Say who is reached in time: by area, by base, with backup, without roads, and changes."""
        at = moment(self.indexed, as_of, season)
        return reaching.reach(self.indexed, at, reaching.minutes_of(tuple(minutes)), change)

    def seasons(self, *, minutes: Sequence[float] = (), as_of: date | None = None) -> pd.DataFrame:
        """Say who loses cover when the rains come, by area and settlement."""
        return reaching.reach_change(self.indexed, as_of, reaching.minutes_of(tuple(minutes)))

    def response(
        self, *, minutes: float | None = None, as_of: date | None = None, **period: Unpack[Period]
    ) -> tuple[pd.DataFrame, ...]:
        """Say who could have been there in time: in all, by month, and incident by incident."""
        return responding.responses(self.indexed, as_of, period, minutes)

    def plan(self, *, as_of: date | None = None, **said: Any) -> tuple[pd.DataFrame, ...]:
        """Deploy, redeploy or draw down: orders, cover, losers, alternatives, gap.

        Keywords are those of DeploymentQuestion (new, moves, closures), DeploymentStandard and
        PlanWishes; what is not said comes from [standards.deployment].
        """
        return planned(self.indexed, as_of, said)

    def what_if(
        self,
        *,
        add: Sequence[str] = (),
        moves: Sequence[tuple[str, str]] = (),
        close: Sequence[str] = (),
        as_of: date | None = None,
        **said: Any,
    ) -> tuple[pd.DataFrame, ...]:
        """Hold an idea of one's own against today and the best plan of the same size."""
        idea = {"add": tuple(add), "moves": tuple(moves), "close": tuple(close)}
        return tried(self.indexed, as_of, idea, said)

    def planned(self, **said: Any) -> "Aoi":
        """Give the same area with a plan (or `idea`) asked for, for its map."""
        other = Aoi(self.file, progress=self._progress)
        other.__dict__["indexed"] = self.indexed
        other.plan_said = said
        return other

    def patrols(
        self, asked: PatrolsAsked, *, as_of: date | None = None
    ) -> tuple[pd.DataFrame, ...]:
        """Plan patrols: the order stop by stop, stops and ways for a GPS, what more would add."""
        return patrols.patrols(self.indexed, as_of, asked)[:3]

    def patrols_against(self, plan: Path, *, as_of: date | None = None) -> pd.DataFrame:
        """Say which stops of a written plan recorded patrols visited, when, and how long."""
        return patrols.compared(self.indexed, as_of, plan)

    def alarms(
        self, *, method: str = "forecast", perpetrator: Sequence[str] = (),
        incident_type: Sequence[str] = (), every: bool = False, as_of: date | None = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
        """Raise alarms where more happened than was forecast; and list their incidents."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return warned.alarm_tables(self.indexed, as_of, method, only, every=every)

    def near_repeat(
        self, *, perpetrator: Sequence[str] = (), incident_type: Sequence[str] = (),
        as_of: date | None = None, **period: Unpack[Period],
    ) -> pd.DataFrame:  # fmt: skip
        """Test whether an incident makes another soon and near more likely (Knox)."""
        only = {"perpetrator": tuple(perpetrator), "incident_type": tuple(incident_type)}
        return warned.near_repeats(self.indexed, as_of, period, only)

    def phases(self, *, as_of: date | None = None) -> tuple[pd.DataFrame, ...]:
        """Put areas into the phases of Policy 36; what followed each; what a threshold covers."""
        areas = phased.phase_areas(self.indexed, as_of)
        return (areas, *phased.phase_measures(self.indexed, as_of))

    def phase_cells(self, *, every: bool = True, as_of: date | None = None) -> pd.DataFrame:
        """Give the phase of every place, the most urgent first; else not of prevention."""
        return phased.phase_cells(self.indexed, as_of, every=every)

    def risk(self, *, as_of: date | None = None) -> pd.DataFrame:
        """Rank cells by risk = threat x vulnerability, with both and their parts."""
        return answers.risk(self.indexed, as_of)

    def presence(self, *, as_of: date | None = None) -> pd.DataFrame:
        """Say where patrols stayed, how long, by night, and how long ago."""
        return answers.presence(self.indexed, as_of)

    def cell_days(
        self, *, cells: Sequence[str] = (), as_of: date | None = None, **period: Unpack[Period]
    ) -> pd.DataFrame:
        """List cells by day: fixes, entries, time, units; all cells, or those of some indexes."""
        return cell_days(self.indexed, as_of, cells=cells, **period)

    def indicators(self, *, as_of: date | None = None) -> pd.DataFrame:
        """Work out the monitoring indicators by month, AOI, AOR and admin area."""
        return answers.indicators(self.indexed, as_of)

    def table(self, name: str, *, as_of: date | None = None) -> pd.DataFrame:
        """Fetch a finding or a layer by name, as exports and maps call it."""
        return showing.table(self, name, as_of)

    def release(self, table: pd.DataFrame, *, audience: str = "internal") -> Released:
        """Pass a finding through the disclosure gate."""
        return showing.release_for(self, table, audience)

    def releases(self) -> pd.DataFrame:
        """List what was released to readers outside, the latest first."""
        return releases.releases(self)

    @property
    def out_folder(self) -> Path:
        """Where products go unless told otherwise."""
        return self.file.folder / "out"

    def out_path(self, released: Released, form: str) -> Path:
        """Name the file of a product: out/<name>[-audience].<ending>."""
        return showing.out_path(self, released, form)

    def save_map(
        self, name: str, out: Path | None = None, *, as_of: date | None = None,
        audience: str = "internal", sheet: Sheet | None = None,
    ) -> Path:  # fmt: skip
        """Make one map: an HTML file that needs no network, or a PNG, SVG or PDF sheet."""
        return figures.save_map(self, name, out, as_of, audience, sheet)

    def save_maps(
        self, *, as_of: date | None = None, audience: str = "internal", language: str = "en"
    ) -> list[str]:
        """Make every map product; one line each."""
        return showing.save_maps(self, as_of, audience, language)

    def save_brief(
        self, out: Path | None = None, *, as_of: date | None = None, audience: str = "internal",
        earlier: Path | None = None, language: str = "en",
    ) -> Path:  # fmt: skip
        """Make the briefing: HTML, PDF or PPTX by its ending; `earlier` says what changed."""
        return briefed.save_brief(self, out, as_of, audience, earlier=earlier, language=language)


NARROWING = ("aor", "admin", "min_people", "near", "within_km")


def checked(asked: dict[str, Any]) -> StandardAsked:
    """Refuse a keyword that no standard has."""
    for name in asked:
        if name not in StandardAsked.__annotations__:
            known = [*StandardAsked.__annotations__, *NARROWING, "as_of"]
            raise UnknownName("keyword of gaps", name, known)
    return asked  # type: ignore[return-value]
