"""Many files super-resolved: reading, network and writing overlap."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .pipeline import FileJob, Upscaled
from .progress import Progress
from .steps_at_once import overlapped


@contextmanager
def upscaled_files(jobs: Sequence[Callable[[], FileJob]]) -> Iterator[Callable[[Progress], Upscaled]]:
    """Give a function that waits for the next file and tells meanwhile how far it is; it raises what that file does.

    While the network works on one file, the next is read and the one before is written. Three are in hand at most.

    Parameters
    ----------
    jobs : sequence of callable
        Called when the file is to be read.
    """
    shown: dict[int, Progress] = {}
    stopping = threading.Event()

    def read(numbered: tuple[int, Callable[[], FileJob]]) -> tuple[int, FileJob]:
        number, begun = numbered
        job = begun()
        job.read()
        return number, job

    def compute(numbered: tuple[int, FileJob]) -> FileJob:
        number, job = numbered

        def tell(done: int, total: int) -> None:
            if stopping.is_set():
                raise InterruptedError
            if show := shown.get(number):
                show(done, total)

        job.compute(tell)
        return job

    with overlapped(list(enumerate(jobs)), (read, compute, FileJob.write), stopping) as results:
        numbers = itertools.count()

        def wait(progress: Progress) -> Upscaled:
            number = next(numbers)
            shown[number] = progress
            try:
                done: Upscaled = next(results).result()
            finally:
                del shown[number]
            return done

        yield wait
