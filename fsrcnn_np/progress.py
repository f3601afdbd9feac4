"""How far a job has come: told to a function of the caller's, or shown as a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import OptionError

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


@contextmanager
def bar(label: str, *, unit: str = "tile", always: bool = False) -> Iterator[Progress]:
    """A tqdm bar on standard error; unless `always`, on a terminal alone. It goes away at the end."""
    from tqdm import tqdm

    with tqdm(desc=label, leave=False, disable=False if always else None, unit=unit) as shown:

        def update(done: int, total: int) -> None:
            shown.total, shown.n = total, done
            shown.refresh()

        yield update
