"""Two processes that start at the same moment: with one output, and with one empty cache of compiled code."""

import os
import subprocess
import sys

import numpy as np
import pytest

import programs
from fsrcnn_np.files import read

CALLS = """
import os, sys
import numpy as np, fsrcnn_np, piqe_np
engine = sys.argv[1]
image = np.random.default_rng(5).integers(0, 256, (40, 50), np.uint8)
print(piqe_np.piqe(image, engine=engine).score)
if engine == "llvm":  # as quick to compile
    print(fsrcnn_np.upscale(image, engine=engine).sum())
"""


def at_once(*commands: list[str], **environment: str) -> list[tuple[int, str, str]]:
    """Status and both streams of each."""
    paths = {"PYTHONPATH": str(programs.ROOT)} | environment
    started = [
        subprocess.Popen(
            [sys.executable, *words],
            env=os.environ | paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for words in commands
    ]  # fmt: skip
    return [(one.returncode, *said) for one in started if (said := one.communicate(timeout=120))]


@pytest.mark.parametrize("extra", [[], ["--overwrite"]])
@pytest.mark.parametrize("suffix", ["png", "tif", "h5"])
def test_one_output(suffix, extra, tmp_path):
    """Either finds its own result there, or the other's, which is the same; nothing else stays behind."""
    given, out = tmp_path / "a.npy", tmp_path / f"out.{suffix}"
    np.save(given, np.random.default_rng(3).integers(0, 256, (60, 70), np.uint8))
    command = ["-m", "fsrcnn_np", "upscale", str(given), "-o", str(out), *extra]
    found = at_once(command, command)
    assert [(status, err) for status, _, err in found] == [(0, "")] * 2, found
    assert sorted(os.listdir(tmp_path)) == ["a.npy", out.name]
    together = read(out).pixels
    out.unlink()
    at_once(command)
    assert np.array_equal(together, read(out).pixels)


@pytest.mark.parametrize("engine", ["llvm", "numba"])
def test_one_empty_cache(engine, tmp_path):
    """Both are right, and what is kept serves a third."""
    command = ["-W", "ignore::DeprecationWarning", "-c", CALLS, engine]
    first, second = at_once(command, command, NUMBA_CACHE_DIR=str(tmp_path))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    (third,) = at_once(command, NUMBA_CACHE_DIR=str(tmp_path))
    assert first == second == third
    assert (first[0], first[2]) == (0, "")
    assert kept
    assert kept == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path in kept if path.suffix not in (".llvm", ".nbi", ".nbc")]
