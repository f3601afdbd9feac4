"""Versions of this project in turns: `python -m benchmarks.turns OLD NEW …`, each a folder with a working tree of one.

    git worktree add ../old COMMIT
    python -m benchmarks.turns ../old .                                  the network on one thread
    FSRCNN_NP_TARGET=avx2 python -m benchmarks.turns ../old . --rounds 41
    python -m benchmarks.turns ../old . --what piqe --size 6656x8192
    python -m benchmarks.turns ../old . --what upscale --size 16x16      all of a call, of uint8
    python -m benchmarks.turns ../old . --what batch --size 128x128 --threads 2      of 50 such pictures

A process of each version, which compute one after the other, round after round: what disturbs the machine for long
disturbs all of them alike. Small pictures are computed several times a turn. Seconds of CPU count, with more than one
thread those of the wall; the least is what the code can do.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

#: Computes for each line that it reads, and answers with the seconds; only what every version has is used.
WORKER = """
import sys, time
import numpy as np
what, (rows, columns, threads) = sys.argv[1], map(int, sys.argv[2:])
clock = time.process_time if threads == 1 else time.perf_counter
image = np.random.default_rng(0).random((rows, columns), np.float32)
pixels = (image * 255).astype(np.uint8)
if what == "piqe":
    from piqe_np import piqe
    compute = lambda: piqe(pixels, threads=threads)
elif what == "upscale":
    from fsrcnn_np import upscale
    compute = lambda: upscale(pixels, threads=threads)
elif what == "batch":
    from fsrcnn_np import upscale_batch
    pictures = np.stack([pixels] * 50)
    compute = lambda: upscale_batch(pictures, threads=threads)
elif what == "imresize":
    from fsrcnn_np import imresize
    compute = lambda: imresize(pixels, 2, threads=threads)
else:
    from fsrcnn_np import load_weights
    from fsrcnn_np.engine.llvm import forward
    weights, out = load_weights("x2"), np.empty((2 * rows, 2 * columns), np.float32)
    compute = lambda: forward(image, weights, threads=threads, out=out)
compute()
start = clock()
compute()
times = int(0.01 / (clock() - start)) + 1
print("ready", flush=True)
for _ in sys.stdin:
    start = clock()
    for _ in range(times):
        compute()
    print((clock() - start) / times, flush=True)
"""


def seconds(
    trees: Sequence[str | Path], what: str, size: tuple[int, int], rounds: int, threads: int = 1
) -> list[list[float]]:
    """Of CPU or, with more than one thread, of the wall; for each version and round."""

    def pipes(worker: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        return worker.stdin, worker.stdout

    found: list[list[float]] = [[] for _ in trees]
    with contextlib.ExitStack() as stack:
        workers = []
        for tree in trees:
            # -P: the folder that this runs in is not looked through before the tree's
            command = [sys.executable, "-P", "-c", WORKER, what, *map(str, (*size, threads))]
            environment = os.environ | {"PYTHONPATH": str(Path(tree).resolve())}
            worker = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            workers.append(stack.enter_context(worker))
            if pipes(worker)[1].readline() != "ready\n":
                raise SystemExit(f"{tree}: this version did not compute; its own words are above")
        for _ in range(rounds):
            for worker, times in zip(workers, found, strict=True):
                asked, answers = pipes(worker)
                print(file=asked, flush=True)
                times.append(float(answers.readline()))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.turns", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "trees", nargs="+", metavar="TREE", help="folder of a version; the first is what others are times of"
    )
    parser.add_argument("--what", choices=["network", "upscale", "batch", "piqe", "imresize"], default="network")
    parser.add_argument("--size", default="1024x1344", metavar="ROWSxCOLUMNS")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    rows, columns = map(int, options.size.split("x"))
    found = seconds(options.trees, options.what, (rows, columns), options.rounds, options.threads)
    on = "one thread" if options.threads == 1 else f"{options.threads} threads"
    print(f"| {options.what}, {options.size}, {on} | least ms | median ms | times the first's least |")
    print("|---|---|---|---|")
    for tree, times in zip(options.trees, found, strict=True):
        least = min(times)
        print(f"| {tree} | {least * 1e3:.3f} | {statistics.median(times) * 1e3:.3f} | {least / min(found[0]):.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
