"""What many tests share: one indexed copy of the sample, deterministic hypothesis."""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

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
