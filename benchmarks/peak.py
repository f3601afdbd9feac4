"""The processor's peak: fused multiply-adds on registers alone, as many as it can start."""

from __future__ import annotations

import ctypes
import functools
import statistics
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fsrcnn_np.engine.llvm import target
from piqe_np.llvm.assembler import Rows

CHAINS, STEPS, ROUNDS = 12, 1000, 400


@functools.cache
def _kernel() -> tuple[Callable[[int, int], None], object]:
    host = target.host()
    module = host.module()
    f = module.function("peak", "address rounds")
    address, rounds = f.parameters
    kind = f"<{host.lanes} x float>"
    numbers = Rows.of(address, "float", (64,))
    a, b = numbers.vector(host.lanes), numbers.vector(host.lanes)
    with f.loop(0, rounds):
        chains = [f.constant(kind, float(number)) for number in range(CHAINS)]
        with f.loop(0, STEPS, carrying=chains):
            chains[:] = [f.fma(a, b, value) for value in chains]
        total = chains[0]
        for value in chains[1:]:
            total = total + value
        numbers[16] = total
    code = target.loaded(module, host)
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(code.get_function_address("peak")), code


class Peak(NamedTuple):
    """10⁹ operations, of all threads together a wall second, and of one thread a CPU second."""

    wall: float
    cpu: float


def gflops(threads: int, repeats: int = 5) -> Peak:
    """Medians of several runs on so many threads at once; an instruction is 2 operations a lane."""
    kernel, _ = _kernel()
    memory = np.zeros((threads, 64), np.float32)
    work = 2 * CHAINS * STEPS * ROUNDS * target.host().lanes * threads / 1e9

    def once() -> Peak:
        helpers = [threading.Thread(target=kernel, args=(row.ctypes.data, ROUNDS)) for row in memory[1:]]
        wall, cpu = time.perf_counter(), time.process_time()
        for helper in helpers:
            helper.start()
        kernel(memory[0].ctypes.data, ROUNDS)
        for helper in helpers:
            helper.join()
        return Peak(work / (time.perf_counter() - wall), work / (time.process_time() - cpu))

    once()
    walls, cpus = zip(*(once() for _ in range(repeats)), strict=True)
    return Peak(statistics.median(walls), statistics.median(cpus))
