"""Throw made and broken files at every reader, and hold what comes out to its account.

python scripts/fuzz.py --files 10000                 every reader, by number
python scripts/fuzz.py --files 1 --first 4711        one file again
python scripts/fuzz.py --keep faults                 write the files that found a fault

Files are read in workers with bounded memory; one that neither answers nor ends is a hang. The
exit code is 1 where a file found a fault: a traceback, a hang, a crash, or a row unaccounted for.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.fuzz_files import made
from tests.fuzz_verdicts import judged

PATIENCE_S = 90.0
"""A file that is not settled within this time, on a busy machine too, is a hang."""

SLOW_CPU_S = 5.0
MEMORY_BYTES = 3 << 30
"""What a worker may map beyond what it maps at birth."""


def worker(orders: Connection) -> None:
    """Settle one numbered file after another."""
    mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGESIZE")
    limit = mapped + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory(prefix="pocgeo-fuzz-") as folder:
        while (number := orders.recv()) is not None:
            begun = time.process_time()
            try:
                verdict = judged(made(number), Path(folder))
            except Exception as error:  # whatever it is, it is what we look for
                verdict = f"fault: {type(error).__name__}: {error}"
            spent = time.process_time() - begun
            orders.send(f"fault: {spent:.1f} CPU s" if spent > SLOW_CPU_S else verdict)


def settle(numbers: range) -> list[tuple[int, str]]:
    """Have a worker settle some files; a new one takes the place of one that hangs or dies."""
    found, child, ours = [], None, None
    for number in numbers:
        if child is None or ours is None:
            ours, theirs = multiprocessing.Pipe()
            child = multiprocessing.get_context("spawn").Process(target=worker, args=(theirs,))
            child.start()
            theirs.close()
        try:
            ours.send(number)
            verdict = ours.recv() if ours.poll(PATIENCE_S) else "fault: hangs"
        except (EOFError, BrokenPipeError, ConnectionResetError):
            verdict = "fault: the worker died"
        found.append((number, verdict))
        if verdict in {"fault: hangs", "fault: the worker died"}:
            child.kill()
            child = None
    if child is not None and ours is not None:
        ours.send(None)
        child.join()
    return found


def main() -> int:
    """Settle the files asked for, and say what became of them."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    asked.add_argument("--files", type=int, default=10_000)
    asked.add_argument("--first", type=int, default=0, help="number of the first file")
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--keep", type=Path, help="folder for the files that found a fault")
    wanted = asked.parse_args()
    numbers = range(wanted.first, wanted.first + wanted.files)
    shares = [numbers[share :: wanted.workers] for share in range(wanted.workers)]
    with ThreadPoolExecutor(wanted.workers) as pool:
        settled = [each for share in pool.map(settle, shares) for each in share]
    faults = sorted(each for each in settled if each[1].startswith("fault"))
    for number, verdict in faults:
        file = made(number)
        print(f"{number} {file.name}: {' '.join(verdict.split())[:300]}")
        if wanted.keep:
            wanted.keep.mkdir(parents=True, exist_ok=True)
            (wanted.keep / f"{number}_{file.name}").write_bytes(file.data)
    said = Counter("fault" if verdict.startswith("fault") else verdict for _, verdict in settled)
    print(", ".join(f"{said[name]:,} {name}" for name in ("taken", "refused", "fault")))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
