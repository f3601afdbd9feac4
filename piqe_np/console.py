"""How both commands end: an exit status, and one line in place of any traceback."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any


def command(name: str, body: Callable[[], int], usage: type[Exception]) -> int:
    """Run a command's body and return its exit status.

    Parameters
    ----------
    name : str
        What every line on standard error begins with.
    body : callable
        Parses and works; gives the status.
    usage : type
        The exception that means wrong usage: status 2.
    """
    for closed in [which for which in ("stdout", "stderr") if getattr(sys, which) is None]:
        setattr(sys, closed, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))  # `>&-`
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without × gets \xd7, not a traceback
            stream.reconfigure(errors="backslashreplace")

    def one_line(message: Warning | str, *_: Any, **__: Any) -> None:
        complain(name, str(message), 0)

    warnings.showwarning = one_line
    try:
        status = body()
        sys.stdout.flush()
        return status
    except usage as error:
        return complain(name, str(error), 2)
    except MemoryError:
        return complain(name, "not enough memory; use a smaller image or a machine with more", 1)
    except KeyboardInterrupt:
        return complain(name, "interrupted; files already written are whole", 130)
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
        _close_output()
        return 1
    except OSError as error:
        _close_output()
        return complain(name, f"standard output cannot be written: {error.strerror or error}", 1)


def complain(name: str, text: str, status: int) -> int:
    """One line on standard error; gives the status back."""
    print(f"{name}: {printable(' '.join(text.split()))}", file=sys.stderr)
    return status


def printable(text: str) -> str:
    """Names as people can read them, each on its line: no terminal codes, no line ends."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _close_output() -> None:
    """Let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
