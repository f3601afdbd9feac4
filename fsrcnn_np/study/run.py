"""A cohort measured, image by image, into the store; killed anywhere and run again it goes on where it was."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from piqe_np.compiled import available_cpus, thread_count

from ..engine import DEFAULT, engine_named
from ..errors import FileError, OptionError
from ..files.target import SEPARATOR, folded, split
from ..network.weights import Weights
from ..pipeline import model_name
from ..version import __version__
from .cohort import Cohort, Entry, Range, read_cohort
from .measuring import DONE, EMPTY, OTHER, REFUSED, SAME, Task, loaded
from .records import About, LeftOut
from .store import CLAIMS, Store
from .workers import Ended, crew

TRIES = 3  #: a file that has killed so many workers is not tried again
MEASURED, KEPT, LEFT_OUT, SKIPPED = "measured", "kept", "left out", "skipped"


@dataclass(frozen=True)
class Outcome:
    """What became of one image."""

    name: str
    state: str  #: "measured", "kept" (it was there already), "left out" or "skipped" (the file holds no picture)
    piqe: tuple[float, float, float] | None = None  #: of original, bicubic and SR, of one measured now
    seconds: float | None = None
    remarks: tuple[str, ...] = ()  #: on one measured now
    why: str = ""  #: it was left out or skipped
    done: int = 0  #: images that have an outcome,
    total: int = 0  #: of so many


def run(
    cohort: str | PathLike[str] | Cohort,
    results: str | PathLike[str],
    *,
    weights: str | PathLike[str] = "x2",
    data_range: Range | None = None,
    save_sr: bool = False,
    workers: int = 1,
    dask: str | None = None,
    threads: int | None = None,
    engine: str | None = None,
    again: bool = False,
    data: str = "",
) -> Iterator[Outcome]:
    """Measure every image of a cohort: PIQE of original, bicubic and SR, and what `measuring.measure` adds.

    Parameters
    ----------
    cohort : path or Cohort
        A folder or a CSV, see `cohort.read_cohort`.
    results : path
        A folder; gets `study.sqlite`, and with `save_sr` the SR images below `sr/`.
    weights : str or path
        A shipped model's name, or a weights file.
    data_range : float or (float, float), optional
        Stored values of black and white of images for which the cohort says none; default: what each file declares,
        else its dtype's.
    save_sr : bool
        Keep the SR images, in the originals' format and bit depth.
    workers : int
        Processes on this machine; 0 is this process itself, which a damaged file could then kill.
    dask : str, optional
        Address of a Dask scheduler; its workers then measure.
    threads : int, optional
        Of each worker. Default: the CPUs divided among the workers.
    engine : str, optional
        As of `fsrcnn_np.upscale`.
    again : bool
        Measure again what has changed since it was measured, and what has killed its workers.
    data : str
        What the images are, where that has to be said wherever they are shown.

    Yields
    ------
    Outcome
        One an image, in the order in which they end; committed before it is given.

    Raises
    ------
    FsrcnnError
        At the first step, what would fail for every image: the cohort, the model, a store made with other settings.
        Later: the disk is full, the scheduler has gone. What was measured is kept.
    """
    given = cohort if isinstance(cohort, Cohort) else read_cohort(cohort, without=results)
    thread_count(threads, "FSRCNN_NP_THREADS", OptionError)
    engine_named(engine)
    model_path = os.fspath(weights) if not os.path.exists(weights) else os.path.abspath(weights)
    model = loaded(model_path)
    if threads is None and dask is None and workers > 0 and not os.environ.get("FSRCNN_NP_THREADS"):
        threads = max(1, available_cpus() // workers)
    settings = {"engine": engine or DEFAULT, "data_range": data_range}
    key = {"model": f"{model_name(model)}, sha256 {model.sha256}", "version": __version__, **settings}
    store = Store(results, _about(model, data, settings), key)
    try:
        store.begin(given)
        job = _Job(given, store, Path(results), again)
        whole = Task(
            name="", path="", weights=model_path, sha256=model.sha256, engine=engine or DEFAULT, threads=threads,
            data_range=data_range, again=again,
        )  # fmt: skip
        yield from job.kept(whole, save_sr)
        if job.queue:
            team = crew(workers, dask)
            try:
                yield from job.measured(team)
            finally:
                team.close()
        yield from job.duplicates()
    finally:
        store.close()


class _Job:
    """One run's images."""

    def __init__(self, cohort: Cohort, store: Store, results: Path, again: bool) -> None:
        self.entries = {entry.name: entry for entry in cohort.entries}
        self.store, self.results, self.again = store, results, again
        self.queue: deque[dict[str, Any]] = deque()
        self.stamps: dict[str, str] = {}
        self.tries: Counter[str] = Counter()
        self.finished = 0

    def kept(self, whole: Task, save_sr: bool) -> Iterator[Outcome]:
        """Outcomes of those that need no work; the others are queued."""
        there, quarantined = self.store.measured(), self.store.quarantined()
        taken: dict[str, str] = {}
        for entry in self.entries.values():
            stamp = self.stamps[entry.name] = _stamp(entry)
            record = there.get(entry.name)
            sr = _sr_path(self.results, entry.name) if save_sr else None
            first = taken.setdefault(folded(str(sr)), entry.name) if sr else entry.name
            if first != entry.name:
                yield self._left_out(entry, f"its SR image would replace that of {first}; rename one of them")
            elif not self.again and quarantined.get(entry.name) == stamp:
                why = f"{entry.place}: has killed its worker {TRIES} times; --again tries it again"
                yield self._outcome(entry, LEFT_OUT, why=why)
            elif record and record.stamp == stamp and not record.doubted and (sr is None or sr.is_file()):
                yield self._outcome(entry, KEPT)
            else:
                self.queue.append(asdict(_task(whole, entry, record.key if record else "", sr)))

    def measured(self, team: Any) -> Iterator[Outcome]:
        """Outcomes of the queue."""
        running = 0
        while self.queue or running:
            while self.queue and team.free():
                team.submit(self.queue.popleft())
                running += 1
            for ended in team.wait():
                running -= 1
                yield from self._ended(ended)

    def _ended(self, ended: Ended) -> Iterator[Outcome]:
        task, report = ended.task, ended.report
        entry = self.entries[task["name"]]
        if report is None:
            self.tries[entry.name] += 1
            if self.tries[entry.name] < TRIES:
                self.queue.append(task)  # behind the others
            else:
                why = f"has killed its worker {TRIES} times ({ended.how}) and is not tried again; --again does"
                yield self._left_out(entry, why, stamp=self.stamps[entry.name])
            return
        sr = Path(task["sr"]).relative_to(self.results.absolute()).as_posix() if task["sr"] else ""
        stamp = self.stamps[entry.name]
        if report["state"] == DONE:
            self.store.put(entry, report, stamp=stamp, sr=sr)
            piqe = tuple(report["record"][f"piqe_{image}"] for image in ("original", "bicubic", "sr"))
            remarks = tuple(json.loads(report["record"]["remarks"]))
            yield self._outcome(entry, MEASURED, piqe=piqe, seconds=report["seconds"], remarks=remarks)
        elif report["state"] == SAME:
            self.store.same(entry.name, report, stamp=stamp)
            yield self._outcome(entry, KEPT)
        elif report["state"] == OTHER:
            why = "its pixels, value range or truth are others than when it was measured; "
            yield self._left_out(entry, why + "choose another folder for the results, or --again")
        elif report["state"] == REFUSED:
            named = report["column"] or ("" if entry.place == entry.path else "path")
            yield self._left_out(entry, report["why"], where=f", column {named}" if named else "")
        elif report["state"] == EMPTY:
            yield self._left_out(entry, f"{report['why']}; skipped", state=SKIPPED)
        else:
            raise FileError(f"{report['why']}; what was measured is kept: run again to go on")

    def duplicates(self) -> Iterator[Outcome]:
        """Copies of images: measured, and not counted."""
        for copy, first in self.store.duplicates().items():
            yield Outcome(copy, LEFT_OUT, why=f"{copy}: has the same pixels as {first}; it counts once")

    def _left_out(
        self, entry: Entry, why: str, *, where: str = "", stamp: str | None = None, state: str = LEFT_OUT
    ) -> Outcome:
        one = LeftOut(entry.place + where, why if entry.place == entry.path else f"{entry.name}: {why}")
        self.store.leave_out(one, entry.name, stamp=stamp)
        return self._outcome(entry, state, why=str(one))

    def _outcome(self, entry: Entry, state: str, **what: Any) -> Outcome:
        self.finished += 1
        return Outcome(entry.name, state, **what, done=self.finished, total=len(self.entries))


