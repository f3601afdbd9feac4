"""Settings of all tests: where the shared data is, hypothesis without deadlines, versions in the header."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "container")]  # naive.py, models.py; cell.py

settings.register_profile("here", deadline=None, print_blob=True, max_examples=40)
settings.load_profile("here")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of images and models that are not part of the project; tests that need it are marked `shared`."""
    folder = Path(os.environ.get("FSRCNN_SHARED", Path(__file__).parents[2] / "shared" / "data"))
    assert folder.is_dir(), f"{folder} does not exist: set FSRCNN_SHARED, or deselect with -m 'not shared'"
    return folder


def pytest_report_header() -> list[str]:
    from cell import HOW

    names = ("numpy", "scipy", "numba", "llvmlite", "h5py", "pydicom", "torch")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    machine = f"{platform.machine()} {platform.processor()}, {os.cpu_count()} CPUs"
    return [", ".join(versions), machine, f"containers are tried with {HOW}"]
