"""Strips of any size on any number of threads, in several processes: `python tests/concurrency/same_bits.py --runs N`.

Every run of a picture and model must have the same SHA-256, whatever the engine's strips, threads and process; each
process is a fresh one, and every other one begins with four threads at once.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # models

from fsrcnn_np.engine import strips
from fsrcnn_np.engine.llvm import tiles
from fsrcnn_np.engine.numba import planes
from fsrcnn_np.images.value_range import value_range
from models import random_weights
from piqe_np import piqe

KINDS = [(seed, dtype) for seed in range(4) for dtype in (np.uint8, np.uint16, np.float32)]
ENGINES = {"llvm": tiles.Engine, "numba": planes.Engine}
MODELS = [
    random_weights(np.random.default_rng(seed), shape, scale, border, dtype=np.float32)
    for seed, (shape, scale, border) in enumerate(
        [((6, 4, 2), 2, "zero"), ((11, 3, 1), 3, "replicate"), ((56, 12, 4), 2, "zero"), ((7, 3, 2), 4, "replicate")]
    )
]


def picture(seed: int, dtype: type) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = rng.random(rng.integers(30, 150, 2))
    return pixels.astype(dtype) if dtype is np.float32 else (255 * pixels).astype(dtype)


def once(number: int, engine: str, seed: int) -> tuple[str, str]:
    """What was computed, and its hash: a random one of the kinds, strips of a random size, random threads."""
    dice = random.Random(f"{seed} {number}")
    kind = dice.randrange(len(KINDS))
    pixels, threads = picture(*KINDS[kind]), dice.randint(1, 6)
    if dice.random() < 0.2:
        found = piqe(pixels, threads=threads, engine=engine).score.hex()
        return f"piqe {kind} {engine}", found
    model = MODELS[KINDS[kind][0]]
    scale = model.architecture.scale
    out = np.empty([scale * size for size in pixels.shape], pixels.dtype)
    ready = ENGINES[engine](model, value_range(pixels.dtype), pixels.dtype)
    size = dice.randint(1, 160), dice.randint(1, 160)
    strips.upscaled(ready, pixels, out, threads, size=size)
    return f"upscale {kind} {engine}", hashlib.sha256(out.tobytes()).hexdigest()


def part(first: int, *, runs: int, seed: int, engines: tuple[str, ...]) -> list[tuple[str, str]]:
    """So many runs of a process, from a number on; on four threads at once if that number is odd."""
    with ThreadPoolExecutor(4 if first // runs % 2 else 1) as pool:
        return list(
            pool.map(lambda number: once(number, engines[number % len(engines)], seed), range(first, first + runs))
        )


def attack(
    runs: int, processes: int, seed: int, engines: tuple[str, ...] = ("llvm", "numba")
) -> Iterator[tuple[str, int, int]]:
    """Each kind, how often it ran, and how many hashes it had."""
    each = -(-runs // processes)
    work = partial(part, runs=each, seed=seed, engines=engines)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        found = [pair for results in pool.map(work, range(0, each * processes, each)) for pair in results]
    for kind in sorted({kind for kind, _ in found}):
        hashes = [value for name, value in found if name == kind]
        yield kind, len(hashes), len(set(hashes))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=18)
    given = parser.parse_args()
    begun, rows = time.monotonic(), list(attack(given.runs, given.processes, given.seed))
    for kind, count, hashes in rows:
        print(f"{kind:20} {count:5} runs, {hashes} hash{'es' * (hashes > 1)}")
    print(f"{sum(count for _, count, _ in rows)} runs, {len(rows)} kinds, {time.monotonic() - begun:.0f} s")
    return any(hashes > 1 for _, _, hashes in rows)


if __name__ == "__main__":
    sys.exit(main())
