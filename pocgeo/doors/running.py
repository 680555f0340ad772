"""How a command ends (0, or 2 and 1 with one line each), and how it waits."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = ["progress_on", "run_command"]

INTERRUPTED = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def run_command(command: click.Command) -> None:
    """Run a click command with pocgeo's exit codes. Nobody sees a traceback unless they ask."""
    try:
        result = command.main(standalone_mode=False)
    except click.exceptions.Abort:
        fail(
            "Interrupted. What was complete before is kept; run the same command again.",
            INTERRUPTED,
        )
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message())
        sys.exit(0)
    except click.ClickException as error:
        fail(one_line(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # the one place where anything is caught: words out, no traceback
        ended(error)
    else:
        sys.exit(result if isinstance(result, int) else 0)


def one_line(error: click.ClickException) -> str:
    """Say a usage error in one line, with where help is."""
    context = getattr(error, "ctx", None)
    hint = f" See: {context.command_path} --help" if context is not None else ""
    return " ".join(error.format_message().split()) + hint


def ended(error: Exception) -> None:
    """Say what stopped the command: the user's to mend (2), or ours (1)."""
    import pocgeo

    if os.environ.get("POCGEO_TRACEBACK"):
        traceback.print_exception(error)
    if isinstance(error, pocgeo.PocgeoError):
        fail(str(error), 2)
    if isinstance(error, PermissionError):
        fail(f"{error.filename}: no permission. Choose another place, or ask for the right.", 2)
    if isinstance(error, MemoryError):
        fail("Not enough memory. Take a coarser resolution or a smaller area in aoi.toml.", 2)
    if isinstance(error, OSError) and error.filename:
        fail(f"{error.filename}: {error.strerror}.", 2)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        fail(f"Cannot write: {error.strerror}. Make room or choose another place, run again.", 2)
    fail(
        f"This is a fault of pocgeo, not yours: {type(error).__name__}: {error}. "
        "Please report it; POCGEO_TRACEBACK=1 shows where.",
        1,
    )


def fail(message: str, code: int) -> None:
    """Print one line on standard error and leave."""
    click.echo("pocgeo: " + " ".join(str(message).split()), err=True)
    sys.exit(code)


def progress_on(stream: Any = None) -> Callable[[str, int, int], None]:
    """Make a reporter of long work: a bar on a terminal, plain lines otherwise, both on stderr.

    The reporter is called with what is being done, how many steps are done, and how many there are.
    """
    stream = stream or sys.stderr
    terminal = bool(getattr(stream, "isatty", lambda: False)())

    def report(what: str, done: int, total: int) -> None:
        if not terminal:
            click.echo(f"[{done}/{total}] {what}", file=stream)
            return
        width = 24
        filled = width * done // max(total, 1)
        bar = "█" * filled + "░" * (width - filled)
        end = "\n" if done >= total else ""
        click.echo(f"\r\x1b[K{bar} {done}/{total} {what}{end}", file=stream, nl=False)

    return report


def suffix_format(out: Path | None, chosen: str | None) -> str | None:
    """Take the format from the file's ending where none was chosen."""
    endings = {
        ".csv": "csv", ".xlsx": "xlsx", ".geojson": "geojson", ".gpkg": "gpkg",
        ".parquet": "geoparquet", ".geoparquet": "geoparquet", ".kml": "kml", ".gpx": "gpx",
        ".json": "json", ".txt": "text",
    }  # fmt: skip
    if chosen or out is None:
        return chosen
    if out.suffix.lower() not in endings:
        raise click.UsageError(f"--out {out}: no known ending; add --format csv, xlsx, geojson ...")
    return endings[out.suffix.lower()]
