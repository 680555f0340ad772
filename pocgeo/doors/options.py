"""Options that many commands share, declared once."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pocgeo.doors.durations import DAY
from pocgeo.doors.running import progress_on, suffix_format

__all__ = [
    "Delivery",
    "aoi_argument",
    "engine_options",
    "opened",
    "period_options",
    "product_options",
]

ROWS_ON_A_TERMINAL = 100
"""Rows printed unless --top says otherwise; files and totals always have all."""

FORMATS = ["text", "csv", "xlsx", "geojson", "gpkg", "geoparquet", "kml", "gpx", "json"]
AUDIENCES = ["internal", "partners", "public"]

aoi_argument = click.argument("aoi", type=click.Path(path_type=Path), metavar="AOI")

LARGEST = 1e15
"""Of any number asked; floats hold whole numbers exactly up to it."""

OUTPUTS = ("out", "page", "gpx")
"""Parameters of commands that name files to be written."""


def opened(path: Path) -> Any:
    """Open an AOI whose long work reports on standard error; refuse bad places to write to."""
    import pocgeo
    from pocgeo.aoi.outputs import refuse_output

    asked = click.get_current_context().params
    for name, value in asked.items():
        refuse_no_number(name, value)
    area = pocgeo.open_aoi(path, progress=progress_on())
    for name in OUTPUTS:  # before any work is done
        if asked.get(name) is not None:
            refuse_output(area.indexed.file, asked[name])
    return area


def refuse_no_number(name: str, value: object) -> None:
    """Refuse an option that is not a number, without end, or too large to be counted with."""
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, tuple):
            refuse_no_number(name, each)
        elif isinstance(each, int | float) and not -LARGEST <= each <= LARGEST:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option}: {each} is no number that can be reckoned with.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where a table goes, for whom, and as of which day."""

    audience: str
    as_of: date | None
    form: str | None
    out: Path | None
    top: int | None

    def deliver(self, area: Any, *tables: Any) -> None:
        """Pass tables through the gate and print them, or write them to a file.

        Text and xlsx hold all tables; the other formats hold the first one, and it is said.
        """
        import pocgeo

        released: list[Any] = []
        refused: list[Exception] = []
        for table in tables:
            try:
                released.append(area.release(table, audience=self.audience))
            except pocgeo.Refused as reason:
                refused.append(reason)
        if not released:
            raise refused[0]
        for said in refused:
            click.echo(f"Withheld: {said}", err=True)
        form = suffix_format(self.out, self.form) or "text"
        if self.out is None and form == "text":
            top = self.top or ROWS_ON_A_TERMINAL
            click.echo("\n\n".join(pocgeo.as_text(each, top=top) for each in released))
            return
        path = self.out or area.out_path(released[0], form)
        if form == "text":
            click.echo(pocgeo.save_text(released, path, top=self.top))
            return
        first, *rest = (each.first(self.top) for each in released)
        further = rest if form == "xlsx" else []
        click.echo(f"Wrote {pocgeo.export(first, path, form, further=further)}")
        if len(rest) > len(further):
            click.echo(
                f"{form} holds one table, {first.name}; xlsx would hold all {len(released)}, "
                "a sheet each.",
                err=True,
            )


def product_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --format, --out, --top, --as-of and --audience; the command receives one Delivery."""

    @click.option("--as-of", type=DAY, help="See only what was known and standing on this day.")
    @click.option(
        "--audience",
        type=click.Choice(AUDIENCES),
        default="internal",
        show_default=True,
        help="Who will read it: decides what is withheld.",
    )
    @click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="Default: text, or the ending of --out.",
    )
    @click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
    @click.option(
        "--top",
        type=click.IntRange(1),
        help="Only the first rows; a terminal shows 100 unless told otherwise.",
    )
    @wraps(command)
    def with_delivery(
        *args: Any,
        as_of: date | None,
        audience: str,
        form: str | None,
        out: Path | None,
        top: int | None,
        **kwargs: Any,
    ) -> Any:
        delivery = Delivery(audience=audience, as_of=as_of, form=form, out=out, top=top)
        return command(*args, delivery=delivery, **kwargs)

    return with_delivery


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --since and --until, both days included; for readers inside the mission only."""

    @wraps(command)
    def within(*args: Any, **kwargs: Any) -> Any:
        delivery = kwargs.get("delivery")
        audience = kwargs.get("audience", getattr(delivery, "audience", "internal"))
        if audience != "internal" and (kwargs["since"] or kwargs["until"]):
            import pocgeo

            raise pocgeo.Refused(
                f"--since and --until for {audience}: two periods could be subtracted, down to "
                "single incidents. Possible instead: the whole period without them, or "
                f"`pocgeo indicators --audience {audience}`, by month."
            )
        return command(*args, **kwargs)

    within = click.option("--until", type=DAY, help="Last day, included.")(within)
    return click.option("--since", type=DAY, help="First day, included.")(within)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --engine and --memory; what is typed takes the place of the environment's."""

    def keep(variable: str) -> Callable[[Any, Any, str | None], None]:
        def kept(ctx: Any, param: Any, value: str | None) -> None:
            if value is not None:
                os.environ[variable] = value

        return kept

    command = click.option(
        "--memory",
        expose_value=False,
        callback=keep("POCGEO_MEMORY"),
        help="For all workers together, for example 2GB; also POCGEO_MEMORY.  [default: 1500MB]",
    )(command)
    return click.option(
        "--engine",
        expose_value=False,
        callback=keep("POCGEO_ENGINE"),
        help="Where telemetry is summed up: local, local:N (processes) or dask:tcp://HOST:PORT; "
        "also POCGEO_ENGINE.  [default: local]",
    )(command)
