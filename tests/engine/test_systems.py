"""What depends on the system: a lesser target by choice, and memory that cannot be made executable."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fsrcnn_np
import piqe_np
from fsrcnn_np import OptionError
from fsrcnn_np.cli import main
from fsrcnn_np.engine.llvm import target
from models import random_weights
from piqe_np import compiled

ROOT = Path(__file__).parents[2]
MODEL = random_weights(np.random.default_rng(3), (4, 3, 1), 2, "replicate", dtype=np.float32)
IMAGE = np.arange(40 * 32, dtype=np.uint8).reshape(40, 32)


@pytest.mark.parametrize("name", ["avx512", "AVX2 ", "plain", "neon", ""])
def test_a_lesser_target_is_taken(monkeypatch, name):
    monkeypatch.delenv(target.VARIABLE, raising=False)
    best, wanted = target.host(), name.strip().lower()
    arm = platform.machine() in ("aarch64", "arm64")
    runnable = (
        {"neon", "plain"} if arm else {n for n in ("avx512", "avx2", "plain") if target.NAMED[n].lanes <= best.lanes}
    )
    monkeypatch.setenv(target.VARIABLE, name)
    if wanted and wanted not in runnable:
        with pytest.raises(OptionError, match=r"FSRCNN_NP_TARGET='\w+' is no target that this processor can run"):
            fsrcnn_np.upscale(IMAGE, weights=MODEL)
        return
    assert target.host().lanes == target.NAMED.get(wanted, best).lanes
    result = fsrcnn_np.upscale(IMAGE, weights=MODEL)
    expected = fsrcnn_np.upscale(IMAGE, weights=MODEL, engine="reference")
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_an_unknown_target_is_wrong_usage(monkeypatch, tmp_path, capsys):
    (tmp_path / "x.npy").write_bytes(b"")
    monkeypatch.setenv(target.VARIABLE, "mmx")
    assert main(["upscale", str(tmp_path / "x.npy"), "-o", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert "FSRCNN_NP_TARGET='mmx'" in line
    assert "plain" in line


@pytest.fixture
def hardened(monkeypatch):
    """A system that lets no memory become executable."""
    monkeypatch.setattr(compiled, "_no_executable_memory", lambda: "Permission denied")


LINE = (
    r"engine '(llvm|numba)' compiles machine code, .* \(Permission denied\); engine='reference' \(--engine reference\)"
)


@pytest.mark.usefixtures("hardened")
@pytest.mark.parametrize("engine", [None, "llvm", "numba"])
def test_without_executable_memory_one_line_and_the_reference_by_choice(engine):
    with pytest.raises(OptionError, match=LINE):
        fsrcnn_np.upscale(IMAGE, weights=MODEL, engine=engine)
    with pytest.raises(OptionError, match=LINE):
        fsrcnn_np.forward(np.zeros((3, 3)), MODEL, engine=engine)
    assert fsrcnn_np.upscale(IMAGE, weights=MODEL, engine="reference").shape == (80, 64)
    with pytest.raises(piqe_np.PiqeError, match=LINE):
        piqe_np.piqe(IMAGE)
    assert piqe_np.piqe(IMAGE, engine="reference").score >= 0


CODE = """
import ctypes, sys
from piqe_np import compiled
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE (Linux 6.3): from now on no memory becomes executable
    compiled._no_executable_memory = lambda: "Permission denied"
from fsrcnn_np.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the refusal is Linux's")
def test_the_command_where_the_kernel_refuses(tmp_path):
    """A real refusal where the kernel has one to ask for: no crash, one line, status 2; the reference works."""
    np.save(tmp_path / "x.npy", IMAGE)

    def run(*more):
        command = [sys.executable, "-c", CODE, "upscale", "x.npy", "-o", "out", "--weights", "x2-small", *more]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    done = run()
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("fsrcnn-np: engine 'llvm' compiles machine code")
    assert done.stderr.count("\n") == 1
    assert "--engine reference" in done.stderr
    done = run("--engine", "reference")
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "out" / "x.npy").shape == (80, 64)
