"""Settings of the whole process that hold while anybody needs them: files are read and written on their own threads."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


def together(setting: Callable[[], AbstractContextManager[Any]]) -> Callable[[], AbstractContextManager[None]]:
    """A context that several threads may be in: the first one in enters the setting, the last one out leaves it.

    Entered by each for itself, the setting that one thread puts back would be another's, and might stay for good.
    """
    lock, stack = threading.Lock(), ExitStack()
    inside = 0

    @contextmanager
    def shared() -> Iterator[None]:
        nonlocal inside
        with lock:
            if not inside:
                stack.enter_context(setting())
            inside += 1
        try:
            yield
        finally:
            with lock:
                inside -= 1
                if not inside:
                    stack.close()

    return shared


@together
@contextmanager
def without_warnings() -> Iterator[None]:
    """What libraries warn of inside is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
