"""`upscale` of a picture of RGB beside a grey one of the same size, in turns: what colour costs beyond the network.

The network sees the luma alone, so that both give it the same work. Memory is a fresh process's, after one picture.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import fsrcnn_np

from .case import peak_memory

SHAPE = (1664, 2048)
HIGH = {"uint8": 256, "uint16": 4096, "float32": 1}


def picture(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Noise of 8 and 12 bits, and of 0..1."""
    return (np.random.default_rng(0).random(shape, np.float32) * HIGH[dtype]).astype(dtype)


def measured(threads: int, repeats: int) -> Iterator[dict[str, Any]]:
    """A row for each dtype; the first turn does not count."""
    for dtype in HIGH:
        rgb = picture(dtype, (*SHAPE, 3))
        pictures = {"walls": rgb, "grey": np.ascontiguousarray(rgb[..., 1])}
        walls: dict[str, list[float]] = {name: [] for name in pictures}
        for _ in range(repeats + 1):
            for name, image in pictures.items():
                start = time.perf_counter()
                fsrcnn_np.upscale(image, threads=threads)
                walls[name].append(time.perf_counter() - start)
        command = [sys.executable, "-m", __name__, dtype, *map(str, SHAPE), str(threads)]
        memory = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield {
            "suite": "colour", "peer": "fsrcnn-np", "form": dtype, "shape": SHAPE, "threads": threads,
            "memory": memory, **{name: found[1:] for name, found in walls.items()},
        }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print what a process has had in memory at most that enlarged one picture of RGB."""
    dtype, rows, columns, threads = arguments
    fsrcnn_np.upscale(picture(dtype, (int(rows), int(columns), 3)), threads=int(threads))
    print(peak_memory())


if __name__ == "__main__":
    main(sys.argv[1:])
