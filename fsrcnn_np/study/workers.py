"""Who measures: this process, processes of this machine, or a Dask cluster; all call `measuring.measure`.

Each crew takes tasks while it is `free()` and hands back what `wait()` finds ended: a task with its report, or a task
whose worker died.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import FileError, OptionError
from .measuring import measure

MOST = 256
_PACKAGES = str(Path(__file__).parents[2])


class Ended(NamedTuple):
    """A task that is over."""

    task: dict[str, Any]
    report: dict[str, Any] | None  #: None: the worker died
    how: str = ""  #: it died


class Crew(Protocol):
    """What all crews can do."""

    def free(self) -> bool:
        """Whether another task would be begun at once."""

    def submit(self, task: dict[str, Any]) -> None:
        """Begin a task."""

    def wait(self) -> list[Ended]:
        """Wait until something has ended; empty where nothing is being done, or to look again."""

    def close(self) -> None:
        """End all that is being done."""


class Here(Crew):
    """This process: one task after another."""

    def __init__(self) -> None:
        self._tasks: list[dict[str, Any]] = []

    def free(self) -> bool:
        return not self._tasks

    def submit(self, task: dict[str, Any]) -> None:
        self._tasks.append(task)

    def wait(self) -> list[Ended]:
        return [Ended(task, measure(task)) for task in (self._tasks.pop(),)] if self._tasks else []

    def close(self) -> None:
        self._tasks.clear()


class Processes(Crew):
    """Processes of this machine: each reads tasks as lines and writes reports as lines.

    They end when this process does, however it does: their input then ends.
    """

    def __init__(self, count: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
            raise OptionError(f"workers is {count!r}; allowed are 0 (this process) to {MOST}")
        self._ended: queue.Queue[tuple[_Process, str]] = queue.Queue()
        self._all: list[_Process] = []
        self._count = count

    def free(self) -> bool:
        return len(self._all) < self._count or any(one.task is None for one in self._all)

    def submit(self, task: dict[str, Any]) -> None:
        idle = next((one for one in self._all if one.task is None), None)
        if idle is None:
            try:
                idle = _Process(self._ended)
            except (OSError, RuntimeError) as error:  # no process, or no thread to listen to it
                raise FileError(
                    f"no worker can be begun ({error}); allow more processes (ulimit -u), or measure in this one: "
                    "--workers 0"
                ) from error
            self._all.append(idle)
        idle.begin(task)

    def wait(self) -> list[Ended]:
        if not any(one.task is not None for one in self._all):
            return []
        one, line = self._ended.get()
        task = one.task
        if line:
            one.task = None
            return [Ended(task, json.loads(line))] if task is not None else []
        self._all.remove(one)
        return [Ended(task, None, one.obituary())] if task is not None else []

    def close(self) -> None:
        for one in self._all:
            one.process.kill()
        for one in self._all:
            one.obituary()
        self._all.clear()


class _Process:
    """One worker process, and the thread that listens to it."""

    def __init__(self, ended: queue.Queue[tuple[_Process, str]]) -> None:
        self.task: dict[str, Any] | None = None
        paths = [_PACKAGES, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from fsrcnn_np.study.workers import serve; serve()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the one that the user sees
        )  # fmt: skip
        self._thread = threading.Thread(target=self._listen, args=(ended,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self.process.kill()
            self.obituary()
            raise

    def begin(self, task: dict[str, Any]) -> None:
        self.task = task
        assert self.process.stdin is not None
        with suppress(OSError):  # it has died: the listener tells
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()

    def obituary(self) -> str:
        status = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return f"signal {-status}" if status < 0 else f"status {status}"

    def _listen(self, ended: queue.Queue[tuple[_Process, str]]) -> None:
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self.process.stdout:
                if not line.endswith("\n"):
                    break  # it died in the middle of a report
                ended.put((self, line))
        ended.put((self, ""))


def serve() -> None:
    """A worker process: tasks from standard input, reports to standard output, until the input ends."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no report
    for line in open(0, encoding="utf-8", closefd=False):  # noqa: SIM115
        reports.write(json.dumps(measure(json.loads(line))) + "\n")
        reports.flush()


def crew(workers: int, dask: str | None) -> Crew:
    """Dask's where there is an address; for 0 workers this process; else so many processes."""
    if dask is not None:
        from .dask_workers import Dask

        return Dask(dask)
    return Here() if workers == 0 and not isinstance(workers, bool) else Processes(workers)
