"""The processor's peak: fused multiply-adds on registers alone, as many as it can start.

Each thread is there before the clock starts, has warmed up, and works for a tenth of a second or more; the best of
several runs counts. How many a cycle that is follows from a single chain, in which each waits for the one before: where
the processor's latency and ports are known, the two must agree.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np

from fsrcnn_np.engine.llvm import target
from piqe_np.llvm.assembler import Rows

CHAINS, STEPS = 12, 1000
SECONDS = 0.1  # of a run, at least

#: By LLVM's name of the processor: cycles of a fused multiply-add, and how many of its widest vectors start in one.
#: Agner Fog, Instruction tables (agner.org/optimize); AMD, Software Optimization Guides of families 17h, 19h and 1Ah.
PORTS = {
    "haswell": (5, 2), "broadwell": (5, 2), "skylake": (4, 2), "skylake-avx512": (4, 2), "cascadelake": (4, 2),
    "icelake-server": (4, 2), "sapphirerapids": (4, 2), "emeraldrapids": (4, 2), "graniterapids": (4, 2),
    "znver2": (4, 2), "znver3": (4, 2), "znver4": (4, 1), "znver5": (4, 2),
}  # fmt: skip

Kernel = Callable[[int, int], None]


@functools.cache
def _kernel(chains: int) -> tuple[Kernel, object]:
    """So many chains of STEPS multiply-adds, a number of rounds long; and the owner of its code."""
    host = target.host()
    module = host.module()
    f = module.function("peak", "address rounds")
    address, rounds = f.parameters
    kind = f"<{host.lanes} x float>"
    numbers = Rows.of(address, "float", (64,))
    a, b = numbers.vector(host.lanes), numbers.vector(host.lanes)
    with f.loop(0, rounds):
        values = [f.constant(kind, float(number)) for number in range(chains)]
        with f.loop(0, STEPS, carrying=values):
            values[:] = [f.fma(a, b, value) for value in values]
        total = values[0]
        for value in values[1:]:
            total = total + value
        numbers[16] = total
    code = target.loaded(module, host)
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(code.get_function_address("peak")), code


class Peak(NamedTuple):
    """10⁹ operations, of all threads together a wall second, and of one thread a CPU second."""

    wall: float
    cpu: float
    of_ports: float | None  #: `cpu` over cycles × ports, where the processor is known; 1 if both had the same clock


def gflops(threads: int, repeats: int = 5) -> Peak:
    """The best of several runs on so many threads at once; an instruction is 2 operations a lane."""
    runs = [_run(CHAINS, threads) for _ in range(repeats)]
    cpu = max(run.cpu for run in runs)
    name = llvm.get_host_cpu_name()
    of_ports = None
    if name in PORTS and not os.environ.get(target.VARIABLE):  # another target may have narrower vectors
        latency, ports = PORTS[name]
        chain = max(_run(1, 1).cpu for _ in range(repeats))  # one instruction in `latency` cycles
        of_ports = cpu / (chain * latency * ports)
    return Peak(max(run.wall for run in runs), cpu, of_ports)


class Run(NamedTuple):
    """10⁹ operations: of all threads a wall second, of one a CPU second."""

    wall: float
    cpu: float


def _run(chains: int, threads: int) -> Run:
    kernel, _ = _kernel(chains)
    memory = np.zeros((threads, 64), np.float32)
    rounds = _rounds(kernel, memory[0])
    ready = threading.Barrier(threads)
    spans: list[tuple[float, float, float]] = []

    def one(row: np.ndarray) -> None:
        kernel(row.ctypes.data, rounds // 4 + 1)  # this core, too, has its speed now
        ready.wait()
        wall, cpu = time.perf_counter(), time.thread_time()
        kernel(row.ctypes.data, rounds)
        spans.append((wall, time.perf_counter(), time.thread_time() - cpu))

    workers = [threading.Thread(target=one, args=(row,)) for row in memory]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    starts, ends, cpus = zip(*spans, strict=True)
    work = 2 * chains * STEPS * rounds * target.host().lanes * threads / 1e9
    return Run(work / (max(ends) - min(starts)), work / sum(cpus))


def _rounds(kernel: Kernel, row: np.ndarray) -> int:
    """How many rounds take SECONDS, from one that is long enough to be timed."""
    rounds = 16
    while True:
        start = time.thread_time()
        kernel(row.ctypes.data, rounds)
        if (spent := time.thread_time() - start) > SECONDS / 10:
            return int(1.2 * rounds * SECONDS / spent) + 1
        rounds *= 4
