"""How a command ends early: by Ctrl-C or SIGTERM, within two seconds, without half a file and without a traceback.

Only commands use this; importing the libraries changes no handler. `start` comes before it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from piqe_np.start import at_once

#: Files that are half written: they go when the process has to end without its `finally` clauses.
leftovers: set[str] = set()
#: What is still to be said where the process has to end so: the run's sum.
last_words: list[Callable[[], None]] = []
#: Seconds from a signal to the end; the way out through `finally` clauses usually takes a few milliseconds.
PATIENCE = 1.5
_LAST_WORDS = 0.3  # seconds; a lock that the main thread holds may keep them back
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asked: list[int] = []


class Stopped(KeyboardInterrupt):
    """Raised in the main thread by the first signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, the first signal raises `Stopped`; what does not end by that, or a second signal, ends at once.

    A thread watches, since the main thread may be in machine code for long. Handlers that others install within (a
    server's) are theirs. Outside the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    import socket

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    _asked.clear()
    ended = threading.Event()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    hook = sys.unraisablehook
    sys.unraisablehook = lambda said: None if said.exc_type is Stopped else hook(said)
    woken = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    with suppress(RuntimeError):  # the system grants no more threads: the main thread alone hears
        threading.Thread(target=_watch, args=(ours, ended), daemon=True).start()
    try:
        for number in taken:
            signal.signal(number, _stop)
        yield
    finally:
        ended.set()
        if _asked:  # a signal may have come between a file's beginning and its `finally`
            _tidy()
        for number in taken:
            if signal.getsignal(number) is _stop:
                signal.signal(number, before[number])
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        sys.unraisablehook = hook
        theirs.close()  # the thread reads an end, and closes its own


def _stop(number: int, frame: FrameType | None) -> None:
    if _asked:
        _at_once(number, frame)
    _asked.append(number)
    raise Stopped(number)


def _watch(ours: Any, ended: threading.Event) -> None:
    with ours:
        while said := ours.recv(1):
            number = said[0]
            if number in SIGNALS and signal.getsignal(number) is _stop and not ended.wait(PATIENCE):
                _say_last_words()
                _at_once(number, None)


def _say_last_words() -> None:
    def say() -> None:
        for words in tuple(last_words):
            with suppress(Exception):
                words()

    with suppress(RuntimeError):  # the system grants no more threads
        speaker = threading.Thread(target=say, daemon=True)
        speaker.start()
        speaker.join(_LAST_WORDS)


def _at_once(number: int, frame: FrameType | None) -> None:
    _tidy()
    at_once(number, frame)


def _tidy() -> None:
    for path in tuple(leftovers):
        with suppress(OSError):
            os.unlink(path)


if hasattr(os, "register_at_fork"):  # a child's signals are not its parent's
    os.register_at_fork(
        after_in_child=lambda: (
            signal.set_wakeup_fd(-1) if threading.current_thread() is threading.main_thread() else None
        )
    )
