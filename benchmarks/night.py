"""A night: does any core wait, and does memory grow?

    python -m benchmarks.night folder     20 mammograms each as PNG, TIFF, DICOM: wall time beside CPU time ÷ cores
    python -m benchmarks.night tiny       10,000 pictures of 1 to 16 pixels, upscale and piqe-np: memory after 1,000, …
    python -m benchmarks.night large      a dataset of 20,000² in HDF5: the most memory

Each runs the command as a user does and watches its process (Linux, /proc). `--mammograms`, `--pictures` and `--side`
make it smaller, `--shape` the mammograms.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import table
from .mammogram import SHAPE, written

ROOT = Path(__file__).parents[1]


class Watched(NamedTuple):
    """What a command took."""

    wall: float  #: seconds
    cpu: float  #: seconds of all its threads
    resident: list[tuple[int, float]]  #: how many outputs or lines there were, and MiB in memory then


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.night", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", choices=("folder", "tiny", "large"))
    parser.add_argument("--mammograms", type=int, default=20)
    parser.add_argument("--shape", type=int, nargs=2, default=SHAPE, metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--formats", nargs="+", default=[".png", ".tif", ".dcm"], metavar="SUFFIX")
    options = parser.parse_args(arguments)
    print(", ".join(f"{name} {value}" for name, value in table.machine().items()))
    with tempfile.TemporaryDirectory() as folder:
        for line in {"folder": _folder, "tiny": _tiny, "large": _large}[options.suite](Path(folder), options):
            print(line, flush=True)
    return 0


def _folder(scratch: Path, options: argparse.Namespace) -> Iterator[str]:
    cores = len(os.sched_getaffinity(0))
    for source in written(scratch, tuple(options.shape)):
        if source.suffix not in options.formats:
            continue
        folder = scratch / source.suffix[1:]
        folder.mkdir()
        for number in range(options.mammograms):
            shutil.copy(source, folder / f"{number:04}{source.suffix}")
        took = _watched(["fsrcnn_np", "upscale", folder, "-o", scratch / "out"], lambda: 0)
        least = took.cpu / cores
        yield (
            f"{options.mammograms} × {source.suffix}: {took.wall:.1f} s; CPU {took.cpu:.1f} s on {cores} cores, so at "
            f"least {least:.1f} s: {took.wall / least:.2f} times; at most {_most(took):.0f} MiB"
        )
        shutil.rmtree(scratch / "out")
        shutil.rmtree(folder)


def _tiny(scratch: Path, options: argparse.Namespace) -> Iterator[str]:
    from imageio.v3 import imwrite

    rng, folder = np.random.default_rng(0), scratch / "in"
    folder.mkdir()
    for number in range(options.pictures):
        imwrite(folder / f"{number:06}.png", rng.integers(0, 65536, rng.integers(1, 17, 2), np.uint16))
    out, said = scratch / "out", scratch / "scores"

    def lines() -> int:
        return said.read_bytes().count(b"\n") if said.exists() else 0

    def files() -> int:
        return sum(1 for _ in os.scandir(out)) if out.exists() else 0

    upscale = ["fsrcnn_np", "upscale", folder, "-o", out, "--report", scratch / "report"]
    for name, words, count in (("upscale", upscale, files), ("piqe-np", ["piqe_np", folder], lines)):
        took = _watched(words, count, said)
        marks = [options.pictures // 10 * tenth for tenth in (1, 2, 5, 9)]
        grown = ", ".join(f"{mark} {_resident(took, mark):.0f}" for mark in marks)
        speed = " and ".join(f"{1000 * seconds:.1f}" for seconds in _a_file(took, options.pictures))
        yield (
            f"{name} of {options.pictures}: {took.wall:.0f} s, ms a file in the first and the last tenth {speed}; MiB "
            f"in memory after {grown}; at most {_most(took):.0f}"
        )


def _large(scratch: Path, options: argparse.Namespace) -> Iterator[str]:
    import h5py

    source, side = scratch / "large.h5", options.side
    with h5py.File(source, "w") as file:
        made, rng = file.create_dataset("image", (side, side), np.uint16), np.random.default_rng(0)
        for first in range(0, side, 500):
            made[first : first + 500] = rng.integers(0, 4096, made[first : first + 500].shape, np.uint16)
    took = _watched(["fsrcnn_np", "upscale", source, "-o", scratch / "out", "--data-range", "4095"], lambda: 0)
    with h5py.File(scratch / "out" / "large.h5") as file:
        shape, size = file["image"].shape, file["image"].size * 2 / 2**20
    yield (
        f"HDF5 {side}×{side} → {shape[0]}×{shape[1]}: {took.wall:.0f} s, CPU {took.cpu:.0f} s; at most "
        f"{_most(took):.0f} MiB in memory, of a result of {size:.0f} MiB"
    )


def _watched(words: Sequence[object], count: Callable[[], int], said: Path | None = None) -> Watched:
    """Run a command of the package to its end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    resident: list[tuple[int, float]] = []
    with open(said or os.devnull, "wb") as out, open(os.devnull, "wb") as log:
        begun, before = time.perf_counter(), _cpu_of_children()
        process = subprocess.Popen([sys.executable, "-m", *map(str, words)], stdout=out, stderr=log, env=environment)
        while process.poll() is None:
            time.sleep(0.05)
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError, ValueError):  # it has just ended
                continue
            resident.append((count(), pages * os.sysconf("SC_PAGE_SIZE") / 2**20))
        wall = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: status {process.returncode}")
    return Watched(wall, _cpu_of_children() - before, resident)


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _most(took: Watched) -> float:
    return max(mebibytes for _, mebibytes in took.resident)


def _resident(took: Watched, mark: int) -> float:
    """MiB when so many were done."""
    return next((mebibytes for done, mebibytes in took.resident if done >= mark), took.resident[-1][1])


def _a_file(took: Watched, files: int) -> tuple[float, float]:
    """Seconds in the first tenth of the files, and in the last."""
    tick = took.wall / len(took.resident)
    counts = [done for done, _ in took.resident]
    begun = next(i for i, done in enumerate(counts) if done)
    tenth = next(i for i, done in enumerate(counts) if done >= files // 10)
    ninth = next(i for i, done in enumerate(counts) if done >= files - files // 10)
    return tick * (tenth - begun) / (files / 10), tick * (len(counts) - ninth) / (files / 10)


if __name__ == "__main__":
    sys.exit(main())
