"""A Dask cluster as an executor: the only room of Dask."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from pocgeo.engine.memory import keep_freed
from pocgeo.ground.errors import BadInput
from pocgeo.ground.extras import optional
from pocgeo.ground.provenance import code_digest

__all__ = ["open_cluster"]

Answer = TypeVar("Answer")

ROOMS = ("ground", "sources", "layers", "engine", "cells")
"""The code that tasks are made of: the same on every worker, or results could differ."""

PATIENCE_S = 10.0


def open_cluster(address: str) -> "Cluster":
    """Join a running Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler: "tcp://HOST:PORT".

    Raises
    ------
    BadInput
        Nobody answers there, there is no worker, or a worker has another pocgeo.
    MissingExtra
        Dask is not installed.
    """
    distributed = optional("distributed", "dask")
    try:
        client = distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise BadInput(
            f"No Dask scheduler answers at {address}. Start one (docs/cluster.md says how), or "
            "leave --engine out."
        ) from error
    cluster = Cluster(client)
    try:
        cluster.refuse_unlike()
        client.run(keep_freed)
    except BaseException:
        cluster.shutdown()
        raise
    return cluster


class Cluster(Executor):
    """The executor of a Dask client, which it closes. Dask hands on the tasks of a lost worker."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._executor = client.get_executor(pure=False)

    @property
    def workers(self) -> int:
        """Count the threads of all workers."""
        return sum(self.client.nthreads().values()) or 1

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> "Future[Answer]":
        """Send a task to the cluster."""
        future: Future[Answer] = self._executor.submit(fn, *args, **kwargs)
        return future

    def refuse_unlike(self) -> None:
        """Refuse workers that do not have this very pocgeo.

        Raises
        ------
        BadInput
            There is no worker, or one differs.
        """
        with suppress(TimeoutError):
            self.client.wait_for_workers(1, timeout=PATIENCE_S)
        if not self.client.nthreads():
            raise BadInput("The Dask scheduler has no worker. Start one: docs/cluster.md says how.")
        ours = digest_here()
        for worker, theirs in self.client.run(digest_here, on_error="return").items():
            if theirs != ours:
                said = "has no pocgeo" if isinstance(theirs, Exception) else "has another pocgeo"
                raise BadInput(
                    f"The Dask worker {worker} {said}. Install the same version there, and start "
                    "it again."
                )

    def refuse_unshared(self, folder: Path) -> None:
        """Refuse workers that do not see a folder under its name here.

        Raises
        ------
        BadInput
            One does not.
        """
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{uuid4().hex}.tmp"
        probe.touch()
        try:
            seen = self.client.run(Path.is_file, probe)
        finally:
            probe.unlink(missing_ok=True)
        for worker, there in seen.items():
            if not there:
                raise BadInput(
                    f"The Dask worker {worker} does not see {folder}. The AOI must lie in a folder "
                    "that all workers share, under one path."
                )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; it goes on running."""
        self._executor.shutdown(wait=wait)
        self.client.close()


def digest_here() -> str:
    """Give the digest of this process's pocgeo."""
    return code_digest(*ROOMS)
