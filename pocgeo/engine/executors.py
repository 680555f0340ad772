"""Where tasks run: any `concurrent.futures.Executor`, named by a short text.

A task is a pure function of what it is given, and writes its file whole or not at all: to run it
again does no harm. So a worker that dies costs only the task that it was at.
"""

import os
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from pocgeo.engine.cluster import open_cluster
from pocgeo.ground.errors import BadInput, WorkersLost

__all__ = ["LocalPool", "local", "open_executor", "refuse_unknown", "serial", "workers_of"]

Answer = TypeVar("Answer")
Task = tuple["Future[Any]", Callable[[], Any]]

ATTEMPTS = 3
"""How often a task is tried whose worker dies: the second death may be chance, the third is not."""

NAME = re.compile(r"serial|local(:[1-9]\d{0,3})?|dask:(tcp|tls)://[^\s/]+:\d+", re.ASCII)


def open_executor(name: str = "local") -> Executor:
    """Open the executor that a text names; use it in a `with` statement.

    Parameters
    ----------
    name : str
        "serial" (this process), "local" (one process per core), "local:N", or
        "dask:tcp://HOST:PORT" (the scheduler of a Dask cluster).

    Raises
    ------
    BadInput
        Another name, or no such cluster.
    MissingExtra
        Dask is asked for and not installed.
    """
    refuse_unknown(name)
    kind, _, rest = name.partition(":")
    if kind == "dask":
        return open_cluster(rest)
    return serial() if kind == "serial" else local(int(rest) if rest else None)


def refuse_unknown(name: str) -> None:
    """Refuse a text that names no engine."""
    if NAME.fullmatch(name) is None:
        raise BadInput(
            f"No engine is called {name!r}. Write serial, local, or local:N (N processes), or "
            "dask:tcp://HOST:PORT (a cluster)."
        )


def workers_of(executor: Executor) -> int:
    """Count the tasks that run at one time."""
    return int(getattr(executor, "workers", 1))


def local(workers: int | None = None) -> "LocalPool":
    """Open a pool of processes on this machine, as many as it has cores unless said otherwise."""
    return LocalPool(workers or cores())


def serial() -> Executor:
    """Open an executor that runs each task at once, in this process."""
    return Serial()


class LocalPool(Executor):
    """Processes of which each can die without harm to the others.

    A ProcessPoolExecutor is broken for good, and all its tasks with it, when one process is
    killed. Here every worker is a pool of one process, replaced when it breaks. Processes are
    spawned, never forked: DuckDB and PROJ keep threads and handles.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._closed = False

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> "Future[Answer]":
        """Put a task in the queue."""
        if self._closed:
            raise RuntimeError("The pool is closed.")
        future: Future[Answer] = Future()
        self._tasks.put((future, Call(fn, args, kwargs)))
        if len(self._threads) < self.workers:
            thread = Thread(target=self._serve, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once their tasks, or the ones they are at, are done."""
        self._closed = True
        if cancel_futures:
            while not self._tasks.empty():
                task = self._tasks.get()
                if task is not None:
                    task[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        """Hand tasks to one process, one after another."""
        pool = one_process()
        while (task := self._tasks.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    answer = pool.submit(call).result()
                except BrokenProcessPool:
                    pool.shutdown(wait=False)
                    pool = one_process()
                    if attempt == ATTEMPTS:
                        future.set_exception(WorkersLost(ATTEMPTS))
                except BaseException as error:  # whatever it is, it is the caller's to see
                    future.set_exception(error)
                    break
                else:
                    future.set_result(answer)
                    break
        pool.shutdown()


class Call:
    """A function and what it is given, to be called elsewhere."""

    def __init__(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.fn, self.args, self.kwargs = fn, args, kwargs

    def __call__(self) -> Any:
        return self.fn(*self.args, **self.kwargs)


def one_process() -> ProcessPoolExecutor:
    """Make a pool of one process, which starts with its first task."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


class Serial(Executor):
    """Runs a task when it is submitted."""

    workers = 1

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
