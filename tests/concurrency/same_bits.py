"""Strips of any size on any number of threads, in several processes: `python tests/concurrency/same_bits.py --runs N`.

Every run of a picture and model must have the same SHA-256, whatever the engine's strips, bands, threads and process,
the memory's layout of picture and result, and the processor that the machine code is for: of those with fused
multiply-add one, of those without another. PIQE and imresize have one of all. Each process is a fresh one, and every
other one has four callers at once.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # models

from fsrcnn_np import imresize, upscale_stream
from fsrcnn_np.engine import strips
from fsrcnn_np.engine.llvm import target, tiles
from fsrcnn_np.engine.numba import planes
from fsrcnn_np.images.value_range import value_range
from models import random_weights
from piqe_np import piqe, score

score.START = strips.START = 1  # all threads, small as the pictures are
KINDS = [(seed, dtype) for seed in range(5) for dtype in (np.uint8, np.uint16, np.float32)]
ENGINES = {"llvm": tiles.Engine, "numba": planes.Engine}
MODELS = [
    random_weights(np.random.default_rng(seed), shape, scale, border, dtype=np.float32, channels=channels)
    for seed, (shape, scale, border, channels) in enumerate(
        [
            ((6, 4, 2), 2, "zero", 1), ((11, 3, 1), 3, "replicate", 1), ((7, 3, 2), 4, "replicate", 1),
            ((5, 3, 1), 2, "zero", 3), ((56, 12, 4), 2, "zero", 1),
        ]
    )
]  # fmt: skip
PIQE, UPSCALE, STREAM, IMRESIZE = "piqe", "upscale", "stream", "imresize"


class Row(NamedTuple):
    """Of one kind of work."""

    kind: str
    runs: int
    hashes: int


def targets() -> list[str]:
    """What $FSRCNN_NP_TARGET may be here."""
    before, found = os.environ.get(target.VARIABLE), list[str]()
    for name in target.NAMED:
        os.environ[target.VARIABLE] = name
        try:
            target.host()
        except ValueError:
            continue
        found.append(name)
    del os.environ[target.VARIABLE]
    os.environ.update({} if before is None else {target.VARIABLE: before})
    return found


def picture(seed: int, dtype: type) -> np.ndarray:
    rng = np.random.default_rng(seed)
    channels = [MODELS[seed].architecture.channels][: MODELS[seed].architecture.channels - 1]
    pixels = rng.random([*rng.integers(30, 150, 2), *channels])
    return pixels.astype(dtype) if dtype is np.float32 else (255 * pixels).astype(dtype)


def laid_out(pixels: np.ndarray, dice: random.Random) -> np.ndarray:
    """The same numbers in another place: by columns, backwards, every second one, or the other byte order."""
    made = dice.choice(
        [
            np.array,
            np.asfortranarray,
            lambda array: np.array(array[::-1])[::-1],
            lambda array: np.repeat(array, 2, 1)[:, ::2],
            lambda array: array.astype(array.dtype.newbyteorder()),
        ]
    )(pixels)
    return np.asarray(made)


def once(number: int, seed: int, engines: tuple[str, ...], kinds: int) -> tuple[str, str]:
    """What was computed, and its hash: a random kind of work on a random picture, strips of random size, threads."""
    dice = random.Random(f"{seed} {number}")
    kind, engine, threads = dice.randrange(kinds), dice.choice(engines), dice.randint(1, 6)
    work = dice.choices([PIQE, IMRESIZE, STREAM, UPSCALE], [2, 1, 2, 5])[0]
    model, pixels = MODELS[KINDS[kind][0]], picture(*KINDS[kind])
    if work == PIQE:
        return f"{PIQE} {kind}", piqe(laid_out(pixels, dice), threads=threads, engine=engine).score.hex()
    if work == IMRESIZE:
        large = np.tile(pixels, [*(-(-550 // size) for size in pixels.shape[:2]), 1][: pixels.ndim])  # machine code's
        out = imresize(laid_out(large, dice), 2, threads=threads)
        return f"{IMRESIZE} {kind}", hashlib.sha256(out.tobytes()).hexdigest()
    scale = model.architecture.scale
    shape = [scale * size for size in pixels.shape[:2]] + list(pixels.shape[2:])
    out = laid_out(np.ones(shape, pixels.dtype), dice)
    if work == STREAM:
        rows = dice.randint(1, 160)
        upscale_stream(laid_out(pixels, dice), out, weights=model, threads=threads, engine=engine, rows=rows)
    else:
        ready = ENGINES[engine](model, value_range(pixels.dtype), pixels.dtype)
        size = dice.randint(1, 160), dice.randint(1, 160)
        strips.upscaled(ready, laid_out(pixels, dice), out, threads, size=size)
    arithmetic = "fused" if engine == "numba" or target.host().fma else "rounded twice"
    native = np.ascontiguousarray(out, out.dtype.newbyteorder("="))
    return f"{UPSCALE} {kind} {engine} {arithmetic}", hashlib.sha256(native.tobytes()).hexdigest()


def part(
    first: int, *, runs: int, seed: int, engines: tuple[str, ...] = ("llvm",), kinds: int = len(KINDS)
) -> list[tuple[str, str]]:
    """So many runs of a process, from a number on; on four threads at once if that is an odd number of parts."""
    work = partial(once, seed=seed, engines=engines, kinds=kinds)
    with ThreadPoolExecutor(4 if first // runs % 2 else 1) as pool:
        return list(pool.map(work, range(first, first + runs)))


def aim(name: str) -> None:
    """At a target, in this process."""
    os.environ |= {target.VARIABLE: name, "PIQE_NP_TARGET": name}


def attack(runs: int, processes: int, seed: int, engines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What was computed, and its hash, by so many processes for each target."""
    each = -(-runs // (processes * len(targets())))
    begin = 0
    for name in targets():
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), aim, (name,)) as pool:
            ends = range(begin, begin + each * processes, each)
            for found in pool.map(partial(part, runs=each, seed=seed, engines=engines), ends):
                yield from found
        begin += each * (processes + processes % 2)


def counted(found: Iterable[tuple[str, str]]) -> list[Row]:
    """Each kind of work, how often it was done, and how many hashes it had."""
    kinds = defaultdict[str, list[str]](list)
    for kind, value in found:
        kinds[kind].append(value)
    return [Row(kind, len(values), len(set(values))) for kind, values in sorted(kinds.items())]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2, help="at a time")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--engines", nargs="+", choices=tuple(ENGINES), default=list(ENGINES))
    given = parser.parse_args()
    begun = time.monotonic()
    rows = counted(attack(given.runs, given.processes, given.seed, tuple(given.engines)))
    for row in rows:
        if row.hashes > 1:
            print(f"{row.kind:32} {row.runs:5} runs, {row.hashes} hashes")
    fallen = sum(row.hashes > 1 for row in rows)
    print(f"{', '.join(targets())}: {sum(row.runs for row in rows)} runs of {len(rows)} kinds, {fallen} with more than "
          f"one hash, {time.monotonic() - begun:.0f} s")  # fmt: skip
    return fallen > 0


if __name__ == "__main__":
    sys.exit(main())
