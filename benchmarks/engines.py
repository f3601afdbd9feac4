"""The fast engines beside each other, and how long a fresh process waits for the first result of each.

python -m benchmarks.engines
python -m benchmarks.engines --size 512 --repeats 3

The engines take turns in one process, on one thread, after their results were compared; medians count, and on a
machine that is shared the CPU seconds. First calls are those of fresh processes: with an empty cache of Numba's, and
with what that process left in it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from fsrcnn_np import Weights
from fsrcnn_np.engine import engine_named
from fsrcnn_np.network import reference

from .graphs import benchmark_weights

FAST = ("llvm", "numba")
AGREE = 1e-5  # of [0, 1]; tests/engine has the tight bound
FIRST = """
import time, numpy, fsrcnn_np
weights, image = fsrcnn_np.load_weights("x2"), numpy.zeros((64, 64), numpy.float32)
wall, cpu = time.perf_counter(), time.process_time()
fsrcnn_np.upscale(image, weights=weights, engine={engine!r})
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables; exit status 1 where the engines disagree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=2048, metavar="PIXELS", help="of the square's side (default 2048)")
    parser.add_argument("--repeats", type=int, default=7, help="runs of each engine and of each first call (default 7)")
    options = parser.parse_args(arguments)
    weights = benchmark_weights()
    if (apart := disagreement(weights)) > AGREE:
        print(f"the engines are up to {apart:.1e} from the reference: not timed")
        return 1
    print(f"{options.size}², one thread, medians of {options.repeats}:\n")
    print(ratio(weights, options.size, options.repeats), end="\n\n")
    print(f"first call in a fresh process, medians of {options.repeats}:\n")
    print(first_calls(options.repeats))
    return 0


def disagreement(weights: Weights) -> float:
    """The greatest difference of the fast engines from the float64 reference."""
    image = np.random.default_rng(0).random((97, 123), np.float32)
    exact = reference.forward(image, weights, dtype=np.float64)
    return max(float(np.abs(engine_named(name).forward(image, weights) - exact).max()) for name in FAST)


def ratio(weights: Weights, size: int, repeats: int) -> str:
    """Wall and CPU seconds of each engine, and how many times the first's, as a table."""
    image = np.random.default_rng(1).random((size, size), np.float32)
    out = np.empty((size * weights.architecture.scale,) * 2, np.float32)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in FAST}
    for turn in range(repeats + 1):
        for name in FAST:
            wall, cpu = time.perf_counter(), time.process_time()
            engine_named(name).forward(image, weights, threads=1, out=out)
            if turn:  # the first one compiles and touches the memory
                taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    middle = {name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in taken.items()}
    lines = ["| engine | wall s | CPU s | wall, llvm = 1 | CPU, llvm = 1 |", "|---|---|---|---|---|"]
    for name, (wall, cpu) in middle.items():
        base = middle["llvm"]
        lines.append(f'| "{name}" | {wall:.2f} | {cpu:.2f} | {wall / base[0]:.2f} | {cpu / base[1]:.2f} |')
    return "\n".join(lines)


def first_calls(repeats: int) -> str:
    """Seconds of the first `upscale` after the import, with an empty cache and with a filled one: a table."""
    lines = ["| engine | without a cache: wall s | CPU s | with it: wall s | CPU s |", "|---|---|---|---|---|"]
    for name in FAST:
        pairs = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as cache:
                pairs.append((*first_call(name, cache), *first_call(name, cache)))
        middle = [statistics.median(column) for column in zip(*pairs, strict=True)]
        lines.append(f'| "{name}" | ' + " | ".join(f"{seconds:.2f}" for seconds in middle) + " |")
    return "\n".join(lines)


def first_call(engine: str, cache: str) -> tuple[float, float]:
    """Wall and CPU seconds of one, in a process of its own with Numba's cache in this folder."""
    command = [sys.executable, "-c", FIRST.format(engine=engine)]
    done = subprocess.run(
        command, env={**os.environ, "NUMBA_CACHE_DIR": cache}, capture_output=True, text=True, check=True
    )
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


if __name__ == "__main__":
    sys.exit(main())
