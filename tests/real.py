"""Where the real data lies, and the reason given when it does not."""

import os
from pathlib import Path

import pytest

SHARED = (
    Path(os.environ.get("POCGEO_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
)

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="real data absent: put ../shared/data beside the project"
)
