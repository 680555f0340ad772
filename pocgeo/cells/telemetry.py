"""Telemetry of any size: files of fixes to cell-days, kept up to date file by file.

Three kinds of files lie in the folder, each named by the digest of all that decides it, so that
what is there need not be made again, whoever made it and whenever work was broken off:

runs    the checked fixes of some files, indexed, sorted by time
parts   cell-days of a stretch of days, from the runs that touch it
months  cell-days of a calendar month, from the parts that touch it: what questions read

`telemetry.json` says which of them stand, and is replaced in one step: a reader sees the old state
or the new one. A new file makes one new run; only the parts of its days and their months follow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.cells.cell_days import write_cell_days
from pocgeo.cells.day_fixes import DayJob
from pocgeo.cells.fix_runs import RunJob, about_run, write_run
from pocgeo.cells.grid import Cells
from pocgeo.cells.months import MonthJob, write_month
from pocgeo.cells.presence import FIVE_MINUTES, VisitRule
from pocgeo.cells.shares import State, days_of, months_of, stretches
from pocgeo.engine.duck import query
from pocgeo.engine.store import Store
from pocgeo.engine.team import Engine, Team
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import plain
from pocgeo.ground.provenance import code_digest, digest_of, file_digest
from pocgeo.layers.report import LoadReport
from pocgeo.layers.request import LoadRequest
from pocgeo.layers.rows import DETAIL_COLUMNS, REJECTED_COLUMNS, SUMMARY_COLUMNS
from pocgeo.sources.slices import FileSlice, shared_out

__all__ = ["Telemetry"]

ROOMS = ("ground", "sources", "layers")
CELL_ROOMS = (
    "cells/cell_days.py", "cells/clock.py", "cells/day_fixes.py", "cells/fix_runs.py",
    "cells/grid.py", "cells/months.py", "cells/pieces.py", "cells/sight.py",
)  # fmt: skip
LIBRARIES_BYTES = 200 * 10**6
"""What a worker takes before it has read a row."""

ROW_BYTES = 250
"""What a fix takes while it is worked on: its columns, sorted, and what is made of them."""

LEAST_ROWS, MOST_ROWS = 100_000, 500000
Progress = Callable[[str, int, int], None]


class Telemetry:
    """Cell-days of one layer of tracks."""

    def __init__(
        self,
        request: LoadRequest,
        folder: Path,
        resolution: int,
        *,
        rule: VisitRule = FIVE_MINUTES,
        progress: Progress | None = None,
    ) -> None:
        """Name what is to be summed up; nothing is read before `update`.

        Parameters
        ----------
        request : LoadRequest
            The layer, as `read_aoi` makes it: files of any number and format.
        folder : Path
            Where runs, parts and months are kept; on a cluster one that all workers share.
        resolution : int
            Of the cells.
        rule : VisitRule
            Which fixes are believed, and when it is night.
        progress : callable, optional
            Told what is being done, and how much of it is.
        """
        self.request, self.resolution, self.rule = request, resolution, rule
        self.folder = Path(folder)
        self.state = State.read(self.path)
        self._listed: dict[str, list[Any]] = {}
        self.progress = progress or (lambda what, done, steps: None)
        asked = replace(request, sources=tuple(replace(each, paths=()) for each in request.sources))
        outline = file_digest(request.boundary) if request.boundary else None  # fixes are flagged
        self.settings = digest_of([plain(asked), outline, code_digest(*ROOMS, *CELL_ROOMS)])

    @property
    def path(self) -> Path:
        """File that says what stands."""
        return self.folder / "telemetry.json"

    def update(self, engine: Engine) -> list[str]:
        """Bring cell-days up to date with the files; return the months that changed.

        Raises
        ------
        BadInput
            A file cannot be read; what stood before still stands.
        StoreBusy
            Another process is at it.
        """
        with Store(self.folder).lock("telemetry"):
            self.state = State.read(self.path)
            new = State(files=self.listed())
            if new.files == self.state.files and self.complete():
                return []
            for kind in ("runs", "parts", "months", "scratch"):
                (self.folder / kind).mkdir(parents=True, exist_ok=True)
            with engine.opened(self.folder) as team:
                rows = (team.memory_each - LIBRARIES_BYTES) // ROW_BYTES
                rows = int(np.clip(rows, LEAST_ROWS, MOST_ROWS))
                self.make_runs(team, new, rows)
                self.make_parts(team, new, rows)
                self.make_months(team, new)
            changed = [
                month for month in sorted({*new.months, *self.state.months})
                if new.months.get(month) != self.state.months.get(month)
            ]  # fmt: skip
            old, self.state = self.state, new
            new.write(self.path)
            self.clear(old)
        return changed

    def cell_days(
        self,
        *,
        cells: Sequence[int] | Cells | None = None,
        since: date | None = None,
        until: date | None = None,
        by_unit: bool = False,
    ) -> pd.DataFrame:
        """Give one row per cell and local day, or per cell, day and unit, sorted so.

        Returns
        -------
        DataFrame
            `cell`, `day_on`, `unit_id` (if asked for), `fixes`, `entries`, `dwell_s`, `night_s`,
            `units` (else), `last_at` (UTC; NaT where there were only jumps).
        """
        files = [
            self.folder / "months" / name
            for month, name in sorted(self.state.months.items())
            if (since is None or month >= f"{since:%Y-%m}")
            and (until is None or month <= f"{until:%Y-%m}")
        ]
        if not files:
            raise BadInput(f"{self.folder}: holds no cell-days of that time. Index the AOI first.")
        wanted = pd.DataFrame({"cell": np.asarray(cells if cells is not None else [], "int64")})
        where = ["TRUE"]
        where += ["cell IN (SELECT cell FROM wanted)"] if cells is not None else []
        where += [f"day_on >= DATE '{since:%Y-%m-%d}'"] if since else []
        where += [f"day_on <= DATE '{until:%Y-%m-%d}'"] if until else []
        table = query(
            (BY_UNIT if by_unit else BY_DAY).format(where=" AND ".join(where)),
            {"cell_days": files, "wanted": wanted},
        )
        table["day_on"] = table["day_on"].astype("datetime64[ns]")
        table["last_at"] = table["last_at"].astype("datetime64[us]").dt.tz_localize("UTC")
        return table

    def believed_h(self) -> float:
        """Add up the hours of all believed time, wherever it was."""
        files = [self.folder / "months" / name for name in self.state.months.values()]
        total = query("SELECT sum(dwell_s) / 3600 AS all_h FROM days", {"days": files})
        return float(total["all_h"].iloc[0])

    def key(self) -> str:
        """Digest of all that decides the cell-days: files, parameters, code."""
        files = sorted((Path(path).name, digest) for path, (*_, digest) in self.listed().items())
        return digest_of([self.settings, self.resolution, plain(self.rule), files])

    def report(self) -> LoadReport:
        """Say what became of the rows of every file."""
        about = [about_run(self.run_path(run)) for run in sorted(self.state.runs)]
        by = {"summary": ["layer", "source"], "details": ["layer", "source", "outcome", "field",
              "reason", "examples"]}  # fmt: skip
        columns = {"summary": SUMMARY_COLUMNS, "details": DETAIL_COLUMNS}
        tables = {}
        for part, names in by.items():
            lines = [line for each in about for line in each[part]]
            table = pd.DataFrame(lines, columns=list(columns[part]))
            tables[part] = table.groupby(names, as_index=False, sort=True).sum()
        rejected = pd.DataFrame(columns=list(REJECTED_COLUMNS))
        return LoadReport(rejected=rejected, **tables)

    def listed(self) -> dict[str, list[Any]]:
        """List the files as they are; what has not changed since keeps its digest."""
        files: dict[str, list[Any]] = {}
        for path in dict.fromkeys(self.request.paths):
            about = path.stat()
            known = self.state.files.get(str(path)) or self._listed.get(str(path), [])
            same = known[:2] == [about.st_size, about.st_mtime_ns]
            digest = known[2] if same else file_digest(path)
            files[str(path)] = [about.st_size, about.st_mtime_ns, digest]
        self._listed = files
        return files

    def complete(self) -> bool:
        """Say whether what stands was made by these settings, and is all there."""
        made = {run.partition("-")[0] for run in self.state.runs} <= {self.settings[:8]}
        return made and all(
            (self.folder / "months" / name).is_file() for name in self.state.months.values()
        )

    def make_runs(self, team: Team, new: State, rows: int) -> None:
        """Make the runs of files that are in none yet."""
        left = dict.fromkeys(new.files)
        for run, about in self.state.runs.items():
            named = {path: digest for path, digest, *_ in about["slices"]}
            whole = all(new.files.get(path, [0, 0, ""])[2] == digest for path, digest in
                        named.items())  # fmt: skip
            cut = any(groups is not None for _, _, groups in about["slices"])
            if whole and not cut and self.run_name(about["slices"]) == run:
                new.runs[run] = about
                for path in named:
                    left.pop(path, None)
        tasks = shared_out([Path(path) for path in left], rows)
        jobs = {}
        for slices in tasks:
            made_of = [[str(each.path), new.files[str(each.path)][2], each.groups]
                       for each in slices]  # fmt: skip
            jobs[self.run_name(made_of)] = (slices, made_of)
        wanted = [
            self.run_job(run, slices, rows)
            for run, (slices, _) in jobs.items()
            if not self.run_path(run).is_file()
        ]
        self.run(team, write_run, wanted, "reading fixes")
        for run, (_, made_of) in jobs.items():
            days = about_run(self.run_path(run))["days"]
            new.runs[run] = {"slices": made_of, "days": days}

    def run_name(self, made_of: Iterable[Sequence[Any]]) -> str:
        """Name a run by all that decides it."""
        key = [[Path(path).name, digest, groups] for path, digest, groups in made_of]
        return f"{self.settings[:8]}-{digest_of([self.settings, key])[:24]}"

    def run_path(self, run: str) -> Path:
        """Say where a run lies."""
        return self.folder / "runs" / f"{run}.parquet"

    def run_job(self, run: str, slices: tuple[FileSlice, ...], rows: int) -> RunJob:
        """Say how a run is made; only the sources of its files go with it."""
        paths = {each.path for each in slices}
        sources = tuple(
            replace(source, paths=tuple(path for path in source.paths if path in paths))
            for source in self.request.sources
            if paths & set(source.paths)
        )
        return RunJob(
            request=replace(self.request, sources=sources), slices=slices,
            rows=min(rows, 1_000_000), out=self.run_path(run),
        )  # fmt: skip

    def make_parts(self, team: Team, new: State, rows: int) -> None:
        """Make the parts whose runs have changed."""
        fixes: dict[int, int] = {}
        for about in new.runs.values():
            for day, count in about["days"].items():
                fixes[int(day)] = fixes.get(int(day), 0) + count
        spans = stretches(fixes, self.state.parts.values(), rows)
        jobs = self.day_jobs(new.runs, spans, self.folder / "parts")
        self.run(team, write_cell_days, [job for job in jobs if not job.out.is_file()],
                 "summing up days")  # fmt: skip
        new.parts = {job.out.stem: [*job.days, *job.bucket] for job in jobs}

    def day_jobs(
        self,
        runs: Mapping[str, Any],
        spans: Iterable[Sequence[int]],
        folder: Path,
        key: Sequence[Any] = (),
        after: int = 0,
    ) -> list[DayJob]:
        """Say how the parts are made, each with the runs that touch its days or those beside."""
        runs_of: dict[int, list[str]] = {}
        for run, about in sorted(runs.items()):
            for day in about["days"]:
                runs_of.setdefault(int(day), []).append(run)
        jobs = []
        for first, last, share, shares in spans:
            near = range(first - self.days_back, last + after + 1)
            touching = sorted({run for day in near for run in runs_of.get(day, ())})
            made_of = [self.settings, self.resolution, plain(self.rule), first, last, share, shares]
            name = digest_of([*made_of, *key, touching])[:24]
            jobs.append(
                DayJob(
                    runs=tuple(map(self.run_path, touching)),
                    days=(first, last),
                    rule=self.rule,
                    time_zone=self.request.time_zone,
                    bucket=(share, shares),
                    resolution=self.resolution,
                    out=folder / f"{name}.parquet",
                )
            )
        return jobs

    @property
    def days_back(self) -> int:
        """How many days before its own a part looks."""
        return 1 + int(self.rule.max_gap_min // (24 * 60))

    def part_path(self, part: str) -> Path:
        """Say where a part lies."""
        return self.folder / "parts" / f"{part}.parquet"

    def make_months(self, team: Team, new: State) -> None:
        """Bring together the months whose parts have changed."""
        parts_of: dict[str, list[str]] = {}
        for part, (first, last, *_) in sorted(new.parts.items()):
            days = np.arange(first - self.days_back, last + 2).astype("datetime64[D]")
            for month in np.unique(days.astype("datetime64[M]")).astype(str).tolist():
                parts_of.setdefault(month, []).append(part)
        had = {month for about in new.runs.values() for month in months_of(about["days"])}
        jobs = []
        for month, parts in sorted(parts_of.items()):
            if month not in had:
                continue
            name = f"{month}-{digest_of([self.settings, parts])[:24]}.parquet"
            new.months[month] = name
            job = MonthJob(
                parts=tuple(map(self.part_path, parts)), days=days_of(month),
                memory=team.memory_each - LIBRARIES_BYTES // 2, scratch=self.folder / "scratch",
                out=self.folder / "months" / name,
            )  # fmt: skip
            jobs += [] if job.out.is_file() else [job]
        self.run(team, write_month, jobs, "bringing months together")

    def run(self, team: Team, task: Callable[[Any], Path], jobs: Sequence[Any], what: str) -> None:
        """Run tasks, and say how many are done."""
        team.run(task, jobs, lambda done, steps: self.progress(what, done, steps))

    def clear(self, old: State) -> None:
        """Remove files that neither this state nor the one before names."""
        kept = {self.run_path(run) for run in self.state.runs}
        kept |= {self.part_path(part) for part in self.state.parts}
        months = {*self.state.months.values(), *old.months.values()}
        kept |= {self.folder / "months" / name for name in months}
        for kind in ("runs", "parts", "months", "scratch"):
            for path in (self.folder / kind).iterdir():
                if path not in kept and path.is_file():
                    path.unlink(missing_ok=True)


BY_UNIT = "SELECT * FROM cell_days WHERE {where} ORDER BY cell, day_on, unit_id"
BY_DAY = """
SELECT cell, day_on, sum(fixes)::BIGINT AS fixes, sum(entries)::BIGINT AS entries,
    sum(round(dwell_s * 1e6)::BIGINT)::BIGINT / 1e6 AS dwell_s,
    sum(round(night_s * 1e6)::BIGINT)::BIGINT / 1e6 AS night_s,
    count(*) FILTER (last_at IS NOT NULL) AS units, max(last_at) AS last_at
FROM cell_days WHERE {where} GROUP BY cell, day_on ORDER BY cell, day_on
"""
