"""Programs that run in an interpreter of their own, since they fork, end, or need a first call."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(code: str, *arguments: str, timeout: float = 60, **environment: str) -> str:
    """What a program prints; it must say nothing else, and end well and in time."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": paths} | environment, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