def _task(whole: Task, entry: Entry, known: str, sr: Path | None) -> Task:
    return replace(
        whole, name=entry.name, path=_absolute(entry.path), known=known, sr=None if sr is None else str(sr),
        truth=None if entry.truth is None else _absolute(entry.truth),
        data_range=whole.data_range if entry.data_range is None else entry.data_range,
        own_range=entry.data_range is not None,
        claims={column: entry.texts[column] for column in CLAIMS if column in entry.texts},
    )  # fmt: skip


def _absolute(path: str) -> str:
    target = split(path)
    whole = os.path.abspath(target.path)
    return whole + (SEPARATOR + target.dataset if target.dataset else "")


def _sr_path(results: Path, name: str) -> Path:
    """Below `sr/`, where the original lies below its cohort; a dataset's name becomes part of the file's."""
    target = split(name)
    parts = [part for part in target.path.parts if part not in (target.path.anchor, "..")]
    if target.dataset:
        stem, suffix = os.path.splitext(parts[-1])
        parts[-1] = stem + target.dataset.replace("/", "_") + suffix
    return Path(results.absolute(), "sr", *parts)


def _stamp(entry: Entry) -> str:
    """What was asked for, and how the files look: while it stays, an image that was measured is not read again."""
    asked: list[Any] = [entry.data_range, sorted((k, v) for k, v in entry.texts.items() if k in CLAIMS)]
    for path in (entry.path, entry.truth):
        try:
            status = os.stat(split(path).path) if path else None
        except OSError:
            status = None
        asked.append(None if status is None else [status.st_size, status.st_mtime_ns])
    return json.dumps(asked, ensure_ascii=False)


def _about(model: Weights, data: str, settings: dict[str, Any]) -> About:
    from ..network.checkerboard import checkerboard
    from .table import versions

    epochs = model.provenance.get("epochs")
    return About(
        model=model_name(model), sha256=model.sha256, architecture=str(model.architecture),
        scale=model.architecture.scale, epochs=epochs if isinstance(epochs, int) else None, versions=versions(),
        machine=f"{platform.machine()}, {platform.system()}", data=data,
        settings={name: str(value) for name, value in settings.items() if value is not None},
        checkerboard=checkerboard(model).facts(),
    )  # fmt: skip
