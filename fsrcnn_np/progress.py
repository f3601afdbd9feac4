"""How far a job has come: told to a function of the caller's, or shown as a bar."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from piqe_np.line import printable

from .errors import OptionError

P = ParamSpec("P")
R = TypeVar("R")
#: Called as `progress(done, total)` from time to time.
Progress = Callable[[int, int], None]


@contextmanager
def reporting(progress: Progress | bool | None, label: str, *, unit: str = "tile") -> Iterator[Progress | None]:
    """Give what a job calls: the caller's own function, a tqdm bar on standard error for True, else None.

    Parameters
    ----------
    progress : callable, bool or None
    label, unit : str
        Before the bar, and what is counted.

    Raises
    ------
    OptionError
        `progress` is something else.
    """
    if progress is True:
        with bar(label, unit=unit, always=True) as update:
            yield update
    elif progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    else:
        raise OptionError(
            f"progress is {progress!r}; allowed are True (a bar), None, or a function that is called as f(done, total)"
        )


def reports(label: str, *, unit: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function with the option `progress`: it may be True, and the function gets what it calls, or None."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            progress: Any = kwargs.pop("progress", None)
            with reporting(progress, label, unit=unit) as kwargs["progress"]:
                return function(*args, **kwargs)

        return wrapped

    return decorate


@functools.cache
def bars() -> Any:
    """tqdm without what ours have no need of, and the system may grant few of: a thread that watches over its bars, and
    a lock between processes, which from Python 3.14 on is a process more."""
    from tqdm import tqdm

    lock = getattr(tqdm, "_lock", None) or threading.RLock()
    return type("bars", (tqdm,), {"monitor_interval": 0, "_lock": lock})


def _at_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def bar(label: str, *, unit: str = "tile", always: bool = False, hidden: bool = False) -> Iterator[Progress]:
    """A tqdm bar on standard error; unless `always`, on a terminal alone, if not `hidden`. It goes away at the end."""
    if hidden or not (always or _at_terminal()):
        yield lambda done, total: None
        return
    with bars()(desc=printable(label), leave=False, unit=unit) as shown:

        def update(done: int, total: int) -> None:
            shown.total, shown.n = total, done
            shown.refresh()

        yield update
