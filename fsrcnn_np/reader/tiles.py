"""The cases' tiles: made once, in the background, in the order in which readers want them; one case at a time."""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piqe_np.compiled import available_cpus

from ..errors import FileError, FsrcnnError
from .cases import Case, Pair, reason
from .log import Log
from .pack import is_whole, read_tile, write_pack
from .pyramid import TILE, places, shapes

AGAIN = 30.0  #: seconds after which a failure is tried again that need not last
FORMAT = 1  #: another one has other keys
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Ready:
    """A case that can be shown."""

    images: tuple[dict[str, Any], dict[str, Any]]  #: as the page gets them; the first image given, and the second
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Making:
    """One whose tiles are being made, or will be."""

    done: float  #: 0 to 1


@dataclass(frozen=True)
class Failed:
    """One that cannot be shown."""

    why: str


State = Ready | Making | Failed


class _Stopped(Exception):
    """The server ends."""


class Tiles:
    """Tiles in a folder, and the thread that makes them.

    Parameters
    ----------
    folder : Path
    log : Log
        Keeps what is known of each case.
    cases : sequence of Case
        Their numbers, from 1, are what lines say.
    say : callable
        Takes a line for the study's owner.
    threads : int, optional
        That encode at a time; default: the CPUs there are.
    """

    def __init__(
        self, folder: Path, log: Log, cases: Iterable[Case], say: Callable[[str], None], threads: int | None = None
    ) -> None:
        self.folder, self.log, self.say = folder, log, say
        self.threads = threads or available_cpus()
        self.cases = {case.name: case for case in cases}
        self.numbers = {name: number for number, name in enumerate(self.cases, 1)}
        self._secret = log.secret()
        self._failed: dict[str, tuple[str, str, float]] = {}  # name → stamp, why, until when nobody tries again
        self._said: set[tuple[str, str]] = set()
        self._queue: list[str] = []
        self._now = ""
        self._done = 0.0
        self._stop = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="tiles", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; half-made tiles are not kept."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(timeout=30)

    def state(self, name: str, *, ask: bool = True) -> State:
        """Whether a case can be shown; with `ask` its tiles come next if they are missing."""
        case = self.cases.get(name)
        if case is None:
            return Failed("is no longer in the study")
        stamp = case.stamp()
        if ready := self._ready(case, stamp):
            return ready
        failed = self._failed.get(name)
        if failed and failed[0] == stamp and time.monotonic() < failed[2]:
            return Failed(failed[1])
        with self._changed:
            if self._now == name:
                return Making(self._done)
            if ask:
                self._queue = [name, *(other for other in self._queue if other != name)]
                self._changed.notify_all()
        return Making(0.0)

    def later(self, names: Iterable[str]) -> None:
        """Make these when nothing is more urgent."""
        with self._changed:
            self._queue += [name for name in names if name not in self._queue and name in self.cases]
            self._changed.notify_all()

    def make(self, name: str) -> State:
        """Make a case's tiles now, in this thread."""
        case = self.cases[name]
        stamp = case.stamp()
        if not self._ready(case, stamp):
            self._make(case, stamp)
        return self.state(name, ask=False)

    def failures(self) -> dict[str, str]:
        """Cases that cannot be shown, by name, as far as anybody has tried."""
        return {name: why for name, (_, why, _) in list(self._failed.items())}

    def tile(self, key: str, level: int, row: int, column: int) -> bytes | None:
        """A tile's bytes; None where there is none."""
        return read_tile(self._path(key), level, row, column) if _KEY.fullmatch(key) else None

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.tiles"

    def _ready(self, case: Case, stamp: str) -> Ready | None:
        rows = self.log.rows("SELECT stamp, facts FROM shown WHERE case_name = ?", (case.name,))
        if not rows:
            return None
        facts = json.loads(rows[0]["facts"])
        there = facts["format"] == FORMAT and all(is_whole(self._path(image["key"])) for image in facts["images"])
        if not there:
            return None
        if rows[0]["stamp"] != stamp:
            if not case.missing():
                self._once(
                    case, "its files have changed since readers could see it; from now on it is shown as it is now"
                )
                return None
            self._once(case, "a file of it is gone; it is shown as it was")
        first, second = facts["images"]
        return Ready((first, second), tuple(facts["notes"]))

    def _once(self, case: Case, line: str) -> None:
        if (case.name, line) not in self._said:
            self._said.add((case.name, line))
            self.say(f"case {self.numbers[case.name]}: {line}")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._now = ""
                while not self._queue and not self._stop:
                    self._changed.wait()
                if self._stop:
                    return
                self._now, self._done = self._queue.pop(0), 0.0
            case = self.cases[self._now]
            try:
                stamp = case.stamp()
                if not self._ready(case, stamp):
                    self._make(case, stamp)
            except _Stopped:
                return
            except FsrcnnError as error:  # of the log: it may work again
                self._once(case, str(error))

    def _make(self, case: Case, stamp: str) -> None:
        try:
            pair = case.load()
            facts = self._written(case, stamp, pair)
            with self.log.writing() as c:
                c.execute("INSERT OR REPLACE INTO shown VALUES (?, ?, ?)", (case.name, stamp, json.dumps(facts)))
            self._failed.pop(case.name, None)
        except _Stopped:
            raise
        except MemoryError:
            self._fail(case, stamp, "needs more memory than there is", again=True)
        except FsrcnnError as error:
            self._fail(case, stamp, reason(error, case), again=isinstance(error, FileError))
        except Exception as error:  # a fault of ours: it costs this case
            self._fail(case, stamp, f"meets an unexpected {type(error).__name__}; please report it")

    def _fail(self, case: Case, stamp: str, why: str, *, again: bool = False) -> None:
        """A full disk may have room again: that is tried after a while. What a file holds is not, until it changes."""
        self._failed[case.name] = (stamp, why, time.monotonic() + AGAIN if again else math.inf)
        self._once(case, f"cannot be shown: it {why}")

    def _written(self, case: Case, stamp: str, pair: Pair) -> dict[str, Any]:
        total = sum(len(places(*side.pixels.shape)) for side in (pair.first, pair.second))
        count = 0

        def wrote() -> None:
            nonlocal count
            count += 1
            self._done = 0.4 + 0.6 * count / total
            if self._stop:
                raise _Stopped

        self._done = 0.4
        images = []
        for which, side in enumerate((pair.first, pair.second)):
            key = self._key(f"{FORMAT} {case.name} {which} {stamp}")
            path = self._path(key)
            if not is_whole(path):
                write_pack(path, side.pixels, threads=self.threads, wrote=wrote)
            rows, columns = side.pixels.shape
            images.append(
                {"key": key, "rows": rows, "columns": columns, "levels": len(shapes(rows, columns)), "tile": TILE,
                 "spacing": list(side.spacing), "unit": pair.unit, **side.display.as_json()}
            )  # fmt: skip
        if not all(is_whole(self._path(image["key"])) for image in images):
            raise FileError("its tiles could not be written; make room in the folder of results")
        return {"format": FORMAT, "images": images, "notes": list(pair.notes)}

    def _key(self, text: str) -> str:
        """A name that tells nothing without the study's secret."""
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=self._secret, digest_size=16).hexdigest()
