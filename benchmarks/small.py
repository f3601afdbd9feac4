"""Calls for small pictures, where what every call costs is most of the time: on one thread and on several, in turns.

python -m benchmarks small
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from fsrcnn_np import forward, imresize, load_weights, upscale, upscale_batch
from piqe_np import piqe
from piqe_np.compiled import run_tasks

SIDES, LARGE = (16, 32, 64, 128, 256), 1024
BATCH = 50  # pictures
TURN = 0.005  # seconds of a turn, at least
Call = Callable[..., object]


def calls(side: int) -> dict[str, tuple[Call, int]]:
    """What is called with `threads`, by name, and of how many pictures."""
    rng, weights = np.random.default_rng(0), load_weights("x2")
    grey = rng.integers(0, 256, (side, side), np.uint8)
    luma, rgb = rng.random((side, side), np.float32), rng.integers(0, 256, (side, side, 3), np.uint8)
    found: dict[str, tuple[Call, int]] = {
        "upscale": (partial(upscale, grey), 1),
        "RGB": (partial(upscale, rgb), 1),
        "forward": (partial(forward, luma, weights), 1),
        "piqe": (partial(piqe, grey), 1),
        "imresize": (partial(imresize, grey, 2), 1),
    }
    if side < LARGE:
        found["upscale_batch"] = (partial(upscale_batch, np.stack([grey] * BATCH)), BATCH)
    return found


def milliseconds(runs: Sequence[Callable[[], object]], turns: int) -> list[tuple[float, float]]:
    """Of each one's run, in turns: the least and the median."""
    found: list[list[float]] = [[] for _ in runs]
    times = []
    for run in runs:
        run()  # what is compiled and read once
        start = time.perf_counter()
        run()
        times.append(int(TURN / (time.perf_counter() - start)) + 1)
    for _ in range(turns):
        for run, count, seconds in zip(runs, times, found, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                run()
            seconds.append((time.perf_counter() - start) / count)
    return [(min(seconds) * 1e3, statistics.median(seconds) * 1e3) for seconds in found]


def text(threads: int, turns: int = 15, sides: Sequence[int] = (*SIDES, LARGE)) -> str:
    """A table of milliseconds a picture."""
    names = list(calls(sides[0]))
    lines = [
        f"| uint8 ×2, ms a picture, 1 → {threads} threads | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for side in sides:
        cells = dict.fromkeys(names, "")
        for name, (call, pictures) in calls(side).items():
            found = milliseconds([partial(call, threads=number) for number in (1, threads)], turns)
            cells[name] = " → ".join(f"{least / pictures:.2f}" for least, _ in found)
            cells[name] += f" ({' → '.join(f'{median / pictures:.2f}' for _, median in found)})"
        lines.append(f"| {side}×{side} | {' | '.join(cells.values())} |")
    alone, two = milliseconds([partial(run_tasks, abs, 2, number) for number in (1, 2)], turns)
    lines += [
        "",
        f"Least of {turns} turns, in brackets medians; upscale_batch of {BATCH} pictures. To start and end a thread "
        f"took {two[0] - alone[0]:.2f} ms ({two[1] - alone[1]:.2f}).",
    ]
    return "\n".join(lines)
