"""Run an answer and its peers over sizes, each in a process of its own, and print one table."""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STATUS = Path("/proc/self/status")
PEAK = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One way to the answer."""

    name: str
    work: Callable[[Any], Any]
    """Takes the scene, gives a short answer: what the contestants must agree on."""

    most: float = float("inf")
    """Largest size it is put to: beyond it would take minutes."""

    repeats: int = 3


def status_mb(field: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) / 1024


def measured(scene: Callable[[int], Any], contestant: Contestant, size: int) -> tuple[Any, ...]:
    """Give best CPU seconds, MB above what scene and imports hold, and the answer."""
    given = scene(size)
    contestant.work(scene(100))  # imports and first calls are not what is measured
    PEAK.write_text("5")
    held, best = status_mb("VmRSS"), np.inf
    for _ in range(contestant.repeats):
        start = time.process_time()
        answer = contestant.work(given)
        best = min(best, time.process_time() - start)
    return best, status_mb("VmHWM") - held, answer


def alone(*arguments: Any) -> tuple[Any, ...]:
    """Measure in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(measured, *arguments).result()


def sizes_asked(small: Sequence[int], full: Sequence[int], about: str) -> Sequence[int]:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="large sizes too: takes minutes")
    return full if parser.parse_args().full else small


def contest(
    title: str, sizes: Sequence[int], scene: Callable[[int], Any], contestants: Sequence[Contestant]
) -> None:
    """Print size, seconds and MB of each, peers as multiples of the first, and its growth."""
    ours, *peers = contestants
    print(f"{title}\nCPU seconds, best of {ours.repeats}; MB above what inputs hold")
    heads = ["size", ours.name, "MB"]
    for peer in peers:
        heads += [peer.name, "ratio", "MB"]
    print(" | ".join(heads))
    spent = []
    for size in sizes:
        seconds, mb, answer = alone(scene, ours, size)
        spent.append(seconds)
        row = [f"{size:,}", f"{seconds:.3f}", f"{mb:.0f}"]
        for peer in peers:
            if size > peer.most:
                row += ["not run", "", ""]
                continue
            theirs_s, theirs_mb, theirs = alone(scene, peer, size)
            if theirs is not None:
                np.testing.assert_allclose(theirs, answer, rtol=1e-6)
            row += [f"{theirs_s:.3f}", f"{theirs_s / seconds:.1f}x", f"{theirs_mb:.0f}"]
        print(" | ".join(row), flush=True)
    for index in range(1, len(sizes)):
        power = np.log(spent[index] / spent[index - 1]) / np.log(sizes[index] / sizes[index - 1])
        verdict = "faster than the work" if power > 1.1 else "no faster than the work"
        print(
            f"growth {sizes[index - 1]:,} to {sizes[index]:,}: cost as size^{power:.2f}, {verdict}"
        )
