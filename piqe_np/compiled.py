"""The floor under both fast engines: compile flags, the code cache, and tasks on threads.

Nothing here imports numba until a kernel is defined, so that importing a package stays fast: modules with kernels
are imported when the engine is first used.
"""

from __future__ import annotations

import functools
import math
import operator
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

from piqe_np.errors import OptionError
from piqe_np.unbroken import ending, unbroken

MOST_THREADS = 1024
_T = TypeVar("_T")
CGROUP = Path("/sys/fs/cgroup")

# No fastmath: the order of operations is fixed, so the answer has the same bits on every machine, tile and thread
# count, and LLVM may not contract a multiply and an add into an FMA by itself. The numpy error model drops the
# check for division by zero, which would keep LLVM from vectorising.
FLAGS = {"nogil": True, "error_model": "numpy", "fastmath": False, "boundscheck": False}


def kernel(function: Callable[..., Any]) -> Any:
    """Decorator: compile a module-level function with the project's flags, cached on disk where that is possible.

    `piqe_np.code_cache` says in which folders. Where none can be written the kernel is compiled in every process.
    A kernel and the kernels that it calls belong into one file: the cache notices only that file's changes.
    """
    import numba

    from piqe_np.code_cache import attach

    compiled = numba.njit(function, **FLAGS)
    if hasattr(compiled, "py_func"):  # not with NUMBA_DISABLE_JIT=1, which lets Python run it
        attach(compiled)
    return compiled


def check_compiled_code_runs(engine: str, error: type[Exception] = OptionError) -> None:
    """Raise, in one line, where the system lets no memory become executable: LLVM itself would crash there.

    SELinux without execmem, systemd's MemoryDenyWriteExecute and hardened kernels do that.
    """
    reason = _no_executable_memory()
    if reason:
        raise error(
            f"engine {engine!r} compiles machine code, and this system lets no memory become executable ({reason}); "
            "engine='reference' (--engine reference) needs none: the same answer, slowly"
        )


def machine_code_refused() -> bool:
    """Whether this system lets no memory become executable; for who has another way to the same bits."""
    return bool(_no_executable_memory())


@functools.cache
def _no_executable_memory() -> str:
    """Why not; empty where it can be had. Tries what LLVM does: written first, then executable."""
    if os.name != "posix":
        return ""
    import ctypes
    import mmap

    memory = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    if mprotect(start, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC) == 0:
        return ""
    return os.strerror(ctypes.get_errno())


def available_cpus() -> int:
    """CPUs that this process may use: its affinity, cut to a container's quota."""
    if hasattr(os, "process_cpu_count"):
        cpus = os.process_cpu_count()  # Python 3.13
    elif hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    else:
        cpus = os.cpu_count()
    return max(1, math.ceil(min(cpus or 1, _quota())))


