"""What every user waits for: import, --help, and the whole demo. Wall seconds and peak memory.

Run: python benchmarks/bench_startup.py. There is no peer; `python` is the floor of the machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def spent(*words):
    """Wall seconds and peak MB of a command and what it starts."""
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}.")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def main():
    pocgeo = (sys.executable, "-m", "pocgeo")
    with tempfile.TemporaryDirectory() as folder:
        demo = str(Path(folder) / "demo")
        print("command | wall s | peak MB")
        for name, words, repeats in (
            ("python", (sys.executable, "-c", "pass"), 3),
            ("import pocgeo", (sys.executable, "-c", "import pocgeo"), 3),
            ("pocgeo --help", (*pocgeo, "--help"), 3),
            ("pocgeo demo, first time", (*pocgeo, "demo", demo), 1),
            ("pocgeo demo, again", (*pocgeo, "demo", demo), 1),
            ("pocgeo gaps", (*pocgeo, "gaps", demo), 1),
        ):
            wall_s, mb = min(spent(*words) for _ in range(repeats))
            print(f"{name} | {wall_s:.2f} | {mb:.0f}", flush=True)


if __name__ == "__main__":
    main()
