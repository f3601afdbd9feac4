"""What a piece of work costs: seconds, and the process's peak memory while it lasted."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Effort:
    """Filled in when the work has ended."""

    seconds: float = 0.0  #: wall clock
    memory: int | None = None  #: bytes resident at the peak, of the whole process; None where the system does not tell


@contextlib.contextmanager
def effort() -> Iterator[Effort]:
    """Measure what runs inside.

    Linux forgets the earlier peak when asked to, so the peak is that of this piece of work (and of what else runs in
    the process meanwhile); elsewhere it is the peak since the process began.
    """
    spent = Effort()
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as stream:
        stream.write("5")  # proc(5): resets the peak resident set size
    started = time.monotonic()
    try:
        yield spent
    finally:
        spent.seconds, spent.memory = time.monotonic() - started, _peak()


def _peak() -> int | None:
    with contextlib.suppress(OSError), open("/proc/self/status") as stream:
        for line in stream:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
