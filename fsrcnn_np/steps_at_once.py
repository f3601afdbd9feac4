"""No core waits: while one job is in its second step, the next one is in its first and the one before in its third."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from itertools import islice
from typing import Any

#: Takes what the step before gave, the first one the job; gives what the next one takes.
Step = Callable[[Any], Any]


@contextmanager
def overlapped(
    jobs: Sequence[Any], steps: Sequence[Step], stopping: threading.Event
) -> Iterator[Iterator[Future[Any]]]:
    """Give what the last step gave of each job, in the jobs' order; each kind of step has a thread.

    One job alone is done in the caller's thread, and so are all where the system grants no others.

    Parameters
    ----------
    jobs : sequence
        As many of them are in hand at a time as there are steps: that is what they take of memory.
    steps : sequence of callable
        What one raises is raised by its job's `result()`, and the job's further steps are left out.
    stopping : Event
        Set at the end, which then waits for the steps that run: one that takes long should look at it.
    """
    threads = [ThreadPoolExecutor(1, f"step {number}") for number in range(len(steps))]
    try:
        if len(jobs) > 1 and _granted(threads):
            yield _in_order(iter(jobs), steps, threads)
        else:
            _end(threads)
            yield (_alone(job, steps) for job in jobs)
    finally:
        stopping.set()
        _end(threads)


def _granted(threads: Sequence[ThreadPoolExecutor]) -> bool:
    try:
        for thread in threads:
            thread.submit(int)
    except RuntimeError:  # can't start new thread
        return False
    return True


def _in_order(
    jobs: Iterator[Any], steps: Sequence[Step], threads: Sequence[ThreadPoolExecutor]
) -> Iterator[Future[Any]]:
    in_hand = deque(_begun(job, steps, threads) for job in islice(jobs, len(steps)))
    while in_hand:
        yield in_hand.popleft()
        in_hand.extend(_begun(job, steps, threads) for job in islice(jobs, 1))


def _begun(job: Any, steps: Sequence[Step], threads: Sequence[ThreadPoolExecutor]) -> Future[Any]:
    done: Future[Any] = threads[0].submit(steps[0], job)
    for step, thread in zip(steps[1:], threads[1:], strict=True):
        done = thread.submit(_after, done, step)
    return done


def _after(before: Future[Any], step: Step) -> Any:
    return step(before.result())


def _alone(job: Any, steps: Sequence[Step]) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(reduce(lambda value, step: step(value), steps, job))
    except Exception as error:
        done.set_exception(error)
    return done


def _end(threads: Sequence[ThreadPoolExecutor]) -> None:
    for thread in threads:  # first none of them may begin anything more
        thread.shutdown(wait=False, cancel_futures=True)
    for thread in threads:
        thread.shutdown()
