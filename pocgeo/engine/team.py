"""The engine that was chosen, and the team of workers it opens."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pocgeo.engine.cluster import Cluster
from pocgeo.engine.executors import LocalPool, open_executor, refuse_unknown, serial, workers_of
from pocgeo.engine.memory import bytes_of, share_of
from pocgeo.ground.errors import WorkersLost

__all__ = ["Engine", "Team"]

Job = TypeVar("Job")
Answer = TypeVar("Answer")

ENGINE, MEMORY = "POCGEO_ENGINE", "POCGEO_MEMORY"
FEW = 2
"""So many tasks are done in this process before another has started: a day's new files."""

LOST = "KilledWorker"
"""What Dask raises where workers died at a task more often than it allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where tasks run, and how much memory they may take together."""

    name: str = "local"
    """As `open_executor` reads it."""

    memory: str = "1500MB"
    """Of all workers together; beyond it work is cut smaller and spilled to disk."""

    def __post_init__(self) -> None:
        refuse_unknown(self.name)
        bytes_of(self.memory)

    @classmethod
    def chosen(
        cls,
        name: str | None = None,
        memory: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> "Engine":
        """Take what is asked for, else POCGEO_ENGINE and POCGEO_MEMORY, else the default."""
        given = {
            "name": name or environment.get(ENGINE),
            "memory": memory or environment.get(MEMORY),
        }
        return cls(**{field: text for field, text in given.items() if text})

    @contextmanager
    def opened(self, shared: Path) -> Iterator["Team"]:
        """Open the workers; end what is not needed any more when the work stops.

        Parameters
        ----------
        shared : Path
            Folder that tasks read and write: all workers must see it.
        """
        executor = open_executor(self.name)
        try:
            if isinstance(executor, Cluster):
                executor.refuse_unshared(shared)
            workers = workers_of(executor)
            yield Team(executor, workers, share_of(self.memory, workers))
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown()


class Team:
    """Workers at hand."""

    def __init__(self, executor: Executor, workers: int, memory_each: int) -> None:
        self.executor = executor
        self.workers = workers
        self.memory_each = memory_each
        """Bytes that one task may take."""

    def run(
        self,
        task: Callable[[Job], Answer],
        jobs: Sequence[Job],
        done: Callable[[int, int], None] = lambda done, jobs: None,
    ) -> list[Answer]:
        """Run a task for every job, wherever there is a worker, and wait for all.

        Parameters
        ----------
        task : callable
            A function of a module, so that any worker finds it.
        jobs : sequence
            What it is given, one after another.
        done : callable, optional
            Told after each task how many are done, and how many there are.

        Returns
        -------
        list, in the order of the jobs

        Raises
        ------
        WorkersLost
            Workers died again and again at one task.
        """
        here = isinstance(self.executor, LocalPool) and len(jobs) <= FEW
        executor = serial() if here else self.executor
        futures = [executor.submit(task, job) for job in jobs]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                future.result()
                done(count, len(jobs))
        except BaseException as error:
            for future in futures:
                future.cancel()
            if type(error).__name__ == LOST:
                raise WorkersLost(4) from error
            raise
        return [future.result() for future in futures]
