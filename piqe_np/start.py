"""The first lines of both commands: signals are heard before anything heavy is imported.

What is imported here is imported unguarded: the interpreter's own, and as little else as can be.
"""

from __future__ import annotations

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
        import importlib

        status = importlib.import_module(module).main()
    except SystemExit as end:  # argparse: help, version, wrong usage
        status = end.code
    finally:
        for number in numbers:  # on the way out the system's own action: no traceback of what is being taken down
            if signal.getsignal(number) is at_once:
                signal.signal(number, signal.SIG_DFL)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        close_output()
        status = 128 + PIPE
    sys.exit(status)


def close_output() -> None:
    """Let the interpreter's last flush go nowhere."""
    try:  # noqa: SIM105 - contextlib is not imported yet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
