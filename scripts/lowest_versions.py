"""Print pip constraints that hold every dependency at the lowest version pyproject.toml allows.

Run: python scripts/lowest_versions.py > lowest.txt && pip install --constraint lowest.txt .
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
LOWER_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<version>[0-9][0-9A-Za-z.]*)")


def lowest(dependencies: list[str]) -> list[str]:
    """One `name==version` a dependency; a dependency without a lower bound is refused."""
    pinned = []
    for dependency in dependencies:
        bound = LOWER_BOUND.match(dependency)
        if bound is None:
            sys.exit(f"pyproject.toml: {dependency!r} has no lower bound; write name>=version.")
        pinned.append(f"{bound['name']}=={bound['version']}")
    return pinned


if __name__ == "__main__":
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    print("\n".join(lowest(project["dependencies"])))
