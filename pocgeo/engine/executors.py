"""Where tasks run: any `concurrent.futures.Executor`, named by a short text."""

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from pocgeo.ground.errors import BadInput

__all__ = ["local", "open_executor", "serial"]

Answer = TypeVar("Answer")


def open_executor(name: str = "local") -> Executor:
    """Open the executor that a text names; use it in a `with` statement.

    Parameters
    ----------
    name : str
        "serial" (this process), "local" (one process per core) or "local:N".

    Raises
    ------
    BadInput
        Another name.
    """
    kind, _, count = name.partition(":")
    if kind == "serial" and not count:
        return serial()
    if kind == "local" and (not count or (count.isascii() and count.isdigit() and int(count) > 0)):
        return local(int(count) if count else None)
    raise BadInput(f"No engine is called {name!r}. Write serial, local, or local:N (N processes).")


def local(workers: int | None = None) -> ProcessPoolExecutor:
    """Open a pool of processes on this machine, as many as it has cores unless said otherwise.

    Processes are spawned, never forked: DuckDB and PROJ keep threads and handles.
    """
    return ProcessPoolExecutor(workers or cores(), mp_context=get_context("spawn"))


def serial() -> Executor:
    """Open an executor that runs each task at once, in this process."""
    return Serial()


class Serial(Executor):
    """Runs a task when it is submitted."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> "Future[Answer]":
        """Run the task; what it raises is raised by `result()`."""
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def cores() -> int:
    """Count the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
