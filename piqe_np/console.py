"""How both commands end: an exit status, and one line in place of any traceback."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from piqe_np import start, stopping
from piqe_np.line import printable, refused


def command(name: str, body: Callable[[], int], ours: tuple[type[Exception], ...]) -> int:
    """Run a command's body and return its exit status: the one place that decides it for what ends a command.

    Parameters
    ----------
    name : str
        What every line on standard error begins with.
    body : callable
        Parses and works; gives the status.
    ours : tuple of types
        The exceptions that are raised on purpose; each says the status, as `exit_status`.
    """
    for closed in [which for which in ("stdout", "stderr") if getattr(sys, which) is None]:
        setattr(sys, closed, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))  # `>&-`
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without × gets \xd7, not a traceback
            stream.reconfigure(errors="backslashreplace")

    def one_line(message: Warning | str, *_: Any, **__: Any) -> None:
        complain(name, str(getattr(message, "for_commands", message)), 0)

    warnings.showwarning = one_line

    def last(text: str, status: int) -> int:
        with suppress(BrokenPipeError):  # the reader of our complaints has gone: the status says it
            complain(name, text, status)
        return status

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Terminal(stream) if stream.isatty() else stream for stream in streams)
    sys.stderr = Unheard(sys.stderr)
    try:
        with stopping.stoppable():
            status = body()
            sys.stdout.flush()
            return status
    except ours as error:
        return last(str(error), getattr(error, "exit_status", 1))
    except MemoryError:
        return last("not enough memory; use a smaller image or a machine with more", 1)
    except KeyboardInterrupt as stop:
        number = getattr(stop, "number", 2)
        return last(start.line(number), 128 + number)
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
        start.close_output(streams[0])
        return 128 + start.PIPE
    except OSError as error:
        if error.errno is None or error.filename is not None:
            return last(refused(error), 1)
        if isinstance(error, FileNotFoundError):  # os.getcwd; no stream says that
            return last("the working directory is gone; go to one that is there", 1)
        start.close_output(streams[0])
        return last(f"standard output cannot be written: {error.strerror or error}", 1)
    except ImportError as error:
        return last(start.missing(error), 1)
    except Exception as error:
        if no_thread(error):
            return last(NO_THREAD, 1)
        # a fault of ours: still one line
        return last(f"unexpected {type(error).__name__}: {error}; please report it", 1)
    finally:
        sys.stdout, sys.stderr = streams


#: What is said where not even the threads can be had that a command cannot do without.
NO_THREAD = (
    "the system grants no more threads (ulimit -u, or a container's limit), and this needs some; "
    "allow more, and run it again"
)


def no_thread(error: BaseException) -> bool:
    """Whether the interpreter could start no thread: it has no class of its own for that."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


def complain(name: str, text: str, status: int) -> int:
    """One line on standard error; gives the status back."""
    print(f"{name}: {printable(' '.join(text.split()))}", file=sys.stderr)
    return status


_telling = threading.Lock()


def tell(name: str, text: str) -> None:
    """One line on standard error, from any thread of a server; what cannot be written is lost, and ends nothing."""
    with _telling, suppress(OSError):
        print(f"{name}: {printable(' '.join(text.split()))}", file=sys.stderr, flush=True)


class Troubles:
    """What goes wrong in a server again and again: each line is said once, as long as it lasts."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lasting = say, dict[str, str]()

    def lasts(self, name: str, line: str) -> None:
        """Said, unless it is the last that was of this name."""
        if self._lasting.get(name) != line:
            self._lasting[name] = line
            self._say(line)

    def over(self, name: str) -> None:
        """Said again, if it comes again."""
        self._lasting.pop(name, None)


def say(text: str) -> None:
    """A text of one or more lines on standard output, each as `printable` has it."""
    print(*map(printable, text.split("\n")), sep="\n", flush=True)


class Unheard:
    """Standard error that ends nothing where it cannot be written (a log on a full disk): what is said there is lost.

    A reader that has gone (`2>&1 | head`) ends the command, as it does on standard output.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose the text."""
        with _lost():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or lose what is held."""
        with _lost():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError:
        pass


class Terminal:
    """A stream to a terminal that lets no control characters through, but for those that end lines and move bars.

    The last net: tables and JSON that hold names from files are written as they are into a pipe or a file.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write with everything escaped that a terminal would obey."""
        parts = _MOVES.split(text)
        moves = _MOVES.findall(text)
        shown = "".join(a + b for a, b in zip(map(printable, parts), [*moves, ""], strict=True))
        self._stream.write(shown)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


#: what tqdm moves the cursor with: to the line's begin, to the next, to the one before
_MOVES = re.compile("[\r\n\t]|\x1b\\[A")
