"""What may come of a case, in one place: nothing, or an exception of ours with one printable line.

Anything else is a fault: another exception, a line on standard error (native libraries write there past Python), more
than HANG seconds of processor time, more than twice the memory that the reader's own limits allow. A crash, and a case
that never ends, are seen by the process outside (`campaign.py`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .target import Target

HANG = 5.0  #: seconds of processor time
LONGEST = 2000  #: characters of a line
FLOOR = 64 << 20  #: bytes that any reader may take: buffers, tables, a library's own


@dataclass(frozen=True)
class Fault:
    """What fell.

    Attributes
    ----------
    kind : str
        "exception", "line", "stderr", "slow", "memory", "crash" or "hang".
    text : str
        What was seen.
    where : str
        Where in the code; faults of the same kind and place are one.
    """

    kind: str
    text: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}" + (f"\n{self.where}" if self.where else "")


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Within, standard error is a file, of which `judge` sees that it grows."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)


def judge(target: Target, data: bytes, place: Path) -> Fault | None:
    """Run one case; None: all is well."""
    said, peak, start = os.fstat(2).st_size, _peak(), time.process_time()
    fault = _run(target, data, place)
    seconds, grown = time.process_time() - start, _peak() - peak
    if fault is not None:
        return fault
    with contextlib.suppress(ValueError):
        sys.__stderr__.flush() if sys.__stderr__ else None
    if os.fstat(2).st_size > said:
        text = os.pread(2, 4000, said).decode("utf-8", "replace") if _readable() else "a line"
        return Fault("stderr", text.strip(), text.strip()[:40])
    if seconds > HANG:
        return Fault("slow", f"{seconds:.1f} s")
    if grown > FLOOR // 8:
        forget_peak()
    if grown > 2 * (FLOOR + target.ratio * len(data)):
        return Fault("memory", f"{grown / 2**20:.0f} MiB for {len(data)} bytes")
    return None


def _run(target: Target, data: bytes, place: Path) -> Fault | None:
    try:
        target.run(data, place)
    except target.allowed as error:
        return _of_line(str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Fault("exception", f"{type(error).__name__}: {str(error)[:300]}", _place(error))
    return None


def _of_line(text: str) -> Fault | None:
    """What is wrong with the line of an exception of ours."""
    if not text or not text.isprintable():
        return Fault("line", f"not one printable line: {text[:300]!r}", text[-30:])
    if len(text) > LONGEST:
        return Fault("line", f"{len(text)} characters: {text[:300]}")
    if "not enough memory" in text:  # a small file that asks for much has to be told by what it says
        return Fault("line", text[:300])
    return None


def _place(error: BaseException) -> str:
    """The innermost lines of the package, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "fsrcnn_np" in frame.filename or "piqe_np" in frame.filename][-2:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in [*own, frames[-1]][::-1])


def _readable() -> bool:
    try:
        os.pread(2, 1, 0)
    except OSError:
        return False
    return True


def _peak() -> int:
    """The most memory that was resident since `forget_peak`, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)


def forget_peak() -> None:
    """Count from what is resident now, where the system can (Linux)."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as stream:
        stream.write("5")
