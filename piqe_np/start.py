"""The first lines of both commands: signals are heard before anything heavy is imported.

What is imported here is imported unguarded: the interpreter's own, and as little else as can be.
"""

from __future__ import annotations

import _thread
import os
import sys

try:
    import signal
except KeyboardInterrupt:
    os._exit(130)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

#: SIGPIPE's number, also where there is none: `| head` ends a command as it ends others
PIPE = 13
_name = "command"


def run(name: str, module: str) -> NoReturn:
    """What console scripts and `python -m` call: import the command's module, run its `main`, exit with its status.

    From here on a signal ends the process with 130 (Ctrl-C) or 143 (SIGTERM), also as process 1, which no default
    action ends; `stopping` does it better once there is something to tidy up.
    """
    global _name
    _name = name
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    for number in numbers:
        signal.signal(number, at_once)
    status: Any = 1
    try:
        open_streams()
        spare_threads()
        import importlib

        status = importlib.import_module(module).main()
    except SystemExit as end:  # argparse: help, version, wrong usage
        status = end.code
    except (ImportError, MemoryError, OSError) as error:  # of an import: a command's own end before
        print(f"{name}: {missing(error)}", file=sys.stderr)
    finally:
        for number in numbers:  # on the way out the system's own action: no traceback of what is being taken down
            if signal.getsignal(number) is at_once:
                signal.signal(number, signal.SIG_DFL)
    if not flushed(sys.stdout):
        status = 128 + PIPE
    flushed(sys.stderr)
    sys.exit(status)


def missing(error: Exception) -> str:
    """What is said of a library that cannot be loaded; NumPy's own words on it fill a screen."""
    last = str(error).strip().split("\n")[-1] or type(error).__name__
    return f"a library cannot be loaded ({last}); install it again, or allow more memory (ulimit -v)"


def open_streams() -> None:
    """A standard stream that is closed (`2>&-`) leads nowhere: no file gets its number, and what libraries say."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


def spare_threads() -> None:
    """Where the system grants few threads (`ulimit -u`) OpenBLAS gets one; for want of more it ends the process."""
    wanted = 2 * min(os.cpu_count() or 1, 64) + 2  # NumPy's and SciPy's, and ours
    if "OPENBLAS_NUM_THREADS" not in os.environ and granted(wanted) < wanted:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"


def granted(threads: int) -> int:
    """How many threads can be at once, this one included; tried, no more than `threads`."""
    hold = _thread.allocate_lock()

    def wait() -> None:
        with hold:
            pass

    with hold:
        for count in range(1, threads):
            try:
                _thread.start_new_thread(wait, ())
            except RuntimeError:
                return count
    return max(1, threads)


def flushed(stream: Any) -> bool:
    """Write what a stream still holds; where that fails, let the interpreter's last flush go nowhere."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        close_output(stream)
        return False
    return True


def close_output(stream: Any) -> None:
    """From here on nothing that is written there comes out."""
    try:  # noqa: SIM105 - contextlib is not imported yet
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass


def line(number: int) -> str:
    """What is said of a signal."""
    return f"{'interrupted' if number == signal.SIGINT else 'stopped'}; files already written are whole"


def at_once(number: int, frame: FrameType | None) -> None:
    """Say so and end, without any more of Python."""
    try:  # noqa: SIM105
        os.write(2, f"{_name}: {line(number)}\n".encode())
    except OSError:
        pass
    os._exit(128 + number)
