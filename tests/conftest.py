"""What many tests share: one indexed copy of the sample, deterministic hypothesis."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act without root's rights, where the tests run as root: a read-only folder is one then."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def shown_folder() -> Iterator[Path]:
    """A folder that everybody may read, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="pocgeo-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


SAMPLE = Path(__file__).resolve().parents[1] / "sample_aoi"


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of sample_aoi that tests may index and write beside; do not change its data."""
    folder = tmp_path_factory.mktemp("aoi") / "sample"
    ignored = shutil.ignore_patterns("__pycache__", ".pocgeo", "out", "generator", "build.py")
    shutil.copytree(SAMPLE, folder, ignore=ignored)
    return folder


@pytest.fixture(scope="session")
def sample(sample_folder: Path):
    """The sample, opened and indexed once."""
    import pocgeo

    aoi = pocgeo.open_aoi(sample_folder)
    aoi.index()
    return aoi
