"""The engine's functions one by one, on memory laid out as in a strip, called from machine code without Python between.

python -m benchmarks stages
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fsrcnn_np.engine.llvm import packing, results, schedule, target, tiles
from fsrcnn_np.engine.llvm.groups import GROUP
from fsrcnn_np.engine.llvm.layout import MAPS, RING, Layout
from fsrcnn_np.engine.llvm.winograd import MAPPING
from fsrcnn_np.images.value_range import UNIT, Limits
from piqe_np.llvm.assembler import Rows

from .graphs import benchmark_weights
from .peak import gflops

LEAST = 40  # calls of a function in a run, and rows that they are good for: a call from Python takes as long as some


@dataclass(frozen=True)
class Stage:
    """One function of the engine.

    Attributes
    ----------
    run : callable
        Calls the function so many times that they are good for `rows`.
    rows : float
        Low-resolution rows of a strip, or what comes to as many pixels.
    operations : float
        Multiply-adds a low-resolution pixel that its arithmetic needs, by Winograd and Toom where they are used.
    """

    name: str
    run: Callable[[], None]
    rows: float
    operations: float
    width: int

    def microseconds(self, runs: int = 60) -> float:
        """A row of a strip, the least of all runs: what the code can do when nothing disturbs it."""
        best = np.inf
        for _ in range(runs):
            start = time.perf_counter()
            self.run()
            best = min(best, time.perf_counter() - start)
        return best / self.rows * 1e6


def stages(processor: target.Target | None = None) -> list[Stage]:
    """All functions, for a full strip of FSRCNN(56,12,4) x2."""
    processor = processor or target.host()
    weights = benchmark_weights()
    layout = Layout(weights.architecture, weights.border, weights.deconvolution_offset, processor)
    module = schedule.module(layout)
    final = results.module(layout, np.dtype(np.float32))
    for function in final.functions:
        function.module = module
    module.functions += final.functions
    module.declarations |= final.declarations
    for function in list(module.functions):
        repeated = module.function(f"repeat_{function.title}", "arguments")
        given = Rows.of(repeated.parameters[0], "i64", (1 + len(function.parameters),))
        calls, *arguments = [given[i] for i in range(1 + len(function.parameters))]
        with repeated.loop(0, calls):
            repeated.call(function, *arguments)
    code = target.loaded(module, processor)

    rng = np.random.default_rng(0)
    memory = tiles.aligned(layout.scratch["end"])
    memory.view(np.float32)[:] = rng.random(memory.size // 4)
    image = tiles.aligned(9 * layout.pitch)
    image.view(np.float32)[:] = rng.random(image.size // 4)
    packed = packing.packed(weights, layout)
    result = np.zeros(2 * layout.width, np.float32)
    limits = np.array(Limits.of(UNIT, (0, 1), result.dtype), np.float64)
    at, w, columns, width = memory.ctypes.data, packed.ctypes.data, layout.columns(layout.width), layout.width
    rings = [at + layout.scratch["rings"] + row * layout.ring_row for row in range(2 * RING)]
    points, high, chunk = at + layout.scratch["points"], at + layout.scratch["ring"], layout.chunk
    products, maps = at + layout.scratch["products of groups"], MAPS
    part = GROUP * chunk / width * maps / layout.architecture.d  # of a row

    def stage(name: str, function: str, arguments: list[int], rows_a_call: float, operations: float) -> Stage:
        calls = math.ceil(max(LEAST, LEAST / rows_a_call))
        given = np.array([calls, *arguments], np.int64)
        call = ctypes.CFUNCTYPE(None, ctypes.c_int64)(code.get_function_address(f"repeat_{function}"))

        def run(keep: object = (code, memory, image, packed, limits, result)) -> None:
            call(given.ctypes.data)

        return Stage(name, run, calls * rows_a_call, operations, width)

    mapping = [*rings[: MAPPING.points], *rings[RING : RING + GROUP], w + layout.weights["mapping"], at, columns]
    return [
        stage("feature extraction, shrinking", "extraction",
              [image.ctypes.data + 2 * layout.pitch + 64, *rings[:GROUP], w, at, columns], GROUP, 1400 * 8 / 20 + 672),
        stage("mapping, four layers", "mapping", mapping, GROUP / 4, 5184 / 2),
        stage("expanding", "expansion", [*rings[:GROUP], *[1] * GROUP, points, w, 0, layout.group, chunk], part, 672),
        stage("deconvolution", "multiplication", [points, products, w, 0, maps, chunk], part, 4536 * 15 / 36),
        stage("its interpolation", "stamping", [products, high, layout.high, width], GROUP, 0),
        stage("bias into new rows", "resetting", [high, w], 1 / 2, 0),
        stage("results, float32", "finish", [high, result.ctypes.data, width, limits.ctypes.data, at], 1 / 2, 0),
    ]  # fmt: skip


def text() -> str:
    """A table: where the time of a row goes, and how near each part is to the processor's peak."""
    peak = max(gflops(1).cpu for _ in range(5))
    lines = ["| stage | µs a row | its FMAs alone | share |", "|---|---|---|---|"]
    total = 0.0
    for stage in stages():
        spent, least = stage.microseconds(), 2 * stage.operations * stage.width / peak / 1e3
        total += spent
        lines.append(f"| {stage.name} | {spent:.1f} | {least:.1f} | {f'{least / spent:.0%}' if least else ''} |")
    direct = 2 * 12464 * stage.width / peak / 1e3
    lines.append(f"| all; direct form's floor | {total:.1f} | {direct:.1f} | {direct / total:.0%} |")
    return "\n".join(lines) + "\n"
