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


def written(folder, suffix, extra, times):
    """What so many processes say, and the one result that they leave."""
    given, out = folder / "a.npy", folder / f"out.{suffix}"
    np.save(given, np.random.default_rng(3).integers(0, 256, (60, 70), np.uint8))
    command = ["-m", "fsrcnn_np", "upscale", str(given), "-o", str(out), *extra]
    found = at_once(*[command] * times)
    assert [(status, err) for status, _, err in found] == [(0, "")] * times, found
    assert sorted(os.listdir(folder)) == ["a.npy", out.name]
    return read(out).pixels


@pytest.fixture(scope="module", params=["png", "tif", "h5"])
def alone(request, tmp_path_factory):
    """A format, and the pixels that one process writes in it."""
    return request.param, written(tmp_path_factory.mktemp("alone"), request.param, [], 1)


@pytest.mark.parametrize("extra", [[], ["--overwrite"]])
def test_one_output(alone, extra, tmp_path):
    """Either finds its own result there, or the other's, which is the same; nothing else stays behind."""
    suffix, expected = alone
    assert np.array_equal(written(tmp_path, suffix, extra, 2), expected)


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
