"""A Dask cluster as a crew: each task is sent to a worker of our choice, so that we know which one it killed."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

from ..errors import FileError, MissingExtraError
from .measuring import measure
from .workers import Crew, Ended

PATIENCE = 60.0  #: seconds to wait for a scheduler's answer, and for a worker where there is none
FETCH = 5.0  #: for a report to come
LOOK = 0.5  #: seconds between two looks at who is there


class Dask(Crew):
    """Workers of a cluster. They need this package in this version, and the files under the same paths.

    Parameters
    ----------
    address : str
        Of the scheduler, like "tcp://host:8786".

    Raises
    ------
    MissingExtraError
        dask.distributed is not installed.
    FileError
        No scheduler answers, or no worker is there; from any method, too.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MissingExtraError("--dask needs dask.distributed: pip install 'fsrcnn-np[dask]'") from error
        self._distributed, self.address = distributed, address
        self._running: dict[Any, tuple[dict[str, Any], str]] = {}  # future → its task, its worker
        self._threads: dict[str, int] = {}  # of each worker
        self._seen = 0.0
        self._news = threading.Event()  # something has ended
        self._log = logging.getLogger("distributed")
        self._level = self._log.level
        self._log.setLevel(logging.CRITICAL + 1)  # what has to be said is said here, in one line
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            self._log.setLevel(self._level)
            raise FileError(f"no Dask scheduler answers at {address} ({_plain(error)}); start it") from error
        self._look(wait=True)

    def free(self) -> bool:
        return self._idle() is not None

    def submit(self, task: dict[str, Any]) -> None:
        worker = self._idle()
        # A worker with several threads has several tasks at once: one thread each, unless the user says otherwise.
        threads = task["threads"] or (1 if worker is not None and self._threads[worker] > 1 else None)
        with self._reaching():
            future = self._client.submit(
                measure, task | {"threads": threads}, pure=False, workers=[worker], allow_other_workers=False
            )
        self._running[future] = (task, str(worker))
        future.add_done_callback(lambda _: self._news.set())

    def wait(self) -> list[Ended]:
        if not self._running:
            self._look(wait=True)
            return []
        self._news.wait(LOOK)
        self._news.clear()
        if time.monotonic() - self._seen > LOOK:
            self._look(wait=False)
        return list(self._ended())

    def close(self) -> None:
        with suppress(Exception):
            self._client.cancel(list(self._running), force=True)
        self._running.clear()
        with suppress(Exception):
            self._client.close(timeout=5)
        self._log.setLevel(self._level)

    def _ended(self) -> Iterator[Ended]:
        for future, (task, worker) in list(self._running.items()):
            if future.status == "finished":
                try:
                    with self._reaching():
                        report = future.result(timeout=FETCH)
                except (TimeoutError, CancelledError):  # the worker died with the report in its hands
                    self._look(wait=False)
                    if worker in self._threads:
                        continue
                    report = None
                yield Ended(task, report, f"on {worker}")
            elif future.status == "error":
                error = future.exception()
                if not isinstance(error, self._distributed.KilledWorker):
                    raise FileError(f"worker {worker} cannot measure ({_plain(error)}); install the same there as here")
                yield Ended(task, None, f"on {worker}")
            elif worker not in self._threads or future.status in ("cancelled", "lost"):
                self._gone_if_closed()
                yield Ended(task, None, f"on {worker}")
            else:
                continue
            del self._running[future]
            with suppress(Exception):
                future.release() if future.done() else future.cancel()

    def _idle(self) -> str | None:
        busy = [worker for _, worker in self._running.values()]
        return next((worker for worker, threads in self._threads.items() if busy.count(worker) < threads), None)

    def _look(self, *, wait: bool) -> None:
        """Who is there? None at all for a minute is an error."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(TimeoutError), self._reaching():
                self._threads = dict(self._client.nthreads())
            self._seen = time.monotonic()
            if self._threads or not wait:
                return
            if time.monotonic() > deadline:
                raise FileError(f"the Dask scheduler at {self.address} has no worker; start some, and run again")
            time.sleep(LOOK)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """The scheduler's silence as one line."""
        try:
            yield
        except TimeoutError:
            self._gone_if_closed()
            raise
        except (OSError, RuntimeError) as error:  # CommClosedError is an OSError
            raise self._gone(error) from error

    def _gone_if_closed(self) -> None:
        if self._client.status != "running":
            raise self._gone(self._client.status)

    def _gone(self, why: Any) -> FileError:
        return FileError(
            f"the Dask scheduler at {self.address} has gone ({_plain(why)}); {len(self._running)} images were in "
            "flight; what was measured is kept: run again to go on"
        )


def _plain(error: Any) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
