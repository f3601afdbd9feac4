"""What became of each input of a run: told as a line, as JSON (`--json`) or not at all (`--quiet`); counted; kept
as JSON lines (`--report`)."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import stat
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from os import fspath
from os.path import realpath
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import piqe_np.errors as piqe_errors
from piqe_np import stopping
from piqe_np.console import NO_THREAD, complain, no_thread
from piqe_np.line import about, message, printable

from .errors import (
    DiskFullError,
    FileError,
    FormatError,
    FsrcnnError,
    ImageError,
    MissingExtraError,
    OptionError,
    WeightsError,
)
from .files.picture import OutputDiffers
from .progress import bars

_FIRST = b'{"run": "'  #: of every report, as `RunLog` writes its records
WRITTEN, KEPT, SKIPPED, FAILED = "written", "kept", "skipped", "failed"
#: reason codes of failures, by exception, the more special first; they stay as they are
REASONS: dict[type[BaseException], str] = {
    DiskFullError: "disk-full", OutputDiffers: "differs", MissingExtraError: "missing-extra",
    FileError: "file", FormatError: "format", ImageError: "image", WeightsError: "model", OptionError: "option",
    MemoryError: "memory", piqe_errors.ImageError: "image", piqe_errors.OptionError: "option",
}  # fmt: skip


class RunLog:
    """One run's records.

    Parameters
    ----------
    options : argparse.Namespace
        As `run_options` fills it. `report` is appended to, one line of JSON an input, flushed at once: what is killed
        leaves whole lines.
    command : str
        What every line on standard error begins with.
    states : sequence of str
        As the summary counts them: done, kept, skipped, failed, in the command's own words.
    data : bool
        Standard output holds data (scores, an image), and what is said goes to standard error.
    several : bool, optional
        Whether there is more than one input, so that a line sums up; default: whether more than one came to an end.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        *,
        command: str = "fsrcnn-np",
        states: Sequence[str] = (WRITTEN, KEPT, SKIPPED, FAILED),
        data: bool = False,
        several: bool | None = None,
    ) -> None:
        self.states, self.several = tuple(states), several
        self.counts: Counter[str] = Counter()
        self.quiet, self._json = bool(options.quiet), bool(options.json)
        self._command, self._data = command, data
        self._report, self._run = options.report, uuid.uuid4().hex[:12]
        self._began = self._started = time.monotonic()
        self._facts: dict[str, Any] = {}
        self._summed_up = False
        if self._report is not None:
            output = getattr(options, "output", None)
            if output is not None and realpath(output) == realpath(self._report):
                raise OptionError(f"{output}: is both -o and --report; give each a file of its own")
            _prepare(self._report)

    @property
    def status(self) -> int:
        """The exit status: 1 where an input failed."""
        return 1 if self.counts[self.states[3]] else 0

    @contextmanager
    def summing_up(self) -> Iterator[None]:
        """End with the summary, also where the run is stopped; not where nobody reads it, nor after wrong usage."""
        stopping.last_words.append(self._sum_up)  # where the main thread cannot: it is in machine code for long
        try:
            yield
        except (BrokenPipeError, OptionError):
            raise
        except BaseException:
            self._sum_up()
            raise
        finally:
            stopping.last_words.remove(self._sum_up)
        self._sum_up()

    def begin(self) -> None:
        """An input is taken up."""
        self._started, self._facts = time.monotonic(), {}

    def note(self, **facts: Any) -> None:
        """What is known of the input in hand: output, range, remarks, source_sha256."""
        self._facts |= facts

    def end(self, path: str, state: str, reason: str = "", message: str = "", *, lines: Sequence[str] = ()) -> None:
        """The input in hand has come to its end; `lines` say so, by default the message."""
        record = self._record(path, state, reason, message) if self._report is not None or self._json else {}
        if self._report is not None:
            self._append(self._report, record)
        self.counts[state] += 1
        said = lines or ([message] if message else [])
        if state != self.states[3]:
            self.say(*said)
        for line in said if state == self.states[3] else ():
            self.complain(line)
        if self._json:
            self._print(json.dumps(record))
        self.begin()

    def failed(self, path: str, error: BaseException) -> str:
        """The input in hand has failed; gives the message."""
        reason = next((code for kind, code in REASONS.items() if isinstance(error, kind)), "fault")
        if isinstance(error, FsrcnnError | piqe_errors.PiqeError):
            said = (
                str(error) if about(Path(path.partition("::")[0]), error) == str(error) else message(f"{path}: {error}")
            )
        elif isinstance(error, MemoryError):
            said = f"{path}: not enough memory; use a smaller image or a machine with more"
        elif no_thread(error):
            said = f"{path}: {NO_THREAD}"
        elif isinstance(error, OSError) and error.errno and error.filename is not None:
            said = f"{message(path)}: the system refuses: {error.strerror}"
        else:  # a fault of ours: still one line, and the rest of the batch
            said = f"{path}: unexpected {type(error).__name__}: {error}; please report it"
        self.end(path, self.states[3], reason, said, lines=[f"{said}; stopped"] if stops(error) else ())
        return said

    def show(self, *lines: str) -> None:
        """Lines for people on standard output, but with `--quiet` and `--json`."""
        self.tell(*map(printable, lines))

    def tell(self, *rows: str) -> None:
        """Rows of data on standard output, as they are, but with `--quiet` and `--json`."""
        if rows and not self.quiet and not self._json:
            self._print("\n".join(rows))

    def say(self, *lines: str) -> None:
        """What people should know of an input that has not failed, or of the run."""
        if not self._data:
            self.show(*lines)
        elif not self.quiet and not self._json:
            for line in lines:
                self.complain(line)

    def warn(self, text: str) -> None:
        """What people should know of the run as a whole."""
        if not self.quiet:
            self.complain(text)

    def _record(self, path: str, state: str, reason: str, message: str) -> dict[str, Any]:
        record: dict[str, Any] = {"run": self._run, "input": path, "state": state, "reason": reason}
        output = self._facts.pop("output", None)
        record |= {"message": " ".join(message.split()), "output": None if output is None else fspath(output)}
        record |= {"output_sha256": sha256_of(output), **self._facts}
        record.setdefault("seconds", round(time.monotonic() - self._started, 3))
        return record | {"peak_memory": _peak()}

    def _append(self, report: Path, record: dict[str, Any]) -> None:
        try:
            with suppress(FileNotFoundError), open(report, "rb") as found:
                _check_report(report, found)  # it may be another file by now: an output of this run
            with open(report, "a", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(json.dumps(record) + "\n")
        except OptionError:
            self._report = None
            raise
        except OSError as error:
            self._report = None  # what goes on without it says so once
            raise DiskFullError(
                f"{report}: the report cannot be written ({error.strerror or error}); give another --report"
            ) from error

    def _sum_up(self) -> None:
        """Once."""
        if self._summed_up:
            return
        self._summed_up = True
        seconds = time.monotonic() - self._began
        if self._json:
            counts = {state: self.counts[state] for state in self.states}
            summary = {"run": self._run, "summary": counts, "seconds": round(seconds, 3), "peak_memory": _peak()}
            self._print(json.dumps(summary))
        elif self.several if self.several is not None else sum(self.counts.values()) > 1:
            counts_said = ", ".join(f"{self.counts[state]} {state}" for state in self.states)
            self.say(f"{counts_said}, {f'{seconds / 60:.0f} min' if seconds >= 120 else f'{seconds:.1f} s'}")

    def _print(self, text: str) -> None:
        with _beside_bars(sys.stdout):
            print(text, flush=True)

    def complain(self, text: str) -> None:
        """What failed beside the inputs, on standard error."""
        with _beside_bars(sys.stderr):
            complain(self._command, text, 1)


def run_options(parser: argparse.ArgumentParser, forms: Any = None) -> None:
    """Add `--report`, `--quiet` and `--json` to a command over several inputs; `forms` excludes others with them."""
    parser.add_argument(
        "--report", type=Path, metavar="FILE.jsonl", help="append a record an input, as JSON lines: docs/overnight.md"
    )
    forms = forms or parser.add_mutually_exclusive_group()
    forms.add_argument("--quiet", action="store_true", help="say nothing but what failed")
    forms.add_argument("--json", action="store_true", help="print the report's records, one a line, and the summary")


def one_line(first: str, remarks: Iterable[str]) -> str:
    """What is said of one file: a line, whatever there is to remark."""
    return "; ".join([first, *remarks])


def stops(error: BaseException) -> bool:
    """Whether all inputs that follow would fail alike."""
    return isinstance(error, DiskFullError)


def _prepare(report: Path) -> None:
    """Of a line that was cut the next begins anew."""
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        with open(report, "ab+") as stream:
            if stream.tell():
                _check_report(report, stream)
                stream.seek(-1, 2)
                if stream.tell() < len(_FIRST):
                    stream.truncate(0)
                elif stream.read(1) != b"\n":
                    stream.write(b"\n")
    except OSError as error:
        raise OptionError(
            f"{report}: the report cannot be written ({error.strerror or error}); give another --report"
        ) from error


def _check_report(report: Path, stream: BinaryIO) -> None:
    """Raise an OptionError for a file that is no report: a picture or a table would be damaged by a line more."""
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return
    stream.seek(0)
    if not _FIRST.startswith(stream.read(len(_FIRST))):
        raise OptionError(f"{report}: exists and is no report; it is kept as it is; give another --report")


def _beside_bars(stream: TextIO) -> Any:
    """Progress bars are taken away for a line, and come back under it."""
    return bars().external_write_mode(file=stream) if "tqdm" in sys.modules else nullcontext()


def sha256_of(path: Any) -> str | None:
    """Of a file's bytes; None where there is none."""
    if path is None or not Path(path).is_file():
        return None
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _peak() -> int | None:
    """Bytes of the process's largest resident memory so far; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
