"""GNU Octave running the M-language reference: one process for all vectors."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..store import RUN_NOW, Goldens, Vector, load_goldens, write_vectors

MATLAB = Path(__file__).parents[1] / "matlab"
HOW_TO = "install GNU Octave (Debian: apt-get install octave) and run again"
LIMIT = 600  # seconds


class OctaveError(RuntimeError):
    """Octave is there and failed."""


def available() -> bool:
    """Whether there is an Octave to run."""
    return shutil.which("octave-cli") is not None or shutil.which("octave") is not None


def export(vectors: Iterable[Vector], folder: Path) -> Path:
    """Run matlab/export_goldens.m on the vectors; it writes goldens_octaveRELEASE.mat into the folder."""
    with tempfile.TemporaryDirectory() as inputs:
        write_vectors(Path(inputs) / "vectors.mat", vectors)
        evaluate(f"export_goldens({quoted(folder.resolve())}, {quoted(inputs)});")
    paths = sorted(folder.glob("goldens_octave*.mat"))
    if not paths:
        raise OctaveError("octave wrote no goldens")
    return paths[-1]


def run(vectors: Iterable[Vector]) -> Goldens:
    """The M-language reference on the vectors, now."""
    with tempfile.TemporaryDirectory() as folder:
        return replace(load_goldens(export(vectors, Path(folder))), source=RUN_NOW)


def quoted(path: Path | str) -> str:
    """A path as M-language text."""
    return "'" + str(path).replace("'", "''") + "'"


def evaluate(code: str) -> str:
    """Run a line of M-language where matlab/ is on the path; standard output comes back."""
    program = shutil.which("octave-cli") or shutil.which("octave")
    if program is None:
        raise OctaveError(f"there is no octave; {HOW_TO}")
    command = [program, "--quiet", "--norc", "--no-gui", "--path", str(MATLAB), "--eval", code]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OctaveError(f"octave did not end within {LIMIT} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error")]
        raise OctaveError(f"octave failed: {' '.join(lines) or done.stderr.strip()[-300:]}")
    return done.stdout
