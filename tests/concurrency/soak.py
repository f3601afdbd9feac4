"""A long run of small calls of every kind in one process: `python tests/concurrency/soak.py --calls 10000`.

Memory, open files and threads after each part of the calls; memory's slope is that of the second half, since what is
made once (libraries, machine code of each model and dtype, NumPy's and the allocator's own stock) is made in the first.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import imageio.v3 as iio
import numpy as np
import tifffile

import fsrcnn_np
import piqe_np
from fsrcnn_np.engine import strips
from piqe_np import score

score.START = strips.START = 1  # all threads, small as the pictures are
DTYPES = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
SUFFIXES = (".png", ".tif", ".h5", ".npy", ".pgm")


class State(NamedTuple):
    """Of this process."""

    resident: float  #: MiB
    files: int
    threads: int


def state() -> State:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    resident = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return State(resident, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))


def picture(dice: random.Random, dtype: type | None = None) -> np.ndarray:
    """Of random size and dtype."""
    kind = np.dtype(dtype or dice.choice(DTYPES))
    shape = dice.randint(1, 90), dice.randint(1, 90)
    values = np.random.default_rng(dice.randrange(2**32)).integers(0, 256, shape, np.uint8)
    return values.astype(kind) if kind.kind in "iu" else (values / 255).astype(kind)


def write(path: Path, pixels: np.ndarray) -> None:
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["image"] = pixels
    elif path.suffix == ".npy":
        np.save(path, pixels)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, pixels, compression="deflate")
    elif path.suffix == ".pgm":
        path.write_bytes(b"P5 %d %d 255 " % pixels.shape[::-1] + pixels.tobytes())
    else:
        iio.imwrite(path, pixels)


def _upscale(dice: random.Random, folder: Path) -> None:
    fsrcnn_np.upscale(picture(dice), threads=dice.randint(1, 4), weights=dice.choice(("x2", "x2-small")))


def _rgb(dice: random.Random, folder: Path) -> None:
    grey = picture(dice, np.uint8)
    fsrcnn_np.upscale(np.stack([grey, grey[::-1], grey], -1), threads=dice.randint(1, 4))


def _numba(dice: random.Random, folder: Path) -> None:
    fsrcnn_np.upscale(picture(dice, np.uint8)[:30, :30], threads=2, engine="numba", weights="x2-small")
    piqe_np.piqe(picture(dice), threads=dice.randint(1, 4), engine="numba")


def _piqe(dice: random.Random, folder: Path) -> None:
    piqe_np.piqe(picture(dice), threads=dice.randint(1, 4))


def _imresize(dice: random.Random, folder: Path) -> None:
    fsrcnn_np.imresize(picture(dice), dice.choice((0.5, 2, 3)))


def _refused(dice: random.Random, folder: Path) -> None:
    try:
        fsrcnn_np.upscale(np.full((5, 5), np.nan, np.float32), threads=2)
    except fsrcnn_np.ImageError:
        return
    raise AssertionError("NaN was not refused")


def _file(dice: random.Random, folder: Path) -> None:
    suffix, other = dice.choice(SUFFIXES), dice.choice(SUFFIXES)
    source, target = folder / f"in{suffix}", folder / f"out{other}"
    write(source, picture(dice, np.uint8))
    fsrcnn_np.upscale_file(source, target, threads=dice.randint(1, 4), overwrite=True)
    fsrcnn_np.read(target)


Kind = Callable[[random.Random, Path], None]
KINDS: tuple[Kind, ...] = (
    _upscale, _upscale, _rgb, _numba, _piqe, _piqe, _imresize, _refused, _file, _file,
)  # fmt: skip
QUICK = tuple(kind for kind in KINDS if kind is not _numba)  #: nothing that takes seconds to compile


def soak(calls: int, parts: int, seed: int, *, kinds: tuple[Kind, ...] = KINDS) -> Iterator[tuple[int, State]]:
    """How many calls were made, and what the process has then, after each part of them."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        for number in range(calls):
            kinds[number % len(kinds)](dice, Path(place))
            if (number + 1) % (calls // parts) == 0:
                yield number + 1, state()


def slope(states: list[tuple[int, State]]) -> float:
    """KiB a call, of the second half."""
    half = states[len(states) // 2 :]
    return float(np.polyfit([calls for calls, _ in half], [1024 * found.resident for _, found in half], 1)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=18)
    given = parser.parse_args()
    states = []
    for calls, found in soak(given.calls, given.parts, given.seed):
        states.append((calls, found))
        print(f"{calls:6} calls: {found.resident:7.1f} MiB, {found.files} files, {found.threads} threads", flush=True)
    print(f"second half: {slope(states):+.3f} KiB a call; {threading.active_count()} thread at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