def _quota() -> float:
    """CPUs' worth of time that the container grants (cgroup v2, then v1); infinite without a limit."""
    v1 = [CGROUP / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    for files in ([CGROUP / "cpu.max"], v1):
        try:
            quota, period = (float(word) for file in files for word in file.read_text().split())
            return quota / period if quota > 0 else math.inf  # v1 writes -1 for no limit
        except (OSError, ValueError, ZeroDivisionError):  # v2 writes "max 100000"
            continue
    return math.inf


def thread_count(threads: SupportsIndex | None, variable: str, error: type[Exception] = OptionError) -> int:
    """How many threads to use.

    Parameters
    ----------
    threads : int or None
        The caller's wish, 1 to 1024. None: the environment `variable`, else the CPUs available to the process.
    variable : str
        Name of the environment variable, "PIQE_NP_THREADS" or "FSRCNN_NP_THREADS".
    error : type
        What to raise if the number is impossible.
    """
    source = f"threads={threads!r}"
    wanted: Any = threads
    if threads is None:
        text = os.environ.get(variable, "").strip()
        if not text:
            return available_cpus()
        source = f"{variable}={text!r}"
        wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    try:
        count = None if isinstance(wanted, bool) else operator.index(wanted)
    except TypeError:
        count = None
    if count is None or not 1 <= count <= MOST_THREADS:
        raise error(
            f"{source} is not a number of threads: give a whole number from 1 to {MOST_THREADS}, "
            "or leave it out to use every CPU available"
        )
    return count


def worthwhile(threads: int, work: int, start: int) -> int:
    """How many of the threads that may be taken bring more than they cost.

    They are started one after the other, so that n of them take as long as work / n + start · n. Where that is least,
    it hardly changes: half of that n² is taken, which takes 6 % longer with three threads in place of four, and leaves
    room where processors are busy.

    Parameters
    ----------
    threads : int
    work, start : int
        What there is to do, and what is done while a thread is started, in one unit: pixels.
    """
    return max(min(threads, math.isqrt(work // (2 * start))), 1)


def with_threads(function: Callable[[int], _T], threads: int) -> _T:
    """What a library's function gives that takes a number of threads; of one, where the system grants no more."""
    try:
        return function(threads)
    except RuntimeError as error:
        if threads == 1 or "new thread" not in str(error):
            raise
        return function(1)


def _started(thread: threading.Thread, *, say: bool = False) -> bool:
    try:
        with unbroken():  # a thread that is born while the interpreter ends crashes it
            thread.start()
    except RuntimeError as error:
        if say and "interpreter shutdown" not in str(error):  # from 3.12 on Python starts none while it waits for some
            _say_few()
        return False
    return True


@functools.cache
def _say_few() -> None:
    """Once a process."""
    text = "the system grants fewer threads than were asked for (ulimit -u, or a container's limit): it takes longer"
    warnings.warn(text, RuntimeWarning, stacklevel=4)


@contextmanager
def beside(function: Callable[[], Any], threads: int) -> Iterator[None]:
    """`function` runs on a thread of its own while the caller does what is in the block; after it, it has ended.

    For what is made once and would be waited for later: with one thread, or where the system grants no other, it is
    not called, and what it raises is left to whoever asks for the same again.
    """

    def work() -> None:
        with suppress(Exception):
            function()

    thread = threading.Thread(target=work, daemon=True)
    started = threads > 1 and not ending() and _started(thread)
    try:
        yield
    finally:
        if started:
            thread.join()


def run_tasks(function: Callable[[int], Any], count: int, threads: int) -> None:
    """Call ``function(number)`` for every number from 0 to ``count − 1`` on up to `threads` threads.

    The calling thread works too, and the helpers end with the call: nothing is kept that a fork, a spawned process
    or a second caller could trip over. The first exception stops the taking of further tasks and is raised here, an
    interruption (Ctrl-C) before any error; whichever it is, no helper works on any more when it is raised.
    Where the system grants fewer threads, those that there are do all; a RuntimeWarning says so.
    """
    numbers = iter(range(count))
    lock = threading.Lock()
    failures: list[BaseException] = []
    ended: list[None] = []

    def help() -> None:
        try:
            work()
        finally:
            ended.append(None)

    def work() -> None:
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                function(number)
            except BaseException as failure:
                failures.append(failure)

    most = 1 if ending() else min(threads, count)  # what a caller does at the interpreter's end, it does alone
    helpers = [threading.Thread(target=help, daemon=True) for _ in range(most - 1)]
    try:
        for helper in helpers:
            if not _started(helper, say=True):
                break
        work()
    except BaseException as interruption:  # Ctrl-C between two tasks
        failures.append(interruption)
    waiting = True
    while waiting:
        try:
            begun = [helper for helper in helpers if helper.ident is not None]
            for helper in begun:
                helper.join()
            waiting = len(ended) < len(begun)
            if waiting:  # before Python 3.13 a thread whose join was interrupted counts as ended, and works on
                time.sleep(0.001)
        except BaseException as interruption:  # Ctrl-C while helpers finish their last tasks
            failures.append(interruption)
    if failures:
        failures.sort(key=lambda failure: isinstance(failure, Exception))
        raise failures.pop(0)
